#include "raft/properties.h"

#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"

/* Findings of one property that are kept with all they show. The first is the one to tell; the rest is counted. */
#define FINDINGS_KEPT 8

const struct raft_property_name raft_property_names[RAFT_PROPERTY_COUNT] = {
    [RAFT_STATE_MACHINE_SAFETY] = {"state-machine-safety", "State Machine Safety", "Figure 3, section 5.4.3",
        "if a server has applied a log entry at an index, no other server applies a different one there"},
    [RAFT_LEADER_COMPLETENESS] = {"leader-completeness", "Leader Completeness", "Figure 3, section 5.4",
        "an entry committed in a term is in the logs of the leaders of all higher terms"},
    [RAFT_ELECTION_SAFETY] = {"election-safety", "Election Safety", "Figure 3, section 5.2",
        "at most one leader can be elected in a term"},
    [RAFT_LOG_MATCHING] = {"log-matching", "Log Matching", "Figure 3, section 5.3",
        "two logs that hold an entry with the same index and term are identical up to it"},
    [RAFT_LEADER_APPEND_ONLY] = {"leader-append-only", "Leader Append-Only", "Figure 3, section 5.3",
        "a leader never overwrites or deletes entries in its log"},
    [RAFT_STATE_DETERMINISM] = {"state-determinism", "State machine determinism", "section 2",
        "state machines that apply the same entries in the same order produce the same state"},
    [RAFT_APPLIED_IN_ORDER] = {"applied-in-order", "Applied in order", "Figure 2, All Servers",
        "a server applies each entry once, in the order of the log"},
    [RAFT_EXACTLY_ONCE] = {"exactly-once", "Exactly once", "section 8; dissertation 6.3",
        "a command of a client takes effect once, and has one answer, however often it is sent"},
    [RAFT_LINEARIZABLE_READS] = {"linearizable-reads", "Linearizable reads", "section 8",
        "a read sees every write that was acknowledged before it was asked for"},
    [RAFT_COMMIT_MONOTONIC] = {"commit-index", "Commit index", "Figure 2, State",
        "the commit index increases monotonically"},
    [RAFT_TERM_MONOTONIC] = {"current-term", "Current term", "Figure 2, State", "the current term increases monotonically"},
};

/* ---- Findings ---- */

static struct raft_finding *finding_find(struct raft_model *m, enum raft_property property, size_t cluster,
                                         uint64_t index, uint64_t term)
{
    for (size_t i = 0; i < m->findings; i++) {
        struct raft_finding *f = &m->finding[i];
        if (f->property == property && f->cluster == cluster && f->index == index && f->term == term)
            return f;
    }
    return NULL;
}

/* The finding of this property at this place, made if it is new. NULL: enough of them are kept. */
static struct raft_finding *finding_make(struct raft_model *m, enum raft_property property,
                                         const struct raft_change *change, uint64_t index, uint64_t term)
{
    struct raft_finding *f = finding_find(m, property, change->cluster, index, term);
    if (f || m->found[property]++ >= FINDINGS_KEPT)
        return f;
    struct raft_finding *grown = realloc(m->finding, (m->findings + 1) * sizeof *grown);
    if (!grown) {
        m->out_of_memory = true;
        return NULL;
    }
    m->finding = grown;
    f = &grown[m->findings++];
    *f = (struct raft_finding){.property = property, .cluster = change->cluster, .index = index, .term = term,
                               .order = change->witness.order, .seen = true};
    return f;
}

static struct raft_side *finding_side(struct raft_finding *f, const struct raft_variant *variant, uint64_t value,
                                      const char *id)
{
    for (size_t i = 0; i < f->sides; i++) {
        struct raft_side *side = &f->side[i];
        if (side->variant == variant && side->value == value && strcmp(side->id, id) == 0)
            return side;
    }
    if (f->sides == RAFT_SIDES)
        return NULL;
    struct raft_side *side = &f->side[f->sides++];
    side->variant = variant;
    side->value = value;
    memcpy(side->id, id, strnlen(id, sizeof side->id - 1));
    return side;
}

/* A side is seen if one of its witnesses is; a finding, if all its sides are. */
static void finding_judge(struct raft_finding *f)
{
    f->seen = true;
    for (size_t i = 0; i < f->sides; i++) {
        bool seen = false;
        for (size_t w = 0; w < f->side[i].witnesses; w++)
            seen |= raft_witness_seen(&f->side[i].witness[w]);
        f->seen &= seen;
    }
}

/* One event a node: the first, unless a later one says that the entry was not only committed but applied. */
static void side_add(struct raft_finding *f, struct raft_side *side, const struct raft_witness *w)
{
    if (!side || w->how == RAFT_HOW_NONE)
        return;
    for (size_t i = 0; i < side->witnesses; i++) {
        if (side->witness[i].process != w->process)
            continue;
        if (w->how == RAFT_HOW_APPLIED && side->witness[i].how != RAFT_HOW_APPLIED)
            side->witness[i] = *w;
        return;
    }
    if (side->witnesses < RAFT_SIDE_WITNESSES)
        side->witness[side->witnesses++] = *w;
    finding_judge(f);
}

static void grid_column(struct raft_model *m, struct raft_finding *f, size_t node)
{
    struct raft_node *n = &m->node[node];
    for (size_t row = 0; row < RAFT_GRID_ROWS; row++) {
        uint64_t index = f->grid_first + row;
        const struct raft_slot *slot = raft_node_slot(n, index);
        f->grid[node * RAFT_GRID_ROWS + row] = (struct raft_cell){
            .variant = slot ? slot->variant : NULL,
            .committed = slot && slot->committed.how != RAFT_HOW_NONE,
            .applied = slot && slot->committed.how == RAFT_HOW_APPLIED,
            .compacted = index <= n->snapshot,
        };
    }
}

/* Keep what the logs around the place are now: later they may be repaired and show nothing. Nodes that were not known yet
 * get their columns when they come into it. */
static void grid_take(struct raft_model *m, struct raft_finding *f)
{
    if (!f->index || f->grid_columns == m->nodes)
        return;
    struct raft_cell *grown = realloc(f->grid, m->nodes * RAFT_GRID_ROWS * sizeof *grown);
    if (!grown)
        return;
    size_t first = f->grid_columns;
    f->grid = grown;
    f->grid_columns = m->nodes;
    f->grid_first = f->index > RAFT_GRID_BEFORE ? f->index - RAFT_GRID_BEFORE : 1;
    for (size_t i = first; i < m->nodes; i++)
        grid_column(m, f, i);
}

/* What the nodes that commit later hold is looked at then. */
static void grid_refresh(struct raft_model *m, struct raft_finding *f, const struct raft_witness *w)
{
    if (w->node < f->grid_columns)
        grid_column(m, f, w->node);
}

/* ---- State Machine Safety ---- */

/* All nodes that hold `v` as committed now, beside the one that did it first. */
static void side_add_holders(struct raft_model *m, struct raft_finding *f, const struct raft_variant *v)
{
    struct raft_side *side = finding_side(f, v, 0, "");
    side_add(f, side, &v->committed);
    for (size_t i = 0; i < m->nodes; i++) {
        const struct raft_slot *slot = m->node[i].cluster == f->cluster ? raft_node_slot(&m->node[i], v->index) : NULL;
        if (slot && slot->variant == v)
            side_add(f, side, &slot->committed);
    }
}

static void check_state_machine_safety(struct raft_model *m, const struct raft_change *change)
{
    struct raft_variant *v = change->variant;
    struct raft_variant *other = raft_cluster_entries(&m->cluster[change->cluster], v->index);
    for (; other; other = other->next) {
        if (other->committed.how == RAFT_HOW_NONE || !raft_entries_differ(v, &change->witness, other, &other->committed))
            continue;
        struct raft_finding *f = finding_make(m, RAFT_STATE_MACHINE_SAFETY, change, v->index, 0);
        if (!f)
            return;
        side_add_holders(m, f, other);
        side_add_holders(m, f, v);
        side_add(f, finding_side(f, v, 0, ""), &change->witness);
        grid_take(m, f);
        grid_refresh(m, f, &change->witness);
    }
}

/* ---- Leader Completeness ---- */

static void completeness_broken(struct raft_model *m, const struct raft_change *change, struct raft_variant *committed,
                                struct raft_variant *led)
{
    struct raft_finding *f = finding_make(m, RAFT_LEADER_COMPLETENESS, change, committed->index, led->led_term);
    if (!f)
        return;
    side_add(f, finding_side(f, committed, 0, ""), &committed->committed);
    side_add(f, finding_side(f, led, led->led_term, ""), &led->led);
    grid_take(m, f);
}

/* `committed` was committed in a term before that of a leader which holds `led` in its place. */
static bool completeness_fails(const struct raft_variant *committed, const struct raft_variant *led)
{
    return committed->committed.how != RAFT_HOW_NONE && led->led.how != RAFT_HOW_NONE &&
           committed->committed_term < led->led_term &&
           raft_entries_differ(committed, &committed->committed, led, &led->led);
}

static void check_leader_completeness(struct raft_model *m, const struct raft_change *change)
{
    struct raft_variant *v = change->variant;
    struct raft_variant *other = raft_cluster_entries(&m->cluster[change->cluster], v->index);
    for (; other; other = other->next) {
        if (change->kind == RAFT_CHANGE_LED && completeness_fails(other, v))
            completeness_broken(m, change, other, v);
        if (change->kind == RAFT_CHANGE_COMMITTED && completeness_fails(v, other))
            completeness_broken(m, change, v, other);
    }
}

/* ---- Election Safety ---- */

/* A leader only heard of may turn out to be a recorded one until all ids are known: it counts at the end. */
static bool leader_counts(const struct raft_leader *leader, const struct raft_change *change)
{
    return !leader->id[0] || change->kind == RAFT_CHANGE_LEADERS;
}

static bool leaders_same(const struct raft_leader *a, const struct raft_leader *b)
{
    return strcmp(a->id, b->id) == 0 && (a->id[0] || a->witness.node == b->witness.node);
}

static void check_election_safety(struct raft_model *m, const struct raft_change *change)
{
    const struct raft_term *t = change->term;
    const struct raft_leader *first = NULL;
    bool two = false;
    for (size_t i = 0; i < t->leaders; i++) {
        if (!leader_counts(&t->leader[i], change))
            continue;
        if (!first)
            first = &t->leader[i];
        two |= !leaders_same(first, &t->leader[i]);
    }
    struct raft_finding *f = two ? finding_make(m, RAFT_ELECTION_SAFETY, change, 0, t->term) : NULL;
    for (size_t i = 0; f && i < t->leaders; i++) {
        const struct raft_leader *leader = &t->leader[i];
        /* the value tells the sides apart: one for each leader */
        if (leader_counts(leader, change))
            side_add(f, finding_side(f, NULL, leader->id[0] ? 0 : leader->witness.node + 1u, leader->id), &leader->witness);
    }
}

/* ---- Log Matching ---- */

static void check_log_matching_entry(struct raft_model *m, const struct raft_change *change)
{
    struct raft_variant *v = change->variant;
    struct raft_variant *other = raft_cluster_entries(&m->cluster[change->cluster], v->index);
    for (; other; other = other->next) {
        if (other->term != v->term || !raft_entries_differ(v, &v->shown, other, &other->shown))
            continue;
        struct raft_finding *f = finding_make(m, RAFT_LOG_MATCHING, change, v->index, v->term);
        if (!f)
            return;
        side_add(f, finding_side(f, other, 0, ""), &other->shown);
        side_add(f, finding_side(f, v, 0, ""), &v->shown);
        grid_take(m, f);
    }
}

/* The same entry follows entries of two terms in two logs: they differ at the index before it. The sides are given the
 * term that stands before. */
static void check_log_matching_prefix(struct raft_model *m, const struct raft_change *change)
{
    const struct raft_variant *v = change->variant;
    if (v->linked.how == RAFT_HOW_NONE || v->previous_term == change->now)
        return;
    struct raft_finding *f = finding_make(m, RAFT_LOG_MATCHING, change, v->index, v->term);
    if (!f)
        return;
    side_add(f, finding_side(f, v, v->previous_term, ""), &v->linked);
    side_add(f, finding_side(f, v, change->now, ""), &change->witness);
    grid_take(m, f);
}

/* ---- Leader Append-Only ---- */

/* Only a leader's own word counts: it sent or stated the entry while it led, and in the same term the entry is another or
 * gone. What a disk shows may lag behind by a change of role. */
static bool append_only_broken(const struct raft_node *n, const struct raft_change *change)
{
    const struct raft_slot *old = change->old;
    bool own_word = old->witness.how == RAFT_HOW_STATED ||
                    (raft_witness_seen(&old->witness) && old->witness.order >= n->leading_since);
    if (!node_leads(n) || old->earlier || !own_word)
        return false;
    if (!change->variant)
        return change->witness.how == RAFT_HOW_STATED;
    return change->variant->term == n->leading;
}

static void check_leader_append_only(struct raft_model *m, const struct raft_change *change)
{
    const struct raft_node *n = &m->node[change->witness.node];
    if (!append_only_broken(n, change))
        return;
    struct raft_finding *f = finding_make(m, RAFT_LEADER_APPEND_ONLY, change, change->old->variant->index, n->leading);
    if (!f)
        return;
    side_add(f, finding_side(f, change->old->variant, 0, ""), &change->old->witness);
    side_add(f, finding_side(f, change->variant, 1, ""), &change->witness);
    grid_take(m, f);
}

/* ---- What goes on from there ---- */

static void check_state_determinism(struct raft_model *m, const struct raft_change *change)
{
    const struct raft_variant *v = change->variant;
    if (v->applied.how == RAFT_HOW_NONE || v->state == change->now || v->applied.node == change->witness.node)
        return;
    struct raft_finding *f = finding_make(m, RAFT_STATE_DETERMINISM, change, v->index, 0);
    if (!f)
        return;
    side_add(f, finding_side(f, v, v->state, ""), &v->applied);
    side_add(f, finding_side(f, v, change->now, ""), &change->witness);
    grid_take(m, f);
}

static void check_monotonic(struct raft_model *m, const struct raft_change *change)
{
    bool commit = change->kind == RAFT_CHANGE_COMMIT;
    struct raft_finding *f = finding_make(m, commit ? RAFT_COMMIT_MONOTONIC : RAFT_TERM_MONOTONIC, change,
                                          commit ? change->now : 0, commit ? 0 : change->now);
    if (!f)
        return;
    struct raft_side *side = finding_side(f, NULL, change->before, "");
    side_add(f, side, &change->witness);
}

static void check_applied_in_order(struct raft_model *m, const struct raft_change *change)
{
    struct raft_finding *f = finding_make(m, RAFT_APPLIED_IN_ORDER, change, change->now, 0);
    if (f)
        side_add(f, finding_side(f, NULL, change->before, ""), &change->witness);
}

/* That the log has it twice is no harm: the state machine is to tell by the client's number that it was done. */
static void check_twice(struct raft_model *m, const struct raft_change *change)
{
    struct raft_finding *f = finding_make(m, RAFT_EXACTLY_ONCE, change, change->now, 0);
    if (!f)
        return;
    /* the value tells the sides apart: which time it was */
    f->first = change->before;
    side_add(f, finding_side(f, NULL, 1, ""), &change->other);
    side_add(f, finding_side(f, NULL, 2, ""), &change->witness);
}

static void check_reads(struct raft_model *m, const struct raft_change *change)
{
    struct raft_finding *f = finding_make(m, RAFT_LINEARIZABLE_READS, change, change->before, 0);
    if (!f)
        return;
    side_add(f, finding_side(f, NULL, 0, ""), &change->other);
    side_add(f, finding_side(f, NULL, 1, ""), &change->witness);
}

/* ---- The table ---- */

static const struct {
    enum raft_change_kind on; /* the changes that can break it */
    void (*check)(struct raft_model *m, const struct raft_change *change);
} rules[] = {
    {RAFT_CHANGE_COMMITTED, check_state_machine_safety},
    {RAFT_CHANGE_COMMITTED, check_leader_completeness},
    {RAFT_CHANGE_LED, check_leader_completeness},
    {RAFT_CHANGE_LEADER, check_election_safety},
    {RAFT_CHANGE_LEADERS, check_election_safety},
    {RAFT_CHANGE_SHOWN, check_log_matching_entry},
    {RAFT_CHANGE_LINKED, check_log_matching_prefix},
    {RAFT_CHANGE_REPLACED, check_leader_append_only},
    {RAFT_CHANGE_STATE, check_state_determinism},
    {RAFT_CHANGE_COMMIT, check_monotonic},
    {RAFT_CHANGE_TERM, check_monotonic},
    {RAFT_CHANGE_ORDER, check_applied_in_order},
    {RAFT_CHANGE_TWICE, check_twice},
    {RAFT_CHANGE_READ, check_reads},
};

void raft_properties_check(struct raft_model *m, const struct raft_change *change)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].on == change->kind)
            rules[i].check(m, change);
    }
}

/* What is seen is told before what is inferred, then what hurts most, then what came first. */
static bool told_before(const struct raft_finding *a, const struct raft_finding *b)
{
    if (a->seen != b->seen)
        return a->seen;
    return a->property != b->property ? a->property < b->property : a->order < b->order;
}

const struct raft_finding *raft_finding_first(const struct raft_model *m)
{
    const struct raft_finding *first = NULL;
    for (size_t i = 0; i < m->findings; i++) {
        if (!first || told_before(&m->finding[i], first))
            first = &m->finding[i];
    }
    return first;
}

void raft_findings_fini(struct raft_model *m)
{
    for (size_t i = 0; i < m->findings; i++)
        free(m->finding[i].grid);
    free(m->finding);
    m->finding = NULL;
    m->findings = 0;
}
