/* Events out of a stream of records (trace/record.h). For everything but the shim. */
#ifndef DRD_TRACE_READER_H
#define DRD_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/calls.h"
#include "trace/msgpack.h"
#include "trace/record.h"

struct trace_bytes {
    const uint8_t *data; /* NULL: absent. Not terminated by NUL */
    size_t length;
};

/* One event. Byte ranges point into the buffer that was decoded and live as long as it does. */
struct trace_event {
    uint64_t sequence;   /* ordinal in the stream of its process, from 0 */
    uint32_t process;    /* process number in the run; filled by the caller of trace_decode */
    uint32_t thread;     /* 0 is the main thread */
    int32_t code;        /* system call number (>= 0) or enum trace_code; a bare integer gives TRACE_CLOCK */
    uint64_t time;       /* ns of CLOCK_MONOTONIC of the recording machine: latest known when it happened */
    int64_t result;      /* of a system call (also of TRACE_UNHANDLED) */
    bool complete;       /* false: a system call or TRACE_ENTER without a result (killed in it, or result in a later event) */
    int32_t call;        /* the system call: code itself, nr of TRACE_ENTER or TRACE_UNHANDLED; else -1 */
    /* of a system call, by argument index 0..5, as calls.def shows them */
    int64_t argument[6];          /* integers; 0 where not recorded */
    struct trace_bytes input[6];  /* paths and data given to the kernel */
    struct trace_bytes output[6]; /* data the kernel gave back */
    /* of a named event: its fields after the code; strings and bins in field_bytes */
    unsigned fields;
    int64_t field[8];
    struct trace_bytes field_bytes[8]; /* of an array or map: its msgpack bytes, header included */
    struct trace_bytes raw;       /* the whole record */
};

/* What decoding must remember from one record to the next. Zeroed at the start of a stream; can be stored and resumed
 * (a chunk's row holds the state at its start). */
struct trace_state {
    uint64_t sequence; /* of the next record */
    uint64_t clock;    /* last CLOCK_MONOTONIC value the process read */
    uint64_t stamp;    /* value of the last TRACE_TIME */
    uint64_t time;     /* last known machine time, ns */
    uint32_t thread;
};

/* Decode the record at `p`. For a clock read field[0] is the clock id, [1] seconds, [2] ns. Returns the byte after it,
 * or NULL if the bytes are no record (hostile input is expected: bounded work, no reads past `end`). */
const uint8_t *trace_decode(const uint8_t *p, const uint8_t *end, struct trace_state *state, struct trace_event *event);

/* The value of `key` in a msgpack map (the one of TRACE_START: its field_bytes[0]). False if there is none. For an array
 * or map `out` is its header and out->data, out->length are its bytes, header included. */
bool trace_map_find(struct trace_bytes map, const char *key, struct unpack *out);

/* A wait that ended because its time was over. One that was not to wait at all is none. */
bool trace_timed_out(const struct trace_event *event);

/* "recvfrom", "clock", "signal": the word users see and filter by (--kind). Static storage. */
const char *trace_code_name(int32_t code);

#endif
