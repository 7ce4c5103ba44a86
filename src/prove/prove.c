#include "prove/prove.h"

#include <stdlib.h>
#include <string.h>

#define POINTS 6 /* of the chain; the beginning is one more */
#define RECORDED_CHANGES 12 /* of a recording, as far as it takes long to follow */

struct proving {
    struct prove_subject *subject;
    const struct prove_options *options;
    struct shrink_origin origin;
    struct prove_target target;
    struct proof *proof;
    struct prove_run run[2 * PROOF_TIMES]; /* of the batch at hand */
    char why[400];           /* the last run that came to nothing */
    const char *what;
    size_t done, total;      /* runs, as far as can be said */
};

static bool is_stopped(const struct proving *p)
{
    return p->options->stop && *p->options->stop;
}

static void tell(void *context)
{
    const struct proving *p = context;
    if (p->options->progress)
        p->options->progress(p->options->context, p->what, p->done, p->total);
}

static bool run_ended(void *context, size_t which, const struct explore_outcome *o, const char *path, struct drd_error *e)
{
    struct proving *p = context;
    (void)path;
    (void)e;
    p->run[which] = prove_judge(&p->target, o);
    if (!o->done)
        memcpy(p->why, o->why, sizeof p->why);
    p->done++;
    tell(p);
    return true;
}

static bool is_recorded(const struct proving *p)
{
    return *p->origin.recording;
}

/* What is changed, as a plan. */
static struct plan change_plan(const struct prove_change *change, struct plan_step step[PROVE_STEPS])
{
    struct plan plan = {step, 0};
    if (!change || change->without)
        return plan;
    step[plan.count++] = change->step;
    for (size_t i = 0; i < change->mores; i++)
        step[plan.count++] = change->more[i];
    return plan;
}

/* Runs `first` up to but without `last` of those with this change (NULL: none), each by its own fresh seed from where `at` is made on, into
 * p->run[0]... */
static bool batch(struct proving *p, const struct prove_change *change, const struct prove_change *at, unsigned first, unsigned last,
                  struct drd_error *e)
{
    struct again_job job[2 * PROOF_TIMES];
    struct plan_step step[PROVE_STEPS];
    struct plan one = change_plan(change, step);
    bool timed = !at->step.process;
    const struct again a = {.origin = &p->origin, .jobs = p->options->jobs, .stop = p->options->stop, .ended = run_ended, .waits = tell,
                            .context = p};
    for (unsigned i = first; i < last; i++)
        job[i - first] = (struct again_job){&one, change ? change->without : 0, i + 1, timed ? 0 : at->step.process, at->step.event, at->from};
    return again_run(&a, job, last - first, e);
}

/* ---- the proof ---- */

/* One change. The first run already says much: where it is still there, K more say nothing else. */
static bool trial(struct proving *p, const struct prove_change *change, struct drd_error *e)
{
    struct proof_trial *t = &p->proof->trial[p->proof->trials];
    struct prove_run changed[PROOF_TIMES];
    unsigned times = p->proof->times, runs = 1;
    memcpy(t->option, change->option, sizeof t->option);
    memcpy(t->text, change->text, sizeof t->text);
    t->decision = change->decision;
    if (!batch(p, change, change, 0, 1, e) || is_stopped(p))
        return !e->exit_code;
    changed[0] = p->run[0];
    if (prove_is_without(&changed[0], change->decision) && times > 1) {
        if (!batch(p, change, change, 1, times, e) || is_stopped(p))
            return !e->exit_code;
        memcpy(changed + 1, p->run, (times - 1) * sizeof *changed);
        runs = times;
    }
    bool all = runs == times;
    for (unsigned i = 0; i < runs; i++)
        all &= prove_is_without(&changed[i], change->decision);
    if (all && (!batch(p, NULL, change, 0, times, e) || is_stopped(p)))
        return !e->exit_code;
    for (unsigned i = 0; i < runs; i++) {
        if (all)
            prove_pair(&changed[i], &p->run[i]);
        prove_count(&t->changed, &changed[i]);
        if (all)
            prove_count(&t->unchanged, &p->run[i]);
    }
    p->proof->trials++;
    return true;
}

static bool trials(struct proving *p, struct drd_error *e)
{
    struct prove_change *change = calloc(PROOF_TRIALS, sizeof *change);
    size_t count = change ? prove_changes(p->subject, change) : 0;
    count = is_recorded(p) && count > RECORDED_CHANGES ? RECORDED_CHANGES : count;
    bool good = change || error_set(e, DRD_EXIT_CANNOT, "out of memory"), proved = false;
    p->what = "proving";
    p->total = p->done + count + 2 * p->proof->times;
    for (size_t i = 0; good && !proved && !is_stopped(p) && i < count; i++) {
        good = trial(p, &change[i], e);
        proved = p->proof->trials && prove_proves(&p->proof->trial[p->proof->trials - 1], p->proof->times);
    }
    free(change);
    return good;
}

/* ---- when was it decided ---- */

static bool point(struct proving *p, unsigned step, struct drd_error *e)
{
    const struct verdict *v = p->subject->verdict;
    struct proof_point *at = &p->proof->point[p->proof->points];
    unsigned runs = 2 * p->proof->times;
    struct prove_change from = {0};
    at->step = step;
    if (step) {
        const struct raft_witness *w = &v->cause.step[step - 1].at;
        verdict_event(v, w, at->event, sizeof at->event);
        from.from = prove_when(p->subject, w->process, w->sequence);
        if (is_recorded(p))
            from.step = (struct plan_step){.process = w->process, .event = w->sequence};
    }
    if (!batch(p, NULL, &from, 0, runs, e) || is_stopped(p))
        return !e->exit_code;
    for (unsigned i = 0; i < runs; i++)
        prove_count(&at->count, &p->run[i]);
    p->proof->points++;
    return true;
}

/* The beginning, and steps of the chain at equal distances: its first, its last. A recording cannot begin otherwise. */
static bool points(struct proving *p, struct drd_error *e)
{
    size_t steps = p->subject->verdict->cause.steps, count = steps < POINTS ? steps : POINTS;
    bool good = true;
    p->what = "when was it decided";
    p->done = 0;
    p->total = (count + 1) * 2 * p->proof->times;
    for (size_t i = is_recorded(p) ? 1 : 0; good && !is_stopped(p) && i <= count; i++) {
        size_t step = i == 0 ? 0 : count == 1 ? 1 : 1 + (i - 1) * (steps - 1) / (count - 1);
        good = point(p, (unsigned)step, e);
    }
    return good;
}

/* ---- what is to be proved ---- */

static void earlier_find(struct prove_target *t, const struct verdict *v)
{
    const struct raft_break *cause = v->cause.rule_break;
    for (size_t i = 0; i < v->model->breaks && t->earliers < PROVE_EARLIER; i++) {
        const struct raft_break *b = &v->model->rule_break[i];
        if (b->at.order < cause->at.order && explore_break_id(v->model, b) == t->broken)
            t->earlier[t->earliers++] = (struct prove_event){b->at.process, b->at.sequence};
    }
}

static bool target_init(struct proving *p, struct drd_error *e)
{
    const struct verdict *v = p->subject->verdict;
    struct verdict_fingerprint f;
    struct proof *proof = p->proof;
    if (!v->cause.rule_break || !verdict_fingerprint(v, &f))
        return error_set(e, DRD_EXIT_NOTHING, "%s: %s", p->options->path,
                         v->finding ? "no cause is known that could be proved" : "nothing is broken in this run: there is nothing to prove");
    verdict_event(v, &v->cause.rule_break->at, proof->cause, sizeof proof->cause);
    snprintf(proof->fingerprint, sizeof proof->fingerprint, "%d:%s", f.algorithm, f.value);
    p->target = (struct prove_target){.violated = v->finding != NULL, .fingerprint = p->origin.result.fingerprint,
                                      .broken = explore_break_id(v->model, v->cause.rule_break)};
    earlier_find(&p->target, v);
    return true;
}

/* Unchanged, and by its own chance: does it fail again, and when? A recording is gone on from where the cause is. */
static bool come_again(struct proving *p, struct drd_error *e)
{
    const struct raft_witness *at = &p->subject->verdict->cause.rule_break->at;
    const struct again_job job = {.process = is_recorded(p) ? at->process : 0, .event = is_recorded(p) ? at->sequence : 0};
    const struct again a = {.origin = &p->origin, .jobs = 1, .stop = p->options->stop, .ended = run_ended, .waits = tell, .context = p};
    p->what = "running it again";
    p->total = 1;
    if (!again_run(&a, &job, 1, e))
        return false;
    if (!is_stopped(p) && p->run[0].end != PROVE_SAME && is_recorded(p))
        return error_set(e, DRD_EXIT_CANNOT, "%s: gone on from %s, it %s", p->options->path, p->proof->cause,
                         *p->why ? p->why : "does not fail as it did");
    if (!is_stopped(p) && p->run[0].end != PROVE_SAME)
        return error_set(e, DRD_EXIT_CANNOT, "%s: run again, it does not fail as it did: has the program or its environment changed?",
                         p->options->path);
    p->target.moment = p->run[0].moment;
    p->done = 0;
    return true;
}

/* A rule that was broken without harm may be no failure to others. */
static bool origin_read(struct proving *p, struct drd_error *e)
{
    bool good = again_origin_read(&p->origin, p->options->path, e);
    if (good || e->exit_code != DRD_EXIT_NOTHING || !p->subject->verdict->cause.rule_break)
        return good;
    *e = (struct drd_error){0};
    return true;
}

struct proof *prove(struct prove_subject *s, const struct prove_options *o, struct drd_error *e)
{
    struct proving p = {.subject = s, .options = o, .proof = calloc(1, sizeof *p.proof)};
    bool good = p.proof || error_set(e, DRD_EXIT_CANNOT, "out of memory");
    good = good && origin_read(&p, e);
    s->plan = &p.origin.plan;
    if (good)
        p.proof->times = o->times < 1 ? 1 : o->times > PROOF_TIMES ? PROOF_TIMES : o->times;
    good = good && target_init(&p, e) && come_again(&p, e) && trials(&p, e) && points(&p, e);
    if (good) {
        p.proof->stopped = is_stopped(&p);
        prove_conclude(p.proof);
    }
    s->plan = NULL;
    shrink_origin_fini(&p.origin);
    if (good)
        return p.proof;
    free(p.proof);
    return NULL;
}
