/* What was recorded, of which builds, and what was not. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "report/html.h"
#include "trace/msgpack.h"
#include "util/text.h"

#define PROCESSES_SHOWN 64

static void put_line(const char *name, const char *value, FILE *out)
{
    if (!*value)
        return;
    fprintf(out, "<dt>%s</dt><dd>", name);
    html_put(out, value);
    fputs("</dd>\n", out);
}

static void put_fact(struct store *s, const char *key, const char *name, FILE *out)
{
    char value[1024];
    if (store_fact(s, key, value, sizeof value))
        put_line(name, value, out);
}

/* Members of the cluster for which there was no lane. */
static size_t nodes_left_out(const struct scene *s)
{
    const struct raft_model *m = s->verdict->model;
    size_t left = 0;
    for (size_t i = 0; i < m->nodes; i++) {
        bool wanted = verdict_member(s->verdict, i) && (!s->verdict->finding ||
                                                        m->node[i].cluster == s->verdict->finding->cluster);
        left += wanted && scene_lane_of(s, (int)i) == SCENE_OUTSIDE;
    }
    return left;
}

void report_shown(const struct report *r, size_t run, FILE *out)
{
    const struct report_run *one = &r->run[run];
    const struct scene *s = &one->scene;
    char drawn[TEXT_MAX], seen[TEXT_MAX], all[TEXT_MAX], cone[TEXT_MAX];
    html_printf(out, "Showing %s of %s events that show something of Raft, and how processes began and ended (%s events were recorded). ",
                text_count(s->drawn, drawn, sizeof drawn), text_count(s->seen > s->drawn ? s->seen : s->drawn, seen,
                                                                      sizeof seen),
                text_count(one->recorded, all, sizeof all));
    if (nodes_left_out(s))
        html_printf(out, "%zu nodes have no lane. ", nodes_left_out(s));
    if (s->verdict->finding)
        html_printf(out, "%s of those shown happened before the violation is complete; the others are faint.",
                    text_count(s->in_cone, cone, sizeof cone));
}

/* --- programs --- */

/* The build-id of the program: the first object that the loader had mapped. */
static void build_id(struct store *store, uint32_t process, char *out, size_t size)
{
    struct trace_event event;
    struct stream *st = stream_open(store, process, NULL);
    struct unpack objects, object, id;
    *out = '\0';
    if (st && stream_next(st, &event, NULL) > 0 && event.code == TRACE_START && event.fields &&
        trace_map_find(event.field_bytes[0], "objects", &objects)) {
        const uint8_t *p = unpack_next(objects.data, objects.data + objects.length, &object); /* the array's header */
        const uint8_t *end = objects.data + objects.length;
        for (int i = 0; p && i < 4; i++) { /* the first object's header, path, base, build-id */
            p = unpack_next(p, end, &object);
            id = object;
        }
        for (size_t i = 0; p && id.type == UNPACK_BIN && i < id.length && 2 * i + 3 < size; i++)
            snprintf(out + 2 * i, 3, "%02x", id.data[i]);
    }
    stream_close(st);
}

static void put_end(const struct store_process *p, FILE *out)
{
    if (!p->complete)
        html_printf(out, "not recorded to its end%s%s", p->incomplete_reason ? ": " : "",
                    p->incomplete_reason ? p->incomplete_reason : "");
    else if (p->status == -1)
        fputs("unknown", out);
    else if (WIFSIGNALED(p->status))
        fprintf(out, "signal %d", WTERMSIG(p->status));
    else
        fprintf(out, "exit %d", WEXITSTATUS(p->status));
}

static void put_process(const struct report_run *r, const struct store_process *p, FILE *out)
{
    char id[64], events[TEXT_MAX];
    build_id(r->store, p->number, id, sizeof id);
    fputs("<tr><th scope=\"row\">", out);
    html_put(out, p->node ? p->node : "?");
    fprintf(out, "</th><td>%" PRIu32 "</td><td>", p->incarnation);
    html_put(out, p->exe ? p->exe : "?");
    fputs("</td><td><code>", out);
    html_put(out, *id ? id : "none");
    fprintf(out, "</code></td><td class=\"right\">%s</td><td>", text_count(p->events, events, sizeof events));
    put_end(p, out);
    fputs("</td></tr>\n", out);
}

static bool is_drawn(const struct scene *s, const struct store_process *p)
{
    for (size_t i = 0; i < s->lanes; i++) {
        if (p->node && !strcmp(s->lane[i].name, p->node))
            return true;
    }
    return false;
}

static void put_processes(const struct report_run *r, FILE *out)
{
    size_t shown = 0, left = 0;
    fputs("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Processes\"><table class=\"processes\"><thead><tr><th scope=\"col\">node</th>"
          "<th scope=\"col\">life</th><th scope=\"col\">program</th><th scope=\"col\">build-id</th><th scope=\"col\">events</th>"
          "<th scope=\"col\">end</th></tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < r->scene.processes; i++) {
        const struct store_process *p = &r->scene.process[i];
        if (is_drawn(&r->scene, p) && shown++ < PROCESSES_SHOWN)
            put_process(r, p, out);
        else
            left++;
    }
    fputs("</tbody></table></div>\n", out);
    if (left)
        fprintf(out, "<p>%zu other process%s recorded.</p>\n", left, left == 1 ? " was" : "es were");
}

static void put_unrecorded(const struct report_run *r, FILE *out)
{
    char reason[512];
    bool any = store_fact(r->store, "incomplete", reason, sizeof reason) && *reason;
    fputs("<p><strong>Not recorded:</strong> ", out);
    if (any)
        html_printf(out, "%s. ", reason);
    for (size_t i = 0; i < r->scene.processes; i++) {
        const struct store_process *p = &r->scene.process[i];
        if (p->complete)
            continue;
        html_printf(out, "%s%s to its end%s%s", any ? "; " : "", p->node ? p->node : "a process",
                    p->incomplete_reason ? ": " : "",
                    p->incomplete_reason ? p->incomplete_reason : "");
        any = true;
    }
    fputs(any ? "</p>\n" : "nothing of the processes above is missing.</p>\n", out);
}

void report_environment(const struct report *r, size_t run, FILE *out)
{
    const struct report_run *one = &r->run[run];
    char text[TEXT_MAX];
    fputs("<dl>\n", out);
    put_line("run", one->name, out);
    put_fact(one->store, "command", "command", out);
    put_fact(one->store, "started", "recorded", out);
    put_line("duration", text_duration(one->duration, text, sizeof text), out);
    put_fact(one->store, "exit_status", "exit status", out);
    put_fact(one->store, "state", "state", out);
    put_fact(one->store, "host", "host", out);
    put_fact(one->store, "kernel", "kernel", out);
    put_fact(one->store, "drd_version", "recorded by drd", out);
    put_line("reported by drd", DRD_VERSION, out);
    put_fact(one->store, "notes", "notes", out);
    fputs("</dl>\n", out);
    put_processes(one, out);
    put_unrecorded(one, out);
}
