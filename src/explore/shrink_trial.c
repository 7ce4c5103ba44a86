/* Plans on trial: each is a run of its own, several at a time. Of those that succeed the first in their order is taken, so that the
 * result does not depend on how many those are. What did not succeed is remembered: a smaller plan is reached on many ways. */
#include "explore/shrinker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define SLACK 16    /* one step less may cost a run this part of its events */
#define CLEARLY 64 /* a run with fewer events has this part less, at least */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool shrinker_over(const struct shrinker *s)
{
    return s->failed || *s->o->stop || (s->o->seconds && now() - s->begun >= (double)s->o->seconds);
}

void shrinker_memory(struct shrinker *s)
{
    if (!s->failed)
        error_set(s->e, DRD_EXIT_CANNOT, "out of memory");
    s->failed = true;
}

bool shrinker_add(struct shrinker *s, struct plan *p, const struct plan_step *step)
{
    if (s->failed || plan_add(p, step, s->e))
        return !s->failed;
    s->failed = true;
    return false;
}

void command_free(char **command)
{
    for (size_t i = 0; command && command[i]; i++)
        free(command[i]);
    free(command);
}

char **command_copy(char *const *command)
{
    size_t count = 0;
    while (command[count])
        count++;
    char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        if (!(copy[i] = strdup(command[i])))
            return command_free(copy), NULL;
    return copy;
}

static void trial_fini(struct trial *t)
{
    plan_fini(&t->plan);
    command_free(t->command);
    free(t->text);
    *t = (struct trial){0};
}

/* ---- what is known ---- */

static bool known_place(const struct shrinker *s, uint64_t key, size_t *at)
{
    for (*at = key & (s->failed_size - 1); s->failed_key[*at]; *at = (*at + 1) & (s->failed_size - 1))
        if (s->failed_key[*at] == key)
            return true;
    return false;
}

static bool is_known(const struct shrinker *s, uint64_t key)
{
    size_t at;
    return s->failed_size && known_place(s, key, &at);
}

static bool known_grow(struct shrinker *s)
{
    struct shrinker bigger = {.failed_size = s->failed_size ? 2 * s->failed_size : 256};
    size_t at;
    if (!(bigger.failed_key = calloc(bigger.failed_size, sizeof *bigger.failed_key)))
        return false;
    for (size_t i = 0; i < s->failed_size; i++)
        if (s->failed_key[i] && !known_place(&bigger, s->failed_key[i], &at))
            bigger.failed_key[at] = s->failed_key[i];
    free(s->failed_key);
    s->failed_key = bigger.failed_key;
    s->failed_size = bigger.failed_size;
    return true;
}

/* Without memory for it, it may be tried once more. */
static void known_add(struct shrinker *s, uint64_t key)
{
    size_t at;
    if ((2 * (s->failed_keys + 1) > s->failed_size && !known_grow(s)) || known_place(s, key, &at))
        return;
    s->failed_key[at] = key;
    s->failed_keys++;
}

/* ---- one trial ---- */

static bool has_end(const struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->step[i].kind == PLAN_END)
            return true;
    return false;
}

/* Its text and name. Where runs are cut behind the failure a trial has a while more: the failure may come later. */
static bool trial_make(struct shrinker *s, struct trial *t)
{
    const struct plan_step end = {.kind = PLAN_END, .at = s->outcome.failed + s->outcome.failed / 4 + SECOND_NS / 2};
    if (!(t->text = plan_text(&t->plan)))
        return shrinker_memory(s), false;
    char **command = t->command ? t->command : s->command;
    t->key = XXH3_64bits(t->text, strlen(t->text));
    for (char **word = command; *word; word++)
        t->key = XXH3_64bits_withSeed(*word, strlen(*word) + 1, t->key);
    t->key += s->goal;
    t->key += !t->key;
    if (!s->cut || has_end(&t->plan))
        return true;
    if (!shrinker_add(s, &t->plan, &end))
        return false;
    free(t->text);
    t->text = plan_text(&t->plan);
    t->plan.count--; /* it is no part of the plan that is looked for */
    return t->text || (shrinker_memory(s), false);
}

uint64_t shrinker_size(const struct shrinker *s, const struct explore_outcome *out)
{
    return s->cut ? out->events : out->result.events;
}

static bool succeeded(const struct shrinker *s, const struct explore_outcome *out)
{
    uint64_t size = shrinker_size(s, out);
    if (!out->done || out->stopped || strcmp(out->result.fingerprint, s->from->result.fingerprint))
        return false;
    if (s->from->result.kind == TRIAGE_VIOLATION && out->result.kind != TRIAGE_VIOLATION)
        return false; /* the rule is broken, and nothing came of it */
    if (s->goal == GOAL_EVENTS)
        return size + s->events / CLEARLY < s->events;
    return s->goal == GOAL_SAME || size <= s->events + s->events / SLACK;
}

/* ---- several ---- */

/* Which trial runs where, and the first that succeeded. */
struct round {
    struct trial *trial;
    size_t count, next;
    size_t at[EXPLORE_JOBS];
    double since[EXPLORE_JOBS];
    size_t found; /* `count`: none yet */
};

static void round_start(struct shrinker *s, struct round *r)
{
    for (int place; r->next < r->count && r->next < r->found && (place = explore_pool_free(s->pool)) >= 0; r->next++) {
        struct trial *t = &r->trial[r->next];
        if (!trial_make(s, t))
            return;
        if (s->goal != GOAL_SAME && is_known(s, t->key)) {
            s->known++;
            continue;
        }
        const struct explore_try next = {
            .seed = s->from->seed, .plan = t->text, .command = t->command ? t->command : s->command};
        if (!explore_pool_start(s->pool, place, &next, s->e)) {
            s->failed = true;
            return;
        }
        r->at[place] = r->next;
        r->since[place] = now();
    }
}

static void round_end(struct shrinker *s, struct round *r, int place)
{
    const struct explore_outcome *out = explore_pool_outcome(s->pool, place);
    size_t which = r->at[place];
    s->tries += !out->stopped;
    if (!out->stopped && !succeeded(s, out))
        known_add(s, r->trial[which].key);
    if (which >= r->found || !succeeded(s, out))
        return;
    if (rename(explore_pool_path(s->pool, place), s->path)) {
        s->failed = true;
        error_set_errno(s->e, DRD_EXIT_CANNOT, "cannot write %s", s->path);
        return;
    }
    r->found = which;
    for (int i = 0; i < (int)s->o->jobs; i++) /* later ones are of no use any more */
        if (r->at[i] > r->found)
            explore_pool_stop(s->pool, i);
    memcpy(&s->outcome, out, sizeof s->outcome);
}

/* A world can be busy for ever at one moment of its time. */
static void round_look(struct shrinker *s, const struct round *r)
{
    for (int i = 0; i < (int)s->o->jobs; i++)
        if (s->patience > 0 && r->at[i] != SIZE_MAX && now() - r->since[i] > s->patience)
            explore_pool_stop(s->pool, i);
}

/* The trial taken becomes the best. All are freed. */
static void round_take(struct shrinker *s, struct round *r)
{
    if (r->found < r->count) {
        struct trial *t = &r->trial[r->found];
        plan_fini(&s->best);
        s->best = t->plan;
        t->plan = (struct plan){0};
        s->events = shrinker_size(s, &s->outcome);
        if (t->command) {
            command_free(s->command);
            s->command = t->command;
            t->command = NULL;
        }
    }
    for (size_t i = 0; i < r->count; i++)
        trial_fini(&r->trial[i]);
}

size_t trials_run(struct shrinker *s, struct trial *trial, size_t count)
{
    struct round r = {.trial = trial, .count = count, .found = count};
    memset(r.at, 0xff, sizeof r.at);
    while (!shrinker_over(s) && ((r.next < count && r.next < r.found) || explore_pool_running(s->pool))) {
        round_start(s, &r);
        if (!explore_pool_running(s->pool))
            break;
        int place = explore_pool_wait(s->pool, 500);
        if (place >= 0)
            round_end(s, &r, place);
        else
            round_look(s, &r);
        if (s->o->trial)
            s->o->trial(s->o->context, s->tries, s->best.count);
    }
    for (int i = 0; i < (int)s->o->jobs; i++)
        explore_pool_stop(s->pool, i);
    for (int place; explore_pool_running(s->pool);)
        if ((place = explore_pool_wait(s->pool, 500)) >= 0)
            round_end(s, &r, place);
    round_take(s, &r);
    return r.found;
}

/* ---- delta debugging by trials ---- */

static size_t selection_fails(void *context, const bool *kept, size_t candidates)
{
    struct selection *x = context;
    struct trial trial[DDMIN_CANDIDATES] = {0};
    for (size_t i = 0; i < candidates && !x->s->failed; i++)
        x->build(x, kept + i * x->count, &trial[i].plan);
    size_t found = trials_run(x->s, trial, x->s->failed ? 0 : candidates);
    return x->s->failed ? candidates : found;
}

static bool selection_over(void *context)
{
    return shrinker_over(((struct selection *)context)->s);
}

size_t selection_run(struct selection *x)
{
    struct shrinker *s = x->s;
    bool *kept = calloc(x->count + 1, sizeof *kept);
    size_t left = 0;
    struct ddmin d = {kept, x->count, selection_fails, selection_over, x};
    for (size_t i = 0; i < s->best.count; i++)
        shrinker_add(s, &x->base, &s->best.step[i]);
    if (kept)
        memset(kept, true, x->count);
    if (!kept || (!s->failed && !ddmin_run(&d)))
        shrinker_memory(s);
    for (size_t i = 0; kept && i < x->count; i++)
        left += kept[i];
    free(kept);
    plan_fini(&x->base);
    return left;
}
