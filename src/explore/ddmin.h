/* Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), for any kind of element:
 * which of them can be left out, and the failure is still there. */
#ifndef DRD_EXPLORE_DDMIN_H
#define DRD_EXPLORE_DDMIN_H

#include <stdbool.h>
#include <stddef.h>

#define DDMIN_CANDIDATES 64 /* at a time, at most */

struct ddmin {
    bool *kept;    /* of each element: is it still there? Those that are not when it begins are no business of it */
    size_t count;
    /* Of these candidates, `kept` of which stand one behind another, the first in their order that still fails; `candidates`: none
     * does. A set may be asked about again: whoever pays for answers remembers them. */
    size_t (*fails)(void *context, const bool *kept, size_t candidates);
    bool (*over)(void *context); /* stop with what was reached; NULL: never */
    void *context;
};

/* Ends with a set of which no element can be left out by itself (unless `over`): parts of it are left out, all of them, halves,
 * quarters, down to single elements, until nothing more goes. False: out of memory. */
bool ddmin_run(struct ddmin *d);

#endif
