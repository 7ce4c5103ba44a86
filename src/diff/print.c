/* The diff for people. Fits a screen unless asked for more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diff/align.h"
#include "diff/diff.h"
#include "util/text.h"

#define LOG_ROWS 8

struct printer {
    const struct diff_view *view;
    FILE *out;
    size_t left;     /* lines */
    size_t unsaid;   /* differences that found no room */
};

static size_t raft_nodes(const struct diff_run *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->nodes; i++)
        count += r->node[i].raft && i != r->outside;
    return count;
}

static void print_head(const struct diff_view *v, FILE *out)
{
    char count[TEXT_MAX];
    for (int side = 0; side < 2; side++) {
        const struct diff_name *n = &v->name[side];
        fprintf(out, "%s%c%s  %s: %.60s%s%s, drd %s, %zu nodes, %s messages, %s%s%s\n", v->style.strong, 'A' + side,
                v->style.plain,
                n->run, n->command, *n->started ? ", " : "", n->started, n->version, raft_nodes(v->diff->run[side]),
                text_count(v->diff->run[side]->messages, count, sizeof count), n->state, *n->status ? ", status " : "",
                n->status);
    }
}

static bool is_trigger(const struct diff_first *first, int side)
{
    const struct diff_event *event = first->event[side], *after = first->after[side];
    return event && after && after->process == event->process && after->sequence == event->trigger;
}

/* What the node did last before, in both, unless WHY speaks of it. */
static void print_after(const struct diff_view *v, FILE *out)
{
    const struct diff_first *first = &v->diff->first;
    char name[2][128] = {"", ""}, words[256] = "";
    if (is_trigger(first, 0) && is_trigger(first, 1))
        return;
    for (int side = 0; side < 2; side++) {
        const struct diff_event *event = first->after[side];
        if (!event)
            continue;
        diff_run_event_name(v->diff->run[side], event->process, event->sequence, name[side], sizeof name[side]);
        diff_words(v->diff->run[side], event, 0, 0, words, sizeof words);
    }
    if (*name[0] && *name[1])
        fprintf(out, "%sAFTER%s  A %s, B %s: %s\n", v->style.strong, v->style.plain, name[0], name[1], words);
    else if (*words)
        fprintf(out, "%sAFTER%s  %c %s: %s\n", v->style.strong, v->style.plain, *name[0] ? 'A' : 'B', *name[0] ? name[0] : name[1], words);
}

static void print_first(const struct diff_view *v, FILE *out)
{
    const struct diff_first *first = &v->diff->first;
    char name[128], words[256];
    fprintf(out, "%sFIRST%s  %s\n", v->style.strong, v->style.plain, first->lane->title);
    for (int side = 0; side < 2; side++) {
        const struct diff_event *event = first->event[side];
        if (event) {
            diff_run_event_name(v->diff->run[side], event->process, event->sequence, name, sizeof name);
            diff_words(v->diff->run[side], event, first->step[side], first->step[side], words, sizeof words);
        } else {
            snprintf(name, sizeof name, "-");
            snprintf(words, sizeof words, "nothing of the kind");
        }
        fprintf(out, "  %c  %-14s %s\n", 'A' + side, name, words);
    }
    fprintf(out, "%sWHY%s    %s\n", v->style.strong, v->style.plain, first->why);
    print_after(v, out);
}

static void print_counts(const struct diff_view *v, FILE *out)
{
    const struct diff *d = v->diff;
    uint64_t rest = d->rest.missing + d->rest.extra + d->rest.changed;
    char same[TEXT_MAX];
    fprintf(out, "%sALL%s    %" PRIu64 " missing in B, %" PRIu64 " extra in B, %" PRIu64 " changed; %s equal",
            v->style.strong, v->style.plain,
            d->matter.missing, d->matter.extra, d->matter.changed, text_count(d->same, same, sizeof same));
    if (rest)
        fprintf(out, "; %" PRIu64 " of order, retries or the end", rest);
    fputc('\n', out);
}

/* Items that one line can tell: further indexes of the same event, or of events one after the other. */
static size_t stretch(const struct diff *d, int side, const struct diff_list *list, size_t from, size_t to)
{
    const struct diff_event *first = diff_event(d, side, &list->item[from]);
    size_t i = from + 1;
    if (first->kind != DIFF_COMMIT && (first->kind != DIFF_APPLY || first->content))
        return i;
    while (i < to) {
        const struct diff_event *event = diff_event(d, side, &list->item[i]);
        if (event->kind != first->kind || event->flags != first->flags || event->content != first->content ||
            event->index + list->item[i].step != first->index + list->item[from].step + (i - from))
            break;
        i++;
    }
    return i;
}

static bool print_line(struct printer *p, int side, char sign, const struct diff_list *list, size_t from, size_t to)
{
    const struct diff_view *v = p->view;
    const struct diff_item *item = &list->item[from];
    const struct diff_event *event = diff_event(v->diff, side, item);
    const char *color = sign == '-' ? v->style.bad : sign == '+' ? v->style.good : v->style.faint;
    char name[128], words[256];
    if (p->left == 0) {
        p->unsaid += sign != ' ';
        return false;
    }
    p->left--;
    diff_run_event_name(v->diff->run[side], event->process, event->sequence, name, sizeof name);
    diff_words(v->diff->run[side], event, item->step, item->step + (uint32_t)(to - from - 1), words, sizeof words);
    fprintf(p->out, "  %s%c %-14s %6" PRIu32 ".%" PRIu32 " ms  %s%s\n", color, sign, name, event->time / 10,
            event->time % 10, words,
            v->style.plain);
    return true;
}

static void print_stretch(struct printer *p, int side, char sign, const struct diff_list *list, size_t from, size_t to)
{
    for (size_t next; from < to; from = next) {
        if (from % DIFF_STRIDE == 0)
            diff_drop(p->view->diff);
        next = stretch(p->view->diff, side, list, from, to);
        if (!print_line(p, side, sign, list, from, next))
            p->unsaid += sign == ' ' ? 0 : next - from - 1;
    }
}

static void print_gap(struct printer *p, const struct diff_lane *lane, const struct diff_gap *gap, size_t before,
                      size_t after)
{
    const struct diff_list *a = &lane->list[0], *b = &lane->list[1];
    print_stretch(p, 1, ' ', b, gap->from[1] - before, gap->from[1]);
    size_t i = gap->from[0], j = gap->from[1];
    while (i < gap->to[0] && j < gap->to[1] && diff_is_change(p->view->diff, &a->item[i], &b->item[j])) {
        print_line(p, 0, '-', a, i, i + 1);
        print_line(p, 1, '+', b, j, j + 1);
        i++, j++;
    }
    print_stretch(p, 0, '-', a, i, gap->to[0]);
    print_stretch(p, 1, '+', b, j, gap->to[1]);
    print_stretch(p, 1, ' ', b, gap->to[1], gap->to[1] + after);
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void print_lane(struct printer *p, const struct diff_lane *lane, bool all)
{
    size_t context = p->view->context;
    bool titled = false;
    for (size_t g = 0; g < lane->gaps; g++) {
        const struct diff_gap *gap = &lane->gap[g];
        if (g % 1024 == 0)
            diff_drop(p->view->diff);
        size_t since = g ? gap->from[1] - lane->gap[g - 1].to[1] : gap->from[1];
        size_t until = (g + 1 < lane->gaps ? lane->gap[g + 1].from[1] : lane->list[1].count) - gap->to[1];
        if (!gap->matters && !all)
            continue;
        if (!titled && p->left > 1) {
            p->left--;
            fprintf(p->out, "%s%s%s\n", p->view->style.strong, lane->title, p->view->style.plain);
        }
        titled = true;
        /* what lies between two gaps is shown once, before the second */
        size_t after = at_most(context, g + 1 == lane->gaps ? until : until > context ? until - context : 0);
        print_gap(p, lane, gap, at_most(context, since), after);
    }
}

static void print_lanes(struct printer *p)
{
    const struct diff *d = p->view->diff;
    bool all = p->view->lines == 0;
    if (d->first.any)
        print_lane(p, d->first.lane, all);
    for (size_t i = 0; i < d->lanes; i++) {
        if ((d->lane[i].matters || all) && &d->lane[i] != d->first.lane)
            print_lane(p, &d->lane[i], all);
    }
    if (p->unsaid)
        fprintf(p->out, "  ... %zu more: -U 3 shows all of them, --stat counts them, --node and --kind choose\n", p->unsaid);
}

static int by_name(const void *a, const void *b)
{
    const struct diff_column *x = a, *y = b;
    return strcmp(x->run->node[x->node].name, y->run->node[y->node].name);
}

static void print_logs(const struct diff_view *v, FILE *out)
{
    struct diff_column column[16];
    size_t columns = 0;
    const struct diff *d = v->diff;
    for (int side = 0; side < 2; side++) {
        size_t first = columns;
        for (size_t i = 0; i < d->run[side]->nodes && columns < 8 * (side + 1u); i++) {
            if (d->run[side]->node[i].raft && d->run[side]->node[i].last)
                column[columns++] = (struct diff_column){d->run[side], i, side ? "B" : "A"};
        }
        qsort(column + first, columns - first, sizeof *column, by_name);
    }
    if (columns)
        diff_logs(column, columns, v->lines ? LOG_ROWS : SIZE_MAX, 1, &v->style, out);
}

void diff_print(const struct diff_view *v, FILE *out)
{
    struct printer p = {v, out, v->lines ? v->lines : SIZE_MAX, 0};
    const struct diff *d = v->diff;
    if (!d->lanes)
        return;
    print_head(v, out);
    if (d->first.any)
        print_first(v, out);
    else
        fprintf(out, "no difference that matters\n");
    print_counts(v, out);
    /* head, first difference, counts, the logs and a last word */
    size_t taken = 2 + 5 + 1 + LOG_ROWS + 5;
    if (v->lines)
        p.left = v->lines > taken ? v->lines - taken : 0;
    print_lanes(&p);
    if (d->first.any)
        print_logs(v, out);
}

void diff_print_stat(const struct diff_view *v, FILE *out)
{
    const struct diff *d = v->diff;
    if (!d->lanes)
        return;
    for (size_t i = 0; i < d->lanes; i++) {
        const struct diff_lane *lane = &d->lane[i];
        size_t count[2] = {0, 0};
        for (size_t g = 0; g < lane->gaps; g++) {
            if (g % DIFF_STRIDE == 0)
                diff_drop(d);
            for (int side = 0; side < 2; side++)
                count[side] += lane->gap[g].to[side] - lane->gap[g].from[side];
        }
        fprintf(out, " %-40s | %6zu -%s %6zu +%s\n", lane->title, count[0], "", count[1],
                lane->matters ? "" : "  (does not matter)");
    }
    print_counts(v, out);
}
