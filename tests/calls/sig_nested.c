/* Handlers within handlers: another signal comes in, the same waits, SA_NODEFER, sa_mask. */
#include "check.h"

static volatile int depth, deepest, rounds;

static void inner(int signo)
{
    printf("  inner %d\n", signo == SIGUSR2);
}

static void outer(int signo)
{
    depth++;
    deepest = depth > deepest ? depth : deepest;
    printf("outer begins, depth %d\n", depth);
    raise(SIGUSR2);
    if (++rounds < 3)
        raise(signo);
    printf("outer ends, depth %d\n", depth);
    depth--;
}

int main(void)
{
    struct sigaction a = { .sa_handler = outer };
    on_signal(SIGUSR2, inner, 0);
    on_signal(SIGUSR1, outer, SA_NODEFER);
    raise(SIGUSR1);
    printf("deepest %d\n", deepest);
    deepest = rounds = 0;
    sigemptyset(&a.sa_mask);
    sigaddset(&a.sa_mask, SIGUSR2);
    MUST(sigaction(SIGUSR1, &a, NULL));
    raise(SIGUSR1);
    printf("deepest %d\n", deepest);
    on_signal(SIGUSR2, inner, SA_RESETHAND);
    raise(SIGUSR2);
    MUST(sigaction(SIGUSR2, NULL, &a));
    FACT(a.sa_handler == SIG_DFL);
    return 0;
}
