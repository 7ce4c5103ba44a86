/* Stacks of events, the parts that need no program: Python's table of lines, and what is kept in a run. tests/cli/frames.sh reads
 * real ones. */
#include "replay/frames.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "drd/drd.h"
#include "lib/check.h"
#include "lib/maker.h"
#include "replay/stack.h"
#include "trace/record.h"

static char scratch[4096];

/* Objects/locations.md of CPython 3.11: 1 code kkkk lll, then by kind. */
#define HEAD(kind, units) (uint8_t)(0x80 | (kind) << 3 | ((units) - 1))

static void lines_of_python(void **state)
{
    (void)state;
    static const uint8_t table[] = {
        HEAD(0, 2), 0x12,                    /* short: the same line, units 0 and 1 */
        HEAD(11, 1), 0x01, 0x02,             /* one line on, unit 2 */
        HEAD(13, 8), 0x07,                   /* no columns: svarint 7 is -3, units 3 to 10 */
        HEAD(14, 1), 0x50, 0x02, 1, 1, 1,    /* long: svarint 0x50 0x02 is 72, unit 11 */
        HEAD(15, 1),                         /* no place, unit 12 */
        HEAD(12, 1), 0x7f, 0x7f,             /* two lines on, unit 13 */
    };
    const struct { uint64_t unit; unsigned line; } wanted[] = {
        { 0, 10 }, { 1, 10 }, { 2, 11 }, { 3, 8 }, { 10, 8 }, { 11, 80 }, { 12, 10 }, { 13, 82 }, { 14, 10 }, { UINT64_MAX, 10 },
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(python_line(table, sizeof table, 10, wanted[i].unit), wanted[i].line);
}

/* Whatever stands there, it is not read past its end: the sanitizers watch. */
static void lines_of_noise(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        size_t length = (random >> 8) % 24;
        uint8_t *table = malloc(length + 1);
        for (size_t i = 0; i < length; i++)
            table[i] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
        python_line(table, length, 1, random % 64);
        free(table);
        random = random * 1664525u + 1013904223u;
    }
    static const uint8_t far[] = { HEAD(13, 1), 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f };
    assert_int_equal(python_line(far, sizeof far, 7, 0), 7); /* before the first line of all */
}

/* A run of one process with three events, whose program is nowhere. */
static struct store *make_run(const char *path, struct store_process **process, size_t *count)
{
    static struct maker stream;
    struct drd_error e = { 0 };
    struct store_process p = { .node = (char *)"n", .exe = (char *)"/nowhere/n", .incarnation = 1, .start = 1, .end = 2 };
    stream.length = 0;
    for (int i = 0; i < 3; i++)
        maker_record(&stream, "is", (int64_t)TRACE_INCOMPLETE, "stopped");
    maker_run(path, &p, &stream, 1);
    struct store *s = store_open(path, STORE_READ, &e);
    assert_non_null(s);
    assert_true(store_processes(s, process, count, &e));
    return s;
}

static void run_close(struct store *s, struct store_process *process, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store_process_fini(&process[i]);
    free(process);
    store_close(s);
}

static void change(const char *path, const char *sql)
{
    struct drd_error e = { 0 };
    struct store *s = store_open(path, STORE_WRITE, &e);
    assert_non_null(s);
    assert_int_equal(sqlite3_exec(store_database(s), sql, NULL, NULL, NULL), SQLITE_OK);
    store_close(s);
}

static void what_is_kept_is_given(void **state)
{
    (void)state;
    struct replay_frame frame[FRAMES_MAX];
    struct drd_error e = { 0 };
    struct store_process *process;
    size_t count, found;
    char note[256];
    struct store *s = make_run("kept.drd", &process, &count);
    struct stack *stack = calloc(1, sizeof *stack);
    *stack = (struct stack){ .store = s, .number = process[0].number, .sequence = 2, .frames = 2 };
    stack->frame[0].frame = (struct replay_frame){ .function = "commit", .file = "a/raft.c", .line = 7, .object = "n", .offset = 99 };
    stack->frame[1].frame = (struct replay_frame){ .object = "n", .offset = UINT64_MAX };
    strcpy(stack->note, "install n-dbgsym");
    kept_write(stack);
    kept_write(stack); /* again: in the place of the first */
    free(stack);
    assert_int_not_equal(sqlite3_exec(store_database(s), "DELETE FROM frame", NULL, NULL, NULL), SQLITE_OK); /* still for reading */
    assert_true(replay_frames(s, process, count, process[0].number, 2, frame, FRAMES_MAX, &found, note, &e));
    assert_int_equal(found, 2);
    assert_string_equal(frame[0].function, "commit");
    assert_string_equal(frame[0].file, "a/raft.c");
    assert_int_equal(frame[0].line, 7);
    assert_true(frame[1].offset == UINT64_MAX);
    assert_string_equal(note, "install n-dbgsym");
    assert_true(replay_frames(s, process, count, process[0].number, 2, frame, 1, &found, note, &e));
    assert_int_equal(found, 1);
    /* of another event nothing is kept, and the program is not there */
    assert_true(replay_frames(s, process, count, process[0].number, 1, frame, FRAMES_MAX, &found, note, &e) || e.exit_code);
    assert_int_equal(found, 0);
    assert_false(replay_frames(s, process, count, process[0].number, 3, frame, FRAMES_MAX, &found, note, &e));
    assert_false(replay_frames(s, process, count, 77, 0, frame, FRAMES_MAX, &found, note, &e));
    run_close(s, process, count);
}

/* Event by event, what it leads to. */
static void where_a_node_acts(void **state)
{
    (void)state;
    static struct maker m;
    static const uint8_t data[4] = "abc";
    struct drd_error e = { 0 };
    struct store_process p = { .node = (char *)"n", .exe = (char *)"/n", .incarnation = 1, .start = 1, .end = 2 };
    m.length = 0;
    maker_record(&m, "isi", (int64_t)TRACE_DRAW, "rand", (int64_t)1);              /* 0 */
    maker_record(&m, "iiib", (int64_t)SYS_read, (int64_t)5, (int64_t)3, data, (size_t)3);
    maker_record(&m, "t", (int64_t)100);                                        /* 2: reads the clock */
    maker_record(&m, "ii", (int64_t)TRACE_SWITCH, (int64_t)1);                  /* 3: another thread */
    maker_record(&m, "iibi", (int64_t)SYS_write, (int64_t)8, data, (size_t)3, (int64_t)3);
    maker_record(&m, "ii", (int64_t)TRACE_SWITCH, (int64_t)0);                  /* 5 */
    maker_record(&m, "iiiiib", (int64_t)TRACE_MARK, (int64_t)7, (int64_t)1, (int64_t)1, (int64_t)1, data, (size_t)3);
    maker_record(&m, "iiib", (int64_t)SYS_read, (int64_t)5, (int64_t)3, data, (size_t)3);
    maker_record(&m, "iiib", (int64_t)SYS_read, (int64_t)5, (int64_t)3, data, (size_t)3);
    maker_record(&m, "iii", (int64_t)SYS_read, (int64_t)5, (int64_t)-11);         /* 9: nothing there */
    maker_record(&m, "iiiiib", (int64_t)TRACE_MARK, (int64_t)DRD_MARK_TEXT, (int64_t)0, (int64_t)0, (int64_t)0, data, (size_t)3);
    maker_record(&m, "iibi", (int64_t)SYS_write, (int64_t)5, data, (size_t)3, (int64_t)3);
    maker_run("acting.drd", &p, &m, 1);
    static const struct { uint64_t event, acting; } wanted[] = {
        { 0, 0 }, { 1, 6 }, { 4, 4 }, { 6, 6 }, { 7, 7 }, { 8, 11 }, { 9, 9 }, { 10, 10 }, { 11, 11 },
    };
    struct store *s = store_open("acting.drd", STORE_READ, &e);
    assert_non_null(s);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        uint64_t acting;
        assert_true(replay_frames_acting(s, 1, wanted[i].event, &acting, &e));
        assert_int_equal(acting, wanted[i].acting);
    }
    store_close(s);
}

/* Tables that somebody made. */
static void hostile_tables(void **state)
{
    (void)state;
    static const char *const made[] = {
        "CREATE VIEW frame AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n AS process, n AS sequence,"
        " n AS depth, '' AS function, '' AS file, 0 AS line, '' AS object, 0 AS offset, '' AS build_id, '' AS note FROM r WHERE n < 0",
        "CREATE TABLE frame(process, other)",
        "CREATE TABLE frame(process, sequence, depth, function, file, line, object, offset, build_id, note);"
        "WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 999) INSERT INTO frame SELECT 1, 2, n,"
        " hex(zeroblob(5000)), NULL, -1, x'00ff', 'x', hex(zeroblob(900)), hex(zeroblob(5000)) FROM r",
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        struct replay_frame frame[FRAMES_MAX];
        struct drd_error e = { 0 };
        struct store_process *process;
        size_t count, found;
        char note[256], path[32];
        snprintf(path, sizeof path, "hostile%zu.drd", i);
        struct store *s = make_run(path, &process, &count);
        run_close(s, process, count);
        change(path, made[i]);
        s = store_open(path, STORE_READ, &e);
        assert_true(store_processes(s, &process, &count, &e));
        replay_frames(s, process, count, process[0].number, 2, frame, FRAMES_MAX, &found, note, &e);
        assert_int_equal(found, i == 2 ? FRAMES_MAX : 0);
        run_close(s, process, count);
    }
}

static int enter(void **state)
{
    (void)state;
    scratch_enter(scratch, sizeof scratch);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    scratch_leave(scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_python), cmocka_unit_test(lines_of_noise), cmocka_unit_test(what_is_kept_is_given),
        cmocka_unit_test(where_a_node_acts), cmocka_unit_test(hostile_tables),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
