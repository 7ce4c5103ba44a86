/* A thread cancelled in pthread_cond_wait holds the mutex again in its cleanup; cancellation switched off and on. */
#include "check.h"
#include <semaphore.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t ready;

static void unlock(void *m)
{
    printf("unlock %d\n", pthread_mutex_unlock(m));
}

static void *waiter(void *argument)
{
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock, &lock);
    sem_post(&ready);
    for (;;)
        pthread_cond_wait(&never, &lock);
    pthread_cleanup_pop(1);
    return argument;
}

static void *stubborn(void *argument)
{
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    sem_post(&ready);
    nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    printf("still here\n");
    pthread_setcancelstate(old, NULL);
    pthread_testcancel();
    nanosleep(&(struct timespec){ 10, 0 }, NULL);
    printf("not reached\n");
    return argument;
}

int main(void)
{
    void *(*what[])(void *) = { waiter, stubborn };
    void *result;
    unbuffered();
    sem_init(&ready, 0, 0);
    for (int i = 0; i < 2; i++) {
        pthread_t t = start(what[i], NULL);
        sem_wait(&ready);
        if (i == 0)
            pthread_mutex_lock(&lock), pthread_mutex_unlock(&lock);
        ZERO(pthread_cancel(t));
        ZERO(pthread_join(t, &result));
        FACT(result == PTHREAD_CANCELED);
    }
    return 0;
}
