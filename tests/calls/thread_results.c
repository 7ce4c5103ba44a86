/* Results of threads, join in another order, join of oneself, names of threads. */
#include "check.h"

static void *worker(void *argument)
{
    char name[16];
    snprintf(name, sizeof name, "worker-%d", (int)(uintptr_t)argument);
    ZERO(pthread_setname_np(pthread_self(), name));
    memset(name, 0, sizeof name);
    ZERO(pthread_getname_np(pthread_self(), name, sizeof name));
    if ((uintptr_t)argument % 2)
        pthread_exit(strdup(name));
    return strdup(name);
}

int main(void)
{
    pthread_t t[6];
    for (uintptr_t i = 0; i < 6; i++)
        t[i] = start(worker, (void *)i);
    for (int i = 5; i >= 0; i--) {
        void *name;
        ZERO(pthread_join(t[i], &name));
        puts(name);
        free(name);
    }
    printf("%s\n", strerrorname_np(pthread_join(pthread_self(), NULL)));
    FACT(gettid() == getpid());
    FACT(pthread_equal(t[0], pthread_self()) == 0);
    return 0;
}
