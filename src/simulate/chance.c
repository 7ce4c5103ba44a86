/* Chance by name: what a connection, a disk or a process draws depends on the seed, on what it is called and on how many of that name
 * there were before, and not on what else happens in the world. So a plan with one step less leaves the rest as it was. */
#include "simulate/machine.h"

#include <stdlib.h>
#include <string.h>

struct ordinal {
    uint64_t key, count;
};

/* FNV-1a, with an end for each text. */
static uint64_t text_hash(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
    while (*text++);
    return hash;
}

static struct ordinal *ordinal_place(struct ordinal *table, size_t capacity, uint64_t key)
{
    size_t at = (size_t)key & (capacity - 1);
    while (table[at].key && table[at].key != key)
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static void ordinals_grow(struct machine *m)
{
    size_t capacity = m->ordinal_capacity ? 2 * m->ordinal_capacity : 256;
    struct ordinal *table = calloc(capacity, sizeof *table);
    if (!table)
        abort();
    for (size_t i = 0; i < m->ordinal_capacity; i++)
        if (m->ordinal[i].key)
            *ordinal_place(table, capacity, m->ordinal[i].key) = m->ordinal[i];
    free(m->ordinal);
    m->ordinal = table;
    m->ordinal_capacity = capacity;
}

static uint64_t ordinal_next(struct machine *m, uint64_t key)
{
    if (2 * (m->ordinals + 1) > m->ordinal_capacity)
        ordinals_grow(m);
    struct ordinal *o = ordinal_place(m->ordinal, m->ordinal_capacity, key);
    if (!o->key) {
        o->key = key;
        m->ordinals++;
    }
    return o->count++;
}

void chance_named(struct machine *m, struct chance *c, enum chance_kind kind, const char *a, const char *b)
{
    uint64_t key = text_hash(text_hash(0xcbf29ce484222325ull + kind, a), b) | 1;
    c->state = m->seed * 0x2545f4914f6cdd1dull ^ key;
    c->state = chance_next(c) + ordinal_next(m, key) * 0x9e3779b97f4a7c15ull;
    chance_next(c);
}

const char *process_who(const struct machine *m, const struct process *p)
{
    return p->node ? m->node[p->node].name : p->name;
}

static void reseed(const struct machine *m, struct chance *c)
{
    c->state ^= m->seed * 0x2545f4914f6cdd1dull;
    c->state = chance_next(c);
}

void chance_fresh(struct machine *m, uint64_t seed)
{
    m->seed = seed;
    reseed(m, &m->turns);
    reseed(m, &m->faults);
    for (struct process *p = m->processes; p; p = p->next) {
        reseed(m, &p->numbers);
        reseed(m, &p->disk);
    }
    sockets_fresh(m, reseed);
}
