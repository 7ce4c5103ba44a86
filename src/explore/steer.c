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
/* How much more often such a situation may be gone on from, as a power of two: one from which nobody knows what is wanting; a rule was
 * broken; logs fork; a committed entry can be lost. */
static const unsigned often[EXPLORE_DEEP + 1] = {0, 5, 8, 9};
#define OFTEN_MOST 9

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

/* The last ones: what was hardest to come to. */
static void moments_take(struct search_entry *n, const struct search_case *c, bool deep)
{
    for (size_t i = c->fresh_count; i-- && n->moments < sizeof n->fresh / sizeof *n->fresh;) {
        const struct explore_feature *f = &c->fresh[i];
        if (f->time != EXPLORE_LATE && deep == ((f->hash & EXPLORE_DEEP) != 0))
            n->fresh[n->moments++] = *f;
    }
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
    moments_take(n, c, true);
    moments_take(n, c, false);
    if (!n->moments)
        free(n->plan);
    while (s->entry[n->root].seed != n->seed)
        n->root++; /* itself at the latest */
    s->entries += n->moments > 0;
    return true;
}

/* May a model strike somebody there? */
static bool can_strike(const struct search *s, uint64_t moment)
{
    return s->options.setting.faults && moment + SPREAD_NS < s->options.setting.strikes;
}

/* A power of two. What is near early has time for what is wanting; where there will be no more faults, it is near to nothing. */
static unsigned often_at(const struct search *s, const struct explore_feature *f)
{
    unsigned most = often[f->hash & EXPLORE_DEEP];
    uint64_t quarter = s->options.setting.strikes ? 4 * f->time / s->options.setting.strikes : 0;
    if (!s->options.setting.faults || !most)
        return most;
    return !can_strike(s, f->time) ? 0 : quarter < 2 ? most : most - (unsigned)quarter + 1;
}

/* Less is better: in how few runs it was, those that went on from it included, and how near to a failure it is. All that goes on from one seed shares: some situations look near and are not, as a log that is
 * better but was not on the disk when the power went, and each run that goes on from them looks near again. */
static uint64_t rank_of(const struct search *s, const struct search_entry *n, const struct explore_feature *f)
{
    return (seen_place(s, f->hash + !f->hash)->runs + 2 * n->tries + s->entry[n->root].root_tries / 2) << (OFTEN_MOST - often_at(s, f));
}

struct choice {
    struct search_entry *entry;
    uint64_t rank;
    const struct explore_feature *at;
};

static void choice_compare(const struct search *s, struct choice *best, struct search_entry *n, const struct explore_feature *f)
{
    uint64_t rank = rank_of(s, n, f);
    if (!best->entry || rank < best->rank)
        *best = (struct choice){n, rank, f};
}

/* The best of some entries, and of all that are near to a failure. */
static struct choice entry_choose(struct search *s, struct chance *c)
{
    struct choice best = {0};
    for (int i = 0; i < CANDIDATES; i++) {
        struct search_entry *n = &s->entry[chance_below(c, s->entries)];
        choice_compare(s, &best, n, &n->fresh[chance_below(c, n->moments)]);
    }
    size_t first = (size_t)chance_below(c, s->entries);
    for (size_t i = 0; i < s->entries; i++) {
        struct search_entry *n = &s->entry[(first + i) % s->entries];
        for (size_t k = 0; k < n->moments; k++)
            if (n->fresh[k].hash & EXPLORE_DEEP)
                choice_compare(s, &best, n, &n->fresh[k]);
    }
    return best;
}

/* Up to `most`, more often little than much. */
static uint64_t little(struct chance *c, uint64_t most)
{
    return chance_below(c, (most >> chance_below(c, 12)) + 1);
}

static void step_put(FILE *out, const char *word, uint64_t at, uint64_t seed, const char *node)
{
    fprintf(out, "%s %" PRIu64 ".%09" PRIu64 " %" PRIu64 "%s%s\n", word, at / 1000000000u, at % 1000000000u, seed, *node ? " " : "", node);
}

/* After the moment all chance is another, or somebody is struck, or both; half of the time it is the one whose moment it was. Who is
 * struck a little before meets what led there on its way: a leader before what it says is heard. */
static bool go_on_from(struct search *s, struct chance *c, struct explore_try *t, char **plan)
{
    struct choice from = entry_choose(s, c);
    size_t size = 0;
    FILE *out = open_memstream(plan, &size);
    if (!out)
        return *plan = NULL, false;
    uint64_t moment = from.at->time, way = can_strike(s, moment) ? chance_below(c, 4) : 0, at = moment + little(c, SPREAD_NS);
    uint64_t before = little(c, SPREAD_NS);
    fputs(from.entry->plan ? from.entry->plan : "", out);
    if (way == 1)
        at = chance_below(c, 2) ? moment - (before < moment ? before : moment) : at;
    else
        step_put(out, "fresh", at, chance_next(c) >> 40, "");
    if (way)
        step_put(out, "strike", at, chance_next(c) >> 40, chance_below(c, 2) ? from.at->node : "");
    if (fclose(out))
        return free(*plan), *plan = NULL, false;
    from.entry->tries++;
    s->entry[from.entry->root].root_tries++;
    t->seed = from.entry->seed;
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
