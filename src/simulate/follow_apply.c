/* What the records of a recording say was done, done to the machine's model: processes, threads, signals. */
#include "simulate/follow_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* ---- who ---- */

static struct task *first_task(struct follow *f, const struct process *p)
{
    for (struct task *t = f->m->tasks; t; t = t->next)
        if (t->process == p)
            return t;
    return NULL;
}

/* The thread that the record is of; a forked process goes on with the number of the thread that forked. */
static struct task *task_of(struct follow *f, const struct lane *l, uint32_t thread)
{
    for (struct task *t = f->m->tasks; t; t = t->next)
        if (t->process == l->process && t->number == thread)
            return t;
    return l->process ? first_task(f, l->process) : NULL;
}

static struct task *task_make(struct follow *f, struct process *p, uint32_t number, uint32_t tid)
{
    struct task *t = machine_task(f->m, p, TASK_STARTING);
    t->number = number;
    t->tid = tid;
    return t;
}

static struct process *process_make(struct follow *f, const struct process *parent, uint32_t pid, uint32_t thread)
{
    struct process *p = process_create(f->m, parent);
    p->pid = pid;
    if (!parent)
        p->group = p->session = pid;
    if (f->m->next_pid <= pid)
        f->m->next_pid = pid + 1;
    p->home = task_make(f, p, thread, pid)->mail;
    if (parent)
        f->m->box->process[p->home].realtime = f->m->box->process[parent->home].realtime;
    return p;
}

static struct lane *lane_with(struct follow *f, const struct process *p)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->lane[i].process == p)
            return &f->lane[i];
    return NULL;
}

/* ---- the beginning of a stream ---- */

struct start {
    bool exec, same_pid;
    uint32_t pid, parent;
    uint64_t monotonic, realtime;
    char program[4096], directory[4096], node[256];
};

static void take_text(struct trace_bytes map, const char *key, char *out, size_t size)
{
    struct unpack u;
    *out = 0;
    if (trace_map_find(map, key, &u) && u.type == UNPACK_STR)
        snprintf(out, size, "%.*s", (int)u.length, (const char *)u.data);
}

static uint64_t take_number(struct trace_bytes map, const char *key)
{
    struct unpack u;
    return trace_map_find(map, key, &u) && (u.type == UNPACK_INT || u.type == UNPACK_BOOL) ? (uint64_t)u.value : 0;
}

static void start_read(struct start *s, const struct trace_event *event)
{
    struct trace_bytes map = event->field_bytes[0];
    char how[16];
    take_text(map, "how", how, sizeof how);
    s->exec = strcmp(how, "fork");
    s->same_pid = take_number(map, "same_pid");
    s->pid = (uint32_t)take_number(map, "pid");
    s->parent = (uint32_t)take_number(map, "parent");
    s->monotonic = take_number(map, "monotonic");
    s->realtime = take_number(map, "realtime");
    take_text(map, "program", s->program, sizeof s->program);
    take_text(map, "cwd", s->directory, sizeof s->directory);
    take_text(map, "node", s->node, sizeof s->node);
}

/* The process that the program of this lane begins in; NULL: it is not there yet. */
static struct process *start_place(struct follow *f, struct lane *l, const struct start *s)
{
    struct lane *before = s->parent ? follow_lane(f, s->parent) : NULL;
    if (!s->exec)
        return l->process; /* that came out of the fork */
    if (s->same_pid)
        return before && before->execing ? before->process : NULL;
    struct process *p = machine_process(f->m, s->pid);
    return p && p->state == PROCESS_ALIVE && !lane_with(f, p) ? p : NULL;
}

static bool start_is_root(const struct follow *f, const struct start *s)
{
    return !s->parent && s->exec && !f->m->root;
}

static void root_begin(struct follow *f, struct lane *l, const struct start *s)
{
    struct machine *m = f->m;
    m->box->epoch = s->realtime - s->monotonic;
    m->box->now = s->monotonic;
    m->beginning = l->row->start;
    struct process *p = m->root = l->process = process_make(f, NULL, s->pid, 0);
    for (int fd = 0; fd < 3; fd++)
        file_install(m, p, console_create(fd, fd ? O_WRONLY : O_RDONLY), false, fd);
    if (tree_find(m, p, AT_FDCWD, s->directory, true, &p->directory))
        p->directory = m->tree;
    steps_begin(m);
}

/* The program before is no more, and so are its other threads. */
static void exec_end(struct follow *f, struct lane *before)
{
    struct process *p = before->process;
    struct task *keep = first_task(f, p);
    for (struct task *t = f->m->tasks, *next; t; t = next) {
        next = t->next;
        if (t->process != p || t == keep)
            continue;
        task_mail(f->m, t)->state = MAIL_FREE;
        task_destroy(f->m, t);
    }
    keep->number = 0;
    keep->tid = p->pid;
    bytes_append(&before->done, before->kept.data, before->kept.size);
    before->events += before->kept_events;
    before->kept.size = 0;
    before->kept_events = 0;
    before->execing = false;
    before->execed = true;
    before->process = NULL;
}

static bool apply_start(struct follow *f, struct lane *l, const struct trace_event *event)
{
    struct machine *m = f->m;
    static struct start s;
    start_read(&s, event);
    if (start_is_root(f, &s)) {
        root_begin(f, l, &s);
    } else {
        struct process *p = start_place(f, l, &s);
        if (!p)
            return follow_fail(f, l, event, "it was started by a program that was not recorded, or outside of the recorded command");
        if (s.same_pid)
            exec_end(f, follow_lane(f, s.parent));
        l->process = p;
        stranger_known(f, p);
    }
    struct process *p = l->process;
    l->node = p->node;
    if (!s.exec)
        return true;
    descriptors_exec(m, p);
    l->node = p->node = fault_node(m, s.node);
    process_program(p, s.program);
    p->home = first_task(f, p)->mail;
    chance_named(m, &p->numbers, CHANCE_NUMBERS, process_who(m, p), p->name);
    chance_named(m, &p->disk, CHANCE_DISK, process_who(m, p), p->name);
    return true;
}

/* ---- forks ---- */

static bool apply_fork(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    if (event->field[1] <= 0)
        return true;
    struct lane *child = event->field[0] > 0 ? follow_lane(f, (uint32_t)event->field[0]) : NULL;
    struct process *p = process_make(f, l->process, (uint32_t)event->field[1], t->number);
    if (child)
        child->process = p;
    return true;
}

/* What the child of a vfork did stands in its parent's stream. */
static bool vfork_replay(struct follow *f, struct lane *l, struct process *child)
{
    struct trace_state state = {0};
    struct trace_event event;
    const uint8_t *p = l->kept.data, *end = p + l->kept.size;
    const struct trace_event *now = f->now;
    bool ok = true;
    while (ok && p < end && child->state == PROCESS_ALIVE && (p = trace_decode(p, end, &state, &event))) {
        event.sequence = now->sequence;
        f->now = &event;
        if (event.code == TRACE_EXEC)
            stranger_note(f, child, &event);
        if (event.code == SYS_exit_group || event.code == SYS_exit)
            process_end(f->m, child, (int)(event.argument[0] & 0xff) << 8);
        else if (event.code >= 0)
            ok = call_apply(f, l, first_task(f, child), &event);
    }
    f->now = now;
    return ok;
}

static bool apply_vfork(struct follow *f, struct lane *l, const struct trace_event *event)
{
    bool ok = true;
    if (event->field[0] > 0)
        ok = vfork_replay(f, l, process_make(f, l->process, (uint32_t)event->field[0], 0));
    l->in_vfork = false;
    bytes_append(&l->done, l->kept.data, l->kept.size);
    l->events += l->kept_events;
    l->kept.size = 0;
    l->kept_events = 0;
    return ok;
}

/* ---- the end ---- */

static bool is_fatal(int signo)
{
    return signo != SIGCHLD && signo != SIGURG && signo != SIGWINCH && signo != SIGCONT;
}

/* A stream that ends without a word: what was on its way to the process has ended it. */
void follow_lane_over(struct follow *f, struct lane *l)
{
    struct process *p = l->process;
    for (int signo = 1; p && !l->execing && p->state == PROCESS_ALIVE && signo < 65; signo++)
        if (p->pending & SIGNAL_BIT(signo) && is_fatal(signo))
            process_end(f->m, p, signo);
}

static void ends_look(struct follow *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->lane[i].over)
            follow_lane_over(f, &f->lane[i]);
}

static void apply_end(struct follow *f, struct lane *l, const struct trace_event *event)
{
    l->ended = true;
    process_end(f->m, l->process, (int)(event->field[0] & 0xff) << 8);
    l->process = NULL;
}

static void apply_thread_exit(struct follow *f, struct task *t)
{
    task_mail(f->m, t)->state = MAIL_FREE;
    task_destroy(f->m, t);
}

static void apply_signal(struct follow *f, struct task *t, const struct trace_event *event)
{
    siginfo_t info;
    if (event->field[0] >= 1 && event->field[0] <= 64)
        signal_take(f->m, t, SIGNAL_BIT(event->field[0]), &info);
}

/* The recorder's own stream: what `drd fault` was asked for. */
static void apply_fault(struct follow *f, const struct trace_event *event)
{
    char answer[800];
    fault_execute(f->m, fault_words(event), answer, sizeof answer);
    stranger_fault(f, fault_words(event));
}

/* ---- one record ---- */

static bool is_kept(const struct lane *l, const struct trace_event *event)
{
    return l->in_vfork || event->code == TRACE_VFORK_BEGIN || event->code == TRACE_EXEC || event->code == TRACE_IMAGE;
}

static bool record_keep(struct follow *f, struct lane *l, const struct trace_event *event)
{
    if (l->in_vfork && event->code == TRACE_VFORK_END)
        return apply_vfork(f, l, event);
    if (is_kept(l, event)) {
        l->in_vfork |= event->code == TRACE_VFORK_BEGIN;
        l->execing = event->code == TRACE_EXEC && !l->in_vfork;
        l->kept_events++;
        return bytes_append(&l->kept, event->raw.data, event->raw.length);
    }
    l->execing = false; /* EXEC_FAILED, or an image has been mapped */
    bytes_append(&l->done, l->kept.data, l->kept.size);
    l->events += l->kept_events;
    l->kept.size = 0;
    l->kept_events = 0;
    return true;
}

static bool apply_named(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event)
{
    switch (event->code) {
    case TRACE_ENTER: return call_entered(t, event);
    case TRACE_FORK: return apply_fork(f, l, t, event);
    case TRACE_END: apply_end(f, l, event); return true;
    case TRACE_THREAD_EXIT: apply_thread_exit(f, t); return true;
    case TRACE_SIGNAL: apply_signal(f, t, event); return true;
    case TRACE_CONNECTION: return connection_apply(f, l, t, event);
    case TRACE_INCOMPLETE: return follow_fail(f, l, event, "recording ended there");
    case TRACE_UNHANDLED: return follow_fail(f, l, event, "a system call that the simulated world does not know");
    default: return true;
    }
}

static bool apply_thread(struct follow *f, struct lane *l, const struct trace_event *event)
{
    if (event->result > 0)
        task_make(f, l->process, ++l->threads, (uint32_t)event->result);
    return true;
}

bool follow_apply(struct follow *f, struct lane *l, const struct trace_event *event)
{
    if (!l->row->number) {
        if (event->code == TRACE_FAULT)
            apply_fault(f, event);
        ends_look(f);
        return true;
    }
    bool kept = is_kept(l, event) && event->code != TRACE_VFORK_END;
    if (!record_keep(f, l, event))
        return f->error.exit_code ? false : error_set(&f->error, DRD_EXIT_CANNOT, "out of memory");
    if (kept)
        return true;
    if (!event->complete && event->code >= 0)
        return bytes_append(&l->draft, event->raw.data, event->raw.length); /* it was ended in the middle of this call */
    if (event->code == TRACE_START && !apply_start(f, l, event))
        return false;
    struct task *t = task_of(f, l, event->thread);
    l->events++;
    if (!bytes_append(&l->done, event->raw.data, event->raw.length))
        return error_set(&f->error, DRD_EXIT_CANNOT, "out of memory");
    if (!t)
        return true; /* somebody has ended it, its last words come late */
    t->began = event->time;
    if (!connect_pending(f, l, t, event))
        return false;
    bool ok = event->code < 0 ? apply_named(f, l, t, event)
              : event->code == SYS_clone ? apply_thread(f, l, event) : call_apply(f, l, t, event);
    if (event->code == SYS_kill || event->code == SYS_tgkill || event->code == SYS_tkill || event->code == SYS_rt_sigqueueinfo)
        ends_look(f);
    return ok;
}

/* ---- can it have happened now? ---- */

bool follow_ready(struct follow *f, struct lane *l)
{
    const struct trace_event *event = &l->next;
    static struct start s;
    if (!l->row->number)
        return event->code != TRACE_FAULT || stranger_asks(f, fault_words(event));
    if (l->in_vfork && event->code != TRACE_VFORK_END)
        return true;
    if (event->code == TRACE_START) {
        start_read(&s, event);
        return start_is_root(f, &s) || start_place(f, l, &s);
    }
    struct task *t = task_of(f, l, event->thread);
    if (!t)
        return true;
    if (event->code == TRACE_SIGNAL)
        return event->field[0] == SIGPIPE || event->field[0] < 1 || event->field[0] > 64 || ((t->pending | t->process->pending) & SIGNAL_BIT(event->field[0]));
    if (event->code == TRACE_CONNECTION)
        return connection_ready(f, l, event);
    return event->code < 0 || call_ready(f, l, t, event);
}

/* A program begins when those have written down that they started it who did; a child is waited for that has more to tell. */
bool follow_waits_surely(struct follow *f, const struct lane *l)
{
    const struct lane *other = NULL;
    if (l->next.code == TRACE_START) {
        other = follow_lane(f, l->row->parent);
        return other && other->row->number && !other->over;
    }
    if (l->next.code == TRACE_CONNECTION)
        return connection_comes(f, l);
    if (l->next.code != SYS_wait4 || l->next.result <= 0)
        return false;
    for (size_t i = 0; i < f->count; i++)
        if (follow_comes(&f->lane[i], (uint32_t)l->next.result) ||
            (f->lane[i].process && f->lane[i].process->pid == (uint32_t)l->next.result && f->lane[i].has_next))
            return true;
    return false;
}

bool follow_is_glue(struct follow *f, struct lane *l)
{
    switch (l->next.code) {
    case TRACE_CONNECTION: case TRACE_MAPPED: return true;
    case TRACE_START: return follow_ready(f, l); /* its process is there: its program is being loaded */
    case TRACE_SIGNAL: return l->next.field[1] != 1;
    case TRACE_SWITCH: return l->last == TRACE_THREAD_EXIT;
    default: return false;
    }
}
