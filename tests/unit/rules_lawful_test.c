/* What only looks like a break of a rule: a node that read a message and has not looked at it yet, answers in another order than
 * messages came, what a leader knows and did not say. Each of these was reported once for a recorded run of a correct server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/facts.h"
#include "raft/rule.h"

#define E(term, text) {term, text}

static int setup(void **state)
{
    static struct facts f;
    facts_init(&f, 3);
    for (unsigned i = 0; i < 3; i++) {
        struct raft_fact id = {.kind = RAFT_FACT_NODE, .peer = {(char)('0' + i)}};
        struct raft_fact members = {.kind = RAFT_FACT_CONFIGURATION, .index = 1, .text = "0 1 2"};
        facts_tell(&f, i, &id);
        facts_tell(&f, i, &members);
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    facts_fini(*state);
    return 0;
}

static const struct raft_break *find(const struct facts *f, enum raft_class class)
{
    for (size_t i = 0; i < f->model->breaks; i++) {
        if (f->model->rule_break[i].class == class)
            return &f->model->rule_break[i];
    }
    return NULL;
}

static void assert_no(const struct facts *f, enum raft_class class)
{
    const struct raft_break *b = find(f, class);
    if (b)
        fail_msg("%s: %s", raft_classes[class].id, b->text);
}

static void received(struct facts *f, unsigned node, const struct raft_message *m)
{
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = m});
}

static void sent(struct facts *f, unsigned node, const struct raft_message *m)
{
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = m});
}

static void read_asked(struct facts *f, unsigned node)
{
    struct raft_message m = {.type = RAFT_CLIENT_REQUEST, .request = "r", .key = "x", .read = true};
    received(f, node, &m);
}

static void read_told(struct facts *f, unsigned node)
{
    struct raft_message m = {.type = RAFT_CLIENT_RESULT, .request = "r", .key = "x", .read = true, .success = true, .value = 1};
    sent(f, node, &m);
}

/* s0 leads term 2 and has index 1 of that term on all. */
static void leads(struct facts *f)
{
    facts_vote(f, 1, 0, 2);
    facts_appended(f, 0, 1, 2, 0, 0, ENTRIES(E(2, "a")), 0);
    facts_appended(f, 0, 2, 2, 0, 0, ENTRIES(E(2, "a")), 0);
}

static void asked_for_vote(struct facts *f, unsigned node, unsigned from, uint64_t term, bool may_disregard)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE, from, node, term);
    m.prev_index = 1;
    m.prev_term = 2;
    m.may_disregard = may_disregard;
    received(f, node, &m);
}

/* --- who leads --- */

static void a_leader_that_disregards_a_request(void **state)
{
    struct facts *f = *state;
    leads(f);
    asked_for_vote(f, 0, 2, 5, true);
    read_asked(f, 0);
    facts_appended(f, 0, 1, 2, 1, 2, HEARTBEAT, 1);
    read_told(f, 0);
    assert_no(f, RAFT_T21);
}

static void a_leader_that_cannot_disregard_it(void **state)
{
    struct facts *f = *state;
    leads(f);
    facts_appended(f, 0, 1, 2, 1, 2, HEARTBEAT, 1);
    asked_for_vote(f, 0, 2, 5, false);
    read_asked(f, 0);
    read_told(f, 0);
    assert_non_null(find(f, RAFT_T21));
}

static void a_leader_that_disregards_a_request_commits(void **state)
{
    struct facts *f = *state;
    leads(f);
    facts_sent(f, 1, 0, 1, 0, 0, HEARTBEAT, 0); /* of an earlier leader: it was a follower once */
    facts_received(f, 1, 0, 1, 0, 0, HEARTBEAT, 0);
    asked_for_vote(f, 0, 2, 5, true);
    facts_state(f, 0, RAFT_FACT_COMMIT, 1, 0);
    assert_no(f, RAFT_T08);
}

/* --- what a leader knows --- */

static void a_read_by_what_a_majority_acknowledged(void **state)
{
    struct facts *f = *state;
    leads(f); /* it has not said that index 1 is committed */
    read_asked(f, 0);
    facts_appended(f, 0, 1, 2, 1, 2, HEARTBEAT, 0);
    read_told(f, 0);
    assert_no(f, RAFT_T21);
}

static void a_read_before_any_of_its_entries_is_acknowledged(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 1, 0, 2);
    facts_sent(f, 0, 1, 2, 0, 0, ENTRIES(E(1, "a"), E(2, "b")), 0);
    facts_received(f, 0, 1, 2, 0, 0, ENTRIES(E(1, "a"), E(2, "b")), 0);
    read_asked(f, 0);
    facts_answer(f, 1, 0, 2, true, 1);
    read_told(f, 0);
    assert_non_null(find(f, RAFT_T21));
}

/* A server joins by index 2 and leaves by index 3; the leader says nothing of its commit index in between. */
static void members_change_twice(struct facts *f, bool acknowledged)
{
    struct raft_fact joins = {.kind = RAFT_FACT_CONFIGURATION, .index = 2, .text = "0 1 2 3"};
    struct raft_fact leaves = {.kind = RAFT_FACT_CONFIGURATION, .index = 3, .text = "0 1 2"};
    leads(f);
    facts_tell(f, 0, &joins);
    for (unsigned i = 1; i < 3; i++) {
        facts_sent(f, 0, i, 2, 1, 2, ENTRIES(E(2, "joins")), 0);
        if (acknowledged)
            facts_answer(f, i, 0, 2, true, 2);
    }
    facts_tell(f, 0, &leaves);
}

static void a_change_after_one_that_a_majority_has(void **state)
{
    members_change_twice(*state, true);
    assert_no(*state, RAFT_T19);
}

static void a_change_while_another_is_under_way(void **state)
{
    members_change_twice(*state, false);
    assert_non_null(find(*state, RAFT_T19));
}

/* --- messages read in one go --- */

static void a_truncation_for_an_earlier_of_two(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 1, 1, "a");
    facts_append(f, 1, true, 2, 1, "b");
    facts_append(f, 1, true, 3, 1, "c");
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "x")), 0);
    facts_received(f, 0, 1, 2, 2, 2, ENTRIES(E(2, "y")), 0);
    facts_received(f, 0, 1, 2, 3, 2, ENTRIES(E(2, "z")), 0);
    facts_state(f, 1, RAFT_FACT_TRUNCATE, 1, 0);
    assert_no(f, RAFT_T10);
}

static void a_truncation_for_none_of_them(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 1, 1, "a");
    facts_append(f, 1, true, 2, 1, "b");
    facts_received(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 0);
    facts_received(f, 0, 1, 1, 1, 1, ENTRIES(E(1, "b")), 0);
    facts_received(f, 0, 1, 1, 2, 1, ENTRIES(E(1, "c")), 0);
    facts_state(f, 1, RAFT_FACT_TRUNCATE, 1, 0);
    assert_non_null(find(f, RAFT_T10));
}

/* --- what a leader sends again --- */

static void after_a_refusal(struct facts *f, bool overtaken)
{
    struct raft_message refusal = facts_message(RAFT_APPEND_ENTRIES_RESULT, 1, 0, 2);
    struct raft_message accepted = refusal;
    refusal.id = 11, accepted.id = 12;
    accepted.success = true;
    accepted.match = 2;
    facts_vote(f, 1, 0, 2);
    facts_sent(f, 0, 1, 2, 0, 0, ENTRIES(E(2, "a"), E(2, "b")), 0);
    facts_received(f, 0, 1, 2, 0, 0, ENTRIES(E(2, "a"), E(2, "b")), 0);
    if (overtaken)
        sent(f, 1, &refusal);
    sent(f, 1, &accepted);
    received(f, 0, &accepted);
    if (!overtaken)
        sent(f, 1, &refusal);
    received(f, 0, &refusal);
    facts_sent(f, 0, 1, 2, 1, 2, ENTRIES(E(2, "b")), 0);
}

static void entries_sent_again_after_a_refusal(void **state)
{
    after_a_refusal(*state, false);
    assert_no(*state, RAFT_T13);
}

static void entries_sent_again_after_a_refusal_that_was_overtaken(void **state)
{
    after_a_refusal(*state, true);
    assert_non_null(find(*state, RAFT_T13));
}

/* --- what followers took over --- */

/* pysyncobj's results name the last entry but one. s1 led, and s2's entries took the place of its own. */
static void an_acknowledgement_within_a_message(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 0, 1, 2);
    facts_sent(f, 1, 0, 2, 0, 0, ENTRIES(E(2, "own")), 0);
    facts_vote(f, 0, 2, 3);
    facts_sent(f, 2, 1, 3, 0, 0, ENTRIES(E(1, "a"), E(3, "b")), 0);
    facts_received(f, 2, 1, 3, 0, 0, ENTRIES(E(1, "a"), E(3, "b")), 0);
    facts_answer(f, 1, 2, 3, true, 1);
    assert_int_equal(raft_node_slot(&f->model->node[1], 1)->variant->term, 1);
    assert_null(raft_node_slot(&f->model->node[1], 2));
}

/* Killed while it wrote index 2, which it had been sent: it may be there. */
static void an_entry_that_was_being_written(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 1, 1, "a");
    facts_received(f, 0, 1, 1, 1, 1, ENTRIES(E(1, "b")), 0);
    facts_restart(f, 1);
    for (uint64_t i = 1; i <= 2; i++)
        facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_APPEND, .loaded = true, .entry = {.index = i, .term = 1}});
    facts_received(f, 0, 1, 1, 2, 1, HEARTBEAT, 0);
    assert_no(f, RAFT_T14);
}

static void an_entry_that_was_deleted(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 1, 1, "a");
    facts_append(f, 1, true, 2, 1, "b");
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "c")), 0);
    facts_state(f, 1, RAFT_FACT_TRUNCATE, 1, 0);
    facts_received(f, 2, 1, 3, 1, 1, HEARTBEAT, 0);
    facts_answer(f, 1, 2, 3, true, 1);
    facts_restart(f, 1);
    for (uint64_t i = 1; i <= 2; i++)
        facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_APPEND, .loaded = true, .entry = {.index = i, .term = 1}});
    facts_received(f, 0, 1, 1, 2, 1, HEARTBEAT, 0);
    assert_non_null(find(f, RAFT_T14));
}

/* --- a vote for itself in a term that it has read of --- */

static void votes_for_itself(struct facts *f, uint64_t term)
{
    struct raft_fact vote = {.kind = RAFT_FACT_VOTE, .term = term, .peer = "1", .written = true};
    facts_tell(f, 1, &vote);
    vote.written = false;
    vote.durable = vote.again = true;
    facts_tell(f, 1, &vote);
}

static void a_candidate_that_has_read_and_not_looked(void **state)
{
    struct facts *f = *state;
    votes_for_itself(f, 2);
    asked_for_vote(f, 1, 2, 3, true);
    votes_for_itself(f, 3);
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE, 1, 2, 3);
    sent(f, 1, &m);
    assert_no(f, RAFT_T15);
}

static void a_vote_that_was_carried_over(void **state)
{
    struct facts *f = *state;
    votes_for_itself(f, 2);
    asked_for_vote(f, 1, 2, 3, true);
    votes_for_itself(f, 3);
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 2, 3);
    sent(f, 1, &m);
    assert_non_null(find(f, RAFT_T15));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_leader_that_disregards_a_request),
        TEST(a_leader_that_cannot_disregard_it),
        TEST(a_leader_that_disregards_a_request_commits),
        TEST(a_read_by_what_a_majority_acknowledged),
        TEST(a_read_before_any_of_its_entries_is_acknowledged),
        TEST(a_change_after_one_that_a_majority_has),
        TEST(a_change_while_another_is_under_way),
        TEST(a_truncation_for_an_earlier_of_two),
        TEST(a_truncation_for_none_of_them),
        TEST(entries_sent_again_after_a_refusal),
        TEST(entries_sent_again_after_a_refusal_that_was_overtaken),
        TEST(an_acknowledgement_within_a_message),
        TEST(an_entry_that_was_being_written),
        TEST(an_entry_that_was_deleted),
        TEST(a_candidate_that_has_read_and_not_looked),
        TEST(a_vote_that_was_carried_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
