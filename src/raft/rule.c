#include "raft/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"

/* Breaks kept in a run: beyond that it is a program that does not follow Raft at all. */
#define BREAKS_KEPT 512
#define BREAKS_ALIKE 8 /* by one node, of one class, to one peer */

const struct raft_class_row raft_classes[RAFT_CLASS_COUNT] = {
    [RAFT_T01] = {"T01", "two votes in one term",
                  "a server votes for at most one candidate in a term: it grants if votedFor is null or candidateId",
                  "Figure 2, RequestVote receiver 2"},
    [RAFT_T02] = {"T02", "a vote counted that is none",
                  "a candidate becomes leader of a term with votes for that term from a majority of the servers",
                  "Figure 2, Candidates"},
    [RAFT_T03] =
        {"T03", "a vote asked for with a log that is not on stable storage",
         "persistent state is updated on stable storage before responding to RPCs; RequestVote names the last log entry",
         "Figure 2, State; RequestVote"},
    [RAFT_T04] = {"T04", "a vote for a candidate whose log is behind",
                  "grant only if the candidate's log is at least as up-to-date as the receiver's",
                  "Figure 2, RequestVote receiver 2; section 5.4.1"},
    [RAFT_T05] = {"T05", "acknowledged before it was durable",
                  "persistent state is updated on stable storage before responding to RPCs", "Figure 2, State"},
    [RAFT_T06] = {"T06", "a higher term not taken over",
                  "if an RPC contains a term higher than currentTerm, set currentTerm to it and convert to follower",
                  "Figure 2, All Servers"},
    [RAFT_T07] = {"T07", "an entry of an earlier term committed by counting replicas",
                  "a leader advances commitIndex to N only if log[N].term == currentTerm",
                  "Figure 2, Leaders; section 5.4.2"},
    [RAFT_T08] = {"T08", "committed beyond what AppendEntries verified, or commit index lowered",
                  "commitIndex = min(leaderCommit, index of last new entry); it increases monotonically",
                  "Figure 2, AppendEntries receiver 5"},
    [RAFT_T09] = {"T09", "committed without a majority",
                  "a leader advances commitIndex to N only if a majority of matchIndex is at least N", "Figure 2, Leaders"},
    [RAFT_T10] = {"T10", "log truncated without a conflict",
                  "delete entries only if an existing one has the same index and a different term",
                  "Figure 2, AppendEntries receiver 3"},
    [RAFT_T11] = {"T11", "entries appended twice, at a wrong index, or with a gap",
                  "append the new entries not already in the log; entry i of a message stands at prevLogIndex + 1 + i",
                  "Figure 2, AppendEntries receiver 4"},
    [RAFT_T12] = {"T12", "an acknowledgement counted for what it did not acknowledge",
                  "matchIndex is the highest entry known to be replicated; results of another term count for nothing",
                  "Figure 2, State; All Servers"},
    [RAFT_T13] = {"T13", "matchIndex or nextIndex kept wrong", "matchIndex increases monotonically; nextIndex follows it",
                  "Figure 2, Leaders"},
    [RAFT_T14] = {"T14", "log lost or resurrected at a restart", "the log is persistent state", "Figure 2, State"},
    [RAFT_T15] = {"T15", "term or vote lost at a restart",
                  "currentTerm and votedFor are persistent; currentTerm increases monotonically", "Figure 2, State"},
    [RAFT_T16] =
        {"T16", "a snapshot installed wrongly",
         "retain the entries after the snapshot only if the entry at its end has the same index and term; else discard "
         "the log and reset the state machine",
         "Figure 13, InstallSnapshot receiver 6 to 8"},
    [RAFT_T17] = {"T17", "off by one where snapshot and log meet",
                  "prevLogIndex and prevLogTerm are those of the entry before the new ones",
                  "Figure 2, AppendEntries; section 7"},
    [RAFT_T18] = {"T18", "a check and its act in one node torn apart by another handler",
                  "the answer to an RPC is decided and its effects made as one step", "Figure 2"},
    [RAFT_T19] =
        {"T19", "majorities of two configurations that do not overlap",
         "a server uses the latest configuration in its log; one change at a time, after an entry of the leader's own term "
         "is committed",
         "section 6; Ongaro 2015"},
    [RAFT_T20] = {"T20", "a leader rewrote its own log", "a leader never overwrites or deletes entries in its log",
                  "Figure 3, Leader Append-Only"},
    [RAFT_T21] = {"T21", "a read answered without knowing to lead",
                  "a leader has an entry of its term committed and has heard from a majority after the read arrived",
                  "section 8"},
    [RAFT_T22] = {"T22", "a server disturbs a leader that is heard",
                  "servers disregard RequestVote when they believe a current leader exists",
                  "section 6; dissertation 4.2.3"},
    [RAFT_T23] = {"T23", "entries applied twice, out of order, or not at all",
                  "if commitIndex > lastApplied, increment lastApplied and apply log[lastApplied]", "Figure 2, All Servers"},
    [RAFT_T24] = {"T24", "applying an entry has another outcome on another node",
                  "state machines that apply the same entries in the same order produce the same state", "section 2"},
    [RAFT_T25] = {"T25", "the environment took away or swapped what was durable",
                  "what was written to stable storage is there after a restart", "section 5, assumption"},
};

static const struct raft_rules *const families[] = {
    &rules_votes, &rules_terms, &rules_heard, &rules_disk, &rules_log, &rules_members, &rules_commit, &rules_clients,
    &rules_apply,
};
#define FAMILIES (sizeof families / sizeof *families)

bool rules_init(struct raft_model *m)
{
    m->rule_state = calloc(FAMILIES, sizeof *m->rule_state);
    bool good = m->rule_state != NULL;
    for (size_t i = 0; i < FAMILIES && good; i++)
        good = (m->rule_state[i] = calloc(1, families[i]->size ? families[i]->size : 1)) != NULL;
    return good;
}

void rules_before(struct step *s)
{
    if (s->model->unjudged)
        return;
    for (size_t i = 0; i < FAMILIES; i++)
        if (families[i]->before)
            families[i]->before(s, s->model->rule_state[i]);
}

void rules_after(struct step *s)
{
    if (s->model->unjudged)
        return;
    for (size_t i = 0; i < FAMILIES; i++)
        if (families[i]->after)
            families[i]->after(s, s->model->rule_state[i]);
}

void rules_restart(struct step *s)
{
    for (size_t i = 0; i < FAMILIES && !s->model->unjudged; i++) {
        const struct raft_rules *r = families[i];
        void *item = r->forgets ? each_at(s->model->rule_state[i], (size_t)(s->node - s->model->node)) : NULL;
        if (r->restart)
            r->restart(s, s->model->rule_state[i]);
        if (item)
            memset(item, 0, r->each);
    }
}

void rules_finish(struct raft_model *m)
{
    for (size_t i = 0; i < FAMILIES && !m->unjudged; i++)
        if (families[i]->finish)
            families[i]->finish(m, m->rule_state[i]);
}

void rules_fini(struct raft_model *m)
{
    for (size_t i = 0; i < FAMILIES && m->rule_state; i++) {
        if (families[i]->fini && m->rule_state[i])
            families[i]->fini(m->rule_state[i]);
        if (families[i]->each && m->rule_state[i])
            each_fini(m->rule_state[i]);
        free(m->rule_state[i]);
    }
    free(m->rule_state);
    free(m->rule_break);
}

/* --- what a family keeps --- */

void *each_at(const struct each *all, size_t node)
{
    return node < all->count ? all->item[node] : NULL;
}

void *each_of(struct step *s, struct each *all, size_t size)
{
    size_t node = (size_t)(s->node - s->model->node);
    if (node >= all->count) {
        void **grown = realloc(all->item, (node + 1) * sizeof *grown);
        if (!grown) {
            step_out_of_memory(s);
            return NULL;
        }
        memset(grown + all->count, 0, (node + 1 - all->count) * sizeof *grown);
        all->item = grown;
        all->count = node + 1;
    }
    if (!all->item[node] && !(all->item[node] = calloc(1, size)))
        step_out_of_memory(s);
    return all->item[node];
}

void each_fini(struct each *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->item[i]);
    free(all->item);
}

/* --- breaks --- */

static bool break_is(const struct step *s, const struct raft_break *b, enum raft_class class, enum raft_spoils spoils,
                     const char *peer)
{
    return b->class == class && b->spoils == spoils && b->at.node == (uint16_t)(s->node - s->model->node) &&
           strcmp(b->peer, peer) == 0;
}

struct raft_break *break_open(struct step *s, enum raft_class class, enum raft_spoils spoils, const char *peer)
{
    for (size_t i = s->model->breaks; i-- > 0;) {
        struct raft_break *b = &s->model->rule_break[i];
        if (b->healed.how == RAFT_HOW_NONE && break_is(s, b, class, spoils, peer))
            return b;
    }
    return NULL;
}

/* A break that says the same already. Elections are told apart by their terms: a second one is not made good by the first.
 */
static struct raft_break *break_same(struct step *s, enum raft_class class, enum raft_spoils spoils, uint64_t term,
                                     const char *peer)
{
    struct raft_model *m = s->model;
    if (spoils != RAFT_SPOILS_ELECTION)
        return break_open(s, class, spoils, peer);
    for (size_t i = m->breaks; i-- > 0;) {
        if (m->rule_break[i].term == term && break_is(s, &m->rule_break[i], class, spoils, peer))
            return &m->rule_break[i];
    }
    return NULL;
}

/* Of what a node does again and again, term by term or healed each time, only the latest few are kept, and the first. */
static void break_recycle(struct step *s, enum raft_class class, enum raft_spoils spoils, const char *peer)
{
    struct raft_model *m = s->model;
    size_t first = m->breaks, second = m->breaks, healed = m->breaks, same = 0;
    for (size_t i = m->breaks; i-- > 0;) {
        if (!break_is(s, &m->rule_break[i], class, spoils, peer))
            continue;
        second = first;
        first = i;
        if (m->rule_break[i].healed.how != RAFT_HOW_NONE)
            healed = i;
        same++;
    }
    if (same < BREAKS_ALIKE)
        return;
    size_t gone = healed < m->breaks ? healed : second;
    memmove(&m->rule_break[gone], &m->rule_break[gone + 1], (m->breaks - gone - 1) * sizeof *m->rule_break);
    m->breaks--;
}

static struct raft_break *break_room(struct step *s)
{
    struct raft_model *m = s->model;
    if (m->breaks == BREAKS_KEPT)
        return NULL;
    if (m->breaks == m->breaks_capacity) {
        size_t capacity = m->breaks ? 2 * m->breaks : 4;
        struct raft_break *grown = realloc(m->rule_break, capacity * sizeof *grown);
        if (!grown) {
            step_out_of_memory(s);
            return NULL;
        }
        m->rule_break = grown;
        m->breaks_capacity = capacity;
    }
    return &m->rule_break[m->breaks++];
}

struct raft_break *break_add(struct step *s, enum raft_class class, enum raft_spoils spoils, uint64_t term, uint64_t index,
                             const char *peer)
{
    struct raft_break *b = break_same(s, class, spoils, term, peer);
    if (b && (spoils != RAFT_SPOILS_COMMIT || b->index >= index)) {
        b->count++;
        return NULL;
    }
    break_recycle(s, class, spoils, peer);
    b = break_room(s);
    if (!b)
        return NULL;
    *b = (struct raft_break){.class = class, .at = step_witness(s, RAFT_HOW_SENT, true), .cluster = s->node->cluster,
                             .shape = "", .spoils = spoils, .term = term, .index = index, .count = 1,
                             .settled = settled_has(&s->cluster->settled, index)};
    memcpy(b->peer, peer, strnlen(peer, sizeof b->peer - 1));
    return b;
}

void break_text(struct raft_break *b, const char *shape, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!b) {
        va_end(args);
        return;
    }
    b->shape = shape;
    vsnprintf(b->text, sizeof b->text, format, args);
    va_end(args);
}

void break_likely(struct raft_break *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (b) {
        b->likely = true;
        vsnprintf(b->settle, sizeof b->settle, format, args);
    }
    va_end(args);
}

void break_reason(struct raft_break *b, const struct raft_witness *at, const char *format, ...)
{
    if (!b || at->how == RAFT_HOW_NONE || b->reasons == RAFT_REASONS)
        return;
    size_t place = b->reasons++;
    for (; place && b->reason[place - 1].at.order > at->order; place--)
        b->reason[place] = b->reason[place - 1];
    struct raft_reason *r = &b->reason[place];
    va_list args;
    va_start(args, format);
    r->at = *at;
    vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
}
