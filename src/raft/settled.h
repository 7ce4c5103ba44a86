/* Entries that nobody is about to speak of any more, kept small: what is needed to tell that an entry which comes up at an
 * old index after all (a node that lags, an old disk that comes back) is another than the one committed there.
 *
 * The log that the nodes hold is part of the cluster's state, so an index of it costs something: the digest of its content,
 * and of the state after it where nodes state that. An entry that all snapshots stand for is in no log any more. Its term
 * stays, and index and term name an entry (Log Matching): neighbours of one term are one stretch. */
#ifndef DRD_RAFT_SETTLED_H
#define DRD_RAFT_SETTLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "raft/pages.h"
#include "raft/witness.h"

struct raft_variant;

/* Consecutive entries of which the same is known. A witness is that of the last: who committed it committed those before. */
struct raft_stretch {
    uint64_t first, last, term;
    uint64_t previous_term; /* of the entry before the first */
    uint64_t committed_term, led_term;
    struct raft_witness shown, committed, led, linked;
    bool offered;
    char type;
};

#define SETTLED_PROTOCOLS 2 /* messages or files, and marks */

struct raft_settled {
    struct raft_stretch *stretch; /* by index */
    size_t stretches, capacity;
    const char *protocol[SETTLED_PROTOCOLS];
    struct pages digest[SETTLED_PROTOCOLS]; /* of uint64_t; 0 unknown */
    struct pages state;                     /* of struct settled_state (settled.c) */
    uint64_t content;                       /* digests below are forgotten */
};

void settled_init(struct raft_settled *s);
void settled_fini(struct raft_settled *s);

/* Whether an entry of this index is settled. */
bool settled_has(const struct raft_settled *s, uint64_t index);
/* Settle the entry; where its index is settled already, only what was not known is added. False: no memory, nothing done. */
bool settled_put(struct raft_settled *s, const struct raft_variant *v);
/* The entry of a settled index as a new variant, `revived`, which the caller frees. NULL: no memory. */
struct raft_variant *settled_revive(struct raft_settled *s, uint64_t index);
/* Keep but the terms below `first`. */
void settled_compact(struct raft_settled *s, uint64_t first);

#endif
