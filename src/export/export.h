/* A run in the formats of other tools: one pass over it in causal order, written as it goes.
 *
 * What reads the run (feed.h, track.h) is shared; a format is one file and one row in export_formats[]. Memory goes with the
 * nodes, the open connections and the messages on their way, not with the run; of those that show an explanation (DOT,
 * Markdown) it is that of `drd explain`. */
#ifndef DRD_EXPORT_EXPORT_H
#define DRD_EXPORT_EXPORT_H

#include <stdio.h>

#include "store/store.h"

struct verdict;

struct export_run {
    struct store *store;
    const struct store_process *process; /* in order of number */
    size_t processes;
    uint64_t begin;                      /* ns: time 0 of what is written */
    const char *name;                    /* how to call the run in a command line */
    const struct verdict *verdict;       /* of formats that ask for it, else NULL */
};

/* What was written, and what had to be left out. */
struct export_result {
    uint64_t events;  /* rows, packets, operations, steps; 0: the run has nothing that this format can show */
    char note[512];   /* one line for the person who asked, or "" */
};

struct export_format {
    const char *name;    /* "shiviz" */
    const char *nothing; /* why there may be nothing to write: "no client that DRD understands was recorded" */
    bool binary;         /* not for a terminal */
    bool verdict;        /* shows the explanation: run->verdict is wanted */
    bool (*write)(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e);
};

/* A step of the chain in words, without the name of its node in front: the event says that. */
const char *export_step(const struct verdict *v, size_t step, char *out, size_t size);

extern const struct export_format export_shiviz, export_chrome, export_pcapng, export_dot, export_markdown, export_tla,
    export_jepsen;
extern const struct export_format *const export_formats[]; /* closed by NULL */
const struct export_format *export_find(const char *name); /* NULL if there is none */

#endif
