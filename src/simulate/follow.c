/* The streams of a recording, one record after the other, in an order in which they can have happened. */
#include "simulate/follow_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long after its own time a record is held back for its cause, which the machine has not seen yet. Where the processors were
 * busy, a process may have written down late what it had done; after that the cause was outside of the recording. */
#define HOLD 1500000000u /* ns */

#define LOADING 2000000000u /* ns: a program that was started before now has its first record by then */

bool bytes_append(struct bytes *b, const void *data, size_t size)
{
    if (b->size + size > b->capacity) {
        size_t capacity = 2 * b->capacity + size + 256;
        uint8_t *more = realloc(b->data, capacity);
        if (!more)
            return false;
        b->data = more;
        b->capacity = capacity;
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return true;
}

struct lane *follow_lane(struct follow *f, uint32_t number)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->row[i].number == number)
            return &f->lane[i];
    return NULL;
}

const char *follow_name(struct follow *f, const struct lane *l, const struct trace_event *event)
{
    static char text[160];
    char name[100];
    (void)f;
    event_name(l->row, event->sequence, name, sizeof name);
    snprintf(text, sizeof text, "%s (%s)", name, trace_code_name(event->call >= 0 ? event->call : event->code));
    return text;
}

bool follow_fail(struct follow *f, const struct lane *l, const struct trace_event *event, const char *why)
{
    if (f->error.exit_code)
        return false;
    return error_set(&f->error, DRD_EXIT_CANNOT, "cannot go on from this recording: %s: %s", follow_name(f, l, event), why);
}

/* ---- lanes ---- */

static bool lane_advance(struct follow *f, struct lane *l)
{
    int more = stream_next(l->stream, &l->next, &f->error);
    l->has_next = more == 1;
    if (more == 1 || more < 0)
        return more == 1;
    l->over = true;
    stream_close(l->stream);
    l->stream = NULL;
    follow_lane_over(f, l);
    return true;
}

static bool lane_open(struct follow *f, struct lane *l)
{
    l->opened = true;
    l->stream = stream_open(f->store, l->row->number, &f->error);
    return l->stream && lane_advance(f, l);
}

/* Those that have begun before anything else happens. */
static bool open_due(struct follow *f)
{
    uint64_t least = UINT64_MAX, first = UINT64_MAX;
    for (size_t i = 0; i < f->count; i++)
        if (f->lane[i].has_next && f->lane[i].next.time < least)
            least = f->lane[i].next.time;
    for (size_t i = 0; least == UINT64_MAX && i < f->count; i++) /* none is open: the first one, and those soon after it */
        if (!f->lane[i].opened && f->lane[i].row->start < first)
            first = f->lane[i].row->start;
    least = least < first ? least : first;
    for (size_t i = 0; i < f->count; i++)
        if (!f->lane[i].opened && f->lane[i].row->start <= least + HOLD && !lane_open(f, &f->lane[i]))
            return false;
    return true;
}

/* Whose record is next: the earliest that can have happened now, or the earliest that was held back long enough; where all wait for
 * each other, the earliest. */
static struct lane *choose(struct follow *f)
{
    struct lane *ready = NULL, *held = NULL, *any = NULL;
    for (size_t i = 0; i < f->count; i++) {
        struct lane *l = &f->lane[i];
        if (!l->has_next || (ready && l->next.time >= ready->next.time))
            continue;
        if (follow_ready(f, l))
            ready = l;
        else if (!follow_waits_surely(f, l))
            held = held && held->next.time <= l->next.time ? held : l;
        else
            any = any && any->next.time <= l->next.time ? any : l;
    }
    if (held && (!ready || held->next.time + HOLD < ready->next.time))
        return held;
    return ready ? ready : any;
}

/* The machine's clock goes with the records; what is due by then happens. */
static void clock_set(struct machine *m, uint64_t time)
{
    if (time > m->box->now)
        m->box->now = time;
    machine_due_now(m);
}

static bool lane_step(struct follow *f, struct lane *l)
{
    clock_set(f->m, l->next.time);
    f->now = &l->next;
    bool ok = follow_apply(f, l, &l->next);
    f->now = NULL;
    l->begun = true;
    l->last = l->next.code;
    if (l->next.time > l->clock)
        l->clock = l->next.time;
    if (!l->kept.size)
        l->stamp = stream_state(l->stream)->stamp;
    return ok && lane_advance(f, l);
}

/* ---- up to the event ---- */

static bool walk(struct follow *f)
{
    for (;;) {
        if (!open_due(f))
            return false;
        if (f->target && f->target->has_next && f->target->next.sequence >= f->event && !follow_is_glue(f, f->target))
            return true; /* what only tells more of the call before it has happened with that */
        struct lane *l = choose(f);
        if (!l)
            return !f->target || error_set(&f->error, DRD_EXIT_FATAL, "no such event in this recording");
        if (!lane_step(f, l))
            return false;
    }
}

/* What belongs to a record that has happened has happened too. */
static bool finish(struct follow *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct lane *l = &f->lane[i];
        if (!l->opened && l->row->start < f->m->box->now + LOADING && !lane_open(f, l))
            return false;
        while (l != f->target && l->has_next && follow_is_glue(f, l))
            if (!lane_step(f, l))
                return false;
    }
    return true;
}

static bool target_is_possible(struct follow *f)
{
    if (!f->target || !f->target->kept.size)
        return true;
    return follow_fail(f, f->target, &f->target->next, "nothing can be changed between a vfork and its exec");
}

bool follow_go(struct follow *f, struct machine *m, struct drd_error *e)
{
    f->m = m;
    m->follow = f;
    bool ok = walk(f) && target_is_possible(f) && finish(f);
    for (size_t i = 0; i < f->count; i++)
        if (f->lane[i].clock > m->box->now)
            m->box->now = f->lane[i].clock;
    for (size_t i = 0; i < f->count; i++)
        steps_happened(m, f->row[i].number, f->lane[i].events);
    m->follow = NULL;
    if (!ok) {
        *e = f->error;
        return false;
    }
    return follow_start(f, e);
}

/* ---- beginning and end ---- */

static bool lanes_make(struct follow *f, struct drd_error *e)
{
    f->lane = calloc(f->count + 1, sizeof *f->lane);
    if (!f->lane)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    for (size_t i = 0; i < f->count; i++)
        f->lane[i].row = &f->row[i];
    return true;
}

static const char *base_name(const char *path, size_t *length)
{
    const char *end = path + strcspn(path, " "), *at = end;
    while (at > path && at[-1] != '/')
        at--;
    *length = (size_t)(end - at);
    return at;
}

/* All that happens must be in it: the command that started it, and what that started. */
static bool is_whole(struct follow *f, struct drd_error *e)
{
    char command[4096] = "";
    size_t length, roots = 0;
    bool same = false;
    store_fact(f->store, "command", command, sizeof command);
    const char *name = base_name(command, &length);
    for (size_t i = 0; i < f->count; i++) {
        const struct store_process *p = &f->row[i];
        size_t other;
        const char *exe = base_name(p->exe, &other);
        if (!p->number || p->parent || p->forked)
            continue;
        same |= !roots++ && length == other && !memcmp(name, exe, length);
    }
    return (roots == 1 && same) ||
           error_set(e, DRD_EXIT_CANNOT, "cannot go on from this recording: the command that started its nodes was not recorded (--only, --node)");
}

struct follow *follow_open(const char *run, uint32_t process, uint64_t event, struct drd_error *e)
{
    struct follow *f = calloc(1, sizeof *f);
    if (!f)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory"), NULL;
    f->event = event;
    f->store = store_open(run, STORE_READ, e);
    bool ok = f->store && store_processes(f->store, &f->row, &f->count, e) && is_whole(f, e) && lanes_make(f, e) && follow_scan(f, e);
    if (ok && process && !(f->target = follow_lane(f, process)))
        ok = error_set(e, DRD_EXIT_FATAL, "%s has no process %u", run, process);
    if (ok)
        return f;
    follow_close(f);
    return NULL;
}

bool follow_fact(struct follow *f, const char *key, char *out, size_t size)
{
    return store_fact(f->store, key, out, size);
}

void follow_close(struct follow *f)
{
    if (!f)
        return;
    for (size_t i = 0; f->lane && i < f->count; i++) {
        stream_close(f->lane[i].stream);
        free(f->lane[i].done.data);
        free(f->lane[i].kept.data);
        free(f->lane[i].draft.data);
    }
    for (size_t i = 0; i < f->count; i++)
        store_process_fini(&f->row[i]);
    free(f->row);
    free(f->lane);
    free(f->accepted.pair);
    free(f->connected.pair);
    free(f->listened.pair);
    store_close(f->store);
    free(f);
}
