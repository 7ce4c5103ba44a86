/* Text of others in formats of others: what a node said must stay text. */
#include "report/triage.h"

#include <string.h>

#include "util/text.h"

/* U+FFFD stands for what is no UTF-8, and for what a format cannot hold. */
#define REPLACEMENT "\xef\xbf\xbd"

/* The next character: its bytes, or one that cannot be shown. */
static size_t next(const char *p, bool *bad)
{
    size_t length = text_utf8((const unsigned char *)p, strlen(p));
    *bad = length == 0;
    return length ? length : 1;
}

/* XML 1.0, production Char: of the controls tab, CR and LF alone; no U+FFFE, U+FFFF. Surrogates are no UTF-8. */
static bool xml_char(const char *p, size_t length)
{
    if (length == 1)
        return (unsigned char)*p >= ' ' || *p == '\t' || *p == '\n' || *p == '\r';
    return !(length == 3 && !memcmp(p, "\xef\xbf", 2) && (unsigned char)p[2] >= 0xbe);
}

void escape_xml(const char *text, FILE *out)
{
    bool bad;
    for (size_t n; *text; text += n) {
        n = next(text, &bad);
        if (bad || !xml_char(text, n))
            fputs(REPLACEMENT, out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '"')
            fputs("&quot;", out);
        else if (*text == '\'')
            fputs("&#39;", out);
        else
            fwrite(text, 1, n, out);
    }
}

/* Every ASCII punctuation character may be escaped by a backslash (CommonMark 2.4); HTML characters as entities. '@' and '#'
 * are split from what follows by an entity, so that nobody is mentioned and no issue is linked. */
void escape_markdown(const char *text, FILE *out)
{
    bool bad;
    for (size_t n; *text; text += n) {
        n = next(text, &bad);
        unsigned char c = (unsigned char)*text;
        if (bad)
            fputs(REPLACEMENT, out);
        else if (c < ' ' || c == 127)
            fputc(' ', out);
        else if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (c == '@')
            fputs("&#64;", out);
        else if (c == '#')
            fputs("&#35;", out);
        else if (strchr("\\`*_{}[]()!|~$", c))
            fprintf(out, "\\%c", c);
        else
            fwrite(text, 1, n, out);
    }
}

/* A span of code ends at as many backticks as it began with (CommonMark 6.1). In a table a '|' has to be escaped even there
 * (GFM 4.10), so spans are not used in tables. */
void escape_code(const char *text, FILE *out)
{
    size_t longest = 0, run = 0;
    bool bad;
    for (const char *p = text; *p; p++) {
        run = *p == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++)
        fputc('`', out);
    fputs(longest ? " " : "", out);
    for (size_t n; *text; text += n) {
        n = next(text, &bad);
        if (bad)
            fputs(REPLACEMENT, out);
        else if ((unsigned char)*text < ' ' || *text == 127)
            fputc(' ', out);
        else
            fwrite(text, 1, n, out);
    }
    fputs(longest ? " " : "", out);
    for (size_t i = 0; i <= longest; i++)
        fputc('`', out);
}

/* actions/toolkit, packages/core/src/command.ts: escapeData and escapeProperty. */
static void annotation(const char *text, bool property, FILE *out)
{
    bool bad;
    for (size_t n; *text; text += n) {
        n = next(text, &bad);
        if (bad)
            fputs(REPLACEMENT, out);
        else if (*text == '%' || *text == '\r' || *text == '\n' || (property && (*text == ':' || *text == ',')))
            fprintf(out, "%%%02X", (unsigned char)*text);
        else if ((unsigned char)*text < ' ' || *text == 127)
            fputc(' ', out);
        else
            fwrite(text, 1, n, out);
    }
}

void escape_annotation(const char *text, FILE *out)
{
    annotation(text, false, out);
}

void escape_property(const char *text, FILE *out)
{
    annotation(text, true, out);
}

void escape_terminal(const char *text, FILE *out)
{
    bool bad;
    for (size_t n; *text; text += n) {
        n = next(text, &bad);
        bool control = (n == 1 && ((unsigned char)*text < ' ' || *text == 127)) || (n == 2 && !memcmp(text, "\xc2", 1) &&
                       (unsigned char)text[1] < 0xa0); /* C1: some terminals obey them */
        if (bad || control)
            fputs(REPLACEMENT, out);
        else
            fwrite(text, 1, n, out);
    }
}
