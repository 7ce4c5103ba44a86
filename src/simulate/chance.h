/* Streams of chance, each of its own: what one part of the world draws does not move what another part draws. */
#ifndef DRD_SIMULATE_CHANCE_H
#define DRD_SIMULATE_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state;
};

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static inline uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static inline void chance_init(struct chance *c, uint64_t seed, uint64_t stream)
{
    c->state = seed * 0x2545f4914f6cdd1dull + stream * 0x9e3779b97f4a7c15ull;
    chance_next(c);
}

/* 0 to limit - 1. */
static inline uint64_t chance_below(struct chance *c, uint64_t limit)
{
    return limit ? (uint64_t)((unsigned __int128)chance_next(c) * limit >> 64) : 0;
}

#endif
