/* futex(2): threads that wait for a word of their process's memory. What the word holds is read where it is: nobody else runs. */
#include "simulate/machine.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

static long wake(struct machine *m, const struct process *p, uint64_t word, int64_t most, uint32_t bits)
{
    long woken = 0;
    for (struct task *t = m->tasks; t && woken < most; t = t->next)
        if (t->process == p && t->state == TASK_WAITING && t->word == word && !t->woken && t->word_bits & bits) {
            t->woken = true;
            woken++;
            m->changes++;
        }
    return woken;
}

void futex_wake_word(struct machine *m, struct process *p, uint64_t word)
{
    wake(m, p, word, INT32_MAX, ~0u);
}

/* Relative for FUTEX_WAIT, a moment for the others. */
static bool deadline_of(struct machine *m, struct task *t, int command, uint64_t *after)
{
    struct timespec ts;
    *after = NEVER;
    if (!t->arg[3])
        return true;
    if (!user_get(m, t, &ts, t->arg[3], sizeof ts))
        return false;
    uint64_t when = (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec, now = machine_now(m);
    if (command != FUTEX_WAIT) {
        now = t->arg[1] & FUTEX_CLOCK_REALTIME || command == FUTEX_LOCK_PI ? machine_day(m, t->process) : now;
        when = when > now ? when - now : 0;
        t->asked = machine_now(m);
    }
    *after = when;
    return true;
}

static long wait_word(struct machine *m, struct task *t, int command)
{
    uint32_t value;
    uint64_t after;
    if (t->woken)
        return 0;
    if (!t->word) {
        if (!user_get(m, t, &value, t->arg[0], 4) || !deadline_of(m, t, command, &after))
            return -EFAULT;
        if (value != (uint32_t)t->arg[2])
            return -EAGAIN;
        t->word = (uint64_t)t->arg[0];
        t->word_bits = command == FUTEX_WAIT_BITSET ? (uint32_t)t->arg[5] : ~0u;
        return task_times_out(m, t, after) ? -ETIMEDOUT : ANSWER_WAIT;
    }
    return task_times_out(m, t, NEVER) ? -ETIMEDOUT : ANSWER_WAIT;
}

static long requeue(struct machine *m, struct task *t, bool compare)
{
    uint32_t value;
    if (compare && (!user_get(m, t, &value, t->arg[0], 4) || value != (uint32_t)t->arg[5]))
        return -EAGAIN;
    long done = wake(m, t->process, (uint64_t)t->arg[0], t->arg[2], ~0u), moved = 0;
    for (struct task *o = m->tasks; o && moved < t->arg[3]; o = o->next)
        if (o->process == t->process && o->state == TASK_WAITING && o->word == (uint64_t)t->arg[0] && !o->woken) {
            o->word = (uint64_t)t->arg[4];
            moved++;
        }
    return done + (compare ? moved : 0);
}

long futex_answer(struct machine *m, struct task *t, bool *mine)
{
    if (t->nr != SYS_futex)
        return *mine = false, -ENOSYS;
    int command = (int)t->arg[1] & FUTEX_CMD_MASK;
    switch (command) {
    case FUTEX_WAIT: case FUTEX_WAIT_BITSET: return wait_word(m, t, command);
    case FUTEX_WAKE: return wake(m, t->process, (uint64_t)t->arg[0], t->arg[2], ~0u);
    case FUTEX_WAKE_BITSET: return wake(m, t->process, (uint64_t)t->arg[0], t->arg[2], (uint32_t)t->arg[5]);
    case FUTEX_REQUEUE: return requeue(m, t, false);
    case FUTEX_CMP_REQUEUE: return requeue(m, t, true);
    }
    return -ENOSYS; /* priority inheritance: libc falls back, or says so */
}
