/* What the stages of drd shrink share: the smallest plan so far, and trials of others. Only for shrink*.c. */
#ifndef DRD_EXPLORE_SHRINKER_H
#define DRD_EXPLORE_SHRINKER_H

#include "explore/ddmin.h"
#include "explore/shrink.h"

#define MILLISECOND_NS 1000000u
#define SECOND_NS 1000000000u
#define SHRINK_LATE 32 /* parts of the time before the failure */

/* What makes a run that ends with the same fingerprint a success. */
enum shrink_goal {
    GOAL_SAME,  /* nothing else */
    GOAL_STEPS, /* its plan is the smaller one: it may have a little more events, since chance falls otherwise */
    GOAL_EVENTS /* clearly fewer events */
};

/* A plan on trial. */
struct trial {
    struct plan plan;
    char **command; /* NULL: as before; owned */
    char *text;
    uint64_t key;   /* of plan and command */
};

struct shrinker {
    const struct shrink_origin *from;
    const struct shrink_options *o;
    struct explore_setting setting; /* the one given, with a limit */
    const char *path;               /* of the best run so far */
    struct explore_pool *pool;
    struct plan best;               /* without an end: see `cut` */
    char **command;
    struct explore_outcome outcome; /* of the best */
    uint64_t events;                /* of the best, as `size_of` has it */
    bool cut;                       /* what comes after the failure is left out: every trial ends some time after it */
    enum shrink_goal goal;
    uint64_t tries, known;          /* runs; trials that need none, since they were tried before */
    uint64_t *failed_key;           /* trials that did not succeed: a hash table, 0 is an empty place */
    size_t failed_keys, failed_size;
    size_t late;                    /* parts of the time in which messages are late as chance will have it */
    double begun, patience;         /* seconds: a trial that takes longer is stopped, and is none that succeeds */
    struct drd_error *e;
    bool failed;
};

/* ---- shrink_trial.c ---- */
/* The index of the first that succeeds; it becomes the best. `count`: none. All are freed. */
size_t trials_run(struct shrinker *s, struct trial *trial, size_t count);
bool shrinker_over(const struct shrinker *s);
void shrinker_memory(struct shrinker *s); /* there is none */
bool shrinker_add(struct shrinker *s, struct plan *p, const struct plan_step *step);
uint64_t shrinker_size(const struct shrinker *s, const struct explore_outcome *out);
char **command_copy(char *const *command);
void command_free(char **command);

/* Delta debugging over whatever a plan can be made of. The base is the best plan when it begins. */
struct selection {
    struct shrinker *s;
    struct plan base;
    size_t count; /* elements */
    /* The plan with these elements, into an empty one. */
    void (*build)(struct selection *x, const bool *kept, struct plan *out);
    void *data;
};
size_t selection_run(struct selection *x); /* how many elements are left */

/* ---- stages; each leaves the best as small as it can ---- */
void shrink_faults(struct shrinker *s);     /* shrink_steps.c: each with what undoes it */
void shrink_singly(struct shrinker *s);     /* each by itself, then the nodes it names */
void shrink_steps(struct shrinker *s, bool (*of)(const struct plan_step *));
void shrink_terms(struct shrinker *s);      /* shrink_time.c */
void shrink_gaps(struct shrinker *s);
size_t shrink_late(struct shrinker *s);     /* in how many parts of the time messages have to be late */
bool shrink_tail(struct shrinker *s);       /* end the run soon after the failure; false: it does not fail so */
bool step_has_moment(const struct plan_step *step);
bool count_is_there(char **command, const char *name); /* shrink_requests.c */
uint64_t count_now(struct shrinker *s);
void shrink_count(struct shrinker *s);
size_t shrink_rests(struct shrinker *s);    /* clients that do nothing now and then; how many runs have clients at all */
void shrink_rest_times(struct shrinker *s);  /* ... and not so long */
void shrink_delays(struct shrinker *s, bool (*of)(const struct plan_step *));

#endif
