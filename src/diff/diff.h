/* Two runs, event by event: what is missing, extra and changed, node by node, and where they parted.
 *
 * The events of a node fall into lanes: its life, faults, elections, terms, log, commits, applies, clients, and the
 * messages of each peer in each direction. Inside a lane order matters; between lanes it differs from run to run. Lanes of
 * the same node are aligned (align.h), with names and terms matched first. */
#ifndef DRD_DIFF_DIFF_H
#define DRD_DIFF_DIFF_H

#include <stdio.h>

#include "diff/run.h"
#include "util/json.h"

enum diff_field { DIFF_FIELD_TERM = 1, DIFF_FIELD_INDEX = 2, DIFF_FIELD_CONTENT = 4, DIFF_FIELD_PEER = 8 };

struct diff_options {
    const char *const *node; /* only these; none: all */
    size_t nodes;
    uint32_t ignored;        /* bits of enum diff_kind that are left out */
    unsigned fields;         /* of enum diff_field that are not compared */
};

/* An event of a lane; of a range of indexes one item each. */
struct diff_item {
    uint64_t hash;
    uint32_t event;
    uint32_t step; /* index - event->index */
};

struct diff_list {
    struct diff_item *item;
    size_t count;
};

/* A stretch in which the lanes differ: a[from] to a[to - 1] against b. */
struct diff_gap {
    size_t from[2], to[2];
    bool matters;
};

struct diff_lane {
    char title[80];       /* "n3, elections" */
    size_t node[2];       /* in the runs; ALIGN_NONE: not there */
    struct diff_list list[2];
    struct diff_gap *gap;
    size_t gaps;
    uint64_t rank, since; /* of its first gap */
    bool matters;
};

struct diff_count {
    uint64_t missing, extra, changed;
};

/* The first difference that matters. */
struct diff_first {
    bool any;
    const struct diff_lane *lane;
    const struct diff_event *event[2]; /* NULL: there is none on this side */
    uint32_t step[2];
    const struct diff_event *cause[2]; /* the message that both had received before, where it is the same; of a
                                           candidate: that of the other run; else NULL */
    const struct diff_event *after[2]; /* the last thing that its node did in both before; NULL: nothing */
    char why[400];
};

struct diff {
    struct diff_run *run[2];
    struct diff_options options;
    size_t *pair;             /* node of a: its counterpart in b, or ALIGN_NONE */
    size_t *back;             /* the reverse */
    struct diff_terms { uint64_t *term, *label; size_t count; } terms[2];
    struct diff_elections {
        struct diff_election { uint64_t term; uint32_t node; bool chosen; } *election;
        size_t count;
    } elections[2];
    struct diff_lane *lane;   /* those with differences, by the order in which they begin */
    size_t lanes;
    uint8_t *matched[2];      /* by event, in `marks` */
    uint32_t *rank[2];        /* matched events before each 256th, in `ranks` */
    struct spill items[2];    /* of struct diff_item, lane by lane */
    struct spill gaps;        /* of struct diff_gap, lane by lane */
    size_t gap_count;
    struct spill marks[2], ranks[2];
    struct diff_count matter, rest;
    uint64_t same;            /* items that are equal */
    struct diff_first first;
};

enum diff_problem { DIFF_COMPARABLE, DIFF_NO_RAFT, DIFF_NO_COMMON_NODE, DIFF_OTHER_PROGRAMS };

/* Whether it makes sense; `words` says why not. */
enum diff_problem diff_check(const struct diff_run *a, const struct diff_run *b, char *words, size_t size);
/* The runs must outlive it. False: out of memory. */
bool diff_init(struct diff *d, struct diff_run *a, struct diff_run *b, const struct diff_options *options);
void diff_fini(struct diff *d);

/* parted.c: what to tell first, and why. */
void diff_first_find(struct diff *d);

/* --- parts --- */
uint64_t diff_rank(const struct diff *d, int side, uint32_t event);
uint64_t diff_since(const struct diff *d, int side, uint32_t event); /* time after the last event that is equal */
uint64_t diff_term_label(const struct diff *d, int side, uint64_t term);
uint64_t diff_peer_label(const struct diff *d, int side, uint16_t peer);
bool diff_matters(const struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap, int side, size_t at);
/* The same thing with another outcome. */
bool diff_is_change(const struct diff *d, const struct diff_item *a, const struct diff_item *b);
const struct diff_event *diff_event(const struct diff *d, int side, const struct diff_item *item);
/* As diff_run_drop, of all that it holds. */
void diff_drop(const struct diff *d);

/* What is equal in both runs if the event is. */
uint64_t diff_meaning_of(const struct diff *d, int side, const struct diff_event *event, uint32_t step);

/* terms.c */
bool diff_terms_match(struct diff *d);

/* words.c: "votes for n2 in term 2"; first to last step. */
void diff_words(const struct diff_run *r, const struct diff_event *event, uint32_t first, uint32_t last, char *out,
                size_t size);

/* print.c, json.c */
struct diff_style {
    const char *strong, *bad, *good, *warn, *faint, *plain; /* escape sequences, or "" */
};
struct diff_name { /* of a run, for the head */
    const char *run, *command, *started, *version, *state, *status;
};
struct diff_view {
    struct diff *diff;
    struct diff_name name[2];
    struct diff_style style;
    size_t context;
    size_t lines;          /* at most; 0: all */
};
void diff_print(const struct diff_view *v, FILE *out);
void diff_print_stat(const struct diff_view *v, FILE *out);
void diff_json(const struct diff_view *v, struct json_writer *j);

/* logs.c: the logs of nodes side by side. Returns the number of indexes at which they differ. */
struct diff_column {
    struct diff_run *run;
    size_t node;
    const char *title;
};
uint64_t diff_logs(const struct diff_column *column, size_t columns, size_t rows, size_t context,
                   const struct diff_style *style, FILE *out);

#endif
