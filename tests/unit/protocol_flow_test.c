/* From calls to connections, files and rows: on events made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "protocol/index.h"
#include "trace/msgpack.h"

/* --- a run under construction: events go to an index, rows come out of its database --- */

struct run {
    sqlite3 *db;
    struct index *index;
    uint64_t sequence[16];
    uint32_t thread;
};

static int run_begin(void **state)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    assert_int_equal(sqlite3_open(":memory:", &r->db), SQLITE_OK);
    assert_non_null(r->index = index_create(r->db, NULL));
    *state = r;
    return 0;
}

static int run_end(void **state)
{
    struct run *r = *state;
    index_destroy(r->index);
    sqlite3_close(r->db);
    free(r);
    return 0;
}

static struct trace_bytes text(const char *s)
{
    return (struct trace_bytes){(const uint8_t *)s, strlen(s)};
}

static struct trace_event event(struct run *r, uint32_t process, int32_t code, int64_t result)
{
    struct trace_event e = {.process = process, .code = code, .call = code >= 0 ? code : -1, .result = result, .complete = true};
    e.sequence = r->sequence[process]++;
    e.thread = r->thread;
    e.time = 1000 * (e.sequence + 1);
    return e;
}

static void feed(struct run *r, const struct trace_event *e)
{
    struct drd_error error = {0};
    if (!index_event(r->index, e, &error))
        fail_msg("%s", error.message);
}

/* A call with integers only. */
static void call(struct run *r, uint32_t process, int32_t nr, int64_t result, int64_t a, int64_t b, int64_t c)
{
    struct trace_event e = event(r, process, nr, result);
    e.argument[0] = a;
    e.argument[1] = b;
    e.argument[2] = c;
    feed(r, &e);
}

static void start(struct run *r, uint32_t process, const char *how, uint32_t parent, bool same_pid, const char *cwd)
{
    uint8_t map[512], *p = pack_map_header(map, cwd ? 4 : 3);
    const char *words[] = {"how", how, "parent", "same_pid", "cwd", cwd};
    for (int i = 0; i < 6 && words[i]; i++) {
        p = pack_str_header(p, (uint32_t)strlen(words[i]));
        memcpy(p, words[i], strlen(words[i]));
        p += strlen(words[i]);
        if (i == 2 || i == 3)
            p = pack_uint(p, i == 2 ? parent : same_pid);
    }
    struct trace_event e = event(r, process, TRACE_START, 0);
    e.fields = 1;
    e.field_bytes[0] = (struct trace_bytes){map, (size_t)(p - map)};
    feed(r, &e);
}

static void connection(struct run *r, uint32_t process, int fd, int role, const void *local, const void *peer, size_t size)
{
    struct trace_event e = event(r, process, TRACE_CONNECTION, 0);
    e.fields = 4;
    e.field[0] = fd;
    e.field[1] = role;
    e.field_bytes[2] = (struct trace_bytes){local, size};
    e.field_bytes[3] = (struct trace_bytes){peer, size};
    feed(r, &e);
}

static struct sockaddr_in ip(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Process 1 connects from port 40000 to process 2 on port 7000: descriptors 5 and 6. */
static void pair(struct run *r)
{
    struct sockaddr_in client = ip(40000), server = ip(7000);
    call(r, 1, SYS_socket, 5, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    call(r, 1, SYS_connect, -115, 5, 0, 0);
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    call(r, 2, SYS_accept4, 6, 3, 0, 0);
    connection(r, 2, 6, 1, &server, &client, sizeof client);
}

static void send_bytes(struct run *r, uint32_t process, int fd, const char *bytes, int64_t result)
{
    struct trace_event e = event(r, process, SYS_sendto, result);
    e.argument[0] = fd;
    e.input[1] = text(bytes);
    feed(r, &e);
}

static void receive_bytes(struct run *r, uint32_t process, int fd, const char *bytes)
{
    struct trace_event e = event(r, process, SYS_recvfrom, (int64_t)strlen(bytes));
    e.argument[0] = fd;
    e.output[1] = text(bytes);
    feed(r, &e);
}

static void opened(struct run *r, uint32_t process, const char *path, int flags, int fd)
{
    struct trace_event e = event(r, process, SYS_openat, fd);
    e.argument[0] = AT_FDCWD;
    e.argument[2] = flags;
    e.input[1] = text(path);
    feed(r, &e);
}

static void written(struct run *r, uint32_t process, int32_t nr, int fd, const char *bytes, int64_t result, int64_t offset)
{
    struct trace_event e = event(r, process, nr, result);
    e.argument[0] = fd;
    e.argument[3] = offset;
    e.input[1] = text(bytes);
    feed(r, &e);
}

static void two_paths(struct run *r, uint32_t process, int32_t nr, const char *from, const char *to)
{
    struct trace_event e = event(r, process, nr, 0);
    e.input[0] = text(from);
    e.input[1] = to ? text(to) : (struct trace_bytes){NULL, 0};
    feed(r, &e);
}

/* The rows of a query, as text: columns separated by blanks, rows by newlines. */
static void rows(struct run *r, const char *query, const char *expected)
{
    sqlite3_stmt *s;
    char out[4096] = "";
    assert_int_equal(sqlite3_prepare_v2(r->db, query, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            const char *value = (const char *)sqlite3_column_text(s, i);
            snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i ? " " : "", value ? value : "-");
        }
        strncat(out, "\n", sizeof out - strlen(out) - 1);
    }
    sqlite3_finalize(s);
    assert_string_equal(out, expected);
}

#define MESSAGES "SELECT connection, sender_process, sender_sequence, receiver_process, receiver_sequence, length, type " \
                 "FROM message ORDER BY id"
#define WRITES "SELECT process, sequence, path, offset, length, sync_sequence FROM durable_write ORDER BY process, sequence"

static void finish(struct run *r)
{
    assert_true(index_finish(r->index, NULL));
}

/* --- connections --- */

static void messages(void **state)
{
    struct run *r = *state;
    pair(r);
    send_bytes(r, 1, 5, "hello", 5);  /* 1@3 */
    send_bytes(r, 1, 5, "world!", 3); /* 1@4: three of six went out */
    send_bytes(r, 1, 5, "ld!", 3);    /* 1@5 */
    send_bytes(r, 1, 5, "lost", -11);
    receive_bytes(r, 2, 6, "hellow"); /* 2@2: the first message and a part of the second */
    receive_bytes(r, 2, 6, "orld!");  /* 2@3 */
    send_bytes(r, 2, 6, "ok", 2);     /* 2@4: never received */
    finish(r);
    rows(r, MESSAGES, "1 1 3 2 2 5 data\n1 1 4 2 3 3 data\n1 1 5 2 3 3 data\n1 2 4 - - 2 data\n");
    rows(r, "SELECT a_process, b_process, a_address, b_address, a_opened, b_opened, a_closed FROM connection",
         "1 2 127.0.0.1:40000 127.0.0.1:7000 2 1 -\n");
}

static void reconnect_with_the_same_ports(void **state)
{
    struct run *r = *state;
    pair(r);
    send_bytes(r, 1, 5, "one", 3);
    receive_bytes(r, 2, 6, "one");
    call(r, 2, SYS_close, 0, 6, 0, 0);
    call(r, 1, SYS_close, 0, 5, 0, 0);
    pair(r);
    send_bytes(r, 1, 5, "two", 3);
    receive_bytes(r, 2, 6, "two");
    finish(r);
    rows(r, MESSAGES, "1 1 3 2 2 3 data\n2 1 8 2 6 3 data\n");
}

/* The first connection was never accepted: the second one with the same ports is another. */
static void never_accepted(void **state)
{
    struct run *r = *state;
    struct sockaddr_in client = ip(40000), server = ip(7000);
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    send_bytes(r, 1, 5, "gone", 4);
    call(r, 1, SYS_close, 0, 5, 0, 0);
    pair(r);
    send_bytes(r, 1, 5, "here", 4);
    receive_bytes(r, 2, 6, "here");
    finish(r);
    rows(r, "SELECT connection, sender_sequence, receiver_sequence FROM message ORDER BY connection", "1 1 -\n2 6 2\n");
}

/* A client that is gone before it is accepted; sender not recorded; a dual-stack listener. */
static void late_accept(void **state)
{
    struct run *r = *state;
    struct sockaddr_in client = ip(40001), server = ip(7000);
    struct sockaddr_in6 client6 = {.sin6_family = AF_INET6, .sin6_port = htons(40001)};
    struct sockaddr_in6 server6 = {.sin6_family = AF_INET6, .sin6_port = htons(7000)};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &client6.sin6_addr);
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &server6.sin6_addr);
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    send_bytes(r, 1, 5, "bye", 3);
    call(r, 1, SYS_close, 0, 5, 0, 0);
    call(r, 2, SYS_accept, 6, 3, 0, 0);
    connection(r, 2, 6, 1, &server6, &client6, sizeof client6);
    receive_bytes(r, 2, 6, "bye");
    finish(r);
    rows(r, MESSAGES, "1 1 1 2 2 3 data\n");
}

static void unix_sockets(void **state)
{
    struct run *r = *state;
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/s.sock"};
    sa_family_t nameless = AF_UNIX;
    for (int i = 0; i < 2; i++) { /* two clients, accepted in the order of their connects */
        struct trace_event e = event(r, 1, TRACE_CONNECTION, 0);
        e.field[0] = 5 + i;
        e.field_bytes[2] = (struct trace_bytes){(uint8_t *)&nameless, sizeof nameless};
        e.field_bytes[3] = (struct trace_bytes){(uint8_t *)&path, sizeof path};
        feed(r, &e);
    }
    send_bytes(r, 1, 6, "second", 6);
    send_bytes(r, 1, 5, "first", 5);
    for (int i = 0; i < 2; i++) {
        struct trace_event e = event(r, 2, TRACE_CONNECTION, 0);
        e.field[0] = 8 + i;
        e.field[1] = 1;
        e.field_bytes[2] = (struct trace_bytes){(uint8_t *)&path, sizeof path};
        e.field_bytes[3] = (struct trace_bytes){(uint8_t *)&nameless, sizeof nameless};
        feed(r, &e);
    }
    receive_bytes(r, 2, 8, "first");
    receive_bytes(r, 2, 9, "second");
    finish(r);
    rows(r, MESSAGES, "1 1 3 2 2 5 data\n2 1 2 2 3 6 data\n");
}

/* Which client came first is not known for sure: what they said tells them apart. */
static void unix_clients_out_of_order(void **state)
{
    struct run *r = *state;
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/s.sock"};
    struct sockaddr_un none = {.sun_family = AF_UNIX};
    connection(r, 1, 5, 0, &none, &path, sizeof path);
    connection(r, 3, 5, 0, &none, &path, sizeof path);
    send_bytes(r, 1, 5, "{one}", 5);
    send_bytes(r, 3, 5, "{two}", 5);
    call(r, 3, SYS_close, 0, 5, 0, 0);
    connection(r, 2, 8, 1, &path, &none, sizeof path);
    connection(r, 2, 9, 1, &path, &none, sizeof path);
    receive_bytes(r, 2, 8, "{two");
    receive_bytes(r, 2, 8, "}");
    receive_bytes(r, 2, 9, "{one}");
    finish(r);
    rows(r, MESSAGES, "2 3 1 2 3 5 data\n1 1 1 2 4 5 data\n");
}

static void only_one_end_recorded(void **state)
{
    struct run *r = *state;
    struct sockaddr_in client = ip(40000), server = ip(7000);
    call(r, 2, SYS_accept4, 6, 3, 0, 0);
    connection(r, 2, 6, 1, &server, &client, sizeof client);
    receive_bytes(r, 2, 6, "ask");
    send_bytes(r, 2, 6, "answer", 6);
    finish(r);
    rows(r, "SELECT sender_process, sender_sequence, receiver_process, receiver_sequence, length FROM message ORDER BY length",
         "- - 2 2 3\n2 3 - - 6\n");
}

/* A blocking send: TRACE_ENTER holds the bytes, the record after it the result. */
static void blocking_send(void **state)
{
    struct run *r = *state;
    pair(r);
    struct trace_event e = event(r, 1, TRACE_ENTER, 0);
    e.call = SYS_write;
    e.complete = false;
    e.argument[0] = 5;
    e.input[1] = text("slow");
    feed(r, &e);                    /* 1@3 */
    receive_bytes(r, 2, 6, "slow"); /* 2@2, before the send returned */
    written(r, 1, SYS_write, 5, "", 4, 0);
    e = event(r, 1, TRACE_ENTER, 0);
    e.call = SYS_write;
    e.complete = false;
    e.argument[0] = 5;
    e.input[1] = text("broken");
    feed(r, &e);
    written(r, 1, SYS_write, 5, "", -32, 0);
    finish(r);
    rows(r, "SELECT sender_sequence, receiver_sequence, length FROM message ORDER BY id", "3 2 4\n5 - 6\n");
}

/* The child that handles a connection is the one that talks; dup and close do not end it. */
static void fork_and_dup(void **state)
{
    struct run *r = *state;
    pair(r);
    struct trace_event e = event(r, 2, TRACE_FORK, 0);
    e.field[0] = 3;
    feed(r, &e);
    call(r, 2, SYS_close, 0, 6, 0, 0);
    start(r, 3, "fork", 2, false, NULL);
    call(r, 3, SYS_dup2, 20, 6, 20, 0);
    call(r, 3, SYS_close, 0, 6, 0, 0);
    send_bytes(r, 1, 5, "hi", 2);
    receive_bytes(r, 3, 20, "hi");
    finish(r);
    rows(r, "SELECT sender_process, receiver_process, receiver_sequence FROM message", "1 3 3\n");
}

/* exec keeps what has no CLOEXEC; the child of vfork has a table of its own. */
static void exec_and_vfork(void **state)
{
    struct run *r = *state;
    pair(r); /* process 1: descriptor 5 */
    call(r, 1, SYS_fcntl, 9, 5, F_DUPFD_CLOEXEC, 9);
    feed(r, &(struct trace_event){.process = 1, .code = TRACE_VFORK_BEGIN, .call = -1, .sequence = r->sequence[1]++});
    call(r, 1, SYS_dup2, 1, 5, 1, 0);
    call(r, 1, SYS_close, 0, 5, 0, 0);
    feed(r, &(struct trace_event){.process = 1, .code = TRACE_EXEC, .call = -1, .sequence = r->sequence[1]++});
    struct trace_event end = event(r, 1, TRACE_VFORK_END, 0);
    end.field[0] = 77;
    feed(r, &end);
    start(r, 4, "exec", 1, false, "/");
    send_bytes(r, 4, 1, "child", 5);  /* 4@1 through descriptor 1 */
    send_bytes(r, 4, 9, "closed", 6); /* was closed by exec */
    send_bytes(r, 1, 5, "parent", 6); /* still has 5 */
    start(r, 5, "exec", 4, true, "/");
    send_bytes(r, 5, 1, "next", 4);
    receive_bytes(r, 2, 6, "childparentnext");
    finish(r);
    rows(r, "SELECT sender_sequence, length FROM message ORDER BY id", "1 5\n9 6\n1 4\n");
}

static void peek_and_sendfile(void **state)
{
    struct run *r = *state;
    pair(r);
    send_bytes(r, 1, 5, "ab", 2);
    struct trace_event e = event(r, 2, SYS_recvfrom, 2);
    e.argument[0] = 6;
    e.argument[3] = MSG_PEEK;
    e.output[1] = text("ab");
    feed(r, &e);
    receive_bytes(r, 2, 6, "ab");
    call(r, 1, SYS_sendfile, 3, 5, 7, 0);
    receive_bytes(r, 2, 6, "xyz");
    finish(r);
    rows(r, MESSAGES, "1 1 3 2 3 2 data\n1 1 4 2 4 3 data\n");
}

/* --- files --- */

static void durable_writes(void **state)
{
    struct run *r = *state;
    start(r, 1, "exec", 0, false, "/data/../n1");
    opened(r, 1, "./log", O_RDWR | O_CREAT, 4);
    written(r, 1, SYS_write, 4, "abcdef", 6, 0);   /* 1@2 */
    written(r, 1, SYS_write, 4, "ghi", 2, 0);      /* 1@3, two of three */
    call(r, 1, SYS_fsync, 0, 4, 0, 0);             /* 1@4 */
    written(r, 1, SYS_pwrite64, 4, "X", 1, 1);     /* 1@5: not synced */
    opened(r, 1, "meta", O_WRONLY | O_DSYNC, 5);
    written(r, 1, SYS_pwrite64, 5, "term", 4, 32); /* 1@7 */
    finish(r);
    rows(r, WRITES, "1 2 /n1/log 0 6 4\n1 3 /n1/log 6 2 4\n1 7 /n1/meta 32 4 7\n");
}

/* What is written while an fsync runs in another thread waits for the next one. */
static void fsync_in_another_thread(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/log", O_RDWR, 4);
    written(r, 1, SYS_write, 4, "one", 3, 0); /* 1@1 */
    r->thread = 1;
    struct trace_event e = event(r, 1, TRACE_ENTER, 0);
    e.call = SYS_fsync;
    e.complete = false;
    e.argument[0] = 4;
    feed(r, &e);
    r->thread = 0;
    written(r, 1, SYS_write, 4, "two", 3, 0); /* 1@3 */
    r->thread = 1;
    call(r, 1, SYS_fsync, 0, 4, 0, 0);        /* 1@4 */
    call(r, 1, SYS_fdatasync, 0, 4, 0, 0);    /* 1@5 */
    finish(r);
    rows(r, WRITES, "1 1 /log 0 3 4\n1 3 /log 3 3 5\n");
}

static void append_and_rename(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/log.tmp", O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, 4);
    written(r, 1, SYS_write, 4, "head", 4, 0);
    call(r, 1, SYS_lseek, 0, 4, 0, SEEK_SET);
    written(r, 1, SYS_write, 4, "tail", 4, 0); /* appended in spite of the seek */
    two_paths(r, 1, SYS_rename, "/log.tmp", "/log");
    call(r, 1, SYS_fsync, 0, 4, 0, 0);
    two_paths(r, 1, SYS_unlink, "/log", NULL);
    finish(r);
    rows(r, WRITES, "1 1 /log 0 4 5\n1 3 /log 4 4 5\n");
}

static void asynchronous(void **state)
{
    struct run *r = *state;
    uint8_t submit[20 + 4];
    uint32_t fd = 4, opcode = IOCB_CMD_PWRITE, length = 4;
    uint64_t offset = 4096;
    struct io_event done[1] = {{.res = 4}}, again[1] = {{.res = -11}};
    memcpy(submit, &fd, 4);
    memcpy(submit + 4, &opcode, 4);
    memcpy(submit + 8, &offset, 8);
    memcpy(submit + 16, &length, 4);
    memcpy(submit + 20, "data", 4);
    opened(r, 1, "/open-1", O_WRONLY | O_DSYNC, 4);
    for (int i = 0; i < 2; i++) { /* refused with EAGAIN first, then done */
        struct trace_event e = event(r, 1, SYS_io_submit, 1);
        e.argument[0] = 99;
        e.input[2] = (struct trace_bytes){submit, sizeof submit};
        feed(r, &e);
        e = event(r, 1, SYS_io_getevents, 1);
        e.argument[0] = 99;
        e.output[3] = (struct trace_bytes){(uint8_t *)(i ? done : again), sizeof done};
        feed(r, &e);
    }
    finish(r);
    rows(r, WRITES, "1 3 /open-1 4096 4 4\n");
}

/* --- draws, timers, marks --- */

static void named_events(void **state)
{
    struct run *r = *state;
    struct trace_event e = event(r, 1, TRACE_DRAW, 0);
    e.field_bytes[0] = text("rand");
    e.field[1] = 42;
    feed(r, &e);
    e = event(r, 1, SYS_getrandom, 4);
    e.output[0] = text("ABCD");
    feed(r, &e);
    e = event(r, 1, TRACE_TIMER, 0);
    e.field_bytes[0] = text("uv");
    e.field[1] = 500;
    e.field_bytes[3] = text("on_tick");
    feed(r, &e);
    call(r, 1, SYS_poll, 0, 0, 1, 100); /* expired */
    call(r, 1, SYS_poll, 0, 0, 1, 0);   /* only looked */
    call(r, 1, SYS_poll, 1, 0, 1, 100); /* something came */
    e = event(r, 1, TRACE_MARK, 0);
    e.fields = 5;
    e.field[0] = 7;
    e.field[1] = 3;
    e.field_bytes[4] = text("hello");
    feed(r, &e);
    opened(r, 1, "/dev/urandom", O_RDONLY, 4);
    e = event(r, 1, SYS_read, 2);
    e.argument[0] = 4;
    e.output[1] = text("xy");
    feed(r, &e);
    finish(r);
    rows(r, "SELECT sequence, source, value FROM draw ORDER BY sequence", "0 rand 42\n1 getrandom ABCD\n8 /dev/urandom xy\n");
    rows(r, "SELECT sequence, deadline, kind, expired FROM timer ORDER BY sequence", "2 3500 uv on_tick 0\n3 4000 poll 1\n");
    rows(r, "SELECT process, sequence, kind, a, b, c, text FROM mark", "1 6 7 3 0 0 hello\n");
}

/* Events that make no sense are ignored. */
static void strange_events(void **state)
{
    struct run *r = *state;
    const uint8_t junk[] = {2, 0, 255, 255, 255, 255};
    for (int32_t nr = TRACE_CODE_MIN; nr < CALL_MAX; nr++)
        for (int64_t value = -2; value < 3; value++) {
            struct trace_event e = event(r, 1, nr, value);
            if (nr == TRACE_ENTER)
                e.call = SYS_write;
            for (int i = 0; i < 6; i++) {
                e.argument[i] = value;
                e.input[i] = (struct trace_bytes){value > 0 ? junk : NULL, value > 0 ? sizeof junk : 0};
                e.output[i] = e.input[i];
            }
            for (int i = 0; i < 8; i++) {
                e.field[i] = i == 0 && nr == TRACE_FORK ? 2 : value;
                e.field_bytes[i] = (struct trace_bytes){junk, sizeof junk};
            }
            feed(r, &e);
        }
    finish(r);
}

/* --- the halves of messages --- */

static bool count_row(void *context, const struct index_link *link, int side, const struct index_part *sent,
                      const struct index_part *received)
{
    unsigned *counts = context; /* both, sent only, received only */
    (void)link, (void)side;
    counts[!received ? 1 : !sent ? 2 : 0]++;
    return true;
}

static void links_are_bounded(void **state)
{
    unsigned counts[3] = {0};
    struct index_link *alone = calloc(1, sizeof *alone), *paired = calloc(1, sizeof *paired);
    (void)state;
    paired->paired = true;
    for (uint64_t i = 1; i <= 100000; i++) {
        struct index_part part = {i * 10, 10, i, 0};
        assert_true(index_link_sent(alone, 0, &part, count_row, counts));
        assert_true(index_link_sent(paired, 0, &part, count_row, counts));
        if (i % 3 == 0)
            assert_true(index_link_received(paired, 0, &part, count_row, counts));
    }
    assert_true(alone->way[0].sent.capacity <= 1024);
    assert_true(paired->way[0].sent.capacity <= 1024);
    assert_true(index_link_finish(alone, count_row, counts));
    assert_true(index_link_finish(paired, count_row, counts));
    free(alone);
    free(paired);
    assert_int_equal(counts[0], 99999);
    assert_int_equal(counts[1], 100001);
    assert_int_equal(counts[2], 0);
}

#define IN_RUN(f) cmocka_unit_test_setup_teardown(f, run_begin, run_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_RUN(messages), IN_RUN(reconnect_with_the_same_ports), IN_RUN(never_accepted), IN_RUN(late_accept),
        IN_RUN(unix_sockets), IN_RUN(unix_clients_out_of_order), IN_RUN(only_one_end_recorded), IN_RUN(blocking_send), IN_RUN(fork_and_dup),
        IN_RUN(exec_and_vfork), IN_RUN(peek_and_sendfile), IN_RUN(durable_writes), IN_RUN(fsync_in_another_thread),
        IN_RUN(append_and_rename), IN_RUN(asynchronous), IN_RUN(named_events), IN_RUN(strange_events),
        cmocka_unit_test(links_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
