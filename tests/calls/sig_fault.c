/* Faults of the program itself: SIGSEGV, SIGFPE, SIGILL, recovered from. */
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int zero;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)context;
    printf("SIG%s code %d\n", sigabbrev_np(signo), info->si_code);
    siglongjmp(back, 1);
}

static void null_store(void) { *(volatile int *)(uintptr_t)zero = 1; }
static void divide(void) { zero = 7 / zero; }
static void illegal(void) { __builtin_trap(); }

int main(void)
{
    void (*const what[])(void) = { null_store, divide, illegal };
    const int signals[] = { SIGSEGV, SIGFPE, SIGILL };
    for (int i = 0; i < 3; i++)
        on_signal_info(signals[i], handler, 0);
    for (int i = 0; i < 6; i++)
        if (!sigsetjmp(back, 1))
            what[i % 3]();
    printf("recovered\n");
    return 0;
}
