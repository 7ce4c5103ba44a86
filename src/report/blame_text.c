#include "report/blame.h"

#include <inttypes.h>
#include <string.h>

#include "util/text.h"

bool blame_has(const struct blame_report *r, size_t cluster)
{
    const struct raft_model *m = r->blame->model;
    bool member = false;
    for (size_t i = 0; i < m->nodes; i++)
        member |= m->node[i].cluster == cluster && verdict_member(&r->names, i);
    return member && raft_cluster_entries(&m->cluster[cluster], r->blame->index);
}

bool blame_in_cluster(const struct blame_report *r, const struct blame_event *e, size_t cluster)
{
    uint16_t node = e->at.node != UINT16_MAX ? e->at.node : e->got.node;
    return r->blame->model->node[node].cluster == cluster;
}

void blame_line(const struct blame_report *r, size_t cluster, const struct blame_event *e, struct blame_line *out)
{
    memset(out, 0, sizeof *out);
    out->event = e;
    if (e->at.node == UINT16_MAX) {
        out->node = blame_name(r->blame, cluster, e->peer);
    } else {
        out->node = r->blame->model->node[e->at.node].name;
        if (e->at.how != RAFT_HOW_NONE)
            verdict_event(&r->names, &e->at, out->name, sizeof out->name);
    }
    if (e->kind == BLAME_ACKNOWLEDGED && e->got.how != RAFT_HOW_NONE)
        verdict_event(&r->names, &e->got, out->got, sizeof out->got);
}

void blame_origin_text(const struct blame_report *r, const struct raft_variant *v, size_t cluster, char *text, size_t size)
{
    const struct blame_origin o = blame_origin(r->blame, v, cluster);
    const char *node = !o.leader ? "" : o.leader->id[0] ? o.leader->id : r->blame->model->node[o.leader->witness.node].name;
    if (o.event)
        snprintf(text, size, "leader of term %" PRIu64, v->term);
    else if (o.leader && o.leader->id[0])
        snprintf(text, size, "%s, leader of term %" PRIu64 ", which is not recorded", node, v->term);
    else if (o.leader)
        snprintf(text, size, "%s, leader of term %" PRIu64 "; its log was not seen to hold it", node, v->term);
    else
        snprintf(text, size, "unknown: no leader of term %" PRIu64 " was seen", v->term);
}

static const char *const labels[] = {
    [BLAME_HELD] = "held", [BLAME_ACKNOWLEDGED] = "acknowledged", [BLAME_COMMITTED] = "committed",
    [BLAME_APPLIED] = "applied", [BLAME_LOST] = "lost",
};

static void print_start(const struct blame_report *r, const char *label, const char *event, uint64_t time, FILE *out)
{
    char when[TEXT_MAX];
    text_duration(time > r->begin ? time - r->begin : 0, when, sizeof when);
    fprintf(out, "  %-14s%-16s %-10s  ", label, event, *event ? when : "");
}

static void say_held(const struct blame_report *r, const struct blame_line *l, FILE *out)
{
    (void)r;
    fprintf(out, "%s: %s", l->node, verdict_how(&l->event->at));
}

static void say_acknowledged(const struct blame_report *r, const struct blame_line *l, FILE *out)
{
    char when[TEXT_MAX];
    const struct blame_event *e = l->event;
    char entry[256];
    verdict_entry(e->by, entry, sizeof entry);
    if (!*l->name && e->at.node != UINT16_MAX)
        fprintf(out, "%s, which held %s, to %s in term %" PRIu64, l->node, entry, e->peer, e->term);
    else if (!*l->name)
        fprintf(out, "%s (not recorded) in term %" PRIu64, l->node, e->term);
    else
        fprintf(out, "%s to %s in term %" PRIu64, l->node, *e->peer ? e->peer : "its leader", e->term);
    if (!*l->got)
        fprintf(out, "; it was not seen to arrive");
    else if (*l->name)
        fprintf(out, "; received %s, %s", l->got, text_duration(e->got_time - r->begin, when, sizeof when));
}

static void say_committed(const struct blame_report *r, const struct blame_line *l, FILE *out)
{
    const struct blame_event *e = l->event;
    (void)r;
    fprintf(out, "%s: %s", l->node, verdict_how(&e->at));
    if (!e->term)
        return;
    fprintf(out, "; leader of term %" PRIu64 ", %s %u of %u: %s", e->term, e->majority ? "majority" : "NO majority seen:",
            e->count, e->voters, *e->counted ? e->counted : "nobody");
    if (e->alone)
        fprintf(out, "; NO entry of term %" PRIu64 " on a majority (section 5.4.2)", e->term);
}

static void say_lost(const struct blame_report *r, const struct blame_line *l, FILE *out)
{
    char entry[256];
    (void)r;
    verdict_entry(l->event->by, entry, sizeof entry);
    if (l->event->by)
        fprintf(out, "%s: replaced by %s", l->node, entry);
    else
        fprintf(out, "%s: its log ends before it", l->node);
}

static void (*const say[])(const struct blame_report *r, const struct blame_line *l, FILE *out) = {
    [BLAME_HELD] = say_held, [BLAME_ACKNOWLEDGED] = say_acknowledged, [BLAME_COMMITTED] = say_committed,
    [BLAME_APPLIED] = say_held, [BLAME_LOST] = say_lost,
};

static void print_kind(const struct blame_report *r, const struct raft_variant *v, size_t cluster, enum blame_kind kind,
                       const struct verdict_style *style, FILE *out)
{
    bool first = true;
    for (size_t i = 0; i < r->blame->events; i++) {
        const struct blame_event *e = &r->blame->event[i];
        struct blame_line line;
        if (e->kind != kind || e->variant != v || !blame_in_cluster(r, e, cluster))
            continue;
        blame_line(r, cluster, e, &line);
        bool bad = kind == BLAME_LOST || e->alone || (e->term && kind == BLAME_COMMITTED && !e->majority);
        fputs(bad ? style->warn : "", out);
        print_start(r, first ? labels[kind] : "", *line.name ? line.name : line.got, *line.name ? e->time : e->got_time, out);
        say[kind](r, &line, out);
        fprintf(out, "%s\n", bad ? style->plain : "");
        first = false;
    }
    if (first && kind != BLAME_LOST && kind != BLAME_APPLIED)
        fprintf(out, "  %-14s%s\n", labels[kind], "by nobody, as far as it was seen");
}

static void print_origin(const struct blame_report *r, const struct raft_variant *v, size_t cluster, FILE *out)
{
    const struct blame_origin o = blame_origin(r->blame, v, cluster);
    char event[128] = "", text[256];
    blame_origin_text(r, v, cluster, text, sizeof text);
    if (!o.event) {
        fprintf(out, "  %-14s%s\n", "proposed", text);
        return;
    }
    verdict_event(&r->names, &o.event->at, event, sizeof event);
    print_start(r, "proposed", event, o.event->time, out);
    fprintf(out, "%s, %s", r->blame->model->node[o.event->at.node].name, text);
    verdict_event(&r->names, &o.leader->witness, event, sizeof event);
    fprintf(out, " (seen %s)\n", event);
}

static void print_request(const struct blame_report *r, const struct raft_variant *v, FILE *out)
{
    const struct blame_request *q = blame_request(r->blame, v);
    char event[128], when[TEXT_MAX];
    if (!q) {
        fprintf(out, "  %-14s%s\n", "request", v->type == 'n' || v->type == 'm' ? "none: it is not a client's" : "none was seen");
        return;
    }
    verdict_event(&r->names, &q->received, event, sizeof event);
    print_start(r, "request", event, q->time, out);
    fprintf(out, "%s got %s%s%s", r->blame->model->node[q->received.node].name, q->id, *q->key ? " for " : "", q->key);
    if (!q->same && !q->confirmed)
        fprintf(out, " (likely: the last one before it)");
    if (q->answered.how != RAFT_HOW_NONE) {
        verdict_event(&r->names, &q->answered, event, sizeof event);
        fprintf(out, "; answered %s, %s\n", event, text_duration(q->answered_time - r->begin, when, sizeof when));
    } else {
        fprintf(out, "; never answered with success\n");
    }
}

static void print_holders(const struct blame_report *r, const struct raft_variant *v, size_t cluster, FILE *out)
{
    const char *comma = "";
    fprintf(out, "  %-14s", "at the end");
    for (size_t i = 0; i < r->blame->model->nodes; i++) {
        if (r->blame->model->node[i].cluster != cluster || blame_holds(r->blame, i) != v)
            continue;
        fprintf(out, "%s%s", comma, r->blame->model->node[i].name);
        comma = ", ";
    }
    fprintf(out, "%s\n", *comma ? "" : "in no log that is known");
}

static void print_title(const struct blame_report *r, size_t cluster, size_t count, const struct verdict_style *style,
                        FILE *out)
{
    const struct raft_model *m = r->blame->model;
    const char *comma = " of ";
    size_t shown = 0;
    for (size_t i = 0; i < m->clusters; i++)
        shown += blame_has(r, i);
    fprintf(out, "%sindex %" PRIu64 "%s", style->strong, r->blame->index, style->plain);
    for (size_t i = 0; shown > 1 && i < m->nodes; i++) {
        if (m->node[i].cluster != cluster)
            continue;
        fprintf(out, "%s%s", comma, m->node[i].name);
        comma = ", ";
    }
    if (count > 1)
        fprintf(out, ": %s%zu different entries%s\n", style->bad, count, style->plain);
    else
        fprintf(out, ": one entry\n");
}

static void print_cluster(const struct blame_report *r, size_t cluster, const struct verdict_style *style, FILE *out)
{
    size_t count = 0;
    char entry[256];
    struct raft_variant *first = raft_cluster_entries(&r->blame->model->cluster[cluster], r->blame->index);
    for (const struct raft_variant *v = first; v; v = v->next)
        count++;
    print_title(r, cluster, count, style, out);
    for (const struct raft_variant *v = first; v; v = v->next) {
        verdict_entry(v, entry, sizeof entry);
        fprintf(out, "\n%s%s%s\n", style->strong, entry, style->plain);
        print_origin(r, v, cluster, out);
        print_request(r, v, out);
        for (int kind = BLAME_HELD; kind <= BLAME_LOST; kind++)
            print_kind(r, v, cluster, (enum blame_kind)kind, style, out);
        print_holders(r, v, cluster, out);
    }
}

void blame_print(const struct blame_report *r, const struct verdict_style *style, FILE *out)
{
    for (size_t i = 0; i < r->blame->model->clusters; i++) {
        if (blame_has(r, i))
            print_cluster(r, i, style, out);
    }
    if (r->blame->cut)
        fprintf(out, "\n%zu events are told; more followed\n", r->blame->events);
}
