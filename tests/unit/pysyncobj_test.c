/* The pysyncobj adapter on what three real nodes sent and wrote (tests/fuzz/corpus/pysyncobj). Node 127.0.0.1:9001 leads
 * term 1; a follower goes, comes back empty and is given the dump; then the leader goes. */
#include <stdio.h>

#include "fuzz/pysyncobj_input.h"
#include "lib/check.h"

#define TOLD 1024
#define ENTRIES 256

/* What a walk told, in order. */
struct told {
    struct {
        enum raft_fact_kind kind;
        struct raft_message message; /* without its entries */
        struct raft_entry first;     /* the only, or the first of them */
        uint64_t index, term;
        bool written, durable, loaded;
        char peer[RAFT_NODE_NAME], text[256];
    } fact[TOLD];
    size_t count;
    struct raft_entry entry[ENTRIES]; /* by index, of messages and of files */
    uint64_t fingerprint;
};

static void told_entry(struct told *t, const struct raft_entry *e)
{
    t->fingerprint = t->fingerprint * 31 + e->digest + e->index + e->term;
    if (!e->index || e->index >= ENTRIES)
        return;
    if (t->entry[e->index].digest)
        assert_true(t->entry[e->index].digest == e->digest);
    t->entry[e->index] = *e;
}

static void told_fact(void *context, const struct raft_fact *f)
{
    struct told *t = context;
    assert_true(t->count < TOLD);
    size_t i = t->count++;
    t->fact[i].kind = f->kind;
    t->fact[i].index = f->index;
    t->fact[i].term = f->term;
    t->fact[i].written = f->written;
    t->fact[i].durable = f->durable;
    t->fact[i].loaded = f->loaded;
    snprintf(t->fact[i].peer, sizeof t->fact[i].peer, "%s", f->peer);
    snprintf(t->fact[i].text, sizeof t->fact[i].text, "%s", f->text ? f->text : "");
    t->fingerprint = t->fingerprint * 31 + f->kind + f->index + f->term;
    if (f->kind == RAFT_FACT_APPEND)
        told_entry(t, &f->entry);
    if (!f->message)
        return;
    t->fact[i].message = *f->message;
    t->fact[i].message.entry = NULL;
    t->fingerprint = t->fingerprint * 31 + f->message->match + f->message->type;
    for (size_t n = 0; n < f->message->entries; n++) {
        if (f->message->type == RAFT_APPEND_ENTRIES)
            assert_true(f->message->entry[n].index == f->message->prev_index + 1 + n);
        if (!n)
            t->fact[i].first = f->message->entry[0];
        told_entry(t, &f->message->entry[n]);
    }
}

static struct told *told;

static void feed(size_t piece, const uint8_t *data, size_t size)
{
    memset(told, 0, sizeof *told);
    struct walk_listener listener = {.context = told, .fact = told_fact};
    struct walk *w = walk_create(&listener);
    assert_non_null(w);
    pysyncobj_input_feed(w, piece, data, size);
    walk_destroy(w);
}

/* piece 0: as the calls were. */
static void run(const char *name, size_t piece)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/pysyncobj/%s", DRD_SOURCE_DIR, name);
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(1 << 16);
    assert_non_null(f);
    size_t size = fread(data, 1, 1 << 16, f);
    fclose(f);
    if (data[0] != 'b' && data[0] != 'z')
        data[1] = (uint8_t)piece;
    feed(piece, data, size);
    free(data);
}

static size_t count(enum raft_fact_kind kind, enum raft_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < told->count; i++)
        n += told->fact[i].kind == kind && told->fact[i].message.type == type;
    return n;
}

/* The n-th message of this type, from 0. */
static const struct raft_message *message_of(enum raft_fact_kind kind, enum raft_type type, size_t n)
{
    for (size_t i = 0; i < told->count; i++)
        if (told->fact[i].kind == kind && told->fact[i].message.type == type && !n--)
            return &told->fact[i].message;
    fail();
    return NULL;
}

static size_t fact_of(enum raft_fact_kind kind)
{
    for (size_t i = 0; i < told->count; i++)
        if (told->fact[i].kind == kind)
            return i;
    fail();
    return 0;
}

/* The leader has the smallest address: it opens no connection, and is known by where it is reached. */
static void names(void **state)
{
    (void)state;
    run("leader", 0);
    assert_string_equal(told->fact[fact_of(RAFT_FACT_NODE)].peer, "127.0.0.1:9001");
    const struct raft_message *ask = message_of(RAFT_FACT_SENT, RAFT_REQUEST_VOTE, 0);
    assert_string_equal(ask->from, "127.0.0.1:9001");
    assert_string_equal(ask->to, "127.0.0.1:9002");
    run("follower", 0);
    assert_string_equal(told->fact[fact_of(RAFT_FACT_NODE)].peer, "127.0.0.1:9002");
    ask = message_of(RAFT_FACT_RECEIVED, RAFT_REQUEST_VOTE, 0);
    assert_string_equal(ask->from, "127.0.0.1:9001");
    assert_string_equal(ask->to, "127.0.0.1:9002");
}

/* A cluster on "localhost" is one of all its nodes; a name that is no address is nobody's handshake. */
static void names_of_hosts(void **state)
{
    static const char local[] = "z\x01\x29\x23\x40\x9cr\x16\0\0\0\x80\x02X\x0e\0\0\0localhost:9002.";
    static const char ipv4[] = "z\x01\x29\x23\x40\x9cr\x16\0\0\0\x80\x02X\x0e\0\0\0" "127.0.0.2:9002.";
    static const char none[] = "z\x01\x29\x23\x40\x9cr\x16\0\0\0\x80\x02X\x0e\0\0\0localhost-9002.";
    (void)state;
    feed(0, (const uint8_t *)local, sizeof local - 1);
    assert_string_equal(told->fact[fact_of(RAFT_FACT_NODE)].peer, "localhost:9001");
    feed(0, (const uint8_t *)ipv4, sizeof ipv4 - 1);
    assert_string_equal(told->fact[fact_of(RAFT_FACT_NODE)].peer, "127.0.0.1:9001");
    feed(0, (const uint8_t *)none, sizeof none - 1);
    assert_int_equal(told->count, 0);
}

static void votes(void **state)
{
    (void)state;
    run("follower", 0);
    const struct raft_message *ask = message_of(RAFT_FACT_RECEIVED, RAFT_REQUEST_VOTE, 0);
    const struct raft_message *vote = message_of(RAFT_FACT_SENT, RAFT_REQUEST_VOTE_RESULT, 0);
    assert_int_equal(ask->term, 1);
    assert_int_equal(ask->prev_index, 1);
    assert_int_equal(ask->prev_term, 0);
    assert_int_equal(vote->term, 1);
    assert_true(vote->success);
    assert_string_equal(vote->to, "127.0.0.1:9001");
    run("election", 0);
    assert_true(count(RAFT_FACT_SENT, RAFT_REQUEST_VOTE) + count(RAFT_FACT_RECEIVED, RAFT_REQUEST_VOTE) >= 1);
    assert_true(count(RAFT_FACT_SENT, RAFT_REQUEST_VOTE_RESULT) + count(RAFT_FACT_RECEIVED, RAFT_REQUEST_VOTE_RESULT) >= 1);
}

static void entries(void **state)
{
    (void)state;
    run("leader_sent", 0);
    assert_int_equal(told->entry[2].type, 'n');
    assert_string_equal(told->entry[2].text, "no-op");
    assert_int_equal(told->entry[2].term, 1);
    assert_int_equal(told->entry[3].type, 'c');
    assert_string_equal(told->entry[3].text, "#0(k0, v0)");
    assert_string_equal(told->entry[9].text, "#1(o){v: w, ttl: 3}");
    assert_string_equal(told->entry[10].text, "#0(from, follower)");
    assert_true(told->entry[3].digest != told->entry[4].digest);
    unsigned members = 0, versions = 0;
    for (unsigned i = 2; i < ENTRIES && told->entry[i].index; i++) {
        members += told->entry[i].type == 'm';
        versions += !strcmp(told->entry[i].text, "version 0");
        assert_true(told->entry[i].digest != 0);
        if (told->entry[i].type == 'm')
            assert_string_equal(told->entry[i].text, members == 1 ? "add 127.0.0.1:9004" : "rem 127.0.0.1:9004");
    }
    assert_int_equal(members, 2);
    assert_int_equal(versions, 1);
    run("leader", 0);
    assert_true(message_of(RAFT_FACT_SENT, RAFT_APPEND_ENTRIES, 4)->commit > 1);
}

/* An answer names no term: it has that of what it answers, and acknowledges as much as the leader takes from it. */
static void answers(void **state)
{
    static const char *const names[] = {"leader", "follower"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        enum raft_fact_kind asks = i ? RAFT_FACT_RECEIVED : RAFT_FACT_SENT, tells = i ? RAFT_FACT_SENT : RAFT_FACT_RECEIVED;
        run(names[i], 0);
        size_t asked = count(asks, RAFT_APPEND_ENTRIES), told_back = count(tells, RAFT_APPEND_ENTRIES_RESULT);
        assert_true(asked >= 15);
        assert_int_equal(asked, told_back);
        for (size_t n = 0; n < told_back; n++) {
            const struct raft_message *ask = message_of(asks, RAFT_APPEND_ENTRIES, n);
            const struct raft_message *answer = message_of(tells, RAFT_APPEND_ENTRIES_RESULT, n);
            assert_int_equal(answer->term, 1);
            assert_true(answer->success);
            assert_int_equal(answer->match, ask->prev_index + (ask->entries ? ask->entries - 1 : 0));
        }
    }
}

/* A command of 4,000 bytes in parts of 1,500: one AppendEntries, with the digest that the journal has too. */
static void parts(void **state)
{
    (void)state;
    run("follower", 0);
    unsigned found = 0;
    size_t pieces = 0;
    for (size_t i = 0; i < told->count; i++) {
        const struct raft_message *m = &told->fact[i].message;
        pieces += !strcmp(m->name, "append_entries part") && m->type == RAFT_OTHER;
        if (strncmp(told->fact[i].first.text, "#0(large, ", 10))
            continue;
        found++;
        assert_int_equal(m->type, RAFT_APPEND_ENTRIES);
        assert_int_equal(m->entries, 1);
        assert_int_equal(told->fact[i].first.index, m->prev_index + 1);
    }
    assert_int_equal(found, 1);
    assert_int_equal(pieces, 2);
    /* two signs of life for the two parts, then the answer */
    assert_int_equal(count(RAFT_FACT_SENT, RAFT_OTHER), 2);
}

static void snapshot(void **state)
{
    static const char *const names[] = {"rejoin", "rejoined"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        enum raft_fact_kind asks = i ? RAFT_FACT_RECEIVED : RAFT_FACT_SENT, tells = i ? RAFT_FACT_SENT : RAFT_FACT_RECEIVED;
        run(names[i], 0);
        assert_int_equal(count(asks, RAFT_INSTALL_SNAPSHOT), 1);
        const struct raft_message *install = message_of(asks, RAFT_INSTALL_SNAPSHOT, 0);
        const struct raft_message *answer = message_of(tells, RAFT_APPEND_ENTRIES_RESULT, 0);
        assert_int_equal(install->prev_index, 114);
        assert_int_equal(install->prev_term, 1);
        assert_true(answer->success);
        assert_int_equal(answer->match, 114);
        assert_int_equal(answer->term, 1);
    }
}

/* What a follower passes on is one request, by the follower that asked and its number; the result says where it was put. */
static void forwarded(void **state)
{
    (void)state;
    run("leader", 0);
    const struct raft_message *request = message_of(RAFT_FACT_RECEIVED, RAFT_CLIENT_REQUEST, 0);
    const struct raft_message *result = message_of(RAFT_FACT_SENT, RAFT_CLIENT_RESULT, 0);
    for (size_t i = 0; i < told->count; i++)
        if (&told->fact[i].message == request)
            assert_true(told->fact[i].first.digest == told->entry[10].digest);
    assert_string_equal(request->request, "2.1");
    assert_string_equal(result->request, "2.1");
    assert_int_equal(result->match, 10);
    assert_false(result->success);
}

static void files(void **state)
{
    (void)state;
    run("steady_sent", 0);
    struct raft_entry wire[ENTRIES];
    memcpy(wire, told->entry, sizeof wire);
    run("journal", 0);
    unsigned equal = 0, appended = 0;
    for (unsigned i = 1; i < ENTRIES; i++) {
        appended += told->entry[i].digest != 0;
        if (!wire[i].digest || !told->entry[i].digest)
            continue;
        assert_true(wire[i].digest == told->entry[i].digest);
        assert_int_equal(wire[i].term, told->entry[i].term);
        equal++;
    }
    assert_true(appended >= 3); /* all from the one before the last applied on */
    assert_int_equal(equal, appended);
    run("meta", 0);
    assert_int_equal(told->count, 1);
    assert_int_equal(told->fact[0].kind, RAFT_FACT_COMMIT);
    assert_true(told->fact[0].written);
    assert_true(told->fact[0].index > 100);
    run("dump", 0);
    assert_int_equal(told->count, 2);
    assert_int_equal(told->fact[0].kind, RAFT_FACT_SNAPSHOT);
    assert_int_equal(told->fact[0].index, 114);
    assert_int_equal(told->fact[0].term, 1);
    assert_int_equal(told->fact[1].kind, RAFT_FACT_CONFIGURATION);
    assert_non_null(strstr(told->fact[1].text, "127.0.0.1:9001"));
    assert_non_null(strstr(told->fact[1].text, "127.0.0.1:9003"));
}

static void same_in_pieces(void **state)
{
    static const char *const names[] = {"leader_sent", "leader_received", "leader", "rejoined"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        run(names[i], 0);
        uint64_t whole = told->fingerprint;
        assert_true(whole != 0);
        run(names[i], 7);
        assert_true(told->fingerprint == whole);
        run(names[i], 200);
        assert_true(told->fingerprint == whole);
    }
    run("leader", 0);
    uint64_t whole = told->fingerprint;
    run("leader_pickles", 0); /* the same, to be compressed here: the fuzzer's way in */
    assert_true(told->fingerprint == whole);
}

/* An admin's question is no node's word; what a password has encrypted is nobody's. */
static void others(void **state)
{
    (void)state;
    run("admin_sent", 0);
    assert_int_equal(told->count, 0);
    run("encrypted", 0);
    assert_int_equal(told->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names), cmocka_unit_test(names_of_hosts), cmocka_unit_test(votes), cmocka_unit_test(entries),
        cmocka_unit_test(answers), cmocka_unit_test(parts), cmocka_unit_test(snapshot), cmocka_unit_test(forwarded),
        cmocka_unit_test(files),
        cmocka_unit_test(same_in_pieces), cmocka_unit_test(others),
    };
    told = calloc(1, sizeof *told);
    int failed = told ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(told);
    return failed;
}
