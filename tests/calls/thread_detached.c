/* Detached threads that end by themselves, told by a semaphore. */
#include "check.h"
#include <semaphore.h>

static sem_t done;
static int sum;

static void *worker(void *argument)
{
    __atomic_add_fetch(&sum, (int)(uintptr_t)argument, __ATOMIC_SEQ_CST);
    sem_post(&done);
    return NULL;
}

int main(void)
{
    pthread_attr_t a;
    pthread_t t;
    sem_init(&done, 0, 0);
    pthread_attr_init(&a);
    pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
    for (uintptr_t i = 1; i <= 50; i++)
        ZERO(pthread_create(&t, &a, worker, (void *)i));
    for (int i = 0; i < 50; i++)
        sem_wait(&done);
    t = start(worker, (void *)1000);
    printf("%d\n", pthread_detach(t));
    sem_wait(&done);
    printf("%d\n", sum);
    return 0;
}
