/* The events of a run in causal order: by time, but no receive before its send, no accept before its connect, no child
 * before its fork.
 *
 * Time alone is not enough: a stream's stamps are lower bounds (the last clock its process read), so a receiver may seem to
 * be earlier than its sender. A flow knows who must wait for whom. Waiting is bounded in the time of the run, for the
 * sender may not be recorded to its end. */
#ifndef DRD_PROTOCOL_CAUSAL_H
#define DRD_PROTOCOL_CAUSAL_H

#include "protocol/flow.h"
#include "store/store.h"

struct causal;
/* `flow` must be fed each event before the next one is asked for. */
struct causal *causal_open(struct store *s, const struct flow *flow, struct drd_error *e);
void causal_close(struct causal *c); /* accepts NULL */
/* 1: *event is the next one (valid until the next call), 0: end, -1: error. */
int causal_next(struct causal *c, struct trace_event *event, struct drd_error *e);

#endif
