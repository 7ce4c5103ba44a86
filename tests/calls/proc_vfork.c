/* vfork: the parent waits until the child has execed or exited. That they share their memory is nothing to rely on (vfork(2)):
 * what the child leaves behind is not looked at. */
#include "check.h"

int main(void)
{
    unbuffered();
    pid_t pid = vfork();
    if (!pid) {
        execl("/bin/echo", "echo", "from vfork", (char *)NULL);
        _exit(127);
    }
    say_wait("echo", pid);
    pid = vfork();
    if (!pid) {
        _exit(6);
    }
    say_wait("exits", pid);
    pid = vfork();
    if (!pid) {
        execl("/no/such/program", "x", (char *)NULL);
        _exit(errno == ENOENT ? 127 : 1);
    }
    say_wait("missing", pid);
    return 0;
}
