/* A timer's signal while ppoll and select wait: EINTR. */
#include "check.h"
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

static void soon(void)
{
    struct itimerval t = { { 0, 0 }, { 0, 20000 } };
    MUST(setitimer(ITIMER_REAL, &t, NULL));
}

int main(void)
{
    struct timeval wait = { 20, 0 };
    on_signal(SIGALRM, count_signal, SA_RESTART);
    soon();
    SAY(poll(NULL, 0, 20000));
    soon();
    SAY(select(0, NULL, NULL, NULL, &wait));
    FACT(wait.tv_sec < 20);
    soon();
    SAY(pause());
    printf("%d\n", caught);
    return 0;
}
