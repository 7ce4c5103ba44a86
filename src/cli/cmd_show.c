/* drd show: a run on one screen, or one of its events in full. */
#include "cli/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/event_text.h"
#include "cli/show.h"
#include "replay/symbols.h"
#include "util/term.h"

static struct {
    bool all, frames;
} options;

static const struct args_option rows[] = {
    { ARGS_FLAG, 'a', "all", NULL, "list the helpers too: processes that nobody named", &options.all },
    { ARGS_FLAG, 'f', "frames", NULL, "of an event: where in its program the node was; re-drives it up to there", &options.frames },
    { 0 },
};

static bool show_run(struct cmd_context *c, struct run_view *v)
{
    struct census *census = calloc(1, sizeof *census);
    if (!census)
        return error_set(&c->error, DRD_EXIT_FATAL, "out of memory");
    bool ok = census_take(v, census, &c->error) &&
              (c->json ? show_json(c, v, census) : show_text(c, v, census, options.all));
    free(census);
    return ok;
}

static void print_event(struct cmd_context *c, const struct run_view *v, const struct store_process *p,
                        const struct trace_event *e, const struct show_frames *frames)
{
    char name[128];
    uint64_t ns = run_view_since(v, e->time);
    event_name(p, e->sequence, name, sizeof name);
    printf("%s%s%s  ", term_code(c->color, TERM_NAME), name, term_code(c->color, TERM_PLAIN));
    event_line(e, 0, stdout);
    printf("\n  %-16s %s, incarnation %" PRIu32 ": %s, process %" PRIu32 ", pid %d, thread %" PRIu32 "\n", "node", p->node,
           p->incarnation, p->exe ? p->exe : "?", p->number, p->pid, e->thread);
    printf("  %-16s %" PRIu64 ".%09" PRIu64 " s after the run began\n", "time", ns / 1000000000, ns % 1000000000);
    printf("  %-16s %s\n", "kind", trace_code_name(e->code));
    event_details(e, stdout);
    if (frames)
        show_frames_print(frames);
}

static void json_event(const struct run_view *v, const struct store_process *p, const struct trace_event *e,
                       const struct show_frames *frames)
{
    struct json_writer j;
    char name[128];
    event_name(p, e->sequence, name, sizeof name);
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.event/1");
    jw_put_string(&j, "event", name);
    jw_put_string(&j, "node", p->node);
    jw_put_uint(&j, "incarnation", p->incarnation);
    jw_put_uint(&j, "process", p->number);
    jw_put_uint(&j, "thread", e->thread);
    jw_put_uint(&j, "time_ns", run_view_since(v, e->time));
    event_json(e, &j);
    if (frames)
        show_frames_json(frames, &j);
    jw_end(&j);
}

static bool say_event(struct cmd_context *c, const struct run_view *v, const struct store_process *p, struct trace_event *e)
{
    struct show_frames *frames = options.frames ? show_frames_read(v, p, e->sequence, &c->error) : NULL;
    if (options.frames && !frames)
        return false;
    struct symbols *symbols = symbols_create(v->store);
    e->process = p->number;
    symbols_name_callback(symbols, e);
    if (c->json)
        json_event(v, p, e, frames);
    else
        print_event(c, v, p, e, frames);
    symbols_destroy(symbols);
    free(frames);
    return true;
}

static bool show_event(struct cmd_context *c, struct run_view *v)
{
    uint32_t number;
    uint64_t sequence;
    struct trace_event event;
    if (!event_find(v->store, v->event, &number, &sequence, &c->error))
        return false;
    const struct store_process *p = run_view_process(v, number);
    struct stream *st = p ? stream_open(v->store, number, &c->error) : NULL;
    int found = st ? stream_seek(st, sequence, &c->error) : -1;
    if (found > 0)
        found = stream_next(st, &event, &c->error);
    if (found == 0)
        error_set(&c->error, DRD_EXIT_FATAL, "no such event: %s", v->event);
    bool said = found > 0 && say_event(c, v, p, &event);
    stream_close(st);
    return said;
}

static int run_show(struct cmd_context *c)
{
    struct run_view v;
    if (!run_view_open(&v, c->argc ? c->argv[0] : NULL, &c->error))
        return cmd_failed(c);
    bool ok = true;
    if (options.frames && !*v.event)
        ok = error_set(&c->error, DRD_EXIT_USAGE, "--frames wants an event, as in RUN@n2@4711");
    ok = ok && (*v.event ? show_event(c, &v) : run_view_index(&v, &c->error) && show_run(c, &v));
    run_view_close(&v);
    return ok ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_show = {
    .name = "show",
    .summary = "what a run holds, or one of its events in full",
    .positional = "[RUN[@EVENT]]",
    .max = 1,
    .flags = CMD_PAGER | CMD_JSON,
    .options = rows,
    .help = "Of a run: its nodes and their incarnations, how long it took, events by kind, Raft messages by type, system calls\n"
            "that DRD does not know, and whether all of it was recorded. Of an event: all that was recorded of it.\n"
            "RUN is a file, the beginning of a run's id, @ (the latest, also without RUN) or @~1 (the one before); an\n"
            "event stands behind it: @@n2@4711, or n2@4711 in the latest run.\n",
    .run = run_show,
};
