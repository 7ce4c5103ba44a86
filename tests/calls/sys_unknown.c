/* Numbers that are no system calls, and one that few know. */
#include "check.h"
#include <sys/syscall.h>

int main(void)
{
    SAY(syscall(480));
    SAY(syscall(511));
    SAY(syscall(100000));
    SAY(syscall(-2));
    SAY(syscall(SYS_uselib, "x"));
    printf("still here\n");
    return 0;
}
