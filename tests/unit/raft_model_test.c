/* The cluster model and the properties of Figure 3, on stories told fact by fact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/facts.h"

#define E(term, text) {term, text}

static int setup(void **state)
{
    static struct facts f;
    facts_init(&f, 5);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    facts_fini(*state);
    return 0;
}

static void assert_no_finding(const struct facts *f)
{
    if (f->model->findings)
        fail_msg("%s at index %lu", raft_property_names[f->model->finding[0].property].name,
                 (unsigned long)f->model->finding[0].index);
}

/* ---- Stories in which all is well ---- */

static void replication_and_commit_by_heartbeat(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 1, 0, 1);
    facts_vote(f, 2, 0, 1);
    for (unsigned to = 1; to < 3; to++)
        facts_appended(f, 0, to, 1, 0, 0, ENTRIES(E(1, "a"), E(1, "b")), 0);
    for (unsigned to = 1; to < 3; to++)
        facts_appended(f, 0, to, 1, 2, 1, HEARTBEAT, 2);
    assert_no_finding(f);
    assert_int_equal(f->model->node[0].commit, 2);
    assert_int_equal(f->model->node[1].commit, 2);
    assert_int_equal(f->model->node[2].commit, 2);
    assert_int_equal(f->model->committed, 6);
    assert_int_equal(f->model->compared, 4);
    const struct raft_slot *slot = raft_node_slot(&f->model->node[2], 2);
    assert_non_null(slot);
    assert_string_equal(slot->variant->text, "b");
    assert_false(raft_witness_seen(&slot->witness)); /* no disk, no mark: it follows from the answer */
}

/* A follower commits min(leaderCommit, index of last new entry). */
static void follower_commits_what_it_verified(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a"), E(1, "b"), E(1, "c")), 0);
    facts_appended(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 3);
    assert_int_equal(f->model->node[1].commit, 1);
}

/* Nothing follows from a message until it is answered, and nothing from one that was refused. */
static void unanswered_and_refused_prove_nothing(void **state)
{
    struct facts *f = *state;
    facts_received(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 1);
    assert_null(raft_node_slot(&f->model->node[0], 1));
    facts_answer(f, 1, 0, 1, false, 0);
    facts_answer(f, 1, 0, 1, true, 7);
    assert_int_equal(f->model->node[0].commit, 0);
    assert_null(raft_node_slot(&f->model->node[0], 1));
}

/* Figure 7: logs that a new leader may find, each made right by it. Follower (f) loses entries of terms 2 and 3. */
static void figure_7(void **state)
{
    struct facts *f = *state;
    struct facts_entry leader[] = {{1, "1"}, {1, "2"}, {1, "3"}, {4, "4"}, {4, "5"}, {5, "6"}, {5, "7"}, {6, "8"}, {6, "9"},
                                   {6, "10"}, {0, NULL}};
    struct facts_entry follower[] = {{1, "1"}, {1, "2"}, {1, "3"}, {2, "x4"}, {2, "x5"}, {2, "x6"}, {3, "x7"}, {3, "x8"},
                                     {3, "x9"}, {3, "x10"}, {3, "x11"}, {0, NULL}};
    facts_sent(f, 1, 2, 3, 0, 0, follower, 3);              /* (f) led terms 2 and 3 */
    facts_vote(f, 1, 0, 8);
    facts_sent(f, 0, 1, 8, 10, 6, HEARTBEAT, 9);
    facts_received(f, 0, 1, 8, 10, 6, HEARTBEAT, 9);
    facts_answer(f, 1, 0, 8, false, 10);
    facts_appended(f, 0, 1, 8, 0, 0, leader, 9);            /* after some refusals: all of it */
    facts_appended(f, 0, 2, 8, 0, 0, leader, 9);
    assert_no_finding(f);
    assert_int_equal(f->model->node[0].last, 10);
    assert_string_equal(raft_node_slot(&f->model->node[0], 4)->variant->text, "4"); /* node[0] is s1: first to speak */
    assert_int_equal(f->model->node[0].commit, 9);
}

/* Uncommitted entries of a deposed leader are replaced, on disk and off it. */
static void legal_truncation(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 1, 1, "a");
    facts_append(f, 0, true, 2, 1, "b");
    facts_sent(f, 0, 1, 1, 1, 1, ENTRIES(E(1, "b")), 1);
    facts_vote(f, 2, 1, 2);
    facts_sent(f, 1, 0, 2, 1, 1, ENTRIES(E(2, "c")), 1);
    facts_received(f, 1, 0, 2, 1, 1, ENTRIES(E(2, "c")), 1);
    facts_append(f, 0, true, 2, 2, "c");
    facts_answer(f, 0, 1, 2, true, 2);
    facts_appended(f, 1, 2, 2, 0, 0, ENTRIES(E(1, "a"), E(2, "c")), 2);
    facts_appended(f, 1, 0, 2, 2, 2, HEARTBEAT, 2);
    assert_no_finding(f);
    assert_int_equal(f->model->node[0].commit, 2);
    assert_true(raft_node_slot(&f->model->node[0], 2)->durable);
}

/* Figure 8 as Raft does it: S1 commits the old entry only together with one of its own term (8e). */
static void figure_8_done_right(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "two")), 1);
    facts_appended(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "two")), 1);
    facts_sent(f, 4, 3, 3, 1, 1, ENTRIES(E(3, "three")), 1);
    facts_appended(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "two"), E(4, "four")), 1);
    facts_appended(f, 0, 1, 4, 2, 2, ENTRIES(E(4, "four")), 3);
    facts_appended(f, 0, 4, 4, 1, 1, ENTRIES(E(2, "two"), E(4, "four")), 3); /* replaces three */
    assert_no_finding(f);
    assert_int_equal(f->model->node[f->model->nodes - 1].commit, 1); /* s2 heard of commit 1 only */
}

static void duplicates_and_reordered_messages(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 0);
    facts_sent(f, 0, 1, 1, 1, 1, ENTRIES(E(1, "b")), 0);
    facts_received(f, 0, 1, 1, 1, 1, ENTRIES(E(1, "b")), 0);
    facts_answer(f, 1, 0, 1, false, 1);
    facts_received(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 0);
    facts_answer(f, 1, 0, 1, true, 1);
    for (int i = 0; i < 3; i++)
        facts_appended(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a"), E(1, "b")), 2);
    facts_received(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 0); /* late: nothing is cut by it */
    facts_answer(f, 1, 0, 1, true, 1);
    assert_no_finding(f);
    assert_int_equal(f->model->node[1].last, 2);
    assert_int_equal(f->model->node[1].commit, 2);
}

/* AppendEntries that waited in a queue leave after the node was deposed and its log was changed. */
static void stale_message_of_a_deposed_leader(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 0);
    facts_appended(f, 2, 0, 2, 0, 0, ENTRIES(E(2, "b")), 1);
    facts_sent(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 0);
    assert_string_equal(raft_node_slot(&f->model->node[0], 1)->variant->text, "b");
    facts_appended(f, 2, 0, 2, 1, 2, HEARTBEAT, 1);
    assert_no_finding(f);
}

/* What was durable is there after a restart, what was not may be gone; commit begins at 0 again. */
static void restart(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 1, 1, "a");
    facts_append(f, 1, false, 2, 1, "b");
    facts_state(f, 1, RAFT_FACT_COMMIT, 1, 0);
    facts_restart(f, 1);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 1);
    struct raft_node *n = &f->model->node[0];
    assert_int_equal(n->incarnation, 2);
    assert_int_equal(n->commit, 0);
    assert_true(raft_node_slot(n, 1)->earlier);
    assert_null(raft_node_slot(n, 2));
    facts_state(f, 1, RAFT_FACT_COMMIT, 1, 0);
    assert_no_finding(f);
    facts_state(f, 1, RAFT_FACT_COMMIT, 0, 0);
    assert_non_null(facts_finding(f, RAFT_COMMIT_MONOTONIC));
}

static void snapshot_and_compaction(void **state)
{
    struct facts *f = *state;
    for (uint64_t i = 1; i <= 10; i++)
        facts_append(f, 0, true, i, 1, "x");
    facts_sent(f, 0, 1, 1, 10, 1, HEARTBEAT, 10);
    facts_state(f, 0, RAFT_FACT_SNAPSHOT, 8, 1);
    assert_int_equal(f->model->node[0].snapshot, 8);
    assert_null(raft_node_slot(&f->model->node[0], 7));
    assert_non_null(raft_node_slot(&f->model->node[0], 9));
    facts_snapshot_sent(f, 0, 1, 1, 8, 1);
    facts_snapshot_received(f, 0, 1, 1, 8, 1);
    facts_snapshot_answer(f, 1, 0, 1);
    assert_int_equal(f->model->node[1].commit, 8);
    facts_appended(f, 0, 1, 1, 8, 1, ENTRIES(E(1, "x"), E(1, "x")), 10);
    assert_int_equal(f->model->node[1].commit, 10);
    assert_no_finding(f);
}

/* A follower with a conflicting tail installs a snapshot: the tail is gone (Figure 13, receiver 7). */
static void snapshot_discards_conflicting_log(void **state)
{
    struct facts *f = *state;
    for (uint64_t i = 1; i <= 5; i++)
        facts_append(f, 1, true, i, 1, "old");
    facts_snapshot_sent(f, 0, 1, 3, 4, 3);
    facts_snapshot_received(f, 0, 1, 3, 4, 3);
    facts_snapshot_answer(f, 1, 0, 3);
    facts_append(f, 1, true, 5, 3, "new");
    facts_appended(f, 0, 1, 3, 4, 3, ENTRIES(E(3, "new")), 5);
    assert_no_finding(f);
    assert_int_equal(f->model->node[0].commit, 5);
}

static void one_leader_after_the_other(void **state)
{
    struct facts *f = *state;
    for (uint64_t term = 1; term < 20; term++) {
        unsigned leader = term % 3;
        facts_vote(f, (leader + 1) % 3, leader, term);
        for (unsigned to = 0; to < 3; to++) {
            if (to != leader)
                facts_appended(f, leader, to, term, term - 1, term - 1, ENTRIES(E(term, "e")), term - 1);
        }
    }
    assert_no_finding(f);
    assert_int_equal(f->model->cluster[0].terms, 19);
    assert_int_equal(raft_cluster_term(&f->model->cluster[0], 7)->leaders, 1);
    assert_int_equal(raft_cluster_term(&f->model->cluster[0], 7)->votes, 2); /* its own and one more */
}

/* A script that tests one cluster after the other: the second begins at index 1 again, under new names. */
static void two_clusters_after_each_other(void **state)
{
    struct facts *f = *state;
    raft_model_process(f->model, 1, "a#1", 1, 0, 100, true);
    raft_model_process(f->model, 2, "a#2", 1, 0, 100, true);
    raft_model_process(f->model, 3, "a#3", 1, 200, 300, true);
    raft_model_process(f->model, 4, "a#4", 1, 200, 300, true);
    facts_appended(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "first")), 1);
    struct raft_entry second = {.index = 1, .term = 1, .digest = 99, .text = "second"};
    for (uint32_t process = 3; process < 5; process++) {
        struct raft_fact append = {.kind = RAFT_FACT_APPEND, .process = process, .protocol = "test", .entry = second};
        struct raft_fact commit = {.kind = RAFT_FACT_COMMIT, .process = process, .protocol = "test", .index = 1};
        raft_model_step(f->model, &append);
        raft_model_step(f->model, &commit);
    }
    assert_no_finding(f);
    assert_int_equal(f->model->clusters, 2);
}

static void two_clusters_at_a_time_are_doubted(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a")), 0);
    struct raft_fact id = {.kind = RAFT_FACT_NODE, .process = 2, .peer = "0"};
    raft_model_step(f->model, &id);
    assert_string_equal(f->model->cluster[0].doubt, "s0 and s1 both use the id \"0\" at the same time");
}

static void unknown_processes_and_strange_facts(void **state)
{
    struct facts *f = *state;
    struct raft_fact strange[] = {
        {.kind = RAFT_FACT_APPEND, .process = 77, .entry = {.index = UINT64_MAX, .term = 3}},
        {.kind = RAFT_FACT_APPEND, .process = 77, .entry = {.index = 0, .term = 3}},
        {.kind = RAFT_FACT_APPEND, .process = 77, .entry = {.index = 5, .term = 0}},
        {.kind = RAFT_FACT_COMMIT, .process = 77, .index = UINT64_MAX},
        {.kind = RAFT_FACT_SNAPSHOT, .process = 77, .index = UINT64_MAX, .term = 9},
        {.kind = RAFT_FACT_TRUNCATE, .process = 77, .index = 0},
        {.kind = RAFT_FACT_TRUNCATE, .process = 77, .index = UINT64_MAX},
        {.kind = RAFT_FACT_APPLY, .process = 77, .entry = {.index = UINT64_MAX}},
        {.kind = RAFT_FACT_SENT, .process = 77},
        {.kind = RAFT_FACT_NODE, .process = 77},
        {.kind = 1000, .process = 77},
        {.kind = RAFT_FACT_APPEND, .process = 77, .entry = {.index = 1, .term = 3}},
    };
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
        raft_model_step(f->model, &strange[i]);
    raft_model_finish(f->model);
    assert_string_equal(f->model->node[0].name, "process 77");
    assert_false(f->model->out_of_memory);
}

/* ---- Stories in which a property breaks ---- */

/* Figure 8 as drawn (8a to 8d): S1 counts replicas of an entry of term 2 in term 4, S5 overwrites it. */
static void figure_8_by_messages_alone(void **state)
{
    struct facts *f = *state;
    facts_appended(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "two")), 1);
    facts_sent(f, 4, 3, 3, 1, 1, ENTRIES(E(3, "three")), 1);
    facts_appended(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "two")), 1);
    facts_sent(f, 0, 1, 4, 2, 2, HEARTBEAT, 2); /* the mistake is out: leaderCommit 2 */
    assert_no_finding(f);
    facts_appended(f, 4, 1, 5, 1, 1, ENTRIES(E(3, "three")), 1);
    const struct raft_finding *lost = facts_finding(f, RAFT_LEADER_COMPLETENESS);
    assert_non_null(lost);
    assert_int_equal(lost->index, 2);
    assert_int_equal(lost->term, 5);
    assert_null(facts_finding(f, RAFT_STATE_MACHINE_SAFETY));
    facts_appended(f, 4, 2, 5, 1, 1, ENTRIES(E(3, "three")), 2);
    const struct raft_finding *told = raft_finding_first(f->model);
    assert_int_equal(told->property, RAFT_STATE_MACHINE_SAFETY);
    assert_int_equal(told->index, 2);
    assert_true(told->seen);
    assert_int_equal(told->sides, 2);
    assert_string_equal(told->side[0].variant->text, "two");
    assert_string_equal(f->model->node[told->side[0].witness[0].node].name, "s0");
    assert_int_equal(told->side[0].witness[0].how, RAFT_HOW_LEADER_COMMIT);
    assert_string_equal(told->side[1].variant->text, "three");
    assert_int_equal(told->side[1].witnesses, 2); /* s4 says it, s2 follows */
    assert_non_null(told->grid);
}

static void two_leaders_of_one_term(void **state)
{
    struct facts *f = *state;
    facts_vote(f, 2, 0, 3);
    facts_vote(f, 2, 1, 3);
    facts_sent(f, 0, 2, 3, 0, 0, HEARTBEAT, 0);
    assert_no_finding(f);
    facts_sent(f, 0, 1, 3, 0, 0, HEARTBEAT, 0);
    facts_sent(f, 1, 2, 3, 0, 0, HEARTBEAT, 0);
    const struct raft_finding *found = facts_finding(f, RAFT_ELECTION_SAFETY);
    assert_non_null(found);
    assert_int_equal(found->term, 3);
    assert_int_equal(found->sides, 2);
    assert_true(found->seen);
    facts_sent(f, 1, 2, 3, 0, 0, HEARTBEAT, 0);
    assert_int_equal(f->model->found[RAFT_ELECTION_SAFETY], 1);
}

static void one_leader_heard_by_others_is_one_leader(void **state)
{
    struct facts *f = *state;
    facts_received(f, 0, 1, 3, 0, 0, HEARTBEAT, 0); /* s0's own event comes later */
    facts_sent(f, 0, 1, 3, 0, 0, HEARTBEAT, 0);
    raft_model_finish(f->model);
    assert_no_finding(f);
}

static void second_leader_that_is_not_recorded(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 3, 0, 0, HEARTBEAT, 0);
    facts_vote(f, 1, 0, 3);
    facts_received(f, 7, 1, 3, 0, 0, HEARTBEAT, 0);
    raft_model_finish(f->model);
    const struct raft_finding *found = facts_finding(f, RAFT_ELECTION_SAFETY);
    assert_non_null(found);
    assert_false(found->seen);
}

static void same_index_and_term_with_other_content(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 4, 2, "a");
    facts_append(f, 1, true, 4, 2, "a");
    assert_no_finding(f);
    facts_append(f, 2, true, 4, 2, "b");
    const struct raft_finding *found = facts_finding(f, RAFT_LOG_MATCHING);
    assert_non_null(found);
    assert_int_equal(found->index, 4);
    assert_int_equal(found->term, 2);
}

static void same_entry_after_different_ones(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 4, 2, "a");
    facts_append(f, 0, true, 5, 4, "e");
    facts_append(f, 1, true, 4, 3, "b");
    assert_no_finding(f);
    facts_append(f, 1, true, 5, 4, "e");
    const struct raft_finding *found = facts_finding(f, RAFT_LOG_MATCHING);
    assert_non_null(found);
    assert_int_equal(found->index, 5);
    assert_int_equal(found->side[0].value, 2);
    assert_int_equal(found->side[1].value, 3);
}

static void leader_rewrites_its_log(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 2, 0, 0, ENTRIES(E(1, "a"), E(2, "b")), 0);
    facts_sent(f, 0, 2, 2, 0, 0, ENTRIES(E(2, "c")), 0);
    assert_non_null(facts_finding(f, RAFT_LEADER_APPEND_ONLY));
}

static void leader_deletes_from_its_log(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, false, 1, 1, "a");
    facts_append(f, 0, false, 2, 1, "b");
    facts_role(f, 0, 2, 2);
    facts_state(f, 0, RAFT_FACT_TRUNCATE, 1, 0);
    assert_non_null(facts_finding(f, RAFT_LEADER_APPEND_ONLY));
}

static void deposed_leader_may_delete(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, false, 1, 1, "a");
    facts_append(f, 0, false, 2, 2, "b");
    facts_role(f, 0, 2, 2);
    facts_received(f, 1, 0, 3, 1, 1, ENTRIES(E(3, "c")), 0);
    facts_state(f, 0, RAFT_FACT_TRUNCATE, 1, 0);
    facts_append(f, 0, false, 2, 3, "c");
    assert_no_finding(f);
}

static void marks_alone(void **state)
{
    struct facts *f = *state;
    for (unsigned node = 0; node < 3; node++) {
        facts_append(f, node, false, 1, 1, node == 2 ? "B" : "A");
        facts_apply(f, node, 1, 1, 0);
    }
    const struct raft_finding *told = raft_finding_first(f->model);
    assert_int_equal(told->property, RAFT_STATE_MACHINE_SAFETY);
    assert_int_equal(told->side[0].witnesses, 2);
    assert_int_equal(told->side[0].witness[0].how, RAFT_HOW_APPLIED);
    assert_int_equal(told->side[1].witnesses, 1);
}

static void applied_in_different_terms(void **state)
{
    struct facts *f = *state;
    facts_apply(f, 0, 9, 2, 0); /* no log seen at all */
    facts_apply(f, 1, 9, 3, 0);
    assert_non_null(facts_finding(f, RAFT_STATE_MACHINE_SAFETY));
}

static void same_entries_other_state(void **state)
{
    struct facts *f = *state;
    facts_apply(f, 0, 1, 1, 0xaaaa);
    facts_apply(f, 1, 1, 1, 0xaaaa);
    assert_no_finding(f);
    facts_apply(f, 2, 1, 1, 0xbbbb);
    assert_non_null(facts_finding(f, RAFT_STATE_DETERMINISM));
    assert_null(facts_finding(f, RAFT_STATE_MACHINE_SAFETY));
}

/* A node whose disk was wiped commits something else than it committed before: it contradicts itself. */
static void node_contradicts_its_earlier_life(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 1, 1, "a");
    facts_state(f, 0, RAFT_FACT_COMMIT, 1, 0);
    facts_restart(f, 0);
    facts_append(f, 0, true, 1, 1, "b");
    facts_state(f, 0, RAFT_FACT_COMMIT, 1, 0);
    const struct raft_finding *found = facts_finding(f, RAFT_STATE_MACHINE_SAFETY);
    assert_non_null(found);
    assert_int_equal(found->side[0].witness[0].process, 1);
    assert_int_equal(found->side[1].witness[0].process, 6);
}

static void snapshot_of_another_history(void **state)
{
    struct facts *f = *state;
    facts_append(f, 1, true, 5, 2, "a");
    facts_state(f, 1, RAFT_FACT_COMMIT, 5, 0);
    facts_snapshot_sent(f, 0, 1, 4, 5, 3);
    assert_non_null(facts_finding(f, RAFT_STATE_MACHINE_SAFETY));
}

static void term_goes_back(void **state)
{
    struct facts *f = *state;
    facts_state(f, 0, RAFT_FACT_TERM, 0, 5);
    facts_state(f, 0, RAFT_FACT_TERM, 0, 5);
    assert_no_finding(f);
    facts_state(f, 0, RAFT_FACT_TERM, 0, 4);
    const struct raft_finding *found = facts_finding(f, RAFT_TERM_MONOTONIC);
    assert_non_null(found);
    assert_int_equal(found->side[0].value, 5);
}

/* ---- Size ---- */

/* The log of a node is let go of behind its commit index; nothing is missed by that, for the registry keeps it all. */
static void long_logs_stay_small(void **state)
{
    struct facts *f = *state;
    for (uint64_t i = 1; i <= 50000; i++) {
        facts_append(f, 0, true, i, 1, "x");
        facts_state(f, 0, RAFT_FACT_COMMIT, i, 0);
    }
    assert_true(f->model->node[0].base > 40000);
    assert_null(raft_node_slot(&f->model->node[0], 100));
    facts_append(f, 1, true, 100, 2, "y");
    facts_append(f, 1, true, 101, 2, "y");
    facts_state(f, 1, RAFT_FACT_COMMIT, 100, 0);
    const struct raft_finding *found = facts_finding(f, RAFT_STATE_MACHINE_SAFETY);
    assert_non_null(found);
    assert_int_equal(found->index, 100);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(replication_and_commit_by_heartbeat), T(follower_commits_what_it_verified),
        T(unanswered_and_refused_prove_nothing), T(figure_7), T(legal_truncation), T(figure_8_done_right),
        T(duplicates_and_reordered_messages), T(stale_message_of_a_deposed_leader), T(restart), T(snapshot_and_compaction),
        T(snapshot_discards_conflicting_log), T(one_leader_after_the_other), T(two_clusters_after_each_other),
        T(two_clusters_at_a_time_are_doubted), T(unknown_processes_and_strange_facts), T(figure_8_by_messages_alone),
        T(two_leaders_of_one_term), T(one_leader_heard_by_others_is_one_leader), T(second_leader_that_is_not_recorded),
        T(same_index_and_term_with_other_content), T(same_entry_after_different_ones), T(leader_rewrites_its_log),
        T(leader_deletes_from_its_log), T(deposed_leader_may_delete), T(marks_alone), T(applied_in_different_terms),
        T(same_entries_other_state), T(node_contradicts_its_earlier_life), T(snapshot_of_another_history), T(term_goes_back),
        T(long_logs_stay_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
