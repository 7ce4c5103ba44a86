/* The system calls among the records: what each did to descriptors, files and connections is done to the machine's. Where a call
 * only looked at something, there is nothing to do: the process has its answer already. */
#include "simulate/follow_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* ---- the memory of a process that is not there: argument i of the call at hand points to MEMORY(i) ---- */

#define MEMORY(i) ((int64_t)((i) + 1) << 32)

bool follow_user_get(struct machine *m, void *to, int64_t address, uint64_t size)
{
    const struct trace_event *event = m->follow->now;
    size_t i = (size_t)(address >> 32) - 1, at = (size_t)(address & 0xffffffff), have = 0;
    memset(to, 0, size);
    if (!event || i > 5 || !event->input[i].data)
        return true;
    if (at < event->input[i].length)
        have = event->input[i].length - at < size ? event->input[i].length - at : size;
    memcpy(to, event->input[i].data + at, have);
    return true;
}

/* Sizes of data are not recorded: they are those of the data. */
static void arguments_take(struct task *t, const struct trace_event *event)
{
    const struct call_info *info = call_info(event->code);
    t->nr = event->code;
    for (int i = 0; i < 6; i++)
        t->arg[i] = event->input[i].data ? MEMORY(i) : event->argument[i];
    for (int i = 0; i < 6; i++)
        if (KIND_OF(info->argument[i]) == KIND_IN_LEN && KIND_PARAMETER(info->argument[i]) < 6)
            t->arg[KIND_PARAMETER(info->argument[i])] = (int64_t)event->input[i].length;
}

static long again(struct follow *f, struct task *t)
{
    bool sends = t->nr == SYS_kill || t->nr == SYS_tkill || t->nr == SYS_tgkill || t->nr == SYS_rt_sigqueueinfo;
    t->deadline = NEVER;
    t->begun = false;
    f->m->deaf = sends ? NULL : t->process;
    long result = answer(f->m, t);
    f->m->deaf = NULL;
    return result;
}

static long as_it_is(struct follow *f, struct task *t, const struct trace_event *event)
{
    arguments_take(t, event);
    return again(f, t);
}

/* ---- descriptors ---- */

static bool descriptors_made(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    struct trace_bytes out = event->output[event->code == SYS_socketpair ? 3 : 0];
    bool two = event->code == SYS_pipe || event->code == SYS_pipe2 || event->code == SYS_socketpair;
    int fd[2] = {(int)event->result, -1};
    if (two && out.length >= sizeof fd)
        memcpy(fd, out.data, sizeof fd);
    if (fd[0] < 0 || fd[0] >= 1024 || (two && (fd[1] < 0 || fd[1] >= 1024)))
        return follow_fail(f, l, event, "a descriptor above 1023");
    memcpy(f->m->wanted, fd, sizeof fd);
    as_it_is(f, t, event);
    f->m->wanted[0] = f->m->wanted[1] = -1;
    return file_of(t, fd[0]) || follow_fail(f, l, event, "the simulated world has nothing like it");
}

/* A file that is not here any more: what was read of it, its process has. */
static void file_stand_in(struct follow *f, struct task *t, int64_t flags)
{
    t->nr = SYS_memfd_create;
    t->arg[0] = MEMORY(5);
    t->arg[1] = flags & O_CLOEXEC ? 1 : 0;
    again(f, t);
}

static bool file_opened(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    int at = event->code == SYS_open || event->code == SYS_creat ? 0 : 1;
    int64_t flags = event->code == SYS_creat ? O_CREAT | O_WRONLY | O_TRUNC : event->argument[at + 1];
    if (event->code == SYS_openat2 && event->input[2].length >= 8)
        memcpy(&flags, event->input[2].data, 8);
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) /* it was not there; a later run may have left one */
        tree_forget(f->m, t->process, at ? event->argument[0] : AT_FDCWD, (const char *)event->input[at].data, event->input[at].length);
    f->m->wanted[0] = (int)event->result;
    long result = as_it_is(f, t, event);
    if (result < 0)
        file_stand_in(f, t, flags);
    f->m->wanted[0] = -1;
    return result != -ENOENT || !(flags & O_CREAT) || follow_fail(f, l, event, "the simulated world has no such directory");
}

static bool name_made(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    int at = event->code == SYS_mkdirat ? 1 : 0;
    if (event->code == SYS_mkdir || event->code == SYS_mkdirat)
        tree_forget(f->m, t->process, at ? event->argument[0] : AT_FDCWD, (const char *)event->input[at].data, event->input[at].length);
    return as_it_is(f, t, event) != -ENOENT || follow_fail(f, l, event, "the simulated world has no such directory");
}

/* ---- data ---- */

static struct trace_bytes data_read(const struct trace_event *event)
{
    struct trace_bytes out = event->output[1];
    size_t n = (size_t)event->result;
    if (event->code == SYS_recvmsg && out.length >= n) /* behind name and control data */
        out = (struct trace_bytes){out.data + out.length - n, n};
    return out;
}

static bool only_looked(const struct trace_event *event)
{
    return (event->code == SYS_recvfrom && event->argument[3] & MSG_PEEK) || (event->code == SYS_recvmsg && event->argument[2] & MSG_PEEK);
}

/* What can be read there now; false: no pipe and no socket. */
static bool data_here(const struct file *file, size_t *bytes)
{
    if (file->kind == &file_socket)
        return *bytes = socket_has(file), true;
    return pipe_has(file, bytes);
}

static bool read_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    struct file *file = file_of(t, event->argument[0]);
    size_t n = (size_t)event->result, here;
    struct trace_bytes was = data_read(event);
    if (!file || !n || only_looked(event))
        return true;
    if (file->kind == &file_regular || file->kind == &file_directory) {
        file->place += n;
        return true;
    }
    uint8_t *data = malloc(n + 1);
    long got = data ? file->kind->read(f->m, t, file, data, n, -1) : 0;
    bool counts = data_here(file, &here), same = true;
    if (counts && got > 0 && was.length == n) {
        f->compared++;
        same = !memcmp(data, was.data, (size_t)got);
    }
    free(data);
    if (!same)
        return follow_fail(f, l, event, "it is not what was sent there: somebody who was not recorded took part");
    if (counts && (got < 0 || (size_t)got < n))
        file->kind == &file_socket ? socket_owe(file, n - (size_t)(got < 0 ? 0 : got)) : pipe_owe(file, n - (size_t)(got < 0 ? 0 : got));
    return true;
}

static bool write_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    struct file *file = file_of(t, event->argument[0]);
    struct trace_bytes data = event->input[1];
    size_t n = (size_t)event->result;
    bool placed = event->code == SYS_pwrite64 || event->code == SYS_pwritev || event->code == SYS_pwritev2;
    if (!file || !file->kind->write || !n)
        return true;
    if (!data.data || data.length < n)
        return follow_fail(f, l, event, "what it wrote is not in the recording");
    f->m->deaf = t->process;
    long done = file->kind->write(f->m, t, file, data.data, n, placed ? event->argument[3] : -1);
    f->m->deaf = NULL;
    if (done != (long)n && pipe_has(file, &(size_t){0}))
        return follow_fail(f, l, event, "the pipe holds more than a pipe can");
    return true;
}

/* sendfile(2), copy_file_range(2): from the second descriptor into the first, or the other way round. */
static bool copy_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    bool send = event->code == SYS_sendfile;
    struct file *in = file_of(t, event->argument[send ? 1 : 0]), *out = file_of(t, event->argument[send ? 0 : 2]);
    size_t n = (size_t)event->result;
    if (!n)
        return true;
    if (!in || !out || !in->kind->read || !out->kind->write)
        return follow_fail(f, l, event, "its descriptors are not known");
    uint8_t *data = malloc(n);
    long got = data ? in->kind->read(f->m, t, in, data, n, -1) : -1;
    long put = got == (long)n ? out->kind->write(f->m, t, out, data, n, -1) : -1;
    free(data);
    return put == (long)n || follow_fail(f, l, event, "what it copied is not here any more");
}

/* io_submit(2): what is written is written at once, that it is done is told when the recording says so. */
static bool submit_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    struct trace_bytes all = event->input[2];
    size_t at = 0;
    for (int64_t i = 0; i < event->result; i++) {
        struct __attribute__((packed)) { uint32_t fd, opcode; uint64_t offset; uint32_t length; } c;
        if (all.length - at < sizeof c)
            return follow_fail(f, l, event, "what it wrote is not in the recording");
        memcpy(&c, all.data + at, sizeof c);
        at += sizeof c;
        struct file *file = file_of(t, (int32_t)c.fd);
        bool writes = c.opcode == IOCB_CMD_PWRITE || c.opcode == IOCB_CMD_PWRITEV;
        if (c.length > all.length - at)
            return follow_fail(f, l, event, "what it wrote is not in the recording");
        if (writes && file && file->kind->write)
            file->kind->write(f->m, t, file, all.data + at, c.length, (int64_t)c.offset);
        if (file && file->inode && (file->flags & (O_DSYNC | O_SYNC) || !writes))
            tree_sync(f->m, file->inode, t->process->node);
        if (writes)
            at += c.length;
    }
    l->in_flight += event->result;
    return true;
}

/* ---- connections ---- */

static bool address_take(struct trace_bytes from, struct sockaddr_storage *a)
{
    memset(a, 0, sizeof *a);
    memcpy(a, from.data, from.data && from.length <= sizeof *a ? from.length : 0);
    return a->ss_family == AF_INET || a->ss_family == AF_INET6;
}

static bool accept_apply(struct lane *l, struct task *t, const struct trace_event *event)
{
    l->listener = file_of(t, event->argument[0]);
    l->accepted = event->result;
    l->accept_flags = event->code == SYS_accept4 ? event->argument[3] : 0;
    return true;
}

bool connection_ready(struct follow *f, struct lane *l, const struct trace_event *event)
{
    struct sockaddr_storage from;
    if (event->field[1] == 0 && l->connects_size && pairs_have(&f->accepted, event->field_bytes[2], event->field_bytes[3]))
        return socket_listens(f->m, &l->connects_to);
    if (event->field[1] != 1 || !l->listener)
        return true;
    return socket_waits(l->listener, address_take(event->field_bytes[3], &from) ? &from : NULL);
}

bool connection_comes(struct follow *f, const struct lane *l)
{
    struct trace_bytes here = l->next.field_bytes[2], there = l->next.field_bytes[3];
    return l->next.field[1] == 1 ? pairs_have(&f->connected, there, here) : pairs_have(&f->accepted, here, there);
}

/* A connect is done when it is known which connection it was, or that it was none of TCP. */
bool connect_pending(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    const struct trace_event connect = {.code = SYS_connect, .call = SYS_connect, .argument = {l->connects, 0, l->connects_size},
                                        .input[1] = {(const uint8_t *)&l->connects_to, l->connects_size}};
    const struct trace_event *now = f->now;
    if (!l->connects_size)
        return true;
    l->connects_size = 0;
    f->now = &connect;
    long result = as_it_is(f, t, &connect);
    f->now = now;
    bool fine = result == 0 || result == ANSWER_WAIT || result == -EINPROGRESS || result == -EISCONN || result == -EALREADY;
    if (fine || l->connect_result)
        return true;
    struct file *file = file_of(t, l->connects);
    struct trace_bytes there = connect.input[1];
    if (file && file->kind == &file_socket && pairs_have(&f->listened, there, there))
        return socket_orphan(f->m, file), true;
    return follow_fail(f, l, event, "nobody who was recorded listens there");
}

bool connection_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    struct sockaddr_storage local, remote;
    bool inet = address_take(event->field_bytes[2], &local);
    address_take(event->field_bytes[3], &remote);
    if (event->field[1] == 1 && l->listener) {
        f->m->wanted[0] = (int)event->field[0];
        socket_accept(f->m, t, l->listener, &remote, l->accept_flags);
        f->m->wanted[0] = -1;
        l->listener = NULL;
        return true;
    }
    struct file *file = file_of(t, event->field[0]);
    if (inet && file && file->kind == &file_socket)
        socket_named(file, &local, event->field_bytes[2].length);
    return true;
}

static bool named_apply(struct task *t, const struct trace_event *event)
{
    struct sockaddr_storage local;
    struct file *file = file_of(t, event->argument[0]);
    if (file && file->kind == &file_socket && address_take(event->output[1], &local))
        socket_named(file, &local, event->output[1].length);
    return true;
}

static bool connect_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    struct trace_bytes to = event->input[1];
    if (!to.data || !to.length || to.length > sizeof l->connects_to)
        return follow_fail(f, l, event, "it does not say to where");
    memset(&l->connects_to, 0, sizeof l->connects_to);
    memcpy(&l->connects_to, to.data, to.length);
    l->connects_size = (uint32_t)to.length;
    l->connects = event->argument[0];
    l->connect_result = event->result;
    return l->connects_to.ss_family == AF_INET || l->connects_to.ss_family == AF_INET6 || connect_pending(f, l, t, event);
}

static bool bind_apply(struct follow *f, struct task *t, const struct trace_event *event)
{
    struct sockaddr_un a = {0};
    memcpy(&a, event->input[1].data, event->input[1].length < sizeof a ? event->input[1].length : sizeof a);
    if (event->input[1].data && a.sun_family == AF_UNIX && a.sun_path[0])
        tree_forget(f->m, t->process, AT_FDCWD, a.sun_path, strnlen(a.sun_path, sizeof a.sun_path));
    as_it_is(f, t, event);
    return true;
}

/* ---- children ---- */

static bool wait_apply(struct follow *f, const struct trace_event *event)
{
    uint32_t pid = (uint32_t)event->result;
    int status = 0;
    if (event->code == SYS_waitid) {
        siginfo_t info = {0};
        memcpy(&info, event->output[2].data, event->output[2].length <= sizeof info ? event->output[2].length : 0);
        pid = (uint32_t)info.si_pid;
        status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
    } else if (event->output[1].length == sizeof status) {
        memcpy(&status, event->output[1].data, sizeof status);
    }
    struct process *p = pid ? machine_process(f->m, pid) : NULL;
    if (!p)
        return true;
    if (p->state == PROCESS_ALIVE)
        process_end(f->m, p, status); /* by something that no record tells of */
    p->state = PROCESS_GONE;
    p->died = true;
    return true;
}

static bool control_apply(struct follow *f, struct task *t, const struct trace_event *event)
{
    struct file *file = file_of(t, event->argument[0]);
    if (event->argument[1] == FIONBIO && file)
        file->flags |= O_NONBLOCK; /* the value is not recorded; nobody switches it off again */
    else if (event->argument[1] != FIONBIO)
        as_it_is(f, t, event);
    return true;
}

/* ---- one call ---- */

static bool call_do(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    switch (event->code) {
    case SYS_open: case SYS_openat: case SYS_openat2: case SYS_creat: return file_opened(f, l, t, event);
    case SYS_fcntl:
        if (event->argument[1] != F_DUPFD && event->argument[1] != F_DUPFD_CLOEXEC)
            return as_it_is(f, t, event), true;
        return descriptors_made(f, l, t, event);
    case SYS_dup: case SYS_pipe: case SYS_pipe2: case SYS_socketpair: case SYS_socket: case SYS_eventfd: case SYS_eventfd2: case SYS_signalfd:
    case SYS_signalfd4: case SYS_timerfd_create: case SYS_epoll_create: case SYS_epoll_create1: case SYS_memfd_create:
    case SYS_inotify_init: case SYS_inotify_init1: case SYS_pidfd_open: case SYS_perf_event_open: case SYS_mq_open:
        return descriptors_made(f, l, t, event);
    case SYS_dup2: case SYS_dup3: case SYS_close: case SYS_close_range: case SYS_lseek: case SYS_truncate: case SYS_ftruncate:
    case SYS_fallocate: case SYS_chdir: case SYS_fchdir: case SYS_rename: case SYS_renameat: case SYS_renameat2: case SYS_rmdir:
    case SYS_unlink: case SYS_unlinkat: case SYS_link: case SYS_linkat: case SYS_symlink: case SYS_symlinkat: case SYS_chmod:
    case SYS_fchmod: case SYS_fchmodat: case SYS_umask: case SYS_utimensat: case SYS_timerfd_settime: case SYS_epoll_ctl: case SYS_listen:
    case SYS_shutdown: case SYS_getsockopt: case SYS_setitimer: case SYS_alarm: case SYS_timer_create: case SYS_timer_settime:
    case SYS_timer_delete: case SYS_setpgid: case SYS_setsid: case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo:
    case SYS_fsync: case SYS_fdatasync: case SYS_sync: case SYS_syncfs:
        return as_it_is(f, t, event), true;
    case SYS_mkdir: case SYS_mkdirat: return name_made(f, l, t, event);
    case SYS_ioctl: return control_apply(f, t, event);
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg: return read_apply(f, l, t, event);
    case SYS_sendto:
        if (event->input[4].data)
            return as_it_is(f, t, event), true;
        return write_apply(f, l, t, event);
    case SYS_write: case SYS_writev: case SYS_pwrite64: case SYS_pwritev: case SYS_pwritev2: case SYS_sendmsg:
        return write_apply(f, l, t, event);
    case SYS_sendfile: case SYS_copy_file_range: return copy_apply(f, l, t, event);
    case SYS_splice: case SYS_tee: case SYS_sendmmsg: case SYS_recvmmsg:
        return !event->result || follow_fail(f, l, event, "a call that cannot be followed yet");
    case SYS_mmap:
        if (event->argument[3] & MAP_SHARED && !(event->argument[3] & MAP_ANONYMOUS) && event->argument[2] & PROT_WRITE)
            l->maps = true; /* what is written there is in no record */
        return true;
    case SYS_bind: return bind_apply(f, t, event);
    case SYS_connect: return connect_apply(f, l, t, event);
    case SYS_accept: case SYS_accept4: return accept_apply(l, t, event);
    case SYS_getsockname: return named_apply(t, event);
    case SYS_wait4: case SYS_waitid: return wait_apply(f, event);
    case SYS_io_submit: return submit_apply(f, l, t, event);
    case SYS_io_getevents: case SYS_io_pgetevents: l->in_flight -= event->result; return true;
    }
    return true;
}

/* Of a call whose inputs stand in a record of their own, before it waited. */
static void entered_join(struct task *t, struct trace_event *event)
{
    struct trace_state state = {0};
    struct trace_event entered;
    if (!t->entered || !trace_decode(t->entered, t->entered + t->entered_size, &state, &entered) || entered.call != event->call)
        return;
    for (int i = 0; i < 6; i++)
        if (!event->input[i].data)
            event->input[i] = entered.input[i];
}

bool call_entered(struct task *t, const struct trace_event *event)
{
    free(t->entered);
    t->entered = malloc(event->raw.length);
    t->entered_size = t->entered ? event->raw.length : 0;
    if (t->entered)
        memcpy(t->entered, event->raw.data, event->raw.length);
    return t->entered != NULL;
}

bool call_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    const struct trace_event *now = f->now;
    struct trace_event whole = *event;
    if (!call_info(event->code))
        return true;
    entered_join(t, &whole);
    f->now = &whole;
    bool failed = event->result < 0 && event->result > -4096 && !(event->code == SYS_connect && event->result == -EINPROGRESS);
    bool ok = failed || call_do(f, l, t, &whole);
    f->now = now;
    free(t->entered);
    t->entered = NULL;
    return ok;
}

static bool child_has_ended(struct follow *f, const struct trace_event *event)
{
    struct process *p = event->code == SYS_wait4 && event->result > 0 ? machine_process(f->m, (uint32_t)event->result) : NULL;
    if (!p || p->state != PROCESS_ALIVE)
        return true;
    for (size_t i = 0; i < f->count; i++)
        if (f->lane[i].process == p || follow_comes(&f->lane[i], p->pid))
            return false;
    return stranger_is_done(f, p); /* a program that was not recorded */
}

bool call_ready(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    size_t here;
    (void)l;
    switch (event->code) {
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg: {
        const struct file *file = event->result >= 0 ? file_of(t, event->argument[0]) : NULL;
        if (!file || !data_here(file, &here))
            return true;
        return event->result ? here != AT_END && here >= (size_t)event->result : here == AT_END || file->kind != &file_socket;
    }
    case SYS_wait4:
        return child_has_ended(f, event);
    case SYS_connect:
        return event->result || socket_would_connect(f->m, t, event->input[1].data, event->input[1].length);
    default:
        return true;
    }
}
