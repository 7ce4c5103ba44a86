/* The output of nodes that the recorder starts, line by line behind their names: "n1 | ready". */
#ifndef DRD_RECORD_OUTPUT_H
#define DRD_RECORD_OUTPUT_H

#include <uv.h>

#include "util/error.h"

struct output;

/* Returns the reader; *descriptor gets the end for the node. `prefix` is copied. Lines go to descriptor `to`. It ends and
 * frees itself when all who can write have closed. */
struct output *output_create(uv_loop_t *loop, const char *prefix, int to, int *descriptor, struct drd_error *e);
/* Stop reading before that: somebody kept the descriptor open. What has arrived is written. */
void output_stop(struct output *o);
/* Is it told when it has ended? *slot is set to NULL then. */
void output_watch(struct output *o, struct output **slot);

#endif
