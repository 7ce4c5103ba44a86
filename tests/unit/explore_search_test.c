/* drd explore: what stands for a group of runs, what ends an exploration, and what is gone on from. */
#include "explore/search.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

#define SECOND 1000000000ull

static struct search_case a_case(uint64_t seed, enum triage_kind kind, const char *fingerprint, const char *run, const char *plan)
{
    struct search_case c = {.number = seed, .seed = seed, .kind = kind, .events = 1000 - seed, .plan = plan ? strdup(plan) : NULL};
    snprintf(c.fingerprint, sizeof c.fingerprint, "%s", fingerprint);
    snprintf(c.run, sizeof c.run, "%s", run);
    return c;
}

static void take(struct search *s, struct search_case c)
{
    assert_true(search_take(s, &c));
}

/* The rule is broken in run after run, and in the twelfth Raft is: that one is kept, told and repeated. */
static void the_worst_stands_for_its_group(void **state)
{
    struct search s = {0};
    char run[8];
    (void)state;
    for (uint64_t i = 1; i <= 11; i++) {
        snprintf(run, sizeof run, "rule%02d", (int)i);
        take(&s, a_case(i, TRIAGE_RULE, "3:aaaaaa-T07", i <= SEARCH_KEPT ? run : "", NULL));
    }
    assert_int_equal(s.groups, 1);
    assert_true(s.group[0].first.seed == 1 && s.group[0].least.seed == 11 && s.group[0].kept == SEARCH_KEPT);
    take(&s, a_case(12, TRIAGE_VIOLATION, "3:aaaaaa-T07", "broken", "fresh 1.000000000 7\n"));
    take(&s, a_case(13, TRIAGE_RULE, "3:aaaaaa-T07", "", NULL));
    const struct search_group *g = &s.group[0];
    assert_true(s.groups == 1 && g->count == 13 && g->kept == SEARCH_KEPT);
    assert_true(g->first.seed == 12 && g->least.seed == 12 && g->first.kind == TRIAGE_VIOLATION);
    assert_string_equal(g->first.plan, "fresh 1.000000000 7\n");
    assert_string_equal(g->run[0], "broken");
    assert_string_equal(g->run[1], "rule01");
    assert_string_equal(g->run[SEARCH_KEPT - 1], "rule07");
    assert_string_equal(g->tag, "explore-aaaaaa-T07");
    search_close(&s);
}

/* Two entries of a correct run, and one from which a committed entry can be lost: this comes first, again and again. */
static void what_is_near_comes_first(void **state)
{
    struct search s = {.next_seed = 1, .options = {.setting = {.plans = true, .faults = true, .strikes = 8 * SECOND}, .runs = 1000}};
    struct explore_feature near[] = {{0x1230 | EXPLORE_DEEP, 2 * SECOND, "n1"}};
    struct explore_feature far[] = {{0x4560, SECOND, "n2"}, {0x7890, EXPLORE_LATE, ""}};
    const struct search_case one = {.seed = 41, .fresh = far, .fresh_count = 2}, two = {.seed = 42, .fresh = near, .fresh_count = 1};
    size_t continued = 0, deep = 0, struck = 0, named = 0;
    (void)state;
    assert_true(search_is_new(&s, far[0].hash) && search_is_new(&s, near[0].hash) && !search_is_new(&s, near[0].hash));
    assert_true(search_learn(&s, &one) && search_learn(&s, &two));
    for (int i = 0; i < 60; i++) {
        struct explore_try t;
        char *plan;
        assert_true(search_next(&s, &t, &plan));
        continued += plan != NULL;
        deep += plan && t.seed == 42;
        struck += plan && strstr(plan, "strike ");
        named += plan && strstr(plan, " n1\n");
        free(plan);
    }
    assert_int_equal(continued, 30);
    assert_true(deep > 25 && struck > 15 && struck < 30 && named > 5 && named < struck);
    search_close(&s);
}

/* After the last moment of the model nobody is struck: what waits for all to be alike would wait for ever. */
static void nobody_is_struck_late(void **state)
{
    struct search s = {.next_seed = 1, .options = {.setting = {.plans = true, .faults = true, .strikes = 8 * SECOND}, .runs = 1000}};
    struct explore_feature late[] = {{0x1230 | EXPLORE_DEEP, 8 * SECOND, "n1"}};
    const struct search_case one = {.seed = 41, .plan = (char *)(uintptr_t)"fresh 1.000000000 5\n", .fresh = late, .fresh_count = 1};
    (void)state;
    assert_true(search_is_new(&s, late[0].hash) && search_learn(&s, &one));
    for (int i = 0; i < 40; i++) {
        struct explore_try t;
        char *plan;
        assert_true(search_next(&s, &t, &plan));
        assert_true(!plan || (!strstr(plan, "strike") && !strncmp(plan, one.plan, strlen(one.plan)) && strstr(plan, "\nfresh 8.0")));
        free(plan);
    }
    search_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_worst_stands_for_its_group), cmocka_unit_test(what_is_near_comes_first),
                                       cmocka_unit_test(nobody_is_struck_late)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
