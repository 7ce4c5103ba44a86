/* The life of the entries at one index: who proposed each of them, who held, acknowledged, committed, applied and lost it.
 *
 * A walk of its own with a model: what is kept is in proportion to the nodes and to what happened at this index, beside
 * the model itself. Several entries at one index are several lives. */
#ifndef DRD_RAFT_BLAME_H
#define DRD_RAFT_BLAME_H

#include "raft/model.h"

enum blame_kind {
    BLAME_HELD,         /* the node's log holds the entry */
    BLAME_ACKNOWLEDGED, /* it told a leader so; at.how is RAFT_HOW_NONE where only the leader shows that: the node is not
                           recorded (UINT16_MAX), or it had another entry there (`by`) */
    BLAME_COMMITTED,    /* it holds the entry to be committed */
    BLAME_APPLIED,
    BLAME_LOST,         /* another entry took the place, or none (`by` is NULL) */
};

struct blame_event {
    enum blame_kind kind;
    const struct raft_variant *variant;
    struct raft_witness at;
    uint64_t time;                 /* ns */
    const struct raft_variant *by; /* LOST, ACKNOWLEDGED: what the node held instead; NULL: none, or not known */
    uint64_t term;                 /* ACKNOWLEDGED: of the message. COMMITTED by a leader: that it leads; 0: not a leader */
    uint64_t message;              /* ACKNOWLEDGED: its id, 0 unknown */
    char peer[RAFT_NODE_NAME];     /* ACKNOWLEDGED: the leader it went to; of an unrecorded node, that node */
    struct raft_witness got;       /* ACKNOWLEDGED: the leader received it; how is RAFT_HOW_NONE: it never did */
    uint64_t got_time;
    char counted[256];             /* COMMITTED by a leader: who had acknowledged, and the leader, separated by ", " */
    unsigned count, voters;        /* of these, the voters; all voters, 0: not known */
    bool majority;                 /* they are one */
    bool alone;                    /* no entry of the leader's own term could be committed with it (section 5.4.2) */
};

/* A client's request that became an entry. */
struct blame_request {
    const struct raft_variant *variant;
    char id[48], key[48];
    struct raft_witness received, answered; /* how is RAFT_HOW_NONE: not seen */
    uint64_t time, answered_time;
    bool same;      /* its command is that of the entry; false: no more is known than that it came last */
    bool confirmed; /* the answer names the index */
};

/* Who proposed an entry: only the leader of its term can (section 5.3). */
struct blame_origin {
    const struct blame_event *event; /* the first by which the proposer shows it; NULL: not seen */
    const struct raft_leader *leader;/* of the term; NULL: none was seen */
};

struct blame {
    struct raft_model *model;
    uint64_t index, last;    /* `last`: the highest index that any log reached */
    struct blame_event *event; /* in their order */
    size_t events, capacity;
    bool cut;                /* more happened there than is kept */
    struct blame_request *request;
    size_t requests;
    struct blame_seat *seat; /* by node; while walking */
    size_t seats;
    uint64_t order;
};

/* False: damaged run or out of memory. Where the index was never reached, there are no events. */
bool blame_run(struct blame *b, struct store *s, const struct store_process *process, size_t processes, uint64_t index,
               struct drd_error *e);
void blame_fini(struct blame *b);

struct blame_origin blame_origin(const struct blame *b, const struct raft_variant *v, size_t cluster);
/* The request that became the entry, NULL: none was seen. */
const struct blame_request *blame_request(const struct blame *b, const struct raft_variant *v);
/* What the node's log holds there at the end, as far as it is known; NULL: nothing or not known. */
const struct raft_variant *blame_holds(const struct blame *b, size_t node);
/* The node with this id in the protocol, else the id. */
const char *blame_name(const struct blame *b, size_t cluster, const char *id);

/* For tests: one fact after the other, as blame_run does it. */
bool blame_init(struct blame *b, uint64_t index);
void blame_step(struct blame *b, const struct raft_fact *fact);
void blame_finish(struct blame *b);
void blame_step_client(struct blame *b, const struct raft_fact *fact); /* the second pass, after blame_finish */

#endif
