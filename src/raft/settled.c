#include "raft/settled.h"

#include <stdlib.h>
#include <string.h>

#include "raft/model.h"

/* The state after an entry, and the event of the first node that stated it. */
struct settled_state {
    uint64_t digest; /* 0: not known */
    uint64_t sequence : 36, process : 16, node : 12;
};

void settled_init(struct raft_settled *s)
{
    *s = (struct raft_settled){0};
    for (size_t i = 0; i < SETTLED_PROTOCOLS; i++)
        pages_init(&s->digest[i], sizeof(uint64_t));
    pages_init(&s->state, sizeof(struct settled_state));
}

void settled_fini(struct raft_settled *s)
{
    for (size_t i = 0; i < SETTLED_PROTOCOLS; i++)
        pages_fini(&s->digest[i]);
    pages_fini(&s->state);
    free(s->stretch);
    settled_init(s);
}

/* --- stretches --- */

/* How many stretches begin at or before the index. */
static size_t stretch_place(const struct raft_settled *s, uint64_t index)
{
    size_t low = 0, high = s->stretches;
    if (high && s->stretch[high - 1].first <= index)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->stretch[middle].first <= index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct raft_stretch *stretch_find(const struct raft_settled *s, uint64_t index)
{
    size_t place = stretch_place(s, index);
    return place && index <= s->stretch[place - 1].last ? &s->stretch[place - 1] : NULL;
}

bool settled_has(const struct raft_settled *s, uint64_t index)
{
    return stretch_find(s, index) != NULL;
}

static bool witness_alike(const struct raft_witness *a, const struct raft_witness *b)
{
    return (a->how == RAFT_HOW_NONE) == (b->how == RAFT_HOW_NONE) && a->exact == b->exact;
}

/* Whether `b` may go on where `a` ends. */
static bool stretch_joins(const struct raft_stretch *a, const struct raft_stretch *b)
{
    return a->last + 1 == b->first && a->term == b->term &&
           (b->linked.how == RAFT_HOW_NONE || b->previous_term == a->term) && a->committed_term == b->committed_term &&
           a->led_term == b->led_term && witness_alike(&a->shown, &b->shown) &&
           witness_alike(&a->committed, &b->committed) && witness_alike(&a->led, &b->led) &&
           witness_alike(&a->linked, &b->linked) && a->offered == b->offered && a->type == b->type;
}

/* What is not seen of one of them is not seen of the stretch. */
static struct raft_witness witness_join(const struct raft_witness *a, const struct raft_witness *b)
{
    struct raft_witness w = *b;
    w.inferred |= !raft_witness_seen(a);
    return w;
}

static void stretch_join(struct raft_stretch *a, const struct raft_stretch *b)
{
    a->last = b->last;
    a->shown = witness_join(&a->shown, &b->shown);
    a->committed = witness_join(&a->committed, &b->committed);
    a->led = witness_join(&a->led, &b->led);
    a->linked = witness_join(&a->linked, &b->linked);
}

static void stretch_remove(struct raft_settled *s, size_t place)
{
    memmove(&s->stretch[place], &s->stretch[place + 1], (--s->stretches - place) * sizeof *s->stretch);
}

static bool stretch_insert(struct raft_settled *s, size_t place, const struct raft_stretch *new)
{
    if (s->stretches == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 8;
        struct raft_stretch *grown = realloc(s->stretch, capacity * sizeof *grown);
        if (!grown)
            return false;
        s->stretch = grown;
        s->capacity = capacity;
    }
    memmove(&s->stretch[place + 1], &s->stretch[place], (s->stretches++ - place) * sizeof *s->stretch);
    s->stretch[place] = *new;
    return true;
}

/* Entries come in the order of their indexes but for those that came up again, so most join the stretch before. */
static bool stretch_add(struct raft_settled *s, const struct raft_variant *v)
{
    struct raft_stretch new = {.first = v->index, .last = v->index, .term = v->term, .previous_term = v->previous_term,
                               .committed_term = v->committed_term, .led_term = v->led_term, .shown = v->shown,
                               .committed = v->committed, .led = v->led, .linked = v->linked, .offered = v->offered,
                               .type = v->type};
    size_t place = stretch_place(s, v->index);
    struct raft_stretch *before = place ? &s->stretch[place - 1] : NULL;
    struct raft_stretch *after = place < s->stretches ? &s->stretch[place] : NULL;
    if (after && stretch_joins(&new, after)) {
        stretch_join(&new, after);
        *after = new;
        if (before && stretch_joins(before, after)) {
            stretch_join(before, after);
            stretch_remove(s, place);
        }
        return true;
    }
    if (!before || !stretch_joins(before, &new))
        return stretch_insert(s, place, &new);
    stretch_join(before, &new);
    return true;
}

/* --- contents --- */

/* The place of an adapter's digests. -1: two others have theirs; then the terms decide. */
static int protocol_place(struct raft_settled *s, const char *protocol)
{
    for (int i = 0; i < SETTLED_PROTOCOLS; i++) {
        if (!s->protocol[i])
            s->protocol[i] = protocol;
        if (strcmp(s->protocol[i], protocol) == 0)
            return i;
    }
    return -1;
}

static bool digest_put(struct raft_settled *s, uint64_t index, uint64_t digest, const char *protocol)
{
    int place = digest && protocol ? protocol_place(s, protocol) : -1;
    uint64_t *cell = place < 0 ? NULL : pages_make(&s->digest[place], index);
    if (cell)
        *cell = digest;
    return cell || place < 0;
}

static bool state_put(struct raft_settled *s, const struct raft_variant *v)
{
    struct settled_state state = {.digest = v->state,
                                  .sequence = v->applied.sequence,
                                  .process = v->applied.process & 0xffff,
                                  .node = v->applied.node & 0xfff};
    bool fits =
        state.sequence == v->applied.sequence && state.process == v->applied.process && state.node == v->applied.node;
    if (v->applied.how == RAFT_HOW_NONE || !fits)
        return true;
    struct settled_state *cell = pages_make(&s->state, v->index);
    if (cell && !cell->digest)
        *cell = state;
    return cell != NULL;
}

bool settled_put(struct raft_settled *s, const struct raft_variant *v)
{
    const struct raft_stretch *old = stretch_find(s, v->index);
    if (old && old->term != v->term)
        return true;
    bool content = v->index >= s->content;
    if (content && (!digest_put(s, v->index, v->digest, v->protocol) ||
                    !digest_put(s, v->index, v->second_digest, v->second_protocol) || !state_put(s, v)))
        return false;
    return old || stretch_add(s, v);
}

static void revive_content(struct raft_settled *s, struct raft_variant *v)
{
    for (int i = 0; i < SETTLED_PROTOCOLS; i++) {
        const uint64_t *digest = pages_find(&s->digest[i], v->index);
        if (!digest || !*digest)
            continue;
        *(v->digest ? &v->second_digest : &v->digest) = *digest;
        *(v->protocol ? &v->second_protocol : &v->protocol) = s->protocol[i];
    }
    if (!v->digest)
        v->shown.exact = v->committed.exact = v->led.exact = v->linked.exact = false;
    const struct settled_state *state = pages_find(&s->state, v->index);
    if (!state || !state->digest)
        return;
    v->state = state->digest;
    v->applied = (struct raft_witness){.sequence = state->sequence, .order = v->committed.order, .process = state->process,
                                       .node = state->node, .how = RAFT_HOW_APPLIED, .exact = true};
}

struct raft_variant *settled_revive(struct raft_settled *s, uint64_t index)
{
    const struct raft_stretch *of = stretch_find(s, index);
    struct raft_variant *v = of ? calloc(1, sizeof *v) : NULL;
    if (!v)
        return NULL;
    *v = (struct raft_variant){.index = index,
                               .term = of->term,
                               .offered = of->offered,
                               .type = of->type,
                               .shown = of->shown,
                               .committed = of->committed,
                               .committed_term = of->committed_term,
                               .led = of->led,
                               .led_term = of->led_term,
                               .linked = of->linked,
                               .revived = true,
                               .previous_term = index == of->first ? of->previous_term : of->term};
    revive_content(s, v);
    return v;
}

void settled_compact(struct raft_settled *s, uint64_t first)
{
    if (first <= s->content)
        return;
    s->content = first;
    for (size_t i = 0; i < SETTLED_PROTOCOLS; i++)
        pages_keep(&s->digest[i], first, UINT64_MAX);
    pages_keep(&s->state, first, UINT64_MAX);
}
