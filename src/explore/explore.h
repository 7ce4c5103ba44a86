/* Looking for failures in the simulated world, and making those found smaller.
 *
 * A try is one run of a command in the world: `drd simulate` in a process of its own, judged there as drd triage judges.
 * What comes of it is an outcome, plain data in shared memory. drd explore decides from the outcomes what to try next; drd
 * shrink asks whether a smaller plan still ends with the same fingerprint. */
#ifndef DRD_EXPLORE_EXPLORE_H
#define DRD_EXPLORE_EXPLORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report/triage.h"
#include "util/error.h"

#define EXPLORE_JOBS 64
#define EXPLORE_FEATURES 512 /* of one run that are told; a run has some dozen */

/* A combination of roles, terms, faults and breaks that a run went through, as a hash, and when first (ns since
 * the run began; EXPLORE_LATE: after the last fault, where other chance changes little). The last bits of the hash, EXPLORE_DEEP, say
 * how little is wanting from there to a failure: 0 unknown. */
#define EXPLORE_NAME 24
struct explore_feature {
    uint64_t hash, time;
    char node[EXPLORE_NAME]; /* whose situation it is; "": nobody's, or its name is too long */
};
#define EXPLORE_DEEP 3u
#define EXPLORE_LATE INT64_MAX

/* A broken rule: which decision of which class, as a number, at which event, and when (ns since the run began). */
#define EXPLORE_BREAKS 64
#define EXPLORE_TERMS 64
struct explore_break {
    uint64_t what, time, event;
    uint32_t process;
};

/* ---- coverage.c ---- */
struct coverage;
struct coverage *coverage_create(struct explore_feature *out,
                                 size_t *count); /* fills out[EXPLORE_FEATURES]; NULL: out of memory */
void coverage_destroy(struct coverage *c);
void coverage_begin(void *context, const struct store_process *process, size_t count);
void coverage_fact(void *context, const struct raft_fact *fact);
void coverage_end(void *context, const struct raft_model *model, uint64_t end);

/* ---- try.c ---- */
struct explore_setting {
    const char *program;     /* drd itself */
    char *const *command;
    const char *model;       /* file of the faults' model, NULL: the one built in */
    bool faults;             /* a model makes faults */
    uint64_t strikes;        /* ... until so many ns after the beginning */
    bool plans;              /* drd simulate takes --plan: runs can be gone on from */
    uint64_t limit;          /* seconds of the world, 0: none */
    unsigned patience;       /* seconds of this machine for a try, 0: many */
    const char *directory;   /* where the command runs, NULL: here */
    const char *follow;      /* recording that the runs go on from, in place of a command; NULL: none */
    const char *environment; /* run whose command had the environment that this one gets, NULL: the caller's own */
};

struct explore_try {
    uint64_t seed;
    const char *plan;        /* its text, NULL: none */
    char *const *command;    /* NULL: the setting's */
    uint32_t from_process;   /* where a recording is followed: up to this event of this process */
    uint64_t from_event;
};

struct explore_outcome {
    bool done;               /* it was judged: else `why` */
    bool stopped;            /* by explore_pool_stop */
    int status;              /* of drd simulate, where it left no run: 125 to 129 */
    char why[400];           /* one line of drd simulate about that */
    struct triage_result result;
    uint64_t world;          /* ns that passed in the world */
    bool missed;             /* a change of its plan came to nothing (docs/drd-whatif.md) */
    uint64_t violated;       /* when the violation told was complete, ns since the run began; 0: there is none */
    struct explore_break broken[EXPLORE_BREAKS]; /* as many as fit */
    size_t breaks;
    bool breaks_more;        /* than fit */
    uint64_t failed;         /* `violated`, else when the broken rule was that the failure is named by; 0: neither */
    uint64_t events, messages; /* records of all processes, and messages of Raft sent, up to `failed`; without it: all */
    uint64_t term[EXPLORE_TERMS]; /* when somebody first spoke of a higher term than all before, ns since the run began */
    size_t terms;
    size_t features;
    struct explore_feature feature[EXPLORE_FEATURES];
};

/* The number of a broken rule and of the node that broke it. */
struct raft_break;
uint64_t explore_break_id(const struct raft_model *m, const struct raft_break *b);

/* In the calling process: run it, leave the run at `path`, judge it. */
void explore_try(const struct explore_setting *s, const struct explore_try *t, const char *path,
                 struct explore_outcome *out);

/* ---- pool.c: several at a time, each on a core of its own ---- */
struct explore_pool;
struct explore_pool *explore_pool_create(const struct explore_setting *s, unsigned jobs, const char *scratch,
                                         struct drd_error *e);
void explore_pool_destroy(struct explore_pool *p); /* accepts NULL; stops what runs */
int explore_pool_free(const struct explore_pool *p); /* a place that nothing runs in, -1 none */
bool explore_pool_start(struct explore_pool *p, int place, const struct explore_try *t, struct drd_error *e);
/* A place whose try has ended, -1: none within `ms`, or none runs. Its outcome and run stay until the place is used again.
 */
int explore_pool_wait(struct explore_pool *p, int ms);
struct explore_outcome *explore_pool_outcome(struct explore_pool *p, int place);
const char *explore_pool_path(const struct explore_pool *p, int place); /* of the run file */
unsigned explore_pool_running(const struct explore_pool *p);
void explore_pool_stop(struct explore_pool *p, int place); /* it ends soon, and is waited for as any other */

#endif
