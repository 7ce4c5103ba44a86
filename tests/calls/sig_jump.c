/* siglongjmp out of a handler, out of a waiting call too; the mask comes back or not as asked. */
#include "check.h"
#include <setjmp.h>
#include <sys/time.h>

static sigjmp_buf back;

static void handler(int signo)
{
    siglongjmp(back, signo);
}

static int blocked(int signo)
{
    sigset_t set;
    MUST(sigprocmask(SIG_SETMASK, NULL, &set));
    return sigismember(&set, signo);
}

int main(void)
{
    struct itimerval t = { { 0, 0 }, { 0, 10000 } };
    char b;
    int p[2], signo;
    MUST(pipe(p));
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGALRM, handler, SA_RESTART);
    signo = sigsetjmp(back, 1);
    if (!signo)
        raise(SIGUSR1);
    printf("SIG%s blocked %d\n", sigabbrev_np(signo), blocked(SIGUSR1));
    signo = sigsetjmp(back, 0);
    if (!signo)
        raise(SIGUSR1);
    printf("SIG%s blocked %d\n", sigabbrev_np(signo), blocked(SIGUSR1));
    for (volatile int i = 0; i < 3; i++) {
        signo = sigsetjmp(back, 1);
        if (!signo) {
            MUST(setitimer(ITIMER_REAL, &t, NULL));
            read(p[0], &b, 1);
        }
        printf("out of read by SIG%s\n", sigabbrev_np(signo));
    }
    return 0;
}
