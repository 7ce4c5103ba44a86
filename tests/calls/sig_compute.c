/* A signal during a computation without calls: handled, and the result is what it would have been. */
#include "check.h"
#include <sys/time.h>

int main(void)
{
    struct itimerval t = { { 0, 0 }, { 0, 5000 } };
    uint64_t x = 1;
    on_signal(SIGALRM, count_signal, SA_RESTART);
    MUST(setitimer(ITIMER_REAL, &t, NULL));
    for (int i = 0; i < 60000000; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    /* On a machine that is fast enough to be done before. */
    while (!caught)
        sched_yield();
    printf("%016lx %d\n", x, caught);
    return 0;
}
