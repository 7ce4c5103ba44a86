/* What reaches the state machine: T23, T24. What clients are told of it: rules_clients.c. */
#include <inttypes.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* Marks state each apply; an adapter may only see how far a node is. */
static bool is_each(const struct raft_fact *f)
{
    return f->entry.term != 0;
}

struct machine {
    uint64_t applied;       /* index applied last in this incarnation, 0: not known */
    struct raft_witness at;
    uint64_t installed;     /* last index of the snapshot that it was sent last, 0: none */
    uint64_t base, base_term, base_state; /* the snapshot that it began with: index, term, digest of the state; 0 unknown */
    struct raft_witness base_at;
};

struct apply {
    struct each machine;        /* struct machine */
    uint64_t agreed, agreed_state; /* the latest index after which two nodes had the same state, and that */
};

static struct machine *machine_of(struct step *s, struct apply *a)
{
    return each_of(s, &a->machine, sizeof(struct machine));
}

/* --- the order of applying (T23) --- */

static void order_broken(struct step *s, const struct machine *m, uint64_t index)
{
    bool again = index <= m->applied;
    struct raft_break *b =
        break_add(s, RAFT_T23, RAFT_SPOILS_STATE, s->fact->entry.term, index, again ? "again" : "skipped");
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_ORDER, .cluster = s->node->cluster,
                                                          .witness = step_witness(s, RAFT_HOW_APPLIED, true),
                                                          .before = m->applied, .now = index});
    if (again)
        break_text(b, "again", "%s applied index %" PRIu64 " again, after it had applied index %" PRIu64, s->node->name,
                   index, m->applied);
    else
        break_text(b, "skipped", "%s applied index %" PRIu64 " after index %" PRIu64 ": what is between was left out",
                   s->node->name, index, m->applied);
    if (b)
        break_reason(b, &m->at, "applies index %" PRIu64, m->applied);
}

static void check_order(struct step *s, struct apply *a)
{
    struct machine *m = machine_of(s, a);
    uint64_t index = s->fact->entry.index;
    if (!m || !index || !is_each(s->fact))
        return;
    if (m->applied && index != m->applied + 1)
        order_broken(s, m, index);
    m->applied = index;
    m->at = step_witness(s, RAFT_HOW_APPLIED, true);
}

/* The state begins anew at the snapshot: one that was taken of it leaves it as it is. */
static void machine_snapshot(struct step *s, struct apply *a)
{
    struct machine *m = machine_of(s, a);
    const struct raft_fact *f = s->fact;
    if (!m || f->index <= m->applied)
        return;
    m->applied = m->base = f->index;
    m->at = m->base_at = step_witness(s, RAFT_HOW_SNAPSHOT, true);
    m->base_term = f->term;
    m->base_state = f->entry.digest;
}

static void machine_sent(struct step *s, struct apply *a)
{
    struct machine *m = machine_of(s, a);
    if (m)
        m->installed = s->fact->message->prev_index;
}

/* --- the outcome of applying (T24) --- */

const struct raft_variant *applied_entry(struct step *s)
{
    const struct raft_entry *e = &s->fact->entry;
    const struct raft_variant *v = raft_cluster_entries(s->cluster, e->index);
    const struct raft_slot *slot = raft_node_slot(s->node, e->index);
    if (!e->term || (slot && slot->variant->term == e->term))
        return slot ? slot->variant : NULL;
    while (v && v->term != e->term)
        v = v->next;
    return v;
}

/* The entry before left the same state on both nodes: so it is this one that makes the difference. */
static bool equal_before(struct step *s, const struct raft_variant *v)
{
    const struct raft_variant *before = raft_cluster_entries(s->cluster, v->index - 1);
    for (; before; before = before->next) {
        if (before->applied.how != RAFT_HOW_NONE)
            return true; /* a difference there would have been found there */
    }
    return v->index == 1;
}

/* What another node's state was after applying this index. NULL: not seen. */
static const struct raft_variant *state_at(struct step *s, uint64_t index, uint64_t term)
{
    const struct raft_variant *v = raft_cluster_entries(s->cluster, index);
    while (v && (v->term != term || v->applied.how == RAFT_HOW_NONE))
        v = v->next;
    return v;
}

/* A state that was asked for shows later what was done when the entry was committed. */
static void break_at_apply(struct step *s, struct raft_break *b, uint64_t index)
{
    const struct raft_witness *at = b && !is_each(s->fact) ? commit_learnt(s->node, index) : NULL;
    if (at)
        b->at = *at;
}

/* T23: the state began with a snapshot that says another index than the one its state is of. */
static bool check_base(struct step *s, const struct machine *m)
{
    const struct raft_variant *v = m && m->base_state ? state_at(s, m->base, m->base_term) : NULL;
    if (!v || v->state == m->base_state || v->applied.node == (uint16_t)(s->node - s->model->node))
        return false;
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, s->fact->entry.term, m->base + 1, "base");
    break_text(b, "base", "%s applied index %" PRIu64 " on the state of its snapshot, which says index %" PRIu64
               " and holds another state", s->node->name, s->fact->entry.index, m->base);
    break_reason(b, &m->base_at, "begins with its snapshot up to index %" PRIu64 ", of state %016" PRIx64, m->base,
                 m->base_state);
    break_at_apply(s, b, m->base + 1);
    return true;
}

/* T08, not seen itself: a leaderCommit reached into entries that were not the leader's, which the node replaced only later,
 * and its state is another since. */
static bool check_tempted(struct step *s, const struct raft_variant *v)
{
    const struct raft_letter *t = &s->node->book.tempting;
    const struct raft_slot *now =
        t->at.how != RAFT_HOW_NONE && t->index <= v->index ? raft_node_slot(s->node, t->index) : NULL;
    if (!now || now->variant->term == t->log_term)
        return false;
    struct raft_break *b = break_add(s, RAFT_T08, RAFT_SPOILS_STATE, t->term, t->index, "");
    break_text(b, "beyond", /* as where the commit index is seen */
               "%s applied its own entry of index %" PRIu64 " (term %" PRIu64 ") when a leaderCommit of %" PRIu64
               " came, which did not verify it", s->node->name, t->index, t->log_term, t->commit);
    if (b)
        b->at = t->at;
    break_likely(b, "that it applied them follows from its state, which is another than that of %s after the same log; "
                 "marks would show it",
                 s->model->node[v->applied.node].name);
    return true;
}

uint64_t applied_before(struct step *s, const struct raft_variant *v)
{
    for (uint64_t i = v->index; --i > 0 && v->digest && v->index - i < REPEATS_LOOKED_AT;) {
        const struct raft_variant *w = raft_cluster_entries(s->cluster, i);
        for (; w; w = w->next) {
            if (w->type == 'c' && raft_variant_shows(w, v->digest, v->protocol))
                return i;
        }
    }
    return 0;
}

static void check_repeated(struct step *s, const struct raft_variant *v, uint64_t earlier)
{
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, v->term, v->index, "repeated");
    break_text(b, "repeated", "%s applied index %" PRIu64 ", a repetition of index %" PRIu64
               ", to another effect than %s did", s->node->name, v->index, earlier, s->model->node[v->applied.node].name);
    if (b)
        break_reason(b, &v->applied, "applies index %" PRIu64 ": its state is %016" PRIx64 " then", v->index, v->state);
    break_at_apply(s, b, v->index);
    break_likely(b, "that the command is to be applied once only follows from its being sent twice; "
                 "a mark of the client's request would show it");
}

/* T23, not seen itself: the others agree, so chance or clock did not part them; this one's state began with a snapshot that
 * it was sent, and what came next was not seen to be applied one by one. */
static bool check_after_snapshot(struct step *s, const struct apply *a, const struct machine *m,
                                 const struct raft_variant *v)
{
    bool agreed = a->agreed == v->index && a->agreed_state == v->state;
    if (!m || !m->installed || is_each(s->fact) || v->index <= m->installed + 1 || !agreed)
        return false;
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, v->term, m->installed + 1, "installed");
    break_text(b, "installed", "%s left out an entry after the snapshot up to index %" PRIu64
               " that it was sent: its state after index %" PRIu64 " is another than that of all others", s->node->name,
               m->installed, v->index);
    if (b)
        break_reason(b, &v->applied, "applies index %" PRIu64 ": its state is %016" PRIx64 " then", v->index, v->state);
    break_at_apply(s, b, m->installed + 1);
    break_likely(
        b, "that it applied each entry after the snapshot, and once, was not seen; marks would show which it left out");
    return true;
}

/* Something else than this entry made the states differ: a broken rule, or another entry that was applied before. */
static bool differ_already(const struct step *s, uint64_t index)
{
    const struct raft_model *m = s->model;
    for (size_t i = 0; i < m->breaks; i++) {
        if (m->rule_break[i].spoils == RAFT_SPOILS_STATE && m->rule_break[i].index <= index)
            return true;
    }
    for (size_t i = 0; i < m->findings; i++) {
        if (m->finding[i].property == RAFT_STATE_MACHINE_SAFETY && m->finding[i].cluster == s->node->cluster &&
            m->finding[i].index <= index)
            return true;
    }
    return false;
}

static void check_outcome(struct step *s, struct apply *a)
{
    uint64_t state = s->fact->entry.digest;
    const struct raft_variant *v = state ? applied_entry(s) : NULL;
    uint16_t node = (uint16_t)(s->node - s->model->node);
    if (!v || v->applied.how == RAFT_HOW_NONE || v->applied.node == node)
        return;
    if (v->state == state) {
        a->agreed = v->index;
        a->agreed_state = state;
        return;
    }
    if (differ_already(s, v->index))
        return;
    if (check_base(s, machine_of(s, a)) || check_tempted(s, v))
        return;
    uint64_t earlier = applied_before(s, v);
    if (!earlier && check_after_snapshot(s, a, machine_of(s, a), v))
        return;
    if (earlier) {
        check_repeated(s, v, earlier);
        return;
    }
    struct raft_break *b = break_add(s, RAFT_T24, RAFT_SPOILS_STATE, v->term, v->index, "");
    break_text(b, "outcome", "%s and %s have different states after the same entry of index %" PRIu64 " (term %" PRIu64 ")",
               s->model->node[v->applied.node].name, s->node->name, v->index, v->term);
    if (b)
        break_reason(b, &v->applied, "applies index %" PRIu64 ": its state is %016" PRIx64 " then", v->index, v->state);
    break_at_apply(s, b, v->index);
    if (b && (!equal_before(s, v) || !is_each(s->fact)))
        break_likely(b, "that the states were equal before this entry, and that it was applied once on each, was not seen");
}

/* --- the facts --- */

static void before(struct step *s, void *state)
{
    const struct raft_fact *f = s->fact;
    if (f->kind == RAFT_FACT_RECEIVED && f->message->type == RAFT_INSTALL_SNAPSHOT)
        machine_sent(s, state);
    if (f->kind == RAFT_FACT_SNAPSHOT && !f->again)
        machine_snapshot(s, state);
    if (f->kind != RAFT_FACT_APPLY)
        return;
    check_order(s, state);
    check_outcome(s, state);
}

const struct raft_rules rules_apply = {
    .name = "apply", .size = sizeof(struct apply), .each = sizeof(struct machine), .forgets = true, .before = before,
};
