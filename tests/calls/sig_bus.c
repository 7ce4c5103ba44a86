/* SIGBUS: a mapped file that is shorter than its mapping. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    siglongjmp(back, info->si_code);
}

static void load(const char *what, const volatile char *p)
{
    int code = sigsetjmp(back, 1);
    if (code)
        printf("%s: SIGBUS, code %d\n", what, code);
    else
        printf("%s: %d\n", what, *p);
}

int main(void)
{
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    MUST(write(fd, "content", 7));
    on_signal_info(SIGBUS, handler, 0);
    char *m = MUST(mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0));
    load("first byte", m);
    load("end of its page", m + 4095);
    load("page after it", m + 4096);
    return 0;
}
