/* What to try next. A seed by itself shows what is usual. A run that showed a situation nobody was in before is near others
 * that are as rare: it is repeated up to that moment, and from there chance follows from another seed. */
#include "explore/search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/chance.h"

#define SPREAD_NS 20000000u /* how long after the new situation chance changes, at most */
#define ENTRIES_MOST 4096

static bool seen_grow(struct search *s)
{
    size_t size = s->seen_size ? 2 * s->seen_size : 1024;
    uint64_t *more = calloc(size, sizeof *more);
    if (!more)
        return false;
    for (size_t i = 0; i < s->seen_size; i++) {
        size_t at = s->seen[i] & (size - 1);
        if (!s->seen[i])
            continue;
        while (more[at])
            at = (at + 1) & (size - 1);
        more[at] = s->seen[i];
    }
    free(s->seen);
    s->seen = more;
    s->seen_size = size;
    return true;
}

bool search_is_new(struct search *s, uint64_t situation)
{
    situation += !situation; /* 0 is an empty place */
    if (2 * s->seen_count >= s->seen_size && !seen_grow(s))
        return false;
    size_t at = situation & (s->seen_size - 1);
    for (; s->seen[at]; at = (at + 1) & (s->seen_size - 1))
        if (s->seen[at] == situation)
            return false;
    s->seen[at] = situation;
    s->seen_count++;
    return true;
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
    for (size_t i = 0; i < c->fresh_count && n->moments < sizeof n->moment / sizeof *n->moment; i++)
        n->moment[n->moments++] = c->fresh[i].time;
    s->entries++;
    return true;
}

/* The less tried of two. */
static struct search_entry *entry_choose(struct search *s, struct chance *c)
{
    struct search_entry *a = &s->entry[chance_below(c, s->entries)], *b = &s->entry[chance_below(c, s->entries)];
    return b->tries < a->tries || (b->tries == a->tries && b > a) ? b : a;
}

static bool go_on_from(struct search *s, struct chance *c, struct explore_try *t, char **plan)
{
    struct search_entry *n = entry_choose(s, c);
    uint64_t at = n->moment[chance_below(c, n->moments)] + chance_below(c, SPREAD_NS);
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
    chance_init(&c, s->started, 0x65);
    s->started++;
    if (o->setting.plans && !o->to && s->entries && s->started % 2 == 0 && go_on_from(s, &c, t, plan))
        return true;
    t->seed = s->next_seed++;
    return true;
}
