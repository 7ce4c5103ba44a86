/* The cluster as the facts of a run show it: who led which term, each node's log, commit index and vote.
 *
 * A pure step function: one fact in, changes of the state out to the properties (raft/properties.h), findings kept. No
 * input or output, no clock, no random. Facts come in causal order (protocol_walk), but nothing breaks if they do not:
 * a message is never matched with its other end, each end is a fact of its own about the node that shows it.
 *
 * Every piece of state carries a witness, the event that shows it, and how: what a node says or writes itself is *seen*;
 * what follows from the rules of Raft (a follower that acknowledged AppendEntries holds its entries) is *inferred*. */
#ifndef DRD_RAFT_MODEL_H
#define DRD_RAFT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/protocol.h"
#include "raft/book.h"
#include "raft/pages.h"
#include "raft/settled.h"
#include "raft/witness.h"

/* One entry that was seen at one index. Two of them at an index differ in term, or in content (which Raft excludes). */
struct raft_variant {
    uint64_t index, term;
    uint64_t digest;        /* 0: unknown */
    const char *protocol;   /* digests of different adapters cannot be compared; */
    uint64_t second_digest; /* marks and messages of one node tell of the same entries */
    const char *second_protocol;
    bool offered;           /* a message that a leader sent or a follower received carries it */
    bool revived;           /* it was settled, and came up again: words and some of the events are lost */
    char type, text[48];
    struct raft_witness shown;     /* first log seen to hold it */
    struct raft_witness committed; /* first node seen to have committed it */
    uint64_t committed_term;       /* a term in which it was committed already; UINT64_MAX: unknown */
    struct raft_witness led;       /* the leader of `led_term`, the highest, that held it */
    uint64_t led_term;
    struct raft_witness linked;    /* a log that holds it after an entry of `previous_term` */
    uint64_t previous_term;
    struct raft_witness replaced;  /* latest: a log that held it and holds another entry there now, or none */
    const struct raft_variant *replaced_by; /* NULL: none, or not known */
    struct raft_witness applied;   /* first that states a digest of the state after it */
    uint64_t state;
    struct raft_variant *next;     /* another entry seen at this index */
};

/* A place in the log of one node. */
struct raft_slot {
    struct raft_variant *variant;  /* NULL: not known */
    struct raft_witness witness;
    struct raft_witness committed; /* of this node; how is RAFT_HOW_NONE while it is not */
    struct raft_witness synced;    /* that it reached stable storage; how is RAFT_HOW_NONE while that is not seen */
    bool durable;
    bool earlier;                  /* from an earlier incarnation, not confirmed since */
};

/* AppendEntries or InstallSnapshot received and not answered yet. */
struct raft_pending {
    uint64_t term, previous, previous_term, commit;
    uint64_t order; /* of the fact */
    char leader[RAFT_NODE_NAME];
    bool snapshot;
    size_t count;
    struct raft_variant **entry;
};

struct raft_node {
    char name[RAFT_NODE_NAME]; /* of DRD (store_process.node) */
    char id[RAFT_NODE_NAME];   /* in the protocol; "" unknown */
    size_t cluster;
    uint32_t process, incarnation; /* that it runs as now */
    bool complete;                 /* so far, all its processes are recorded to their ends */
    bool speaks;               /* it sends, receives or states: a program that only touches files may be a tool */
    uint64_t term;             /* latest it showed as its own */
    uint64_t heard;            /* highest term it can know of: its own or received */
    uint64_t bound;            /* highest term that it must have: its own, or received in what nobody may disregard */
    bool term_known;           /* `heard` bounds its term in this incarnation */
    int role;
    uint64_t role_term;        /* of the role that it stated last; 0: it stated none in this incarnation */
    uint64_t leading;          /* the latest term it led; 0 none */
    uint64_t leading_since;    /* order of the fact that shows it */
    char vote[RAFT_NODE_NAME];
    uint64_t vote_term;
    uint64_t commit, applied;
    uint64_t commit_term;      /* highest term of an entry that it committed in this incarnation */
    uint64_t stated_commit[2], stated_term[2]; /* by whether a file shows it, of this incarnation */
    bool own_log;              /* it shows its log itself: disk or marks */
    bool disk;                 /* it shows its log by files: what is not durable there is not durable */
    uint64_t base, last;       /* entries from `base` to `last` may be in `log`; of the one at `base` only the term */
    uint64_t snapshot;         /* last index that a snapshot stands for; 0 none */
    uint64_t compacted;        /* the highest that a snapshot ever stood for, whatever the log file begins with now */
    struct pages log;          /* of struct raft_slot */
    struct raft_pending *pending;
    size_t pending_count;
    struct raft_book book;
};

struct raft_vote {
    struct raft_witness witness; /* node: the voter. A candidate's vote for itself: its first RequestVote */
    char candidate[RAFT_NODE_NAME];
    uint64_t silence;            /* ns since the voter last heard from a leader; 0: it never did since its start */
};

struct raft_leader {
    struct raft_witness witness; /* node: the leader, unless `id` is set */
    char id[RAFT_NODE_NAME];     /* heard of by the witness's node, not itself recorded */
};

struct raft_term {
    uint64_t term;
    struct raft_leader *leader;
    size_t leaders;
    struct raft_vote *vote;
    size_t votes;
};

/* An id of the protocol that was heard of. */
struct raft_peer {
    char id[RAFT_NODE_NAME];
    int node;    /* -1: not recorded, or not known to be */
    bool heard;  /* a node received something from it */
};

/* Nodes that may be members of one Raft group. */
struct raft_cluster {
    struct pages entries;      /* of struct raft_variant *, by index: what logs, messages and findings speak of now */
    size_t live, settle_at;    /* variants in `entries`; that many are looked at again */
    struct raft_settled settled; /* the rest */
    uint64_t committed;        /* highest index that a node was known to have committed */
    struct raft_term *term;    /* sorted by term */
    size_t terms;
    struct raft_peer *peer;
    size_t peers;
    char doubt[256];           /* why it may be more than one group; "" if there is no doubt */
};

struct raft_process {
    uint32_t number;
    char name[RAFT_NODE_NAME];
    uint32_t incarnation;
    uint64_t start, end;
    bool complete;
    int status; /* as waitpid(2) gives it; -1: unknown, or not ended */
    int node; /* -1: no fact so far */
};

struct raft_finding; /* raft/properties.h */
struct raft_break;   /* raft/rule.h */

/* Something from outside that happened to a node: what sets the stage. */
struct raft_incident {
    struct raft_witness at;   /* node is UINT16_MAX for what drd fault was asked to do, about the nodes that `peer` names */
    uint64_t time;
    enum raft_fact_kind kind; /* RAFT_FACT_START, _FAULT, _WRITE_FAILED */
    char text[48];
    char peer[RAFT_NODE_NAME];
};

/* Indexes of which all is to be kept. */
struct raft_keep {
    uint64_t first, last;
};
#define RAFT_KEEPS 32

struct raft_model {
    struct raft_keep keep[RAFT_KEEPS]; /* for the caller to fill in before the first fact */
    size_t keeps;
    uint64_t tail;             /* committed entries that stay in the log of a node; the caller may change it, too */
    struct raft_process *process;
    size_t processes;
    struct raft_node *node;
    size_t nodes;
    struct raft_cluster *cluster;
    size_t clusters;
    struct raft_finding *finding;
    size_t findings;
    uint64_t found[16];        /* by property: all, kept in `finding` or not */
    struct raft_break *rule_break; /* in the order of their events */
    size_t breaks, breaks_capacity;
    void **rule_state;         /* of the families of rules */
    struct raft_incident *incident; /* in the order of their events */
    size_t incidents;
    uint64_t facts;            /* steps so far */
    uint64_t committed;        /* (node, index) pairs seen or inferred to be committed, entry known */
    uint64_t compared;         /* those of them that another node had committed before */
    uint64_t messages;         /* facts that are messages */
    uint64_t late;             /* facts of an incarnation that came after facts of the next one: not used */
    bool unjudged;             /* set after its creation: the state alone is wanted, no rule is looked at */
    bool out_of_memory;        /* steps are ignored from then on */
};

struct raft_model *raft_model_create(void); /* NULL: out of memory */
void raft_model_destroy(struct raft_model *m); /* accepts NULL */

/* Tell of a process before its first fact: the node it is, and when it lived (end 0: unknown). A process that was not
 * told of becomes a node "process N" of its own. */
void raft_model_process(struct raft_model *m, uint32_t number, const char *node, uint32_t incarnation, uint64_t start,
                        uint64_t end, bool complete);
/* How a process that was told of ended. */
void raft_model_status(struct raft_model *m, uint32_t number, int status);

/* One fact. */
void raft_model_step(struct raft_model *m, const struct raft_fact *fact);
/* After the last one: what can only be judged when all ids are known. */
void raft_model_finish(struct raft_model *m);

/* What another walk should keep, to tell in full what this one found at indexes that were settled: how many. */
size_t raft_model_revisit(const struct raft_model *m, struct raft_keep keep[RAFT_KEEPS]);

/* The entry a node holds at an index; NULL if that is not known. */
struct raft_slot *raft_node_slot(struct raft_node *n, uint64_t index);
/* First of the entries seen at an index, NULL if none. It stays until the end of the step. */
struct raft_variant *raft_cluster_entries(struct raft_cluster *c, uint64_t index);
struct raft_term *raft_cluster_term(struct raft_cluster *c, uint64_t term); /* NULL: nothing known of it */
/* Whether the content may be that of an entry, as an adapter tells it; false: it is another for certain. */
bool raft_variant_is(const struct raft_variant *v, const struct raft_entry *e, const char *protocol);
/* Whether this adapter gave the content this digest. */
bool raft_variant_shows(const struct raft_variant *v, uint64_t digest, const char *protocol);
/* Whether two entries of one index are different entries, as two witnesses show them. */
bool raft_entries_differ(const struct raft_variant *a, const struct raft_witness *wa, const struct raft_variant *b,
                         const struct raft_witness *wb);

#endif
