/* What reaches files and what comes back: writes, when they are on stable storage, reads, and what failed. */
#include "protocol/flow_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#define PAGE 4096u

/* --- failures --- */

static void failure_tell(struct call *c, const struct flow_failure *failure)
{
    int64_t result = failure->result;
    bool again = result == -EAGAIN || result == -EINTR; /* the program tries it otherwise, or once more */
    if (!again && c->flow->on.failed && (result < 0 || (uint64_t)result < failure->wanted))
        c->flow->on.failed(c->flow->on.context, failure);
}

/* A call on an open file without data: fsync, ftruncate. */
static void call_failed(struct call *c, struct flow_file *file)
{
    if (c->result < 0)
        failure_tell(c, &(struct flow_failure){.file = file, .path = file->path, .call = c->event->code, .result = c->result,
                                               .at = c->at});
}

void flow_rename_failed(struct call *c, const char *from)
{
    failure_tell(c, &(struct flow_failure){.file = map_get(&c->flow->files, map_key(from, strlen(from))), .path = from,
                                           .call = c->event->code, .result = c->result, .at = c->at});
}

/* --- bytes to files --- */

static void file_written(struct call *c, const struct flow_write *write)
{
    struct flow_file *file = write->file;
    if (!write->length)
        return;
    struct flow_write w = *write;
    w.number = file->writes = ++c->flow->writes;
    w.done = c->at;
    if (w.offset + w.length > file->size)
        file->size = w.offset + w.length;
    if (c->flow->on.written)
        c->flow->on.written(c->flow->on.context, &w);
}

static void write_at(struct call *c, struct description *d, uint64_t offset, bool durable)
{
    struct trace_bytes data = c->input[1];
    struct flow_at begun = {c->at.process, c->begun ? c->begun->sequence : c->at.sequence, c->at.time, c->at.thread};
    failure_tell(c, &(struct flow_failure){d->file, d->file->path, c->event->code, c->result, data.length, offset, data.data,
                                           data.length, c->at});
    file_written(c, &(struct flow_write){.file = d->file, .offset = offset, .data = data.data,
                                         .length = call_moved(c, data.length), .begun = begun,
                                         .durable = durable || d->dsync});
}

void flow_write_here(struct call *c, struct description *d, bool durable)
{
    uint64_t offset = d->append ? d->file->size : d->offset;
    write_at(c, d, offset, durable);
    if (c->result > 0)
        d->offset = offset + (uint64_t)c->result;
}

void flow_on_pwrite(struct call *c)
{
    struct description *d = call_description(c, 0);
    if (!d || !d->file)
        return;
    bool durable = c->event->code == SYS_pwritev2 && c->argument[5] & (RWF_DSYNC | RWF_SYNC);
    if (c->event->code == SYS_pwritev2 && c->argument[3] == -1)
        flow_write_here(c, d, durable);
    else
        write_at(c, d, (uint64_t)c->argument[3], durable);
}

/* --- bytes from files --- */

static void read_at(struct call *c, struct description *d, struct trace_bytes data, uint64_t offset)
{
    struct flow_read r = {d->file, offset, data.data, data.length, d->born, !d->writable, c->at};
    if (data.data && data.length && c->flow->on.read)
        c->flow->on.read(c->flow->on.context, &r);
}

void flow_read_here(struct call *c, struct description *d, struct trace_bytes data)
{
    read_at(c, d, data, d->offset);
    d->offset += (uint64_t)c->result;
}

void flow_on_pread(struct call *c)
{
    struct description *d = call_description(c, 0);
    struct trace_bytes data = c->output[1];
    if (!d || !d->file || c->result <= 0)
        return;
    data.length = call_moved(c, data.length);
    if (c->event->code == SYS_preadv2 && c->argument[3] == -1)
        flow_read_here(c, d, data);
    else
        read_at(c, d, data, (uint64_t)c->argument[3]);
}

/* A file mapped is a file read: the recording holds what the mapping showed. */
void flow_on_mmap(struct call *c)
{
    struct description *d = call_description(c, 4);
    if (!d || !d->file || c->argument[3] & MAP_ANONYMOUS || (c->result < 0 && c->result > -(int64_t)PAGE))
        return;
    if (c->argument[3] & MAP_SHARED) {
        struct mapping *m = &c->process->mapping[c->process->mappings++ % MAPPINGS_MAX];
        flow_file_unref(c->flow, m->file);
        *m = (struct mapping){d->file, (uint64_t)c->argument[1]};
        d->file->references++;
    }
    read_at(c, d, c->output[0], (uint64_t)c->argument[5]);
}

/* --- stable storage --- */

/* What was written while the call ran is not covered by it. */
static uint64_t covered(const struct call *c)
{
    return c->begun ? c->begun->writes : c->flow->writes;
}

static void file_synced(struct call *c, struct flow_file *file, uint64_t number)
{
    if (file->writes && c->flow->on.synced)
        c->flow->on.synced(c->flow->on.context, file, number, &c->at);
}

void flow_on_sync(struct call *c)
{
    struct description *d = call_description(c, 0);
    if (!d || !d->file)
        return;
    call_failed(c, d->file);
    if (c->result == 0)
        file_synced(c, d->file, covered(c));
}

/* sync, and syncfs where it may be the same file system: which one a file is on is known where the program asked. */
void flow_on_sync_all(struct call *c)
{
    struct description *d = c->event->code == SYS_syncfs ? call_description(c, 0) : NULL;
    uint64_t device = d && d->file ? d->file->device : 0;
    const struct map *files = &c->flow->files;
    for (size_t i = 0; c->result == 0 && i < files->capacity; i++) {
        struct flow_file *file = files->slot[i].value;
        if (file && !(device && file->device && file->device != device))
            file_synced(c, file, covered(c));
    }
}

/* The record does not say which mapping: one of this length. */
void flow_on_msync(struct call *c)
{
    uint64_t length = ((uint64_t)c->argument[1] + PAGE - 1) / PAGE * PAGE;
    for (size_t i = 0; c->result == 0 && c->argument[2] & MS_SYNC && i < MAPPINGS_MAX; i++) {
        struct mapping *m = &c->process->mapping[i];
        if (m->file && (m->length + PAGE - 1) / PAGE * PAGE == length)
            file_synced(c, m->file, covered(c));
    }
}

void flow_on_ftruncate(struct call *c)
{
    struct description *d = call_description(c, 0);
    if (!d || !d->file || c->argument[1] < 0)
        return;
    call_failed(c, d->file);
    if (c->result != 0)
        return;
    d->file->size = (uint64_t)c->argument[1];
    if (c->flow->on.resized)
        c->flow->on.resized(c->flow->on.context, d->file, d->file->size, &c->at);
}

/* --- what is known of a file --- */

static uint64_t read_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void stat_saw(struct flow_file *file, const struct trace_bytes *st)
{
    const size_t size_at = 48; /* struct stat of x86-64: st_dev at 0, st_size */
    if (!st->data || st->length < size_at + 8)
        return;
    file->device = read_u64(st->data);
    file->size = read_u64(st->data + size_at);
}

static void statx_saw(struct flow_file *file, const struct trace_bytes *st)
{
    const size_t size_at = 40, device_at = 136; /* struct statx: stx_size, stx_dev_major and _minor */
    if (!st->data || st->length < device_at + 8)
        return;
    file->device = makedev(read_u32(st->data + device_at), read_u32(st->data + device_at + 4));
    file->size = read_u64(st->data + size_at);
}

/* fstat(2), also as libc makes it: with an empty path. */
void flow_on_stat(struct call *c)
{
    struct description *d = call_description(c, 0);
    bool by_path = c->event->code != SYS_fstat && c->input[1].length;
    if (!d || !d->file || c->result != 0 || by_path)
        return;
    if (c->event->code == SYS_statx)
        statx_saw(d->file, &c->output[4]);
    else
        stat_saw(d->file, &c->output[c->event->code == SYS_fstat ? 1 : 2]);
}

/* --- asynchronous I/O --- */

/* Take the oldest submission of this context, of any context if `any`, out of the list. */
static struct submission *submission_take(struct process *p, int64_t context, bool any)
{
    struct submission **link = &p->submission, *s;
    while (*link && !any && (*link)->context != context)
        link = &(*link)->next;
    if ((s = *link)) {
        *link = s->next;
        p->submissions--;
    }
    return s;
}

static void submission_free(struct call *c, struct submission *s)
{
    description_unref(c->flow, s->description, &c->at);
    free(s->data);
    free(s);
}

/* One iocb as the record holds it: see SPECIAL_AIO_SUBMIT. */
struct iocb_seen {
    uint32_t fd, opcode, length;
    uint64_t offset;
    const uint8_t *data;
};

static bool submission_push(struct call *c, const struct iocb_seen *seen)
{
    struct submission *s = calloc(1, sizeof *s), **link = &c->process->submission;
    bool write = seen->opcode == IOCB_CMD_PWRITE || seen->opcode == IOCB_CMD_PWRITEV;
    if (!s || (write && seen->length && !(s->data = malloc(seen->length)))) {
        free(s);
        return !(c->flow->failed = true);
    }
    s->context = c->argument[0];
    s->description = table_get(c->process, seen->fd);
    s->opcode = seen->opcode;
    s->offset = seen->offset;
    s->begun = c->at;
    s->writes = c->flow->writes;
    s->length = s->data ? seen->length : 0;
    if (s->data)
        memcpy(s->data, seen->data, s->length);
    if (s->description)
        s->description->references++;
    if (c->process->submissions == SUBMISSIONS_MAX)
        submission_free(c, submission_take(c->process, 0, true));
    while (*link)
        link = &(*link)->next;
    *link = s;
    c->process->submissions++;
    return true;
}

/* The next iocb of the record; false: no more. */
static bool iocb_next(const uint8_t **p, const uint8_t *end, struct iocb_seen *seen)
{
    const size_t header = 20; /* u32 fd, u32 opcode, u64 offset, u32 length */
    if (!*p || end - *p < (ptrdiff_t)header)
        return false;
    *seen = (struct iocb_seen){read_u32(*p), read_u32(*p + 4), read_u32(*p + 16), read_u64(*p + 8), *p + header};
    bool write = seen->opcode == IOCB_CMD_PWRITE || seen->opcode == IOCB_CMD_PWRITEV;
    if (write && seen->length > (size_t)(end - *p) - header)
        return false;
    *p += header + (write ? seen->length : 0);
    return true;
}

/* The whole call was refused: none of it was submitted, the first one says which file. */
static void submit_failed(struct call *c, const struct iocb_seen *seen)
{
    struct description *d = table_get(c->process, seen->fd);
    if (d && d->file)
        failure_tell(c, &(struct flow_failure){d->file, d->file->path, SYS_io_submit, c->result, seen->length, seen->offset,
                                               seen->data, seen->length, c->at});
}

void flow_on_io_submit(struct call *c)
{
    const uint8_t *p = c->input[2].data, *end = p ? p + c->input[2].length : NULL;
    struct iocb_seen seen;
    if (c->result < 0 && iocb_next(&p, end, &seen) && seen.opcode == IOCB_CMD_PWRITE)
        submit_failed(c, &seen);
    for (int64_t i = 0; i < c->result && iocb_next(&p, end, &seen); i++)
        if (!submission_push(c, &seen))
            return;
}

static void submission_done(struct call *c, const struct submission *s, int64_t result)
{
    struct flow_file *file = s->description ? s->description->file : NULL;
    bool write = s->opcode == IOCB_CMD_PWRITE || s->opcode == IOCB_CMD_PWRITEV;
    bool sync = s->opcode == IOCB_CMD_FSYNC || s->opcode == IOCB_CMD_FDSYNC;
    if (!file || !(write || sync))
        return;
    failure_tell(c, &(struct flow_failure){file, file->path, sync ? SYS_fsync : SYS_io_submit, result, s->length, s->offset,
                                           s->data, s->length, c->at});
    if (sync && result == 0)
        file_synced(c, file, s->writes);
    if (write && result > 0)
        file_written(c, &(struct flow_write){.file = file, .offset = s->offset, .data = s->data,
                                             .length = (uint64_t)result < s->length ? (size_t)result : s->length,
                                             .begun = s->begun, .durable = s->description->dsync});
}

/* Completions name no file. Within a context they are taken in the order of submission: exact with one in flight, as
 * libraft does it. */
void flow_on_io_getevents(struct call *c)
{
    struct trace_bytes out = c->output[3];
    for (int64_t i = 0; i < c->result && out.data && (size_t)(i + 1) * sizeof(struct io_event) <= out.length; i++) {
        struct io_event e;
        memcpy(&e, out.data + (size_t)i * sizeof e, sizeof e);
        struct submission *s = submission_take(c->process, c->argument[0], false);
        if (!s)
            return;
        submission_done(c, s, e.res);
        submission_free(c, s);
    }
}
