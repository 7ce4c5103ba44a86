/* ShiViz (https://bestchai.bitbucket.io/shiviz/): two lines an event, with a vector clock (Fidge, Mattern 1988).
 *
 * The first line of the file is the expression that reads it, the second the delimiter of executions, of which there is one.
 * What ShiViz demands: every host counts its own events from 1 on without a gap, its clock knows no host without events, and
 * the clock of a receive is not below that of its send. Each line here is one tick of its node. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/export.h"
#include "export/words.h"
#include "util/json.h"
#include "util/text.h"

#define CAUSED_MAX 8
#define EXPRESSION "(?<host>\\S*) (?<clock>{.*}) (?<id>\\S*) (?<seconds>\\S*)\\n(?<event>.*)"

struct shiviz {
    const struct export_run *run;
    struct cast cast;
    struct track track;
    uint64_t *clock;   /* [node * nodes + other] */
    struct flow_at at; /* of the event at hand */
    char caused[CAUSED_MAX][FEED_TEXT]; /* what a message caused that is told before its receipt is */
    size_t causes;
    FILE *out;
    uint64_t events;
    bool failed;
};

static void put_clock(struct shiviz *s, const uint64_t *clock)
{
    const char *separator = "";
    putc('{', s->out);
    for (size_t i = 0; i < s->cast.nodes; i++) {
        if (!clock[i])
            continue;
        fputs(separator, s->out);
        putc('"', s->out);
        for (const char *p = s->cast.word[i]; *p; p++) /* printable ASCII */
            fprintf(s->out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
        fprintf(s->out, "\":%" PRIu64, clock[i]);
        separator = ", ";
    }
    putc('}', s->out);
}

/* One event of a node: a tick. Returns the node's clock, NULL if the process is nobody's. */
static const uint64_t *tick(struct shiviz *s, const struct flow_at *at, const char *text)
{
    int node = cast_node(&s->cast, at->process);
    char id[CAST_EVENT], word[CAST_EVENT];
    if (node < 0)
        return NULL;
    uint64_t *clock = &s->clock[(size_t)node * s->cast.nodes];
    uint64_t ns = at->time > s->run->begin ? at->time - s->run->begin : 0;
    clock[node]++;
    if (!s->events++)
        fputs(EXPRESSION "\n\n", s->out);
    fprintf(s->out, "%s ", s->cast.word[node]);
    put_clock(s, clock);
    cast_event(&s->cast, at->process, at->sequence, id);
    fprintf(s->out, " %s %" PRIu64 ".%06" PRIu64 "\n%s\n", words_token(id, word, sizeof word), ns / 1000000000,
            ns / 1000 % 1000000, text);
    return clock;
}

static void on_event(void *context, const struct trace_event *event)
{
    struct shiviz *s = context;
    s->at = flow_at(event);
}

static void on_change(void *context, const struct track_change *change)
{
    struct shiviz *s = context;
    char text[FEED_TEXT];
    if (change->kind == TRACK_SPEAKS)
        return;
    words_change(change, text, sizeof text);
    if (change->fact->kind == RAFT_FACT_RECEIVED && s->causes < CAUSED_MAX)
        memcpy(s->caused[s->causes++], text, sizeof text);
    else
        tick(s, &s->at, text);
}

static void tell_caused(struct shiviz *s)
{
    for (size_t i = 0; i < s->causes; i++)
        tick(s, &s->at, s->caused[i]);
    s->causes = 0;
}

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct shiviz *s = context;
    char text[FEED_TEXT];
    if (words_incident(fact, text, sizeof text))
        tick(s, &s->at, text);
    track_fact(&s->track, fact);
}

static void message_line(struct shiviz *s, const struct feed_message *m, bool of_sender, char *out, size_t size)
{
    char text[FEED_TEXT], peer[FEED_TEXT];
    snprintf(out, size, "%s %s: %s", of_sender ? "receives from" : "sends to", words_peer(&s->cast, m, of_sender, peer),
             words_feed(m, text, sizeof text));
}

static void on_sent(void *context, struct feed_message *m)
{
    struct shiviz *s = context;
    char text[2 * FEED_TEXT + 32];
    message_line(s, m, false, text, sizeof text);
    const uint64_t *clock = tick(s, &m->sent, text);
    uint64_t *copy = clock ? malloc(s->cast.nodes * sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, clock, s->cast.nodes * sizeof *copy);
    s->failed |= clock && !copy;
    m->user = copy;
}

static void on_received(void *context, struct feed_message *m)
{
    struct shiviz *s = context;
    char text[2 * FEED_TEXT + 32];
    const uint64_t *sent = m->user;
    int node = cast_node(&s->cast, m->received.process);
    for (size_t i = 0; sent && node >= 0 && i < s->cast.nodes; i++) {
        uint64_t *mine = &s->clock[(size_t)node * s->cast.nodes + i];
        *mine = sent[i] > *mine ? sent[i] : *mine;
    }
    message_line(s, m, true, text, sizeof text);
    tick(s, &m->received, text);
    tell_caused(s);
    free(m->user);
}

static void on_lost(void *context, struct feed_message *m)
{
    (void)context;
    free(m->user);
}

static void on_after(void *context, const struct trace_event *event)
{
    struct shiviz *s = context;
    const struct store_process *p = cast_process(&s->cast, event->process);
    struct flow_at at = flow_at(event);
    char text[64];
    tell_caused(s);
    if (!p || event->sequence + 1 != p->events || !p->end)
        return;
    text_end(p->status, text, sizeof text);
    tick(s, &at, text);
}

static bool shiviz_init(struct shiviz *s)
{
    if (!cast_init(&s->cast, s->run->process, s->run->processes) || !track_init(&s->track, &s->cast, on_change, s))
        return false;
    s->clock = calloc(s->cast.nodes * s->cast.nodes + 1, sizeof *s->clock);
    return s->clock != NULL;
}

static bool shiviz_write(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e)
{
    struct shiviz s = {.run = run, .out = out};
    const struct feed_listener listener = {
        .context = &s, .out = out, .failed = &s.failed, .event = on_event, .fact = on_fact, .sent = on_sent,
        .received = on_received, .lost = on_lost,
        .after = on_after,
    };
    bool good = shiviz_init(&s) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && feed_run(run->store, &s.cast, &listener, e);
    result->events = s.events;
    free(s.clock);
    track_fini(&s.track);
    cast_fini(&s.cast);
    return good;
}

const struct export_format export_shiviz = {
    .name = "shiviz",
    .nothing = "nothing happened in this run that has a name",
    .write = shiviz_write,
};
