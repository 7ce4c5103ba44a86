/* A simulated run again, once or many times, each time with changes: what drd whatif tells of and drd explain --prove counts. */
#ifndef DRD_EXPLORE_AGAIN_H
#define DRD_EXPLORE_AGAIN_H

#include "explore/shrink.h"

/* As shrink_origin_read, of recorded runs too: they are gone on from. */
bool again_origin_read(struct shrink_origin *o, const char *path, struct drd_error *e);

struct again_job {
    const struct plan *change; /* beside the run's own plan; NULL: nothing */
    size_t without;            /* a step of the run's own plan that is left out, from 1; 0: none is */
    uint64_t fresh;            /* chance follows from this seed from some point on; 0: it does not */
    uint32_t process;          /* ... from this event on; a recording is followed up to it */
    uint64_t event;
    uint64_t from;             /* or where process is 0 from this moment of the world on, ns */
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
