/* fork: memory is the child's own, descriptors are shared, statuses come back. */
#include "check.h"

static int value = 1;

int main(void)
{
    unbuffered();
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    pid_t me = getpid(), pid = MUST(fork());
    if (!pid) {
        value = 2;
        FACT(getppid() == me && getpid() != me && gettid() == getpid());
        MUST(write(fd, "child ", 6));
        printf("child %d\n", value);
        exit(42);
    }
    say_wait("child", pid);
    MUST(write(fd, "parent", 6));
    char b[16] = "";
    MUST(pread(fd, b, sizeof b, 0));
    printf("parent %d: %s\n", value, b);
    FACT(getpid() == me);
    FACT(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
    return 0;
}
