/* Anonymous memory: mmap, hints, munmap in the middle, madvise, mincore, brk. */
#include "check.h"
#include <sys/mman.h>

#define PAGE 4096

int main(void)
{
    unsigned char in_core[4];
    char *m = MUST(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    memset(m, 'm', 4 * PAGE);
    SAY(munmap(m + PAGE, PAGE));
    SAY(mincore(m, 2 * PAGE, in_core));
    char *again = MUST(mmap(m + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    FACT(again == m + PAGE && !*again);
    FACT(mmap(m, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    SAY(madvise(m + 2 * PAGE, PAGE, MADV_DONTNEED));
    printf("%d %d\n", m[2 * PAGE], m[3 * PAGE]);
    SAY(madvise(m, PAGE, 12345));
    SAY(mlock(m, PAGE));
    SAY(munlock(m, PAGE));
    SAY(munmap(m + 1, PAGE));
    FACT(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    char *end = sbrk(0);
    FACT(sbrk(100000) == end);
    memset(end, 1, 100000);
    FACT(sbrk(-100000) == end + 100000);
    return 0;
}
