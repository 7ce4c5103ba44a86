/* Terms: a higher one is taken over, by candidates and leaders too (T06), and within an incarnation they never fall (T15).
 * Votes of an old term are in rules_votes.c, leaders without an election in rules_election.c. */
#include <inttypes.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* A message that was read may wait in a queue, and one that is sent may have waited in one: only who sends in the old term,
 * hears, and sends again, so often, has surely seen the new one. */
#define TURNS_CERTAIN 3
#define TURNS_TOLD 2 /* where it was told of the new term once more, or went on to commit */

/* A term that a leader learnt of and has not taken over so far. */
struct higher {
    struct raft_witness at;
    uint64_t term, old;      /* that it leads */
    uint64_t commit;         /* its commit index then */
    char from[RAFT_NODE_NAME];
    struct raft_witness told, committed; /* again; went on to commit */
    struct raft_witness acted;           /* the latest AppendEntries of the old term */
    unsigned turns;
    bool heard_since;        /* something was received since `acted` */
};

struct speaker {
    uint64_t known;          /* highest term that it must have: its own, or received in what nobody may disregard */
    struct higher higher;
    uint64_t stated;         /* highest term that it stated in this incarnation */
    struct raft_witness stated_at;
    uint32_t stated_thread;
    uint64_t stands;         /* the term in which it is a candidate */
    struct raft_witness stands_at;
};

struct terms {
    struct each speaker; /* struct speaker */
};

static struct speaker *speaker_of(struct step *s, struct terms *t)
{
    return each_of(s, &t->speaker, sizeof(struct speaker));
}

static bool is_request(const struct raft_message *m)
{
    return m->type == RAFT_APPEND_ENTRIES || m->type == RAFT_INSTALL_SNAPSHOT;
}

static bool is_result(const struct raft_message *m)
{
    return m->type == RAFT_APPEND_ENTRIES_RESULT || m->type == RAFT_INSTALL_SNAPSHOT_RESULT;
}

/* --- T06: a leader that goes on --- */

/* Results and requests of leaders bind everybody. RequestVote does not (dissertation, 4.2.3). */
static void higher_received(struct step *s, struct speaker *p, const struct raft_message *m)
{
    struct higher *h = &p->higher;
    const struct raft_node *n = s->node;
    if (h->at.how != RAFT_HOW_NONE) {
        h->heard_since = true;
        if (m->term >= h->term && h->turns && h->told.how == RAFT_HOW_NONE)
            h->told = step_witness(s, RAFT_HOW_HEARD, true);
        return;
    }
    if ((!is_result(m) && !is_request(m)) || !n->leading || n->leading != n->term ||
        m->term <= n->leading || p->known > n->leading)
        return;
    *h = (struct higher){
        .at = step_witness(s, RAFT_HOW_HEARD, true), .term = m->term, .old = n->leading, .commit = n->commit};
    memcpy(h->from, m->from, sizeof h->from);
}

static void leader_goes_on(struct step *s, const struct higher *h)
{
    struct raft_break *b = break_add(s, RAFT_T06, RAFT_SPOILS_TERM, h->term, 0, h->from);
    if (!b)
        return;
    struct raft_witness now = b->at;
    b->at = h->at;
    break_reason(b, &h->told, "hears of term %" PRIu64 " once more", h->term);
    break_reason(b, &h->committed, "goes on to commit as leader of term %" PRIu64, h->old);
    break_reason(b, &now, "goes on as leader of term %" PRIu64, h->old);
    break_text(b, "led-on", "%s, leader of term %" PRIu64 ", heard of term %" PRIu64 " from %s and went on to lead",
               s->node->name, h->old, h->term, step_peer(s, h->from));
}

static void higher_sent(struct step *s, struct speaker *p, const struct raft_message *m)
{
    struct higher *h = &p->higher;
    if (h->at.how == RAFT_HOW_NONE || !is_request(m) || m->term != h->old)
        return;
    if (!h->turns || h->heard_since)
        h->turns++;
    h->heard_since = false;
    h->acted = step_witness(s, RAFT_HOW_SENT, true);
    if (m->type == RAFT_APPEND_ENTRIES && m->commit > h->commit && h->turns > 1 && h->committed.how == RAFT_HOW_NONE)
        h->committed = h->acted;
    bool told = h->told.how != RAFT_HOW_NONE || h->committed.how != RAFT_HOW_NONE;
    if (h->turns >= (told ? TURNS_TOLD : TURNS_CERTAIN))
        leader_goes_on(s, h);
}

/* It took over a term that is as high: all is well. */
static void higher_adopted(struct speaker *p, uint64_t term)
{
    if (p->higher.at.how != RAFT_HOW_NONE && term >= p->higher.term)
        p->higher.at.how = RAFT_HOW_NONE;
}

/* --- T06: results of an old term, and candidates that stay --- */

static bool pending_has(const struct raft_node *n, uint64_t term)
{
    for (size_t i = 0; i < n->pending_count; i++) {
        if (n->pending[i].term == term)
            return true;
    }
    return false;
}

/* Whether the result may answer what this node sent as leader of that term. */
static bool has_led(const struct step *s, uint64_t term, const char *id)
{
    const struct raft_term *t = raft_cluster_term(s->cluster, term);
    for (size_t i = 0; t && i < t->leaders; i++) {
        const struct raft_leader *l = &t->leader[i];
        if (strcmp(l->id[0] ? l->id : s->model->node[l->witness.node].id, id) == 0)
            return true;
    }
    return false;
}

/* What was read ahead of it at the same event may be what is answered: nothing was since. */
static bool answers_one_ahead(const struct raft_exchange *x)
{
    return x->append_got.ahead && (x->result_sent.at.how == RAFT_HOW_NONE || x->result_sent.at.order < x->append_got.at.order);
}

/* To whom the result goes, it has sent requests of later terms only. */
static void check_result(struct step *s, const struct raft_message *m)
{
    const struct raft_exchange *x = book_find(&s->node->book, m->to);
    const struct raft_letter *l = x ? &x->append_got : NULL;
    if (!l || l->at.how == RAFT_HOW_NONE || !m->term || m->term >= l->term || has_led(s, m->term, m->to) ||
        pending_has(s->node, m->term) || !pending_has(s->node, l->term) || answers_one_ahead(x))
        return;
    struct raft_break *b = break_add(s, RAFT_T06, RAFT_SPOILS_TERM, l->term, 0, m->to);
    if (!b)
        return;
    break_reason(b, &l->at, "hears from %s as leader of term %" PRIu64, step_peer(s, m->to), l->term);
    break_text(b, "result", "%s answered %s, leader of term %" PRIu64 ", with a result of term %" PRIu64, s->node->name,
               step_peer(s, m->to), l->term, m->term);
}

/* Whether the node holds the entry before those of the message. */
static bool previous_held(struct raft_node *n, const struct raft_letter *l)
{
    const struct raft_slot *slot = raft_node_slot(n, l->index);
    return !l->index || (slot && !slot->earlier && slot->variant->term == l->log_term);
}

struct election {
    const struct raft_node *node;
    uint64_t term;
    bool any;
};

static bool has_vote(void *context, const char *id)
{
    struct election *e = context;
    const struct raft_exchange *x = book_find(&e->node->book, id);
    bool got = x && x->vote_got.at.how != RAFT_HOW_NONE && x->vote_got.term == e->term;
    e->any |= got;
    return got || strcmp(id, e->node->id) == 0;
}

/* It may lead the term itself already, and have said nothing yet. */
static bool may_be_elected(const struct raft_node *n, uint64_t term)
{
    struct election e = {n, term, false};
    const struct raft_members *members = members_at(&n->book, n->last);
    if (members)
        return members_majority(members->text, has_vote, &e);
    for (size_t i = 0; i < n->book.exchanges; i++)
        has_vote(&e, n->book.exchange[i].id);
    return e.any;
}

/* Candidates: a leader of the own term is followed. What it sends is refused only where the logs part. */
static void check_candidate(struct step *s, struct speaker *p, const struct raft_message *m)
{
    const struct raft_exchange *x = book_find(&s->node->book, m->to);
    const struct raft_letter *l = x ? &x->append_got : NULL;
    if (m->success || p->stands != m->term || s->node->leading >= m->term || !l || l->at.how == RAFT_HOW_NONE ||
        l->term != m->term || l->count || l->at.order < p->stands_at.order || s->node->pending_count != 1 ||
        !previous_held(s->node, l) || may_be_elected(s->node, m->term))
        return;
    struct raft_break *b = break_add(s, RAFT_T06, RAFT_SPOILS_NOTHING, m->term, 0, m->to);
    if (!b)
        return;
    break_reason(b, &p->stands_at, "is a candidate of term %" PRIu64, p->stands);
    break_reason(b, &l->at,
                 "hears from %s as leader of term %" PRIu64 "; the entry before, index %" PRIu64 " of term %" PRIu64
                 ", is in its own log",
                 step_peer(s, m->to), l->term, l->index, l->log_term);
    break_text(b, "refused",
               "%s, a candidate of term %" PRIu64 ", refused what %s sent as leader of that term", s->node->name, m->term,
               step_peer(s, m->to));
}

/* --- T15: a term that falls --- */

static void check_fall(struct step *s, struct speaker *p)
{
    const struct raft_fact *f = s->fact;
    if (f->written || f->durable || f->loaded || !f->term)
        return;
    if (f->term >= p->stated) {
        p->stated = f->term;
        p->stated_at = step_witness(s, RAFT_HOW_STATED, true);
        p->stated_thread = f->thread;
        return;
    }
    struct raft_break *b = break_add(s, RAFT_T15, RAFT_SPOILS_TERM, f->term, 0, "");
    if (!b)
        return;
    break_reason(b, &p->stated_at, "states that its term is %" PRIu64, p->stated);
    break_text(b, "back", "%s went back from term %" PRIu64 " to term %" PRIu64, s->node->name, p->stated, f->term);
    if (p->stated_thread != f->thread)
        break_likely(b, "two threads stated it, and which of the marks is right is not seen: "
                     "marks made while the state is locked would show it");
}

/* --- facts --- */

static void known(struct speaker *p, uint64_t term)
{
    if (term > p->known)
        p->known = term;
}

static void stands(struct step *s, struct speaker *p, uint64_t term)
{
    if (term <= p->stands)
        return;
    p->stands = term;
    p->stands_at = step_witness(s, RAFT_HOW_STATED, true);
}

static void sent(struct step *s, struct speaker *p, const struct raft_message *m)
{
    if (m->pre_vote)
        return;
    if (m->type == RAFT_REQUEST_VOTE)
        stands(s, p, m->term);
    higher_adopted(p, m->term);
    higher_sent(s, p, m);
    known(p, m->term);
    if (!is_result(m))
        return;
    check_result(s, m);
    check_candidate(s, p, m);
    if (m->success && m->term >= p->stands)
        p->stands = 0; /* a follower again */
}

/* RequestVote binds nobody (dissertation, 4.2.3). */
static void received(struct step *s, struct speaker *p, const struct raft_message *m)
{
    if (m->pre_vote || m->type == RAFT_REQUEST_VOTE)
        return;
    higher_received(s, p, m);
    known(p, m->term);
}

static void stated(struct step *s, struct speaker *p)
{
    const struct raft_fact *f = s->fact;
    if (f->loaded)
        return;
    if (step_candidacy(s))
        stands(s, p, f->term);
    higher_adopted(p, f->term);
    check_fall(s, p);
    known(p, f->term);
}

static void before(struct step *s, void *state)
{
    const struct raft_fact *f = s->fact;
    if (!step_tells_term(s))
        return;
    struct speaker *p = speaker_of(s, state);
    if (!p)
        return;
    if (f->kind == RAFT_FACT_SENT)
        sent(s, p, f->message);
    else if (f->kind == RAFT_FACT_RECEIVED)
        received(s, p, f->message);
    else
        stated(s, p);
}

const struct raft_rules rules_terms = {
    .name = "terms", .size = sizeof(struct terms), .each = sizeof(struct speaker), .forgets = true, .before = before,
};
