/* What files hold. The host's content is read where it is until the first change; what is mapped shared lives in a file beside the mailbox,
 * which processes and the machine both map. */
#include "simulate/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void shared_reserve(struct inode *i, uint64_t size)
{
    size_t capacity = (size + 4095) & ~4095ul;
    if (ftruncate(i->shared, (off_t)capacity) < 0)
        abort();
    void *at = i->capacity ? mremap(i->data, i->capacity, capacity, MREMAP_MAYMOVE)
                           : mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, i->shared, 0);
    if (at == MAP_FAILED)
        abort();
    i->data = at;
    i->capacity = capacity;
}

static void content_reserve(struct inode *i, uint64_t size)
{
    if (size <= i->capacity)
        return;
    if (i->shared) {
        shared_reserve(i, size);
        return;
    }
    size_t capacity = i->capacity ? i->capacity : 4096;
    while (capacity < size)
        capacity *= 2;
    bool fresh = !i->capacity; /* pages that nobody writes cost nothing then: libraft reserves 8 MB a segment */
    i->data = fresh ? calloc(1, capacity) : realloc(i->data, capacity);
    if (!i->data)
        abort();
    if (!fresh)
        memset(i->data + i->capacity, 0, capacity - i->capacity);
    i->capacity = capacity;
}

/* Before the first change: the host's file stays as it is. */
static void content_load(struct inode *i)
{
    if (i->loaded)
        return;
    i->loaded = true;
    content_reserve(i, i->size);
    int fd = open(i->host, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    for (uint64_t at = 0; fd >= 0 && at < i->size && (n = pread(fd, i->data + at, i->size - at, (off_t)at)) > 0; at += (uint64_t)n)
        ;
    if (fd >= 0)
        close(fd);
}

static long content_read(struct task *t, struct inode *i, uint8_t *to, size_t size, uint64_t at)
{
    if (i->device == 1)
        return 0;
    if (i->device == 3) {
        for (size_t k = 0; k < size; k++)
            to[k] = (uint8_t)chance_next(&t->process->numbers);
        step_draw(t, to, size);
    }
    if (i->device == 2 || i->device == 4)
        memset(to, 0, size);
    if (i->device)
        return (long)size;
    if (at >= i->size)
        return 0;
    size = size < i->size - at ? size : i->size - at;
    if (i->virtual)
        memcpy(to, i->virtual + at, size);
    else if (i->loaded)
        memcpy(to, i->data + at, size);
    else {
        int fd = open(i->host, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : pread(fd, to, size, (off_t)at);
        if (fd >= 0)
            close(fd);
        return n < 0 ? -EIO : n;
    }
    return (long)size;
}

size_t tree_peek(struct inode *i, char *to, size_t size)
{
    long n = i->device ? 0 : content_read(NULL, i, (uint8_t *)to, size, 0);
    return n < 0 ? 0 : (size_t)n;
}

long content_write(struct machine *m, struct inode *i, const uint8_t *from, size_t size, uint64_t at)
{
    if (i->device)
        return i->device == 4 ? -ENOSPC : (long)size;
    if (i->virtual)
        return -EACCES;
    content_load(i);
    durable_write(m, i, at, size);
    content_reserve(i, at + size);
    memcpy(i->data + at, from, size);
    if (at + size > i->size)
        i->size = at + size;
    i->modified = i->change = tree_time(m);
    return (long)size;
}

void content_cut(struct machine *m, struct inode *i, uint64_t size)
{
    content_load(i);
    durable_write(m, i, size < i->size ? size : i->size, size < i->size ? i->size - size : size - i->size);
    content_reserve(i, size);
    if (size < i->size)
        memset(i->data + size, 0, i->size - size);
    i->size = size;
    i->modified = i->change = tree_time(m);
}

static long regular_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    (void)m;
    long n = content_read(t, f->inode, to, size, at < 0 ? f->place : (uint64_t)at);
    if (n > 0 && at < 0)
        f->place += (uint64_t)n;
    return n;
}

static long regular_write(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at)
{
    uint64_t place = f->flags & O_APPEND ? f->inode->size : at < 0 ? f->place : (uint64_t)at;
    int error = f->inode->device ? 0 : disk_refuses(m, t, place + size > f->inode->size);
    long n = error ? -error : content_write(m, f->inode, from, size, place);
    if (n > 0 && at < 0)
        f->place = place + (uint64_t)n;
    if (n > 0 && f->flags & (O_DSYNC | O_SYNC) && t && !m->node[t->process->node].disk.lies)
        durable_done(f->inode);
    return n;
}

static uint32_t regular_poll(struct machine *m, struct file *f)
{
    (void)m, (void)f;
    return 1 | 4; /* POLLIN, POLLOUT */
}

static void regular_close(struct machine *m, struct file *f)
{
    (void)m;
    if (!--f->inode->opened && !f->inode->links)
        inode_free(f->inode);
}

const struct file_kind file_regular = {"file", regular_read, regular_write, regular_poll, regular_close};

const struct file_kind file_directory = {"directory", NULL, NULL, regular_poll, regular_close};

long memory_file(struct machine *m, struct task *t)
{
    struct inode *i = inode_create(m, S_IFREG | 0777);
    i->links = 0;
    return inode_open(m, t, i, O_RDWR | (t->arg[1] & 1 ? O_CLOEXEC : 0));
}

long tree_fallocate(struct machine *m, struct file *f, int64_t mode, int64_t offset, int64_t length)
{
    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (mode & ~1) /* all but FALLOC_FL_KEEP_SIZE */
        return -EOPNOTSUPP;
    if (!(mode & 1) && (uint64_t)(offset + length) > f->inode->size)
        content_cut(m, f->inode, (uint64_t)(offset + length));
    return 0;
}

/* What is mapped shared lives in a file beside the mailbox from then on, which processes and the machine both map. */
static long content_share(struct machine *m, struct inode *i, char *path, size_t size)
{
    char name[40];
    snprintf(name, sizeof name, "tree_map.%llu", (unsigned long long)i->number);
    snprintf(path, size, MAILBOX_SPOOL_DIR "/%s", name);
    if (i->shared)
        return 0;
    content_load(i);
    int fd = openat(m->directory, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -ENODEV;
    uint8_t *before = i->data;
    i->shared = fd;
    i->capacity = 0;
    i->data = NULL;
    shared_reserve(i, i->size ? i->size : 1);
    if (i->size)
        memcpy(i->data, before, i->size);
    free(before);
    return 0;
}

/* For mmap: the file of the host where it shows that one unchanged. */
long tree_map(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    struct mail *mail = task_mail(m, t);
    if (!f || !f->inode || f->kind != &file_regular)
        return f ? -ENODEV : -EBADF;
    if ((f->flags & O_ACCMODE) == O_WRONLY)
        return -EACCES;
    if (t->arg[1])
        return content_share(m, f->inode, mail->text, sizeof mail->text);
    const char *host = tree_host(f->inode);
    if (host)
        snprintf(mail->text, sizeof mail->text, "%s", host);
    return host ? 0 : 1;
}

long size_set(struct machine *m, struct inode *i, int64_t size, long error)
{
    if (!i)
        return error;
    if (!S_ISREG(i->mode) || size < 0)
        return -EINVAL;
    content_cut(m, i, (uint64_t)size);
    return 0;
}
