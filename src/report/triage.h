/* Many runs, few bugs: what became of each run, and which of them are the same failure.
 *
 * A run is judged by itself, in a process of its own (triage_pool), and what is found is plain data of a fixed size: it goes
 * through shared memory, and into the cache as it is. Grouping and everything that is printed works on these alone. */
#ifndef DRD_REPORT_TRIAGE_H
#define DRD_REPORT_TRIAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

/* What a run is, the worst first: a run is one of them, the first that fits. */
enum triage_kind {
    TRIAGE_VIOLATION, /* a property of Raft broke */
    TRIAGE_CRASH,     /* a node died, and the test did not kill it */
    TRIAGE_HANG,      /* the test failed, and the cluster had committed nothing for long */
    TRIAGE_CHECK,     /* the test failed, and Raft looks well */
    TRIAGE_RULE,      /* the test passed, and a node did what Raft forbids */
    TRIAGE_BROKEN,    /* DRD or the machine failed: damaged, incomplete, not judged */
    TRIAGE_HEALTHY,
    TRIAGE_KINDS
};

struct triage_kind_row {
    const char *id;    /* "violation": in JSON and JUnit */
    const char *title; /* "Raft violated" */
    bool failure;      /* counts as one */
};
extern const struct triage_kind_row triage_kinds[TRIAGE_KINDS];

#define TRIAGE_FINGERPRINT 40

/* What is known of one run. */
struct triage_result {
    enum triage_kind kind;
    char fingerprint[TRIAGE_FINGERPRINT]; /* "2:0917eb-T01"; "" for a run that is healthy or broken */
    char fingerprint_text[256];           /* what it is made of */
    char title[256];                      /* what went wrong, the same for all runs of a group */
    char story[520];                      /* the same of this run, with its nodes and indices */
    char cause[400];                      /* the break of a rule behind it, "" if none is known */
    char reference[128];                  /* "T07, Figure 2, Leaders" */
    char location[256];                   /* "commit_raise  replication.c:419"; a hint, no part of the fingerprint */
    char proof[512];                      /* what re-executions said of it (drd explain --prove); "": nobody asked */
    bool located;                         /* location was looked for */
    char node[64], event[96];             /* where a replay is to stop, "" for none */
    char note[520];                       /* of a broken run why; else what DRD could not see */
    char started[40];                     /* RFC 3339 */
    char command[256], commit[96];        /* the recorded command; the commit that the CI system named, or "" */
    bool red;                             /* the recorded command failed */
    bool judged;                          /* the verdict is not "unknown" */
    bool idle;                            /* it is, but only because nothing was committed that could be compared */
    int exit_status;                      /* of the command; -1: not recorded */
    uint64_t events, bytes;
};

struct triage_run {
    char path[PATH_MAX];
    char name[PATH_MAX]; /* how to call it in a command line */
    bool cached;         /* nothing had to be explained */
    struct triage_result result;
};

/* Runs with one fingerprint. */
struct triage_group {
    struct triage_run **run;  /* in the order of their start */
    size_t runs;
    struct triage_run *least; /* the smallest run, of the worst kind in the group */
    bool known, flaky;
};

struct triage {
    struct triage_run *run;
    size_t runs;
    size_t count[TRIAGE_KINDS];
    struct triage_group *group; /* most important first: new ones, by kind, then by size */
    size_t groups;
    size_t unseen;              /* healthy runs of which the verdict is "unknown" */
    size_t other_algorithm;     /* lines of the baseline that were made by another algorithm */
    bool strict;                /* a rule broken counts as a failure */
    bool all_runs;              /* the text lists all runs of a group */
};

/* triage_paths.c: the run files that PATH... stand for: files, ids as in store/refs.h, directories and what is in them
 * (runs/ of a .drd/). False, with DRD_EXIT_CANNOT, where nothing at all is found. */
bool triage_collect(struct triage *t, char **path, size_t paths, struct drd_error *e);
void triage_fini(struct triage *t);

/* triage_judge.c: judge one run. Does not fail: what stops it is the finding. With `locate` the node of the cause is
 * re-driven to say where in its program it was. */
void triage_judge(const char *path, bool locate, struct triage_result *out);
/* The same, for one who wants to see what the verdict is made from. */
struct store_process;
struct raft_fact;
struct raft_model;
struct triage_watch { /* functions that are NULL are not called */
    void *context;
    void (*begin)(void *context, const struct store_process *process, size_t count);
    void (*fact)(void *context, const struct raft_fact *fact);
    void (*end)(void *context, const struct raft_model *model, uint64_t end);
    uint64_t *length; /* NULL: not wanted; how long the run was, ns */
};
void triage_judge_watch(const char *path, const struct triage_watch *watch, struct triage_result *out);

/* triage_pool.c: judge all runs that the cache does not know, `jobs` at a time. `cache`: its directory, NULL for none. */
typedef void (*triage_progress)(void *context, uint64_t done, uint64_t total); /* may be NULL */
bool triage_judge_all(struct triage *t, unsigned jobs, const char *cache, triage_progress progress, void *context,
                      struct drd_error *e);
/* The smallest run of each group once more, to say where in the program it was. */
bool triage_locate(struct triage *t, unsigned jobs, const char *cache, struct drd_error *e);

/* triage_cache.c. A key names the content of a run and this very build of drd. */
struct triage_key {
    char fast[64];    /* by path, size and time of change */
    char content[64]; /* by the streams; "" until it is asked for */
};
void triage_key_fast(struct triage_key *key, const char *path);
bool triage_key_content(struct triage_key *key, const char *path); /* reads the run's table of chunks */
bool triage_cache_get(const char *cache, struct triage_key *key, const char *path, bool content, struct triage_result *out);
void triage_cache_put(const char *cache, const struct triage_key *key, const struct triage_result *result);
/* triage_prune.c: delete what was not of use for TRIAGE_CACHE_DAYS before `now` (seconds since the epoch), and of more than `most`
 * names the least used. A run has two. */
void triage_cache_prune(const char *cache, int64_t now, size_t most);
#define TRIAGE_CACHE_DAYS 30
#define TRIAGE_CACHE_NAMES 20000 /* 80 MB at most */
/* "$XDG_CACHE_HOME/drd/triage", "~/.cache/drd/triage"; false: neither is set. */
bool triage_cache_default(char out[PATH_MAX]);

/* triage_group.c */
bool triage_group_all(struct triage *t, struct drd_error *e);
/* A baseline: a fingerprint a line, whatever follows a blank is a comment, as are lines that begin with '#'. */
bool triage_known(struct triage *t, const char *file, struct drd_error *e);
/* Groups that are failures and not known. */
size_t triage_new(const struct triage *t);
bool triage_is_failure(const struct triage *t, const struct triage_group *g);
/* What re-executions said of the cause, from the first run that keeps it; "": none does. */
const char *triage_group_proof(const struct triage_group *g);
enum triage_kind triage_group_kind(const struct triage_group *g);
/* 0 nothing new, 1 new failures, 125 no run could be judged. */
int triage_exit(const struct triage *t);
/* The line to copy that shows it again. */
void triage_reproduce(const struct triage_run *r, char *out, size_t size);
/* "3 of 40 runs" */
void triage_share(const struct triage *t, const struct triage_group *g, char *out, size_t size);
/* "new", "known", "rule" */
const char *triage_state(const struct triage *t, const struct triage_group *g);

/* What people and programs read of it. All of them only write to `out`. */
struct triage_style {
    const char *strong, *bad, *good, *warn, *faint, *plain; /* escape sequences, or "" */
};
void triage_text(const struct triage *t, const struct triage_style *style, FILE *out);
void triage_json(const struct triage *t, FILE *out);     /* docs/triage.schema.json */
void triage_junit(const struct triage *t, FILE *out);
void triage_markdown(const struct triage *t, FILE *out); /* less than TRIAGE_MARKDOWN_MAX bytes */
void triage_github(const struct triage *t, FILE *out);   /* TRIAGE_ANNOTATIONS at most */

#define TRIAGE_MARKDOWN_MAX (1000 * 1000) /* GitHub takes 1 MiB a step */
#define TRIAGE_ANNOTATIONS 10             /* of a kind GitHub shows no more a step */

/* triage_escape.c. Bytes that the format cannot hold are replaced, never passed on. */
void escape_xml(const char *text, FILE *out);        /* content and attributes */
void escape_markdown(const char *text, FILE *out);   /* running text: no mark-up, no HTML, no line break */
void escape_code(const char *text, FILE *out);       /* `text`, as a span of code that holds */
void escape_annotation(const char *text, FILE *out); /* the message */
void escape_property(const char *text, FILE *out);   /* title=... of an annotation */
void escape_terminal(const char *text, FILE *out);   /* no control characters */

/* triage_ends.c: how processes ended. */
struct store;
/* A process that died although nobody recorded killed it: of `count` processes the index of the first, by its end. -1: none.
 * member[i]: it ran a member of the cluster. `red`: nonzero exit codes count. Fills in statuses that only a wait shows. */
long ends_crash(struct store *s, struct store_process *process, size_t count, const bool *member, bool red);
/* "SIGSEGV", "exit 3" */
void ends_status(int status, char *out, size_t size);
/* The last line that the process wrote to stderr, or stdout; "" if there is none near its end. */
void ends_words(struct store *s, const struct store_process *p, char *out, size_t size);
/* The value of the first of these variables that the environment of the recorded command had; "" if it had none. */
void ends_environment(struct store *s, const char *const *names, char *out, size_t size);

/* triage_progress.c: did the cluster get on? */
struct progress_watch {
    uint64_t commit, commit_time; /* highest commit index that was seen, and when first */
    uint64_t wanted;              /* highest index of an entry that a leader sent or a log took */
    uint64_t lead_time;           /* a leader last spoke */
    uint64_t term, elections;     /* highest that somebody stood in; such since a leader last spoke */
    uint64_t first, last;         /* of all facts */
};
void progress_feed(void *context, const struct raft_fact *fact);
/* What kept it from getting on, for `ns` before the end; NULL: it got on. */
const char *progress_hang(const struct progress_watch *w, const struct raft_model *m, uint64_t end, bool timed_out,
                          uint64_t *ns);

#endif
