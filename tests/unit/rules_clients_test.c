/* What clients ask and are told: T21, T23 for commands that are sent again, and the properties that go with them. */
#include <stdio.h>
#include <string.h>

#include "drd/drd.h"
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
    bool asked = m->type == RAFT_CLIENT_REQUEST;
    facts_tell(f, node, &(struct raft_fact){.kind = asked ? RAFT_FACT_RECEIVED : RAFT_FACT_SENT, .message = m});
    return f->sequence[node];
}

/* --- a command that is sent again (T23) --- */

static void ask_once(struct facts *f, unsigned node, const char *request, const char *command)
{
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, request, "c#1", 0, 0);
    struct raft_entry entry = {.type = 'c', .digest = drd_digest(command, strlen(command))};
    asked.entries = 1;
    asked.entry = &entry;
    client_tell(f, node, &asked);
}

static uint64_t answer_once(struct facts *f, unsigned node, const char *request, uint64_t value, uint64_t index)
{
    struct raft_message told = client(RAFT_CLIENT_RESULT, request, "c#1", value, index);
    return client_tell(f, node, &told);
}

/* s0 leads term 2; the command "+1" stands at index 2 and, sent again, at 3. */
static void lead_twice(struct facts *f)
{
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "+1");
    facts_append(f, 0, true, 3, 2, "+1");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "+1"), E(2, "+1")), 1);
    facts_sent(f, 0, 1, 2, 3, 2, HEARTBEAT, 3);
    facts_received(f, 0, 1, 2, 3, 2, HEARTBEAT, 3);
    facts_answer(f, 1, 0, 2, true, 3);
}

/* Returns the event of the first answer; the second is the last event. */
static uint64_t two_answers(struct facts *f, uint64_t first, uint64_t second, uint64_t index)
{
    ask_once(f, 0, "r1", "+1");
    uint64_t at = answer_once(f, 0, "r1", first, 2);
    ask_once(f, 0, "r2", "+1");
    answer_once(f, 0, "r2", second, index);
    return at;
}

static void two_answers_to_one_command(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    uint64_t first = two_answers(f, 5, 6, 3);
    const struct raft_break *b = break_is_at(f, RAFT_T23, 0, f->sequence[0],
                                             "s0 applied a command of a client again, when it was sent again: the second"
                                             " answer is another");
    assert_false(b->likely);
    assert_string_equal(b->reason[0].text, "answers the command for the first time");
    assert_string_equal(b->reason[1].text, "is sent the command again");
    const struct raft_finding *found = facts_finding(f, RAFT_EXACTLY_ONCE);
    assert_non_null(found);
    assert_true(found->seen);
    assert_int_equal(found->first, 2);
    assert_int_equal(found->index, 3);
    assert_int_equal(found->sides, 2);
    assert_int_equal(found->side[0].witness[0].sequence, first);
    assert_int_equal(found->side[1].witness[0].sequence, f->sequence[0]);
}

/* It stands in the log twice, as it may: the second is not done, and the client gets the answer that it missed. */
static void one_answer_to_a_command_sent_twice(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    two_answers(f, 5, 5, 3);
    breaks_none(f);
    assert_null(facts_finding(f, RAFT_EXACTLY_ONCE));
}

/* The first entry was lost: that it is done now is right, and what became of the first answer is another matter. */
static void the_first_entry_was_lost(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_append(f, 0, true, 4, 2, "+1");
    ask_once(f, 0, "r1", "+1");
    answer_once(f, 0, "r1", 5, 2); /* "a" stands there */
    ask_once(f, 0, "r2", "+1");
    answer_once(f, 0, "r2", 6, 4);
    assert_null(break_find(f, RAFT_T23));
    assert_null(facts_finding(f, RAFT_EXACTLY_ONCE));
}

static void two_answers_of_which_the_log_says_nothing(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    answer_once(f, 0, "r1", 5, 0);
    answer_once(f, 0, "r2", 6, 0);
    assert_true(break_find(f, RAFT_T23)->likely);
    assert_non_null(facts_finding(f, RAFT_EXACTLY_ONCE));
    assert_false(facts_finding(f, RAFT_EXACTLY_ONCE)->seen);
}

/* Index 4: an entry that changes nothing shows that the digest is of nothing else than the state. */
static void change_nothing(struct facts *f)
{
    facts_append(f, 0, true, 4, 2, "nothing");
    moves_replicate(f, 0, 1, 2, 3, 2, ENTRIES(E(2, "nothing")), 3);
    facts_sent(f, 0, 1, 2, 4, 2, HEARTBEAT, 4);
    facts_received(f, 0, 1, 2, 4, 2, HEARTBEAT, 4);
    facts_answer(f, 1, 0, 2, true, 4);
}

/* Marks state the state after each entry. */
static void apply_all(struct facts *f, unsigned node, const uint64_t *states)
{
    for (uint64_t i = 1; states[i - 1]; i++)
        facts_apply(f, node, i, i == 1 ? 1 : 2, states[i - 1]);
}

static void the_state_changes_again(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    ask_once(f, 0, "r1", "+1");
    ask_once(f, 0, "r2", "+1");
    change_nothing(f);
    apply_all(f, 1, (const uint64_t[]){10, 11, 12, 12, 0});
    assert_null(facts_finding(f, RAFT_EXACTLY_ONCE)); /* until index 4 it may have been of the index, too */
    apply_all(f, 0, (const uint64_t[]){10, 11, 12, 0});
    const struct raft_break *b = break_is_at(f, RAFT_T23, 0, f->sequence[0],
                                             "s0 applied index 3, a repetition of index 2, and its state changed once more");
    assert_true(b->likely);
    assert_int_equal(facts_finding(f, RAFT_EXACTLY_ONCE)->first, 2);
    answer_once(f, 0, "r1", 5, 2);
    answer_once(f, 0, "r2", 6, 3); /* settles it */
    assert_false(break_find(f, RAFT_T23)->likely);
    assert_int_equal(f->model->breaks, 1);
}

static void the_state_stays(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    ask_once(f, 0, "r1", "+1");
    ask_once(f, 0, "r2", "+1");
    apply_all(f, 0, (const uint64_t[]){10, 11, 11, 0});
    apply_all(f, 1, (const uint64_t[]){10, 11, 11, 0});
    breaks_none(f);
    assert_null(facts_finding(f, RAFT_EXACTLY_ONCE));
}

/* Two clients want the same: both are done. */
static void equal_commands_of_no_number(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    change_nothing(f);
    apply_all(f, 1, (const uint64_t[]){10, 11, 12, 12, 0});
    apply_all(f, 0, (const uint64_t[]){10, 11, 12, 12, 0});
    breaks_none(f);
    assert_null(facts_finding(f, RAFT_EXACTLY_ONCE));
}

/* --- T21 --- */

static uint64_t read_key(struct facts *f, unsigned node, bool confirmed, uint64_t value)
{
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "read", "", 0, 0);
    struct raft_message told = client(RAFT_CLIENT_RESULT, "read", "", value, 0);
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
    const struct raft_break *b = break_is_at(f, RAFT_T21, 0, at, "s0, leader of term 2, answered a read of \"k\" without"
                                                                 " having heard from a majority since it was asked");
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
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "read", "", 0, 0);
    struct raft_message told = client(RAFT_CLIENT_RESULT, "read", "", 7, 0);
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

/* A mark of a result does not say that it is one of a read. */
static void a_result_that_does_not_say_of_what(void **state)
{
    struct facts *f = *state;
    lead(f);
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "read", "", 0, 0);
    struct raft_message told = client(RAFT_CLIENT_RESULT, "read", "", 7, 0);
    asked.read = true;
    client_tell(f, 0, &asked);
    client_tell(f, 0, &told);
    assert_non_null(break_find(f, RAFT_T21));
}

static void a_read_before_its_own_term_is_committed(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    moves_heartbeat(f, 0, 1, 2, 1, 1, 1);
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "read", "", 0, 0);
    struct raft_message told = client(RAFT_CLIENT_RESULT, "read", "", 7, 0);
    asked.read = told.read = true;
    client_tell(f, 0, &asked);
    facts_sent(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    facts_received(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    facts_answer(f, 1, 0, 2, true, 1);
    uint64_t at = client_tell(f, 0, &told);
    break_is_at(f, RAFT_T21, 0, at,
                "s0, leader of term 2, answered a read of \"k\" before an entry of its term was committed");
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
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, request, "", value, 0);
    struct raft_message told = client(RAFT_CLIENT_RESULT, request, "", value, index);
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
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "w2", "", 6, 0);
    struct raft_message told = client(RAFT_CLIENT_RESULT, "w2", "", 6, 3);
    client_tell(f, 0, &asked);
    read_key(f, 0, true, 5);
    client_tell(f, 0, &told);
    breaks_none(f);
    assert_null(facts_finding(f, RAFT_LINEARIZABLE_READS));
}

/* The second answer went astray; a confirmed read shows that it was done again. */
static void a_read_of_a_repetition(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    ask_once(f, 0, "r1", "+1");
    answer_once(f, 0, "r1", 5, 2);
    ask_once(f, 0, "r2", "+1");
    uint64_t at = read_key(f, 0, true, 6);
    const struct raft_break *b = break_is_at(f, RAFT_T23, 0, at, "s0 applied index 3, a repetition of index 2, to an effect:"
                                                                 " a read shows another value than the client was told");
    assert_true(b->likely);
    assert_non_null(facts_finding(f, RAFT_EXACTLY_ONCE));
    assert_null(facts_finding(f, RAFT_LINEARIZABLE_READS));
}

static void a_read_of_a_repetition_that_was_not_done(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    ask_once(f, 0, "r1", "+1");
    answer_once(f, 0, "r1", 5, 2);
    ask_once(f, 0, "r2", "+1");
    read_key(f, 0, true, 5);
    breaks_none(f);
}

/* Another wrote in between: what it left is what is read. */
static void a_read_of_a_repetition_and_another_write(void **state)
{
    struct facts *f = *state;
    lead_twice(f);
    ask_once(f, 0, "r1", "+1");
    answer_once(f, 0, "r1", 5, 2);
    ask_once(f, 0, "r2", "+1");
    struct raft_message asked = client(RAFT_CLIENT_REQUEST, "w", "", 6, 0);
    client_tell(f, 0, &asked);
    read_key(f, 0, true, 6);
    breaks_none(f);
}

/* --- many writes --- */

static void writes_unanswered(struct facts *f, unsigned count, const char *key)
{
    for (unsigned i = 0; i < count; i++) {
        char request[24];
        snprintf(request, sizeof request, "%s%u", key, i);
        struct raft_message asked = client(RAFT_CLIENT_REQUEST, request, "", 100 + i, 0);
        snprintf(asked.key, sizeof asked.key, "%s", key);
        client_tell(f, 0, &asked);
    }
}

#define MANY 20000

/* However many writes were never answered, a read is judged by those that were. */
static void a_stale_read_after_many_writes_without_answer(void **state)
{
    struct facts *f = *state;
    lead(f);
    writes_unanswered(f, MANY, "other");
    write_key(f, 0, "w1", 5, 2);
    writes_unanswered(f, MANY, "other");
    write_key(f, 0, "w2", 6, 3);
    writes_unanswered(f, 100, "other");
    read_key(f, 2, false, 5);
    assert_non_null(facts_finding(f, RAFT_LINEARIZABLE_READS));
}

/* A write that was forgotten may have been done all the same. */
static void a_read_of_a_write_that_was_forgotten(void **state)
{
    struct facts *f = *state;
    lead(f);
    write_key(f, 0, "w1", 5, 2);
    writes_unanswered(f, MANY, "k");
    read_key(f, 0, true, 100); /* the first of them */
    assert_null(facts_finding(f, RAFT_LINEARIZABLE_READS));
    breaks_none(f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, breaks_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_answers_to_one_command), TEST(one_answer_to_a_command_sent_twice), TEST(the_first_entry_was_lost),
        TEST(two_answers_of_which_the_log_says_nothing), TEST(the_state_changes_again), TEST(the_state_stays),
        TEST(equal_commands_of_no_number), TEST(a_read_that_is_confirmed), TEST(a_read_that_is_not_confirmed),
        TEST(a_read_confirmed_too_early), TEST(a_result_that_does_not_say_of_what),
        TEST(a_read_before_its_own_term_is_committed), TEST(a_read_of_a_follower),
        TEST(a_read_of_what_was_replaced), TEST(a_read_beside_a_write), TEST(a_read_of_a_repetition),
        TEST(a_read_of_a_repetition_that_was_not_done), TEST(a_read_of_a_repetition_and_another_write),
        TEST(a_stale_read_after_many_writes_without_answer), TEST(a_read_of_a_write_that_was_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
