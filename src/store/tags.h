/* Names that people give to runs of the store directory: tags/NAME holds the name of a file in runs/. A tagged run is never
 * collected (store/keep.h). */
#ifndef DRD_STORE_TAGS_H
#define DRD_STORE_TAGS_H

#include "store/refs.h"

#define TAGS_NAME 64

struct tags_entry {
    char name[TAGS_NAME + 1];
    char path[PATH_MAX]; /* of the run, whether it is there or not */
};

/* Letters, digits, '.', '_', '-' and '+', not beginning with '.' or '-', and not what could be the beginning of a run's id. */
bool tags_name_good(const char *name);

/* Give a run of the store this name. An existing tag is moved with `force` only. */
bool tags_set(const char *name, const char *path, bool force, struct drd_error *e);
bool tags_delete(const char *name, struct drd_error *e);
/* The run that is called so; false: there is no such tag. */
bool tags_find(const char *name, char path[PATH_MAX]);
/* All, by name; none without a store. *out is malloced. */
bool tags_list(struct tags_entry **out, size_t *count, struct drd_error *e);

#endif
