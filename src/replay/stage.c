#include "replay/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct replay_file) <= REPLAY_HEADER, "the header must fit before the stream");

bool stage_init(struct stage *stage, struct drd_error *e)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || parent[0] != '/')
        parent = "/var/tmp";
    stage->path[0] = 0;
    char path[sizeof stage->path];
    int n = snprintf(path, sizeof path, "%s/drd-replay.XXXXXX", parent);
    if (n < 0 || (size_t)n + 16 > sizeof path)
        return error_set(e, DRD_EXIT_CANNOT, "TMPDIR is too long a path");
    if (!mkdtemp(path)) /* 0700 */
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot make a directory under %s", parent);
    memcpy(stage->path, path, sizeof path);
    return true;
}

void stage_fini(struct stage *stage)
{
    DIR *dir = stage->path[0] ? opendir(stage->path) : NULL;
    for (struct dirent *d; dir && (d = readdir(dir));)
        unlinkat(dirfd(dir), d->d_name, 0); /* "." and ".." refuse */
    if (dir)
        closedir(dir);
    if (stage->path[0])
        rmdir(stage->path);
    stage->path[0] = 0;
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
