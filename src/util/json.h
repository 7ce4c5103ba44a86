/* A streaming JSON writer: no tree, no allocation. Output is compact; each value at the top ends with a newline, so that
 * several of them are JSON lines.
 *
 * Integers beyond 2^53 are written as strings: JavaScript and jq would round them. Strings may hold any bytes: what is not
 * UTF-8 becomes U+FFFD, one for each byte.
 *
 * Functions begin with jw_: json_ belongs to jansson, which other files use to read. */
#ifndef DRD_UTIL_JSON_H
#define DRD_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 32

struct json_writer {
    FILE *out;
    int depth;
    bool keyed;              /* a key was written, its value comes next */
    bool filled[JSON_DEPTH]; /* the container at this depth has a member already */
    char close[JSON_DEPTH];
};

void jw_init(struct json_writer *j, FILE *out);

void jw_object(struct json_writer *j); /* { ... until jw_end */
void jw_array(struct json_writer *j);  /* [ ... until jw_end */
void jw_end(struct json_writer *j);
void jw_key(struct json_writer *j, const char *key);

void jw_string(struct json_writer *j, const char *text); /* NULL: null */
void jw_bytes(struct json_writer *j, const void *data, size_t length);  /* as a string */
void jw_hex(struct json_writer *j, const void *data, size_t length);    /* as a string of hex digits */
void jw_int(struct json_writer *j, int64_t value);
void jw_uint(struct json_writer *j, uint64_t value);
void jw_bool(struct json_writer *j, bool value);
void jw_null(struct json_writer *j);

/* Key and value at once. */
void jw_put_string(struct json_writer *j, const char *key, const char *text);
void jw_put_int(struct json_writer *j, const char *key, int64_t value);
void jw_put_uint(struct json_writer *j, const char *key, uint64_t value);
void jw_put_bool(struct json_writer *j, const char *key, bool value);

#endif
