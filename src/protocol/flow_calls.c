/* What each system call does to descriptors, connections and files. One row per call at the end of this file. */
#include "protocol/flow_internal.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define TYPE_MASK 0xf /* of a socket's type: the rest are flags */

/* --- bytes through connections --- */

static void end_bytes(struct flow *f, struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length,
                      const struct flow_at *at)
{
    if (!length)
        return;
    flow_end_settle(f, end, way, data, length);
    if (f->on.bytes && end->connection)
        f->on.bytes(f->on.context, end, way, data, length, at);
    end->offset[way] += length;
}

/* Which input of a call goes to a descriptor; -1: none. */
static int call_data_index(int32_t call)
{
    switch (call) {
    case SYS_write: case SYS_writev: case SYS_pwrite64: case SYS_pwritev: case SYS_pwritev2: case SYS_sendto: case SYS_sendmsg:
        return 1;
    default:
        return -1;
    }
}

/* A blocking send: its bytes may arrive before it returns, so they count as sent from here on. */
void flow_send_begun(struct flow *f, struct process *p, struct begun *b, const struct flow_at *at)
{
    int index = call_data_index(b->call);
    struct description *d = table_get(p, b->argument[0]);
    if (index < 0 || !d || !d->end || !b->input[index].data)
        return;
    end_bytes(f, d->end, FLOW_SENT, b->input[index].data, b->input[index].length, at);
    b->sent = b->input[index].length;
}

static void end_sent(struct call *c, struct flow_end *end, struct trace_bytes data)
{
    size_t moved = c->result > 0 ? (size_t)c->result : 0;
    size_t before = c->begun ? c->begun->sent : 0;
    if (before > moved) {
        size_t excess = before - moved;
        excess = excess > end->offset[FLOW_SENT] ? (size_t)end->offset[FLOW_SENT] : excess;
        end->offset[FLOW_SENT] -= excess;
        if (c->flow->on.unsent)
            c->flow->on.unsent(c->flow->on.context, end, excess);
    } else if (!before && data.data) {
        end_bytes(c->flow, end, FLOW_SENT, data.data, call_moved(c, data.length), &c->at);
    }
}

static void on_write(struct call *c)
{
    struct description *d = call_description(c, 0);
    if (d && d->end)
        end_sent(c, d->end, c->input[1]);
    else if (d && d->file)
        flow_write_here(c, d, false);
}

static void on_sendto(struct call *c)
{
    struct description *d = call_description(c, 0);
    if (d && d->end)
        end_sent(c, d->end, c->input[1]);
}

/* Bytes that were sent without being seen: sendfile and splice into a connection. */
static void on_sendfile(struct call *c)
{
    struct description *out = call_description(c, c->event->code == SYS_splice ? 2 : 0);
    if (out && out->end && c->result > 0)
        end_bytes(c->flow, out->end, FLOW_SENT, NULL, (size_t)c->result, &c->at);
}

static void on_sendmmsg(struct call *c)
{
    struct description *d = call_description(c, 0);
    const uint8_t *p = c->input[1].data, *end = p ? p + c->input[1].length : NULL;
    for (int64_t i = 0; d && d->end && i < c->result && end - p >= 4; i++) {
        uint32_t length = read_u32(p);
        if (length > (size_t)(end - p - 4))
            return;
        end_bytes(c->flow, d->end, FLOW_SENT, p + 4, length, &c->at);
        p += 4 + length;
    }
}

static void on_read(struct call *c)
{
    struct description *d = call_description(c, 0);
    struct trace_bytes data = c->output[1];
    if (!d || c->result <= 0)
        return;
    data.length = call_moved(c, data.length);
    if (d->end)
        end_bytes(c->flow, d->end, FLOW_RECEIVED, data.data, (size_t)c->result, &c->at);
    else if (d->file)
        flow_read_here(c, d, data);
    const char *path = d->file ? d->file->path : d->label;
    if (!d->end && path && c->flow->on.file_read)
        c->flow->on.file_read(c->flow->on.context, path, data, &c->at);
}

static void on_recvfrom(struct call *c)
{
    if (!(c->argument[3] & MSG_PEEK))
        on_read(c);
}

/* The data of a recvmsg stand after the name and the control messages (SPECIAL_MSG_OUT). */
static struct trace_bytes message_data(struct trace_bytes out)
{
    if (!out.data || out.length < 12)
        return (struct trace_bytes){NULL, 0};
    uint64_t skip = 12ull + read_u32(out.data) + read_u32(out.data + 4);
    if (skip > out.length)
        return (struct trace_bytes){NULL, 0};
    return (struct trace_bytes){out.data + skip, out.length - skip};
}

static void on_recvmsg(struct call *c)
{
    struct description *d = call_description(c, 0);
    struct trace_bytes data = message_data(c->output[1]);
    if (d && d->end && c->result > 0 && !(c->argument[2] & MSG_PEEK))
        end_bytes(c->flow, d->end, FLOW_RECEIVED, data.length >= (size_t)c->result ? data.data : NULL, (size_t)c->result,
                  &c->at);
}

/* --- descriptors --- */

static void socket_put(struct call *c, int64_t fd, int64_t type)
{
    struct description *d = description_create(c->flow, DESCRIPTION_SOCKET, c->at.sequence);
    if (d)
        d->datagram = (type & TYPE_MASK) != SOCK_STREAM && (type & TYPE_MASK) != SOCK_SEQPACKET;
    table_put(c->flow, c->process, fd, d, type & SOCK_CLOEXEC, &c->at);
}

static void on_socket(struct call *c)
{
    if (c->result >= 0)
        socket_put(c, c->result, c->argument[1]);
}

/* The record that names the ends (TRACE_CONNECTION) may stand just before this one. */
static void on_accept(struct call *c)
{
    bool cloexec = c->event->code == SYS_accept4 && c->argument[3] & SOCK_CLOEXEC;
    struct description *d = table_get(c->process, c->result);
    if (c->result < 0)
        return;
    if (!d || !d->end || d->end->opened.sequence + 2 < c->at.sequence)
        socket_put(c, c->result, SOCK_STREAM);
    table_close_on_exec(c->process, c->result, cloexec);
}

static void other_put(struct call *c, int64_t fd, bool cloexec, const char *label)
{
    struct description *d = description_create(c->flow, DESCRIPTION_OTHER, c->at.sequence);
    if (d)
        d->label = label;
    table_put(c->flow, c->process, fd, d, cloexec, &c->at);
}

static void on_pair(struct call *c)
{
    bool sockets = c->event->code == SYS_socketpair;
    struct trace_bytes out = c->output[sockets ? 3 : 0];
    int64_t flags = sockets ? c->argument[1] : c->event->code == SYS_pipe2 ? c->argument[1] : 0;
    for (size_t i = 0; c->result >= 0 && out.data && out.length >= 8 && i < 2; i++)
        other_put(c, (int32_t)read_u32(out.data + 4 * i), flags & O_CLOEXEC, NULL);
}

static void on_other(struct call *c)
{
    static const struct { int32_t call; int flags; const char *label; } kinds[] = {
        {SYS_timerfd_create, 1, "timerfd"}, {SYS_eventfd2, 1, NULL}, {SYS_epoll_create1, 0, NULL},
        {SYS_signalfd4, 3, NULL}, {SYS_inotify_init1, 0, NULL}, {SYS_memfd_create, 1, NULL},
    };
    int64_t flags = 0;
    const char *label = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].call == c->event->code) {
            flags = c->argument[kinds[i].flags];
            label = kinds[i].label;
        }
    if (c->result >= 0)
        other_put(c, c->result, flags & O_CLOEXEC, label);
}

static void on_close(struct call *c)
{
    table_close(c->flow, c->process, c->argument[0], &c->at); /* gone even if close failed */
}

static void on_close_range(struct call *c)
{
    int64_t first = (uint32_t)c->argument[0], last = (uint32_t)c->argument[1];
    if (last >= c->process->table.capacity)
        last = c->process->table.capacity - 1;
    for (int64_t fd = first; c->result == 0 && fd <= last; fd++) {
        if (c->argument[2] & CLOSE_RANGE_CLOEXEC)
            table_close_on_exec(c->process, fd, true);
        else
            table_close(c->flow, c->process, fd, &c->at);
    }
}

static void duplicate(struct call *c, bool cloexec)
{
    struct description *d = call_description(c, 0);
    if (c->result < 0 || c->result == c->argument[0])
        return;
    if (!d) {
        table_close(c->flow, c->process, c->result, &c->at);
        return;
    }
    d->references++;
    table_put(c->flow, c->process, c->result, d, cloexec, &c->at);
}

static void on_dup(struct call *c)
{
    duplicate(c, c->event->code == SYS_dup3 && c->argument[2] & O_CLOEXEC);
}

static void on_fcntl(struct call *c)
{
    struct description *d = call_description(c, 0);
    int64_t value = c->argument[2];
    switch (c->argument[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        duplicate(c, c->argument[1] == F_DUPFD_CLOEXEC);
        break;
    case F_SETFD:
        if (c->result == 0)
            table_close_on_exec(c->process, c->argument[0], value & FD_CLOEXEC);
        break;
    case F_SETFL:
        if (d && c->result == 0)
            d->append = value & O_APPEND;
        break;
    default:
        break;
    }
}

/* --- files and their names --- */

static void opened(struct call *c, int64_t directory, struct trace_bytes path, int64_t flags)
{
    if (c->result < 0)
        return;
    struct description *d = description_create(c->flow, DESCRIPTION_FILE, c->at.sequence);
    char *name = flow_path(c->process, directory, path);
    if (d && name) {
        d->file = flow_file_open(c->flow, name);
        d->append = flags & O_APPEND;
        d->writable = (flags & O_ACCMODE) != O_RDONLY;
        d->dsync = flags & O_DSYNC; /* a bit of O_SYNC, too */
    }
    free(name);
    table_put(c->flow, c->process, c->result, d, flags & O_CLOEXEC, &c->at);
    if (d && d->file && flags & O_TRUNC) {
        d->file->size = 0;
        if (c->flow->on.resized)
            c->flow->on.resized(c->flow->on.context, d->file, 0, &c->at);
    }
}

static void on_open(struct call *c)
{
    opened(c, AT_FDCWD, c->input[0], c->argument[1]);
}

static void on_creat(struct call *c)
{
    opened(c, AT_FDCWD, c->input[0], O_CREAT | O_WRONLY | O_TRUNC);
}

static void on_openat(struct call *c)
{
    int64_t flags = c->argument[2];
    if (c->event->code == SYS_openat2) { /* struct open_how: flags are its first member */
        uint64_t how = 0;
        if (c->input[2].data && c->input[2].length >= sizeof how)
            memcpy(&how, c->input[2].data, sizeof how);
        flags = (int64_t)how;
    }
    opened(c, (int32_t)c->argument[0], c->input[1], flags);
}

static void on_lseek(struct call *c)
{
    struct description *d = call_description(c, 0);
    if (!d || !d->file || c->result < 0)
        return;
    d->offset = (uint64_t)c->result;
    if (c->argument[2] == SEEK_END && c->argument[1] == 0)
        d->file->size = d->offset;
}

static void on_rename(struct call *c)
{
    bool at = c->event->code != SYS_rename;
    char *from = flow_path(c->process, at ? (int32_t)c->argument[0] : AT_FDCWD, c->input[at ? 1 : 0]);
    char *to = flow_path(c->process, at ? (int32_t)c->argument[2] : AT_FDCWD, c->input[at ? 3 : 1]);
    if (from && c->result < 0) {
        flow_rename_failed(c, from);
    } else if (from && to && strcmp(from, to)) {
        flow_file_rename(c->flow, from, to);
        if (c->flow->on.renamed)
            c->flow->on.renamed(c->flow->on.context, from, to, &c->at);
    }
    free(from);
    free(to);
}

static void on_unlink(struct call *c)
{
    bool at = c->event->code == SYS_unlinkat;
    char *path = c->result ? NULL : flow_path(c->process, at ? (int32_t)c->argument[0] : AT_FDCWD, c->input[at ? 1 : 0]);
    if (!path)
        return;
    flow_file_forget(c->flow, path);
    if (c->flow->on.removed)
        c->flow->on.removed(c->flow->on.context, path, &c->at);
    free(path);
}

static void on_chdir(struct call *c)
{
    struct description *d = c->event->code == SYS_fchdir ? call_description(c, 0) : NULL;
    if (c->result != 0)
        return;
    char *path = c->event->code == SYS_chdir ? flow_path(c->process, AT_FDCWD, c->input[0])
                                             : d && d->file ? strdup(d->file->path) : NULL;
    free(c->process->cwd);
    c->process->cwd = path;
}

static void on_getdents(struct call *c)
{
    struct description *d = call_description(c, 0);
    if (d && d->file && c->result > 0 && c->flow->on.listed && c->output[1].data)
        c->flow->on.listed(c->flow->on.context, d->file->path, c->output[1], &c->at);
}

static const flow_call_fn handlers[CALL_MAX] = {
    [SYS_read] = on_read, [SYS_readv] = on_read, [SYS_recvfrom] = on_recvfrom, [SYS_recvmsg] = on_recvmsg,
    [SYS_write] = on_write, [SYS_writev] = on_write, [SYS_sendto] = on_sendto, [SYS_sendmsg] = on_sendto,
    [SYS_sendmmsg] = on_sendmmsg, [SYS_sendfile] = on_sendfile, [SYS_splice] = on_sendfile,
    [SYS_pwrite64] = flow_on_pwrite, [SYS_pwritev] = flow_on_pwrite, [SYS_pwritev2] = flow_on_pwrite,
    [SYS_pread64] = flow_on_pread, [SYS_preadv] = flow_on_pread, [SYS_preadv2] = flow_on_pread, [SYS_mmap] = flow_on_mmap,
    [SYS_socket] = on_socket, [SYS_accept] = on_accept, [SYS_accept4] = on_accept,
    [SYS_socketpair] = on_pair, [SYS_pipe] = on_pair, [SYS_pipe2] = on_pair,
    [SYS_timerfd_create] = on_other, [SYS_eventfd] = on_other, [SYS_eventfd2] = on_other, [SYS_epoll_create] = on_other,
    [SYS_epoll_create1] = on_other, [SYS_signalfd] = on_other, [SYS_signalfd4] = on_other, [SYS_inotify_init] = on_other,
    [SYS_inotify_init1] = on_other, [SYS_memfd_create] = on_other,
    [SYS_close] = on_close, [SYS_close_range] = on_close_range, [SYS_dup] = on_dup, [SYS_dup2] = on_dup, [SYS_dup3] = on_dup,
    [SYS_fcntl] = on_fcntl, [SYS_open] = on_open, [SYS_openat] = on_openat, [SYS_openat2] = on_openat, [SYS_creat] = on_creat,
    [SYS_lseek] = on_lseek, [SYS_fstat] = flow_on_stat, [SYS_newfstatat] = flow_on_stat, [SYS_statx] = flow_on_stat,
    [SYS_fsync] = flow_on_sync, [SYS_fdatasync] = flow_on_sync, [SYS_msync] = flow_on_msync,
    [SYS_sync] = flow_on_sync_all, [SYS_syncfs] = flow_on_sync_all, [SYS_ftruncate] = flow_on_ftruncate, [SYS_rename] = on_rename,
    [SYS_renameat] = on_rename, [SYS_renameat2] = on_rename, [SYS_unlink] = on_unlink, [SYS_unlinkat] = on_unlink,
    [SYS_chdir] = on_chdir, [SYS_fchdir] = on_chdir, [SYS_getdents64] = on_getdents,
    [SYS_io_submit] = flow_on_io_submit, [SYS_io_getevents] = flow_on_io_getevents,
    [SYS_io_pgetevents] = flow_on_io_getevents,
};

flow_call_fn flow_call_handler(int32_t call)
{
    return call >= 0 && call < CALL_MAX ? handlers[call] : NULL;
}
