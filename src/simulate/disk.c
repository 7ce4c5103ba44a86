/* What takes time on a disk: fsync(2) and its kin, and kernel asynchronous I/O, io_submit(2). */
#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define SYNC_LEAST (500 * 1000ull)
#define SYNC_SPREAD (2 * MILLISECOND)

static uint64_t disk_time(const struct machine *m, struct process *p)
{
    return SYNC_LEAST + chance_below(&p->disk, SYNC_SPREAD) + m->node[p->node].disk.slow;
}

/* Of a disk that does what it is told: one that lies says so too soon. */
static bool disk_lies(const struct machine *m, const struct task *t)
{
    return m->node[t->process->node].disk.lies;
}

int disk_refuses(const struct machine *m, const struct task *t, bool grows)
{
    const struct process *p = t ? t->process : NULL;
    if (!p || !p->node)
        return 0;
    return m->node[p->node].disk.error ? m->node[p->node].disk.error : grows && m->node[p->node].disk.full ? ENOSPC : 0;
}

void disk_set(struct machine *m, uint32_t node, const char *how, int64_t value)
{
    bool well = !strcmp(how, "well");
    if (!strcmp(how, "slow") || well)
        m->node[node].disk.slow = well ? 0 : (uint64_t)value;
    if (!strcmp(how, "fail") || well)
        m->node[node].disk.error = well ? 0 : (int)value;
    if (!strcmp(how, "full") || well)
        m->node[node].disk.full = !well;
    if (!strcmp(how, "lie") || well)
        m->node[node].disk.lies = !well;
}

static bool takes_its_time(struct machine *m, struct task *t)
{
    if (m->follow)
        return false;
    return !task_times_out(m, t, t->deadline == NEVER ? disk_time(m, t->process) : 0);
}

static long sync_file(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    if (!f)
        return -EBADF;
    if (!f->inode)
        return -EINVAL;
    if (takes_its_time(m, t))
        return ANSWER_WAIT;
    int error = disk_refuses(m, t, false);
    if (!error && !disk_lies(m, t) && t->nr != SYS_sync_file_range)
        tree_sync(m, f->inode, t->process->node);
    return -error;
}

static long sync_all(struct machine *m, struct task *t)
{
    if (takes_its_time(m, t))
        return ANSWER_WAIT;
    if (!disk_lies(m, t))
        tree_sync_all(m, t->process->node);
    return 0;
}

/* ---- asynchronous ---- */

struct operation {
    struct operation *next;
    struct machine *machine;
    uint64_t context, at;
    uint32_t node;
    struct inode *sync; /* durable when it is done, NULL none */
    struct io_event event;
    struct file *tells; /* eventfd, NULL none */
};

static struct operation *operations; /* under way or done and not fetched; in the order in which they are done */
static uint64_t contexts;

static void operation_done(struct machine *m, void *what)
{
    struct operation *o = what;
    uint64_t one = 1;
    m->changes++;
    if (o->sync) {
        if (!m->node[o->node].disk.lies)
            tree_sync(m, o->sync, o->node);
        tree_let_go(m, o->sync);
        o->sync = NULL;
    }
    if (!o->tells)
        return;
    o->tells->kind->write(m, NULL, o->tells, (const uint8_t *)&one, 8, -1);
    file_release(m, o->tells);
    o->tells = NULL;
}

static long operation_run(struct machine *m, struct task *t, const struct iocb *c)
{
    struct iovec part[64], *v = part;
    size_t parts = 1, size = 0, at = 0;
    struct file *f = file_of(t, (int32_t)c->aio_fildes);
    bool many = c->aio_lio_opcode == IOCB_CMD_PWRITEV || c->aio_lio_opcode == IOCB_CMD_PREADV;
    bool write = c->aio_lio_opcode == IOCB_CMD_PWRITEV || c->aio_lio_opcode == IOCB_CMD_PWRITE;
    if (!f || !f->inode)
        return -EBADF;
    if (c->aio_lio_opcode == IOCB_CMD_FSYNC || c->aio_lio_opcode == IOCB_CMD_FDSYNC)
        return 0;
    part[0] = (struct iovec){(void *)(uintptr_t)c->aio_buf, c->aio_nbytes};
    if (many) {
        parts = c->aio_nbytes < 64 ? c->aio_nbytes : 64;
        if (!user_get(m, t, part, (int64_t)c->aio_buf, parts * sizeof *part))
            return -EFAULT;
    }
    for (size_t i = 0; i < parts; i++)
        size += v[i].iov_len;
    uint8_t *data = machine_scratch(m, size + 1);
    if (!write) {
        long n = f->kind->read(m, t, f, data, size, c->aio_offset);
        for (size_t i = 0; i < parts && n > 0 && at < (size_t)n; at += v[i++].iov_len)
            user_put(m, t, (int64_t)(uintptr_t)v[i].iov_base, data + at, v[i].iov_len < (size_t)n - at ? v[i].iov_len : (size_t)n - at);
        return n;
    }
    for (size_t i = 0; i < parts; at += v[i++].iov_len)
        if (!user_get(m, t, data + at, (int64_t)(uintptr_t)v[i].iov_base, v[i].iov_len))
            return -EFAULT;
    return f->kind->write(m, t, f, data, size, c->aio_offset);
}

static void operation_put(struct machine *m, struct operation *o)
{
    struct operation **at = &operations;
    while (*at && (*at)->at <= o->at)
        at = &(*at)->next;
    o->next = *at;
    *at = o;
    machine_due(m, o->at, operation_done, o);
}

static struct operation *operation_make(struct machine *m, struct process *p, uint64_t context, const struct io_event *event)
{
    struct operation *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    *o = (struct operation){.machine = m, .context = context, .node = p->node, .at = machine_now(m) + disk_time(m, p), .event = *event};
    return o;
}

/* What it wrote has been written, as durable as it was to be; that it is done has not been told. */
void disk_under_way(struct machine *m, struct process *p, uint64_t context, const struct io_event *event)
{
    struct operation *o = operation_make(m, p, context, event);
    struct iocb c;
    struct iovec mine = {&c, sizeof c}, theirs = {(void *)(uintptr_t)event->obj, sizeof c};
    bool read = process_vm_readv(p->real, &mine, 1, &theirs, 1, 0) == sizeof c;
    if (read && c.aio_flags & IOCB_FLAG_RESFD && c.aio_resfd < DESCRIPTORS && (o->tells = p->descriptors->at[c.aio_resfd].file))
        o->tells->references++;
    operation_put(m, o);
}

static void operation_queue(struct machine *m, struct task *t, const struct iocb *c, int64_t address, long result)
{
    const struct io_event event = {.data = c->aio_data, .obj = (uint64_t)address, .res = result};
    struct operation *o = operation_make(m, t->process, (uint64_t)t->arg[0], &event);
    struct file *f = file_of(t, (int32_t)c->aio_fildes);
    bool syncs = c->aio_lio_opcode == IOCB_CMD_FSYNC || c->aio_lio_opcode == IOCB_CMD_FDSYNC;
    if (f && (syncs || f->flags & (O_DSYNC | O_SYNC) || c->aio_rw_flags & (RWF_DSYNC | RWF_SYNC)))
        tree_hold(o->sync = f->inode);
    if (c->aio_flags & IOCB_FLAG_RESFD && (o->tells = file_of(t, (int32_t)c->aio_resfd)))
        o->tells->references++;
    operation_put(m, o);
}

static long submit(struct machine *m, struct task *t)
{
    long done = 0;
    for (; done < t->arg[1]; done++) {
        int64_t address;
        struct iocb c;
        if (!user_get(m, t, &address, t->arg[2] + done * 8, 8) || !user_get(m, t, &c, address, sizeof c))
            return done ? done : -EFAULT;
        long result = operation_run(m, t, &c);
        if (result < 0)
            return done ? done : result;
        operation_queue(m, t, &c, address, result);
    }
    return done;
}

static long fetch(struct machine *m, struct task *t)
{
    struct io_event event[128];
    long found = 0, most = t->arg[2] < 128 ? t->arg[2] : 128;
    struct timespec ts;
    uint64_t after = NEVER;
    if (t->arg[4]) {
        if (!user_get(m, t, &ts, t->arg[4], sizeof ts))
            return -EFAULT;
        after = (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
    }
    for (struct operation *o = operations; o && found < most; o = o->next)
        if (o->context == (uint64_t)t->arg[0] && o->at <= machine_now(m))
            event[found++] = o->event;
    if (found < t->arg[1] && !task_times_out(m, t, after))
        return ANSWER_WAIT;
    long left = found;
    for (struct operation **at = &operations; *at && left;) {
        struct operation *o = *at;
        if (o->context == (uint64_t)t->arg[0] && o->at <= machine_now(m)) {
            *at = o->next;
            machine_forget(m, o);
            if (o->tells || o->sync)
                operation_done(m, o);
            free(o);
            left--;
        } else {
            at = &o->next;
        }
    }
    return user_put(m, t, t->arg[3], event, (size_t)found * sizeof *event) ? found : -EFAULT;
}

static long context_end(struct machine *m, struct task *t)
{
    for (struct operation **at = &operations; *at;) {
        struct operation *o = *at;
        if (o->context != (uint64_t)t->arg[0]) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        machine_forget(m, o);
        if (o->sync)
            tree_let_go(m, o->sync);
        if (o->tells)
            file_release(m, o->tells);
        free(o);
    }
    return 0;
}

long disk_answer(struct machine *m, struct task *t, bool *mine)
{
    uint64_t context;
    switch (t->nr) {
    case SYS_fsync: case SYS_fdatasync: case SYS_sync_file_range: return sync_file(m, t);
    case SYS_sync: case SYS_syncfs: return sync_all(m, t);
    case SYS_io_setup:
        context = 0x7000000000000000ull + ++contexts;
        return user_put(m, t, t->arg[1], &context, 8) ? 0 : -EFAULT;
    case SYS_io_destroy: return context_end(m, t);
    case SYS_io_submit: return submit(m, t);
    case SYS_io_getevents: case SYS_io_pgetevents: return fetch(m, t);
    case SYS_io_cancel: return -EINVAL;
    case SYS_perf_event_open: return -ENOENT; /* no counters here */
    }
    *mine = false;
    return -ENOSYS;
}
