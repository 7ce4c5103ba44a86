/* SIGCHLD: its contents, children collected in the handler, SA_NOCLDWAIT, ignored. */
#include "check.h"

static volatile int ended, statuses;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    int status;
    if (info->si_code != CLD_EXITED)
        statuses += 1000;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        ended++;
        statuses += WEXITSTATUS(status);
    }
}

int main(void)
{
    sigset_t none;
    sigemptyset(&none);
    on_signal_info(SIGCHLD, handler, SA_RESTART | SA_NOCLDSTOP);
    block_signal(SIGCHLD);
    for (int i = 1; i <= 5; i++)
        if (!MUST(fork()))
            _exit(i);
    while (ended < 5)
        sigsuspend(&none);
    printf("%d %d\n", ended, statuses);
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = MUST(fork());
    if (!pid)
        _exit(1);
    FACT(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
    return 0;
}
