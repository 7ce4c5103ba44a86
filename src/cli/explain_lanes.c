#include "cli/explain_lanes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/term.h"

#define LABEL 11   /* columns before the drawing */
#define NODES_MOST 8

/* Whether a text has this name as a word of its own: "s1", but neither "s12" nor the event "s1@405". */
static bool speaks_of(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = text; length && (p = strstr(p, name)); p += length) {
        bool begins = p == text || !(isalnum((unsigned char)p[-1]) || strchr("_-#.@", p[-1]));
        char after = p[length];
        if (begins && !isalnum((unsigned char)after) && (!after || !strchr("_-#@", after)))
            return true;
    }
    return false;
}

static bool in_chain(const struct verdict *v, size_t node)
{
    for (size_t i = 0; i < v->cause.steps; i++)
        if (v->cause.step[i].at.node == node ||
            (verdict_member(v, node) && speaks_of(v->cause.step[i].text, v->model->node[node].name)))
            return true;
    return false;
}

static void put_step(void *context, size_t i, bool goes_on, FILE *out)
{
    const struct explain_lanes *l = context;
    const struct chain_step *step = &l->verdict->cause.step[i];
    struct lanes_row row = {.mark = MARK_EVENT};
    for (size_t lane = 0; lane < l->lanes.count; lane++) {
        bool own = l->node[lane] == step->at.node;
        row.at = own ? lane : row.at;
        row.also[lane] = !own && speaks_of(step->text, l->verdict->model->node[l->node[lane]].name);
        row.join |= row.also[lane];
    }
    lanes_put(&l->lanes, goes_on ? NULL : &row, out);
}

static void put_head(void *context, size_t line, FILE *out)
{
    const struct explain_lanes *l = context;
    struct lanes some = l->lanes;
    some.count = line;
    lanes_put(&some, NULL, out);
    fputs(term_code(some.color, TERM_NAME), out);
    lanes_text(&some, l->verdict->model->node[l->node[line]].name, 0, out);
    fputs(term_code(some.color, TERM_PLAIN), out);
}

static void sort_by_name(struct explain_lanes *l)
{
    const struct raft_node *node = l->verdict->model->node;
    for (size_t i = 1; i < l->lanes.count; i++)
        for (size_t j = i; j && strverscmp(node[l->node[j - 1]].name, node[l->node[j]].name) > 0; j--) {
            size_t swap = l->node[j];
            l->node[j] = l->node[j - 1];
            l->node[j - 1] = swap;
        }
}

bool explain_lanes_init(struct explain_lanes *l, const struct verdict *v, size_t width, bool color, bool ascii)
{
    *l = (struct explain_lanes){.verdict = v, .lanes = {.color = color, .ascii = ascii}};
    for (size_t node = 0; node < v->model->nodes; node++) {
        if (!in_chain(v, node))
            continue;
        if (l->lanes.count == NODES_MOST)
            return false;
        l->lanes.line[l->lanes.count] = LANE_PLAIN;
        l->node[l->lanes.count++] = node;
    }
    sort_by_name(l);
    size_t drawing = LABEL + l->lanes.count * LANES_CELL;
    l->beside = (struct verdict_beside){.context = l, .heads = l->lanes.count, .head = put_head, .step = put_step,
                                        .width = width > drawing ? width - drawing : 1};
    return l->lanes.count > 0;
}
