/* What reaches the state machine and the clients: T21, T23, T24, and reads that miss what was acknowledged. */
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

static struct raft_message client(enum raft_type type, const char *request, const char *once, uint64_t value, uint64_t match)
{
    struct raft_message m = {.type = type, .success = true, .value = value, .match = match};
    snprintf(m.request, sizeof m.request, "%s", request);
    snprintf(m.once, sizeof m.once, "%s", once);
    snprintf(m.key, sizeof m.key, "k");
    return m;
}

static uint64_t client_tell(struct facts *f, unsigned node, const struct raft_message *m)
{
    facts_tell(f, node, &(struct raft_fact){.kind = m->type == RAFT_CLIENT_REQUEST ? RAFT_FACT_RECEIVED : RAFT_FACT_SENT, .message = m});
    return f->sequence[node];
}

static void one_command(struct facts *f, const char *request, uint64_t value)
{
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, request, "c#1", 0, 0), told = client(RAFT_CLIENT_RESULT, request, "c#1", value, 3);
    client_tell(f, 0, &asked);
    client_tell(f, 0, &told);
}

static void a_retry_with_another_outcome(void **state)
{
    struct facts *f = *state;
    lead(f);
    one_command(f, "r1", 5);
    one_command(f, "r2", 6);
    const struct raft_break *b = break_is_at(f, RAFT_T23, 0, f->sequence[0],
                                             "s0 applied a command of a client again, when it was sent again: the second answer is another");
    assert_string_equal(b->reason[0].text, "answers the command for the first time");
}

static void a_retry_with_the_same_outcome(void **state)
{
    struct facts *f = *state;
    lead(f);
    one_command(f, "r1", 5);
    one_command(f, "r2", 5);
    breaks_none(f);
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

/* --- T21 --- */

static uint64_t read_key(struct facts *f, unsigned node, bool confirmed, uint64_t value)
{
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "read", "", 0, 0), told = client(RAFT_CLIENT_RESULT, "read", "", value, 0);
    asked.read = told.read = true;
    client_tell(f, node, &asked);
    if (confirmed) {
        facts_sent(f, node, 1, 2, 3, 2, HEARTBEAT, 3);
        facts_received(f, node, 1, 2, 3, 2, HEARTBEAT, 3);
        facts_answer(f, 1, node, 2, true, 3);
    }
    return client_tell(f, node, &told);
}

static void a_read_that_is_confirmed(void **state)
{
    struct facts *f = *state;
    lead(f);
    read_key(f, 0, true, 7);
    breaks_none(f);
}

static void a_read_that_is_not_confirmed(void **state)
{
    struct facts *f = *state;
    lead(f);
    uint64_t at = read_key(f, 0, false, 7);
    const struct raft_break *b =
        break_is_at(f, RAFT_T21, 0, at, "s0, leader of term 2, answered a read of \"k\" without having heard from a majority since it was asked");
    assert_int_equal(b->spoils, RAFT_SPOILS_READ);
    assert_string_equal(b->reason[0].text, "is asked to read \"k\"");
    assert_int_equal(b->reason[0].at.sequence, at - 1);
    assert_false(b->likely);
}

/* The acknowledgement was sent before the read arrived. */
static void a_read_confirmed_too_early(void **state)
{
    struct facts *f = *state;
    lead(f);
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "read", "", 0, 0), told = client(RAFT_CLIENT_RESULT, "read", "", 7, 0);
    struct raft_message ack = facts_message(RAFT_APPEND_ENTRIES_RESULT, 1, 0, 2);
    asked.read = told.read = ack.success = true;
    ack.match = 3;
    ack.id = 4711;
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = &ack});
    client_tell(f, 0, &asked);
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &ack});
    client_tell(f, 0, &told);
    assert_non_null(break_find(f, RAFT_T21));
}

static void a_read_before_its_own_term_is_committed(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    moves_heartbeat(f, 0, 1, 2, 1, 1, 1);
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "read", "", 0, 0), told = client(RAFT_CLIENT_RESULT, "read", "", 7, 0);
    asked.read = told.read = true;
    client_tell(f, 0, &asked);
    facts_sent(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    facts_received(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    facts_answer(f, 1, 0, 2, true, 1);
    uint64_t at = client_tell(f, 0, &told);
    break_is_at(f, RAFT_T21, 0, at, "s0, leader of term 2, answered a read of \"k\" before an entry of its term was committed");
}

/* A follower may hand on what its leader told it, in words that are not seen. */
static void a_read_of_a_follower(void **state)
{
    struct facts *f = *state;
    lead(f);
    read_key(f, 2, false, 7);
    const struct raft_break *b = break_find(f, RAFT_T21);
    assert_non_null(b);
    assert_true(b->likely);
    assert_string_equal(b->text, "s2 answered a read of \"k\" without leading");
}

static void write_key(struct facts *f, unsigned node, const char *request, uint64_t value, uint64_t index)
{
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, request, "", value, 0), told = client(RAFT_CLIENT_RESULT, request, "", value, index);
    client_tell(f, node, &asked);
    client_tell(f, node, &told);
}

static void a_read_of_what_was_replaced(void **state)
{
    struct facts *f = *state;
    lead(f);
    write_key(f, 0, "w1", 5, 2);
    write_key(f, 0, "w2", 6, 3);
    read_key(f, 2, false, 5);
    const struct raft_finding *found = facts_finding(f, RAFT_LINEARIZABLE_READS);
    assert_non_null(found);
    assert_non_null(break_find(f, RAFT_T21));
    assert_false(break_find(f, RAFT_T21)->likely);
}

/* The write was still under way when the read was asked: either value is right. */
static void a_read_beside_a_write(void **state)
{
    struct facts *f = *state;
    lead(f);
    write_key(f, 0, "w1", 5, 2);
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "w2", "", 6, 0), told = client(RAFT_CLIENT_RESULT, "w2", "", 6, 3);
    client_tell(f, 0, &asked);
    read_key(f, 0, true, 5);
    client_tell(f, 0, &told);
    breaks_none(f);
    assert_null(facts_finding(f, RAFT_LINEARIZABLE_READS));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, breaks_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(applied_in_order), TEST(applied_again), TEST(left_out), TEST(applied_after_a_restart),
        TEST(applied_after_a_snapshot_from_the_wrong_index), TEST(a_retry_with_another_outcome), TEST(a_retry_with_the_same_outcome),
        TEST(another_state_after_the_same_entry), TEST(another_state_of_which_the_beginning_is_unknown), TEST(another_state_for_a_reason),
        TEST(a_read_that_is_confirmed), TEST(a_read_that_is_not_confirmed), TEST(a_read_confirmed_too_early),
        TEST(a_read_before_its_own_term_is_committed), TEST(a_read_of_a_follower), TEST(a_read_of_what_was_replaced),
        TEST(a_read_beside_a_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
