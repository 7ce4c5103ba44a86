#include <stdio.h>

#include "cli/show.h"
#include "util/json.h"

static void json_process(struct json_writer *j, const struct run_view *v, const struct store_process *p)
{
    char status[SHOW_STATUS];
    jw_object(j);
    jw_put_string(j, "node", p->node);
    jw_put_uint(j, "incarnation", p->incarnation);
    jw_put_uint(j, "process", p->number);
    jw_put_uint(j, "parent", p->parent);
    jw_put_int(j, "pid", p->pid);
    jw_put_string(j, "program", p->exe);
    jw_put_uint(j, "start_ns", run_view_since(v, p->start));
    jw_key(j, "end_ns");
    if (p->end)
        jw_uint(j, run_view_since(v, p->end));
    else
        jw_null(j);
    jw_put_uint(j, "events", p->events);
    jw_put_uint(j, "bytes", p->bytes);
    jw_put_string(j, "end", show_status(v, p, status));
    jw_put_bool(j, "complete", p->complete);
    jw_put_string(j, "incomplete_reason", p->incomplete_reason);
    jw_end(j);
}

static void json_fact(struct json_writer *j, struct run_view *v, const char *key)
{
    char value[1024];
    jw_put_string(j, key, store_fact(v->store, key, value, sizeof value) ? value : NULL);
}

static void json_message_type(void *context, const char *type, uint64_t count)
{
    jw_put_uint(context, type, count);
}

static void json_tallies(struct json_writer *j, const char *key, const struct tally *t, size_t n)
{
    jw_key(j, key);
    jw_object(j);
    for (size_t i = 0; i < n; i++)
        jw_put_uint(j, t[i].name, t[i].count);
    jw_end(j);
}

bool show_json(struct cmd_context *c, struct run_view *v, const struct census *census)
{
    static const char *const facts[] = { "state", "command", "started", "host", "kernel", "drd_version", "exit_status" };
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.show/1");
    jw_put_string(&j, "file", v->path);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        json_fact(&j, v, facts[i]);
    jw_put_uint(&j, "duration_ns", v->end - v->begin);
    jw_put_uint(&j, "bytes", show_file_size(v->path));
    jw_put_uint(&j, "events", census->events);
    jw_key(&j, "processes");
    jw_array(&j);
    for (size_t i = 0; i < v->count; i++)
        json_process(&j, v, &v->process[i]);
    jw_end(&j);
    json_tallies(&j, "kinds", census->kind, census->kinds);
    jw_key(&j, "messages");
    jw_object(&j);
    bool ok = show_message_types(v, json_message_type, &j, &c->error);
    jw_end(&j);
    json_tallies(&j, "unhandled", census->unhandled, census->unhandleds);
    jw_end(&j);
    return ok;
}
