/* mprotect, and the faults that it makes, seen by a handler. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;
static char *page;
static volatile int code, right_place;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)context;
    code = info->si_code;
    right_place = info->si_addr == page + 5;
    siglongjmp(back, signo);
}

static void touch(const char *what, bool store)
{
    int signo = sigsetjmp(back, 1);
    if (signo) {
        printf("%s: SIG%s code %d place %d\n", what, sigabbrev_np(signo), code, right_place);
        return;
    }
    if (store)
        *(volatile char *)(page + 5) = 1;
    else
        (void)*(volatile char *)(page + 5);
    printf("%s: fine\n", what);
}

int main(void)
{
    on_signal_info(SIGSEGV, handler, 0);
    page = MUST(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    touch("load, none", false);
    SAY(mprotect(page, 4096, PROT_READ));
    touch("load, read", false);
    touch("store, read", true);
    SAY(mprotect(page, 4096, PROT_READ | PROT_WRITE));
    touch("store, write", true);
    SAY(munmap(page, 4096));
    touch("load, gone", false);
    SAY(mprotect((void *)1, 4096, PROT_READ));
    return 0;
}
