/* Candidates: who leads a term has votes for that term of a majority (T02), and was a candidate in it (T06). */
#include <inttypes.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rules_votes.h"

struct election {
    struct step *step;
    struct voter *voter; /* the candidate */
    uint64_t term;
};

/* Oldest first. */
static const struct vote_ballot *ballot_at(const struct voter *v, size_t i)
{
    size_t kept = v->ballots < VOTER_BALLOTS ? v->ballots : VOTER_BALLOTS;
    return i < kept ? &v->ballot[(v->ballots - kept + i) % VOTER_BALLOTS] : NULL;
}

/* A vote that a recorded node gave counts although its arrival was not seen: nothing can be said against it. */
static bool vote_was_given(const struct election *e, const char *id)
{
    const struct step *s = e->step;
    const struct raft_term *t = raft_cluster_term(s->cluster, e->term);
    for (size_t i = 0; t && i < t->votes; i++) {
        const struct raft_vote *vote = &t->vote[i];
        if (strcmp(s->model->node[vote->witness.node].id, id) == 0 && strcmp(vote->candidate, s->node->id) == 0)
            return true;
    }
    return false;
}

static bool has_vote(void *context, const char *id)
{
    const struct election *e = context;
    const struct vote_ballot *b;
    if (strcmp(id, e->step->node->id) == 0)
        return true;
    for (size_t i = 0; (b = ballot_at(e->voter, i)) != NULL; i++) {
        if (!b->pre_vote && b->term == e->term && strcmp(b->from, id) == 0)
            return true;
    }
    return vote_was_given(e, id);
}

static bool is_voter(const char *members, const char *id)
{
    char member[RAFT_NODE_NAME];
    bool votes;
    while (members_next(&members, member, &votes)) {
        if (votes && strcmp(member, id) == 0)
            return true;
    }
    return false;
}

/* The configuration in force; NULL: not known, or in other words than the messages. */
static const struct raft_members *configuration(const struct step *s)
{
    const struct raft_book *book = &s->node->book;
    const struct raft_members *m = book->configurations ? &book->members[book->configurations - 1] : NULL;
    for (size_t i = 0; m && i < s->cluster->peers; i++) {
        if (is_voter(m->text, s->cluster->peer[i].id))
            return m;
    }
    return NULL;
}

/* By the configuration in force, or the one before: which of them it is while the change is under way is another rule's
 * (T19). Where none is known, of all that were heard of. */
static bool is_elected(struct election *e, const struct raft_members *members)
{
    const struct raft_cluster *c = e->step->cluster;
    size_t with = 0;
    if (members)
        return members_majority(members->text, has_vote, e) ||
               (!members->installed && members > e->step->node->book.members &&
                members_majority(members[-1].text, has_vote, e));
    for (size_t i = 0; i < c->peers; i++)
        with += has_vote(e, c->peer[i].id);
    return 2 * with > c->peers;
}

/* --- T02 --- */

enum wrong { RIGHT, PRE_VOTE, OTHER_TERM, TWICE, NO_VOTER, BEFORE };

/* What came before it stood can have counted only as the pre-vote that made it stand. */
static bool is_before(const struct election *e, const struct vote_ballot *b)
{
    const struct voter *v = e->voter;
    bool stood = v->stood && v->stood_term == e->term;
    return b->at.order < (!stood || b->pre_vote ? (stood ? v->stood_before : v->stood) : v->stood);
}


static enum wrong ballot_judge(const struct election *e, const struct raft_members *members, size_t i)
{
    const struct vote_ballot *b = ballot_at(e->voter, i), *earlier;
    if (is_before(e, b))
        return BEFORE;
    if (b->pre_vote)
        return PRE_VOTE;
    if (b->term != e->term)
        return OTHER_TERM;
    if (members && !is_voter(members->text, b->from))
        return NO_VOTER;
    for (size_t k = 0; k < i; k++) {
        earlier = ballot_at(e->voter, k);
        if (!earlier->pre_vote && earlier->term == b->term && strcmp(earlier->from, b->from) == 0)
            return TWICE;
    }
    return RIGHT;
}

static void reason_ballot(struct raft_break *b, const struct step *s, const struct vote_ballot *ballot, enum wrong wrong)
{
    const char *from = step_peer(s, ballot->from);
    switch (wrong) {
    case PRE_VOTE:
        break_reason(b, &ballot->at, "gets a pre-vote of %s", from);
        break;
    case TWICE:
        break_reason(b, &ballot->at, "gets the vote of %s for term %" PRIu64 " once more", from, ballot->term);
        break;
    case NO_VOTER:
        break_reason(b, &ballot->at, "gets the vote of %s, which is no voting member", from);
        break;
    default:
        break_reason(b, &ballot->at, "gets the vote of %s for term %" PRIu64, from, ballot->term);
        break;
    }
}

static const char *const wrong_words[] = {
    [RIGHT] = "without votes of a majority", [PRE_VOTE] = "counting a pre-vote as a vote",
    [OTHER_TERM] = "counting a vote for another term", [TWICE] = "counting a vote twice",
    [NO_VOTER] = "counting the vote of a server that has none",
};

static const char *const wrong_shapes[] = {
    [RIGHT] = "minority", [PRE_VOTE] = "pre-vote", [OTHER_TERM] = "term", [TWICE] = "twice", [NO_VOTER] = "no-voter",
};

/* The vote by which it believed to be elected: the latest that is none. A pre-vote is meant only if there is nothing else,
 * because every election that begins with pre-votes gets them. */
static const struct vote_ballot *ballot_wrong(const struct election *e, const struct raft_members *members,
                                              enum wrong *wrong)
{
    const struct vote_ballot *found = NULL, *b;
    *wrong = RIGHT;
    for (size_t i = 0; (b = ballot_at(e->voter, i)) != NULL; i++) {
        enum wrong judged = ballot_judge(e, members, i);
        if (judged == RIGHT || judged == BEFORE || (judged == PRE_VOTE && *wrong > PRE_VOTE))
            continue;
        *wrong = judged;
        found = b;
    }
    return found;
}

static void reasons_ballots(struct raft_break *b, const struct election *e, const struct raft_members *members,
                            enum wrong wrong)
{
    const struct vote_ballot *ballot;
    for (size_t i = 0; (ballot = ballot_at(e->voter, i)) != NULL; i++) {
        enum wrong judged = ballot_judge(e, members, i);
        if ((judged == RIGHT || judged == wrong) && ballot->at.order != b->at.order)
            reason_ballot(b, e->step, ballot, judged);
    }
}

/* T16: the latest came with a snapshot, and the node went on with the one from before. */
static void elected_before_snapshot(struct election *e, const struct raft_members *members, const struct raft_members *other)
{
    struct step *s = e->step;
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_ELECTION, e->term, 0, "");
    if (!b)
        return;
    struct raft_witness leads = b->at;
    b->at = members->at;
    break_text(b, "snapshot", "%s did not take over the configuration of index %" PRIu64
               " with the snapshot it was sent: it was elected in term %" PRIu64 " by that of index %" PRIu64, s->node->name,
               members->index, e->term, other->index);
    break_reason(b, &other->at, "has the configuration of index %" PRIu64 ": %s", other->index, other->text);
    reasons_ballots(b, e, members, RIGHT);
    break_reason(b, &leads, "leads term %" PRIu64, e->term);
}

/* T19: all its votes are right, and a majority of a configuration that is not the latest in its log. */
static void elected_by_other(struct election *e, const struct raft_members *members, const struct raft_members *other)
{
    struct step *s = e->step;
    struct voter *v = e->voter;
    struct raft_break *b = break_add(s, RAFT_T19, RAFT_SPOILS_ELECTION, e->term, 0, "");
    if (!b)
        return;
    struct raft_witness leads = b->at;
    break_reason(b, &other->at, "has the configuration of index %" PRIu64 ": %s", other->index, other->text);
    if (v->cut == other->index)
        b->at = v->cut_at;
    reasons_ballots(b, e, members, RIGHT);
    break_reason(b, &leads, "leads term %" PRIu64, e->term);
    if (v->cut == other->index)
        break_text(b, "deleted",
                   "%s deleted the configuration of index %" PRIu64 " from its log, and was elected by it in term %" PRIu64,
                   s->node->name, other->index, e->term);
    else
        break_text(b, "earlier", "%s was elected in term %" PRIu64 " by the configuration of index %" PRIu64
                   ", not by the latest in its log, of index %" PRIu64, s->node->name, e->term, other->index,
                   members->index);
}

static void elected_without(struct election *e, const struct raft_members *members)
{
    struct step *s = e->step;
    enum wrong wrong;
    const struct vote_ballot *ballot = ballot_wrong(e, members, &wrong);
    const struct raft_members *other = members && !ballot ? members_other(&s->node->book, members, has_vote, e) : NULL;
    if (other && members->installed && other->index < members->index) {
        elected_before_snapshot(e, members, other);
        return;
    }
    if (other) {
        elected_by_other(e, members, other);
        return;
    }
    struct raft_break *b = break_add(s, RAFT_T02, RAFT_SPOILS_ELECTION, e->term, 0, ballot ? ballot->from : "");
    if (!b)
        return;
    struct raft_witness leads = b->at;
    if (ballot)
        b->at = ballot->at;
    reasons_ballots(b, e, members, wrong);
    break_reason(b, &leads, "leads term %" PRIu64, e->term);
    break_text(b, wrong_shapes[wrong], "%s became leader of term %" PRIu64 " %s%s%s", s->node->name, e->term,
               wrong_words[wrong], ballot ? ": that of " : "", ballot ? step_peer(s, ballot->from) : "");
    if (!members)
        break_likely(b, "the configuration of the cluster was not seen: all servers heard of were taken for voting members");
    else if (!ballot)
        break_likely(b, "no vote was seen that it could have counted by mistake: messages that were not read as such, "
                     "or marks, would show it");
}

/* --- T06 --- */

/* It led an earlier term, learnt of this one, and goes on to lead in it: an election did not take place. */
static bool stayed_leader(struct election *e)
{
    struct step *s = e->step;
    struct voter *v = e->voter;
    const struct vote_cast *given = vote_cast_find(v, e->term, s->node->id, NULL, true);
    if (!v->led || v->heard < e->term || vote_cast_find(v, e->term, s->node->id, NULL, false))
        return false;
    struct raft_break *b = break_add(s, RAFT_T06, RAFT_SPOILS_ELECTION, e->term, 0, "");
    if (!b)
        return true;
    struct raft_witness leads = b->at;
    b->at = given ? given->at : v->heard_at;
    break_reason(b, &v->heard_at, "leads term %" PRIu64 " and hears of term %" PRIu64, v->led, v->heard);
    break_reason(b, &leads, "leads term %" PRIu64, e->term);
    break_text(b, "stayed", "%s, leader of term %" PRIu64 ", took over term %" PRIu64
               "%s%s and stayed leader, without having been a candidate in it", s->node->name, v->led, e->term, given ?
               " with a vote for " : "", given ? step_peer(s, given->candidate) : "");
    return true;
}

/* --- by marks alone --- */

static void claim_add(struct step *s, struct votes *votes, uint64_t term)
{
    if (votes->claims == VOTES_CLAIMS)
        return;
    votes->claim[votes->claims].at = step_witness(s, RAFT_HOW_STATED, true);
    votes->claim[votes->claims++].term = term;
}

/* Whether all voters but the node itself state their votes, so that one that is not stated was not given. */
static bool votes_stated(const struct step *s, const struct votes *votes, const char *members)
{
    char id[RAFT_NODE_NAME];
    bool is_member, stated = false;
    while (members_next(&members, id, &is_member)) {
        if (!is_member || strcmp(id, s->node->id) == 0)
            continue;
        stated = false;
        for (size_t i = 0; i < s->cluster->peers; i++) {
            const struct raft_peer *p = &s->cluster->peer[i];
            const struct voter *v = p->node >= 0 && strcmp(p->id, id) == 0 ? each_at(&votes->voter, (size_t)p->node) : NULL;
            stated |= v && v->casts;
        }
        if (!stated)
            return false;
    }
    return stated;
}

static void claim_check(struct step *s, struct votes *votes, const struct raft_witness *at, uint64_t term)
{
    struct election e = {s, each_at(&votes->voter, at->node), term};
    const struct raft_members *members = configuration(s);
    if (!members || members->at.order > at->order || !votes_stated(s, votes, members->text) || is_elected(&e, members))
        return;
    struct raft_break *b = break_add(s, RAFT_T02, RAFT_SPOILS_ELECTION, term, 0, "");
    if (!b)
        return;
    b->at = *at;
    break_reason(b, &members->at, "has the configuration of index %" PRIu64 ": %s", members->index, members->text);
    break_text(b, "unseen", "%s became leader of term %" PRIu64 " without votes of a majority", s->node->name, term);
    break_likely(
        b, "its votes were not seen, only what the voters state: an adapter for its messages would show what it counted");
}

void elections_finish(struct raft_model *m, struct votes *votes)
{
    for (size_t i = 0; i < votes->claims; i++) {
        const struct raft_witness *at = &votes->claim[i].at;
        struct raft_fact fact = {.process = at->process, .sequence = at->sequence};
        struct step s = {m, &m->node[at->node], &m->cluster[m->node[at->node].cluster], &fact};
        if (s.node->process == at->process && s.node->id[0])
            claim_check(&s, votes, at, votes->claim[i].term);
    }
}

/* --- facts --- */

void election_check(struct step *s, struct votes *votes, struct voter *v, uint64_t term)
{
    struct election e = {s, v, term};
    if (term <= v->led)
        return;
    if (s->node->book.trigger.at.how == RAFT_HOW_NONE) {
        claim_add(s, votes, term);
    } else if (s->node->id[0]) { /* else there is no name to find it by among the voters */
        const struct raft_members *members = configuration(s);
        if (!is_elected(&e, members) && !stayed_leader(&e))
            elected_without(&e, members);
    }
    v->led = term;
}
