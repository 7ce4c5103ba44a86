/* The five properties of Raft (Figure 3 of the paper) and what must never go back, checked on every change of the model. */
#ifndef DRD_RAFT_PROPERTIES_H
#define DRD_RAFT_PROPERTIES_H

#include "raft/model.h"

/* In the order in which they are told: what hurts the user first. */
enum raft_property {
    RAFT_STATE_MACHINE_SAFETY,
    RAFT_LEADER_COMPLETENESS,
    RAFT_ELECTION_SAFETY,
    RAFT_LOG_MATCHING,
    RAFT_LEADER_APPEND_ONLY,
    RAFT_STATE_DETERMINISM,
    RAFT_APPLIED_IN_ORDER,
    RAFT_EXACTLY_ONCE,
    RAFT_LINEARIZABLE_READS,
    RAFT_COMMIT_MONOTONIC,
    RAFT_TERM_MONOTONIC,
    RAFT_PROPERTY_COUNT
};

struct raft_property_name {
    const char *id;        /* "state-machine-safety", for fingerprints: it stays when the name is mended */
    const char *name;      /* "State Machine Safety" */
    const char *reference; /* where the paper demands it */
    const char *statement; /* in one sentence */
};
extern const struct raft_property_name raft_property_names[RAFT_PROPERTY_COUNT];

#define RAFT_SIDES 4
#define RAFT_SIDE_WITNESSES 8
#define RAFT_GRID_BEFORE 3
#define RAFT_GRID_ROWS 7

/* One of the things that contradict each other: an entry and the nodes that hold it, or one leader of a term. */
struct raft_side {
    const struct raft_variant *variant; /* NULL: no entry (Election Safety, terms) */
    uint64_t value;                     /* the term led, the commit index or the term stated, the digest of the state,
                                           which time it was (Exactly once) */
    char id[RAFT_NODE_NAME];            /* the subject, where it is not a recorded node */
    struct raft_witness witness[RAFT_SIDE_WITNESSES];
    size_t witnesses;
};

/* What a node's log held at one index when the finding was made. */
struct raft_cell {
    const struct raft_variant *variant; /* NULL: nothing, or not known */
    bool committed, applied, compacted;
};

struct raft_finding {
    enum raft_property property;
    size_t cluster;
    uint64_t index, term; /* where it applies; 0 otherwise */
    uint64_t first;       /* Exactly once: the index at which it took effect before; 0: not known */
    uint64_t order;       /* of the fact that completed it */
    bool seen;            /* all of it is seen; false: at least one side is inferred */
    struct raft_side side[RAFT_SIDES];
    size_t sides;
    uint64_t grid_first;     /* index of the first row; 0: no grid */
    size_t grid_columns;     /* nodes */
    struct raft_cell *grid;  /* [column * RAFT_GRID_ROWS + row] */
};

/* What the model tells of. */
enum raft_change_kind {
    RAFT_CHANGE_SHOWN,      /* a log holds `variant` */
    RAFT_CHANGE_LINKED,     /* a log holds `variant` after an entry of term `now` */
    RAFT_CHANGE_COMMITTED,  /* a node committed `variant` */
    RAFT_CHANGE_LED,        /* a leader of term `now` holds `variant` */
    RAFT_CHANGE_LEADER,    /* `term` has one more leader */
    RAFT_CHANGE_LEADERS,  /* at the end: `term` had leaders that were only heard of */
    RAFT_CHANGE_REPLACED,  /* `old` at its index was replaced by `variant`, or deleted (NULL) */
    RAFT_CHANGE_STATE,     /* `variant` applied: the state's digest is `now` */
    RAFT_CHANGE_COMMIT,   /* the node states commit index `now`, `before` it */
    RAFT_CHANGE_TERM,     /* the node states term `now`, `before` it */
    RAFT_CHANGE_ORDER,    /* the node applied index `now` after index `before` */
    RAFT_CHANGE_TWICE,    /* a command of a client took effect at index `before`, which `other` shows, and again at `now` */
    RAFT_CHANGE_READ,     /* a client was told something older than a write that `other` acknowledged, of index `before` */
};

struct raft_change {
    enum raft_change_kind kind;
    size_t cluster;
    struct raft_witness witness;
    struct raft_variant *variant;
    const struct raft_slot *old;
    const struct raft_term *term;
    struct raft_witness other;
    uint64_t before, now;
};

void raft_properties_check(struct raft_model *m, const struct raft_change *change);
/* The finding to tell first, NULL if there is none. */
const struct raft_finding *raft_finding_first(const struct raft_model *m);
void raft_findings_fini(struct raft_model *m);

#endif
