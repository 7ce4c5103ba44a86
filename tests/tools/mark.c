/* mark [MARKS]: what a mark costs, ns each: one that states three numbers, one with an entry of 32 bytes to digest, one with
 * words. Run it as it is and under drd record. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <drd/drd.h>

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    uint64_t marks = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    double numbers = now_ns();
    for (uint64_t i = 1; i <= marks; i++) {
        drd_apply(i, 1, i);
        __asm__ volatile("" : : : "memory"); /* once for each turn of the loop, as between a node's other work */
    }
    double entries = now_ns();
    for (uint64_t i = 1; i <= marks; i++) {
        drd_append_entry(i, 1, "thirty-two bytes of one command.", 32);
        __asm__ volatile("" : : : "memory");
    }
    double words = now_ns();
    for (uint64_t i = 1; i <= marks; i++) {
        drd_text("a few words");
        __asm__ volatile("" : : : "memory");
    }
    double end = now_ns();
    printf("apply=%.2f append_entry=%.2f text=%.2f recorded=%d\n", (entries - numbers) / (double)marks,
           (words - entries) / (double)marks, (end - words) / (double)marks, drd_recorded());
    return 0;
}
