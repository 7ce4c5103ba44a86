/* A plan in force: faults at their moments, and decisions that fall otherwise. */
#include "simulate/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- at a moment ---- */

static void say(const struct machine *m, const struct plan_step *s, const char *why)
{
    struct plan one = {(struct plan_step *)(uintptr_t)s, 1};
    char *text = plan_text(&one), all[600];
    if (text)
        text[strcspn(text, "\n")] = 0;
    snprintf(all, sizeof all, "plan: %s: %s", text ? text : "a step", why);
    if (m->options.warn)
        m->options.warn(all);
    free(text);
}

static void fault_happens(struct machine *m, void *what)
{
    struct plan_step *s = what;
    char answer[800];
    s->seen = true;
    fault_execute(m, s->words, answer, sizeof answer);
    s->met = !strncmp(answer, "ok", 2);
    answer[strcspn(answer, "\n")] = 0;
    if (!s->met && !s->drawn)
        say(m, s, strncmp(answer, "error ", 6) ? answer : answer + 10);
}

static void fresh_happens(struct machine *m, void *what)
{
    struct plan_step *s = what;
    s->seen = s->met = true;
    chance_fresh(m, (uint64_t)s->value);
}

static void strike_happens(struct machine *m, void *what)
{
    struct plan_step *s = what;
    s->seen = s->met = true;
    model_strike(m, (uint64_t)s->value, s->words);
}

/* The process whose stream has that number, while it lives. */
static struct process *by_stream(struct machine *m, uint32_t number)
{
    for (struct process *p = m->processes; p; p = p->next)
        if (p->state == PROCESS_ALIVE && m->box->mail[p->home].stream == number)
            return p;
    return NULL;
}

static void rest_ends(struct machine *m, void *what)
{
    const struct plan_step *s = what;
    struct process *p = by_stream(m, s->process);
    if (p && p->rests)
        p->rests--;
    m->changes++;
}

static void rest_happens(struct machine *m, void *what)
{
    struct plan_step *s = what;
    struct process *p = by_stream(m, s->process);
    uint64_t until = m->beginning + (uint64_t)s->value, soon = m->box->now + MILLISECOND;
    s->seen = true;
    if (!p && soon < until && m->answered)
        machine_due(m, soon, rest_happens, s); /* it may come later than in the run that the plan was made from */
    if (!p)
        return;
    s->met = true;
    p->rests++;
    machine_due(m, m->beginning + (uint64_t)s->value, rest_ends, s);
}

static void calm_ends(struct machine *m, void *what)
{
    (void)what;
    m->calm--;
}

static void calm_happens(struct machine *m, void *what)
{
    struct plan_step *s = what;
    s->seen = s->met = true;
    m->calm++;
    machine_due(m, m->beginning + (uint64_t)s->value, calm_ends, s);
}

static void end_happens(struct machine *m, void *what)
{
    struct plan_step *s = what;
    s->seen = s->met = true;
    m->cut_short = true;
}

/* ---- at an event ---- */

static int by_event(const void *a, const void *b)
{
    const struct plan_step *x = *(struct plan_step *const *)a, *y = *(struct plan_step *const *)b;
    return x->process != y->process ? (x->process < y->process ? -1 : 1) : x->event < y->event ? -1 : x->event > y->event;
}

void step_due(struct machine *m, struct plan_step *s)
{
    machine_due(m, m->beginning + s->at,
                s->kind == PLAN_FAULT    ? fault_happens
                : s->kind == PLAN_FRESH  ? fresh_happens
                : s->kind == PLAN_STRIKE ? strike_happens
                : s->kind == PLAN_REST   ? rest_happens
                : s->kind == PLAN_CALM   ? calm_happens
                                         : end_happens,
                s);
}

/* Whoever looks at the clock finds there what to see. */
static void clock_begin(struct machine *m, const struct plan_step *s)
{
    if (m->box->clocks < MAILBOX_CLOCKS)
        m->box->clock[m->box->clocks++] = (struct mail_clock){.event = s->event, .stream = s->process, .value = s->value};
}

static void clock_end(const struct machine *m, struct plan_step *s)
{
    for (uint64_t i = 0; i < m->box->clocks && i < MAILBOX_CLOCKS; i++) {
        const struct mail_clock *c = &m->box->clock[i];
        if (c->stream == s->process && c->event == s->event)
            s->met = s->seen = c->met;
    }
}

void steps_begin(struct machine *m)
{
    struct plan *p = m->options.plan;
    m->step = calloc(p ? p->count + 1 : 1, sizeof *m->step);
    if (!m->step)
        abort();
    for (size_t i = 0; p && i < p->count; i++) {
        struct plan_step *s = &p->step[i];
        s->met = s->seen = s->waits = s->done = false;
        m->afters += s->kind == PLAN_AFTER;
        if (plan_at_moment(s))
            step_due(m, s);
        else if (s->kind == PLAN_CLOCK)
            clock_begin(m, s);
        else
            m->step[m->steps++] = s;
    }
    model_begin(m);
    qsort(m->step, m->steps, sizeof *m->step, by_event);
}

/* Chance may be fresh from an event on at which nothing is asked, as a look at the clock: it is by the next question. */
static bool is_due(const struct plan_step *s, const struct mail *mail)
{
    return s->kind == PLAN_FRESH && !s->met && s->process == mail->stream && s->event < mail->event;
}

void steps_take(struct machine *m, struct task *t)
{
    const struct mail *mail = task_mail(m, t);
    size_t low = 0, high = m->steps;
    t->step = NULL;
    t->steps = 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct plan_step *s = m->step[middle];
        if (s->process < mail->stream || (s->process == mail->stream && s->event < mail->event))
            low = middle + 1;
        else
            high = middle;
    }
    while (low && is_due(m->step[low - 1], mail))
        low--;
    for (size_t i = low; i < m->steps && m->step[i]->process == mail->stream && m->step[i]->event <= mail->event; i++) {
        m->step[i]->seen = true;
        t->step = &m->step[low];
        t->steps++;
    }
}

struct plan_step *step_of(const struct task *t, enum plan_kind kind)
{
    for (size_t i = 0; t && i < t->steps; i++)
        if (t->step[i]->kind == kind && !t->step[i]->met)
            return t->step[i];
    return NULL;
}

uint64_t step_timer(const struct task *t, uint64_t after)
{
    struct plan_step *s = after == NEVER ? NULL : step_of(t, PLAN_TIMER);
    if (!s)
        return after;
    s->met = true;
    return s->value < 0 && (uint64_t)-s->value > after ? 0 : after + (uint64_t)s->value;
}

void step_draw(const struct task *t, uint8_t *bytes, size_t size)
{
    struct plan_step *s = size ? step_of(t, PLAN_DRAW) : NULL;
    if (!s)
        return;
    s->met = true;
    memcpy(bytes, &s->value, size < sizeof s->value ? size : sizeof s->value);
}

bool step_drop(const struct task *t)
{
    struct plan_step *s = step_of(t, PLAN_DROP);
    if (s)
        s->met = true;
    return s != NULL;
}

uint64_t step_delay(const struct task *t)
{
    struct plan_step *s = step_of(t, PLAN_DELAY);
    if (!s)
        return 0;
    s->met = true;
    return (uint64_t)s->value;
}

/* ---- one after the other ---- */

static void after_goes_on(struct machine *m, struct plan_step *s, bool happened)
{
    if (s->done)
        return;
    s->done = true;
    s->met = s->waits && happened;
    m->changes++;
    sockets_go_on(m, s);
}

static void after_gives_up(struct machine *m, void *what)
{
    after_goes_on(m, what, false);
}

/* Does what the thread asks for there have to wait? The step that says so. */
struct plan_step *step_waits(struct machine *m, const struct task *t)
{
    for (size_t i = 0; t && i < t->steps; i++) {
        struct plan_step *s = t->step[i];
        if (s->kind != PLAN_AFTER || s->done)
            continue;
        if (!s->waits)
            machine_due(m, machine_now(m) + PLAN_PATIENCE, after_gives_up, s);
        s->waits = true;
        return s;
    }
    return NULL;
}

void steps_happened(struct machine *m, uint32_t process, uint64_t events)
{
    for (size_t i = 0; i < m->steps; i++)
        if (m->step[i]->kind == PLAN_AFTER && m->step[i]->other == process && (uint64_t)m->step[i]->value < events)
            m->step[i]->done = true;
}

void step_answered(struct machine *m, const struct task *t)
{
    const struct mail *mail = task_mail(m, t);
    for (size_t i = 0; m->afters && i < m->steps; i++) {
        struct plan_step *s = m->step[i];
        if (s->kind == PLAN_AFTER && !s->done && s->other == mail->stream && (uint64_t)s->value <= mail->event)
            after_goes_on(m, s, true);
    }
}

void steps_end(struct machine *m)
{
    const struct plan *p = m->options.plan;
    for (size_t i = 0; p && i < p->count; i++) {
        struct plan_step *s = &p->step[i];
        if (s->kind == PLAN_CLOCK)
            clock_end(m, s);
        if (s->met || (s->seen && s->kind == PLAN_FAULT))
            continue; /* a fault that was refused was told of at its time */
        if (s->kind == PLAN_AFTER)
            say(m, s, !s->seen ? "the process has no such event in this run"
                      : s->waits ? "what it was to wait for did not come" : "what it was to wait for had happened before, or nothing was sent");
        else if (plan_at_moment(s))
            say(m, s, s->seen ? "there is no such process then" : "the run was over before");
        else
            say(m, s, s->seen ? "that event cannot be changed so" : "the process has no such event in this run");
    }
    free(m->step);
    m->step = NULL;
    m->steps = 0;
}
