#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/internal.h"

#define LARGE (TRACE_PAYLOAD_MIN + 7)

static char path[128];
static struct drd_error error;

static int setup(void **unused)
{
    (void)unused;
    snprintf(path, sizeof path, "%s/store_test.%d.drd", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
    unlink(path);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    return unlink(path) * 0;
}

/* A stream of `count` records: clock reads, small reads and, each hundredth record, a read of LARGE bytes (a payload). */
static size_t make_stream(struct buffer *out, unsigned count)
{
    uint8_t text[LARGE];
    out->length = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t head[64], *p = head;
        unsigned length = i % 100 == 50 ? LARGE : i % 7;
        if (i % 3 == 0) {
            p = pack_int(p, 1000 + i);
        } else {
            p = pack_int(pack_int(pack_int(pack_array_header(p, 4), SYS_read), 3), length);
            p = pack_bin_header(p, length);
            memset(text, (int)(i / 200), sizeof text);
        }
        assert_true(buffer_append(out, head, (size_t)(p - head), &error));
        if (i % 3)
            assert_true(buffer_append(out, text, length, &error));
    }
    return out->length;
}

/* Store a stream as chunks of about 10000 bytes, as the recorder does. */
static void put_stream(struct store *s, uint32_t process, const struct buffer *stream, struct store_process *p)
{
    struct trace_state state = {0}, start = state;
    struct trace_event event;
    const uint8_t *at = stream->data, *begin = at, *end = at + stream->length;
    while (at < end) {
        at = trace_decode(at, end, &state, &event);
        assert_non_null(at);
        if (at - begin < 10000 && at < end)
            continue;
        assert_true(store_chunk_append(s, process, &start, begin, (size_t)(at - begin), state.sequence - start.sequence, &error));
        begin = at;
        start = state;
    }
    p->number = process;
    p->events = state.sequence;
    p->bytes = stream->length;
}

static struct store *make_run(struct buffer *stream)
{
    struct store *s = store_create(path, &error);
    assert_non_null(s);
    assert_true(store_begin(s, &error));
    make_stream(stream, 3000);
    for (uint32_t n = 1; n <= 2; n++) {
        char node[8];
        snprintf(node, sizeof node, "n%u", n);
        struct store_process p = {.node = node, .exe = "/bin/true", .incarnation = 1, .status = -1, .complete = true, .event_base = n * 10};
        put_stream(s, n, stream, &p);
        assert_true(store_process_put(s, &p, &error));
    }
    assert_true(store_fact_set(s, "state", "complete", &error));
    assert_true(store_commit(s, &error));
    return s;
}

static void what_was_stored_comes_back(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    char copy[] = "/tmp/store_test.XXXXXX", fact[32];
    struct stat st;
    store_close(make_run(&stream));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct store *s = store_open(path, STORE_READ, &error);
    assert_non_null(s);
    assert_true(store_fact(s, "state", fact, sizeof fact));
    assert_string_equal(fact, "complete");
    assert_false(store_fact(s, "nothing", fact, sizeof fact));
    uint64_t bytes;
    int fd = mkstemp(copy);
    assert_true(stream_copy(s, 2, fd, &bytes, &error));
    assert_int_equal(bytes, stream.length);
    uint8_t *back = malloc(bytes);
    assert_int_equal(pread(fd, back, bytes, 0), bytes);
    assert_memory_equal(back, stream.data, bytes);
    free(back);
    close(fd);
    unlink(copy);
    assert_int_equal(store_check(s, NULL, NULL, &error), 0);
    store_close(s);
    free(stream.data);
}

static void payloads_are_stored_once(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    struct store *s = make_run(&stream);
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(store_database(s), "SELECT count(*) FROM payload ORDER BY 1", -1, &st, NULL), 0);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    /* 30 reads of LARGE bytes a stream, less those where i % 3 == 0, two streams: 40 reads; 10 fills of i / 200 appear */
    assert_in_range(sqlite3_column_int(st, 0), 1, 15);
    sqlite3_finalize(st);
    store_close(s);
    free(stream.data);
}

static void seeking_and_reading_agree(void **unused)
{
    (void)unused;
    struct buffer buffer = {0};
    struct trace_event event, reference;
    struct store *s = make_run(&buffer);
    struct stream *all = stream_open(s, 1, &error), *st = stream_open(s, 1, &error);
    for (uint64_t n = 0; n < 3000; n++) {
        assert_int_equal(stream_next(all, &reference, &error), 1);
        if (n % 331)
            continue;
        assert_int_equal(stream_seek(st, n, &error), 1);
        assert_int_equal(stream_next(st, &event, &error), 1);
        assert_int_equal(event.sequence, n);
        assert_int_equal(event.time, reference.time);
        assert_int_equal(event.raw.length, reference.raw.length);
    }
    assert_int_equal(stream_seek(st, 3000, &error), 0);
    assert_int_equal(stream_seek(st, 5, &error), 1);
    stream_close(st);
    stream_close(all);
    store_close(s);
    free(buffer.data);
}

static void the_timeline_holds_everything_in_order(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    struct store *s = make_run(&stream);
    struct trace_event event;
    uint64_t last = 0, next[3] = {0, 0, 0};
    struct timeline *t = timeline_open(s, &error);
    int more;
    while ((more = timeline_next(t, &event, &error)) == 1) {
        assert_true(event.time >= last);
        last = event.time;
        assert_int_equal(event.sequence, next[event.process]++);
    }
    assert_int_equal(more, 0);
    assert_int_equal(next[1] + next[2], 6000);
    timeline_close(t);
    store_close(s);
    free(stream.data);
}

static void append(struct buffer *b, const void *bytes, size_t length)
{
    assert_true(buffer_append(b, bytes, length, &error));
}

static uint8_t *pack_address(uint8_t *p, uint8_t port)
{
    const uint8_t address[16] = {AF_INET, 0, 0x20, port, 127, 0, 0, 1};
    p = pack_bin_header(p, sizeof address);
    memcpy(p, address, sizeof address);
    return p + sizeof address;
}

/* A stamp, a connection as descriptor 3, and a transfer of `length` bytes over it. */
static void put_talker(struct store *s, uint32_t number, uint64_t stamp, uint8_t local, uint8_t peer, int call, uint32_t length)
{
    struct buffer stream = {0};
    uint8_t bytes[200], *p = bytes;
    p = pack_uint(pack_int(pack_array_header(p, 2), TRACE_TIME), stamp);
    p = pack_int(pack_int(pack_int(pack_array_header(p, 5), TRACE_CONNECTION), 3), call == SYS_read);
    p = pack_address(pack_address(p, local), peer);
    p = pack_int(pack_int(pack_array_header(p, 4), call), 3);
    if (call == SYS_read)
        p = pack_int(p, length);
    p = pack_bin_header(p, length);
    memset(p, 'x', length);
    p += length;
    if (call != SYS_read)
        p = pack_int(p, length);
    assert_true(buffer_append(&stream, bytes, (size_t)(p - bytes), &error));
    struct store_process process = {.node = (char *)"n", .exe = (char *)"/bin/true", .incarnation = 1, .start = 1000};
    put_stream(s, number, &stream, &process);
    assert_true(store_process_put(s, &process, &error));
    free(stream.data);
}

static void a_receive_comes_after_its_send(void **unused)
{
    (void)unused;
    struct trace_event event;
    struct store *s = store_create(path, &error);
    put_talker(s, 1, 5000, 1, 2, SYS_read, 10); /* its stamp is old */
    put_talker(s, 2, 9000, 2, 1, SYS_write, 10);
    put_talker(s, 3, 7000, 3, 4, SYS_read, 10); /* nobody sends this: it waits for nobody in the end */
    struct timeline *t = timeline_open(s, &error);
    char order[16] = "";
    uint64_t last = 0;
    while (timeline_next(t, &event, &error) == 1) {
        assert_true(event.time >= last);
        last = event.time;
        if (event.call >= 0)
            strcat(order, event.process == 1 ? "r" : event.process == 2 ? "w" : "?");
    }
    assert_string_equal(order, "wr?");
    timeline_close(t);
    store_close(s);
}

/* A program was started with a connection that exec closed. What it reads of the descriptor that has the number then did not
 * come that way. */
static void a_number_that_is_used_again_is_another_descriptor(void **unused)
{
    (void)unused;
    struct trace_event event;
    struct store *s = store_create(path, &error);
    struct buffer stream = {0};
    uint8_t bytes[200], *p = bytes;
    p = pack_uint(pack_int(pack_array_header(p, 2), TRACE_TIME), 5000);
    p = pack_int(pack_int(pack_int(pack_array_header(p, 5), TRACE_CONNECTION), 3), 1);
    p = pack_address(pack_address(p, 1), 2);
    p = pack_int(pack_int(pack_int(pack_int(pack_array_header(p, 4), SYS_eventfd2), 0), 0), 3);
    p = pack_int(pack_int(pack_int(pack_array_header(p, 4), SYS_read), 3), 8);
    memset(p = pack_bin_header(p, 8), 1, 8);
    append(&stream, bytes, (size_t)(p + 8 - bytes));
    struct store_process process = {.node = (char *)"n", .exe = (char *)"/bin/true", .incarnation = 1, .start = 1000};
    put_stream(s, 1, &stream, &process);
    assert_true(store_process_put(s, &process, &error));
    free(stream.data);
    put_talker(s, 2, 9000, 2, 1, SYS_write, 10);
    struct timeline *t = timeline_open(s, &error);
    char order[16] = "";
    while (timeline_next(t, &event, &error) == 1)
        if (event.call == SYS_read || event.call == SYS_write)
            strcat(order, event.process == 1 ? "r" : "w");
    assert_string_equal(order, "rw");
    timeline_close(t);
    store_close(s);
}

/* A server waits for its client, which is not recorded; another waits for what the server says then. That the second would
 * wait longer than nothing else happens is no reason to let it go first. */
static void who_waits_for_one_that_waits_comes_after_it(void **unused)
{
    (void)unused;
    struct trace_event event;
    struct store *s = store_create(path, &error);
    struct buffer stream = {0};
    uint8_t bytes[300], *p = bytes;
    p = pack_uint(pack_int(pack_array_header(p, 2), TRACE_TIME), 5000);
    p = pack_int(pack_int(pack_int(pack_array_header(p, 5), TRACE_CONNECTION), 3), 1);
    p = pack_address(pack_address(p, 1), 9); /* from the client */
    p = pack_int(pack_int(pack_int(pack_array_header(p, 5), TRACE_CONNECTION), 4), 1);
    p = pack_address(pack_address(p, 2), 3); /* to the other server */
    p = pack_int(pack_int(pack_int(pack_array_header(p, 4), SYS_read), 3), 10);
    p = pack_bin_header(p, 10);
    memset(p, 'x', 10);
    p = pack_int(pack_int(pack_array_header(p + 10, 4), SYS_write), 4);
    p = pack_bin_header(p, 20);
    memset(p, 'x', 20);
    p = pack_int(p + 20, 20);
    append(&stream, bytes, (size_t)(p - bytes));
    struct store_process process = {.node = (char *)"n", .exe = (char *)"/bin/true", .incarnation = 1, .start = 1000};
    put_stream(s, 2, &stream, &process);
    assert_true(store_process_put(s, &process, &error));
    free(stream.data);
    put_talker(s, 1, 6000, 3, 2, SYS_read, 20); /* looked at first, as the lower number */
    struct timeline *t = timeline_open(s, &error);
    char order[16] = "";
    while (timeline_next(t, &event, &error) == 1)
        if (event.call >= 0)
            strcat(order, event.process == 1 ? "r" : event.call == SYS_write ? "w" : "q");
    assert_string_equal(order, "qwr");
    timeline_close(t);
    store_close(s);
}

enum { LOOKS = 500, MILLISECOND = 1000000 };

/* A process that looks at its descriptor 3 once a millisecond: it reads 10 bytes of a connection, or none at all. */
static void put_looker(struct store *s, uint32_t number, uint8_t local, uint8_t peer, uint32_t length)
{
    struct buffer stream = {0};
    uint8_t bytes[128], *p = bytes;
    p = pack_int(pack_int(pack_int(pack_array_header(p, 5), TRACE_CONNECTION), 3), 1);
    p = pack_address(pack_address(p, local), peer);
    append(&stream, bytes, (size_t)(p - bytes));
    for (int i = 0; i < LOOKS; i++) {
        p = pack_uint(pack_int(pack_array_header(bytes, 2), TRACE_TIME), MILLISECOND);
        p = pack_int(pack_int(pack_int(pack_array_header(p, 4), SYS_read), 3), length);
        memset(p = pack_bin_header(p, length), 'x', length);
        append(&stream, bytes, (size_t)(p + length - bytes));
    }
    struct store_process process = {.node = (char *)"n", .exe = (char *)"/bin/true", .incarnation = 1, .start = 1000};
    put_stream(s, number, &stream, &process);
    assert_true(store_process_put(s, &process, &error));
    free(stream.data);
}

/* What a client that is not recorded sent is waited for once, not at every read: else the node would fall behind the others
 * by the length of the run. */
static void an_unseen_sender_delays_nobody(void **unused)
{
    (void)unused;
    struct trace_event event;
    struct store *s = store_create(path, &error);
    put_looker(s, 1, 1, 2, 10);
    put_looker(s, 2, 3, 4, 0);
    struct timeline *t = timeline_open(s, &error);
    int looks[3] = {0}, apart = 0;
    while (timeline_next(t, &event, &error) == 1) {
        looks[event.process] += event.call == SYS_read;
        if (looks[2] - looks[1] > apart)
            apart = looks[2] - looks[1];
    }
    assert_int_equal(looks[1] + looks[2], 2 * LOOKS);
    assert_in_range(apart, 1, 25);
    timeline_close(t);
    store_close(s);
}

static void events_are_found_by_name(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    struct store *s = make_run(&stream);
    uint32_t process = 0;
    uint64_t sequence = 0;
    char name[32];
    assert_true(event_find(s, "n2@21", &process, &sequence, &error));
    assert_int_equal(process, 2);
    assert_int_equal(sequence, 1);
    struct store_process p = {.node = "n2", .event_base = 20};
    event_name(&p, 1, name, sizeof name);
    assert_string_equal(name, "n2@21");
    assert_false(event_find(s, "n3@1", &process, &sequence, &error));
    assert_string_equal(error.message, "no node n3 in the run; it has n1, n2");
    assert_false(event_find(s, "n2@999999", &process, &sequence, &error));
    assert_non_null(strstr(error.message, "no event 999999"));
    assert_false(event_find(s, "n2@-1", &process, &sequence, &error));
    assert_false(event_find(s, "n2", &process, &sequence, &error));
    store_close(s);
    free(stream.data);
}

static int findings(void)
{
    struct store *s = store_open(path, STORE_READ, &error);
    int n = s ? store_check(s, NULL, NULL, &error) : 1;
    store_close(s);
    return n;
}

static void one_flipped_byte_anywhere_is_found(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    struct stat st;
    store_close(make_run(&stream));
    assert_int_equal(findings(), 0);
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_RDWR);
    /* a stride without a common factor with the page size meets every kind of place */
    for (off_t at = 0; at < st.st_size; at += at < 4096 ? 7 : 97) {
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        if (findings() <= 0)
            fail_msg("flipping byte %lld was not found", (long long)at);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
    assert_int_equal(findings(), 0);
    free(stream.data);
}

static void a_file_cut_short_is_found(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    struct stat st;
    store_close(make_run(&stream));
    assert_int_equal(stat(path, &st), 0);
    for (off_t length = st.st_size - 1; length > 0; length -= 3000) {
        assert_int_equal(truncate(path, length), 0);
        assert_true(findings() > 0);
    }
    free(stream.data);
}

static void rows_written_later_keep_the_file_sound(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    store_close(make_run(&stream));
    struct store *s = store_open(path, STORE_WRITE, &error);
    assert_non_null(s);
    assert_true(store_execute(s, "CREATE TABLE t(a); INSERT INTO t SELECT zeroblob(3000) FROM chunk; DROP TABLE t;", &error));
    store_close(s);
    assert_int_equal(findings(), 0);
    free(stream.data);
}

static void refusals_say_why(void **unused)
{
    (void)unused;
    struct buffer stream = {0};
    assert_null(store_open(path, STORE_READ, &error));
    assert_non_null(strstr(error.message, "No such file"));
    FILE *f = fopen(path, "w");
    fputs("hello", f);
    fclose(f);
    assert_null(store_open(path, STORE_READ, &error));
    assert_non_null(strstr(error.message, "not a DRD run"));
    assert_null(store_create(path, &error));
    assert_non_null(strstr(error.message, "not a DRD run"));
    unlink(path);
    struct store *s = make_run(&stream);
    assert_null(store_open(path, STORE_READ, &error));
    assert_non_null(strstr(error.message, "being recorded"));
    assert_null(store_create(path, &error));
    assert_non_null(strstr(error.message, "being recorded"));
    store_close(s);
    s = store_create(path, &error); /* a finished run may be replaced */
    assert_non_null(s);
    assert_true(store_execute(s, "PRAGMA user_version=0x7f0007", &error));
    store_close(s);
    assert_null(store_open(path, STORE_READ, &error));
    assert_non_null(strstr(error.message, "newer drd"));
    free(stream.data);
}

/* ---- columns ---- */

static void append_int(struct buffer *b, int64_t value)
{
    uint8_t bytes[PACK_MAX];
    append(b, bytes, (size_t)(pack_int(bytes, value) - bytes));
}

/* getrusage, with a number of four bytes and a struct of 144 in it, and a string that looks like both. */
static void append_call(struct buffer *b, uint32_t number)
{
    uint8_t bytes[400], *p = bytes;
    p = pack_uint(pack_int(pack_array_header(p, 4), SYS_getrusage), 0x80000000u | number);
    p = pack_bin_header(p, 144);
    memset(p, (int)number, 144);
    p = pack_bin_header(p + 144, 150);
    memset(p, 0xce, 75);
    memset(p + 75, 0xc4, 75);
    append(b, bytes, (size_t)(p + 150 - bytes));
}

static void free_columns(struct buffer *column)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        free(column[i].data);
}

/* Split, join, compare, and see that no other length passes. Leaves the columns to look at. */
static void there_and_back(const struct buffer *b, struct buffer *column)
{
    uint8_t *back = malloc(b->length + 1 + COLUMNS_SLACK);
    assert_true(columns_split(column, b->data, b->data + b->length, &error));
    assert_true(columns_join(column, back, b->length));
    assert_true(!b->length || !memcmp(back, b->data, b->length));
    assert_false(columns_join(column, back, b->length + 1));
    assert_false(b->length && columns_join(column, back, b->length - 1));
    free(back);
}

static void columns_lose_nothing(void **unused)
{
    static const int64_t read[] = {0, 1, 127, 128, 223, 224, 255, 256, 4095, 4096, 65535, 65536, 0xffffff, 0x1000000,
        0xffffffff, 0x100000000, 0xffffffffff, 0x10000000000, 0xffffffffffff, 0x1000000000000, 0xffffffffffffff,
        0x100000000000000, INT64_MAX, -1, -32, -33, -129, -40000, INT64_MIN};
    static const uint8_t odd[] = {0xcc, 5, 0xcd, 0, 5, 0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xce, 0, 0, 0, 1, 0xd0, 5, 0xc5, 0, 144};
    struct buffer b = {0}, column[COLUMN_COUNT] = {{0}};
    (void)unused;
    there_and_back(&b, column); /* nothing at all */
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) /* a run at the start */
        append_int(&b, read[i]);
    there_and_back(&b, column);
    for (uint32_t n = 0; n < 600; n++) { /* runs of all lengths, more than one marker can count as well */
        append_call(&b, n);
        for (uint32_t i = 0; i < n; i++)
            append_int(&b, read[(n + i) % (sizeof read / sizeof *read)]);
    }
    there_and_back(&b, column); /* and at the end */
    assert_int_equal(column[COLUMN_STRUCTS].length, 600 * 144);
    append(&b, odd, sizeof odd); /* no shim writes such integers, and such a header for 144 bytes */
    append(&b, b.data, 144);
    there_and_back(&b, column);
    b.length = 0;
    append_call(&b, 1);
    there_and_back(&b, column);
    assert_int_equal(column[COLUMN_FIRST_READ].length + column[COLUMN_NEXT_READ].length + column[COLUMN_READ_REST].length, 0);
    free_columns(column);
    free(b.data);
}

/* Columns that do not belong together are refused, without reading or writing where nothing is: ASan looks on. */
static void columns_are_not_believed(void **unused)
{
    struct buffer b = {0}, column[COLUMN_COUNT] = {{0}};
    (void)unused;
    for (uint32_t n = 0; n < 9; n++) {
        append_call(&b, n);
        for (uint32_t i = 0; i < n; i++)
            append_int(&b, (int64_t)100 << (5 * i));
    }
    uint8_t *back = malloc(b.length + COLUMNS_SLACK);
    there_and_back(&b, column);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        struct buffer whole = column[i];
        for (size_t cut = 0; cut < whole.length; cut++) {
            column[i].data = malloc(cut + !cut);
            column[i].length = cut;
            memcpy(column[i].data, whole.data, cut);
            assert_false(columns_join(column, back, b.length));
            free(column[i].data);
        }
        column[i] = whole;
        for (unsigned at = 0; at < whole.length * 255; at++) { /* every byte gets every value: any answer will do */
            uint8_t *byte = &whole.data[at / 255], kept = *byte;
            *byte = (uint8_t)(kept + 1 + at % 255);
            columns_join(column, back, b.length);
            *byte = kept;
        }
    }
    assert_true(columns_join(column, back, b.length));
    free(back);
    free_columns(column);
    free(b.data);
}

/* A file of format 1 had the bytes of a chunk as they are, in one frame. */
static void chunks_of_one_frame_are_read(void **unused)
{
    struct chunk_row row = {0};
    struct trace_event event;
    uint8_t frame[64];
    (void)unused;
    struct store *s = store_create(path, &error);
    assert_non_null(s);
    row = (struct chunk_row){.process = 1, .records = 3, .raw = 3, .length = 3, .data = frame};
    row.size = ZSTD_compress(frame, sizeof frame, "\1\2\3", 3, 3);
    sqlite3_stmt *st = store_statement(s, ST_CHUNK_PUT, &error);
    const uint64_t number[] = {1, 0, 3, 0, 0, 0, 0, 3, 3, chunk_checksum(&row)};
    for (int i = 0; i < 10; i++)
        sqlite3_bind_int64(st, 1 + i, (sqlite3_int64)number[i]);
    sqlite3_bind_blob(st, 11, frame, (int)row.size, SQLITE_STATIC);
    assert_true(store_run(s, st, &error));
    struct stream *stream = stream_open(s, 1, &error);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stream_next(stream, &event, &error), 1);
    assert_int_equal(stream_next(stream, &event, &error), 0);
    assert_int_equal(stream_state(stream)->sequence, 3);
    stream_close(stream);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_stored_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(payloads_are_stored_once, setup, teardown),
        cmocka_unit_test_setup_teardown(seeking_and_reading_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(the_timeline_holds_everything_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_receive_comes_after_its_send, setup, teardown),
        cmocka_unit_test_setup_teardown(who_waits_for_one_that_waits_comes_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_number_that_is_used_again_is_another_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unseen_sender_delays_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(events_are_found_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(one_flipped_byte_anywhere_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_cut_short_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_written_later_keep_the_file_sound, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_say_why, setup, teardown),
        cmocka_unit_test(columns_lose_nothing),
        cmocka_unit_test(columns_are_not_believed),
        cmocka_unit_test_setup_teardown(chunks_of_one_frame_are_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
