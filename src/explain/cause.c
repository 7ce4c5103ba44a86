#include "explain/cause.h"

#include <stdio.h>
#include <string.h>

/* The terms that a violation speaks of: from the first in which one of its entries was made to the last that led it. */
struct span {
    uint64_t first, last;
};

static void span_add(struct span *s, uint64_t term)
{
    if (!term || term == UINT64_MAX)
        return;
    if (!s->first || term < s->first)
        s->first = term;
    if (term > s->last)
        s->last = term;
}

static struct span terms_of(const struct raft_finding *f)
{
    struct span s = {0};
    span_add(&s, f->term);
    for (size_t i = 0; i < f->sides; i++) {
        const struct raft_variant *v = f->side[i].variant;
        if (!v)
            continue;
        span_add(&s, v->term);
        span_add(&s, v->led_term);
        span_add(&s, v->committed_term);
    }
    return s;
}

/* When the later of two sides was first seen: what spoils a violation stands before that. */
static uint64_t completed(const struct raft_finding *f)
{
    uint64_t last = 0;
    for (size_t i = 0; i < f->sides; i++) {
        uint64_t first = UINT64_MAX;
        for (size_t w = 0; w < f->side[i].witnesses; w++) {
            if (f->side[i].witness[w].order < first)
                first = f->side[i].witness[w].order;
        }
        if (first != UINT64_MAX && first > last)
            last = first;
    }
    return last > f->order ? last : f->order;
}

static bool about_log(const struct raft_finding *f)
{
    return f->property == RAFT_STATE_MACHINE_SAFETY || f->property == RAFT_LEADER_COMPLETENESS ||
           f->property == RAFT_LOG_MATCHING || f->property == RAFT_LEADER_APPEND_ONLY;
}

static bool about_state(const struct raft_finding *f)
{
    return f->property == RAFT_STATE_DETERMINISM || f->property == RAFT_APPLIED_IN_ORDER || f->property == RAFT_EXACTLY_ONCE;
}

static bool spoils_election(const struct raft_finding *f, const struct raft_break *b, const struct span *terms)
{
    if (f->property == RAFT_ELECTION_SAFETY)
        return b->term == f->term;
    return about_log(f) && b->term >= terms->first && b->term <= terms->last;
}

static bool spoils_term(const struct raft_finding *f, const struct raft_break *b, const struct span *terms)
{
    if (f->property == RAFT_TERM_MONOTONIC)
        return b->at.node == f->side[0].witness[0].node;
    return b->term <= terms->last;
}

bool cause_depends(const struct raft_model *m, const struct raft_finding *f, const struct raft_break *b)
{
    struct span terms = terms_of(f);
    (void)m;
    if (b->cluster != f->cluster || b->at.order > completed(f) ||
        (b->healed.how != RAFT_HOW_NONE && b->healed.order <= f->order))
        return false;
    switch (b->spoils) {
    case RAFT_SPOILS_ELECTION:
        return spoils_election(f, b, &terms);
    case RAFT_SPOILS_TERM:
        return spoils_term(f, b, &terms);
    case RAFT_SPOILS_MEMBERS:
        return (about_log(f) || f->property == RAFT_ELECTION_SAFETY) && b->term <= terms.last;
    case RAFT_SPOILS_LOG: case RAFT_SPOILS_ACK:
        return (about_log(f) && b->index <= f->index) || (f->property == RAFT_STATE_DETERMINISM && b->index <= f->index);
    case RAFT_SPOILS_COMMIT:
        return f->property == RAFT_COMMIT_MONOTONIC || (about_log(f) && b->index >= f->index);
    case RAFT_SPOILS_STATE:
        return about_state(f) && b->index <= f->index;
    case RAFT_SPOILS_READ:
        return f->property == RAFT_LINEARIZABLE_READS;
    case RAFT_SPOILS_NOTHING:
        break;
    }
    return false;
}

/* At one event, what was lost at a restart is behind what the node does without it. */
static bool at_restart(const struct raft_break *b)
{
    return b->class == RAFT_T14 || b->class == RAFT_T15 || b->class == RAFT_T25;
}

static bool is_earlier(const struct raft_break *a, const struct raft_break *b)
{
    return a->at.order != b->at.order ? a->at.order < b->at.order : at_restart(a) && !at_restart(b);
}

static const struct raft_break *earliest(const struct raft_model *m, const struct raft_finding *f, const bool *precedes)
{
    const struct raft_break *first = NULL;
    for (size_t i = 0; i < m->breaks; i++) {
        const struct raft_break *b = &m->rule_break[i];
        if ((!f || (cause_depends(m, f, b) && (!precedes || precedes[i]))) && (!first || is_earlier(b, first)))
            first = b;
    }
    return first;
}

void cause_find(struct cause *c, const struct raft_model *m, const struct raft_finding *f, const bool *precedes)
{
    *c = (struct cause){.rule_break = earliest(m, f, precedes)};
    if (!c->rule_break)
        return;
    c->certainty = c->rule_break->likely || (f && !f->seen) ? CERTAINTY_LIKELY : CERTAINTY_KNOWN;
    if (c->rule_break->likely)
        memcpy(c->settle, c->rule_break->settle, sizeof c->settle);
    else if (c->certainty == CERTAINTY_LIKELY)
        snprintf(c->settle, sizeof c->settle,
                 "one side of the violation is inferred, not seen: marks of the commit index would show it");
    chain_build(c, m, f);
}
