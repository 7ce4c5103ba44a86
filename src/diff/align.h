/* Which elements of two sequences correspond: those that occur once in each and in the same order first (patience), then the
 * shortest edit script between them (Myers, "An O(ND) difference algorithm"), in bounded pieces: linear time and memory. */
#ifndef DRD_DIFF_ALIGN_H
#define DRD_DIFF_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALIGN_NONE SIZE_MAX

/* match[i], for each of the n elements of a: the element of b that it is, or ALIGN_NONE. Matches are equal and ascend.
 * False: out of memory. */
bool align(const uint64_t *a, size_t n, const uint64_t *b, size_t m, size_t *match);

/* The same of sequences that are longer than memory should be: equal stretches are passed, the rest is aligned in windows, between
 * anchors that are single in both, found among a sample of the elements. Memory is bounded, work is linear. */
#define ALIGN_WINDOW 8192
#define ALIGN_SAMPLE 32768

struct align_source {
    void *context;
    size_t count[2];
    uint64_t (*hash)(void *context, int side, size_t at);
    bool (*match)(void *context, size_t x, size_t y); /* in ascending order; false: give up */
};

/* False: out of memory, or given up. */
bool align_long(const struct align_source *source);

#endif
