/* The rules of changing the members (T19): what a leader may append, and by which configuration it may count. */
#include <string.h>

#include "lib/breaks.h"

static int setup(void **state)
{
    return breaks_setup(state, 3);
}

/* s0 leads term 2 and has an entry of it committed, at index 2. */
static void lead(struct facts *f)
{
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_heartbeat(f, 0, 1, 2, 2, 2, 2);
}

/* An entry of type 'm' in the node's file. */
static uint64_t change(struct facts *f, unsigned node, uint64_t index, uint64_t term, const char *text)
{
    struct raft_fact fact = {.kind = RAFT_FACT_APPEND, .durable = true,
                             .entry = {.index = index, .term = term, .type = 'm', .digest = strlen(text) + index, .members = text}};
    facts_tell(f, node, &fact);
    moves_members(f, node, index, text);
    return f->sequence[node] - 1;
}

static void one_more(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2 3");
    breaks_none(f);
}

static void one_less_and_a_learner(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 3*");
    breaks_none(f);
}

static void two_more(void **state)
{
    struct facts *f = *state;
    lead(f);
    uint64_t at = change(f, 0, 3, 2, "0 1 2 3 4");
    const struct raft_break *b = break_is_at(f, RAFT_T19, 0, at,
                                             "s0, leader of term 2, changed more than one voter at once at index 3 without joint consensus");
    assert_int_equal(b->spoils, RAFT_SPOILS_MEMBERS);
    assert_int_equal(b->reasons, 1);
    assert_string_equal(b->reason[0].text, "has the configuration of index 1: 0 1 2");
}

static void one_for_another(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 3");
    assert_non_null(break_find(f, RAFT_T19));
}

static void two_more_jointly(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2 | 0 1 2 3 4");
    breaks_none(f);
}

static void before_its_own_term(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    moves_heartbeat(f, 0, 1, 2, 1, 1, 1);
    uint64_t at = change(f, 0, 2, 2, "0 1 2 3");
    const struct raft_break *b =
        break_is_at(f, RAFT_T19, 0, at, "s0, leader of term 2, changed the configuration at index 2 before an entry of its own term was committed");
    assert_int_equal(b->index, 2);
    assert_int_equal(b->term, 2);
}

/* Of an entry of its term that is not committed yet nothing follows. */
/* It is seen to lead no sooner than by the message that brings the change. */
static void before_it_is_seen_to_lead(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    uint64_t at = change(f, 0, 2, 2, "0 1 2 3");
    breaks_none(f);
    moves_heartbeat(f, 0, 1, 2, 1, 1, 1);
    break_is_at(f, RAFT_T19, 0, at,
                "s0, leader of term 2, changed the configuration at index 2 before an entry of its own term was committed");
}

/* The change that it makes as a follower is its leader's. */
static void before_it_leads_at_all(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 1, 3, 2, "0 1 2 3");
    moves_elect(f, 1, 3, 3, 2, "2");
    moves_heartbeat(f, 1, 2, 3, 3, 2, 2);
    assert_null(break_find(f, RAFT_T19));
}

static void before_its_own_entry_is_committed(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    moves_heartbeat(f, 0, 1, 2, 1, 1, 1);
    facts_append(f, 0, true, 2, 2, "a");
    uint64_t at = change(f, 0, 3, 2, "0 1 2 3");
    break_is_at(f, RAFT_T19, 0, at, "s0, leader of term 2, changed the configuration at index 3 before an entry of its own term was committed");
}

static void while_another_is_pending(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2 3");
    uint64_t at = change(f, 0, 4, 2, "0 1 2 3 4");
    break_is_at(f, RAFT_T19, 0, at,
                "s0, leader of term 2, changed the configuration at index 4 while the one of index 3 was not committed");
}

/* A log file that begins anew with entries of before says nothing of what is committed: that is in the snapshot. */
static void after_a_compaction(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2 3");
    moves_replicate(f, 0, 1, 2, 2, 2, ENTRIES(E(2, "m")), 2);
    moves_replicate(f, 0, 2, 2, 2, 2, ENTRIES(E(2, "m")), 2);
    moves_state(f, 0, RAFT_FACT_COMMIT, false, 3, 0);
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_SNAPSHOT, .durable = true, .index = 3, .term = 2});
    facts_append(f, 0, true, 2, 2, "a");
    change(f, 0, 4, 2, "0 1 2");
    assert_null(break_find(f, RAFT_T19));
}

/* A follower appends what its leader sent: the leader answers for it. The same text again is no change. */
static void of_others(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 1, 3, 2, "0 1 2 3");
    change(f, 1, 4, 2, "0 1 2 3 4");
    change(f, 0, 3, 2, "0 1 2");
    breaks_none(f);
}

/* What it reads back it does not do. */
static void read_back(void **state)
{
    struct facts *f = *state;
    lead(f);
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_APPEND, .loaded = true,
                                         .entry = {.index = 3, .term = 2, .type = 'm', .digest = 3, .members = "0 1 2 3 4"}});
    assert_null(break_find(f, RAFT_T19));
}

/* --- counting --- */

/* The new configuration has four voters; two of the old three are no majority of it. */
static void counted_by_the_old_one(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2 3");
    facts_sent(f, 0, 1, 2, 2, 2, HEARTBEAT, 2);
    facts_answer(f, 1, 0, 2, true, 3);
    uint64_t at = f->sequence[0];
    moves_heartbeat(f, 0, 1, 2, 3, 2, 3);
    const struct raft_break *b = break_find(f, RAFT_T19);
    assert_non_null(b);
    assert_string_equal(b->text, "s0, leader of term 2, committed index 3 by the configuration of index 1, not by the latest in its log, of index 3");
    assert_int_equal(b->at.sequence, at);
}

static void counted_by_one_side(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2 | 0 3 4");
    facts_answer(f, 1, 0, 2, true, 3);
    moves_heartbeat(f, 0, 1, 2, 3, 2, 3);
    const struct raft_break *b = break_find(f, RAFT_T19);
    assert_non_null(b);
    assert_string_equal(b->text, "s0, leader of term 2, committed index 3 with a majority of one side of a joint configuration");
}

static void counted_by_both_sides(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2 | 0 1 3");
    facts_append(f, 1, true, 3, 2, "m");
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES_RESULT, 1, 0, 2);
    m.success = true;
    m.match = 3;
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &m});
    facts_sent(f, 0, 1, 2, 3, 2, HEARTBEAT, 3);
    breaks_none(f);
}

/* The learner's acknowledgement does not count. */
static void counted_with_a_learner(void **state)
{
    struct facts *f = *state;
    lead(f);
    change(f, 0, 3, 2, "0 1 2*");
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES_RESULT, 2, 0, 2);
    m.success = true;
    m.match = 3;
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &m});
    facts_sent(f, 0, 1, 2, 2, 2, HEARTBEAT, 3);
    assert_int_equal(f->model->breaks, 1);
}

static void acknowledged(struct facts *f, unsigned node, uint64_t index)
{
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES_RESULT, node, 0, 2);
    facts_append(f, node, true, index, 2, "m");
    m.success = true;
    m.match = index;
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &m});
}

/* What the leader sends once more, to somebody who lacks it, is in its log and not the end of it: it counts by the latest all the same. */
static void counted_after_an_old_one_was_sent(void **state)
{
    struct facts *f = *state;
    struct raft_entry old = {.index = 3, .term = 2, .type = 'm', .digest = strlen("0 1 2 3") + 3, .members = "0 1 2 3"};
    struct raft_message again = facts_message(RAFT_APPEND_ENTRIES, 0, 2, 2);
    lead(f);
    change(f, 0, 3, 2, "0 1 2 3");
    acknowledged(f, 1, 3);
    acknowledged(f, 2, 3);
    facts_sent(f, 0, 1, 2, 3, 2, HEARTBEAT, 3);
    change(f, 0, 4, 2, "0 1 2");
    again.prev_index = again.prev_term = 2;
    again.entry = &old;
    again.entries = 1;
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = &again});
    acknowledged(f, 1, 4); /* a majority of three, not of four */
    facts_sent(f, 0, 1, 2, 4, 2, HEARTBEAT, 4);
    breaks_none(f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, breaks_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_more), TEST(one_less_and_a_learner), TEST(two_more), TEST(one_for_another), TEST(two_more_jointly),
        TEST(before_its_own_term), TEST(before_it_is_seen_to_lead), TEST(before_it_leads_at_all),
        TEST(before_its_own_entry_is_committed), TEST(while_another_is_pending), TEST(after_a_compaction), TEST(of_others), TEST(read_back),
        TEST(counted_by_the_old_one), TEST(counted_by_one_side), TEST(counted_after_an_old_one_was_sent), TEST(counted_by_both_sides), TEST(counted_with_a_learner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
