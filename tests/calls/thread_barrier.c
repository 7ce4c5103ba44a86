/* A barrier: nobody enters the next round before all have ended the one before. */
#include "check.h"

static pthread_barrier_t barrier;
static int arrived[20], serial, early;

static void *worker(void *argument)
{
    for (int round = 0; round < 20; round++) {
        __atomic_add_fetch(&arrived[round], 1, __ATOMIC_SEQ_CST);
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&arrived[round], __ATOMIC_SEQ_CST) != 5)
            early = 1;
    }
    return argument;
}

int main(void)
{
    pthread_t t[5];
    pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 5; i++)
        t[i] = start(worker, NULL);
    for (int i = 0; i < 5; i++)
        pthread_join(t[i], NULL);
    printf("%d %d\n", serial, early);
    return 0;
}
