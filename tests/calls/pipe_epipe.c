/* No reader any more: EPIPE with SIGPIPE ignored, the signal caught, and death by it in a child. */
#include "check.h"

static volatile int caught;

static void handler(int signo)
{
    caught = signo;
}

int main(void)
{
    int p[2];
    unbuffered();
    MUST(pipe(p));
    MUST(close(p[0]));
    signal(SIGPIPE, SIG_IGN);
    SAY(write(p[1], "x", 1));
    on_signal(SIGPIPE, handler, 0);
    SAY(write(p[1], "x", 1));
    FACT(caught == SIGPIPE);
    pid_t pid = MUST(fork());
    if (!pid) {
        signal(SIGPIPE, SIG_DFL);
        write(p[1], "x", 1);
        _exit(1);
    }
    say_wait("child", pid);
    return 0;
}
