/* The steps of the explanation as a graph: a column for each node, an edge where one step happens before another and none of
 * the others is between. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "export/export.h"
#include "export/order.h"
#include "export/words.h"

#define LINE 44 /* characters of a line in a box */

/* Text in a quoted string: lines of bounded length, left-aligned. */
static void put_label(FILE *out, const char *text)
{
    size_t column = 0;
    for (const char *word = text, *end; *word; word = end + (*end == ' ')) {
        end = word + strcspn(word, " ");
        if (column && column + (size_t)(end - word) + 1 > LINE) {
            fputs("\\l", out);
            column = 0;
        } else if (column) {
            putc(' ', out);
            column++;
        }
        column += (size_t)(end - word);
        for (const char *p = word; p < end; p++)
            fprintf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    fputs("\\l", out);
}

static void put_step(FILE *out, const struct verdict *v, size_t i)
{
    const struct chain_step *step = &v->cause.step[i];
    const struct raft_break *b = v->cause.rule_break;
    bool cause = b && b->at.process == step->at.process && b->at.sequence == step->at.sequence;
    bool last = v->finding && i + 1 == v->cause.steps;
    char event[RAFT_NODE_NAME + 32], text[RAFT_WORDS];
    verdict_event(v, &step->at, event, sizeof event);
    fprintf(out, "    step%zu [label=\"%zu  ", i + 1, i + 1);
    put_label(out, words_clean(event));
    put_label(out, export_step(v, i, text, sizeof text));
    fprintf(out, "\"%s];\n", cause ? ", color=\"#b00020\", penwidth=2.5" : last ? ", color=\"#b00020\", style=dashed" : "");
}

static void put_columns(FILE *out, const struct verdict *v)
{
    for (size_t node = 0; node < v->model->nodes; node++) {
        char name[RAFT_NODE_NAME];
        bool shown = false;
        for (size_t i = 0; i < v->cause.steps; i++) {
            if (v->cause.step[i].at.node != node)
                continue;
            if (!shown) {
                snprintf(name, sizeof name, "%s", v->model->node[node].name);
                fprintf(out, "  subgraph cluster_%zu {\n    color=\"#cccccc\";\n    label=\"", node);
                put_label(out, words_clean(name));
                fputs("\";\n", out);
            }
            shown = true;
            put_step(out, v, i);
        }
        if (shown)
            fputs("  }\n", out);
    }
}

static void put_graph(FILE *out, const struct verdict *v, const struct order *o)
{
    char *headline = NULL;
    size_t size;
    FILE *memory = open_memstream(&headline, &size);
    if (memory && v->finding)
        verdict_headline(v, v->finding, memory);
    else if (memory)
        fputs(v->cause.rule_break ? v->cause.rule_break->text : "", memory);
    if (memory)
        fclose(memory);
    fputs("digraph explanation {\n  graph [labelloc=t, fontname=\"Helvetica\", label=\"", out);
    put_label(out, headline ? words_clean(headline) : "");
    fputs("\"];\n  node [shape=box, fontname=\"Helvetica\", fontsize=10];\n  edge [arrowsize=0.7];\n", out);
    put_columns(out, v);
    for (size_t i = 0; i < o->count; i++)
        for (size_t j = 0; j < o->count; j++)
            if (o->direct[i][j])
                fprintf(out, "  step%zu -> step%zu%s;\n", i + 1, j + 1,
                        v->cause.step[i].at.node == v->cause.step[j].at.node ? "" : " [color=\"#1f5fbf\"]");
    fputs("}\n", out);
    free(headline);
}

static bool dot_write(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e)
{
    const struct verdict *v = run->verdict;
    struct cast cast;
    struct order o = {.count = v->cause.steps};
    if (!v->cause.steps)
        return true;
    if (!cast_init(&cast, run->process, run->processes))
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    for (size_t i = 0; i < o.count; i++) {
        o.process[i] = v->cause.step[i].at.process;
        o.sequence[i] = v->cause.step[i].at.sequence;
    }
    bool good = order_find(&o, run->store, &cast, e);
    if (good)
        put_graph(out, v, &o);
    result->events = o.count;
    cast_fini(&cast);
    return good;
}

const struct export_format export_dot = {
    .name = "dot",
    .nothing = "drd explain found no steps that lead to a broken property or rule",
    .verdict = true,
    .write = dot_write,
};
