/* A thread on the smallest stack that is allowed. */
#include "check.h"
#include <limits.h>

static int ran;

static void *worker(void *argument)
{
    ran = 1;
    write(1, "small\n", 6);
    return argument;
}

int main(void)
{
    pthread_attr_t a;
    pthread_t t;
    pthread_attr_init(&a);
    ZERO(pthread_attr_setstacksize(&a, PTHREAD_STACK_MIN));
    ZERO(pthread_create(&t, &a, worker, NULL));
    ZERO(pthread_join(t, NULL));
    printf("%d\n", ran);
    return 0;
}
