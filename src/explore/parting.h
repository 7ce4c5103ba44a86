/* Where a run that was run again parts from the first: the earliest record of any process that is not the same. */
#ifndef DRD_EXPLORE_PARTING_H
#define DRD_EXPLORE_PARTING_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* 1: they part, and `words` says where; 0: all streams are the same; -1: a run cannot be read. */
int parting_find(const char *first, const char *again, char *words, size_t size, struct drd_error *e);

#endif
