/* Faults on demand: what `drd fault` asks the recorder for.
 *
 * A cut is a bit in spool_run.cut that the nodes' own shims obey; kill, pause and resume are signals. Each becomes an event
 * of the recorder's own stream, process 0 of the run, "drd". */
#ifndef DRD_RECORD_FAULTS_H
#define DRD_RECORD_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "record/lane.h"

struct faults {
    struct lanes *lanes;
    uint64_t stamp; /* last TRACE_TIME of the recorder's stream */
    bool started;   /* it has a stream */
    bool paused[SPOOL_NODES];
    /* The lanes are also touched by the thread that drains them: to be called around all that follows. */
    void (*take)(void *owner);
    void (*leave)(void *owner);
    void *owner;
};

/* What the answer waits for: all processes of the affected nodes have seen this generation of cuts, or are gone. */
struct fault_wait {
    uint32_t generation; /* 0: nothing */
    bool gone;
    uint64_t affected[SPOOL_NODES / 64];
};

/* word[0] is the command. Errors name what is known. */
bool faults_execute(struct faults *f, int count, char **word, struct fault_wait *wait, struct drd_error *e);
/* Only the event of it, at this moment (CLOCK_MONOTONIC, ns; 0: now), where somebody else does what it says. */
bool faults_note(struct faults *f, int count, char **word, uint64_t at, struct drd_error *e);
bool faults_settled(const struct faults *f, const struct fault_wait *wait);

#endif
