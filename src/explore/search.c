#include "explore/search.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "store/tags.h"
#include "util/text.h"

#define HOPELESS 3 /* runs that cannot even be judged, before any that can: it is not chance */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the fold ---- */

static struct search_group *group_find(const struct search *s, const char *fingerprint)
{
    for (size_t i = 0; i < s->groups; i++)
        if (!strcmp(s->group[i].first.fingerprint, fingerprint))
            return &s->group[i];
    return NULL;
}

static struct search_group *group_of(struct search *s, const struct search_case *c)
{
    struct search_group *g = group_find(s, c->fingerprint);
    if (g)
        return g;
    struct search_group *more = realloc(s->group, (s->groups + 1) * sizeof *more);
    if (!more)
        return NULL;
    s->group = more;
    more[s->groups] = (struct search_group){.first = *c, .least = *c};
    more[s->groups].first.plan = NULL;
    return &more[s->groups++];
}

static void case_fini(struct search_case *c)
{
    free(c->plan);
    free(c->fresh);
    c->plan = NULL;
    c->fresh = NULL;
    c->fresh_count = 0;
}

/* The first of its kind, and no worse kind was there: the group is told by it. What broke a rule without harm may do harm later. */
static bool leads(const struct search *s, const struct search_case *c)
{
    const struct search_group *g = group_find(s, c->fingerprint);
    return !g || !g->count || c->kind < g->first.kind;
}

/* The plan of a group's first and least cases is theirs. */
static bool group_take(struct search *s, struct search_case *c)
{
    struct search_group *g = group_of(s, c);
    if (!g)
        return false;
    bool lead = leads(s, c);
    g->count++;
    if (lead) {
        free(g->first.plan);
        g->first = g->least = *c;
        g->first.plan = c->plan ? strdup(c->plan) : NULL;
        g->least.plan = NULL;
    } else if (c->kind < g->least.kind || (c->kind == g->least.kind && c->events < g->least.events)) {
        g->least = *c;
        g->least.plan = NULL;
    }
    g->first.fresh = g->least.fresh = NULL;
    if (*c->run && lead)
        memmove(g->run[1], g->run[0], (SEARCH_KEPT - 1) * sizeof g->run[0]);
    if (*c->run && (lead || g->kept < SEARCH_KEPT))
        memcpy(g->run[lead ? 0 : g->kept], c->run, sizeof c->run);
    g->kept += *c->run && g->kept < SEARCH_KEPT;
    if (*c->run && !*g->tag)
        snprintf(g->tag, sizeof g->tag, "explore-%s",
                 strchr(c->fingerprint, ':') ? strchr(c->fingerprint, ':') + 1 : c->fingerprint);
    return true;
}

bool search_take(struct search *s, struct search_case *c)
{
    bool good = (!*c->fingerprint || group_take(s, c)) && search_learn(s, c);
    s->done++;
    s->count[c->kind]++;
    s->world += c->world;
    case_fini(c);
    return good;
}

/* ---- one that has ended ---- */

static bool to_keep(const struct search *s, const struct search_case *c)
{
    const struct search_group *g = group_find(s, c->fingerprint);
    return s->options.keep_all || (*c->fingerprint && (leads(s, c) || g->kept < SEARCH_KEPT));
}

/* Into the store, where it has a name; that by which a group is told a tag. */
static bool keep(struct search *s, const char *path, struct search_case *c, struct drd_error *e)
{
    struct refs_entry to;
    char tag[64];
    if (access(path, F_OK) || !to_keep(s, c))
        return unlink(path), true;
    if (!refs_new(&to, e))
        return false;
    if (rename(path, to.path))
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot keep a run as %s", to.path);
    memcpy(c->run, to.id, sizeof c->run);
    if (!*c->fingerprint || !leads(s, c))
        return true;
    const char *value = strchr(c->fingerprint, ':');
    snprintf(tag, sizeof tag, "explore-%s", value ? value + 1 : c->fingerprint);
    return tags_set(tag, to.path, true, e);
}

static bool plan_save(const struct search *s, const struct search_case *c)
{
    char path[PATH_MAX];
    const char *value = strchr(c->fingerprint, ':');
    if (!c->plan || !value || !leads(s, c))
        return true;
    snprintf(path, sizeof path, "%.4000s/%s.plan", s->directory, value + 1);
    FILE *out = fopen(path, "we");
    bool good = out && fputs(c->plan, out) >= 0;
    return out && fclose(out) == 0 && good;
}

static bool fresh_note(struct search *s, struct search_case *c, const struct explore_outcome *o)
{
    c->fresh = malloc((o->features + 1) * sizeof *c->fresh);
    for (size_t i = 0; c->fresh && i < o->features; i++)
        if (search_is_new(s, o->feature[i].hash))
            c->fresh[c->fresh_count++] = o->feature[i];
    for (size_t i = 0; i < c->fresh_count; i++)
        if (o->violated && c->fresh[i].time >= o->violated)
            c->fresh[i].time = EXPLORE_LATE; /* what comes after the failure leads to no other one */
    return c->fresh != NULL;
}

static void case_make(struct search_case *c, const struct search *s, const struct explore_outcome *o)
{
    const struct triage_result *r = &o->result;
    c->number = s->done + 1;
    c->kind = o->done ? r->kind : TRIAGE_BROKEN;
    snprintf(c->fingerprint, sizeof c->fingerprint, "%s", r->fingerprint);
    snprintf(c->fingerprint_text, sizeof c->fingerprint_text, "%s", r->fingerprint_text);
    snprintf(c->title, sizeof c->title, "%s", r->title);
    snprintf(c->story, sizeof c->story, "%s", r->story);
    snprintf(c->cause, sizeof c->cause, "%s", r->cause);
    snprintf(c->reference, sizeof c->reference, "%s", r->reference);
    c->events = r->events;
    c->world = o->world;
}

static bool ended(struct search *s, const char *path, const struct explore_outcome *o, struct search_case *c,
                  struct drd_error *e)
{
    case_make(c, s, o);
    if (c->kind == TRIAGE_BROKEN)
        snprintf(s->note, sizeof s->note, "%.399s", o->done ? o->result.note : o->why);
    if (c->kind == TRIAGE_BROKEN && s->done + 1 >= HOPELESS && s->count[TRIAGE_BROKEN] == s->done)
        return error_set(e, DRD_EXIT_CANNOT, "no run can be judged: %s", s->note);
    if (!plan_save(s, c))
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot write into %s", s->directory);
    if (!keep(s, path, c, e))
        return false;
    if (!fresh_note(s, c, o))
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    if (!journal_write(s, c))
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot write %s", s->journal_path);
    return search_take(s, c) || error_set(e, DRD_EXIT_CANNOT, "out of memory");
}

/* ---- all of them ---- */

/* What it was to go on until. */
static bool found(const struct search *s)
{
    const struct search_options *o = &s->options;
    for (size_t i = 0; i < s->groups && o->until < TRIAGE_HEALTHY; i++) {
        const struct search_case *c = &s->group[i].first;
        const char *class = strrchr(c->fingerprint, '-');
        if (c->kind <= o->until && (!o->until_class || (class && !strcmp(class + 1, o->until_class))))
            return true;
    }
    return false;
}

static bool over(const struct search *s, double begun)
{
    if (found(s))
        return true;
    return *s->options.stop || (s->options.seconds && now() - begun >= (double)s->options.seconds);
}

static bool start(struct search *s, struct explore_pool *pool, struct search_case *running, bool *more, struct drd_error *e)
{
    for (int place; *more && (place = explore_pool_free(pool)) >= 0;) {
        struct explore_try t;
        char *plan;
        *more = search_next(s, &t, &plan);
        running[place] = (struct search_case){.seed = t.seed, .plan = plan};
        if (*more && !explore_pool_start(pool, place, &t, e))
            return false;
    }
    return true;
}

bool search_run(struct search *s, struct drd_error *e)
{
    struct search_case running[EXPLORE_JOBS] = {0};
    struct explore_pool *pool = explore_pool_create(&s->options.setting, s->options.jobs, s->directory, e);
    double begun = now();
    bool good = pool != NULL, more = true;
    while (good && !over(s, begun) && (more || explore_pool_running(pool))) {
        good = start(s, pool, running, &more, e);
        int place = good ? explore_pool_wait(pool, 500) : -1;
        if (place >= 0)
            good = ended(s, explore_pool_path(pool, place), explore_pool_outcome(pool, place), &running[place], e);
        s->real = now() - begun;
        if (good && s->options.progress)
            s->options.progress(s->options.context);
    }
    explore_pool_destroy(pool);
    for (size_t i = 0; i < EXPLORE_JOBS; i++)
        case_fini(&running[i]);
    s->real = now() - begun;
    return good;
}

/* ---- beginning and end ---- */

/* An exploration is named by what it runs: to go on with it, the same words are given again. */
static uint64_t name_of(const struct search_options *o)
{
    uint64_t hash = XXH3_64bits_withSeed(o->setting.model ? o->setting.model : "",
                                         o->setting.model ? strlen(o->setting.model) : 0, o->setting.faults);
    for (char *const *word = o->setting.command; *word; word++)
        hash = XXH3_64bits_withSeed(*word, strlen(*word), hash);
    return hash;
}

static bool directory_make(struct search *s, struct drd_error *e)
{
    char store[PATH_MAX];
    struct refs_entry any;
    if (!refs_new(&any, e)) /* makes the store */
        return false;
    if (refs_directory(store, e) < 1)
        return error_set(e, DRD_EXIT_CANNOT, "no store directory");
    snprintf(s->directory, PATH_MAX, "%.4000s/explore", store);
    if (mkdir(s->directory, 0700) && errno != EEXIST)
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot make %s", s->directory);
    snprintf(s->directory, PATH_MAX, "%.4000s/explore/%08" PRIx64, store, name_of(&s->options) >> 32);
    if (mkdir(s->directory, 0700) && errno != EEXIST)
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot make %s", s->directory);
    snprintf(s->journal_path, PATH_MAX, "%.4000s/journal", s->directory);
    return true;
}

bool search_open(struct search *s, const struct search_options *o, struct drd_error *e)
{
    *s = (struct search){.options = *o, .next_seed = o->to || o->from ? o->from : o->first ? o->first : 1};
    return directory_make(s, e) && journal_open(s, e);
}

void search_close(struct search *s)
{
    for (size_t i = 0; i < s->groups; i++)
        free(s->group[i].first.plan);
    for (size_t i = 0; i < s->entries; i++)
        free(s->entry[i].plan);
    free(s->group);
    free(s->entry);
    free(s->seen);
    if (s->journal)
        fclose(s->journal);
    *s = (struct search){0};
}

size_t search_failures(const struct search *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->groups; i++)
        count += triage_kinds[s->group[i].least.kind].failure;
    return count;
}

int search_exit(const struct search *s)
{
    if (search_failures(s))
        return DRD_EXIT_DIFFERS;
    return s->count[TRIAGE_BROKEN] == s->done ? DRD_EXIT_CANNOT : DRD_EXIT_OK;
}

void search_reproduce(const struct search *s, const struct search_group *g, FILE *out)
{
    const struct explore_setting *set = &s->options.setting;
    const char *value = strchr(g->first.fingerprint, ':');
    fprintf(out, "drd simulate --seed %" PRIu64, g->first.seed);
    if (set->faults)
        fputs(" --faults", out);
    if (set->model) {
        fputs(" --model ", out);
        text_shell(set->model, out);
    }
    if (g->first.plan && value) {
        char path[PATH_MAX], here[PATH_MAX];
        snprintf(path, sizeof path, "%.4000s/%s.plan", s->directory, value + 1);
        size_t length = getcwd(here, sizeof here) ? strlen(here) : 0;
        bool below = length > 1 && !strncmp(path, here, length) && path[length] == '/';
        fputs(" --plan ", out);
        text_shell(below ? path + length + 1 : path, out);
    }
    fputs(" --", out);
    for (char *const *word = set->command; *word; word++) {
        fputc(' ', out);
        text_shell(*word, out);
    }
}
