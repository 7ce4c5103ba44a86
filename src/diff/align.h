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

#endif
