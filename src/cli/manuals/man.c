/* Man pages, in the macros of man(7). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/manuals/manuals.h"

#define COLUMNS 60 /* of running text in the source: mandoc wants lines of less than 80, with names and escapes */

/* One character as roff reads it. A hyphen could be part of an option: never the typographical one. */
static void put(char c, FILE *out)
{
    static const struct {
        char plain;
        const char *roff;
    } special[] = {
        { '\\', "\\e" }, { '-', "\\-" }, { '\'', "\\(aq" }, { '`', "\\(ga" }, { '^', "\\(ha" }, { '~', "\\(ti" }, { '"', "\\(dq" },
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (special[i].plain == c) {
            fputs(special[i].roff, out);
            return;
        }
    fputc(c, out);
}

static void put_all(const char *text, size_t length, FILE *out)
{
    if (length && *text == '.')
        fputs("\\&", out); /* not a macro */
    for (size_t i = 0; i < length; i++)
        put(text[i], out);
}

/* Running text, in lines that break between words. */
static void put_text(const char *text, size_t length, FILE *out)
{
    size_t column = 0;
    for (const char *p = text, *end = text + length; p < end;) {
        size_t space = strspn(p, " "), word = strcspn(p + space, " \n");
        if (p + space + word > end)
            word = p + space < end ? (size_t)(end - p - space) : 0;
        if (!word)
            break;
        if (column)
            fputc(column + word > COLUMNS ? '\n' : ' ', out);
        column = column + word > COLUMNS ? word : column + word + 1;
        put_all(p + space, word, out);
        p += space + word;
    }
    fputc('\n', out);
}

/* A cell of a Markdown table, `code` in bold, in lines that break between words. */
static void put_markdown(const char *text, size_t length, FILE *out)
{
    bool bold = false;
    size_t column = 0;
    for (size_t i = 0; i < length; i++) {
        column++;
        if (text[i] == '`') {
            bold = !bold;
            fputs(bold ? "\\fB" : "\\fR", out);
        } else if (text[i] == ' ' && column > COLUMNS) {
            fputc('\n', out);
            column = 0;
        } else {
            put(text[i], out);
        }
    }
    fputc('\n', out);
}

/* --- parts of a page --- */

static void put_head(const char *name, const char *released, FILE *out)
{
    fputs(".TH ", out);
    for (const char *p = name; *p; p++)
        put((char)toupper((unsigned char)*p), out);
    fprintf(out, " 1 %s \"drd %s\" \"DRD manual\"\n.SH NAME\n", released, DRD_VERSION);
    put_all(name, strlen(name), out);
}

static void put_option(const struct args_option *o, FILE *out)
{
    fputs(".TP\n", out);
    if (o->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", out);
    put_all(o->name, strlen(o->name), out);
    fputs("\\fR", out);
    if (o->argument) {
        fputs(" \\fI", out);
        put_all(o->argument, strlen(o->argument), out);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    put_text(o->help, strlen(o->help), out);
}

static void put_options(const struct drd_command *c, FILE *out)
{
    const struct args_option *tables[ARGS_TABLES + 1];
    cmd_options(c, tables);
    for (size_t i = 0; tables[i]; i++)
        for (const struct args_option *o = tables[i]; o->type != ARGS_END; o++)
            put_option(o, out);
}

/* "  cut A B...   break the connections": a word with its meaning, apart by at least two spaces. NULL: no such line. */
static const char *item_meaning(const char *line, size_t length, size_t indent)
{
    for (size_t i = indent; i + 2 < length; i++)
        if (line[i] == ' ' && line[i + 1] == ' ')
            return line + i + strspn(line + i, " ");
    return NULL;
}

/* A line of help that is indented. `item` is where the text of the item above it begins, 0 without one. */
static size_t put_indented(const char *line, size_t length, size_t indent, size_t item, FILE *out)
{
    const char *text = item_meaning(line, length, indent);
    if (item && indent >= item) {
        put_text(line + indent, length - indent, out);
        return item;
    }
    if (text) {
        size_t term = (size_t)(text - line) - indent;
        while (line[indent + term - 1] == ' ')
            term--;
        fputs(".TP\n\\fB", out);
        put_all(line + indent, term, out);
        fputs("\\fR\n", out);
        put_text(text, length - (size_t)(text - line), out);
        return (size_t)(text - line);
    }
    fputs(".PP\n.nf\n", out);
    put_all(line, length, out);
    fputs("\n.fi\n", out);
    return 0;
}

/* The help of a command: lines from the left margin are running text, a paragraph where the line above ended with a full stop;
 * indented ones are items or stand as they are. */
static void put_help(const char *help, FILE *out)
{
    size_t item = 0;
    bool running = true; /* the next line continues the paragraph */
    for (const char *line = help; *line;) {
        size_t length = strcspn(line, "\n"), indent = strspn(line, " ");
        if (!length) {
            running = false;
        } else if (indent) {
            item = put_indented(line, length, indent, item, out);
            running = false;
        } else {
            if (!running)
                fputs(".PP\n", out);
            put_text(line, length, out);
            item = 0;
            running = line[length - 1] != '.';
        }
        line += length + (line[length] == '\n');
    }
}

void man_page(const struct drd_command *c, const char *released, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "drd-%s", c->name);
    put_head(name, released, out);
    fputs(" \\- ", out);
    put_text(c->summary, strlen(c->summary), out);
    fprintf(out, ".SH SYNOPSIS\n\\fBdrd %s\\fR [\\fIOPTION\\fR]...", c->name);
    if (*c->positional) {
        fputs(" \\fI", out);
        put_all(c->positional, strlen(c->positional), out);
        fputs("\\fR", out);
    }
    fputs("\n.SH DESCRIPTION\n", out);
    put_help(c->help, out);
    fputs(".SH OPTIONS\n", out);
    put_options(c, out);
    fputs(".SH EXIT STATUS\nThe codes of all commands are listed in\n.BR drd (1).\n.SH SEE ALSO\n.BR drd (1)\n", out);
}

/* --- drd(1) --- */

/* The rows of the first table below `mark`, as items: the first column is the term. */
static bool put_table(const char *docs, const char *file, const char *mark, FILE *out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", docs, file);
    char *text = manuals_text(path);
    const char *line = text ? strstr(text, mark) : NULL;
    line = line ? strstr(line, "\n| --- ") : NULL;
    bool found = false;
    for (line = line ? strchr(line + 1, '\n') : NULL; line && line[1] == '|'; line = strchr(line + 1, '\n')) {
        const char *term = line + 3, *middle = strstr(term, " | "), *end = strstr(term, " |\n");
        if (!middle || !end || middle >= end)
            break;
        fputs(".TP\n", out);
        put_markdown(term, (size_t)(middle - term), out);
        put_markdown(middle + 3, (size_t)(end - middle - 3), out);
        found = true;
    }
    if (!found)
        fprintf(stderr, "drd_manuals: no table after \"%s\" in %s\n", mark, path);
    free(text);
    return found;
}

bool man_overview(const char *docs, const char *released, FILE *out)
{
    put_head("drd", released, out);
    fputs(" \\- a deterministic replay debugger for Raft clusters\n.SH SYNOPSIS\n"
          "\\fBdrd\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n.br\n"
          "\\fBdrd\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR\n.br\n\\fBdrd\\fR \\fB\\-\\-version\\fR\n.SH DESCRIPTION\n", out);
    static const char what[] = "DRD records the processes of a cluster without changing them, re-drives each of them bit for "
                               "bit from that recording alone, and says which property of Raft broke, by which mistake of which node.";
    put_text(what, strlen(what), out);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < cmd_count; i++) {
        fprintf(out, ".TP\n.BR drd\\-%s (1)\n", cmd_table[i]->name);
        put_text(cmd_table[i]->summary, strlen(cmd_table[i]->summary), out);
    }
    fputs(".SH ENVIRONMENT\n", out);
    bool good = put_table(docs, "drd-help.md", "## Environment", out);
    fputs(".SH EXIT STATUS\n", out);
    good = put_table(docs, "exit-codes.md", "# Exit codes", out) && good;
    fputs(".SH SEE ALSO\n", out);
    for (size_t i = 0; i < cmd_count; i++)
        fprintf(out, ".BR drd\\-%s (1)%s\n", cmd_table[i]->name, i + 1 < cmd_count ? "," : "");
    return good;
}
