/* Term, role, vote, commit index and end of the log of each node over time, from the facts alone and in constant memory:
 * what a picture shows beside the messages. The model (raft/model.h) knows all entries and every witness; this knows the
 * latest.
 *
 * A node that does not state its role shows it by what it sends: RequestVote is a candidate's, AppendEntries a leader's. */
#ifndef DRD_EXPORT_TRACK_H
#define DRD_EXPORT_TRACK_H

#include "export/cast.h"
#include "protocol/protocol.h"

enum track_role { TRACK_IS_FOLLOWER, TRACK_IS_CANDIDATE, TRACK_IS_LEADER };

struct track_node {
    bool speaks;               /* it showed something of Raft in this incarnation */
    uint32_t incarnation;
    char id[RAFT_NODE_NAME];   /* in the protocol, "" unknown */
    enum track_role role;
    uint64_t term, vote_term;
    char vote[RAFT_NODE_NAME]; /* in vote_term */
    uint64_t commit, applied;
    uint64_t last, last_term;  /* of the log, as far as it is known; last_term 0: not known */
    uint64_t shown, shown_term; /* the same, by entries that it wrote or stated itself */
    uint64_t offered;          /* commit index that the latest AppendEntries received brought */
    char members[2][256];      /* ids, with blanks between; the second: the older one of a joint configuration */
};

enum track_kind {
    TRACK_SPEAKS, /* the first sign of Raft in this incarnation: what it remembers is known */
    TRACK_FOLLOWER, TRACK_CANDIDATE, TRACK_LEADER, TRACK_VOTE, TRACK_COMMIT, TRACK_APPEND, TRACK_TRUNCATE, TRACK_APPLY,
    TRACK_SNAPSHOT, TRACK_MEMBERS,
};

/* The node is as it is after the change. */
struct track_change {
    enum track_kind kind;
    size_t at; /* which node */
    const struct track_node *node;
    const struct raft_fact *fact;
};

struct track {
    const struct cast *cast;
    struct track_node *node; /* as cast->name */
    void (*change)(void *context, const struct track_change *change);
    void *context;
};

bool track_init(struct track *t, const struct cast *cast, void (*change)(void *context, const struct track_change *change),
                void *context); /* false: out of memory */
void track_fini(struct track *t);
/* The first half of it: a restart, and the first sign of Raft. Changes nothing when it is done twice. */
void track_begin(struct track *t, const struct raft_fact *fact);
/* Each fact of the run. What a message that is sent shows was so before; what one that is received causes comes after. */
void track_fact(struct track *t, const struct raft_fact *fact);

#endif
