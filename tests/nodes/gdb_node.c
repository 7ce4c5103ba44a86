/* What tests/cli/gdb.sh debugs: steps that are counted, printed, stated and drawn for, and some ways to end. Built with -g and -O1.
 *   gdb_node exit|kill|crash|trap [STEPS] */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "drd/drd.h"

#define DEEP __attribute__((noinline, noclone))

int counter;        /* the step that was taken last */
int *nowhere;
static unsigned char drawn;

/* A line in two pieces, and every fourth time one on standard error. */
static DEEP void tell(int step)
{
    char text[32];
    int length = snprintf(text, sizeof text, "step %d\n", step);
    struct iovec piece[2] = { { text, 5 }, { text + 5, (size_t)length - 5 } };
    if (write(1, "> ", 2) < 0 || writev(1, piece, 2) < 0 || (step % 4 == 0 && write(2, "fourth\n", 7) < 0))
        _exit(1);
    __asm__ volatile("" : : : "memory");
}

static DEEP void step(int number)
{
    counter = number;
    tell(number);
    if (number % 5 == 0 && getrandom(&drawn, 1, 0) != 1)
        _exit(1);
    if (number % 7 == 0) /* states */
        drd_term((uint64_t)number / 7);
}

static DEEP void end(const char *how)
{
    if (!strcmp(how, "kill"))
        kill(getpid(), SIGKILL);
    if (!strcmp(how, "crash"))
        *nowhere = 1; /* crashes */
    if (!strcmp(how, "trap"))
        __builtin_trap();
}

int main(int argc, char **argv)
{
    int steps = argc > 2 ? atoi(argv[2]) : 20;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL); /* a debugger must do without signals */
    for (int i = 1; i <= steps; i++)
        step(i);
    end(argc > 1 ? argv[1] : "exit");
    return 0;
}
