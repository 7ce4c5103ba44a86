/* A thread cancelled while it waits in read: its cleanup handlers run, its result says so. */
#include "check.h"

static int p[2];
static pid_t tid;

static void cleanup(void *argument)
{
    printf("cleanup %s\n", (char *)argument);
}

static void *reader(void *argument)
{
    char b;
    pthread_cleanup_push(cleanup, "of the reader");
    __atomic_store_n(&tid, gettid(), __ATOMIC_SEQ_CST);
    read(p[0], &b, 1);
    printf("not reached\n");
    pthread_cleanup_pop(0);
    return argument;
}

int main(void)
{
    void *result;
    unbuffered();
    MUST(pipe(p));
    pthread_t t = start(reader, NULL);
    while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
        sched_yield();
    wait_asleep(getpid(), tid);
    ZERO(pthread_cancel(t));
    ZERO(pthread_join(t, &result));
    FACT(result == PTHREAD_CANCELED);
    return 0;
}
