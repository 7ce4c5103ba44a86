/* Steps of a plan: faults with what undoes them, then each by itself, then the nodes they name. */
#include "explore/shrinker.h"

#include <stdlib.h>
#include <string.h>

#include "simulate/fault_words.h"

static bool is_fault(const struct plan_step *step)
{
    return step->kind == PLAN_FAULT;
}

/* ---- elements ---- */

/* Which element a step belongs to; NO_ELEMENT: it stays. */
#define NO_ELEMENT SIZE_MAX

static void build(struct selection *x, const bool *kept, struct plan *out)
{
    const size_t *element = x->data;
    for (size_t i = 0; i < x->base.count; i++)
        if (element[i] == NO_ELEMENT || kept[element[i]])
            shrinker_add(x->s, out, &x->base.step[i]);
}

static void select_elements(struct shrinker *s, size_t *element, size_t count)
{
    struct selection x = {.s = s, .count = count, .build = build, .data = element};
    s->goal = GOAL_STEPS;
    selection_run(&x);
}

void shrink_steps(struct shrinker *s, bool (*of)(const struct plan_step *))
{
    size_t *element = calloc(s->best.count + 1, sizeof *element), count = 0;
    if (!element)
        return shrinker_memory(s);
    for (size_t i = 0; i < s->best.count; i++)
        element[i] = of(&s->best.step[i]) ? count++ : NO_ELEMENT;
    select_elements(s, element, count);
    free(element);
}

/* ---- a fault and its end ---- */

static bool is_disk_well(const struct fault *f)
{
    return f->kind == FAULT_DISK && f->count > 2 && !strcmp(f->word[2], "well");
}

static bool same_nodes(const struct fault *a, const struct fault *b)
{
    bool same = a->nodes == b->nodes;
    for (int i = 1; same && i <= a->nodes; i++)
        same = !strcmp(a->word[i], b->word[i]);
    return same;
}

/* Is `end` what undoes `begin`? */
static bool undoes(const struct fault *end, const struct fault *begin)
{
    switch (end->kind) {
    case FAULT_HEAL:
        return (begin->kind == FAULT_CUT || begin->kind == FAULT_CUT_ONE_WAY) && (!end->nodes || same_nodes(end, begin));
    case FAULT_RESTART: return (begin->kind == FAULT_KILL || begin->kind == FAULT_CRASH) && same_nodes(end, begin);
    case FAULT_RESUME: return begin->kind == FAULT_PAUSE && same_nodes(end, begin);
    case FAULT_DISK: return is_disk_well(end) && begin->kind == FAULT_DISK && !is_disk_well(begin) && same_nodes(end, begin);
    default: return false;
    }
}

/* An end goes with the latest fault before it that it undoes and that has none yet. Both are one element. */
static size_t pair(const struct plan *p, size_t *element)
{
    struct fault *fault = calloc(p->count + 1, sizeof *fault);
    bool *ended = calloc(p->count + 1, sizeof *ended);
    size_t count = 0;
    for (size_t i = 0; fault && ended && i < p->count; i++) {
        element[i] = NO_ELEMENT;
        if (!is_fault(&p->step[i]) || !fault_read(&fault[i], p->step[i].words, NULL))
            continue;
        for (size_t j = i; j-- > 0 && element[i] == NO_ELEMENT;) {
            if (element[j] == NO_ELEMENT || ended[j] || !undoes(&fault[i], &fault[j]) || p->step[j].at > p->step[i].at)
                continue;
            element[i] = element[j];
            ended[j] = ended[i] = true;
        }
        if (element[i] == NO_ELEMENT)
            element[i] = count++;
    }
    bool good = fault && ended;
    free(fault);
    free(ended);
    return good ? count : 0;
}

/* ---- the nodes of a fault ---- */

/* "kill n1 n2 n3" without the nth name; a cut of two is no cut without one of them. */
static bool name_drop(struct plan_step *step, int nth)
{
    struct fault f;
    size_t used = 0;
    if (!is_fault(step) || !fault_read(&f, step->words, NULL) || f.count != f.nodes + 1 || nth >= f.nodes)
        return false;
    bool of_links = f.kind == FAULT_CUT || f.kind == FAULT_HEAL || f.kind == FAULT_CUT_ONE_WAY || f.kind == FAULT_RESET;
    if (f.nodes <= (of_links ? 2 : 1))
        return false;
    for (int i = 0; i < f.count; i++)
        if (i != nth + 1)
            used += (size_t)snprintf(step->words + used, sizeof step->words - used, "%s%s", used ? " " : "", f.word[i]);
    return true;
}

static bool names_drop_one(struct shrinker *s)
{
    struct trial trial[DDMIN_CANDIDATES] = {0};
    size_t count = 0;
    for (size_t i = 0; i < s->best.count; i++) {
        struct plan_step shorter = s->best.step[i];
        for (int nth = 0; count < DDMIN_CANDIDATES && name_drop(&shorter, nth); nth++) {
            for (size_t k = 0; k < s->best.count; k++)
                shrinker_add(s, &trial[count].plan, k == i ? &shorter : &s->best.step[k]);
            count++;
            shorter = s->best.step[i];
        }
    }
    return trials_run(s, trial, count) < count;
}

void shrink_faults(struct shrinker *s)
{
    size_t *element = calloc(s->best.count + 1, sizeof *element);
    if (!element)
        return shrinker_memory(s);
    select_elements(s, element, pair(&s->best, element));
    free(element);
}

void shrink_singly(struct shrinker *s)
{
    shrink_steps(s, is_fault);
    while (!shrinker_over(s) && names_drop_one(s)) {
    }
}
