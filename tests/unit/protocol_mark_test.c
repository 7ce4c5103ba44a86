/* Marks: what the header's functions say, and the facts that become of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The header finds this as it finds the shim's. */
void drd_shim_mark(int kind, uint64_t a, uint64_t b, uint64_t c, const char *text, size_t length);

#include "drd/drd.h"
#include "protocol/walk.h"

static struct raft_fact fact;        /* the last that was told */
static struct raft_message message;
static struct raft_entry entry;
static char text[DRD_MARK_TEXT_MAX + 1];
static unsigned facts;
static struct walk *walk;

static void told(void *context, const struct raft_fact *f)
{
    (void)context;
    fact = *f;
    facts++;
    snprintf(text, sizeof text, "%s", f->text ? f->text : "");
    message = f->message ? *f->message : (struct raft_message){.type = RAFT_NONE};
    entry = message.entries ? message.entry[0] : f->entry;
}

void drd_shim_mark(int kind, uint64_t a, uint64_t b, uint64_t c, const char *words, size_t length)
{
    struct trace_event event = {.code = TRACE_MARK, .process = 4, .sequence = 9, .fields = 5,
                                .field = {kind, (int64_t)a, (int64_t)b, (int64_t)c}};
    length = length == DRD_MARK_STRING ? words ? strlen(words) : 0 : length;
    event.field_bytes[4] = (struct trace_bytes){(const uint8_t *)words, (uint32_t)length};
    fact = (struct raft_fact){.kind = RAFT_FACT_START};
    facts = 0;
    assert_true(walk_event(walk, &event));
    if (facts) {
        assert_int_equal(fact.process, 4);
        assert_int_equal(fact.sequence, 9);
        assert_string_equal(fact.protocol, "mark");
        assert_false(fact.durable || fact.written || fact.loaded);
    }
}

static int setup(void **state)
{
    static const struct walk_listener listener = {.fact = told};
    (void)state;
    walk = walk_create(&listener);
    return walk ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    walk_destroy(walk);
    return 0;
}

static void is(enum raft_fact_kind kind)
{
    assert_int_equal(facts, 1);
    assert_int_equal(fact.kind, kind);
}

static void who_and_when(void **state)
{
    (void)state;
    assert_true(drd_recorded());
    drd_node(3);
    is(RAFT_FACT_NODE);
    assert_string_equal(fact.peer, "3");
    drd_node(3);
    assert_int_equal(facts, 0); /* no news */
    drd_term(5);
    is(RAFT_FACT_TERM);
    assert_int_equal(fact.term, 5);
    drd_vote(5, 2);
    is(RAFT_FACT_VOTE);
    assert_int_equal(fact.term, 5);
    assert_string_equal(fact.peer, "2");
    drd_role(5, DRD_LEADER);
    is(RAFT_FACT_ROLE);
    assert_int_equal(fact.role, 2);
    drd_role(6, DRD_LEARNER);
    assert_int_equal(fact.role, 3);
    drd_role(6, -1);
    assert_int_equal(fact.role, 0);
}

static void the_log(void **state)
{
    (void)state;
    drd_append(8, 5, UINT64_MAX);
    is(RAFT_FACT_APPEND);
    assert_true(fact.index == 8 && fact.term == 5 && entry.index == 8 && entry.term == 5 && entry.digest == UINT64_MAX);
    assert_string_equal(entry.text, "");
    drd_append_text(9, 5, 77, "set x");
    is(RAFT_FACT_APPEND);
    assert_true(entry.digest == 77);
    assert_string_equal(entry.text, "set x");
    drd_append_entry(10, 6, "put y=2", 7);
    is(RAFT_FACT_APPEND);
    assert_true(entry.index == 10 && entry.term == 6 && entry.digest == drd_digest("put y=2", 7));
    assert_string_equal(entry.text, "put y=2");
    drd_truncate(8);
    is(RAFT_FACT_TRUNCATE);
    assert_int_equal(fact.index, 8);
    drd_commit(7);
    is(RAFT_FACT_COMMIT);
    assert_int_equal(fact.index, 7);
    drd_apply(7, 5, 99);
    is(RAFT_FACT_APPLY);
    assert_true(entry.index == 7 && entry.term == 5 && entry.digest == 99);
    drd_snapshot(6, 4, 98);
    is(RAFT_FACT_SNAPSHOT);
    assert_true(fact.index == 6 && fact.term == 4 && entry.digest == 98);
    drd_configuration(3, "1 2 4*");
    is(RAFT_FACT_CONFIGURATION);
    assert_int_equal(fact.index, 3);
    assert_string_equal(text, "1 2 4*");
}

/* Equal contents have equal digests however long they are, and what is shown of them is cut. */
static void long_entries(void **state)
{
    char content[5000];
    (void)state;
    memset(content, 'x', sizeof content);
    drd_append_entry(1, 1, content, sizeof content);
    uint64_t digest = entry.digest;
    assert_string_equal(entry.text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...");
    content[4999] = 'y';
    drd_append_entry(1, 1, content, sizeof content);
    assert_true(entry.digest != digest);
    drd_append_entry(1, 1, "a\0b", 3);
    assert_string_equal(entry.text, "610062");
    drd_append_entry(1, 1, NULL, 0);
    is(RAFT_FACT_APPEND);
    assert_string_equal(entry.text, "");
}

static void clients(void **state)
{
    char request[sizeof message.request];
    (void)state;
    drd_write(17, "x", 1234);
    is(RAFT_FACT_RECEIVED);
    assert_int_equal(message.type, RAFT_CLIENT_REQUEST);
    assert_string_equal(message.key, "x");
    assert_true(!message.read && message.entries == 1 && entry.digest == 1234);
    memcpy(request, message.request, sizeof request);
    drd_result(17, 41, 0);
    is(RAFT_FACT_SENT);
    assert_int_equal(message.type, RAFT_CLIENT_RESULT);
    assert_string_equal(message.request, request);
    assert_true(message.success && message.match == 41);
    drd_read(18, "x");
    is(RAFT_FACT_RECEIVED);
    assert_true(message.read && !message.entries);
    assert_string_not_equal(message.request, request);
    memcpy(request, message.request, sizeof request);
    drd_result(18, 41, 0xd16e57);
    assert_string_equal(message.request, request);
    assert_true(message.value == 0xd16e57);
}

static void words(void **state)
{
    static char longest[3 * DRD_MARK_TEXT_MAX];
    (void)state;
    drd_text("here the switch acts");
    is(RAFT_FACT_TEXT);
    assert_string_equal(text, "here the switch acts");
    drd_text(NULL);
    is(RAFT_FACT_TEXT);
    assert_string_equal(text, "");
    memset(longest, 'z', sizeof longest - 1);
    drd_text(longest); /* a recording is not bound to the shim's limit */
    assert_int_equal(strlen(text), DRD_MARK_TEXT_MAX);
    drd_mark(1000, 1, 2, 3, NULL, 0); /* of a later header */
    assert_int_equal(facts, 0);
    drd_mark(-1, 1, 2, 3, "x", 1);
    assert_int_equal(facts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_and_when, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(long_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(clients, setup, teardown),
        cmocka_unit_test_setup_teardown(words, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
