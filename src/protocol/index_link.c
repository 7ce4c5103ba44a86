/* Which call received what which call sent. Bytes of a stream keep their order, so offsets tell: a message is received by
 * the call that read its last byte. What waits for its other half is bounded; a half that waits too long stands alone. */
#include <stdlib.h>
#include <string.h>

#include "protocol/index.h"

#define WAIT_PAIRED 65536 /* halves kept while both ends are recorded: in flight, in socket buffers */
#define WAIT_ALONE 256    /* and while the other end was not seen */

static bool queue_push(struct index_queue *q, const struct index_part *part)
{
    if (q->head && q->head == q->count)
        q->head = q->count = 0;
    if (q->count == q->capacity && q->head > q->count / 2) {
        memmove(q->part, q->part + q->head, (q->count - q->head) * sizeof *q->part);
        q->count -= q->head;
        q->head = 0;
    }
    if (q->count == q->capacity) {
        size_t capacity = q->capacity ? 2 * q->capacity : 8;
        struct index_part *grown = realloc(q->part, capacity * sizeof *grown);
        if (!grown)
            return false;
        q->part = grown;
        q->capacity = capacity;
    }
    q->part[q->count++] = *part;
    return true;
}

static struct index_part *queue_first(const struct index_queue *q)
{
    return q->head < q->count ? &q->part[q->head] : NULL;
}

static size_t queue_length(const struct index_queue *q)
{
    return q->count - q->head;
}

static bool link_match(struct index_link *l, int side, index_row_fn fn, void *context)
{
    struct index_queue *sent = &l->way[side].sent, *received = &l->way[side].received;
    struct index_part *s, *r;
    while ((r = queue_first(received))) {
        if ((s = queue_first(sent)) && s->end <= r->end) {
            if (!fn(context, l, side, s, r))
                return false;
            l->way[side].matched = s->end;
            sent->head++;
        } else if (s || r->end <= l->way[side].matched) {
            received->head++; /* read a part of a message, or told already */
        } else {
            return true;
        }
    }
    return true;
}

static bool link_overflow(struct index_link *l, int side, size_t limit, index_row_fn fn, void *context)
{
    struct index_queue *sent = &l->way[side].sent, *received = &l->way[side].received;
    for (; queue_length(sent) > limit; sent->head++)
        if (!fn(context, l, side, queue_first(sent), NULL))
            return false;
    for (; queue_length(received) > limit; received->head++) {
        l->way[side].matched = queue_first(received)->end;
        if (!fn(context, l, side, NULL, queue_first(received)))
            return false;
    }
    return true;
}

static bool link_settle(struct index_link *l, int side, index_row_fn fn, void *context)
{
    return link_match(l, side, fn, context) &&
           link_overflow(l, side, l->paired ? WAIT_PAIRED : WAIT_ALONE, fn, context);
}

bool index_link_sent(struct index_link *l, int side, const struct index_part *part, index_row_fn fn, void *context)
{
    return queue_push(&l->way[side].sent, part) && link_settle(l, side, fn, context);
}

bool index_link_received(struct index_link *l, int side, const struct index_part *part, index_row_fn fn, void *context)
{
    return queue_push(&l->way[side].received, part) && link_settle(l, side, fn, context);
}

bool index_link_finish(struct index_link *l, index_row_fn fn, void *context)
{
    bool good = true;
    for (int side = 0; side < 2; side++) {
        good = good && link_match(l, side, fn, context);
        if (l->paired) /* bytes whose sending is not in the trace: the sender's stream ended before */
            l->way[side].received.head = l->way[side].received.count;
        good = good && link_overflow(l, side, 0, fn, context);
        free(l->way[side].sent.part);
        free(l->way[side].received.part);
    }
    return good;
}
