/* drd record: starts programs under the shim, drains the spool into the run file, and ends all of it properly. */
#ifndef DRD_RECORD_RECORDER_H
#define DRD_RECORD_RECORDER_H

#include "record/finish.h"
#include "record/procfile.h"

struct recorder_options {
    const char *output;        /* path of the run file */
    struct node_list nodes;    /* programs that the recorder starts and stops itself */
    const char *only;          /* glob on program or node names, or NULL */
    bool keep_failures_only;   /* delete the run where the command exits 0 */
    uint64_t max_size;         /* bytes; 0: none */
    bool strict;               /* what cannot be recorded is an error */
    unsigned timeout;          /* seconds; 0: none */
    char *const *command;      /* NULL: only the nodes */
    void (*warn)(const char *text); /* one line on what the user should know */
};

struct recorder_result {
    int exit_code;             /* for the program: the command's own, or one of enum drd_exit */
    bool kept;                 /* the run file is there */
    struct run_summary summary;
    uint64_t file_size;
};

/* False: nothing was recorded, nothing is left behind; e->exit_code is 125 to 129, or 126 and 127 as shells have them. */
bool recorder_run(const struct recorder_options *options, struct recorder_result *result, struct drd_error *e);

#endif
