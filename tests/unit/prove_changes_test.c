/* Which inputs could have been otherwise: of the recorded runs of traces/. */
#include "prove/prove.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/check.h"
#include "protocol/protocol.h"

struct stage {
    char directory[64];
    struct store *store;
    struct store_process *process;
    size_t processes;
    struct raft_model *model;
    struct verdict verdict;
    struct prove_subject subject;
    struct prove_change change[PROOF_TRIALS];
    size_t changes;
};

static void copy(const char *from, const char *to)
{
    char block[65536];
    size_t n;
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    assert_true(in && out);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        assert_int_equal(fwrite(block, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void stage_open(struct stage *s, const char *name)
{
    char path[512], word[64] = "";
    struct drd_error e = {0};
    *s = (struct stage){0};
    scratch_enter(s->directory, sizeof s->directory);
    snprintf(path, sizeof path, "%s/traces/%s.drd", DRD_SOURCE_DIR, name);
    copy(path, "x.drd");
    s->store = store_open("x.drd", STORE_WRITE, &e);
    assert_non_null(s->store);
    assert_true(protocol_index(s->store, NULL, NULL, &e));
    assert_true(store_processes(s->store, &s->process, &s->processes, &e));
    s->model = explain_model(s->store, s->process, s->processes, &e);
    assert_non_null(s->model);
    store_fact(s->store, "state", word, sizeof word);
    verdict_init(&s->verdict, s->model, s->process, s->processes, word);
    assert_true(verdict_order(&s->verdict, s->store, &e));
    assert_true(inputs_add(&s->verdict.cause, s->store, s->process, s->processes, &e));
    s->subject = (struct prove_subject){.store = s->store, .process = s->process, .processes = s->processes, .begin = UINT64_MAX,
                                        .verdict = &s->verdict};
    for (size_t i = 0; i < s->processes; i++) {
        s->subject.begin = s->process[i].start < s->subject.begin ? s->process[i].start : s->subject.begin;
        s->subject.end = s->process[i].end > s->subject.end ? s->process[i].end : s->subject.end;
    }
    s->changes = prove_changes(&s->subject, s->change);
}

static void stage_close(struct stage *s)
{
    verdict_fini(&s->verdict);
    raft_model_destroy(s->model);
    for (size_t i = 0; i < s->processes; i++)
        store_process_fini(&s->process[i]);
    free(s->process);
    store_close(s->store);
    scratch_leave(s->directory);
}

static bool is_same(const struct plan_step *a, const struct plan_step *b)
{
    return a->kind == b->kind && a->process == b->process && a->event == b->event;
}

/* What holds of any: each is another, says what it is, and names an event that there is. */
static void check_all(const struct stage *s)
{
    assert_in_range(s->changes, 1, PROOF_TRIALS);
    for (size_t i = 0; i < s->changes; i++) {
        const struct prove_change *one = &s->change[i];
        struct drd_error e = {0};
        struct stream *st = stream_open(s->store, one->step.process, &e);
        assert_non_null(st);
        assert_int_equal(stream_seek(st, one->step.event, &e), 1);
        stream_close(st);
        assert_true(!strncmp(one->option, "--", 2) && strchr(one->option, '@') && *one->text);
        assert_true(one->from > 0 && one->from < s->subject.end - s->subject.begin + 1000000000);
        for (size_t j = 0; j < i; j++)
            assert_false(is_same(&one->step, &s->change[j].step));
    }
}

static const struct prove_change *find(const struct stage *s, enum plan_kind kind, size_t from)
{
    for (size_t i = from; i < s->changes; i++)
        if (s->change[i].step.kind == kind)
            return &s->change[i];
    return NULL;
}

/* The acknowledgement by which the leader counted is the first, then the same too late; timers and draws of elections come later. */
static void from_the_cause_outwards(void **state)
{
    struct stage s;
    (void)state;
    stage_open(&s, "T07");
    check_all(&s);
    assert_int_equal(s.change[0].step.kind, PLAN_DROP);
    assert_string_equal(s.change[0].text, "the AppendEntriesResult of s2 to s0 is lost");
    assert_int_equal(strncmp(s.change[0].option, "--drop s2@", 10), 0);
    const struct prove_change *late = find(&s, PLAN_DELAY, 0);
    assert_true(late && late->step.process == s.change[0].step.process && late->step.event == s.change[0].step.event);
    assert_true(late->step.value >= INT64_C(10000000000));
    assert_true(strstr(late->option, "ms") != NULL);
    assert_true(find(&s, PLAN_TIMER, 0) > late);
    for (size_t i = 0; i < s.changes; i++)
        assert_true(!s.change[i].without && !s.change[i].mores && !strstr(s.change[i].text, "hello"));
    stage_close(&s);
}

/* Three state machines read the clock: the two that did so later are given what the first read. */
static void what_they_read_is_made_alike(void **state)
{
    struct stage s;
    struct trace_event event;
    struct drd_error e = {0};
    (void)state;
    stage_open(&s, "T24");
    check_all(&s);
    const struct prove_change *one = &s.change[0];
    assert_true(one->step.kind == PLAN_CLOCK && one->mores == 1 && one->more[0].kind == PLAN_CLOCK);
    assert_true(one->step.process != one->more[0].process && one->step.value == one->more[0].value);
    assert_string_equal(one->text, "all read the time of day that was read at n1@353");
    assert_true(strstr(one->option, "--clock n3@232=") == one->option && strstr(one->option, " --clock n2@251="));
    uint32_t n1 = 0;
    for (size_t i = 0; i < s.processes; i++)
        if (!strcmp(s.process[i].node, "n1"))
            n1 = s.process[i].number;
    struct stream *st = stream_open(s.store, n1, &e);
    assert_true(st && stream_seek(st, 353, &e) == 1 && stream_next(st, &event, &e) == 1);
    assert_true(event.code == TRACE_CLOCK && event.field[0] == CLOCK_REALTIME);
    assert_int_equal(one->step.value, event.field[1] * 1000000000 + event.field[2]);
    stream_close(st);
    stage_close(&s);
}

/* Faults of a plan are taken out, the latest first, and only those before the cause. */
static void faults_are_left_out(void **state)
{
    struct stage s;
    struct plan_step step[] = {{.kind = PLAN_FAULT, .at = 1, .words = "cut n1 n2"}, {.kind = PLAN_FRESH, .at = 2},
                               {.kind = PLAN_FAULT, .at = 3, .words = "heal n1 n2"}, {.kind = PLAN_FAULT, .at = INT64_MAX, .words = "heal"}};
    struct plan plan = {step, 4};
    size_t left_out[2], found = 0;
    (void)state;
    stage_open(&s, "T01");
    s.subject.plan = &plan;
    s.changes = prove_changes(&s.subject, s.change);
    for (size_t i = 0; i < s.changes; i++)
        if (s.change[i].without && found < 2)
            left_out[found++] = s.change[i].without;
    assert_int_equal(found, 2);
    assert_true(left_out[0] == 3 && left_out[1] == 1);
    stage_close(&s);
}

static void nothing_without_a_cause(void **state)
{
    struct stage s;
    (void)state;
    stage_open(&s, "T01");
    s.verdict.cause.rule_break = NULL;
    assert_int_equal(prove_changes(&s.subject, s.change), 0);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_cause_outwards),
        cmocka_unit_test(what_they_read_is_made_alike),
        cmocka_unit_test(faults_are_left_out),
        cmocka_unit_test(nothing_without_a_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
