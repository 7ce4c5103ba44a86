/* drd log --graph: the events of a run on lanes, one a node. */
#ifndef DRD_CLI_LOG_GRAPH_H
#define DRD_CLI_LOG_GRAPH_H

#include "cli/cmd.h"
#include "cli/run_view.h"

enum graph_want {
    GRAPH_SKIP,    /* not this event */
    GRAPH_MEANING, /* if it means something in Raft's terms, or is the end of a message between nodes */
    GRAPH_SHOW,    /* whatever it is */
};

struct log_graph {
    struct run_view *view;
    bool color, ascii;
    const struct args_list *nodes; /* the lanes; none: all */
    const char *grep;              /* only rows whose words contain it; NULL: all */
    /* For each event of the run, in order. *stop: nothing after it is wanted. */
    enum graph_want (*want)(void *context, const struct trace_event *event, bool *stop);
    void *context;
    uint64_t shown;                /* rows */
};

bool log_graph(struct log_graph *g, FILE *out, struct drd_error *e);

#endif
