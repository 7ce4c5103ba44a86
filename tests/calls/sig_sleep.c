/* nanosleep and clock_nanosleep interrupted: the time that remains. */
#include "check.h"
#include <sys/time.h>

static void handler(int signo)
{
    (void)signo;
}

static void in_ms(int ms)
{
    struct itimerval t = { { 0, 0 }, { 0, ms * 1000 } };
    MUST(setitimer(ITIMER_REAL, &t, NULL));
}

int main(void)
{
    struct timespec wait = { 5, 0 }, left = { 0, 0 };
    on_signal(SIGALRM, handler, SA_RESTART);
    in_ms(20);
    SAY(nanosleep(&wait, &left));
    FACT(left.tv_sec == 4 && left.tv_nsec > 0);
    in_ms(20);
    left.tv_sec = 0;
    printf("%s\n", strerrorname_np(clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, &left)));
    FACT(left.tv_sec == 4);
    in_ms(20);
    clock_gettime(CLOCK_MONOTONIC, &wait);
    wait.tv_sec += 5;
    printf("%s\n", strerrorname_np(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wait, NULL)));
    in_ms(20);
    FACT(sleep(3) == 3 || sleep(0) == 0);
    in_ms(20);
    SAY(usleep(900000));
    wait = (struct timespec){ 0, 1000000000 };
    SAY(nanosleep(&wait, NULL));
    return 0;
}
