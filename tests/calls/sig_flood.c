/* More queued signals at once than anybody expects: none is lost, those of one number come in order. */
#include "check.h"

#define COUNT 100

static volatile int count, out_of_order;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    out_of_order += info->si_value.sival_int != count;
    count++;
}

int main(void)
{
    on_signal_info(SIGRTMIN + 1, handler, 0);
    block_signal(SIGRTMIN + 1);
    for (int i = 0; i < COUNT; i++)
        MUST(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i }));
    unblock_signal(SIGRTMIN + 1);
    printf("%d %d\n", count, out_of_order);
    return 0;
}
