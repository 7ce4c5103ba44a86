/* The words of drd explain, and when it says that it cannot tell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "drd/drd.h"
#include "explain/explain.h"
#include "lib/check.h"
#include "lib/facts.h"

static const struct verdict_style plain = {"", "", "", "", "", "", false};

static int setup(void **state)
{
    static struct facts f;
    facts_init(&f, 3);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    facts_fini(*state);
    return 0;
}

static char *text_of(const struct facts *f, const char *run_state, enum verdict_status expected)
{
    struct verdict v;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    verdict_init(&v, f->model, NULL, 0, run_state);
    assert_int_equal(v.status, expected);
    verdict_print(&v, "7f3a9c1", &plain, out);
    fclose(out);
    return text;
}

static void assert_says(const struct facts *f, const char *run_state, enum verdict_status expected, const char *words)
{
    char *text = text_of(f, run_state, expected);
    if (!strstr(text, words))
        fail_msg("not said: %s\nbut:\n%s", words, text);
    free(text);
}

/* Two followers that agree, so that something was compared. */
static void agree(struct facts *f)
{
    facts_appended(f, 0, 1, 1, 0, 0, ENTRIES({1, "a"}), 1);
    facts_appended(f, 0, 2, 1, 0, 0, ENTRIES({1, "a"}), 1);
}

static void two_state_machines(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, false, 2, 2, "A");
    facts_apply(f, 0, 2, 2, 0);
    for (unsigned node = 1; node < 3; node++) {
        facts_append(f, node, false, 2, 4, "B");
        facts_apply(f, node, 2, 4, 0);
    }
    char *text = text_of(f, "complete", VERDICT_VIOLATED);
    assert_string_equal(text,
        "VERDICT    State Machine Safety broken at index 2: s0 applied \"A\" (term 2), s1 and s2 applied \"B\" (term 4)\n"
        "CAUSE      unknown: no break of a rule was seen on which this depends\n"
        "EVENTS     s0@2         \"A\" (term 2): it states that it applied it\n"
        "           s1@2         \"B\" (term 4): it states that it applied it\n"
        "           s2@2         \"B\" (term 4): it states that it applied it\n"
        "LOGS          index  s0                  s1                  s2\n"
        "           >      2  2 \"A\" a             4 \"B\" a             4 \"B\" a\n"
        "              term and entry at that moment; c committed, a applied, . not there or not known\n"
        "REPRODUCE  drd replay 7f3a9c1 --node s0 --until s0@2 --gdb\n"
        "SAME BUG   fingerprint 3:6492a3-T00\n");
    free(text);
}

static void each_property_has_its_words(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 4, 2, "a");
    facts_append(f, 1, true, 4, 2, "b");
    assert_says(f, "", VERDICT_VIOLATED, "Log Matching broken at index 4: s0 held \"a\" (term 2), s1 held \"b\" (term 2)\n");
    facts_state(f, 2, RAFT_FACT_TERM, 0, 9);
    facts_state(f, 2, RAFT_FACT_TERM, 0, 8);
    assert_says(f, "", VERDICT_VIOLATED, "ALSO       current term went back on s2: from 9 to 8\n");
    facts_state(f, 2, RAFT_FACT_COMMIT, 7, 0);
    facts_state(f, 2, RAFT_FACT_COMMIT, 6, 0);
    assert_says(f, "", VERDICT_VIOLATED, "commit index went back on s2: from 7 to 6\n");
    facts_sent(f, 0, 2, 11, 0, 0, HEARTBEAT, 0);
    facts_sent(f, 1, 2, 11, 0, 0, HEARTBEAT, 0);
    assert_says(f, "", VERDICT_VIOLATED, "VERDICT    Election Safety broken in term 11: s0 and s1 led it\n");
    facts_sent(f, 0, 2, 12, 0, 0, ENTRIES({12, "x"}), 0);
    facts_sent(f, 0, 2, 12, 0, 0, ENTRIES({12, "y"}), 0);
    assert_says(f, "", VERDICT_VIOLATED,
                "Leader Append-Only broken at index 1: s0, leader of term 12, replaced \"x\" (term 12) by \"y\" (term 12)\n");
}

static void node_against_its_earlier_life(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 1, 1, "a");
    facts_state(f, 0, RAFT_FACT_COMMIT, 1, 0);
    facts_restart(f, 0);
    facts_append(f, 0, true, 1, 2, "b");
    facts_state(f, 0, RAFT_FACT_COMMIT, 1, 0);
    assert_says(f, "", VERDICT_VIOLATED, "s0 (incarnation 1) committed \"a\" (term 1), s0 (incarnation 2) committed \"b\" (term 2)");
}

/* Both lives committed the one. */
static void node_of_two_lives_on_one_side(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 1, 1, "a");
    facts_state(f, 0, RAFT_FACT_COMMIT, 1, 0);
    facts_append(f, 1, true, 1, 2, "b");
    facts_state(f, 1, RAFT_FACT_COMMIT, 1, 0);
    facts_restart(f, 0);
    facts_append(f, 0, true, 1, 1, "a");
    facts_state(f, 0, RAFT_FACT_COMMIT, 1, 0);
    assert_says(f, "", VERDICT_VIOLATED,
                "s0 (incarnation 1) and s0 (incarnation 2) committed \"a\" (term 1), s1 committed \"b\" (term 2)");
}

static void nothing_broke(void **state)
{
    agree(*state);
    assert_says(*state, "complete", VERDICT_NONE, "VERDICT    none found: no property of Raft was broken\n"
                                                  "CHECKED    3 nodes (s0, s1, s2), 1 term, 8 Raft messages\n");
}

static void what_was_not_seen(void **state)
{
    struct facts *f = *state;
    assert_says(f, "complete", VERDICT_UNKNOWN, "no Raft in this run");
    facts_append(f, 0, true, 1, 1, "a");
    assert_says(f, "complete", VERDICT_UNKNOWN, "s0 is the only node of which anything is known");
    agree(f);
    assert_says(f, "incomplete", VERDICT_UNKNOWN, "the run is incomplete");
    facts_received(f, 7, 1, 1, 0, 0, HEARTBEAT, 0);
    assert_says(f, "complete", VERDICT_UNKNOWN, "the node with id \"7\" is not recorded");
}

static void process_not_recorded_to_its_end(void **state)
{
    struct facts *f = *state;
    raft_model_process(f->model, 2, "s1", 1, 0, 0, false);
    agree(f);
    assert_says(f, "complete", VERDICT_UNKNOWN, "s1 is not recorded to its end");
}

static void two_clusters_in_doubt(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, false, 1, 1, "a");
    facts_apply(f, 0, 1, 1, 0);
    facts_append(f, 1, false, 1, 1, "b");
    facts_apply(f, 1, 1, 1, 0);
    struct raft_fact id = {.kind = RAFT_FACT_NODE, .process = 1, .peer = "1"};
    raft_model_step(f->model, &id);
    id.process = 2;
    raft_model_step(f->model, &id);
    assert_says(f, "complete", VERDICT_UNKNOWN, "unknown; if all these nodes are one cluster: State Machine Safety broken");
}

static void hostile_text_is_escaped(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 4, 2, "\033[31m\n");
    facts_append(f, 1, true, 4, 2, "b");
    char *text = text_of(f, "", VERDICT_VIOLATED);
    assert_null(strchr(text, '\033'));
    free(text);
}

/* In the chain too, and in the words of a broken rule. */
static void hostile_chain_is_escaped(void **state)
{
    struct facts *f = *state;
    facts_role(f, 0, 2, DRD_LEADER);
    facts_append(f, 0, true, 4, 2, "\033[31m\n");
    facts_append(f, 0, true, 5, 2, "a");
    facts_state(f, 0, RAFT_FACT_TRUNCATE, 3, 0);
    facts_append(f, 0, true, 4, 2, "\033b");
    char *text = text_of(f, "", VERDICT_VIOLATED);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "\nCHAIN "));
    assert_non_null(strstr(strstr(text, "\nCHAIN "), "\\x1b"));
    free(text);
}

/* The verdict as JSON, read back. */
static json_t *json_of(const struct facts *f)
{
    struct verdict v;
    struct json_writer j;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    verdict_init(&v, f->model, NULL, 0, "complete");
    jw_init(&j, out);
    verdict_json(&v, "run", &j);
    fclose(out);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void json_is_json(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 4, 2, "\"a\"");
    facts_append(f, 1, true, 4, 2, "b");
    json_t *root = json_of(f), *verdict = json_object_get(root, "verdict");
    assert_string_equal(json_string_value(json_object_get(verdict, "status")), "violated");
    assert_string_equal(json_string_value(json_object_get(verdict, "property")), "Log Matching");
    assert_int_equal(json_integer_value(json_object_get(verdict, "index")), 4);
    assert_int_equal(json_array_size(json_object_get(verdict, "events")), 2);
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "cause"), "certainty")), "unknown");
    json_decref(root);
}

/* A double holds 2^53 and not the number after it: that is a string, wherever it stands. */
static void large_numbers_are_strings(void **state)
{
    struct facts *f = *state;
    const uint64_t exact = UINT64_C(1) << 53;
    facts_append(f, 0, true, exact + 1, exact, "a");
    facts_append(f, 1, true, exact + 1, exact, "b");
    json_t *root = json_of(f), *verdict = json_object_get(root, "verdict");
    const json_t *entry = json_array_get(json_object_get(verdict, "entries"), 0);
    assert_string_equal(json_string_value(json_object_get(verdict, "index")), "9007199254740993");
    assert_string_equal(json_string_value(json_object_get(entry, "index")), "9007199254740993");
    assert_int_equal(json_integer_value(json_object_get(entry, "term")), exact);
    json_decref(root);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_state_machines), T(each_property_has_its_words), T(node_against_its_earlier_life),
        T(node_of_two_lives_on_one_side), T(nothing_broke),
        T(what_was_not_seen), T(process_not_recorded_to_its_end), T(two_clusters_in_doubt), T(hostile_text_is_escaped),
        T(hostile_chain_is_escaped),
        T(json_is_json), T(large_numbers_are_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
