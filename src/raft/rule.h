/* The rules of Raft, and the events at which a node broke one.
 *
 * A class of root causes is a row of raft_classes[]; what finds them are families of rules (struct raft_rules), one file
 * each, which look at every fact before and after the model takes it in. A break is a decision of one node, at one event,
 * that the rule forbids for what the node knew: it is reported whether or not any property of Raft suffered. Which break
 * is the cause of a violation is decided later (explain/cause.h), from what each of them spoils. */
#ifndef DRD_RAFT_RULE_H
#define DRD_RAFT_RULE_H

#include "raft/model.h"

enum raft_class {
    RAFT_T00, /* none */
    RAFT_T01, RAFT_T02, RAFT_T03, RAFT_T04, RAFT_T05, RAFT_T06, RAFT_T07, RAFT_T08, RAFT_T09, RAFT_T10, RAFT_T11, RAFT_T12,
    RAFT_T13, RAFT_T14, RAFT_T15, RAFT_T16, RAFT_T17, RAFT_T18, RAFT_T19, RAFT_T20, RAFT_T21, RAFT_T22, RAFT_T23, RAFT_T24,
    RAFT_T25,
    RAFT_CLASS_COUNT
};

struct raft_class_row {
    const char *id;        /* "T07" */
    const char *title;     /* "an entry of an earlier term committed by counting replicas" */
    const char *rule;      /* in the paper's words */
    const char *reference; /* "Figure 2, Leaders" */
};
extern const struct raft_class_row raft_classes[RAFT_CLASS_COUNT];

/* What can no longer be trusted because of a break: by this a violation is traced back to it. */
enum raft_spoils {
    RAFT_SPOILS_NOTHING,   /* progress only */
    RAFT_SPOILS_ELECTION,  /* who led `term` */
    RAFT_SPOILS_LOG,       /* the node's log from `index` on */
    RAFT_SPOILS_ACK,       /* what the node acknowledged, from `index` on */
    RAFT_SPOILS_COMMIT,    /* the node's commit index, up to `index` */
    RAFT_SPOILS_STATE,     /* the node's state machine from `index` on */
    RAFT_SPOILS_READ,      /* an answer to a client */
    RAFT_SPOILS_TERM,      /* the node's term and vote, from `term` on */
    RAFT_SPOILS_MEMBERS,   /* majorities from `index` on */
};

#define RAFT_REASONS 8
#define RAFT_WORDS 320

/* An event that a break rests on: a step of the story. */
struct raft_reason {
    struct raft_witness at;
    char text[RAFT_WORDS]; /* a sentence without the node's name in front: "granted its vote to s2 in term 4" */
};

struct raft_break {
    enum raft_class class;
    struct raft_witness at;     /* the decision: node and event */
    size_t cluster;
    enum raft_spoils spoils;
    uint64_t term, index;
    bool settled;               /* what was at `index` was settled before: another walk can tell it in full */
    char peer[RAFT_NODE_NAME];  /* id of the other node in it, or "" */
    bool likely;                /* not certain: `settle` says what would make it so */
    const char *shape;          /* which of the decisions of its class: an id, never shown, so that words may be mended */
    char text[RAFT_WORDS];      /* with the node's name: "s0 committed index 2, an entry of term 2, as leader of term 18" */
    char settle[RAFT_WORDS];
    struct raft_reason reason[RAFT_REASONS]; /* earlier events, in the order in which they happened */
    size_t reasons;
    uint64_t count;             /* times this node did it (class, spoils, term and peer alike; of commits, up to
                                   `index`) while it was not healed */
    struct raft_witness healed; /* from here on it cannot hurt any more: the write reached the disk after all, the majority
                                   came; how is RAFT_HOW_NONE while it can */
};

struct step;

/* A family of rules. All functions but `name` may be NULL. */
struct raft_rules {
    const char *name;
    size_t size;                                        /* of the state that the family keeps for a model; zeroed */
    size_t each; /* what the state begins with is a struct each, of items of this size,
                    one a node, freed with the state; 0: it does not */
    bool forgets;                                       /* a new incarnation begins with its item zeroed */
    void (*before)(struct step *s, void *state);        /* the model does not know the fact yet */
    void (*after)(struct step *s, void *state);
    void (*restart)(struct step *s, void *state);       /* a new incarnation, before what is volatile is forgotten */
    void (*finish)(struct raft_model *m, void *state);  /* after the last fact */
    void (*fini)(void *state);
};

extern const struct raft_rules rules_votes, rules_terms, rules_heard, rules_commit, rules_log, rules_disk, rules_members,
    rules_clients, rules_apply;

/* Report a break at the fact at hand. Class, spoils, term, index and texts are the caller's to fill in by the functions
 * below; NULL: the same was reported before (it is counted), or no memory. Valid until the next call. */
struct raft_break *break_add(struct step *s, enum raft_class class, enum raft_spoils spoils, uint64_t term, uint64_t index,
                             const char *peer);
/* What was done: `shape` names it among the decisions of the class that spoil the same, for fingerprints (a constant string,
 * lower case, "counted"); the words are for people. What is one mistake has one shape, whatever words tell of it. */
void break_text(struct raft_break *b, const char *shape, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The break is not certain; the words say what would settle it. */
void break_likely(struct raft_break *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reasons are kept in the order of their events. One without an event (RAFT_HOW_NONE) is left out. */
void break_reason(struct raft_break *b, const struct raft_witness *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The latest break of the node at hand with these marks that is not healed; NULL: none. To heal one, set `healed`. */
struct raft_break *break_open(struct step *s, enum raft_class class, enum raft_spoils spoils, const char *peer);

/* For the model. */
bool rules_init(struct raft_model *m);
void rules_before(struct step *s);
void rules_after(struct step *s);
void rules_restart(struct step *s);
void rules_finish(struct raft_model *m);
void rules_fini(struct raft_model *m);

#endif
