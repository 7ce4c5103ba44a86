/* A SIGSEGV handler that makes the page writable and returns: the store is done again. */
#include "check.h"
#include <sys/mman.h>

static char *page;
static volatile int faults;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    faults++;
    mprotect((void *)((uintptr_t)info->si_addr & ~4095ul), 4096, PROT_READ | PROT_WRITE);
}

int main(void)
{
    on_signal_info(SIGSEGV, handler, 0);
    page = MUST(mmap(NULL, 16 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (int i = 0; i < 16 * 4096; i += 1024)
        page[i] = (char)i;
    printf("%d faults\n", faults);
    return 0;
}
