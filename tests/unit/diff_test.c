/* Two runs made by hand, compared: what counts as the same, what is told first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff/diff.h"
#include "lib/check.h"

/* Nodes n1, n2, n3 with one process each; ids as the protocol has them. */
struct cluster {
    struct store_process process[3];
    struct diff_run run;
    uint64_t sequence[3], time;
};

static void cluster_init(struct cluster *c, const char *const ids[3])
{
    static char *const names[] = {"n1", "n2", "n3"}, server[] = "/usr/bin/server";
    *c = (struct cluster){.time = 1000000};
    for (unsigned i = 0; i < 3; i++) {
        c->process[i] = (struct store_process){.number = i + 1, .node = names[i], .incarnation = 1, .exe = server, .start =
                                               1000,
                                               .end = 5000000000, .events = 1000, .complete = true};
    }
    assert_true(diff_run_init(&c->run, c->process, 3));
    for (unsigned i = 0; i < 3; i++) {
        struct raft_fact fact = {.kind = RAFT_FACT_NODE, .process = i + 1, .protocol = "raftkv", .time = c->time};
        snprintf(fact.peer, sizeof fact.peer, "%s", ids[i]);
        diff_run_fact(&c->run, &fact);
    }
}

static void tell(struct cluster *c, unsigned node, struct raft_fact *fact)
{
    fact->process = node + 1;
    fact->sequence = ++c->sequence[node];
    fact->time = c->time += 1000000;
    fact->protocol = "raftkv";
    diff_run_fact(&c->run, fact);
}

static void tell_as(struct cluster *c, unsigned node, struct raft_fact fact, const char *protocol)
{
    fact.process = node + 1;
    fact.sequence = ++c->sequence[node];
    fact.time = c->time += 1000000;
    fact.protocol = protocol;
    diff_run_fact(&c->run, &fact);
}

static const char *id_of(const struct cluster *c, unsigned node)
{
    return c->run.peer[node].id;
}

static void state(struct cluster *c, unsigned node, enum raft_fact_kind kind, uint64_t index, uint64_t term)
{
    tell(c, node, &(struct raft_fact){.kind = kind, .index = index, .term = term});
}

static void append_entry(struct cluster *c, unsigned node, uint64_t index, uint64_t term, const char *text)
{
    struct raft_fact fact = {.kind = RAFT_FACT_APPEND, .index = index, .term = term, .entry =
                             {.index = index, .term = term, .type = 'c'}};
    snprintf(fact.entry.text, sizeof fact.entry.text, "%s", text);
    fact.entry.digest = (uint64_t)text[0] * 1000 + (uint64_t)strlen(text);
    tell(c, node, &fact);
}

static void message(struct cluster *c, unsigned from, unsigned to, struct raft_message *m)
{
    snprintf(m->from, sizeof m->from, "%s", id_of(c, from));
    snprintf(m->to, sizeof m->to, "%s", id_of(c, to));
    tell(c, from, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = m, .term = m->term});
    tell(c, to, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = m, .term = m->term});
}

static void ask_vote(struct cluster *c, unsigned from, unsigned to, uint64_t term)
{
    message(c, from, to, &(struct raft_message){.type = RAFT_REQUEST_VOTE, .term = term, .prev_index = 1, .prev_term = 1});
}

static void answer_vote(struct cluster *c, unsigned from, unsigned to, uint64_t term, bool granted)
{
    message(c, from, to, &(struct raft_message){.type = RAFT_REQUEST_VOTE_RESULT, .term = term, .success = granted});
}

static void heartbeat(struct cluster *c, unsigned from, unsigned to, uint64_t term)
{
    message(c, from, to, &(struct raft_message){.type = RAFT_APPEND_ENTRIES, .term = term});
}

/* n1 is elected in `term` by n2, and an entry is appended and committed by both. */
static void story(struct cluster *c, uint64_t term, unsigned heartbeats, const char *entry)
{
    ask_vote(c, 0, 1, term);
    answer_vote(c, 1, 0, term, true);
    for (unsigned i = 0; i <= heartbeats; i++)
        heartbeat(c, 0, 1, term);
    append_entry(c, 0, 2, term, entry);
    append_entry(c, 1, 2, term, entry);
    state(c, 0, RAFT_FACT_COMMIT, 2, 0);
    heartbeat(c, 0, 1, term);
    state(c, 1, RAFT_FACT_COMMIT, 2, 0);
}

static const char *const numbers[] = {"1", "2", "3"};
static const char *const uuids[] = {"5d2a1b6c-0000-4000-8000-111111111111", "77771b6c-0000-4000-8000-222222222222",
                                    "99991b6c-0000-4000-8000-333333333333"};

static const struct diff_options no_options = {.nodes = 0};

static void compare(struct diff *d, struct cluster *a, struct cluster *b, const struct diff_options *options)
{
    diff_run_finish(&a->run);
    diff_run_finish(&b->run);
    assert_true(diff_init(d, &a->run, &b->run, options));
}

static void end(struct diff *d, struct cluster *a, struct cluster *b)
{
    diff_fini(d);
    diff_run_fini(&a->run);
    diff_run_fini(&b->run);
}

static void assert_first(const struct diff *d, const char *in_a, const char *in_b)
{
    const char *const wanted[] = {in_a, in_b};
    char words[256];
    assert_true(d->first.any);
    for (int side = 0; side < 2; side++) {
        if (!wanted[side]) {
            assert_null(d->first.event[side]);
            continue;
        }
        assert_non_null(d->first.event[side]);
        diff_words(d->run[side], d->first.event[side], d->first.step[side], d->first.step[side], words, sizeof words);
        assert_string_equal(words, wanted[side]);
    }
}

static void same_but_for_names_times_and_retries(void **unused)
{
    struct cluster a, b;
    struct diff d;
    (void)unused;
    cluster_init(&a, numbers);
    cluster_init(&b, uuids);
    b.time += 77000000;
    story(&a, 2, 1, "x=A");
    ask_vote(&b, 0, 1, 2); /* and once more */
    story(&b, 2, 40, "x=A");
    compare(&d, &a, &b, &no_options);
    assert_int_equal(d.lanes, 0);
    assert_false(d.first.any);
    assert_true(d.same > 8);
    end(&d, &a, &b);
}

static void terms_shift(void **unused)
{
    struct cluster a, b;
    struct diff d;
    (void)unused;
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    story(&a, 2, 1, "x=A");
    append_entry(&a, 0, 3, 2, "y=A");
    story(&b, 5, 1, "x=A");
    append_entry(&b, 0, 3, 5, "y=A");
    compare(&d, &a, &b, &no_options);
    assert_int_equal(d.lanes, 0);
    end(&d, &a, &b);
}

static void another_vote(void **unused)
{
    struct cluster a, b;
    struct diff d;
    (void)unused;
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    story(&a, 2, 1, "x=A");
    story(&b, 2, 1, "x=A");
    ask_vote(&a, 2, 1, 2);
    answer_vote(&a, 1, 2, 2, false);
    ask_vote(&b, 2, 1, 2);
    answer_vote(&b, 1, 2, 2, true);
    heartbeat(&b, 2, 1, 2); /* what follows of it is told later */
    append_entry(&b, 2, 2, 2, "x=B");
    compare(&d, &a, &b, &no_options);
    assert_first(&d, "refuses its vote to n3 in term 2", "votes for n3 in term 2");
    assert_non_null(strstr(d.first.why, "same RequestVote"));
    assert_int_equal(d.matter.changed, 1);
    end(&d, &a, &b);
}

static void another_entry(void **unused)
{
    struct cluster a, b;
    struct diff d;
    (void)unused;
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    story(&a, 2, 1, "x=A");
    story(&b, 2, 1, "y=B2");
    compare(&d, &a, &b, &no_options);
    assert_first(&d, "appends \"x=A\" at index 2 (term 2)", "appends \"y=B2\" at index 2 (term 2)");
    diff_fini(&d);
    assert_true(diff_init(&d, &a.run, &b.run, &(struct diff_options){.fields = DIFF_FIELD_CONTENT}));
    assert_false(d.first.any);
    diff_fini(&d);
    assert_true(diff_init(&d, &a.run, &b.run, &(struct diff_options){.ignored = 1u << DIFF_APPEND}));
    assert_false(d.first.any);
    end(&d, &a, &b);
}

/* A node that had not heard of a commit when the run ended differs in nothing that matters; a commit that nobody else has does. */
static void late_is_not_different(void **unused)
{
    struct cluster a, b;
    struct diff d;
    (void)unused;
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    story(&a, 2, 1, "x=A");
    story(&b, 2, 1, "x=A");
    append_entry(&a, 2, 2, 2, "x=A");
    append_entry(&b, 2, 2, 2, "x=A");
    state(&b, 2, RAFT_FACT_COMMIT, 2, 0);
    compare(&d, &a, &b, &no_options);
    assert_false(d.first.any);
    assert_int_equal(d.lanes, 1);
    end(&d, &a, &b);
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    story(&a, 2, 1, "x=A");
    story(&b, 2, 1, "x=A");
    append_entry(&b, 0, 3, 2, "z=Z");
    append_entry(&a, 0, 3, 2, "z=Z");
    state(&b, 0, RAFT_FACT_COMMIT, 3, 0);
    compare(&d, &a, &b, &no_options);
    assert_first(&d, NULL, "commits index 3");
    end(&d, &a, &b);
}

/* What is missing on one side is extra on the other. */
static void both_ways(void **unused)
{
    struct cluster a, b;
    struct diff d, back;
    (void)unused;
    srand(3);
    for (int round = 0; round < 40; round++) {
        cluster_init(&a, numbers);
        cluster_init(&b, uuids);
        for (uint64_t i = 2; i < 60; i++) {
            static const char *const texts[] = {"a", "bb", "ccc", "dddd"};
            if (rand() % 8)
                append_entry(&a, i % 3, i, 2, texts[i % 4]);
            if (rand() % 8)
                append_entry(&b, i % 3, i, 2, texts[rand() % 8 ? i % 4 : 0]);
            if (rand() % 8 == 0)
                ask_vote(rand() % 2 ? &a : &b, i % 3, (i + 1) % 3, i);
        }
        compare(&d, &a, &b, &no_options);
        assert_true(diff_init(&back, &b.run, &a.run, &no_options));
        assert_int_equal(d.same, back.same);
        assert_int_equal(d.matter.missing + d.matter.changed, back.matter.extra + back.matter.changed);
        assert_int_equal(d.matter.extra + d.matter.changed, back.matter.missing + back.matter.changed);
        diff_fini(&back);
        assert_true(diff_init(&back, &a.run, &a.run, &no_options));
        assert_int_equal(back.lanes, 0);
        diff_fini(&back);
        end(&d, &a, &b);
    }
}

/* n3 hears from nobody and campaigns in vain; in the other run it gets a vote. */
static void in_vain(void **unused)
{
    struct cluster a, b;
    struct diff d;
    (void)unused;
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    story(&a, 2, 1, "x=A");
    story(&b, 2, 1, "x=A");
    heartbeat(&a, 0, 2, 2);
    heartbeat(&b, 0, 2, 2);
    ask_vote(&b, 2, 0, 3);
    compare(&d, &a, &b, &no_options);
    assert_false(d.first.any);
    assert_true(d.lanes > 0);
    end(&d, &a, &b);
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    story(&a, 2, 1, "x=A");
    story(&b, 2, 1, "x=A");
    heartbeat(&a, 0, 2, 2);
    heartbeat(&b, 0, 2, 2);
    ask_vote(&b, 2, 0, 3);
    answer_vote(&b, 0, 2, 3, true);
    compare(&d, &a, &b, &no_options);
    assert_first(&d, NULL, "becomes candidate of term 3");
    end(&d, &a, &b);
}

/* A follower's log grows by what no leader sent it; and by what one did. */
static void sent_by_nobody(void **unused)
{
    const struct raft_entry entry = {.index = 3, .term = 2, .type = 'c', .text = "y=B", .digest = (uint64_t)'y' * 1000 + 3};
    struct cluster run[2];
    struct diff d;
    (void)unused;
    for (int i = 0; i < 2; i++) {
        struct raft_message m = {.type = RAFT_APPEND_ENTRIES, .term = 2, .prev_index = 2, .prev_term = 2, .entries = 1,
                                 .entry = &entry};
        cluster_init(&run[i], numbers);
        story(&run[i], 2, 1, "x=A");
        state(&run[i], 1, RAFT_FACT_START, 0, 0);
        if (i == 0)
            message(&run[i], 0, 1, &m);
        append_entry(&run[i], 1, 3, 2, "y=B");
        if (i == 1)
            message(&run[i], 0, 1, &m);
    }
    compare(&d, &run[0], &run[1], &no_options);
    assert_first(&d, "appends \"y=B\" at index 3 (term 2)",
                 "appends \"y=B\" at index 3 (term 2), which nobody had sent it");
    end(&d, &run[0], &run[1]);
}

/* The configuration that a node has after its entry is gone, and what both did before. */
static void an_older_configuration(void **unused)
{
    struct cluster run[2];
    struct diff d;
    char words[256];
    (void)unused;
    for (int i = 0; i < 2; i++) {
        const struct raft_fact older = {.kind = RAFT_FACT_CONFIGURATION, .index = 1, .text = "1 2"};
        struct raft_fact newer = {.kind = RAFT_FACT_CONFIGURATION, .index = 3, .text = "1 2 3"};
        cluster_init(&run[i], numbers);
        story(&run[i], 2, 1, "x=A");
        append_entry(&run[i], 1, 3, 2, "y=B");
        tell(&run[i], 1, &newer);
        state(&run[i], 1, RAFT_FACT_TRUNCATE, 2, 0);
        if (i == 0)
            tell_as(&run[i], 1, older, "mark");
    }
    compare(&d, &run[0], &run[1], &no_options);
    assert_first(&d, "has the configuration of index 1: \"1 2\"", NULL);
    assert_non_null(d.first.after[1]);
    diff_words(d.run[1], d.first.after[1], 0, 0, words, sizeof words);
    assert_string_equal(words, "cuts its log back to index 2, from 3");
    end(&d, &run[0], &run[1]);
}

static void what_cannot_be_compared(void **unused)
{
    struct cluster a, b;
    char words[300];
    (void)unused;
    cluster_init(&a, numbers);
    cluster_init(&b, numbers);
    assert_int_equal(diff_check(&a.run, &b.run, words, sizeof words), DIFF_NO_RAFT);
    story(&a, 2, 1, "x=A");
    assert_int_equal(diff_check(&a.run, &b.run, words, sizeof words), DIFF_NO_RAFT);
    story(&b, 2, 1, "x=A");
    assert_int_equal(diff_check(&a.run, &b.run, words, sizeof words), DIFF_COMPARABLE);
    snprintf(b.run.node[1].program, sizeof b.run.node[1].program, "other");
    assert_int_equal(diff_check(&a.run, &b.run, words, sizeof words), DIFF_OTHER_PROGRAMS);
    for (unsigned i = 0; i < 3; i++)
        snprintf(b.run.node[i].name, sizeof b.run.node[i].name, "m%u", i);
    assert_int_equal(diff_check(&a.run, &b.run, words, sizeof words), DIFF_NO_COMMON_NODE);
    diff_run_fini(&a.run);
    diff_run_fini(&b.run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_but_for_names_times_and_retries), cmocka_unit_test(terms_shift),
            cmocka_unit_test(another_vote),
        cmocka_unit_test(another_entry), cmocka_unit_test(late_is_not_different), cmocka_unit_test(both_ways),
        cmocka_unit_test(in_vain), cmocka_unit_test(sent_by_nobody), cmocka_unit_test(an_older_configuration),
        cmocka_unit_test(what_cannot_be_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
