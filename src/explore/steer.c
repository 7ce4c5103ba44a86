/* What to try next. A seed by itself shows what is usual. A run that showed a situation nobody was in before is near others
 * that are as rare: it is repeated up to that moment, and from there chance follows from another seed. */
#include "explore/search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/chance.h"

#define SPREAD_NS 20000000u /* how long after the new situation chance changes, at most */
#define ENTRIES_MOST 4096
#define CANDIDATES 64
#define DEEP 32 /* how much more often such a situation may be gone on from */

static bool seen_grow(struct search *s)
{
    size_t size = s->seen_size ? 2 * s->seen_size : 1024;
    struct search_seen *more = calloc(size, sizeof *more);
    if (!more)
        return false;
    for (size_t i = 0; i < s->seen_size; i++) {
        size_t at = s->seen[i].situation & (size - 1);
        if (!s->seen[i].situation)
            continue;
        while (more[at].situation)
            at = (at + 1) & (size - 1);
        more[at] = s->seen[i];
    }
    free(s->seen);
    s->seen = more;
    s->seen_size = size;
    return true;
}

/* Its place, or the empty one where it goes. */
static struct search_seen *seen_place(const struct search *s, uint64_t situation)
{
    size_t at = situation & (s->seen_size - 1);
    while (s->seen[at].situation && s->seen[at].situation != situation)
        at = (at + 1) & (s->seen_size - 1);
    return &s->seen[at];
}

bool search_is_new(struct search *s, uint64_t situation)
{
    situation += !situation; /* 0 is an empty place */
    if (2 * s->seen_count >= s->seen_size && !seen_grow(s))
        return false;
    struct search_seen *place = seen_place(s, situation);
    bool new = !place->situation;
    place->situation = situation;
    place->runs++;
    s->seen_count += new;
    return new;
}

bool search_learn(struct search *s, const struct search_case *c)
{
    if (!c->fresh_count || s->entries == ENTRIES_MOST)
        return true;
    struct search_entry *more = realloc(s->entry, (s->entries + 1) * sizeof *more);
    if (!more)
        return false;
    s->entry = more;
    struct search_entry *n = &more[s->entries];
    *n = (struct search_entry){.seed = c->seed, .plan = c->plan ? strdup(c->plan) : NULL};
    for (size_t i = 0; i < c->fresh_count && n->moments < sizeof n->fresh / sizeof *n->fresh; i++)
        if (c->fresh[c->fresh_count - 1 - i].time != EXPLORE_LATE)
            n->fresh[n->moments++] = c->fresh[c->fresh_count - 1 - i]; /* the last ones: what was hardest to come to */
    if (!n->moments)
        free(n->plan);
    s->entries += n->moments > 0;
    return true;
}

/* Of some entries the one whose situation was in the fewest runs since, those that went on from it included. */
static struct search_entry *entry_choose(struct search *s, struct chance *c, uint64_t *moment)
{
    struct search_entry *best = NULL;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < CANDIDATES; i++) {
        struct search_entry *n = &s->entry[chance_below(c, s->entries)];
        const struct explore_feature *f = &n->fresh[chance_below(c, n->moments)];
        uint64_t common = seen_place(s, f->hash + !f->hash)->runs + 2 * n->tries;
        common = common * DEEP >> (f->hash & EXPLORE_DEEP ? 5 : 0);
        if (common >= least)
            continue;
        least = common;
        best = n;
        *moment = f->time;
    }
    return best;
}

static bool go_on_from(struct search *s, struct chance *c, struct explore_try *t, char **plan)
{
    uint64_t at = 0;
    struct search_entry *n = entry_choose(s, c, &at);
    at += chance_below(c, SPREAD_NS);
    if (asprintf(plan, "%sfresh %" PRIu64 ".%09" PRIu64 " %" PRIu64 "\n", n->plan ? n->plan : "", at / 1000000000u,
                 at % 1000000000u, chance_next(c) >> 40) < 0)
        return *plan = NULL, false;
    n->tries++;
    t->seed = n->seed;
    t->plan = *plan;
    s->continued++;
    return true;
}

bool search_next(struct search *s, struct explore_try *t, char **plan)
{
    const struct search_options *o = &s->options;
    struct chance c;
    *t = (struct explore_try){0};
    *plan = NULL;
    if (o->to || o->from ? s->next_seed > o->to : o->runs && s->started >= o->runs)
        return false;
    chance_init(&c, s->started + o->first, 0x65);
    s->started++;
    if (o->setting.plans && !o->to && s->entries && s->started % 2 == 0 && go_on_from(s, &c, t, plan))
        return true;
    t->seed = s->next_seed++;
    return true;
}
