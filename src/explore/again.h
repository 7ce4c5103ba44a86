/* A simulated run again, once or many times, each time with changes: what drd whatif tells of and drd explain --prove counts. */
#ifndef DRD_EXPLORE_AGAIN_H
#define DRD_EXPLORE_AGAIN_H

#include "explore/shrink.h"

struct again_job {
    const struct plan *change; /* beside the run's own plan; NULL: nothing */
    uint64_t from, fresh;      /* chance follows from another seed from this moment of the world on, ns; fresh 0: it does not */
};

struct again {
    const struct shrink_origin *origin;
    unsigned jobs;             /* at a time; 0: one for each processor */
    const volatile int *stop;  /* becomes nonzero: end soon; NULL: never */
    /* One is over; its run stands at `path` until this returns. */
    bool (*ended)(void *context, size_t job, const struct explore_outcome *outcome, const char *path, struct drd_error *e);
    void (*waits)(void *context); /* now and then, for a progress bar; may be NULL */
    void *context;
};

/* All jobs, in any order. Runs on trial go to a directory in $TMPDIR that is gone afterwards. True also where it was stopped. */
bool again_run(const struct again *a, const struct again_job *job, size_t count, struct drd_error *e);

#endif
