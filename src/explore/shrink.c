/* Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002) over the steps of a
 * plan, then over the time between them and over numbers. What still ends with the same fingerprint is the new plan. Several
 * trials go on at a time; of those that succeed the first in their order is taken, so that the result does not depend on how
 * many those are. */
#include "explore/shrink.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND_NS 1000000u
#define SECOND_NS 1000000000u
#define SLACK 16 /* one step less may cost a run this part of its events: chance falls otherwise */

struct shrinker {
    const struct shrink_origin *from;
    const struct shrink_options *o;
    struct explore_setting setting; /* the one given, with a limit */
    const char *path;        /* of the best run so far */
    struct explore_pool *pool;
    struct plan best;
    char **command;
    uint64_t events, tries;
    bool fewer;              /* only fewer events are a success */
    double begun;
    struct drd_error *e;
    bool failed;
};

/* A plan on trial. */
struct trial {
    struct plan plan;
    char **command;          /* NULL: as before; owned */
    char *text;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool over(const struct shrinker *s)
{
    return s->failed || *s->o->stop || (s->o->seconds && now() - s->begun >= (double)s->o->seconds);
}

static void command_free(char **command)
{
    for (size_t i = 0; command && command[i]; i++)
        free(command[i]);
    free(command);
}

static char **command_copy(char *const *command)
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

static void fail_memory(struct shrinker *s)
{
    if (!s->failed)
        error_set(s->e, DRD_EXIT_CANNOT, "out of memory");
    s->failed = true;
}

/* ---- trials ---- */

/* Which trial runs where, and the first that succeeded. */
struct round {
    struct trial *trial;
    size_t count, next;
    size_t at[EXPLORE_JOBS];
    size_t found;            /* `count`: none yet */
};

static bool succeeded(const struct shrinker *s, const struct explore_outcome *out)
{
    return out->done && !out->stopped && !strcmp(out->result.fingerprint, s->from->result.fingerprint) &&
           (s->fewer ? out->result.events < s->events : out->result.events / (SLACK + 1) <= s->events / SLACK);
}

static void round_start(struct shrinker *s, struct round *r)
{
    for (int place; r->next < r->count && r->next < r->found && (place = explore_pool_free(s->pool)) >= 0; r->next++) {
        struct trial *t = &r->trial[r->next];
        t->text = plan_text(&t->plan);
        const struct explore_try now_try = {
            .seed = s->from->seed, .plan = t->text, .command = t->command ? t->command : s->command};
        if (!t->text)
            fail_memory(s);
        else if (!explore_pool_start(s->pool, place, &now_try, s->e))
            s->failed = true;
        if (s->failed)
            return;
        r->at[place] = r->next;
    }
}

static void round_end(struct shrinker *s, struct round *r, int place)
{
    const struct explore_outcome *out = explore_pool_outcome(s->pool, place);
    s->tries += !out->stopped;
    if (r->at[place] >= r->found || !succeeded(s, out))
        return;
    if (rename(explore_pool_path(s->pool, place), s->path)) {
        s->failed = true;
        error_set_errno(s->e, DRD_EXIT_CANNOT, "cannot write %s", s->path);
        return;
    }
    r->found = r->at[place];
    s->events = out->result.events;
    for (int i = 0; i < EXPLORE_JOBS; i++) /* later ones are of no use any more */
        if (i < (int)s->o->jobs && r->at[i] > r->found)
            explore_pool_stop(s->pool, i);
}

/* The trial taken becomes the best. All are freed. */
static bool round_take(struct shrinker *s, struct round *r)
{
    bool found = r->found < r->count;
    if (found) {
        struct trial *t = &r->trial[r->found];
        plan_fini(&s->best);
        s->best = t->plan;
        t->plan = (struct plan){0};
        if (t->command) {
            command_free(s->command);
            s->command = t->command;
            t->command = NULL;
        }
    }
    for (size_t i = 0; i < r->count; i++)
        trial_fini(&r->trial[i]);
    return found;
}

/* The index of the first that succeeds; `count`: none. */
static size_t round_run(struct shrinker *s, struct trial *trial, size_t count)
{
    struct round r = {.trial = trial, .count = count, .found = count};
    while (!over(s) && (r.next < count || explore_pool_running(s->pool))) {
        round_start(s, &r);
        if (!explore_pool_running(s->pool))
            break;
        int place = explore_pool_wait(s->pool, 500);
        if (place >= 0)
            round_end(s, &r, place);
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

/* ---- steps: delta debugging ---- */

static bool is_fault(const struct plan_step *step)
{
    return step->kind == PLAN_FAULT;
}

static bool is_change(const struct plan_step *step)
{
    return step->kind != PLAN_FAULT;
}

static size_t steps_of(const struct plan *p, bool (*of)(const struct plan_step *))
{
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        count += of(&p->step[i]);
    return count;
}

/* The plan without its steps of that kind from the `begin`th to before the `end`th. */
static bool without(struct shrinker *s, struct plan *out, bool (*of)(const struct plan_step *), size_t begin, size_t end)
{
    size_t nth = 0;
    for (size_t i = 0; i < s->best.count; i++) {
        const struct plan_step *step = &s->best.step[i];
        bool left_out = of(step) && nth >= begin && nth < end;
        nth += of(step);
        if (!left_out && !plan_add(out, step, s->e))
            return s->failed = true, false;
    }
    return true;
}

/* Leave out one of `parts` parts, each in turn. True: one of them was not needed. */
static bool part_drop(struct shrinker *s, bool (*of)(const struct plan_step *), size_t parts, size_t count)
{
    struct trial *trial = calloc(parts, sizeof *trial);
    if (!trial)
        return fail_memory(s), false;
    for (size_t i = 0; i < parts && !s->failed; i++)
        without(s, &trial[i].plan, of, i * count / parts, (i + 1) * count / parts);
    bool found = round_run(s, trial, s->failed ? 0 : parts) < parts && !s->failed;
    free(trial);
    return found;
}

static void steps_shrink(struct shrinker *s, bool (*of)(const struct plan_step *))
{
    size_t parts = 1, count;
    while (!over(s) && (count = steps_of(&s->best, of)) > 0) {
        if (parts > count)
            parts = count;
        if (part_drop(s, of, parts, count))
            parts = parts > 2 ? parts - 1 : 1;
        else if (parts == count)
            return;
        else
            parts = parts * 2 < count ? parts * 2 : count;
    }
}

/* ---- time: what lies between two steps is dropped, whole terms with it ---- */

static bool has_moment(const struct plan_step *step)
{
    return step->kind <= PLAN_FRESH && plan_at_moment(step);
}

/* All from the step at `from` on come `ns` earlier. */
static bool sooner(struct shrinker *s, struct plan *out, uint64_t from, uint64_t ns)
{
    for (size_t i = 0; i < s->best.count; i++) {
        struct plan_step step = s->best.step[i];
        if (has_moment(&step) && step.at >= from)
            step.at -= ns;
        if (!plan_add(out, &step, s->e))
            return s->failed = true, false;
    }
    return true;
}

/* The moment before `at` at which something happens. */
static uint64_t moment_before(const struct plan *p, uint64_t at)
{
    uint64_t before = 0;
    for (size_t i = 0; i < p->count; i++)
        if (has_moment(&p->step[i]) && p->step[i].at < at && p->step[i].at > before)
            before = p->step[i].at;
    return before;
}

/* Each gap shorter, by all of it, or a half. True: one is. */
static bool gap_shorten(struct shrinker *s)
{
    struct trial *trial = calloc(2 * s->best.count + 1, sizeof *trial);
    size_t count = 0;
    if (!trial)
        return fail_memory(s), false;
    for (size_t part = 1; part <= 2; part++) {
        for (size_t i = 0; i < s->best.count && !s->failed; i++) {
            const struct plan_step *step = &s->best.step[i];
            uint64_t gap = has_moment(step) ? step->at - moment_before(&s->best, step->at) : 0;
            if (gap / part >= 10 * MILLISECOND_NS)
                sooner(s, &trial[count++].plan, step->at, gap / part - (part == 1 ? MILLISECOND_NS : 0));
        }
    }
    bool found = round_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
    free(trial);
    return found;
}

/* ---- numbers ---- */

static bool has_delay(const struct plan_step *step)
{
    return step->kind == PLAN_TIMER || step->kind == PLAN_DELAY;
}

/* Each delay halved. */
static bool delay_halve(struct shrinker *s)
{
    struct trial *trial = calloc(s->best.count + 1, sizeof *trial);
    size_t count = 0;
    if (!trial)
        return fail_memory(s), false;
    for (size_t i = 0; i < s->best.count && !s->failed; i++) {
        int64_t value = s->best.step[i].value;
        if (!has_delay(&s->best.step[i]) || (value < MILLISECOND_NS && value > -(int64_t)MILLISECOND_NS))
            continue;
        if (sooner(s, &trial[count].plan, UINT64_MAX, 0)) /* a copy */
            trial[count++].plan.step[i].value = value / 2;
    }
    bool found = round_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
    free(trial);
    return found;
}

/* Where in the command the number stands: "COMMANDS=200", or the word after "--commands". NULL: nowhere. */
static char **count_word(char **command, const char *name, const char **digits)
{
    size_t length = strlen(name);
    for (char **word = command; *word; word++) {
        const char *at = !strncmp(*word, name, length) && (*word)[length] == '=' ? *word + length + 1 : NULL;
        char **where = word;
        if (!at && !strcmp(*word, name) && word[1]) {
            at = word[1];
            where = word + 1;
        }
        if (at && isdigit((unsigned char)*at) && at[strspn(at, "0123456789")] == 0)
            return *digits = at, where;
    }
    return NULL;
}

static bool count_set(struct shrinker *s, struct trial *t, uint64_t value)
{
    const char *digits;
    char *text;
    t->command = command_copy(s->command);
    char **word = t->command ? count_word(t->command, s->o->count, &digits) : NULL;
    if (!word || !sooner(s, &t->plan, UINT64_MAX, 0))
        return fail_memory(s), false;
    if (asprintf(&text, "%.*s%" PRIu64, (int)(digits - *word), *word, value) < 0)
        return fail_memory(s), false;
    free(*word);
    *word = text;
    return true;
}

static uint64_t count_now(struct shrinker *s)
{
    const char *digits;
    return count_word(s->command, s->o->count, &digits) ? strtoull(digits, NULL, 10) : 0;
}

/* A quarter, a half, three quarters of the requests, then nearly all. */
static bool count_lower(struct shrinker *s)
{
    static const unsigned parts[] = {4, 8, 12, 15}; /* of 16 */
    struct trial trial[sizeof parts / sizeof *parts] = {0};
    size_t count = 0;
    uint64_t value = count_now(s), last = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !s->failed; i++) {
        uint64_t less = value * parts[i] / 16;
        if (less && less < value && less != last && count_set(s, &trial[count], less))
            count++;
        last = less;
    }
    return round_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
}

/* ---- stages ---- */

enum stage { FAULTS, TERMS, REQUESTS, CHANGES, DELAYS, STAGES };

static const char *const stage_name[] = {"faults", "time", "requests", "changes", "delays"};

static size_t stage_size(struct shrinker *s, enum stage stage)
{
    uint64_t last = 0;
    for (size_t i = 0; i < s->best.count; i++)
        if (has_moment(&s->best.step[i]) && s->best.step[i].at > last)
            last = s->best.step[i].at;
    switch (stage) {
    case FAULTS: return steps_of(&s->best, is_fault);
    case TERMS: return last / MILLISECOND_NS;
    case REQUESTS: return s->o->count ? count_now(s) : 0;
    case CHANGES: return steps_of(&s->best, is_change);
    default: return steps_of(&s->best, has_delay);
    }
}

static void stage_run(struct shrinker *s, enum stage stage)
{
    struct shrink_stage told = {.name = stage_name[stage], .before = stage_size(s, stage), .events_before = s->events};
    uint64_t tries = s->tries;
    if (!told.before || over(s))
        return;
    s->fewer = stage == TERMS || stage == REQUESTS;
    bool (*const more[STAGES])(struct shrinker *) = {
        [TERMS] = gap_shorten, [REQUESTS] = count_lower, [DELAYS] = delay_halve};
    if (more[stage])
        while (!over(s) && more[stage](s)) {
        }
    else
        steps_shrink(s, stage == FAULTS ? is_fault : is_change);
    told.after = stage_size(s, stage);
    told.events_after = s->events;
    told.tries = s->tries - tries;
    if (!s->failed)
        s->o->stage(s->o->context, &told);
}

/* What is to be made smaller must come out again as it is. */
static bool origin_try(struct shrinker *s)
{
    struct trial all = {0};
    if (!sooner(s, &all.plan, UINT64_MAX, 0))
        return false;
    s->events = UINT64_MAX;
    if (round_run(s, &all, 1) == 0 && !s->failed)
        return true;
    if (!s->failed && !over(s)) {
        const struct explore_outcome *out = explore_pool_outcome(s->pool, 0);
        error_set(s->e, DRD_EXIT_CANNOT,
                  "run again, it does not end with %s but with %.200s: was it another build, or do files differ?",
                  s->from->result.fingerprint,
                  *out->result.fingerprint ? out->result.fingerprint
                  : out->done              ? "nothing"
                                           : out->why);
    } else if (!s->failed) {
        error_set(s->e, DRD_EXIT_CANNOT, "stopped before it was run once");
    }
    s->failed = true;
    return false;
}

bool shrink(const struct shrink_origin *from, const struct shrink_options *o, const char *path, struct shrink_result *r,
            struct drd_error *e)
{
    const char *digits;
    struct shrinker s = {.from = from, .o = o, .setting = o->setting, .path = path, .begun = now(), .e = e,
                         .command = command_copy(from->command)};
    s.setting.limit = 2 * (from->world / SECOND_NS + 1); /* a smaller run takes no longer: what goes on and on is none */
    *r = (struct shrink_result){.steps_before = from->plan.count};
    if (o->count && s.command && !count_word(s.command, o->count, &digits))
        return command_free(s.command),
               error_set(e, DRD_EXIT_USAGE, "--count %s: the command has no number behind such a word", o->count);
    s.pool = s.command ? explore_pool_create(&s.setting, o->jobs, o->scratch, e) : NULL;
    s.failed = !s.pool;
    for (size_t i = 0; i < from->plan.count && !s.failed; i++)
        s.failed = !plan_add(&s.best, &from->plan.step[i], e);
    if (!s.failed && origin_try(&s)) {
        r->events_before = s.events;
        for (int stage = 0; stage < STAGES; stage++)
            stage_run(&s, (enum stage)stage);
    }
    explore_pool_destroy(s.pool);
    r->plan = s.best;
    r->command = s.command;
    r->events_after = s.events;
    r->tries = s.tries;
    r->stopped = !s.failed && over(&s);
    r->seconds = now() - s.begun;
    if (s.failed)
        unlink(path);
    return !s.failed;
}

void shrink_result_fini(struct shrink_result *r)
{
    plan_fini(&r->plan);
    command_free(r->command);
    *r = (struct shrink_result){0};
}
