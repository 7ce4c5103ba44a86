/* Children that die by signals of several kinds, and the program itself by SIGTERM. */
#include "check.h"
#include <sys/resource.h>

int main(void)
{
    const int signals[] = { SIGTERM, SIGKILL, SIGHUP, SIGINT, SIGUSR1, SIGSEGV, SIGABRT, SIGRTMIN, SIGQUIT };
    unbuffered();
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t pid = MUST(fork());
        if (!pid) {
            kill(getpid(), signals[i]);
            _exit(0);
        }
        int status;
        MUST(waitpid(pid, &status, 0));
        printf("%d %d\n", WIFSIGNALED(status), WTERMSIG(status) == signals[i]);
    }
    pid_t pid = MUST(fork());
    if (!pid)
        for (;;)
            pause();
    MUST(kill(pid, SIGTERM));
    say_wait("sleeper", pid);
    pid = MUST(fork());
    if (!pid)
        *(volatile int *)8 = 1;
    say_wait("fault", pid);
    raise(SIGTERM);
    printf("not reached\n");
    return 0;
}
