/* What the recording knows beside Raft: every draw, every clock read, every wait of a node. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "explain/cause.h"
#include "store/store.h"

/* How far back a draw is looked for. A node that draws less often than that draws for something else. */
#define EVENTS_BACK 50000

static const struct store_process *process_of(const struct store_process *process, size_t processes, uint32_t number)
{
    for (size_t i = 0; i < processes; i++) {
        if (process[i].number == number)
            return &process[i];
    }
    return NULL;
}

static bool is_draw(const struct trace_event *event)
{
    return event->code == TRACE_DRAW || event->code == SYS_getrandom;
}

/* Events from `first` up to but without `last`. */
static bool events_each(struct store *s, uint32_t process, uint64_t first, uint64_t last,
                        void (*fn)(void *context, const struct trace_event *event), void *context, struct drd_error *e)
{
    struct trace_event event;
    struct stream *st = stream_open(s, process, e);
    int more = st ? stream_seek(st, first, e) : -1;
    while (more > 0 && (more = stream_next(st, &event, e)) > 0 && event.sequence < last)
        fn(context, &event);
    stream_close(st);
    return more >= 0;
}

/* --- the draw behind a timer --- */

struct timer {
    uint64_t waited;        /* sequence of the last wait that timed out */
    uint64_t drawn, latest; /* sequences, UINT64_MAX none: the draw in force when the last wait timed out; the latest */
    bool fired;             /* the last wait timed out, and nothing came since */
    char source[24];
    char latest_source[24];
};

/* Bytes from outside. Eight of them are an eventfd's or a timerfd's, by which threads and timers wake an event loop. */
static bool is_heard(const struct trace_event *event)
{
    switch (event->code) {
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg:
        return event->complete && event->result > 0 && event->result != 8;
    default:
        return false;
    }
}

static void timer_event(void *context, const struct trace_event *event)
{
    struct timer *t = context;
    if (is_draw(event)) {
        struct trace_bytes name = event->field_bytes[0];
        t->latest = event->sequence;
        if (event->code == TRACE_DRAW && name.data)
            snprintf(t->latest_source, sizeof t->latest_source, "%.*s", name.length < 20 ? (int)name.length : 20,
                     (const char *)name.data);
        else
            snprintf(t->latest_source, sizeof t->latest_source, "getrandom");
    } else if (is_heard(event)) {
        t->fired = false; /* it may have been told to */
    } else if (trace_timed_out(event)) {
        t->fired = true;
        t->waited = event->sequence;
        t->drawn = t->latest;
        memcpy(t->source, t->latest_source, sizeof t->source);
    }
}

static void append(struct chain_step *step, const char *format, const char *a, const char *b)
{
    size_t used = strlen(step->text);
    snprintf(step->text + used, sizeof step->text - used, format, a, b);
}

static bool timer_add(struct chain_step *step, struct store *s, const struct store_process *p, struct drd_error *e)
{
    struct timer t = {.drawn = UINT64_MAX, .latest = UINT64_MAX};
    uint64_t first = step->at.sequence > EVENTS_BACK ? step->at.sequence - EVENTS_BACK : 0;
    char name[96];
    if (!events_each(s, p->number, first, step->at.sequence, timer_event, &t, e))
        return false;
    if (!t.fired)
        return true;
    step->waited = t.waited;
    step->drawn = t.drawn;
    append(step, "%s%s", "; its election timer had fired", "");
    if (t.drawn == UINT64_MAX)
        return true;
    event_name(p, t.drawn, name, sizeof name);
    append(step, " (drawn at %s, %s)", name, t.source);
    return true;
}

/* --- what an apply took from outside --- */

struct taken {
    uint64_t sequence; /* UINT64_MAX: nothing */
    const char *what;
    enum chain_took took;
};

static void taken_event(void *context, const struct trace_event *event)
{
    struct taken *t = context;
    const char *what = NULL;
    enum chain_took took = CHAIN_TOOK_OTHER;
    bool day = event->code == TRACE_CLOCK && event->field[0] == CLOCK_REALTIME;
    if (is_draw(event))
        what = "drew a random number", took = CHAIN_TOOK_DRAW;
    else if (event->code == TRACE_CLOCK)
        what = day ? "read the clock" : "read the monotonic clock", took = day ? CHAIN_TOOK_DAY : CHAIN_TOOK_OTHER;
    else if (event->code == TRACE_TSC)
        what = "read the processor's time stamp";
    else if (event->code == SYS_read || event->code == SYS_pread64)
        what = "read a file", took = CHAIN_TOOK_FILE;
    else if (event->code == TRACE_MARK || trace_timed_out(event) || event->code == SYS_epoll_wait || event->code == SYS_poll)
        *t = (struct taken){UINT64_MAX, NULL, CHAIN_TOOK_NOTHING}; /* the window begins anew: what came before went into something else */
    if (what)
        *t = (struct taken){event->sequence, what, took};
}

static bool taken_add(struct chain_step *step, struct store *s, const struct store_process *p, struct drd_error *e)
{
    struct taken t = {UINT64_MAX, NULL, CHAIN_TOOK_NOTHING};
    uint64_t first = step->at.sequence > 1000 ? step->at.sequence - 1000 : 0;
    char name[96];
    if (!events_each(s, p->number, first, step->at.sequence, taken_event, &t, e))
        return false;
    if (t.sequence == UINT64_MAX)
        return true;
    if (t.took == CHAIN_TOOK_DRAW)
        step->drawn = t.sequence;
    step->taken = t.sequence;
    step->took = t.took;
    event_name(p, t.sequence, name, sizeof name);
    append(step, "; just before, it %s at %s", t.what, name);
    return true;
}

bool inputs_add(struct cause *c, struct store *s, const struct store_process *process, size_t processes, struct drd_error *e)
{
    for (size_t i = 0; i < c->steps; i++) {
        const struct store_process *p = process_of(process, processes, c->step[i].at.process);
        c->step[i].waited = c->step[i].drawn = CHAIN_NOTHING;
        if (p && c->step[i].timer && !timer_add(&c->step[i], s, p, e))
            return false;
        if (p && c->step[i].applies && !taken_add(&c->step[i], s, p, e))
            return false;
    }
    return true;
}
