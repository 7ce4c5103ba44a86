/* Is the cause that drd explain names the cause? Runs the simulated run again with one input changed at a time, and without the
 * change, and counts; and runs it on from the steps of the chain by fresh seeds, to see from when on it could not be averted.
 *
 * What may be changed stands in the run as events of its nodes, so the run itself need not be a simulated one for
 * prove_changes; only prove goes on in a simulated world. */
#ifndef DRD_PROVE_PROVE_H
#define DRD_PROVE_PROVE_H

#include "explain/explain.h"
#include "explore/again.h"

/* ---- judge.c: what one run says ---- */

/* The same rule may have been broken by the same node before the cause, and no harm have come of it: a change that comes after that
 * leaves it as it was. */
#define PROVE_EARLIER 16
struct prove_event {
    uint32_t process;
    uint64_t event;
};

/* What went wrong in the run that is explained. */
struct prove_target {
    bool violated;           /* a property broke; false: only a rule, `broken` */
    const char *fingerprint; /* of the violation, as drd triage gives it */
    uint64_t broken;         /* the rule of the cause (explore_break_id) */
    uint64_t moment;         /* ns of the world: when it was complete */
    struct prove_event earlier[PROVE_EARLIER]; /* where the rule was broken before the cause; one that does not fit is a doubt */
    size_t earliers;
};

enum prove_end { PROVE_SAME, PROVE_GONE, PROVE_OTHER, PROVE_OPEN };

/* A run of which no more than this is kept. */
struct prove_run {
    enum prove_end end;
    bool broke, passed;
    uint64_t moment, world;  /* moment: of the same violation; 0: there is none */
};

struct prove_run prove_judge(const struct prove_target *t, const struct explore_outcome *o);
/* It is gone for sure only from a run that was longer than the run beside it needed to fail. */
void prove_pair(struct prove_run *changed, const struct prove_run *unchanged);
void prove_count(struct proof_count *c, const struct prove_run *r);
/* Is this run one in which the change took away what it is to take away? */
bool prove_is_without(const struct prove_run *r, bool decision);
/* Does the trial prove the cause? */
bool prove_proves(const struct proof_trial *t, unsigned times);
/* What all trials together say. */
void prove_conclude(struct proof *p);

/* ---- changes.c: what could be changed ---- */

#define PROVE_STEPS 8

struct prove_change {
    struct plan_step step;   /* without: unused */
    struct plan_step more[PROVE_STEPS - 1]; /* of the same input at other nodes, which come after it */
    size_t mores;
    size_t without;          /* a step of the run's own plan that is left out, from 1; 0: none is */
    uint64_t from;           /* ns of the world; chance is fresh from the event on, or, without one, from here */
    bool decision;           /* what the cause itself said is taken back: the rule is broken all the same */
    char option[PROOF_OPTION], text[PROOF_WORDS];
};

struct prove_subject {
    struct store *store;             /* with its rows (protocol_index) */
    const struct store_process *process;
    size_t processes;
    uint64_t begin, end;             /* of the run, ns */
    const struct verdict *verdict;
    const struct plan *plan;         /* the run's own; NULL: none */
};

/* From the cause backwards, then its reasons, then what set the stage. Returns how many, at most PROOF_TRIALS. */
size_t prove_changes(const struct prove_subject *s, struct prove_change out[PROOF_TRIALS]);
/* When an event was over, ns since the run began, as far as its node looked at the clock since; 0: there is no such event. */
uint64_t prove_when(const struct prove_subject *s, uint32_t process, uint64_t sequence);

/* ---- prove.c ---- */

struct prove_options {
    const char *path;
    unsigned times, jobs;            /* jobs 0: one for each processor */
    const volatile int *stop;
    void (*progress)(void *context, const char *what, size_t done, size_t total); /* may be NULL */
    void *context;
};

/* NULL, with `e`: it is no simulated run, nothing is broken in it, or it does not come out again. To be freed. */
struct proof *prove(struct prove_subject *s, const struct prove_options *o, struct drd_error *e);

#endif
