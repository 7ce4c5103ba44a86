/* Runs with one fingerprint, which of them are known, and what is to be told first. */
#include "report/triage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* --- groups --- */

/* By fingerprint, then by start; runs without one at the end. */
static int by_fingerprint(const void *a, const void *b)
{
    const struct triage_run *x = *(struct triage_run *const *)a, *y = *(struct triage_run *const *)b;
    int order = !*x->result.fingerprint - !*y->result.fingerprint;
    order = order ? order : strcmp(x->result.fingerprint, y->result.fingerprint);
    order = order ? order : strcmp(x->result.started, y->result.started);
    return order ? order : strcmp(x->path, y->path);
}

/* The worst kind, and of that the run with the fewest events. */
static struct triage_run *least_of(const struct triage_group *g)
{
    struct triage_run *least = g->run[0];
    for (size_t i = 1; i < g->runs; i++) {
        const struct triage_result *r = &g->run[i]->result, *l = &least->result;
        if (r->kind < l->kind || (r->kind == l->kind && r->events < l->events))
            least = g->run[i];
    }
    return least;
}

enum triage_kind triage_group_kind(const struct triage_group *g)
{
    return g->least->result.kind;
}

bool triage_is_failure(const struct triage *t, const struct triage_group *g)
{
    enum triage_kind kind = triage_group_kind(g);
    return triage_kinds[kind].failure || (t->strict && kind == TRIAGE_RULE);
}

/* New failures first, then known ones, then rules; the worse and the larger first. */
static int by_importance(const void *a, const void *b)
{
    const struct triage_group *x = a, *y = b;
    enum triage_kind kx = triage_group_kind(x), ky = triage_group_kind(y);
    int order = triage_kinds[ky].failure - triage_kinds[kx].failure;
    order = order ? order : x->known - y->known;
    order = order ? order : (int)kx - (int)ky;
    order = order ? order : (x->runs < y->runs) - (x->runs > y->runs);
    return order ? order : strcmp(x->run[0]->result.fingerprint, y->run[0]->result.fingerprint);
}

static bool group_add(struct triage *t, struct triage_run **run, size_t count, struct drd_error *e)
{
    struct triage_group *more = realloc(t->group, (t->groups + 1) * sizeof *more);
    if (more)
        t->group = more;
    struct triage_run **own = malloc(count * sizeof *own);
    if (!more || !own) {
        free(own);
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    }
    memcpy(own, run, count * sizeof *own);
    more[t->groups] = (struct triage_group){.run = own, .runs = count};
    more[t->groups].least = least_of(&more[t->groups]);
    t->groups++;
    return true;
}

static bool group_all(struct triage *t, struct triage_run **all, struct drd_error *e)
{
    for (size_t i = 0; i < t->runs; i++)
        all[i] = &t->run[i];
    qsort(all, t->runs, sizeof *all, by_fingerprint);
    for (size_t i = 0, n; i < t->runs && *all[i]->result.fingerprint; i += n) {
        for (n = 1; i + n < t->runs && !strcmp(all[i]->result.fingerprint, all[i + n]->result.fingerprint); n++) {
        }
        if (!group_add(t, all + i, n, e))
            return false;
    }
    return true;
}

/* --- flaky: one test of one commit, red and green --- */

static bool same_test(const struct triage_result *a, const struct triage_result *b)
{
    return !strcmp(a->command, b->command) && !strcmp(a->commit, b->commit);
}

static int by_test(const void *a, const void *b)
{
    const struct triage_run *x = *(struct triage_run *const *)a, *y = *(struct triage_run *const *)b;
    int order = strcmp(x->result.command, y->result.command);
    order = order ? order : strcmp(x->result.commit, y->result.commit);
    return order ? order : x->result.red - y->result.red;
}

static bool is_green(const struct triage_result *r)
{
    return !r->red && (r->kind == TRIAGE_HEALTHY || r->kind == TRIAGE_RULE);
}

static void mark_group(struct triage *t, const struct triage_run *run)
{
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = 0; i < t->group[g].runs; i++)
            t->group[g].flaky |= t->group[g].run[i] == run;
}

static void mark_flaky(struct triage *t, struct triage_run **all)
{
    qsort(all, t->runs, sizeof *all, by_test);
    for (size_t i = 0, n; i < t->runs; i += n) {
        bool green = false;
        for (n = 0; i + n < t->runs && same_test(&all[i]->result, &all[i + n]->result); n++)
            green |= is_green(&all[i + n]->result);
        for (size_t k = 0; green && *all[i]->result.command && k < n; k++)
            if (triage_kinds[all[i + k]->result.kind].failure)
                mark_group(t, all[i + k]);
    }
}

bool triage_group_all(struct triage *t, struct drd_error *e)
{
    struct triage_run **all = malloc((t->runs + 1) * sizeof *all);
    if (!all)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    for (size_t i = 0; i < t->runs; i++) {
        const struct triage_result *r = &t->run[i].result;
        t->count[r->kind]++;
        t->unseen += r->kind == TRIAGE_HEALTHY && !r->judged;
    }
    bool good = group_all(t, all, e);
    if (good)
        mark_flaky(t, all);
    free(all);
    if (t->groups)
        qsort(t->group, t->groups, sizeof *t->group, by_importance);
    return good;
}

/* --- the baseline --- */

static void known_line(struct triage *t, char *line)
{
    char *word = line + strspn(line, " \t\r\n");
    word[strcspn(word, " \t\r\n")] = '\0';
    if (!*word || *word == '#')
        return;
    long algorithm = strtol(word, NULL, 10), ours = 0;
    bool found = false;
    for (size_t i = 0; i < t->groups; i++) {
        const char *own = t->group[i].run[0]->result.fingerprint;
        ours = strtol(own, NULL, 10);
        found |= !strcmp(own, word);
        t->group[i].known |= !strcmp(own, word);
    }
    t->other_algorithm += !found && ours && algorithm != ours;
}

bool triage_known(struct triage *t, const char *file, struct drd_error *e)
{
    char *line = NULL;
    size_t size = 0;
    FILE *in = fopen(file, "r");
    if (!in)
        return error_set_errno(e, DRD_EXIT_FATAL, "cannot read %s", file);
    errno = 0;
    while (getline(&line, &size, in) >= 0)
        known_line(t, line);
    bool good = !ferror(in) || error_set_errno(e, DRD_EXIT_FATAL, "cannot read %s", file);
    free(line);
    fclose(in);
    if (t->groups)
        qsort(t->group, t->groups, sizeof *t->group, by_importance);
    return good;
}

size_t triage_new(const struct triage *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->groups; i++)
        count += triage_is_failure(t, &t->group[i]) && !t->group[i].known;
    return count;
}

int triage_exit(const struct triage *t)
{
    if (triage_new(t))
        return DRD_EXIT_DIFFERS;
    return t->count[TRIAGE_BROKEN] == t->runs ? DRD_EXIT_CANNOT : DRD_EXIT_OK;
}

/* --- words that all outputs share --- */

void triage_reproduce(const struct triage_run *r, char *out, size_t size)
{
    FILE *f = fmemopen(out, size, "w");
    if (!f)
        return;
    fputs("drd replay ", f);
    text_shell(r->name, f);
    if (*r->result.event) {
        fputs(" --node ", f);
        text_shell(r->result.node, f);
        fputs(" --until ", f);
        text_shell(r->result.event, f);
        fputs(" --gdb", f);
    }
    fclose(f);
    out[size - 1] = '\0';
}

void triage_share(const struct triage *t, const struct triage_group *g, char *out, size_t size)
{
    snprintf(out, size, "%zu of %zu run%s", g->runs, t->runs, t->runs == 1 ? "" : "s");
}

const char *triage_state(const struct triage *t, const struct triage_group *g)
{
    return !triage_is_failure(t, g) ? "rule" : g->known ? "known" : "new";
}

const char *triage_group_proof(const struct triage_group *g)
{
    for (size_t i = 0; i < g->runs; i++)
        if (*g->run[i]->result.proof)
            return g->run[i]->result.proof;
    return "";
}
