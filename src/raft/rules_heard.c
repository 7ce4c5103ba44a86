/* While a leader is heard nobody raises the term, or would vote for somebody else (T22). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* A RequestVote that is to be disregarded. */
struct disruption {
    struct raft_witness heard, asked;
    struct raft_witness at;  /* the decision: the term was taken over, for this request or because the node stands itself; or
                              * the pre-vote was granted */
    bool pre_vote;
    uint64_t term, led;      /* of the request; of the leader */
    char from[RAFT_NODE_NAME];
    uint64_t time, silence;  /* ns: when the leader was heard, and for how long it was not then */
};

/* A pre-vote granted by a node that leads, or did: whether it has stepped down, what it sends next will tell. */
struct granted {
    struct raft_witness at, asked;
    uint64_t led, term;
    char to[RAFT_NODE_NAME];
};

struct hearer {
    uint64_t known;          /* highest term that it must have: its own, or received in what nobody may disregard */
    struct disruption disruption, doubt; /* received; followed, and it is not known whether the leader lived then */
    struct granted granted;
    struct raft_witness stood; /* when it asked for votes itself, or whether it would get them */
    uint64_t heard_time, heard_term; /* of AppendEntries */
};

/* The pauses between two AppendEntries of a term, of all nodes. By length: from 2^i ns on, less than twice that. */
struct pauses {
    uint64_t sum[64], longest[64], all;
    uint64_t count[64], counted;
};

struct hearers {
    struct each hearer;      /* struct hearer */
    struct pauses pauses;
    uint64_t patience;       /* ns: shortest silence after which a node asked for votes; 0: none did */
};

static struct hearer *hearer_of(struct step *s, struct hearers *t)
{
    return each_of(s, &t->hearer, sizeof(struct hearer));
}

static void pause_add(struct pauses *p, uint64_t length)
{
    unsigned i = 63 - (unsigned)__builtin_clzll(length | 1);
    p->sum[i] += length;
    p->all += length;
    p->count[i]++;
    p->counted++;
    if (length > p->longest[i])
        p->longest[i] = length;
}

/* The pause that leaders make. Half of all time was spent in shorter ones, or in ones about as long: neither the many short
 * ones of a busy hour weigh much, nor the few long ones in which a server was stopped or cut off. Those are longer than an
 * election timeout if the timers that ran were drawn long, or stood still as well. */
static uint64_t usual_pause(const struct pauses *p)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < 64 && p->all; i++) {
        sum += p->sum[i];
        if (sum >= p->all - sum)
            return p->longest[i];
    }
    return 0;
}

/* The pause that half of all do not exceed: less than leaders make where they have much to say. */
static uint64_t frequent_pause(const struct pauses *p)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < 64; i++) {
        count += p->count[i];
        if (p->counted && 2 * count >= p->counted)
            return p->longest[i];
    }
    return 0;
}

static bool faults_seen(const struct raft_model *m)
{
    for (size_t i = 0; i < m->incidents; i++)
        if (m->incident[i].kind == RAFT_FACT_FAULT)
            return true;
    return false;
}

/* Where one fault follows another, most of the time is spent in pauses that no leader made. */
static bool surely_heard(const struct step *s, const struct hearers *t, uint64_t silence)
{
    return t->patience && (silence <= 4 * frequent_pause(&t->pauses) || !faults_seen(s->model));
}

/* How long after AppendEntries nobody can be out of patience. Election timeouts are drawn, the longest about twice the
 * shortest, and none is less than two pauses: a heartbeat that is a little late would depose the leader. */
static uint64_t hearing(const struct hearers *t)
{
    uint64_t usual = usual_pause(&t->pauses);
    if (!t->patience)
        return usual;
    return t->patience / 2 < 2 * usual ? t->patience / 2 : 2 * usual;
}

/* It asks for votes. Who does that between two heartbeats was told to; who waited longer ran out of patience. */
static void patience_ends(const struct step *s, struct hearers *t)
{
    const struct raft_letter *heard = &s->node->book.heard;
    uint64_t silence = heard->at.how != RAFT_HOW_NONE && s->fact->time > heard->time ? s->fact->time - heard->time : 0;
    if (silence > 2 * usual_pause(&t->pauses) && (!t->patience || silence < t->patience))
        t->patience = silence;
}

/* The silence since the leader of the node's term was heard; UINT64_MAX: too long, or none was. A leader hears itself, but
 * may have stepped down and not said so. */
static uint64_t leader_silent(const struct step *s, const struct hearers *t, const struct hearer *p)
{
    const struct raft_node *n = s->node;
    const struct raft_letter *heard = &n->book.heard;
    if (heard->at.how == RAFT_HOW_NONE || heard->term < p->known || heard->term < n->term || s->fact->time < heard->time ||
        (p->stood.how != RAFT_HOW_NONE && p->stood.order > heard->at.order)) /* its own timer ran out: it believes in none */
        return UINT64_MAX;
    uint64_t silence = s->fact->time - heard->time;
    return silence <= hearing(t) ? silence : UINT64_MAX;
}

/* Who asks is the leader that was heard itself, started again or stepped down: to follow it deposes nobody. */
static bool is_that_leader(const struct step *s, const char *id)
{
    const struct raft_exchange *x = book_find(&s->node->book, id);
    return x && x->append_got.at.how != RAFT_HOW_NONE && x->append_got.term == s->node->book.heard.term;
}

static void disrupted(struct step *s, const struct disruption *d, bool certain, const struct raft_witness *again)
{
    struct raft_break *b = break_add(s, RAFT_T22, RAFT_SPOILS_NOTHING, d->term, 0, d->from);
    if (!b)
        return;
    const char *node = s->node->name, *from = step_peer(s, d->from);
    char pause[40] = "less than 0.1";
    if (d->silence >= 100000)
        snprintf(pause, sizeof pause, "%" PRIu64 ".%" PRIu64, d->silence / 1000000, d->silence / 100000 % 10);
    b->at = d->at;
    break_reason(b, &d->heard, "hears from its leader");
    if (d->pre_vote) {
        break_reason(b, &d->asked, "is asked by %s whether it would vote for it", from);
        break_text(b, "pre-vote", "%s granted %s a pre-vote %s ms after it had heard from its leader", node, from, pause);
    } else {
        break_reason(b, &d->asked, "is asked for its vote in term %" PRIu64 " by %s", d->term, from);
        break_text(b, "vote", "%s took over term %" PRIu64 " from a RequestVote of %s, %s ms after it had heard from its leader",
                   node, d->term, from, pause);
    }
    if (certain)
        return;
    break_reason(b, again, "hears from the leader of term %" PRIu64 " again", d->led);
    break_likely(b, "no election timer was seen to run out, so that it is not known how long these servers hear a leader");
}

/* Followed. While it is not known how long these servers wait for a leader, only its next message shows that it lived. */
static void followed(struct step *s, const struct hearers *t, struct hearer *p, const struct disruption *d)
{
    if (surely_heard(s, t, d->silence))
        disrupted(s, d, true, NULL);
    else
        p->doubt = *d;
}

static void leader_lives(struct step *s, const struct hearers *t, struct hearer *p, const struct raft_message *m)
{
    struct disruption *d = &p->doubt;
    struct raft_witness again = step_witness(s, RAFT_HOW_HEARD, true);
    bool lives = m->term == d->led && s->fact->time - d->time <= 2 * usual_pause(&t->pauses);
    if (d->at.how != RAFT_HOW_NONE && lives && d->silence <= hearing(t))
        disrupted(s, d, surely_heard(s, t, p->doubt.silence), &again);
    d->at.how = RAFT_HOW_NONE;
}

static void request_received(struct step *s, const struct hearers *t, struct hearer *p, const struct raft_message *m)
{
    const struct raft_letter *heard = &s->node->book.heard;
    uint64_t silence = leader_silent(s, t, p);
    p->disruption.asked.how = RAFT_HOW_NONE;
    if (m->pre_vote || !m->may_disregard || m->term <= p->known || silence == UINT64_MAX || is_that_leader(s, m->from))
        return;
    p->disruption = (struct disruption){.asked = step_witness(s, RAFT_HOW_HEARD, true), .term = m->term, .led = heard->term,
                                        .time = heard->time, .silence = silence, .heard = heard->at};
    memcpy(p->disruption.from, m->from, sizeof m->from);
}

/* The term of the request is the node's now; `answered` if that is so because of the request. */
static void check_disrupted(struct step *s, const struct hearers *t, struct hearer *p, uint64_t term, bool answered)
{
    struct disruption *d = &p->disruption;
    if (d->asked.how == RAFT_HOW_NONE || term < d->term)
        return;
    if (d->at.how == RAFT_HOW_NONE)
        d->at = step_witness(s, RAFT_HOW_STATED, true);
    if (!answered)
        return;
    if (term == d->term)
        followed(s, t, p, d);
    d->asked.how = RAFT_HOW_NONE;
}

static void check_pre_vote(struct step *s, const struct hearers *t, struct hearer *p, const struct raft_message *m)
{
    const struct raft_exchange *x = book_find(&s->node->book, m->to);
    const struct raft_node *n = s->node;
    uint64_t silence = leader_silent(s, t, p);
    if (!m->pre_vote || !m->success)
        return;
    /* Both were read in one go: it was answered before the leader was heard. */
    if (x && x->vote_asked.at.how != RAFT_HOW_NONE && x->vote_asked.at.order < n->book.heard.at.order)
        silence = UINT64_MAX;
    if (n->leading && n->leading == n->term && n->leading >= p->known) {
        p->granted = (struct granted){.at = step_witness(s, RAFT_HOW_SENT, true), .led = n->leading, .term = m->term};
        if (x)
            p->granted.asked = x->vote_asked.at;
        memcpy(p->granted.to, m->to, sizeof m->to);
    }
    if (silence == UINT64_MAX || is_that_leader(s, m->to))
        return;
    struct disruption d = {.at = step_witness(s, RAFT_HOW_SENT, true),
                           .pre_vote = true,
                           .heard = n->book.heard.at,
                           .term = m->term,
                           .led = n->book.heard.term,
                           .time = n->book.heard.time,
                           .silence = silence};
    if (x)
        d.asked = x->vote_asked.at;
    memcpy(d.from, m->to, sizeof d.from);
    followed(s, t, p, &d);
}

/* Who leads a term before and after led it all the time. */
static void still_leads(struct step *s, struct hearer *p, const struct raft_message *m)
{
    struct granted *g = &p->granted;
    if (g->at.how == RAFT_HOW_NONE)
        return;
    struct raft_break *b = m->term == g->led ? break_add(s, RAFT_T22, RAFT_SPOILS_NOTHING, g->term, 0, g->to) : NULL;
    struct raft_witness granted = g->at;
    g->at.how = RAFT_HOW_NONE;
    if (!b)
        return;
    struct raft_witness leads = b->at;
    b->at = granted;
    break_reason(b, &g->asked, "is asked by %s whether it would vote for it", step_peer(s, g->to));
    break_reason(b, &leads, "goes on as leader of term %" PRIu64, g->led);
    break_text(b, "leader",
               "%s, leader of term %" PRIu64 ", granted %s a pre-vote", s->node->name, g->led, step_peer(s, g->to));
}

/* A learner never stands. (Who was removed may: its vote may still be needed; dissertation, 4.2.2.) */
static void check_standing(struct step *s, const struct raft_message *m)
{
    const struct raft_members *members = members_at(&s->node->book, s->node->last);
    const char *at = members ? members->text : "";
    char id[RAFT_NODE_NAME];
    bool votes, learner = false;
    while (members_next(&at, id, &votes)) {
        if (strcmp(id, m->from) == 0 && votes)
            return;
        learner |= strcmp(id, m->from) == 0;
    }
    if (!learner)
        return;
    struct raft_break *b = break_add(s, RAFT_T22, RAFT_SPOILS_NOTHING, m->term, 0, "");
    if (b)
        break_reason(b, &members->at, "is a learner in the configuration of index %" PRIu64, members->index);
    break_text(b, "learner", "%s asked for votes in term %" PRIu64 ", but is a learner", s->node->name, m->term);
}

/* --- facts --- */

static bool is_request(const struct raft_message *m)
{
    return m->type == RAFT_APPEND_ENTRIES || m->type == RAFT_INSTALL_SNAPSHOT;
}

static void known(struct hearer *p, uint64_t term)
{
    if (term > p->known)
        p->known = term;
}

static void stands(struct step *s, struct hearers *t, struct hearer *p)
{
    p->disruption.asked.how = RAFT_HOW_NONE;
    p->stood = step_witness(s, RAFT_HOW_STATED, true);
    patience_ends(s, t);
}

static void sent(struct step *s, struct hearers *t, struct hearer *p, const struct raft_message *m)
{
    bool result = m->type == RAFT_REQUEST_VOTE_RESULT;
    if (m->type == RAFT_REQUEST_VOTE) {
        check_standing(s, m);
        stands(s, t, p);
    }
    if (result)
        check_pre_vote(s, t, p, m);
    if (is_request(m))
        still_leads(s, p, m);
    if (m->pre_vote)
        return;
    check_disrupted(s, t, p, m->term, result && strcmp(m->to, p->disruption.from) == 0);
    known(p, m->term);
}

static void append_received(struct step *s, struct hearers *t, struct hearer *p, const struct raft_message *m)
{
    leader_lives(s, t, p, m);
    if (m->term == p->heard_term && s->fact->time > p->heard_time)
        pause_add(&t->pauses, s->fact->time - p->heard_time);
    p->heard_term = m->term;
    p->heard_time = s->fact->time;
}

static void received(struct step *s, struct hearers *t, struct hearer *p, const struct raft_message *m)
{
    if (m->type == RAFT_REQUEST_VOTE) {
        request_received(s, t, p, m);
        return;
    }
    if (!m->pre_vote && m->term >= p->disruption.term)
        p->disruption.asked.how = RAFT_HOW_NONE; /* this one must be followed */
    if (!m->pre_vote)
        known(p, m->term);
    if (is_request(m))
        append_received(s, t, p, m);
}

static void stated(struct step *s, struct hearers *t, struct hearer *p)
{
    const struct raft_fact *f = s->fact;
    if (f->loaded)
        return;
    if (step_candidacy(s))
        stands(s, t, p);
    check_disrupted(s, t, p, f->term, f->kind == RAFT_FACT_VOTE && strcmp(f->peer, p->disruption.from) == 0);
    known(p, f->term);
}

static void before(struct step *s, void *state)
{
    const struct raft_fact *f = s->fact;
    if (!step_tells_term(s))
        return;
    struct hearer *p = hearer_of(s, state);
    if (!p)
        return;
    if (f->kind == RAFT_FACT_SENT)
        sent(s, state, p, f->message);
    else if (f->kind == RAFT_FACT_RECEIVED)
        received(s, state, p, f->message);
    else
        stated(s, state, p);
}

const struct raft_rules rules_heard = {
    .name = "heard", .size = sizeof(struct hearers), .each = sizeof(struct hearer), .forgets = true, .before = before,
};
