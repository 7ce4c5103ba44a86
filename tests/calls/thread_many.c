/* 32 threads at once, then 200 one after the other. */
#include "check.h"

static pthread_barrier_t together;
static int sum;

static void *worker(void *argument)
{
    int n = (int)(uintptr_t)argument;
    if (n < 32)
        pthread_barrier_wait(&together);
    __atomic_add_fetch(&sum, n, __ATOMIC_SEQ_CST);
    return argument;
}

int main(void)
{
    pthread_t t[32];
    pthread_barrier_init(&together, NULL, 32);
    for (uintptr_t i = 0; i < 32; i++)
        t[i] = start(worker, (void *)i);
    for (int i = 0; i < 32; i++)
        pthread_join(t[i], NULL);
    printf("%d\n", sum);
    for (uintptr_t i = 0; i < 200; i++)
        pthread_join(start(worker, (void *)(i + 100)), NULL);
    printf("%d\n", sum);
    return 0;
}
