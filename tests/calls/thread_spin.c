/* A thread that spins on memory until another one writes it: it keeps the baton, so recording ends, and the program goes on. */
#include "check.h"
#include <pthread.h>

static volatile int flag;

static void *set(void *unused)
{
    usleep(1000);
    flag = 1;
    return unused;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, set, NULL);
    while (!flag)
        ;
    printf("pthread_join = %d\n", pthread_join(t, NULL));
    return 0;
}
