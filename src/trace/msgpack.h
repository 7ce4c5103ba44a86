/* msgpack for the shim: pack and unpack without allocation, without libc, a few instructions each.
 * Outside the shim the reader in trace/reader.h is built on the same functions, so that both ends change together.
 * Source: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md */
#ifndef DRD_TRACE_MSGPACK_H
#define DRD_TRACE_MSGPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes that pack_int, pack_bin_header and the like can write. */
#define PACK_MAX 9

static inline uint8_t *pack_be(uint8_t *p, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        *p++ = (uint8_t)(value >> (8 * i));
    return p;
}

static inline uint8_t *pack_uint(uint8_t *p, uint64_t v)
{
    if (v < 0x80)
        return *p = (uint8_t)v, p + 1;
    if (v <= 0xff)
        return *p = 0xcc, pack_be(p + 1, v, 1);
    if (v <= 0xffff)
        return *p = 0xcd, pack_be(p + 1, v, 2);
    if (v <= 0xffffffff)
        return *p = 0xce, pack_be(p + 1, v, 4);
    return *p = 0xcf, pack_be(p + 1, v, 8);
}

static inline uint8_t *pack_int(uint8_t *p, int64_t v)
{
    if (v >= 0)
        return pack_uint(p, (uint64_t)v);
    if (v >= -32)
        return *p = (uint8_t)v, p + 1;
    if (v >= INT8_MIN)
        return *p = 0xd0, pack_be(p + 1, (uint64_t)v, 1);
    if (v >= INT16_MIN)
        return *p = 0xd1, pack_be(p + 1, (uint64_t)v, 2);
    if (v >= INT32_MIN)
        return *p = 0xd2, pack_be(p + 1, (uint64_t)v, 4);
    return *p = 0xd3, pack_be(p + 1, (uint64_t)v, 8);
}

static inline uint8_t *pack_array_header(uint8_t *p, uint32_t n)
{
    if (n < 16)
        return *p = (uint8_t)(0x90 | n), p + 1;
    if (n <= 0xffff)
        return *p = 0xdc, pack_be(p + 1, n, 2);
    return *p = 0xdd, pack_be(p + 1, n, 4);
}

static inline uint8_t *pack_map_header(uint8_t *p, uint32_t n)
{
    if (n < 16)
        return *p = (uint8_t)(0x80 | n), p + 1;
    return *p = 0xde, pack_be(p + 1, n, 2);
}

static inline uint8_t *pack_bin_header(uint8_t *p, uint32_t n)
{
    if (n <= 0xff)
        return *p = 0xc4, pack_be(p + 1, n, 1);
    if (n <= 0xffff)
        return *p = 0xc5, pack_be(p + 1, n, 2);
    return *p = 0xc6, pack_be(p + 1, n, 4);
}

static inline uint8_t *pack_str_header(uint8_t *p, uint32_t n)
{
    if (n < 32)
        return *p = (uint8_t)(0xa0 | n), p + 1;
    if (n <= 0xff)
        return *p = 0xd9, pack_be(p + 1, n, 1);
    if (n <= 0xffff)
        return *p = 0xda, pack_be(p + 1, n, 2);
    return *p = 0xdb, pack_be(p + 1, n, 4);
}

enum unpack_type { UNPACK_BAD, UNPACK_INT, UNPACK_STR, UNPACK_BIN, UNPACK_ARRAY, UNPACK_MAP, UNPACK_EXT, UNPACK_BOOL, UNPACK_NIL };

/* One msgpack object: a scalar, or the header of a compound one. */
struct unpack {
    enum unpack_type type;
    int ext;               /* type of an ext */
    int64_t value;         /* integer or bool */
    uint32_t count;        /* elements of an array, pairs of a map */
    uint32_t length;       /* bytes of str, bin, ext */
    const uint8_t *data;   /* those bytes, inside the input */
};

static inline uint64_t unpack_be(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

/* Read one object or compound header at `p`. Returns the first byte after it (after its data for str, bin and ext), or
 * NULL if it does not end before `end` or is of a kind that no trace holds (float). Never reads past `end`. */
static inline const uint8_t *unpack_next(const uint8_t *p, const uint8_t *end, struct unpack *u)
{
    if (p >= end)
        return u->type = UNPACK_BAD, NULL;
    uint8_t tag = *p++;
    size_t left = (size_t)(end - p);
    int width = 0; /* bytes of the number after the tag */
    enum unpack_type type = UNPACK_BAD;
    bool is_signed = false;
    u->data = NULL;
    u->count = u->length = 0;
    if (tag < 0x80 || tag >= 0xe0)
        return u->type = UNPACK_INT, u->value = (int8_t)tag, p;
    if (tag < 0x90)
        return u->type = UNPACK_MAP, u->count = tag & 15, p;
    if (tag < 0xa0)
        return u->type = UNPACK_ARRAY, u->count = tag & 15, p;
    if (tag < 0xc0) {
        type = UNPACK_STR;
        u->length = tag & 31;
    } else if (tag >= 0xc4 && tag <= 0xc6) {
        type = UNPACK_BIN, width = 1 << (tag - 0xc4);
    } else if (tag >= 0xc7 && tag <= 0xc9) {
        type = UNPACK_EXT, width = 1 << (tag - 0xc7);
    } else if (tag >= 0xcc && tag <= 0xcf) {
        type = UNPACK_INT, width = 1 << (tag - 0xcc);
    } else if (tag >= 0xd0 && tag <= 0xd3) {
        type = UNPACK_INT, width = 1 << (tag - 0xd0), is_signed = true;
    } else if (tag >= 0xd9 && tag <= 0xdb) {
        type = UNPACK_STR, width = 1 << (tag - 0xd9);
    } else if (tag == 0xdc || tag == 0xdd) {
        type = UNPACK_ARRAY, width = tag == 0xdc ? 2 : 4;
    } else if (tag == 0xde || tag == 0xdf) {
        type = UNPACK_MAP, width = tag == 0xde ? 2 : 4;
    } else if (tag == 0xc2 || tag == 0xc3) {
        return u->type = UNPACK_BOOL, u->value = tag & 1, p;
    } else if (tag == 0xc0) {
        return u->type = UNPACK_NIL, p;
    } else {
        return u->type = UNPACK_BAD, NULL;
    }
    if (left < (size_t)width)
        return u->type = UNPACK_BAD, NULL;
    uint64_t number = unpack_be(p, width);
    p += width;
    left -= (size_t)width;
    u->type = type;
    if (type == UNPACK_INT) {
        int shift = 64 - 8 * width;
        u->value = is_signed ? (int64_t)(number << shift) >> shift : (int64_t)number;
        return p;
    }
    if (type == UNPACK_ARRAY || type == UNPACK_MAP)
        return u->count = (uint32_t)number, p;
    if (width)
        u->length = (uint32_t)number;
    if (type == UNPACK_EXT) {
        if (!left)
            return u->type = UNPACK_BAD, NULL;
        u->ext = (int8_t)*p++;
        left--;
    }
    if (left < u->length)
        return u->type = UNPACK_BAD, NULL;
    u->data = p;
    return p + u->length;
}

/* Skip one whole object, nested ones included, in bounded memory. Returns the byte after it, or NULL as unpack_next. */
static inline const uint8_t *unpack_skip(const uint8_t *p, const uint8_t *end)
{
    uint64_t pending = 1; /* objects still to be read */
    while (pending) {
        struct unpack u;
        if (!(p = unpack_next(p, end, &u)))
            return NULL;
        pending--;
        pending += u.type == UNPACK_ARRAY ? u.count : u.type == UNPACK_MAP ? 2ul * u.count : 0;
        if (pending > (uint64_t)(end - p))
            return NULL; /* each object takes at least a byte */
    }
    return p;
}

#endif
