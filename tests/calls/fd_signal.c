/* signalfd: signals read as data. */
#include "check.h"
#include <poll.h>
#include <sys/signalfd.h>

int main(void)
{
    struct signalfd_siginfo s[2];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    MUST(sigprocmask(SIG_BLOCK, &set, NULL));
    int fd = MUST(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    SAY(read(fd, s, sizeof s));
    MUST(kill(getpid(), SIGUSR1));
    MUST(sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 42 }));
    struct pollfd p = { fd, POLLIN, 0 };
    SAY(poll(&p, 1, 5000));
    SAY(read(fd, s, sizeof s) == sizeof s);
    printf("%u %u %d\n", s[0].ssi_signo, s[1].ssi_signo, s[1].ssi_int);
    FACT(s[0].ssi_pid == (uint32_t)getpid());
    SAY(read(fd, s, sizeof s));
    sigdelset(&set, SIGUSR2);
    SAY(signalfd(fd, &set, 0) == fd);
    MUST(raise(SIGUSR1));
    SAY(read(fd, s, sizeof s) == sizeof *s);
    return 0;
}
