/* Pieces of streams, compressed and checksummed, and the large bins kept apart from them. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "store/internal.h"
#include "store/page.h"

/* Measured on recordings of ovsdb-server and libraft. The records, where the words are, get 8 % smaller than at level 3 for
 * some six times the work, 90 ns a record, which leaves the recorder at a tenth of a core at 370,000 records a second;
 * everything else is noise, in which more work finds little. */
#define RECORDS_LEVEL 6
#define LEVEL 3

bool buffer_reserve(struct buffer *b, size_t capacity, struct drd_error *e)
{
    if (capacity <= b->capacity)
        return true;
    size_t wanted = capacity < 2 * b->capacity ? 2 * b->capacity : capacity;
    uint8_t *data = realloc(b->data, wanted);
    if (!data)
        return error_set(e, DRD_EXIT_FATAL, "out of memory (%zu bytes)", wanted);
    b->data = data;
    b->capacity = wanted;
    return true;
}

bool buffer_append(struct buffer *b, const void *data, size_t length, struct drd_error *e)
{
    if (!buffer_reserve(b, b->length + length, e))
        return false;
    if (length)
        memcpy(b->data + b->length, data, length);
    b->length += length;
    return true;
}

/* ---- zstd ---- */

/* Append a frame to `out`. */
static bool compress_into(struct store *s, const uint8_t *data, size_t length, int level, struct buffer *out,
                          struct drd_error *e)
{
    if (!s->compressor && !(s->compressor = ZSTD_createCCtx()))
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    if (!buffer_reserve(out, out->length + ZSTD_compressBound(length), e))
        return false;
    size_t n = ZSTD_compressCCtx(s->compressor, out->data + out->length, out->capacity - out->length, data, length, level);
    if (ZSTD_isError(n))
        return error_set(e, DRD_EXIT_FATAL, "%s: zstd: %s", s->path, ZSTD_getErrorName(n));
    out->length += n;
    return true;
}

/* Append exactly `length` bytes to `out`. */
static bool expand_into(struct store *s, const void *data, size_t size, size_t length, struct buffer *out,
                        struct drd_error *e)
{
    if (!s->decompressor && !(s->decompressor = ZSTD_createDCtx()))
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    if (!buffer_reserve(out, out->length + length + 1, e)) /* a place also for nothing at all */
        return false;
    size_t n = ZSTD_decompressDCtx(s->decompressor, out->data + out->length, length, data, size);
    if (ZSTD_isError(n) || n != length)
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: a piece does not decompress", s->path);
    out->length += length;
    return true;
}

/* ---- payloads ---- */

static void payload_key(const void *data, size_t length, uint8_t key[16])
{
    XXH128_canonicalFromHash((XXH128_canonical_t *)(void *)key, XXH3_128bits(data, length));
}

static bool payload_exists(struct store *s, const uint8_t key[16], bool *exists, struct drd_error *e)
{
    sqlite3_stmt *st = store_statement(s, ST_PAYLOAD_HAS, e);
    if (!st)
        return false;
    sqlite3_bind_blob(st, 1, key, 16, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    *exists = rc == SQLITE_ROW;
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || store_failed(s, e);
    sqlite3_reset(st);
    return ok;
}

static bool payload_put(struct store *s, const uint8_t key[16], const uint8_t *data, size_t length, struct drd_error *e)
{
    bool exists;
    if (!payload_exists(s, key, &exists, e))
        return false;
    if (exists)
        return true;
    sqlite3_stmt *st = store_statement(s, ST_PAYLOAD_PUT, e);
    s->packed.length = 0;
    if (!st || !compress_into(s, data, length, LEVEL, &s->packed, e))
        return false;
    sqlite3_bind_blob(st, 1, key, 16, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)length);
    sqlite3_bind_blob64(st, 3, s->packed.data, s->packed.length, SQLITE_STATIC);
    return store_run(s, st, e);
}

bool payload_replace(struct store *s, const uint8_t *data, size_t length, struct buffer *out, struct drd_error *e)
{
    uint8_t reference[3 + PAYLOAD_REF] = {0xc7, PAYLOAD_REF, TRACE_EXT_PAYLOAD};
    payload_key(data, length, reference + 3);
    pack_be(reference + 19, length, 8);
    return payload_put(s, reference + 3, data, length, e) && buffer_append(out, reference, sizeof reference, e);
}

bool payload_read(struct store *s, sqlite3_stmt *row, struct buffer *out, struct drd_error *e)
{
    sqlite3_int64 length = sqlite3_column_int64(row, 1);
    const void *key = sqlite3_column_blob(row, 0);
    const void *data = sqlite3_column_blob(row, 2);
    size_t start = out->length;
    uint8_t actual[16];
    if (!key || sqlite3_column_bytes(row, 0) != 16 || !data || length < 0 || length > PAYLOAD_MAX)
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: not a payload", s->path);
    if (!expand_into(s, data, (size_t)sqlite3_column_bytes(row, 2), (size_t)length, out, e))
        return false;
    payload_key(out->data + start, (size_t)length, actual);
    if (memcmp(actual, sqlite3_column_blob(row, 0), 16))
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: a payload of %lld bytes does not fit its checksum", s->path,
                         (long long)length);
    return true;
}

bool payload_append(struct store *s, const uint8_t *reference, struct buffer *out, struct drd_error *e)
{
    uint8_t header[PACK_MAX];
    uint64_t length = unpack_be(reference + 16, 8);
    sqlite3_stmt *st = store_statement(s, ST_PAYLOAD_GET, e);
    if (!st)
        return false;
    sqlite3_bind_blob(st, 1, reference, 16, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    bool ok;
    if (rc == SQLITE_DONE)
        ok = error_set(e, DRD_EXIT_FATAL, "%s: damaged: a payload is missing", s->path);
    else if (rc != SQLITE_ROW)
        ok = store_failed(s, e);
    else if ((uint64_t)sqlite3_column_int64(st, 1) != length)
        ok = error_set(e, DRD_EXIT_FATAL, "%s: damaged: a payload has another length than its reference", s->path);
    else
        ok = buffer_append(out, header, (size_t)(pack_bin_header(header, (uint32_t)length) - header), e) &&
             payload_read(s, st, out, e);
    sqlite3_reset(st);
    return ok;
}

/* ---- chunks ---- */

uint64_t chunk_checksum(const struct chunk_row *row)
{
    const uint64_t fields[] = {row->process, row->state.sequence, row->records, row->state.clock, row->state.stamp,
                               row->state.time, row->state.thread, row->raw, row->length};
    return XXH3_64bits_withSeed(row->data, row->size, XXH3_64bits(fields, sizeof fields));
}

/* Copy a piece of stream with its large bins replaced by references. The objects of nested arrays and maps follow their
 * header one after another, so that one loop sees them all. */
static bool move_payloads(struct store *s, const uint8_t *p, const uint8_t *end, struct buffer *out, struct drd_error *e)
{
    const uint8_t *pending = p; /* first byte not yet in `out` */
    out->length = 0;
    while (p < end) {
        struct unpack u;
        const uint8_t *next = unpack_next(p, end, &u);
        if (!next)
            return error_set(e, DRD_EXIT_FATAL, "%s: the piece to store is not a sequence of records", s->path);
        if (u.type == UNPACK_BIN && u.length >= TRACE_PAYLOAD_MIN) {
            if (!buffer_append(out, pending, (size_t)(p - pending), e) || !payload_replace(s, u.data, u.length, out, e))
                return false;
            pending = next;
        }
        p = next;
    }
    return buffer_append(out, pending, (size_t)(end - pending), e);
}

/* One zstd frame after another, one for each column. */
static bool compress_columns(struct store *s, struct drd_error *e)
{
    s->packed.length = 0;
    if (!columns_split(s->column, s->plain.data, s->plain.data + s->plain.length, e))
        return false;
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (!compress_into(s, s->column[i].data, s->column[i].length, i == COLUMN_RECORDS ? RECORDS_LEVEL : LEVEL,
                           &s->packed, e))
            return false;
    return true;
}

static bool chunk_insert(struct store *s, const struct chunk_row *row, struct drd_error *e)
{
    sqlite3_stmt *st = store_statement(s, ST_CHUNK_PUT, e);
    if (!st)
        return false;
    const uint64_t number[] = {row->process, row->state.sequence, row->records, row->state.clock, row->state.stamp,
                               row->state.time, row->state.thread, row->raw, row->length, chunk_checksum(row)};
    for (int i = 0; i < 10; i++)
        sqlite3_bind_int64(st, 1 + i, (sqlite3_int64)number[i]);
    sqlite3_bind_blob64(st, 11, row->data, row->size, SQLITE_STATIC);
    return store_run(s, st, e);
}

bool store_chunk_append(struct store *s, uint32_t process, const struct trace_state *state, const uint8_t *bytes,
                        size_t length, uint64_t records, struct drd_error *e)
{
    if (!move_payloads(s, bytes, bytes + length, &s->plain, e))
        return false;
    if (s->plain.length > CHUNK_MAX)
        return error_set(e, DRD_EXIT_FATAL, "%s: a record of %zu bytes is too large", s->path, s->plain.length);
    if (!compress_columns(s, e))
        return false;
    const struct chunk_row row = {
        .process = process, .records = records, .raw = length, .length = s->plain.length, .state = *state,
        .data = s->packed.data, .size = s->packed.length,
    };
    return chunk_insert(s, &row, e);
}

static void chunk_columns(sqlite3_stmt *st, struct chunk_row *row)
{
    row->process = (uint32_t)sqlite3_column_int64(st, 0);
    row->state.sequence = (uint64_t)sqlite3_column_int64(st, 1);
    row->records = (uint64_t)sqlite3_column_int64(st, 2);
    row->state.clock = (uint64_t)sqlite3_column_int64(st, 3);
    row->state.stamp = (uint64_t)sqlite3_column_int64(st, 4);
    row->state.time = (uint64_t)sqlite3_column_int64(st, 5);
    row->state.thread = (uint32_t)sqlite3_column_int64(st, 6);
    row->raw = (uint64_t)sqlite3_column_int64(st, 7);
    row->length = (uint64_t)sqlite3_column_int64(st, 8);
    row->data = sqlite3_column_blob(st, 10);
    row->size = (size_t)sqlite3_column_bytes(st, 10);
}

static bool chunk_damaged(struct store *s, const struct chunk_row *row, const char *how, struct drd_error *e)
{
    return error_set(e, DRD_EXIT_FATAL, "%s: damaged: the piece of process %u from event %llu on %s", s->path, row->process,
                     (unsigned long long)row->state.sequence, how);
}

/* Expand the frame at *data into `out` and step over it. A frame says how long its content is; believed up to `max`. */
static bool expand_frame(struct store *s, const uint8_t **data, size_t *size, size_t max, struct buffer *out,
                         struct drd_error *e)
{
    size_t frame = ZSTD_findFrameCompressedSize(*data, *size);
    unsigned long long length = ZSTD_getFrameContentSize(*data, *size);
    if (ZSTD_isError(frame) || length > max) /* unknown and wrong are large numbers */
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: a piece does not decompress", s->path);
    out->length = 0;
    if (!expand_into(s, *data, frame, (size_t)length, out, e))
        return false;
    *data += frame;
    *size -= frame;
    return true;
}

static bool expand_columns(struct store *s, const struct chunk_row *row, struct buffer *out, struct drd_error *e)
{
    const uint8_t *data = row->data;
    size_t size = row->size;
    if (ZSTD_findFrameCompressedSize(data, size) == size) /* format 1: the records as they are, in one frame */
        return out->length = 0, expand_into(s, data, size, row->length, out, e);
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (!expand_frame(s, &data, &size, row->length, &s->column[i], e))
            return false;
    if (!buffer_reserve(out, row->length + COLUMNS_SLACK, e))
        return false;
    if (size || !columns_join(s->column, out->data, row->length))
        return chunk_damaged(s, row, "has columns that do not fit together", e);
    out->length = row->length;
    return true;
}

static bool chunk_expand(struct store *s, sqlite3_stmt *st, struct chunk_row *row, struct buffer *out, struct drd_error *e)
{
    chunk_columns(st, row);
    bool fits = row->data && chunk_checksum(row) == (uint64_t)sqlite3_column_int64(st, 9);
    if (!row->data || (!fits && page_checking()))
        return chunk_damaged(s, row, "does not fit its checksum", e);
    if (row->length > CHUNK_MAX)
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: a piece of %llu bytes", s->path, (unsigned long long)row->length);
    return expand_columns(s, row, out, e);
}

int chunk_load(struct store *s, uint32_t process, uint64_t sequence, bool before, struct chunk_row *row,
               struct buffer *out, struct drd_error *e)
{
    sqlite3_stmt *st = store_statement(s, before ? ST_CHUNK_BEFORE : ST_CHUNK_FROM, e);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, process);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)sequence);
    int rc = sqlite3_step(st);
    int found = rc == SQLITE_ROW ? 1 : 0;
    if (rc == SQLITE_ROW ? !chunk_expand(s, st, row, out, e) : rc != SQLITE_DONE && !store_failed(s, e))
        found = -1;
    row->data = NULL;
    sqlite3_reset(st);
    return found;
}
