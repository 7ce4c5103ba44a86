/* Plans: what is read is what is written, and what is wrong is named with its line and word. */
#include "simulate/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "simulate/fault_words.h"

static void reads_and_writes(void **state)
{
    static const char text[] = "at 1.250000000 cut n1 n2\n"
                               "event 12@4711 timer +50000000\n"
                               "event 12@4711 timer -50000000\n"
                               "event 12@4711 draw 7\n"
                               "event 12@4711 drop\n"
                               "event 4294967295@18446744073709551615 delay 10000000\n"
                               "event 12@4711 fail 5\n"
                               "event 12@4711 crash\n"
                               "event 12@4711 clock 1700000000000000001\n"
                               "event 12@4711 read 736974650a\n"
                               "event 12@4711 read\n"
                               "event 12@4711 fresh 77\n"
                               "event 12@4711 after 7@300\n"
                               "fresh 2.500000000 18446744073709551615\n"
                               "at 0.000000001 disk n1 slow 20\n"
                               "strike 2.500000000 78\n"
                               "strike 2.600000000 79 n1\n"
                               "rest 1.500000000 1.900000000 12\n"
                               "calm 0.500000000 1.200000000\n"
                               "end 3.250000000\n";
    uint8_t bytes[100];
    struct plan p;
    struct drd_error e = {0};
    (void)state;
    assert_true(plan_read(&p, text, &e));
    assert_int_equal(p.count, 20);
    assert_int_equal(p.step[0].at, 1250000000);
    assert_int_equal(p.step[2].value, -50000000);
    assert_true(p.step[8].kind == PLAN_CLOCK && p.step[8].value == 1700000000000000001);
    assert_true(plan_bytes(&p.step[9], bytes) == 5 && !memcmp(bytes, "site\n", 5));
    assert_int_equal(plan_bytes(&p.step[10], bytes), 0);
    assert_true(p.step[11].kind == PLAN_FRESH && p.step[11].process == 12 && p.step[11].value == 77 && !plan_at_moment(&p.step[11]));
    assert_true(p.step[12].kind == PLAN_AFTER && p.step[12].process == 12 && p.step[12].event == 4711 && !plan_at_moment(&p.step[12]));
    assert_true(p.step[12].other == 7 && p.step[12].value == 300);
    assert_true(plan_at_moment(&p.step[13]) && (uint64_t)p.step[13].value == UINT64_MAX);
    char *again = plan_text(&p);
    assert_string_equal(again, text);
    free(again);
    plan_fini(&p);
}

static void is_lenient_about_form(void **state)
{
    struct plan p;
    struct drd_error e = {0};
    (void)state;
    assert_true(plan_read(&p, "# why\n\n   at  2.5\theal  \r\n\nfresh 3 7", &e));
    assert_int_equal(p.count, 2);
    assert_string_equal(p.step[0].words, "heal");
    assert_int_equal(p.step[1].at, 3000000000);
    plan_fini(&p);
    assert_true(plan_read(&p, "", &e));
    assert_int_equal(p.count, 0);
}

static void names_what_is_wrong(void **state)
{
    static const char *const bad[][2] = {
        {"at 1 cut n1\nwhen 2 heal", "line 2: when: not a step of a plan; at, event, fresh, strike, rest, calm and end are"},
        {"at soon heal", "line 1: soon: not a moment in seconds"},
        {"at 1.2.3 heal", "line 1: 1.2.3: not a moment in seconds"},
        {"at 99999999999999999999 heal", "line 1: 99999999999999999999: not a moment in seconds"},
        {"at 1", "line 1: a fault has a name; cut, heal, kill, crash, restart, pause, resume and others are"},
        {"at 1 kill", "line 1: kill: takes the name of a node"},
        {"at 1 reset n1", "line 1: reset: takes the names of two nodes"},
        {"at 1 reset n1 n2 n3", "line 1: n3: one word too many"},
        {"at 1 skew n1", "line 1: skew takes a node and a time such as +50ms"},
        {"at 1 skew n1 soon", "line 1: soon: not a time"},
        {"at 1 disk n1 gone", "line 1: gone: not what a disk can be; slow MS, fail ERRNO, full, lie and well are"},
        {"at 1 disk n1 fail EWHAT", "line 1: EWHAT: not the name of an error; EIO is one"},
        {"at 1 disk n1 slow", "line 1: slow: takes one value"},
        {"at 1 lose 101", "line 1: 101: not a share in percent"},
        {"event n1@3 drop", "line 1: n1@3: not an event, PROCESS@NUMBER"},
        {"event 1@-3 drop", "line 1: 1@-3: not an event, PROCESS@NUMBER"},
        {"event 4294967296@3 drop", "line 1: 4294967296@3: not an event, PROCESS@NUMBER"},
        {"event 1@3", "line 1: (nothing): not a change; timer, draw, drop, delay, fail, crash, clock, read, after and fresh are"},
        {"event 1@3 after", "line 1: (nothing): not an event, PROCESS@NUMBER"},
        {"event 1@3 after 5", "line 1: 5: not an event, PROCESS@NUMBER"},
        {"event 1@3 after 5@6 7", "line 1: 7: not expected here: the step is complete"},
        {"event 1@3 timer", "line 1: (nothing): not a number"},
        {"event 1@3 timer 5ms", "line 1: 5ms: not a number"},
        {"event 1@3 fail 0", "line 1: 0: not the number of an error"},
        {"event 1@3 read 7", "line 1: 7: not up to 99 bytes in hexadecimal digits"},
        {"event 1@3 read xy", "line 1: xy: not up to 99 bytes in hexadecimal digits"},
        {"event 1@3 drop it", "line 1: it: not expected here: the step is complete"},
        {"fresh 1", "line 1: (nothing): not a seed"},
        {"strike 1", "line 1: (nothing): not a seed"},
        {"strike soon 1", "line 1: soon: not a moment in seconds"},
        {"fresh 1 2 n1", "line 1: n1: not expected here: the step is complete"},
        {"strike 1 2 n1 n2", "line 1: n2: not expected here: the step is complete"},
        {"rest 1.5 1.4 3", "line 1: 1.4: not a later moment in seconds"},
        {"rest 1.5", "line 1: (nothing): not a later moment in seconds"},
        {"rest 1.5 2 0", "line 1: 0: not the number of a process"},
        {"rest 1.5 2 n1", "line 1: n1: not the number of a process"},
        {"calm 2 1", "line 1: 1: not a later moment in seconds"},
        {"calm 1 2 3", "line 1: 3: not expected here: the step is complete"},
        {"end", "line 1: (nothing): not a moment in seconds"},
        {"end 3 4", "line 1: 4: not expected here: the step is complete"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct plan p;
        struct drd_error e = {0};
        assert_false(plan_read(&p, bad[i][0], &e));
        assert_string_equal(e.message, bad[i][1]);
        assert_int_equal(e.exit_code, DRD_EXIT_USAGE);
        assert_null(p.step);
    }
}

static void reads_times_and_errors(void **state)
{
    int64_t ns;
    (void)state;
    assert_true(fault_duration("+50ms", &ns) && ns == 50000000);
    assert_true(fault_duration("-2s", &ns) && ns == -2000000000);
    assert_true(fault_duration("1.5", &ns) && ns == 1500000);
    assert_true(fault_duration("10us", &ns) && ns == 10000);
    assert_false(fault_duration("nan", &ns));
    assert_false(fault_duration("1e300s", &ns));
    assert_false(fault_duration("5 ms", &ns));
    assert_int_equal(fault_errno("EIO"), 5);
    assert_int_equal(fault_errno("28"), 28);
    assert_int_equal(fault_errno("EI"), 0);
    assert_int_equal(fault_errno("-5"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(is_lenient_about_form),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(reads_times_and_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
