/* epoll, level triggered; epoll_ctl's errors; the data word comes back. */
#include "check.h"
#include <sys/epoll.h>

int main(void)
{
    int p[2], q[2];
    char b[8];
    struct epoll_event e = { .events = EPOLLIN, .data.u64 = 0x1122334455667788 }, got[4];
    MUST(pipe(p));
    MUST(pipe(q));
    int fd = MUST(epoll_create1(EPOLL_CLOEXEC));
    SAY(epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e));
    SAY(epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e));
    SAY(epoll_ctl(fd, EPOLL_CTL_MOD, q[0], &e));
    SAY(epoll_ctl(fd, EPOLL_CTL_DEL, 99, &e));
    SAY(epoll_wait(fd, got, 4, 0));
    MUST(write(p[1], "ab", 2));
    SAY(epoll_wait(fd, got, 4, -1));
    printf("%x %lx\n", got[0].events, (long)got[0].data.u64);
    SAY(read(p[0], b, 1));
    SAY(epoll_wait(fd, got, 4, 1000));
    SAY(read(p[0], b, 1));
    SAY(epoll_wait(fd, got, 4, 0));
    e = (struct epoll_event){ .events = EPOLLOUT, .data.fd = q[1] };
    SAY(epoll_ctl(fd, EPOLL_CTL_ADD, q[1], &e));
    MUST(close(p[1]));
    int n = SAY(epoll_wait(fd, got, 4, 1000));
    uint32_t all = 0;
    for (int i = 0; i < n; i++)
        all |= got[i].events;
    printf("%x\n", all);
    SAY(epoll_wait(fd, got, 1, 1000));
    SAY(epoll_wait(fd, got, 0, 0));
    return 0;
}
