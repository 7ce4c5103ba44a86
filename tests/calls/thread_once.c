/* pthread_once: one of eight threads does it, the others wait for it. */
#include "check.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int times, ready, early;

static void initialise(void)
{
    times++;
    nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    ready = 1;
}

static void *worker(void *argument)
{
    pthread_once(&once, initialise);
    if (!ready)
        early++;
    return argument;
}

int main(void)
{
    pthread_t t[8];
    for (int i = 0; i < 8; i++)
        t[i] = start(worker, NULL);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    printf("%d %d\n", times, early);
    return 0;
}
