#include "record/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the directory ---- */

static bool make_directory(struct spool *s, const char *base)
{
    struct stat st;
    int n = snprintf(s->dir, sizeof s->dir, "%s/drd-XXXXXX", base);
    if (n < 0 || (size_t)n >= sizeof s->dir || stat(base, &st) < 0 || !S_ISDIR(st.st_mode))
        return false;
    return mkdtemp(s->dir) != NULL; /* 0700 */
}

/* The nodes' own disks are the last choice: there the spool disturbs their fsync (p99 three times as long). */
static bool choose_directory(struct spool *s, const char *run_file, struct drd_error *e)
{
    char copy[512];
    const char *base = getenv("DRD_SPOOL_BASE"), *temporary = getenv("TMPDIR");
    if (base && *base) {
        char absolute[4096];
        if (realpath(base, absolute) && make_directory(s, absolute))
            return true;
        return error_set_errno(e, DRD_EXIT_CANNOT, "DRD_SPOOL_BASE=%s: cannot make a spool there", base);
    }
    if (make_directory(s, "/dev/shm") || (temporary && *temporary == '/' && make_directory(s, temporary)))
        return true;
    snprintf(copy, sizeof copy, "%s", run_file);
    if (make_directory(s, dirname(copy)))
        return true;
    return error_set_errno(e, DRD_EXIT_CANNOT, "no place for the spool: /dev/shm, $TMPDIR and the run's directory refuse");
}

static bool map_run(struct spool *s, int flags, struct drd_error *e)
{
    char path[420];
    struct stat st;
    snprintf(path, sizeof path, "%s/run", s->dir);
    s->lock = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
    if (s->lock < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
        return error_set(e, DRD_EXIT_CANNOT, "the recorder of this run is still alive");
    if ((flags & O_CREAT) && ftruncate(s->lock, sizeof *s->run) < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    if (fstat(s->lock, &st) < 0 || st.st_size != (off_t)sizeof *s->run)
        return error_set(e, DRD_EXIT_CANNOT, "%s: not a spool of this version of drd", path);
    void *at = mmap(NULL, sizeof *s->run, PROT_READ | PROT_WRITE, MAP_SHARED, s->lock, 0);
    if (at == MAP_FAILED)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    s->run = at;
    return true;
}

/* Write a page, so that a full file system shows here and not as SIGBUS in the recorder or a node. */
static bool reserve_run(struct spool *s, struct drd_error *e)
{
    if (posix_fallocate(s->lock, 0, offsetof(struct spool_run, process) + 64 * sizeof(struct spool_process)) == 0)
        return true;
    return error_set(e, DRD_EXIT_CANNOT, "%s: no space left for the spool", s->dir);
}

bool spool_create(struct spool *s, const char *run_file, struct drd_error *e)
{
    memset(s, 0, sizeof *s);
    s->lock = -1;
    if (!choose_directory(s, run_file, e))
        return false;
    if (!map_run(s, O_CREAT | O_EXCL, e) || !reserve_run(s, e)) {
        spool_remove(s);
        return false;
    }
    s->run->abi = SPOOL_ABI;
    s->run->next_process = 1;
    s->run->node_count = 1;
    s->run->recorder_pid = (uint32_t)getpid();
    snprintf(s->run->run_file, sizeof s->run->run_file, "%s", run_file);
    s->run->magic = SPOOL_MAGIC;
    return true;
}

bool spool_open(struct spool *s, const char *dir, struct drd_error *e)
{
    memset(s, 0, sizeof *s);
    s->lock = -1;
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    if (map_run(s, 0, e)) {
        if (s->run->magic == SPOOL_MAGIC && s->run->abi == SPOOL_ABI)
            return true;
        error_set(e, DRD_EXIT_CANNOT, "%s: not a spool of this version of drd", dir);
    }
    spool_close(s);
    return false;
}

void spool_close(struct spool *s)
{
    if (s->run)
        munmap(s->run, sizeof *s->run);
    if (s->lock >= 0)
        close(s->lock);
    s->run = NULL;
    s->lock = -1;
}

void spool_remove(struct spool *s)
{
    DIR *dir = *s->dir ? opendir(s->dir) : NULL;
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) {
        closedir(dir);
        rmdir(s->dir);
    }
    *s->dir = 0;
    spool_close(s);
}

/* ---- processes ---- */

uint32_t spool_count(const struct spool *s)
{
    uint32_t next = __atomic_load_n(&s->run->next_process, __ATOMIC_ACQUIRE);
    return next < SPOOL_PROCESSES ? next : SPOOL_PROCESSES;
}

struct spool_process *spool_slot(const struct spool *s, uint32_t process)
{
    return &s->run->process[process];
}

enum spool_state spool_state(const struct spool *s, uint32_t process)
{
    return __atomic_load_n(&s->run->process[process].state, __ATOMIC_ACQUIRE);
}

uint64_t spool_head(const struct spool *s, uint32_t process)
{
    return __atomic_load_n(&s->run->process[process].head, __ATOMIC_ACQUIRE);
}

/* ---- segments ---- */

static int segment_open(const struct spool *s, uint32_t process, uint64_t segment, int flags)
{
    char path[440];
    snprintf(path, sizeof path, "%s/%06u.%06llu", s->dir, process, (unsigned long long)segment);
    return open(path, flags | O_CLOEXEC, 0600);
}

/* pread, not a mapping: nothing to undo, no SIGBUS where a file was cut, and memory that does not count as ours. */
static bool segment_read(int fd, uint8_t *out, size_t length, uint64_t at)
{
    while (length) {
        ssize_t n = pread(fd, out, length, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        out += n;
        at += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

bool spool_read(const struct spool *s, uint32_t process, uint64_t offset, uint8_t *out, size_t length, struct drd_error *e)
{
    while (length) {
        uint64_t within = offset % SPOOL_SEGMENT;
        size_t part = length < SPOOL_SEGMENT - within ? length : SPOOL_SEGMENT - within;
        int fd = segment_open(s, process, offset / SPOOL_SEGMENT, O_RDONLY);
        bool ok = fd >= 0 && segment_read(fd, out, part, within);
        if (fd >= 0)
            close(fd);
        if (!ok)
            return error_set(e, DRD_EXIT_CANNOT, "%s: segment %llu of process %u cannot be read", s->dir,
                             (unsigned long long)(offset / SPOOL_SEGMENT), process);
        out += part;
        offset += part;
        length -= part;
    }
    return true;
}

bool spool_append(struct spool *s, uint32_t process, const uint8_t *data, size_t length, struct drd_error *e)
{
    uint64_t head = spool_head(s, process);
    while (length) {
        uint64_t within = head % SPOOL_SEGMENT;
        size_t part = length < SPOOL_SEGMENT - within ? length : SPOOL_SEGMENT - within;
        int fd = segment_open(s, process, head / SPOOL_SEGMENT, O_WRONLY | O_CREAT);
        ssize_t n = fd < 0 ? -1 : pwrite(fd, data, part, (off_t)within);
        if (fd >= 0)
            close(fd);
        if (n != (ssize_t)part)
            return error_set_errno(e, DRD_EXIT_CANNOT, "%s: cannot write", s->dir);
        data += part;
        head += part;
        length -= part;
    }
    __atomic_store_n(&s->run->process[process].head, head, __ATOMIC_RELEASE);
    return true;
}

void spool_discard(const struct spool *s, uint32_t process, uint64_t *first, uint64_t end)
{
    for (; *first < end; ++*first) {
        char path[440];
        snprintf(path, sizeof path, "%s/%06u.%06llu", s->dir, process, (unsigned long long)*first);
        unlink(path);
    }
}

/* ---- nodes ---- */

uint32_t spool_node_count(const struct spool *s)
{
    uint32_t n = __atomic_load_n(&s->run->node_count, __ATOMIC_ACQUIRE);
    return n < SPOOL_NODES ? n : SPOOL_NODES;
}

uint32_t spool_node(const struct spool *s, const char *name)
{
    uint32_t count = spool_node_count(s);
    for (uint32_t i = 1; i < count; i++)
        if (!strncmp(s->run->node[i], name, SPOOL_NAME))
            return i;
    return 0;
}
