/* What cannot have happened yet: bytes received before they were sent, a child waited for before it ended.
 *
 * The stamps of two processes are exact only to a fraction of a millisecond. Where they would put a receive before its
 * send, the counts of bytes that went each way of a TCP connection put it right. What passed unseen (sent by an unrecorded
 * program, inherited in a way not followed) only makes this weaker: the timeline waits for a bounded time, and for what a
 * program that is not recorded sent, once a connection. */
#ifndef DRD_STORE_CAUSAL_H
#define DRD_STORE_CAUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/reader.h"

struct causal;

struct causal *causal_create(void); /* NULL: out of memory */
void causal_destroy(struct causal *c);

enum causal_answer {
    CAUSAL_READY,    /* this event may come next, after all those applied */
    CAUSAL_EXPECTED, /* what it received is not sent yet, but the sender is recorded */
    CAUSAL_UNKNOWN,  /* and perhaps never will be: no sender was seen */
};
enum causal_answer causal_ask(const struct causal *c, const struct trace_event *event);
/* It does. False: out of memory. */
bool causal_apply(struct causal *c, const struct trace_event *event);
/* A process begins with the descriptors of its parent, or ends. */
bool causal_inherit(struct causal *c, uint32_t child, uint32_t parent);
void causal_forget(struct causal *c, uint32_t process);

#endif
