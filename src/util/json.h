/* A streaming JSON writer: no tree, no allocation. Output is compact; each value at the top ends with a newline, so that
 * several of them are JSON lines.
 *
 * Integers beyond 2^53 are written as strings: JavaScript and jq would round them. Strings may hold any bytes: what is not
 * UTF-8 becomes U+FFFD, one for each byte. */
#ifndef DRD_UTIL_JSON_H
#define DRD_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 32

struct json {
    FILE *out;
    int depth;
    bool keyed;             /* a key was written, its value comes next */
    bool filled[JSON_DEPTH]; /* the container at this depth has a member already */
    char close[JSON_DEPTH];
};

void json_init(struct json *j, FILE *out);

void json_object(struct json *j); /* { ... until json_end */
void json_array(struct json *j);  /* [ ... until json_end */
void json_end(struct json *j);
void json_key(struct json *j, const char *key);

void json_string(struct json *j, const char *text); /* NULL: null */
void json_bytes(struct json *j, const void *data, size_t length);  /* as a string */
void json_hex(struct json *j, const void *data, size_t length);    /* as a string of hex digits */
void json_int(struct json *j, int64_t value);
void json_uint(struct json *j, uint64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);

/* Key and value at once. */
void json_put_string(struct json *j, const char *key, const char *text);
void json_put_int(struct json *j, const char *key, int64_t value);
void json_put_uint(struct json *j, const char *key, uint64_t value);
void json_put_bool(struct json *j, const char *key, bool value);

#endif
