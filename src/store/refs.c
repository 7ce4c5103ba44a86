#include "store/refs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/tags.h"

#define TIME_LENGTH 18 /* YYYYMMDDTHHMMSSmmm */
#define FILE_LENGTH (TIME_LENGTH + 1 + REFS_ID + 4)
#define TRIES 100

static bool is_directory(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Look for .drd/ in `at` and above; `at` becomes its path. */
static bool find_upward(char at[PATH_MAX])
{
    for (;;) {
        size_t length = strlen(at);
        if (length + sizeof "/.drd" > PATH_MAX)
            return false;
        strcpy(at + length, length == 1 ? ".drd" : "/.drd");
        if (is_directory(at))
            return true;
        at[length] = '\0';
        char *slash = strrchr(at, '/');
        if (!slash || length == 1)
            return false;
        slash[slash == at] = '\0';
    }
}

int refs_directory(char out[PATH_MAX], struct drd_error *e)
{
    const char *chosen = getenv("DRD_STORE");
    if (chosen && *chosen) {
        snprintf(out, PATH_MAX, "%s", chosen);
        return is_directory(out);
    }
    if (!getcwd(out, PATH_MAX)) {
        error_set_errno(e, DRD_EXIT_FATAL, "cannot tell the current directory");
        return -1;
    }
    return find_upward(out);
}

static bool make_directory(const char *path, struct drd_error *e)
{
    if (!mkdir(path, 0700) || errno == EEXIST)
        return true;
    return error_set_errno(e, DRD_EXIT_FATAL, "cannot make %s", path);
}

/* The directory that holds the files of runs, made if missing. */
static bool make_store(char out[PATH_MAX], struct drd_error *e)
{
    char store[PATH_MAX];
    int found = refs_directory(store, e);
    if (found < 0)
        return false;
    const char *chosen = getenv("DRD_STORE");
    if (!found)
        snprintf(store, sizeof store, "%s", chosen && *chosen ? chosen : ".drd");
    char runs[PATH_MAX + 8];
    snprintf(runs, sizeof runs, "%s/runs", store);
    if (!make_directory(store, e) || !make_directory(runs, e))
        return false;
    return realpath(runs, out) || error_set_errno(e, DRD_EXIT_FATAL, "cannot reach %s", runs);
}

static bool all_hex(const char *p, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isxdigit((unsigned char)p[i]) || isupper((unsigned char)p[i]))
            return false;
    return true;
}

/* The id inside a file name of ours, NULL if it is none. */
static const char *file_id(const char *name)
{
    if (strlen(name) != FILE_LENGTH || name[8] != 'T' || name[TIME_LENGTH] != '-' || strcmp(name + FILE_LENGTH - 4, ".drd"))
        return NULL;
    return all_hex(name + TIME_LENGTH + 1, REFS_ID) ? name + TIME_LENGTH + 1 : NULL;
}

static int later_first(const void *a, const void *b)
{
    const struct refs_entry *x = a, *y = b;
    return strcmp(y->path, x->path);
}

static bool read_directory(const char *directory, struct refs_entry **out, size_t *count, struct drd_error *e)
{
    DIR *d = opendir(directory);
    if (!d)
        return errno == ENOENT || error_set_errno(e, DRD_EXIT_FATAL, "cannot read %s", directory);
    for (struct dirent *entry; (entry = readdir(d));) {
        const char *id = file_id(entry->d_name);
        if (!id)
            continue;
        struct refs_entry *more = realloc(*out, (*count + 1) * sizeof *more);
        if (!more) {
            closedir(d);
            return error_set(e, DRD_EXIT_FATAL, "out of memory");
        }
        *out = more;
        struct refs_entry *r = &more[*count];
        snprintf(r->id, sizeof r->id, "%s", id);
        if (snprintf(r->path, sizeof r->path, "%s/%s", directory, entry->d_name) < PATH_MAX)
            ++*count;
    }
    closedir(d);
    return true;
}

bool refs_list(struct refs_entry **out, size_t *count, struct drd_error *e)
{
    char store[PATH_MAX], runs[PATH_MAX + 8], absolute[PATH_MAX];
    int found = refs_directory(store, e);
    *out = NULL;
    *count = 0;
    if (found <= 0)
        return !found;
    snprintf(runs, sizeof runs, "%s/runs", store);
    if (!realpath(runs, absolute))
        return true; /* nothing recorded yet */
    if (!read_directory(absolute, out, count, e)) {
        free(*out);
        *out = NULL;
        return false;
    }
    if (*count)
        qsort(*out, *count, sizeof **out, later_first);
    return true;
}

static bool id_is_taken(const char *id)
{
    struct refs_entry *all;
    size_t count;
    bool taken = false;
    if (!refs_list(&all, &count, NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        taken |= !strcmp(all[i].id, id);
    free(all);
    return taken;
}

bool refs_new(struct refs_entry *out, struct drd_error *e)
{
    char runs[PATH_MAX], when[24];
    if (!make_store(runs, e))
        return false;
    for (int i = 0; i < TRIES; i++) {
        uint32_t random;
        struct timespec now;
        struct tm utc;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            return error_set_errno(e, DRD_EXIT_FATAL, "cannot draw a name for the run");
        clock_gettime(CLOCK_REALTIME, &now);
        strftime(when, sizeof when, "%Y%m%dT%H%M%S", gmtime_r(&now.tv_sec, &utc));
        snprintf(out->id, sizeof out->id, "%07x", random >> 4);
        if (snprintf(out->path, PATH_MAX, "%s/%s%03ld-%s.drd", runs, when, now.tv_nsec / 1000000, out->id) >= PATH_MAX)
            return error_set(e, DRD_EXIT_FATAL, "the path of the store is too long");
        if (!id_is_taken(out->id))
            return true;
    }
    return error_set(e, DRD_EXIT_FATAL, "no unused name for the run in %s", runs);
}

bool refs_adopt(const char *name, struct refs_entry *out, bool *taken, struct drd_error *e)
{
    char runs[PATH_MAX];
    const char *id = file_id(name);
    *taken = false;
    if (!id || strchr(name, '/'))
        return refs_new(out, e);
    if (!make_store(runs, e))
        return false;
    snprintf(out->id, sizeof out->id, "%s", id);
    if (snprintf(out->path, PATH_MAX, "%s/%s", runs, name) >= PATH_MAX)
        return error_set(e, DRD_EXIT_FATAL, "the path of the store is too long");
    *taken = !access(out->path, F_OK);
    return *taken || !id_is_taken(out->id) || refs_new(out, e);
}

/* A file, else a tag. */
static bool resolve_path(const char *reference, char path[PATH_MAX], struct drd_error *e)
{
    struct stat st;
    if (snprintf(path, PATH_MAX, "%s", reference) >= PATH_MAX)
        return error_set(e, DRD_EXIT_FATAL, "the name of the run is too long");
    int missing = stat(path, &st) ? errno : 0;
    if (missing && tags_name_good(reference) && tags_find(reference, path))
        missing = stat(path, &st) ? errno : 0;
    errno = missing;
    if (missing)
        return error_set_errno(e, DRD_EXIT_FATAL, "no such run: %s", reference);
    if (!S_ISREG(st.st_mode))
        return error_set(e, DRD_EXIT_FATAL, "not a DRD run: %s is not a regular file", reference);
    return true;
}

/* "@" and "@~N"; -1 if it is neither. */
static long steps_back(const char *reference)
{
    if (!strcmp(reference, "@"))
        return 0;
    if (strncmp(reference, "@~", 2))
        return -1;
    if (!reference[2])
        return 1;
    char *end;
    long n = strtol(reference + 2, &end, 10);
    return *end || n < 0 || !isdigit((unsigned char)reference[2]) ? -1 : n;
}

static bool resolve_latest(const char *reference, long back, const struct refs_entry *all, size_t count,
                           char path[PATH_MAX], struct drd_error *e)
{
    if (!count)
        return error_set(e, DRD_EXIT_FATAL, "no such run: %s (no run was recorded here; 'drd record -- COMMAND' makes one)",
                         reference);
    if ((size_t)back >= count)
        return error_set(e, DRD_EXIT_FATAL, "no such run: %s (there are only %zu here)", reference, count);
    strcpy(path, all[back].path);
    return true;
}

static bool resolve_prefix(const char *reference, const struct refs_entry *all, size_t count, char path[PATH_MAX],
                           struct drd_error *e)
{
    const struct refs_entry *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(all[i].id, reference, strlen(reference)))
            continue;
        if (found)
            return error_set(e, DRD_EXIT_FATAL, "ambiguous run: %s may be %s or %s", reference, found->id, all[i].id);
        found = &all[i];
    }
    if (!found)
        return error_set(e, DRD_EXIT_FATAL, "no such run: %s (neither a file nor the beginning of a run's id)", reference);
    strcpy(path, found->path);
    return true;
}

bool refs_resolve(const char *reference, char path[PATH_MAX], struct drd_error *e)
{
    size_t length = strlen(reference);
    long back = steps_back(reference);
    bool hex = length && length <= REFS_ID && all_hex(reference, length);
    if (back < 0 && (!hex || !access(reference, F_OK))) {
        if (*reference == '@')
            return error_set(e, DRD_EXIT_FATAL, "no such run: %s (the latest is @, the one before @~1)", reference);
        return resolve_path(reference, path, e);
    }
    struct refs_entry *all;
    size_t count;
    if (!refs_list(&all, &count, e))
        return false;
    bool ok = back >= 0 ? resolve_latest(reference, back, all, count, path, e) : resolve_prefix(reference, all, count, path, e);
    free(all);
    return ok;
}

/* The '@' in front of the digits that end `text`, NULL if it does not end so. */
static const char *at_number(const char *text)
{
    const char *at = strrchr(text, '@');
    if (!at || !at[1] || at[1 + strspn(at + 1, "0123456789")])
        return NULL;
    return at;
}

bool refs_split(const char *text, char run[PATH_MAX], char event[PATH_MAX], struct drd_error *e)
{
    if (strlen(text) >= PATH_MAX)
        return error_set(e, DRD_EXIT_USAGE, "the name of the run is too long");
    const char *number = at_number(text), *node = NULL;
    if (number && access(text, F_OK) && number > text)
        for (node = number; node > text && node[-1] != '@' && node[-1] != '/'; node--) {
        }
    if (!node || node == number) {
        strcpy(run, text);
        *event = '\0';
        return true;
    }
    size_t before = (size_t)(node - text); /* with the '@' that ends the run reference */
    snprintf(run, PATH_MAX, "%.*s", before ? (int)before - 1 : 0, text);
    if (before <= 1)
        strcpy(run, "@");
    strcpy(event, node);
    return true;
}

const char *refs_name(const char *path, char id[REFS_ID + 1])
{
    struct refs_entry *all;
    size_t count;
    bool found = false;
    if (!refs_list(&all, &count, NULL))
        return path;
    for (size_t i = 0; i < count && !found; i++) {
        found = !strcmp(all[i].path, path);
        strcpy(id, all[i].id);
    }
    free(all);
    return found ? id : path;
}
