/* main ends by pthread_exit; the last thread's end ends the process with 0. */
#include "check.h"

static pthread_t first;

static void *last(void *argument)
{
    void *result;
    ZERO(pthread_join(first, &result));
    printf("main ended with %d\n", (int)(uintptr_t)result);
    return argument;
}

int main(void)
{
    first = pthread_self();
    start(last, NULL);
    pthread_exit((void *)9);
}
