/* A name for the bug behind a run, the same whenever it strikes again.
 *
 * Algorithm 3: where a broken rule is the cause, its class, which of the decisions of that class it was, and its program.
 * All of these are ids; the words that tell of it are no part of it, so that they may be mended. Nor is what came of it, the
 * property that broke or what was spoilt before that: with another schedule the same mistake breaks another property, or
 * none. Nor is the protocol: with marks the same mistake is seen by other means. Nor is the place in the program, which is
 * not known where the program is not, and moves when it is edited. Where no cause is known, the property is all there is. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "explain/explain.h"

#define ALGORITHM 3

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '#' || c == '-' || c == '.' || c == '/' || c == '@' || (c & 0x80);
}

static bool is_name(const char *name, const char *word, size_t length)
{
    return length && strlen(name) == length && memcmp(name, word, length) == 0;
}

static bool names_node(const struct raft_model *m, const char *word, size_t length)
{
    for (size_t i = 0; m && i < m->nodes; i++) {
        if (is_name(m->node[i].name, word, length) || is_name(m->node[i].id, word, length))
            return true;
    }
    for (size_t c = 0; m && c < m->clusters; c++) {
        for (size_t i = 0; i < m->cluster[c].peers; i++)
            if (is_name(m->cluster[c].peer[i].id, word, length))
                return true;
    }
    return false;
}

static bool is_unit(const char *word, size_t length)
{
    static const char *const unit[] = {"ns", "us", "ms", "s", "min", "h"};
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
        if (is_name(unit[i], word, length))
            return true;
    return false;
}

/* What stands for a word; "": nothing; NULL: the word itself. */
static const char *stands_for(const struct raft_model *m, const char *word, size_t length, bool after_number)
{
    if (isdigit((unsigned char)*word) && strspn(word, "0123456789.") >= length) /* although it may be some node's id */
        return "N";
    if (names_node(m, word, length) || is_name("itself", word, length))
        return "NODE";
    if (after_number && is_unit(word, length))
        return "";
    if (memchr(word, '/', length))
        return "PATH";
    for (size_t i = 0; i < length; i++)
        if (isdigit((unsigned char)word[i]))
            return "N";
    return NULL;
}

/* Length of the quoted text at p, with its quotes; a quote that is not closed is a character like others. */
static size_t quoted(const char *p)
{
    size_t i = 1;
    while (p[i] && p[i] != '"')
        i += p[i] == '\\' && p[i + 1] ? 2 : 1;
    return p[i] ? i + 1 : 1;
}

static void put(char *out, size_t size, size_t *used, const char *text, size_t length)
{
    for (size_t i = 0; i < length && *used + 1 < size; i++)
        out[(*used)++] = text[i];
}

void fingerprint_phrase(const struct raft_model *m, const char *text, char *out, size_t size)
{
    size_t used = 0;
    bool number = false;
    for (const char *p = text; *p;) {
        size_t length = 0;
        while (is_word(p[length]))
            length++;
        while (length > 1 && p[length - 1] == '.') /* that of a sentence */
            length--;
        if (!length) {
            size_t skip = *p == '"' ? quoted(p) : 1;
            put(out, size, &used, skip > 1 ? "Q" : p, 1);
            number = number && isspace((unsigned char)*p);
            p += skip;
            continue;
        }
        const char *other = stands_for(m, p, length, number);
        if (other && !*other && used && out[used - 1] == ' ')
            used--;
        put(out, size, &used, other ? other : p, other ? strlen(other) : length);
        number = other && *other == 'N' && !other[1];
        p += length;
    }
    out[used] = '\0';
}

void fingerprint_make(const char *text, const char *suffix, struct verdict_fingerprint *out)
{
    out->algorithm = ALGORITHM;
    snprintf(out->text, sizeof out->text, "%s", text);
    uint64_t hash = XXH3_64bits(out->text, strlen(out->text));
    snprintf(out->value, sizeof out->value, "%06" PRIx64 "-%s", hash & 0xffffff, suffix);
}

/* The program of the node that did it, without its version: "raftkv", "pythonN". "" if it is not known. */
static void program_of(const struct verdict *v, char *out, size_t size)
{
    const struct raft_witness *w = v->cause.rule_break ? &v->cause.rule_break->at : verdict_first(v->finding);
    const char *exe = NULL;
    size_t used = 0;
    for (size_t i = 0; w && i < v->processes; i++)
        if (v->process[i].number == w->process)
            exe = v->process[i].exe;
    const char *slash = exe ? strrchr(exe, '/') : NULL;
    for (const char *p = slash ? slash + 1 : exe ? exe : ""; *p && used + 1 < size; used++) {
        bool digit = isdigit((unsigned char)*p);
        out[used] = *p;
        if (digit)
            out[used] = 'N';
        p += digit ? strspn(p, "0123456789.") : 1;
    }
    out[used] = '\0';
}

bool verdict_fingerprint(const struct verdict *v, struct verdict_fingerprint *out)
{
    const struct raft_break *b = v->cause.rule_break;
    char text[sizeof out->text], program[40];
    if (!v->finding && !b)
        return false;
    program_of(v, program, sizeof program);
    const char *behind = *program ? "; " : "";
    if (b)
        snprintf(text, sizeof text, "%s; %s%s%s", raft_classes[b->class].id, b->shape, behind, program);
    else
        snprintf(text, sizeof text, "%s; cause unknown%s%s", raft_property_names[v->finding->property].id, behind, program);
    fingerprint_make(text, b ? raft_classes[b->class].id : "T00", out);
    return true;
}
