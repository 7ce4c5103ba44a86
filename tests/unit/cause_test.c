/* From a violation back to its cause: which break of a rule it depends on, which it does not, and the steps between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "lib/breaks.h"

static int setup(void **state)
{
    return breaks_setup(state, 3);
}

static uint64_t cut(struct facts *f, unsigned node, const char *peers)
{
    struct raft_fact fact = {.kind = RAFT_FACT_FAULT, .text = "cut"};
    snprintf(fact.peer, sizeof fact.peer, "%s", peers);
    facts_tell(f, node, &fact);
    return f->sequence[node];
}

/* --- Figure 8 of the paper --- */

/* Two leaders that got no further than their own logs. */
static void two_leaders(struct facts *f)
{
    moves_elect(f, 0, 2, 1, 1, "2");
    moves_heartbeat(f, 0, 2, 2, 1, 1, 1);
    facts_append(f, 0, true, 2, 2, "A");
    cut(f, 0, "s2");
    moves_elect(f, 1, 3, 1, 1, "2");
    moves_heartbeat(f, 1, 2, 3, 1, 1, 1);
    facts_append(f, 1, true, 2, 3, "B");
    cut(f, 1, "s2");
}

/* s0 leads again and commits what it had; returns the event at which it was told that s2 has it, too. */
static uint64_t the_first_commits(struct facts *f)
{
    moves_elect(f, 0, 4, 2, 2, "2");
    uint64_t told = moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "A")), 1);
    facts_sent(f, 0, 2, 4, 2, 2, HEARTBEAT, 2);
    return told;
}

/* s1 leads, and rightly replaces it. */
static void the_second_replaces(struct facts *f)
{
    cut(f, 0, "s2");
    moves_elect(f, 1, 5, 2, 3, "2");
    facts_append(f, 1, true, 3, 5, "C");
    moves_replicate(f, 1, 2, 5, 1, 1, ENTRIES(E(3, "B"), E(5, "C")), 1);
    moves_heartbeat(f, 1, 2, 5, 3, 5, 3);
}

static uint64_t figure_8(struct facts *f)
{
    two_leaders(f);
    uint64_t told = the_first_commits(f);
    the_second_replaces(f);
    return told;
}

static void explain(struct facts *f, struct verdict *v)
{
    raft_model_finish(f->model);
    verdict_init(v, f->model, NULL, 0, "complete");
    assert_int_equal(v->status, VERDICT_VIOLATED);
    assert_non_null(v->finding);
    assert_int_equal(v->finding->property, RAFT_STATE_MACHINE_SAFETY);
    assert_int_equal(v->finding->index, 2);
}

/* In the order of the events; no event twice; the cause and the violation among them. */
static void assert_chain(const struct verdict *v)
{
    const struct cause *c = &v->cause;
    bool cause = false, violation = false;
    assert_in_range(c->steps, 3, CHAIN_STEPS);
    for (size_t i = 0; i < c->steps; i++) {
        const struct raft_witness *at = &c->step[i].at;
        assert_int_not_equal(c->step[i].text[0], 0);
        cause |= at->order == c->rule_break->at.order;
        violation |= at->order == v->finding->side[1].witness[0].order;
        for (size_t j = 0; j < i; j++)
            assert_false(c->step[j].at.process == at->process && c->step[j].at.sequence == at->sequence);
        assert_true(!i || c->step[i - 1].at.order <= at->order);
    }
    assert_true(cause);
    assert_true(violation);
}

static void assert_cause(const struct verdict *v, enum raft_class class, unsigned node, uint64_t sequence, enum certainty certainty)
{
    if (!v->cause.rule_break)
        fail_msg("no cause");
    assert_string_equal(raft_classes[v->cause.rule_break->class].id, raft_classes[class].id);
    assert_int_equal(v->cause.rule_break->at.node, node);
    assert_int_equal(v->cause.rule_break->at.sequence, sequence);
    assert_int_equal(v->cause.certainty, certainty);
    assert_chain(v);
}

static bool step_says(const struct cause *c, const char *node, const struct raft_model *m, const char *words)
{
    for (size_t i = 0; i < c->steps; i++) {
        if (strcmp(m->node[c->step[i].at.node].name, node) == 0 && strstr(c->step[i].text, words))
            return true;
    }
    return false;
}

static void counted_an_earlier_term(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    uint64_t told = figure_8(f);
    explain(f, &v);
    assert_cause(&v, RAFT_T07, 0, told, CERTAINTY_KNOWN);
    assert_true(step_says(&v.cause, "s0", f->model, "\"A\" at index 2 (term 2)"));
    assert_true(step_says(&v.cause, "s1", f->model, "\"B\" at index 2 (term 3)"));
    assert_true(step_says(&v.cause, "s0", f->model, "is cut off from s2"));
    assert_true(step_says(&v.cause, "s1", f->model, "becomes candidate of term 5"));
}

/* --- which of several --- */

static bool also_seen(const struct facts *f, enum raft_class class, const struct verdict *v)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    static const struct verdict_style plain = {"", "", "", "", "", "", false};
    verdict_print(v, "run", &plain, out);
    fclose(out);
    const char *also = strstr(text, "ALSO SEEN");
    bool said = also && strstr(also, break_find(f, class)->text);
    free(text);
    return said;
}

/* Nothing of the violation depends on what a leader sends once too often. */
static void an_unrelated_one_before(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    moves_elect(f, 0, 2, 1, 1, "2");
    moves_replicate(f, 0, 2, 2, 1, 1, HEARTBEAT, 1);
    facts_answer(f, 1, 0, 2, true, 1);
    facts_sent(f, 0, 2, 2, 0, 0, ENTRIES(E(1, "boot")), 1);
    assert_non_null(break_find(f, RAFT_T13));
    uint64_t told = figure_8(f);
    explain(f, &v);
    assert_cause(&v, RAFT_T07, 0, told, CERTAINTY_KNOWN);
    assert_true(also_seen(f, RAFT_T13, &v));
}

/* s2 acknowledges before its write is durable; then it is, and nothing was lost. */
static void a_healed_one_before(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    struct raft_fact fact = {.kind = RAFT_FACT_APPEND, .written = true, .entry = {.index = 2, .term = 2, .type = 'c'}};
    two_leaders(f);
    moves_elect(f, 0, 4, 2, 2, "2");
    facts_sent(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "A")), 1);
    facts_received(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "A")), 1);
    facts_tell(f, 2, &fact);
    facts_answer(f, 2, 0, 4, true, 2);
    uint64_t told = f->sequence[0];
    fact.written = false;
    fact.durable = fact.again = true;
    facts_tell(f, 2, &fact);
    assert_non_null(break_find(f, RAFT_T05));
    assert_int_not_equal(break_find(f, RAFT_T05)->healed.how, RAFT_HOW_NONE);
    facts_sent(f, 0, 2, 4, 2, 2, HEARTBEAT, 2);
    the_second_replaces(f);
    explain(f, &v);
    assert_cause(&v, RAFT_T07, 0, told, CERTAINTY_KNOWN);
    assert_true(also_seen(f, RAFT_T05, &v));
}

/* s2 has an entry of term 3, and votes for s0, which has none later than of term 2: else it could not have been leader in
 * term 4, and committed nothing. */
static void the_earliest_of_two(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    two_leaders(f);
    moves_replicate(f, 1, 2, 3, 1, 1, ENTRIES(E(3, "B")), 1);
    moves_elect(f, 0, 4, 2, 2, "2");
    uint64_t voted = f->sequence[2];
    assert_non_null(break_find(f, RAFT_T04));
    moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "A")), 1);
    facts_sent(f, 0, 2, 4, 2, 2, HEARTBEAT, 2);
    the_second_replaces(f);
    assert_non_null(break_find(f, RAFT_T07));
    explain(f, &v);
    assert_cause(&v, RAFT_T04, 2, voted, CERTAINTY_KNOWN);
    assert_true(also_seen(f, RAFT_T07, &v));
}

/* What comes after the violation cannot have made it. */
static void one_after_it(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    uint64_t told = figure_8(f);
    facts_vote(f, 2, 0, 9);
    facts_vote(f, 2, 1, 9);
    assert_non_null(break_find(f, RAFT_T01));
    explain(f, &v);
    assert_cause(&v, RAFT_T07, 0, told, CERTAINTY_KNOWN);
}

/* A mistake in an election of a term that the entries have nothing to do with. */
static void one_of_another_term(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    moves_elect(f, 0, 1, 1, 1, "2");
    moves_elect(f, 1, 1, 1, 1, "2");
    assert_non_null(break_find(f, RAFT_T01));
    uint64_t told = figure_8(f);
    explain(f, &v);
    assert_cause(&v, RAFT_T07, 0, told, CERTAINTY_KNOWN);
    assert_true(also_seen(f, RAFT_T01, &v));
}

/* --- what is not known --- */

static void nothing_was_seen_to_break(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    facts_append(f, 0, false, 2, 2, "A");
    facts_apply(f, 0, 2, 2, 0);
    facts_append(f, 1, false, 2, 4, "B");
    facts_apply(f, 1, 2, 4, 0);
    explain(f, &v);
    assert_null(v.cause.rule_break);
    assert_int_equal(v.cause.certainty, CERTAINTY_UNKNOWN);
    assert_int_equal(v.cause.steps, 0);
}

/* Somebody who is not recorded may have broken a rule before. */
static void a_member_that_is_not_recorded(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    struct raft_message refusal = facts_message(RAFT_REQUEST_VOTE_RESULT, 7, 0, 1);
    facts_tell(f, 0, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &refusal});
    uint64_t told = figure_8(f);
    explain(f, &v);
    assert_cause(&v, RAFT_T07, 0, told, CERTAINTY_LIKELY);
    assert_string_equal(v.cause.settle, "the node with id \"7\" is not recorded: whether it broke a rule before that is not seen");
}

/* Without a violation the first break is told as what it is. */
static void a_break_that_hurt_nobody(void **state)
{
    struct facts *f = *state;
    struct verdict v;
    moves_elect(f, 0, 2, 1, 1, "1");
    moves_replicate(f, 0, 1, 2, 1, 1, HEARTBEAT, 1);
    moves_heartbeat(f, 0, 1, 2, 1, 1, 1);
    facts_vote(f, 2, 1, 3);
    facts_vote(f, 2, 0, 3);
    raft_model_finish(f->model);
    verdict_init(&v, f->model, NULL, 0, "complete");
    assert_null(v.finding);
    assert_non_null(v.cause.rule_break);
    assert_in_range(v.cause.steps, 1, CHAIN_STEPS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, breaks_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counted_an_earlier_term), TEST(an_unrelated_one_before), TEST(a_healed_one_before), TEST(the_earliest_of_two),
        TEST(one_after_it), TEST(one_of_another_term), TEST(nothing_was_seen_to_break), TEST(a_member_that_is_not_recorded),
        TEST(a_break_that_hurt_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
