/* Signals: signal(7), kill(2), sigqueue(3), sigsuspend(2), sigtimedwait(2). One of a standard number waits once, real-time ones queue. */
#include "simulate/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define FIRST_QUEUED 32 /* numbers from here on queue */
#define QUEUED_MOST 4096 /* of a process: RLIMIT_SIGPENDING */

/* A signal that waits to be taken, in the order in which they were sent. */
struct sent {
    struct sent *next;
    const struct task *to; /* to this thread alone, NULL: to the process */
    siginfo_t info;
};

static bool ignored_by_default(int signo)
{
    return signo == SIGCHLD || signo == SIGURG || signo == SIGWINCH || signo == SIGCONT;
}

static bool stops(int signo)
{
    return signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

/* What waits, for the shim to see: it asks when it lets one of them through. */
static void publish(struct machine *m, struct process *p)
{
    uint64_t all = p->pending;
    for (const struct task *t = m->tasks; t; t = t->next)
        if (t->process == p)
            all |= t->pending;
    m->box->process[p->home].pending = all;
}

/* Which wait, told anew from the list. */
static void recount(struct machine *m, struct process *p)
{
    p->pending = 0;
    for (struct task *t = m->tasks; t; t = t->next)
        if (t->process == p)
            t->pending = 0;
    for (const struct sent *s = p->sent; s; s = s->next)
        *(s->to ? &((struct task *)(uintptr_t)s->to)->pending : &p->pending) |= SIGNAL_BIT(s->info.si_signo);
    publish(m, p);
}

static void forget(struct machine *m, struct process *p, uint64_t set)
{
    for (struct sent **at = &p->sent, *s; (s = *at);)
        if (set & SIGNAL_BIT(s->info.si_signo)) {
            *at = s->next;
            free(s);
        } else {
            at = &s->next;
        }
    recount(m, p);
}

static void child_told(struct machine *m, const struct process *p, int code, int status)
{
    struct process *parent = machine_process(m, p->parent);
    siginfo_t info = {.si_signo = SIGCHLD, .si_code = code};
    info.si_pid = (pid_t)p->pid;
    info.si_status = status;
    if (parent && parent->state == PROCESS_ALIVE)
        process_signal(m, parent, &info);
}

static void process_stop(struct machine *m, struct process *p, int signo)
{
    if (p->stopped)
        return;
    p->stopped = p->stop_untold = signo;
    child_told(m, p, CLD_STOPPED, signo);
}

static void process_continue(struct machine *m, struct process *p)
{
    forget(m, p, SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU));
    if (!p->stopped)
        return;
    p->stopped = p->stop_untold = 0;
    p->continue_untold = true;
    child_told(m, p, CLD_CONTINUED, SIGCONT);
}

/* `to`: this thread alone. -EAGAIN: too many wait. */
static long send(struct machine *m, struct process *p, struct task *to, const siginfo_t *info)
{
    int signo = info->si_signo;
    size_t count = 0;
    if (p->state != PROCESS_ALIVE || p == m->deaf || signo < 1 || signo > 64)
        return 0;
    m->changes++;
    if (signo == SIGKILL)
        return process_end(m, p, SIGKILL), 0;
    if (signo == SIGSTOP)
        return process_stop(m, p, signo), 0;
    if (signo == SIGCONT)
        process_continue(m, p);
    struct sent **at = &p->sent;
    for (; *at; at = &(*at)->next, count++)
        if (signo < FIRST_QUEUED && (*at)->info.si_signo == signo && (*at)->to == to)
            return 0;
    if (count >= QUEUED_MOST)
        return -EAGAIN;
    if (!(*at = calloc(1, sizeof **at)))
        abort();
    **at = (struct sent){.to = to, .info = *info};
    *(to ? &to->pending : &p->pending) |= SIGNAL_BIT(signo);
    publish(m, p);
    return 0;
}

void process_signal(struct machine *m, struct process *p, const siginfo_t *info)
{
    send(m, p, NULL, info);
}

void signal_thread(struct machine *m, struct process *p, uint32_t tid, const siginfo_t *info)
{
    struct task *t = m->tasks;
    while (t && tid && (t->process != p || t->tid != tid))
        t = t->next;
    if (!tid || t)
        send(m, p, tid ? t : NULL, info);
}

static int lowest(uint64_t set)
{
    return set ? __builtin_ctzll(set) + 1 : 0;
}

/* The first one of these that waits for this thread: 0 none. With `leave` it goes on waiting. */
static int take(struct machine *m, struct task *t, uint64_t set, bool leave, siginfo_t *info)
{
    struct process *p = t->process;
    int signo = lowest((t->pending | p->pending) & set);
    struct sent **at = &p->sent, *s;
    const struct task *to = signo && t->pending & SIGNAL_BIT(signo) ? t : NULL;
    while ((s = *at) && (s->info.si_signo != signo || s->to != to))
        at = &s->next;
    if (!signo || !s)
        return 0;
    *info = s->info;
    if (!leave) {
        *at = s->next;
        free(s);
        recount(m, p);
    }
    return signo;
}

int signal_take(struct machine *m, struct task *t, uint64_t set, siginfo_t *info)
{
    return take(m, t, set, false, info);
}

int process_take_signal(struct machine *m, struct task *t, siginfo_t *info)
{
    struct process *p = t->process;
    uint64_t mask = t->has_mask ? t->waits_with : t->blocked;
    for (int signo; (signo = take(m, t, ~mask, true, info));) {
        const struct mail_process *does = &m->box->process[p->home];
        bool caught = does->caught & SIGNAL_BIT(signo), ignored = does->ignored & SIGNAL_BIT(signo);
        if (caught && t->state == TASK_WAITING)
            return signo; /* looked at only */
        take(m, t, ~mask, false, info);
        if (caught)
            return signo;
        if (ignored || ignored_by_default(signo))
            continue;
        if (stops(signo)) {
            process_stop(m, p, signo);
            continue;
        }
        process_end(m, p, signo);
        return -1;
    }
    return 0;
}

/* What waited for the thread of the old program waits for that of the new one. */
void signals_exec(struct machine *m, struct process *p, const struct task *now)
{
    for (struct sent *s = p->sent; s; s = s->next)
        if (s->to)
            s->to = now;
    recount(m, p);
}

void signals_thread_gone(struct process *p, const struct task *t)
{
    for (struct sent **at = &p->sent, *s; (s = *at);)
        if (s->to == t) {
            *at = s->next;
            free(s);
        } else {
            at = &s->next;
        }
}

void signals_fini(struct process *p)
{
    for (struct sent *s = p->sent, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    p->sent = NULL;
    p->pending = 0;
}

/* ---- kill ---- */

static long kill_processes(struct machine *m, struct task *t, int64_t which, int signo)
{
    long found = -ESRCH;
    siginfo_t info = {.si_signo = signo, .si_code = SI_USER};
    info.si_pid = (pid_t)t->process->pid;
    if (signo < 0 || signo > 64)
        return -EINVAL;
    for (struct process *p = m->processes, *next; p; p = next) {
        next = p->next;
        if (p->state == PROCESS_GONE)
            continue;
        bool hit = which > 0 ? p->pid == (uint32_t)which : which == 0 ? p->group == t->process->group
                   : which == -1 ? p != t->process : p->group == (uint32_t)-which;
        if (!hit)
            continue;
        found = 0;
        if (signo)
            process_signal(m, p, &info);
    }
    return found;
}

static struct task *thread_find(struct machine *m, int64_t tid)
{
    for (struct task *o = m->tasks; o; o = o->next)
        if (o->tid == (uint32_t)tid && o->process->state == PROCESS_ALIVE)
            return o;
    return NULL;
}

static long kill_thread(struct machine *m, struct task *t, int64_t tid, int signo)
{
    struct task *o = thread_find(m, tid);
    siginfo_t info = {.si_signo = signo, .si_code = SI_TKILL};
    info.si_pid = (pid_t)t->process->pid;
    if (signo < 0 || signo > 64 || tid <= 0)
        return -EINVAL;
    return !o ? -ESRCH : signo ? send(m, o->process, o, &info) : 0;
}

static long kill_queue(struct machine *m, struct task *t, int64_t pid, int64_t tid, int signo, int64_t address)
{
    struct task *o = tid ? thread_find(m, tid) : NULL;
    struct process *p = tid ? (o ? o->process : NULL) : machine_process(m, (uint32_t)pid);
    siginfo_t info;
    if (signo < 0 || signo > 64)
        return -EINVAL;
    if (!p)
        return -ESRCH;
    if (!user_get(m, t, &info, address, sizeof info))
        return -EFAULT;
    info.si_signo = signo;
    return signo ? send(m, p, o, &info) : 0;
}

/* ---- waits ---- */

/* Ends with a signal only: pause(2), rt_sigsuspend(2). */
static long wait_signal(struct machine *m, struct task *t, int64_t mask)
{
    if (mask && !t->has_mask) {
        if (!user_get(m, t, &t->waits_with, mask, 8))
            return -EFAULT;
        t->has_mask = true;
    }
    return ANSWER_WAIT;
}

static long wait_signal_timed(struct machine *m, struct task *t)
{
    uint64_t set;
    struct timespec ts = {0};
    siginfo_t info;
    if (!user_get(m, t, &set, t->arg[0], 8) || (t->arg[2] && !user_get(m, t, &ts, t->arg[2], sizeof ts)))
        return -EFAULT;
    int signo = signal_take(m, t, set, &info);
    if (signo)
        return !t->arg[1] || user_put(m, t, t->arg[1], &info, sizeof info) ? signo : -EFAULT;
    uint64_t after = t->arg[2] ? (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec : NEVER;
    return task_times_out(m, t, after) ? -EAGAIN : ANSWER_WAIT;
}

static long pending_get(struct machine *m, struct task *t)
{
    uint64_t set = (t->pending | t->process->pending) & t->blocked;
    return user_put(m, t, t->arg[0], &set, 8) ? 0 : -EFAULT;
}

long signals_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    switch (t->nr) {
    case MAIL_SIGNALS: return 0; /* they come with the answer */
    case SYS_kill: return kill_processes(m, t, (int32_t)a[0], (int)a[1]);
    case SYS_tkill: return kill_thread(m, t, a[0], (int)a[1]);
    case SYS_tgkill: return kill_thread(m, t, a[1], (int)a[2]);
    case SYS_rt_sigqueueinfo: return kill_queue(m, t, a[0], 0, (int)a[1], a[2]);
    case SYS_rt_tgsigqueueinfo: return kill_queue(m, t, a[0], a[1], (int)a[2], a[3]);
    case SYS_pause: return wait_signal(m, t, 0);
    case SYS_rt_sigsuspend: return wait_signal(m, t, a[0]);
    case SYS_rt_sigtimedwait: return wait_signal_timed(m, t);
    case SYS_rt_sigpending: return pending_get(m, t);
    }
    *mine = false;
    return -ENOSYS;
}
