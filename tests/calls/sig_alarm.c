/* alarm and pause; what was left of an alarm; setitimer again and again. */
#include "check.h"
#include <sys/time.h>

int main(void)
{
    struct itimerval t = { { 0, 3000 }, { 0, 3000 } }, old;
    sigset_t set;
    on_signal(SIGALRM, count_signal, 0);
    SAY(alarm(100));
    unsigned left = alarm(0);
    FACT(left == 99 || left == 100);
    SAY(alarm(0));
    MUST(setitimer(ITIMER_REAL, &t, NULL));
    sigemptyset(&set);
    while (caught < 5)
        sigsuspend(&set);
    t = (struct itimerval){ 0 };
    MUST(setitimer(ITIMER_REAL, &t, &old));
    printf("%ld\n", (long)old.it_interval.tv_usec);
    MUST(getitimer(ITIMER_REAL, &old));
    printf("%ld\n", (long)old.it_value.tv_usec);
    caught = 0;
    SAY(alarm(1));
    SAY(pause());
    printf("%d\n", caught);
    SAY(setitimer(99, &t, NULL));
    return 0;
}
