/* Which processes are started to re-drive the wanted ones.
 *
 * A process that was forked cannot be started: its stream begins in the middle of its parent's program. So the program
 * is started that its line of forks began with, and driven through every fork on the way. A group is one such started
 * process with the forked ones that come out of it. */
#ifndef DRD_REPLAY_PLAN_H
#define DRD_REPLAY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct replay_plan_group {
    size_t *member;  /* indexes of processes; the started one first, then in order of number */
    size_t members;
};

struct replay_plan {
    struct replay_plan_group *group; /* in order of the started process's number */
    size_t groups;
    bool *needed;             /* by index: is in a group, wanted or on the way to a wanted one */
};

/* `wanted` is by index into `processes`. A forked process whose parent is not in the run is an error. */
bool replay_plan_make(struct replay_plan *plan, const struct store_process *processes, size_t count, const bool *wanted,
               struct drd_error *e);
void replay_plan_fini(struct replay_plan *plan);

/* Index of the process with this number, or `count`. */
size_t replay_plan_index(const struct store_process *processes, size_t count, uint32_t number);

#endif
