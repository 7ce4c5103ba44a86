/* Programs that a recording does not hold though recorded ones started them. `drd fault` is one: what it asked for stands in the
 * recorder's own stream, so one that is under way at the moment that following ends has its effect in the world, at its time. */
#include "simulate/follow_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of an execve, from the second on; the first is its path. */
static void words_read(struct stranger *s, const struct trace_event *exec)
{
    struct trace_bytes path = exec->field_bytes[0], list = exec->field_bytes[1];
    const uint8_t *p = list.data, *end = p + list.length;
    struct unpack u;
    size_t used = 0;
    snprintf(s->program, sizeof s->program, "%.*s", (int)(path.length < sizeof s->program ? path.length : sizeof s->program - 1),
             (const char *)path.data);
    uint32_t count = p && (p = unpack_next(p, end, &u)) && u.type == UNPACK_ARRAY ? u.count : 0;
    for (uint32_t i = 0; i < count && (p = unpack_next(p, end, &u)) && u.type == UNPACK_STR; i++) {
        bool is_fault = i == 1 && u.length == 5 && !memcmp(u.data, "fault", 5);
        s->fault |= is_fault;
        if (i && !is_fault && used < sizeof s->words)
            used += (size_t)snprintf(s->words + used, sizeof s->words - used, "%s%.*s", used ? " " : "", (int)u.length, (const char *)u.data);
    }
}

bool exec_is_fault(const struct trace_event *exec)
{
    struct stranger s = {0};
    words_read(&s, exec);
    return s.fault;
}

void stranger_note(struct follow *f, struct process *p, const struct trace_event *exec)
{
    struct stranger *s = &f->stranger[f->strangers++ % STRANGERS];
    *s = (struct stranger){.process = p};
    words_read(s, exec);
}

void stranger_known(struct follow *f, const struct process *p)
{
    for (size_t i = 0; i < STRANGERS; i++)
        if (f->stranger[i].process == p)
            f->stranger[i] = (struct stranger){0};
}

static struct stranger *asks(struct follow *f, const char *words)
{
    for (size_t i = 0; i < STRANGERS; i++)
        if (f->stranger[i].process && f->stranger[i].fault && !f->stranger[i].done && !strcmp(f->stranger[i].words, words))
            return &f->stranger[i];
    return NULL;
}

/* The recorder refuses nodes that it does not know. A run whose faults came from another terminal has nobody who asks. */
bool stranger_asks(struct follow *f, const char *words)
{
    return fault_can(f->m, words) && (!f->faults_inside || asks(f, words));
}

void stranger_fault(struct follow *f, const char *words)
{
    struct stranger *s = asks(f, words);
    if (s)
        s->done = true;
}

bool stranger_is_done(struct follow *f, const struct process *p)
{
    const struct lane *recorder = follow_lane(f, 0);
    for (size_t i = 0; i < STRANGERS; i++)
        if (f->stranger[i].process == p && f->stranger[i].fault)
            return f->stranger[i].done || !recorder || !recorder->has_next;
    return true;
}

const char *fault_words(const struct trace_event *event)
{
    static char words[1200];
    snprintf(words, sizeof words, "%.*s%s%.*s", (int)event->field_bytes[0].length, (const char *)event->field_bytes[0].data,
             event->field_bytes[2].length ? " " : "", (int)event->field_bytes[2].length, (const char *)event->field_bytes[2].data);
    return words;
}

/* ---- when following ends ---- */

struct last_word {
    struct process *process;
    char words[1200];
};

static void word_is_said(struct machine *m, void *what)
{
    struct last_word *w = what;
    char answer[800];
    if (*w->words)
        fault_execute(m, w->words, answer, sizeof answer);
    process_end(m, w->process, 0);
    free(w);
}

/* When the recorder did what it asks for; now, where it never did. */
static uint64_t fault_time(struct follow *f, const struct stranger *s)
{
    struct lane *l = follow_lane(f, 0);
    struct trace_event event;
    uint64_t time = f->m->box->now;
    if (!l || !l->has_next)
        return time;
    event = l->next;
    for (int more = 1; more == 1; more = stream_next(l->stream, &event, &f->error))
        if (event.code == TRACE_FAULT && !strcmp(fault_words(&event), s->words))
            return event.time > time ? event.time : time;
    return time;
}

static bool stranger_ends(struct follow *f, struct process *p)
{
    struct last_word *w = calloc(1, sizeof *w);
    struct stranger *s = NULL;
    for (size_t i = 0; i < STRANGERS; i++)
        if (f->stranger[i].process == p)
            s = &f->stranger[i];
    if (w && s && !s->fault) {
        free(w);
        return error_set(&f->error, DRD_EXIT_CANNOT, "cannot go on from this recording there: %.200s runs, which was not recorded", s->program);
    }
    if (!w)
        return error_set(&f->error, DRD_EXIT_CANNOT, "out of memory");
    w->process = p;
    for (struct task *t = f->m->tasks; t; t = t->next)
        if (t->process == p)
            t->state = TASK_PARENT; /* nobody will ask there */
    uint64_t time = f->m->box->now;
    if (s && !s->done) {
        snprintf(w->words, sizeof w->words, "%s", s->words);
        time = fault_time(f, s);
    }
    machine_due(f->m, time, word_is_said, w);
    return true;
}

bool strangers_end(struct follow *f)
{
    for (struct process *p = f->m->processes; p; p = p->next) {
        bool known = false;
        for (size_t i = 0; i < f->count; i++)
            known |= f->lane[i].process == p && f->lane[i].begun;
        if (!known && p->state == PROCESS_ALIVE && !stranger_ends(f, p))
            return false;
    }
    return true;
}
