/* The cache is bounded: what was not asked for in a month goes, and of too many names those not asked for longest.
 *
 * An entry's time of change is when it was last of use (triage_cache_get sets it, at most once a day). The names of an entry
 * are links to one file and share it. By path go before by content: a run that came back from somewhere else is found by that. */
#include "report/triage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY ((int64_t)24 * 60 * 60)
#define DRAFT_SECONDS ((int64_t)60 * 60) /* nobody still writes it */

struct name {
    int64_t days;  /* since it was of use */
    bool by_path;
    char text[64];
};

struct names {
    struct name *name;
    size_t count, room;
};

/* Nothing else is touched: --cache may name any directory. */
static bool is_entry(const char *text)
{
    size_t length = strlen(text);
    return length < sizeof((struct name *)0)->text && (text[0] == 'p' || text[0] == 'c') && text[1] == '-' && length > 2 &&
           strspn(text + 2, "0123456789abcdef-") == length - 2;
}

static bool is_draft(const char *text)
{
    return strncmp(text, "draft-", 6) == 0 && strlen(text) == 12;
}

static bool remember(struct names *names, const char *text, int64_t days)
{
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 1024;
        struct name *grown = realloc(names->name, room * sizeof *grown);
        if (!grown)
            return false;
        names->name = grown;
        names->room = room;
    }
    struct name *n = &names->name[names->count++];
    n->days = days;
    n->by_path = *text == 'p';
    snprintf(n->text, sizeof n->text, "%s", text);
    return true;
}

/* Unlinks what is old; remembers what stays. */
static void look_at(int dir, const char *text, int64_t now, struct names *names)
{
    struct stat st;
    bool entry = is_entry(text);
    if ((!entry && !is_draft(text)) || fstatat(dir, text, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
        return;
    int64_t age = now - (int64_t)st.st_mtim.tv_sec;
    if (age > (entry ? TRIAGE_CACHE_DAYS * DAY : DRAFT_SECONDS))
        unlinkat(dir, text, 0);
    else if (entry)
        remember(names, text, age / DAY); /* one that does not fit stays this time */
}

/* The first to go first. */
static int by_use(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    if (x->days != y->days)
        return x->days > y->days ? -1 : 1;
    if (x->by_path != y->by_path)
        return x->by_path ? -1 : 1;
    return strcmp(x->text, y->text);
}

void triage_cache_prune(const char *cache, int64_t now, size_t most)
{
    struct names names = {0};
    struct dirent *d;
    DIR *dir = opendir(cache);
    if (!dir)
        return;
    while ((d = readdir(dir)))
        look_at(dirfd(dir), d->d_name, now, &names);
    if (names.count > most) {
        qsort(names.name, names.count, sizeof *names.name, by_use);
        for (size_t i = 0; i < names.count - most; i++)
            unlinkat(dirfd(dir), names.name[i].text, 0);
    }
    free(names.name);
    closedir(dir);
}
