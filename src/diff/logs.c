/* The logs of nodes side by side, by index, around where they differ. */
#include <inttypes.h>
#include <string.h>

#include "diff/diff.h"
#include "util/text.h"

#define WIDTH_MOST 22
#define LINE_WIDTH 110
#define INDEXES_MOST 10000000 /* of a log; an index comes from a file, and may be any number */

static const struct diff_event *cell(const struct diff_column *c, uint64_t index)
{
    return diff_run_entry(c->run, c->node, index);
}

static bool same_entry(const struct diff_event *a, const struct diff_event *b, const char *x, const char *y)
{
    if (!a || !b)
        return a == b;
    if (a->type == 'm' || b->type == 'm')
        return a->term == b->term && a->type == b->type;
    return a->term == b->term && (a->content == b->content || !strcmp(x, y));
}

static bool row_differs(const struct diff_column *column, size_t columns, uint64_t index)
{
    const struct diff_event *first = cell(&column[0], index);
    for (size_t i = 1; i < columns; i++) {
        const struct diff_event *other = cell(&column[i], index);
        bool compacted = column[i].run->node[column[i].node].base >= index ||
            column[0].run->node[column[0].node].base >= index;
        if (!compacted && !same_entry(first, other, first ? diff_run_text(column[0].run, first) : "",
                                      other ? diff_run_text(column[i].run, other) : ""))
            return true;
    }
    return false;
}

static void cell_words(const struct diff_column *c, uint64_t index, char *out, size_t size)
{
    const struct diff_event *event = cell(c, index);
    const struct diff_node *n = &c->run->node[c->node];
    char text[64];
    if (!event) {
        snprintf(out, size, "%s", n->base >= index ? "(snapshot)" : ".");
        return;
    }
    const char *words = diff_run_text(c->run, event);
    const char *what = event->type == 'm' ? "members" : event->type == 'n' ? "no-op"
                       : text_quote(words, strlen(words), text, sizeof text);
    char mark[4] = "";
    if (n->applied >= index || n->commit >= index)
        snprintf(mark, sizeof mark, " %c", n->applied >= index ? 'a' : 'c');
    snprintf(out, size, "%" PRIu64 " %.*s%s", event->term, (int)(size > 8 ? size - 7 : 1), what, mark);
}

static size_t column_width(size_t columns)
{
    size_t width = (LINE_WIDTH - 10) / (columns ? columns : 1);
    return width > WIDTH_MOST ? WIDTH_MOST : width < 12 ? 12 : width;
}

static void print_row(const struct diff_column *column, size_t columns, uint64_t index, bool differs,
                      const struct diff_style *s, FILE *out)
{
    char words[WIDTH_MOST + 8];
    size_t width = column_width(columns);
    fprintf(out, "%s%c %6" PRIu64, differs ? s->bad : "", differs ? '>' : ' ', index);
    for (size_t i = 0; i < columns; i++) {
        cell_words(&column[i], index, words, width);
        fprintf(out, "  %-*s", (int)width - 2, words);
    }
    fprintf(out, "%s\n", differs ? s->plain : "");
}

static void print_titles(const struct diff_column *column, size_t columns, const struct diff_style *s, FILE *out)
{
    size_t width = column_width(columns);
    char title[160];
    fprintf(out, "%sLOGS%s  ", s->strong, s->plain);
    fprintf(out, "  ");
    for (size_t i = 0; i < columns; i++) {
        snprintf(title, sizeof title, "%s %s", column[i].title, column[i].run->node[column[i].node].name);
        fprintf(out, "  %-*.*s", (int)width - 2, (int)width - 2, title);
    }
    fputc('\n', out);
}

static uint64_t highest(const struct diff_column *column, size_t columns)
{
    uint64_t last = 0;
    for (size_t i = 0; i < columns; i++) {
        const struct diff_node *n = &column[i].run->node[column[i].node];
        last = n->last > last ? n->last : last;
    }
    return last < INDEXES_MOST ? last : INDEXES_MOST;
}

uint64_t diff_logs(const struct diff_column *column, size_t columns, size_t rows, size_t context,
                   const struct diff_style *style, FILE *out)
{
    uint64_t last = highest(column, columns), differ = 0, until = 0, shown = 0;
    bool titled = false;
    for (uint64_t index = 1; index <= last; index++) {
        for (size_t i = 0; i < columns && index % DIFF_STRIDE == 0; i++)
            diff_run_drop(column[i].run);
        if (!row_differs(column, columns, index)) {
            if (index <= until && shown < rows && out)
                print_row(column, columns, index, false, style, out), shown++;
            continue;
        }
        differ++;
        if (!out || shown >= rows)
            continue;
        if (!titled)
            print_titles(column, columns, style, out);
        titled = true;
        uint64_t from = index > context + until ? index - context : until + 1;
        for (uint64_t i = from; until < index && i < index && shown < rows; i++)
            print_row(column, columns, i, false, style, out), shown++;
        print_row(column, columns, index, true, style, out);
        shown++;
        until = index + context;
    }
    if (titled)
        fprintf(out, "  %" PRIu64 " of %" PRIu64 " indexes differ; term and entry, a applied, c committed, . not there\n",
                differ, last);
    return differ;
}
