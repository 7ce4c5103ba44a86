/* The stream of one process, read back record by record. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/internal.h"

struct stream {
    struct store *store;
    uint32_t process;
    struct trace_state state;
    struct buffer chunk;     /* decompressed, payloads still references */
    struct buffer record;    /* one record with its payloads */
    const uint8_t *p, *end;  /* what is left of the chunk */
    uint64_t chunk_end;      /* sequence number after its last record */
    bool has_references;     /* some record of the chunk needs expanding */
};

struct stream *stream_open(struct store *s, uint32_t process, struct drd_error *e)
{
    struct stream *st = calloc(1, sizeof *st);
    if (!st)
        return error_set(e, DRD_EXIT_FATAL, "out of memory"), NULL;
    st->store = s;
    st->process = process;
    return st;
}

void stream_close(struct stream *st)
{
    if (!st)
        return;
    free(st->chunk.data);
    free(st->record.data);
    free(st);
}

static bool stream_damaged(struct stream *st, const char *how, struct drd_error *e)
{
    return error_set(e, DRD_EXIT_FATAL, "%s: damaged: process %u, event %llu: %s", st->store->path, st->process,
                     (unsigned long long)st->state.sequence, how);
}

/* Make the chunk with or before (`before`), or from this sequence number on, the current one. As chunk_load. */
static int load(struct stream *st, uint64_t sequence, bool before, struct drd_error *e)
{
    struct chunk_row row;
    int found = chunk_load(st->store, st->process, sequence, before, &row, &st->chunk, e);
    if (found != 1)
        return found;
    st->state = row.state;
    st->chunk_end = row.state.sequence + row.records;
    st->has_references = row.raw != row.length;
    st->p = st->chunk.data;
    st->end = st->p + st->chunk.length;
    return 1;
}

/* Have an unread record at st->p. 1: there is one, 0: end of the stream, -1: error. */
static int advance(struct stream *st, struct drd_error *e)
{
    while (st->p == st->end) {
        uint64_t expected = st->state.sequence;
        if (st->chunk.data && expected != st->chunk_end)
            return stream_damaged(st, "a piece holds fewer records than it says", e) - 1;
        int found = load(st, expected, false, e);
        if (found != 1)
            return found;
        if (st->state.sequence != expected) {
            st->state.sequence = expected;
            return stream_damaged(st, "a piece is missing", e) - 1;
        }
        if (st->chunk_end <= expected)
            return stream_damaged(st, "an empty piece", e) - 1;
    }
    return 1;
}

/* Copy the record that ends at `end` with references replaced by what they stand for. */
static bool expand(struct stream *st, const uint8_t *p, const uint8_t *end, struct drd_error *e)
{
    const uint8_t *pending = p;
    st->record.length = 0;
    while (p < end) {
        struct unpack u;
        const uint8_t *next = unpack_next(p, end, &u);
        if (next && u.type == UNPACK_EXT) {
            if (u.ext != TRACE_EXT_PAYLOAD || u.length != PAYLOAD_REF)
                return stream_damaged(st, "unknown kind of reference", e);
            if (!buffer_append(&st->record, pending, (size_t)(p - pending), e) ||
                !payload_append(st->store, u.data, &st->record, e))
                return false;
            pending = next;
        }
        p = next;
    }
    return buffer_append(&st->record, pending, (size_t)(end - pending), e);
}

/* The next record with its payloads as start and end. False: error. */
static bool whole_record(struct stream *st, const uint8_t **start, const uint8_t **end, struct drd_error *e)
{
    *start = st->p;
    *end = unpack_skip(st->p, st->end);
    if (!*end)
        return stream_damaged(st, "not a record", e);
    st->p = *end;
    if (!st->has_references)
        return true;
    if (!expand(st, *start, *end, e))
        return false;
    *start = st->record.data;
    *end = st->record.data + st->record.length;
    return true;
}

int stream_next(struct stream *st, struct trace_event *event, struct drd_error *e)
{
    int ready = advance(st, e);
    if (ready != 1)
        return ready;
    if (!st->has_references) {
        st->p = trace_decode(st->p, st->end, &st->state, event);
        event->process = st->process;
        if (st->p)
            return 1;
        st->p = st->end;
        return stream_damaged(st, "not a record", e) - 1;
    }
    const uint8_t *start, *end;
    if (!whole_record(st, &start, &end, e))
        return -1;
    if (trace_decode(start, end, &st->state, event) != end)
        return stream_damaged(st, "not a record", e) - 1;
    event->process = st->process;
    return 1;
}

int stream_seek(struct stream *st, uint64_t sequence, struct drd_error *e)
{
    struct trace_event event;
    if (sequence > INT64_MAX)
        return 0;
    bool here = st->p < st->end && st->state.sequence <= sequence && sequence < st->chunk_end;
    int found = here ? 1 : load(st, sequence, true, e);
    if (found != 1 || sequence >= st->chunk_end)
        return found < 0 ? -1 : 0;
    while (st->state.sequence < sequence) {
        int more = stream_next(st, &event, e);
        if (more != 1)
            return more;
    }
    return 1;
}

const struct trace_state *stream_state(const struct stream *st)
{
    return &st->state;
}

static bool write_all(int fd, const uint8_t *p, size_t length, struct drd_error *e)
{
    while (length) {
        ssize_t n = write(fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set_errno(e, DRD_EXIT_FATAL, "writing a stream");
        p += n;
        length -= (size_t)n;
    }
    return true;
}

/* Write the rest of the current chunk. Without references its bytes are the stream. */
static bool copy_chunk(struct stream *st, int fd, uint64_t *total, struct buffer *out, struct drd_error *e)
{
    out->length = 0;
    while (st->p < st->end) {
        const uint8_t *start = st->p, *end = st->end;
        if (!st->has_references)
            st->p = st->end;
        else if (!whole_record(st, &start, &end, e))
            return false;
        if (!buffer_append(out, start, (size_t)(end - start), e))
            return false;
        if (out->length >= (1u << 18) || st->p == st->end) {
            if (!write_all(fd, out->data, out->length, e))
                return false;
            *total += out->length;
            out->length = 0;
        }
    }
    return true;
}

bool stream_copy(struct store *s, uint32_t process, int fd, uint64_t *bytes, struct drd_error *e)
{
    struct stream *st = stream_open(s, process, e);
    struct buffer out = {NULL, 0, 0};
    uint64_t total = 0;
    int more = -1;
    while (st && (more = advance(st, e)) == 1) {
        if (!copy_chunk(st, fd, &total, &out, e)) {
            more = -1;
            break;
        }
        st->state.sequence = st->chunk_end; /* the records were not decoded */
    }
    stream_close(st);
    free(out.data);
    if (more == 0 && bytes)
        *bytes = total;
    return more == 0;
}
