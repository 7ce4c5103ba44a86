/* What the files of the model share: one step, and the operations on logs and terms that steps are made of. */
#ifndef DRD_RAFT_PARTS_H
#define DRD_RAFT_PARTS_H

#include "raft/model.h"
#include "raft/properties.h"

/* The fact at hand and the node that shows it. */
struct step {
    struct raft_model *model;
    struct raft_node *node;
    struct raft_cluster *cluster;
    const struct raft_fact *fact;
};

struct raft_witness step_witness(const struct step *s, enum raft_how how, bool exact);

/* log.c: entries, logs, commit. `how` and `exact` as in struct raft_witness. */

/* The entry at an index as the registry of the cluster knows it, made if it is new. NULL: no memory, or nonsense. */
struct raft_variant *entry_find(struct step *s, uint64_t index, const struct raft_entry *entry);
/* The same where only the term is known. */
struct raft_variant *entry_find_term(struct step *s, uint64_t index, uint64_t term);
void entry_shown(struct step *s, struct raft_variant *v, const struct raft_witness *w);
void entry_led(struct step *s, struct raft_variant *v, uint64_t term, bool exact);
/* The log of the node holds `v`; an entry of another term there, and all after it, are gone. */
void log_put(struct step *s, struct raft_variant *v, enum raft_how how, bool exact);
/* What the slot holds is on stable storage. */
void slot_synced(struct step *s, struct raft_slot *slot);
void log_cut(struct raft_node *n, uint64_t last); /* nothing after `last` remains */
void log_restart(struct raft_node *n, uint64_t base); /* forget all; what comes begins after `base` */
void log_snapshot(struct step *s, uint64_t index, uint64_t term, enum raft_how how);
/* The commit index is at least `commit`; it was so in `term` already (UINT64_MAX: unknown). */
void log_commit(struct step *s, uint64_t commit, enum raft_how how, uint64_t term);
void log_commit_slot(struct step *s, struct raft_slot *slot, enum raft_how how, uint64_t term);

/* settle.c: what nobody is about to speak of any more. */

/* Settle what is old, if much has come since that was done last. Between steps: variants are freed. */
void entries_settle(struct raft_model *m, size_t cluster);
void entries_free(struct raft_variant *v); /* and those after it */
/* Whether a finding, or the caller, wants to see what is at these indexes. */
bool entries_kept(const struct raft_model *m, size_t cluster, uint64_t first, uint64_t last);
/* Bring back the entry of a settled index. NULL: it is not settled, or no memory. */
struct raft_variant *entry_revive(struct raft_cluster *c, uint64_t index);

/* terms.c: who led, who voted, who is who. */
struct raft_term *term_make(struct raft_cluster *c, uint64_t term);
void term_led(struct step *s, uint64_t term, enum raft_how how);
void term_heard(struct step *s, uint64_t term, const char *id);
void term_vote(struct step *s, uint64_t term, const char *candidate);
void peer_self(struct step *s, const char *id);  /* the node's own id */
void peer_heard(struct step *s, const char *id, bool received);

/* leader.c */

/* Whether the node leads now, as far as it can be seen: it led, said nothing else since, and learnt of no later term in a
 * message that binds it. A RequestVote does not where servers may disregard it; if it was followed, the vote or the next
 * message shows it. Who steps down because nobody answers, and says nothing of it, is taken for the leader that it was. */
bool node_leads(const struct raft_node *n);
/* Whether the node, which leads, may know that an index is committed: it was seen to know, or a majority has acknowledged it
 * with an entry of the leader's term (Figure 2, Leaders). */
bool leader_committed(struct step *s, uint64_t index);
bool leader_committed_own(struct step *s); /* any index of an entry of its term */

/* rule.c: something that a family of rules keeps for every node. */
struct each {
    void **item; /* by node; NULL: nothing to say of it yet */
    size_t count;
};
/* That of the node at hand, made and zeroed if it is new. NULL: no memory. */
void *each_of(struct step *s, struct each *all, size_t size);
void *each_at(const struct each *all, size_t node); /* NULL: none */
void each_fini(struct each *all);

/* message.c */
void message_sent(struct step *s);
void message_received(struct step *s);
void pending_drop(struct raft_node *n); /* forget what is not answered */
void node_bound(struct raft_node *n, uint64_t term); /* it has this term, or a later one */

/* What to call the peer with this id: the node's name where it is recorded, else the id. */
const char *step_peer(const struct step *s, const char *id);
/* What is said of terms and votes, not a second time: a message of Raft, or a vote, role or term stated or written. */
bool step_tells_term(const struct step *s);
/* The node is stated to stand for election: it votes for itself, or is candidate. */
bool step_candidacy(const struct step *s);
/* rules_commit.c: the event at which the node came to know that `index` is committed, and so applied it. NULL: not known. */
const struct raft_witness *commit_learnt(const struct raft_node *n, uint64_t index);
/* rules_apply.c: the entry that the apply at hand speaks of, NULL if it is not known; the earlier index at which the same
 * command stands, which a client sent again, 0 if there is none. */
#define REPEATS_LOOKED_AT 1024 /* entries back */
const struct raft_variant *applied_entry(struct step *s);
uint64_t applied_before(struct step *s, const struct raft_variant *v);
/* The recorded node with this id, NULL: none. */
struct raft_node *step_node(const struct step *s, const char *id);
void step_out_of_memory(struct step *s);

#endif
