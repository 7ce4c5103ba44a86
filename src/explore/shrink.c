/* The stages of drd shrink, one after another, as long as they leave less. */
#include "explore/shrinker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore/parting.h"

#define ROUNDS 3 /* of all stages: what one leaves may let another leave more out */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- stages ---- */

static bool is_fault(const struct plan_step *step)
{
    return step->kind == PLAN_FAULT;
}

static bool is_timer(const struct plan_step *step)
{
    return step->kind == PLAN_TIMER || step->kind == PLAN_DRAW;
}

static bool is_delivery(const struct plan_step *step)
{
    bool other = step->kind == PLAN_REST || step->kind == PLAN_CALM || step->kind == PLAN_END;
    return !other && !is_fault(step) && !is_timer(step);
}

static bool is_rest(const struct plan_step *step)
{
    return step->kind == PLAN_REST;
}

static size_t steps_of(const struct plan *p, bool (*of)(const struct plan_step *))
{
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        count += of(&p->step[i]);
    return count;
}

static size_t terms_now(struct shrinker *s)
{
    const struct explore_outcome *out = &s->outcome;
    size_t count = 0;
    while (count < out->terms && (!out->failed || out->term[count] < out->failed))
        count++;
    return count;
}

static size_t time_now(struct shrinker *s)
{
    uint64_t last = 0;
    for (size_t i = 0; i < s->best.count; i++)
        if (step_has_moment(&s->best.step[i]) && s->best.step[i].at > last)
            last = s->best.step[i].at;
    return last / MILLISECOND_NS;
}

static size_t faults_now(struct shrinker *s)
{
    return steps_of(&s->best, is_fault);
}

static size_t messages_now(struct shrinker *s)
{
    return s->outcome.messages;
}

static size_t timers_now(struct shrinker *s)
{
    return steps_of(&s->best, is_timer);
}

static size_t deliveries_now(struct shrinker *s)
{
    return steps_of(&s->best, is_delivery);
}

static size_t late_now(struct shrinker *s)
{
    return s->late;
}

static void late(struct shrinker *s)
{
    s->late = shrink_late(s);
}

static void requests(struct shrinker *s)
{
    if (s->o->count)
        shrink_count(s);
    shrink_rests(s);
    shrink_rest_times(s);
    shrink_steps(s, is_rest); /* what one of them leaves out another may have left out before */
}

static void timers(struct shrinker *s)
{
    shrink_steps(s, is_timer);
    shrink_delays(s, is_timer);
}

static void deliveries(struct shrinker *s)
{
    shrink_steps(s, is_delivery);
    shrink_delays(s, is_delivery);
}

static const struct stage {
    const char *name, *unit;
    size_t (*size)(struct shrinker *s); /* of what it counts; 0: nothing to do */
    void (*run)(struct shrinker *s);
} stages[] = {
    {"faults", "", faults_now, shrink_faults},
    {"terms", "", terms_now, shrink_terms},
    {"time", " ms", time_now, shrink_gaps},
    {"singly", "", faults_now, shrink_singly}, /* what is shorter by now is tried faster */
    {"requests", " messages", messages_now, requests},
    {"timers", "", timers_now, timers},
    {"deliveries", "", deliveries_now, deliveries},
    {"late", " of 32 parts", late_now, late},
};

static void tell(struct shrinker *s, const struct shrink_stage *told)
{
    if (!s->failed)
        s->o->stage(s->o->context, told);
}

static void stage_run(struct shrinker *s, const struct stage *stage)
{
    struct shrink_stage told = {
        .name = stage->name, .unit = stage->unit, .before = stage->size(s), .events_before = s->events};
    uint64_t tries = s->tries;
    if (!told.before || shrinker_over(s))
        return;
    stage->run(s);
    told.after = stage->size(s);
    told.events_after = s->events;
    told.tries = s->tries - tries;
    if (told.tries)
        tell(s, &told);
}

/* What comes after the failure is of no interest: from now on runs end soon after it, and only what is before it counts. */
static void tail_run(struct shrinker *s)
{
    struct shrink_stage told = {
        .name = "tail", .unit = " ms", .before = s->outcome.world / MILLISECOND_NS, .events_before = s->events};
    uint64_t tries = s->tries, size = 0;
    if (!s->outcome.failed || shrinker_over(s) || !shrink_tail(s))
        return;
    s->cut = true;
    s->best.count--; /* the end: trials have one of their own */
    s->events = shrinker_size(s, &s->outcome);
    size = s->outcome.world / MILLISECOND_NS;
    told.after = size;
    told.events_after = s->events;
    told.tries = s->tries - tries;
    tell(s, &told);
}

/* The run that is left ends where the failure is complete. The one that was found ends a while later. */
static void tail_close(struct shrinker *s)
{
    struct explore_outcome found = s->outcome;
    struct shrink_options last = *s->o;
    int go_on = 0;
    if (!s->cut || s->failed)
        return;
    last.stop = &go_on; /* of what was reached, something is left in any case */
    last.seconds = 0;
    const struct shrink_options *all = s->o;
    s->o = &last;
    if (!shrink_tail(s))
        s->outcome = found;
    s->o = all;
}

static void stages_run(struct shrinker *s)
{
    tail_run(s);
    for (int round = 0; round < ROUNDS && !shrinker_over(s); round++) {
        uint64_t events = s->events;
        size_t faults = faults_now(s);
        for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) /* requests are the dearest */
            if (round == 0 || (stages[i].run != late && (stages[i].run != requests || s->events != events)))
                stage_run(s, &stages[i]);
        if (s->events + s->events / 4 >= events && (round == 0 || faults_now(s) >= faults))
            break;
    }
    tail_close(s);
}

/* ---- beginning and end ---- */

static void refuse_origin(struct shrinker *s, const char *parting)
{
    const struct explore_outcome *out = explore_pool_outcome(s->pool, 0);
    error_set(s->e, DRD_EXIT_CANNOT, "run again, it does not end with %s but with %.200s%s%s", s->from->result.fingerprint,
              *out->result.fingerprint ? out->result.fingerprint
              : out->done              ? "nothing"
                                       : out->why,
              *parting ? "; first difference " : ": was it another build, or do files differ?", parting);
}

/* What is to be made smaller must come out again as it is; where only its failure does, that is said. */
static bool origin_try(struct shrinker *s, char *parting, size_t size)
{
    struct trial all = {0};
    for (size_t i = 0; i < s->best.count; i++)
        shrinker_add(s, &all.plan, &s->best.step[i]);
    s->goal = GOAL_SAME;
    bool again = !s->failed && trials_run(s, &all, 1) == 0 && !s->failed;
    if (!s->failed && (again || !shrinker_over(s)))
        if (parting_find(s->from->path, again ? s->path : explore_pool_path(s->pool, 0), parting, size, NULL) <= 0)
            *parting = 0;
    if (again)
        return true;
    if (!s->failed && !shrinker_over(s))
        refuse_origin(s, parting);
    else if (!s->failed)
        error_set(s->e, DRD_EXIT_CANNOT, "stopped before it was run once");
    s->failed = true;
    return false;
}

static bool count_is_wrong(const struct shrinker *s, struct drd_error *e)
{
    if (!s->o->count || count_is_there(s->command, s->o->count) || shrink_origin_counts(s->from, s->o->count))
        return false;
    error_set(e, DRD_EXIT_USAGE, "--count %s: neither the command nor its environment has a number behind such a word",
              s->o->count);
    return true;
}

static void result_fill(struct shrinker *s, struct shrink_result *r)
{
    r->plan = s->best;
    r->command = s->command;
    r->after = (struct shrink_size){s->outcome.result.events, s->outcome.messages, steps_of(&s->best, is_fault)};
    r->tries = s->tries;
    r->known = s->known;
    r->stopped = !s->failed && shrinker_over(s);
    r->seconds = now() - s->begun;
}

bool shrink(const struct shrink_origin *from, const struct shrink_options *o, const char *path, struct shrink_result *r,
            struct drd_error *e)
{
    struct shrinker *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    *s = (struct shrinker){.from = from, .o = o, .setting = o->setting, .path = path, .begun = now(), .e = e,
                           .command = command_copy(from->command), .events = UINT64_MAX, .late = SHRINK_LATE};
    s->setting.limit = 2 * (from->world / SECOND_NS + 1); /* a smaller run takes no longer: what goes on and on is none */
    *r = (struct shrink_result){.steps_before = from->plan.count};
    bool wrong = !s->command || count_is_wrong(s, e);
    s->pool = wrong ? NULL : explore_pool_create(&s->setting, o->jobs, o->scratch, e);
    s->failed = !s->pool;
    for (size_t i = 0; i < from->plan.count; i++)
        shrinker_add(s, &s->best, &from->plan.step[i]);
    if (!s->failed && origin_try(s, r->parting, sizeof r->parting)) {
        r->before = (struct shrink_size){s->outcome.result.events, s->outcome.messages, steps_of(&s->best, is_fault)};
        if (*r->parting && o->parts)
            o->parts(o->context, r->parting);
        s->patience = 20 + 10 * (now() - s->begun);
        stages_run(s);
    }
    explore_pool_destroy(s->pool);
    result_fill(s, r);
    bool good = !s->failed;
    if (!good && !wrong)
        unlink(path);
    free(s->failed_key);
    free(s);
    return good;
}

void shrink_result_fini(struct shrink_result *r)
{
    plan_fini(&r->plan);
    command_free(r->command);
    *r = (struct shrink_result){0};
}
