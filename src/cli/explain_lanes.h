/* The nodes of a chain as lanes beside its steps. */
#ifndef DRD_CLI_EXPLAIN_LANES_H
#define DRD_CLI_EXPLAIN_LANES_H

#include "cli/lanes.h"
#include "explain/explain.h"

#define EXPLAIN_LANES_WIDTH 100 /* columns of a terminal that has room for them */

struct explain_lanes {
    const struct verdict *verdict;
    struct lanes lanes;
    size_t node[LANES_MAX]; /* of the model, by lane */
    struct verdict_beside beside;
};

/* Lanes for the nodes of the chain and those that its steps speak of. False: there is no chain, or they are too many to
 * help. */
bool explain_lanes_init(struct explain_lanes *l, const struct verdict *v, size_t width, bool color, bool ascii);

#endif
