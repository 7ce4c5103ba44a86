/* Two runs side by side: where they parted, and which events correspond. */
#include <stdlib.h>

#include <xxhash.h>

#include "report/html.h"

/* --- in words --- */

static void put_event(const struct report *r, int side, FILE *out)
{
    const struct diff_first *first = &r->diff->first;
    const struct diff_event *event = first->event[side];
    char words[512];
    fprintf(out, "<p>%c: ", side ? 'B' : 'A');
    if (!event) {
        fputs("nothing of the kind</p>\n", out);
        return;
    }
    report_link(r, (size_t)side, &(struct raft_witness){.process = event->process, .sequence = event->sequence}, out);
    diff_words(r->diff->run[side], event, first->step[side], first->step[side], words, sizeof words);
    html_printf(out, " %s", words);
    fputs("</p>\n", out);
}

void report_apart(const struct report *r, FILE *out)
{
    fputs("<section class=\"parted\" aria-label=\"Where the runs parted\">\n", out);
    if (!r->diff) {
        fputs("<h1>These runs cannot be compared</h1>\n<p>", out);
        html_put(out, r->apart);
        fputs("</p>\n", out);
    } else if (!r->diff->first.any) {
        fputs("<h1>No difference that matters was found between the runs</h1>\n", out);
    } else {
        fputs("<h1>The runs parted: ", out);
        html_put(out, r->diff->first.lane->title);
        fputs("</h1>\n", out);
        put_event(r, 0, out);
        put_event(r, 1, out);
        fputs("<p>", out);
        html_put(out, r->diff->first.why);
        fputs("</p>\n", out);
    }
    fputs("</section>\n", out);
}

/* --- as data --- */

/* An event that is in both runs: the k-th of its kind, node and peer in the one is the k-th in the other. */
struct mate {
    uint64_t key, number; /* number: how many of this key came before */
    uint32_t event;
};

static int by_key(const void *a, const void *b)
{
    const struct mate *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->event > y->event) - (x->event < y->event);
}

static uint64_t key_of(const struct diff *d, int side, const struct diff_event *event)
{
    size_t node = side ? d->back[event->node] : event->node; /* by its number in the first run */
    const uint64_t part[] = {node, event->kind, event->type, event->flags & DIFF_SENT, diff_peer_label(d, side, event->peer),
                             event->index,
                             diff_term_label(d, side, event->term)};
    return XXH3_64bits(part, sizeof part);
}

static size_t mates_of(const struct diff *d, int side, struct mate *out)
{
    const struct diff_run *run = d->run[side];
    size_t count = 0;
    for (size_t i = 0; i < run->events; i++) {
        if (d->matched[side][i])
            out[count++] = (struct mate){.key = key_of(d, side, &run->event[i]), .event = (uint32_t)i};
    }
    qsort(out, count, sizeof *out, by_key);
    for (size_t i = 0; i < count; i++)
        out[i].number = i && out[i - 1].key == out[i].key ? out[i - 1].number + 1 : 0;
    return count;
}

/* Where a diff's event stands among the drawn; -1: it is not drawn. */
static int64_t place_of(const struct report *r, int side, uint32_t event)
{
    const struct diff_event *e = &r->diff->run[side]->event[event];
    const struct scene *s = &r->run[side].scene;
    uint32_t found = scene_find(s, e->process, e->sequence);
    return found == SCENE_NONE || s->event[found].sequence != e->sequence ? -1 : (int64_t)s->event[found].place;
}

static void put_pair(const struct report *r, const struct mate *a, const struct mate *b, struct json_writer *j)
{
    int64_t x = place_of(r, 0, a->event), y = place_of(r, 1, b->event);
    if (x < 0 || y < 0)
        return;
    jw_int(j, x);
    jw_int(j, y);
}

static void put_pairs(const struct report *r, struct json_writer *j)
{
    const struct diff *d = r->diff;
    struct mate *a = malloc((d->run[0]->events + 1) * sizeof *a), *b = malloc((d->run[1]->events + 1) * sizeof *b);
    size_t n = a && b ? mates_of(d, 0, a) : 0, m = a && b ? mates_of(d, 1, b) : 0;
    jw_key(j, "pairs");
    jw_array(j);
    for (size_t x = 0, y = 0; x < n && y < m;) {
        if (a[x].key == b[y].key && a[x].number == b[y].number)
            put_pair(r, &a[x++], &b[y++], j);
        else if (a[x].key < b[y].key || (a[x].key == b[y].key && a[x].number < b[y].number))
            x++;
        else
            y++;
    }
    jw_end(j);
    free(a);
    free(b);
}

/* Events that only one of them has, and that matter. */
static void put_apart(const struct report *r, int side, struct json_writer *j)
{
    const struct diff *d = r->diff;
    jw_array(j);
    for (size_t i = 0; i < d->lanes; i++) {
        for (size_t g = 0; g < d->lane[i].gaps; g++) {
            const struct diff_gap *gap = &d->lane[i].gap[g];
            for (size_t k = gap->from[side]; gap->matters && k < gap->to[side]; k++) {
                int64_t place = place_of(r, side, d->lane[i].list[side].item[k].event);
                if (place >= 0)
                    jw_int(j, place);
            }
        }
    }
    jw_end(j);
}

void report_diff_data(const struct report *r, struct json_writer *j)
{
    const struct diff *d = r->diff;
    jw_key(j, "diff");
    jw_object(j);
    put_pairs(r, j);
    jw_key(j, "apart");
    jw_array(j);
    put_apart(r, 0, j);
    put_apart(r, 1, j);
    jw_end(j);
    jw_key(j, "first");
    jw_array(j);
    for (int side = 0; side < 2; side++)
        jw_int(j, d->first.any && d->first.event[side] ? place_of(r, side,
                                                                  (uint32_t)(d->first.event[side] - d->run[side]->event))
                                                                      : -1);
    jw_end(j);
    jw_end(j);
}
