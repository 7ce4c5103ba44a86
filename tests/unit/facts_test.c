/* Facts kept in a run (protocol/facts.h): they come back as they were; hostile blocks are refused. */
#include "protocol/facts.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/check.h"

static char scratch[4096];
static struct drd_error error;

static int setup(void **state)
{
    (void)state;
    scratch_enter(scratch, sizeof scratch);
    error = (struct drd_error){ 0 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_leave(scratch);
    return 0;
}

static const struct raft_entry entries[2] = {
    { .index = 1, .term = UINT64_MAX, .digest = 0xfedcba9876543210, .type = 'c', .text = "~0011223344556677" },
    { .index = UINT64_MAX, .term = 0, .digest = 1, .type = 'm', .text = "a b", .members = "a b c" },
};

static const struct raft_message message = {
    .type = RAFT_APPEND_ENTRIES, .id = 7, .name = "append_request", .from = "a", .to = "b", .term = 3, .prev_index = 4,
    .prev_term = 5, .commit = 6, .match = 8, .success = true, .may_disregard = true, .vote = "c", .asked = 9, .round = 10,
    .entries = 2, .entry = entries, .length = 1234, .request = "r", .once = "o", .key = "k", .read = true, .value = 11,
};

static struct raft_fact fact_at(uint64_t i)
{
    struct raft_fact f = {
        .kind = i % 2 ? RAFT_FACT_SENT : RAFT_FACT_APPEND, .process = (uint32_t)i, .sequence = i * i, .thread = 2, .time = i << 40,
        .written = i % 3 == 0, .durable = i % 5 == 0, .again = i % 7 == 0, .loaded = i % 2 == 0, .protocol = i % 2 ? "libraft" : "mark",
        .term = i, .index = UINT64_MAX - i, .role = i % 2 ? -1 : 2, .peer = "peer", .entry = entries[i % 2],
        .message = i % 2 ? &message : NULL, .text = i % 4 ? "words" : NULL,
    };
    return f;
}

static void entry_equal(const struct raft_entry *a, const struct raft_entry *b)
{
    assert_true(a->index == b->index && a->term == b->term && a->digest == b->digest && a->type == b->type);
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->members != NULL, b->members != NULL);
    if (a->members)
        assert_string_equal(a->members, b->members);
}

static void message_equal(const struct raft_message *a, const struct raft_message *b)
{
    assert_true(a->type == b->type && a->id == b->id && a->term == b->term && a->prev_index == b->prev_index &&
                a->prev_term == b->prev_term && a->commit == b->commit && a->match == b->match && a->success == b->success &&
                a->pre_vote == b->pre_vote && a->may_disregard == b->may_disregard && a->asked == b->asked && a->round == b->round &&
                a->length == b->length && a->read == b->read && a->value == b->value && a->entries == b->entries);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->from, b->from);
    assert_string_equal(a->to, b->to);
    assert_string_equal(a->vote, b->vote);
    assert_string_equal(a->request, b->request);
    assert_string_equal(a->once, b->once);
    assert_string_equal(a->key, b->key);
    for (size_t i = 0; i < a->entries; i++)
        entry_equal(&a->entry[i], &b->entry[i]);
}

static void see(void *context, const struct raft_fact *f)
{
    uint64_t *seen = context;
    const struct raft_fact wanted = fact_at((*seen)++);
    assert_true(f->kind == wanted.kind && f->process == wanted.process && f->sequence == wanted.sequence && f->thread == wanted.thread &&
                f->time == wanted.time && f->written == wanted.written && f->durable == wanted.durable && f->again == wanted.again &&
                f->loaded == wanted.loaded && f->term == wanted.term && f->index == wanted.index && f->role == wanted.role);
    assert_string_equal(f->protocol, wanted.protocol);
    assert_string_equal(f->peer, wanted.peer);
    assert_int_equal(f->text != NULL, wanted.text != NULL);
    entry_equal(&f->entry, &wanted.entry);
    assert_int_equal(f->message != NULL, wanted.message != NULL);
    if (f->message)
        message_equal(f->message, wanted.message);
}

static struct store *make(uint64_t facts)
{
    struct store *s = store_create("run.drd", &error);
    assert_non_null(s);
    struct facts_writer *w = facts_writer_create(s, &error);
    assert_non_null(w);
    for (uint64_t i = 0; i < facts; i++) {
        struct raft_fact f = fact_at(i);
        assert_true(facts_writer_add(w, &f));
    }
    assert_true(facts_writer_end(w, &error));
    facts_writer_destroy(w);
    assert_true(store_fact_set(s, "redacted", FACTS_VERSION, &error));
    return s;
}

/* Several blocks of them. */
static void they_come_back(void **state)
{
    (void)state;
    uint64_t seen = 0;
    struct store *s = make(20000);
    assert_true(facts_walk(s, see, &seen, &error));
    assert_int_equal(seen, 20000);
    seen = 0;
    assert_true(protocol_walk(s, see, &seen, &error)); /* who asks for the facts of such a run gets them */
    assert_int_equal(seen, 20000);
    store_close(s);
}

static void other_versions(void **state)
{
    (void)state;
    uint64_t seen = 0;
    struct store *s = make(1);
    assert_true(store_fact_set(s, "redacted", "999", &error));
    assert_false(facts_walk(s, see, &seen, &error));
    assert_non_null(strstr(error.message, "by another version of drd"));
    store_close(s);
}

static void put_block(struct store *s, const uint8_t *data, size_t length, int64_t claimed)
{
    uint8_t packed[8192];
    sqlite3_stmt *st;
    size_t n = ZSTD_compress(packed, sizeof packed, data, length, 1);
    assert_false(ZSTD_isError(n));
    sqlite3_exec(store_database(s), "DELETE FROM fact_block", NULL, NULL, NULL);
    assert_int_equal(sqlite3_prepare_v2(store_database(s), "INSERT INTO fact_block(length, data) VALUES(?, ?)", -1, &st, NULL), SQLITE_OK);
    sqlite3_bind_int64(st, 1, claimed);
    sqlite3_bind_blob(st, 2, packed, (int)n, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    sqlite3_finalize(st);
}

static void ignore(void *context, const struct raft_fact *f)
{
    (void)context;
    if (f->message)
        for (size_t i = 0; i < f->message->entries; i++)
            assert_true(strlen(f->message->entry[i].text) < sizeof f->entry.text);
}

/* The bytes of one good fact, cut, with any byte another, and with lengths that are not true. */
static void hostile(void **state)
{
    (void)state;
    uint8_t good[4096], bad[4096];
    struct store *s = make(2);
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(store_database(s), "SELECT length, data FROM fact_block", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    size_t length = (size_t)sqlite3_column_int64(st, 0);
    assert_true(length < sizeof good);
    assert_int_equal(ZSTD_decompress(good, sizeof good, sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1)), length);
    sqlite3_finalize(st);
    for (size_t cut = 1; cut < length; cut++) {
        put_block(s, good, cut, (int64_t)cut);
        facts_walk(s, ignore, NULL, &error); /* a cut between facts is none */
    }
    for (size_t at = 0; at < length; at++)
        for (unsigned value = 0; value < 256; value += 15) {
            memcpy(bad, good, length);
            bad[at] = (uint8_t)value;
            put_block(s, bad, length, (int64_t)length);
            facts_walk(s, ignore, NULL, &error);
        }
    const int64_t claims[] = { 0, -1, (int64_t)length - 1, (int64_t)length + 1, INT64_MAX, 1ll << 32 };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        put_block(s, good, length, claims[i]);
        assert_false(facts_walk(s, ignore, NULL, &error));
        assert_int_equal(error.exit_code, DRD_EXIT_FATAL);
    }
    assert_int_equal(sqlite3_exec(store_database(s), "DROP TABLE fact_block", NULL, NULL, NULL), SQLITE_OK);
    assert_false(facts_walk(s, ignore, NULL, &error));
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(other_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
