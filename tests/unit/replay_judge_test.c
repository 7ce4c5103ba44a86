/* From what the shim left in its header, and how the process ended, to an outcome. */
#include <signal.h>
#include <string.h>

#include "replay/replay.h"

#include "lib/check.h"

static const struct store_process process = { .number = 1, .events = 100, .complete = true, .status = 0 };

static struct replay_result judge(const struct store_process *p, struct replay_file file, int wait_status, bool hung)
{
    struct replay_result out;
    replay_judge(&out, p, &file, wait_status, hung);
    return out;
}

static void what_the_shim_says_counts(void **state)
{
    (void)state;
    struct replay_file file = { .state = REPLAY_FINISHED, .events = 100 };
    assert_int_equal(judge(&process, file, SIGKILL, false).outcome, REPLAY_IDENTICAL);
    file.state = REPLAY_STOPPED;
    assert_int_equal(judge(&process, file, 0, false).outcome, REPLAY_AT_EVENT);
    file.state = REPLAY_FAILED;
    assert_int_equal(judge(&process, file, 0, false).outcome, REPLAY_IMPOSSIBLE);
}

static void a_difference_is_told(void **state)
{
    (void)state;
    struct replay_file file = { .state = REPLAY_DIVERGED, .events = 42, .thread = 3, .argument = 1, .offset = 7 };
    strcpy(file.expected, "\"a\"");
    memset(file.got, 'x', sizeof file.got); /* a process gone wild need not end its strings */
    struct replay_result r = judge(&process, file, 0, false);
    assert_int_equal(r.outcome, REPLAY_DIFFERS);
    assert_int_equal(r.events, 42);
    assert_int_equal(r.thread, 3);
    assert_int_equal(r.offset, 7);
    assert_string_equal(r.expected, "\"a\"");
    assert_int_equal(strlen(r.got), sizeof r.got - 1);
}

static void ends_in_the_middle(void **state)
{
    (void)state;
    struct replay_file file = { .state = REPLAY_RUNNING, .events = 99 };
    assert_int_equal(judge(&process, file, SIGSEGV, false).outcome, REPLAY_DIED);
    assert_int_equal(judge(&process, file, SIGKILL, true).outcome, REPLAY_HUNG);
}

static void a_recorded_crash_is_no_difference(void **state)
{
    (void)state;
    struct store_process crashed = process;
    crashed.status = SIGSEGV | 0x80; /* with a core dump; ours has none */
    struct replay_file file = { .state = REPLAY_RUNNING, .events = 100 };
    assert_int_equal(judge(&crashed, file, SIGSEGV, false).outcome, REPLAY_IDENTICAL);
    assert_int_equal(judge(&crashed, file, SIGABRT, false).outcome, REPLAY_DIED);
}

static void never_started(void **state)
{
    (void)state;
    struct store_process forked = process;
    forked.forked = true;
    struct replay_file file = { .state = REPLAY_WAITING };
    assert_int_equal(judge(&process, file, 127 << 8, false).outcome, REPLAY_IMPOSSIBLE);
    assert_int_not_equal(judge(&process, file, 127 << 8, false).what[0], 0);
    assert_int_equal(judge(&forked, file, -1, false).outcome, REPLAY_NOT_BORN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_shim_says_counts), cmocka_unit_test(a_difference_is_told),
        cmocka_unit_test(ends_in_the_middle), cmocka_unit_test(a_recorded_crash_is_no_difference),
        cmocka_unit_test(never_started),
    };
    return cmocka_run_group_tests_name("replay_judge", tests, NULL, NULL);
}
