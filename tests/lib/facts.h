/* Facts for the cluster model, made by hand: what an adapter would have said of nodes s0, s1, ... with ids "0", "1", ... */
#ifndef DRD_TESTS_FACTS_H
#define DRD_TESTS_FACTS_H

#include "raft/properties.h"

#define FACTS_NODES 8

struct facts {
    struct raft_model *model;
    uint32_t process[FACTS_NODES];    /* that the node runs as */
    uint64_t sequence[FACTS_NODES];   /* of its last event */
    uint32_t processes, nodes;
    raft_fact_fn tell;                /* takes the facts instead of the model, and hands them on to it; NULL: nobody */
    void *context;
};

/* Closes a list of entries. */
struct facts_entry {
    uint64_t term;
    const char *text;
};
#define ENTRIES(...) (const struct facts_entry[]){__VA_ARGS__, {0, NULL}}
#define HEARTBEAT (const struct facts_entry[]){{0, NULL}}

void facts_init(struct facts *f, uint32_t nodes);
void facts_fini(struct facts *f);
void facts_restart(struct facts *f, unsigned node); /* the next incarnation */

/* AppendEntries with entries after prev_index; sent by one, received by the other, or both. */
void facts_sent(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                const struct facts_entry *entries, uint64_t commit);
void facts_received(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                    const struct facts_entry *entries, uint64_t commit);
void facts_appended(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                    const struct facts_entry *entries, uint64_t commit); /* both, and the answer yes */
void facts_answer(struct facts *f, unsigned from, unsigned to, uint64_t term, bool success, uint64_t match);
void facts_vote(struct facts *f, unsigned voter, unsigned candidate, uint64_t term); /* RequestVote and the vote */
void facts_snapshot_sent(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t index, uint64_t last_term);
void facts_snapshot_received(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t index, uint64_t last_term);
void facts_snapshot_answer(struct facts *f, unsigned from, unsigned to, uint64_t term);

/* What a node writes (durable) or states by marks. */
void facts_append(struct facts *f, unsigned node, bool durable, uint64_t index, uint64_t term, const char *text);
void facts_state(struct facts *f, unsigned node, enum raft_fact_kind kind, uint64_t index, uint64_t term); /* any other */
void facts_role(struct facts *f, unsigned node, uint64_t term, int role);
void facts_apply(struct facts *f, unsigned node, uint64_t index, uint64_t term, uint64_t state);

/* Any fact: process and event are filled in, the time if it is 0. */
void facts_tell(struct facts *f, unsigned node, struct raft_fact *fact);
struct raft_message facts_message(enum raft_type type, unsigned from, unsigned to, uint64_t term);

/* The first finding of a property, NULL if there is none. */
const struct raft_finding *facts_finding(const struct facts *f, enum raft_property property);

#endif
