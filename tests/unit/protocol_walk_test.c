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
    unsigned told;
};

static void told(void *context, const struct raft_fact *f)
{
    static const char *const kinds[] = {"sent", "received", "term", "vote", "role", "append", "truncate", "commit", "apply",
                                        "snapshot", "configuration", "node", "start", "fault", "failed", "text"};
    struct run *r = context;
    assert_true(r->told < FACTS_MAX);
    r->id[r->told] = f->message ? f->message->id : 0;
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
    struct trace_event e = {.process = process, .code = code, .call = code >= 0 ? code : -1, .result = result, .complete = true};
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

#define IN_RUN(f) cmocka_unit_test_setup_teardown(f, run_begin, run_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_RUN(ids_over_tcp), IN_RUN(ids_over_unix), IN_RUN(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
