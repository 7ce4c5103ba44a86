/* The recorder's parts, with a node played by the test: it appends records to the spool as the shim does. */
#include "record/finish.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/launch.h"
#include "record/procfile.h"
#include "record/repair.h"

static char path[128];
static struct drd_error error;
static struct spool spool;
static struct lanes lanes;
static struct store *store;

static void begin(void)
{
    memset(&error, 0, sizeof error);
    snprintf(path, sizeof path, "%s/record_test.%d.drd", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
    unlink(path);
    assert_true(spool_create(&spool, path, &error));
    store = store_create(path, &error);
    assert_non_null(store);
    assert_true(store_fact_set(store, "spool", spool.dir, &error));
    assert_true(lanes_init(&lanes, store, &spool, &error));
    assert_true(store_begin(store, &error));
}

static void end(void)
{
    lanes_fini(&lanes);
    store_close(store);
    spool_remove(&spool);
    unlink(path);
}

/* What start.c of the shim does. */
static uint32_t node_start(const char *program, const char *node, uint32_t parent)
{
    struct spool_run *run = spool.run;
    uint32_t number = run->next_process++;
    struct spool_process *slot = &run->process[number];
    uint8_t record[200], *p = pack_map_header(pack_int(pack_array_header(record, 2), TRACE_START), 1);
    slot->pid = 1000000 + number;
    slot->parent = parent;
    snprintf(slot->name, sizeof slot->name, "%s", program);
    if (*node && !(slot->node = spool_node(&spool, node))) {
        slot->node = run->node_count++;
        snprintf(run->node[slot->node], SPOOL_NAME, "%s", node);
    }
    p = pack_str_header(p, 3);
    memcpy(p, "exe", 3);
    p = pack_str_header(p + 3, (uint32_t)strlen(program));
    memcpy(p, program, strlen(program));
    p += strlen(program);
    assert_true(spool_append(&spool, number, record, (size_t)(p - record), &error));
    slot->events = 1;
    slot->state = SPOOL_RUNNING;
    return number;
}

static void node_read(uint32_t process, size_t length)
{
    uint8_t *record = calloc(1, length + 64);
    uint8_t *p = pack_int(pack_int(pack_int(pack_array_header(record, 4), SYS_read), 3), (int64_t)length);
    p = pack_bin_header(p, (uint32_t)length);
    for (size_t i = 0; i < length; i++)
        p[i] = (uint8_t)(i * 7 + length);
    assert_true(spool_append(&spool, process, record, (size_t)(p + length - record), &error));
    spool.run->process[process].events++;
    free(record);
}

static void node_end(uint32_t process, int status)
{
    uint8_t record[16], *p = pack_int(pack_int(pack_array_header(record, 2), TRACE_END), status);
    assert_true(spool_append(&spool, process, record, (size_t)(p - record), &error));
    spool.run->process[process].status = status;
    spool.run->process[process].state = SPOOL_ENDED;
}

/* wait4(pid) -> pid, with this status. */
static void node_waits(uint32_t process, uint32_t pid, int32_t status)
{
    uint8_t record[64], *p = pack_int(pack_int(pack_int(pack_array_header(record, 6), SYS_wait4), -1), 0);
    p = pack_bin_header(pack_int(p, pid), sizeof status);
    memcpy(p, &status, sizeof status);
    *(p += sizeof status) = 0xc0; /* nil: no rusage */
    assert_true(spool_append(&spool, process, record, (size_t)(p + 1 - record), &error));
    spool.run->process[process].events++;
}

static bool nobody(const struct lanes *l, uint32_t process)
{
    (void)l;
    (void)process;
    return false;
}

static void adopt_all(void)
{
    assert_true(lanes_extend(&lanes, &error));
    for (uint32_t i = 1; i < lanes.count; i++)
        if (lanes.lane[i].phase == LANE_WAITING)
            assert_true(finish_adopt(&lanes, i, NULL, NULL, &error));
}

static void commit(void)
{
    assert_true(lanes_put_rows(&lanes, &error) && store_commit(store, &error));
    lanes_committed(&lanes);
    assert_true(store_begin(store, &error));
}

static bool segment_exists(uint32_t process, unsigned segment)
{
    char name[500];
    snprintf(name, sizeof name, "%s/%06u.%06u", spool.dir, process, segment);
    return access(name, F_OK) == 0;
}

static void finish(struct run_summary *summary)
{
    assert_true(finish_run(&lanes, nobody, NULL, summary, &error));
    assert_true(store_commit(store, &error));
    assert_int_equal(store_check(store, NULL, NULL, &error), 0);
}

static void a_stream_crosses_segments_and_chunks(void **unused)
{
    (void)unused;
    struct run_summary summary;
    begin();
    uint32_t n = node_start("server", "n1", 0);
    for (int i = 0; i < 30000; i++)
        node_read(n, (size_t)(i % 300));
    node_read(n, 5u << 20); /* larger than chunk and segment */
    node_read(n, 3);
    adopt_all();
    assert_true(lane_drain(&lanes, n, false, &error));
    assert_true(segment_exists(n, 0));
    commit();
    assert_false(segment_exists(n, 0)); /* gone only now that the commit holds it */
    node_end(n, 3);
    finish(&summary);
    assert_true(summary.complete);
    assert_int_equal(summary.events, 30004);
    assert_int_equal(lanes.lane[n].row.bytes, spool_head(&spool, n));
    assert_int_equal(lanes.lane[n].row.status, 3 << 8);
    assert_string_equal(lanes.lane[n].row.exe, "server");
    end();
}

/* A killed process leaves the beginning of a record: it becomes a call without result, whatever its header said. */
static void what_a_kill_left_half_written_is_kept(void **unused)
{
    (void)unused;
    struct run_summary summary;
    struct trace_event event;
    begin();
    uint32_t n = node_start("server", "n1", 0);
    node_read(n, 10);
    uint64_t head = spool_head(&spool, n);
    uint8_t draft[64], *p = pack_array_header(draft, 9);
    p = pack_bin_header(pack_int(pack_int(p, SYS_write), 5), 4);
    memcpy(p, "half", 4);
    p = pack_bin_header(p + 4, 200); /* cut inside this one */
    assert_true(spool_append(&spool, n, draft, (size_t)(p - draft), &error));
    spool.run->process[n].head = head;
    spool.run->process[n].draft = (uint64_t)(p - draft);
    finish(&summary);
    assert_true(summary.complete);
    assert_int_equal(summary.events, 3);
    assert_int_equal(lanes.lane[n].row.draft, 1 + 1 + 1 + 6);
    struct stream *st = stream_open(store, n, &error);
    assert_int_equal(stream_seek(st, 2, &error), 1);
    assert_int_equal(stream_next(st, &event, &error), 1);
    assert_int_equal(event.call, SYS_write);
    assert_false(event.complete);
    assert_memory_equal(event.input[1].data, "half", 4);
    stream_close(st);
    end();
}

static void names_and_incarnations(void **unused)
{
    (void)unused;
    struct run_summary summary;
    begin();
    uint32_t sh = node_start("sh", "", 0);
    uint32_t n1 = node_start("server", "n1", sh);
    uint32_t child = node_start("server", "n1", n1); /* forked by the node: same incarnation */
    uint32_t sh2 = node_start("sh", "", sh);
    uint32_t again = node_start("server", "n1", sh2);
    adopt_all();
    assert_string_equal(lanes.lane[sh].row.node, "sh#1");
    assert_string_equal(lanes.lane[sh2].row.node, "sh#2");
    assert_string_equal(lanes.lane[child].row.node, "n1");
    assert_int_equal(lanes.lane[n1].row.incarnation, 1);
    assert_int_equal(lanes.lane[child].row.incarnation, 1);
    assert_int_equal(lanes.lane[again].row.incarnation, 2);
    for (uint32_t i = 1; i <= again; i++)
        node_end(i, 0);
    finish(&summary);
    assert_int_equal(summary.nodes, 3);
    assert_int_equal(lanes.lane[n1].row.event_base, 0);
    assert_int_equal(lanes.lane[child].row.event_base, 2);
    assert_int_equal(lanes.lane[again].row.event_base, 4);
    end();
}

static void processes_that_are_not_recorded_are_told(void **unused)
{
    (void)unused;
    struct run_summary summary;
    begin();
    uint32_t n = node_start("busybox", "", 0);
    spool.run->process[n].reason = SPOOL_REASON_STATIC;
    spool.run->process[n].state = SPOOL_UNRECORDED;
    uint32_t full = node_start("server", "n1", 0);
    spool.run->process[full].reason = SPOOL_REASON_NO_SPACE;
    spool.run->process[full].state = SPOOL_INCOMPLETE;
    adopt_all();
    assert_int_equal(lanes.lane[n].phase, LANE_SKIPPED);
    finish(&summary);
    assert_false(summary.complete);
    assert_string_equal(summary.incomplete, "n1@0: no space left for the spool");
    end();
}

/* The recorder is killed: lanes and store vanish without a word. Repair gets everything from the spool. */
static void repair_finishes_the_run(void **unused)
{
    (void)unused;
    struct repair_report report;
    begin();
    uint32_t n = node_start("server", "n1", 0);
    for (int i = 0; i < 9000; i++)
        node_read(n, 100);
    adopt_all();
    assert_true(lane_drain(&lanes, n, false, &error));
    commit();
    for (int i = 0; i < 9000; i++)
        node_read(n, 90);
    assert_true(lane_drain(&lanes, n, false, &error)); /* never committed */
    uint32_t late = node_start("server", "n1", 0);
    node_read(late, 5);
    lanes_fini(&lanes);
    store_close(store);
    store = NULL;
    assert_false(record_repair(path, &report, &error)); /* the spool is still held */
    assert_non_null(strstr(error.message, "still alive"));
    spool_close(&spool);
    assert_true(record_repair(path, &report, &error));
    assert_true(report.needed && report.spool_found);
    assert_true(report.recovered > 9000 * 90);
    assert_int_equal(report.summary.events, 18001 + 2);
    assert_int_not_equal(access(spool.dir, F_OK), 0);
    store = store_open(path, STORE_READ, &error);
    assert_int_equal(store_check(store, NULL, NULL, &error), 0);
    assert_true(record_repair(path, &report, &error));
    assert_false(report.needed);
    end();
}

/* Whether the stream of the parent is read before or after the child has been adopted. */
static void a_wait_tells_how_a_child_ended(void **unused)
{
    (void)unused;
    for (int early = 0; early < 2; early++) {
        struct run_summary summary;
        begin();
        uint32_t parent = node_start("sh", "", 0);
        adopt_all();
        uint32_t other = node_start("other", "", parent), child = 0;
        if (!early)
            child = node_start("child", "", parent), adopt_all();
        node_waits(parent, 1000000 + (early ? other + 1 : child), SIGKILL);
        node_waits(parent, 999, 3 << 8); /* of nobody that is recorded */
        assert_true(lane_drain(&lanes, parent, true, &error));
        if (early)
            child = node_start("child", "", parent);
        node_end(parent, 0);
        finish(&summary);
        assert_int_equal(lanes.lane[child].row.status, SIGKILL);
        assert_int_equal(lanes.lane[other].row.status, -1);
        assert_int_equal(lanes.lane[parent].row.status, 0);
        end();
    }
}

static void words_of_a_command(void **unused)
{
    (void)unused;
    char **words = launch_words("  server  -p 7001 ");
    assert_string_equal(words[0], "server");
    assert_string_equal(words[1], "-p");
    assert_string_equal(words[2], "7001");
    assert_null(words[3]);
    free(words[0]);
    free(words);
    assert_null(launch_words("a | b"));
    assert_null(launch_words("FOO=1 a"));
    assert_null(launch_words("   "));
}

static void procfiles(void **unused)
{
    (void)unused;
    char name[] = "/tmp/record_test.XXXXXX";
    struct node_list list = {0};
    int fd = mkstemp(name);
    dprintf(fd, "# a comment\n\nn1: server --port 1\n  n2:other; x  \n");
    assert_true(procfile_read(&list, name, &error));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.item[0].command, "server --port 1");
    assert_string_equal(list.item[1].name, "n2");
    assert_string_equal(list.item[1].command, "other; x");
    assert_false(node_list_add(&list, "n1=again", '=', &error));
    assert_false(node_list_add(&list, "n/3=x", '=', &error));
    assert_false(node_list_add(&list, "n3=", '=', &error));
    dprintf(fd, "n3 server\n");
    assert_false(procfile_read(&list, name, &error));
    assert_false(procfile_read(&list, "/nonexistent", &error));
    node_list_fini(&list);
    close(fd);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_crosses_segments_and_chunks),
        cmocka_unit_test(what_a_kill_left_half_written_is_kept),
        cmocka_unit_test(names_and_incarnations),
        cmocka_unit_test(processes_that_are_not_recorded_are_told),
        cmocka_unit_test(repair_finishes_the_run),
        cmocka_unit_test(a_wait_tells_how_a_child_ended),
        cmocka_unit_test(words_of_a_command),
        cmocka_unit_test(procfiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
