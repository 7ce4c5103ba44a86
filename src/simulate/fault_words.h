/* The words of faults: `drd fault` in the simulated world, and the steps of a plan. docs/drd-fault.md lists them. */
#ifndef DRD_SIMULATE_FAULT_WORDS_H
#define DRD_SIMULATE_FAULT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

enum fault_kind {
    FAULT_CUT, FAULT_CUT_ONE_WAY, FAULT_HEAL, FAULT_RESET, FAULT_KILL, FAULT_CRASH, FAULT_RESTART, FAULT_PAUSE, FAULT_RESUME,
    FAULT_SKEW, FAULT_JUMP, FAULT_DISK, FAULT_LOSE, FAULT_DUPLICATE, FAULT_DELAY, FAULT_LATE,
};

#define FAULT_WORDS 64

struct fault {
    enum fault_kind kind;
    int count;                /* words, with the first one */
    char *word[FAULT_WORDS];  /* in `text` */
    int nodes;                /* names of nodes: word[1] to word[nodes] */
    int64_t value;            /* SKEW, JUMP: ns; DISK slow: ns; DISK fail: errno; LOSE, DUPLICATE: percent; DELAY: ns, the least; LATE: of 10,000 */
    int64_t most;             /* DELAY, LATE: ns */
    char text[600];
};

/* Reads a fault. False: the error is what is wrong with which word (129). */
bool fault_read(struct fault *f, const char *words, struct drd_error *e);

/* "+50ms", "-2s", "1500us", "20" (ms): ns. */
bool fault_duration(const char *text, int64_t *ns);

/* Number of an errno by its name: EIO, ENOSPC ...; a number stands for itself. 0: not known. */
int fault_errno(const char *name);

#endif
