#include "protocol/flow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "protocol/flow_internal.h"

static char *bytes_text(const uint8_t *data, size_t length)
{
    return data ? strndup((const char *)data, length) : NULL;
}

static void process_adopt(struct flow *f, struct process *p, struct table table, char *cwd, const struct flow_at *at)
{
    table_release(f, &p->table, at);
    p->table = table;
    free(p->cwd);
    p->cwd = cwd;
}

static struct inheritance *heir_take(struct process *parent, int64_t pid)
{
    for (struct inheritance **link = &parent->heirs; *link; link = &(*link)->next) {
        struct inheritance *h = *link;
        if (h->pid && pid && h->pid != pid)
            continue;
        *link = h->next;
        return h;
    }
    return NULL;
}

static int64_t map_int(struct trace_bytes map, const char *key)
{
    struct unpack u;
    return trace_map_find(map, key, &u) && (u.type == UNPACK_INT || u.type == UNPACK_BOOL) ? u.value : 0;
}

/* A program that replaced another one, in the same process or in a child of vfork: the descriptors that survive exec. */
static void start_exec(struct flow *f, struct process *p, struct process *parent, struct trace_bytes map,
                       const struct flow_at *at)
{
    if (map_int(map, "same_pid")) {
        process_adopt(f, p, table_copy(f, &parent->table, true), NULL, at);
        flow_process_free(f, parent, at);
        return;
    }
    struct inheritance *h = heir_take(parent, map_int(map, "pid"));
    process_adopt(f, p, h ? h->table : table_copy(f, &parent->table, true), NULL, at);
    if (h)
        free(h->cwd);
    free(h);
}

static void on_start(struct flow *f, struct process *p, const struct trace_event *event, const struct flow_at *at)
{
    struct trace_bytes map = event->field_bytes[0];
    struct unpack how, cwd;
    uint32_t number = (uint32_t)map_int(map, "parent");
    struct process *parent = number && number != p->number ? map_get(&f->processes, number) : NULL;
    bool forked = trace_map_find(map, "how", &how) && how.length == 4 && !memcmp(how.data, "fork", 4);
    if (parent && forked && !p->table.slot)
        process_adopt(f, p, table_copy(f, &parent->table, false), parent->cwd ? strdup(parent->cwd) : NULL, at);
    else if (parent && !forked)
        start_exec(f, p, parent, map, at);
    if (trace_map_find(map, "cwd", &cwd) && cwd.type == UNPACK_STR) {
        free(p->cwd);
        p->cwd = bytes_text(cwd.data, cwd.length);
    }
}

/* The child's table is the parent's at the moment of the fork, whatever the parent does before the child's first event. */
static void on_fork(struct flow *f, struct process *p, const struct trace_event *event, const struct flow_at *at)
{
    struct process *child = event->field[0] > 0 ? flow_process(f, (uint32_t)event->field[0]) : NULL;
    if (child && child != p && !child->table.slot)
        process_adopt(f, child, table_copy(f, &p->table, false), p->cwd ? strdup(p->cwd) : NULL, at);
}

static void on_vfork_begin(struct flow *f, struct process *p)
{
    if (p->in_vfork)
        return;
    p->in_vfork = true;
    p->parent_table = p->table;
    p->table = table_copy(f, &p->parent_table, false);
}

static void on_vfork_end(struct flow *f, struct process *p, int64_t pid, const struct flow_at *at)
{
    if (!p->in_vfork)
        return;
    table_release(f, &p->table, at);
    p->table = p->parent_table;
    p->parent_table = (struct table){NULL, 0};
    p->in_vfork = false;
    for (struct inheritance *h = p->heirs; h; h = h->next)
        if (!h->pid)
            h->pid = pid;
}

static void on_exec(struct flow *f, struct process *p)
{
    if (!p->in_vfork)
        return; /* the next program of this process takes the table itself */
    struct inheritance *h = calloc(1, sizeof *h);
    if (!h) {
        f->failed = true;
        return;
    }
    h->table = table_copy(f, &p->table, true);
    struct inheritance **link = &p->heirs;
    while (*link)
        link = &(*link)->next;
    *link = h;
}

static void on_exec_failed(struct flow *f, struct process *p, const struct flow_at *at)
{
    struct inheritance **link = &p->heirs, *h;
    while (*link && (*link)->next)
        link = &(*link)->next;
    if (!p->in_vfork || !(h = *link) || h->pid)
        return;
    *link = NULL;
    table_release(f, &h->table, at);
    free(h->cwd);
    free(h);
}

static struct begun **begun_find(struct process *p, uint32_t thread)
{
    struct begun **link = &p->begun;
    while (*link && (*link)->thread != thread)
        link = &(*link)->next;
    return link;
}

static void begun_free(struct begun *b)
{
    for (int i = 0; b && i < 6; i++)
        free((void *)b->input[i].data);
    free(b);
}

static struct begun *begun_take(struct process *p, uint32_t thread)
{
    struct begun **link = begun_find(p, thread), *b = *link;
    if (b)
        *link = b->next;
    return b;
}

static void begun_copy(struct flow *f, struct begun *b, const struct trace_event *event)
{
    memcpy(b->argument, event->argument, sizeof b->argument);
    for (int i = 0; i < 6; i++) {
        struct trace_bytes in = event->input[i];
        uint8_t *copy = in.data ? malloc(in.length + 1) : NULL;
        f->failed |= in.data && !copy;
        if (copy && in.length)
            memcpy(copy, in.data, in.length);
        b->input[i] = (struct trace_bytes){copy, copy ? in.length : 0};
    }
}

static void on_enter(struct flow *f, struct process *p, const struct trace_event *event, const struct flow_at *at)
{
    begun_free(begun_take(p, event->thread)); /* a call that never came back: the thread was cancelled in it */
    if (!flow_call_handler(event->call))
        return;
    struct begun *b = calloc(1, sizeof *b);
    if (!b) {
        f->failed = true;
        return;
    }
    b->thread = event->thread;
    b->call = event->call;
    b->sequence = event->sequence;
    b->writes = f->writes;
    begun_copy(f, b, event);
    b->next = p->begun;
    p->begun = b;
    flow_send_begun(f, p, b, at);
}

static void on_call(struct flow *f, struct process *p, const struct trace_event *event, const struct flow_at *at)
{
    struct begun *b = *begun_find(p, event->thread);
    if (b && b->call == event->code)
        begun_take(p, event->thread);
    else
        b = NULL;
    flow_call_fn handler = flow_call_handler(event->code);
    if (handler && event->complete) {
        struct call c = {f, p, event, b, event->result, *at, event->argument, event->output, {{NULL, 0}}};
        for (int i = 0; i < 6; i++)
            c.input[i] = event->input[i].data || !b ? event->input[i] : b->input[i];
        handler(&c);
    }
    begun_free(b);
}

static void on_named(struct flow *f, struct process *p, const struct trace_event *event, const struct flow_at *at)
{
    switch (event->code) {
    case TRACE_START: on_start(f, p, event, at); break;
    case TRACE_FORK: on_fork(f, p, event, at); break;
    case TRACE_VFORK_BEGIN: on_vfork_begin(f, p); break;
    case TRACE_VFORK_END: on_vfork_end(f, p, event->field[0], at); break;
    case TRACE_EXEC: on_exec(f, p); break;
    case TRACE_EXEC_FAILED: on_exec_failed(f, p, at); break;
    case TRACE_CONNECTION: flow_connection_event(f, p, event); break;
    case TRACE_ENTER: on_enter(f, p, event, at); break;
    case TRACE_END: /* the child of vfork ends in the parent's stream: its VFORK_END follows */
        if (!p->in_vfork)
            flow_process_free(f, p, at);
        break;
    default: break;
    }
}

bool flow_wants(int32_t code)
{
    switch (code) {
    case TRACE_START: case TRACE_FORK: case TRACE_VFORK_BEGIN: case TRACE_VFORK_END: case TRACE_EXEC:
    case TRACE_EXEC_FAILED: case TRACE_CONNECTION: case TRACE_ENTER: case TRACE_END:
        return true;
    default:
        return flow_call_handler(code) != NULL;
    }
}

bool flow_event(struct flow *f, const struct trace_event *event)
{
    if (!flow_wants(event->code))
        return !f->failed;
    struct process *p = flow_process(f, event->process);
    struct flow_at at = flow_at(event);
    if (!p)
        return false;
    if (event->code >= 0)
        on_call(f, p, event, &at);
    else
        on_named(f, p, event, &at);
    return !f->failed;
}

struct flow *flow_create(const struct flow_handler *handler)
{
    struct flow *f = calloc(1, sizeof *f);
    if (f)
        f->on = *handler;
    return f;
}

void flow_destroy(struct flow *f)
{
    struct flow_at nowhere = {0, 0, 0, 0};
    if (!f)
        return;
    while (f->processes.count)
        for (size_t i = 0; i < f->processes.capacity; i++)
            if (f->processes.slot[i].value)
                flow_process_free(f, f->processes.slot[i].value, &nowhere);
    map_fini(&f->processes);
    flow_connections_fini(f);
    map_fini(&f->files);
    free(f);
}
