/* The next event of some kind, and the one before. */
#ifndef DRD_CLI_GDB_FIND_H
#define DRD_CLI_GDB_FIND_H

#include "cli/fact_index.h"

/* What is looked for: `kind` "" is whatever drd log shows. `facts` is read when a kind needs it. */
struct gdb_find {
    struct store *store;
    const struct store_process *process; /* all of the run */
    size_t count;
    const struct store_process *own;
    struct fact_index **facts;
    const char *kind;
};

/* 1: *found is the first from `from` on, or with `back` the last before it. 0: there is none. -1: no such kind, a damaged run. */
int gdb_find_event(const struct gdb_find *f, uint64_t from, bool back, uint64_t *found, struct drd_error *e);

/* The meanings of the events, read if they have not been. */
bool gdb_find_facts(const struct gdb_find *f, struct drd_error *e);

#endif
