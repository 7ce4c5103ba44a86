/* drd record: starts programs under the shim, drains the spool into the run file, and ends all of it properly. */
#ifndef DRD_RECORD_RECORDER_H
#define DRD_RECORD_RECORDER_H

#include <sys/types.h>

#include "record/finish.h"
#include "record/procfile.h"

/* A world in the place of this machine (drd simulate): who answers the programs' system calls. */
struct recorder_notes {
    void (*fault)(void *recorder, int count, char **word, uint64_t now);
    bool (*fact)(void *recorder, const char *name, const char *value, struct drd_error *e); /* of the run */
    void *recorder;
};

struct recorder_world {
    void *context;
    /* Before anything is started; `directory` is the spool's. */
    bool (*begin)(void *context, int directory, const struct recorder_notes *notes, struct drd_error *e);
    /* It starts its programs itself: the command is none of them, only what the run is called by. */
    bool starts;
    int (*status)(void *context); /* then: how its first one ended, as waitpid(2) gives it */
    /* A program was started. */
    bool (*start)(void *context, pid_t pid, const char *program, const char *node, struct drd_error *e);
    /* In a thread of its own: returns when the last process has ended. */
    bool (*run)(void *context, struct drd_error *e);
    void (*stop)(void *context); /* from another thread: the world is to end now */
};

struct recorder_options {
    const char *output;        /* path of the run file */
    struct node_list nodes;    /* programs that the recorder starts and stops itself */
    const char *only;          /* globs on program or node names, a line each, or NULL */
    bool keep_failures_only;   /* delete the run where the command exits 0 */
    uint64_t max_size;         /* bytes; 0: none */
    bool strict;               /* what cannot be recorded is an error */
    unsigned timeout;          /* seconds; 0: none */
    const struct recorder_world *world; /* NULL: this machine */
    char *const *command;      /* NULL: only the nodes */
    char *const *environment;  /* of what is started; NULL: the caller's own */
    void (*warn)(const char *text); /* one line on what the user should know */
};

struct recorder_result {
    int exit_code;             /* for the program: the command's own, or one of enum drd_exit */
    struct drd_error failure;  /* why the world came to an end by itself; exit_code 0: it did not */
    bool kept;                 /* the run file is there */
    struct run_summary summary;
    uint64_t file_size;
};

/* False: nothing was recorded, nothing is left behind; e->exit_code is 125 to 129, or 126 and 127 as shells have them. */
bool recorder_run(const struct recorder_options *options, struct recorder_result *result, struct drd_error *e);

#endif
