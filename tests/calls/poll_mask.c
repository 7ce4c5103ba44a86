/* ppoll and pselect: a blocked signal is let in by the mask of the call only. */
#include "check.h"
#include <poll.h>
#include <sys/select.h>

int main(void)
{
    struct timespec wait = { 10, 0 }, shorter = { 0, 5000000 };
    sigset_t none;
    sigemptyset(&none);
    on_signal(SIGUSR1, count_signal, SA_RESTART);
    block_signal(SIGUSR1);
    SAY(ppoll(NULL, 0, &shorter, NULL));
    raise(SIGUSR1);
    SAY(ppoll(NULL, 0, &shorter, NULL));
    FACT(caught == 0);
    SAY(ppoll(NULL, 0, &wait, &none));
    FACT(caught == 1);
    SAY(pselect(0, NULL, NULL, NULL, &shorter, &none));
    raise(SIGUSR1);
    FACT(caught == 1);
    SAY(pselect(0, NULL, NULL, NULL, &wait, &none));
    FACT(caught == 2);
    FACT(wait.tv_sec == 10);
    return 0;
}
