/* Time: what comes after the failure, whole terms before it, and what lies between two steps. */
#include "explore/shrinker.h"

#include <stdlib.h>

bool step_has_moment(const struct plan_step *step)
{
    return plan_at_moment(step) && step->kind != PLAN_END;
}

static void moved(struct shrinker *s, struct plan *out, struct plan_step step, uint64_t ns)
{
    step.at -= ns;
    if (step.kind == PLAN_REST || step.kind == PLAN_CALM)
        step.value -= (int64_t)ns;
    shrinker_add(s, out, &step);
}

/* ---- behind the failure ---- */

/* Soon after it was complete; a little later where what shows it is written down a little later. */
bool shrink_tail(struct shrinker *s)
{
    static const uint64_t later[] = {50000, 2 * MILLISECOND_NS, 20 * MILLISECOND_NS, 200 * MILLISECOND_NS, SECOND_NS};
    struct trial trial[sizeof later / sizeof *later] = {0};
    const size_t count = sizeof later / sizeof *later;
    if (!s->outcome.failed)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct plan_step end = {.kind = PLAN_END, .at = s->outcome.failed + later[i]};
        for (size_t k = 0; k < s->best.count; k++)
            if (s->best.step[k].kind != PLAN_END && (!plan_at_moment(&s->best.step[k]) || s->best.step[k].at < end.at))
                shrinker_add(s, &trial[i].plan, &s->best.step[k]);
        shrinker_add(s, &trial[i].plan, &end);
    }
    s->goal = GOAL_SAME;
    return trials_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
}

/* ---- whole terms ---- */

/* The terms' beginnings: element i is what lies between the ith and the next. */
struct terms {
    uint64_t begin[EXPLORE_TERMS + 1];
};

/* Faults in a term that is left out are left out with it; all later ones come sooner. */
static void terms_build(struct selection *x, const bool *kept, struct plan *out)
{
    const struct terms *t = x->data;
    for (size_t i = 0; i < x->base.count; i++) {
        const struct plan_step *step = &x->base.step[i];
        uint64_t gone = 0;
        bool inside = false;
        for (size_t k = 0; k < x->count && step_has_moment(step); k++) {
            inside |= !kept[k] && step->at >= t->begin[k] && step->at < t->begin[k + 1];
            if (!kept[k] && step->at >= t->begin[k + 1])
                gone += t->begin[k + 1] - t->begin[k];
        }
        if (!inside)
            moved(x->s, out, *step, gone);
    }
}

void shrink_terms(struct shrinker *s)
{
    const struct explore_outcome *out = &s->outcome;
    struct terms t = {{0}};
    struct selection x = {.s = s, .build = terms_build, .data = &t};
    for (size_t i = 0; i < out->terms && (!out->failed || out->term[i] < out->failed); i++)
        t.begin[x.count++] = out->term[i];
    t.begin[x.count] = out->failed ? out->failed : out->world;
    if (!x.count)
        return;
    s->goal = GOAL_EVENTS;
    selection_run(&x);
}

/* ---- late messages ---- */

/* Parts in which messages need not be late; one step for those that touch. */
static void calms_build(struct selection *x, const bool *kept, struct plan *out)
{
    const uint64_t until = *(const uint64_t *)x->data;
    for (size_t i = 0; i < x->base.count; i++)
        shrinker_add(x->s, out, &x->base.step[i]);
    for (size_t i = 0; i < x->count; i++) {
        struct plan_step calm = {.kind = PLAN_CALM, .at = until * i / x->count};
        if (kept[i])
            continue;
        while (i + 1 < x->count && !kept[i + 1])
            i++;
        calm.value = (int64_t)(i + 1 == x->count ? 4 * until + SECOND_NS : until * (i + 1) / x->count);
        shrinker_add(x->s, out, &calm);
    }
}

size_t shrink_late(struct shrinker *s)
{
    uint64_t until = s->outcome.failed ? s->outcome.failed : s->outcome.world;
    struct selection x = {.s = s, .count = SHRINK_LATE, .build = calms_build, .data = &until};
    s->goal = GOAL_STEPS;
    return selection_run(&x);
}

/* ---- gaps ---- */

/* The moment before `at` at which something happens. */
static uint64_t moment_before(const struct plan *p, uint64_t at)
{
    uint64_t before = 0;
    for (size_t i = 0; i < p->count; i++)
        if (step_has_moment(&p->step[i]) && p->step[i].at < at && p->step[i].at > before)
            before = p->step[i].at;
    return before;
}

/* Each gap shorter, by all of it, or a half. True: one is. */
static bool gap_shorten(struct shrinker *s)
{
    struct trial trial[DDMIN_CANDIDATES] = {0};
    size_t count = 0;
    for (size_t part = 1; part <= 2; part++) {
        for (size_t i = 0; i < s->best.count && count < DDMIN_CANDIDATES; i++) {
            const struct plan_step *step = &s->best.step[i];
            uint64_t gap = step_has_moment(step) ? step->at - moment_before(&s->best, step->at) : 0;
            if (gap / part < 10 * MILLISECOND_NS)
                continue;
            for (size_t k = 0; k < s->best.count; k++) {
                const struct plan_step *other = &s->best.step[k];
                bool later = step_has_moment(other) && other->at >= step->at;
                moved(s, &trial[count].plan, *other, later ? gap / part - (part == 1 ? MILLISECOND_NS : 0) : 0);
            }
            count++;
        }
    }
    return trials_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
}

void shrink_gaps(struct shrinker *s)
{
    s->goal = GOAL_EVENTS;
    while (!shrinker_over(s) && gap_shorten(s)) {
    }
}
