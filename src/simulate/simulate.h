/* drd simulate: one run in the simulated world, recorded as any other. */
#ifndef DRD_SIMULATE_SIMULATE_H
#define DRD_SIMULATE_SIMULATE_H

#include "record/recorder.h"

/* Runs options->command in the world that `seed` makes. options->world is set here. As recorder_run. */
bool simulate_run(struct recorder_options *options, uint64_t seed, struct recorder_result *result, struct drd_error *e);

#endif
