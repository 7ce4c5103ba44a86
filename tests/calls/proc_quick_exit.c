/* _exit without flushing; what a child has buffered is its own. */
#include "check.h"

static void quick(void)
{
    write(1, "at_quick_exit\n", 14);
}

int main(void)
{
    printf("lost in the child, ");
    pid_t pid = MUST(fork());
    if (!pid)
        _exit(1);
    say_wait("child", pid);
    fflush(stdout);
    at_quick_exit(quick);
    quick_exit(255);
}
