/* All streams of a run as one sequence, by time.
 *
 * The stamps of all streams come from one clock, CLOCK_MONOTONIC of the recording machine. A stream is opened when the
 * merge reaches the start of its process and closed at its end: memory follows the processes alive at one time. */
#include <stdlib.h>

#include "store/internal.h"

struct lane {
    struct stream *stream;
    struct trace_event event;
    uint64_t time; /* of event, never less than that of the lane's event before */
};

struct timeline {
    struct store *store;
    struct store_process *process; /* sorted by start and number */
    size_t count, next;            /* next: first not yet opened */
    struct lane **heap;            /* binary heap, earliest first */
    size_t size;
    struct lane *given;            /* whose event the caller holds: moved on at the next call */
};

static int by_start(const void *left, const void *right)
{
    const struct store_process *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Ties go to the lower process number: parents before their children. */
static bool earlier(const struct lane *a, const struct lane *b)
{
    return a->time != b->time ? a->time < b->time : a->event.process < b->event.process;
}

static void swap(struct timeline *t, size_t i, size_t j)
{
    struct lane *lane = t->heap[i];
    t->heap[i] = t->heap[j];
    t->heap[j] = lane;
}

static void push(struct timeline *t, struct lane *lane)
{
    size_t i = t->size++;
    t->heap[i] = lane;
    for (; i && earlier(t->heap[i], t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(t, i, (i - 1) / 2);
}

static struct lane *pop(struct timeline *t)
{
    struct lane *first = t->heap[0];
    t->heap[0] = t->heap[--t->size];
    for (size_t i = 0, child; (child = 2 * i + 1) < t->size; i = child) {
        if (child + 1 < t->size && earlier(t->heap[child + 1], t->heap[child]))
            child++;
        if (!earlier(t->heap[child], t->heap[i]))
            break;
        swap(t, i, child);
    }
    return first;
}

static void lane_destroy(struct lane *lane)
{
    if (!lane)
        return;
    stream_close(lane->stream);
    free(lane);
}

/* Read the lane's next event and put it in its place, or end it. */
static bool lane_advance(struct timeline *t, struct lane *lane, struct drd_error *e)
{
    uint64_t before = lane->time;
    int more = stream_next(lane->stream, &lane->event, e);
    if (more != 1) {
        lane_destroy(lane);
        return more == 0;
    }
    lane->time = lane->event.time > before ? lane->event.time : before;
    push(t, lane);
    return true;
}

static bool lane_open(struct timeline *t, const struct store_process *p, struct drd_error *e)
{
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane || !(lane->stream = stream_open(t->store, p->number, e))) {
        lane_destroy(lane);
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    }
    lane->time = p->start;
    return lane_advance(t, lane, e);
}

struct timeline *timeline_open(struct store *s, struct drd_error *e)
{
    struct timeline *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(e, DRD_EXIT_FATAL, "out of memory"), NULL;
    t->store = s;
    if (!store_processes(s, &t->process, &t->count, e)) {
        free(t);
        return NULL;
    }
    t->heap = calloc(t->count + 1, sizeof *t->heap);
    if (!t->heap) {
        timeline_close(t);
        return error_set(e, DRD_EXIT_FATAL, "out of memory"), NULL;
    }
    if (t->count)
        qsort(t->process, t->count, sizeof *t->process, by_start);
    return t;
}

void timeline_close(struct timeline *t)
{
    if (!t)
        return;
    lane_destroy(t->given);
    while (t->size)
        lane_destroy(t->heap[--t->size]);
    for (size_t i = 0; i < t->count; i++)
        store_process_fini(&t->process[i]);
    free(t->process);
    free(t->heap);
    free(t);
}

int timeline_next(struct timeline *t, struct trace_event *event, struct drd_error *e)
{
    struct lane *held = t->given;
    t->given = NULL;
    if (held && !lane_advance(t, held, e))
        return -1;
    while (t->next < t->count && (!t->size || t->process[t->next].start <= t->heap[0]->time))
        if (!lane_open(t, &t->process[t->next++], e))
            return -1;
    if (!t->size)
        return 0;
    t->given = pop(t);
    *event = t->given->event;
    return 1;
}
