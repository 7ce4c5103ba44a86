/* Contention for mutexes: plain, recursive, error checking, with trylock. */
#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *worker(void *argument)
{
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        if (i % 500 == 0)
            sched_yield();
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

static void kinds(int kind)
{
    pthread_mutex_t m;
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, kind);
    pthread_mutex_init(&m, &a);
    SAY(pthread_mutex_lock(&m));
    SAY(pthread_mutex_trylock(&m));
    SAY(pthread_mutex_unlock(&m));
    SAY(pthread_mutex_destroy(&m));
}

int main(void)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        t[i] = start(worker, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    printf("%ld\n", counter);
    kinds(PTHREAD_MUTEX_RECURSIVE);
    kinds(PTHREAD_MUTEX_ERRORCHECK);
    return 0;
}
