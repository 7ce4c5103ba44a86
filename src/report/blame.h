/* `drd blame`: the entries of one index and their lives, for people and for programs. */
#ifndef DRD_REPORT_BLAME_H
#define DRD_REPORT_BLAME_H

#include "explain/explain.h"
#include "raft/blame.h"

struct blame_report {
    const struct blame *blame;
    struct verdict names;         /* model and processes: what names events */
    uint64_t begin;               /* ns; times are told since then */
    const char *run;
};

void blame_print(const struct blame_report *r, const struct verdict_style *style, FILE *out);
void blame_json(const struct blame_report *r, struct json_writer *j); /* "drd.blame/1" */

/* Whether an entry was seen at the index in this cluster of the model, and the cluster is one: no tool that wrote files. */
bool blame_has(const struct blame_report *r, size_t cluster);

/* Shared by both. */
struct blame_line {
    const struct blame_event *event;
    char name[128];   /* of the event */
    const char *node; /* that did it, an id where it is not recorded */
    char got[128];    /* ACKNOWLEDGED: the event at which the leader received it, "" never */
};
void blame_line(const struct blame_report *r, size_t cluster, const struct blame_event *e, struct blame_line *out);
/* The node of the model's cluster that an event is in; the leader's for an acknowledgement of an unrecorded node. */
bool blame_in_cluster(const struct blame_report *r, const struct blame_event *e, size_t cluster);
/* Who proposed the entry, in words. */
void blame_origin_text(const struct blame_report *r, const struct raft_variant *v, size_t cluster, char *text, size_t size);

#endif
