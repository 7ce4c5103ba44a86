/* A map from 64-bit keys to pointers, for tables whose size nobody knows before: open addressing, linear probing.
 * Strings and addresses are keyed by their XXH3 (map_key). */
#ifndef DRD_PROTOCOL_MAP_H
#define DRD_PROTOCOL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t key;
    void *value; /* NULL: empty slot */
};

struct map {
    struct map_slot *slot;
    size_t count, capacity; /* capacity: 0 or a power of two */
};

void map_fini(struct map *m);                              /* not the values */
void *map_get(const struct map *m, uint64_t key);          /* NULL if absent */
bool map_put(struct map *m, uint64_t key, void *value);    /* replaces; value must not be NULL; false: out of memory */
void *map_remove(struct map *m, uint64_t key);             /* what was there, or NULL */
uint64_t map_key(const void *bytes, size_t length);

#endif
