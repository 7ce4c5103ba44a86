/* What exec keeps of signals: ignored ones and the mask; handlers are gone. */
#include "check.h"

static void handler(int signo)
{
    (void)signo;
}

static const char *how(int signo)
{
    struct sigaction a;
    MUST(sigaction(signo, NULL, &a));
    return a.sa_handler == SIG_IGN ? "ignored" : a.sa_handler == SIG_DFL ? "default" : "handled";
}

int main(int argc, char **argv)
{
    sigset_t set;
    if (argc == 1) {
        signal(SIGUSR1, SIG_IGN);
        on_signal(SIGUSR2, handler, 0);
        block_signal(SIGHUP);
        raise(SIGHUP);
    }
    MUST(sigprocmask(SIG_SETMASK, NULL, &set));
    printf("%s %s %s blocked %d %d\n", how(SIGUSR1), how(SIGUSR2), how(SIGTERM), sigismember(&set, SIGHUP), sigismember(&set, SIGINT));
    MUST(sigpending(&set));
    printf("pending %d\n", sigismember(&set, SIGHUP));
    fflush(stdout);
    if (argc == 1)
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
    return 0;
}
