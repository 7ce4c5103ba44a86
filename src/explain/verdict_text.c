#include "explain/explain.h"

#include <inttypes.h>
#include <string.h>

#include "util/text.h"

#define LABEL "%-11s"
#define TERMS_SHOWN 8
#define ALSO_SHOWN 6
#define GRID_NODES 8
#define CELL 20

static void print_label(const char *label, const struct verdict_style *style, FILE *out)
{
    fprintf(out, "%s" LABEL "%s", style->strong, label, style->plain);
}

/* ---- The events that show it ---- */

static void print_event(const struct verdict *v, const struct raft_side *side, const struct raft_witness *w, FILE *out)
{
    char event[RAFT_NODE_NAME + 32], entry[256];
    verdict_event(v, w, event, sizeof event);
    fprintf(out, "%-12s ", event);
    if (side->variant) {
        verdict_entry(side->variant, entry, sizeof entry);
        fprintf(out, "%s: ", entry);
    }
    fprintf(out, "%s%s\n", verdict_how(w), raft_witness_seen(w) ? "" : " (inferred)");
}

static void print_events(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const char *label = "EVENTS";
    for (size_t i = 0; i < v->finding->sides; i++) {
        const struct raft_side *side = &v->finding->side[i];
        for (size_t w = 0; w < side->witnesses; w++, label = "") {
            print_label(label, style, out);
            print_event(v, side, &side->witness[w], out);
        }
    }
}

/* ---- Who led which term ---- */

static void print_votes(const struct verdict *v, const struct raft_term *t, const struct raft_leader *leader, FILE *out)
{
    const char *id = leader->id[0] ? leader->id : v->model->node[leader->witness.node].id, *separator = "   votes of ";
    for (size_t i = 0; i < t->votes; i++) {
        const struct raft_vote *vote = &t->vote[i];
        char event[RAFT_NODE_NAME + 32];
        if (strcmp(vote->candidate, id) != 0 || vote->witness.node == leader->witness.node)
            continue;
        verdict_event(v, &vote->witness, event, sizeof event);
        fprintf(out, "%s%s (%s)", separator, v->model->node[vote->witness.node].name, event);
        separator = ", ";
    }
}

static void print_leader(const struct verdict *v, const struct raft_term *t, const struct raft_leader *leader, FILE *out)
{
    char event[RAFT_NODE_NAME + 32];
    verdict_event(v, &leader->witness, event, sizeof event);
    fprintf(out, "term %-4" PRIu64 " %-6s since %s", t->term,
            leader->id[0] ? leader->id : v->model->node[leader->witness.node].name, event);
    if (leader->id[0])
        fprintf(out, " (heard there, not recorded)");
    print_votes(v, t, leader, out);
    fputc('\n', out);
}

/* The last terms that had a leader before the violation was complete. */
static void print_leaders(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const struct raft_cluster *c = &v->model->cluster[v->finding->cluster];
    const char *label = "LEADERS";
    size_t end = c->terms, first, shown = 0;
    while (end && (!c->term[end - 1].leaders || c->term[end - 1].leader[0].witness.order > v->finding->order))
        end--;
    for (first = end; first && shown < TERMS_SHOWN; first--)
        shown += c->term[first - 1].leaders > 0;
    for (; first < end; first++) {
        for (size_t i = 0; i < c->term[first].leaders; i++, label = "") {
            print_label(label, style, out);
            print_leader(v, &c->term[first], &c->term[first].leader[i], out);
        }
    }
}

/* ---- The logs side by side ---- */

static void cell_text(const struct raft_cell *cell, char *out, size_t size)
{
    char text[64];
    if (!cell->variant) {
        snprintf(out, size, "%s", cell->compacted ? "(snapshot)" : ".");
        return;
    }
    const struct raft_variant *e = cell->variant;
    if (e->text[0] && e->type != 'm')
        text_quote(e->text, strnlen(e->text, 9), text, sizeof text);
    else
        snprintf(text, sizeof text, "%s", e->type == 'n' ? "no-op" : e->type == 'm' ? "members" : "");
    snprintf(out, size, "%" PRIu64 " %.11s%s", e->term, text, cell->applied ? " a" : cell->committed ? " c" : "");
}

static bool grid_has_row(const struct raft_finding *f, size_t row)
{
    for (size_t i = 0; i < f->grid_columns; i++) {
        const struct raft_cell *cell = &f->grid[i * RAFT_GRID_ROWS + row];
        if (cell->variant || cell->compacted)
            return true;
    }
    return false;
}

/* The nodes of the grid, by name. */
static size_t grid_order(const struct verdict *v, size_t order[GRID_NODES])
{
    const struct raft_node *node = v->model->node;
    size_t count = 0;
    for (size_t i = 0; i < v->finding->grid_columns && count < GRID_NODES; i++) {
        if (node[i].cluster != v->finding->cluster || !verdict_member(v, i))
            continue;
        size_t place = count++;
        for (; place && strcmp(node[order[place - 1]].name, node[i].name) > 0; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    return count;
}

static void print_grid_row(const struct verdict *v, size_t row, const struct verdict_style *style, FILE *out)
{
    const struct raft_finding *f = v->finding;
    size_t order[GRID_NODES], columns = grid_order(v, order);
    bool here = f->grid_first + row == f->index;
    print_label("", style, out);
    fprintf(out, "%s%c %6" PRIu64 "  ", here ? style->bad : "", here ? '>' : ' ', f->grid_first + row);
    for (size_t i = 0; i < columns; i++) {
        char text[64];
        cell_text(&f->grid[order[i] * RAFT_GRID_ROWS + row], text, sizeof text);
        fprintf(out, "%-*s", i + 1 < columns ? CELL : 0, text);
    }
    fprintf(out, "%s\n", here ? style->plain : "");
}

static void print_grid(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const struct raft_finding *f = v->finding;
    size_t order[GRID_NODES], columns = f->grid ? grid_order(v, order) : 0;
    if (!columns)
        return;
    print_label("LOGS", style, out);
    fprintf(out, "   index  ");
    for (size_t i = 0; i < columns; i++)
        fprintf(out, "%-*.*s", i + 1 < columns ? CELL : 0, CELL - 1, v->model->node[order[i]].name);
    fputc('\n', out);
    for (size_t row = 0; row < RAFT_GRID_ROWS; row++) {
        if (grid_has_row(f, row))
            print_grid_row(v, row, style, out);
    }
    print_label("", style, out);
    fprintf(out, "%s   term and entry at that moment; c committed, a applied, . not there or not known%s\n", style->faint,
            style->plain);
}

/* ---- The rest ---- */

static void print_also(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const char *label = "ALSO";
    size_t shown = 0;
    for (size_t i = 0; i < v->model->findings && shown < ALSO_SHOWN; i++) {
        if (&v->model->finding[i] == v->finding)
            continue;
        print_label(label, style, out);
        verdict_headline(v, &v->model->finding[i], out);
        fputc('\n', out);
        label = "";
        shown++;
    }
    if (v->model->findings > shown + 1) {
        print_label(label, style, out);
        fprintf(out, "and more (drd explain --json)\n");
    }
}

static void print_gaps(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    for (size_t i = 0; i < v->gaps; i++) {
        print_label(i ? "" : "NOT SEEN", style, out);
        fprintf(out, "%s\n", v->gap[i].text);
    }
}

static void print_reproduce(const struct verdict *v, const char *run, const struct verdict_style *style, FILE *out)
{
    const struct raft_witness *w = v->cause.rule_break ? &v->cause.rule_break->at : verdict_first(v->finding);
    char event[RAFT_NODE_NAME + 32];
    if (!w)
        return;
    verdict_event(v, w, event, sizeof event);
    print_label("REPRODUCE", style, out);
    if (style->redacted) {
        fputs("from the run that this one was made of: what is redacted does not replay\n", out);
    } else {
        const char *const words[] = {run, v->model->node[w->node].name, event};
        static const char *const before[] = {"drd replay ", " --node ", " --until "};
        for (size_t i = 0; i < 3; i++) {
            fputs(before[i], out);
            text_shell(words[i], out);
        }
        fputs(" --gdb\n", out);
    }
    struct verdict_fingerprint f;
    if (!verdict_fingerprint(v, &f))
        return;
    print_label("SAME BUG", style, out);
    fprintf(out, "fingerprint %d:%s\n", f.algorithm, f.value);
}

static void print_members(const struct verdict *v, FILE *out)
{
    size_t members = 0, named = 0;
    for (size_t i = 0; i < v->model->nodes; i++)
        members += verdict_member(v, i);
    fprintf(out, "%zu node%s (", members, members == 1 ? "" : "s");
    for (size_t i = 0; i < v->model->nodes; i++) {
        if (verdict_member(v, i))
            fprintf(out, "%s%s", named++ ? ", " : "", v->model->node[i].name);
    }
    fprintf(out, ")");
}

static void print_checked(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const struct raft_model *m = v->model;
    char messages[TEXT_MAX], committed[TEXT_MAX], compared[TEXT_MAX];
    size_t terms = 0;
    if (!m->nodes)
        return;
    for (size_t i = 0; i < m->clusters; i++)
        terms += m->cluster[i].terms;
    print_label("CHECKED", style, out);
    print_members(v, out);
    fprintf(out, ", %zu term%s, %s Raft messages\n", terms, terms == 1 ? "" : "s",
            text_count(m->messages, messages, sizeof messages));
    print_label("", style, out);
    fprintf(out, "%s times a node committed an entry; %s of them compared with another node's\n",
            text_count(m->committed, committed, sizeof committed), text_count(m->compared, compared, sizeof compared));
    print_label("", style, out);
    fprintf(out, "State Machine Safety, Leader Completeness, Election Safety, Log Matching, Leader Append-Only\n");
}

static void print_violated(const struct verdict *v, const char *run, const struct verdict_style *style, FILE *out)
{
    print_label("VERDICT", style, out);
    fputs(style->bad, out);
    if (v->status == VERDICT_UNKNOWN)
        fprintf(out, "unknown; if all these nodes are one cluster: ");
    verdict_headline(v, v->finding, out);
    fprintf(out, "%s%s\n", v->finding->seen ? "" : " (inferred)", style->plain);
    verdict_cause_print(v, style, out);
    proof_print(v, run, style, out);
    print_events(v, style, out);
    print_leaders(v, style, out);
    print_grid(v, style, out);
    print_also(v, style, out);
    verdict_breaks_print(v, style, out);
    print_gaps(v, style, out);
    print_reproduce(v, run, style, out);
}

void verdict_print(const struct verdict *v, const char *run, const struct verdict_style *style, FILE *out)
{
    if (v->finding) {
        print_violated(v, run, style, out);
        return;
    }
    bool none = v->status == VERDICT_NONE;
    print_label("VERDICT", style, out);
    fprintf(out, "%s%s%s\n", none ? style->good : style->warn,
            none ? "none found: no property of Raft was broken"
                 : "unknown: nothing broken was seen, but not all could be seen",
            style->plain);
    if (v->model->breaks)
        verdict_cause_print(v, style, out);
    proof_print(v, run, style, out);
    verdict_breaks_print(v, style, out);
    print_checked(v, style, out);
    print_gaps(v, style, out);
}
