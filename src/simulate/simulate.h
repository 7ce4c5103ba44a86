/* drd simulate: one run in the simulated world, recorded as any other. */
#ifndef DRD_SIMULATE_SIMULATE_H
#define DRD_SIMULATE_SIMULATE_H

#include "record/recorder.h"
#include "simulate/follow.h"
#include "simulate/model.h"
#include "simulate/plan.h"

struct simulate_options {
    uint64_t seed;
    struct plan *plan;         /* NULL: none. Its steps are marked as they come to pass; what --faults draws is added to it */
    const struct model *model; /* faults are drawn from it too, NULL: none */
    struct follow *follow;     /* a recording that the world goes on from; NULL: it begins anew */
    uint64_t time_limit;       /* ns of the world, 0: none. Beyond it the run ends, result->exit_code is DRD_EXIT_TIMEOUT */
    uint64_t patience;         /* ns of processor time that a thread may take without a system call, 0: ten seconds */
};

/* Runs options->command in that world. options->world is set here. As recorder_run. What the run follows from stands in it as facts:
 * "seed", "argv" (JSON), "directory", "plan". */
bool simulate_run(struct recorder_options *options, const struct simulate_options *simulate, struct recorder_result *result,
                  struct drd_error *e);

#endif
