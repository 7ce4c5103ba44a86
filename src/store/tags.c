#include "store/tags.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+"

bool tags_name_good(const char *name)
{
    size_t length = strlen(name);
    bool hex = length <= REFS_ID && strspn(name, "0123456789abcdef") == length;
    return length && length <= TAGS_NAME && strspn(name, NAME_LETTERS) == length && !strchr(".-", *name) && !hex;
}

static bool tag_path(const char *name, char out[PATH_MAX], struct drd_error *e)
{
    char store[PATH_MAX];
    int found = refs_directory(store, e);
    if (found < 0)
        return false;
    if (!found)
        return error_set(e, DRD_EXIT_FATAL, "no run was recorded here: there is no .drd/");
    if (snprintf(out, PATH_MAX, "%s/tags%s%s", store, *name ? "/" : "", name) >= PATH_MAX)
        return error_set(e, DRD_EXIT_FATAL, "the path of the store is too long");
    return true;
}

/* What the file of a tag says, as the path of a run. A file of another form is no tag. */
static bool tag_read(const char *file, char path[PATH_MAX])
{
    char name[NAME_MAX + 2] = "", store[PATH_MAX], runs[PATH_MAX + 8], absolute[PATH_MAX];
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, name, sizeof name - 1) : -1;
    if (fd >= 0)
        close(fd);
    name[n > 0 ? strcspn(name, "\n") : 0] = '\0';
    if (!*name || strchr(name, '/') || *name == '.' || refs_directory(store, NULL) <= 0)
        return false;
    snprintf(runs, sizeof runs, "%s/runs", store);
    return realpath(runs, absolute) && snprintf(path, PATH_MAX, "%s/%s", absolute, name) < PATH_MAX;
}

bool tags_find(const char *name, char path[PATH_MAX])
{
    char file[PATH_MAX];
    return tag_path(name, file, NULL) && tag_read(file, path);
}

/* The run's file name, if it is one of the store's. */
static const char *store_file(const char *path, char resolved[PATH_MAX], struct drd_error *e)
{
    struct refs_entry *all;
    size_t count;
    bool found = false;
    if (!realpath(path, resolved))
        return error_set_errno(e, DRD_EXIT_FATAL, "no such run: %s", path), NULL;
    if (!refs_list(&all, &count, e))
        return NULL;
    for (size_t i = 0; i < count && !found; i++)
        found = !strcmp(all[i].path, resolved);
    free(all);
    if (!found)
        return error_set(e, DRD_EXIT_FATAL, "%s: not a run of this store; what names it is its file name", path), NULL;
    return strrchr(resolved, '/') + 1;
}

/* Under its name at once, or not at all. */
static bool tag_write(const char *file, const char *run, struct drd_error *e)
{
    char draft[PATH_MAX + 16];
    snprintf(draft, sizeof draft, "%.*s.draft-XXXXXX", (int)(strrchr(file, '/') + 1 - file), file);
    int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", file);
    bool good = dprintf(fd, "%s\n", run) > 0;
    if ((close(fd) == 0) & good && rename(draft, file) == 0)
        return true;
    error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", file);
    unlink(draft);
    return false;
}

bool tags_set(const char *name, const char *path, bool force, struct drd_error *e)
{
    char file[PATH_MAX], folder[PATH_MAX], resolved[PATH_MAX];
    if (!tags_name_good(name))
        return error_set(e, DRD_EXIT_USAGE, "'%s' cannot be a tag: up to %d letters, digits, '.', '_', '-' "
                                            "and '+', that are not the beginning of an id", name, TAGS_NAME);
    const char *run = store_file(path, resolved, e);
    if (!run || !tag_path("", folder, e) || !tag_path(name, file, e))
        return false;
    if (mkdir(folder, 0700) && errno != EEXIST)
        return error_set_errno(e, DRD_EXIT_FATAL, "cannot make %s", folder);
    if (!force && access(file, F_OK) == 0)
        return error_set(e, DRD_EXIT_FATAL, "there is a tag '%s' already; --force moves it", name);
    return tag_write(file, run, e);
}

bool tags_delete(const char *name, struct drd_error *e)
{
    char file[PATH_MAX];
    if (!tags_name_good(name))
        return error_set(e, DRD_EXIT_FATAL, "no such tag: %s", name);
    if (!tag_path(name, file, e))
        return false;
    if (unlink(file) == 0)
        return true;
    return errno == ENOENT ? error_set(e, DRD_EXIT_FATAL, "no such tag: %s", name)
                           : error_set_errno(e, DRD_EXIT_FATAL, "cannot delete %s", file);
}

static int by_name(const void *a, const void *b)
{
    const struct tags_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static bool list_add(struct tags_entry **out, size_t *count, const char *folder, const char *name)
{
    char file[PATH_MAX];
    struct tags_entry *more = realloc(*out, (*count + 1) * sizeof *more);
    if (!more)
        return false;
    *out = more;
    struct tags_entry *t = &more[*count];
    snprintf(t->name, sizeof t->name, "%.*s", TAGS_NAME, name);
    if (snprintf(file, sizeof file, "%s/%s", folder, name) < PATH_MAX && tag_read(file, t->path))
        ++*count;
    return true;
}

bool tags_list(struct tags_entry **out, size_t *count, struct drd_error *e)
{
    char folder[PATH_MAX], store[PATH_MAX];
    int found = refs_directory(store, e);
    *out = NULL;
    *count = 0;
    if (found <= 0)
        return !found;
    if (!tag_path("", folder, e))
        return false;
    DIR *d = opendir(folder);
    if (!d)
        return errno == ENOENT || error_set_errno(e, DRD_EXIT_FATAL, "cannot read %s", folder);
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(d));) {
        if (tags_name_good(entry->d_name))
            good = list_add(out, count, folder, entry->d_name);
    }
    closedir(d);
    if (*count)
        qsort(*out, *count, sizeof **out, by_name);
    return good || error_set(e, DRD_EXIT_FATAL, "out of memory");
}
