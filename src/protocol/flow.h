/* From calls to connections and files: who sent which bytes to whom, and what was written where.
 *
 * A flow is fed the events of a run in causal order. It keeps the descriptor table of every process (through dup, fork,
 * exec and close), pairs the two ends of a connection by their addresses, counts the bytes of each direction, and knows
 * the paths of files. What it finds it hands to a flow_handler. Memory: open descriptors, connections and files. */
#ifndef DRD_PROTOCOL_FLOW_H
#define DRD_PROTOCOL_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/reader.h"

#define FLOW_ADDRESS_MAX 128
#define FLOW_FIRST_MAX 256

struct flow_address { /* a sockaddr as the kernel gives it */
    uint8_t length;   /* 0: unknown */
    uint8_t bytes[FLOW_ADDRESS_MAX];
};

/* The event that shows something. */
struct flow_at {
    uint32_t process;
    uint64_t sequence, time;
    uint32_t thread;
};

static inline struct flow_at flow_at(const struct trace_event *event)
{
    return (struct flow_at){event->process, event->sequence, event->time, event->thread};
}

enum flow_side { FLOW_CONNECTED, FLOW_ACCEPTED };
enum flow_way { FLOW_SENT, FLOW_RECEIVED }; /* as this end sees it */

struct flow_end {
    struct flow_connection *connection; /* NULL: accepted on a unix socket, and nothing came or went yet */
    enum flow_side side;
    struct flow_at opened;
    struct flow_address local, peer;
    uint64_t offset[2]; /* bytes so far, by enum flow_way */
    uint64_t peer_key;         /* of the peer's address as text, kept by the walk; 0: not made yet */
    bool closed;
    uint16_t first_length;
    uint8_t first[FLOW_FIRST_MAX]; /* of a unix client: what it sent first, by which its other end is found */
};

struct flow_connection {
    uint64_t id;             /* from 1, in order of appearance */
    struct flow_end *end[2]; /* by enum flow_side; NULL: not recorded, or not seen yet */
    uint64_t key;            /* where the unpaired end is found */
    struct flow_connection *next_unpaired;
    bool paired;
    void *user;              /* the handler's */
};

struct flow_file {
    char *path;              /* absolute; the newest name after a rename */
    uint64_t size;           /* as far as known from the calls */
    uint64_t writes;         /* number of the last write, 0 none: "durable up to" compares them */
    uint64_t device;         /* st_dev, 0 where the program never asked */
    unsigned references;
    bool named;              /* found by its path: not unlinked, not replaced */
    void *user;              /* the handler's */
};

struct flow_write {
    struct flow_file *file;
    uint64_t offset;
    const uint8_t *data;
    size_t length;
    uint64_t number;         /* rises with every write of the run */
    struct flow_at begun, done; /* the same event but for asynchronous writes */
    bool durable;            /* O_DSYNC and the like: on stable storage when done */
    bool read_only;          /* not a write, but a read through a descriptor that could not write */
};

struct flow_read {
    struct flow_file *file;
    uint64_t offset;
    const uint8_t *data;
    size_t length;
    uint64_t opened;         /* sequence number of the event that opened the descriptor: who reads from the start again */
    bool read_only;          /* and it was opened for nothing else */
    struct flow_at at;
};

/* What was asked of a file and not done, or not all of it. */
struct flow_failure {
    struct flow_file *file;  /* NULL: not open */
    const char *path;
    int32_t call;
    int64_t result;          /* -errno, or how many of `wanted` bytes were written */
    size_t wanted;
    uint64_t offset;         /* of a write */
    const uint8_t *data;     /* what was to be written, or NULL */
    size_t length;
    struct flow_at at;
};

/* All callbacks may be NULL. Ranges are valid during the call. */
struct flow_handler {
    void *context;
    /* A connection got an end, or both: `c->paired` says so. */
    void (*opened)(void *context, struct flow_connection *c, struct flow_end *end);
    /* The offset of the first byte is end->offset[way]. data NULL: content not recorded (sendfile). */
    void (*bytes)(void *context, struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length,
                  const struct flow_at *at);
    /* The last `length` bytes reported as sent were not: the blocking call that was to send them failed. */
    void (*unsent)(void *context, struct flow_end *end, size_t length);
    void (*closed)(void *context, struct flow_end *end, const struct flow_at *at);
    void (*freed)(void *context, struct flow_connection *c); /* both ends gone: let go of c->user */
    void (*written)(void *context, const struct flow_write *w);
    void (*synced)(void *context, struct flow_file *file, uint64_t number, const struct flow_at *at);
    /* A read from a file, by a call or through a mapping. */
    void (*read)(void *context, const struct flow_read *r);
    void (*failed)(void *context, const struct flow_failure *failure);
    void (*resized)(void *context, struct flow_file *file, uint64_t size, const struct flow_at *at);
    void (*renamed)(void *context, const char *from, const char *to, const struct flow_at *at);
    void (*removed)(void *context, const char *path, const struct flow_at *at);
    void (*listed)(void *context, const char *directory, struct trace_bytes dirents, const struct flow_at *at);
    void (*file_freed)(void *context, struct flow_file *file); /* no descriptor left: let go of file->user */
    /* A read from a descriptor that is no connection: "/dev/urandom", a timerfd (path "timerfd"). */
    void (*file_read)(void *context, const char *path, struct trace_bytes bytes, const struct flow_at *at);
};

struct flow;
struct flow *flow_create(const struct flow_handler *handler); /* NULL: out of memory */
void flow_destroy(struct flow *f);
/* False: out of memory. Strange events are ignored. */
bool flow_event(struct flow *f, const struct trace_event *event);
/* Whether an event of this code can matter to a flow: a cheap test before anything else. */
bool flow_wants(int32_t code);

/* "127.0.0.1:6641", "[::1]:6641", a path, "@abstract", or "" into out. */
void flow_address_text(const struct flow_address *a, char *out, size_t size);

#endif
