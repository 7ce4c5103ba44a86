/* vfork: the child runs first and on the parent's memory, then execs or exits. */
#include "check.h"

static volatile int left_behind;

int main(void)
{
    unbuffered();
    pid_t pid = vfork();
    if (!pid) {
        left_behind = 1;
        execl("/bin/echo", "echo", "from vfork", (char *)NULL);
        _exit(127);
    }
    say_wait("echo", pid);
    printf("%d\n", left_behind);
    pid = vfork();
    if (!pid) {
        left_behind = 2;
        _exit(6);
    }
    say_wait("exits", pid);
    printf("%d\n", left_behind);
    pid = vfork();
    if (!pid) {
        execl("/no/such/program", "x", (char *)NULL);
        left_behind = errno;
        _exit(127);
    }
    say_wait("missing", pid);
    printf("%s\n", strerrorname_np(left_behind));
    return 0;
}
