/* The logs of the nodes around the first index at which they differ, and every change of them. */
#include <stdlib.h>
#include <string.h>

#include "report/scene.h"

#define ROWS_BEFORE 100
#define INDEXES_COMPARED 4000000u

static struct raft_node *node_of(struct raft_model *m, const struct scene_lane *lane)
{
    return lane->node >= 0 && (size_t)lane->node < m->nodes ? &m->node[lane->node] : NULL;
}

/* --- which rows --- */

static bool differs_at(const struct scene *s, uint64_t index)
{
    const struct raft_slot *first = NULL;
    for (size_t i = 0; i < s->lanes; i++) {
        struct raft_node *n = node_of((struct raft_model *)s->verdict->model, &s->lane[i]);
        const struct raft_slot *slot = n && index > n->base && index <= n->last ? raft_node_slot(n, index) : NULL;
        if (!slot || !slot->variant)
            continue;
        if (first && raft_entries_differ(first->variant, &first->witness, slot->variant, &slot->witness))
            return true;
        first = first ? first : slot;
    }
    return false;
}

/* Of the logs at the end of the run; 0: nowhere. */
static uint64_t differs_first(const struct scene *s, uint64_t lowest, uint64_t highest)
{
    for (uint64_t i = lowest; i <= highest && i - lowest < INDEXES_COMPARED; i++) {
        if (differs_at(s, i))
            return i;
    }
    return 0;
}

static void rows_choose(struct scene *s)
{
    struct scene_log *log = &s->log;
    const struct raft_finding *f = s->verdict->finding;
    uint64_t lowest = UINT64_MAX, highest = 0;
    for (size_t i = 0; i < s->lanes; i++) {
        const struct raft_node *n = node_of((struct raft_model *)s->verdict->model, &s->lane[i]);
        if (!n)
            continue;
        highest = n->last > highest ? n->last : highest;
        lowest = n->base + 1 < lowest ? n->base + 1 : lowest;
    }
    log->divergent = f && f->index ? f->index : differs_first(s, lowest, highest);
    uint64_t middle = log->divergent ? log->divergent : highest;
    log->highest = highest > middle ? highest : middle;
    log->first = middle > ROWS_BEFORE ? middle - ROWS_BEFORE : 1;
    if (!log->divergent && highest >= SCENE_ROWS)
        log->first = highest - SCENE_ROWS + 1;
    log->last = log->first + SCENE_ROWS - 1;
    if (log->last > log->highest)
        log->last = log->highest;
}

bool scene_log_init(struct scene *s)
{
    rows_choose(s);
    s->log.cell = calloc(SCENE_LANES * SCENE_ROWS, sizeof *s->log.cell);
    return s->log.cell != NULL;
}

/* --- what changed --- */

static uint32_t entry_number(struct scene *s, const struct raft_variant *v)
{
    struct scene_log *log = &s->log;
    if (!v)
        return SCENE_NONE;
    uintptr_t known = (uintptr_t)map_get(&log->numbers, (uintptr_t)v);
    if (known)
        return (uint32_t)known - 1;
    const struct raft_variant **place = scene_grow(s, (void **)&log->variant, log->entries, &log->variant_capacity,
                                                   sizeof *place);
    if (!place || !map_put(&log->numbers, (uintptr_t)v, (void *)(uintptr_t)(log->entries + 1)))
        return SCENE_NONE;
    *place = v;
    return (uint32_t)log->entries++;
}

static struct scene_cell cell_of(struct raft_node *n, uint64_t index)
{
    const struct raft_slot *slot = index <= n->last && index > n->base ? raft_node_slot(n, index) : NULL;
    struct scene_cell cell = {.compacted = index <= n->base && n->base};
    if (!slot || !slot->variant)
        return cell;
    cell.variant = slot->variant;
    cell.committed = slot->committed.how != RAFT_HOW_NONE || index <= n->commit;
    cell.applied = index <= n->applied || slot->committed.how == RAFT_HOW_APPLIED;
    cell.durable = slot->durable;
    return cell;
}

static void rows_compare(struct scene_walk *w, uint8_t lane, struct raft_node *n)
{
    struct scene *s = w->scene;
    struct scene_log *log = &s->log;
    for (uint64_t i = log->first; i <= log->last; i++) {
        struct scene_cell now = cell_of(n, i), *old = &log->cell[lane * SCENE_ROWS + (i - log->first)];
        if (now.variant == old->variant && now.committed == old->committed && now.applied == old->applied &&
            now.compacted == old->compacted && now.durable == old->durable)
            continue;
        *old = now;
        struct scene_change *c = log->changes < SCENE_STORED
                                     ? scene_grow(s, (void **)&log->change, log->changes, &log->capacity, sizeof *c) : NULL;
        if (!c)
            return;
        log->changes++;
        *c = (struct scene_change){.order = w->order, .row = (uint32_t)(i - log->first),
                                   .entry = entry_number(s, now.variant),
                                   .lane = lane, .committed = now.committed, .applied = now.applied, .compacted = now.compacted,
                                   .durable = now.durable};
    }
}

/* --- whether to look at all: a run has millions of facts, and the rows are few --- */

static bool overlaps(const struct scene_log *log, uint64_t from, uint64_t to)
{
    return from <= log->last && to >= log->first;
}

static bool moved(const struct scene_log *log, uint64_t before, uint64_t now)
{
    return before != now && overlaps(log, (before < now ? before : now) + 1, before < now ? now : before);
}

static bool message_touches(const struct scene_log *log, struct scene_lane *lane, const struct raft_fact *f)
{
    const struct raft_message *m = f->message;
    bool carries = m->type == RAFT_APPEND_ENTRIES && m->entries &&
                   overlaps(log, m->entry[0].index, m->entry[m->entries - 1].index);
    if (f->kind == RAFT_FACT_SENT && m->type == RAFT_APPEND_ENTRIES_RESULT && lane->log_pending) {
        lane->log_pending = false;
        return true;
    }
    if (f->kind == RAFT_FACT_RECEIVED)
        lane->log_pending |= carries;
    return carries;
}

static bool touches(const struct scene_log *log, struct scene_lane *lane, const struct raft_node *n,
                    const struct raft_fact *f)
{
    bool changed = moved(log, lane->log_base, n->base) || moved(log, lane->log_last, n->last) ||
                   moved(log, lane->log_commit, n->commit) || moved(log, lane->log_applied, n->applied) ||
                   lane->log_incarnation != n->incarnation;
    lane->log_base = n->base;
    lane->log_last = n->last;
    lane->log_commit = n->commit;
    lane->log_applied = n->applied;
    lane->log_incarnation = n->incarnation;
    if (f->message)
        changed |= message_touches(log, lane, f);
    else if (f->kind == RAFT_FACT_APPEND || f->kind == RAFT_FACT_APPLY)
        changed |= overlaps(log, f->entry.index, f->entry.index);
    return changed;
}

void scene_log_step(struct scene_walk *w, const struct raft_fact *f, uint8_t lane)
{
    struct scene_lane *l = &w->scene->lane[lane];
    struct raft_node *n = node_of(w->model, l);
    if (n && w->scene->log.last && touches(&w->scene->log, l, n, f))
        rows_compare(w, lane, n);
}

void scene_log_finish(struct scene *s)
{
    struct scene_log *log = &s->log;
    log->entry = calloc(log->entries + 1, sizeof *log->entry);
    s->failed |= !log->entry;
    for (size_t i = 0; log->entry && i < log->entries; i++) {
        const struct raft_variant *v = log->variant[i];
        log->entry[i] = (struct scene_entry){.index = v->index, .term = v->term, .digest = v->digest, .type = v->type,
                                             .text = scene_keep(s, v->text)};
    }
}
