/* What re-executions said of a cause: drd explain --prove makes the runs (src/prove), the run keeps what came of them, and whoever
 * tells of the cause tells of that too.
 *
 * A trial is one change of one input, made K times with fresh chance after it, and the same K times without the change. The
 * cause is proved by the first trial after which nothing is violated in all K while the violation is there in all K
 * without it. */
#ifndef DRD_EXPLAIN_PROOF_H
#define DRD_EXPLAIN_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"
#include "util/json.h"

struct store;
struct verdict;
struct verdict_style;

#define PROOF_TRIALS 32
#define PROOF_POINTS 13 /* the beginning, and the steps of a chain */
#define PROOF_TIMES 100
#define PROOF_WORDS 240
#define PROOF_OPTION 400

enum proof_state {
    PROOF_NONE,    /* nobody tried */
    PROOF_PROVED,
    PROOF_HOLDS,   /* with every change that was made it is there in all runs: no single input decides it */
    PROOF_OPEN,    /* neither */
    PROOF_STATES
};
extern const char *const proof_state_names[PROOF_STATES];

/* How so many runs ended. */
struct proof_count {
    unsigned runs;
    unsigned same;   /* the same violation */
    unsigned gone;   /* none, and the run went on beyond the moment at which it was violated before, or its command succeeded */
    unsigned other;  /* another violation */
    unsigned open;   /* cannot be judged: over before that moment, the change could not be made, drd failed */
    unsigned broke;  /* the rule of the cause was broken all the same */
    unsigned passed; /* the command succeeded */
};

struct proof_trial {
    char option[PROOF_OPTION]; /* "--drop n3@536": for drd whatif, one or more of them; "" where that has none */
    char text[PROOF_WORDS]; /* "the AppendReply of n3 to n1 (n3@536) is lost" */
    bool decision;          /* it takes back what the node of the cause said there; else it must not break the rule any more */
    struct proof_count changed, unchanged; /* unchanged.runs 0: there was no need */
};

/* The world went on from there by fresh seeds. */
struct proof_point {
    unsigned step;          /* of the chain, from 1; 0: the beginning of the run */
    char event[96];         /* "" at the beginning */
    struct proof_count count;
};

struct proof {
    enum proof_state state;
    unsigned times;         /* K */
    bool stopped;           /* by Ctrl-C: it could have gone on */
    char cause[96];         /* the event that it speaks of */
    char fingerprint[48];
    struct proof_trial trial[PROOF_TRIALS];
    size_t trials, proving; /* proving: the trial that proves it */
    struct proof_point point[PROOF_POINTS];
    size_t points;
};

/* proof.c: what the run keeps about the cause of this verdict. NULL: nothing, or of another cause. To be freed. */
struct proof *proof_read(struct store *s, const struct verdict *v);
/* False: the run cannot be written. */
bool proof_keep(struct store *s, const struct proof *p);
void proof_json(const struct proof *p, struct json_writer *j); /* an object */

/* proof_text.c */
void proof_print(const struct verdict *v, const char *run, const struct verdict_style *style, FILE *out);
/* "the AppendEntriesReply of n3 to n1 is lost (n3@536): gone in 5 of 5 runs; without that it is there in 5 of 5" */
/* "gone in 4 of 5, there in 1" */
void proof_print_count(const struct proof_count *c, FILE *out);
void proof_words(const struct proof *p, char *out, size_t size);

#endif
