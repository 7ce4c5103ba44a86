#include "store/columns.h"

#include <string.h>

#include "store/internal.h"
#include "trace/msgpack.h"

_Static_assert(COLUMNS_SLACK >= PACK_MAX, "a read that does not fit must have a place");

enum {
    READ_SHORT = 224,      /* below: a read in one byte */
    READ_MIDDLE = 240,     /* below: one more byte */
    READ_LONG = 247,       /* below: two to eight more bytes */
    READ_RUN = 127,        /* as many as a positive fixint counts */
    TAG_UINT32 = 0xce,
    TAG_BIN8 = 0xc4,
    STRUCT_SIZE = 144,
};

/* Bytes at `p` that stay among the records, if the rest of the object there belongs into a column of its own; else 0. */
static unsigned kept(const uint8_t *p, const uint8_t *end, enum column *column, unsigned *moved)
{
    if (*p == TAG_UINT32)
        return *column = COLUMN_NUMBERS, *moved = 4, 1;
    if (*p == TAG_BIN8 && end - p > 1 && p[1] == STRUCT_SIZE)
        return *column = COLUMN_STRUCTS, *moved = STRUCT_SIZE, 2;
    return 0;
}

/* Objects that are still to come before the record is whole, one of the `inside` (0: none is begun) having been read. */
static uint64_t remaining(uint64_t inside, const struct unpack *u)
{
    uint64_t more = u->type == UNPACK_ARRAY ? u->count : u->type == UNPACK_MAP ? 2ul * u->count : 0;
    return more + (inside ? inside - 1 : 0);
}

/* ---- splitting ---- */

struct split {
    uint8_t *at[COLUMN_COUNT]; /* where each column goes on */
    const uint8_t *pending;    /* first byte not yet in a column */
    unsigned run;              /* clock reads not yet counted among the records */
};

static void put(struct split *s, enum column column, const uint8_t *p, size_t length)
{
    if (length) /* nothing may have no place at all */
        memcpy(s->at[column], p, length);
    s->at[column] += length;
}

static void put_run(struct split *s)
{
    if (s->run)
        *s->at[COLUMN_RECORDS]++ = (uint8_t)s->run;
    s->run = 0;
}

/* Only what packing will write again byte for byte may be taken apart: nothing keeps a stream from holding other msgpack. */
static bool is_read(const uint8_t *p, const uint8_t *next, const struct unpack *u)
{
    uint8_t again[PACK_MAX];
    if (u->type != UNPACK_INT || u->value < 0)
        return false;
    return *p < 0x80 || (pack_uint(again, (uint64_t)u->value) - again == next - p && *p == again[0]);
}

static void put_read(struct split *s, uint64_t value)
{
    uint8_t **byte = &s->at[s->run ? COLUMN_NEXT_READ : COLUMN_FIRST_READ], **rest = &s->at[COLUMN_READ_REST];
    int bytes = value < READ_SHORT ? 0 : value < (READ_MIDDLE - READ_SHORT) << 8 ? 1 : (71 - __builtin_clzll(value)) / 8;
    if (bytes == 0)
        *(*byte)++ = (uint8_t)value;
    else if (bytes == 1)
        *(*byte)++ = (uint8_t)(READ_SHORT + (value >> 8));
    else
        *(*byte)++ = (uint8_t)(READ_MIDDLE + bytes - 2);
    *rest = pack_be(*rest, value, bytes);
    if (++s->run == READ_RUN)
        put_run(s);
}

static void split_object(struct split *s, const uint8_t *p, const uint8_t *next)
{
    enum column column;
    unsigned moved, head = kept(p, next, &column, &moved);
    put_run(s);
    if (!head)
        return;
    put(s, COLUMN_RECORDS, s->pending, (size_t)(p + head - s->pending));
    put(s, column, p + head, moved);
    s->pending = next;
}

bool columns_split(struct buffer *column, const uint8_t *p, const uint8_t *end, struct drd_error *e)
{
    struct split s = {.pending = p};
    struct unpack u;
    uint64_t inside = 0;
    for (int i = 0; i < COLUMN_COUNT; i++) { /* no column can become longer than what it is made of */
        if (!buffer_reserve(&column[i], (size_t)(end - p) + 1, e))
            return false;
        s.at[i] = column[i].data;
    }
    for (const uint8_t *next; p < end; p = next) {
        if (!(next = unpack_next(p, end, &u)))
            return error_set(e, DRD_EXIT_FATAL, "a piece to store is not a sequence of records");
        if (!inside && is_read(p, next, &u)) {
            put(&s, COLUMN_RECORDS, s.pending, (size_t)(p - s.pending));
            put_read(&s, (uint64_t)u.value);
            s.pending = next;
            continue;
        }
        split_object(&s, p, next);
        inside = remaining(inside, &u);
    }
    put_run(&s);
    put(&s, COLUMN_RECORDS, s.pending, (size_t)(end - s.pending));
    for (int i = 0; i < COLUMN_COUNT; i++)
        column[i].length = (size_t)(s.at[i] - column[i].data);
    return true;
}

/* ---- joining ---- */

struct join {
    const uint8_t *at[COLUMN_COUNT], *end[COLUMN_COUNT]; /* what is left of each column */
    uint8_t *out, *limit;                                /* COLUMNS_SLACK bytes may be written after the limit */
};

/* Move bytes from a column to the output. */
static bool take(struct join *j, enum column column, size_t length)
{
    if (length > (size_t)(j->end[column] - j->at[column]) || length > (size_t)(j->limit - j->out))
        return false;
    memcpy(j->out, j->at[column], length);
    j->out += length;
    j->at[column] += length;
    return true;
}

static bool take_read(struct join *j, enum column column)
{
    if (j->at[column] == j->end[column])
        return false;
    unsigned byte = *j->at[column]++;
    int bytes = byte < READ_SHORT ? 0 : byte < READ_MIDDLE ? 1 : (int)byte - READ_MIDDLE + 2;
    const uint8_t **rest = &j->at[COLUMN_READ_REST];
    if (byte >= READ_LONG || bytes > j->end[COLUMN_READ_REST] - *rest)
        return false;
    uint64_t value = bytes == 0 ? byte : unpack_be(*rest, bytes);
    if (bytes == 1)
        value |= (uint64_t)(byte - READ_SHORT) << 8;
    *rest += bytes;
    j->out = pack_uint(j->out, value);
    return j->out <= j->limit;
}

/* One read can end after the limit, by less than COLUMNS_SLACK; it is the last then. */
static bool take_run(struct join *j, unsigned run)
{
    for (unsigned i = 0; i < run; i++)
        if (!take_read(j, i ? COLUMN_NEXT_READ : COLUMN_FIRST_READ))
            return false;
    return true;
}

/* Put back what stands at `p`, in front of which `pending` bytes of records wait. Returns the byte after it, NULL if it makes
 * no sense, and `p` itself if it is an object that stayed whole. */
static const uint8_t *join_object(struct join *j, const uint8_t *p, const uint8_t *end, bool top)
{
    enum column column;
    unsigned moved, head = kept(p, end, &column, &moved);
    size_t pending = (size_t)(p - j->at[COLUMN_RECORDS]);
    if (head)
        return take(j, COLUMN_RECORDS, pending + head) && take(j, column, moved) ? p + head : NULL;
    if (!top || *p == 0 || *p > READ_RUN)
        return p;
    if (!take(j, COLUMN_RECORDS, pending) || !take_run(j, *p))
        return NULL;
    return j->at[COLUMN_RECORDS] = p + 1;
}

static bool join_all(struct join *j)
{
    const uint8_t *end = j->end[COLUMN_RECORDS];
    uint64_t inside = 0;
    for (const uint8_t *p = j->at[COLUMN_RECORDS], *next; p < end; p = next) {
        struct unpack u = {.type = UNPACK_NIL};
        next = join_object(j, p, end, inside == 0);
        if (next == p)
            next = unpack_next(p, end, &u);
        if (!next)
            return false;
        inside = remaining(inside, &u);
    }
    if (!take(j, COLUMN_RECORDS, (size_t)(end - j->at[COLUMN_RECORDS])) || j->out != j->limit)
        return false;
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (j->at[i] != j->end[i])
            return false;
    return true;
}

bool columns_join(const struct buffer *column, uint8_t *out, size_t length)
{
    struct join j = {.out = out, .limit = out + length};
    for (int i = 0; i < COLUMN_COUNT; i++) {
        j.at[i] = column[i].data;
        j.end[i] = column[i].data + column[i].length;
    }
    return join_all(&j);
}
