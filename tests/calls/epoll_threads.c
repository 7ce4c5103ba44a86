/* Several threads wait on one epoll descriptor; each event goes to one of them. */
#include "check.h"
#include <sys/epoll.h>

static int fd, p[2], handled;

static void *worker(void *argument)
{
    struct epoll_event got;
    char b;
    for (;;) {
        if (epoll_wait(fd, &got, 1, -1) == 1 && read(p[0], &b, 1) == 1) {
            if (b == 'q')
                return argument;
            __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
        }
    }
}

int main(void)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    pthread_t t[4];
    MUST(pipe2(p, O_NONBLOCK));
    fd = MUST(epoll_create1(0));
    MUST(epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e));
    for (int i = 0; i < 4; i++)
        t[i] = start(worker, NULL);
    for (int i = 0; i < 100; i++)
        MUST(write(p[1], "w", 1));
    MUST(write(p[1], "qqqq", 4));
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    printf("%d\n", handled);
    return 0;
}
