/* A handler while read waits: EINTR without SA_RESTART, the read goes on with it. */
#include "check.h"

static int p[2];

static void *sends(void *argument)
{
    pid_t main_thread = getpid();
    wait_asleep(main_thread, main_thread);
    MUST(tgkill(main_thread, main_thread, SIGUSR1));
    if (argument) {
        while (!__atomic_load_n(&caught, __ATOMIC_SEQ_CST))
            sched_yield();
        wait_asleep(main_thread, main_thread);
        MUST(write(p[1], "data", 4));
    }
    return NULL;
}

int main(void)
{
    char b[8] = "";
    MUST(pipe(p));
    on_signal(SIGUSR1, count_signal, 0);
    pthread_t t = start(sends, NULL);
    SAY(read(p[0], b, sizeof b));
    pthread_join(t, NULL);
    printf("caught %d\n", caught);
    caught = 0;
    on_signal(SIGUSR1, count_signal, SA_RESTART);
    t = start(sends, b);
    SAY(read(p[0], b, sizeof b));
    pthread_join(t, NULL);
    printf("caught %d %s\n", caught, b);
    return 0;
}
