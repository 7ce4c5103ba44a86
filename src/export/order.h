/* Which of some events happen before which others (Lamport 1978), by vector clocks. */
#ifndef DRD_EXPORT_ORDER_H
#define DRD_EXPORT_ORDER_H

#include "export/cast.h"
#include "util/error.h"

#define ORDER_MAX 32

struct order {
    uint32_t process[ORDER_MAX]; /* the events, filled in by the caller */
    uint64_t sequence[ORDER_MAX];
    size_t count;
    bool before[ORDER_MAX][ORDER_MAX]; /* [i][j]: i happens before j */
    bool direct[ORDER_MAX][ORDER_MAX]; /* and no other of them is between */
};

/* Walk the run and fill in the rest. Messages between nodes, and the order of each node's own events, are what counts. */
bool order_find(struct order *o, struct store *s, const struct cast *cast, struct drd_error *e);

#endif
