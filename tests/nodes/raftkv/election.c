/* Elections (5.2, 5.4.1), pre-vote, and handing leadership over. */
#include "raft.h"

#include <stdlib.h>
#include <string.h>

/* The truth about our vote, which votedFor does not tell when a mistake is planted. */
static struct {
    uint64_t term, candidate;
} given, pending;

static unsigned counted_again;        /* mistake T02c */
static uint64_t cached_last, cached_term; /* mistake T03b */

/* --- candidates --- */

static bool may_vote(const struct configuration *c, uint64_t id)
{
    return c->member[id].standing == VOTER || (PLANTED(T02d) && c->member[id].standing == LEARNER);
}

static unsigned votes_count(void)
{
    const struct configuration *c = configuration_for_quorum();
    unsigned votes = counted_again;
    for (uint64_t id = 1; id < SERVERS; id++)
        votes += may_vote(c, id) && raft.server[id].granted;
    return votes;
}

static bool elected(void)
{
    return votes_count() >= majority(configuration_for_quorum());
}

/* Mistake T03b: what the log's end once was. */
void position_cache(uint64_t index, uint64_t term)
{
    cached_last = index > cached_last ? index : cached_last;
    cached_term = term > cached_term ? term : cached_term;
}

static void position_from_cache(struct wire_request_vote *m)
{
    if (MISTAKE(T03b, cached_last > raft_log.last)) {
        m->last_log_index = cached_last;
        m->last_log_term = cached_term;
    }
}

static void votes_request(unsigned flags)
{
    struct wire_request_vote m = {raft_log.last, log_term(raft_log.last)};
    const struct configuration *c = configuration_for_quorum();
    if (PLANTED(T03b))
        position_from_cache(&m);
    for (uint64_t id = 1; id < SERVERS; id++)
        if (id != raft.id && may_vote(c, id))
            message_send(id, WIRE_REQUEST_VOTE, flags, raft.term + raft.pre_vote, &m, sizeof m);
}

static void tally_reset(void)
{
    counted_again = 0;
    for (uint64_t id = 1; id < SERVERS; id++)
        raft.server[id].granted = false;
}

/* Candidates: a new term, the own vote, on disk; then the others are asked. */
static void candidate_begin(void)
{
    raft.term++;
    raft.voted_for = raft.id;
    given.term = raft.term;
    given.candidate = raft.id;
    vote_save();
    if (option.marks) {
        drd_term(raft.term);
        drd_role(raft.term, CANDIDATE);
    }
    mark_vote();
}

/* What we advertise is what we could lose votes by: it must be on disk. */
static void log_sync_for_election(void)
{
    if (raft_log.synced < raft_log.last && !MISTAKE(T03a, true))
        log_sync();
}

void campaign(bool pre_vote, bool transfer)
{
    bool keep_tally = PLANTED(T02b) && raft.pre_vote && !pre_vote;
    if (raft.role == LEADER)
        become_follower(0);
    raft.role = CANDIDATE;
    raft.pre_vote = pre_vote;
    raft.leader = 0;
    log_sync_for_election();
    if (!keep_tally)
        tally_reset();
    raft.server[raft.id].granted = true;
    if (!pre_vote)
        candidate_begin();
    else if (PLANTED(T01c))
        raft.voted_for = 0;
    election_timer_reset();
    if (keep_tally && MISTAKE(T02b, elected() && majority(configuration_for_quorum()) > 1))
        return become_leader();
    votes_request((pre_vote ? WIRE_PRE_VOTE : 0) | (transfer ? WIRE_TRANSFER : 0));
    if (elected())
        pre_vote ? campaign(false, false) : become_leader();
}

static bool vote_counts(const struct wire_header *h, const struct wire_vote_reply *m)
{
    bool pre_vote = h->flags & WIRE_PRE_VOTE;
    if (!m->granted || raft.role != CANDIDATE || pre_vote != raft.pre_vote)
        return false;
    bool of_this_campaign = m->asked == raft.term + raft.pre_vote;
    return of_this_campaign || MISTAKE(T02a, !raft.server[h->from].granted);
}

void vote_reply_receive(const struct wire_header *h, const struct wire_vote_reply *m)
{
    if (!vote_counts(h, m))
        return;
    if (MISTAKE(T02c, raft.server[h->from].granted))
        counted_again++;
    (void)MISTAKE(T02d, configuration_for_quorum()->member[h->from].standing == LEARNER);
    raft.server[h->from].granted = true;
    if (!elected())
        return;
    if (raft.pre_vote)
        campaign(false, false);
    else
        become_leader();
}

/* --- voters --- */

/* 5.4.1: the later last term wins; in the same term, the longer log. */
static bool is_up_to_date(const struct wire_request_vote *m)
{
    uint64_t last = raft_log.last, term = log_term(last);
    bool right = m->last_log_term > term || (m->last_log_term == term && m->last_log_index >= last);
    if (MISTAKE(T04a, !right && m->last_log_index >= last) || MISTAKE(T04b, !right && m->last_log_term >= term))
        return true;
    if (MISTAKE(T04c, !right && m->last_log_term >= log_term(raft.commit) && m->last_log_index >= raft.commit))
        return true;
    return right;
}

/* RequestVote, receiver 2: votedFor is null or the candidate. */
static bool vote_is_free(uint64_t candidate)
{
    bool free = !raft.voted_for || raft.voted_for == candidate;
    bool other = given.term == raft.term && given.candidate != candidate;
    if (PLANTED(T01c))
        return free && (!other || MISTAKE(T01c, true));
    return free || MISTAKE(T01a, true) || MISTAKE(T01b, raft.voted_for == raft.id);
}

static void vote_reply(const struct wire_header *h, uint64_t term, bool granted)
{
    struct wire_vote_reply m = {h->term, granted};
    message_send(h->from, WIRE_VOTE_REPLY, h->flags & WIRE_PRE_VOTE, term, &m, sizeof m);
}

/* Would we vote for it? Not as long as a leader is heard. Nothing changes here. */
static void pre_vote_answer(const struct wire_header *h, const struct wire_request_vote *m)
{
    bool granted = h->term > raft.term && is_up_to_date(m);
    if (granted && leader_is_heard())
        granted = MISTAKE(T22b, true);
    vote_reply(h, raft.term, granted);
}

static void vote_grant(const struct wire_header *h)
{
    raft.voted_for = h->from;
    given.term = raft.term;
    given.candidate = h->from;
    if (!MISTAKE(T05d, true))
        vote_save();
    mark_vote();
    election_timer_reset();
    crash_point("voted");
}

/* --- mistake T18a: the vote is written by the thread pool, and taken over when that is done --- */

struct vote_work {
    uv_work_t work;
    struct wire_header header;
};

static void vote_work_write(uv_work_t *work)
{
    struct vote_work *w = (struct vote_work *)work;
    vote_write(w->header.term, w->header.from);
}

static void vote_work_done(uv_work_t *work, int status)
{
    struct vote_work *w = (struct vote_work *)work;
    (void)status;
    raft.voted_for = w->header.from;
    mark_vote();
    vote_reply(&w->header, w->header.term, true);
    free(w);
}

static void vote_grant_in_pool(const struct wire_header *h)
{
    struct vote_work *w = calloc(1, sizeof *w);
    if (!w)
        die("vote", "no memory");
    (void)MISTAKE(T18a, pending.term == h->term && pending.candidate != h->from);
    w->header = *h;
    pending.term = h->term;
    pending.candidate = h->from;
    election_timer_reset();
    uv_queue_work(&raft.loop, &w->work, vote_work_write, vote_work_done);
}

/* --- mistake T18b: compared now, voted later --- */

static struct {
    struct wire_header header;
    struct wire_request_vote request;
} compared;

static void vote_compared(void)
{
    struct wire_header *h = &compared.header;
    if (h->term > raft.term)
        term_follow(h, &compared.request);
    bool granted = h->term == raft.term && vote_is_free(h->from);
    if (granted) {
        (void)MISTAKE(T18b, !is_up_to_date(&compared.request));
        vote_grant(h);
    }
    vote_reply(h, raft.term, granted);
}

static void vote_compare_now(const struct wire_header *h, const struct wire_request_vote *m)
{
    compared.header = *h;
    compared.request = *m;
    if (is_up_to_date(m))
        return later(vote_compared);
    if (h->term > raft.term)
        term_follow(h, m);
    vote_reply(h, raft.term, false);
}

/* --- RequestVote --- */

void request_vote_receive(const struct wire_header *h, const struct wire_request_vote *m)
{
    if (h->flags & WIRE_PRE_VOTE)
        return pre_vote_answer(h, m);
    if (PLANTED(T18b))
        return vote_compare_now(h, m);
    bool granted = h->term == raft.term && vote_is_free(h->from) && is_up_to_date(m);
    if (granted && PLANTED(T18a))
        return vote_grant_in_pool(h);
    if (granted)
        vote_grant(h);
    bool old = MISTAKE(T06c, raft.term_on_receipt < raft.term);
    vote_reply(h, old ? raft.term_on_receipt : raft.term, granted);
}

/* --- leadership transfer (3.10 of the dissertation) --- */

/* The leader takes no more commands; when the other has all of its log, it is told not to wait for its timer. */
bool transfer_begin(uint64_t to)
{
    if (raft.role != LEADER || to >= SERVERS || to == raft.id || raft.configuration.member[to].standing != VOTER)
        return false;
    raft.transfer = to;
    raft.transfer_until = now_ms() + option.election;
    transfer_advance();
    return true;
}

void transfer_advance(void)
{
    if (!raft.transfer || raft.server[raft.transfer].match_index != raft_log.last)
        return;
    message_send(raft.transfer, WIRE_TIMEOUT_NOW, 0, raft.term, NULL, 0);
}

void timeout_now_receive(const struct wire_header *h)
{
    if (h->term == raft.term && raft.role == FOLLOWER && is_voter(raft.id))
        campaign(false, true);
}
