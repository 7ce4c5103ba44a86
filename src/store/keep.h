/* Which runs of a store may go: what `drd gc` decides, without deleting anything itself. */
#ifndef DRD_STORE_KEEP_H
#define DRD_STORE_KEEP_H

#include <stdint.h>
#include <time.h>

#include "store/refs.h"

/* A limit; 0: none. */
struct keep_limits {
    uint64_t runs, seconds, bytes;
};

/* "100" runs, "12h", "30d" or "4w" of age, "500M" or "1G" (K, M, G, T) of files. Sets the one that it is. */
bool keep_parse(const char *text, struct keep_limits *limits, struct drd_error *e);

enum keep_reason {
    KEEP_GONE,       /* may go */
    KEEP_WITHIN,     /* within all limits */
    KEEP_TAGGED,
    KEEP_UNFINISHED, /* what its recorder left can still be finished (drd fsck --repair) */
    KEEP_IN_USE,     /* being recorded or read */
};

struct keep_run {
    char id[REFS_ID + 1];
    char path[PATH_MAX];
    uint64_t bytes, age; /* age in seconds since it was begun */
    enum keep_reason reason;
};

/* Judge all runs of the store, latest first, at the time `now`. Limits are applied to the runs that nothing else keeps. *out is
 * malloced. */
bool keep_judge(const struct keep_limits *limits, time_t now, struct keep_run **out, size_t *count, struct drd_error *e);
/* Delete the file of a run, unless somebody opened it meanwhile. */
bool keep_delete(const struct keep_run *run, struct drd_error *e);

#endif
