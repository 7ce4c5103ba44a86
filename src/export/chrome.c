/* Trace events (the JSON format of chrome://tracing), for Perfetto.
 *
 * A node is a process, with a track for its role and one for each of its threads. What a thread does is a slice that lasts
 * until the same thread's next recorded event: so slices of a track never overlap but where they are of one event. Messages
 * are flows from slice to slice; term and commit index are counters. Times are those of the run, in microseconds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "export/export.h"
#include "export/words.h"
#include "protocol/map.h"
#include "util/json.h"
#include "util/text.h"

#define ROLE_TRACK 0

/* One thread of one process. */
struct lane {
    size_t node;
    int tid;
    uint64_t last; /* ns: where its latest slice ends at the earliest */
    uint64_t at;   /* of the event at hand */
    char *text;    /* its slices, a line each without time and duration; NULL: none */
    size_t size;
    FILE *out;     /* writes them */
};

struct chrome {
    const struct export_run *run;
    struct cast cast;
    struct track track;
    struct map lanes;     /* by process and thread */
    int *tids;            /* by node: how many there are */
    bool *role;           /* by node: a slice of the role track is open */
    uint64_t *role_at;    /* by node: where the latest of that track begins or ends */
    struct lane *lane;    /* of the event at hand; NULL before its first */
    struct flow_at at;
    FILE *out;
    uint64_t events;
    bool failed;
};

/* --- lines --- */

/* The beginning of a trace event, after which come members with commas before them. */
static void line_begin(struct chrome *x)
{
    fputs(x->events++ ? ",\n" : "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", x->out);
}

static void put_text(FILE *out, const char *text)
{
    struct json_writer j;
    jw_init(&j, out);
    j.depth = 1; /* a value inside of something: no end of line */
    jw_string(&j, text);
}

static void put_time(FILE *out, const char *name, uint64_t ns)
{
    fprintf(out, ",\"%s\":%" PRIu64 ".%03" PRIu64, name, ns / 1000, ns % 1000);
}

static uint64_t since(const struct chrome *x, uint64_t time)
{
    return time > x->run->begin ? time - x->run->begin : 0;
}

static void metadata(struct chrome *x, size_t node, int tid, const char *what, const char *name)
{
    line_begin(x);
    fprintf(x->out, "{\"ph\":\"M\",\"pid\":%zu,\"tid\":%d,\"name\":\"%s\",\"args\":{\"name\":", node + 1, tid, what);
    put_text(x->out, name);
    fputs("}}", x->out);
}

static void counter(struct chrome *x, size_t node, const char *name, uint64_t value)
{
    line_begin(x);
    fprintf(x->out, "{\"ph\":\"C\",\"pid\":%zu,\"name\":\"%s\"", node + 1, name);
    put_time(x->out, "ts", since(x, x->at.time));
    fprintf(x->out, ",\"args\":{\"%s\":%" PRIu64 "}}", name, value);
}

static void flow(struct chrome *x, const struct feed_message *m, bool begins)
{
    if (!m->sent.process)
        return;
    fprintf(x->lane->out, "F{\"ph\":\"%s\",\"cat\":\"message\",\"name\":\"message\",\"id\":%" PRIu64 "%s\n", 
            begins ? "s" : "f",
            m->number, begins ? "" : ",\"bp\":\"e\"");
}

/* --- threads and their slices --- */

static struct lane *lane_create(struct chrome *x, const struct store_process *p, size_t node)
{
    char name[96];
    struct lane *l = calloc(1, sizeof *l);
    if (!l || !(l->out = open_memstream(&l->text, &l->size))) {
        free(l);
        x->failed = true;
        return NULL;
    }
    if (!x->tids[node]++) {
        metadata(x, node, ROLE_TRACK, "process_name", p->node);
        metadata(x, node, ROLE_TRACK, "thread_name", "role");
    }
    l->node = node;
    l->tid = x->tids[node];
    snprintf(name, sizeof name, "process %" PRIu32 ", incarnation %" PRIu32 ", thread %" PRIu32, p->number, p->incarnation,
             x->at.thread);
    metadata(x, node, l->tid, "thread_name", name);
    return l;
}

static struct lane *lane_of(struct chrome *x)
{
    const struct store_process *p = cast_process(&x->cast, x->at.process);
    const uint64_t parts[] = {x->at.process, x->at.thread};
    uint64_t key = map_key(parts, sizeof parts);
    struct lane *l = map_get(&x->lanes, key);
    if (l || !p)
        return l;
    l = lane_create(x, p, (size_t)cast_node(&x->cast, p->number));
    if (l && !map_put(&x->lanes, key, l))
        x->failed = true;
    return l;
}

/* The slices of the event before end where this one begins. */
static void lane_flush(struct chrome *x, struct lane *l, uint64_t now)
{
    uint64_t begin = l->at > l->last ? l->at : l->last, end = now > begin ? now : begin;
    long length = ftell(l->out);
    fflush(l->out);
    for (char *line = l->text, *next; length > 0 && line < l->text + length; line = next) {
        bool is_flow = *line == 'F';
        next = strchr(line, '\n');
        *next++ = '\0';
        line_begin(x);
        fprintf(x->out, "%s,\"pid\":%zu,\"tid\":%d", line + is_flow, l->node + 1, l->tid);
        put_time(x->out, "ts", begin);
        if (!is_flow)
            put_time(x->out, "dur", end - begin);
        putc('}', x->out);
        l->last = end;
    }
    rewind(l->out);
    l->at = now;
}

static void slice(struct chrome *x, const char *category, const char *name, const char *text, const char *peer)
{
    char event[CAST_EVENT];
    if (!x->lane && !(x->lane = lane_of(x)))
        return;
    FILE *out = x->lane->out;
    fprintf(out, "{\"ph\":\"X\",\"cat\":\"%s\",\"name\":", category);
    put_text(out, name);
    fputs(",\"args\":{\"event\":", out);
    put_text(out, cast_event(&x->cast, x->at.process, x->at.sequence, event));
    if (text) {
        fputs(",\"text\":", out);
        put_text(out, text);
    }
    if (peer) {
        fputs(",\"peer\":", out);
        put_text(out, peer);
    }
    fputs("}\n", out);
}

/* --- what is told --- */

static void on_event(void *context, const struct trace_event *event)
{
    struct chrome *x = context;
    int node = cast_node(&x->cast, event->process);
    const uint64_t parts[] = {event->process, event->thread};
    x->at = flow_at(event);
    x->lane = map_get(&x->lanes, map_key(parts, sizeof parts));
    if (node < 0 || event->code == TRACE_CLOCK)
        return;
    uint64_t now = since(x, event->time);
    if (x->lane)
        lane_flush(x, x->lane, now);
    if (event->call == SYS_fsync || event->call == SYS_fdatasync) {
        if (!x->lane && (x->lane = lane_of(x)))
            x->lane->at = now;
        if (event->code == TRACE_ENTER || event->code == event->call)
            slice(x, "disk", event->call == SYS_fsync ? "fsync" : "fdatasync", NULL, NULL);
    }
}

static void begin_slices(struct chrome *x)
{
    if (!x->lane && (x->lane = lane_of(x)))
        x->lane->at = since(x, x->at.time);
}

/* Processes of a node may differ in their stamps; its track does not go back. */
static void put_role_time(struct chrome *x, size_t node)
{
    uint64_t now = since(x, x->at.time);
    if (now > x->role_at[node])
        x->role_at[node] = now;
    put_time(x->out, "ts", x->role_at[node]);
}

static void role_end(struct chrome *x, size_t node)
{
    if (!x->role[node])
        return;
    x->role[node] = false;
    line_begin(x);
    fprintf(x->out, "{\"ph\":\"E\",\"pid\":%zu,\"tid\":%d", node + 1, ROLE_TRACK);
    put_role_time(x, node);
    putc('}', x->out);
}

static void role_begin(struct chrome *x, const struct track_change *c)
{
    static const char *const names[] = {"follower", "candidate", "leader"};
    role_end(x, c->at);
    x->role[c->at] = true;
    line_begin(x);
    fprintf(x->out, "{\"ph\":\"B\",\"pid\":%zu,\"tid\":%d,\"cat\":\"role\",\"name\":\"%s of term %" PRIu64 "\"", c->at + 1,
            ROLE_TRACK,
            names[c->node->role], c->node->term);
    put_role_time(x, c->at);
    putc('}', x->out);
}

static void on_change(void *context, const struct track_change *c)
{
    struct chrome *x = context;
    char text[FEED_TEXT];
    words_change(c, text, sizeof text);
    begin_slices(x);
    if (c->kind == TRACK_SPEAKS || c->kind == TRACK_FOLLOWER || c->kind == TRACK_CANDIDATE || c->kind == TRACK_LEADER) {
        role_begin(x, c);
        counter(x, c->at, "term", c->node->term);
    }
    if (c->kind == TRACK_COMMIT)
        counter(x, c->at, "commit", c->node->commit);
    if (c->kind != TRACK_SPEAKS)
        slice(x, "raft", text, NULL, NULL);
}

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct chrome *x = context;
    char text[FEED_TEXT];
    begin_slices(x);
    if (words_incident(fact, text, sizeof text))
        slice(x, "incident", text, NULL, NULL);
    track_fact(&x->track, fact);
}

static void message_slice(struct chrome *x, const struct feed_message *m, bool begins)
{
    char name[64], text[FEED_TEXT], peer[FEED_TEXT];
    begin_slices(x);
    snprintf(name, sizeof name, "%s %.31s", begins ? "send" : "receive", m->name);
    slice(x, "message", words_clean(name), words_feed(m, text, sizeof text), words_peer(&x->cast, m, !begins, peer));
    if (x->lane)
        flow(x, m, begins);
}

static void on_sent(void *context, struct feed_message *m)
{
    message_slice(context, m, true);
}

static void on_received(void *context, struct feed_message *m)
{
    message_slice(context, m, false);
}

static void on_after(void *context, const struct trace_event *event)
{
    struct chrome *x = context;
    const struct store_process *p = cast_process(&x->cast, event->process);
    char text[64];
    if (!p || event->sequence + 1 != p->events || !p->end)
        return;
    begin_slices(x);
    text_end(p->status, text, sizeof text);
    slice(x, "incident", text, NULL, NULL);
    if (x->track.node[cast_node(&x->cast, p->number)].speaks)
        role_end(x, (size_t)cast_node(&x->cast, p->number));
}

/* --- */

static bool chrome_init(struct chrome *x)
{
    if (!cast_init(&x->cast, x->run->process, x->run->processes) || !track_init(&x->track, &x->cast, on_change, x))
        return false;
    x->tids = calloc(x->cast.nodes + 1, sizeof *x->tids);
    x->role = calloc(x->cast.nodes + 1, sizeof *x->role);
    x->role_at = calloc(x->cast.nodes + 1, sizeof *x->role_at);
    return x->tids && x->role && x->role_at;
}

static void chrome_end(struct chrome *x)
{
    for (size_t i = 0; i < x->lanes.capacity; i++)
        if (x->lanes.slot[i].value)
            lane_flush(x, x->lanes.slot[i].value, 0);
    for (size_t node = 0; node < x->cast.nodes; node++)
        role_end(x, node);
    if (x->events)
        fputs("\n]}\n", x->out);
}

static void chrome_fini(struct chrome *x)
{
    for (size_t i = 0; i < x->lanes.capacity; i++) {
        struct lane *l = x->lanes.slot[i].value;
        if (!l)
            continue;
        fclose(l->out);
        free(l->text);
        free(l);
    }
    map_fini(&x->lanes);
    free(x->tids);
    free(x->role);
    free(x->role_at);
    track_fini(&x->track);
    cast_fini(&x->cast);
}

static bool chrome_write(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e)
{
    struct chrome x = {.run = run, .out = out};
    const struct feed_listener listener = {
        .context = &x, .out = out, .failed = &x.failed, .event = on_event, .fact = on_fact, .sent = on_sent,
        .received = on_received, .after = on_after,
    };
    bool good = chrome_init(&x) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && feed_run(run->store, &x.cast, &listener, e);
    if (good)
        chrome_end(&x);
    result->events = x.events;
    chrome_fini(&x);
    return good;
}

const struct export_format export_chrome = {
    .name = "chrome",
    .nothing = "nothing happened in this run that has a name",
    .write = chrome_write,
};
