/* pidfd_open, pidfd_send_signal, poll and waitid on it. */
#include "check.h"
#include <poll.h>
#include <sys/syscall.h>

int main(void)
{
    siginfo_t info = { 0 };
    unbuffered();
    pid_t pid = MUST(fork());
    if (!pid)
        for (;;)
            pause();
    int fd = (int)syscall(434, pid, 0);
    if (fd < 0) {
        printf("none here\n");
        kill(pid, SIGKILL);
        return 0;
    }
    struct pollfd p = { fd, POLLIN, 0 };
    SAY(poll(&p, 1, 0));
    SAY(syscall(424, fd, SIGTERM, NULL, 0));
    SAY(poll(&p, 1, -1));
    SAY(waitid(3, (id_t)fd, &info, WEXITED));
    FACT(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGTERM);
    SAY(syscall(434, 2000000000, 0));
    return 0;
}
