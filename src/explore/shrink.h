/* drd shrink: the smallest plan found that still makes a run end with the same fingerprint. */
#ifndef DRD_EXPLORE_SHRINK_H
#define DRD_EXPLORE_SHRINK_H

#include "explore/explore.h"
#include "simulate/plan.h"

/* What a run followed from: its facts. */
struct shrink_origin {
    uint64_t seed;
    struct plan plan;
    char **command;          /* owned, closed by NULL */
    char path[PATH_MAX];     /* of the run, absolute */
    char directory[PATH_MAX];
    char environment[PATH_MAX]; /* the run that has its environment: itself; "": it does not say */
    char recording[PATH_MAX]; /* not simulated, but recorded: this run; else "" */
    char *model;             /* text, NULL: none */
    struct triage_result result;
    uint64_t world;          /* ns that passed in it */
};

struct shrink_stage {
    const char *name;        /* "faults" */
    const char *unit;        /* of what it counts: " ms"; "" */
    size_t before, after;
    uint64_t events_before, events_after, tries;
};

struct shrink_size {
    uint64_t events, messages, faults; /* records of all processes; messages of Raft sent before the failure; faults planned */
};

struct shrink_options {
    struct explore_setting setting;
    unsigned jobs;
    uint64_t seconds;        /* 0: no limit */
    const char *count;       /* the word of the command before the number of requests, NULL: none */
    const char *scratch;     /* directory for runs on trial */
    const volatile int *stop;
    void (*stage)(void *context, const struct shrink_stage *s); /* one is over */
    void (*trial)(void *context, uint64_t tries, size_t steps); /* now and then */
    void (*parts)(void *context, const char *where); /* run again, the run is another, and fails as the first did; may be NULL */
    void *context;
};

struct shrink_result {
    struct plan plan;        /* owned */
    char **command;          /* owned; the origin's, with another number where `count` is asked for */
    struct shrink_size before, after;
    uint64_t steps_before, tries, known; /* `known`: trials that needed no run, since they had been tried */
    char parting[400];       /* where the run, run again as it was, parts from the first; "": it does not */
    double seconds;
    bool stopped;            /* it could have gone on */
};

bool shrink_origin_read(struct shrink_origin *o, const char *path, struct drd_error *e);
/* Does its environment have such a number? */
bool shrink_origin_counts(const struct shrink_origin *o, const char *name);
void shrink_origin_fini(struct shrink_origin *o);
/* The run that is left goes to `path`, which does not exist. False: also where the run does not come out again (125). */
bool shrink(const struct shrink_origin *from, const struct shrink_options *o, const char *path, struct shrink_result *r,
            struct drd_error *e);
void shrink_result_fini(struct shrink_result *r);

#endif
