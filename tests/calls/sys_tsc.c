/* rdtsc and rdtscp in the program's own code. */
#include "check.h"

#if defined __x86_64__
static uint64_t tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static uint64_t tscp(uint32_t *aux)
{
    uint32_t low, high;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(*aux));
    return (uint64_t)high << 32 | low;
}
#else
static uint64_t tsc(void) { return now_ns(CLOCK_MONOTONIC); }
static uint64_t tscp(uint32_t *aux) { *aux = 0; return tsc(); }
#endif

int main(void)
{
    uint32_t aux = 0;
    uint64_t sum = 0, last = tsc(), back = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = i % 2 ? tsc() : tscp(&aux);
        back += now < last;
        sum = sum * 31 + now + aux;
        last = now;
    }
    FACT(back == 0);
    MUST(write(MUST(open("/dev/null", O_WRONLY)), &sum, sizeof sum));
    return 0;
}
