#include "raft/parts.h"

#include <stdlib.h>
#include <string.h>

/* A log that goes on this far behind its end was cut by something unseen (a snapshot): what is between is unknown. */
#define LOG_JUMP 65536
/* Different entries at one index that are told apart. More are an attack or a damaged file. */
#define ENTRY_VARIANTS 64

bool raft_witness_seen(const struct raft_witness *w)
{
    return w->how != RAFT_HOW_NONE && w->how < RAFT_HOW_ACKNOWLEDGED && !w->inferred;
}

bool raft_entries_differ(const struct raft_variant *a, const struct raft_witness *wa, const struct raft_variant *b,
                         const struct raft_witness *wb)
{
    if (a == b)
        return false;
    return a->term != b->term || (wa->exact && wb->exact);
}

struct raft_slot *raft_node_slot(struct raft_node *n, uint64_t index)
{
    struct raft_slot *slot = index <= n->last ? pages_find(&n->log, index) : NULL;
    return slot && slot->variant ? slot : NULL;
}

struct raft_variant *raft_cluster_entries(struct raft_cluster *c, uint64_t index)
{
    struct raft_variant **head = pages_find(&c->entries, index);
    return head && *head ? *head : entry_revive(c, index);
}

static bool protocol_same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* Content is compared by digests of one adapter; without that, the term decides (Log Matching makes it enough). */
bool raft_variant_is(const struct raft_variant *v, const struct raft_entry *e, const char *protocol)
{
    if (v->digest && e->digest && protocol_same(v->protocol, protocol))
        return v->digest == e->digest;
    if (v->second_digest && e->digest && protocol_same(v->second_protocol, protocol))
        return v->second_digest == e->digest;
    return true;
}

bool raft_variant_shows(const struct raft_variant *v, uint64_t digest, const char *protocol)
{
    return (v->digest == digest && protocol_same(v->protocol, protocol)) ||
           (v->second_digest == digest && protocol_same(v->second_protocol, protocol));
}

static void entry_describe(struct raft_variant *v, const struct raft_entry *e, const char *protocol)
{
    if (!v->digest && e->digest) {
        v->digest = e->digest;
        v->protocol = protocol;
    } else if (!v->second_digest && e->digest && !protocol_same(v->protocol, protocol)) {
        v->second_digest = e->digest;
        v->second_protocol = protocol;
    }
    if (!v->text[0] && e->text[0])
        memcpy(v->text, e->text, sizeof v->text);
    v->text[sizeof v->text - 1] = 0;
    if ((!v->type || v->type == '?') && e->type)
        v->type = e->type;
}

struct raft_variant *entry_find(struct step *s, uint64_t index, const struct raft_entry *entry)
{
    struct raft_variant **place = index && entry->term ? pages_make(&s->cluster->entries, index) : NULL;
    if (!place) {
        if (index && entry->term)
            step_out_of_memory(s);
        return NULL;
    }
    if (!*place)
        entry_revive(s->cluster, index);
    size_t count = 0;
    const struct raft_slot *own = raft_node_slot(s->node, index);
    if (own && own->variant->term == entry->term && raft_variant_is(own->variant, entry, s->fact->protocol)) {
        entry_describe(own->variant, entry, s->fact->protocol); /* what the node holds there, told once more */
        return own->variant;
    }
    while (*place && ((*place)->term != entry->term || !raft_variant_is(*place, entry, s->fact->protocol))) {
        place = &(*place)->next;
        if (++count == ENTRY_VARIANTS)
            return NULL;
    }
    if (!*place) {
        *place = calloc(1, sizeof **place);
        if (!*place) {
            step_out_of_memory(s);
            return NULL;
        }
        (*place)->index = index;
        (*place)->term = entry->term;
        (*place)->committed_term = UINT64_MAX;
        s->cluster->live++;
    }
    entry_describe(*place, entry, s->fact->protocol);
    return *place;
}

struct raft_variant *entry_find_term(struct step *s, uint64_t index, uint64_t term)
{
    struct raft_entry entry = {.index = index, .term = term};
    return entry_find(s, index, &entry);
}

static bool witness_better(const struct raft_witness *w, const struct raft_witness *old)
{
    if (old->how == RAFT_HOW_NONE)
        return true;
    if (raft_witness_seen(w) != raft_witness_seen(old))
        return raft_witness_seen(w);
    return w->exact && !old->exact;
}

/* A slot is told by the latest event that shows it as well as any other: what a leader held while it led matters. */
static bool witness_as_good(const struct raft_witness *w, const struct raft_witness *old)
{
    return witness_better(w, old) || (raft_witness_seen(w) && w->exact >= old->exact);
}

void entry_shown(struct step *s, struct raft_variant *v, const struct raft_witness *w)
{
    if (!witness_better(w, &v->shown))
        return;
    v->shown = *w;
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_SHOWN, .cluster = s->node->cluster,
                                                          .witness = *w, .variant = v});
}

void entry_led(struct step *s, struct raft_variant *v, uint64_t term, bool exact)
{
    if (!v || (v->led.how != RAFT_HOW_NONE && term <= v->led_term))
        return;
    v->led_term = term;
    v->led = step_witness(s, s->fact->kind == RAFT_FACT_SENT ? RAFT_HOW_SENT : RAFT_HOW_STATED, exact);
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_LED, .cluster = s->node->cluster,
                                                          .witness = v->led, .variant = v, .now = term});
}

/* What stands before `slot` in the same log. Log Matching holds for whole logs if it holds for every such pair. Only what
 * the node itself showed since it started counts: a log rewritten unseen would make pairs that never were. */
static void entry_link(struct step *s, const struct raft_slot *slot)
{
    const struct raft_slot *before = raft_node_slot(s->node, slot->variant->index - 1);
    struct raft_variant *v = slot->variant;
    if (!before || before->earlier || !raft_witness_seen(&before->witness) || !raft_witness_seen(&slot->witness))
        return;
    if (v->linked.how != RAFT_HOW_NONE && v->previous_term == before->variant->term)
        return;
    struct raft_change change = {.kind = RAFT_CHANGE_LINKED, .cluster = s->node->cluster, .witness = slot->witness,
                                 .variant = v, .now = before->variant->term};
    raft_properties_check(s->model, &change);
    if (v->linked.how == RAFT_HOW_NONE) {
        v->linked = slot->witness;
        v->previous_term = before->variant->term;
    }
}

void log_cut(struct raft_node *n, uint64_t last)
{
    if (last >= n->last)
        return;
    pages_keep(&n->log, 0, last);
    n->last = last;
    if (n->base > last)
        n->base = last;
    /* Raft never cuts what is committed. If this node did, what it commits there later must be looked at again. */
    if (n->commit > last)
        n->commit = last;
    if (n->applied > last)
        n->applied = last;
}

void log_restart(struct raft_node *n, uint64_t base)
{
    pages_fini(&n->log);
    n->base = n->last = base;
    n->snapshot = 0;
    if (n->commit > base)
        n->commit = base;
    if (n->applied > base)
        n->applied = base;
}

/* Take an entry out of the way that is not the one the log holds now. */
static void log_replace(struct step *s, struct raft_slot *slot, struct raft_variant *v, const struct raft_witness *w)
{
    struct raft_slot old = *slot;
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_REPLACED, .cluster = s->node->cluster,
                                                          .witness = *w, .variant = v, .old = &old});
    old.variant->replaced = *w;
    old.variant->replaced_by = v;
    log_cut(s->node, v->index - 1);
}

/* The slot in which `v` goes, made free for it. NULL: it is below what is kept, or no memory. */
static struct raft_slot *log_slot(struct step *s, struct raft_variant *v, const struct raft_witness *w)
{
    struct raft_node *n = s->node;
    if (v->index < n->base)
        return NULL;
    if (v->index > n->last && v->index - n->last > LOG_JUMP)
        log_restart(n, v->index - 1);
    struct raft_slot *slot = raft_node_slot(n, v->index);
    if (slot && raft_entries_differ(slot->variant, &slot->witness, v, w))
        log_replace(s, slot, v, w);
    slot = pages_make(&n->log, v->index);
    if (!slot)
        step_out_of_memory(s);
    return slot;
}

void slot_synced(struct step *s, struct raft_slot *slot)
{
    if (!slot->durable)
        slot->synced = step_witness(s, s->fact->loaded ? RAFT_HOW_LOADED : RAFT_HOW_WRITTEN, true);
    slot->durable = true;
}

void log_put(struct step *s, struct raft_variant *v, enum raft_how how, bool exact)
{
    struct raft_node *n = s->node;
    struct raft_witness w = step_witness(s, how, exact);
    struct raft_slot *slot = v ? log_slot(s, v, &w) : NULL;
    if (!slot)
        return;
    if (!slot->variant || exact)
        slot->variant = v;
    if (slot->earlier || witness_as_good(&w, &slot->witness))
        slot->witness = w;
    slot->earlier = false;
    if (s->fact->durable || s->fact->loaded)
        slot_synced(s, slot);
    if (v->index > n->last)
        n->last = v->index;
    if (v->replaced.process == w.process && !v->replaced_by)
        v->replaced.how = RAFT_HOW_NONE; /* it is back: a file told of a cut that a mark had told of before */
    entry_shown(s, v, &w);
    entry_link(s, slot);
    if (n->leading && n->leading == v->term && raft_witness_seen(&w))
        entry_led(s, v, v->term, exact);
    if (v->index <= n->commit && slot->committed.how == RAFT_HOW_NONE)
        log_commit_slot(s, slot, RAFT_HOW_FOLLOWED, UINT64_MAX);
}

/* The first event that shows it is told, but a state machine that applied says more than a commit index. */
static bool commit_is_news(const struct raft_slot *slot, enum raft_how how)
{
    return slot->committed.how == RAFT_HOW_NONE || (how == RAFT_HOW_APPLIED && slot->committed.how != RAFT_HOW_APPLIED);
}

void log_commit_slot(struct step *s, struct raft_slot *slot, enum raft_how how, uint64_t term)
{
    struct raft_variant *v = slot->variant;
    if (v->term > s->node->commit_term)
        s->node->commit_term = v->term;
    if (!commit_is_news(slot, how))
        return;
    struct raft_witness w = step_witness(s, how, slot->witness.exact);
    w.inferred = slot->earlier || !raft_witness_seen(&slot->witness);
    if (slot->committed.how == RAFT_HOW_NONE) {
        s->model->committed++;
        s->model->compared += v->committed.how != RAFT_HOW_NONE && v->committed.node != w.node;
    }
    slot->committed = w;
    if (v->committed.how == RAFT_HOW_NONE || v->committed.node == w.node || (w.exact && !v->committed.exact))
        v->committed = w;
    if (term < v->committed_term)
        v->committed_term = term < v->term ? v->term : term;
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_COMMITTED, .cluster = s->node->cluster,
                                                          .witness = w, .variant = v, .now = term});
}

struct trim {
    const struct raft_model *model;
    size_t cluster;
    uint64_t base;
};

static bool page_trimmed(void *context, uint64_t first, void *cells)
{
    const struct trim *t = context;
    (void)cells;
    return first + (PAGE_CELLS - 1) < t->base && !entries_kept(t->model, t->cluster, first, first + (PAGE_CELLS - 1));
}

/* Let go of the old part of a log, but for what somebody will want to see. */
static void log_trim(struct step *s)
{
    struct raft_node *n = s->node;
    uint64_t keep = n->commit < n->last ? n->commit : n->last, tail = s->model->tail;
    if (keep <= n->base || keep - n->base < 2 * tail)
        return;
    struct trim t = {s->model, n->cluster, keep - tail};
    if (pages_drop(&n->log, page_trimmed, &t))
        n->base = t.base;
}

void log_commit(struct step *s, uint64_t commit, enum raft_how how, uint64_t term)
{
    struct raft_node *n = s->node;
    uint64_t from = n->commit > n->base ? n->commit : n->base;
    uint64_t until = commit < n->last ? commit : n->last;
    if (commit <= n->commit)
        return;
    n->commit = commit;
    if (until > s->cluster->committed)
        s->cluster->committed = until;
    while (from < until) {
        struct raft_slot *slot = raft_node_slot(n, ++from);
        if (slot)
            log_commit_slot(s, slot, how, term);
    }
    log_trim(s);
}

void log_snapshot(struct step *s, uint64_t index, uint64_t term, enum raft_how how)
{
    struct raft_node *n = s->node;
    struct raft_variant *v = entry_find_term(s, index, term);
    if (v && index > n->compacted)
        n->compacted = index;
    if (!v || index <= n->snapshot)
        return;
    if (index >= n->base) {
        /* InstallSnapshot, receiver 6 and 7 (Figure 13): what follows stays only if the entry at `index` has the same
         * term. Where that is not known, what follows is not known either. */
        struct raft_slot *slot = raft_node_slot(n, index);
        if (slot && slot->variant->term == term)
            pages_keep(&n->log, index, n->last);
        else
            log_restart(n, index);
        n->base = index;
        log_put(s, v, how, false);
        log_commit(s, index, how, n->term_known ? n->heard : UINT64_MAX);
        struct raft_slot *end = raft_node_slot(n, index);
        if (end)
            log_commit_slot(s, end, how, n->term_known ? n->heard : UINT64_MAX);
    }
    n->snapshot = index;
}
