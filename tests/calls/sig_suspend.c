/* A blocked signal waits; sigpending shows it; sigsuspend lets it in; the mask is back afterwards. */
#include "check.h"

static volatile int caught;

static void handler(int signo)
{
    caught = caught * 100 + signo;
}

static int pending(int signo)
{
    sigset_t set;
    MUST(sigpending(&set));
    return sigismember(&set, signo);
}

static int blocked(int signo)
{
    sigset_t set;
    MUST(sigprocmask(SIG_SETMASK, NULL, &set));
    return sigismember(&set, signo);
}

int main(void)
{
    sigset_t set;
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGUSR2, handler, 0);
    block_signal(SIGUSR1);
    block_signal(SIGUSR2);
    FACT(!pending(SIGUSR1));
    raise(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR2);
    FACT(caught == 0 && pending(SIGUSR1) && pending(SIGUSR2));
    sigfillset(&set);
    sigdelset(&set, SIGUSR1);
    SAY(sigsuspend(&set));
    printf("%d\n", caught);
    FACT(blocked(SIGUSR1) && pending(SIGUSR2) && !pending(SIGUSR1));
    unblock_signal(SIGUSR2);
    printf("%d\n", caught);
    FACT(!pending(SIGUSR2) && blocked(SIGUSR1) && !blocked(SIGUSR2));
    unblock_signal(SIGUSR1);
    raise(SIGUSR1);
    printf("%d\n", caught);
    return 0;
}
