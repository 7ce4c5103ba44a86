/* The rules of the log: what may be deleted (T10, T20), where entries go (T11), what meets at a snapshot (T17), and what is
 * acknowledged (T12). Snapshots themselves: rules_disk_test.c. */
#include "lib/breaks.h"

static int setup(void **state)
{
    return breaks_setup(state, 3);
}

/* s1 has "a" and "b" of term 2 from s0. */
static void two_entries(struct facts *f)
{
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 0, true, 3, 2, "b");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
}

/* --- T10 --- */

static void deleted_without_a_conflict(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1); /* late */
    uint64_t at = moves_state(f, 1, RAFT_FACT_TRUNCATE, true, 2, 0);
    const struct raft_break *b =
        break_is_at(f, RAFT_T10, 1, at, "s1 deleted its log from index 3 on; no entry that it was sent was in conflict with it");
    assert_int_equal(b->spoils, RAFT_SPOILS_LOG);
    assert_int_equal(b->index, 3);
    assert_int_equal(b->reasons, 2);
    assert_string_equal(b->reason[0].text, "has index 3 of term 2 in its log");
    assert_string_equal(b->reason[1].text, "gets AppendEntries of term 2 from s0: prevLogIndex 1 of term 1, 1 entry");
    assert_int_equal(b->reason[1].at.sequence, at - 1);
}

static void deleted_more_than_the_conflict(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 2, 1, 3, 1, 1, ENTRIES(E(2, "a"), E(3, "c")), 1);
    uint64_t at = moves_state(f, 1, RAFT_FACT_TRUNCATE, true, 1, 0);
    break_is_at(f, RAFT_T10, 1, at, "s1 deleted its log from index 2 on; the first entry in conflict was index 3");
}

static void deleted_for_a_conflict(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 2, 1, 3, 1, 1, ENTRIES(E(2, "a"), E(3, "c")), 1);
    moves_state(f, 1, RAFT_FACT_TRUNCATE, true, 2, 0);
    facts_append(f, 1, true, 3, 3, "c");
    breaks_none(f);
}

/* A heartbeat is read in one go with the AppendEntries before it, which is the one that asks for it. */
static void deleted_for_the_one_before(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 2, 1, 3, 1, 1, ENTRIES(E(3, "c")), 1);
    facts_received(f, 2, 1, 3, 1, 1, HEARTBEAT, 1);
    moves_state(f, 1, RAFT_FACT_TRUNCATE, true, 1, 0);
    facts_append(f, 1, true, 2, 3, "c");
    breaks_none(f);
}

/* A file that is read back tells of truncations of another life; what is not in the log cannot be deleted. */
static void deleted_long_ago(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_TRUNCATE, .index = 2, .loaded = true});
    moves_state(f, 1, RAFT_FACT_TRUNCATE, true, 7, 0);
    breaks_none(f);
}

/* --- T20 --- */

static void a_leader_deletes(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    uint64_t at = moves_state(f, 0, RAFT_FACT_TRUNCATE, false, 2, 0);
    const struct raft_break *b =
        break_is_at(f, RAFT_T20, 0, at, "s0, leader of term 2, deleted or overwrote its own log from index 3 on");
    assert_int_equal(b->index, 3);
    assert_int_equal(b->spoils, RAFT_SPOILS_LOG);
    assert_non_null(facts_finding(f, RAFT_LEADER_APPEND_ONLY));
}

/* What a file shows may lag behind the change of role: the rule is broken, the property not for certain. */
static void a_leaders_file_is_cut(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    moves_state(f, 0, RAFT_FACT_TRUNCATE, true, 2, 0);
    assert_non_null(break_find(f, RAFT_T20));
    assert_null(facts_finding(f, RAFT_LEADER_APPEND_ONLY));
}

static void a_leader_overwrites(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_append(f, 0, true, 2, 2, "z");
    break_is_at(f, RAFT_T20, 0, f->sequence[0], "s0, leader of term 2, deleted or overwrote its own log from index 2 on");
}

static void deletes_when_it_is_elected(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    moves_elect(f, 1, 3, 3, 2, "2");
    uint64_t at = moves_state(f, 1, RAFT_FACT_TRUNCATE, true, 1, 0);
    break_is_at(f, RAFT_T20, 1, at, "s1 deleted its own log from index 2 on after its campaign for term 3, told so by nobody");
    assert_string_equal(break_find(f, RAFT_T20)->shape, "leader"); /* one mistake, whether it states its role or not */
}

/* It is a follower of the next leader then, and the conflict is real. */
static void a_leader_that_was(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 2, 0, 3, 2, 2, ENTRIES(E(3, "c")), 1);
    moves_state(f, 0, RAFT_FACT_TRUNCATE, true, 2, 0);
    facts_append(f, 0, true, 3, 3, "c");
    breaks_none(f);
    assert_null(facts_finding(f, RAFT_LEADER_APPEND_ONLY));
}

/* The same entry, once more: by a mark and in the file. */
static void a_leader_that_appends_twice(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_append(f, 0, true, 3, 2, "b");
    breaks_none(f);
}

/* --- T11 --- */

static void put_at_another_index(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 0, true, 3, 2, "b");
    facts_sent(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_append(f, 1, true, 2, 2, "b");
    const struct raft_break *b =
        break_is_at(f, RAFT_T11, 1, f->sequence[1], "s1 put the entry of index 3 (term 2) at index 2");
    assert_int_equal(b->index, 2);
    assert_int_equal(b->spoils, RAFT_SPOILS_LOG);
    assert_int_equal(b->reasons, 1);
}

static void appended_twice(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "b")), 1);
    facts_append(f, 1, true, 4, 2, "a");
    break_is_at(f, RAFT_T11, 1, f->sequence[1], "s1 put the entry of index 2 (term 2) at index 4");
}

static void not_the_leaders(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_sent(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_append(f, 1, true, 2, 2, "z");
    break_is_at(f, RAFT_T11, 1, f->sequence[1], "s1 put an entry at index 2 of term 2 that is not the leader's");
}

/* What the client sent twice stands twice in the log, and the leader says so. */
static void the_same_command_twice(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 0, true, 3, 2, "a");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a"), E(2, "a")), 1);
    breaks_none(f);
}

/* It arrives twice, out of order, and what is already there is written once more or not at all. */
static void out_of_order(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 0, 1, 2, 2, 2, ENTRIES(E(2, "b")), 1);
    facts_append(f, 1, true, 3, 2, "b");
    facts_received(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    facts_answer(f, 1, 0, 2, true, 2);
    breaks_none(f);
}

static void sent_as_another_index(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_sent(f, 0, 2, 2, 1, 1, ENTRIES(E(2, "b")), 1);
    const struct raft_break *b = break_is_at(f, RAFT_T11, 0, f->sequence[0], "s0, leader of term 2, sent s2 the entry of index 3 as index 2");
    assert_string_equal(b->peer, "2");
    assert_string_equal(b->reason[0].text, "has another entry at index 2 (term 2)");
}

/* --- T17 --- */

static void a_term_of_zero_before_the_entries(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    moves_state(f, 0, RAFT_FACT_SNAPSHOT, true, 2, 2);
    facts_sent(f, 0, 2, 2, 2, 0, ENTRIES(E(2, "b")), 1);
    const struct raft_break *b = break_find(f, RAFT_T17);
    assert_non_null(b);
    assert_string_equal(b->text, "s0, leader of term 2, sent s2 AppendEntries with prevLogIndex 2 and prevLogTerm 0");
    assert_int_equal(b->at.sequence, f->sequence[0]);
}

static void the_next_index_after_compaction(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_append(f, 0, true, 4, 2, "c");
    moves_state(f, 0, RAFT_FACT_SNAPSHOT, true, 2, 2);
    facts_sent(f, 0, 2, 2, 2, 2, ENTRIES(E(2, "c")), 1);
    break_is_at(f, RAFT_T17, 0, f->sequence[0],
                "s0, leader of term 2, sent s2 the entry of index 4 as index 3, after it had compacted its log");
}

static void accepted_after_another_term(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 2, 1, 3, 3, 3, HEARTBEAT, 1);
    facts_answer(f, 1, 2, 3, true, 3);
    const struct raft_break *b = break_find(f, RAFT_T17);
    assert_non_null(b);
    assert_string_equal(b->text, "s1 accepted AppendEntries after index 3 of term 3; its own log has term 2 there");
    assert_int_equal(b->at.process, f->process[1]);
    assert_int_equal(b->at.sequence, f->sequence[1]);
}

static void refused_after_another_term(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_received(f, 2, 1, 3, 3, 3, HEARTBEAT, 1);
    facts_answer(f, 1, 2, 3, false, 2);
    breaks_none(f);
}

static void the_boundary_as_it_should_be(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_append(f, 0, true, 4, 2, "c");
    moves_state(f, 0, RAFT_FACT_SNAPSHOT, true, 3, 2);
    moves_replicate(f, 0, 1, 2, 3, 2, ENTRIES(E(2, "c")), 1);
    breaks_none(f);
}

/* --- T12 --- */

/* It says how far its own log goes, of which the leader knows nothing. */
static void acknowledged_its_own(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 2, 1, "x");
    moves_elect(f, 0, 2, 1, 1, "2");
    facts_append(f, 0, true, 2, 2, "a");
    facts_sent(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    facts_received(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    facts_answer(f, 1, 0, 2, true, 2);
    const struct raft_break *b = break_find(f, RAFT_T12);
    assert_non_null(b);
    assert_string_equal(b->text, "s1 acknowledged index 2 to s0 in term 2; what it was sent ends at index 1, and s0 does not hold its entry");
    assert_int_equal(b->at.sequence, f->sequence[1]);
    assert_int_equal(b->spoils, RAFT_SPOILS_ACK);
    assert_int_equal(b->index, 2);
}

/* The leader holds what was acknowledged, although this message did not bring it. */
static void acknowledged_what_the_leader_holds(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    facts_sent(f, 0, 1, 2, 2, 2, HEARTBEAT, 1);
    facts_received(f, 0, 1, 2, 2, 2, HEARTBEAT, 1);
    facts_answer(f, 1, 0, 2, true, 3);
    assert_null(break_find(f, RAFT_T12));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, breaks_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(deleted_without_a_conflict), TEST(deleted_more_than_the_conflict), TEST(deleted_for_a_conflict),
        TEST(deleted_for_the_one_before), TEST(deleted_long_ago),
        TEST(a_leader_deletes), TEST(a_leaders_file_is_cut), TEST(a_leader_overwrites), TEST(deletes_when_it_is_elected),
        TEST(a_leader_that_was), TEST(a_leader_that_appends_twice),
        TEST(put_at_another_index), TEST(appended_twice), TEST(not_the_leaders), TEST(the_same_command_twice), TEST(out_of_order),
        TEST(sent_as_another_index),
        TEST(a_term_of_zero_before_the_entries), TEST(the_next_index_after_compaction), TEST(accepted_after_another_term),
        TEST(refused_after_another_term), TEST(the_boundary_as_it_should_be),
        TEST(acknowledged_its_own), TEST(acknowledged_what_the_leader_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
