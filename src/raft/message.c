#include "raft/parts.h"

#include <stdlib.h>
#include <string.h>

/* Messages of one node that wait for its answer. More means that answers are not seen: the oldest are forgotten, which
 * can only lose inferences, never make a wrong one. */
#define PENDING_MAX 256

static void pending_fini(struct raft_pending *p)
{
    free(p->entry);
}

/* Forget the messages from `first` on, up to but without `last`. */
static void pending_remove(struct raft_node *n, size_t first, size_t last)
{
    if (first == last)
        return;
    for (size_t i = first; i < last; i++)
        pending_fini(&n->pending[i]);
    memmove(&n->pending[first], &n->pending[last], (n->pending_count - last) * sizeof *n->pending);
    n->pending_count -= last - first;
}

void pending_drop(struct raft_node *n)
{
    pending_remove(n, 0, n->pending_count);
    free(n->pending);
    n->pending = NULL;
}

static void pending_add(struct step *s, const struct raft_message *m, bool snapshot)
{
    struct raft_node *n = s->node;
    if (!n->pending)
        n->pending = malloc(PENDING_MAX * sizeof *n->pending);
    struct raft_variant **entry = m->entries ? calloc(m->entries, sizeof(struct raft_variant *)) : NULL;
    if (!n->pending || (m->entries && !entry)) {
        free(entry);
        step_out_of_memory(s);
        return;
    }
    if (n->pending_count == PENDING_MAX)
        pending_remove(n, 0, 1);
    struct raft_pending *p = &n->pending[n->pending_count++];
    *p = (struct raft_pending){.term = m->term, .previous = m->prev_index, .previous_term = m->prev_term,
                               .commit = m->commit, .order = s->model->facts, .snapshot = snapshot, .entry = entry};
    memcpy(p->leader, m->from, sizeof p->leader);
    for (size_t i = 0; i < m->entries; i++) {
        if (m->entry[i].index != m->prev_index + 1 + i)
            break; /* not what Figure 2 calls AppendEntries: what it leaves in a log cannot be told */
        p->entry[p->count] = entry_find(s, m->entry[i].index, &m->entry[i]);
        if (p->entry[p->count])
            p->entry[p->count]->offered = true;
        p->count++;
    }
}

/* AppendEntries, receiver 2 (Figure 2), as far as the log is known. */
static bool pending_consistent(struct raft_node *n, const struct raft_pending *p)
{
    const struct raft_slot *slot = raft_node_slot(n, p->previous);
    return !slot || slot->variant->term == p->previous_term;
}

/* Receiver 3 to 5 (Figure 2), up to `last`. A node that shows its own log is not told what is in it: only what is not known
 * is filled in, and the commit index ends where the log shown is not the leader's. */
static void pending_accept(struct step *s, const struct raft_pending *p, uint64_t last)
{
    struct raft_node *n = s->node;
    uint64_t verified = p->previous;
    if (p->previous && !raft_node_slot(n, p->previous))
        log_put(s, entry_find_term(s, p->previous, p->previous_term), RAFT_HOW_ACKNOWLEDGED, false);
    for (size_t i = 0; i < p->count && p->entry[i] && p->entry[i]->index <= last; i++) {
        const struct raft_slot *slot = raft_node_slot(n, p->entry[i]->index);
        if (n->own_log && slot && slot->variant->term != p->entry[i]->term)
            break;
        if (!n->own_log || !slot)
            log_put(s, p->entry[i], RAFT_HOW_ACKNOWLEDGED, p->entry[i]->digest != 0);
        verified = p->entry[i]->index;
    }
    log_commit(s, p->commit < verified ? p->commit : verified, RAFT_HOW_FOLLOWED, p->term);
}

static bool pending_answered(const struct raft_pending *p, const struct raft_message *m)
{
    if (p->term != m->term || (p->leader[0] && m->to[0] && strcmp(p->leader, m->to) != 0))
        return false;
    if (p->snapshot)
        return m->type == RAFT_INSTALL_SNAPSHOT_RESULT || m->match >= p->previous;
    return m->type == RAFT_APPEND_ENTRIES_RESULT && m->match >= p->previous + p->count;
}

/* The result names an index within the message: pysyncobj's always names the last but one. */
static bool pending_begun(const struct raft_pending *p, const struct raft_message *m)
{
    return p->term == m->term && !p->snapshot && m->type == RAFT_APPEND_ENTRIES_RESULT && m->match > p->previous &&
           (!p->leader[0] || !m->to[0] || strcmp(p->leader, m->to) == 0);
}

/* A result that says yes. All that arrived in its term and stands at or before the index it names is in the log, since a
 * leader's log does not change within its term (Leader Append-Only). */
static void sent_success(struct step *s, const struct raft_message *m)
{
    struct raft_node *n = s->node;
    size_t kept = 0;
    for (size_t i = 0; i < n->pending_count; i++) {
        struct raft_pending p = n->pending[i];
        if (pending_answered(&p, m)) {
            if (p.snapshot)
                log_snapshot(s, p.previous, p.previous_term, RAFT_HOW_ACKNOWLEDGED);
            else if (pending_consistent(n, &p))
                pending_accept(s, &p, UINT64_MAX);
            else if (!n->own_log) /* it was rewritten unseen: what was inferred of it is void */
                log_cut(n, p.previous - 1);
        } else if (p.term >= m->term) {
            if (pending_begun(&p, m) && pending_consistent(n, &p))
                pending_accept(s, &p, m->match);
            n->pending[kept++] = p;
            continue;
        }
        pending_fini(&p);
    }
    n->pending_count = kept;
}

static void sent_result(struct step *s, const struct raft_message *m)
{
    if (m->success)
        sent_success(s, m);
    else /* which of them it refuses, protocols do not say; what was refused must not count later */
        pending_remove(s->node, 0, s->node->pending_count);
}

/* What a leader sends, it holds. A message that waited in a queue while the node learnt of a later term shows what its
 * log was, not what it is. */
static void sent_append(struct step *s, const struct raft_message *m)
{
    bool current = m->term >= s->node->bound;
    term_led(s, m->term, RAFT_HOW_SENT);
    for (size_t i = 0; i <= m->entries; i++) {
        bool exact = i && m->entry[i - 1].digest;
        struct raft_variant *v = i ? entry_find(s, m->entry[i - 1].index, &m->entry[i - 1])
                                   : entry_find_term(s, m->prev_index, m->prev_term);
        if (!v)
            continue;
        v->offered |= i > 0;
        struct raft_witness w = step_witness(s, RAFT_HOW_SENT, exact);
        if (current)
            log_put(s, v, RAFT_HOW_SENT, exact);
        else
            entry_shown(s, v, &w);
        entry_led(s, v, m->term, exact);
    }
    if (current)
        log_commit(s, m->commit, RAFT_HOW_LEADER_COMMIT, m->term);
}

static void sent_snapshot(struct step *s, const struct raft_message *m)
{
    term_led(s, m->term, RAFT_HOW_SENT);
    struct raft_variant *v = entry_find_term(s, m->prev_index, m->prev_term);
    if (!v)
        return;
    entry_led(s, v, m->term, false);
    if (m->term < s->node->bound)
        return;
    log_put(s, v, RAFT_HOW_SNAPSHOT, false);
    log_commit(s, m->prev_index, RAFT_HOW_SNAPSHOT, m->term);
}

static void sent_request_vote(struct step *s, const struct raft_message *m)
{
    if (!m->pre_vote)
        term_vote(s, m->term, m->from);
}

static void sent_vote(struct step *s, const struct raft_message *m)
{
    if (m->success && !m->pre_vote)
        term_vote(s, m->term, m->vote[0] ? m->vote : m->to);
}

/* Receiver 3: what the message contradicts is gone, or will be before the node speaks of it again. Where a node does not
 * show its own log, that is not waited for: its commit index may be seen before its answer. */
static void append_contradicts(struct step *s, const struct raft_message *m)
{
    struct raft_node *n = s->node;
    const struct raft_slot *before = raft_node_slot(n, m->prev_index);
    if (n->own_log || m->term < n->heard || (before && before->variant->term != m->prev_term))
        return;
    for (size_t i = 0; i < m->entries; i++) {
        const struct raft_slot *slot = raft_node_slot(n, m->entry[i].index);
        if (!slot || slot->variant->term == m->entry[i].term)
            continue;
        log_cut(n, m->entry[i].index - 1);
        return;
    }
}

static void received_append(struct step *s, const struct raft_message *m)
{
    term_heard(s, m->term, m->from);
    append_contradicts(s, m);
    pending_add(s, m, false);
}

static void slot_doubt(void *context, uint64_t index, void *cell)
{
    (void)context, (void)index;
    ((struct raft_slot *)cell)->earlier = true;
}

/* Until the answer, or if it is never seen, the log may be the old one or the snapshot's. */
static void received_snapshot(struct step *s, const struct raft_message *m)
{
    term_heard(s, m->term, m->from);
    pages_each(&s->node->log, slot_doubt, NULL);
    pending_add(s, m, true);
}

/* Whoever tells a client that its command is done says that it is committed. Only a leader knows that by itself; what
 * another hands on is the leader's word for its own log. */
static void sent_client_result(struct step *s, const struct raft_message *m)
{
    const struct raft_node *n = s->node;
    if (m->success && !m->read && m->match && node_leads(n))
        log_commit(s, m->match, RAFT_HOW_ANSWERED, n->leading);
}

static const struct {
    void (*sent)(struct step *s, const struct raft_message *m);
    void (*received)(struct step *s, const struct raft_message *m);
} handlers[RAFT_CLIENT_RESULT + 1] = {
    [RAFT_REQUEST_VOTE] = {sent_request_vote, NULL},
    [RAFT_REQUEST_VOTE_RESULT] = {sent_vote, NULL},
    [RAFT_APPEND_ENTRIES] = {sent_append, received_append},
    [RAFT_APPEND_ENTRIES_RESULT] = {sent_result, NULL},
    [RAFT_INSTALL_SNAPSHOT] = {sent_snapshot, received_snapshot},
    [RAFT_INSTALL_SNAPSHOT_RESULT] = {sent_result, NULL},
    [RAFT_CLIENT_RESULT] = {sent_client_result, NULL},
};

/* Whether the message's term is one that somebody has really reached: pre-votes ask for the next one (dissertation, 9.6). */
static bool message_has_term(const struct raft_message *m)
{
    return m->type != RAFT_NONE && m->type < RAFT_OTHER && !m->pre_vote && m->term;
}

void node_bound(struct raft_node *n, uint64_t term)
{
    if (term > n->bound)
        n->bound = term;
    if (term > n->heard)
        n->heard = term;
}

void message_sent(struct step *s)
{
    const struct raft_message *m = s->fact->message;
    struct raft_node *n = s->node;
    peer_self(s, m->from);
    peer_heard(s, m->to, false);
    if (message_has_term(m) && m->term > n->term)
        n->term = m->term;
    node_bound(n, n->term);
    if (m->type <= RAFT_CLIENT_RESULT && handlers[m->type].sent)
        handlers[m->type].sent(s, m);
}

void message_received(struct step *s)
{
    const struct raft_message *m = s->fact->message;
    peer_heard(s, m->from, true);
    if (message_has_term(m)) {
        s->node->term_known = true;
        if (m->term > s->node->heard)
            s->node->heard = m->term;
        if (!m->may_disregard)
            node_bound(s->node, m->term);
    }
    if (m->type <= RAFT_CLIENT_RESULT && handlers[m->type].received)
        handlers[m->type].received(s, m);
}
