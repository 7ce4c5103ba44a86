/* The adapters on bytes that real clusters sent and wrote (tests/fuzz/corpus). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fuzz/protocol_input.h"

#define ENTRIES 1024

/* What a walk told, counted, and the entries by index. */
struct told {
    unsigned kinds[RAFT_FACT_TEXT + 1], types[RAFT_CLIENT_RESULT + 1];
    unsigned durable, loaded;
    char node[RAFT_NODE_NAME], from[RAFT_NODE_NAME], to[RAFT_NODE_NAME], configuration[512], members[512];
    uint64_t digest[ENTRIES], last, match, commit, term, votes_granted, votes_refused;
    struct raft_fact snapshot;
    struct raft_entry first;
    uint64_t fingerprint; /* of everything told, in order */
    struct raft_message install; /* its entry is gone */
};

static void told_message(struct told *t, const struct raft_message *m)
{
    t->types[m->type]++;
    snprintf(t->from, sizeof t->from, "%s", m->from);
    if (*m->to)
        snprintf(t->to, sizeof t->to, "%s", m->to);
    if (m->type == RAFT_APPEND_ENTRIES_RESULT && m->success && m->match > t->match)
        t->match = m->match;
    if (m->type == RAFT_REQUEST_VOTE_RESULT)
        *(m->success ? &t->votes_granted : &t->votes_refused) += 1;
    if (m->type == RAFT_INSTALL_SNAPSHOT)
        t->install = *m;
    if (m->commit > t->commit)
        t->commit = m->commit;
    for (size_t i = 0; i < m->entries; i++) {
        if (m->type == RAFT_INSTALL_SNAPSHOT) {
            assert_non_null(m->entry[i].members);
            snprintf(t->members, sizeof t->members, "%s", m->entry[i].members);
            continue;
        }
        assert_true(m->entry[i].index == m->prev_index + 1 + i);
        if (m->entry[i].index < ENTRIES)
            t->digest[m->entry[i].index] = m->entry[i].digest;
        if (!t->first.index && m->entry[i].type == 'c')
            t->first = m->entry[i];
    }
}

static void told_fact(void *context, const struct raft_fact *f)
{
    struct told *t = context;
    t->kinds[f->kind]++;
    t->durable += f->durable;
    t->loaded += f->loaded;
    t->fingerprint = t->fingerprint * 31 + f->kind + 7 * f->term + 11 * f->index + f->entry.digest;
    if (f->term > t->term)
        t->term = f->term;
    if (f->message) {
        t->fingerprint = t->fingerprint * 31 + f->message->length + f->message->match;
        told_message(t, f->message);
    }
    if (f->kind == RAFT_FACT_NODE)
        snprintf(t->node, sizeof t->node, "%s", f->peer);
    if (f->kind == RAFT_FACT_SNAPSHOT)
        t->snapshot = *f;
    if (f->kind == RAFT_FACT_CONFIGURATION)
        snprintf(t->configuration, sizeof t->configuration, "%s", f->text);
    if (f->kind == RAFT_FACT_APPEND) {
        assert_true(f->entry.index == f->index);
        if (f->index < ENTRIES)
            t->digest[f->index] = f->entry.digest;
        t->last = f->index;
        if (!t->first.index && f->entry.type == 'c')
            t->first = f->entry;
    }
}

static uint8_t *corpus(const char *name, size_t *size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", DRD_SOURCE_DIR, name);
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);
    assert_non_null(f);
    assert_non_null(data);
    *size = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

/* `piece` < 0: as the file says. */
static struct told run(const char *name, int piece)
{
    struct told t = {.term = 0};
    struct walk_listener listener = {.context = &t, .fact = told_fact};
    struct walk *w = walk_create(&listener);
    size_t size;
    uint8_t *data = corpus(name, &size);
    assert_non_null(w);
    if (piece >= 0)
        data[1] = (uint8_t)piece;
    protocol_input_feed(w, data, size);
    walk_destroy(w);
    free(data);
    return t;
}

static void same_in_pieces(const char *name)
{
    uint64_t whole = run(name, 0).fingerprint;
    assert_true(whole != 0);
    assert_true(run(name, 1).fingerprint == whole);
    assert_true(run(name, 3).fingerprint == whole);
    assert_true(run(name, 200).fingerprint == whole);
}

static void ovsdb_wire(void **state)
{
    (void)state;
    struct told leader = run("ovsdb/leader_sent", 0), follower = run("ovsdb/leader_received", 0);
    assert_int_equal(leader.kinds[RAFT_FACT_NODE], 1);
    assert_int_equal(strlen(leader.node), 36);
    assert_true(leader.types[RAFT_APPEND_ENTRIES] >= 15);
    assert_true(leader.first.index > 0);
    assert_int_equal(leader.first.type, 'c');
    assert_non_null(strstr(leader.first.text, "kv {"));
    assert_true(leader.commit > 0);
    assert_int_equal(follower.kinds[RAFT_FACT_NODE], 0); /* only what a node sends names it */
    assert_string_equal(follower.to, leader.node);
    assert_true(follower.types[RAFT_APPEND_ENTRIES_RESULT] >= 15);
    assert_true(follower.match > leader.first.index);
    assert_true(follower.types[RAFT_OTHER] > 0); /* execute_command_request of transactions at the follower */
}

static void ovsdb_election(void **state)
{
    (void)state;
    struct told t = run("ovsdb/election_sent", 0), replies = run("ovsdb/election_received", 0);
    assert_true(t.term >= 2);
    assert_int_equal(t.types[RAFT_REQUEST_VOTE], 1);
    assert_int_equal(t.types[RAFT_TIMEOUT_NOW], 1);
    assert_int_equal(replies.types[RAFT_REQUEST_VOTE_RESULT], 1);
    assert_int_equal(replies.votes_granted, 1);
    assert_string_equal(replies.to, t.node);
}

/* Entries have the same digest on the wire and on another node's disk, where the keys stand in another order. */
static void ovsdb_log(void **state)
{
    (void)state;
    struct told wire = run("ovsdb/leader_sent", 0), disk = run("ovsdb/log", 0);
    unsigned equal = 0;
    assert_true(disk.kinds[RAFT_FACT_APPEND] > 10);
    assert_true(disk.kinds[RAFT_FACT_TERM] > 0);
    assert_true(disk.kinds[RAFT_FACT_COMMIT] > 0);
    char first[40], second[40], third[40], more;
    assert_int_equal(sscanf(disk.configuration, "%39s %39s %39s %c", first, second, third, &more), 3);
    assert_true(strlen(first) == 36 && strcmp(first, second) < 0 && strcmp(second, third) < 0); /* ids, in one order */
    assert_int_equal(disk.durable, disk.kinds[RAFT_FACT_APPEND] + disk.kinds[RAFT_FACT_TERM] + disk.kinds[RAFT_FACT_COMMIT] +
                                   disk.kinds[RAFT_FACT_VOTE] + disk.kinds[RAFT_FACT_NODE] + disk.kinds[RAFT_FACT_SNAPSHOT] +
                                   disk.kinds[RAFT_FACT_CONFIGURATION]);
    for (int i = 0; i < ENTRIES; i++) {
        if (!wire.digest[i] || !disk.digest[i])
            continue;
        assert_true(wire.digest[i] == disk.digest[i]);
        equal++;
    }
    assert_true(equal > 10);
    for (int i = 1; i < ENTRIES; i++)
        assert_true(!wire.digest[i] || wire.digest[i] != wire.digest[i - 1]);
}

static void ovsdb_pieces(void **state)
{
    (void)state;
    same_in_pieces("ovsdb/leader_sent");
    same_in_pieces("ovsdb/rejoin_received");
    same_in_pieces("ovsdb/log");
}

static void libraft_wire(void **state)
{
    (void)state;
    struct told leader = run("libraft/leader_sent", 0), results = run("libraft/results_sent", 0);
    assert_string_equal(leader.node, "3");
    assert_string_equal(leader.from, "3");
    assert_true(leader.types[RAFT_APPEND_ENTRIES] > 50);
    assert_true(leader.types[RAFT_REQUEST_VOTE] > 0);
    assert_int_equal(leader.first.index, 2);
    assert_int_equal(leader.first.term, 2);
    assert_string_equal(results.node, "2");
    assert_true(results.types[RAFT_APPEND_ENTRIES_RESULT] > 10);
    assert_true(results.votes_granted > 0);
    assert_true(results.match >= 2);
}

static void libraft_snapshot(void **state)
{
    (void)state;
    struct told t = run("libraft/snapshot_sent", 0);
    assert_int_equal(t.types[RAFT_INSTALL_SNAPSHOT], 1);
    assert_int_equal(t.install.prev_index, 601);
    assert_int_equal(t.install.prev_term, 2);
    assert_string_equal(t.members, "1 2 3");
    assert_true(t.types[RAFT_APPEND_ENTRIES] > 0);
}

/* The segment was written by node 1 in blocks that overlap; the wire is what leader 3 sent to node 2. */
static void libraft_segment(void **state)
{
    (void)state;
    struct told wire = run("libraft/leader_sent", 0);
    struct told disk = {.term = 0};
    struct walk_listener listener = {.context = &disk, .fact = told_fact};
    struct walk *w = walk_create(&listener);
    size_t size;
    uint8_t *closed = corpus("libraft/closed_segment", &size);
    struct flow_at at = {.process = 1};
    protocol_input_feed(w, closed, size);
    walk_test_renamed(w, "/d/tmp-0000000000000001-0000000000000001", "/d/0000000000000001-0000000000000001", &at);
    uint8_t *open = corpus("libraft/open_segment", &size);
    protocol_input_feed(w, open, size);
    walk_destroy(w);
    free(closed);
    free(open);
    assert_string_equal(disk.configuration, "1 2 3");
    assert_true(disk.last > 70);
    assert_int_equal(disk.kinds[RAFT_FACT_APPEND], disk.last); /* each once, none left out */
    for (unsigned i = 2; i < 40; i++)
        assert_true(disk.digest[i] && disk.digest[i] == wire.digest[i]);
}

/* A file of the corpus, as reads of it. */
static void feed_read(struct walk *w, const char *name, uint8_t kind)
{
    size_t size;
    uint8_t *data = corpus(name, &size);
    data[0] = kind;
    protocol_input_feed(w, data, size);
    free(data);
}

/* What the next incarnation finds: metadata, a closed segment, and an open one that goes on where the closed one ends. */
static void libraft_loaded(void **state)
{
    (void)state;
    struct told wire = run("libraft/leader_sent", 0), disk = {.term = 0};
    struct walk_listener listener = {.context = &disk, .fact = told_fact};
    struct walk *w = walk_create(&listener);
    feed_read(w, "libraft/metadata", 'M');
    assert_int_equal(disk.loaded, 0); /* the other metadata file may be newer */
    feed_read(w, "libraft/closed_segment", 'C');
    assert_int_equal(disk.kinds[RAFT_FACT_TERM], 1);
    assert_int_equal(disk.kinds[RAFT_FACT_VOTE], 1);
    assert_string_equal(disk.configuration, "1 2 3");
    assert_int_equal(disk.last, 1);
    feed_read(w, "libraft/open_segment", 'O');
    walk_destroy(w);
    assert_true(disk.last > 70);
    assert_int_equal(disk.kinds[RAFT_FACT_APPEND], disk.last);
    assert_int_equal(disk.loaded, disk.last + 3);
    assert_int_equal(disk.durable, 0);
    for (unsigned i = 2; i < 40; i++)
        assert_true(disk.digest[i] && disk.digest[i] == wire.digest[i]);
}

/* Entries that the snapshot covers are in the log no more; a batch that was torn is not read. */
static void libraft_loaded_in_part(void **state)
{
    (void)state;
    struct told disk = {.term = 0};
    struct walk_listener listener = {.context = &disk, .fact = told_fact};
    struct walk *w = walk_create(&listener);
    feed_read(w, "libraft/snapshot_meta", 'N');
    assert_int_equal(disk.snapshot.index, 201);
    assert_int_equal(disk.snapshot.term, 2);
    feed_read(w, "libraft/closed_segment", 'C');
    assert_int_equal(disk.kinds[RAFT_FACT_APPEND], 0);
    walk_destroy(w);
    size_t size;
    disk = (struct told){.term = 0};
    w = walk_create(&listener);
    uint8_t *data = corpus("libraft/open_segment", &size);
    data[0] = 'O';
    data[2 + 12 + 8 + 16 + 16] ^= 1; /* in the first entry */
    protocol_input_feed(w, data, size);
    walk_destroy(w);
    free(data);
    assert_int_equal(disk.kinds[RAFT_FACT_APPEND], 0);
}

static void ovsdb_loaded(void **state)
{
    (void)state;
    struct told t = run("ovsdb/log_read", 0), written = run("ovsdb/log_after_restart", 0);
    assert_true(t.loaded > 0 && t.loaded == written.durable);
    assert_int_equal(t.durable, 0);
    assert_true(t.fingerprint == written.fingerprint);
    same_in_pieces("ovsdb/log_read");
}

static void libraft_metadata(void **state)
{
    (void)state;
    struct told t = run("libraft/metadata", 0);
    assert_int_equal(t.kinds[RAFT_FACT_TERM], 1);
    assert_int_equal(t.term, 2);
    assert_int_equal(t.kinds[RAFT_FACT_VOTE], 1);
    t = run("libraft/snapshot_meta", 0);
    assert_string_equal(t.configuration, "1 2 3");
}

static void libraft_pieces(void **state)
{
    (void)state;
    same_in_pieces("libraft/leader_sent");
    same_in_pieces("libraft/snapshot_sent");
}

/* A client's own protocol is nobody's; that of an ovsdb client is known. */
static void foreign(void **state)
{
    (void)state;
    struct told t = run("libraft/client", 0);
    assert_int_equal(t.kinds[RAFT_FACT_SENT] + t.kinds[RAFT_FACT_RECEIVED] + t.kinds[RAFT_FACT_NODE], 0);
    t = run("ovsdb/client", 0);
    assert_int_equal(t.kinds[RAFT_FACT_SENT] + t.kinds[RAFT_FACT_RECEIVED], 1);
    assert_int_equal(t.types[RAFT_CLIENT_REQUEST], 1);
    assert_int_equal(t.kinds[RAFT_FACT_NODE], 0);
}

static void entry_texts(void **state)
{
    char out[16];
    (void)state;
    entry_text(out, sizeof out, "set a=1", 7);
    assert_string_equal(out, "set a=1");
    entry_text(out, sizeof out, "set a=1\0\0", 9);
    assert_string_equal(out, "set a=1");
    entry_text(out, sizeof out, "set something long", 18);
    assert_string_equal(out, "set somethin...");
    entry_text(out, sizeof out, "\x01\x02\xff", 3);
    assert_string_equal(out, "0102ff");
    entry_text(out, sizeof out, "\x01\x02\xff\x04\x05\x06\x07\x08\x09", 9);
    assert_string_equal(out, "0102ff0405...");
    entry_text(out, sizeof out, "", 0);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ovsdb_wire), cmocka_unit_test(ovsdb_election), cmocka_unit_test(ovsdb_log),
        cmocka_unit_test(ovsdb_pieces), cmocka_unit_test(libraft_wire), cmocka_unit_test(libraft_snapshot),
        cmocka_unit_test(libraft_segment), cmocka_unit_test(libraft_metadata),
        cmocka_unit_test(libraft_loaded), cmocka_unit_test(libraft_loaded_in_part), cmocka_unit_test(ovsdb_loaded), cmocka_unit_test(libraft_pieces),
        cmocka_unit_test(foreign), cmocka_unit_test(entry_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
