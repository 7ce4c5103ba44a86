#include "report/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static uint32_t decode(const unsigned char *p, size_t length)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = p[0] & masks[length];
    for (size_t i = 1; i < length; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

/* Characters that are not seen themselves, but change what is seen around them (Unicode: Bidi_Control, line and paragraph
 * separators, zero width, tags), and noncharacters. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c & 0xfffe) == 0xfffe || (c >= 0xe0000 && c <= 0xe0fff);
}

/* The next character of `p`, made visible; returns how many bytes it took. */
static size_t clean_next(const unsigned char *p, size_t left, char out[16])
{
    size_t length = text_utf8(p, left);
    if (!length) {
        snprintf(out, 16, "\\x%02x", *p);
        return 1;
    }
    uint32_t c = decode(p, length);
    if (is_hidden(c)) {
        snprintf(out, 16, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
    } else {
        memcpy(out, p, length);
        out[length] = '\0';
    }
    return length;
}

void html_clean(const char *text, char *out, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left = strlen(text), used = 0;
    char one[16];
    while (left) {
        size_t taken = clean_next(p, left, one), length = strlen(one);
        if (used + length >= size)
            break;
        memcpy(out + used, one, length);
        used += length;
        p += taken;
        left -= taken;
    }
    if (size)
        out[used] = '\0';
}

static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: putc(*text, out);
        }
    }
}

void html_put(FILE *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left = strlen(text);
    char one[16];
    while (left) {
        size_t taken = clean_next(p, left, one);
        put_escaped(out, one);
        p += taken;
        left -= taken;
    }
}

void html_printf(FILE *out, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) >= 0)
        html_put(out, text);
    va_end(args);
    free(text);
}
