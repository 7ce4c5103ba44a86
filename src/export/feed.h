/* One pass over a run: its events in causal order, the Raft facts they show, and every message with both of its ends.
 *
 * A message is what the adapter of its protocol takes for one, else what one call sent. It is received by the call that read
 * its last byte (bytes of a stream keep their order, so offsets tell). Kept are the messages on their way only; one that
 * waits among too many, or whose connection is gone, is told as lost. */
#ifndef DRD_EXPORT_FEED_H
#define DRD_EXPORT_FEED_H

#include <stdio.h>

#include "export/cast.h"
#include "protocol/flow.h"
#include "protocol/protocol.h"

#define FEED_TEXT 160

struct feed_message {
    uint64_t number;           /* from 1, in the order in which they are told */
    uint64_t connection;
    enum flow_side side;       /* of the sender */
    struct flow_at sent;       /* process 0: the sender was not recorded */
    struct flow_at received;   /* process 0: it was not received, or not yet */
    uint32_t from, to;         /* processes at both ends, 0: not recorded, or not seen yet */
    char address[56];          /* of the end that was not seen, "" if both were, or if it has none */
    uint64_t end, length;      /* its last byte's offset + 1 in its direction, and its size; less than at `sent`
                                  at `received` and `lost` if the send failed midway */
    char name[32];             /* the protocol's word; "data" for bytes of no known protocol */
    char text[FEED_TEXT];      /* what it says in Raft's terms, or ""; printable */
    bool open;                 /* at `sent`: the receiver was not seen yet, and may be */
    void *user;                /* the listener's, given at `sent`, taken back at `received` or `lost` */
    struct feed_message *next; /* feed's */
};

/* All may be NULL. Of one event, `event` comes first, then facts, messages and the rest in the order in which they were. */
struct feed_listener {
    void *context;
    FILE *out;          /* a failed write to it ends the pass, which is no error of feed_run */
    const bool *failed; /* set by the listener: out of memory */
    const bool *stop;   /* set by the listener: it has seen enough */
    void (*event)(void *context, const struct trace_event *event);
    void (*fact)(void *context, const struct raft_fact *fact);
    void (*opened)(void *context, const struct flow_connection *c, const struct flow_end *end);
    /* Bytes passed an end of a connection, before the messages that they complete. data NULL: content not recorded. */
    void (*bytes)(void *context, const struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length);
    void (*sent)(void *context, struct feed_message *m);
    void (*received)(void *context, struct feed_message *m); /* without `sent` before if its sender was not recorded */
    void (*lost)(void *context, struct feed_message *m);     /* never received, as far as is known */
    void (*closed)(void *context, const struct flow_end *end, const struct flow_at *at); /* at->process 0: at its death */
    void (*freed)(void *context, const struct flow_connection *c);
    void (*after)(void *context, const struct trace_event *event); /* all of this event has been told */
};

/* False: damaged run, out of memory. */
bool feed_run(struct store *s, const struct cast *cast, const struct feed_listener *listener, struct drd_error *e);

#endif
