#include "raft/book.h"

#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"

/* Bounds against hostile input: no cluster has so many members, and no node so many configurations that still matter. */
#define EXCHANGES_MAX 256
#define CONFIGURATIONS_MAX 64

struct raft_exchange *book_find(const struct raft_book *b, const char *id)
{
    for (size_t i = 0; i < b->exchanges; i++) {
        if (strcmp(b->exchange[i].id, id) == 0)
            return &b->exchange[i];
    }
    return NULL;
}

struct raft_exchange *book_make(struct raft_book *b, const char *id)
{
    struct raft_exchange *x = book_find(b, id);
    if (x || !id[0] || b->exchanges == EXCHANGES_MAX)
        return x;
    x = realloc(b->exchange, (b->exchanges + 1) * sizeof *x);
    if (!x)
        return NULL;
    b->exchange = x;
    x = memset(&b->exchange[b->exchanges++], 0, sizeof *x);
    memcpy(x->id, id, strnlen(id, sizeof x->id - 1));
    return x;
}

const struct raft_witness *book_committed(const struct raft_book *b, uint64_t index)
{
    for (size_t i = 0; i < b->histories; i++) {
        if (b->history[i].index >= index)
            return i || b->histories < RAFT_MAY_COMMITS ? &b->history[i].at : NULL;
    }
    return NULL;
}

static void history_add(struct raft_book *b)
{
    if (b->histories == RAFT_MAY_COMMITS)
        memmove(b->history, b->history + 1, --b->histories * sizeof b->history[0]);
    b->history[b->histories++] = (struct raft_may_commit){b->may_commit, b->verified};
}

static void configurations_cut(struct raft_book *b, uint64_t last)
{
    while (b->configurations && b->members[b->configurations - 1].index > last) {
        free(b->removed.text);
        b->removed = b->members[--b->configurations];
    }
}

static void configurations_drop_oldest(struct raft_book *b)
{
    free(b->members[0].text);
    memmove(b->members, b->members + 1, --b->configurations * sizeof *b->members);
}

/* It is known: an entry that is sent or heard once more changes nothing. What a leader sends is in its log, with all that follows. */
static bool configuration_known(const struct raft_book *b, uint64_t index, const char *text, enum raft_how how)
{
    for (size_t i = 0; i < b->configurations; i++)
        if (b->members[i].index == index && strcmp(b->members[i].text, text) == 0)
            return true;
    return how == RAFT_HOW_SENT && b->configurations && b->members[b->configurations - 1].index > index;
}

/* A configuration in the log: it takes the place of those at and after its index. */
static void configuration_put(struct step *s, uint64_t index, const char *text, enum raft_how how)
{
    struct raft_book *b = &s->node->book;
    if (!text || configuration_known(b, index, text, how))
        return;
    configurations_cut(b, index ? index - 1 : 0);
    if (b->configurations == CONFIGURATIONS_MAX)
        configurations_drop_oldest(b);
    if (!b->members)
        b->members = malloc(CONFIGURATIONS_MAX * sizeof *b->members);
    char *copy = b->members ? strdup(text) : NULL;
    if (copy)
        b->members[b->configurations++] = (struct raft_members){index, step_witness(s, how, true), copy, false};
    else
        step_out_of_memory(s);
}

static void configurations_of_message(struct step *s, const struct raft_message *m, enum raft_how how)
{
    for (size_t i = 0; i < m->entries; i++)
        configuration_put(s, m->entry[i].index, m->entry[i].members, how);
}

/* That of a snapshot takes the place of all that the snapshot stands for (Figure 13, InstallSnapshot receiver 8). One that
 * ends where the node has committed already is not installed. */
static void configuration_of_snapshot(struct step *s, const struct raft_message *m)
{
    struct raft_book *b = &s->node->book;
    const struct raft_entry *e = m->entries ? &m->entry[0] : NULL;
    if (!e || m->prev_index <= s->node->commit || (b->verified.how != RAFT_HOW_NONE && m->prev_index <= b->may_commit))
        return;
    size_t before = b->configurations;
    const struct raft_members *last = before ? &b->members[before - 1] : NULL;
    if (last && last->index >= e->index)
        return;
    configuration_put(s, e->index, e->members, RAFT_HOW_HEARD);
    if (b->configurations > before)
        b->members[b->configurations - 1].installed = true;
}

static void may_commit(struct step *s, uint64_t index)
{
    struct raft_book *b = &s->node->book;
    if (index <= b->may_commit && b->verified.how != RAFT_HOW_NONE)
        return;
    b->may_commit = index;
    if (b->unverified.commit <= index)
        b->unverified.at.how = RAFT_HOW_NONE;
    b->verified = step_witness(s, RAFT_HOW_COMMITTED, true);
    history_add(b);
}

static struct raft_letter letter(const struct step *s, const struct raft_message *m)
{
    bool result = m->type == RAFT_APPEND_ENTRIES_RESULT || m->type == RAFT_INSTALL_SNAPSHOT_RESULT;
    return (struct raft_letter){
        .at = step_witness(s, RAFT_HOW_SENT, true), .time = s->fact->time, .term = m->term,
        .index = result ? m->match : m->prev_index, .log_term = m->prev_term, .commit = m->commit,
        .count = m->type == RAFT_INSTALL_SNAPSHOT ? 0 : m->entries, .thread = s->fact->thread,
        .success = m->success, .pre_vote = m->pre_vote, .snapshot = m->type == RAFT_INSTALL_SNAPSHOT,
    };
}

/* An AppendEntries that came before and is not answered yet brings that entry: it is written by then. */
static bool is_offered(const struct raft_node *n, uint64_t index, uint64_t term)
{
    for (size_t i = 0; i < n->pending_count; i++) {
        const struct raft_pending *p = &n->pending[i];
        const struct raft_variant *v = index > p->previous && index - p->previous <= p->count ? p->entry[index - p->previous - 1] : NULL;
        if (v && v->term == term)
            return true;
    }
    return false;
}

/* AppendEntries, receiver 2: the node's own log has another entry before the new ones. */
static bool refutes(struct raft_node *n, const struct raft_message *m)
{
    const struct raft_slot *slot = m->prev_index && n->own_log ? raft_node_slot(n, m->prev_index) : NULL;
    return slot && raft_witness_seen(&slot->witness) && slot->variant->term != m->prev_term &&
           !is_offered(n, m->prev_index, m->prev_term);
}

static void append_tempts(struct step *s, const struct raft_letter *l, const struct raft_message *m)
{
    struct raft_letter *t = &s->node->book.tempting;
    uint64_t first = (refutes(s->node, m) ? m->prev_index : m->prev_index + m->entries + 1);
    const struct raft_slot *slot = t->at.how == RAFT_HOW_NONE && m->commit >= first ? raft_node_slot(s->node, first) : NULL;
    if (!slot)
        return;
    *t = *l;
    t->index = first;
    t->log_term = slot->variant->term;
}

/* AppendEntries, receiver 5 (Figure 2): min(leaderCommit, index of last new entry); "new" is what the message carries or
 * verifies. */
static void append_got(struct step *s, struct raft_exchange *x, const struct raft_letter *l, const struct raft_message *m)
{
    uint64_t verified = m->prev_index + m->entries;
    bool snapshot = m->type == RAFT_INSTALL_SNAPSHOT, current = m->term >= s->node->bound;
    bool same = x->append_got.at.how != RAFT_HOW_NONE && x->append_got.at.sequence == l->at.sequence;
    uint64_t ahead = same ? x->append_got.ahead + 1 : 0;
    x->append_got = s->node->book.heard = *l;
    x->append_got.ahead = ahead;
    if (snapshot && current)
        configuration_of_snapshot(s, m);
    if (m->type == RAFT_INSTALL_SNAPSHOT)
        may_commit(s, m->prev_index);
    else if (!refutes(s->node, m))
        may_commit(s, m->commit < verified ? m->commit : verified);
    struct raft_letter *beyond = &s->node->book.unverified;
    if (m->type == RAFT_APPEND_ENTRIES && m->commit > s->node->book.may_commit && beyond->at.how == RAFT_HOW_NONE)
        *beyond = *l;
    if (m->type == RAFT_APPEND_ENTRIES)
        append_tempts(s, l, m);
    if (current && !snapshot)
        configurations_of_message(s, m, RAFT_HOW_HEARD);
}

static void result_got(struct step *s, struct raft_exchange *x, struct raft_letter *l)
{
    bool same = x->result_got.at.how != RAFT_HOW_NONE && x->result_got.at.sequence == l->at.sequence;
    l->ahead = same ? x->result_got.ahead + 1 : 0;
    x->result_got = *l;
    if (!l->success || s->fact->message->type == RAFT_INSTALL_SNAPSHOT_RESULT)
        x->refused = *l;
    if (!l->success)
        return;
    bool stale = l->term < s->node->term;
    struct raft_letter *best = stale ? &x->stale : &x->acknowledged;
    if (best->at.how == RAFT_HOW_NONE || l->term > best->term || (l->term == best->term && l->index > best->index))
        *best = *l;
}

static void received(struct step *s, const struct raft_message *m)
{
    struct raft_exchange *x = book_make(&s->node->book, m->from);
    struct raft_letter l = letter(s, m);
    s->node->book.trigger = l;
    if (!x)
        return;
    switch (m->type) {
    case RAFT_REQUEST_VOTE:
        x->vote_asked = l;
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        if (m->success && !m->pre_vote)
            x->vote_got = l;
        break;
    case RAFT_APPEND_ENTRIES: case RAFT_INSTALL_SNAPSHOT:
        append_got(s, x, &l, m);
        break;
    case RAFT_APPEND_ENTRIES_RESULT: case RAFT_INSTALL_SNAPSHOT_RESULT:
        l.sent = x->confirmed;
        result_got(s, x, &l);
        break;
    default:
        break;
    }
}

static void sent(struct step *s, const struct raft_message *m)
{
    struct raft_exchange *x = book_make(&s->node->book, m->to);
    struct raft_letter l = letter(s, m);
    if (m->type == RAFT_REQUEST_VOTE && !m->pre_vote)
        s->node->book.candidate = l;
    if (m->type == RAFT_APPEND_ENTRIES)
        configurations_of_message(s, m, RAFT_HOW_SENT);
    if (!x)
        return;
    if (m->type == RAFT_REQUEST_VOTE_RESULT && m->success)
        x->vote_given = l;
    else if (m->type == RAFT_APPEND_ENTRIES || m->type == RAFT_INSTALL_SNAPSHOT)
        x->append_sent = l;
    else if (m->type == RAFT_APPEND_ENTRIES_RESULT || m->type == RAFT_INSTALL_SNAPSHOT_RESULT)
        x->result_sent = l;
}

void book_step(struct step *s)
{
    const struct raft_fact *f = s->fact;
    struct raft_book *b = &s->node->book;
    switch (f->kind) {
    case RAFT_FACT_SENT:
        sent(s, f->message);
        break;
    case RAFT_FACT_RECEIVED:
        received(s, f->message);
        break;
    case RAFT_FACT_CONFIGURATION:
        configuration_put(s, f->index, f->text, RAFT_HOW_STATED);
        break;
    case RAFT_FACT_TRUNCATE:
        configurations_cut(b, f->index);
        break;
    case RAFT_FACT_COMMIT:
        if (f->loaded)
            may_commit(s, f->index);
        break;
    case RAFT_FACT_SNAPSHOT:
        may_commit(s, f->index);
        break;
    default:
        break;
    }
}

void book_restart(struct raft_book *b)
{
    free(b->exchange);
    while (b->configurations)
        free(b->members[--b->configurations].text);
    free(b->removed.text);
    *b = (struct raft_book){.members = b->members};
}

void book_fini(struct raft_book *b)
{
    book_restart(b);
    free(b->members);
    b->members = NULL;
}
