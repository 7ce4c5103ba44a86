/* Which programs are started for the processes that are wanted. */
#include "replay/plan.h"

#include <stdlib.h>

#include "lib/check.h"

/* 1 forks 2, 2 forks 4; 3 is 2 after exec, started by itself; 5 was forked by 3. */
static const struct store_process family[] = {
    { .number = 1 },
    { .number = 2, .parent = 1, .forked = true },
    { .number = 3, .parent = 2, .same_pid = true },
    { .number = 4, .parent = 2, .forked = true },
    { .number = 5, .parent = 3, .forked = true },
};
#define COUNT (sizeof family / sizeof *family)

static void plan(struct replay_plan *p, const bool *wanted)
{
    struct drd_error e = { 0 };
    assert_true(replay_plan_make(p, family, COUNT, wanted, &e));
}

static void all_of_them(void **state)
{
    (void)state;
    struct replay_plan p;
    plan(&p, (const bool[]){ true, true, true, true, true });
    assert_int_equal(p.groups, 2);
    assert_int_equal(p.group[0].members, 3);
    assert_int_equal(p.group[0].member[0], 0);
    assert_int_equal(p.group[0].member[1], 1);
    assert_int_equal(p.group[0].member[2], 3);
    assert_int_equal(p.group[1].members, 2);
    assert_int_equal(p.group[1].member[0], 2);
    assert_int_equal(p.group[1].member[1], 4);
    replay_plan_fini(&p);
}

static void a_grandchild_brings_its_line(void **state)
{
    (void)state;
    struct replay_plan p;
    plan(&p, (const bool[]){ false, false, false, true, false });
    assert_int_equal(p.groups, 1);
    assert_int_equal(p.group[0].members, 3);
    assert_true(p.needed[0] && p.needed[1] && p.needed[3]);
    assert_false(p.needed[2] || p.needed[4]);
    replay_plan_fini(&p);
}

static void a_program_does_not_bring_its_children(void **state)
{
    (void)state;
    struct replay_plan p;
    plan(&p, (const bool[]){ true, false, false, false, false });
    assert_int_equal(p.groups, 1);
    assert_int_equal(p.group[0].members, 1);
    replay_plan_fini(&p);
}

static void nobody(void **state)
{
    (void)state;
    struct replay_plan p;
    plan(&p, (const bool[COUNT]){ false });
    assert_int_equal(p.groups, 0);
    replay_plan_fini(&p);
}

static void refused(const struct store_process *processes, size_t count)
{
    struct drd_error e = { 0 };
    struct replay_plan p;
    assert_false(replay_plan_make(&p, processes, count, (const bool[]){ true, true }, &e));
    assert_int_equal(e.exit_code, DRD_EXIT_CANNOT);
}

static void parents_that_cannot_be(void **state)
{
    (void)state;
    const struct store_process orphan[] = { { .number = 7, .parent = 3, .forked = true } };
    const struct store_process circle[] = { { .number = 1, .parent = 2, .forked = true },
                                            { .number = 2, .parent = 1, .forked = true } };
    refused(orphan, 1);
    refused(circle, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_them),           cmocka_unit_test(a_grandchild_brings_its_line),
        cmocka_unit_test(a_program_does_not_bring_its_children), cmocka_unit_test(nobody),
        cmocka_unit_test(parents_that_cannot_be),
    };
    return cmocka_run_group_tests_name("replay_plan", tests, NULL, NULL);
}
