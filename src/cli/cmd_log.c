/* drd log: the events of a run as lines, in causal order. */
#include "cli/cmd.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/event_text.h"
#include "cli/log_graph.h"
#include "cli/run_view.h"
#include "replay/symbols.h"
#include "util/term.h"

#define QUOTE 48

static struct {
    struct args_list nodes, kinds;
    const char *from, *to, *grep;
    bool all, graph, ascii;
} options;

static const struct args_option rows[] = {
    { ARGS_LIST, 'n', "node", "NAME", "only events of this node (may be repeated)", &options.nodes },
    { ARGS_LIST, 'k', "kind", "PATTERN", "only this kind: recvfrom, 'send*', signal (may be repeated)", &options.kinds },
    { ARGS_STRING, 0, "from", "WHEN", "begin at an event (n2@4711) or a time (12.5, in seconds)", &options.from },
    { ARGS_STRING, 0, "to", "WHEN", "end after an event or at a time", &options.to },
    { ARGS_STRING, 'g', "grep", "TEXT", "only lines that contain this", &options.grep },
    { ARGS_FLAG, 'a', "all", NULL, "clock reads, time stamps and thread switches as well", &options.all },
    { ARGS_FLAG, 0, "graph", NULL, "draw a lane for each node, and messages as arrows", &options.graph },
    { ARGS_FLAG, 0, "ascii", NULL, "with --graph: draw with ASCII characters", &options.ascii },
    { 0 },
};

/* One end of the range: an event, or a moment. */
struct bound {
    bool given, is_event;
    uint32_t process;
    uint64_t sequence;
    uint64_t time;
};

struct log {
    struct cmd_context *c;
    struct run_view view;
    struct symbols *symbols;
    struct bound from, to;
    bool started;
    int width;           /* of the column of event names */
    uint64_t shown;
    FILE *line;          /* the line being made, in memory */
    char *text;
    size_t size;
};

static bool bound_parse(struct log *l, const char *option, const char *text, struct bound *out)
{
    struct drd_error *e = &l->c->error;
    if (!text)
        return true;
    out->given = true;
    if (strchr(text, '@')) {
        out->is_event = true;
        return event_find(l->view.store, text, &out->process, &out->sequence, e);
    }
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || (*end && strcmp(end, "s")) || !(seconds >= 0) || seconds > 1e9)
        return error_set(e, DRD_EXIT_USAGE, "--%s wants an event such as n2@4711 or seconds such as 12.5, not '%s'", option,
                         text);
    out->time = l->view.begin + (uint64_t)(seconds * 1e9);
    return true;
}

static bool kind_exists(const char *pattern)
{
    for (int32_t code = TRACE_CODE_MIN; code < CALL_MAX; code++)
        if (!fnmatch(pattern, trace_code_name(code), 0))
            return true;
    return false;
}

static bool check_filters(struct log *l)
{
    for (size_t i = 0; i < options.nodes.count; i++)
        if (!run_view_has_node(&l->view, options.nodes.item[i], &l->c->error))
            return false;
    for (size_t i = 0; i < options.kinds.count; i++)
        if (!kind_exists(options.kinds.item[i]))
            return error_set(&l->c->error, DRD_EXIT_USAGE, "no kind of event is called '%s' (docs/drd-log.md lists them)",
                             options.kinds.item[i]);
    return bound_parse(l, "from", options.from, &l->from) && bound_parse(l, "to", options.to, &l->to);
}

static bool node_selected(const struct store_process *p)
{
    for (size_t i = 0; i < options.nodes.count; i++)
        if (!strcmp(options.nodes.item[i], p->node))
            return true;
    return !options.nodes.count;
}

/* Without --kind and --all: what says little about a node and is most of its events. */
static bool is_noise(int32_t code)
{
    return code == TRACE_CLOCK || code == TRACE_TIME || code == TRACE_SWITCH || code == TRACE_TSC;
}

static bool kind_selected(int32_t code)
{
    for (size_t i = 0; i < options.kinds.count; i++)
        if (!fnmatch(options.kinds.item[i], trace_code_name(code), 0))
            return true;
    return !options.kinds.count && (options.all || !is_noise(code));
}

static bool bound_is(const struct bound *b, const struct trace_event *e)
{
    return b->is_event && b->process == e->process && b->sequence == e->sequence;
}

static bool before_range(struct log *l, const struct trace_event *e)
{
    if (!l->started)
        l->started = !l->from.given || (l->from.is_event ? bound_is(&l->from, e) : e->time >= l->from.time);
    return !l->started;
}

/* Fill the memory stream with one terminated line. */
static void make_line(struct log *l, const struct store_process *p, const struct trace_event *e)
{
    char name[128];
    bool color = l->c->color;
    uint64_t ns = run_view_since(&l->view, e->time);
    event_name(p, e->sequence, name, sizeof name);
    rewind(l->line);
    fprintf(l->line, "%s%-*s%s %s%8" PRIu64 ".%03" PRIu64 " s%s  ", term_code(color, TERM_NAME), l->width, name,
            term_code(color, TERM_PLAIN), term_code(color, TERM_FAINT), ns / 1000000000, ns / 1000000 % 1000,
            term_code(color, TERM_PLAIN));
    if (e->thread)
        fprintf(l->line, "[%" PRIu32 "] ", e->thread);
    event_line(e, QUOTE, l->line);
    putc('\0', l->line);
    fflush(l->line);
}

static void print_json(struct log *l, const struct store_process *p, const struct trace_event *e)
{
    struct json_writer j;
    char name[128];
    event_name(p, e->sequence, name, sizeof name);
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "event", name);
    jw_put_string(&j, "node", p->node);
    jw_put_uint(&j, "incarnation", p->incarnation);
    jw_put_uint(&j, "process", p->number);
    jw_put_uint(&j, "thread", e->thread);
    jw_put_uint(&j, "time_ns", run_view_since(&l->view, e->time));
    event_json(e, &j);
    jw_end(&j);
}

static void show_event(struct log *l, struct trace_event *e)
{
    const struct store_process *p = run_view_process(&l->view, e->process);
    if (!p || !node_selected(p) || !kind_selected(e->code))
        return;
    symbols_name_callback(l->symbols, e);
    if (options.grep || !l->c->json)
        make_line(l, p, e);
    if (options.grep && !strstr(l->text, options.grep))
        return;
    l->shown++;
    if (l->c->json)
        print_json(l, p, e);
    else
        puts(l->text);
}

/* Names are at most this wide: node, '@', and the digits of the largest number. */
static int name_width(const struct run_view *v)
{
    int width = 0;
    for (size_t i = 0; i < v->count; i++) {
        char name[128];
        event_name(&v->process[i], v->process[i].event_base + v->process[i].events, name, sizeof name);
        if ((int)strlen(name) > width)
            width = (int)strlen(name);
    }
    return width;
}

static bool walk(struct log *l)
{
    struct trace_event event;
    struct timeline *t = timeline_open(l->view.store, &l->c->error);
    int more = -1;
    while (t && (more = timeline_next(t, &event, &l->c->error)) > 0) {
        if (l->to.given && !l->to.is_event && event.time > l->to.time)
            break;
        if (!before_range(l, &event))
            show_event(l, &event);
        if (bound_is(&l->to, &event) || ferror(stdout))
            break;
    }
    timeline_close(t);
    return more >= 0;
}

/* Without --kind and --all a graph shows what has a meaning in Raft's terms. */
static enum graph_want graph_want(void *context, const struct trace_event *event, bool *stop)
{
    struct log *l = context;
    const struct store_process *p = run_view_process(&l->view, event->process);
    if (l->to.given && !l->to.is_event && event->time > l->to.time) {
        *stop = true;
        return GRAPH_SKIP;
    }
    bool in_range = !before_range(l, event);
    *stop = bound_is(&l->to, event);
    if (!in_range || !p || !node_selected(p) || (options.kinds.count && !kind_selected(event->code)))
        return GRAPH_SKIP;
    return options.all || options.kinds.count ? GRAPH_SHOW : GRAPH_MEANING;
}

static bool walk_graph(struct log *l)
{
    struct log_graph g = { .view = &l->view, .color = l->c->color, .ascii = options.ascii, .nodes = &options.nodes,
                           .grep = options.grep, .want = graph_want, .context = l };
    bool good = log_graph(&g, stdout, &l->c->error);
    l->shown = g.shown;
    return good;
}

static int report(struct log *l, bool ok)
{
    if (!ok)
        return cmd_failed(l->c);
    if (!l->shown) {
        error_set(&l->c->error, DRD_EXIT_NOTHING, "no event matches");
        return cmd_failed(l->c);
    }
    return DRD_EXIT_OK;
}

static int run_log(struct cmd_context *c)
{
    struct log l = { .c = c };
    if (options.graph && c->json) {
        error_set(&c->error, DRD_EXIT_USAGE, "--graph is for people: --json shows the same events without it");
        return cmd_failed(c);
    }
    if (!run_view_open(&l.view, c->argc ? c->argv[0] : NULL, &c->error))
        return cmd_failed(c);
    if (*l.view.event && !options.from)
        options.from = l.view.event;
    l.line = open_memstream(&l.text, &l.size);
    l.width = name_width(&l.view);
    l.symbols = symbols_create(l.view.store);
    bool ok = check_filters(&l) && (options.graph ? walk_graph(&l) : walk(&l));
    fclose(l.line);
    free(l.text);
    symbols_destroy(l.symbols);
    run_view_close(&l.view);
    return report(&l, ok);
}

const struct drd_command cmd_log = {
    .name = "log",
    .summary = "the events of a run as lines, in causal order",
    .positional = "[RUN[@EVENT]]",
    .max = 1,
    .flags = CMD_PAGER | CMD_JSON,
    .options = rows,
    .help = "One line for each event: its name, the time since the run began, what happened. Causes stand before their\n"
            "effects. Clock reads, time stamps and thread switches are left out unless --all or --kind asks for them.\n"
            "RUN is a file, the beginning of a run's id, @ (the latest, also without RUN) or @~1 (the one before); an\n"
            "event behind it says where to begin: @@n2@4711.\n",
    .run = run_log,
};
