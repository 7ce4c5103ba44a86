/* exit() in a thread while main waits for another: the handlers of atexit run, the status is the thread's. */
#include "check.h"

static void at_exit(void)
{
    printf("atexit\n");
}

static void *exits(void *argument)
{
    printf("thread exits\n");
    exit((int)(uintptr_t)argument);
}

static void *waits(void *argument)
{
    pause();
    return argument;
}

int main(void)
{
    atexit(at_exit);
    pthread_t t = start(waits, NULL);
    start(exits, (void *)23);
    pthread_join(t, NULL);
    printf("not reached\n");
    return 0;
}
