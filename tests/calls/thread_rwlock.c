/* Readers and writers. */
#include "check.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long one, two, torn;

static void *reader(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        pthread_rwlock_rdlock(&lock);
        if (one != two)
            torn++;
        pthread_rwlock_unlock(&lock);
    }
    return argument;
}

static void *writer(void *argument)
{
    for (int i = 0; i < 500; i++) {
        pthread_rwlock_wrlock(&lock);
        one++;
        if (i % 100 == 0)
            sched_yield();
        two++;
        pthread_rwlock_unlock(&lock);
    }
    return argument;
}

int main(void)
{
    pthread_t t[6];
    for (int i = 0; i < 6; i++)
        t[i] = start(i % 3 ? reader : writer, NULL);
    for (int i = 0; i < 6; i++)
        pthread_join(t[i], NULL);
    printf("%ld %ld %ld\n", one, two, torn);
    SAY(pthread_rwlock_rdlock(&lock));
    SAY(pthread_rwlock_trywrlock(&lock));
    SAY(pthread_rwlock_tryrdlock(&lock));
    return 0;
}
