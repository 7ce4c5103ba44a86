/* SA_SIGINFO: who sent it, how, with what; order of real-time signals. */
#include "check.h"

static siginfo_t got[8];
static volatile int count, context_given;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    context_given = context != NULL;
    got[count++ % 8] = *info;
}

int main(void)
{
    on_signal_info(SIGUSR1, handler, 0);
    on_signal_info(SIGRTMIN + 2, handler, 0);
    MUST(kill(getpid(), SIGUSR1));
    FACT(got[0].si_signo == SIGUSR1 && got[0].si_code == SI_USER && got[0].si_pid == getpid() && got[0].si_uid == getuid());
    raise(SIGUSR1);
    FACT(got[1].si_code == SI_TKILL);
    FACT(context_given);
    block_signal(SIGRTMIN + 2);
    for (int i = 0; i < 4; i++)
        SAY(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = i * 11 }));
    unblock_signal(SIGRTMIN + 2);
    printf("%d: %d %d %d %d\n", count, got[2].si_int, got[3].si_int, got[4].si_int, got[5].si_int);
    FACT(got[5].si_code == SI_QUEUE);
    SAY(sigqueue(getpid(), 65, (union sigval){ 0 }));
    SAY(kill(getpid(), 0));
    return 0;
}
