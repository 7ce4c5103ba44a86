/* A program is started with exactly the recorded words and descriptors, and a script without the words of its first line. */
#include "replay/launch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "replay/stage.h"

static char directory[256];

static int enter(void **state)
{
    (void)state;
    scratch_enter(directory, sizeof directory);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    scratch_leave(directory);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(path, 0700);
}

/* Run a shell line as the program; its wait status. */
static int shell(const char *line)
{
    char *argv[] = { "name as recorded", "-c", (char *)line, NULL }, *env[] = { "A=b c", NULL };
    struct manifest m = { .exe = "/bin/sh", .program = "/bin/sh", .cwd = "/", .argv = argv, .env = env,
                          .stack_limit = 4 << 20 };
    struct launch l = { .manifest = &m, .stream = "stream", .errors = "errors" };
    struct drd_error e = { 0 };
    pid_t pid;
    int status = -1;
    write_file("stream", "the stream");
    assert_true(launch_program(&l, &pid, &e));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void as_recorded(void **state)
{
    (void)state;
    assert_int_equal(shell("test \"$A\" = 'b c' && test \"$0\" = 'name as recorded'"), 0);
    assert_int_equal(shell("test \"$(ulimit -Ss)\" = 4096"), 0);
    assert_int_equal(shell("test \"$(cat /proc/self/fd/1000)\" = 'the stream'"), 0);
    assert_int_equal(shell("for f in 3 4 5 6 7 8 9; do test ! -e /proc/$$/fd/$f || exit 1; done"), 0);
    assert_int_equal(shell("grep -q 'SigBlk:.0*$' /proc/self/status && exit 7"), 7 << 8);
}

static void stderr_is_kept(void **state)
{
    (void)state;
    shell("echo what the loader says >&2");
    char *text = file_text("errors");
    assert_string_equal(text, "what the loader says\n");
    free(text);
}

static void failures_have_words(void **state)
{
    (void)state;
    char *argv[] = { "x", NULL }, *env[] = { NULL };
    struct manifest m = { .exe = "/nonexistent/server", .program = "", .cwd = "/", .argv = argv, .env = env };
    struct launch l = { .manifest = &m, .stream = "stream", .errors = "errors" };
    struct drd_error e = { 0 };
    pid_t pid;
    write_file("stream", "");
    assert_false(launch_program(&l, &pid, &e));
    assert_int_equal(e.exit_code, DRD_EXIT_CANNOT);
    assert_string_equal(e.message, "cannot start /nonexistent/server: No such file or directory");
}

static void scripts(void **state)
{
    (void)state;
    char *plain[] = { "/bin/sh", "./plain", "one", NULL }, *option[] = { "/bin/sh", "-e", "./option", "one", NULL };
    char *direct[] = { "sh", "-c", "true", NULL };
    struct manifest m = { .exe = "./plain", .argv = plain };
    write_file("plain", "#!/bin/sh\n");
    write_file("option", "#! /bin/sh -e \n");
    assert_ptr_equal(launch_argv(&m), plain + 1);
    m = (struct manifest){ .exe = "./option", .argv = option };
    assert_ptr_equal(launch_argv(&m), option + 2);
    m = (struct manifest){ .exe = "/bin/sh", .argv = direct };
    assert_ptr_equal(launch_argv(&m), direct);
}

static void header(void **state)
{
    (void)state;
    struct stage stage = { .path = "/some/where" };
    struct replay_file file;
    memset(&file, 0xff, sizeof file);
    stage_header(&file, &stage, 7, 1234, 99);
    assert_true(file.magic == REPLAY_MAGIC && file.abi == SPOOL_ABI);
    assert_true(file.process == 7 && file.bytes == 1234 && file.until == 99);
    assert_true(file.state == REPLAY_WAITING && !file.events && !file.echo && !file.wait_for_debugger);
    assert_string_equal(file.dir, "/some/where");
}

static void the_stage_is_private_and_goes(void **state)
{
    (void)state;
    struct stage stage;
    struct drd_error e = { 0 };
    struct stat st;
    char path[600];
    setenv("TMPDIR", directory, 1);
    assert_true(stage_init(&stage, &e));
    assert_int_equal(strncmp(stage.path, directory, strlen(directory)), 0);
    assert_int_equal(stat(stage.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    stage_file(&stage, 12, ".err", path, sizeof path);
    write_file(path, "x");
    strcpy(path, stage.path);
    stage_fini(&stage);
    assert_int_not_equal(access(path, F_OK), 0);
    stage_fini(&stage);
    setenv("TMPDIR", "/nonexistent", 1);
    assert_false(stage_init(&stage, &e));
    unsetenv("TMPDIR");
}

/* A directory whose owner was killed goes with the next replay; one that is in use, or new, does not. */
static void what_the_killed_leave(void **state)
{
    (void)state;
    struct stage used, next;
    struct drd_error e = { 0 };
    const struct timespec long_ago[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
    setenv("TMPDIR", directory, 1);
    assert_int_equal(mkdir("drd-replay.oldold", 0700), 0);
    write_file("drd-replay.oldold/owner", "");
    write_file("drd-replay.oldold/000001", "secret");
    utimensat(AT_FDCWD, "drd-replay.oldold", long_ago, 0);
    assert_int_equal(mkdir("drd-replay.newnew", 0700), 0);
    assert_true(stage_init(&used, &e));
    assert_int_not_equal(access("drd-replay.oldold", F_OK), 0);
    assert_int_equal(access("drd-replay.newnew", F_OK), 0);
    utimensat(AT_FDCWD, used.path, long_ago, 0);
    assert_true(stage_init(&next, &e));
    assert_int_equal(access(used.path, F_OK), 0);
    stage_fini(&next);
    stage_fini(&used);
    unsetenv("TMPDIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_recorded), cmocka_unit_test(stderr_is_kept), cmocka_unit_test(failures_have_words),
        cmocka_unit_test(scripts), cmocka_unit_test(header), cmocka_unit_test(the_stage_is_private_and_goes),
        cmocka_unit_test(what_the_killed_leave),
    };
    return cmocka_run_group_tests_name("replay_launch", tests, enter, leave);
}
