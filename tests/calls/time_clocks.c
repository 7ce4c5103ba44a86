/* Every clock: readable, not standing, not going back; they agree with each other. */
#include "check.h"
#include <sys/time.h>
#include <sys/times.h>

int main(void)
{
    const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
        CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI };
    struct timespec a, b, resolution;
    struct timeval v;
    struct tms t;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        MUST(clock_gettime(clocks[i], &a));
        for (volatile int k = 0; k < 100000; k++)
            continue;
        MUST(clock_gettime(clocks[i], &b));
        MUST(clock_getres(clocks[i], &resolution));
        printf("%d %d %ld\n", (int)clocks[i], b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec),
               (long)resolution.tv_sec);
    }
    SAY(clock_gettime(4711, &a));
    SAY(clock_getres(4711, &a));
    time_t now = time(NULL), also;
    FACT(time(&also) - now <= 1 && also >= now);
    MUST(gettimeofday(&v, NULL));
    FACT(v.tv_sec - now <= 1);
    FACT(timespec_get(&a, TIME_UTC) == TIME_UTC && a.tv_sec >= v.tv_sec);
    FACT(times(&t) != (clock_t)-1);
    FACT(clock() >= 0);
    return 0;
}
