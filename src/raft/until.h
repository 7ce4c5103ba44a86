/* The cluster after a given event: the model, filled with the facts up to there. Events are counted that show something of
 * Raft, in causal order; the facts of one event belong together. */
#ifndef DRD_RAFT_UNTIL_H
#define DRD_RAFT_UNTIL_H

#include "raft/model.h"

struct raft_until {
    struct raft_model *model;
    uint64_t events;    /* passed: at most those asked for */
    uint32_t process;   /* the last of them */
    uint64_t sequence, time;
};

/* After the first `events` events (UINT64_MAX: all). False: damaged run or out of memory. */
bool raft_until_run(struct raft_until *u, struct store *s, const struct store_process *process, size_t processes,
                    uint64_t events, struct drd_error *e);
void raft_until_fini(struct raft_until *u);

#endif
