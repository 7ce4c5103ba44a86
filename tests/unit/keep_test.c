/* Limits of drd gc: what they are, and which runs are beyond them. */
#include "store/keep.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"
#include "store/tags.h"

#define DAY 86400

static char scratch[PATH_MAX];

static int leave(void **state)
{
    (void)state;
    scratch_leave(scratch);
    return 0;
}

static void make_run(const char *when, const char *id, off_t bytes)
{
    char path[128];
    snprintf(path, sizeof path, ".drd/runs/%sT000000000-%s.drd", when, id);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, bytes), 0);
    close(fd);
}

/* A run on each of the first five days of 2026, of 1000 bytes each; the third is tagged. It is the sixth, noon. */
static int enter(void **state)
{
    (void)state;
    struct drd_error e = {0};
    unsetenv("DRD_STORE");
    scratch_enter(scratch, sizeof scratch);
    assert_int_equal(mkdir(".drd", 0700), 0);
    assert_int_equal(mkdir(".drd/runs", 0700), 0);
    for (int day = 1; day <= 5; day++) {
        char when[16], id[16];
        snprintf(when, sizeof when, "2026010%d", day);
        snprintf(id, sizeof id, "000000%d", day);
        make_run(when, id, 1000);
    }
    if (!tags_set("third", ".drd/runs/20260103T000000000-0000003.drd", false, &e))
        fail_msg("%s", e.message);
    return 0;
}

/* The days of those that may go. */
static void gone(struct keep_limits limits, const char *days)
{
    struct tm noon = {.tm_year = 126, .tm_mday = 6, .tm_hour = 12};
    struct keep_run *run;
    size_t count;
    struct drd_error e = {0};
    char got[16] = "";
    assert_true(keep_judge(&limits, timegm(&noon), &run, &count, &e));
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(run[i].bytes, 1000);
        assert_int_equal(run[i].age, (i + 1) * DAY + DAY / 2);
        if (run[i].reason == KEEP_GONE)
            strcat(got, run[i].id + 6);
        else
            assert_int_equal(run[i].reason, i == 2 ? KEEP_TAGGED : KEEP_WITHIN);
    }
    free(run);
    assert_string_equal(got, days);
}

static void the_latest_are_kept(void **state)
{
    (void)state;
    gone((struct keep_limits){0}, "");
    gone((struct keep_limits){.runs = 4}, ""); /* the tagged one is the fifth */
    gone((struct keep_limits){.runs = 3}, "1");
    gone((struct keep_limits){.runs = 1}, "421");
    gone((struct keep_limits){.seconds = 3 * DAY}, "21");
    gone((struct keep_limits){.seconds = 1}, "5421");
    gone((struct keep_limits){.bytes = 2000}, "21");
    gone((struct keep_limits){.bytes = 1999}, "421");
    gone((struct keep_limits){.runs = 3, .seconds = 4 * DAY + DAY / 2, .bytes = 4000}, "1");
    gone((struct keep_limits){.runs = 3, .seconds = 2 * DAY, .bytes = 4000}, "421");
}

static void one_that_is_read_is_not_deleted(void **state)
{
    (void)state;
    struct keep_run run = {.path = ".drd/runs/20260101T000000000-0000001.drd"};
    struct drd_error e = {0};
    assert_true(keep_delete(&run, &e));
    assert_int_equal(access(run.path, F_OK), -1);
    assert_false(keep_delete(&run, &e));
    assert_int_equal(e.exit_code, DRD_EXIT_FATAL);
}

static void limits_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0", "-1", "x", "1x", "1dd", "d", " 1", "99999999999999999999", "99999999999999999w"};
    struct keep_limits l = {0};
    struct drd_error e = {0};
    assert_true(keep_parse("12", &l, &e) && l.runs == 12);
    assert_true(keep_parse("12h", &l, &e) && l.seconds == 12 * 3600);
    assert_true(keep_parse("30d", &l, &e) && l.seconds == 30 * DAY);
    assert_true(keep_parse("2w", &l, &e) && l.seconds == 14 * DAY);
    assert_true(keep_parse("500M", &l, &e) && l.bytes == 500u << 20);
    assert_true(l.runs == 12 && l.seconds == 14 * DAY);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (struct drd_error){0};
        assert_false(keep_parse(bad[i], &l, &e));
        assert_int_equal(e.exit_code, DRD_EXIT_USAGE);
    }
}

static void tags_that_may_be_ids_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "7f3", "abcdef0", "0", "-x", ".x", "a/b", "a b", "@", "a@b", "\xc3\xa9"};
    assert_true(tags_name_good("abcdef01") && tags_name_good("nightly") && tags_name_good("v1.2+x_y-z") && tags_name_good("ABC"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(tags_name_good(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_latest_are_kept, enter, leave),
        cmocka_unit_test_setup_teardown(one_that_is_read_is_not_deleted, enter, leave),
        cmocka_unit_test(limits_are_read),
        cmocka_unit_test(tags_that_may_be_ids_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
