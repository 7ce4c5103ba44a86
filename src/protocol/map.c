#include "protocol/map.h"

#include <stdlib.h>

#include <xxhash.h>

static size_t slot_home(const struct map *m, uint64_t key)
{
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (m->capacity - 1);
}

/* The slot that holds `key`, or the empty one where it belongs. The map is never full. */
static struct map_slot *slot_find(const struct map *m, uint64_t key)
{
    size_t i = slot_home(m, key);
    while (m->slot[i].value && m->slot[i].key != key)
        i = (i + 1) & (m->capacity - 1);
    return &m->slot[i];
}

static bool map_grow(struct map *m)
{
    struct map bigger = { .capacity = m->capacity ? 2 * m->capacity : 16 };
    bigger.slot = calloc(bigger.capacity, sizeof *bigger.slot);
    if (!bigger.slot)
        return false;
    for (size_t i = 0; i < m->capacity; i++)
        if (m->slot[i].value)
            *slot_find(&bigger, m->slot[i].key) = m->slot[i];
    bigger.count = m->count;
    free(m->slot);
    *m = bigger;
    return true;
}

void map_fini(struct map *m)
{
    free(m->slot);
    *m = (struct map){ 0 };
}

void *map_get(const struct map *m, uint64_t key)
{
    return m->capacity ? slot_find(m, key)->value : NULL;
}

bool map_put(struct map *m, uint64_t key, void *value)
{
    if (m->count * 4 >= m->capacity * 3 && !map_grow(m))
        return false;
    struct map_slot *s = slot_find(m, key);
    m->count += !s->value;
    *s = (struct map_slot){ key, value };
    return true;
}

void *map_remove(struct map *m, uint64_t key)
{
    struct map_slot *s = m->capacity ? slot_find(m, key) : NULL;
    if (!s || !s->value)
        return NULL;
    void *value = s->value;
    s->value = NULL;
    m->count--;
    /* Close the gap: whoever follows in the same run may have been pushed past this slot. */
    size_t gap = (size_t)(s - m->slot);
    for (size_t i = (gap + 1) & (m->capacity - 1); m->slot[i].value; i = (i + 1) & (m->capacity - 1)) {
        size_t home = slot_home(m, m->slot[i].key);
        if (((i - home) & (m->capacity - 1)) >= ((i - gap) & (m->capacity - 1))) {
            m->slot[gap] = m->slot[i];
            m->slot[i].value = NULL;
            gap = i;
        }
    }
    return value;
}

uint64_t map_key(const void *bytes, size_t length)
{
    return XXH3_64bits(bytes, length);
}
