/* The state of a cluster as drd bisect hands it to a check: in the words of drd.state/1. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/breaks.h"
#include "report/state.h"

static int setup(void **state)
{
    return breaks_setup(state, 3);
}

static json_t *state_of(struct facts *f, const char *event)
{
    char *text = NULL;
    size_t size;
    struct json_writer j;
    json_error_t error;
    FILE *out = open_memstream(&text, &size);
    jw_init(&j, out);
    state_json(f->model, "run.drd", event, 17, &j);
    fclose(out);
    json_t *root = json_loadb(text, size, 0, &error);
    if (!root)
        fail_msg("%s: %s", error.text, text);
    free(text);
    return root;
}

static json_int_t number(json_t *node, const char *key)
{
    return json_integer_value(json_object_get(node, key));
}

static void a_leader_and_its_log(void **state)
{
    struct facts *f = *state;
    moves_elect(f, 0, 2, 1, 1, "1");
    facts_role(f, 0, 2, 2);
    facts_append(f, 0, true, 2, 2, "a");
    moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_state(f, 0, RAFT_FACT_COMMIT, false, 2, 0);
    json_t *root = state_of(f, "s0@9"), *nodes = json_object_get(root, "nodes"), *s0 = json_array_get(nodes, 0);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "drd.state/1");
    assert_string_equal(json_string_value(json_object_get(root, "event")), "s0@9");
    assert_int_equal(json_array_size(nodes), 3);
    assert_int_equal(json_array_size(json_object_get(root, "violations")), 0);
    assert_string_equal(json_string_value(json_object_get(s0, "role")), "leader");
    assert_int_equal(number(s0, "term"), 2);
    assert_int_equal(number(s0, "commit"), 2);
    assert_int_equal(number(s0, "last"), 2);
    assert_string_equal(json_string_value(json_object_get(s0, "voted_for")), "0");
    json_t *entry = json_array_get(json_object_get(s0, "log"), 1);
    assert_string_equal(json_string_value(json_object_get(entry, "text")), "a");
    assert_true(json_is_true(json_object_get(entry, "committed")));
    assert_true(json_is_true(json_object_get(entry, "durable")));
    assert_int_equal(number(json_array_get(nodes, 2), "last"), 1);
    json_decref(root);
}

static void a_violation_is_named(void **state)
{
    struct facts *f = *state;
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 1, true, 2, 3, "b");
    facts_apply(f, 0, 2, 2, 0);
    facts_apply(f, 1, 2, 3, 0);
    json_t *root = state_of(f, ""), *found = json_object_get(root, "violations");
    assert_true(json_is_null(json_object_get(root, "event")));
    assert_int_equal(json_array_size(found), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(found, 0), "property")), "State Machine Safety");
    assert_int_equal(number(json_array_get(found, 0), "index"), 2);
    json_decref(root);
}

/* Not more than the last of them. */
static void a_long_log_is_cut(void **state)
{
    struct facts *f = *state;
    for (uint64_t i = 2; i <= 1000; i++)
        facts_append(f, 0, true, i, 2, "x");
    json_t *root = state_of(f, ""), *log = json_object_get(json_array_get(json_object_get(root, "nodes"), 0), "log");
    assert_in_range(json_array_size(log), STATE_LOG, STATE_LOG + 1);
    assert_int_equal(number(json_array_get(log, json_array_size(log) - 1), "index"), 1000);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_leader_and_its_log, setup, breaks_teardown),
        cmocka_unit_test_setup_teardown(a_violation_is_named, setup, breaks_teardown),
        cmocka_unit_test_setup_teardown(a_long_log_is_cut, setup, breaks_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
