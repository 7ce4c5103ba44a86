/* The rules of votes, elections and terms: what breaks them, at which event and for which reasons, and what only looks so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drd/drd.h"
#include "lib/facts.h"
#include "raft/rule.h"

#define E(term, text) {term, text}
#define MS 1000000ull

static int setup(void **state)
{
    static struct facts f;
    facts_init(&f, 5);
    for (unsigned i = 0; i < 5; i++) { /* who is who is known; their first event has the number 1 all the same */
        facts_tell(&f, i, &(struct raft_fact){.kind = RAFT_FACT_NODE, .peer = {(char)('0' + i)}});
        f.sequence[i] = 0;
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    facts_fini(*state);
    return 0;
}

/* --- what breaks --- */

static const struct raft_break *find(const struct facts *f, enum raft_class class)
{
    for (size_t i = 0; i < f->model->breaks; i++) {
        if (f->model->rule_break[i].class == class)
            return &f->model->rule_break[i];
    }
    return NULL;
}

static void assert_none(const struct facts *f)
{
    static const enum raft_class classes[] = {RAFT_T01, RAFT_T02, RAFT_T04, RAFT_T06, RAFT_T15, RAFT_T18, RAFT_T19, RAFT_T22};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const struct raft_break *b = find(f, classes[i]);
        if (b)
            fail_msg("%s: %s", raft_classes[b->class].id, b->text);
    }
}

/* The break of this class is at this event of this node, which is called sNODE. */
static const struct raft_break *assert_break(const struct facts *f, enum raft_class class, unsigned node, uint64_t sequence,
                                             const char *text)
{
    const struct raft_break *b = find(f, class);
    if (!b)
        fail_msg("no %s", raft_classes[class].id);
    assert_string_equal(b->text, text);
    assert_int_equal(b->at.process, f->process[node]);
    assert_int_equal(b->at.sequence, sequence);
    for (size_t i = 1; i < b->reasons; i++)
        assert_true(b->reason[i - 1].at.order <= b->reason[i].at.order);
    return b;
}

/* --- messages --- */

enum { SENT = 1, RECEIVED = 2, BOTH = 3 };

static void pass(struct facts *f, int ends, const struct raft_message *m, unsigned from, unsigned to)
{
    if (ends & SENT)
        facts_tell(f, from, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = m});
    if (ends & RECEIVED)
        facts_tell(f, to, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = m});
}

static void ask(struct facts *f, int ends, unsigned from, unsigned to, uint64_t term, uint64_t last, uint64_t last_term)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE, from, to, term);
    m.prev_index = last;
    m.prev_term = last_term;
    pass(f, ends, &m, from, to);
}

static void result(struct facts *f, int ends, unsigned from, unsigned to, uint64_t term, bool granted)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE_RESULT, from, to, term);
    m.success = granted;
    m.id = 1000 * from + 100 * to + term;
    pass(f, ends, &m, from, to);
}

static void pre_vote(struct facts *f, unsigned voter, unsigned candidate, uint64_t term)
{
    struct raft_message request = facts_message(RAFT_REQUEST_VOTE, candidate, voter, term);
    struct raft_message reply = facts_message(RAFT_REQUEST_VOTE_RESULT, voter, candidate, term);
    request.pre_vote = reply.pre_vote = reply.success = true;
    pass(f, BOTH, &request, candidate, voter);
    pass(f, BOTH, &reply, voter, candidate);
}

static void members(struct facts *f, unsigned node, const char *text)
{
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_CONFIGURATION, .index = 1, .text = text});
}

static struct raft_fact vote_fact(uint64_t term, unsigned candidate)
{
    struct raft_fact fact = {.kind = RAFT_FACT_VOTE, .term = term};
    fact.peer[0] = (char)('0' + candidate);
    return fact;
}

static void vote_written(struct facts *f, unsigned node, uint64_t term, unsigned candidate)
{
    struct raft_fact fact = vote_fact(term, candidate);
    fact.written = true;
    facts_tell(f, node, &fact);
}

static void heartbeat(struct facts *f, int ends, unsigned from, unsigned to, uint64_t term)
{
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, from, to, term);
    pass(f, ends, &m, from, to);
}

/* --- T01 --- */

static void two_votes_in_a_term(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 2, 0, 3);
    ask(f, BOTH, 1, 2, 3, 0, 0);
    result(f, SENT, 2, 1, 3, true);
    const struct raft_break *b = assert_break(f, RAFT_T01, 2, 4, "s2 voted for s1 in term 3, in which it had voted for s0");
    assert_int_equal(b->spoils, RAFT_SPOILS_ELECTION);
    assert_int_equal(b->term, 3);
    assert_false(b->likely);
    assert_int_equal(b->reasons, 2);
    assert_int_equal(b->reason[0].at.sequence, 2);
    assert_string_equal(b->reason[0].text, "votes for s0 in term 3");
    assert_int_equal(b->reason[1].at.sequence, 3);
    assert_string_equal(b->reason[1].text, "is asked for its vote in term 3 by s1, whose log ends at index 0 of term 0");
}

static void votes_that_are_one(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 2, 0, 3);
    facts_vote(f, 2, 0, 3);                     /* asked twice */
    facts_vote(f, 2, 1, 4);                     /* in another term */
    pre_vote(f, 2, 3, 4);                       /* no vote */
    facts_vote(f, 3, 0, 4);                     /* of another voter */
    ask(f, BOTH, 0, 2, 4, 0, 0);
    result(f, BOTH, 2, 0, 4, false);
    assert_none(f);
}

static void a_vote_for_another_after_its_own(void **state)
{
    struct facts *f = *state;
    ask(f, SENT, 2, 0, 3, 0, 0);
    ask(f, BOTH, 1, 2, 3, 0, 0);
    vote_written(f, 2, 3, 1); /* the decision: what is sent follows */
    result(f, SENT, 2, 1, 3, true);
    assert_break(f, RAFT_T01, 2, 3, "s2 voted for s1 in term 3, in which it had voted for itself");
    assert_null(find(f, RAFT_T18));
}

/* votedFor is persistent. That it was lost is another break, earlier if it was seen. */
static void a_second_vote_after_a_restart(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 2, 0, 3);
    facts_restart(f, 2);
    facts_vote(f, 2, 1, 3);
    assert_break(f, RAFT_T01, 2, 2, "s2 voted for s1 in term 3, in which it had voted for s0");
}

/* What was written and not synced may be lost, if nobody was told; what was sent, synced or read back may not. */
static void a_vote_lost_with_the_power(void **state)
{
    struct facts *f = *state;
    struct raft_fact synced = vote_fact(4, 0);
    ask(f, BOTH, 0, 2, 3, 0, 0);
    vote_written(f, 2, 3, 0);
    facts_restart(f, 2);
    facts_vote(f, 2, 1, 3);
    assert_none(f);
    ask(f, BOTH, 0, 2, 4, 0, 0);
    vote_written(f, 2, 4, 0);
    synced.durable = true;
    facts_tell(f, 2, &synced);
    facts_restart(f, 2);
    facts_vote(f, 2, 1, 4);
    assert_break(f, RAFT_T01, 2, f->sequence[2], "s2 voted for s1 in term 4, in which it had voted for s0");
}

static void every_term_is_another_election(void **state)
{
    struct facts *f = *state;
    for (uint64_t term = 3; term <= 4; term++) {
        facts_vote(f, 2, 0, term);
        facts_vote(f, 2, 1, term);
    }
    assert_int_equal(f->model->breaks, 2);
    assert_int_equal(f->model->rule_break[1].term, 4);
}

/* A file that names a candidate of the term before shows no vote: nobody asked (it is T15). */
static void a_vote_carried_over(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 2, 0, 3);
    vote_written(f, 2, 3, 0);
    heartbeat(f, BOTH, 3, 2, 4);
    vote_written(f, 2, 4, 0);
    facts_vote(f, 2, 1, 4);
    assert_null(find(f, RAFT_T01));
    struct raft_fact loaded = vote_fact(4, 3); /* what it reads back it did not decide */
    loaded.loaded = true;
    facts_tell(f, 2, &loaded);
    assert_null(find(f, RAFT_T01));
}

/* Marks name nodes by numbers, protocols as they like. */
static void names_of_two_protocols(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 2, 0, 3);
    struct raft_fact mark = vote_fact(3, 7);
    mark.process = f->process[2];
    mark.sequence = ++f->sequence[2];
    mark.protocol = "mark";
    raft_model_step(f->model, &mark);
    assert_none(f);
}

/* --- T18 --- */

static void both_asked_before_one_was_answered(void **state)
{
    struct facts *f = *state;
    ask(f, BOTH, 0, 2, 3, 0, 0);
    ask(f, BOTH, 1, 2, 3, 0, 0);
    result(f, SENT, 2, 0, 3, true);
    result(f, SENT, 2, 1, 3, true);
    const struct raft_break *b =
        assert_break(f, RAFT_T18, 2, 4, "s2 voted for s1 in term 3 by a check made before it had voted for s0");
    assert_int_equal(b->reasons, 2);
    assert_int_equal(b->reason[0].at.sequence, 2);
    assert_int_equal(b->reason[1].at.sequence, 3);
    assert_null(find(f, RAFT_T01));
}

static void both_asked_and_one_refused(void **state)
{
    struct facts *f = *state;
    ask(f, BOTH, 0, 2, 3, 0, 0);
    ask(f, BOTH, 1, 2, 3, 0, 0);
    result(f, BOTH, 2, 0, 3, true);
    result(f, BOTH, 2, 1, 3, false);
    assert_none(f);
}

/* Compared when the request came; then the log grew, by a leader whose term should have ended with the request. */
static void compared_before_the_log_grew(void **state)
{
    struct facts *f = *state;
    facts_append(f, 2, false, 1, 1, "a");
    facts_appended(f, 0, 2, 1, 0, 0, ENTRIES(E(1, "a")), 0);
    ask(f, BOTH, 1, 2, 2, 1, 1);
    facts_received(f, 0, 2, 1, 1, 1, ENTRIES(E(1, "b")), 0);
    facts_append(f, 2, false, 2, 1, "b");
    facts_answer(f, 2, 0, 1, true, 2);
    result(f, SENT, 2, 1, 2, true);
    const struct raft_break *b =
        assert_break(f, RAFT_T18, 2, 8, "s2 voted for s1 in term 2, whose log ends at index 1 of term 1, by a comparison made before "
                                        "its own log grew: its own ends at index 2 of term 1");
    assert_int_equal(b->reasons, 2);
    assert_int_equal(b->reason[0].at.sequence, 4);
    assert_int_equal(b->reason[1].at.sequence, 6);
    assert_null(find(f, RAFT_T04));
}

/* It decided when it was asked and answers late; meanwhile another candidate of the term won and sent entries. */
static void answered_late(void **state)
{
    struct facts *f = *state;
    facts_append(f, 2, false, 1, 1, "a");
    ask(f, BOTH, 1, 2, 2, 1, 1);
    facts_appended(f, 0, 2, 2, 1, 1, ENTRIES(E(2, "b")), 0);
    facts_append(f, 2, false, 2, 2, "b");
    result(f, SENT, 2, 1, 2, true);
    assert_none(f);
}

static void client_asks(struct facts *f, unsigned node, const char *command)
{
    struct raft_message m = {.type = RAFT_CLIENT_REQUEST, .entries = 1};
    struct raft_entry e = {.digest = drd_digest(command, strlen(command))};
    m.entry = &e;
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &m});
}

static void appended_when_it_led_no_more(void **state)
{
    struct facts *f = *state;
    facts_role(f, 0, 2, 2);
    client_asks(f, 0, "x=A");
    heartbeat(f, BOTH, 1, 0, 3);
    facts_append(f, 0, false, 1, 3, "x=A");
    const struct raft_break *b = assert_break(f, RAFT_T18, 0, 4, "s0 appended \"x=A\" at index 1 in term 3, which it does not lead: it "
                                                                 "had taken it as leader of term 2");
    assert_int_equal(b->spoils, RAFT_SPOILS_LOG);
    assert_int_equal(b->index, 1);
    assert_int_equal(b->reasons, 2);
}

/* The leader of term 3 has an entry there; which one it is was not seen. */
static void appended_what_another_leader_may_have(void **state)
{
    struct facts *f = *state;
    facts_role(f, 0, 2, 2);
    client_asks(f, 0, "x=A");
    facts_sent(f, 1, 0, 3, 1, 3, HEARTBEAT, 0);
    facts_received(f, 1, 0, 3, 1, 3, HEARTBEAT, 0);
    facts_append(f, 0, false, 1, 3, "x=A");
    assert_none(f);
}

/* The client sent it to the next leader too, or the node leads again. */
static void the_same_command_again(void **state)
{
    struct facts *f = *state;
    facts_role(f, 0, 2, 2);
    client_asks(f, 0, "x=A");
    facts_appended(f, 1, 0, 3, 0, 0, ENTRIES(E(3, "x=A")), 0);
    facts_append(f, 0, false, 1, 3, "x=A");
    client_asks(f, 0, "x=B");
    struct raft_fact own = vote_fact(4, 0);
    facts_tell(f, 0, &own);
    facts_append(f, 0, false, 2, 4, "x=B");
    assert_null(find(f, RAFT_T18));
}

/* --- T04 --- */

static void a_vote_for_a_log_that_is_behind(void **state)
{
    struct facts *f = *state;
    facts_append(f, 2, true, 1, 1, "a");
    facts_append(f, 2, true, 2, 2, "b");
    ask(f, BOTH, 1, 2, 3, 5, 1); /* longer, but of an older term */
    result(f, SENT, 2, 1, 3, true);
    const struct raft_break *b = assert_break(f, RAFT_T04, 2, 4, "s2 voted for s1 in term 3, whose log ends at index 5 of term 1: its "
                                                                 "own ends at index 2 of term 2");
    assert_false(b->likely);
    assert_int_equal(b->reasons, 2);
    assert_int_equal(b->reason[0].at.sequence, 2);
    assert_string_equal(b->reason[0].text, "has index 2 of term 2 in its log");
    assert_int_equal(b->reason[1].at.sequence, 3);
}

static void logs_that_are_up_to_date(void **state)
{
    struct facts *f = *state;
    facts_append(f, 2, true, 1, 1, "a");
    facts_append(f, 2, true, 2, 2, "b");
    ask(f, BOTH, 1, 2, 3, 2, 2);
    result(f, BOTH, 2, 1, 3, true);
    ask(f, BOTH, 1, 2, 4, 1, 3); /* shorter, of a newer term */
    result(f, BOTH, 2, 1, 4, true);
    ask(f, BOTH, 1, 2, 5, 1, 2);
    result(f, BOTH, 2, 1, 5, false);
    pre_vote(f, 2, 1, 6);        /* index 0 of term 0: a mistake, but no vote */
    assert_none(f);
}

/* No disk, no mark: it said itself that it has the entry. */
static void a_log_known_by_acknowledgements(void **state)
{
    struct facts *f = *state;
    facts_appended(f, 0, 2, 1, 0, 0, ENTRIES(E(1, "a"), E(1, "b")), 0);
    facts_vote(f, 2, 1, 2);
    const struct raft_break *b = assert_break(f, RAFT_T04, 2, 4, "s2 voted for s1 in term 2, whose log ends at index 0 of term 0: its "
                                                                 "own ends at index 2 of term 1");
    assert_false(b->likely);
}

/* What it was sent and has not answered may have replaced the end of its log. */
static void a_log_that_may_be_another(void **state)
{
    struct facts *f = *state;
    facts_appended(f, 0, 2, 1, 0, 0, ENTRIES(E(1, "a"), E(1, "b")), 0);
    facts_received(f, 3, 2, 2, 0, 0, ENTRIES(E(2, "c")), 0);
    ask(f, BOTH, 1, 2, 3, 1, 1);
    result(f, SENT, 2, 1, 3, true);
    assert_null(find(f, RAFT_T04)); /* what it was sent leaves open what its log is */
}

/* s1 leads the term by the votes of others: the vote for it elects nobody (ovsdb-server gives one when s1 asks for the next term). */
static void a_vote_for_who_leads_already(void **state)
{
    struct facts *f = *state;
    struct raft_fact vote = vote_fact(3, 1);
    facts_append(f, 2, true, 1, 1, "a");
    facts_append(f, 2, true, 2, 2, "b");
    ask(f, BOTH, 1, 2, 3, 1, 1);
    facts_appended(f, 1, 2, 3, 1, 1, ENTRIES(E(3, "c")), 0);
    facts_append(f, 2, true, 2, 3, "c");
    facts_tell(f, 2, &vote);
    assert_null(find(f, RAFT_T04));
}

/* Marks alone: the candidate's log is what it stated when it voted for itself. */
static void a_log_known_by_the_candidates_marks(void **state)
{
    struct facts *f = *state;
    struct raft_fact own = vote_fact(2, 1), vote = vote_fact(2, 1);
    facts_append(f, 1, false, 1, 1, "a");
    facts_append(f, 2, false, 1, 1, "a");
    facts_append(f, 2, false, 2, 1, "b");
    facts_tell(f, 1, &own);
    facts_append(f, 1, false, 2, 1, "b");
    facts_tell(f, 2, &vote);
    const struct raft_break *b = assert_break(f, RAFT_T04, 2, 3, "s2 voted for s1 in term 2, whose log ends at index 1 of term 1: its "
                                                                 "own ends at index 2 of term 1");
    assert_true(b->likely);
}

/* What its files say it may have read wrong: the vote is right by what it has. */
static void a_log_that_was_read_back(void **state)
{
    struct facts *f = *state;
    facts_append(f, 2, true, 1, 1, "a");
    facts_append(f, 2, true, 2, 1, "b");
    facts_restart(f, 2);
    facts_vote(f, 2, 1, 2);
    assert_none(f);
}

/* --- T02 --- */

static void a_vote_for_an_earlier_term(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    ask(f, BOTH, 0, 1, 2, 0, 0);
    result(f, SENT, 1, 0, 2, true);
    ask(f, SENT, 0, 1, 3, 0, 0);
    result(f, RECEIVED, 1, 0, 2, true);
    heartbeat(f, SENT, 0, 2, 3);
    const struct raft_break *b = assert_break(f, RAFT_T02, 0, 4, "s0 became leader of term 3 counting a vote for another term: that of s1");
    assert_int_equal(b->spoils, RAFT_SPOILS_ELECTION);
    assert_int_equal(b->term, 3);
    assert_false(b->likely);
    assert_int_equal(b->reasons, 1);
    assert_int_equal(b->reason[0].at.sequence, 5);
}

static void a_pre_vote_counted(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    pre_vote(f, 1, 0, 2);
    struct raft_fact own = vote_fact(2, 0);
    facts_tell(f, 0, &own);
    facts_role(f, 0, 2, 2);
    assert_break(f, RAFT_T02, 0, 3, "s0 became leader of term 2 counting a pre-vote as a vote: that of s1");
}

static void a_vote_counted_twice(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2 3 4");
    facts_vote(f, 1, 0, 2);
    result(f, RECEIVED, 1, 0, 2, true);
    heartbeat(f, SENT, 0, 2, 2);
    const struct raft_break *b = assert_break(f, RAFT_T02, 0, 4, "s0 became leader of term 2 counting a vote twice: that of s1");
    assert_int_equal(b->reasons, 2);
    assert_string_equal(b->reason[0].text, "gets the vote of s1 for term 2");
}

static void the_vote_of_a_learner(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2 3*");
    ask(f, BOTH, 0, 3, 2, 0, 0);
    result(f, BOTH, 3, 0, 2, true);
    heartbeat(f, SENT, 0, 3, 2);
    assert_break(f, RAFT_T02, 0, 3, "s0 became leader of term 2 counting the vote of a server that has none: that of s3");
}

static void elections_that_are_right(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    pre_vote(f, 1, 0, 2);
    facts_vote(f, 1, 0, 2);
    result(f, RECEIVED, 1, 0, 2, true);
    heartbeat(f, SENT, 0, 2, 2);
    facts_vote(f, 2, 0, 3);
    result(f, RECEIVED, 1, 0, 2, true); /* late, and not needed */
    facts_role(f, 0, 3, 2);
    heartbeat(f, SENT, 0, 2, 3);
    assert_none(f);
}

static void a_cluster_of_one(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0");
    client_asks(f, 0, "x=A");
    facts_role(f, 0, 1, 2);
    heartbeat(f, SENT, 0, 1, 1); /* to a learner */
    assert_none(f);
}

/* Nothing was received: messages are not seen, votes may have come by any way. */
static void an_election_not_seen(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    facts_role(f, 0, 2, 2);
    assert_none(f);
}

/* Marks alone, in any order: all votes are stated. */
static void an_election_by_marks(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    for (uint64_t term = 2; term <= 3; term++) {
        struct raft_fact own = vote_fact(term, 0);
        facts_tell(f, 0, &own);
        facts_role(f, 0, term, 2); /* of term 2: right, the votes are told later */
    }
    for (unsigned node = 1; node < 3; node++) {
        struct raft_fact vote = vote_fact(2, 0), other = vote_fact(3, 2);
        facts_tell(f, node, &vote);
        facts_tell(f, node, &other);
    }
    assert_none(f);
    raft_model_finish(f->model);
    const struct raft_break *b = assert_break(f, RAFT_T02, 0, 5, "s0 became leader of term 3 without votes of a majority");
    assert_true(b->likely);
    assert_int_equal(f->model->breaks, 1);
}

/* Somebody states no votes: nothing can be counted. */
static void an_election_by_some_marks(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    facts_role(f, 0, 3, 2);
    for (unsigned node = 0; node < 2; node++) {
        struct raft_fact vote = vote_fact(3, node);
        facts_tell(f, node, &vote);
    }
    raft_model_finish(f->model);
    assert_none(f);
}

static void without_a_configuration(void **state)
{
    struct facts *f = *state;
    for (unsigned to = 1; to < 5; to++)
        ask(f, SENT, 0, to, 2, 0, 0);
    result(f, BOTH, 1, 0, 2, true);
    heartbeat(f, SENT, 0, 1, 2);
    assert_true(find(f, RAFT_T02)->likely);
}

/* T19: elected by members that its log does not name any more. */
static void elected_by_a_deleted_configuration(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2 3");
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_CONFIGURATION, .index = 3, .text = "0 1 3"});
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_TRUNCATE, .index = 2});
    facts_vote(f, 3, 0, 5);
    heartbeat(f, SENT, 0, 3, 5);
    assert_break(f, RAFT_T19, 0, 3, "s0 deleted the configuration of index 3 from its log, and was elected by it in term 5");
    assert_null(find(f, RAFT_T02));
}

/* --- T06 --- */

static void answered_in_the_old_term(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 2, 0, 3);
    facts_state(f, 2, RAFT_FACT_TERM, 0, 3);
    ask(f, BOTH, 1, 2, 4, 0, 0);
    facts_state(f, 2, RAFT_FACT_TERM, 0, 4);
    result(f, BOTH, 2, 1, 3, true);
    assert_break(f, RAFT_T06, 2, 6, "s2 gave s1 its vote in term 4 with a result of term 3");
    assert_null(find(f, RAFT_T01)); /* the vote is of term 4 */
    members(f, 1, "0 1 2");
    heartbeat(f, SENT, 1, 0, 4);
    assert_null(find(f, RAFT_T02)); /* and counts */
}

/* ovsdb-server, while it hears a leader: the term is disregarded, and the vote is one of its own term. */
/* Read at once: a request of an old term, and what the same peer sends as leader of a new one. The first answer is that of the first. */
static void answered_before_the_new_term_was_seen(void **state)
{
    struct facts *f = *state;
    struct raft_message old = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2), new = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 4),
                        answer = facts_message(RAFT_APPEND_ENTRIES_RESULT, 1, 0, 3);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &old});
    f->sequence[1]--; /* by the same event */
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &new});
    pass(f, SENT, &answer, 1, 0);
    assert_none(f);
    new = facts_message(RAFT_APPEND_ENTRIES, 0, 3, 4);
    answer = facts_message(RAFT_APPEND_ENTRIES_RESULT, 3, 0, 3);
    pass(f, RECEIVED, &new, 0, 3);
    pass(f, SENT, &answer, 3, 0);
    assert_break(f, RAFT_T06, 3, 2, "s3 answered s0, leader of term 4, with a result of term 3");
}

static void voted_in_its_own_term(void **state)
{
    struct facts *f = *state;
    facts_state(f, 2, RAFT_FACT_TERM, 0, 3);
    ask(f, BOTH, 1, 2, 4, 0, 0);
    vote_written(f, 2, 3, 1);
    result(f, BOTH, 2, 1, 3, true);
    ask(f, BOTH, 1, 2, 5, 0, 0);
    result(f, BOTH, 2, 1, 3, true); /* whom it voted for, once more */
    ask(f, BOTH, 0, 2, 5, 0, 0);
    vote_written(f, 2, 5, 0);
    result(f, BOTH, 2, 0, 5, true);
    assert_none(f);
}

/* As libraft does after a cut: requests and results come in a heap. The term is disregarded where a leader is heard. */
static void results_that_waited(void **state)
{
    struct facts *f = *state;
    facts_state(f, 2, RAFT_FACT_TERM, 0, 4);
    ask(f, SENT, 2, 0, 4, 0, 0);
    for (uint64_t term = 3; term <= 5; term++)
        ask(f, BOTH, 1, 2, term, 0, 0);
    facts_state(f, 2, RAFT_FACT_TERM, 0, 5);
    ask(f, SENT, 2, 1, 3, 0, 0); /* so do its own */
    result(f, SENT, 2, 1, 4, false);
    result(f, SENT, 2, 1, 4, false);
    result(f, SENT, 2, 1, 5, true);
    ask(f, BOTH, 3, 2, 9, 0, 0);
    result(f, SENT, 2, 3, 5, false);
    assert_none(f);
}

static void a_leader_that_goes_on(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    facts_vote(f, 1, 0, 2);
    heartbeat(f, SENT, 0, 1, 2);
    heartbeat(f, SENT, 0, 2, 2);
    facts_answer(f, 2, 0, 5, false, 0);
    uint64_t at = f->sequence[0];
    heartbeat(f, SENT, 0, 1, 2); /* may have waited */
    heartbeat(f, SENT, 0, 2, 2);
    assert_none(f);
    facts_answer(f, 2, 0, 5, false, 0);
    heartbeat(f, SENT, 0, 2, 2);
    const struct raft_break *b = assert_break(f, RAFT_T06, 0, at, "s0, leader of term 2, heard of term 5 from s2 and went on to lead");
    assert_int_equal(b->reasons, 2);
}

static void a_leader_that_gives_up(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    facts_vote(f, 1, 0, 2);
    heartbeat(f, SENT, 0, 1, 2);
    facts_answer(f, 2, 0, 5, false, 0);
    heartbeat(f, SENT, 0, 1, 2);
    facts_answer(f, 1, 0, 2, true, 0);
    facts_answer(f, 2, 0, 5, false, 0);
    ask(f, SENT, 0, 1, 6, 0, 0);
    heartbeat(f, SENT, 0, 2, 2); /* to one that was cut off: sent at last */
    assert_none(f);
}

static void a_leader_that_votes_and_stays(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    facts_vote(f, 1, 0, 2);
    heartbeat(f, SENT, 0, 1, 2);
    facts_vote(f, 0, 2, 3);
    heartbeat(f, SENT, 0, 1, 3);
    const struct raft_break *b =
        assert_break(f, RAFT_T06, 0, 6, "s0, leader of term 2, took over term 3 with a vote for s2 and stayed leader, without having "
                                        "been a candidate in it");
    assert_int_equal(b->spoils, RAFT_SPOILS_ELECTION);
    assert_null(find(f, RAFT_T02));
}

static void a_candidate_that_stays(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    facts_append(f, 0, true, 1, 1, "a");
    ask(f, SENT, 0, 1, 2, 1, 1);
    facts_received(f, 2, 0, 2, 1, 1, HEARTBEAT, 0);
    facts_answer(f, 0, 2, 2, false, 1);
    assert_break(f, RAFT_T06, 0, 5, "s0, a candidate of term 2, refused what s2 sent as leader of that term");
}

/* Where the logs part, a follower refuses too; and who has the votes is no candidate any more. */
static void refusals_that_are_right(void **state)
{
    struct facts *f = *state;
    members(f, 0, "0 1 2");
    members(f, 1, "0 1 2");
    facts_append(f, 0, true, 1, 1, "a");
    ask(f, SENT, 0, 1, 2, 1, 1);
    facts_received(f, 2, 0, 2, 2, 1, HEARTBEAT, 0);
    facts_answer(f, 0, 2, 2, false, 1);
    facts_vote(f, 3, 1, 2);
    facts_vote(f, 2, 1, 2);
    facts_received(f, 2, 1, 2, 0, 0, HEARTBEAT, 0);
    facts_answer(f, 1, 2, 2, false, 1);
    assert_null(find(f, RAFT_T06));
}

static void a_result_of_an_old_term(void **state)
{
    struct facts *f = *state;
    facts_state(f, 1, RAFT_FACT_TERM, 0, 3);
    facts_received(f, 2, 1, 4, 0, 0, HEARTBEAT, 0);
    facts_answer(f, 1, 2, 3, false, 0);
    assert_break(f, RAFT_T06, 1, 3, "s1 answered s2, leader of term 4, with a result of term 3");
}

/* --- T15 --- */

static void a_term_that_falls(void **state)
{
    struct facts *f = *state;
    facts_state(f, 1, RAFT_FACT_TERM, 0, 4);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 3);
    const struct raft_break *b = assert_break(f, RAFT_T15, 1, 2, "s1 went back from term 4 to term 3");
    assert_int_equal(b->spoils, RAFT_SPOILS_TERM);
    assert_int_equal(b->reasons, 1);
}

static void terms_that_do_not_fall(void **state)
{
    struct facts *f = *state;
    facts_state(f, 1, RAFT_FACT_TERM, 0, 4);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 4);
    ask(f, SENT, 1, 2, 3, 0, 0); /* waited in a queue */
    facts_role(f, 1, 5, 0);
    assert_none(f);
}

/* --- T22 --- */

static void at(struct facts *f, unsigned node, enum raft_fact_kind kind, const struct raft_message *m, uint64_t time)
{
    facts_tell(f, node, &(struct raft_fact){.kind = kind, .message = m, .time = time});
}

/* s0 leads term 2 and is heard by s1 each 20 ms, last at 100 ms. In the cluster somebody once waited for 200 ms. */
static void hears(struct facts *f)
{
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    struct raft_message other = facts_message(RAFT_APPEND_ENTRIES, 0, 4, 1), stands = facts_message(RAFT_REQUEST_VOTE, 4, 3, 2);
    at(f, 4, RAFT_FACT_RECEIVED, &other, 1 * MS);
    at(f, 4, RAFT_FACT_SENT, &stands, 201 * MS);
    for (uint64_t time = 220; time <= 300; time += 20)
        at(f, 1, RAFT_FACT_RECEIVED, &m, time * MS);
}

static struct raft_message disturbs(unsigned to)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE, 2, to, 3);
    m.may_disregard = true;
    return m;
}

static void a_request_that_is_followed(void **state)
{
    struct facts *f = *state;
    struct raft_message request = disturbs(1), reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3);
    hears(f);
    at(f, 1, RAFT_FACT_RECEIVED, &request, 310 * MS);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 3);
    at(f, 1, RAFT_FACT_SENT, &reply, 311 * MS);
    const struct raft_break *b =
        assert_break(f, RAFT_T22, 1, 7, "s1 took over term 3 from a RequestVote of s2, 10.0 ms after it had heard from its leader");
    assert_int_equal(b->spoils, RAFT_SPOILS_NOTHING);
    assert_false(b->likely);
    assert_int_equal(b->reasons, 2);
}

/* s0 is heard by s1 each 2 ms, but for some pauses of 80 ms, last at 600 ms; then s2 is followed. */
static void followed_after(struct facts *f, bool faults, unsigned pause)
{
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2), request = disturbs(1);
    struct raft_message reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3);
    if (faults)
        facts_tell(f, 3, &(struct raft_fact){.kind = RAFT_FACT_FAULT, .text = "cut s0"});
    hears(f);
    for (unsigned time = 302; time <= 360; time += 2)
        at(f, 1, RAFT_FACT_RECEIVED, &m, time * MS);
    for (unsigned time = 440; time <= 600; time += 80)
        at(f, 1, RAFT_FACT_RECEIVED, &m, time * MS);
    at(f, 1, RAFT_FACT_RECEIVED, &request, (600 + pause) * MS);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 3);
    at(f, 1, RAFT_FACT_SENT, &reply, (601 + pause) * MS);
}

/* The longer pauses are a leader's too, where nothing happens to it. Where faults make some, only one as short as most is surely not theirs. */
static void a_request_after_a_pause(void **state)
{
    followed_after(*state, false, 40);
    const struct raft_break *b = find(*state, RAFT_T22);
    assert_non_null(b);
    assert_string_equal(b->text, "s1 took over term 3 from a RequestVote of s2, 40.0 ms after it had heard from its leader");
}

/* It was started again, and asks who heard it last: nobody else is deposed by that. */
static void a_request_of_that_leader(void **state)
{
    struct facts *f = *state;
    struct raft_message request = disturbs(1), reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 0, 3);
    snprintf(request.from, sizeof request.from, "0");
    hears(f);
    at(f, 1, RAFT_FACT_RECEIVED, &request, 310 * MS);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 3);
    at(f, 1, RAFT_FACT_SENT, &reply, 311 * MS);
    assert_null(find(f, RAFT_T22));
}

static void a_request_among_faults(void **state)
{
    followed_after(*state, true, 40);
    assert_null(find(*state, RAFT_T22));
}

static void a_request_at_once(void **state)
{
    followed_after(*state, true, 0);
    const struct raft_break *b = find(*state, RAFT_T22);
    assert_non_null(b);
    assert_string_equal(b->text, "s1 took over term 3 from a RequestVote of s2, less than 0.1 ms after it had heard from its leader");
}

static void a_request_soon_among_faults(void **state)
{
    followed_after(*state, true, 7);
    const struct raft_break *b = find(*state, RAFT_T22);
    assert_non_null(b);
    assert_string_equal(b->text, "s1 took over term 3 from a RequestVote of s2, 7.0 ms after it had heard from its leader");
}

/* Disregarded; then the node's own timer runs out. */
static void a_request_that_is_disregarded(void **state)
{
    struct facts *f = *state;
    struct raft_message request = disturbs(1), own = facts_message(RAFT_REQUEST_VOTE, 1, 3, 3);
    hears(f);
    at(f, 1, RAFT_FACT_RECEIVED, &request, 310 * MS);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 3);
    at(f, 1, RAFT_FACT_SENT, &own, 600 * MS);
    assert_null(find(f, RAFT_T22));
}

static void requests_to_be_followed(void **state)
{
    struct facts *f = *state;
    struct raft_message late = disturbs(1), asked_for = disturbs(1), reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3);
    hears(f);
    at(f, 1, RAFT_FACT_RECEIVED, &late, 450 * MS); /* the leader was not heard for 150 ms */
    at(f, 1, RAFT_FACT_SENT, &reply, 451 * MS);
    asked_for.may_disregard = false; /* by the leader; or of a protocol that knows no such rule */
    asked_for.term = reply.term = 4;
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 3);
    at(f, 1, RAFT_FACT_RECEIVED, &m, 500 * MS);
    at(f, 1, RAFT_FACT_RECEIVED, &asked_for, 501 * MS);
    at(f, 1, RAFT_FACT_SENT, &reply, 502 * MS);
    assert_null(find(f, RAFT_T22));
}

static void a_pre_vote_while_a_leader_is_heard(void **state)
{
    struct facts *f = *state;
    struct raft_message reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3);
    reply.pre_vote = true;
    hears(f);
    at(f, 1, RAFT_FACT_SENT, &reply, 310 * MS); /* refused */
    reply.success = true;
    at(f, 1, RAFT_FACT_SENT, &reply, 470 * MS); /* heard no more */
    assert_null(find(f, RAFT_T22));
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    at(f, 1, RAFT_FACT_RECEIVED, &m, 480 * MS);
    at(f, 1, RAFT_FACT_SENT, &reply, 482 * MS);
    assert_break(f, RAFT_T22, 1, 9, "s1 granted s2 a pre-vote 2.0 ms after it had heard from its leader");
}

/* What it had from the leader was old when it read it: its own timer has run out since. */
static void a_pre_vote_when_it_stands_itself(void **state)
{
    struct facts *f = *state;
    struct raft_message reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3), own = facts_message(RAFT_REQUEST_VOTE, 1, 2, 3);
    reply.pre_vote = reply.success = own.pre_vote = true;
    hears(f);
    at(f, 1, RAFT_FACT_SENT, &own, 309 * MS);
    at(f, 1, RAFT_FACT_SENT, &reply, 310 * MS);
    assert_null(find(f, RAFT_T22));
}

/* s0 leads term 2, and s1 hears it each 20 ms, for 1.2 s, then not for a second, and nobody minds: no election timer runs out. */
static void hears_with_a_gap(struct facts *f)
{
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    for (uint64_t time = 0; time < 60; time++)
        at(f, 1, RAFT_FACT_RECEIVED, &m, (10 + time * 20) * MS);
    at(f, 1, RAFT_FACT_RECEIVED, &m, 2190 * MS); /* after one second */
    at(f, 1, RAFT_FACT_RECEIVED, &m, 2210 * MS);
}

static struct raft_message grants(void)
{
    struct raft_message reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3);
    reply.pre_vote = reply.success = true;
    return reply;
}

/* One long pause says nothing of how long a leader is heard. */
static void a_pre_vote_after_most_of_a_long_pause(void **state)
{
    struct facts *f = *state;
    struct raft_message reply = grants(), m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    hears_with_a_gap(f);
    at(f, 1, RAFT_FACT_SENT, &reply, 3100 * MS);
    at(f, 1, RAFT_FACT_RECEIVED, &m, 3110 * MS);
    assert_null(find(f, RAFT_T22));
}

static void a_pre_vote_between_two_heartbeats(void **state)
{
    struct facts *f = *state;
    struct raft_message reply = grants(), m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    hears_with_a_gap(f);
    at(f, 1, RAFT_FACT_SENT, &reply, 2225 * MS);
    uint64_t sequence = f->sequence[1];
    assert_null(find(f, RAFT_T22)); /* the leader may be no more */
    at(f, 1, RAFT_FACT_RECEIVED, &m, 2230 * MS);
    const struct raft_break *b =
        assert_break(f, RAFT_T22, 1, sequence, "s1 granted s2 a pre-vote 15.0 ms after it had heard from its leader");
    assert_true(b->likely);
    assert_int_equal(b->reasons, 2);
    assert_string_equal(b->reason[1].text, "hears from the leader of term 2 again");
}

/* The leader went silent with that: that it was gone is as good a reason. */
static void a_pre_vote_when_the_leader_was_gone(void **state)
{
    struct facts *f = *state;
    struct raft_message reply = grants(), late = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    hears_with_a_gap(f);
    at(f, 1, RAFT_FACT_SENT, &reply, 2225 * MS);
    at(f, 1, RAFT_FACT_RECEIVED, &late, 2900 * MS);
    at(f, 1, RAFT_FACT_RECEIVED, &late, 2910 * MS);
    assert_null(find(f, RAFT_T22));
}

/* s4 was stopped for ten seconds before its timer ran out: that nobody waits for less does not follow from it. */
static void patience_of_a_server_that_was_stopped(void **state)
{
    struct facts *f = *state;
    struct raft_message stands = facts_message(RAFT_REQUEST_VOTE, 4, 3, 2), other = facts_message(RAFT_APPEND_ENTRIES, 0, 4, 1);
    struct raft_message reply = grants();
    at(f, 4, RAFT_FACT_RECEIVED, &other, 1 * MS);
    at(f, 4, RAFT_FACT_SENT, &stands, 10001 * MS);
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    for (uint64_t time = 0; time < 10; time++)
        at(f, 1, RAFT_FACT_RECEIVED, &m, (10010 + time * 20) * MS);
    at(f, 1, RAFT_FACT_SENT, &reply, 11400 * MS);
    assert_null(find(f, RAFT_T22));
    at(f, 1, RAFT_FACT_RECEIVED, &m, 11410 * MS);
    at(f, 1, RAFT_FACT_SENT, &reply, 11420 * MS);
    assert_break(f, RAFT_T22, 1, f->sequence[1], "s1 granted s2 a pre-vote 10.0 ms after it had heard from its leader");
}

/* The pre-vote was granted before the leader was heard: all was read in one go, and is sent after it. */
static void a_pre_vote_of_the_same_turn(void **state)
{
    struct facts *f = *state;
    struct raft_message reply = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3), request = facts_message(RAFT_REQUEST_VOTE, 2, 1, 3);
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    reply.pre_vote = request.pre_vote = reply.success = true;
    hears(f);
    at(f, 1, RAFT_FACT_RECEIVED, &request, 600 * MS);
    at(f, 1, RAFT_FACT_RECEIVED, &m, 600 * MS);
    at(f, 1, RAFT_FACT_SENT, &reply, 600 * MS);
    assert_null(find(f, RAFT_T22));
}

/* A leader may have stepped down and said nothing: only what it sends then shows that it did not. */
static void a_pre_vote_of_a_leader(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 1, 0, 2);
    heartbeat(f, SENT, 0, 1, 2);
    pre_vote(f, 0, 2, 3);
    uint64_t sequence = f->sequence[0];
    assert_null(find(f, RAFT_T22));
    heartbeat(f, SENT, 0, 1, 2);
    assert_break(f, RAFT_T22, 0, sequence, "s0, leader of term 2, granted s2 a pre-vote");
}

static void a_learner_that_stands(void **state)
{
    struct facts *f = *state;
    facts_append(f, 3, false, 1, 1, "a");
    members(f, 3, "0 1 2 3*");
    ask(f, SENT, 3, 0, 2, 0, 0);
    assert_break(f, RAFT_T22, 3, 3, "s3 asked for votes in term 2, but is a learner");
    assert_int_equal(f->model->breaks, 1);
}

/* Its vote may be needed to commit the change (dissertation, 4.2.2). */
static void a_server_removed_that_stands(void **state)
{
    struct facts *f = *state;
    facts_append(f, 2, false, 1, 1, "a");
    members(f, 2, "0 1");
    ask(f, SENT, 2, 0, 2, 1, 1);
    assert_none(f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_votes_in_a_term), TEST(votes_that_are_one), TEST(a_vote_for_another_after_its_own),
        TEST(a_second_vote_after_a_restart), TEST(a_vote_lost_with_the_power), TEST(every_term_is_another_election), TEST(a_vote_carried_over),
        TEST(names_of_two_protocols),
        TEST(both_asked_before_one_was_answered), TEST(both_asked_and_one_refused), TEST(compared_before_the_log_grew),
        TEST(answered_late), TEST(appended_when_it_led_no_more), TEST(appended_what_another_leader_may_have),
        TEST(the_same_command_again),
        TEST(a_vote_for_a_log_that_is_behind), TEST(logs_that_are_up_to_date), TEST(a_log_known_by_acknowledgements),
        TEST(a_log_that_may_be_another), TEST(a_vote_for_who_leads_already), TEST(a_log_known_by_the_candidates_marks),
        TEST(a_log_that_was_read_back),
        TEST(a_vote_for_an_earlier_term), TEST(a_pre_vote_counted), TEST(a_vote_counted_twice), TEST(the_vote_of_a_learner),
        TEST(elections_that_are_right), TEST(a_cluster_of_one), TEST(an_election_not_seen),
        TEST(an_election_by_marks), TEST(an_election_by_some_marks), TEST(without_a_configuration),
        TEST(elected_by_a_deleted_configuration),
        TEST(answered_in_the_old_term), TEST(voted_in_its_own_term), TEST(answered_before_the_new_term_was_seen), TEST(results_that_waited), TEST(a_leader_that_goes_on), TEST(a_leader_that_gives_up),
        TEST(a_leader_that_votes_and_stays), TEST(a_candidate_that_stays), TEST(refusals_that_are_right),
        TEST(a_result_of_an_old_term),
        TEST(a_term_that_falls), TEST(terms_that_do_not_fall),
        TEST(a_request_that_is_followed), TEST(a_request_after_a_pause), TEST(a_request_among_faults), TEST(a_request_of_that_leader),
        TEST(a_request_soon_among_faults), TEST(a_request_at_once), TEST(a_request_that_is_disregarded), TEST(requests_to_be_followed),
        TEST(a_pre_vote_while_a_leader_is_heard), TEST(a_pre_vote_of_a_leader),
        TEST(a_pre_vote_after_most_of_a_long_pause), TEST(a_pre_vote_between_two_heartbeats),
        TEST(a_pre_vote_when_the_leader_was_gone), TEST(a_pre_vote_when_it_stands_itself), TEST(patience_of_a_server_that_was_stopped),
        TEST(a_pre_vote_of_the_same_turn), TEST(a_learner_that_stands),
        TEST(a_server_removed_that_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
