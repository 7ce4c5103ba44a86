/* System calls by an instruction in the program itself, past the C library. */
#include "check.h"
#include <sys/syscall.h>

static long call3(long nr, long a, long b, long c)
{
#if defined __x86_64__
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
#elif defined __aarch64__
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#endif
}

int main(void)
{
    char b[16] = "";
    struct timespec t;
    unbuffered();
    call3(SYS_write, 1, (long)"directly\n", 9);
    FACT(call3(SYS_getpid, 0, 0, 0) == getpid());
    int p[2];
    FACT(call3(SYS_pipe2, (long)p, 0, 0) == 0);
    FACT(call3(SYS_write, p[1], (long)"abc", 3) == 3);
    FACT(call3(SYS_read, p[0], (long)b, sizeof b) == 3);
    puts(b);
    FACT(call3(SYS_read, -1, (long)b, 1) == -EBADF);
    FACT(call3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0) == 0 && t.tv_sec > 0);
    FACT(call3(SYS_clock_gettime, 99, (long)&t, 0) == -EINVAL);
    call3(SYS_exit_group, 17, 0, 0);
    return 0;
}
