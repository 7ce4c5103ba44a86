/* Waits with a deadline: condition variable, mutex, semaphore, join. */
#include "check.h"
#include <semaphore.h>

static struct timespec in_20_ms(clockid_t clock)
{
    uint64_t t = now_ns(clock) + 20000000;
    return (struct timespec){ (time_t)(t / 1000000000), (long)(t % 1000000000) };
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static sem_t done;

static void *blocked(void *argument)
{
    struct timespec t = in_20_ms(CLOCK_REALTIME);
    *(int *)argument = pthread_mutex_timedlock(&held, &t);
    sem_wait(&done);
    return argument;
}

int main(void)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    struct timespec t = in_20_ms(CLOCK_REALTIME);
    int locked = -1;
    pthread_mutex_lock(&m);
    printf("timedwait %s\n", strerrorname_np(pthread_cond_timedwait(&c, &m, &t)));
    t = in_20_ms(CLOCK_MONOTONIC);
    printf("clockwait %s\n", strerrorname_np(pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &t)));
    FACT(now_ns(CLOCK_MONOTONIC) >= (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec);
    sem_init(&done, 0, 0);
    t = in_20_ms(CLOCK_REALTIME);
    SAY(sem_timedwait(&done, &t));
    SAY(sem_trywait(&done));
    pthread_mutex_lock(&held);
    pthread_t other = start(blocked, &locked);
    t = in_20_ms(CLOCK_REALTIME);
    printf("timedjoin %s\n", strerrorname_np(pthread_timedjoin_np(other, NULL, &t)));
    sem_post(&done);
    printf("join %d\n", pthread_join(other, NULL));
    printf("timedlock %s\n", strerrorname_np(locked));
    return 0;
}
