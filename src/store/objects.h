/* objects/ of the store directory: contents of packed files by their SHA-256, for all runs together: objects/ab/cdef... */
#ifndef DRD_STORE_OBJECTS_H
#define DRD_STORE_OBJECTS_H

#include <stdint.h>

#include "store/internal.h"

/* The content for a run in runs/ beside objects/; -1 if there is none. */
int objects_open(const char *run, const uint8_t *digest);

/* --- pack.c --- */

/* 1 there is such a table, 0 not, -1 error. */
int pack_is_table(struct store *s, const char *name, struct drd_error *e);
bool pack_write(int fd, const void *data, size_t length);

#endif
