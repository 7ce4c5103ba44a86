/* The scene as JSON: columns, as they pack well. docs/drd-report.md says that nobody but the page's own script is to read
   it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "util/json.h"

/* Texts that are used, numbered in the order of their first use. */
struct texts {
    const struct scene *scene;
    uint32_t *number;     /* by offset in scene.text; 0: not used yet */
    uint32_t *offset;     /* by number */
    uint32_t count;
};

static uint32_t text_number(struct texts *t, uint32_t offset)
{
    if (!offset || !t->number)
        return 0;
    if (!t->number[offset]) {
        t->offset[++t->count] = offset;
        t->number[offset] = t->count;
    }
    return t->number[offset];
}

static bool texts_init(struct texts *t, const struct scene *s)
{
    *t = (struct texts){.scene = s, .number = calloc(s->text_size + 1, sizeof *t->number),
                        .offset = calloc(s->text_size + 1, sizeof *t->offset)};
    return t->number && t->offset;
}

static void put_clean(struct json_writer *j, const char *text)
{
    char clean[1024];
    html_clean(text, clean, sizeof clean);
    jw_string(j, clean);
}

static void put_clean_key(struct json_writer *j, const char *key, const char *text)
{
    jw_key(j, key);
    put_clean(j, text);
}

static void texts_put(const struct texts *t, struct json_writer *j)
{
    jw_key(j, "texts");
    jw_array(j);
    jw_string(j, "");
    for (uint32_t i = 1; i <= t->count; i++)
        put_clean(j, scene_text(t->scene, t->offset[i]));
    jw_end(j);
}

static void begin_column(struct json_writer *j, const char *name)
{
    jw_key(j, name);
    jw_array(j);
}

/* A column of all events that are drawn. */
#define EVENT_COLUMN(name, value)                                        \
    do {                                                                 \
        begin_column(j, name);                                           \
        for (size_t i = 0; i < s->events; i++) {                         \
            const struct scene_event *e = &s->event[i];                  \
            if (e->place != SCENE_NONE)                                  \
                jw_int(j, (int64_t)(value));                             \
        }                                                                \
        jw_end(j);                                                       \
    } while (0)

static int64_t event_number(const struct scene *s, const struct scene_event *e)
{
    for (size_t i = 0; i < s->processes; i++) {
        if (s->process[i].number == e->process)
            return (int64_t)(e->sequence - s->process[i].event_base);
    }
    return (int64_t)e->sequence;
}

static void put_events(const struct scene *s, struct texts *t, struct json_writer *j)
{
    jw_key(j, "events");
    jw_object(j);
    EVENT_COLUMN("lane", e->lane == SCENE_OUTSIDE ? -1 : e->lane);
    EVENT_COLUMN("number", event_number(s, e));
    EVENT_COLUMN("time", e->time > s->begin ? (e->time - s->begin) / 1000 : 0);
    EVENT_COLUMN("kind", e->kind);
    EVENT_COLUMN("group", e->group);
    EVENT_COLUMN("text", text_number(t, e->text));
    EVENT_COLUMN("state", e->state == SCENE_NONE ? -1 : (int64_t)e->state);
    EVENT_COLUMN("cone", e->cone);
    EVENT_COLUMN("tick", e->tick);
    jw_end(j);
}

#define COLUMN(name, count, value)                 \
    do {                                           \
        begin_column(j, name);                     \
        for (size_t i = 0; i < (count); i++)       \
            jw_int(j, (int64_t)(value));           \
        jw_end(j);                                 \
    } while (0)

static void put_states(const struct scene *s, struct json_writer *j)
{
    jw_key(j, "states");
    jw_object(j);
    COLUMN("role", s->states, s->state[i].role);
    COLUMN("term", s->states, s->state[i].term);
    COLUMN("commit", s->states, s->state[i].commit);
    COLUMN("applied", s->states, s->state[i].applied);
    COLUMN("last", s->states, s->state[i].last);
    COLUMN("snapshot", s->states, s->state[i].snapshot);
    COLUMN("incarnation", s->states, s->state[i].incarnation);
    begin_column(j, "vote");
    for (size_t i = 0; i < s->states; i++)
        put_clean(j, s->state[i].vote);
    jw_end(j);
    jw_end(j);
}

static int64_t place_of(const struct scene *s, uint32_t event)
{
    return event == SCENE_NONE || s->event[event].place == SCENE_NONE ? -1 : (int64_t)s->event[event].place;
}

#define MESSAGE_COLUMN(name, value)                                                  \
    do {                                                                             \
        begin_column(j, name);                                                       \
        for (size_t i = 0; i < s->messages; i++) {                                   \
            const struct scene_message *m = &s->message[i];                          \
            if (place_of(s, m->from) >= 0 || place_of(s, m->to) >= 0)                \
                jw_int(j, (int64_t)(value));                                         \
        }                                                                            \
        jw_end(j);                                                                   \
    } while (0)

static void put_messages(const struct scene *s, struct texts *t, struct json_writer *j)
{
    jw_key(j, "messages");
    jw_object(j);
    MESSAGE_COLUMN("from", place_of(s, m->from));
    MESSAGE_COLUMN("to", place_of(s, m->to));
    MESSAGE_COLUMN("from_lane", m->from_lane == SCENE_OUTSIDE ? -1 : m->from_lane);
    MESSAGE_COLUMN("to_lane", m->to_lane == SCENE_OUTSIDE ? -1 : m->to_lane);
    MESSAGE_COLUMN("fate", m->fate);
    MESSAGE_COLUMN("group", m->group);
    MESSAGE_COLUMN("delayed", m->delayed);
    MESSAGE_COLUMN("took", m->latency / 1000);
    MESSAGE_COLUMN("label", text_number(t, m->label));
    MESSAGE_COLUMN("peer", text_number(t, m->peer));
    jw_end(j);
}

/* The last drawn event up to an order: what changed there shows from that event on; -1: before all. */
static int64_t place_before(const struct scene *s, uint64_t order)
{
    size_t low = 0, high = s->events;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->event[middle].order <= order)
            low = middle + 1;
        else
            high = middle;
    }
    while (low && (s->event[low - 1].place == SCENE_NONE || s->event[low - 1].rank == 2))
        low--;
    return low ? (int64_t)s->event[low - 1].place : -1;
}

static void put_entries(const struct scene_log *log, struct texts *t, struct json_writer *j)
{
    begin_column(j, "entries");
    for (size_t i = 0; i < log->entries; i++) {
        const struct scene_entry *e = &log->entry[i];
        char digest[24] = "", type[2] = {e->type ? e->type : '?', '\0'};
        if (e->digest)
            snprintf(digest, sizeof digest, "%08" PRIx32, (uint32_t)(e->digest >> 32));
        jw_array(j);
        jw_uint(j, e->index);
        jw_uint(j, e->term);
        jw_string(j, type);
        jw_uint(j, text_number(t, e->text));
        jw_string(j, digest);
        jw_end(j);
    }
    jw_end(j);
}

static void put_log(const struct scene *s, struct texts *t, struct json_writer *j)
{
    const struct scene_log *log = &s->log;
    jw_key(j, "log");
    jw_object(j);
    jw_put_uint(j, "first", log->first);
    jw_put_uint(j, "last", log->last);
    jw_put_uint(j, "highest", log->highest);
    jw_put_uint(j, "divergent", log->divergent);
    put_entries(log, t, j);
    COLUMN("event", log->changes, place_before(s, log->change[i].order));
    COLUMN("lane", log->changes, log->change[i].lane);
    COLUMN("row", log->changes, log->change[i].row);
    COLUMN("entry", log->changes, log->change[i].entry == SCENE_NONE ? -1 : (int64_t)log->change[i].entry);
    COLUMN("flags", log->changes, log->change[i].committed | log->change[i].applied << 1 | log->change[i].compacted << 2 |
                                      log->change[i].durable << 3);
    jw_end(j);
}

static void put_lanes(const struct scene *s, struct json_writer *j)
{
    begin_column(j, "lanes");
    for (size_t i = 0; i < s->lanes; i++) {
        jw_object(j);
        put_clean_key(j, "name", s->lane[i].name);
        put_clean_key(j, "id", s->lane[i].id);
        jw_put_bool(j, "client", s->lane[i].node < 0);
        jw_end(j);
    }
    jw_end(j);
}

static int64_t witness_place(const struct scene *s, const struct raft_witness *w)
{
    uint32_t found = scene_find(s, w->process, w->sequence);
    return found == SCENE_NONE ? -1 : (int64_t)s->event[found].place;
}

/* The last that is not the end of a process. */
static int64_t last_event(const struct scene *s)
{
    for (size_t i = s->events; i-- > 0;) {
        if (s->event[i].place != SCENE_NONE && s->event[i].kind != SCENE_END && s->event[i].kind != SCENE_CRASH)
            return (int64_t)s->event[i].place;
    }
    return (int64_t)s->drawn - 1;
}

/* Where the page lands: the event that completes the violation; without one, the break of a rule, or the end. */
static int64_t landing(const struct scene *s)
{
    const struct verdict *v = s->verdict;
    const struct raft_witness *last = NULL;
    for (size_t i = 0; v->finding && i < v->finding->sides; i++) {
        const struct raft_side *side = &v->finding->side[i];
        if (side->witnesses && (!last || side->witness[0].order > last->order))
            last = &side->witness[0];
    }
    if (!last && v->cause.rule_break)
        last = &v->cause.rule_break->at;
    return last ? witness_place(s, last) : last_event(s);
}

static void put_finding(const struct scene *s, const struct raft_finding *f, struct json_writer *j)
{
    jw_object(j);
    jw_put_uint(j, "index", f->index);
    jw_put_bool(j, "first", f == s->verdict->finding);
    begin_column(j, "events");
    for (size_t i = 0; i < f->sides; i++) {
        for (size_t w = 0; w < f->side[i].witnesses; w++)
            jw_int(j, witness_place(s, &f->side[i].witness[w]));
    }
    jw_end(j);
    jw_end(j);
}

static void put_story(const struct scene *s, struct json_writer *j)
{
    const struct verdict *v = s->verdict;
    begin_column(j, "steps");
    for (size_t i = 0; i < v->cause.steps; i++)
        jw_int(j, witness_place(s, &v->cause.step[i].at));
    jw_end(j);
    jw_put_int(j, "cause", v->cause.rule_break ? witness_place(s, &v->cause.rule_break->at) : -1);
    jw_put_int(j, "landing", landing(s));
    begin_column(j, "findings");
    for (size_t i = 0; i < v->model->findings && i < 64; i++) {
        if (&v->model->finding[i] == v->finding || v->model->finding[i].cluster == (v->finding ? v->finding->cluster : 0))
            put_finding(s, &v->model->finding[i], j);
    }
    jw_end(j);
}

static void put_names(struct json_writer *j)
{
    begin_column(j, "kinds");
    for (size_t i = 0; i < SCENE_KINDS; i++)
        jw_string(j, scene_kind_names[i]);
    jw_end(j);
    begin_column(j, "groups");
    for (size_t i = 0; i < SCENE_GROUPS; i++)
        jw_string(j, scene_group_names[i]);
    jw_end(j);
}

static void put_run(const struct report_run *r, struct json_writer *j)
{
    const struct scene *s = &r->scene;
    struct texts t;
    jw_object(j);
    if (texts_init(&t, s)) {
        put_clean_key(j, "name", r->name);
        put_lanes(s, j);
        put_events(s, &t, j);
        put_states(s, j);
        put_messages(s, &t, j);
        put_log(s, &t, j);
        put_story(s, j);
        jw_put_uint(j, "seen", s->seen);
        jw_put_uint(j, "drawn", s->drawn);
        texts_put(&t, j);
    }
    jw_end(j);
    free(t.number);
    free(t.offset);
}

void report_data(const struct report *r, FILE *out)
{
    struct json_writer j;
    jw_init(&j, out);
    jw_object(&j);
    jw_put_int(&j, "format", 1);
    put_names(&j);
    jw_key(&j, "runs");
    jw_array(&j);
    for (size_t i = 0; i < r->runs; i++)
        put_run(&r->run[i], &j);
    jw_end(&j);
    if (r->diff)
        report_diff_data(r, &j);
    jw_end(&j);
}
