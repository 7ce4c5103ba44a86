/* malloc of many sizes, in several threads: arenas, brk, mmap, realloc. */
#include "check.h"
#include <malloc.h>

#define SLOTS 500

static void *churn(void *argument)
{
    char *slot[SLOTS] = { 0 };
    unsigned seed = (unsigned)(uintptr_t)argument;
    uint32_t sum = 0;
    for (int i = 0; i < 20000; i++) {
        unsigned r = seed = seed * 1103515245 + 12345, at = (r >> 8) % SLOTS;
        size_t size = (r >> 16) % (i % 100 ? 2000 : 300000) + 1;
        if (i % 3) {
            free(slot[at]);
            slot[at] = malloc(size);
        } else {
            slot[at] = realloc(slot[at], size);
        }
        memset(slot[at], (int)r, size);
        sum = sum * 31 + (unsigned char)slot[at][size / 2];
    }
    for (int i = 0; i < SLOTS; i++)
        free(slot[i]);
    return (void *)(uintptr_t)sum;
}

int main(void)
{
    pthread_t t[4];
    void *result;
    for (uintptr_t i = 0; i < 4; i++)
        t[i] = start(churn, (void *)(i + 1));
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], &result);
        printf("%08x\n", (uint32_t)(uintptr_t)result);
    }
    void *aligned = NULL;
    ZERO(posix_memalign(&aligned, 65536, 100000));
    FACT((uintptr_t)aligned % 65536 == 0);
    FACT(malloc_trim(0) >= 0);
    return 0;
}
