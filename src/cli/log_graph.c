#include "cli/log_graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/event_text.h"
#include "cli/lanes.h"
#include "export/words.h"
#include "util/term.h"
#include "util/text.h"

#define WORDS_LEAST 30 /* columns that lanes leave to words */
#define LABEL_MOST 4000
#define QUOTE 48

/* The event at hand. */
struct row {
    struct lanes_row draw;
    char received[LABEL_MOST], label[LABEL_MOST]; /* what came, and what came of it */
    bool meaning;
    enum graph_want want;
};

struct graph {
    struct log_graph *g;
    struct cast cast;
    struct track track;
    struct lanes lanes;
    int *lane;        /* by node; -1: none */
    unsigned *alive;  /* processes, by node */
    size_t others;    /* the lane that several nodes share, or lanes.count */
    size_t width;     /* of the screen; 0: lines are not cut */
    size_t names;     /* of the column of event names */
    struct trace_event event;
    struct row row;
    FILE *out;
    bool stop, failed;
};

/* --- lanes --- */

struct candidate {
    size_t node;
    uint64_t events;
    const char *name;
};

static int by_events(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    return a->events > b->events ? -1 : a->events < b->events ? 1 : a->node < b->node ? -1 : a->node > b->node;
}

static int by_name(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = strverscmp(a->name, b->name);
    return order ? order : a->node < b->node ? -1 : a->node > b->node;
}

static bool node_wanted(const struct log_graph *g, const char *name)
{
    for (size_t i = 0; i < g->nodes->count; i++)
        if (!strcmp(g->nodes->item[i], name))
            return true;
    return !g->nodes->count;
}

static size_t candidates(const struct graph *x, struct candidate *list)
{
    size_t count = 0;
    for (size_t node = 0; node < x->cast.nodes; node++) {
        if (!node_wanted(x->g, x->cast.name[node]))
            continue;
        list[count] = (struct candidate){.node = node, .name = x->cast.name[node]};
        for (size_t i = 0; i < x->cast.processes; i++)
            list[count].events += x->cast.node[i] == node ? x->cast.process[i].events : 0;
        count++;
    }
    return count;
}

/* Where there is no room for all, those with the most events have lanes of their own: servers, as a rule. The rest share
 * one. */
static bool lanes_choose(struct graph *x)
{
    size_t room = x->width ? (x->width > WORDS_LEAST ? (x->width - WORDS_LEAST) / LANES_CELL : 1) : 16;
    room = room > LANES_MAX ? LANES_MAX : room ? room : 1;
    struct candidate *list = calloc(x->cast.nodes + 1, sizeof *list);
    if (!list)
        return false;
    size_t count = candidates(x, list), own = count <= room ? count : room - 1;
    qsort(list, count, sizeof *list, by_events);
    qsort(list, own, sizeof *list, by_name);
    for (size_t i = 0; i < x->cast.nodes; i++)
        x->lane[i] = -1;
    for (size_t i = 0; i < count; i++)
        x->lane[list[i].node] = (int)(i < own ? i : own);
    x->lanes.count = own + (count > own);
    x->others = count > own ? own : x->lanes.count;
    free(list);
    return true;
}

static int lane_of(const struct graph *x, uint32_t process)
{
    int node = cast_node(&x->cast, process);
    return node < 0 ? -1 : x->lane[node];
}

/* Of an end of a message, 0: not recorded. */
static int lane_of_end(const struct graph *x, uint32_t process)
{
    return process ? lane_of(x, process) : -1;
}

/* How the lane of a node is drawn from here on. */
static void lane_refresh(struct graph *x, size_t node)
{
    static const enum lanes_line roles[] = {
        [TRACK_IS_FOLLOWER] = LANE_PLAIN, [TRACK_IS_CANDIDATE] = LANE_CANDIDATE, [TRACK_IS_LEADER] = LANE_LEADER,
    };
    int lane = x->lane[node];
    if (lane < 0)
        return;
    if ((size_t)lane == x->others)
        x->lanes.line[lane] = LANE_PLAIN;
    else
        x->lanes.line[lane] = x->alive[node] ? roles[x->track.node[node].role] : LANE_NONE;
}

/* The names, each on a line of its own, on the lanes of those before it. */
static void head(struct graph *x)
{
    for (size_t lane = 0; lane < x->lanes.count; lane++) {
        const char *name = "others";
        for (size_t node = 0; node < x->cast.nodes && lane != x->others; node++)
            if (x->lane[node] == (int)lane)
                name = x->cast.word[node];
        struct lanes some = {.count = lane, .color = x->lanes.color, .ascii = x->lanes.ascii};
        for (size_t i = 0; i < lane; i++)
            some.line[i] = LANE_PLAIN;
        lanes_put(&some, NULL, x->out);
        fputs(term_code(x->lanes.color, TERM_NAME), x->out);
        lanes_text(&x->lanes, name, x->width ? x->width - lane * LANES_CELL : 0, x->out);
        fprintf(x->out, "%s\n", term_code(x->lanes.color, TERM_PLAIN));
    }
}

/* --- rows --- */

static void words_add(char words[LABEL_MOST], const char *text)
{
    size_t used = strlen(words);
    snprintf(words + used, LABEL_MOST - used, "%s%s", used ? "; " : "", text);
}

static void label_add(struct graph *x, const char *text)
{
    words_add(x->row.label, text);
}

static void row_put(struct graph *x, const struct lanes_row *draw, uint32_t process, uint64_t sequence, uint64_t time,
                    const char *label)
{
    char event[CAST_EVENT], text[sizeof x->row.label + CAST_EVENT + 64];
    uint64_t ns = run_view_since(x->g->view, time);
    if (x->g->grep && !strstr(label, x->g->grep))
        return;
    if (!x->g->shown++)
        head(x);
    size_t lanes = x->lanes.count * LANES_CELL, room = x->width > lanes ? x->width - lanes : 1;
    cast_event(&x->cast, process, sequence, event);
    snprintf(text, sizeof text, "%-*s %5" PRIu64 ".%03" PRIu64 " s  %s", (int)x->names, event, ns / 1000000000,
             ns / 1000000 % 1000, label);
    lanes_put(&x->lanes, draw, x->out);
    lanes_text(&x->lanes, text, x->width ? room : 0, x->out);
    putc('\n', x->out);
}

static void on_event(void *context, const struct trace_event *event)
{
    struct graph *x = context;
    int node = cast_node(&x->cast, event->process);
    x->event = *event;
    x->row = (struct row){.want = GRAPH_SKIP};
    if (x->stop)
        return;
    x->row.want = x->g->want(x->g->context, event, &x->stop);
    x->row.draw.mark = event->code == TRACE_START ? MARK_START : MARK_EVENT;
    if (node < 0 || event->code != TRACE_START)
        return;
    x->alive[node]++;
    lane_refresh(x, (size_t)node);
}

static void on_change(void *context, const struct track_change *change)
{
    struct graph *x = context;
    char text[FEED_TEXT];
    lane_refresh(x, change->at);
    if (change->kind == TRACK_SPEAKS)
        return;
    words_change(change, text, sizeof text);
    label_add(x, text);
    x->row.meaning = true;
}

/* The lanes of those that a fault names, with blanks between. */
static void fault_lanes(struct graph *x, const struct raft_fact *fact)
{
    for (const char *p = fact->peer, *end; *p; p = end + (*end == ' ')) {
        end = p + strcspn(p, " ");
        for (size_t node = 0; node < x->cast.nodes; node++)
            if (x->lane[node] >= 0 && strlen(x->cast.name[node]) == (size_t)(end - p) &&
                !strncmp(x->cast.name[node], p, (size_t)(end - p)))
                x->row.draw.join = x->row.draw.also[x->lane[node]] = true;
    }
}

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct graph *x = context;
    char text[FEED_TEXT];
    if (words_incident(fact, text, sizeof text)) {
        label_add(x, text);
        /* A node that is cut off tries again and again. */
        x->row.meaning |= fact->kind != RAFT_FACT_FAULT || strcmp(fact->text, "refuse");
        if (fact->kind == RAFT_FACT_FAULT)
            fault_lanes(x, fact);
    }
    track_fact(&x->track, fact);
}

/* A message matters if it is Raft's, or of two nodes that are both shown, as far as is known. */
static bool message_matters(const struct graph *x, const struct feed_message *m)
{
    return m->text[0] || m->open || (lane_of_end(x, m->from) >= 0 && lane_of_end(x, m->to) >= 0);
}

static void message_arrow(struct graph *x, uint32_t peer, bool leaves)
{
    int other = lane_of_end(x, peer);
    if (other < 0 || x->row.draw.arrow)
        return;
    x->row.draw.arrow = true;
    x->row.draw.leaves = leaves;
    x->row.draw.other = (size_t)other;
}

static void on_sent(void *context, struct feed_message *m)
{
    struct graph *x = context;
    char text[FEED_TEXT], peer[FEED_TEXT], label[2 * FEED_TEXT + 16];
    snprintf(label, sizeof label, "-> %s: %s", words_peer(&x->cast, m, false, peer), words_feed(m, text, sizeof text));
    label_add(x, label);
    x->row.meaning |= message_matters(x, m);
    message_arrow(x, m->to, true);
}

static void on_received(void *context, struct feed_message *m)
{
    struct graph *x = context;
    char text[FEED_TEXT], peer[FEED_TEXT], event[CAST_EVENT], label[2 * FEED_TEXT + 16];
    const char *from = m->sent.process ? cast_event(&x->cast, m->sent.process, m->sent.sequence, event)
                                       : words_peer(&x->cast, m, true, peer);
    snprintf(label, sizeof label, "<- %s: %s", from, words_feed(m, text, sizeof text));
    words_add(x->row.received, label);
    x->row.meaning |= message_matters(x, m);
    message_arrow(x, m->from, false);
}

/* Told between two events: a row of its own. */
static void on_lost(void *context, struct feed_message *m)
{
    struct graph *x = context;
    char text[FEED_TEXT], peer[FEED_TEXT], label[2 * FEED_TEXT + 64];
    int lane = lane_of_end(x, m->from), other = lane_of_end(x, m->to);
    if (x->stop || x->row.want == GRAPH_SKIP || lane < 0 || !m->to || !message_matters(x, m))
        return;
    struct lanes_row draw = {.at = (size_t)lane, .mark = other < 0 ? MARK_EVENT : MARK_LOST, .arrow = other >= 0,
                             .leaves = true,
                             .other = other < 0 ? 0 : (size_t)other};
    snprintf(label, sizeof label, "was not received by %s: %s", words_peer(&x->cast, m, false, peer),
             words_feed(m, text, sizeof text));
    row_put(x, &draw, m->sent.process, m->sent.sequence, m->sent.time, label);
}

static void event_label(struct graph *x)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return;
    event_line(&x->event, QUOTE, memory);
    fclose(memory);
    label_add(x, text);
    free(text);
}

static void on_after(void *context, const struct trace_event *event)
{
    struct graph *x = context;
    const struct store_process *p = cast_process(&x->cast, event->process);
    int node = cast_node(&x->cast, event->process), lane = lane_of(x, event->process);
    bool last = p && event->sequence + 1 == p->events && p->end;
    char text[64];
    if (last) {
        text_end(p->status, text, sizeof text);
        label_add(x, text);
        x->row.meaning = true;
        x->row.draw.mark = MARK_END;
    }
    if (*x->row.label)
        words_add(x->row.received, x->row.label);
    else if (x->row.want == GRAPH_SHOW && !*x->row.received)
        event_label(x), words_add(x->row.received, x->row.label);
    if (lane >= 0 && x->row.want != GRAPH_SKIP && (x->row.meaning || x->row.want == GRAPH_SHOW)) {
        x->row.draw.at = (size_t)lane;
        row_put(x, &x->row.draw, event->process, event->sequence, event->time, x->row.received);
    }
    if (last && node >= 0 && x->alive[node]) {
        x->alive[node]--;
        lane_refresh(x, (size_t)node);
    }
}

/* --- */

static void names_measure(struct graph *x)
{
    for (size_t i = 0; i < x->cast.processes; i++) {
        char name[CAST_EVENT];
        const struct store_process *p = &x->cast.process[i];
        if (lane_of(x, p->number) < 0)
            continue;
        cast_event(&x->cast, p->number, p->events, name);
        x->names = strlen(name) > x->names ? strlen(name) : x->names;
    }
    if (x->width && x->names > 20)
        x->names = 20;
}

static bool graph_init(struct graph *x)
{
    const struct run_view *v = x->g->view;
    if (!cast_init(&x->cast, v->process, v->count) || !track_init(&x->track, &x->cast, on_change, x))
        return false;
    x->lane = calloc(x->cast.nodes + 1, sizeof *x->lane);
    x->alive = calloc(x->cast.nodes + 1, sizeof *x->alive);
    x->lanes = (struct lanes){.color = x->g->color, .ascii = x->g->ascii};
    x->width = term_screen() || getenv("COLUMNS") ? (size_t)term_width() : 0;
    if (!x->lane || !x->alive || !lanes_choose(x))
        return false;
    names_measure(x);
    return true;
}

bool log_graph(struct log_graph *g, FILE *out, struct drd_error *e)
{
    struct graph *x = calloc(1, sizeof *x);
    if (!x)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    x->g = g;
    x->out = out;
    const struct feed_listener listener = {
        .context = x, .out = out, .failed = &x->failed, .stop = &x->stop, .event = on_event, .fact = on_fact,
        .sent = on_sent,
        .received = on_received, .lost = on_lost, .after = on_after,
    };
    bool good = graph_init(x) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && feed_run(g->view->store, &x->cast, &listener, e);
    free(x->lane);
    free(x->alive);
    track_fini(&x->track);
    cast_fini(&x->cast);
    free(x);
    return good;
}
