/* Models: what the file says, and what is wrong is named with its line and word. */
#include "simulate/model.h"

#include "lib/check.h"

static void reads(void **state)
{
    struct model m;
    struct drd_error e = {0};
    (void)state;
    assert_true(model_read(&m, "# mine\nfrom = 500ms\nevery 3s # seldom\ncut 0\ncrash 7 4s\nmessages 9\nvary = 0\n", &e));
    assert_true(m.messages == 9 && m.vary == 0);
    assert_true(m.from == 500000000 && m.every == 3000000000 && m.until == model_default.until);
    assert_int_equal(m.kind[MODEL_CUT].weight, 0);
    assert_int_equal(m.kind[MODEL_CUT].lasts, model_default.kind[MODEL_CUT].lasts);
    assert_true(m.kind[MODEL_CRASH].weight == 7 && m.kind[MODEL_CRASH].lasts == 4000000000);
    assert_true(m.network.least == model_default.network.least && m.network.late == 250);
    assert_true(model_read(&m, "delay = 2ms 5ms\nlate = 0.5% 1s\nlose 3 4s\nduplicate 0", &e));
    assert_true(m.network.least == 2000000 && m.network.most == 5000000 && m.network.late == 50 && m.network.later == 1000000000);
    assert_true(m.kind[MODEL_LOSE].weight == 3 && m.kind[MODEL_LOSE].lasts == 4000000000 && !m.kind[MODEL_DUPLICATE].weight);
}

static void names_what_is_wrong(void **state)
{
    static const char *const bad[][2] = {
        {"cut 1\nexplode 3", "line 2: explode: not a word of a model; from, until, every, messages, "
                               "vary, delay, late and the names of faults are"},
        {"from soon", "line 1: soon: not a time such as 2s"},
        {"every 0s", "line 1: 0s: not a time between faults"},
        {"until", "line 1: (nothing): not a time such as 2s"},
        {"cut", "line 1: (nothing): not a weight from 0 to 1000"},
        {"messages", "line 1: (nothing): not a number of messages from 0 to 1000000"},
        {"vary 100", "line 1: 100: not a share in percent from 0 to 99"},
        {"cut -1", "line 1: -1: not a weight from 0 to 1000"},
        {"cut 3 long", "line 1: long: not a time such as 2s"},
        {"cut 3 1s more", "line 1: more: one word too many"},
        {"delay", "line 1: delay takes two times, the least and the most that a message is on its way"},
        {"delay 2ms", "line 1: delay takes two times, the least and the most that a message is on its way"},
        {"delay 2ms 1ms", "line 1: 2ms: not a time, or more than the most"},
        {"delay -1ms 1ms", "line 1: -1ms: not a time, or more than the most"},
        {"delay 1ms 2h", "line 1: 2h: not a time up to an hour"},
        {"late 101 1ms", "line 1: 101: not a share in percent"},
        {"late 1 soon", "line 1: soon: not a time up to an hour"},
        {"late 1 1s x", "line 1: x: one word too many"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct model m;
        struct drd_error e = {0};
        assert_false(model_read(&m, bad[i][0], &e));
        assert_string_equal(e.message, bad[i][1]);
        assert_int_equal(e.exit_code, DRD_EXIT_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(names_what_is_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
