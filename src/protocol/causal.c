#include "protocol/causal.h"

#include <stdlib.h>

struct lane {
    struct lane *next;
    struct stream *stream;
    struct trace_event event; /* the next one of this process */
    uint64_t time;            /* of event; never less than that of the one before */
    uint64_t until;           /* run time until which the event may wait; 0: it does not */
};

struct causal {
    struct store *store;
    const struct flow *flow;
    struct store_process *process; /* sorted by start */
    size_t count, opened;
    struct lane *lanes;            /* few are alive at one time: no heap needed */
    struct lane *given;            /* whose event the caller holds */
    uint64_t bound;                /* until this time the given lane stays the earliest, and none waits */
};

static int by_start(const void *left, const void *right)
{
    const struct store_process *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

struct causal *causal_open(struct store *s, const struct flow *flow, struct drd_error *e)
{
    struct causal *c = calloc(1, sizeof *c);
    if (!c) {
        error_set(e, DRD_EXIT_FATAL, "out of memory");
        return NULL;
    }
    c->store = s;
    c->flow = flow;
    if (!store_processes(s, &c->process, &c->count, e)) {
        free(c);
        return NULL;
    }
    if (c->count)
        qsort(c->process, c->count, sizeof *c->process, by_start);
    return c;
}

static void lane_free(struct lane *l)
{
    stream_close(l->stream);
    free(l);
}

void causal_close(struct causal *c)
{
    if (!c)
        return;
    for (struct lane *l = c->lanes, *next; l; l = next) {
        next = l->next;
        lane_free(l);
    }
    for (size_t i = 0; i < c->count; i++)
        store_process_fini(&c->process[i]);
    free(c->process);
    free(c);
}

/* Read the lane's next event: 1, 0 at its end, -1. */
static int lane_read(struct lane *l, struct drd_error *e)
{
    int more = stream_next(l->stream, &l->event, e);
    if (more > 0 && l->event.time > l->time)
        l->time = l->event.time;
    l->until = 0;
    return more;
}

static bool lane_open(struct causal *c, const struct store_process *p, struct drd_error *e)
{
    struct lane *l = calloc(1, sizeof *l);
    if (!l)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    l->time = p->start;
    l->stream = stream_open(c->store, p->number, e);
    int more = l->stream ? lane_read(l, e) : -1;
    if (more <= 0) {
        lane_free(l);
        return more == 0;
    }
    l->next = c->lanes;
    c->lanes = l;
    return true;
}

/* Move the lane of the event given last on to its next one; it goes when it has none. */
static bool causal_advance(struct causal *c, bool *ended, struct drd_error *e)
{
    struct lane *l = c->given, **link = &c->lanes;
    int more = l ? lane_read(l, e) : 1;
    c->given = NULL;
    *ended = more <= 0;
    if (more > 0)
        return true;
    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
    lane_free(l);
    return more == 0;
}

static bool earlier(const struct lane *a, const struct lane *b)
{
    return a->time != b->time ? a->time < b->time : a->event.process < b->event.process;
}

/* Whether the event of a lane must still wait when the run has reached `now`. */
static bool lane_waits(struct causal *c, struct lane *l, uint64_t now)
{
    uint64_t patience = flow_must_wait(c->flow, &l->event);
    if (!patience)
        return false;
    if (!l->until)
        l->until = l->time + patience;
    return now < l->until;
}

/* The earliest lane, and the earliest that need not wait. */
static void lanes_look(const struct causal *c, struct lane **first, struct lane **waiting)
{
    *first = *waiting = NULL;
    for (struct lane *l = c->lanes; l; l = l->next)
        if (l->until ? !*waiting || earlier(l, *waiting) : !*first || earlier(l, *first))
            *(l->until ? waiting : first) = l;
}

/* Choose the next lane. Those found waiting are marked (until), looked at again each time, and let go when what they wait
 * for has come, when the run has gone on long enough, or when there is nobody else. */
static struct lane *causal_choose(struct causal *c)
{
    struct lane *first, *waiting;
    for (;;) {
        lanes_look(c, &first, &waiting);
        uint64_t now = first ? first->time : 0;
        for (struct lane *l = c->lanes; l && waiting; l = l->next)
            if (l->until && !lane_waits(c, l, now))
                return l;
        if (!first)
            return waiting;
        if (!lane_waits(c, first, 0))
            return first;
    }
}

/* The time up to which `c->given` need not be compared with the others again: 0 while anyone waits. */
static uint64_t causal_bound(const struct causal *c)
{
    uint64_t bound = c->opened < c->count ? c->process[c->opened].start : UINT64_MAX;
    for (const struct lane *l = c->lanes; l; l = l->next) {
        if (l->until)
            return 0;
        if (l != c->given && l->time < bound)
            bound = l->time;
    }
    return bound;
}

static bool causal_open_started(struct causal *c, struct drd_error *e)
{
    for (;;) {
        struct lane *first, *waiting;
        lanes_look(c, &first, &waiting);
        if (c->opened >= c->count || (first && first->time < c->process[c->opened].start))
            return true;
        if (!lane_open(c, &c->process[c->opened++], e))
            return false;
    }
}

int causal_next(struct causal *c, struct trace_event *event, struct drd_error *e)
{
    struct lane *same = c->given;
    bool ended;
    if (!causal_advance(c, &ended, e))
        return -1;
    if (same && !ended && same->time < c->bound && !flow_must_wait(c->flow, &same->event)) {
        c->given = same;
    } else {
        if (!causal_open_started(c, e))
            return -1;
        if (!c->lanes)
            return 0;
        c->given = causal_choose(c);
        c->bound = causal_bound(c);
    }
    *event = c->given->event;
    return 1;
}
