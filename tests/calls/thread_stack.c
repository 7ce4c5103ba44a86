/* Stacks of given sizes, a stack of one's own, the guard, a deep recursion. */
#include "check.h"
#include <limits.h>
#include <sys/mman.h>

static int depth(int n)
{
    volatile char room[1000];
    room[n % 1000] = (char)n;
    return n ? depth(n - 1) + (room[n % 1000] == (char)n) : 0;
}

static void *worker(void *argument)
{
    pthread_attr_t a;
    size_t size;
    ZERO(pthread_getattr_np(pthread_self(), &a));
    ZERO(pthread_attr_getstacksize(&a, &size));
    printf("%zu %d\n", size, depth((int)(uintptr_t)argument));
    pthread_attr_destroy(&a);
    return NULL;
}

static void run(size_t size, void *own, int n)
{
    pthread_attr_t a;
    pthread_t t;
    pthread_attr_init(&a);
    if (own)
        ZERO(pthread_attr_setstack(&a, own, size));
    else
        ZERO(pthread_attr_setstacksize(&a, size));
    ZERO(pthread_create(&t, &a, worker, (void *)(uintptr_t)n));
    ZERO(pthread_join(t, NULL));
}

int main(void)
{
    pthread_attr_t a;
    run(65536, NULL, 10);
    run(1 << 20, NULL, 700);
    run(32 << 20, NULL, 25000);
    void *own = MUST(mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    run(1 << 18, own, 100);
    pthread_attr_init(&a);
    printf("%s\n", strerrorname_np(pthread_attr_setstacksize(&a, 100)));
    printf("%d\n", depth(6000));
    return 0;
}
