/* What runs that were made again say about a cause: every doubt counts against the proof. And what a run keeps of it. */
#include "prove/prove.h"

#include <string.h>

#include "lib/check.h"
#include "store/store.h"

#define CAUSE 0x1234
#define MOMENT 500

static const struct prove_target violated = {.violated = true, .fingerprint = "3:aaaaaa-T07", .broken = CAUSE, .moment = MOMENT};
static const struct prove_target rule = {.broken = CAUSE, .moment = MOMENT};

/* A run that was judged: nothing broke, it was longer than the first, and its command failed. */
static struct explore_outcome *outcome(enum triage_kind kind, const char *fingerprint)
{
    static struct explore_outcome o;
    memset(&o, 0, sizeof o);
    o.done = o.result.judged = true;
    o.result.kind = kind;
    o.result.exit_status = 2;
    o.world = MOMENT + 1;
    o.violated = kind == TRIAGE_VIOLATION ? MOMENT - 100 : 0;
    snprintf(o.result.fingerprint, sizeof o.result.fingerprint, "%s", fingerprint);
    return &o;
}

static void the_same_is_the_same(void **state)
{
    struct prove_run r = prove_judge(&violated, outcome(TRIAGE_VIOLATION, "3:aaaaaa-T07"));
    (void)state;
    assert_int_equal(r.end, PROVE_SAME);
    assert_int_equal(r.moment, MOMENT - 100);
    assert_false(r.passed);
    assert_int_equal(prove_judge(&violated, outcome(TRIAGE_VIOLATION, "3:bbbbbb-T07")).end, PROVE_OTHER);
}

static void gone_only_beyond_the_moment(void **state)
{
    struct explore_outcome *o = outcome(TRIAGE_CHECK, "3:cccccc-CHECK");
    (void)state;
    assert_int_equal(prove_judge(&violated, o).end, PROVE_GONE);
    o->world = MOMENT;
    assert_int_equal(prove_judge(&violated, o).end, PROVE_OPEN);
    o->result.exit_status = 0; /* the command was content */
    assert_int_equal(prove_judge(&violated, o).end, PROVE_GONE);
}

static void doubts_are_open(void **state)
{
    struct explore_outcome *o = outcome(TRIAGE_HEALTHY, "");
    (void)state;
    o->missed = true;
    assert_int_equal(prove_judge(&violated, o).end, PROVE_OPEN);
    o = outcome(TRIAGE_HEALTHY, "");
    o->done = false;
    assert_int_equal(prove_judge(&violated, o).end, PROVE_OPEN);
    o = outcome(TRIAGE_HEALTHY, "");
    o->stopped = true;
    assert_int_equal(prove_judge(&violated, o).end, PROVE_OPEN);
    o = outcome(TRIAGE_HEALTHY, "");
    o->result.judged = false; /* something could not be seen */
    assert_int_equal(prove_judge(&violated, o).end, PROVE_OPEN);
    o->result.idle = true; /* only, nothing was committed */
    assert_int_equal(prove_judge(&violated, o).end, PROVE_GONE);
    assert_int_equal(prove_judge(&violated, outcome(TRIAGE_BROKEN, "")).end, PROVE_OPEN);
}

static void a_rule_is_looked_for_itself(void **state)
{
    struct explore_outcome *o = outcome(TRIAGE_RULE, "3:aaaaaa-T07");
    (void)state;
    assert_int_equal(prove_judge(&rule, o).end, PROVE_GONE);
    o->broken[o->breaks++] = (struct explore_break){.what = CAUSE + 1, .time = 10};
    o->broken[o->breaks++] = (struct explore_break){.what = CAUSE, .time = 20};
    struct prove_run r = prove_judge(&rule, o);
    assert_int_equal(r.end, PROVE_SAME);
    assert_int_equal(r.moment, 20);
    r = prove_judge(&violated, o); /* the property is not violated, the rule is broken */
    assert_true(r.end == PROVE_GONE && r.broke);
    assert_false(prove_is_without(&r, false));
    assert_true(prove_is_without(&r, true));
}

/* At these very events it was broken in the first run too, and no harm came of it. One more is one more. */
static void what_was_harmless_before_is_not_counted(void **state)
{
    struct prove_target t = violated;
    struct explore_outcome *o = outcome(TRIAGE_HEALTHY, "");
    (void)state;
    t.earlier[t.earliers++] = (struct prove_event){7, 222};
    o->broken[o->breaks++] = (struct explore_break){.what = CAUSE, .time = 10, .process = 7, .event = 222};
    assert_false(prove_judge(&t, o).broke);
    assert_true(prove_judge(&violated, o).broke);
    o->broken[o->breaks++] = (struct explore_break){.what = CAUSE, .time = 30, .process = 7, .event = 223};
    assert_true(prove_judge(&t, o).broke);
    o->broken[1].process = 8, o->broken[1].event = 222;
    assert_true(prove_judge(&t, o).broke);
    t.violated = false;
    assert_int_equal(prove_judge(&t, o).moment, 30);
}

/* Of more breaks than were kept, one may be that of the cause. */
static void breaks_that_were_not_kept_are_doubts(void **state)
{
    struct explore_outcome *o = outcome(TRIAGE_HEALTHY, "");
    (void)state;
    o->breaks_more = true;
    struct prove_run r = prove_judge(&violated, o);
    assert_true(r.end == PROVE_GONE && r.broke);
    assert_false(prove_is_without(&r, false));
    assert_int_equal(prove_judge(&rule, o).end, PROVE_OPEN);
}

static void gone_is_open_where_the_other_took_longer(void **state)
{
    struct prove_run gone = {.end = PROVE_GONE, .world = 1000}, other = {.end = PROVE_SAME, .moment = 999};
    (void)state;
    prove_pair(&gone, &other);
    assert_int_equal(gone.end, PROVE_GONE);
    other.moment = 1000;
    prove_pair(&gone, &other);
    assert_int_equal(gone.end, PROVE_OPEN);
}

static struct proof_trial trial_of(unsigned gone, unsigned broke, unsigned there)
{
    return (struct proof_trial){.option = "--drop n3@536", .text = "the AppendReply of n3 to n1 is lost",
                                .changed = {.runs = 5, .gone = gone, .same = 5 - gone, .broke = broke},
                                .unchanged = {.runs = 5, .same = there, .gone = 5 - there}};
}

static void all_or_nothing_proves(void **state)
{
    struct proof_trial t = trial_of(5, 0, 5);
    (void)state;
    assert_true(prove_proves(&t, 5));
    assert_false(prove_proves(&t, 6));
    assert_false(prove_proves(&t, 0));
    t = trial_of(4, 0, 5);
    assert_false(prove_proves(&t, 5));
    t = trial_of(5, 0, 4);
    assert_false(prove_proves(&t, 5));
    t = trial_of(5, 1, 5); /* another condition was taken away */
    assert_false(prove_proves(&t, 5));
    t.decision = true;
    assert_true(prove_proves(&t, 5));
}

static void trials_conclude(void **state)
{
    struct proof p = {.times = 5};
    (void)state;
    prove_conclude(&p);
    assert_int_equal(p.state, PROOF_OPEN);
    p.trial[p.trials++] = trial_of(0, 5, 0);
    prove_conclude(&p);
    assert_int_equal(p.state, PROOF_HOLDS);
    p.stopped = true; /* there may have been more to try */
    prove_conclude(&p);
    assert_int_equal(p.state, PROOF_OPEN);
    p.stopped = false;
    p.trial[p.trials++] = trial_of(3, 0, 5);
    prove_conclude(&p);
    assert_int_equal(p.state, PROOF_OPEN);
    p.trial[p.trials++] = trial_of(5, 0, 5);
    prove_conclude(&p);
    assert_true(p.state == PROOF_PROVED && p.proving == 2);
}

/* ---- what a run keeps ---- */

static struct raft_break cause_break = {.class = RAFT_T07, .at = {.sequence = 811, .process = 1, .how = RAFT_HOW_STATED}, .shape = "counted"};
static struct raft_node node = {.name = "n1"};
static struct store_process process = {.number = 1, .node = (char *)"n1", .incarnation = 1, .exe = (char *)"/x/raftkv"};

static struct verdict verdict_of(struct raft_model *m)
{
    *m = (struct raft_model){.node = &node, .nodes = 1};
    struct verdict v = {.model = m, .process = &process, .processes = 1};
    v.cause.rule_break = &cause_break;
    v.cause.certainty = CERTAINTY_LIKELY;
    strcpy(v.cause.settle, "more");
    return v;
}

static struct proof proof_of(const struct verdict *v)
{
    struct proof p = {.state = PROOF_PROVED, .times = 5, .trials = 1, .points = 1};
    struct verdict_fingerprint f;
    assert_true(verdict_fingerprint(v, &f));
    snprintf(p.fingerprint, sizeof p.fingerprint, "%d:%s", f.algorithm, f.value);
    strcpy(p.cause, "n1@811");
    p.trial[0] = trial_of(5, 0, 5);
    p.point[0] = (struct proof_point){.step = 3, .event = "n1@700", .count = {.runs = 10, .same = 7}};
    return p;
}

static struct store *new_store(char directory[64])
{
    struct drd_error e = {0};
    scratch_enter(directory, 64);
    struct store *s = store_create("x.drd", &e);
    assert_non_null(s);
    return s;
}

static void a_run_keeps_it(void **state)
{
    char directory[64];
    struct raft_model m;
    struct verdict v = verdict_of(&m);
    struct proof p = proof_of(&v);
    struct store *s = new_store(directory);
    (void)state;
    assert_null(proof_read(s, &v));
    assert_true(proof_keep(s, &p));
    struct proof *again = proof_read(s, &v);
    assert_non_null(again);
    assert_memory_equal(again, &p, sizeof p);
    verdict_proof(&v, again);
    assert_int_equal(v.cause.certainty, CERTAINTY_PROVED);
    assert_string_equal(v.cause.settle, "");
    verdict_fini(&v);
    cause_break.at.sequence++; /* another event is the cause now: nothing is known of that */
    assert_null(proof_read(s, &v));
    cause_break.at.sequence--;
    store_close(s);
    scratch_leave(directory);
}

static void strange_ones_are_not_believed(void **state)
{
    static const char *const strange[] = {
        "", "[", "[]", "null", "{}", "{\"state\":\"proved\"}", "{\"state\":\"none\"}", "{\"state\":7,\"tried\":7,\"decided\":{}}",
        "{\"state\":\"proved\",\"proving\":3,\"tried\":[{}],\"cause\":\"n1@811\"}",
        "{\"state\":\"open\",\"times\":-1,\"tried\":[1,[],{\"changed\":[]}],\"decided\":[null]}",
    };
    char directory[64];
    struct raft_model m;
    struct drd_error e = {0};
    struct verdict v = verdict_of(&m);
    struct store *s = new_store(directory);
    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_true(store_fact_set(s, "proof", strange[i], &e));
        assert_null(proof_read(s, &v));
    }
    store_close(s);
    scratch_leave(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_the_same),
        cmocka_unit_test(gone_only_beyond_the_moment),
        cmocka_unit_test(doubts_are_open),
        cmocka_unit_test(a_rule_is_looked_for_itself),
        cmocka_unit_test(what_was_harmless_before_is_not_counted),
        cmocka_unit_test(breaks_that_were_not_kept_are_doubts),
        cmocka_unit_test(gone_is_open_where_the_other_took_longer),
        cmocka_unit_test(all_or_nothing_proves),
        cmocka_unit_test(trials_conclude),
        cmocka_unit_test(a_run_keeps_it),
        cmocka_unit_test(strange_ones_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
