/* Lanes in plain text: one for each node, events as marks on them, messages as arrows between them. */
#ifndef DRD_CLI_LANES_H
#define DRD_CLI_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define LANES_MAX 64
#define LANES_CELL 3 /* columns of one lane */

enum lanes_line { LANE_NONE, LANE_PLAIN, LANE_LEADER, LANE_CANDIDATE }; /* how a lane is drawn: it is not there (yet), ... */
enum lanes_mark { MARK_EVENT, MARK_START, MARK_END, MARK_LOST };

struct lanes {
    size_t count;
    enum lanes_line line[LANES_MAX];
    bool color, ascii;
};

struct lanes_row {
    size_t at;           /* the lane of the event */
    enum lanes_mark mark;
    bool arrow;          /* from lane `other` to `at`, or, if `leaves`, the beginning of one from `at` toward `other` */
    bool leaves;
    size_t other;
    bool also[LANES_MAX]; /* lanes that the event concerns: joined to it by a line */
    bool join;
};

/* count * LANES_CELL columns. row NULL: the lanes alone. */
void lanes_put(const struct lanes *l, const struct lanes_row *row, FILE *out);
/* Text cut to `width` columns (0: not cut); what is not printable ASCII shows as '?'. */
void lanes_text(const struct lanes *l, const char *text, size_t width, FILE *out);

#endif
