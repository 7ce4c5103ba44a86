/* Messages: both ends, what was lost on the way, and what took long. */
#include <stdlib.h>
#include <string.h>

#include "report/scene.h"

/* Messages on their way. Beyond that the network holds more than it can: they were lost, and who loses so many is not told.
   */
#define FLYING_MAX 65536
#define DELAYED_LEAST 20000000u /* ns: what takes less is nobody's delay */
#define DELAYED_TIMES 20u       /* the median */

struct flying {
    uint64_t time;
    uint32_t message;     /* of the scene; SCENE_NONE: its sending is not looked at */
    uint8_t lane;
    uint8_t group;
    uint64_t clock[];     /* by lane */
};

static uint8_t lane_of_id(const struct scene *s, const char *id)
{
    for (size_t i = 0; i < s->lanes && *id; i++) {
        if (!strcmp(s->lane[i].id, id))
            return (uint8_t)i;
    }
    return SCENE_OUTSIDE;
}

static uint32_t message_add(struct scene_walk *w, const struct raft_fact *f, const struct scene_look *look)
{
    struct scene *s = w->scene;
    char text[64];
    struct scene_message *m = s->messages < SCENE_STORED
                                  ? scene_grow(s, (void **)&s->message, s->messages, &s->message_capacity, sizeof *m) : NULL;
    if (!m)
        return SCENE_NONE;
    *m = (struct scene_message){.from = SCENE_NONE, .to = SCENE_NONE, .from_lane = lane_of_id(s, f->message->from),
                                .to_lane = lane_of_id(s, f->message->to), .group = look->group, .fate = SCENE_UNSEEN};
    scene_label(w, f, text, sizeof text);
    m->label = scene_keep(s, text);
    return (uint32_t)s->messages++;
}

/* Few are on their way at a time, and millions pass: they are used again. */
static struct flying *flying_new(struct scene_walk *w)
{
    struct flying *f = w->spare;
    if (!f)
        return malloc(sizeof *f + (w->clocks ? SCENE_LANES * sizeof f->clock[0] : 0));
    w->spare = NULL;
    return f;
}

static void flying_free(struct scene_walk *w, struct flying *f)
{
    free(w->spare);
    w->spare = f;
}

static void message_sent(struct scene_walk *w, const struct raft_fact *f, uint8_t lane, const struct scene_look *look)
{
    struct scene *s = w->scene;
    uint32_t message = w->current != SCENE_NONE ? message_add(w, f, look) : SCENE_NONE;
    if (message != SCENE_NONE) {
        struct scene_message *m = &s->message[message];
        m->from = w->current;
        m->from_lane = lane;
        m->fate = m->to_lane == SCENE_OUTSIDE ? SCENE_UNSEEN : SCENE_LOST;
        m->peer = m->to_lane == SCENE_OUTSIDE ? scene_keep(s, f->message->to) : 0;
    }
    if (!f->message->id || w->flying.count >= FLYING_MAX)
        return;
    struct flying *old = map_get(&w->flying, f->message->id);
    struct flying *now = old ? old : flying_new(w);
    if (!now || (!old && !map_put(&w->flying, f->message->id, now))) {
        free(now);
        s->failed = true;
        return;
    }
    *now = (struct flying){.time = f->time, .message = message, .lane = lane, .group = look->group};
    if (w->clocks)
        memcpy(now->clock, &w->clock[lane * SCENE_LANES], SCENE_LANES * sizeof now->clock[0]);
}

static void latency_count(struct scene_walk *w, uint64_t ns)
{
    size_t bucket = 0;
    while (ns > 1 && bucket < 63) {
        ns >>= 1;
        bucket++;
    }
    w->latencies[bucket]++;
}

/* An arrow that was begun ends, even where nothing else is looked at. */
static void end_make(struct scene_walk *w, const struct raft_fact *f, uint8_t lane, const struct scene_look *look)
{
    struct scene *s = w->scene;
    const struct scene_event event = {
        .order = w->order, .last = w->order, .sequence = f->sequence, .time = f->time, .process = f->process, .lane = lane, .kind = look->kind,
        .group = look->group, .state = SCENE_NONE, .place = SCENE_NONE, .rank = 1, .tick = s->lane[lane].tick,
    };
    char words[400];
    if (s->events >= SCENE_STORED)
        return;
    w->current = scene_event_add(s, &event);
    scene_words(w, f, words, sizeof words);
    if (w->current != SCENE_NONE)
        s->event[w->current].text = scene_keep(s, words);
}

static void message_received(struct scene_walk *w, const struct raft_fact *f, uint8_t lane, const struct scene_look *look)
{
    struct scene *s = w->scene;
    struct flying *sent = f->message->id ? map_remove(&w->flying, f->message->id) : NULL;
    uint64_t *clock = &w->clock[lane * SCENE_LANES];
    uint32_t message = sent ? sent->message : SCENE_NONE;
    for (size_t i = 0; sent && w->clocks && i < SCENE_LANES; i++)
        clock[i] = sent->clock[i] > clock[i] ? sent->clock[i] : clock[i];
    if (message != SCENE_NONE && w->current == SCENE_NONE)
        end_make(w, f, lane, look);
    else if (message == SCENE_NONE && w->current != SCENE_NONE)
        message = message_add(w, f, look);
    if (message != SCENE_NONE && w->current != SCENE_NONE) {
        struct scene_message *m = &s->message[message];
        struct scene_event *event = &s->event[w->current];
        m->to = w->current;
        m->to_lane = lane;
        m->fate = SCENE_ARRIVED;
        m->peer = m->from_lane == SCENE_OUTSIDE ? scene_keep(s, f->message->from) : 0;
        m->latency = sent && f->time > sent->time ? f->time - sent->time : 0;
        if (sent && event->kind == SCENE_RECEIVE)
            event->group = m->group = sent->group;
    }
    if (sent)
        latency_count(w, f->time > sent->time ? f->time - sent->time : 0);
    if (sent)
        flying_free(w, sent);
}

void scene_message_passes(struct scene_walk *w, const struct raft_fact *f, uint8_t lane, const struct scene_look *look)
{
    if (f->kind == RAFT_FACT_SENT)
        message_sent(w, f, lane, look);
    else if (f->kind == RAFT_FACT_RECEIVED)
        message_received(w, f, lane, look);
    if (f->kind == RAFT_FACT_RECEIVED && f->message->type == RAFT_APPEND_ENTRIES)
        w->scene->lane[lane].empty_append = f->message->entries == 0;
}

/* The upper end of the bucket that the median is in. */
static uint64_t median_of(const struct scene_walk *w)
{
    uint64_t all = 0, sum = 0;
    for (size_t i = 0; i < 64; i++)
        all += w->latencies[i];
    for (size_t i = 0; i < 63 && all; i++) {
        sum += w->latencies[i];
        if (sum * 2 >= all)
            return (uint64_t)2 << i;
    }
    return 0;
}

/* The last moment at which anything is known of a lane. */
static uint64_t last_time(const struct scene *s)
{
    uint64_t last = 0;
    for (size_t i = 0; i < s->events; i++)
        last = s->event[i].time > last ? s->event[i].time : last;
    return last;
}

/* Without a second end: lost, unless there was no time left to read it. */
void scene_messages_finish(struct scene_walk *w)
{
    struct scene *s = w->scene;
    uint64_t last = last_time(s);
    s->median = median_of(w);
    for (size_t i = 0; i < s->messages; i++) {
        struct scene_message *m = &s->message[i];
        if (m->fate == SCENE_LOST && s->event[m->from].time + 2 * s->median >= last)
            m->fate = SCENE_ENDED;
        m->delayed = m->latency > DELAYED_LEAST && m->latency > DELAYED_TIMES * s->median;
    }
}

void scene_messages_fini(struct scene_walk *w)
{
    for (size_t i = 0; i < w->flying.capacity; i++)
        free(w->flying.slot[i].value);
    free(w->spare);
    map_fini(&w->flying);
}
