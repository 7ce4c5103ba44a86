/* Who answers a question. */
#include "simulate/machine.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "trace/calls.h"

static long nobody(struct machine *m, const struct task *t)
{
    char text[160];
    const struct call_info *info = call_info(t->nr);
    if (t->nr >= 0 && t->nr < (int64_t)sizeof m->told && !m->told[t->nr] && m->options.warn) {
        m->told[t->nr] = 1;
        snprintf(text, sizeof text, "%s (system call %d) is not simulated: answered \"not implemented\"", info ? info->name : "?",
                 (int)t->nr);
        m->options.warn(text);
    }
    return -ENOSYS;
}

/* What the plan makes of the question before anybody answers it. */
static bool decided(struct machine *m, struct task *t, long *result)
{
    struct plan_step *s;
    if (!t->steps || t->begun)
        return false;
    if ((s = step_of(t, PLAN_FRESH))) {
        s->met = true;
        chance_fresh(m, (uint64_t)s->value);
    }
    if ((s = step_of(t, PLAN_CRASH))) {
        s->met = true;
        *result = -EIO; /* nobody hears it */
        fault_crash(m, t->process);
        return true;
    }
    if (t->nr < 0 || !(s = step_of(t, PLAN_FAIL)))
        return false;
    s->met = true;
    *result = -s->value;
    return true;
}

/* It stands there until something else has happened. A message waits on its way, and who sends it goes on. */
static bool stands(struct machine *m, struct task *t)
{
    return t->steps && !t->begun && t->nr >= 0 && !socket_sends(t) && step_waits(m, t);
}

static long anybody(struct machine *m, struct task *t)
{
    static long (*const who[])(struct machine *, struct task *, bool *) = {
        files_answer, ready_answer, socket_answer, futex_answer, clock_answer, tree_answer, process_answer, signals_answer, pipe_answer,
        disk_answer,  who_answer,
    };
    for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
        bool mine = true;
        long result = who[i](m, t, &mine);
        if (mine)
            return result;
    }
    return nobody(m, t);
}

/* What stands in the file is what the plan says. */
static long read_otherwise(struct machine *m, struct task *t, long result)
{
    struct plan_step *s = t->steps && (t->nr == SYS_read || t->nr == SYS_pread64) && result >= 0 ? step_of(t, PLAN_READ) : NULL;
    uint8_t bytes[100];
    if (!s)
        return result;
    size_t size = plan_bytes(s, bytes);
    size = size < (uint64_t)t->arg[2] ? size : (size_t)t->arg[2];
    s->met = !size || user_put(m, t, t->arg[1], bytes, size);
    return s->met ? (long)size : result;
}

long answer(struct machine *m, struct task *t)
{
    long result;
    m->asking = t;
    if (stands(m, t))
        result = ANSWER_WAIT;
    else if (!decided(m, t, &result))
        result = read_otherwise(m, t, anybody(m, t));
    m->asking = NULL;
    return result;
}
