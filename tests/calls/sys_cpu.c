/* sched_getcpu and getcpu, affinity, sched_yield, membarrier. */
#include "check.h"
#include <sched.h>
#include <sys/syscall.h>

int main(void)
{
    unsigned cpu, node;
    cpu_set_t set;
    uint32_t sum = 0;
    for (int i = 0; i < 100; i++) {
        int n = sched_getcpu();
        sum = sum * 31 + (uint32_t)n;
        if (n < 0)
            printf("negative\n");
        sched_yield();
    }
    MUST(getcpu(&cpu, &node));
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    SAY(sched_setaffinity(0, sizeof set, &set));
    FACT(sched_getcpu() == (int)cpu);
    FACT(syscall(SYS_membarrier, 0, 0, 0) >= 0);
    MUST(write(MUST(open("/dev/null", O_WRONLY)), &sum, sizeof sum));
    return 0;
}
