#include "diff/spill.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define RESERVE (1ul << 36)    /* addresses for one array */
#define MEMORY (2ul << 20)     /* longer arrays lie in a file */
#define STEP (16ul << 20)
#define STEP_LEAST (1ul << 16)
#define RESIDENT (4ul << 20)   /* bytes that may be passed before a drop */

static size_t rounded(size_t bytes)
{
    size_t capacity = STEP_LEAST;
    while (capacity < bytes && capacity < STEP)
        capacity *= 2;
    return bytes <= capacity ? capacity : (bytes + STEP - 1) / STEP * STEP;
}

/* $TMPDIR, else /var/tmp: a tmpfs would be memory again. */
static int nameless_file(void)
{
    char path[PATH_MAX];
    const char *directory = getenv("TMPDIR");
    if (!directory || directory[0] != '/')
        directory = "/var/tmp";
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || snprintf(path, sizeof path, "%s/drd-diff.XXXXXX", directory) >= (int)sizeof path)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool write_all(int fd, const uint8_t *from, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(fd, from + done, length - done, (off_t)done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool move(const struct spill *s, int fd)
{
    return !s->capacity || (!posix_fallocate(fd, 0, (off_t)s->capacity) && write_all(fd, s->base, s->capacity) &&
                            mmap(s->base, s->capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
}

/* What is there so far goes to a file; where there can be none, it stays in memory. */
static void to_file(struct spill *s)
{
    int fd = nameless_file();
    if (fd >= 0 && move(s, fd))
        s->fd = fd;
    else if (fd >= 0)
        close(fd);
}

/* Blocks are asked for before they are written to: a disk that is full is an error here, and no signal there. */
static bool extend(struct spill *s, size_t capacity)
{
    uint8_t *end = (uint8_t *)s->base + s->capacity;
    size_t more = capacity - s->capacity;
    if (s->fd < 0)
        return !mprotect(end, more, PROT_READ | PROT_WRITE);
    return !posix_fallocate(s->fd, (off_t)s->capacity, (off_t)more) &&
           mmap(end, more, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, s->fd, (off_t)s->capacity) != MAP_FAILED;
}

/* Fewer where there are not so many to have (ulimit -v): a run needs some dozens of arrays. */
static bool addresses_reserve(struct spill *s)
{
    struct rlimit limit;
    size_t size = RESERVE;
    if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur < RESERVE * 64)
        size = limit.rlim_cur / 64 / STEP_LEAST * STEP_LEAST + STEP_LEAST;
    void *base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return false;
    *s = (struct spill){.base = base, .reserved = size, .fd = -1};
    return true;
}

bool spill_reserve(struct spill *s, size_t bytes)
{
    if (bytes <= s->capacity)
        return true;
    if (!s->base && !addresses_reserve(s))
        return false;
    size_t capacity = rounded(bytes);
    if (capacity > s->reserved)
        return false;
    if (s->fd < 0 && capacity > MEMORY)
        to_file(s);
    if (!extend(s, capacity))
        return false;
    s->capacity = capacity;
    return true;
}

void spill_drop(const struct spill *s)
{
    if (s->fd >= 0)
        madvise(s->base, s->capacity, MADV_DONTNEED); /* of a shared mapping of a file: it reads them back. madvise(2) */
}

void spill_pass(struct spill *s, size_t bytes)
{
    s->passed += bytes;
    if (s->passed < RESIDENT)
        return;
    spill_drop(s);
    s->passed = 0;
}

void spill_fini(struct spill *s)
{
    if (s->base)
        munmap(s->base, s->reserved);
    if (s->fd >= 0 && s->base)
        close(s->fd);
    *s = (struct spill)SPILL_INIT;
}
