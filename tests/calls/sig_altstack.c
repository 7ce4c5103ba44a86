/* sigaltstack: where the handler runs; its state; a stack overflow survived on it. */
#include "check.h"
#include <setjmp.h>

static char *stack;
static sigjmp_buf back;
static volatile int on_it, state;

static void handler(int signo)
{
    char here;
    stack_t now;
    (void)signo;
    on_it = &here > stack && &here < stack + 65536;
    sigaltstack(NULL, &now);
    state = now.ss_flags;
}

static void overflowed(int signo)
{
    handler(signo);
    siglongjmp(back, 1);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int deeper(int n)
{
    volatile char room[10000];
    room[0] = (char)n;
    return deeper(n + 1) + room[0];
}

int main(void)
{
    stack = malloc(65536);
    stack_t s = { .ss_sp = stack, .ss_size = 65536 }, old;
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    raise(SIGUSR1);
    FACT(!on_it);
    SAY(sigaltstack(&s, &old));
    printf("%d\n", old.ss_flags);
    raise(SIGUSR1);
    FACT(on_it && state == SS_ONSTACK);
    on_signal(SIGUSR1, handler, 0);
    raise(SIGUSR1);
    FACT(!on_it && state == 0);
    on_signal(SIGSEGV, overflowed, SA_ONSTACK);
    if (!sigsetjmp(back, 1))
        deeper(0);
    FACT(on_it);
    s.ss_size = 100;
    SAY(sigaltstack(&s, NULL));
    s.ss_flags = SS_DISABLE;
    SAY(sigaltstack(&s, NULL));
    return 0;
}
