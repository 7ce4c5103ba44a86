/* The rows that people query, derived from the streams: see index_schema in index.c for the tables. */
#ifndef DRD_PROTOCOL_INDEX_H
#define DRD_PROTOCOL_INDEX_H

#include <sqlite3.h>

#include "protocol/walk.h"

/* Raised when the rows of an older index would be wrong or incomplete: they are made again. */
#define INDEX_VERSION "5"

struct index;
struct index *index_create(sqlite3 *db, struct drd_error *e); /* drops and makes the tables; inside a transaction */
void index_destroy(struct index *x);
/* Events in causal order, then the end. */
bool index_event(struct index *x, const struct trace_event *event, struct drd_error *e);
bool index_finish(struct index *x, struct drd_error *e);

/* --- index_link.c: messages of one connection, sends and receives put together --- */

struct index_part { /* the end of a message in a direction, or of what one call received */
    uint64_t end, length, sequence;
    int64_t name;
};

struct index_queue {
    struct index_part *part;
    size_t head, count, capacity;
};

struct index_link {
    uint64_t id;
    struct { struct index_queue sent, received; uint64_t matched; } way[2]; /* by the side that sends */
    uint32_t process[2];
    bool paired;
};

/* A row is ready: `received` NULL: never was; `sent` NULL: sender not recorded. Returns false on failure. */
typedef bool (*index_row_fn)(void *context, const struct index_link *link, int side, const struct index_part *sent,
                             const struct index_part *received);
bool index_link_sent(struct index_link *l, int side, const struct index_part *part, index_row_fn fn, void *context);
bool index_link_received(struct index_link *l, int side, const struct index_part *part, index_row_fn fn, void *context);
bool index_link_finish(struct index_link *l, index_row_fn fn, void *context); /* and release */

#endif
