/* The lives of the entries at one index: proposed, held, acknowledged, committed, applied, lost. */
#include <stdio.h>
#include <string.h>

#include "drd/drd.h"
#include "lib/breaks.h"
#include "raft/blame.h"

static struct blame blame;

static void tell(void *context, const struct raft_fact *fact)
{
    (void)context;
    blame_step(&blame, fact);
}

/* Three nodes that have index 1; index 2 is looked at. */
static int setup(void **state)
{
    if (breaks_setup(state, 3))
        return -1;
    struct facts *f = *state;
    assert_true(blame_init(&blame, 2));
    raft_model_destroy(blame.model);
    blame.model = f->model;
    f->tell = tell;
    return 0;
}

static int teardown(void **state)
{
    struct facts *f = *state;
    blame_fini(&blame);
    f->model = NULL;
    return breaks_teardown(state);
}

static const struct raft_variant *entry(uint64_t term)
{
    const struct raft_variant *v = raft_cluster_entries(&blame.model->cluster[0], 2);
    while (v && v->term != term)
        v = v->next;
    assert_non_null(v);
    return v;
}

/* The events of one kind in an entry's life; the last is given. */
static unsigned count(enum blame_kind kind, uint64_t term, const struct blame_event **last)
{
    const struct raft_variant *v = entry(term);
    unsigned n = 0;
    for (size_t i = 0; i < blame.events; i++) {
        if (blame.event[i].kind != kind || blame.event[i].variant != v)
            continue;
        n++;
        if (last)
            *last = &blame.event[i];
    }
    return n;
}

/* It is voted for, and says that it leads. */
static void elect(struct facts *f, unsigned node, uint64_t term, uint64_t last, uint64_t last_term, const char *voters)
{
    moves_elect(f, node, term, last, last_term, voters);
    facts_role(f, node, term, 2);
}

static void an_entry_is_proposed_acknowledged_and_committed(void **state)
{
    struct facts *f = *state;
    const struct blame_event *e;
    elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    uint64_t proposed = f->sequence[0];
    uint64_t told = moves_replicate(f, 0, 1, 2, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_heartbeat(f, 0, 2, 2, 2, 2, 2);
    blame_finish(&blame);

    struct blame_origin o = blame_origin(&blame, entry(2), 0);
    assert_non_null(o.event);
    assert_int_equal(o.event->at.node, 0);
    assert_int_equal(o.event->at.sequence, proposed);
    assert_int_equal(count(BLAME_HELD, 2, NULL), 2);
    assert_int_equal(count(BLAME_ACKNOWLEDGED, 2, &e), 1);
    assert_int_equal(e->at.node, 1);
    assert_int_equal(e->term, 2);
    assert_string_equal(e->peer, "s0");
    assert_int_equal(e->got.node, 0);
    assert_int_equal(e->got.sequence, told);
    assert_int_equal(count(BLAME_COMMITTED, 2, &e), 1);
    assert_int_equal(e->term, 2);
    assert_string_equal(e->counted, "s0, s1");
    assert_int_equal(e->count, 2);
    assert_int_equal(e->voters, 3);
    assert_true(e->majority);
    assert_false(e->alone);
    assert_int_equal(count(BLAME_LOST, 2, NULL), 0);
    assert_ptr_equal(blame_holds(&blame, 0), entry(2));
    assert_null(blame_holds(&blame, 2));
}

static void a_commit_without_a_majority_is_told_as_such(void **state)
{
    struct facts *f = *state;
    const struct blame_event *e;
    elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    moves_state(f, 0, RAFT_FACT_COMMIT, false, 2, 0);
    assert_int_equal(count(BLAME_COMMITTED, 2, &e), 1);
    assert_false(e->majority);
    assert_string_equal(e->counted, "s0");
}

/* Figure 8: "a" of term 2 is committed in term 4 by counting, and replaced by "b" of term 3. */
static void two_entries_at_one_index_are_told_apart(void **state)
{
    struct facts *f = *state;
    const struct blame_event *e;
    elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    elect(f, 1, 3, 1, 1, "2");
    facts_append(f, 1, true, 2, 3, "b");
    elect(f, 0, 4, 2, 2, "2");
    moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "a")), 1);
    moves_state(f, 0, RAFT_FACT_COMMIT, false, 2, 0);
    elect(f, 1, 5, 2, 3, "2");
    moves_replicate(f, 1, 2, 5, 1, 1, ENTRIES(E(3, "b")), 1);
    blame_finish(&blame);

    assert_int_equal(count(BLAME_COMMITTED, 2, &e), 1);
    assert_int_equal(e->term, 4);
    assert_true(e->majority);
    assert_true(e->alone);
    assert_int_equal(count(BLAME_LOST, 2, &e), 1);
    assert_int_equal(e->at.node, 2);
    assert_ptr_equal(e->by, entry(3));
    assert_int_equal(blame_origin(&blame, entry(2), 0).event->at.node, 0);
    assert_int_equal(blame_origin(&blame, entry(3), 0).event->at.node, 1);
    assert_int_equal(count(BLAME_ACKNOWLEDGED, 3, &e), 1);
    assert_int_equal(e->term, 5);
    assert_ptr_equal(blame_holds(&blame, 2), entry(3));
}

static void with_an_entry_of_its_own_term_it_is_not_alone(void **state)
{
    struct facts *f = *state;
    const struct blame_event *e;
    elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    elect(f, 0, 4, 2, 2, "2");
    facts_append(f, 0, true, 3, 4, "c");
    moves_replicate(f, 0, 2, 4, 1, 1, ENTRIES(E(2, "a"), E(4, "c")), 1);
    moves_state(f, 0, RAFT_FACT_COMMIT, false, 3, 0);
    assert_int_equal(count(BLAME_COMMITTED, 2, &e), 1);
    assert_int_equal(e->term, 4);
    assert_false(e->alone);
}

/* A mark tells of the entry; the file is cut and written after that. Nothing was lost. */
static void what_a_file_tells_after_a_mark_is_no_loss(void **state)
{
    struct facts *f = *state;
    facts_append(f, 2, false, 2, 2, "a");
    facts_tell(f, 2, &(struct raft_fact){.kind = RAFT_FACT_TRUNCATE, .index = 1, .written = true});
    assert_int_equal(count(BLAME_LOST, 2, NULL), 1);
    f->sequence[2]--; /* the same write */
    facts_append(f, 2, true, 2, 2, "a");
    assert_int_equal(count(BLAME_LOST, 2, NULL), 0);
    assert_int_equal(count(BLAME_HELD, 2, NULL), 1);
    assert_ptr_equal(blame_holds(&blame, 2), entry(2));
}

static void a_restart_loses_nothing_by_itself(void **state)
{
    struct facts *f = *state;
    const struct blame_event *e;
    facts_append(f, 2, false, 2, 2, "a");
    facts_restart(f, 2);
    moves_state(f, 2, RAFT_FACT_START, false, 0, 0);
    moves_state(f, 2, RAFT_FACT_TERM, false, 0, 3);
    assert_int_equal(count(BLAME_LOST, 2, NULL), 0);
    assert_null(blame_holds(&blame, 2));
    facts_append(f, 2, false, 2, 3, "b");
    assert_int_equal(count(BLAME_LOST, 2, &e), 1);
    assert_ptr_equal(e->by, entry(3));
}

/* s2 acknowledges to s0 what it does not hold. */
static void an_acknowledgement_of_another_entry_is_shown_as_such(void **state)
{
    struct facts *f = *state;
    const struct blame_event *e;
    elect(f, 0, 2, 1, 1, "1");
    facts_append(f, 0, true, 2, 2, "a");
    facts_append(f, 2, true, 2, 3, "b");
    facts_answer(f, 2, 0, 2, true, 2);
    assert_int_equal(count(BLAME_ACKNOWLEDGED, 3, &e), 1);
    assert_int_equal(count(BLAME_ACKNOWLEDGED, 2, &e), 1);
    assert_int_equal(e->at.node, 2);
    assert_int_equal(e->at.how, RAFT_HOW_NONE);
    assert_ptr_equal(e->by, entry(3));
    assert_int_equal(e->got.node, 0);
}

static void client(struct facts *f, bool result, const char *id, const char *text, uint64_t match)
{
    struct raft_entry e = {.type = '?', .digest = drd_digest(text, strlen(text))};
    struct raft_message m = {.type = result ? RAFT_CLIENT_RESULT : RAFT_CLIENT_REQUEST, .success = result, .match = match};
    snprintf(m.request, sizeof m.request, "%s", id);
    m.entry = result ? NULL : &e;
    m.entries = !result;
    facts_tell(f, 0, &(struct raft_fact){.kind = result ? RAFT_FACT_SENT : RAFT_FACT_RECEIVED, .message = &m});
}

static struct raft_fact kept[64];
static struct raft_message kept_message[64];
static struct raft_entry kept_entry[64];
static size_t kept_count;

/* Facts are kept, because the second pass wants them again. */
static void tell_and_keep(void *context, const struct raft_fact *fact)
{
    size_t i = kept_count++;
    assert_true(i < 64);
    kept[i] = *fact;
    if (fact->message) {
        kept_message[i] = *fact->message;
        kept[i].message = &kept_message[i];
        if (fact->message->entries)
            kept_entry[i] = fact->message->entry[0];
        kept_message[i].entry = &kept_entry[i];
    }
    tell(context, fact);
}

static void the_request_is_the_last_with_that_command(void **state)
{
    struct facts *f = *state;
    kept_count = 0;
    f->tell = tell_and_keep;
    blame.order = 0;
    elect(f, 0, 2, 1, 1, "1");
    client(f, false, "r1", "a", 0);
    client(f, false, "r2", "a", 0);
    uint64_t received = f->sequence[0];
    client(f, false, "r3", "z", 0);
    facts_append(f, 0, true, 2, 2, "a");
    client(f, false, "r4", "a", 0); /* too late */
    client(f, true, "r2", "", 2);
    uint64_t answered = f->sequence[0];
    blame_finish(&blame);
    for (size_t i = 0; i < kept_count; i++)
        blame_step_client(&blame, &kept[i]);
    const struct blame_request *r = blame_request(&blame, entry(2));
    assert_non_null(r);
    assert_string_equal(r->id, "r2");
    assert_true(r->same && r->confirmed);
    assert_int_equal(r->received.sequence, received);
    assert_int_equal(r->answered.sequence, answered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_entry_is_proposed_acknowledged_and_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_without_a_majority_is_told_as_such, setup, teardown),
        cmocka_unit_test_setup_teardown(two_entries_at_one_index_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(with_an_entry_of_its_own_term_it_is_not_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_file_tells_after_a_mark_is_no_loss, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_loses_nothing_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(an_acknowledgement_of_another_entry_is_shown_as_such, setup, teardown),
        cmocka_unit_test_setup_teardown(the_request_is_the_last_with_that_command, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
