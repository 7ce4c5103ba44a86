/* What a node may do to its log: T10, T11, T16, T17, T20. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* Entries of the latest AppendEntries of a node that are remembered; a longer one is judged by its beginning. */
#define TERMS_KEPT 1024

struct append {
    struct raft_witness at; /* how is RAFT_HOW_NONE: none */
    uint64_t term, previous, previous_term;
    char leader[RAFT_NODE_NAME];
    bool snapshot, answered;
    uint64_t had_term;      /* snapshot: of the entry that the node's log had at its end; 0 none, or not known */
    size_t count;           /* that it carries; kept: the first TERMS_KEPT */
    uint64_t *terms;
};

/* A snapshot that a node accepted although its log had another entry, or none, at its end: nothing after it may stay. */
struct install {
    struct raft_witness at;
    uint64_t index, term, had_term, had_last;
};

/* A snapshot that a node was sent and has written: its state is that of the snapshot from then on. */
struct state {
    struct raft_witness at; /* how is RAFT_HOW_NONE: none, or the node has gone on from it */
    uint64_t index, digest; /* digest 0: unknown */
};

struct journal {
    struct append append;  /* the latest */
    struct append carried; /* the latest before it that carried entries, if it does not: they may be read in one go */
    struct install install;
    struct state state;
};

static struct journal *journal_of(struct step *s, struct each *all)
{
    return each_of(s, all, sizeof(struct journal));
}

/* --- what came last --- */

static void append_keep(struct step *s, struct append *a, const struct raft_message *m)
{
    if (!a->terms)
        a->terms = malloc(TERMS_KEPT * sizeof *a->terms);
    if (!a->terms) {
        step_out_of_memory(s);
        return;
    }
    *a = (struct append){.at = step_witness(s, RAFT_HOW_HEARD, true), .term = m->term, .previous = m->prev_index,
                         .previous_term = m->prev_term, .snapshot = m->type == RAFT_INSTALL_SNAPSHOT, .count = m->entries,
                         .terms = a->terms};
    memcpy(a->leader, m->from, sizeof a->leader);
    const struct raft_slot *slot = a->snapshot ? raft_node_slot(s->node, m->prev_index) : NULL;
    if (slot)
        a->had_term = slot->variant->term;
    for (size_t i = 0; i < m->entries && i < TERMS_KEPT; i++)
        a->terms[i] = m->entry[i].term;
}

static void append_next(struct step *s, struct journal *j, const struct raft_message *m)
{
    if (!m->entries && j->append.count && !j->append.answered) {
        struct append last = j->append;
        j->append = j->carried;
        j->carried = last;
    }
    append_keep(s, &j->append, m);
}

/* The first index at which the node's log holds another entry than the message: 0 none. */
static uint64_t append_conflict(struct raft_node *n, const struct append *a)
{
    for (size_t i = 0; i < a->count && i < TERMS_KEPT; i++) {
        const struct raft_slot *slot = raft_node_slot(n, a->previous + 1 + i);
        if (slot && slot->variant->term != a->terms[i])
            return a->previous + 1 + i;
    }
    return 0;
}

static void reason_of_append(struct step *s, struct raft_break *b, const struct append *a)
{
    if (!b || a->at.how == RAFT_HOW_NONE)
        return;
    if (a->snapshot)
        break_reason(b, &a->at, "gets a snapshot up to index %" PRIu64 " of term %" PRIu64 " from %s", a->previous,
                     a->previous_term, step_peer(s, a->leader));
    else
        break_reason(b, &a->at,
                     "gets AppendEntries of term %" PRIu64 " from %s: prevLogIndex %" PRIu64 " of term %" PRIu64
                     ", %zu entr%s",
                     a->term, step_peer(s, a->leader), a->previous, a->previous_term, a->count, a->count == 1 ? "y" : "ies");
}

/* --- truncation (T10, T20) --- */

static void leader_truncates(struct step *s, uint64_t index)
{
    struct raft_break *b = break_add(s, RAFT_T20, RAFT_SPOILS_LOG, s->node->leading, index, "");
    const struct raft_slot *slot = raft_node_slot(s->node, index);
    break_text(b, "leader",
               "%s, leader of term %" PRIu64 ", deleted or overwrote its own log from index %" PRIu64 " on", s->node->name,
               s->node->leading, index);
    if (b && slot)
        break_reason(b, &slot->witness, "has index %" PRIu64 " of term %" PRIu64 " in its log", index, slot->variant->term);
}

/* Nobody has sent it anything since it asked for votes: it deletes as the leader that it has just become. Of the same shape
 * as above: whether its role is known before it deletes is a matter of what it states. */
static void candidate_truncates(struct step *s, uint64_t index)
{
    const struct raft_letter *asked = &s->node->book.candidate;
    const struct raft_slot *slot = raft_node_slot(s->node, index);
    struct raft_break *b = break_add(s, RAFT_T20, RAFT_SPOILS_LOG, asked->term, index, "");
    break_text(b, "leader", "%s deleted its own log from index %" PRIu64 " on after its campaign for term %" PRIu64
               ", told so by nobody", s->node->name, index, asked->term);
    if (b && slot)
        break_reason(b, &slot->witness, "has index %" PRIu64 " of term %" PRIu64 " in its log", index, slot->variant->term);
    if (b)
        break_reason(b, &asked->at, "asks for votes in term %" PRIu64, asked->term);
}

/* The slot holds already what the message brought: a mark and a file tell of the same truncation. */
static bool brought(const struct append *a, const struct raft_slot *slot, uint64_t index)
{
    return slot->witness.order > a->at.order && index > a->previous && index - a->previous <= a->count &&
           slot->variant->term == a->terms[index - a->previous - 1];
}

/* The message asks for the log to end before `first`. */
static bool asks_for(struct step *s, const struct append *a, const struct raft_slot *slot, uint64_t first)
{
    uint64_t conflict = a->at.how != RAFT_HOW_NONE && a->at.process == s->fact->process ? append_conflict(s->node, a) : 0;
    return (conflict && conflict <= first) || brought(a, slot, first);
}

/* One of the messages that wait for their answers asks for it: many may be read in one go. */
static bool pending_asks_for(struct raft_node *n, const struct raft_slot *slot, uint64_t first)
{
    for (size_t i = 0; i < n->pending_count; i++) {
        const struct raft_pending *p = &n->pending[i];
        for (size_t k = 0; k < p->count && p->previous + 1 + k <= first; k++) {
            const struct raft_slot *had = p->entry[k] ? raft_node_slot(n, p->entry[k]->index) : NULL;
            if (had && had->variant->term != p->entry[k]->term)
                return true;
            if (had == slot && slot->variant == p->entry[k] && slot->witness.order > p->order) /* as brought() */
                return true;
        }
    }
    return false;
}

static void check_truncate(struct step *s, const struct journal *j)
{
    uint64_t first = s->fact->index + 1;
    const struct raft_slot *slot = raft_node_slot(s->node, first);
    const struct append *a = &j->append;
    if (!slot || slot->earlier || s->fact->loaded || s->fact->again)
        return;
    if (node_leads(s->node)) {
        leader_truncates(s, first);
        return;
    }
    const struct raft_letter *asked = &s->node->book.candidate;
    if (asked->at.how != RAFT_HOW_NONE && (a->at.how == RAFT_HOW_NONE || asked->at.order > a->at.order) &&
        s->node->heard == asked->term) {
        candidate_truncates(s, first);
        return;
    }
    if (a->at.how == RAFT_HOW_NONE || a->snapshot || a->count > TERMS_KEPT || a->at.process != s->fact->process)
        return;
    uint64_t conflict = append_conflict(s->node, a);
    if (asks_for(s, a, slot, first) || asks_for(s, &j->carried, slot, first) || pending_asks_for(s->node, slot, first))
        return;
    struct raft_break *b = break_add(s, RAFT_T10, RAFT_SPOILS_LOG, a->term, first, "");
    if (conflict)
        break_text(b, "truncated", "%s deleted its log from index %" PRIu64 " on; the first entry in conflict was index %"
                   PRIu64, s->node->name, first, conflict);
    else
        break_text(b, "truncated", "%s deleted its log from index %" PRIu64
                   " on; no entry that it was sent was in conflict with it", s->node->name, first);
    if (b)
        break_reason(b, &slot->witness, "has index %" PRIu64 " of term %" PRIu64 " in its log", first, slot->variant->term);
    reason_of_append(s, b, a);
}

/* --- appending (T11, T20) --- */

static bool same_entry(const struct raft_variant *v, const struct raft_entry *e, const char *protocol)
{
    return v->term == e->term && raft_variant_is(v, e, protocol);
}

/* The same content in the same term at another index near by, where a leader sent it, or the node's own log has it (`own`):
 * where a misplaced entry belongs. */
static uint64_t belongs_to(struct step *s, const struct raft_entry *e, bool own)
{
    uint64_t last = e->index < UINT64_MAX - 65 ? e->index + 64 : 0; /* near the edge there is nothing */
    for (uint64_t i = e->index > 64 ? e->index - 64 : 1; e->digest && i <= last; i++) {
        const struct raft_variant *v = raft_cluster_entries(s->cluster, i);
        const struct raft_slot *slot = own ? raft_node_slot(s->node, i) : NULL;
        for (; v && i != e->index; v = v->next) {
            if ((v->offered || (slot && slot->variant == v)) && v->term == e->term &&
                raft_variant_shows(v, e->digest, s->fact->protocol))
                return i;
        }
    }
    return 0;
}

static void check_append(struct step *s, const struct journal *j)
{
    const struct raft_entry *e = &s->fact->entry;
    const struct raft_variant *v = raft_cluster_entries(s->cluster, e->index), *other = NULL;
    const struct raft_slot *slot = raft_node_slot(s->node, e->index);
    if (s->fact->loaded || s->fact->again)
        return;
    if (node_leads(s->node)) {
        if (slot && !slot->earlier && slot->witness.exact && !same_entry(slot->variant, e, s->fact->protocol))
            leader_truncates(s, e->index);
        return;
    }
    for (; v; v = v->next) {
        if (same_entry(v, e, s->fact->protocol) && v->offered)
            return;
        if (v->offered && v->term == e->term)
            other = v;
    }
    uint64_t belongs = belongs_to(s, e, false);
    if ((!other && !belongs) || j->append.at.how == RAFT_HOW_NONE || s->node->leading == e->term)
        return;
    bool boundary = j->append.previous < s->node->snapshot;
    struct raft_break *b = break_add(s, boundary ? RAFT_T17 : RAFT_T11, RAFT_SPOILS_LOG, e->term, e->index, "");
    if (belongs && boundary)
        break_text(b, "moved", "%s put the entry of index %" PRIu64 " (term %" PRIu64 ") at index %" PRIu64
                   ": the message began before its snapshot, which ends at index %" PRIu64, s->node->name, belongs, e->term,
                   e->index, s->node->snapshot);
    else if (belongs)
        break_text(b, "moved", "%s put the entry of index %" PRIu64 " (term %" PRIu64 ") at index %" PRIu64, s->node->name,
                   belongs, e->term, e->index);
    else
        break_text(b, "other", "%s put an entry at index %" PRIu64 " of term %" PRIu64 " that is not the leader's",
                   s->node->name, e->index, e->term);
    reason_of_append(s, b, &j->append);
}

/* --- what a leader sends (T11, T17) --- */

static bool own_entry(const struct raft_slot *slot)
{
    return slot && !slot->earlier && raft_witness_seen(&slot->witness);
}

/* What the cluster knows to be committed at an index, if the entry is another. */
static bool not_the_committed(struct step *s, const struct raft_entry *e)
{
    const struct raft_variant *v = raft_cluster_entries(s->cluster, e->index);
    bool other = false;
    for (; v; v = v->next) {
        if (same_entry(v, e, s->fact->protocol))
            return false;
        other |= v->offered && v->committed.how != RAFT_HOW_NONE && v->term <= e->term;
    }
    return other && e->index <= s->node->commit;
}

static bool sent_wrong(struct step *s, const struct raft_entry *e)
{
    const struct raft_slot *slot = raft_node_slot(s->node, e->index);
    if (own_entry(slot) && slot->witness.exact)
        return !same_entry(slot->variant, e, s->fact->protocol);
    return not_the_committed(s, e);
}

static void check_sent_entries(struct step *s, const struct raft_message *m)
{
    size_t i = 0;
    while (i < m->entries && !sent_wrong(s, &m->entry[i]))
        i++;
    if (i == m->entries)
        return;
    const struct raft_entry *e = &m->entry[i];
    uint64_t belongs = belongs_to(s, e, true);
    bool boundary = s->node->snapshot && (belongs == e->index + 1 || belongs + 1 == e->index);
    const struct raft_slot *slot = raft_node_slot(s->node, e->index);
    struct raft_break *b = break_add(s, boundary ? RAFT_T17 : RAFT_T11, RAFT_SPOILS_LOG, m->term, e->index, m->to);
    if (belongs)
        break_text(b, "sent-moved", "%s, leader of term %" PRIu64 ", sent %s the entry of index %" PRIu64 " as index %"
                   PRIu64 "%s", s->node->name, m->term, step_peer(s, m->to), belongs, e->index, boundary ?
                   ", after it had compacted its log" : "");
    else
        break_text(b, "sent-other", "%s, leader of term %" PRIu64 ", sent %s an entry of term %" PRIu64 " as index %" PRIu64
                   ", where its own log has another", s->node->name, m->term, step_peer(s, m->to), e->term, e->index);
    if (b && own_entry(slot))
        break_reason(b, &slot->witness, "has another entry at index %" PRIu64 " (term %" PRIu64 ")", e->index,
                     slot->variant->term);
}

static void check_sent(struct step *s)
{
    const struct raft_message *m = s->fact->message;
    const struct raft_slot *slot = raft_node_slot(s->node, m->prev_index);
    if (m->type != RAFT_APPEND_ENTRIES || m->term < s->node->bound)
        return;
    if (m->prev_index && own_entry(slot) && slot->variant->term != m->prev_term) {
        struct raft_break *b = break_add(s, RAFT_T17, RAFT_SPOILS_LOG, m->term, m->prev_index, m->to);
        break_text(b, "previous", "%s, leader of term %" PRIu64 ", sent %s AppendEntries with prevLogIndex %" PRIu64
                   " and prevLogTerm %" PRIu64, s->node->name, m->term, step_peer(s, m->to), m->prev_index, m->prev_term);
        if (b && slot)
            break_reason(b, &slot->witness, "has index %" PRIu64 " of term %" PRIu64 " in its log", m->prev_index,
                         slot->variant->term);
        return;
    }
    check_sent_entries(s, m);
}

/* --- what a follower accepts (T17, T11, T16) --- */

static void check_accepted(struct step *s, const struct journal *j)
{
    const struct raft_message *m = s->fact->message;
    const struct append *a = &j->append;
    if (m->type != RAFT_APPEND_ENTRIES_RESULT || !m->success || a->at.how == RAFT_HOW_NONE || a->snapshot ||
        a->term != m->term || strcmp(a->leader, m->to) != 0 || !a->previous || m->match < a->previous)
        return;
    const struct raft_slot *slot = raft_node_slot(s->node, a->previous);
    if (!own_entry(slot) || slot->variant->term == a->previous_term || !s->node->own_log)
        return;
    struct raft_break *b = break_add(s, RAFT_T17, RAFT_SPOILS_LOG, m->term, a->previous, m->to);
    break_text(b, "accepted", "%s accepted AppendEntries after index %" PRIu64 " of term %" PRIu64 "; its own log has term %"
               PRIu64 " there", s->node->name, a->previous, a->previous_term, slot->variant->term);
    if (b)
        break_reason(b, &slot->witness, "has index %" PRIu64 " of term %" PRIu64 " in its log", a->previous,
                     slot->variant->term);
    reason_of_append(s, b, a);
}

/* T12: it acknowledges what it has, not what the leader sent: an entry that the leader does not hold. */
static void check_acknowledged(struct step *s)
{
    const struct raft_message *m = s->fact->message;
    const struct raft_exchange *x = book_find(&s->node->book, m->to);
    const struct raft_slot *slot = raft_node_slot(s->node, m->match);
    if (m->type != RAFT_APPEND_ENTRIES_RESULT || !m->success || !x || x->append_got.at.how == RAFT_HOW_NONE ||
        x->append_got.term != m->term || m->match <= x->append_got.index + x->append_got.count || !slot || slot->earlier)
        return;
    struct raft_node *leader = step_node(s, m->to);
    const struct raft_slot *theirs = leader ? raft_node_slot(leader, m->match) : NULL;
    bool foreign = slot->variant->term < m->term && leader && leader->leading == m->term &&
                   (theirs ? theirs->variant != slot->variant : leader->last < m->match);
    if (!foreign)
        return;
    struct raft_break *b =
        break_add(s, RAFT_T12, RAFT_SPOILS_ACK, m->term, x->append_got.index + x->append_got.count + 1, m->to);
    break_text(b, "beyond",
               "%s acknowledged index %" PRIu64 " to %s in term %" PRIu64 "; what it was sent ends at index %" PRIu64
               ", and %s does not hold its entry", s->node->name, m->match, step_peer(s, m->to), m->term,
               x->append_got.index + x->append_got.count, step_peer(s, m->to));
    if (b)
        break_reason(b, &slot->witness, "has index %" PRIu64 " of term %" PRIu64 " in its log", m->match,
                     slot->variant->term);
    break_reason(b, &x->append_got.at, "gets AppendEntries: prevLogIndex %" PRIu64 ", %" PRIu64 " entries",
                 x->append_got.index, x->append_got.count);
}

static void install_begins(struct step *s, struct journal *j)
{
    const struct raft_message *m = s->fact->message;
    const struct append *a = &j->append;
    bool result = m->type == RAFT_INSTALL_SNAPSHOT_RESULT || m->type == RAFT_APPEND_ENTRIES_RESULT;
    if (!result || !m->success || !a->snapshot || a->at.how == RAFT_HOW_NONE || a->term != m->term ||
        s->node->last <= a->previous)
        return;
    const struct raft_slot *slot = raft_node_slot(s->node, a->previous);
    if (!slot || slot->variant->term == a->previous_term)
        return;
    j->install = (struct install){step_witness(s, RAFT_HOW_SENT, true), a->previous, a->previous_term, slot->variant->term,
                                  s->node->last};
}

static bool installing(const struct append *a, uint64_t index)
{
    return a->at.how != RAFT_HOW_NONE && a->snapshot && a->previous == index;
}

/* What came after another entry than that at the end of the snapshot stays in the log (Figure 13, receiver 7). */
static void tail_kept(struct step *s, const struct append *a, uint64_t last)
{
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_LOG, a->term, a->previous + 1, "");
    break_text(b, "kept", "%s kept its log up to index %" PRIu64 " when it installed a snapshot up to index %" PRIu64
               " of term %" PRIu64 ", where it had an entry of term %" PRIu64, s->node->name, last, a->previous,
               a->previous_term, a->had_term);
    reason_of_append(s, b, a);
}

static bool tail_must_go(const struct append *a)
{
    return a->at.how != RAFT_HOW_NONE && a->snapshot && a->had_term && a->had_term != a->previous_term;
}

/* Nobody but the old log has entries of such a term behind the snapshot. */
static void check_written_again(struct step *s, const struct journal *j)
{
    const struct raft_entry *e = &s->fact->entry;
    const struct raft_slot *slot = raft_node_slot(s->node, e->index);
    if (slot && !slot->durable && slot->variant->term == e->term && slot->witness.order < j->append.at.order)
        return; /* it had it in memory before: the write may have been due since */
    if (!s->fact->loaded && !s->fact->again && tail_must_go(&j->append) && e->index > j->append.previous &&
        e->term < j->append.previous_term)
        tail_kept(s, &j->append, e->index);
}

static void check_rewritten(struct step *s, const struct journal *j)
{
    const struct raft_fact *f = s->fact;
    if (tail_must_go(&j->append) && j->append.previous == f->index && f->entry.index > f->index)
        tail_kept(s, &j->append, f->entry.index);
}

/* The log ends where the old one did, although all after the snapshot had to go (Figure 13, receiver 7). */
static void check_tail_kept(struct step *s, struct journal *j, uint64_t last)
{
    struct install *i = &j->install;
    if (i->at.how == RAFT_HOW_NONE || last <= i->index)
        return;
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_LOG, i->term, i->index + 1, "");
    break_text(b, "kept", "%s kept its log up to index %" PRIu64 " when it installed a snapshot up to index %" PRIu64
               " of term %" PRIu64 ", where it had an entry of term %" PRIu64, s->node->name, last, i->index, i->term,
               i->had_term);
    reason_of_append(s, b, &j->append);
    if (b)
        b->at = i->at;
    i->at.how = RAFT_HOW_NONE;
}

static void check_commit_back(struct step *s, const struct journal *j)
{
    const struct raft_fact *f = s->fact;
    const struct append *a = &j->append;
    if (f->loaded || f->again || !a->snapshot || a->at.how == RAFT_HOW_NONE || f->index >= s->node->commit ||
        f->index != a->previous)
        return;
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_COMMIT, a->term, f->index, "");
    break_text(b, "commit", "%s went back from commit index %" PRIu64 " to %" PRIu64 " when it installed a snapshot",
               s->node->name, s->node->commit, f->index);
    reason_of_append(s, b, a);
}

/* It ends before what the node has committed: what is between is gone from log and state. */
static void check_snapshot_back(struct step *s, const struct journal *j)
{
    const struct raft_fact *f = s->fact;
    const struct raft_node *n = s->node;
    uint64_t had = n->commit > n->snapshot ? n->commit : n->snapshot;
    if (f->loaded || f->again || !installing(&j->append, f->index) || f->index >= had)
        return;
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_LOG, j->append.term, f->index + 1, "older");
    break_text(b, "older", "%s installed a snapshot up to index %" PRIu64 " when it had committed up to index %" PRIu64,
               n->name, f->index, had);
    reason_of_append(s, b, &j->append);
}

/* What the state has to be once the snapshot is installed. 0: not known. */
static uint64_t state_due(struct step *s, const struct journal *j)
{
    const struct raft_variant *v = raft_cluster_entries(s->cluster, j->state.index);
    while (v && (v->applied.how == RAFT_HOW_NONE || v->applied.node == (uint16_t)(s->node - s->model->node)))
        v = v->next;
    return j->state.digest ? j->state.digest : v ? v->state : 0;
}

static void state_wrong(struct step *s, struct journal *j, uint64_t digest)
{
    uint64_t due = state_due(s, j);
    if (!digest || !due || digest == due)
        return;
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_STATE, j->append.term, j->state.index, "kept");
    break_text(b, "state", "%s installed a snapshot up to index %" PRIu64 ", and its state is another than the snapshot's",
               s->node->name, j->state.index);
    if (!b)
        return;
    struct raft_witness shows = b->at;
    b->at = j->state.at;
    reason_of_append(s, b, &j->append);
    break_reason(b, &shows, "its state is %016" PRIx64 " after index %" PRIu64 ", not %016" PRIx64, digest, j->state.index,
                 due);
}

static void check_installed(struct step *s, struct journal *j)
{
    const struct raft_fact *f = s->fact;
    if (f->loaded || f->again || !installing(&j->append, f->index))
        return;
    if (j->state.at.how != RAFT_HOW_NONE && j->state.index == f->index)
        state_wrong(s, j, f->entry.digest); /* a mark and a file tell of the same snapshot */
    else
        j->state = (struct state){step_witness(s, RAFT_HOW_SNAPSHOT, true), f->index, f->entry.digest};
}

static void check_applied(struct step *s, struct journal *j)
{
    const struct raft_entry *e = &s->fact->entry;
    if (j->state.at.how != RAFT_HOW_NONE && e->index == j->state.index)
        state_wrong(s, j, e->digest);
    if (e->index > j->state.index)
        j->state.at.how = RAFT_HOW_NONE;
}

/* The state that a snapshot stands for is not the one that applying the same entries gave another node. */
static void check_snapshot_state(struct step *s, const struct journal *j)
{
    const struct raft_fact *f = s->fact;
    const struct raft_variant *v = raft_cluster_entries(s->cluster, f->index);
    if (f->loaded || f->again || !f->entry.digest)
        return;
    while (v && v->term != f->term)
        v = v->next;
    if (!v || v->applied.how == RAFT_HOW_NONE || v->state == f->entry.digest)
        return;
    bool installed = j->append.snapshot && j->append.previous == f->index;
    if (!installed)
        return; /* of its own state: what made it differ is looked for where it was applied */
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_STATE, f->term, f->index, "state");
    break_text(b, "made", "%s has another state after the snapshot up to index %" PRIu64 " than %s had after applying it",
               s->node->name, f->index, s->model->node[v->applied.node].name);
    reason_of_append(s, b, &j->append);
}

/* --- the facts --- */

static void before_message(struct step *s, struct journal *j)
{
    const struct raft_message *m = s->fact->message;
    if (s->fact->kind == RAFT_FACT_RECEIVED) {
        if ((m->type == RAFT_APPEND_ENTRIES || m->type == RAFT_INSTALL_SNAPSHOT) && m->term >= s->node->bound)
            append_next(s, j, m);
        return;
    }
    if (m->type == RAFT_APPEND_ENTRIES_RESULT) {
        j->carried.at.how = RAFT_HOW_NONE; /* all that was read in one go is done */
        j->append.answered = true;
    }
    check_sent(s);
    check_accepted(s, j);
    check_acknowledged(s);
    install_begins(s, j);
    if (m->type == RAFT_REQUEST_VOTE)
        check_tail_kept(s, j, m->prev_index);
}

static void before(struct step *s, void *state)
{
    struct journal *j = journal_of(s, state);
    if (!j)
        return;
    switch (s->fact->kind) {
    case RAFT_FACT_SENT: case RAFT_FACT_RECEIVED:
        before_message(s, j);
        break;
    case RAFT_FACT_TRUNCATE:
        check_truncate(s, j);
        break;
    case RAFT_FACT_APPEND:
        check_written_again(s, j);
        check_append(s, j);
        if (!s->fact->again && s->fact->entry.index > j->install.index)
            j->install.at.how = RAFT_HOW_NONE; /* what comes is new */
        break;
    case RAFT_FACT_COMMIT:
        check_commit_back(s, j);
        break;
    case RAFT_FACT_SNAPSHOT:
        check_snapshot_back(s, j);
        check_snapshot_state(s, j);
        check_installed(s, j);
        break;
    case RAFT_FACT_REWRITTEN:
        check_rewritten(s, j);
        break;
    case RAFT_FACT_APPLY:
        check_applied(s, j);
        break;
    default:
        break;
    }
}

static void restart(struct step *s, void *state)
{
    struct journal *j = journal_of(s, state);
    if (j)
        j->append.at.how = j->carried.at.how = j->install.at.how = j->state.at.how = RAFT_HOW_NONE;
}

static void fini(void *state)
{
    struct each *all = state;
    for (size_t i = 0; i < all->count; i++) {
        struct journal *j = all->item[i];
        free(j ? j->append.terms : NULL);
        free(j ? j->carried.terms : NULL);
    }
}

const struct raft_rules rules_log = {
    .name = "log", .size = sizeof(struct each), .each = sizeof(struct journal), .before = before, .restart = restart,
    .fini = fini,
};
