/* All streams of a run as one sequence, by time.
 *
 * The stamps of all streams come from one clock, CLOCK_MONOTONIC of the recording machine. A stream is opened when the
 * merge reaches the start of its process and closed at its end: memory follows the processes alive at one time. */
#include <stdlib.h>
#include <string.h>

#include <sys/syscall.h>

#include "store/causal.h"
#include "store/internal.h"

/* How long after its own time an event that cannot have happened yet is held back for its cause, at most. Stamps are closer
 * than the first. A cause that is sure to come may itself be held back by that much, and is waited for longer. */
#define HOLD_NS 20000000u
#define HOLD_EXPECTED_NS 200000000u

struct lane {
    struct stream *stream;
    const struct store_process *process;
    struct trace_event event;
    uint64_t time; /* of event, never less than that of the lane's event before */
    bool release;  /* held back long enough */
};

struct timeline {
    struct store *store;
    struct store_process *process; /* sorted by start and number */
    size_t count, next;            /* next: first not yet opened */
    struct lane **heap;            /* binary heap, earliest first */
    size_t size;
    struct lane **held;            /* their events wait for events of others */
    size_t held_count;
    struct causal *causal;
    uint64_t now;                  /* time of the event given last */
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
    bool exec = lane->event.code == TRACE_EXEC; /* then the descriptors go on to another process number */
    int more = stream_next(lane->stream, &lane->event, e);
    if (more != 1) {
        if (!exec)
            causal_forget(t->causal, lane->process->number);
        lane_destroy(lane);
        return more == 0;
    }
    lane->release = false;
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
    lane->process = p;
    lane->time = p->start;
    if (p->parent && !causal_inherit(t->causal, p->number, p->parent)) {
        lane_destroy(lane);
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    }
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
    t->held = calloc(t->count + 1, sizeof *t->held);
    t->causal = causal_create();
    if (!t->heap || !t->held || !t->causal) {
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
    while (t->held_count)
        lane_destroy(t->held[--t->held_count]);
    causal_destroy(t->causal);
    for (size_t i = 0; i < t->count; i++)
        store_process_fini(&t->process[i]);
    free(t->process);
    free(t->heap);
    free(t->held);
    free(t);
}

/* ---- causes first ---- */

static bool pid_runs(const struct timeline *t, int64_t pid)
{
    for (size_t i = 0; i < t->size; i++)
        if (t->heap[i]->process->pid == pid)
            return true;
    return false;
}

/* Until when, by the others' events, the lane waits for the cause of its event; 0: it need not. Counted from the
 * event's own time, not the lane's: a lane that was held back again and again would fall ever further behind the others. */
static uint64_t deadline(const struct timeline *t, const struct lane *lane)
{
    const struct trace_event *event = &lane->event;
    enum causal_answer answer = causal_ask(t->causal, event);
    if (answer == CAUSAL_READY && event->call == SYS_wait4 && event->result > 0 && pid_runs(t, event->result))
        answer = CAUSAL_UNKNOWN;
    if (answer == CAUSAL_READY)
        return 0;
    return event->time + (answer == CAUSAL_EXPECTED ? HOLD_EXPECTED_NS : HOLD_NS);
}

static void release(struct timeline *t, size_t i)
{
    struct lane *lane = t->held[i];
    memmove(&t->held[i], &t->held[i + 1], (--t->held_count - i) * sizeof *t->held);
    lane->release = true;
    if (lane->time < t->now)
        lane->time = t->now;
    push(t, lane);
}

/* Let those go whose cause has come, or will not come. Of the latter one at a time, the least patient: others may wait for
 * what it does next, whatever the time it is by the rest. */
static void release_held(struct timeline *t)
{
    uint64_t least = UINT64_MAX;
    size_t first = 0;
    for (size_t i = 0; i < t->held_count;) {
        uint64_t until = deadline(t, t->held[i]);
        if (!until) {
            release(t, i);
            continue;
        }
        if (until < least) {
            least = until;
            first = i;
        }
        i++;
    }
    if (t->held_count && (!t->size || t->heap[0]->time > least))
        release(t, first);
}

static bool open_due(struct timeline *t, struct drd_error *e)
{
    while (t->next < t->count && (!t->size || t->process[t->next].start <= t->heap[0]->time))
        if (!lane_open(t, &t->process[t->next++], e))
            return false;
    return true;
}

/* The lane whose event comes next; NULL: none is left, or *ok is false. */
static struct lane *choose(struct timeline *t, bool *ok, struct drd_error *e)
{
    for (;;) {
        release_held(t);
        *ok = open_due(t, e);
        if (!*ok || !t->size)
            return NULL;
        struct lane *lane = pop(t);
        if (lane->release || !deadline(t, lane))
            return lane;
        t->held[t->held_count++] = lane;
    }
}

int timeline_next(struct timeline *t, struct trace_event *event, struct drd_error *e)
{
    struct lane *held = t->given;
    bool ok;
    t->given = NULL;
    if (held && !lane_advance(t, held, e))
        return -1;
    t->given = choose(t, &ok, e);
    if (!t->given)
        return ok ? 0 : -1;
    if (t->given->time > t->now)
        t->now = t->given->time;
    *event = t->given->event;
    if (event->time < t->given->time)
        event->time = t->given->time; /* it happened after its cause */
    if (!causal_apply(t->causal, event))
        return error_set(e, DRD_EXIT_FATAL, "out of memory") - 1;
    return 1;
}
