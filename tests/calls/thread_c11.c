/* The threads of C11, and a spin lock. */
#include "check.h"
#include <threads.h>

static mtx_t lock;
static cnd_t changed;
static pthread_spinlock_t spin;
static int turn, counter;

static int worker(void *argument)
{
    int n = (int)(uintptr_t)argument;
    mtx_lock(&lock);
    while (turn != n)
        cnd_wait(&changed, &lock);
    printf("turn of %d\n", n);
    turn++;
    cnd_broadcast(&changed);
    mtx_unlock(&lock);
    for (int i = 0; i < 1000; i++) {
        pthread_spin_lock(&spin);
        counter++;
        pthread_spin_unlock(&spin);
    }
    return n * n;
}

int main(void)
{
    thrd_t t[4];
    int results[4];
    mtx_init(&lock, mtx_plain);
    cnd_init(&changed);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    for (uintptr_t i = 0; i < 4; i++)
        if (thrd_create(&t[i], worker, (void *)i) != thrd_success)
            return 99;
    for (int i = 0; i < 4; i++)
        thrd_join(t[i], &results[i]);
    for (int i = 0; i < 4; i++)
        printf("%d\n", results[i]);
    printf("%d\n", counter);
    return 0;
}
