/* A sparse array: cells of one size by index, in pages of 64.
 *
 * Logs are dense, so a cell costs little more than itself; but an index comes from a message, and a hostile one must not
 * make DRD allocate 2^60 cells, so pages are found by hashing. Cells are zero until written. */
#ifndef DRD_RAFT_PAGES_H
#define DRD_RAFT_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_CELLS 64

struct page;

struct pages {
    size_t cell_size;
    struct page **table; /* open addressing; capacity is 0 or a power of two */
    size_t capacity, used;
    struct page *recent; /* the page of the last hit: accesses come in runs */
};

void pages_init(struct pages *p, size_t cell_size);
void pages_fini(struct pages *p);

/* The cell of `index`, or NULL if nothing near it was ever made. */
void *pages_find(struct pages *p, uint64_t index);
/* The same, made if need be. NULL: out of memory. */
void *pages_make(struct pages *p, uint64_t index);
/* Forget (zero or free) every cell outside first..last. */
void pages_keep(struct pages *p, uint64_t first, uint64_t last);
/* Free the pages for which gone() says so, asked in the order of their indexes: `first` is the index of the first of the
 * PAGE_CELLS cells. False: no memory, and none was asked about. */
bool pages_drop(struct pages *p, bool (*gone)(void *context, uint64_t first, void *cells), void *context);
/* Call `fn` for every cell of every page, zero ones too, pages in no particular order. */
void pages_each(struct pages *p, void (*fn)(void *context, uint64_t index, void *cell), void *context);

#endif
