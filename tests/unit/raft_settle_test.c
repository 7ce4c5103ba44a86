/* What the cluster model forgets of a long run, and that what it keeps is enough: memory goes with the state of the cluster,
 * and an entry that is another than the one committed at its index is found however old the index is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/facts.h"
#include "raft/rule.h"

#define LONG 200000u
#define OLD 500u /* an index that is settled after SHORT more */
#define SHORT 40000u
#define PEERS 3u
#define FIRST_AND_REST 2 /* stretches: nothing stands before the first entry */
#define LIVE_MOST 24000u /* entries: those of the tails of the logs, and what came since they were looked at */

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

static void text_of(uint64_t index, char *text, size_t size)
{
    snprintf(text, size, "x=%lu", (unsigned long)index);
}

static void held(struct facts *f, unsigned node, uint64_t index, uint64_t term)
{
    char text[32];
    text_of(index, text, sizeof text);
    facts_append(f, node, true, index, term, text);
}

/* A snapshot, after which the log file is written anew, with a few entries before its end. */
static void compacts(struct facts *f, unsigned node, uint64_t index, uint64_t term)
{
    facts_state(f, node, RAFT_FACT_SNAPSHOT, index, term);
    for (uint64_t i = index - 9; i <= index; i++)
        held(f, node, i, term);
}

/* Every node writes, commits and applies the entries `from` to `to`; one in `snapshot` it takes a snapshot of (0: none). */
static void goes_on(struct facts *f, unsigned nodes, uint64_t from, uint64_t to, uint64_t term, uint64_t snapshot)
{
    for (uint64_t i = from; i <= to; i++) {
        for (unsigned node = 0; node < nodes; node++)
            held(f, node, i, term);
        for (unsigned node = 0; node < nodes; node++)
            facts_apply(f, node, i, term, i * 7 + 1);
        for (unsigned node = 0; node < nodes && snapshot && i % snapshot == 0; node++)
            compacts(f, node, i, term);
        assert_in_range(f->model->cluster[0].live, 0, LIVE_MOST);
    }
}

static size_t log_pages(const struct facts *f)
{
    size_t pages = 0;
    for (size_t i = 0; i < f->model->nodes; i++)
        pages += f->model->node[i].log.used;
    return pages;
}

/* ---- Memory ---- */

static void a_log_that_is_compacted_costs_nothing_below_its_snapshots(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, LONG, 1, 1000);
    assert_no_finding(f);
    const struct raft_settled *settled = &f->model->cluster[0].settled;
    assert_int_equal(settled->stretches, FIRST_AND_REST);
    assert_true(settled_has(settled, 1));
    assert_in_range(settled->digest[0].used, 1, LIVE_MOST / PAGE_CELLS);
    assert_in_range(settled->state.used, 1, LIVE_MOST / PAGE_CELLS);
}

static void a_log_that_is_not_compacted_costs_its_digests(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, LONG / 2, 1, 0);
    assert_no_finding(f);
    const struct raft_settled *settled = &f->model->cluster[0].settled;
    assert_int_equal(settled->stretches, FIRST_AND_REST);
    assert_in_range(settled->digest[0].used, (LONG / 2 - LIVE_MOST) / PAGE_CELLS, LONG / 2 / PAGE_CELLS);
    assert_in_range(log_pages(f), PEERS, PEERS * 3 * 4096 / PAGE_CELLS);
}

static void a_node_that_is_dead_holds_nothing_back(void **state)
{
    struct facts *f = *state;
    goes_on(f, 4, 1, 100, 1, 0);
    goes_on(f, PEERS, 101, LONG / 2, 1, 0);
    assert_no_finding(f);
}

/* What was found first used to keep all that came after it. */
static void a_finding_holds_nothing_back(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, 10, 1, 0);
    facts_state(f, 0, RAFT_FACT_TERM, 0, 5);
    facts_state(f, 0, RAFT_FACT_TERM, 0, 4);
    facts_append(f, 4, true, 5, 1, "other");
    assert_non_null(facts_finding(f, RAFT_TERM_MONOTONIC));
    const struct raft_finding *found = facts_finding(f, RAFT_LOG_MATCHING);
    goes_on(f, PEERS, 11, LONG / 2, 5, 0);
    assert_in_range(log_pages(f), PEERS, PEERS * 3 * 4096 / PAGE_CELLS);
    assert_ptr_equal(found, facts_finding(f, RAFT_LOG_MATCHING));
    assert_string_equal(found->side[0].variant->text, "x=5"); /* and is still there to be told */
    assert_string_equal(found->grid[0].variant->text, "x=2");
}

static void terms_cost_a_stretch_each(void **state)
{
    struct facts *f = *state;
    for (uint64_t term = 1; term <= 40; term++)
        goes_on(f, PEERS, (term - 1) * 1000 + 1, term * 1000, term, 1000);
    assert_no_finding(f);
    assert_in_range(f->model->cluster[0].settled.stretches, 20, 80);
}

/* ---- What is found at old indexes ---- */

/* A node that was not there so far comes with an old log. */
static void joins_with(struct facts *f, uint64_t index, uint64_t term, const char *text)
{
    if (text)
        facts_append(f, 4, true, index, term, text);
    else
        held(f, 4, index, term);
    facts_state(f, 4, RAFT_FACT_COMMIT, index, 0);
}

static bool revisits(const struct facts *f, uint64_t index)
{
    struct raft_keep keep[RAFT_KEEPS];
    size_t keeps = raft_model_revisit(f->model, keep);
    for (size_t i = 0; i < keeps; i++) {
        if (keep[i].first <= index && index <= keep[i].last)
            return true;
    }
    return false;
}

static void the_same_old_entry_is_no_finding(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, SHORT, 1, 0);
    assert_true(settled_has(&f->model->cluster[0].settled, OLD));
    joins_with(f, OLD, 1, NULL);
    assert_no_finding(f);
    const struct raft_variant *v = raft_cluster_entries(&f->model->cluster[0], OLD);
    assert_true(v->revived);
    assert_null(v->next);
    assert_int_equal(v->committed.how, RAFT_HOW_APPLIED);
    assert_string_equal(v->text, "x=500"); /* told again */
    assert_false(revisits(f, OLD));
}

static void old_entry_of_another_content(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, SHORT, 1, 0);
    joins_with(f, OLD, 1, "other");
    const struct raft_finding *found = facts_finding(f, RAFT_STATE_MACHINE_SAFETY);
    assert_non_null(found);
    assert_int_equal(found->index, OLD);
    assert_int_equal(found->sides, 2);
    assert_non_null(facts_finding(f, RAFT_LOG_MATCHING));
    assert_true(revisits(f, OLD));
}

/* All have compacted it: its term is known. */
static void old_entry_of_another_term(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, SHORT, 2, 1000);
    assert_true(f->model->cluster[0].settled.content > OLD);
    joins_with(f, OLD, 1, "other");
    const struct raft_finding *found = facts_finding(f, RAFT_STATE_MACHINE_SAFETY);
    assert_non_null(found);
    assert_int_equal(found->index, OLD);
    assert_true(revisits(f, OLD));
}

static void old_entry_of_a_later_leader(void **state)
{
    struct facts *f = *state;
    facts_sent(f, 0, 1, 1, 0, 0, ENTRIES({1, "x=1"}, {1, "x=2"}, {1, "x=3"}), 3); /* committed in term 1 */
    goes_on(f, PEERS, 1, SHORT, 1, 0);
    assert_true(settled_has(&f->model->cluster[0].settled, 2));
    facts_sent(f, 4, 3, 7, 1, 1, ENTRIES({6, "other"}), 0);
    const struct raft_finding *found = facts_finding(f, RAFT_LEADER_COMPLETENESS);
    assert_non_null(found);
    assert_int_equal(found->index, 2);
    assert_int_equal(found->term, 7);
    assert_null(facts_finding(f, RAFT_STATE_MACHINE_SAFETY)); /* it is not committed */
}

static void old_entry_with_another_outcome(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, SHORT, 1, 0);
    held(f, 4, OLD, 1);
    facts_apply(f, 4, OLD, 1, OLD * 7 + 1);
    assert_no_finding(f);
    held(f, 4, OLD + 1, 1);
    facts_apply(f, 4, OLD + 1, 1, 99);
    const struct raft_finding *found = facts_finding(f, RAFT_STATE_DETERMINISM);
    assert_non_null(found);
    assert_int_equal(found->index, OLD + 1);
    assert_int_equal(found->side[0].value, (OLD + 1) * 7 + 1);
    assert_int_equal(found->side[0].witness[0].node, 0);
}

/* The node that lost its disk is sent all of it again. */
static void a_node_that_begins_anew_is_no_finding(void **state)
{
    struct facts *f = *state;
    goes_on(f, PEERS, 1, SHORT, 1, 0);
    facts_restart(f, 2);
    for (uint64_t i = 1; i <= SHORT; i++) {
        held(f, 2, i, 1);
        facts_apply(f, 2, i, 1, i * 7 + 1);
    }
    assert_no_finding(f);
    assert_in_range(f->model->cluster[0].live, 0, LIVE_MOST);
    assert_int_equal(f->model->cluster[0].settled.stretches, FIRST_AND_REST);
}

/* What the first walk finds the second tells in full. */
static void another_walk_keeps_the_words(void **state)
{
    struct facts *f = *state;
    struct raft_keep keep[RAFT_KEEPS];
    goes_on(f, PEERS, 1, SHORT, 2, 0);
    joins_with(f, OLD, 1, "other");
    size_t keeps = raft_model_revisit(f->model, keep);
    assert_int_equal(keeps, 1);
    facts_fini(f);
    facts_init(f, 5);
    f->model->keep[f->model->keeps++] = keep[0];
    goes_on(f, PEERS, 1, SHORT, 2, 0);
    joins_with(f, OLD, 1, "other");
    const struct raft_finding *found = facts_finding(f, RAFT_STATE_MACHINE_SAFETY);
    assert_string_equal(found->side[0].variant->text, "x=500");
    assert_string_equal(found->side[1].variant->text, "other");
    assert_int_equal(found->side[0].witnesses, 3);
    assert_int_equal(raft_model_revisit(f->model, keep), 0);
}

/* ---- The outline itself ---- */

#define ENTRIES_SETTLED 4096

static struct raft_variant entry_at(uint64_t index)
{
    struct raft_witness w = {.sequence = index, .order = index, .process = 3, .node = 2, .how = RAFT_HOW_APPLIED, .exact = true};
    uint64_t term = index / 100 + 1;
    return (struct raft_variant){.index = index, .term = term, .digest = index * 3 + 1, .protocol = "test",
                                 .second_digest = index % 2 ? 0 : index * 5 + 1, .second_protocol = index % 2 ? NULL : "mark",
                                 .shown = w, .committed = w, .committed_term = term, .led = w, .led_term = term, .linked = w,
                                 .previous_term = (index - 1) / 100 + 1, .applied = w, .state = index * 11 + 1,
                                 .type = index % 100 ? 'c' : 'n', .offered = true};
}

static void assert_entry(struct raft_settled *s, uint64_t index)
{
    struct raft_variant expected = entry_at(index), *v = settled_revive(s, index);
    assert_non_null(v);
    assert_int_equal(v->term, expected.term);
    assert_int_equal(v->previous_term, expected.previous_term);
    assert_int_equal(v->type, expected.type);
    assert_int_equal(v->committed_term, expected.committed_term);
    assert_int_equal(v->state, expected.state);
    assert_int_equal(v->applied.sequence, index);
    assert_int_equal(v->applied.process, 3);
    assert_int_equal(v->applied.node, 2);
    assert_true(v->committed.order >= index);
    assert_true(raft_variant_shows(v, expected.digest, "test"));
    assert_int_equal(raft_variant_shows(v, index * 5 + 1, "mark"), index % 2 == 0);
    free(v);
}

/* In whatever order they come, and come again. */
static void stretches_in_any_order(void **state)
{
    (void)state;
    struct raft_settled s;
    settled_init(&s);
    uint64_t at = 1;
    for (uint64_t i = 0; i < 2 * ENTRIES_SETTLED; i++) {
        at = (at * 1103515245 + 12345) % ENTRIES_SETTLED; /* every residue, once a round */
        struct raft_variant v = entry_at(at + 1);
        assert_true(settled_put(&s, &v));
        assert_true(settled_has(&s, at + 1));
    }
    for (uint64_t i = 1; i <= ENTRIES_SETTLED; i++)
        assert_entry(&s, i);
    assert_false(settled_has(&s, 0));
    assert_false(settled_has(&s, ENTRIES_SETTLED + 1));
    assert_null(settled_revive(&s, ENTRIES_SETTLED + 1));
    assert_int_equal(s.stretches, 2 * (ENTRIES_SETTLED / 100) + 1);
    settled_compact(&s, 1000);
    assert_entry(&s, 1000);
    struct raft_variant *v = settled_revive(&s, 999);
    assert_int_equal(v->term, 10);
    assert_int_equal(v->digest, 0);
    assert_int_equal(v->applied.how, RAFT_HOW_NONE);
    assert_false(v->committed.exact);
    free(v);
    settled_fini(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_log_that_is_compacted_costs_nothing_below_its_snapshots),
        TEST(a_log_that_is_not_compacted_costs_its_digests),
        TEST(a_node_that_is_dead_holds_nothing_back),
        TEST(a_finding_holds_nothing_back),
        TEST(terms_cost_a_stretch_each),
        TEST(the_same_old_entry_is_no_finding),
        TEST(old_entry_of_another_content),
        TEST(old_entry_of_another_term),
        TEST(old_entry_of_a_later_leader),
        TEST(old_entry_with_another_outcome),
        TEST(a_node_that_begins_anew_is_no_finding),
        TEST(another_walk_keeps_the_words),
        cmocka_unit_test(stretches_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
