/* Delta debugging with an oracle that knows what is needed: minimal sets, oracles that are not monotone, elements that are no use
 * without others, and what it costs. */
#include "explore/ddmin.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

#define MOST 400

struct oracle {
    size_t count;
    bool (*fails)(const struct oracle *o, const bool *kept);
    bool needed[MOST];
    size_t asked, stop_after;
};

static size_t ask(void *context, const bool *kept, size_t candidates)
{
    struct oracle *o = context;
    for (size_t i = 0; i < candidates; i++) {
        const bool *one = kept + i * o->count;
        o->asked++;
        if (o->fails(o, one))
            return i;
    }
    return candidates;
}

static bool enough(void *context)
{
    const struct oracle *o = context;
    return o->stop_after && o->asked >= o->stop_after;
}

static size_t run(struct oracle *o, bool *kept)
{
    struct ddmin d = {kept, o->count, ask, enough, o};
    size_t left = 0;
    assert_true(ddmin_run(&d));
    for (size_t i = 0; i < o->count; i++)
        left += kept[i];
    return left;
}

static bool all_needed(const struct oracle *o, const bool *kept)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->needed[i] && !kept[i])
            return false;
    return true;
}

static void finds_exactly_what_is_needed(void **state)
{
    (void)state;
    srand(1);
    for (size_t round = 0; round < 300; round++) {
        struct oracle o = {.count = 1 + (size_t)rand() % 60, .fails = all_needed};
        bool kept[MOST];
        for (size_t i = 0; i < o.count; i++) {
            o.needed[i] = rand() % 8 == 0;
            kept[i] = true;
        }
        run(&o, kept);
        assert_memory_equal(kept, o.needed, o.count);
    }
}

static void nothing_needed_is_one_question(void **state)
{
    struct oracle o = {.count = 200, .fails = all_needed};
    bool kept[MOST];
    (void)state;
    memset(kept, true, sizeof kept);
    assert_int_equal(run(&o, kept), 0);
    assert_int_equal(o.asked, 1);
}

/* One of many: about two questions for each time that the rest is halved. */
static void one_needed_is_found_fast(void **state)
{
    (void)state;
    for (size_t at = 0; at < 256; at++) {
        struct oracle o = {.count = 256, .fails = all_needed};
        bool kept[MOST];
        memset(kept, true, sizeof kept);
        o.needed[at] = true;
        assert_int_equal(run(&o, kept), 1);
        assert_true(kept[at]);
        assert_true(o.asked <= 2 * 9 + 2);
    }
}

/* What was out before stays out. */
static void does_not_bring_back(void **state)
{
    struct oracle o = {.count = 40, .fails = all_needed};
    bool kept[MOST];
    (void)state;
    for (size_t i = 0; i < o.count; i++) {
        kept[i] = i % 2 == 0;
        o.needed[i] = i == 6 || i == 30;
    }
    assert_int_equal(run(&o, kept), 2);
    assert_true(kept[6] && kept[30]);
}

/* An even number fails: not monotone. What is left fails, and no single element of it can go. */
static bool even(const struct oracle *o, const bool *kept)
{
    size_t n = 0;
    for (size_t i = 0; i < o->count; i++)
        n += kept[i];
    return n % 2 == 0 && kept[3] && kept[11];
}

/* A heal is of use only behind its cut (element i and i + 1): without it, it changes nothing; the cut alone hides the failure. */
static bool pairs(const struct oracle *o, const bool *kept)
{
    for (size_t i = 0; i + 1 < o->count; i += 2)
        if (kept[i] && !kept[i + 1])
            return false;
    return kept[8];
}

/* Any two of three do. */
static bool majority(const struct oracle *o, const bool *kept)
{
    (void)o;
    return kept[5] + kept[17] + kept[23] >= 2;
}

static bool by_chance(const struct oracle *o, const bool *kept)
{
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < o->count; i++)
        hash = (hash ^ kept[i]) * 16777619u;
    return hash % 3 == 0;
}

static void no_single_element_can_go(void **state)
{
    static bool (*const oracle[])(const struct oracle *, const bool *) = {even, pairs, majority, by_chance};
    (void)state;
    for (size_t k = 0; k < sizeof oracle / sizeof *oracle; k++) {
        struct oracle o = {.count = 30, .fails = oracle[k]};
        bool kept[MOST];
        memset(kept, true, sizeof kept);
        size_t left = run(&o, kept);
        assert_true(left == 30 || o.fails(&o, kept)); /* never a set that was not seen to fail */
        for (size_t i = 0; i < o.count; i++) {
            if (!kept[i])
                continue;
            kept[i] = false;
            assert_false(o.fails(&o, kept));
            kept[i] = true;
        }
    }
}

static void stops_with_what_was_reached(void **state)
{
    (void)state;
    for (size_t most = 1; most < 40; most++) {
        struct oracle o = {.count = 100, .fails = all_needed, .stop_after = most};
        bool kept[MOST];
        memset(kept, true, sizeof kept);
        o.needed[20] = o.needed[70] = true;
        run(&o, kept);
        assert_true(all_needed(&o, kept));
        assert_true(o.asked <= most + DDMIN_CANDIDATES);
    }
}

static void takes_many_elements(void **state)
{
    struct oracle o = {.count = MOST, .fails = all_needed}; /* all are needed: each is asked about alone */
    bool kept[MOST];
    (void)state;
    memset(kept, true, sizeof kept);
    memset(o.needed, true, sizeof o.needed);
    assert_int_equal(run(&o, kept), MOST);
    assert_true(o.asked < 3 * MOST);
    o = (struct oracle){.count = 0, .fails = all_needed};
    assert_int_equal(run(&o, kept), 0);
    assert_int_equal(o.asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_exactly_what_is_needed), cmocka_unit_test(nothing_needed_is_one_question),
        cmocka_unit_test(one_needed_is_found_fast),     cmocka_unit_test(does_not_bring_back),
        cmocka_unit_test(no_single_element_can_go),     cmocka_unit_test(stops_with_what_was_reached),
        cmocka_unit_test(takes_many_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
