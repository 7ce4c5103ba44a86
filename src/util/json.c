#include "util/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "util/text.h"

#define EXACT (INT64_C(1) << 53) /* integers up to here survive a double */

void jw_init(struct json_writer *j, FILE *out)
{
    *j = (struct json_writer){ .out = out };
}

/* Before every key, and before every value that has none. */
static void separate(struct json_writer *j)
{
    if (j->keyed) {
        j->keyed = false;
        return;
    }
    if (j->depth && j->filled[j->depth - 1])
        putc(',', j->out);
    if (j->depth)
        j->filled[j->depth - 1] = true;
}

/* After every value: at the top it ends a line. */
static void finish(struct json_writer *j)
{
    if (!j->depth)
        putc('\n', j->out);
}

static void open_container(struct json_writer *j, char open, char close)
{
    assert(j->depth < JSON_DEPTH);
    separate(j);
    putc(open, j->out);
    j->filled[j->depth] = false;
    j->close[j->depth++] = close;
}

void jw_object(struct json_writer *j)
{
    open_container(j, '{', '}');
}

void jw_array(struct json_writer *j)
{
    open_container(j, '[', ']');
}

void jw_end(struct json_writer *j)
{
    assert(j->depth && !j->keyed);
    putc(j->close[--j->depth], j->out);
    finish(j);
}

static void put_ascii(FILE *out, unsigned char c)
{
    static const char escaped[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *p = escaped; *p; p += 2)
        if (c == (unsigned char)*p) {
            fprintf(out, "\\%c", p[1]);
            return;
        }
    if (c < 0x20 || c == 0x7f)
        fprintf(out, "\\u%04x", c);
    else
        putc(c, out);
}

static void put_quoted(FILE *out, const unsigned char *p, size_t length)
{
    putc('"', out);
    for (size_t i = 0; i < length;) {
        size_t width = p[i] < 0x80 ? 1 : text_utf8(p + i, length - i);
        if (width == 1)
            put_ascii(out, p[i]);
        else if (width)
            fwrite(p + i, 1, width, out);
        else
            fputs("\\ufffd", out);
        i += width ? width : 1;
    }
    putc('"', out);
}

void jw_key(struct json_writer *j, const char *key)
{
    assert(j->depth && j->close[j->depth - 1] == '}' && !j->keyed);
    separate(j);
    put_quoted(j->out, (const unsigned char *)key, strlen(key));
    putc(':', j->out);
    j->keyed = true;
}

void jw_bytes(struct json_writer *j, const void *data, size_t length)
{
    separate(j);
    put_quoted(j->out, data, length);
    finish(j);
}

void jw_string(struct json_writer *j, const char *text)
{
    if (text)
        jw_bytes(j, text, strlen(text));
    else
        jw_null(j);
}

void jw_hex(struct json_writer *j, const void *data, size_t length)
{
    separate(j);
    putc('"', j->out);
    for (size_t i = 0; i < length; i++)
        fprintf(j->out, "%02x", ((const unsigned char *)data)[i]);
    putc('"', j->out);
    finish(j);
}

void jw_int(struct json_writer *j, int64_t value)
{
    separate(j);
    const char *quote = value > EXACT || value < -EXACT ? "\"" : "";
    fprintf(j->out, "%s%" PRId64 "%s", quote, value, quote);
    finish(j);
}

void jw_uint(struct json_writer *j, uint64_t value)
{
    separate(j);
    const char *quote = value > (uint64_t)EXACT ? "\"" : "";
    fprintf(j->out, "%s%" PRIu64 "%s", quote, value, quote);
    finish(j);
}

static void literal(struct json_writer *j, const char *word)
{
    separate(j);
    fputs(word, j->out);
    finish(j);
}

void jw_bool(struct json_writer *j, bool value)
{
    literal(j, value ? "true" : "false");
}

void jw_null(struct json_writer *j)
{
    literal(j, "null");
}

void jw_put_string(struct json_writer *j, const char *key, const char *text)
{
    jw_key(j, key);
    jw_string(j, text);
}

void jw_put_int(struct json_writer *j, const char *key, int64_t value)
{
    jw_key(j, key);
    jw_int(j, value);
}

void jw_put_uint(struct json_writer *j, const char *key, uint64_t value)
{
    jw_key(j, key);
    jw_uint(j, value);
}

void jw_put_bool(struct json_writer *j, const char *key, bool value)
{
    jw_key(j, key);
    jw_bool(j, value);
}
