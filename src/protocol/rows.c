#include "protocol/rows.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#define LEVEL 9
#define GROUPS 64          /* remembered at a time; more than that only compresses worse */
#define VALUE_MAX 10       /* bytes of a varint */
#define BLOCK_MAX (4 + ROWS_PER_BLOCK * ROWS_COLUMNS * (VALUE_MAX + 1))

struct shape {
    int columns;
    uint8_t raw; /* bit per column: digests, that are equal or have nothing in common */
};

static const struct shape shapes[ROWS_KINDS] = {
    [ROWS_MESSAGE] = {5, 0}, [ROWS_DURABLE_WRITE] = {6, 0}, [ROWS_MARK] = {6, 1 << 5}, [ROWS_TIMER] = {5, 0},
};

int rows_columns(enum rows_kind kind)
{
    return shapes[kind].columns;
}

/* The value that the same column had in the last row of the same group: column 0 names the group. */
struct memory {
    int64_t last[GROUPS];
};

static int64_t *memory_slot(struct memory *m, const struct row *row, int column)
{
    return &m->last[column ? (uint64_t)row->value[0] % GROUPS : 0];
}

/* --- encoding: for each column, 0 for NULL, else 1 + the zigzag distance, as varint; raw columns: a byte, then 8 --- */

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static uint8_t *put_column(uint8_t *p, const struct row *rows, int count, int column, bool raw)
{
    struct memory memory = {{0}};
    for (int i = 0; i < count; i++) {
        bool null = rows[i].null >> column & 1;
        int64_t value = rows[i].value[column], *last = memory_slot(&memory, &rows[i], column);
        if (raw || null) {
            *p++ = null ? 0 : 1;
            if (!null)
                memcpy(p, &value, 8), p += 8;
            continue;
        }
        uint64_t distance = zigzag((int64_t)((uint64_t)value - (uint64_t)*last));
        *p++ = distance >= 0xfe ? 0xff : (uint8_t)(distance + 1);
        if (distance >= 0xfe)
            p = put_varint(p, distance);
        *last = value;
    }
    return p;
}

static size_t block_encode(enum rows_kind kind, const struct row *rows, int count, uint8_t *out)
{
    uint32_t n = (uint32_t)count;
    memcpy(out, &n, sizeof n);
    uint8_t *p = out + sizeof n;
    for (int column = 0; column < shapes[kind].columns; column++)
        p = put_column(p, rows, count, column, shapes[kind].raw >> column & 1);
    return (size_t)(p - out);
}

/* --- decoding --- */

static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    *v = 0;
    for (int shift = 0; p < end && shift < 64; shift += 7) {
        *v |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80))
            return p;
    }
    return NULL;
}

static const uint8_t *get_value(const uint8_t *p, const uint8_t *end, bool raw, struct row *row, int column, int64_t *last)
{
    uint64_t distance;
    if (p >= end)
        return NULL;
    uint8_t head = *p++;
    if (!head)
        return row->null |= (uint8_t)(1 << column), p;
    if (raw) {
        if (end - p < 8)
            return NULL;
        memcpy(&row->value[column], p, 8);
        return p + 8;
    }
    distance = head - 1u;
    if (head == 0xff && !(p = get_varint(p, end, &distance)))
        return NULL;
    *last = row->value[column] = (int64_t)((uint64_t)*last + (distance >> 1 ^ -(distance & 1)));
    return p;
}

static int block_decode(enum rows_kind kind, const uint8_t *p, const uint8_t *end, struct row *rows)
{
    uint32_t count;
    if (end - p < 4)
        return -1;
    memcpy(&count, p, sizeof count);
    p += sizeof count;
    if (count > ROWS_PER_BLOCK)
        return -1;
    memset(rows, 0, count * sizeof *rows);
    for (int column = 0; column < shapes[kind].columns; column++) {
        struct memory memory = {{0}};
        for (uint32_t i = 0; i < count; i++)
            if (!(p = get_value(p, end, shapes[kind].raw >> column & 1, &rows[i], column, memory_slot(&memory, &rows[i], column))))
                return -1;
    }
    return (int)count;
}

int rows_decode(enum rows_kind kind, const uint8_t *bytes, size_t length, struct row *rows)
{
    uint8_t *plain = malloc(BLOCK_MAX);
    size_t size = plain ? ZSTD_decompress(plain, BLOCK_MAX, bytes, length) : 0;
    int count = !plain || ZSTD_isError(size) ? -1 : block_decode(kind, plain, plain + size, rows);
    free(plain);
    return count;
}

/* --- writing --- */

struct rows_writer {
    sqlite3_stmt *insert;
    enum rows_kind kind;
    int count;
    struct row row[ROWS_PER_BLOCK];
    uint8_t plain[BLOCK_MAX], packed[ZSTD_COMPRESSBOUND(BLOCK_MAX)];
};

struct rows_writer *rows_writer_create(sqlite3 *db, enum rows_kind kind)
{
    struct rows_writer *w = malloc(sizeof *w);
    if (!w)
        return NULL;
    w->kind = kind;
    w->count = 0;
    if (sqlite3_prepare_v2(db, "INSERT INTO row_block(kind, rows) VALUES(?, ?)", -1, &w->insert, NULL) == SQLITE_OK)
        return w;
    free(w);
    return NULL;
}

bool rows_writer_flush(struct rows_writer *w)
{
    if (!w->count)
        return true;
    size_t plain = block_encode(w->kind, w->row, w->count, w->plain);
    size_t packed = ZSTD_compress(w->packed, sizeof w->packed, w->plain, plain, LEVEL);
    w->count = 0;
    if (ZSTD_isError(packed))
        return false;
    sqlite3_bind_int(w->insert, 1, w->kind);
    sqlite3_bind_blob(w->insert, 2, w->packed, (int)packed, SQLITE_STATIC);
    bool good = sqlite3_step(w->insert) == SQLITE_DONE;
    sqlite3_reset(w->insert);
    return good;
}

bool rows_writer_add(struct rows_writer *w, const struct row *row)
{
    w->row[w->count++] = *row;
    return w->count < ROWS_PER_BLOCK || rows_writer_flush(w);
}

void rows_writer_destroy(struct rows_writer *w)
{
    if (!w)
        return;
    sqlite3_finalize(w->insert);
    free(w);
}
