/* A loop that only reads the clock until a signal has come. */
#include "check.h"
#include <sys/time.h>

int main(void)
{
    struct itimerval t = { { 0, 0 }, { 0, 5000 } };
    on_signal(SIGALRM, count_signal, SA_RESTART);
    uint64_t before = now_ns(CLOCK_MONOTONIC), last = before, back = 0;
    MUST(setitimer(ITIMER_REAL, &t, NULL));
    while (!caught) {
        uint64_t now = now_ns(CLOCK_MONOTONIC);
        back += now < last;
        last = now;
    }
    FACT(back == 0 && now_ns(CLOCK_MONOTONIC) - before >= 4000000);
    printf("%d\n", caught);
    return 0;
}
