#include "replay/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "drd-replay."
#define OWNER "owner"
#define GRACE 10 /* seconds in which a new directory need not be locked yet */

_Static_assert(sizeof(struct replay_file) <= REPLAY_HEADER, "the header must fit before the stream");

static bool is_dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Only a root has directories in it, as deep as the paths of its files. */
static void remove_at(int above, const char *name)
{
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *d; dir && (d = readdir(dir));)
        if (!is_dots(d->d_name) && unlinkat(fd, d->d_name, 0) && errno == EISDIR)
            remove_at(fd, d->d_name);
    if (dir)
        closedir(dir);
    unlinkat(above, name, AT_REMOVEDIR);
}

void stage_remove(const char *path)
{
    remove_at(AT_FDCWD, path);
}

/* Anybody may put links into /var/tmp: only a directory of ours with a lock file of ours is taken for one. */
static bool is_left_over(const char *path)
{
    char owner[PATH_MAX];
    struct stat st;
    snprintf(owner, sizeof owner, "%s/" OWNER, path);
    if (lstat(path, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mtime + GRACE > time(NULL))
        return false;
    int fd = open(owner, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool dead = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0)
        close(fd);
    return dead;
}

static void sweep(const char *parent)
{
    char pattern[PATH_MAX];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/" PREFIX "??????", parent);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (is_left_over(found.gl_pathv[i]))
                stage_remove(found.gl_pathv[i]);
    globfree(&found);
}

static bool own(struct stage *stage, struct drd_error *e)
{
    char owner[PATH_MAX];
    snprintf(owner, sizeof owner, "%s/" OWNER, stage->path);
    stage->owner = open(owner, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (stage->owner >= 0 && flock(stage->owner, LOCK_EX) == 0)
        return true;
    error_set_errno(e, DRD_EXIT_CANNOT, "%s", owner);
    stage_fini(stage);
    return false;
}

bool stage_init(struct stage *stage, struct drd_error *e)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || parent[0] != '/')
        parent = "/var/tmp";
    *stage = (struct stage){ .owner = -1 };
    char path[sizeof stage->path];
    int n = snprintf(path, sizeof path, "%s/" PREFIX "XXXXXX", parent);
    if (n < 0 || (size_t)n + 16 > sizeof path)
        return error_set(e, DRD_EXIT_CANNOT, "TMPDIR is too long a path");
    sweep(parent);
    if (!mkdtemp(path)) /* 0700 */
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot make a directory under %s", parent);
    memcpy(stage->path, path, sizeof path);
    return own(stage, e);
}

void stage_fini(struct stage *stage)
{
    if (!stage->path[0])
        return;
    stage_remove(stage->path);
    if (stage->owner >= 0)
        close(stage->owner);
    *stage = (struct stage){ .owner = -1 };
}

void stage_file(const struct stage *stage, uint32_t process, const char *suffix, char *out, size_t size)
{
    snprintf(out, size, "%s/%06u%s", stage->path, process, suffix);
}

void stage_header(struct replay_file *header, const struct stage *stage, uint32_t process, uint64_t bytes, uint64_t until)
{
    *header = (struct replay_file){
        .magic = REPLAY_MAGIC, .abi = SPOOL_ABI, .process = process, .bytes = bytes, .until = until,
        .state = REPLAY_WAITING,
    };
    memcpy(header->dir, stage->path, sizeof header->dir);
}

/* The stream is written behind the place of the header and the file is made whole pages. */
static struct replay_file *expand_to(int fd, const struct stage *stage, struct store *s, const struct store_process *p,
                                     uint64_t until, struct drd_error *e)
{
    uint64_t bytes = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (lseek(fd, REPLAY_HEADER, SEEK_SET) < 0 || !stream_copy(s, p->number, fd, &bytes, e))
        return NULL;
    uint64_t whole = bytes > p->draft ? bytes - p->draft : 0; /* a call begun and not ended has no outcome to give */
    uint64_t size = (REPLAY_HEADER + bytes + page - 1) / page * page;
    void *map = ftruncate(fd, (off_t)size) ? MAP_FAILED
                                           : mmap(NULL, REPLAY_HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", stage->path), NULL;
    stage_header(map, stage, p->number, whole, until);
    return map;
}

struct replay_file *stage_expand(const struct stage *stage, struct store *s, const struct store_process *p,
                                 uint64_t until, struct drd_error *e)
{
    char path[sizeof stage->path + 32];
    stage_file(stage, p->number, "", path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", path), NULL;
    struct replay_file *header = expand_to(fd, stage, s, p, until, e);
    close(fd);
    if (!header)
        unlink(path);
    return header;
}

void stage_drop(const struct stage *stage, uint32_t process, struct replay_file *header)
{
    char path[sizeof stage->path + 32];
    if (header)
        munmap(header, REPLAY_HEADER);
    stage_file(stage, process, "", path, sizeof path);
    unlink(path);
    stage_file(stage, process, ".err", path, sizeof path);
    unlink(path);
}
