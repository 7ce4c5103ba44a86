/* epoll_wait, epoll_pwait and epoll_pwait2 that run into their timeouts, and a signal let in by the mask. */
#include "check.h"
#include <sys/epoll.h>

static volatile int caught;

static void handler(int signo)
{
    caught = signo;
}

int main(void)
{
    struct epoll_event got;
    struct timespec wait = { 0, 5000000 };
    sigset_t none;
    sigemptyset(&none);
    int fd = MUST(epoll_create1(0));
    uint64_t before = now_ns(CLOCK_MONOTONIC);
    SAY(epoll_wait(fd, &got, 1, 20));
    FACT(now_ns(CLOCK_MONOTONIC) - before >= 19000000);
    SAY(epoll_pwait2(fd, &got, 1, &wait, NULL));
    on_signal(SIGUSR1, handler, 0);
    block_signal(SIGUSR1);
    raise(SIGUSR1);
    FACT(caught == 0);
    SAY(epoll_wait(fd, &got, 1, 1));
    FACT(caught == 0);
    SAY(epoll_pwait(fd, &got, 1, 10000, &none));
    FACT(caught == SIGUSR1);
    SAY(epoll_wait(-1, &got, 1, 0));
    SAY(epoll_wait(0, &got, 1, 0));
    return 0;
}
