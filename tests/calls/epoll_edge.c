/* epoll, edge triggered and one shot. */
#include "check.h"
#include <sys/epoll.h>

int main(void)
{
    int p[2];
    char b[8];
    struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u32 = 1 }, got;
    MUST(pipe2(p, O_NONBLOCK));
    int fd = MUST(epoll_create1(0));
    MUST(epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e));
    MUST(write(p[1], "abc", 3));
    SAY(epoll_wait(fd, &got, 1, 1000));
    SAY(epoll_wait(fd, &got, 1, 0));
    SAY(read(p[0], b, 1));
    SAY(epoll_wait(fd, &got, 1, 0));
    MUST(write(p[1], "d", 1));
    SAY(epoll_wait(fd, &got, 1, 1000));
    e.events = EPOLLIN | EPOLLONESHOT;
    SAY(epoll_ctl(fd, EPOLL_CTL_MOD, p[0], &e));
    SAY(epoll_wait(fd, &got, 1, 1000));
    SAY(epoll_wait(fd, &got, 1, 0));
    SAY(epoll_ctl(fd, EPOLL_CTL_MOD, p[0], &e));
    SAY(epoll_wait(fd, &got, 1, 1000));
    SAY(epoll_ctl(fd, EPOLL_CTL_DEL, p[0], NULL));
    SAY(epoll_wait(fd, &got, 1, 0));
    return 0;
}
