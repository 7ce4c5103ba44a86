/* drd explore: many tries, what was found, and what to try next.
 *
 * All that is known is a fold over the cases in the order of their ends; the journal holds these, a line each, so that an
 * exploration that was stopped, in whatever way, goes on from its journal. */
#ifndef DRD_EXPLORE_SEARCH_H
#define DRD_EXPLORE_SEARCH_H

#include "explore/explore.h"
#include "store/refs.h"

#define SEARCH_KEPT 8 /* runs of one group that are kept */

/* One try and what came of it, without what only its run tells. */
struct search_case {
    uint64_t number;         /* the first is 1 */
    uint64_t seed;
    char *plan;              /* owned; NULL: the seed alone */
    enum triage_kind kind;
    char fingerprint[TRIAGE_FINGERPRINT], fingerprint_text[256];
    char title[256], story[520], cause[400], reference[128];
    char run[REFS_ID + 1];   /* id of the kept run, "" */
    uint64_t events, world;
    struct explore_feature *fresh; /* situations nobody was in before; owned */
    size_t fresh_count;
};

/* Cases with one fingerprint. */
struct search_group {
    struct search_case first, least; /* of the worst kind; strings that are owned belong to the cases */
    size_t count, kept;
    char run[SEARCH_KEPT][REFS_ID + 1];
    char tag[64];                    /* of the first of `run`, "" */
};

/* A situation, and in how many runs it was. */
struct search_seen {
    uint64_t situation, runs;
};

/* A case that showed something new. */
struct search_entry {
    uint64_t seed;
    char *plan;
    struct explore_feature fresh[8]; /* what it showed, and when */
    size_t moments;
    uint64_t tries;          /* runs that went on from it */
    size_t root;             /* the first entry with this seed; all that go on from it have the seed too */
    uint64_t root_tries;     /* of a root: runs that went on from any of these */
};

struct search_options {
    struct explore_setting setting;
    uint64_t from, to;       /* exactly these seeds; to 0: `runs` instead */
    uint64_t runs;           /* 0: no limit */
    uint64_t seconds;        /* 0: no limit */
    uint64_t first;          /* the first seed, where no seeds are given */
    enum triage_kind until;  /* it ends with the first run of this kind, or a worse one; TRIAGE_HEALTHY: it goes on */
    const char *until_class; /* ... of this class of mistake, NULL: any */
    unsigned jobs;
    bool keep_all, resume;
    const volatile int *stop; /* becomes nonzero: come to an end */
    void (*progress)(void *context);
    void *context;
};

struct search {
    struct search_options options;
    char directory[PATH_MAX], journal_path[PATH_MAX];
    FILE *journal;
    struct search_group *group;
    size_t groups;
    struct search_entry *entry;
    size_t entries;
    struct search_seen *seen; /* situations: a hash table of `seen_size` */
    size_t seen_count, seen_size;
    uint64_t done, started, next_seed, continued, resumed; /* `resumed`: of `done`, those of the journal */
    size_t count[TRIAGE_KINDS];
    uint64_t world;          /* ns that passed in all worlds */
    double real;             /* seconds, of this start */
    char note[400];          /* why the last one was not judged, "" */
};

bool search_open(struct search *s, const struct search_options *o, struct drd_error *e);
bool search_run(struct search *s, struct drd_error *e);
void search_close(struct search *s);
size_t search_failures(const struct search *s);
int search_exit(const struct search *s);
/* The line that does it again; the plan it needs lies beside the journal. */
void search_reproduce(const struct search *s, const struct search_group *g, FILE *out);

/* ---- steer.c ---- */
bool search_is_new(struct search *s, uint64_t situation);  /* and from now on it is not */
bool search_learn(struct search *s, const struct search_case *c);
bool search_next(struct search *s, struct explore_try *t,
                 char **plan); /* false: none is left; *plan is owned by the caller */

/* ---- journal.c ---- */
bool journal_open(struct search *s, struct drd_error *e); /* reads it if it is to be resumed */
bool journal_write(struct search *s, const struct search_case *c);
bool search_take(struct search *s, struct search_case *c); /* search.c: the fold; owns nothing of `c` after */

#endif
