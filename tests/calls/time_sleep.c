/* Sleeping: nanosleep, usleep, clock_nanosleep to a point in time, several threads at once. */
#include "check.h"

static void *sleeper(void *argument)
{
    uint64_t before = now_ns(CLOCK_MONOTONIC), wait = (uint64_t)(uintptr_t)argument * 1000000;
    nanosleep(&(struct timespec){ 0, (long)wait }, NULL);
    return (void *)(uintptr_t)(now_ns(CLOCK_MONOTONIC) - before >= wait);
}

int main(void)
{
    pthread_t t[5];
    void *long_enough;
    uint64_t before = now_ns(CLOCK_MONOTONIC);
    for (uintptr_t i = 0; i < 5; i++)
        t[i] = start(sleeper, (void *)(i * 20 + 100));
    for (int i = 0; i < 5; i++) {
        pthread_join(t[i], &long_enough);
        printf("%d\n", (int)(uintptr_t)long_enough);
    }
    /* One after the other would take 700 ms. */
    FACT(now_ns(CLOCK_MONOTONIC) - before < 600000000);
    SAY(usleep(1000));
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += 1;
    at.tv_nsec = 0;
    printf("%d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL));
    FACT(now_ns(CLOCK_MONOTONIC) >= (uint64_t)at.tv_sec * 1000000000u);
    return 0;
}
