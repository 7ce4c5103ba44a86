/* Python pickles, read as data: protocols 0 to 5. Nothing is imported, called or built. What a pickle would have made by
 * running code (GLOBAL, REDUCE, BUILD, persistent ids, extensions) is a PICKLE_OBJECT that holds its parts; the one call
 * that stands for plain data, bytes in protocols below 3 (_codecs.encode of a text in latin1), is taken for those bytes.
 * Source: Lib/pickletools.py and Lib/pickle.py of Python 3.11.
 *
 * The bytes are hostile: memory is bounded by PICKLE_MEMORY_MAX, work by the length of the pickle and that memory, and
 * nothing here descends. Through the memo a value may stand in many places, itself included: who descends bounds it. */
#ifndef DRD_PROTOCOL_PICKLE_H
#define DRD_PROTOCOL_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICKLE_MEMORY_MAX (64u << 20)

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,   /* number */
    PICKLE_INT,    /* number */
    PICKLE_LONG,   /* bytes: an integer beyond 64 bits, as it stands in the pickle */
    PICKLE_FLOAT,  /* real */
    PICKLE_BYTES,  /* bytes; also the str of Python 2 and bytearray */
    PICKLE_TEXT,   /* bytes: UTF-8 */
    PICKLE_TUPLE,  /* items */
    PICKLE_LIST,   /* items */
    PICKLE_SET,    /* items; protocols below 4 make an object of it */
    PICKLE_DICT,   /* items: key, value, key, value, ... */
    PICKLE_GLOBAL, /* bytes: "module name" */
    PICKLE_OBJECT, /* items: what was called, its arguments, the state it was given; NULL where there is none */
};

struct pickle_value {
    enum pickle_kind kind;
    union {
        int64_t number;
        double real;
        struct {
            const uint8_t *data; /* into the pickle, or the reader's memory */
            size_t length;
        } bytes;
        struct {
            struct pickle_value **item;
            size_t count, capacity;
        } items;
    };
};

struct pickle;

/* NULL: not a whole pickle, too much of one, or no memory. `data` must stay until pickle_free. Bytes after the pickle's end
 * are left alone. */
struct pickle *pickle_read(const uint8_t *data, size_t length);
void pickle_free(struct pickle *p);
const struct pickle_value *pickle_root(const struct pickle *p);

/* All take NULL for a value, as what the others give where there is nothing. */
const struct pickle_value *pickle_item(const struct pickle_value *v, size_t index); /* of anything with items */
const struct pickle_value *pickle_get(const struct pickle_value *dict, const char *key);
bool pickle_number(const struct pickle_value *v, uint64_t *number); /* an int from 0 to 2^64 - 1 */
bool pickle_is_text(const struct pickle_value *v, const char *text);
bool pickle_is_true(const struct pickle_value *v);
/* The bytes of BYTES or TEXT; false of others. */
bool pickle_bytes(const struct pickle_value *v, const uint8_t **data, size_t *length);
/* As a Python programmer would write it, cut where `out` ends. Descends a few levels only. */
void pickle_print(const struct pickle_value *v, char *out, size_t size);

#endif
