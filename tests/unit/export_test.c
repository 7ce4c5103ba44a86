/* The feed of the exports on a run made by hand: which call received what which call sent, what is lost, what was never
 * sent;
 * and the track of nodes, fact by fact. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "export/export.h"
#include "export/feed.h"
#include "export/words.h"
#include "lib/check.h"
#include "lib/maker.h"

#define I(n) ((int64_t)(n))
#define SECOND 1000000000ull
#define CLIENT "\2\0\x9c\x40\x7f\0\0\1\0\0\0\0\0\0\0\0"   /* 127.0.0.1:40000 */
#define SERVER "\2\0\x1b\x59\x7f\0\0\1\0\0\0\0\0\0\0\0"   /* 127.0.0.1:7001 */
#define STRANGER "\2\0\x9c\x41\x7f\0\0\1\0\0\0\0\0\0\0\0" /* 127.0.0.1:40001 */

static char scratch[PATH_MAX];
static struct maker stream[2];
static struct store *store;
static struct store_process *process;
static size_t processes;
static struct cast cast;

static void connection(struct maker *m, int fd, int role, const char *local, const char *peer)
{
    maker_record(m, "iiibb", I(TRACE_CONNECTION), I(fd), I(role), local, (size_t)16, peer, (size_t)16);
}

static void sends(struct maker *m, int fd, const char *text)
{
    maker_record(m, "iibi", I(SYS_write), I(fd), text, strlen(text), I(strlen(text)));
}

static void reads(struct maker *m, int fd, const char *text)
{
    maker_record(m, "iiib", I(SYS_read), I(fd), I(strlen(text)), text, strlen(text));
}

static void make_streams(void)
{
    struct maker *a = &stream[0], *b = &stream[1];
    memset(stream, 0, sizeof stream);
    maker_record(a, "ii", I(TRACE_TIME), I(1 * SECOND));
    connection(a, 3, 0, CLIENT, SERVER);
    sends(a, 3, "hello");                                                                            /* a@2 */
    sends(a, 3, "world!");                                                                           /* a@3 */
    maker_record(a, "iiib", I(TRACE_ENTER), I(SYS_write), I(3), "0123456789", (size_t)10);           /* a@4 */
    maker_record(a, "iini", I(SYS_write), I(3), I(4));                                               /* a@5: only 4 left */
    sends(a, 3, "tail");                                                                             /* a@6 */
    maker_record(b, "ii", I(TRACE_TIME), I(2 * SECOND));
    connection(b, 7, 1, SERVER, CLIENT);
    reads(b, 7, "hellowor");   /* b@2: the first, and a part of the second */
    reads(b, 7, "ld!0123ta");  /* b@3: its rest, what left of the third, and a part of the last */
    sends(b, 7, "never read"); /* b@4 */
    connection(b, 8, 1, SERVER, STRANGER);
    reads(b, 8, "\xff\xe2\x80\xae");
    sends(b, 8, "to nobody"); /* b@7 */
}

static int make_run(void **state)
{
    (void)state;
    struct drd_error e = {0};
    struct store_process made[2] = {
        {.node = (char *)"a \"\xe2\x80\xae", .exe = (char *)"/bin/a", .incarnation = 1, .pid = 1, .start = SECOND,
         .end = 3 * SECOND,
         .status = 0, .complete = true},
        {.node = (char *)"b", .exe = (char *)"/bin/b", .incarnation = 1, .pid = 2, .start = SECOND, .end = 3 * SECOND,
         .status = 9,
         .complete = true},
    };
    scratch_enter(scratch, sizeof scratch);
    make_streams();
    maker_run("a.drd", made, stream, 2);
    assert_non_null(store = store_open("a.drd", STORE_READ, &e));
    assert_true(store_processes(store, &process, &processes, &e));
    assert_true(cast_init(&cast, process, processes));
    return 0;
}

static int remove_run(void **state)
{
    (void)state;
    cast_fini(&cast);
    for (size_t i = 0; i < processes; i++)
        store_process_fini(&process[i]);
    free(process);
    store_close(store);
    scratch_leave(scratch);
    return 0;
}

/* --- the feed --- */

struct told {
    char text[4096];
    unsigned live; /* messages sent, and neither received nor lost */
};

static void tell(struct told *t, const char *what, const struct feed_message *m)
{
    size_t used = strlen(t->text);
    snprintf(t->text + used, sizeof t->text - used, "%s %u@%d-%u@%d %d\n", what, m->sent.process,
             m->sent.process ? (int)m->sent.sequence : -1, m->received.process,
                 m->received.process ? (int)m->received.sequence : -1,
             (int)m->length);
}

static void on_sent(void *context, struct feed_message *m)
{
    ((struct told *)context)->live++;
    m->user = context;
}

static void on_received(void *context, struct feed_message *m)
{
    struct told *t = context;
    assert_ptr_equal(m->user, m->sent.process ? context : NULL);
    t->live -= m->sent.process != 0;
    tell(t, "received", m);
}

static void on_lost(void *context, struct feed_message *m)
{
    ((struct told *)context)->live--;
    tell(context, "lost", m);
}

static void both_ends_of_a_message(void **state)
{
    (void)state;
    struct told t = {.text = ""};
    struct drd_error e = {0};
    const struct feed_listener listener = {.context = &t, .sent = on_sent, .received = on_received, .lost = on_lost};
    assert_true(feed_run(store, &cast, &listener, &e));
    assert_int_equal(t.live, 0);
    /* Of the blocking write 4 bytes of 10 left. Of the last, only a part was read. Who is not recorded is not waited for. */
    assert_string_equal(t.text, "received 1@2-2@2 5\n"
                                "received 1@3-2@3 6\n"
                                "received 1@4-2@3 4\n"
                                "received 0@-1-2@6 4\n"
                                "lost 2@7-0@-1 9\n"
                                "lost 1@6-0@-1 4\n"
                                "lost 2@4-0@-1 10\n");
}

static void the_pass_ends_when_it_is_told_to(void **state)
{
    (void)state;
    struct told t = {.text = ""};
    struct drd_error e = {0};
    const bool yes = true;
    const struct feed_listener stopped = {.context = &t, .stop = &yes, .received = on_received};
    assert_true(feed_run(store, &cast, &stopped, &e));
    assert_string_equal(t.text, "");
    const struct feed_listener failed = {.context = &t, .failed = &yes};
    assert_false(feed_run(store, &cast, &failed, &e));
    assert_string_equal(e.message, "out of memory");
}

/* --- names --- */

static void names_are_words(void **state)
{
    (void)state;
    char event[CAST_EVENT];
    struct store_process made[4] = {{.number = 1, .node = (char *)"x y"}, {.number = 3, .node = (char *)"x_y"},
                                    {.number = 9, .node = (char *)""},
                                        {.number = 12, .node = (char *)"x y", .event_base = 5}};
    struct cast c;
    assert_true(cast_init(&c, made, 4));
    assert_int_equal(c.nodes, 3);
    assert_string_equal(cast_word(&c, 1), "x_y");
    assert_string_equal(cast_word(&c, 3), "x_y~2");
    assert_string_equal(cast_word(&c, 9), "?");
    assert_string_equal(cast_word(&c, 12), "x_y");
    assert_string_equal(cast_word(&c, 2), "?");
    assert_int_equal(cast_node(&c, 12), 0);
    assert_int_equal(cast_node(&c, 4), -1);
    assert_string_equal(cast_event(&c, 12, 7, event), "x y@12");
    cast_fini(&c);
    assert_string_equal(cast_word(&cast, 1), "a_\"___");
}

static void words_are_printable(void **state)
{
    (void)state;
    char out[40] = "";
    struct raft_message m = {.type = RAFT_OTHER, .name = "\x1b[31m\xff\n"};
    words_message(&m, out, sizeof out);
    assert_string_equal(out, "?[31m??");
    m.type = RAFT_REQUEST_VOTE_RESULT;
    m.term = UINT64_MAX;
    words_message(&m, out, sizeof out); /* cut, and ended */
    assert_string_equal(out, "?[31m??; vote refused, term 18446744073");
}

/* --- the track --- */

struct changes {
    char text[4096];
};

static void on_change(void *context, const struct track_change *change)
{
    struct changes *c = context;
    size_t used = strlen(c->text);
    words_change(change, c->text + used, sizeof c->text - used - 2);
    strcat(c->text, "\n");
}

static void fact(struct track *t, struct raft_fact f)
{
    f.process = 2;
    track_fact(t, &f);
}

static void message(struct track *t, bool sent, struct raft_message m)
{
    fact(t, (struct raft_fact){.kind = sent ? RAFT_FACT_SENT : RAFT_FACT_RECEIVED, .message = &m});
}

static void a_node_over_time(void **state)
{
    (void)state;
    struct changes c = {.text = ""};
    struct track t;
    const struct raft_entry entry = {.index = 1, .term = 2, .type = 'c', .text = "x=1"};
    assert_true(track_init(&t, &cast, on_change, &c));
    fact(&t, (struct raft_fact){.kind = RAFT_FACT_TERM, .term = 1, .loaded = true});
    message(&t, true, (struct raft_message){.type = RAFT_REQUEST_VOTE, .term = 2, .pre_vote = true, .from = "1"});
    message(&t, true, (struct raft_message){.type = RAFT_REQUEST_VOTE, .term = 2, .from = "1"});
    message(&t, true, (struct raft_message){.type = RAFT_REQUEST_VOTE, .term = 2, .from = "1"});
    message(&t, true, (struct raft_message){.type = RAFT_APPEND_ENTRIES, .term = 2});
    fact(&t, (struct raft_fact){.kind = RAFT_FACT_APPEND, .entry = entry, .written = true});
    fact(&t, (struct raft_fact){.kind = RAFT_FACT_APPEND, .entry = entry, .durable = true, .again = true});
    fact(&t, (struct raft_fact){.kind = RAFT_FACT_COMMIT, .index = 1});
    fact(&t, (struct raft_fact){.kind = RAFT_FACT_COMMIT, .index = 1});
    message(&t, true, (struct raft_message){.type = RAFT_REQUEST_VOTE, .term = 1, .from = "1"}); /* had waited */
    message(&t, false, (struct raft_message){.type = RAFT_APPEND_ENTRIES, .term = 4, .prev_index = 1, .entries = 2,
                                             .commit = 5});
    message(&t, true, (struct raft_message){.type = RAFT_APPEND_ENTRIES_RESULT, .term = 4, .match = 3, .success = true});
    fact(&t, (struct raft_fact){.kind = RAFT_FACT_TRUNCATE, .index = 2});
    assert_string_equal(c.text, "is a Raft server in term 1\nbecomes candidate of term 2\nvotes for 1 in term 2\n"
                                "becomes leader of term 2\nappends \"x=1\" at 1 (term 2)\ncommits up to 1\n"
                                "becomes follower in term 4\ncommits up to 3\ndeletes its log after 2\n");
    track_fini(&t);
}

/* --- formats --- */

static void every_format_is_found(void **state)
{
    (void)state;
    size_t count = 0;
    for (; export_formats[count]; count++)
        assert_ptr_equal(export_find(export_formats[count]->name), export_formats[count]);
    assert_int_equal(count, 7);
    assert_null(export_find("nosuch"));
    assert_null(export_find(""));
}

/* What the client sent stands in the capture once, in its order, without what never left. */
static void every_byte_that_left(void **state)
{
    (void)state;
    char *text = NULL, all[64] = "";
    size_t size;
    struct drd_error e = {0};
    struct export_result result = {0};
    const struct export_run run = {.store = store, .process = process, .processes = processes, .begin = SECOND,
                                   .name = "a.drd"};
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_true(export_pcapng.write(&run, out, &result, &e));
    fclose(out);
    for (const char *p = text; (p = memmem(p, size - (size_t)(p - text), "\x0a\0\0\x01\x0a\0\0\x02", 8))
         ; p++) { /* from a to b */
        uint16_t length = (uint16_t)((uint8_t)p[-10] << 8 | (uint8_t)p[-9]);
        strncat(all, p + 28, length - 40u);
    }
    assert_string_equal(all, "helloworld!0123tail");
    free(text);
}

static void the_pass_ends_at_a_full_disk(void **state)
{
    (void)state;
    struct drd_error e = {0};
    struct export_result result = {0};
    const struct export_run run = {.store = store, .process = process, .processes = processes, .begin = SECOND,
                                   .name = "a.drd"};
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_true(export_pcapng.write(&run, full, &result, &e));
    assert_true(ferror(full));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_of_a_message), cmocka_unit_test(the_pass_ends_when_it_is_told_to),
        cmocka_unit_test(names_are_words), cmocka_unit_test(words_are_printable), cmocka_unit_test(a_node_over_time),
        cmocka_unit_test(every_format_is_found), cmocka_unit_test(every_byte_that_left),
            cmocka_unit_test(the_pass_ends_at_a_full_disk),
    };
    return cmocka_run_group_tests(tests, make_run, remove_run);
}
