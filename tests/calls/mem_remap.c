/* mremap: growing where it stands or elsewhere, shrinking, to a fixed place. */
#include "check.h"
#include <sys/mman.h>

#define PAGE 4096

int main(void)
{
    char *m = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (int i = 0; i < 2 * PAGE; i++)
        m[i] = (char)i;
    uint32_t before = hash(m, 2 * PAGE);
    m = MUST(mremap(m, 2 * PAGE, 300 * PAGE, MREMAP_MAYMOVE));
    FACT(hash(m, 2 * PAGE) == before && m[299 * PAGE] == 0);
    FACT(mremap(m, 300 * PAGE, PAGE, 0) == m);
    char *there = MUST(mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FACT(mremap(m, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, there + PAGE) == there + PAGE);
    printf("%d\n", there[PAGE + 77]);
    FACT(mremap((void *)PAGE, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == EFAULT);
    return 0;
}
