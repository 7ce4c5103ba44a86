/* What reaches the state machine: T23, T24. */
#include <stdio.h>

#include "lib/breaks.h"

static int setup(void **state)
{
    return breaks_setup(state, 3);
}

/* s0 leads term 2; "a" and "b" are committed on s0 and s1. */
static void lead(struct facts *f)
{
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 0, true, 3, 2, "b");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_sent(f, 0, 1, 2, 3, 2, HEARTBEAT, 3);
    facts_received(f, 0, 1, 2, 3, 2, HEARTBEAT, 3);
    facts_answer(f, 1, 0, 2, true, 3);
}

/* --- T23 --- */

static void applied_in_order(void **state)
{
    struct facts *f = *state;
    lead(f);
    for (uint64_t i = 1; i <= 3; i++) {
        facts_apply(f, 0, i, i == 1 ? 1 : 2, 10 + i);
        facts_apply(f, 1, i, i == 1 ? 1 : 2, 10 + i);
    }
    breaks_none(f);
}

static void applied_again(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_apply(f, 0, 1, 1, 0);
    facts_apply(f, 0, 2, 2, 0);
    facts_apply(f, 0, 2, 2, 0);
    const struct raft_break *b = break_is_at(f, RAFT_T23, 0, f->sequence[0], "s0 applied index 2 again, after it had applied index 2");
    assert_int_equal(b->spoils, RAFT_SPOILS_STATE);
    assert_int_equal(b->index, 2);
    assert_int_equal(b->reasons, 1);
    assert_int_equal(b->reason[0].at.sequence, f->sequence[0] - 1);
    assert_non_null(facts_finding(f, RAFT_APPLIED_IN_ORDER));
}

static void left_out(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_apply(f, 0, 1, 1, 0);
    facts_apply(f, 0, 3, 2, 0);
    break_is_at(f, RAFT_T23, 0, f->sequence[0], "s0 applied index 3 after index 1: what is between was left out");
}

/* The state machine is volatile: it applies all again, or goes on after its snapshot. */
static void applied_after_a_restart(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_apply(f, 1, 1, 1, 0);
    facts_apply(f, 1, 2, 2, 0);
    facts_restart(f, 1);
    facts_apply(f, 1, 1, 1, 0);
    facts_apply(f, 1, 2, 2, 0);
    facts_restart(f, 1);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_SNAPSHOT, .index = 2, .term = 2, .loaded = true});
    facts_apply(f, 1, 3, 2, 0);
    assert_null(break_find(f, RAFT_T23));
    assert_null(facts_finding(f, RAFT_APPLIED_IN_ORDER));
}

static void applied_after_a_snapshot_from_the_wrong_index(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_restart(f, 1);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_SNAPSHOT, .index = 2, .term = 2, .loaded = true});
    facts_apply(f, 1, 2, 2, 0);
    assert_non_null(break_find(f, RAFT_T23));
    assert_string_equal(break_find(f, RAFT_T23)->text, "s1 applied index 2 again, after it had applied index 2");
}

/* --- T24 --- */

static void another_state_after_the_same_entry(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_apply(f, 0, 1, 1, 10);
    facts_apply(f, 1, 1, 1, 10);
    facts_apply(f, 0, 2, 2, 11);
    uint64_t first = f->sequence[0];
    facts_apply(f, 1, 2, 2, 12);
    facts_apply(f, 0, 3, 2, 13);
    facts_apply(f, 1, 3, 2, 14); /* follows from it */
    const struct raft_break *b = break_find(f, RAFT_T24);
    assert_int_equal(f->model->breaks, 1);
    assert_non_null(b);
    assert_string_equal(b->text, "s0 and s1 have different states after the same entry of index 2 (term 2)");
    assert_int_equal(b->at.process, f->process[1]);
    assert_int_equal(b->at.sequence, f->sequence[1] - 1);
    assert_int_equal(b->reason[0].at.sequence, first);
    assert_false(b->likely);
    assert_int_equal(facts_finding(f, RAFT_STATE_DETERMINISM)->index, 2);
}

/* The state before was not seen: it may be an earlier entry that made it. */
static void another_state_of_which_the_beginning_is_unknown(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_apply(f, 0, 1, 1, 0);
    facts_apply(f, 0, 2, 2, 11);
    facts_apply(f, 1, 1, 1, 0);
    facts_apply(f, 1, 2, 2, 12);
    const struct raft_break *b = break_find(f, RAFT_T24);
    assert_non_null(b);
    assert_true(b->likely);
    assert_int_not_equal(b->settle[0], 0);
}

/* An entry was left out before: that is why the states differ. */
static void another_state_for_a_reason(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_apply(f, 0, 1, 1, 10);
    facts_apply(f, 0, 2, 2, 11);
    facts_apply(f, 0, 3, 2, 12);
    facts_apply(f, 1, 1, 1, 10);
    facts_apply(f, 1, 3, 2, 99);
    assert_non_null(break_find(f, RAFT_T23));
    assert_null(break_find(f, RAFT_T24));
}

/* What a node says when it is asked: how far it is, and what its state is. */
static void asked(struct facts *f, unsigned node, uint64_t index, uint64_t state)
{
    struct raft_fact said = {.kind = RAFT_FACT_APPLY, .index = index, .entry = {.index = index, .digest = state}};
    facts_tell(f, node, &said);
}

/* s2 gets a snapshot up to index 2 and the entries 3 and 4; returns the event at which it may apply index 3. */
static uint64_t installed(struct facts *f)
{
    lead(f);
    facts_snapshot_sent(f, 0, 2, 2, 2, 2);
    facts_snapshot_received(f, 0, 2, 2, 2, 2);
    facts_tell(f, 2, &(struct raft_fact){.kind = RAFT_FACT_SNAPSHOT, .index = 2, .term = 2, .written = true, .durable = true});
    facts_snapshot_answer(f, 2, 0, 2);
    facts_append(f, 0, true, 4, 2, "c");
    moves_replicate(f, 0, 1, 2, 3, 2, ENTRIES(E(2, "c")), 3);
    moves_replicate(f, 0, 2, 2, 2, 2, ENTRIES(E(2, "b"), E(2, "c")), 2);
    facts_sent(f, 0, 2, 2, 4, 2, HEARTBEAT, 4);
    facts_received(f, 0, 2, 2, 4, 2, HEARTBEAT, 4);
    return f->sequence[2];
}

static void another_state_after_a_snapshot_that_was_sent(void **state)
{
    struct facts *f = *state;
    uint64_t at = installed(f);
    asked(f, 0, 4, 20);
    asked(f, 1, 4, 20);
    asked(f, 2, 4, 21);
    const struct raft_break *b = break_find(f, RAFT_T23);
    assert_non_null(b);
    assert_true(b->likely);
    assert_int_equal(b->at.node, 2);
    assert_int_equal(b->at.sequence, at);
    assert_null(break_find(f, RAFT_T24));
    assert_non_null(facts_finding(f, RAFT_STATE_DETERMINISM));
}

/* Two nodes, two states: either may be the wrong one. */
static void another_state_while_no_others_agree(void **state)
{
    struct facts *f = *state;
    installed(f);
    asked(f, 0, 4, 20);
    asked(f, 2, 4, 21);
    assert_null(break_find(f, RAFT_T23));
    assert_non_null(break_find(f, RAFT_T24));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, breaks_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(applied_in_order), TEST(applied_again), TEST(left_out), TEST(applied_after_a_restart),
        TEST(applied_after_a_snapshot_from_the_wrong_index), TEST(another_state_after_the_same_entry),
        TEST(another_state_of_which_the_beginning_is_unknown), TEST(another_state_for_a_reason),
        TEST(another_state_after_a_snapshot_that_was_sent), TEST(another_state_while_no_others_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
