/* A loop without any call that only a signal's handler can end. */
#include "check.h"
#include <sys/time.h>

static volatile sig_atomic_t stop;

static void handler(int signo)
{
    (void)signo;
    stop = 1;
}

int main(void)
{
    struct itimerval t = { { 0, 0 }, { 0, 10000 } };
    unsigned long rounds = 0;
    on_signal(SIGALRM, handler, 0);
    MUST(setitimer(ITIMER_REAL, &t, NULL));
    while (!stop)
        rounds++;
    FACT(rounds > 1000);
    return 0;
}
