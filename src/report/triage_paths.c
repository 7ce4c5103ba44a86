/* The run files that the words of a command line stand for. */
#include "report/triage.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/refs.h"

#define DEPTH 8 /* directories in directories */

static bool add(struct triage *t, const char *path, struct drd_error *e)
{
    char real[PATH_MAX];
    if (!realpath(path, real))
        return error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
    struct triage_run *more = realloc(t->run, (t->runs + 1) * sizeof *more);
    if (!more)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    t->run = more;
    memset(&more[t->runs], 0, sizeof *more);
    strcpy(more[t->runs].path, real);
    snprintf(more[t->runs].name, PATH_MAX, "%s", path);
    t->runs++;
    return true;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

static bool walk(struct triage *t, const char *directory, int depth, struct drd_error *e);

static bool visit(struct triage *t, const char *directory, const char *name, int depth, struct drd_error *e)
{
    char path[PATH_MAX];
    struct stat st;
    bool here = !strcmp(directory, ".");
    int length = here ? snprintf(path, sizeof path, "%s", name) : snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length >= (int)sizeof path || lstat(path, &st))
        return true; /* gone in the meantime */
    if (S_ISDIR(st.st_mode))
        return depth >= DEPTH || walk(t, path, depth + 1, e);
    if (S_ISLNK(st.st_mode) && stat(path, &st)) /* to a file, that is: directories by links may go round in circles */
        return true;
    return !S_ISREG(st.st_mode) || !ends_with(name, ".drd") || add(t, path, e);
}

static bool walk(struct triage *t, const char *directory, int depth, struct drd_error *e)
{
    struct dirent **entry;
    int count = scandir(directory, &entry, NULL, alphasort);
    if (count < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot read %s", directory);
    bool good = true;
    for (int i = 0; i < count; i++) {
        const char *name = entry[i]->d_name;
        if (good && strcmp(name, ".") && strcmp(name, ".."))
            good = visit(t, directory, name, depth, e);
        free(entry[i]);
    }
    free(entry);
    return good;
}

static bool collect(struct triage *t, const char *word, struct drd_error *e)
{
    char path[PATH_MAX];
    struct stat st;
    size_t before = t->runs;
    if (!stat(word, &st) && S_ISDIR(st.st_mode)) {
        if (!walk(t, word, 0, e))
            return false;
        return t->runs > before || error_set(e, DRD_EXIT_CANNOT, "no run in %s: no file there ends in .drd", word);
    }
    return refs_resolve(word, path, e) && add(t, path, e);
}

static int by_path(const void *a, const void *b)
{
    const struct triage_run *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static void unite(struct triage *t)
{
    size_t kept = 0;
    if (t->runs)
        qsort(t->run, t->runs, sizeof *t->run, by_path);
    for (size_t i = 0; i < t->runs; i++)
        if (!kept || strcmp(t->run[kept - 1].path, t->run[i].path))
            t->run[kept++] = t->run[i];
    t->runs = kept;
}

/* A run of the store goes by its id. */
static void name_all(struct triage *t)
{
    struct refs_entry *all;
    size_t count;
    if (!refs_list(&all, &count, NULL))
        return;
    for (size_t i = 0; i < count; i++) {
        struct triage_run key, *found;
        snprintf(key.path, sizeof key.path, "%s", all[i].path);
        found = t->runs ? bsearch(&key, t->run, t->runs, sizeof key, by_path) : NULL;
        if (found)
            snprintf(found->name, sizeof found->name, "%s", all[i].id);
    }
    free(all);
}

bool triage_collect(struct triage *t, char **path, size_t paths, struct drd_error *e)
{
    struct drd_error nothing = {0};
    for (size_t i = 0; i < paths; i++) {
        struct drd_error one = {0};
        if (collect(t, path[i], &one))
            continue;
        if (one.exit_code != DRD_EXIT_CANNOT) {
            *e = one;
            return false;
        }
        nothing = one;
    }
    unite(t);
    name_all(t);
    if (!t->runs)
        *e = nothing;
    return t->runs > 0;
}

void triage_fini(struct triage *t)
{
    for (size_t i = 0; i < t->groups; i++)
        free(t->group[i].run);
    free(t->group);
    free(t->run);
    *t = (struct triage){0};
}
