/* An array that may become longer than memory should: small ones are memory, longer ones lie in a file without a name, of
 * which only those pages are resident that were looked at since the last spill_drop. It never moves. */
#ifndef DRD_DIFF_SPILL_H
#define DRD_DIFF_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spill {
    void *base;         /* NULL: empty */
    size_t capacity;    /* bytes that may be used; zero until written */
    size_t reserved;    /* of addresses */
    int fd;             /* -1: memory */
    size_t passed;      /* bytes passed since the last drop, see spill_pass */
};

#define SPILL_INIT {.fd = -1}

/* Room for so many bytes. False: out of memory, of disk, or of addresses. */
bool spill_reserve(struct spill *s, size_t bytes);
/* The pages that were looked at may go from memory; their content stays. */
void spill_drop(const struct spill *s);
/* So many bytes more were passed in some order: now and then what is resident is dropped. */
void spill_pass(struct spill *s, size_t bytes);
void spill_fini(struct spill *s);

#endif
