/* A queue between producers and consumers with condition variables. */
#include "check.h"

#define ROOM 4
#define EACH 500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], used;
static long sum;

static void *producer(void *argument)
{
    for (int i = 1; i <= EACH; i++) {
        pthread_mutex_lock(&lock);
        while (used == ROOM)
            pthread_cond_wait(&emptied, &lock);
        queue[used++] = i;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

static void *consumer(void *argument)
{
    for (int i = 0; i < EACH; i++) {
        pthread_mutex_lock(&lock);
        while (!used)
            pthread_cond_wait(&filled, &lock);
        sum += queue[--used];
        pthread_cond_broadcast(&emptied);
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

int main(void)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        t[i] = start(i % 2 ? producer : consumer, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    printf("%ld\n", sum);
    return 0;
}
