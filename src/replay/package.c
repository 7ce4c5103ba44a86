/* Which package brings the lines of a file: that of the file, as dpkg's lists say (dpkg(1), /var/lib/dpkg/info/PACKAGE.list: a
 * path each line), with -dbgsym, as Debian calls them: https://wiki.debian.org/HowToGetABacktrace */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay/stack.h"

#define LISTS "/var/lib/dpkg/info/"
#define OBJECTS_NAMED 3 /* in a note */

static bool list_has(const char *list, char *const line[], size_t lines)
{
    struct stat st;
    bool has = false;
    int fd = open(list, O_RDONLY | O_CLOEXEC);
    bool open_ok = fd >= 0 && !fstat(fd, &st) && st.st_size > 0;
    char *text = open_ok ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (text == MAP_FAILED)
        return false;
    for (size_t i = 0; i < lines && !has; i++)
        has = memmem(text, (size_t)st.st_size, line[i], strlen(line[i])) != NULL;
    munmap(text, (size_t)st.st_size);
    return has;
}

/* Where / has links into /usr, a package may name either; and a library has links of its own. */
static size_t spellings(const char *path, char line[4][PATH_MAX + 8])
{
    char real[PATH_MAX];
    const char *name[2] = { path, realpath(path, real) };
    size_t n = 0;
    for (size_t i = 0; i < 2 && name[i]; i++) {
        snprintf(line[n++], PATH_MAX + 8, "\n%s\n", name[i]);
        if (!strncmp(name[i], "/usr/", 5))
            snprintf(line[n++], PATH_MAX + 8, "\n%s\n", name[i] + 4);
        else
            snprintf(line[n++], PATH_MAX + 8, "\n/usr%s\n", name[i]);
    }
    return n;
}

static bool package_of(const char *path, char *out, size_t size)
{
    char (*text)[PATH_MAX + 8] = calloc(4, sizeof *text), *line[4];
    glob_t found = { 0 };
    bool known = false;
    size_t lines = text ? spellings(path, text) : 0;
    for (size_t i = 0; i < lines; i++)
        line[i] = text[i];
    if (lines && !glob(LISTS "*.list", GLOB_NOSORT, NULL, &found))
        for (size_t i = 0; i < found.gl_pathc && !known; i++)
            if ((known = list_has(found.gl_pathv[i], line, lines))) {
                const char *name = found.gl_pathv[i] + strlen(LISTS);
                snprintf(out, size, "%.*s", (int)strcspn(name, ":"), name);
                out[strlen(out) - (strchr(name, ':') ? 0 : strlen(".list"))] = 0;
            }
    globfree(&found);
    free(text);
    return known;
}

/* Packages from before -dbgsym. */
static void debug_package(const char *package, char *out, size_t size)
{
    static const struct { const char *package, *debug; } old[] = {
        { "libc6", "libc6-dbg" }, { "python3.11-minimal", "python3.11-dbg" }, { "libpython3.11", "python3.11-dbg" },
    };
    snprintf(out, size, "%.80s-dbgsym (archive debian-debug)", package);
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (!strcmp(package, old[i].package))
            snprintf(out, size, "%s", old[i].debug);
}

static void note_add(struct stack *s, const struct stack_object *o, bool first)
{
    char package[128] = "", debug[128], id[2 * BUILD_ID_MAX + 1];
    size_t used = strlen(s->note);
    const char *name = strrchr(o->path, '/') + 1;
    build_id_text(&o->id, id, sizeof id);
    if (s->root) /* of this machine's packages it is none */
        snprintf(debug, sizeof debug, "pack the run again where they are installed");
    else if (package_of(o->path, package, sizeof package))
        debug_package(package, debug, sizeof debug);
    else
        snprintf(debug, sizeof debug, "no package has it; build it with -g");
    if (first)
        snprintf(s->note, sizeof s->note, "no debug symbols for %.40s: %s%.100s; build-id %.40s", name,
                 *package ? "install " : "", debug, id);
    else
        snprintf(s->note + used, sizeof s->note - used, "; %.30s: %.50s", name, debug);
}

static bool is_libc(const char *object)
{
    return !strncmp(object, "libc.so.", 8) || !strncmp(object, "ld-linux", 8);
}

void stack_note_packages(struct stack *s)
{
    const struct stack_object *named[OBJECTS_NAMED];
    size_t n = 0;
    for (size_t i = 0; i < s->frames && n < OBJECTS_NAMED; i++) {
        const struct stack_object *o = s->frame[i].object;
        bool missing = o && !s->frame[i].frame.line && (i == 0 || !is_libc(s->frame[i].frame.object)) &&
                       strcmp(s->frame[i].frame.function, "_start"); /* of the C library, and without lines everywhere */
        for (size_t k = 0; k < n; k++)
            missing = missing && named[k] != o;
        if (!missing)
            continue;
        note_add(s, o, n == 0);
        named[n++] = o;
    }
}
