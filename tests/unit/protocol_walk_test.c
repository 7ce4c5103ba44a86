/* From calls to facts: on events made by hand, with the log and the messages of ovsdb as they are easy to write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "protocol/walk.h"

#define FACTS_MAX 64

/* What was told: a line each, and the ids of messages. */
struct run {
    struct walk *walk;
    uint64_t sequence[16];
    uint32_t thread;
    char line[FACTS_MAX][256];
    uint64_t id[FACTS_MAX];
    struct raft_message message; /* the last; its entries are gone */
    char members[128];           /* of its first entry */
    unsigned told;
};

static void told(void *context, const struct raft_fact *f)
{
    static const char *const kinds[] = {"sent", "received", "term", "vote", "role", "append", "truncate", "rewritten", "commit",
                                        "apply", "snapshot", "configuration", "node", "start", "fault", "failed", "text"};
    struct run *r = context;
    assert_true(r->told < FACTS_MAX);
    r->id[r->told] = f->message ? f->message->id : 0;
    if (f->message) {
        r->message = *f->message;
        const char *members = f->message->entries ? f->message->entry[0].members : NULL;
        snprintf(r->members, sizeof r->members, "%s", members ? members : "");
    }
    snprintf(r->line[r->told++], sizeof *r->line, "%u@%llu/%u %s%s%s%s%s %llu:%llu%s%s%s%s", f->process,
             (unsigned long long)f->sequence, f->thread, kinds[f->kind], f->written ? " written" : "",
             f->durable ? " durable" : "", f->again ? " again" : "", f->loaded ? " loaded" : "",
             (unsigned long long)(f->message ? f->message->prev_index : f->index), (unsigned long long)f->term,
             *f->peer ? " " : "", f->peer, f->text ? " " : "", f->text ? f->text : "");
}

static int run_begin(void **state)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    struct walk_listener listener = {.context = r, .fact = told};
    assert_non_null(r->walk = walk_create(&listener));
    *state = r;
    return 0;
}

static int run_end(void **state)
{
    struct run *r = *state;
    walk_destroy(r->walk);
    free(r);
    return 0;
}

/* Everything told since the last look, in order. */
static void expect(struct run *r, const char *lines)
{
    char all[FACTS_MAX * sizeof *r->line] = "";
    for (unsigned i = 0; i < r->told; i++) {
        strcat(all, r->line[i]);
        strcat(all, "\n");
    }
    assert_string_equal(all, lines);
    r->told = 0;
}

static struct trace_bytes text(const char *s)
{
    return (struct trace_bytes){(const uint8_t *)s, strlen(s)};
}

static struct trace_event event(struct run *r, uint32_t process, int32_t code, int64_t result)
{
    struct trace_event e = {.process = process, .code = code, .call = code >= 0 ? code : -1, .result = result,
                            .complete = true};
    e.sequence = r->sequence[process]++;
    e.thread = r->thread;
    e.time = 1000 * (e.sequence + 1);
    return e;
}

static void feed(struct run *r, const struct trace_event *e)
{
    assert_true(walk_event(r->walk, e));
}

/* A call with a descriptor and bytes given to it or taken from it. */
static void call(struct run *r, uint32_t process, int32_t nr, int64_t result, int64_t fd, const char *in, const char *out)
{
    struct trace_event e = event(r, process, nr, result);
    e.argument[0] = fd;
    e.input[1] = in ? text(in) : (struct trace_bytes){NULL, 0};
    e.output[1] = out ? text(out) : (struct trace_bytes){NULL, 0};
    feed(r, &e);
}

/* --- messages --- */

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

#define ASK(n) "{\"method\":\"vote_request\",\"params\":[{\"term\":5,\"last_log_index\":" #n "}]}"
#define SENT(r, process, fd, bytes) call(r, process, SYS_sendto, (int64_t)strlen(bytes), fd, bytes, NULL)
#define RECEIVED(r, process, fd, bytes) call(r, process, SYS_recvfrom, (int64_t)strlen(bytes), fd, NULL, bytes)

static void ids_over_tcp(void **state)
{
    struct run *r = *state;
    struct sockaddr_in client = ip(40000), server = ip(7000);
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    SENT(r, 1, 5, ASK(1)); /* before the other end is accepted */
    SENT(r, 1, 5, ASK(1));
    connection(r, 2, 6, 1, &server, &client, sizeof client);
    RECEIVED(r, 2, 6, ASK(1) ASK(1));
    SENT(r, 2, 6, ASK(1)); /* the same bytes at the same place of the other direction */
    RECEIVED(r, 1, 5, ASK(1));
    assert_int_equal(r->told, 6);
    assert_true(r->id[0] && r->id[1] && r->id[4] && r->id[0] != r->id[1] && r->id[4] != r->id[0] && r->id[4] != r->id[1]);
    assert_true(r->id[2] == r->id[0] && r->id[3] == r->id[1] && r->id[5] == r->id[4]);
    call(r, 1, SYS_close, 0, 5, NULL, NULL);
    call(r, 2, SYS_close, 0, 6, NULL, NULL);
    connection(r, 2, 6, 1, &server, &client, sizeof client); /* the same ports again; the accepted end is seen first */
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    SENT(r, 1, 5, ASK(1));
    RECEIVED(r, 2, 6, ASK(1));
    assert_true(r->id[6] == r->id[7] && r->id[6] != r->id[0] && r->id[6] != r->id[4]);
}

/* Which client is which shows when its bytes arrive. */
static void ids_over_unix(void **state)
{
    struct run *r = *state;
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/s.sock"}, none = {.sun_family = AF_UNIX};
    connection(r, 1, 5, 0, &none, &path, sizeof path);
    connection(r, 3, 5, 0, &none, &path, sizeof path);
    SENT(r, 1, 5, ASK(1));
    SENT(r, 3, 5, ASK(2));
    connection(r, 2, 8, 1, &path, &none, sizeof path);
    connection(r, 2, 9, 1, &path, &none, sizeof path);
    RECEIVED(r, 2, 8, ASK(2));
    RECEIVED(r, 2, 9, ASK(1));
    assert_true(r->id[0] != r->id[1] && r->id[2] == r->id[1] && r->id[3] == r->id[0]);
}

static void threads(void **state)
{
    struct run *r = *state;
    struct sockaddr_in client = ip(40000), server = ip(7000);
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    r->thread = 3;
    SENT(r, 1, 5, ASK(7));
    expect(r, "1@1/3 sent 7:5\n");
}

static void clients(void **state)
{
    struct run *r = *state;
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/s.sock"}, none = {.sun_family = AF_UNIX};
    const char *write = "{\"id\":7,\"method\":\"transact\",\"params\":[\"DRD\",{\"op\":\"wait\",\"table\":\"kv\"},"
                        "{\"op\":\"insert\",\"table\":\"kv\"}]}";
    const char *select = "{\"id\":8,\"method\":\"transact\",\"params\":[\"DRD\","
                         "{\"op\":\"select\",\"table\":\"kv\",\"where\":[]}]}";
    const char *refused = "{\"id\":7,\"result\":[{},{\"error\":\"not leader\"}],\"error\":null}";
    const char *rows = "{\"id\":8,\"result\":[{\"rows\":[]}],\"error\":null}";
    char request[48];
    connection(r, 1, 5, 0, &none, &path, sizeof path);
    SENT(r, 1, 5, write);
    assert_int_equal(r->message.type, RAFT_CLIENT_REQUEST);
    assert_false(r->message.read);
    assert_string_equal(r->message.key, "kv");
    memcpy(request, r->message.request, sizeof request);
    connection(r, 2, 8, 1, &path, &none, sizeof path);
    RECEIVED(r, 2, 8, write);
    assert_string_equal(r->message.request, request);
    SENT(r, 1, 5, select);
    assert_true(r->message.read);
    assert_string_not_equal(r->message.request, request);
    RECEIVED(r, 2, 8, select);
    SENT(r, 2, 8, refused);
    assert_int_equal(r->message.type, RAFT_CLIENT_RESULT);
    assert_string_equal(r->message.request, request);
    assert_false(r->message.success);
    assert_true(r->message.value == 0);
    SENT(r, 2, 8, rows);
    assert_true(r->message.success && r->message.read && r->message.value);
    assert_int_equal(r->told, 6);
    SENT(r, 2, 8, rows); /* answered already */
    SENT(r, 2, 8, "{\"id\":\"echo\",\"result\":[],\"error\":null}");
    SENT(r, 1, 5, "{\"id\":9,\"method\":\"transact\",\"params\":[\"_Server\","
                  "{\"op\":\"select\",\"table\":\"Database\",\"where\":[]}]}");
    assert_int_equal(r->told, 6);
    RECEIVED(r, 1, 5, refused);
    assert_int_equal(r->told, 7);
    assert_string_equal(r->message.request, request);
}

static void ovsdb_messages(void **state)
{
    struct run *r = *state;
    struct sockaddr_in client = ip(40000), server = ip(7000);
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    SENT(r, 1, 5, "{\"id\":null,\"method\":\"vote_reply\",\"params\":[{\"to\":\"a\",\"from\":\"b\",\"term\":4,"
                  "\"vote\":\"c\",\"is_prevote\":true}]}");
    assert_int_equal(r->message.type, RAFT_REQUEST_VOTE_RESULT);
    assert_true(r->message.pre_vote && !r->message.success);
    assert_string_equal(r->message.vote, "c");
    SENT(r, 1, 5, "{\"id\":null,\"method\":\"become_leader\",\"params\":[{\"to\":\"a\",\"from\":\"b\",\"term\":4}]}");
    assert_int_equal(r->message.type, RAFT_TIMEOUT_NOW);
    assert_true(r->message.term == 4);
    SENT(r, 1, 5, "{\"id\":null,\"method\":\"append_reply\",\"params\":[{\"to\":\"a\",\"from\":\"b\",\"term\":4,"
                  "\"log_end\":9,\"prev_log_index\":20,\"prev_log_term\":3,\"n_entries\":2,\"result\":\"inconsistency\"}]}");
    assert_true(!r->message.success && r->message.match == 8);
    SENT(r, 1, 5, "{\"id\":null,\"method\":\"append_request\",\"params\":[{\"to\":\"a\",\"from\":\"b\",\"term\":4,"
                  "\"prev_log_index\":20,\"prev_log_term\":3,\"leader_commit\":20,\"log\":[{\"term\":4,\"servers\":"
                  "{\"c\":\"tcp:127.0.0.1:3\",\"a\":\"tcp:127.0.0.1:1\"}}]}]}");
    assert_string_equal(r->members, "a c");
    SENT(r, 1, 5, "{\"id\":null,\"method\":\"install_snapshot_request\",\"params\":[{\"to\":\"a\",\"from\":\"b\",\"term\":4,"
                  "\"last_index\":20,\"last_term\":3,\"last_servers\":{\"b\":\"tcp:127.0.0.1:2\","
                  "\"a\":\"tcp:127.0.0.1:1\"},\"data\":[]}]}");
    assert_string_equal(r->members, "a b");
    assert_true(r->message.prev_index == 20 && r->message.prev_term == 3);
    static const char *const others[] = {"hello_request", "add_server_request", "add_server_reply", "remove_server_request",
                                         "remove_server_reply", "execute_command_request", "execute_command_reply"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char line[128];
        snprintf(line, sizeof line, "{\"id\":null,\"method\":\"%s\",\"params\":[{\"from\":\"b\"}]}", others[i]);
        SENT(r, 1, 5, line);
        assert_int_equal(r->message.type, RAFT_OTHER);
        assert_string_equal(r->message.name, others[i]);
    }
}

/* A message of libraft: type and header, words of 64 bits. */
static void libraft_sent(struct run *r, uint64_t type, size_t words, const uint64_t *word)
{
    uint64_t bytes[16] = {type, 8 * words};
    memcpy(bytes + 2, word, 8 * words);
    struct trace_event e = event(r, 1, SYS_sendto, (int64_t)(16 + 8 * words));
    e.argument[0] = 5;
    e.input[1] = (struct trace_bytes){(const uint8_t *)bytes, 16 + 8 * words};
    feed(r, &e);
}
#define LIBRAFT(type, ...) libraft_sent(r, type, sizeof((uint64_t[]){__VA_ARGS__}) / 8, (uint64_t[]){__VA_ARGS__})

/* Lengths of all versions: without flags (V1), with them, and the flags that 0.18 added to results. */
static void libraft_messages(void **state)
{
    struct run *r = *state;
    struct sockaddr_in client = ip(40000), server = ip(7000);
    uint64_t handshake[5] = {1, 1, 16};
    connection(r, 1, 5, 0, &client, &server, sizeof client);
    memcpy(handshake + 3, "127.0.0.1:9001", 15);
    struct trace_event e = event(r, 1, SYS_sendto, sizeof handshake);
    e.argument[0] = 5;
    e.input[1] = (struct trace_bytes){(const uint8_t *)handshake, sizeof handshake};
    feed(r, &e);
    LIBRAFT(3, 7, 1, 20, 6);
    assert_true(r->message.type == RAFT_REQUEST_VOTE && r->message.prev_index == 20 && r->message.prev_term == 6);
    assert_false(r->message.pre_vote);
    LIBRAFT(3, 7, 1, 20, 6, 2);
    assert_true(r->message.pre_vote);
    LIBRAFT(4, 7, 1);
    assert_true(r->message.type == RAFT_REQUEST_VOTE_RESULT && r->message.success && !r->message.pre_vote);
    LIBRAFT(4, 7, 0, 1);
    assert_true(!r->message.success && r->message.pre_vote);
    LIBRAFT(2, 7, 0, 33);
    assert_true(r->message.type == RAFT_APPEND_ENTRIES_RESULT && r->message.success && r->message.match == 33);
    LIBRAFT(2, 7, 40, 33, 1);
    assert_true(!r->message.success && r->message.prev_index == 40 && r->message.match == 33);
    LIBRAFT(6, 7, 20, 6);
    assert_true(r->message.type == RAFT_TIMEOUT_NOW && r->message.prev_index == 20 && r->message.prev_term == 6);
    assert_string_equal(r->message.from, "1");
    assert_int_equal(r->told, 1 + 7);
}

/* --- files --- */

static void opened(struct run *r, uint32_t process, const char *path, int flags, int fd)
{
    struct trace_event e = event(r, process, SYS_openat, fd);
    e.argument[0] = AT_FDCWD;
    e.argument[2] = flags;
    e.input[1] = text(path);
    feed(r, &e);
}

/* A call with integers only. */
static void plain(struct run *r, uint32_t process, int32_t nr, int64_t result, int64_t a, int64_t b, int64_t c)
{
    struct trace_event e = event(r, process, nr, result);
    e.argument[0] = a;
    e.argument[1] = b;
    e.argument[2] = c;
    feed(r, &e);
}

static void entered(struct run *r, uint32_t process, int32_t nr, int64_t fd)
{
    struct trace_event e = event(r, process, TRACE_ENTER, 0);
    e.call = nr;
    e.complete = false;
    e.argument[0] = fd;
    feed(r, &e);
}

/* Records of the log: {"term":N}, in static storage. */
static const char *record(unsigned term)
{
    static char out[4][128];
    static unsigned next;
    char body[32], *line = out[next++ % 4];
    snprintf(body, sizeof body, "{\"term\":%u}\n", term);
    snprintf(line, sizeof *out, "OVSDB CLUSTER %zu 0000000000000000000000000000000000000000\n%s", strlen(body), body);
    return line;
}

static void wrote(struct run *r, uint32_t process, int fd, unsigned term)
{
    const char *bytes = record(term);
    call(r, process, SYS_write, (int64_t)strlen(bytes), fd, bytes, NULL);
}

static void written_then_durable(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR | O_CREAT, 4);
    wrote(r, 1, 4, 1);
    wrote(r, 1, 4, 2);
    expect(r, "1@1/0 term written 0:1\n1@2/0 term written 0:2\n");
    plain(r, 1, SYS_sync_file_range, 0, 4, 0, 0);
    expect(r, "");
    plain(r, 1, SYS_fdatasync, 0, 4, 0, 0);
    expect(r, "1@4/0 term durable again 0:1\n1@4/0 term durable again 0:2\n");
    wrote(r, 1, 4, 3);
    plain(r, 1, SYS_close, 0, 4, 0, 0);
    plain(r, 1, SYS_sync, 0, 0, 0, 0);
    expect(r, "1@5/0 term written 0:3\n"); /* and nothing more */
    opened(r, 1, "/n1.db", O_RDWR | O_DSYNC, 4);
    wrote(r, 1, 4, 4);
    plain(r, 1, SYS_fsync, 0, 4, 0, 0);
    expect(r, "1@9/0 term written durable 0:4\n");
}

/* Another thread writes while one syncs: only what was written before is durable then. */
static void written_during_the_sync(void **state)
{
    static const int32_t calls[] = {SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_sync};
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR | O_CREAT, 4);
    for (unsigned i = 0; i < 4; i++) {
        char lines[128];
        wrote(r, 1, 4, 10 * i + 1);
        r->thread = 1;
        entered(r, 1, calls[i], 4);
        r->thread = 0;
        wrote(r, 1, 4, 10 * i + 2);
        r->told = 0;
        r->thread = 1;
        plain(r, 1, calls[i], 0, 4, 0, 0);
        r->thread = 0;
        unsigned at = (unsigned)r->sequence[1] - 1;
        snprintf(lines, sizeof lines, "1@%u/1 term durable again 0:%u\n", at, 10 * i + 1);
        expect(r, lines);
        plain(r, 1, SYS_fsync, 0, 4, 0, 0);
        snprintf(lines, sizeof lines, "1@%u/0 term durable again 0:%u\n", at + 1, 10 * i + 2);
        expect(r, lines);
    }
}

/* What went with the power is said anew by the process that read the file back without it. */
static void written_again_after_a_loss(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR | O_CREAT, 4);
    wrote(r, 1, 4, 1);
    plain(r, 1, SYS_fsync, 0, 4, 0, 0);
    wrote(r, 1, 4, 4);
    opened(r, 2, "/n1.db", O_RDWR, 4);
    r->told = 0;
    const char *kept = record(1);
    call(r, 2, SYS_read, (int64_t)strlen(kept), 4, NULL, kept);
    expect(r, "2@1/0 term loaded 0:1\n");
    wrote(r, 2, 4, 4);
    wrote(r, 2, 4, 3); /* as the term of an entry: the current one is higher */
    plain(r, 2, SYS_fsync, 0, 4, 0, 0);
    expect(r, "2@2/0 term written 0:4\n2@4/0 term durable again 0:4\n");
}

static void durable_by_flags(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR | O_CREAT, 4);
    struct trace_event e = event(r, 1, SYS_pwritev2, (int64_t)strlen(record(1)));
    e.argument[0] = 4;
    e.argument[5] = 2; /* RWF_DSYNC */
    e.input[1] = text(record(1));
    feed(r, &e);
    expect(r, "1@1/0 term written durable 0:1\n");
}

static void device(struct run *r, uint32_t process, int fd, uint64_t dev)
{
    uint8_t st[144] = {0};
    struct trace_event e = event(r, process, SYS_newfstatat, 0);
    memcpy(st, &dev, sizeof dev);
    e.argument[0] = fd;
    e.input[1] = text("");
    e.output[2] = (struct trace_bytes){st, sizeof st};
    feed(r, &e);
}

static void another_file_system(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR | O_CREAT, 4);
    opened(r, 1, "/mnt/lock", O_RDWR | O_CREAT, 5);
    wrote(r, 1, 4, 1);
    device(r, 1, 4, 7);
    device(r, 1, 5, 8);
    r->told = 0;
    plain(r, 1, SYS_syncfs, 0, 5, 0, 0);
    expect(r, "");
    device(r, 1, 5, 7);
    plain(r, 1, SYS_syncfs, 0, 5, 0, 0);
    expect(r, "1@7/0 term durable again 0:1\n");
}

static void mapped(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR | O_CREAT, 4);
    struct trace_event e = event(r, 1, SYS_mmap, 1 << 20);
    e.argument[1] = 5000;
    e.argument[3] = 1; /* MAP_SHARED */
    e.argument[4] = 4;
    feed(r, &e);
    wrote(r, 1, 4, 1);
    plain(r, 1, SYS_msync, 0, 0, 8192, 1);      /* MS_ASYNC */
    plain(r, 1, SYS_msync, 0, 0, 4096, 4);      /* MS_SYNC of another mapping */
    expect(r, "1@2/0 term written 0:1\n");
    plain(r, 1, SYS_msync, 0, 0, 8192, 4);
    expect(r, "1@5/0 term durable again 0:1\n");
}

static void renamed(struct run *r, uint32_t process, const char *from, const char *to, int64_t result)
{
    struct trace_event e = event(r, process, SYS_rename, result);
    e.input[0] = text(from);
    e.input[1] = text(to);
    feed(r, &e);
}

static void failures(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/d/n1.db", O_RDWR | O_CREAT, 4);
    call(r, 1, SYS_write, -28, 4, record(1), NULL); /* known by what should have been written */
    expect(r, "1@1/0 failed 0:0 write n1.db: ENOSPC\n");
    call(r, 1, SYS_write, 5, 4, record(1), NULL);
    call(r, 1, SYS_write, -4, 4, record(1), NULL); /* EINTR: it is called again */
    wrote(r, 1, 4, 1);
    r->told = 0;
    call(r, 1, SYS_write, 10, 4, record(2), NULL);
    plain(r, 1, SYS_fsync, -5, 4, 0, 0);
    plain(r, 1, SYS_ftruncate, -5, 4, 100, 0);
    renamed(r, 1, "/d/n1.db", "/d/n2.db", -13);
    expect(r, "1@5/0 failed 0:0 write n1.db: 10 of 69 bytes\n1@6/0 failed 0:0 fsync n1.db: EIO\n"
              "1@7/0 failed 0:0 ftruncate n1.db: EIO\n1@8/0 failed 0:0 rename n1.db: EACCES\n");
    opened(r, 1, "/d/notes", O_RDWR | O_CREAT, 5); /* nobody's */
    call(r, 1, SYS_write, -28, 5, "hello", NULL);
    plain(r, 1, SYS_fsync, -5, 5, 0, 0);
    renamed(r, 1, "/d/notes", "/d/notes.old", -13);
    expect(r, "");
}

/* --- reads --- */

/* A whole log: header, term 1 with a vote, an entry, its commit. */
static const char *whole_log(void)
{
    static char out[2048];
    static const char *const bodies[] = {
        "{\"server_id\":\"a\",\"prev_index\":1,\"prev_term\":1,\"prev_servers\":"
        "{\"b\":\"tcp:1.1.1.1:2\",\"a\":\"tcp:1.1.1.1:1\"}}\n",
        "{\"term\":2,\"vote\":\"b\"}\n", "{\"term\":3,\"index\":2,\"data\":[null,{}]}\n", "{\"commit_index\":2}\n",
    };
    out[0] = 0;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        sprintf(out + strlen(out), "OVSDB CLUSTER %zu 0000000000000000000000000000000000000000\n%s", strlen(bodies[i]),
                bodies[i]);
    return out;
}

static void took(struct run *r, uint32_t process, int fd, const char *bytes, size_t length)
{
    struct trace_event e = event(r, process, SYS_read, (int64_t)length);
    e.argument[0] = fd;
    e.output[1] = (struct trace_bytes){(const uint8_t *)bytes, length};
    feed(r, &e);
}

static void read_back(void **state)
{
    struct run *r = *state;
    const char *log = whole_log();
    size_t length = strlen(log), first = 300;
    opened(r, 1, "/n1.db", O_RDWR, 4);
    took(r, 1, 4, log, first);
    expect(r, "1@1/0 node loaded 0:0 a\n1@1/0 snapshot loaded 1:1\n1@1/0 configuration loaded 1:0 a b\n"
              "1@1/0 term loaded 0:2\n1@1/0 vote loaded 0:2 b\n");
    plain(r, 1, SYS_lseek, 0, 4, 0, SEEK_SET);
    took(r, 1, 4, log, first); /* once more, as the server does it */
    expect(r, "");
    struct trace_event e = event(r, 1, SYS_pread64, (int64_t)(length - 250));
    e.argument[0] = 4;
    e.argument[3] = 250; /* overlaps */
    e.output[1] = text(log + 250);
    feed(r, &e);
    expect(r, "1@4/0 term loaded 0:3\n1@4/0 append loaded 2:3\n1@4/0 commit loaded 2:0\n");
    plain(r, 1, SYS_lseek, (int64_t)length, 4, 0, SEEK_END);
    wrote(r, 1, 4, 4);
    expect(r, "1@6/0 term written 0:4\n"); /* what it reads does not disturb what it writes */
}

/* Another process reads at the same time; one that could not write is no server. */
static void several_readers(void **state)
{
    struct run *r = *state;
    const char *log = whole_log();
    opened(r, 1, "/n1.db", O_RDWR, 4);
    opened(r, 2, "/n1.db", O_RDWR, 4);
    opened(r, 3, "/n1.db", O_RDONLY, 4);
    took(r, 1, 4, log, 100);
    took(r, 2, 4, log, 200);
    took(r, 3, 4, log, strlen(log));
    r->told = 0;
    took(r, 1, 4, log + 100, strlen(log) - 100);
    assert_int_equal(r->told, 8);
    took(r, 2, 4, log + 200, strlen(log) - 200);
    assert_true(r->told >= 8 + 5);
    r->told = 0;
    plain(r, 1, SYS_close, 0, 4, 0, 0);
    opened(r, 1, "/n1.db", O_RDWR, 4);
    took(r, 1, 4, log, strlen(log)); /* a new opening begins anew */
    assert_int_equal(r->told, 8);
}

static void read_by_mapping(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR, 4);
    struct trace_event e = event(r, 1, SYS_mmap, 1 << 20);
    e.argument[1] = 8192;
    e.argument[3] = 1; /* MAP_SHARED */
    e.argument[4] = 4;
    e.output[0] = text(whole_log());
    feed(r, &e);
    assert_int_equal(r->told, 8);
}

/* Every process that reads or is new: memory stays bounded. */
static void many_readers(void **state)
{
    struct run *r = *state;
    opened(r, 1, "/n1.db", O_RDWR, 4);
    for (int i = 0; i < 100; i++) {
        opened(r, 1, "/n1.db", O_RDWR, 5 + i);
        took(r, 1, 5 + i, whole_log(), 100);
    }
    assert_int_equal(r->told, 0);
}

/* --- processes, faults, words --- */

static void start(struct run *r, uint32_t process, const char *exe, uint32_t parent)
{
    uint8_t map[512], *p = pack_map_header(map, exe ? 3 : 2);
    const char *words[] = {"how", exe ? "exec" : "fork", "parent", NULL, "exe", exe};
    for (int i = 0; i < 6; i++) {
        if (i == 3) {
            p = pack_uint(p, parent);
        } else if (i < 4 || exe) {
            p = pack_str_header(p, (uint32_t)strlen(words[i]));
            memcpy(p, words[i], strlen(words[i]));
            p += strlen(words[i]);
        }
    }
    struct trace_event e = event(r, process, TRACE_START, 0);
    e.fields = 1;
    e.field_bytes[0] = (struct trace_bytes){map, (size_t)(p - map)};
    feed(r, &e);
}

static void starts(void **state)
{
    struct run *r = *state;
    start(r, 1, "/usr/bin/server", 0);
    start(r, 2, NULL, 1);
    start(r, 3, NULL, 2);
    start(r, 4, NULL, 9);
    expect(r, "1@0/0 start 0:0 server\n2@0/0 start 0:0 server\n3@0/0 start 0:0 server\n4@0/0 start 0:0 \n");
}

static void faults(void **state)
{
    struct run *r = *state;
    struct trace_event e = event(r, 1, TRACE_FAULT, 0);
    e.fields = 3;
    e.field_bytes[0] = text("cut");
    e.field[1] = -1;
    e.field_bytes[2] = text("n2");
    feed(r, &e);
    expect(r, "1@0/0 fault 0:0 n2 cut\n");
}

#define IN_RUN(f) cmocka_unit_test_setup_teardown(f, run_begin, run_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_RUN(ids_over_tcp), IN_RUN(ids_over_unix), IN_RUN(threads), IN_RUN(clients), IN_RUN(ovsdb_messages),
        IN_RUN(libraft_messages),
        IN_RUN(written_then_durable),
        IN_RUN(written_during_the_sync), IN_RUN(written_again_after_a_loss), IN_RUN(durable_by_flags), IN_RUN(another_file_system),
        IN_RUN(mapped), IN_RUN(failures),
        IN_RUN(read_back), IN_RUN(several_readers), IN_RUN(read_by_mapping), IN_RUN(many_readers),
        IN_RUN(starts), IN_RUN(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
