/* The rules of committing: what a leader may count, what a follower may believe (T07, T08, T09, T12, T13, and T05 of a leader
 * that counts itself), at which event each is broken, and what only looks so. */
#include <stdio.h>

#include "lib/breaks.h"

static int setup(void **state)
{
    return breaks_setup(state, 3);
}

static int setup_four(void **state)
{
    return breaks_setup(state, 4);
}

/* --- T07 --- */

/* s0 has "a" of term 2, and is elected again in term 4 by s2, which has not. */
static void an_earlier_term(struct facts *f)
{
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    moves_elect(f, 0, 4, 2, 2, "2");
}

static void an_earlier_term_by_counting(void **state)
{
    struct facts *f = *state;
    an_earlier_term(f);
    uint64_t at = moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "a")), 1);
    breaks_none(f);
    moves_heartbeat(f, 0, 2, 4, 2, 2, 2);
    const struct raft_break *b =
        break_is_at(f, RAFT_T07, 0, at, "s0, leader of term 4, committed index 2 of term 2 by counting replicas, the last that of s2; "
                                        "no entry of its own term is on a majority");
    assert_int_equal(b->spoils, RAFT_SPOILS_COMMIT);
    assert_int_equal(b->index, 2);
    assert_int_equal(b->term, 4);
    assert_false(b->likely);
    assert_int_equal(b->healed.how, RAFT_HOW_NONE);
    assert_int_equal(b->reasons, 3);
    assert_string_equal(b->reason[0].text, "has index 2 of term 2 in its log");
    assert_string_equal(b->reason[1].text, "leads term 4");
    assert_string_equal(b->reason[2].text, "gets the acknowledgement of index 2 in term 4 from s2");
}

/* An entry of its own term on a majority protects what is before it. */
static void healed_by_an_entry_of_its_own(void **state)
{
    struct facts *f = *state;
    an_earlier_term(f);
    moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_heartbeat(f, 0, 2, 4, 2, 2, 2);
    facts_append(f, 0, true, 3, 4, "b");
    moves_replicate(f, 0, 2, 4, 2, 2, ENTRIES(E(4, "b")), 2);
    const struct raft_break *b = break_find(f, RAFT_T07);
    assert_non_null(b);
    assert_int_equal(b->healed.how, RAFT_HOW_NONE);
    uint64_t healed = moves_heartbeat(f, 0, 2, 4, 3, 4, 3);
    assert_int_not_equal(b->healed.how, RAFT_HOW_NONE);
    assert_int_equal(b->healed.sequence, healed);
}

/* What its own term's entry commits, it commits with all before it. */
static void an_earlier_term_below_its_own(void **state)
{
    struct facts *f = *state;
    an_earlier_term(f);
    facts_append(f, 0, true, 3, 4, "b");
    moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "a"), E(4, "b")), 1);
    moves_heartbeat(f, 0, 2, 4, 3, 4, 3);
    breaks_none(f);
}

/* It was told before, by the leader that committed it. */
static void an_earlier_term_that_was_committed(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 1, 2, 1, 1, "0");
    facts_append(f, 1, true, 2, 2, "a");
    moves_replicate(f, 1, 0, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_heartbeat(f, 1, 0, 2, 2, 2, 2);
    moves_elect(f, 0, 4, 2, 2, "2");
    moves_heartbeat(f, 0, 2, 4, 2, 2, 2);
    breaks_none(f);
}

/* --- T09, and T05 of a leader --- */

static void nobody_acknowledged(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    moves_replicate(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    facts_append(f, 0, true, 2, 2, "a");
    uint64_t written = f->sequence[0];
    moves_heartbeat(f, 0, 1, 2, 1, 1, 2);
    const struct raft_break *b =
        break_is_at(f, RAFT_T09, 0, written, "s0, leader of term 2, committed index 2 without acknowledgements of a majority");
    assert_false(b->likely);
    assert_int_equal(b->spoils, RAFT_SPOILS_COMMIT);
}

static void two_of_four(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "12");
    facts_append(f, 0, true, 2, 2, "a");
    uint64_t at = moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_heartbeat(f, 0, 1, 2, 2, 2, 2);
    break_is_at(f, RAFT_T09, 0, at, "s0, leader of term 2, committed index 2 without acknowledgements of a majority");
}

static void three_of_four(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "12");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_replicate(f, 0, 2, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_heartbeat(f, 0, 1, 2, 2, 2, 2);
    breaks_none(f);
}

/* The leader counts itself once it has the entry on its disk. */
static void two_of_three(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_heartbeat(f, 0, 1, 2, 2, 2, 2);
    breaks_none(f);
}

static void written(struct facts *f, unsigned node, uint64_t index, uint64_t term, const char *text)
{
    struct raft_fact fact = {.kind = RAFT_FACT_APPEND, .written = true, .entry = {.index = index, .term = term, .type = 'c', .digest = 7}};
    snprintf(fact.entry.text, sizeof fact.entry.text, "%s", text);
    facts_tell(f, node, &fact);
}

static void itself_before_it_is_durable(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    written(f, 0, 2, 2, "a");
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_NODE, .peer = "0"});
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 2);
    struct raft_entry e = {.index = 2, .term = 2, .type = 'c', .digest = 7, .text = "a"};
    m.prev_index = m.prev_term = m.commit = m.entries = 1;
    m.entry = &e;
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = &m});
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &m});
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_APPEND, .durable = true, .entry = e});
    facts_answer(f, 1, 0, 2, true, 2);
    uint64_t at = f->sequence[0];
    moves_heartbeat(f, 0, 1, 2, 2, 2, 2);
    break_is_at(f, RAFT_T05, 0, at, "s0, leader of term 2, counted its own copy of index 2 before it was on stable storage");
}

/* Without a configuration it is not known who may vote. */
static void nobody_knows_the_members(void **state)
{
    static struct facts f;
    (void)state;
    facts_init(&f, 3);
    for (unsigned i = 0; i < 3; i++)
        facts_tell(&f, i, &(struct raft_fact){.kind = RAFT_FACT_NODE, .peer = {(char)('0' + i)}});
    moves_elect(&f, 0, 2, 0, 0, "12");
    facts_appended(&f, 0, 1, 2, 0, 0, ENTRIES(E(2, "a")), 0);
    facts_sent(&f, 0, 2, 2, 1, 2, ENTRIES(E(2, "b")), 1);
    breaks_none(&f);
    facts_sent(&f, 0, 2, 2, 2, 2, HEARTBEAT, 2);
    const struct raft_break *b = break_find(&f, RAFT_T09);
    assert_non_null(b);
    assert_true(b->likely);
    assert_string_equal(b->settle, "the configuration of the cluster was not seen: all servers heard of were taken for voting members");
    facts_fini(&f);
}

/* --- T12 --- */

/* s1 acknowledged index 3 of term 2; its entry there is not the one of term 4. */
static void an_acknowledgement_of_an_earlier_term(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 4, 1, 1, "2");
    facts_append(f, 0, true, 2, 4, "a");
    struct raft_message late = facts_message(RAFT_APPEND_ENTRIES_RESULT, 1, 0, 2);
    late.success = true;
    late.match = 3;
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &late});
    uint64_t at = f->sequence[0];
    moves_heartbeat(f, 0, 2, 4, 1, 1, 2);
    break_is_at(f, RAFT_T12, 0, at, "s0, leader of term 4, committed index 2 on acknowledgements of an earlier term");
}

static void an_acknowledgement_of_less(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 0, true, 3, 2, "b");
    facts_sent(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_append(f, 1, true, 2, 2, "a");
    facts_answer(f, 1, 0, 2, true, 2);
    uint64_t at = f->sequence[0];
    moves_heartbeat(f, 0, 1, 2, 3, 2, 3);
    break_is_at(f, RAFT_T12, 0, at, "s0, leader of term 2, committed index 3 when s1 acknowledged index 2 of what it had been sent");
}

/* Even all that it had been sent would make no majority. */
static void an_acknowledgement_of_less_of_four(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "12");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 0, true, 3, 2, "b");
    facts_sent(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_append(f, 1, true, 2, 2, "a");
    facts_answer(f, 1, 0, 2, true, 2);
    moves_heartbeat(f, 0, 1, 2, 3, 2, 3);
    assert_null(break_find(f, RAFT_T12));
    assert_non_null(break_find(f, RAFT_T09));
}

/* It comes late, and another acknowledgement makes the majority. */
static void an_earlier_term_beside_a_majority(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 4, 1, 1, "2");
    facts_append(f, 0, true, 2, 4, "a");
    facts_answer(f, 1, 0, 2, true, 3);
    moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(4, "a")), 1);
    moves_heartbeat(f, 0, 2, 4, 2, 4, 2);
    assert_null(break_find(f, RAFT_T12));
    assert_null(break_find(f, RAFT_T09));
}

/* --- T08 --- */

/* The follower's own entries after prevLogIndex were not verified. */
static void beyond_what_was_verified(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 2, 1, "old");
    moves_elect(f, 0, 2, 1, 1, "2");
    moves_heartbeat(f, 0, 1, 2, 1, 1, 2);
    uint64_t at = f->sequence[1];
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 2, 0);
    const struct raft_break *b = break_find(f, RAFT_T08);
    assert_non_null(b);
    assert_string_equal(b->text, "s1 committed up to index 2; what its leader sent allows 1");
    assert_int_equal(b->at.process, f->process[1]);
    assert_int_equal(b->at.sequence, at);
    assert_int_equal(b->spoils, RAFT_SPOILS_COMMIT);
}

/* Two AppendEntries at once: the second verifies what the first brings, in the place of an entry of its own. */
static void as_far_as_one_before_it_brings(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 2, 1, "old");
    moves_elect(f, 0, 2, 1, 1, "2");
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_received(f, 0, 1, 2, 2, 2, HEARTBEAT, 2);
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 2, 0);
    breaks_none(f);
}

/* It has read a higher term, and looks first at the acknowledgement before it. */
static void by_a_leader_that_has_read_more(void **state)
{
    struct facts *f = *state;
    struct raft_message ask = facts_message(RAFT_REQUEST_VOTE, 2, 0, 3);
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_ROLE, .term = 2, .role = 2});
    facts_received(f, 2, 0, 1, 1, 1, HEARTBEAT, 1);
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &ask});
    moves_state(f, 0, RAFT_FACT_COMMIT, false, 2, 0);
    breaks_none(f);
}

static void as_far_as_it_was_verified(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "2");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 2, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 2);
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 2, 0);
    breaks_none(f);
}

static void a_commit_index_lowered(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "2");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 2, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 2);
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 2, 0);
    uint64_t at = moves_state(f, 1, RAFT_FACT_COMMIT, false, 1, 0);
    break_is_at(f, RAFT_T08, 1, at, "s1 lowered its commit index from 2 to 1");
    assert_non_null(facts_finding(f, RAFT_COMMIT_MONOTONIC));
}

/* It states it some time after; the mistake was made when it heard of the lower one. */
static void a_commit_index_lowered_to_what_the_leader_has(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "2");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 2, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 2);
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 2, 0);
    moves_elect(f, 2, 3, 2, 2, "1");
    facts_sent(f, 2, 1, 3, 2, 2, HEARTBEAT, 1);
    facts_received(f, 2, 1, 3, 2, 2, HEARTBEAT, 1);
    uint64_t at = f->sequence[1];
    facts_received(f, 2, 1, 3, 2, 2, HEARTBEAT, 1);
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 1, 0);
    break_is_at(f, RAFT_T08, 1, at, "s1 lowered its commit index from 2 to 1");
}

/* The commit index is volatile: it begins anew; and what the file says may be behind what a mark says. */
static void a_commit_index_that_may_be_lower(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "2");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 2, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 2);
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 2, 0);
    moves_state(f, 1, RAFT_FACT_COMMIT, true, 1, 0);
    facts_restart(f, 1);
    moves_state(f, 1, RAFT_FACT_COMMIT, false, 1, 0);
    breaks_none(f);
    assert_null(facts_finding(f, RAFT_COMMIT_MONOTONIC));
}

/* --- T13 --- */

static void entries_sent_again(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_answer(f, 2, 0, 2, true, 1); /* anything but the acknowledgement: it was not read in one go with what follows */
    facts_sent(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 2);
    const struct raft_break *b =
        break_is_at(f, RAFT_T13, 0, f->sequence[0], "s0 sent s1 entries from index 2 on, which had acknowledged up to 2 in term 2");
    assert_int_equal(b->spoils, RAFT_SPOILS_NOTHING);
    assert_string_equal(b->peer, "1");
}

/* Two answers are read in one go and taken in one at a time; between the two the leader turns to somebody else. What it sends
 * to the first one is made before it looks at the second. Once it reads from the peer again it has looked at all. */
static void answers_that_wait_for_their_turn(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 0, true, 3, 2, "b");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_received(f, 0, 1, 2, 2, 2, ENTRIES(E(2, "b")), 1);
    facts_append(f, 1, true, 3, 2, "b");
    f->sequence[0]--; /* the same event */
    facts_answer(f, 1, 0, 2, true, 3);
    facts_answer(f, 2, 0, 2, true, 1);
    facts_sent(f, 0, 1, 2, 2, 2, HEARTBEAT, 2);
    assert_null(break_find(f, RAFT_T13));
    facts_answer(f, 1, 0, 2, true, 2);
    facts_answer(f, 2, 0, 2, true, 1);
    facts_sent(f, 0, 1, 2, 2, 2, HEARTBEAT, 2);
    const struct raft_break *b = break_find(f, RAFT_T13);
    assert_non_null(b);
    assert_int_equal(b->at.sequence, f->sequence[0]);
}

/* In another term the leader knows nothing of what was acknowledged before; what was sent twice crossed the answer. */
static void entries_that_may_be_sent_again(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_sent(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_sent(f, 0, 1, 2, 2, 2, HEARTBEAT, 2);
    moves_elect(f, 0, 3, 2, 2, "2");
    facts_sent(f, 0, 1, 3, 1, 1, ENTRIES(E(2, "a")), 2);
    breaks_none(f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, breaks_teardown)
#define TEST_FOUR(function) cmocka_unit_test_setup_teardown(function, setup_four, breaks_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_earlier_term_by_counting), TEST(healed_by_an_entry_of_its_own), TEST(an_earlier_term_below_its_own),
        TEST(an_earlier_term_that_was_committed),
        TEST(nobody_acknowledged), TEST_FOUR(two_of_four), TEST_FOUR(three_of_four), TEST(two_of_three),
        TEST(itself_before_it_is_durable), cmocka_unit_test(nobody_knows_the_members),
        TEST(an_acknowledgement_of_an_earlier_term), TEST(an_acknowledgement_of_less), TEST_FOUR(an_acknowledgement_of_less_of_four),
        TEST(an_earlier_term_beside_a_majority),
        TEST(beyond_what_was_verified), TEST(as_far_as_it_was_verified), TEST(as_far_as_one_before_it_brings),
        TEST(by_a_leader_that_has_read_more), TEST(a_commit_index_lowered),
        TEST(a_commit_index_lowered_to_what_the_leader_has),
        TEST(a_commit_index_that_may_be_lower),
        TEST(entries_sent_again), TEST(answers_that_wait_for_their_turn), TEST(entries_that_may_be_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
