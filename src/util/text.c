#include "util/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

char *text_size(uint64_t bytes, char *out, size_t size)
{
    static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    if (bytes < 1024) {
        snprintf(out, size, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return out;
    }
    double value = (double)bytes / 1024;
    size_t i = 0;
    for (; value >= 1023.95 && i < 5; i++)
        value /= 1024;
    snprintf(out, size, "%.1f %s", value, unit[i]);
    return out;
}

char *text_duration(uint64_t ns, char *out, size_t size)
{
    uint64_t s = ns / 1000000000;
    if (!ns)
        snprintf(out, size, "0 s");
    else if (ns < 1000)
        snprintf(out, size, "%" PRIu64 " ns", ns);
    else if (ns < 1000000)
        snprintf(out, size, "%.1f us", (double)ns / 1e3);
    else if (ns < 1000000000)
        snprintf(out, size, "%.2f ms", (double)ns / 1e6);
    else if (s < 60)
        snprintf(out, size, "%.3f s", (double)ns / 1e9);
    else if (s < 3600)
        snprintf(out, size, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
    else
        snprintf(out, size, "%" PRIu64 " h %02" PRIu64 " min", s / 3600, s % 3600 / 60);
    return out;
}

char *text_count(uint64_t n, char *out, size_t size)
{
    char digits[24], grouped[TEXT_MAX];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *p = grouped;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    *p = '\0';
    snprintf(out, size, "%s", grouped);
    return out;
}

/* One byte as C would write it; returns its length. */
static size_t quote_byte(unsigned char c, char out[5])
{
    static const char escaped[] = "\"\"\\\\\nn\rr\tt";
    for (const char *p = escaped; *p; p += 2)
        if (c == (unsigned char)*p) {
            out[0] = '\\';
            out[1] = p[1];
            return 2;
        }
    if (c == 0)
        return memcpy(out, "\\0", 2), 2;
    if (c >= 0x20 && c < 0x7f)
        return out[0] = (char)c, 1;
    snprintf(out, 5, "\\x%02x", c);
    return 4;
}

char *text_quote(const void *data, size_t length, char *out, size_t size)
{
    const unsigned char *p = data;
    size_t used = 0, room = size > 6 ? size - 6 : 0; /* quotes, dots, NUL */
    if (!size)
        return out;
    if (!room)
        return *out = '\0', out;
    out[used++] = '"';
    size_t i = 0;
    for (; i < length; i++) {
        char one[5];
        size_t n = quote_byte(p[i], one);
        if (used + n > room)
            break;
        memcpy(out + used, one, n);
        used += n;
    }
    strcpy(out + used, i < length ? "\"..." : "\"");
    return out;
}

void text_shell(const char *word, FILE *out)
{
    bool plain = *word && !strchr("#~-", *word);
    for (const char *p = word; *p; p++)
        plain &= isalnum((unsigned char)*p) || strchr("_-./:,@%+=#~", *p) != NULL;
    if (!plain)
        putc('\'', out);
    for (const char *p = word; *p; p++)
        if (*p == '\'')
            fputs("'\\''", out);
        else
            putc((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p, out);
    if (!plain)
        putc('\'', out);
}

void text_hexdump(const void *data, size_t length, const char *indent, FILE *out)
{
    const unsigned char *p = data;
    for (size_t at = 0; at < length; at += 16) {
        size_t n = length - at < 16 ? length - at : 16;
        fprintf(out, "%s%06zx ", indent, at);
        for (size_t i = 0; i < 16; i++) {
            fputs(i == 8 ? "  " : " ", out);
            if (i < n)
                fprintf(out, "%02x", p[at + i]);
            else
                fputs("  ", out);
        }
        fputs("  ", out);
        for (size_t i = 0; i < n; i++)
            putc(isprint(p[at + i]) && p[at + i] < 0x7f ? p[at + i] : '.', out);
        putc('\n', out);
    }
}

size_t text_utf8(const unsigned char *p, size_t length)
{
    if (!length)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t width = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (!width || width > length)
        return 0;
    for (size_t i = 1; i < width; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return width;
}

void text_plain(const char *text, FILE *out)
{
    for (; *text; text++)
        putc(iscntrl((unsigned char)*text) ? '?' : *text, out);
}

void text_end(int status, char *out, size_t size)
{
    if (status < 0)
        snprintf(out, size, "ends, it is not known how");
    else if (WIFSIGNALED(status))
        snprintf(out, size, "is killed by signal %d", WTERMSIG(status));
    else
        snprintf(out, size, "ends with status %d", WEXITSTATUS(status));
}
