#include "store/keep.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "store/tags.h"
#include "util/args.h"

bool keep_parse(const char *text, struct keep_limits *limits, struct drd_error *e)
{
    static const struct {
        char letter;
        uint64_t seconds;
    } ages[] = {{'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    char *end;
    errno = 0;
    uint64_t number = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    if (!number || errno)
        return error_set(e, DRD_EXIT_USAGE, "--keep wants a number of runs, an age (30d) or a size (1G), not '%s'", text);
    if (!*end) {
        limits->runs = number;
        return true;
    }
    for (size_t i = 0; !end[1] && i < sizeof ages / sizeof *ages; i++) {
        if (*end != ages[i].letter || number > UINT64_MAX / ages[i].seconds)
            continue;
        limits->seconds = number * ages[i].seconds;
        return true;
    }
    return args_size(text, &limits->bytes) ||
           error_set(e, DRD_EXIT_USAGE, "--keep wants a number of runs, an age (30d) or a size (1G), not '%s'", text);
}

/* The time in the file's name, as refs_new made it. */
static uint64_t run_age(const char *path, time_t now)
{
    struct tm utc = {.tm_isdst = 0};
    const char *name = strrchr(path, '/') + 1;
    if (!strptime(name, "%Y%m%dT%H%M%S", &utc))
        return 0;
    time_t begun = timegm(&utc);
    return begun < now ? (uint64_t)(now - begun) : 0;
}

static bool is_tagged(const struct tags_entry *tag, size_t tags, const char *path)
{
    for (size_t i = 0; i < tags; i++) {
        if (!strcmp(tag[i].path, path))
            return true;
    }
    return false;
}

static bool is_in_use(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool used = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return used;
}

/* A file that is no run, or a damaged one, holds nothing that could be finished. */
static bool is_unfinished(const char *path)
{
    char state[32] = "";
    struct store *s = store_open(path, STORE_READ, NULL);
    if (s)
        store_fact(s, "state", state, sizeof state);
    store_close(s);
    return !strcmp(state, "recording");
}

static enum keep_reason held_back(const char *path, const struct tags_entry *tag, size_t tags)
{
    return is_tagged(tag, tags, path) ? KEEP_TAGGED : is_in_use(path) ? KEEP_IN_USE
           : is_unfinished(path)      ? KEEP_UNFINISHED : KEEP_WITHIN;
}

static void judge(const struct keep_limits *l, struct keep_run *run, size_t count)
{
    uint64_t runs = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (run[i].reason != KEEP_WITHIN)
            continue;
        runs++;
        bytes += run[i].bytes;
        if ((l->runs && runs > l->runs) || (l->seconds && run[i].age > l->seconds) || (l->bytes && bytes > l->bytes))
            run[i].reason = KEEP_GONE;
    }
}

bool keep_judge(const struct keep_limits *limits, time_t now, struct keep_run **out, size_t *count, struct drd_error *e)
{
    struct refs_entry *all;
    struct tags_entry *tag;
    size_t tags;
    *out = NULL;
    *count = 0;
    if (!refs_list(&all, count, e))
        return false;
    bool good = tags_list(&tag, &tags, e);
    if (good && !(*out = calloc(*count + 1, sizeof **out)))
        good = error_set(e, DRD_EXIT_FATAL, "out of memory");
    for (size_t i = 0; good && i < *count; i++) {
        struct keep_run *r = &(*out)[i];
        struct stat st;
        memcpy(r->id, all[i].id, sizeof r->id);
        memcpy(r->path, all[i].path, sizeof r->path);
        r->bytes = stat(r->path, &st) ? 0 : (uint64_t)st.st_size;
        r->age = run_age(r->path, now);
        r->reason = held_back(r->path, tag, tags);
    }
    if (good)
        judge(limits, *out, *count);
    free(tag);
    free(all);
    return good;
}

bool keep_delete(const struct keep_run *run, struct drd_error *e)
{
    char journal[PATH_MAX + 16];
    int fd = open(run->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        close(fd);
        return error_set(e, DRD_EXIT_FATAL, "%s: in use by another process", run->path);
    }
    bool good = unlink(run->path) == 0 || error_set_errno(e, DRD_EXIT_FATAL, "cannot delete %s", run->path);
    snprintf(journal, sizeof journal, "%s-journal", run->path);
    if (good)
        unlink(journal); /* mostly there is none */
    if (fd >= 0)
        close(fd);
    return good;
}
