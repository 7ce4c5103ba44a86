/* abort(): the handler of SIGABRT runs, then the program dies by it all the same. */
#include "check.h"

static void handler(int signo)
{
    (void)signo;
    write(1, "handler\n", 8);
}

int main(void)
{
    unbuffered();
    on_signal(SIGABRT, handler, 0);
    pid_t pid = MUST(fork());
    if (!pid)
        abort();
    say_wait("child", pid);
    abort();
}
