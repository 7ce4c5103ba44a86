#include "store/refs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"

static char scratch[PATH_MAX];

static int enter(void **state)
{
    (void)state;
    unsetenv("DRD_STORE");
    scratch_enter(scratch, sizeof scratch);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    scratch_leave(scratch);
    return 0;
}

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* Three runs, oldest first. */
static void make_runs(void)
{
    assert_int_equal(mkdir(".drd", 0700), 0);
    assert_int_equal(mkdir(".drd/runs", 0700), 0);
    make_file(".drd/runs/20260101T000000000-7f30001.drd");
    make_file(".drd/runs/20260102T000000000-12bcdef.drd");
    make_file(".drd/runs/20260103T000000000-7f3abcd.drd");
    make_file(".drd/runs/unrelated.txt");
}

static void resolves(const char *reference, const char *end)
{
    char path[PATH_MAX];
    struct drd_error e = { 0 };
    if (!refs_resolve(reference, path, &e))
        fail_msg("%s: %s", reference, e.message);
    assert_true(strlen(path) >= strlen(end));
    assert_string_equal(path + strlen(path) - strlen(end), end);
}

static void refuses(const char *reference, const char *message)
{
    char path[PATH_MAX];
    struct drd_error e = { 0 };
    assert_false(refs_resolve(reference, path, &e));
    assert_int_equal(e.exit_code, DRD_EXIT_FATAL);
    assert_string_equal(e.message, message);
}

static void finds_runs(void **state)
{
    (void)state;
    make_runs();
    resolves("@", "-7f3abcd.drd");
    resolves("@~1", "-12bcdef.drd");
    resolves("@~", "-12bcdef.drd");
    resolves("@~2", "-7f30001.drd");
    resolves("1", "-12bcdef.drd");
    resolves("7f30", "-7f30001.drd");
    resolves(".drd/runs/20260102T000000000-12bcdef.drd", "-12bcdef.drd");
    make_file("12");
    resolves("12", "12"); /* a file of that name wins */
    assert_int_equal(mkdir("deep", 0700), 0);
    assert_int_equal(chdir("deep"), 0);
    resolves("@", "-7f3abcd.drd");
}

static void refuses_what_is_not_there(void **state)
{
    (void)state;
    refuses("@", "no such run: @ (no run was recorded here; 'drd record -- COMMAND' makes one)");
    make_runs();
    refuses("@~3", "no such run: @~3 (there are only 3 here)");
    refuses("@x", "no such run: @x (the latest is @, the one before @~1)");
    refuses("7f3", "ambiguous run: 7f3 may be 7f3abcd or 7f30001");
    refuses("beef", "no such run: beef (neither a file nor the beginning of a run's id)");
    refuses("nosuch.drd", "no such run: nosuch.drd: No such file or directory");
    refuses(".drd", "not a DRD run: .drd is not a regular file");
}

static void makes_new_names(void **state)
{
    (void)state;
    struct refs_entry one, two;
    struct drd_error e = { 0 };
    assert_true(refs_new(&one, &e));
    make_file(one.path);
    usleep(2000);
    assert_true(refs_new(&two, &e));
    make_file(two.path);
    assert_int_equal(strlen(one.id), REFS_ID);
    assert_true(strcmp(one.path, two.path) < 0);
    resolves("@", strrchr(two.path, '/'));
    resolves(one.id, strrchr(one.path, '/'));
    char id[REFS_ID + 1];
    assert_string_equal(refs_name(one.path, id), one.id);
    assert_string_equal(refs_name("some/file.drd", id), "some/file.drd");
}

static void honours_drd_store(void **state)
{
    (void)state;
    make_runs();
    setenv("DRD_STORE", "elsewhere", 1);
    struct refs_entry r;
    struct drd_error e = { 0 };
    assert_true(refs_new(&r, &e));
    assert_non_null(strstr(r.path, "/elsewhere/runs/"));
    make_file(r.path);
    resolves("@", strrchr(r.path, '/'));
    unsetenv("DRD_STORE");
}

static void splits(const char *text, const char *run, const char *event)
{
    char r[PATH_MAX], v[PATH_MAX];
    struct drd_error e = { 0 };
    assert_true(refs_split(text, r, v, &e));
    assert_string_equal(r, run);
    assert_string_equal(v, event);
}

static void splits_events_off(void **state)
{
    (void)state;
    splits("a.drd", "a.drd", "");
    splits("a.drd@n2@4711", "a.drd", "n2@4711");
    splits("@", "@", "");
    splits("@~1", "@~1", "");
    splits("@~1@n2@4711", "@~1", "n2@4711");
    splits("@@n2@4711", "@", "n2@4711");
    splits("@n2@4711", "@", "n2@4711");
    splits("n2@4711", "@", "n2@4711");
    splits("server#2@1", "@", "server#2@1");
    splits("dir@x/a.drd", "dir@x/a.drd", "");
    splits("7f3@n2", "7f3@n2", "");
    make_file("odd@7");
    splits("odd@7", "odd@7", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_runs), TEST(refuses_what_is_not_there), TEST(makes_new_names),
        TEST(honours_drd_store), TEST(splits_events_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
