#include "cli/lanes.h"

#include <string.h>

#include "util/term.h"

enum glyph { GLYPH_BLANK, GLYPH_LINE, GLYPH_LEADER, GLYPH_CANDIDATE, GLYPH_EVENT, GLYPH_START, GLYPH_END, GLYPH_LOST,
             GLYPH_ACROSS, GLYPH_CROSSING, GLYPH_FROM_LEFT, GLYPH_FROM_RIGHT, GLYPH_RIGHT, GLYPH_LEFT, GLYPH_JOIN, GLYPHS };

static const char *const drawn[GLYPHS][2] = {
    [GLYPH_BLANK] = {" ", " "}, [GLYPH_LINE] = {"│", "|"}, [GLYPH_LEADER] = {"┃", "#"}, [GLYPH_CANDIDATE] = {"╎", ":"},
    [GLYPH_EVENT] = {"●", "*"}, [GLYPH_START] = {"○", "o"}, [GLYPH_END] = {"✗", "X"}, [GLYPH_LOST] = {"✗", "x"},
    [GLYPH_ACROSS] = {"─", "-"}, [GLYPH_CROSSING] = {"┼", "|"}, [GLYPH_FROM_LEFT] = {"├", "+"},
    [GLYPH_FROM_RIGHT] = {"┤", "+"},
    [GLYPH_RIGHT] = {"▶", ">"}, [GLYPH_LEFT] = {"◀", "<"}, [GLYPH_JOIN] = {"◦", "o"},
};

struct cells {
    enum glyph glyph[LANES_MAX * LANES_CELL];
    enum term_role role[LANES_MAX * LANES_CELL];
};

static enum glyph line_glyph(enum lanes_line line)
{
    static const enum glyph glyphs[] = {
        [LANE_NONE] = GLYPH_BLANK, [LANE_PLAIN] = GLYPH_LINE, [LANE_LEADER] = GLYPH_LEADER,
        [LANE_CANDIDATE] = GLYPH_CANDIDATE,
    };
    return glyphs[line];
}

static enum term_role line_role(enum lanes_line line)
{
    return line == LANE_LEADER ? TERM_GOOD : line == LANE_CANDIDATE ? TERM_WARN : TERM_FAINT;
}

static void set(struct cells *c, size_t column, enum glyph glyph, enum term_role role)
{
    c->glyph[column] = glyph;
    c->role[column] = role;
}

/* A line between two columns, which stay as they are. */
static void across(struct cells *c, size_t a, size_t b)
{
    for (size_t i = (a < b ? a : b) + 1; i < (a < b ? b : a); i++)
        set(c, i, i % LANES_CELL || c->glyph[i] == GLYPH_BLANK ? GLYPH_ACROSS : GLYPH_CROSSING, TERM_NAME);
}

static void draw_arrow(struct cells *c, const struct lanes_row *row)
{
    size_t at = row->at * LANES_CELL, other = row->other * LANES_CELL;
    bool right = row->leaves ? other > at : at > other; /* where it points */
    if (at == other)
        return;
    if (row->leaves) { /* a stub: it arrives in another row, or nowhere */
        set(c, right ? at + 1 : at - 1, GLYPH_ACROSS, TERM_NAME);
        if (row->mark == MARK_LOST)
            set(c, right ? at + 2 : at - 2, GLYPH_LOST, TERM_BAD);
        return;
    }
    across(c, at, other);
    set(c, other, right ? GLYPH_FROM_LEFT : GLYPH_FROM_RIGHT, TERM_NAME);
    set(c, right ? at - 1 : at + 1, right ? GLYPH_RIGHT : GLYPH_LEFT, TERM_NAME);
}

static void draw_join(struct cells *c, const struct lanes *l, const struct lanes_row *row)
{
    size_t first = row->at, last = row->at;
    for (size_t i = 0; i < l->count; i++) {
        if (!row->also[i])
            continue;
        first = i < first ? i : first;
        last = i > last ? i : last;
    }
    across(c, first * LANES_CELL, last * LANES_CELL);
    for (size_t i = 0; i < l->count; i++)
        if (row->also[i])
            set(c, i * LANES_CELL, GLYPH_JOIN, TERM_NAME);
}

static void draw_row(struct cells *c, const struct lanes *l, const struct lanes_row *row)
{
    static const enum glyph marks[] = {
        [MARK_EVENT] = GLYPH_EVENT, [MARK_START] = GLYPH_START, [MARK_END] = GLYPH_END, [MARK_LOST] = GLYPH_FROM_LEFT,
    };
    enum glyph mark = marks[row->mark];
    if (row->join)
        draw_join(c, l, row);
    if (row->arrow)
        draw_arrow(c, row);
    if (row->mark == MARK_LOST && row->arrow && row->other < row->at)
        mark = GLYPH_FROM_RIGHT;
    set(c, row->at * LANES_CELL, mark, row->mark == MARK_END || row->mark == MARK_LOST ? TERM_BAD : TERM_STRONG);
}

void lanes_put(const struct lanes *l, const struct lanes_row *row, FILE *out)
{
    struct cells c;
    enum term_role now = TERM_PLAIN;
    memset(&c, 0, sizeof c);
    for (size_t i = 0; i < l->count; i++)
        set(&c, i * LANES_CELL, line_glyph(l->line[i]), line_role(l->line[i]));
    if (row)
        draw_row(&c, l, row);
    for (size_t i = 0; i < l->count * LANES_CELL; i++) {
        enum term_role role = c.glyph[i] == GLYPH_BLANK ? now : c.role[i];
        if (role != now)
            fprintf(out, "%s%s", now == TERM_PLAIN ? "" : term_code(l->color, TERM_PLAIN),
                    role == TERM_PLAIN ? "" : term_code(l->color, role));
        now = role;
        fputs(drawn[c.glyph[i]][l->ascii], out);
    }
    if (now != TERM_PLAIN)
        fputs(term_code(l->color, TERM_PLAIN), out);
}

void lanes_text(const struct lanes *l, const char *text, size_t width, FILE *out)
{
    size_t length = strlen(text);
    bool cut = width && length > width;
    size_t dots = l->ascii ? 3 : 1;
    if (cut)
        length = width > dots ? width - dots : 0;
    for (size_t i = 0; i < length; i++)
        putc((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e ? '?' : text[i], out);
    if (cut && width >= dots)
        fputs(l->ascii ? "..." : "…", out);
}
