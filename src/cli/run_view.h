/* A run opened for reading, as the commands that look at it need it. */
#ifndef DRD_CLI_RUN_VIEW_H
#define DRD_CLI_RUN_VIEW_H

#include "cli/cmd.h"
#include "store/refs.h"
#include "store/store.h"

struct run_view {
    char path[PATH_MAX];
    char event[PATH_MAX];          /* "n2@4711" if one was named, else "" */
    struct store *store;
    struct store_process *process; /* in order of number */
    size_t count;
    uint64_t begin, end;           /* ns: first start and last known moment of all processes */
};

/* Open what `reference` names ("@" if NULL). On failure nothing needs to be closed and *v is all zero. */
bool run_view_open(struct run_view *v, const char *reference, struct drd_error *e);
void run_view_close(struct run_view *v);

/* Make the derived rows of a finished run (messages, timers, ...) if they are missing or of an older version. A file that
 * cannot be written is left as it is. */
bool run_view_index(struct run_view *v, struct drd_error *e);

/* ns since the run began. */
uint64_t run_view_since(const struct run_view *v, uint64_t time);

/* The process with this number, NULL if there is none. */
const struct store_process *run_view_process(const struct run_view *v, uint32_t number);

/* Is there a node of this name? If not, `e` lists those there are. */
bool run_view_has_node(const struct run_view *v, const char *node, struct drd_error *e);

#endif
