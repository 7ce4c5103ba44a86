/* Voters: one vote a term (T01), for a log that is up to date (T04), decided as one step (T18), answered in the term that
 * was taken over (T06). What candidates make of the votes is in rules_election.c. */
#include "raft/rules_votes.h"

#include <inttypes.h>
#include <string.h>

#include "raft/parts.h"

static void id_copy(char out[RAFT_NODE_NAME], const char *id)
{
    size_t length = strnlen(id, RAFT_NODE_NAME - 1);
    memcpy(out, id, length);
    out[length] = 0;
}

/* NULL: no memory. */
static struct voter *voter_of(struct step *s, struct votes *votes)
{
    return each_of(s, &votes->voter, sizeof(struct voter));
}

/* --- what a voter was asked --- */

static struct vote_asked *asked_find(struct voter *v, const char *from, uint64_t term)
{
    for (size_t i = 0; i < VOTER_ASKED; i++) {
        if (v->asked[i].letter.at.how != RAFT_HOW_NONE && v->asked[i].letter.term == term &&
            strcmp(v->asked[i].from, from) == 0)
            return &v->asked[i];
    }
    return NULL;
}

/* Of the requests of this candidate that were not answered yet, the oldest that a result of `term` may answer: refusals are
 * of the term of the request or a later one, votes of that very term. NULL: none. */
static struct vote_asked *asked_open(struct voter *v, const char *from, uint64_t term, bool granted)
{
    struct vote_asked *oldest = NULL;
    for (size_t i = 0; i < VOTER_ASKED; i++) {
        struct vote_asked *a = &v->asked[i];
        if (a->letter.at.how == RAFT_HOW_NONE || a->answered || strcmp(a->from, from) != 0)
            continue;
        if ((granted ? a->letter.term == term : a->letter.term <= term) &&
            (!oldest || a->letter.at.order < oldest->letter.at.order))
            oldest = a;
    }
    return oldest;
}

/* The latest of them, if its term is higher: a result of `term` does not answer it as Figure 2 wants. */
static struct vote_asked *asked_higher(struct voter *v, const char *from, uint64_t term)
{
    struct vote_asked *latest = NULL;
    for (size_t i = 0; i < VOTER_ASKED; i++) {
        struct vote_asked *a = &v->asked[i];
        if (a->letter.at.how == RAFT_HOW_NONE || a->answered || a->letter.term <= term || strcmp(a->from, from) != 0)
            continue;
        if (!latest || a->letter.term > latest->letter.term)
            latest = a;
    }
    return latest;
}

/* The end of a node's log; false: not known. What it had in an earlier incarnation it may have lost, and what its files say
 * it may have read wrong (T14): that is no decision about a vote. */
static bool log_end(struct raft_node *n, uint64_t *last, uint64_t *term)
{
    const struct raft_slot *slot = raft_node_slot(n, n->last);
    *last = n->last;
    *term = slot && !slot->earlier && slot->witness.how != RAFT_HOW_LOADED ? slot->variant->term : 0;
    return *term != 0;
}

static void asked_add(struct step *s, struct voter *v, const struct raft_message *m)
{
    struct vote_asked *a = asked_find(v, m->from, m->term);
    if (!a)
        a = &v->asked[v->askeds++ % VOTER_ASKED];
    *a = (struct vote_asked){.letter = {.at = step_witness(s, RAFT_HOW_HEARD, true), .time = s->fact->time, .term = m->term,
                                        .index = m->prev_index, .log_term = m->prev_term, .thread = s->fact->thread}};
    id_copy(a->from, m->from);
    if (!log_end(s->node, &a->own_last, &a->own_last_term))
        a->own_last_term = 0;
}

/* --- T01, T18: a second vote --- */

static const char *candidate_words(const struct step *s, const char *id)
{
    return strcmp(id, s->node->id) == 0 ? "itself" : step_peer(s, id);
}

static void reason_asked(struct raft_break *b, const struct step *s, const struct vote_asked *a)
{
    if (a)
        break_reason(b, &a->letter.at, "is asked for its vote in term %" PRIu64 " by %s, whose log ends at index %" PRIu64
                     " of term %" PRIu64, a->letter.term, step_peer(s, a->from), a->letter.index, a->letter.log_term);
}

static void reason_cast(struct raft_break *b, const struct step *s, const struct vote_cast *c)
{
    break_reason(b, &c->at, "votes for %s in term %" PRIu64, candidate_words(s, c->candidate), c->term);
}

static void voted_twice(struct step *s, struct voter *v, const struct vote_cast *first, const char *candidate)
{
    const struct vote_asked *asked = asked_find(v, candidate, first->term);
    bool torn = asked && asked->letter.at.order < first->at.order;
    struct raft_break *b = break_add(s, torn ? RAFT_T18 : RAFT_T01, RAFT_SPOILS_ELECTION, first->term, 0, candidate);
    const char *second = candidate_words(s, candidate);
    if (torn)
        reason_asked(b, s, asked);
    if (b)
        reason_cast(b, s, first);
    if (!torn)
        reason_asked(b, s, asked);
    if (torn)
        break_text(b, "check",
                   "%s voted for %s in term %" PRIu64 " by a check made before it had voted for %s", s->node->name, second,
                   first->term, candidate_words(s, first->candidate));
    else
        break_text(b, "second",
                   "%s voted for %s in term %" PRIu64 ", in which it had voted for %s", s->node->name, second, first->term,
                   candidate_words(s, first->candidate));
}

/* --- T04, T18: a vote for a log that is behind --- */

/* 5.4.1: whether a log that ends with an entry of `term` at `last` is less up to date than the other. */
static bool is_behind(uint64_t last, uint64_t term, uint64_t other_last, uint64_t other_term)
{
    return term < other_term || (term == other_term && last < other_last);
}

struct position {
    uint64_t last, term;
};

static void voted_behind(struct step *s, const struct vote_asked *asked, uint64_t term, const char *candidate,
                         const struct position *its)
{
    struct raft_node *n = s->node;
    const struct raft_slot *slot = raft_node_slot(n, n->last);
    const struct raft_letter *heard = &n->book.heard;
    bool was_right =
        asked && asked->own_last_term && !is_behind(its->last, its->term, asked->own_last, asked->own_last_term);
    /* What came after the request: entries of a leader of this term, or a later one, could not have changed the decision,
     * which was made when the term was taken over; those of an earlier leader should have been refused by then. */
    bool after = was_right && heard->at.how != RAFT_HOW_NONE && heard->at.order > asked->letter.at.order;
    if (after && heard->term >= term)
        return;
    bool torn = after || (was_right && n->leading == slot->variant->term && slot->witness.order > asked->letter.at.order);
    struct raft_break *b = break_add(s, torn ? RAFT_T18 : RAFT_T04, RAFT_SPOILS_ELECTION, term, 0, candidate);
    if (!b)
        return;
    if (torn || (asked && asked->letter.at.order < slot->witness.order))
        reason_asked(b, s, asked);
    break_reason(b, &slot->witness, "has index %" PRIu64 " of term %" PRIu64 " in its log", n->last, slot->variant->term);
    if (!torn && asked && asked->letter.at.order > slot->witness.order)
        reason_asked(b, s, asked);
    break_text(b, "behind", "%s voted for %s in term %" PRIu64 ", whose log ends at index %" PRIu64 " of term %" PRIu64
               "%s: its own ends at index %" PRIu64 " of term %" PRIu64, s->node->name, step_peer(s, candidate), term,
               its->last, its->term, torn ? ", by a comparison made before its own log grew" : "", n->last,
               slot->variant->term);
    if (n->pending_count)
        break_likely(b, "%s may have replaced its last entries already for AppendEntries that it had not answered: "
                     "its log on disk, or marks, would show it", s->node->name);
}

static struct voter *voter_named(struct votes *votes, const struct step *s, const char *id)
{
    for (size_t i = 0; i < s->cluster->peers; i++) {
        const struct raft_peer *p = &s->cluster->peer[i];
        if (p->node >= 0 && strcmp(p->id, id) == 0)
            return each_at(&votes->voter, (size_t)p->node);
    }
    return NULL;
}

/* Who has sent AppendEntries of this term leads it: a vote for it now elects nobody. */
static bool leads_already(const struct step *s, const char *candidate, uint64_t term)
{
    const struct raft_exchange *x = book_find(&s->node->book, candidate);
    return x && x->append_got.at.how != RAFT_HOW_NONE && x->append_got.term == term;
}

static void check_up_to_date(struct step *s, struct votes *votes, struct voter *v, uint64_t term, const char *candidate)
{
    const struct vote_asked *asked = asked_find(v, candidate, term);
    const struct voter *other = asked ? NULL : voter_named(votes, s, candidate);
    struct position its, own;
    if (asked)
        its = (struct position){asked->letter.index, asked->letter.log_term};
    else if (other && other->stood_term == term && other->stood_last_term)
        its = (struct position){other->stood_last, other->stood_last_term};
    else
        return;
    if (!log_end(s->node, &own.last, &own.term) || !is_behind(its.last, its.term, own.last, own.term) ||
        leads_already(s, candidate, term))
        return;
    voted_behind(s, asked, term, candidate, &its);
    struct raft_break *b = asked ? NULL : break_open(s, RAFT_T04, RAFT_SPOILS_ELECTION, candidate);
    if (b && b->at.order == s->model->facts)
        break_likely(b, "what the candidate said of its log was not seen: it was taken from the candidate's own marks");
}

/* --- votes --- */

struct vote_cast *vote_cast_find(struct voter *v, uint64_t term, const char *candidate, const char *protocol, bool other)
{
    for (size_t i = 0; i < VOTER_CASTS; i++) {
        struct vote_cast *c = &v->cast[i];
        if (c->at.how != RAFT_HOW_NONE && c->term == term && (!protocol || strcmp(c->protocol, protocol) == 0) &&
            (strcmp(c->candidate, candidate) == 0) != other)
            return c;
    }
    return NULL;
}

/* Whether it voted for this candidate in an earlier term. */
static bool was_cast(const struct voter *v, uint64_t term, const char *candidate)
{
    for (size_t i = 0; i < VOTER_CASTS; i++) {
        if (v->cast[i].at.how != RAFT_HOW_NONE && v->cast[i].term < term && strcmp(v->cast[i].candidate, candidate) == 0)
            return true;
    }
    return false;
}

/* A file that names somebody who did not ask shows no decision: a vote carried over from another term (T15). Nor does one
 * that names the node itself in a term that it learnt from others; what it sends will tell. */
static bool is_decision(const struct step *s, struct voter *v, uint64_t term, const char *candidate)
{
    bool file = s->fact->kind == RAFT_FACT_VOTE && (s->fact->written || s->fact->durable);
    if (!file || s->node->book.trigger.at.how == RAFT_HOW_NONE)
        return true;
    if (strcmp(candidate, s->node->id) == 0)
        return v->heard < term || !was_cast(v, term, candidate);
    return asked_find(v, candidate, term) != NULL;
}

static void stood(struct step *s, struct voter *v, uint64_t term)
{
    if (term == v->stood_term)
        return;
    v->stood_term = term;
    v->stood_before = v->stood;
    v->stood = s->model->facts;
    if (!log_end(s->node, &v->stood_last, &v->stood_last_term))
        v->stood_last_term = 0;
}

/* Shown once more: synced, read back or sent it stays. */
static bool shown_again(struct voter *v, uint64_t term, const char *candidate, const char *protocol, bool unsynced)
{
    const struct vote_cast *known = vote_cast_find(v, term, candidate, protocol, false);
    for (size_t i = 0; known && !unsynced && i < VOTER_CASTS; i++)
        if (&v->cast[i] == known)
            v->cast[i].unsynced = false;
    return known != NULL;
}

static void vote(struct step *s, struct votes *votes, struct voter *v, uint64_t term, const char *candidate)
{
    const char *protocol = s->fact->protocol ? s->fact->protocol : "";
    bool loaded = s->fact->loaded, unsynced = s->fact->kind == RAFT_FACT_VOTE && s->fact->written && !s->fact->durable;
    if (!term || !candidate[0] || !is_decision(s, v, term, candidate) || shown_again(v, term, candidate, protocol, unsynced))
        return;
    const struct vote_cast *first = vote_cast_find(v, term, candidate, protocol, true);
    if (loaded && first)
        return; /* it remembers another vote than it gave: that is no decision of its own (T15) */
    bool known = vote_cast_find(v, term, candidate, NULL, false) != NULL;
    if (first)
        voted_twice(s, v, first, candidate);
    if (strcmp(candidate, s->node->id) == 0)
        stood(s, v, term);
    else if (!loaded && !known)
        check_up_to_date(s, votes, v, term, candidate);
    struct vote_cast *c = &v->cast[v->casts++ % VOTER_CASTS];
    *c = (struct vote_cast){.term = term, .protocol = protocol, .at = step_witness(s, RAFT_HOW_STATED, true), .unsynced = unsynced};
    id_copy(c->candidate, candidate);
}

/* --- results --- */

/* T06: the request was answered in the term that the voter had before it. */
static void answered_in_old_term(struct step *s, const struct voter *v, const struct vote_asked *asked,
                                 const struct raft_message *m)
{
    bool adopted = v->adopted >= asked->letter.term && v->adopted_at.order > asked->letter.at.order;
    /* Not granted: requests may be disregarded, their term with them, while a leader is heard (dissertation, 4.2.3). */
    if (!m->success && !adopted)
        return;
    struct raft_break *b =
        break_add(s, RAFT_T06, adopted ? RAFT_SPOILS_NOTHING : RAFT_SPOILS_TERM, asked->letter.term, 0, m->to);
    reason_asked(b, s, asked);
    if (adopted)
        break_reason(b, &v->adopted_at, "takes over term %" PRIu64, v->adopted);
    break_text(b, "vote", "%s %s %s its vote in term %" PRIu64 " with a result of term %" PRIu64, s->node->name,
               m->success ? "gave" : "refused", step_peer(s, m->to), asked->letter.term, m->term);
}

/* It disregarded the term of the request, and votes in its own, or says once more whom it voted for: so does ovsdb-server
 * while it hears a leader, which hurts nobody. The latest vote that it wrote tells. */
static bool is_filed(const struct voter *v, const struct raft_message *m)
{
    return m->success && v->filed.term == m->term && strcmp(v->filed.candidate, m->vote[0] ? m->vote : m->to) == 0;
}

static void result_sent(struct step *s, struct votes *votes, struct voter *v, const struct raft_message *m)
{
    struct vote_asked *asked = m->asked ? asked_find(v, m->to, m->asked) : asked_open(v, m->to, m->term, m->success);
    uint64_t term = m->term;
    if (!m->asked && !asked)
        asked = asked_higher(v, m->to, m->term);
    if (asked && asked->letter.term > m->term && !is_filed(v, m)) {
        answered_in_old_term(s, v, asked, m);
        term = asked->letter.term;
    }
    if (asked)
        asked->answered = true;
    if (!m->success)
        return;
    if (term != m->term && m->id) {
        votes->late[votes->lates % VOTES_LATE].id = m->id;
        votes->late[votes->lates++ % VOTES_LATE].term = term;
    }
    vote(s, votes, v, term, m->vote[0] ? m->vote : m->to);
}

static void result_received(struct step *s, struct votes *votes, struct voter *v, const struct raft_message *m)
{
    struct vote_ballot *b = &v->ballot[v->ballots++ % VOTER_BALLOTS];
    *b = (struct vote_ballot){
        .term = m->asked ? m->asked : m->term, .pre_vote = m->pre_vote, .at = step_witness(s, RAFT_HOW_HEARD, true)};
    id_copy(b->from, m->from);
    for (size_t i = 0; m->id && i < VOTES_LATE; i++) {
        if (votes->late[i].id == m->id)
            b->term = votes->late[i].term;
    }
}

/* --- facts --- */

static void sent(struct step *s, struct votes *votes, struct voter *v, const struct raft_message *m)
{
    if (m->type == RAFT_REQUEST_VOTE && !m->pre_vote)
        vote(s, votes, v, m->term, m->from);
    else if (m->type == RAFT_REQUEST_VOTE_RESULT && !m->pre_vote)
        result_sent(s, votes, v, m);
    else if (m->type == RAFT_APPEND_ENTRIES || m->type == RAFT_INSTALL_SNAPSHOT)
        election_check(s, votes, v, m->term);
}

static void received(struct step *s, struct votes *votes, struct voter *v, const struct raft_message *m)
{
    if (m->type == RAFT_REQUEST_VOTE && !m->pre_vote)
        asked_add(s, v, m);
    else if (m->type == RAFT_REQUEST_VOTE_RESULT && m->success)
        result_received(s, votes, v, m);
    else if (m->type == RAFT_CLIENT_REQUEST)
        late_command(s, v, m);
    if (m->type <= RAFT_INSTALL_SNAPSHOT_RESULT && !m->pre_vote && m->term > v->heard) {
        v->heard = m->term;
        v->heard_at = step_witness(s, RAFT_HOW_HEARD, true);
    }
}

static void adopts(struct step *s, struct voter *v)
{
    if (s->fact->loaded || s->fact->term <= v->adopted)
        return;
    v->adopted = s->fact->term;
    v->adopted_at = step_witness(s, RAFT_HOW_STATED, true);
}

static void stated(struct step *s, struct votes *votes, struct voter *v)
{
    const struct raft_fact *f = s->fact;
    adopts(s, v);
    if (f->kind == RAFT_FACT_VOTE) {
        v->filed = (struct vote_cast){.term = f->term, .at = step_witness(s, RAFT_HOW_WRITTEN, true)};
        id_copy(v->filed.candidate, f->peer);
        vote(s, votes, v, f->term, f->peer);
    }
    if (f->kind == RAFT_FACT_ROLE && f->role == 2 && !f->loaded)
        election_check(s, votes, v, f->term);
}

static void truncated(struct step *s, struct voter *v)
{
    const struct raft_book *b = &s->node->book;
    if (!b->configurations || b->members[b->configurations - 1].index <= s->fact->index)
        return;
    v->cut = b->members[b->configurations - 1].index;
    v->cut_at = step_witness(s, RAFT_HOW_WRITTEN, true);
}

static void before(struct step *s, void *state)
{
    const struct raft_fact *f = s->fact;
    struct voter *v = f->again || f->kind > RAFT_FACT_TRUNCATE ? NULL : voter_of(s, state);
    if (!v)
        return;
    switch (f->kind) {
    case RAFT_FACT_SENT:
        sent(s, state, v, f->message);
        break;
    case RAFT_FACT_RECEIVED:
        received(s, state, v, f->message);
        break;
    case RAFT_FACT_APPEND:
        late_append(s, v);
        break;
    case RAFT_FACT_TRUNCATE:
        truncated(s, v);
        break;
    default:
        stated(s, state, v);
        break;
    }
}

/* What is not persistent is gone (Figure 2, State). A vote that was not synced may be gone too: if it is not, it is read back. */
static void restart(struct step *s, void *state)
{
    struct voter *v = voter_of(s, state);
    if (!v)
        return;
    for (size_t i = 0; i < VOTER_CASTS; i++)
        if (v->cast[i].unsynced)
            v->cast[i].at.how = RAFT_HOW_NONE;
    memset(v->asked, 0, sizeof v->asked);
    memset(v->ballot, 0, sizeof v->ballot);
    memset(v->command, 0, sizeof v->command);
    v->ballots = v->stood = v->stood_before = v->cut = 0;
    v->adopted = v->heard = v->led = v->stood_term = 0;
}

static void finish(struct raft_model *m, void *state)
{
    elections_finish(m, state);
}

const struct raft_rules rules_votes = {
    .name = "votes", .size = sizeof(struct votes), .each = sizeof(struct voter), .before = before, .restart = restart,
    .finish = finish,
};
