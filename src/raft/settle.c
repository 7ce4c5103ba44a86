/* What may be settled: entries that no log of the model holds, no message on its way carries, no finding speaks of, and that
 * are well below what was committed. */
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* Around the index of a finding: the rows of its grid, and where the rules look when states differ (rules_apply.c). */
#define FINDING_BEFORE 1088
#define FINDING_AFTER 128

void entries_free(struct raft_variant *v)
{
    while (v) {
        struct raft_variant *next = v->next;
        free(v);
        v = next;
    }
}

struct raft_variant *entry_revive(struct raft_cluster *c, uint64_t index)
{
    if (!settled_has(&c->settled, index))
        return NULL;
    struct raft_variant **place = pages_make(&c->entries, index);
    if (!place || *place)
        return place ? *place : NULL;
    *place = settled_revive(&c->settled, index);
    c->live += *place != NULL;
    return *place;
}

static struct raft_keep around(uint64_t index)
{
    return (struct raft_keep){index > FINDING_BEFORE ? index - FINDING_BEFORE : 1,
                              index < UINT64_MAX - FINDING_AFTER ? index + FINDING_AFTER : UINT64_MAX};
}

/* The grid of a finding, and the entries that it is about. */
static bool finding_shows(const struct raft_finding *f, uint64_t first, uint64_t last)
{
    return f->index && last + RAFT_GRID_ROWS >= f->index && first <= f->index + RAFT_GRID_ROWS;
}

bool entries_kept(const struct raft_model *m, size_t cluster, uint64_t first, uint64_t last)
{
    bool kept = false;
    for (size_t i = 0; i < m->keeps && !kept; i++)
        kept = m->keep[i].first <= last && first <= m->keep[i].last;
    for (size_t i = 0; i < m->findings && !kept; i++)
        kept = m->finding[i].cluster == cluster && finding_shows(&m->finding[i], first, last);
    return kept;
}

/* --- what is in use --- */

struct settling {
    struct raft_model *model;
    size_t cluster;
    uint64_t limit; /* above it nothing is old */
};

/* A log of the model, by whole pages: log_trim frees no part of one. */
static bool log_holds(const struct raft_node *n, uint64_t first, uint64_t last)
{
    return n->base - n->base % PAGE_CELLS <= last && first <= n->last;
}

static bool pending_holds(const struct raft_node *n, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < n->pending_count; i++) {
        const struct raft_pending *p = &n->pending[i];
        bool wraps = p->count > UINT64_MAX - p->previous;
        if (p->count && (wraps || (p->previous < last && first <= p->previous + p->count)))
            return true;
    }
    return false;
}

static bool in_use(const struct settling *g, uint64_t first, uint64_t last)
{
    const struct raft_model *m = g->model;
    bool used = last > g->limit || entries_kept(m, g->cluster, first, last);
    for (size_t i = 0; i < m->nodes && !used; i++) {
        const struct raft_node *n = &m->node[i];
        used = n->cluster == g->cluster && (log_holds(n, first, last) || pending_holds(n, first, last));
    }
    return used;
}

/* --- settling --- */

/* Of several entries at an index the one that was committed first counts; what replaced others in logs is over. */
static const struct raft_variant *entry_chosen(const struct raft_variant *v)
{
    const struct raft_variant *chosen = v;
    for (; v; v = v->next) {
        bool committed = v->committed.how != RAFT_HOW_NONE, before = chosen->committed.how != RAFT_HOW_NONE;
        if (committed != before ? committed
            : committed         ? v->committed.order < chosen->committed.order
                                : v->led_term > chosen->led_term)
            chosen = v;
    }
    return chosen;
}

static bool page_settles(void *context, uint64_t first, void *cells)
{
    struct settling *g = context;
    struct raft_cluster *c = &g->model->cluster[g->cluster];
    struct raft_variant **cell = cells;
    if (in_use(g, first, first + (PAGE_CELLS - 1)))
        return false;
    bool good = true;
    for (size_t i = 0; i < PAGE_CELLS && good; i++)
        good = !cell[i] || settled_put(&c->settled, entry_chosen(cell[i]));
    for (size_t i = 0; i < PAGE_CELLS && good; i++) {
        for (const struct raft_variant *v = cell[i]; v; v = v->next)
            c->live--;
        entries_free(cell[i]);
    }
    return good;
}

/* The index up to which the snapshots of all nodes stand for the log: nobody has these entries any more. */
static uint64_t compacted(const struct raft_model *m, size_t cluster)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < m->nodes; i++) {
        const struct raft_node *n = &m->node[i];
        if (n->cluster == cluster && (n->last || n->compacted) && n->compacted < lowest)
            lowest = n->compacted;
    }
    return lowest == UINT64_MAX ? 0 : lowest;
}

void entries_settle(struct raft_model *m, size_t cluster)
{
    struct raft_cluster *c = &m->cluster[cluster];
    if (c->live < c->settle_at || c->committed <= m->tail)
        return;
    struct settling g = {m, cluster, c->committed - m->tail};
    pages_drop(&c->entries, page_settles, &g);
    uint64_t old = compacted(m, cluster);
    if (old > m->tail) /* a snapshot need not end the log: some entries before it may be in the file still */
        settled_compact(&c->settled, old - m->tail);
    c->settle_at = c->live + c->live / 4 + m->tail;
}

/* --- another walk --- */

static void revisit(struct raft_keep keep[RAFT_KEEPS], size_t *keeps, uint64_t index)
{
    for (size_t i = 0; i < *keeps; i++) {
        if (keep[i].first <= index && index <= keep[i].last)
            return;
    }
    if (*keeps < RAFT_KEEPS)
        keep[(*keeps)++] = around(index);
}

size_t raft_model_revisit(const struct raft_model *m, struct raft_keep keep[RAFT_KEEPS])
{
    size_t keeps = 0;
    for (size_t i = 0; i < m->findings; i++) {
        const struct raft_finding *f = &m->finding[i];
        for (size_t side = 0; side < f->sides; side++) {
            if (f->side[side].variant && f->side[side].variant->revived)
                revisit(keep, &keeps, f->index);
        }
    }
    for (size_t i = 0; i < m->breaks; i++) {
        if (m->rule_break[i].settled)
            revisit(keep, &keeps, m->rule_break[i].index);
    }
    return keeps;
}
