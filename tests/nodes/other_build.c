/* In the build of a program that drd diff --with is tried on: it is never called, but everything else moves. */
#include <stdint.h>

uint64_t other_build_table[5000] = {1};

uint64_t other_build(uint64_t seed);
uint64_t other_build(uint64_t seed)
{
    for (unsigned i = 0; i < sizeof other_build_table / sizeof *other_build_table; i++)
        other_build_table[i] = seed = seed * 6364136223846793005u + i;
    return seed;
}
