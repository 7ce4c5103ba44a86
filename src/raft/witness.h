/* The event that shows something of a node, and how. */
#ifndef DRD_RAFT_WITNESS_H
#define DRD_RAFT_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

/* How an event shows something. From RAFT_HOW_ACKNOWLEDGED on it is inferred. */
enum raft_how {
    RAFT_HOW_NONE = 0,
    RAFT_HOW_APPLIED,       /* the node states that it applied the entry */
    RAFT_HOW_COMMITTED,     /* it states or writes its commit index */
    RAFT_HOW_LEADER_COMMIT, /* it sent AppendEntries with such a leaderCommit */
    RAFT_HOW_ANSWERED,      /* it told a client that it is done */
    RAFT_HOW_SENT,          /* it sent the entry in AppendEntries */
    RAFT_HOW_WRITTEN,       /* it wrote the entry to disk */
    RAFT_HOW_LOADED,        /* it read the entry back from disk at its start */
    RAFT_HOW_STATED,        /* it states it with a mark */
    RAFT_HOW_SNAPSHOT,      /* it took, sent or wrote a snapshot that ends there */
    RAFT_HOW_ACKNOWLEDGED,  /* it acknowledged AppendEntries that carried the entry */
    RAFT_HOW_FOLLOWED,      /* it acknowledged AppendEntries with such a leaderCommit */
    RAFT_HOW_HEARD,         /* another node received it from there */
    RAFT_HOW_COUNT
};

struct raft_witness {
    uint64_t sequence; /* the event: process and sequence */
    uint64_t order;    /* ordinal of the fact in the run: what came first */
    uint32_t process;
    uint16_t node;     /* in raft_model.node */
    uint8_t how;       /* enum raft_how; RAFT_HOW_NONE: there is no such event */
    bool exact;        /* shows the content, not only the term */
    bool inferred;     /* the event is seen, but which entry it speaks of is inferred */
};
bool raft_witness_seen(const struct raft_witness *w);

#endif
