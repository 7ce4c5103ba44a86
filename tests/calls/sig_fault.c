/* Faults of the program itself: SIGSEGV, SIGFPE, SIGILL, SIGBUS, recovered from. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

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

static void past_the_end(void)
{
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    char *m = MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    zero = m[0];
}

int main(void)
{
    void (*const what[])(void) = { null_store, divide, illegal, past_the_end };
    const int signals[] = { SIGSEGV, SIGFPE, SIGILL, SIGBUS };
    for (int i = 0; i < 4; i++)
        on_signal_info(signals[i], handler, 0);
    for (int i = 0; i < 8; i++)
        if (!sigsetjmp(back, 1))
            what[i % 4]();
    printf("recovered\n");
    return 0;
}
