/* The raftkv adapter: its numbers against those of the server, and what it finds in what real servers said and wrote
 * (tests/fuzz/corpus/raftkv). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fuzz/raftkv_input.h"
#include "nodes/raftkv/wire.h"
#include "protocol/raftkv.h"

#define SAME(ours, theirs) assert_int_equal(ours, theirs)

static void formats(void **state)
{
    (void)state;
    SAME(RAFTKV_VERSION, WIRE_VERSION);
    SAME(RAFTKV_MESSAGE_MAX, WIRE_MESSAGE_MAX);
    SAME(RAFTKV_BATCH_MAX, WIRE_BATCH_MAX);
    SAME(RAFTKV_CONTENT_MAX, WIRE_CONTENT_MAX);
    SAME(RAFTKV_ADDRESS, WIRE_ADDRESS);
    SAME(RAFTKV_HELLO, sizeof(struct wire_hello));
    SAME(RAFTKV_HELLO_VERSION, offsetof(struct wire_hello, version));
    SAME(RAFTKV_HELLO_ID, offsetof(struct wire_hello, id));
    SAME(RAFTKV_HELLO_ADDRESS, offsetof(struct wire_hello, address));
    SAME(RAFTKV_HEADER, sizeof(struct wire_header));
    SAME(RAFTKV_HEADER_VERSION, offsetof(struct wire_header, version));
    SAME(RAFTKV_HEADER_TYPE, offsetof(struct wire_header, type));
    SAME(RAFTKV_HEADER_FLAGS, offsetof(struct wire_header, flags));
    SAME(RAFTKV_HEADER_FROM, offsetof(struct wire_header, from));
    SAME(RAFTKV_HEADER_TERM, offsetof(struct wire_header, term));
    SAME(RAFTKV_REQUEST_VOTE, WIRE_REQUEST_VOTE);
    SAME(RAFTKV_VOTE_REPLY, WIRE_VOTE_REPLY);
    SAME(RAFTKV_APPEND_ENTRIES, WIRE_APPEND_ENTRIES);
    SAME(RAFTKV_APPEND_REPLY, WIRE_APPEND_REPLY);
    SAME(RAFTKV_INSTALL_SNAPSHOT, WIRE_INSTALL_SNAPSHOT);
    SAME(RAFTKV_SNAPSHOT_REPLY, WIRE_SNAPSHOT_REPLY);
    SAME(RAFTKV_TIMEOUT_NOW, WIRE_TIMEOUT_NOW);
    SAME(RAFTKV_PRE_VOTE, WIRE_PRE_VOTE);
    SAME(RAFTKV_BODY_REQUEST_VOTE, sizeof(struct wire_request_vote));
    SAME(RAFTKV_BODY_VOTE_REPLY, sizeof(struct wire_vote_reply));
    SAME(RAFTKV_BODY_APPEND_ENTRIES, sizeof(struct wire_append_entries));
    SAME(RAFTKV_BODY_APPEND_REPLY, sizeof(struct wire_append_reply));
    SAME(RAFTKV_BODY_INSTALL_SNAPSHOT, sizeof(struct wire_install_snapshot));
    SAME(RAFTKV_BODY_SNAPSHOT_REPLY, sizeof(struct wire_snapshot_reply));
    SAME(RAFTKV_ENTRY, sizeof(struct wire_entry));
    SAME(RAFTKV_ENTRY_TYPE, offsetof(struct wire_entry, type));
    SAME(RAFTKV_ENTRY_LENGTH, offsetof(struct wire_entry, length));
    SAME(RAFTKV_COMMAND, WIRE_COMMAND);
    SAME(RAFTKV_NOOP, WIRE_NOOP);
    SAME(RAFTKV_CONFIGURATION, WIRE_CONFIGURATION);
    SAME(RAFTKV_TRUNCATE, FILE_TRUNCATE);
}

static void formats_of_files(void **state)
{
    (void)state;
    SAME(RAFTKV_VOTE, sizeof(struct file_vote));
    SAME(RAFTKV_VOTE_SLOT, FILE_VOTE_SLOT);
    SAME(RAFTKV_VOTE_SEQUENCE, offsetof(struct file_vote, sequence));
    SAME(RAFTKV_VOTE_TERM, offsetof(struct file_vote, term));
    SAME(RAFTKV_VOTE_FOR, offsetof(struct file_vote, voted_for));
    SAME(RAFTKV_VOTE_CHECKSUM, offsetof(struct file_vote, checksum));
    SAME(RAFTKV_LOG, sizeof(struct file_log));
    SAME(RAFTKV_RECORD, sizeof(struct file_record));
    SAME(0, offsetof(struct file_record, checksum));
    SAME(RAFTKV_RECORD_INDEX, offsetof(struct file_record, index));
    SAME(RAFTKV_RECORD_TERM, offsetof(struct file_record, term));
    SAME(RAFTKV_RECORD_TYPE, offsetof(struct file_record, type));
    SAME(RAFTKV_RECORD_LENGTH, offsetof(struct file_record, length));
    SAME(RAFTKV_SNAPSHOT, sizeof(struct file_snapshot));
    SAME(RAFTKV_SNAPSHOT_INDEX, offsetof(struct file_snapshot, last_index));
    SAME(RAFTKV_SNAPSHOT_TERM, offsetof(struct file_snapshot, last_term));
    SAME(RAFTKV_SNAPSHOT_DIGEST, offsetof(struct file_snapshot, digest));
    SAME(RAFTKV_SNAPSHOT_CHECKSUM, offsetof(struct file_snapshot, checksum));
    SAME(RAFTKV_SNAPSHOT_MEMBERS_INDEX, offsetof(struct file_snapshot, configuration_index));
    SAME(RAFTKV_SNAPSHOT_MEMBERS, offsetof(struct file_snapshot, configuration_length));
    SAME(RAFTKV_SNAPSHOT_SESSIONS, offsetof(struct file_snapshot, sessions));
    SAME(RAFTKV_SNAPSHOT_PAIRS, offsetof(struct file_snapshot, pairs));
    SAME(RAFTKV_SESSION, sizeof(struct file_session));
    SAME(RAFTKV_PAIR, sizeof(struct file_pair));
}

/* --- what a walk tells of a corpus file --- */

struct told {
    unsigned kinds[RAFT_FACT_TEXT + 1], types[RAFT_CLIENT_RESULT + 1], loaded, granted, reads, refused, differing;
    uint64_t log[256]; /* digests, by index: of all that shows an entry */
    char node[RAFT_NODE_NAME], members[64];
    struct raft_fact snapshot, apply;
    struct raft_message request, result, append, installed;
    uint64_t fingerprint, shown_by_files, shown_by_messages;
};

static struct told told;

static void entry_seen(const struct raft_entry *e, bool file)
{
    assert_true(e->index > 0 && e->index < 256 && e->term > 0);
    told.differing += told.log[e->index] && told.log[e->index] != e->digest;
    told.log[e->index] = e->digest;
    *(file ? &told.shown_by_files : &told.shown_by_messages) += 1;
    if (e->type == 'm')
        assert_non_null(e->members);
}

static void message_seen(const struct raft_message *m)
{
    told.types[m->type]++;
    told.granted += m->type == RAFT_REQUEST_VOTE_RESULT && m->success && !m->pre_vote;
    told.refused += m->type == RAFT_CLIENT_RESULT && !m->success;
    told.reads += m->type == RAFT_CLIENT_REQUEST && m->read;
    if (m->type == RAFT_APPEND_ENTRIES && m->entries)
        told.append = *m;
    if (m->type == RAFT_INSTALL_SNAPSHOT)
        told.installed = *m;
    if (m->type == RAFT_CLIENT_REQUEST && m->entries)
        told.request = *m;
    if (m->type == RAFT_CLIENT_RESULT && !m->read && !strcmp(m->request, told.request.request))
        told.result = *m;
    for (size_t i = 0; m->type == RAFT_APPEND_ENTRIES && i < m->entries; i++)
        entry_seen(&m->entry[i], false);
}

static void fact_seen(void *context, const struct raft_fact *f)
{
    (void)context;
    told.kinds[f->kind]++;
    told.loaded += f->loaded;
    told.fingerprint = told.fingerprint * 31 + f->kind + 7 * f->term + 11 * f->index + f->entry.digest;
    if (f->message) {
        told.fingerprint = told.fingerprint * 31 + f->message->length + f->message->match + f->message->value;
        message_seen(f->message);
    }
    if (f->kind == RAFT_FACT_APPEND)
        entry_seen(&f->entry, true);
    if (f->kind == RAFT_FACT_NODE)
        snprintf(told.node, sizeof told.node, "%s", f->peer);
    if (f->kind == RAFT_FACT_CONFIGURATION)
        snprintf(told.members, sizeof told.members, "%s", f->text);
    if (f->kind == RAFT_FACT_SNAPSHOT)
        told.snapshot = *f;
    if (f->kind == RAFT_FACT_APPLY)
        told.apply = *f;
}

static uint8_t *corpus(const char *name, size_t *size)
{
    char path[512];
    uint8_t *data = malloc(1 << 17);
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/raftkv/%s", DRD_SOURCE_DIR, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_non_null(data);
    *size = fread(data, 1, 1 << 17, f);
    fclose(f);
    return data;
}

static void run(const char *name, uint8_t piece)
{
    struct walk_listener listener = {.fact = fact_seen};
    size_t size;
    uint8_t *data = corpus(name, &size);
    struct walk *w = walk_create(&listener);
    assert_non_null(w);
    memset(&told, 0, sizeof told);
    data[0] = piece;
    raftkv_input_feed(w, data, size);
    walk_destroy(w);
    free(data);
}

static void leader(void **state)
{
    (void)state;
    run("leader", 0);
    assert_string_equal(told.node, "1");
    assert_string_equal(told.members, "1 2 3");
    assert_true(told.types[RAFT_APPEND_ENTRIES] >= 10 && told.types[RAFT_APPEND_ENTRIES_RESULT] >= 10);
    assert_true(told.types[RAFT_REQUEST_VOTE] >= 1 && told.granted >= 1);
    assert_true(told.kinds[RAFT_FACT_TERM] >= 1 && told.kinds[RAFT_FACT_VOTE] >= 1);
    assert_true(told.shown_by_files >= 10 && told.shown_by_messages >= 5);
    assert_int_equal(told.differing, 0); /* the same entries on the wire and on disk */
    assert_int_equal(told.append.from[0], '1');
    assert_true(told.append.round > 0);
    assert_string_equal(told.request.name, "PUT");
    assert_int_equal(told.request.entry ? 1 : 0, 1);
    assert_string_equal(told.result.name, "OK");
    assert_true(told.result.success && told.result.match > 1 && told.result.match < 256);
    assert_string_equal(told.result.key, told.request.key);
}

static void followers(void **state)
{
    (void)state;
    run("follower", 0);
    assert_true(told.granted >= 1); /* by it */
    assert_true(told.kinds[RAFT_FACT_VOTE] >= 1);
    assert_true(told.snapshot.index > 1 && told.snapshot.entry.digest != 0);
    assert_int_equal(told.differing, 0);
    run("installed", 0);
    assert_int_equal(told.types[RAFT_INSTALL_SNAPSHOT], 1);
    assert_true(told.types[RAFT_TIMEOUT_NOW] >= 1);
    assert_int_equal(told.snapshot.index, told.installed.prev_index);
    assert_int_equal(told.snapshot.term, told.installed.prev_term);
    assert_string_equal(told.node, "3");
}

/* What it read back; term and vote from the slot that holds. */
static void restarted(void **state)
{
    (void)state;
    run("restarted", 0);
    assert_true(told.loaded > 10);
    assert_true(told.log[2] && told.log[20]);
    assert_int_equal(told.snapshot.index > 0, 1);
    assert_int_equal(told.differing, 0);
}

static void learners(void **state)
{
    (void)state;
    run("members", 0);
    assert_true(told.kinds[RAFT_FACT_CONFIGURATION] >= 3);
    assert_int_equal(told.differing, 0);
}

static void clients(void **state)
{
    (void)state;
    run("leader_snapshot", 0);
    assert_true(told.types[RAFT_CLIENT_REQUEST] >= 20);
    assert_true(told.reads >= 2);
    assert_int_equal(told.types[RAFT_TIMEOUT_NOW], 0); /* it went to another server */
    assert_true(told.apply.entry.index > 1 && told.apply.entry.digest != 0 && !told.apply.entry.term);
    assert_true(told.kinds[RAFT_FACT_COMMIT] > 0);
}

static void pieces(void **state)
{
    static const char *const names[] = {"leader", "follower", "installed", "restarted", "members", "leader_snapshot"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        run(names[i], 0);
        uint64_t whole = told.fingerprint;
        unsigned messages = told.kinds[RAFT_FACT_SENT] + told.kinds[RAFT_FACT_RECEIVED];
        assert_true(told.fingerprint != 0);
        for (uint8_t piece = 40; piece >= 10; piece -= 10) { /* the first piece of a client's line tells that it is one */
            run(names[i], piece);
            assert_int_equal(told.kinds[RAFT_FACT_SENT] + told.kinds[RAFT_FACT_RECEIVED], messages);
            assert_true(told.fingerprint == whole);
        }
    }
}

/* --- log files that are cut, or replaced --- */

static uint64_t sum(uint64_t before, const void *bytes, size_t length)
{
    for (const unsigned char *p = bytes; length--;)
        before = (before ^ *p++) * 1099511628211ull;
    return before;
}

/* A log of no-ops of term 2 after `base`, up to `last`. Returns its length. */
static size_t log_make(uint8_t *out, uint64_t base, uint64_t last)
{
    struct file_log head = {.magic = FILE_LOG_MAGIC, .version = WIRE_VERSION, .base_index = base, .base_term = base ? 2 : 0};
    size_t length = sizeof head;
    head.checksum = sum(14695981039346656037ull, &head, sizeof head);
    memcpy(out, &head, sizeof head);
    for (uint64_t i = base + 1; i <= last; i++, length += sizeof(struct file_record)) {
        struct file_record r = {.index = i, .term = 2, .type = RAFTKV_NOOP};
        r.checksum = sum(14695981039346656037ull, &r, sizeof r);
        memcpy(out + length, &r, sizeof r);
    }
    return length;
}

/* The file's bytes, read back by process 1 or written by it. Nobody has it open afterwards. */
static void log_pass(struct walk *w, const char *path, bool read, uint64_t base, uint64_t last)
{
    uint8_t bytes[1024];
    struct flow_file file = {.path = (char *)path};
    struct flow_at at = {.process = 1, .sequence = 1};
    size_t length = log_make(bytes, base, last);
    struct flow_write write = {.file = &file, .data = bytes, .length = length, .number = 1, .begun = at, .done = at};
    if (read)
        walk_file_read(w, &(struct flow_read){.file = &file, .data = bytes, .length = length, .at = at});
    else
        walk_file_write(w, &write);
    walk_test_file_free(w, &file);
}

static struct raft_fact last_fact;

static void fact_kept(void *context, const struct raft_fact *f)
{
    (void)context;
    last_fact = *f;
}

static void log_is(enum raft_fact_kind kind, uint64_t index, uint64_t last)
{
    assert_int_equal(last_fact.kind, kind);
    assert_int_equal(last_fact.index, index);
    assert_int_equal(last_fact.entry.index, last);
    assert_true(last_fact.written && !last_fact.durable && !last_fact.loaded);
    assert_int_equal(last_fact.process, 1);
    assert_int_equal(last_fact.sequence, 9);
    last_fact.kind = RAFT_FACT_TEXT;
}

static void log_files(void **state)
{
    static const size_t head = sizeof(struct file_log), record = sizeof(struct file_record);
    struct walk_listener listener = {.fact = fact_kept};
    struct flow_at at = {.process = 1, .sequence = 9};
    struct walk *w = walk_create(&listener);
    (void)state;
    log_pass(w, "/d/log", true, 0, 3);
    last_fact.kind = RAFT_FACT_TEXT;
    walk_test_resized(w, "/d/log", head + 3 * record + 7, &at); /* what is behind the records is no entry */
    assert_int_equal(last_fact.kind, RAFT_FACT_TEXT);
    walk_test_resized(w, "/d/log", head + 3 * record - 1, &at);
    log_is(RAFT_FACT_TRUNCATE, 2, 0);
    walk_test_resized(w, "/d/log", head, &at);
    log_is(RAFT_FACT_TRUNCATE, 0, 0);
    log_pass(w, "/d/log.tmp", false, 4, 6);
    last_fact.kind = RAFT_FACT_TEXT;
    walk_test_renamed(w, "/d/log.tmp", "/d/log", &at);
    assert_int_equal(last_fact.term, 2);
    log_is(RAFT_FACT_REWRITTEN, 4, 6);
    walk_test_resized(w, "/d/log", head + record, &at); /* it is that file now */
    log_is(RAFT_FACT_TRUNCATE, 5, 0);
    walk_test_renamed(w, "/d/other", "/d/log", &at); /* what is in it was not seen */
    walk_test_resized(w, "/d/log", head, &at);
    log_pass(w, "/d/log.tmp", false, 4, 6);
    last_fact.kind = RAFT_FACT_TEXT;
    walk_test_resized(w, "/d/log.tmp", 0, &at); /* begun anew */
    walk_test_renamed(w, "/d/log.tmp", "/d/log", &at);
    assert_int_equal(last_fact.kind, RAFT_FACT_TEXT);
    walk_destroy(w);
}

/* --- lines of clients --- */

static void line_is(const char *line, int answer)
{
    assert_int_equal(raftkv_client_probe((const uint8_t *)line, strlen(line)), answer);
}

static void client_lines(void **state)
{
    (void)state;
    line_is("1 PUT k v\n", 1);
    line_is("x7 GET k\r\n", 1);
    line_is("1 STAT\n", 1);
    line_is("1 OK 17\n", 1);
    line_is("1 PU", -1);
    line_is("1 ", -1);
    line_is("1 PUTS k\n", 0);
    line_is("1 put k v\n", 0);
    line_is("hello", 0);
    line_is("GET / HTTP/1.1\r\n", 0);
    line_is("a-tag-that-is-much-too-long-for-it GET k\n", 0);
    line_is("", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats), cmocka_unit_test(formats_of_files), cmocka_unit_test(leader), cmocka_unit_test(followers),
        cmocka_unit_test(restarted), cmocka_unit_test(learners), cmocka_unit_test(clients), cmocka_unit_test(pieces),
        cmocka_unit_test(client_lines), cmocka_unit_test(log_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
