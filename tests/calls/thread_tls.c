/* Thread local storage, keys with destructors, cleanup handlers. */
#include "check.h"

static __thread int mine = 7;
static __thread char big[20000];
static pthread_key_t key;
static int destroyed;

static void destroy(void *value)
{
    destroyed += (int)(uintptr_t)value;
    if ((uintptr_t)value == 3)
        pthread_setspecific(key, (void *)1);
}

static void cleanup(void *text)
{
    printf("cleanup %s\n", (char *)text);
}

static void *worker(void *argument)
{
    int n = (int)(uintptr_t)argument;
    mine += n;
    memset(big, n, sizeof big);
    pthread_setspecific(key, argument);
    pthread_cleanup_push(cleanup, "outer");
    pthread_cleanup_push(cleanup, "inner");
    if (n == 2)
        pthread_exit((void *)(uintptr_t)(mine + big[19999]));
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return (void *)(uintptr_t)(mine + big[0]);
}

int main(void)
{
    pthread_key_create(&key, destroy);
    for (uintptr_t i = 1; i <= 3; i++) {
        void *result;
        pthread_join(start(worker, (void *)i), &result);
        printf("%d\n", (int)(uintptr_t)result);
    }
    printf("mine %d destroyed %d\n", mine, destroyed);
    return 0;
}
