/* Threads that end while others wait in calls; main returns with threads still blocked. */
#include "check.h"
#include <poll.h>

static int p[2];
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *in_read(void *argument)
{
    char b;
    read(p[0], &b, 1);
    return argument;
}

static void *in_mutex(void *argument)
{
    pthread_mutex_lock(&held);
    return argument;
}

static void *in_poll(void *argument)
{
    poll(NULL, 0, -1);
    return argument;
}

static void *ends(void *argument)
{
    return argument;
}

int main(void)
{
    MUST(pipe(p));
    pthread_mutex_lock(&held);
    start(in_read, NULL);
    start(in_mutex, NULL);
    start(in_poll, NULL);
    for (int i = 0; i < 20; i++)
        pthread_join(start(ends, NULL), NULL);
    printf("main returns 5\n");
    return 5;
}
