/* What the recording knows beside Raft: the timer behind a candidacy, the draw that set it, how a process ended. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "report/scene.h"
#include "util/text.h"

#define CANDIDACIES 256     /* of which the timer is looked for */
#define EVENTS_BACK 20000   /* so far from it */
#define EVENTS_READ 2000000 /* in all */

struct wait {
    uint64_t sequence, time;
    bool fired;             /* it timed out, and nothing was heard since */
};

struct draw {
    uint64_t sequence, time;
    bool any;
    char source[24];
};

/* One stretch of a stream before a candidacy. */
struct search {
    struct wait wait;
    struct draw latest, behind; /* the one in force when the wait began to be over */
};

/* Bytes from outside. Eight of them are an eventfd's or a timerfd's. */
static bool is_heard(const struct trace_event *event)
{
    switch (event->code) {
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg:
        return event->complete && event->result > 0 && event->result != 8;
    default:
        return false;
    }
}

static void draw_take(struct draw *d, const struct trace_event *event)
{
    struct trace_bytes name = event->field_bytes[0];
    *d = (struct draw){.sequence = event->sequence, .time = event->time, .any = true, .source = "getrandom"};
    if (event->code == TRACE_DRAW && name.data)
        snprintf(d->source, sizeof d->source, "%.*s", name.length < 20 ? (int)name.length : 20, (const char *)name.data);
}

static void search_event(struct search *s, const struct trace_event *event)
{
    if (event->code == TRACE_DRAW || event->code == SYS_getrandom) {
        draw_take(&s->latest, event);
    } else if (is_heard(event)) {
        s->wait.fired = false;
    } else if (trace_timed_out(event)) {
        s->wait = (struct wait){event->sequence, event->time, true};
        s->behind = s->latest;
    }
}

static bool search_run(struct search *s, struct store *store, uint32_t process, uint64_t until, uint64_t *left,
                       struct drd_error *e)
{
    struct trace_event event;
    uint64_t first = until > EVENTS_BACK ? until - EVENTS_BACK : 0;
    struct stream *st = stream_open(store, process, e);
    int more = st ? stream_seek(st, first, e) : -1;
    *s = (struct search){.wait = {.fired = false}};
    while (more > 0 && *left && (more = stream_next(st, &event, e)) > 0 && event.sequence < until) {
        search_event(s, &event);
        --*left;
    }
    stream_close(st);
    return more >= 0;
}

/* Where in the order something belongs that is no fact: between its neighbours of the same process, by time. */
static struct scene_event place(const struct scene *s, size_t facts, uint32_t process, uint8_t lane, uint64_t sequence,
                                uint64_t time)
{
    struct scene_event out = {.sequence = sequence, .time = time, .process = process, .lane = lane, .state = SCENE_NONE,
                              .place = SCENE_NONE, .cone = true};
    size_t i = 0;
    for (size_t k = 0; k < facts; k++) {
        const struct scene_event *e = &s->event[k];
        if (e->process != process)
            continue;
        if (e->sequence >= sequence)
            break;
        i = k + 1;
        out.cone = e->cone;
        out.tick = e->tick;
    }
    while (i < facts && s->event[i].process != process && s->event[i].time <= time)
        i++;
    out.rank = i < facts ? 0 : 2;
    out.last = out.order = i < facts ? s->event[i].order : facts ? s->event[facts - 1].order : 0;
    return out;
}

static bool is_stored(const struct scene *s, uint32_t process, uint64_t sequence)
{
    for (size_t i = 0; i < s->events; i++) {
        if (s->event[i].process == process && s->event[i].sequence == sequence)
            return true;
    }
    return false;
}

static void input_add(struct scene *s, size_t facts, const struct scene_event *near, uint64_t sequence, uint64_t time,
                      uint8_t kind,
                      const char *words)
{
    if (is_stored(s, near->process, sequence))
        return;
    struct scene_event event = place(s, facts, near->process, near->lane, sequence, time);
    event.kind = kind;
    event.group = SCENE_TIMERS;
    event.text = scene_keep(s, words);
    scene_event_add(s, &event);
}

static const struct store_process *process_of(const struct scene *s, uint32_t number)
{
    for (size_t i = 0; i < s->processes; i++) {
        if (s->process[i].number == number)
            return &s->process[i];
    }
    return NULL;
}

static void timer_add(struct scene *s, size_t facts, const struct scene_event *candidacy, const struct search *found)
{
    char words[256], name[96], took[TEXT_MAX];
    const struct store_process *p = process_of(s, candidacy->process);
    const struct draw *d = &found->behind;
    if (!found->wait.fired || !p)
        return;
    if (d->any) {
        event_name(p, d->sequence, name, sizeof name);
        snprintf(words, sizeof words, "election timer fires, %s after its length was drawn at %s (%s)",
                 text_duration(found->wait.time > d->time ? found->wait.time - d->time : 0, took,
                               sizeof took), name, d->source);
    } else {
        snprintf(words, sizeof words, "election timer fires");
    }
    input_add(s, facts, candidacy, found->wait.sequence, found->wait.time, SCENE_TIMER, words);
    if (!d->any)
        return;
    snprintf(words, sizeof words, "draws from %s: the length of its election timer", d->source);
    input_add(s, facts, candidacy, d->sequence, d->time, SCENE_DRAW, words);
}

static bool timers_add(struct scene *s, size_t facts, struct store *store, struct drd_error *e)
{
    uint64_t left = EVENTS_READ;
    size_t found = 0;
    for (size_t i = facts; i-- > 0 && found < CANDIDACIES && left;) {
        const struct scene_event candidacy = s->event[i];
        struct search search;
        if (candidacy.kind != SCENE_CANDIDATE || candidacy.rank != 1)
            continue;
        found++;
        if (!search_run(&search, store, candidacy.process, candidacy.sequence, &left, e))
            return false;
        timer_add(s, facts, &candidacy, &search);
    }
    return true;
}

/* --- how processes ended --- */

static uint8_t end_words(const struct store_process *p, char *out, size_t size)
{
    if (!p->complete) {
        snprintf(out, size, "its recording ends here%s%s", p->incomplete_reason ? ": " : "",
                 p->incomplete_reason ? p->incomplete_reason : "");
        return SCENE_END;
    }
    if (p->status != -1 && WIFSIGNALED(p->status)) {
        snprintf(out, size, "is ended by SIG%s", sigabbrev_np(WTERMSIG(p->status)) ? sigabbrev_np(WTERMSIG(p->status))
                 : "?");
        return SCENE_CRASH;
    }
    if (p->status != -1)
        snprintf(out, size, "exits with status %d", WEXITSTATUS(p->status));
    else
        snprintf(out, size, "ends");
    return SCENE_END;
}

static void ends_add(struct scene *s, size_t facts)
{
    const struct raft_model *m = s->verdict->model;
    char words[256];
    for (size_t i = 0; i < m->processes; i++) {
        const struct store_process *p = process_of(s, m->process[i].number);
        uint8_t lane = scene_lane_of(s, m->process[i].node);
        if (!p || !p->events || lane >= SCENE_LANES || is_stored(s, p->number, p->events - 1))
            continue;
        struct scene_event event = place(s, facts, p->number, lane, p->events - 1, p->end ? p->end : UINT64_MAX);
        if (!p->end)
            event.time = facts ? s->event[facts - 1].time : 0;
        event.kind = end_words(p, words, sizeof words);
        event.group = SCENE_FAULTS;
        event.text = scene_keep(s, words);
        scene_event_add(s, &event);
    }
}

bool scene_inputs(struct scene *s, struct store *store, struct drd_error *e)
{
    size_t facts = s->events;
    if (!timers_add(s, facts, store, e))
        return false;
    ends_add(s, facts);
    return true;
}
