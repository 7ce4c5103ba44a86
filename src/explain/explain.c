#include "explain/explain.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct feed {
    struct raft_model *model;
    raft_fact_fn watch;
    void *context;
};

static void feed(void *context, const struct raft_fact *fact)
{
    struct feed *f = context;
    raft_model_step(f->model, fact);
    if (f->watch)
        f->watch(f->context, fact);
}

struct raft_model *explain_model(struct store *s, const struct store_process *process, size_t processes,
                                 struct drd_error *e)
{
    return explain_model_watch(s, process, processes, NULL, NULL, e);
}

/* One walk of the run. NULL: damaged run, or no memory. */
static struct raft_model *walk(struct store *s, const struct store_process *process, size_t processes, struct feed *f,
                               const struct raft_keep *keep, size_t keeps, struct drd_error *e)
{
    struct raft_model *m = f->model = raft_model_create();
    if (m && keeps)
        memcpy(m->keep, keep, keeps * sizeof *keep);
    if (m)
        m->keeps = keeps;
    for (size_t i = 0; m && i < processes; i++) {
        const struct store_process *p = &process[i];
        raft_model_process(m, p->number, p->node ? p->node : "", p->incarnation, p->start, p->end, p->complete);
        raft_model_status(m, p->number, p->status);
    }
    if (m && !protocol_walk(s, feed, f, e)) {
        raft_model_destroy(m);
        return NULL;
    }
    if (m)
        raft_model_finish(m);
    if (!m || m->out_of_memory) {
        error_set(e, DRD_EXIT_FATAL, "out of memory");
        raft_model_destroy(m);
        return NULL;
    }
    return m;
}

struct raft_model *explain_model_watch(struct store *s, const struct store_process *process, size_t processes,
                                       raft_fact_fn watch, void *context, struct drd_error *e)
{
    struct feed f = {.watch = watch, .context = context};
    struct raft_keep keep[RAFT_KEEPS];
    struct raft_model *m = walk(s, process, processes, &f, NULL, 0, e);
    size_t keeps = m ? raft_model_revisit(m, keep) : 0;
    if (!keeps)
        return m;
    /* Something was found at an old index, of which only the outline was kept. */
    raft_model_destroy(m);
    f.watch = NULL;
    return walk(s, process, processes, &f, keep, keeps, e);
}

static void gap_add(struct verdict *v, bool decisive, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void gap_add(struct verdict *v, bool decisive, const char *format, ...)
{
    if (v->gaps == VERDICT_GAPS)
        return;
    struct verdict_gap *gap = &v->gap[v->gaps++];
    va_list args;
    va_start(args, format);
    vsnprintf(gap->text, sizeof gap->text, format, args);
    va_end(args);
    gap->decisive = decisive;
}

static void gap_run(struct verdict *v, const char *state)
{
    if (v->model->nodes == 0)
        gap_add(v, true, "no Raft in this run: no message, file or mark that DRD knows as such");
    if (*state && strcmp(state, "complete") != 0)
        gap_add(v, true, strcmp(state, "recording") == 0
                             ? "the run is not finished: it is being recorded, or its recorder was killed"
                             : "the run is incomplete: recording stopped before the cluster did");
}

/* Members that spoke to recorded nodes and are not recorded themselves. */
static void gap_peers(struct verdict *v, const struct raft_cluster *c)
{
    for (size_t i = 0; i < c->peers; i++) {
        if (c->peer[i].heard && c->peer[i].node < 0)
            gap_add(v, true, "the node with id \"%s\" is not recorded: only what others heard from it is known",
                    c->peer[i].id);
    }
    if (c->doubt[0])
        gap_add(v, true, "%s: this may be more than one cluster; record them apart", c->doubt);
}

/* A node whose committed entries are not known to the end: what it committed there was not compared. */
static void gap_node(struct verdict *v, const struct raft_node *n)
{
    if (!n->complete)
        gap_add(v, true, "%s is not recorded to its end", n->name);
    if (n->commit > n->last)
        gap_add(v, false, "%s committed up to index %lu; its log is known up to %lu only", n->name, (unsigned long)n->commit,
                (unsigned long)n->last);
}

bool verdict_member(const struct verdict *v, size_t node)
{
    bool any = false;
    for (size_t i = 0; i < v->model->nodes; i++)
        any |= v->model->node[i].speaks;
    return !any || v->model->node[node].speaks;
}

static void gap_late(struct verdict *v)
{
    if (v->model->late)
        gap_add(v, true, "%lu events of nodes that had been started again since came out of order and were not used",
                (unsigned long)v->model->late);
}

static void gap_comparison(struct verdict *v)
{
    const struct raft_model *m = v->model;
    const char *name = NULL;
    size_t members = 0;
    for (size_t i = 0; i < m->nodes; i++) {
        if (verdict_member(v, i) && ++members)
            name = m->node[i].name;
    }
    if (members == 1)
        gap_add(v, true, "%s is the only node of which anything is known", name);
    else if (members && !m->compared)
        gap_add(v, true, "no index was seen to be committed on two nodes: there was nothing to compare");
}

static enum verdict_status judge(const struct verdict *v)
{
    if (v->finding)
        return v->model->cluster[v->finding->cluster].doubt[0] ? VERDICT_UNKNOWN : VERDICT_VIOLATED;
    for (size_t i = 0; i < v->gaps; i++) {
        if (v->gap[i].decisive)
            return VERDICT_UNKNOWN;
    }
    return VERDICT_NONE;
}

/* What one node shows by itself: the others have no part in it. */
static bool is_local(const struct raft_finding *f)
{
    return f->property == RAFT_LEADER_APPEND_ONLY || f->property == RAFT_STATE_DETERMINISM ||
           f->property == RAFT_APPLIED_IN_ORDER || f->property == RAFT_COMMIT_MONOTONIC ||
           f->property == RAFT_TERM_MONOTONIC;
}

/* A member of which not all was seen; NULL: there is none. */
static const char *member_unseen(const struct verdict *v, size_t cluster, bool *partly)
{
    const struct raft_model *m = v->model;
    const struct raft_cluster *c = &m->cluster[cluster];
    *partly = false;
    for (size_t i = 0; i < c->peers; i++) {
        if (c->peer[i].heard && c->peer[i].node < 0)
            return c->peer[i].id;
    }
    *partly = true;
    for (size_t i = 0; i < m->nodes; i++) {
        if (m->node[i].cluster == cluster && verdict_member(v, i) && !m->node[i].complete)
            return m->node[i].name;
    }
    return NULL;
}

/* The cause is the earliest break: it is not known to be while somebody may have broken a rule before, unseen. */
static void cause_bound(struct verdict *v)
{
    bool partly;
    const char *unseen = v->finding && !is_local(v->finding) ? member_unseen(v, v->finding->cluster, &partly) : NULL;
    if (!unseen || v->cause.certainty != CERTAINTY_KNOWN)
        return;
    v->cause.certainty = CERTAINTY_LIKELY;
    snprintf(v->cause.settle, sizeof v->cause.settle,
             partly ? "%s is not recorded to its end: whether it broke a rule after that is not seen"
                    : "the node with id \"%s\" is not recorded: whether it broke a rule before that is not seen", unseen);
}

void verdict_init(struct verdict *v, const struct raft_model *m, const struct store_process *process, size_t processes,
                  const char *state)
{
    *v = (struct verdict){.model = m, .process = process, .processes = processes, .finding = raft_finding_first(m)};
    gap_run(v, state);
    gap_comparison(v);
    gap_late(v);
    for (size_t i = 0; i < m->clusters; i++)
        gap_peers(v, &m->cluster[i]);
    for (size_t i = 0; i < m->nodes; i++) {
        if (verdict_member(v, i))
            gap_node(v, &m->node[i]);
    }
    v->status = judge(v);
    cause_find(&v->cause, m, v->finding, NULL);
    cause_bound(v);
}

bool verdict_order(struct verdict *v, struct store *s, struct drd_error *e)
{
    if (!v->finding || v->model->breaks < 2)
        return true;
    bool *precedes = calloc(v->model->breaks, sizeof *precedes);
    if (!precedes)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    bool good = cause_order(s, v->model, v->finding, precedes, e);
    if (good) {
        cause_find(&v->cause, v->model, v->finding, precedes);
        cause_bound(v);
    }
    free(precedes);
    return good;
}

bool verdict_source(struct verdict *v, struct store *s, struct drd_error *e)
{
    const struct raft_break *b = v->cause.rule_break;
    uint64_t acting; /* told something, a node stands in its event loop; where it acts on that is the place to show */
    if (!b)
        return true;
    return replay_frames_acting(s, b->at.process, b->at.sequence, &acting, e) &&
           replay_frames(s, v->process, v->processes, b->at.process, acting, v->frame, FRAMES_MAX, &v->frames,
                         v->frames_note, e);
}

void verdict_proof(struct verdict *v, struct proof *p)
{
    free(v->proof);
    v->proof = p;
    if (!p || p->state != PROOF_PROVED)
        return;
    v->cause.certainty = CERTAINTY_PROVED;
    *v->cause.settle = 0;
}

void verdict_fini(struct verdict *v)
{
    free(v->proof);
    v->proof = NULL;
}
