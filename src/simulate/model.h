/* The model that faults are drawn from: which, how often, for how long. docs/drd-simulate.md describes its file. */
#ifndef DRD_SIMULATE_MODEL_H
#define DRD_SIMULATE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

enum model_kind {
    MODEL_CUT, MODEL_CUT_ONE_WAY, MODEL_RESET, MODEL_KILL, MODEL_CRASH, MODEL_PAUSE, MODEL_SKEW, MODEL_JUMP, MODEL_SLOW, MODEL_FAIL,
    MODEL_FULL, MODEL_LIE, MODEL_LOSE, MODEL_DUPLICATE, MODEL_KINDS,
};

struct model_network {
    uint64_t least, most;           /* ns that a message between processes is on its way */
    uint64_t later;                 /* ... and up to so many more */
    uint32_t late;                  /* of so many in 10,000 */
};

struct model {
    uint64_t from, until, every;    /* ns of the world: the first fault, the last, the mean time between two */
    uint32_t messages;              /* half of them come within so many messages after the last, 0: none does */
    uint32_t vary;                  /* percent of the kinds that a run leaves out, by its seed; its times differ too. 0: all as it stands */
    struct model_network network;
    struct {
        uint32_t weight;            /* how often, among the others */
        uint64_t lasts;             /* ns, mean time until it is healed */
    } kind[MODEL_KINDS];
};

extern const struct model model_default;
bool model_read(struct model *m, const char *text, struct drd_error *e); /* the error names line and word */

#endif
