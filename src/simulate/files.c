/* Descriptors and open files, and the calls that move data. Sources: open(2), read(2), readv(2), dup(2), fcntl(2). */
#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define TRANSFER_MOST (64u << 20) /* bytes of one call: more is done in several, as the kernel may too */

struct file *file_create(const struct file_kind *kind, uint32_t flags, void *state)
{
    struct file *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->kind = kind;
    f->references = 1;
    f->flags = flags & ~(uint32_t)(O_CLOEXEC | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY);
    f->state = state;
    return f;
}

void file_release(struct machine *m, struct file *f)
{
    if (!f || --f->references)
        return;
    ready_forget(m, f);
    lock_released(m, f);
    if (f->kind->close)
        f->kind->close(m, f);
    m->changes++;
    free(f);
}

struct file *file_of(const struct task *t, int64_t fd)
{
    return (int32_t)fd >= 0 && (int32_t)fd < DESCRIPTORS ? t->process->descriptors->at[(int32_t)fd].file : NULL;
}

static void descriptor_close(struct machine *m, struct process *p, int fd)
{
    struct file *f = p->descriptors->at[fd].file;
    p->descriptors->at[fd].file = NULL;
    if (f && f->inode)
        lock_closed(m, p, f);
    file_release(m, f);
}

long file_install(struct machine *m, struct process *p, struct file *f, bool close_on_exec, int from)
{
    if (m->follow && m->wanted[0] >= 0) { /* as it was recorded */
        from = m->wanted[0];
        m->wanted[0] = m->wanted[1];
        m->wanted[1] = -1;
        descriptor_close(m, p, from);
    }
    for (int fd = from; fd < 1024; fd++)
        if (!p->descriptors->at[fd].file) {
            p->descriptors->at[fd].file = f;
            p->descriptors->at[fd].close_on_exec = close_on_exec;
            return fd;
        }
    file_release(m, f);
    return -EMFILE;
}

void descriptors_close(struct machine *m, struct process *p)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (p->descriptors->at[fd].file)
            descriptor_close(m, p, fd);
    free(p->descriptors);
    p->descriptors = NULL;
}

void descriptors_exec(struct machine *m, struct process *p)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (p->descriptors->at[fd].file && p->descriptors->at[fd].close_on_exec)
            descriptor_close(m, p, fd);
}

struct descriptors *descriptors_copy(const struct descriptors *d)
{
    struct descriptors *copy = malloc(sizeof *copy);
    if (!copy)
        abort();
    *copy = *d;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (copy->at[fd].file)
            copy->at[fd].file->references++;
    return copy;
}

bool file_blocks(const struct file *f)
{
    return !(f->flags & O_NONBLOCK);
}

/* Does it take in what it is given bit by bit? */
static bool file_flows(const struct file *f)
{
    return f->kind == &file_pipe || f->kind == &file_socket;
}

/* ---- moving data ---- */

struct transfer {
    struct iovec part[1024];
    size_t parts, size;
};

static long transfer_vector(struct machine *m, struct task *t, int64_t address, int64_t count, struct transfer *v)
{
    if (count < 0 || count > 1024)
        return -EINVAL;
    if (!user_get(m, t, v->part, address, (size_t)count * sizeof *v->part))
        return -EFAULT;
    v->parts = (size_t)count;
    v->size = 0;
    for (size_t i = 0; i < v->parts; i++)
        v->size += v->part[i].iov_len;
    if (v->size > TRANSFER_MOST)
        v->size = TRANSFER_MOST;
    return 0;
}

static bool scatter(struct machine *m, struct task *t, const struct transfer *v, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < v->parts && size; i++) {
        size_t n = v->part[i].iov_len < size ? v->part[i].iov_len : size;
        if (!user_put(m, t, (int64_t)(uintptr_t)v->part[i].iov_base, from, n))
            return false;
        from += n, size -= n;
    }
    return true;
}

static bool gather(struct machine *m, struct task *t, const struct transfer *v, uint8_t *to)
{
    size_t left = v->size;
    for (size_t i = 0; i < v->parts && left; i++) {
        size_t n = v->part[i].iov_len < left ? v->part[i].iov_len : left;
        if (!user_get(m, t, to, (int64_t)(uintptr_t)v->part[i].iov_base, n))
            return false;
        to += n, left -= n;
    }
    return true;
}

static long move_in(struct machine *m, struct task *t, const struct transfer *v, int64_t at)
{
    struct file *f = file_of(t, t->arg[0]);
    if (!f || (f->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    if (!f->kind->read)
        return f->kind == &file_directory ? -EISDIR : -EINVAL;
    uint8_t *data = machine_scratch(m, v->size + 1);
    long n = f->kind->read(m, t, f, data, v->size, at);
    if (n > 0 && !scatter(m, t, v, data, (size_t)n))
        return -EFAULT;
    return n == -EAGAIN && file_blocks(f) ? ANSWER_WAIT : n;
}

static long move_out(struct machine *m, struct task *t, const struct transfer *v, int64_t at)
{
    struct file *f = file_of(t, t->arg[0]);
    if (!f || (f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (!f->kind->write)
        return -EINVAL;
    uint8_t *data = machine_scratch(m, v->size + 1);
    if (!gather(m, t, v, data))
        return -EFAULT;
    size_t done = at < 0 ? t->done : 0;
    long n = f->kind->write(m, t, f, data + done, v->size - done, at);
    bool waits = file_blocks(f) && (n == -EAGAIN || (n >= 0 && done + (size_t)n < v->size && file_flows(f)));
    if (n < 0 && n != -EAGAIN)
        return done ? (long)done : n;
    done += n > 0 ? (size_t)n : 0;
    if (!waits)
        return n < 0 && !done ? n : (long)done;
    t->done = done; /* a pipe or a stream takes all of it, as it gets room */
    return ANSWER_WAIT;
}

static long transfer_one(struct machine *m, struct task *t, bool in, int64_t at)
{
    struct transfer v = {.parts = 1, .size = (uint64_t)t->arg[2] > TRANSFER_MOST ? TRANSFER_MOST : (size_t)t->arg[2]};
    v.part[0] = (struct iovec){(void *)(uintptr_t)t->arg[1], v.size};
    return in ? move_in(m, t, &v, at) : move_out(m, t, &v, at);
}

static long transfer_many(struct machine *m, struct task *t, bool in, int64_t at)
{
    static struct transfer v;
    long error = transfer_vector(m, t, t->arg[1], t->arg[2], &v);
    struct file *f = file_of(t, t->arg[0]);
    if (!error && t->nr == SYS_pwritev2 && t->arg[5] & RWF_APPEND && f && f->inode)
        at = (int64_t)tree_size(f->inode);
    return error ? error : in ? move_in(m, t, &v, at) : move_out(m, t, &v, at);
}

/* sendfile(2) */
static long transfer_between(struct machine *m, struct task *t)
{
    struct file *out = file_of(t, t->arg[0]), *in = file_of(t, t->arg[1]);
    int64_t at = -1;
    if (!in || !out || !in->kind->read || !out->kind->write)
        return -EBADF;
    if (t->arg[2] && !user_get(m, t, &at, t->arg[2], 8))
        return -EFAULT;
    size_t size = (uint64_t)t->arg[3] > 65536 ? 65536 : (size_t)t->arg[3];
    uint8_t *data = malloc(size + 1);
    long n = in->kind->read(m, t, in, data, size, at);
    long done = n > 0 ? out->kind->write(m, t, out, data, (size_t)n, -1) : n;
    free(data);
    if (n > 0 && done < n && at < 0)
        in->place -= (uint64_t)(n - (done > 0 ? done : 0));
    if (done > 0 && t->arg[2]) {
        at += done;
        user_put(m, t, t->arg[2], &at, 8);
    }
    return done == -EAGAIN && file_blocks(out) ? ANSWER_WAIT : done;
}

/* copy_file_range(2) */
static long copy_range(struct machine *m, struct task *t)
{
    struct file *in = file_of(t, t->arg[0]), *out = file_of(t, t->arg[2]);
    int64_t from = -1, to = -1;
    size_t size = (uint64_t)t->arg[4] > TRANSFER_MOST ? TRANSFER_MOST : (size_t)t->arg[4];
    if (!in || !out || (in->flags & O_ACCMODE) == O_WRONLY || (out->flags & O_ACCMODE) == O_RDONLY || out->flags & O_APPEND)
        return -EBADF;
    if (in->kind != &file_regular || out->kind != &file_regular || t->arg[5])
        return -EINVAL;
    if ((t->arg[1] && !user_get(m, t, &from, t->arg[1], 8)) || (t->arg[3] && !user_get(m, t, &to, t->arg[3], 8)))
        return -EFAULT;
    uint64_t left = tree_size(in->inode), place = from >= 0 ? (uint64_t)from : in->place;
    size = place >= left ? 0 : size < left - place ? size : (size_t)(left - place);
    uint8_t *data = malloc(size + 1);
    if (!data)
        return -ENOMEM;
    long n = in->kind->read(m, t, in, data, size, from);
    long done = n > 0 ? out->kind->write(m, t, out, data, (size_t)n, to) : n;
    free(data);
    if (done > 0 && ((t->arg[1] && (from += done, !user_put(m, t, t->arg[1], &from, 8))) ||
                     (t->arg[3] && (to += done, !user_put(m, t, t->arg[3], &to, 8)))))
        return -EFAULT;
    return done;
}

/* ---- descriptors ---- */

static long duplicate(struct machine *m, struct task *t, int from, bool close_on_exec)
{
    struct file *f = file_of(t, t->arg[0]);
    if (!f)
        return -EBADF;
    f->references++;
    return file_install(m, t->process, f, close_on_exec, from);
}

static long duplicate_to(struct machine *m, struct task *t, bool three)
{
    struct file *f = file_of(t, t->arg[0]);
    int to = (int)t->arg[1];
    if (!f || to < 0 || to >= 1024)
        return -EBADF;
    if (to == (int)t->arg[0])
        return three ? -EINVAL : to;
    f->references++;
    descriptor_close(m, t->process, to);
    t->process->descriptors->at[to].file = f;
    t->process->descriptors->at[to].close_on_exec = three && t->arg[2] & O_CLOEXEC;
    return to;
}

static long close_range_of(struct machine *m, struct task *t)
{
    for (uint64_t fd = (uint32_t)t->arg[0]; fd <= (uint32_t)t->arg[1] && fd < DESCRIPTORS; fd++) {
        if (!t->process->descriptors->at[fd].file)
            continue;
        if (t->arg[2] & 4) /* CLOSE_RANGE_CLOEXEC */
            t->process->descriptors->at[fd].close_on_exec = true;
        else
            descriptor_close(m, t->process, (int)fd);
    }
    return 0;
}

static long control(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    const int64_t *a = t->arg;
    const uint32_t settable = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC;
    if (!f)
        return -EBADF;
    switch (a[1]) {
    case F_DUPFD: return duplicate(m, t, (int)a[2], false);
    case F_DUPFD_CLOEXEC: return duplicate(m, t, (int)a[2], true);
    case F_GETFD: return t->process->descriptors->at[a[0]].close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD: t->process->descriptors->at[a[0]].close_on_exec = a[2] & FD_CLOEXEC; return 0;
    case F_GETFL: return f->flags;
    case F_SETFL: f->flags = (f->flags & ~settable) | ((uint32_t)a[2] & settable); return 0;
    case F_SETOWN: f->owner = (uint32_t)a[2]; return 0;
    case F_GETOWN: return f->owner;
    case F_GETLK: case F_SETLK: case F_SETLKW: case F_OFD_GETLK: case F_OFD_SETLK: case F_OFD_SETLKW: return lock_control(m, t, f);
    case F_GETPIPE_SZ: case F_SETPIPE_SZ: return 65536;
    case F_ADD_SEALS: case F_GET_SEALS: return 0;
    }
    return -EINVAL;
}

static long request(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    int value;
    if (!f)
        return -EBADF;
    switch (t->arg[1]) {
    case FIONBIO:
        if (!user_get(m, t, &value, t->arg[2], 4))
            return -EFAULT;
        f->flags = value ? f->flags | O_NONBLOCK : f->flags & ~(uint32_t)O_NONBLOCK;
        return 0;
    case FIONREAD:
        if (f->kind != &file_socket && f->kind != &file_pipe)
            return -ENOTTY;
        value = (int)(f->kind == &file_socket ? socket_readable(m, f) : pipe_readable(f));
        return user_put(m, t, t->arg[2], &value, 4) ? 0 : -EFAULT;
    case FIOCLEX: t->process->descriptors->at[t->arg[0]].close_on_exec = true; return 0;
    case FIONCLEX: t->process->descriptors->at[t->arg[0]].close_on_exec = false; return 0;
    }
    return -ENOTTY;
}

static long descriptor_end(struct machine *m, struct task *t)
{
    if (!file_of(t, t->arg[0]))
        return -EBADF;
    descriptor_close(m, t->process, (int)t->arg[0]);
    return 0;
}

long files_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    switch (t->nr) {
    case SYS_read: return transfer_one(m, t, true, -1);
    case SYS_write: return transfer_one(m, t, false, -1);
    case SYS_pread64: return a[3] < 0 ? -EINVAL : transfer_one(m, t, true, a[3]);
    case SYS_pwrite64: return a[3] < 0 ? -EINVAL : transfer_one(m, t, false, a[3]);
    case SYS_readv: return transfer_many(m, t, true, -1);
    case SYS_writev: return transfer_many(m, t, false, -1);
    case SYS_preadv: return a[3] < 0 ? -EINVAL : transfer_many(m, t, true, a[3]);
    case SYS_pwritev: return a[3] < 0 ? -EINVAL : transfer_many(m, t, false, a[3]);
    case SYS_preadv2: return a[3] < -1 ? -EINVAL : transfer_many(m, t, true, a[3]);
    case SYS_pwritev2: return a[3] < -1 ? -EINVAL : transfer_many(m, t, false, a[3]);
    case SYS_copy_file_range: return copy_range(m, t);
    case SYS_sendfile: return transfer_between(m, t);
    case SYS_close: return descriptor_end(m, t);
    case SYS_close_range: return close_range_of(m, t);
    case SYS_dup: return duplicate(m, t, 0, false);
    case SYS_dup2: return duplicate_to(m, t, false);
    case SYS_dup3: return duplicate_to(m, t, true);
    case SYS_fcntl: return control(m, t);
    case SYS_ioctl: return request(m, t);
    case SYS_flock: return lock_whole(m, t);
    }
    *mine = false;
    return -ENOSYS;
}
