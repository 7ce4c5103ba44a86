/* The logs side by side as a table, as they were when the violation was complete: the page's script makes it follow the
   cursor. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

#define ROWS_BEFORE 3
#define ROWS_SHOWN 8

/* The cells of some rows at one event, from the changes up to there. */
struct table {
    const struct scene *scene;
    uint64_t first, rows;
    struct scene_change cell[SCENE_LANES][ROWS_SHOWN];
};

static void table_fill(struct table *t, uint64_t order)
{
    const struct scene_log *log = &t->scene->log;
    for (size_t i = 0; i < log->changes && log->change[i].order <= order; i++) {
        const struct scene_change *c = &log->change[i];
        uint64_t index = log->first + c->row;
        if (index >= t->first && index < t->first + t->rows)
            t->cell[c->lane][index - t->first] = *c;
    }
}

static void cell_words(const struct scene *s, const struct scene_change *c, FILE *out)
{
    if (c->compacted)
        fputs("(snapshot)", out);
    if (!c->order || c->entry == SCENE_NONE)
        return;
    const struct scene_entry *e = &s->log.entry[c->entry];
    const char *text = scene_text(s, e->text);
    html_printf(out, "%" PRIu64 " %s%s", e->term, e->type == 'm' ? "members" : e->type == 'n' ? "no-op" : *text ? text
                : "entry",
                c->applied ? " (applied)" : c->committed ? " (committed)" : "");
}

static void put_row(const struct table *t, uint64_t row, FILE *out)
{
    const struct scene *s = t->scene;
    bool divergent = t->first + row == s->log.divergent;
    fprintf(out, "<tr%s><th scope=\"row\">%s%" PRIu64 "</th>", divergent ? " class=\"divergent\"" : "",
            divergent ? "✗ " : "", t->first + row);
    for (size_t i = 0; i < s->lanes; i++) {
        if (s->lane[i].node < 0)
            continue;
        fputs("<td>", out);
        cell_words(s, &t->cell[i][row], out);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

void report_logs(const struct report *r, size_t run, FILE *out)
{
    const struct scene *s = &r->run[run].scene;
    const struct raft_finding *f = s->verdict->finding;
    struct table *t = calloc(1, sizeof *t);
    if (!t || !s->log.highest) {
        fputs("<p>No log is known.</p>\n", out);
        free(t);
        return;
    }
    uint64_t middle = s->log.divergent ? s->log.divergent : s->log.highest;
    t->scene = s;
    t->first = middle > ROWS_BEFORE + s->log.first ? middle - ROWS_BEFORE : s->log.first;
    t->rows = s->log.last - t->first + 1 < ROWS_SHOWN ? s->log.last - t->first + 1 : ROWS_SHOWN;
    table_fill(t, f ? f->order : UINT64_MAX);
    fputs("<table class=\"logs\"><caption>Term and entry at each index, when the violation was complete</caption>\n"
          "<thead><tr><th scope=\"col\">index</th>", out);
    for (size_t i = 0; i < s->lanes; i++) {
        if (s->lane[i].node < 0)
            continue;
        fputs("<th scope=\"col\">", out);
        html_put(out, s->lane[i].name);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (uint64_t i = 0; i < t->rows; i++)
        put_row(t, i, out);
    fputs("</tbody></table>\n", out);
    free(t);
}
