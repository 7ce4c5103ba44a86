/* waitpid by number, by any, WNOHANG, stopped and continued children, waitid. */
#include "check.h"
#include <sys/resource.h>

static pid_t exits_with(int status)
{
    pid_t pid = MUST(fork());
    if (!pid)
        _exit(status);
    return pid;
}

int main(void)
{
    int status, p[2];
    char b;
    siginfo_t info = { 0 };
    struct rusage usage;
    unbuffered();
    pid_t one = exits_with(1), two = exits_with(2);
    say_wait("two", two);
    FACT(waitid(P_PID, (id_t)one, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == one && info.si_status == 1);
    FACT(info.si_code == CLD_EXITED && info.si_signo == SIGCHLD);
    FACT(wait4(one, &status, 0, &usage) == one && usage.ru_utime.tv_sec == 0);
    FACT(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
    MUST(pipe(p));
    pid_t held = MUST(fork());
    if (!held) {
        MUST(close(p[1]));
        _exit((int)read(p[0], &b, 1));
    }
    FACT(waitpid(held, &status, WNOHANG) == 0);
    MUST(kill(held, SIGSTOP));
    MUST(waitpid(held, &status, WUNTRACED));
    say_status("held", status);
    MUST(kill(held, SIGCONT));
    MUST(waitpid(held, &status, WCONTINUED));
    say_status("held", status);
    MUST(close(p[1]));
    say_wait("held", held);
    FACT(waitid(P_ALL, 0, &info, WEXITED) == -1 && errno == ECHILD);
    FACT(waitpid(-1, NULL, 12345) == -1 && errno == EINVAL);
    return 0;
}
