/* The driver, with this program in the place of a recorded one: it plays the shim's part as its argument says. */
#include "replay/replay.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "trace/msgpack.h"
#include "trace/record.h"

static char scratch[256], self[4096];

/* ---- as a node ---- */

static struct replay_file *attach(int fd)
{
    struct replay_file *file = mmap(NULL, REPLAY_HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED || file->magic != REPLAY_MAGIC)
        _exit(99);
    file->pid = (uint32_t)getpid();
    file->state = REPLAY_RUNNING;
    return file;
}

static void finish(struct replay_file *file, uint64_t events)
{
    file->events = events;
    file->state = REPLAY_FINISHED;
    _exit(0);
}

/* As the shim does at TRACE_FORK; the child outlives its parent. */
static void fork_one(struct replay_file *file)
{
    char path[600];
    snprintf(path, sizeof path, "%.511s/%06u", file->dir, file->process + 1);
    int fd = open(path, O_RDWR);
    if (fd >= 0 && fork() == 0) {
        struct replay_file *mine = attach(fd);
        usleep(200000);
        finish(mine, 1);
    }
    finish(file, 1);
}

static int node(const char *part)
{
    if (!strcmp(part, "unloadable")) {
        fputs("libgone.so: cannot open shared object file\nmore\n", stderr);
        return 127;
    }
    struct replay_file *file = attach(REPLAY_FD);
    if (!strcmp(part, "finish"))
        finish(file, 1);
    if (!strcmp(part, "fork"))
        fork_one(file);
    if (!strcmp(part, "crash"))
        raise(SIGSEGV);
    if (!strcmp(part, "diverge")) {
        file->state = REPLAY_DIVERGED;
        strcpy(file->what, "the data differs");
        return 1;
    }
    if (!strcmp(part, "stop"))
        file->state = REPLAY_STOPPED;
    for (;;)
        pause(); /* "hang" */
}

/* ---- the run ---- */

static uint8_t *put_text(uint8_t *p, const char *text)
{
    p = pack_str_header(p, (uint32_t)strlen(text));
    return (uint8_t *)memcpy(p, text, strlen(text)) + strlen(text);
}

static void put_process(struct store *s, uint32_t number, const char *part)
{
    uint8_t bytes[8192] = { 0 }, *p = pack_int(pack_array_header(bytes, 2), TRACE_START);
    struct trace_state state = { 0 };
    struct drd_error e = { 0 };
    p = put_text(put_text(pack_map_header(p, 3), "exe"), self);
    p = pack_array_header(put_text(p, "argv"), 3);
    p = put_text(put_text(put_text(p, "replay_run_test"), "--node"), part ? part : "");
    p = pack_array_header(put_text(p, "env"), 1);
    p = put_text(p, "ASAN_OPTIONS=detect_leaks=0:handle_segv=0");
    struct store_process process = {
        .number = number, .parent = number - 1, .forked = !part, .node = number > 1 ? "n2" : "n1", .incarnation = 1,
        .exe = self, .start = 1, .end = 2, .events = 1, .bytes = (uint64_t)(p - bytes), .complete = true,
    };
    assert_true(store_chunk_append(s, number, &state, bytes, (size_t)(p - bytes), 1, &e));
    assert_true(store_process_put(s, &process, &e));
}

struct outcome {
    struct replay_result result[3];
    int verdict;
    bool ok;
    struct drd_error error;
};

static struct replay_options base = { .patience = 1, .jobs = 2 };

/* Processes 1 and 2; a NULL part makes process 2 a forked child of 1. */
static struct outcome replay_two(const char *first, const char *second, const bool *wanted)
{
    struct outcome out = { .verdict = -1 };
    struct store_process *process;
    size_t count;
    unlink("run.drd");
    struct store *s = store_create("run.drd", &out.error);
    assert_non_null(s);
    put_process(s, 1, first);
    put_process(s, 2, second);
    assert_true(store_processes(s, &process, &count, &out.error));
    struct replay_options options = base;
    options.wanted = wanted;
    struct replay *r = replay_create(s, process, count, &options, &out.error);
    assert_non_null(r);
    out.ok = replay_run(r, &out.error);
    for (size_t i = 0; i < count; i++) {
        out.result[i] = *replay_result(r, i);
        store_process_fini(&process[i]);
    }
    out.verdict = replay_verdict(r);
    replay_destroy(r);
    free(process);
    store_close(s);
    return out;
}

static void nothing_is_left(void)
{
    assert_int_not_equal(system("ls | grep -q drd-replay"), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void all_finish(void **state)
{
    (void)state;
    struct outcome o = replay_two("finish", "finish", NULL);
    assert_true(o.ok);
    assert_int_equal(o.verdict, DRD_EXIT_OK);
    assert_int_equal(o.result[0].outcome, REPLAY_IDENTICAL);
    assert_int_equal(o.result[1].events, 1);
    nothing_is_left();
}

static void one_diverges(void **state)
{
    (void)state;
    struct outcome o = replay_two("diverge", "finish", NULL);
    assert_int_equal(o.verdict, DRD_EXIT_DIFFERS);
    assert_int_equal(o.result[0].outcome, REPLAY_DIFFERS);
    assert_string_equal(o.result[0].what, "the data differs");
    assert_int_equal(o.result[1].outcome, REPLAY_IDENTICAL);
    nothing_is_left();
}

static void one_dies_one_cannot_be_loaded(void **state)
{
    (void)state;
    struct outcome o = replay_two("crash", "unloadable", NULL);
    assert_int_equal(o.result[0].outcome, REPLAY_DIED);
    assert_int_equal(WTERMSIG(o.result[0].wait_status), SIGSEGV);
    assert_int_equal(o.result[1].outcome, REPLAY_IMPOSSIBLE);
    assert_non_null(strstr(o.result[1].what, "libgone.so: cannot open shared object file"));
    assert_null(strstr(o.result[1].what, "more"));
    nothing_is_left();
}

static void one_hangs(void **state)
{
    (void)state;
    struct outcome o = replay_two("hang", "finish", NULL);
    assert_int_equal(o.verdict, DRD_EXIT_CANNOT);
    assert_int_equal(o.result[0].outcome, REPLAY_HUNG);
    assert_int_equal(o.result[1].outcome, REPLAY_IDENTICAL);
    nothing_is_left();
}

/* The limit of all together, though nobody's patience has ended. */
static void all_take_too_long(void **state)
{
    (void)state;
    base = (struct replay_options){ .patience = 60, .jobs = 2, .longest = 1 };
    struct outcome o = replay_two("hang", "hang", NULL);
    base = (struct replay_options){ .patience = 1, .jobs = 2 };
    assert_true(o.ok);
    assert_int_equal(o.result[0].outcome, REPLAY_HUNG);
    assert_int_equal(o.result[1].outcome, REPLAY_HUNG);
    nothing_is_left();
}

static int called;
static uint32_t called_with;

static void on_event(void *context, const struct replay_file *file)
{
    assert_ptr_equal(context, &called);
    called++;
    called_with = file->pid;
    assert_int_equal(kill((pid_t)file->pid, 0), 0); /* it waits */
}

static void one_waits_at_its_event(void **state)
{
    (void)state;
    base = (struct replay_options){ .patience = 60, .jobs = 2, .at_event = on_event, .context = &called, .until_process = 2,
                                    .until = 1 };
    struct outcome o = replay_two("hang", "stop", NULL);
    base = (struct replay_options){ .patience = 1, .jobs = 2 };
    assert_true(o.ok);
    assert_int_equal(called, 1);
    assert_int_equal(o.result[1].outcome, REPLAY_AT_EVENT);
    assert_int_equal(kill((pid_t)called_with, 0), -1);
    nothing_is_left();
}

static void a_child_outlives_its_parent(void **state)
{
    (void)state;
    struct outcome o = replay_two("fork", NULL, NULL);
    assert_int_equal(o.verdict, DRD_EXIT_OK);
    assert_int_equal(o.result[1].outcome, REPLAY_IDENTICAL);
    nothing_is_left();
}

static void a_child_alone(void **state)
{
    (void)state;
    struct outcome o = replay_two("fork", NULL, (const bool[]){ false, true });
    assert_int_equal(o.verdict, DRD_EXIT_OK);
    assert_int_equal(o.result[0].outcome, REPLAY_SKIPPED);
    assert_int_equal(o.result[1].outcome, REPLAY_IDENTICAL);
}

static void a_child_that_is_never_born(void **state)
{
    (void)state;
    struct outcome o = replay_two("finish", NULL, NULL);
    assert_int_equal(o.verdict, DRD_EXIT_CANNOT);
    assert_int_equal(o.result[1].outcome, REPLAY_NOT_BORN);
}

static void interrupted(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        usleep(300000);
        kill(getppid(), SIGTERM);
        _exit(0);
    }
    struct outcome o = replay_two("hang", "hang", NULL);
    assert_false(o.ok);
    assert_int_equal(o.error.exit_code, 128 + SIGTERM);
    waitpid(pid, NULL, 0);
    nothing_is_left();
}

static void a_program_that_is_gone(void **state)
{
    (void)state;
    char kept[sizeof self];
    memcpy(kept, self, sizeof self);
    strcpy(self, "/nonexistent/server");
    struct outcome o = replay_two("finish", "finish", NULL);
    memcpy(self, kept, sizeof self);
    assert_true(o.ok);
    assert_int_equal(o.result[0].outcome, REPLAY_IMPOSSIBLE);
    assert_non_null(strstr(o.result[0].what, "/nonexistent/server"));
    nothing_is_left();
}

static int enter(void **state)
{
    (void)state;
    scratch_enter(scratch, sizeof scratch);
    setenv("TMPDIR", scratch, 1);
    return readlink("/proc/self/exe", self, sizeof self - 1) < 0;
}

static int leave(void **state)
{
    (void)state;
    scratch_leave(scratch);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "--node"))
        return node(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_finish), cmocka_unit_test(one_diverges), cmocka_unit_test(one_dies_one_cannot_be_loaded),
        cmocka_unit_test(one_hangs), cmocka_unit_test(all_take_too_long),
        cmocka_unit_test(one_waits_at_its_event), cmocka_unit_test(a_child_outlives_its_parent), cmocka_unit_test(a_child_alone),
        cmocka_unit_test(a_child_that_is_never_born), cmocka_unit_test(interrupted),
        cmocka_unit_test(a_program_that_is_gone),
    };
    return cmocka_run_group_tests_name("replay_run", tests, enter, leave);
}
