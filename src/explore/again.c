#include "explore/again.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGER 60   /* seconds of the world, beside ten times what was recorded, until a world that goes on from a recording is ended */
#define PATIENCE 120 /* seconds of this machine for a run that follows a recording */
#define LOOK_MS 200 /* how soon a stop is noticed */

struct work {
    const struct again *again;
    const struct again_job *job;
    size_t count, started, ended;
    size_t at[EXPLORE_JOBS];     /* the job of each place */
    char *plan[EXPLORE_JOBS];    /* its text */
    char scratch[PATH_MAX], program[PATH_MAX];
    struct explore_setting setting;
    struct explore_pool *pool;
};

/* The run's own plan and what is changed in it. NULL: out of memory. */
static char *plan_make(const struct plan *own, const struct again_job *job, bool recorded, struct drd_error *e)
{
    const struct plan_step again = {.kind = PLAN_FRESH, .at = job->from, .process = job->process, .event = job->event,
                                    .value = (int64_t)job->fresh};
    const struct plan *part[] = {own, job->change};
    struct plan all = {0};
    bool good = true;
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; good && part[p] && i < part[p]->count; i++)
            good = (p == 0 && i + 1 == job->without) || plan_add(&all, &part[p]->step[i], e);
    good = good && (!job->fresh || recorded || plan_add(&all, &again, e));
    char *text = good ? plan_text(&all) : NULL;
    plan_fini(&all);
    if (good && !text)
        error_set(e, DRD_EXIT_CANNOT, "out of memory");
    return text;
}

static bool scratch_make(struct work *w, struct drd_error *e)
{
    const char *directory = getenv("TMPDIR");
    ssize_t n = readlink("/proc/self/exe", w->program, sizeof w->program - 1);
    w->program[n > 0 ? n : 0] = 0;
    snprintf(w->scratch, sizeof w->scratch, "%.4000s/drd-again.XXXXXX", directory && *directory ? directory : P_tmpdir);
    if (mkdtemp(w->scratch))
        return true;
    error_set_errno(e, DRD_EXIT_CANNOT, "cannot make %s", w->scratch);
    *w->scratch = 0;
    return false;
}

static bool work_begin(struct work *w, struct drd_error *e)
{
    const struct shrink_origin *o = w->again->origin;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned jobs = w->again->jobs ? w->again->jobs : processors > 0 ? (unsigned)processors : 1;
    if (!scratch_make(w, e))
        return false;
    w->setting = (struct explore_setting){.program = w->program, .command = o->command,
                                          .directory = *o->directory ? o->directory : NULL,
                                          .environment = *o->environment ? o->environment : NULL, .plans = true,
                                          .follow = *o->recording ? o->recording : NULL,
                                          .patience = *o->recording ? PATIENCE : 0,
                                          .limit = *o->recording ? LONGER + 10 * o->world / 1000000000u : 0};
    w->pool = explore_pool_create(&w->setting, jobs < w->count ? jobs : (unsigned)w->count, w->scratch, e);
    return w->pool != NULL;
}

static bool work_start(struct work *w, int place, struct drd_error *e)
{
    const struct again_job *job = &w->job[w->started];
    const struct shrink_origin *o = w->again->origin;
    struct explore_try t = {.seed = *o->recording ? job->fresh : o->seed, .from_process = job->process, .from_event = job->event};
    free(w->plan[place]);
    t.plan = w->plan[place] = plan_make(&w->again->origin->plan, job, *w->again->origin->recording, e);
    w->at[place] = w->started++;
    return t.plan && explore_pool_start(w->pool, place, &t, e);
}

/* One more is started, or over. */
static bool work_step(struct work *w, struct drd_error *e)
{
    const struct again *a = w->again;
    int place = w->started < w->count ? explore_pool_free(w->pool) : -1;
    if (place >= 0)
        return work_start(w, place, e);
    place = explore_pool_wait(w->pool, LOOK_MS);
    if (a->waits)
        a->waits(a->context);
    if (place < 0)
        return true;
    w->ended++;
    return a->ended(a->context, w->at[place], explore_pool_outcome(w->pool, place), explore_pool_path(w->pool, place), e);
}

bool again_run(const struct again *a, const struct again_job *job, size_t count, struct drd_error *e)
{
    struct work w = {.again = a, .job = job, .count = count};
    bool good = !count || work_begin(&w, e);
    while (good && w.ended < count && !(a->stop && *a->stop))
        good = work_step(&w, e);
    explore_pool_destroy(w.pool);
    for (size_t i = 0; i < EXPLORE_JOBS; i++)
        free(w.plan[i]);
    if (*w.scratch)
        rmdir(w.scratch);
    return good;
}
