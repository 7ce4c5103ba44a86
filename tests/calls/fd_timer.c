/* timerfd: once, periodic, settings read back, cancelled. */
#include "check.h"
#include <poll.h>
#include <sys/timerfd.h>

int main(void)
{
    uint64_t ticks = 0, total = 0;
    struct itimerspec t = { .it_value = { 0, 10000000 } }, old;
    int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    SAY(timerfd_settime(fd, 0, &t, NULL));
    SAY(read(fd, &ticks, 8));
    printf("%lu\n", (long)ticks);
    t.it_interval = (struct timespec){ 0, 5000000 };
    SAY(timerfd_settime(fd, 0, &t, &old));
    FACT(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
    while (total < 4) {
        MUST(read(fd, &ticks, 8));
        total += ticks;
    }
    FACT(total >= 4);
    MUST(timerfd_gettime(fd, &old));
    printf("%ld\n", old.it_interval.tv_nsec);
    t.it_value.tv_nsec = 0;
    SAY(timerfd_settime(fd, 0, &t, NULL));
    struct pollfd p = { fd, POLLIN, 0 };
    SAY(poll(&p, 1, 20));
    SAY(timerfd_settime(0, 0, &t, NULL));
    t.it_value.tv_nsec = 2000000000;
    SAY(timerfd_settime(fd, 0, &t, NULL));
    return 0;
}
