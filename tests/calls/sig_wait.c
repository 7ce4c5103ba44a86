/* sigwait, sigwaitinfo, sigtimedwait; signals for a thread that waits for them. */
#include "check.h"

static sigset_t set;

static void *waiter(void *argument)
{
    int signo;
    for (int i = 0; i < 3; i++) {
        ZERO(sigwait(&set, &signo));
        printf("SIG%s\n", sigabbrev_np(signo));
        MUST(write(*(int *)argument, "x", 1));
    }
    return NULL;
}

int main(void)
{
    int p[2];
    char b;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    MUST(sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 8 }));
    FACT(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_int == 8 && info.si_code == SI_QUEUE);
    SAY(sigtimedwait(&set, &info, &(struct timespec){ 0, 5000000 }));
    MUST(pipe(p));
    pthread_t t = start(waiter, &p[1]);
    const int signals[] = { SIGUSR1, SIGUSR2, SIGUSR1 };
    for (int i = 0; i < 3; i++) {
        MUST(kill(getpid(), signals[i]));
        MUST(read(p[0], &b, 1));
    }
    pthread_join(t, NULL);
    return 0;
}
