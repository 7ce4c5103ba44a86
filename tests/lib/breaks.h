/* What the rules of Raft found in facts made by hand (lib/facts.h), and the moves of a cluster that keeps them. */
#ifndef DRD_TESTS_BREAKS_H
#define DRD_TESTS_BREAKS_H

#include "lib/check.h"
#include "lib/facts.h"
#include "raft/rule.h"

#define E(term, text) {term, text}

/* For cmocka: nodes s0, s1, ... whose ids are known. Each has index 1 of term 1 on its disk, the configuration of all. */
int breaks_setup(void **state, unsigned nodes);
int breaks_teardown(void **state);

/* The first break of a class, NULL if there is none. */
const struct raft_break *break_find(const struct facts *f, enum raft_class class);
/* It is the only break, at this event of this node, in these words, and its reasons are in the order of their events. */
const struct raft_break *break_is_at(const struct facts *f, enum raft_class class, unsigned node, uint64_t sequence, const char *text);
void breaks_none(const struct facts *f);

/* The voters are asked, and vote; last, last_term: of the candidate's log. */
void moves_elect(struct facts *f, unsigned candidate, uint64_t term, uint64_t last, uint64_t last_term, const char *voters);
/* AppendEntries is sent, arrives, is on the disk, and acknowledged. Returns the event at which the leader is told. */
uint64_t moves_replicate(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                         const struct facts_entry *entries, uint64_t commit);
/* AppendEntries without entries; returns the event at which it is sent. */
uint64_t moves_heartbeat(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                         uint64_t commit);
void moves_members(struct facts *f, unsigned node, uint64_t index, const char *text);
/* A fact of one index that the node states by a mark or, `disk`, shows in a file. Returns its event. */
uint64_t moves_state(struct facts *f, unsigned node, enum raft_fact_kind kind, bool disk, uint64_t index, uint64_t term);

#endif
