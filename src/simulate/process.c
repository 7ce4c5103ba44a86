/* Processes and signals. Sources: fork(2), vfork(2), execve(2), wait(2), signal(7), kill(2). */
#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIVES_UP SECOND /* a process that ends badly so soon after io_uring was refused ends for that */

struct process *process_create(struct machine *m, const struct process *parent)
{
    struct process *p = calloc(1, sizeof *p), **at = &m->processes;
    if (!p)
        abort();
    p->pid = m->next_pid++;
    p->parent = parent ? parent->pid : 1;
    p->group = parent ? parent->group : p->pid;
    p->session = parent ? parent->session : p->pid;
    p->umask = parent ? parent->umask : 022;
    p->node = parent ? parent->node : 0;
    p->directory = parent ? parent->directory : NULL;
    p->program = parent ? strdup(parent->program) : NULL;
    p->descriptors = parent ? descriptors_copy(parent->descriptors) : calloc(1, sizeof *p->descriptors);
    p->alarm = NEVER;
    if (parent) {
        memcpy(p->name, parent->name, sizeof p->name);
        chance_named(m, &p->numbers, CHANCE_NUMBERS, process_who(m, p), "fork");
        chance_named(m, &p->disk, CHANCE_DISK, process_who(m, p), "fork");
    }
    while (*at)
        at = &(*at)->next;
    return *at = p;
}

/* ---- signals ---- */

static bool ignored_by_default(int signo)
{
    return signo == SIGCHLD || signo == SIGURG || signo == SIGWINCH || signo == SIGCONT;
}

void process_signal(struct machine *m, struct process *p, const siginfo_t *info)
{
    int signo = info->si_signo;
    if (p->state != PROCESS_ALIVE || signo < 1 || signo > 64)
        return;
    m->changes++;
    if (signo == SIGKILL) {
        process_end(m, p, SIGKILL);
        return;
    }
    p->pending |= SIGNAL_BIT(signo);
    p->info[signo] = *info;
}

static int signal_lowest(uint64_t set)
{
    return set ? __builtin_ctzll(set) + 1 : 0;
}

int process_take_signal(struct machine *m, struct task *t, siginfo_t *info)
{
    struct process *p = t->process;
    const struct mail_process *does = &m->box->process[p->home];
    uint64_t mask = t->has_mask ? t->waits_with : t->blocked;
    for (int signo; (signo = signal_lowest((t->pending | p->pending) & ~mask));) {
        *info = p->info[signo];
        info->si_signo = signo;
        bool caught = does->caught & SIGNAL_BIT(signo), ignored = does->ignored & SIGNAL_BIT(signo);
        if (caught && t->state == TASK_WAITING)
            return signo; /* looked at only */
        t->pending &= ~SIGNAL_BIT(signo);
        p->pending &= ~SIGNAL_BIT(signo);
        if (caught)
            return signo;
        if (ignored || ignored_by_default(signo))
            continue;
        process_end(m, p, signo);
        return -1;
    }
    return 0;
}

static void tell_parent(struct machine *m, const struct process *p)
{
    struct process *parent = machine_process(m, p->parent);
    siginfo_t info = {.si_signo = SIGCHLD, .si_code = WIFEXITED(p->status) ? CLD_EXITED : CLD_KILLED};
    info.si_pid = (pid_t)p->pid;
    info.si_status = WIFEXITED(p->status) ? WEXITSTATUS(p->status) : WTERMSIG(p->status);
    if (parent && parent->state == PROCESS_ALIVE)
        process_signal(m, parent, &info);
}

/* ---- the end ---- */

static void tasks_end(struct machine *m, struct process *p, const struct task *but)
{
    for (struct task *t = m->tasks, *next; t; t = next) {
        next = t->next;
        if (t->process != p || t == but)
            continue;
        task_mail(m, t)->state = MAIL_FREE;
        task_destroy(m, t);
    }
}

static struct task *task_of(struct machine *m, const struct process *p)
{
    for (struct task *t = m->tasks; t; t = t->next)
        if (t->process == p)
            return t;
    return NULL;
}

/* A program that falls back to other calls where io_uring is refused is fine. One that gives up at once knows nothing else. */
static void refused_end(struct machine *m, const struct process *p)
{
    char who[96];
    int signo = WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
    if (!p->refused || !p->status || machine_now(m) - p->refused > GIVES_UP || signo == SIGKILL || signo == SIGTERM || m->failure.exit_code)
        return;
    process_called(m, p, who, sizeof who);
    error_set(&m->failure, DRD_EXIT_CANNOT, "%s asked for io_uring, was refused, and ended with %s %d: a node that needs io_uring cannot "
              "be simulated", who, signo ? "signal" : "status", signo ? signo : WEXITSTATUS(p->status));
}

/* `status` as waitpid(2) gives it. The real process is killed where it still runs. */
void process_end(struct machine *m, struct process *p, int status)
{
    int real;
    if (p->state != PROCESS_ALIVE)
        return;
    struct task *first = task_of(m, p);
    struct task *parent = first ? first->vfork_parent : NULL;
    p->state = PROCESS_ZOMBIE;
    p->status = status;
    m->changes++;
    if (parent) { /* the child of a vfork lives on its parent's thread: that goes on now */
        p->real = p->real ? p->real : (pid_t)task_mail(m, first)->child;
        if (!WIFEXITED(status) && p->real && !p->died) { /* it would wait for an answer for ever */
            kill(p->real, SIGKILL);
            p->died = waitpid(p->real, &real, __WALL) == p->real;
        }
        task_destroy(m, first);
        parent->state = TASK_STARTING;
    } else if (!WIFEXITED(status) && p->real && !p->died) {
        kill(p->real, SIGKILL);
        if (p != m->root)
            waitpid(p->real, &real, __WALL);
        p->died = true;
    }
    refused_end(m, p);
    clock_alarms(m, p);
    descriptors_close(m, p);
    if (!parent)
        tasks_end(m, p, NULL);
    for (struct process *c = m->processes; c; c = c->next)
        if (c->parent == p->pid) {
            c->parent = 1;
            if (c->state == PROCESS_ZOMBIE)
                c->state = PROCESS_GONE;
        }
    tell_parent(m, p);
    if (!machine_process(m, p->parent))
        p->state = PROCESS_GONE;
    /* the first one's status is the recorder's to tell */
    if (p == m->root)
        p->state = PROCESS_ZOMBIE;
}

/* It died of itself, of a fault for example. */
void process_real_gone(struct machine *m, struct process *p)
{
    char text[160];
    snprintf(text, sizeof text, "process %u (%s) ended without a word at %.3f s of the world's time", p->pid, p->name,
             (double)(m->box->now - BEGINNING) / (double)SECOND);
    if (m->options.warn)
        m->options.warn(text);
    p->died = true;
    process_end(m, p, SIGSEGV);
}

/* ---- fork, vfork, clone ---- */

static long process_fork(struct machine *m, struct task *t)
{
    struct process *p = process_create(m, t->process);
    struct task *child = machine_task(m, p, TASK_STARTING);
    child->tid = p->pid;
    child->blocked = t->blocked;
    p->home = child->mail;
    m->box->process[child->mail] = m->box->process[t->process->home];
    task_mail(m, t)->number = child->mail;
    return p->pid;
}

/* The child asks where its parent does, until it execs or exits. */
static long process_vfork(struct machine *m, struct task *t)
{
    struct process *p = process_create(m, t->process);
    struct task *child = machine_task(m, p, TASK_RUNNING);
    task_mail(m, child)->state = MAIL_FREE;
    task_mail(m, t)->child = 0;
    child->mail = t->mail;
    child->tid = p->pid;
    child->vfork_parent = t;
    p->home = t->process->home;
    t->state = TASK_PARENT;
    t->result = p->pid;
    task_mail(m, t)->result = p->pid;
    /* the answer goes to the thread, which from now on speaks for the child */
    child->result = p->pid;
    child->state = TASK_READY;
    return p->pid;
}

static long thread_clone(struct machine *m, struct task *t)
{
    struct task *thread = machine_task(m, t->process, TASK_STARTING);
    thread->tid = m->next_pid++;
    thread->blocked = t->blocked;
    task_mail(m, t)->number = thread->mail;
    return thread->tid;
}

static long thread_exit(struct machine *m, struct task *t)
{
    struct process *p = t->process;
    uint32_t zero = 0;
    if (t->arg[0]) {
        user_put(m, t, t->arg[0], &zero, sizeof zero);
        futex_wake_word(m, p, (uint64_t)t->arg[0]);
    }
    task_mail(m, t)->state = MAIL_FREE;
    task_destroy(m, t);
    if (!task_of(m, p))
        process_end(m, p, 0);
    m->changes++;
    return 0;
}

/* ---- wait ---- */

static bool wait_matches(const struct process *p, const struct process *child, int64_t which)
{
    if (child->parent != p->pid || child->state == PROCESS_GONE)
        return false;
    return which == -1 || (which > 0 && child->pid == (uint32_t)which) || (which == 0 && child->group == p->group) ||
           (which < -1 && child->group == (uint32_t)-which);
}

static struct process *wait_find(struct machine *m, const struct process *p, int64_t which, bool *any)
{
    *any = false;
    for (struct process *c = m->processes; c; c = c->next) {
        if (!wait_matches(p, c, which))
            continue;
        *any = true;
        if (c->state == PROCESS_ZOMBIE)
            return c;
    }
    return NULL;
}

static void process_reap(struct process *c)
{
    int status;
    if (c->real && !c->died)
        waitpid(c->real, &status, __WALL);
    c->died = true;
    c->state = PROCESS_GONE;
}

static long wait_four(struct machine *m, struct task *t)
{
    bool any;
    struct process *c = wait_find(m, t->process, (int32_t)t->arg[0], &any);
    struct rusage usage = {0};
    if (!any)
        return -ECHILD;
    if (!c)
        return t->arg[2] & WNOHANG ? 0 : ANSWER_WAIT;
    if ((t->arg[1] && !user_put(m, t, t->arg[1], &c->status, 4)) || (t->arg[3] && !user_put(m, t, t->arg[3], &usage, sizeof usage)))
        return -EFAULT;
    process_reap(c);
    return c->pid;
}

static long wait_id(struct machine *m, struct task *t)
{
    bool any;
    int64_t which = t->arg[0] == P_ALL ? -1 : t->arg[0] == P_PID ? t->arg[1] : t->arg[0] == P_PGID ? -t->arg[1] : -1;
    struct process *c = wait_find(m, t->process, which, &any);
    siginfo_t info = {0};
    if (!any)
        return -ECHILD;
    if (!c && !(t->arg[3] & WNOHANG))
        return ANSWER_WAIT;
    if (c) {
        info.si_signo = SIGCHLD;
        info.si_code = WIFEXITED(c->status) ? CLD_EXITED : CLD_KILLED;
        info.si_pid = (pid_t)c->pid;
        info.si_status = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : WTERMSIG(c->status);
    }
    if (t->arg[2] && !user_put(m, t, t->arg[2], &info, sizeof info))
        return -EFAULT;
    if (c && !(t->arg[3] & WNOWAIT))
        process_reap(c);
    return 0;
}

/* ---- kill ---- */

static long kill_processes(struct machine *m, struct task *t, int64_t which, int signo)
{
    long found = -ESRCH;
    siginfo_t info = {.si_signo = signo, .si_code = SI_USER};
    info.si_pid = (pid_t)t->process->pid;
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

static long kill_thread(struct machine *m, struct task *t, int64_t tid, int signo)
{
    for (struct task *o = m->tasks; o; o = o->next) {
        if (o->tid != (uint32_t)tid || o->process->state != PROCESS_ALIVE)
            continue;
        siginfo_t info = {.si_signo = signo, .si_code = SI_TKILL};
        info.si_pid = (pid_t)t->process->pid;
        if (signo) {
            o->pending |= SIGNAL_BIT(signo);
            o->process->info[signo] = info;
            m->changes++;
            if (signo == SIGKILL)
                process_end(m, o->process, SIGKILL);
        }
        return 0;
    }
    return -ESRCH;
}

static long kill_queue(struct machine *m, struct task *t, uint32_t pid, int signo, int64_t address)
{
    struct process *p = machine_process(m, pid);
    siginfo_t info;
    if (!p)
        return -ESRCH;
    if (!user_get(m, t, &info, address, sizeof info))
        return -EFAULT;
    info.si_signo = signo;
    process_signal(m, p, &info);
    return 0;
}

/* A wait that ends with a signal only: pause(2), rt_sigsuspend(2). */
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
    if (!user_get(m, t, &set, t->arg[0], 8) || (t->arg[2] && !user_get(m, t, &ts, t->arg[2], sizeof ts)))
        return -EFAULT;
    struct process *p = t->process;
    int signo = signal_lowest((t->pending | p->pending) & set);
    if (signo) {
        t->pending &= ~SIGNAL_BIT(signo);
        p->pending &= ~SIGNAL_BIT(signo);
        return !t->arg[1] || user_put(m, t, t->arg[1], &p->info[signo], 128) ? signo : -EFAULT;
    }
    uint64_t after = t->arg[2] ? (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec : NEVER;
    return task_times_out(m, t, after) ? -EAGAIN : ANSWER_WAIT;
}

static long process_exit(struct machine *m, struct task *t)
{
    struct process *p = t->process;
    struct mail *mail = task_mail(m, t);
    struct task *parent = t->vfork_parent;
    pid_t real = parent ? (pid_t)mail->child : 0;
    process_end(m, p, ((int)t->arg[0] & 255) << 8);
    if (!parent)
        mail->state = MAIL_FREE;
    /* answered, so that it ends really; nobody asks there again, but for the parent of a vfork */
    mail->result = 0;
    mail->signal = 0;
    __atomic_store_n(&mail->state, MAIL_RUNS, __ATOMIC_RELEASE);
    syscall(SYS_futex, &mail->state, 1, 1, NULL, NULL, 0);
    if (real && !p->died) /* before its parent's thread, which asks there too, can end and take the answer away */
        p->died = waitpid(real, &(int){0}, __WALL) == real;
    return 0;
}

static long group_set(struct machine *m, struct task *t)
{
    struct process *p = t->arg[0] ? machine_process(m, (uint32_t)t->arg[0]) : t->process;
    if (!p)
        return -ESRCH;
    p->group = t->arg[1] ? (uint32_t)t->arg[1] : p->pid;
    return 0;
}

static long group_get(struct machine *m, struct task *t, bool session)
{
    struct process *p = t->arg[0] ? machine_process(m, (uint32_t)t->arg[0]) : t->process;
    return !p ? -ESRCH : session ? (long)p->session : (long)p->group;
}

long process_answer(struct machine *m, struct task *t, bool *mine)
{
    struct process *p = t->process;
    const int64_t *a = t->arg;
    uint64_t set;
    switch (t->nr) {
    case MAIL_ATTACH: case MAIL_EXEC: case MAIL_EXEC_FAILED: return exec_answer(m, t);
    case MAIL_BORN: p->real = p->real ? p->real : (pid_t)task_mail(m, t)->pid; return 0;
    case MAIL_FORK: return process_fork(m, t);
    case MAIL_VFORK: return process_vfork(m, t);
    case MAIL_VFORKED: return a[0] < 0 ? a[0] : t->result;
    case MAIL_CLONE: return thread_clone(m, t);
    case MAIL_REFUSED: p->refused = machine_now(m); return 0;
    case MAIL_EXIT: return process_exit(m, t);
    case MAIL_THREAD_EXIT: return thread_exit(m, t);
    case SYS_wait4: return wait_four(m, t);
    case SYS_waitid: return wait_id(m, t);
    case SYS_kill: return kill_processes(m, t, (int32_t)a[0], (int)a[1]);
    case SYS_tkill: return kill_thread(m, t, a[0], (int)a[1]);
    case SYS_tgkill: return kill_thread(m, t, a[1], (int)a[2]);
    case SYS_rt_sigqueueinfo: return kill_queue(m, t, (uint32_t)a[0], (int)a[1], a[2]);
    case SYS_rt_tgsigqueueinfo: return kill_queue(m, t, (uint32_t)a[0], (int)a[2], a[3]);
    case SYS_pause: return wait_signal(m, t, 0);
    case SYS_rt_sigsuspend: return wait_signal(m, t, a[0]);
    case SYS_rt_sigtimedwait: return wait_signal_timed(m, t);
    case SYS_rt_sigpending:
        set = (t->pending | p->pending) & t->blocked;
        return user_put(m, t, a[0], &set, 8) ? 0 : -EFAULT;
    case SYS_getpid: return p->pid;
    case SYS_gettid: return t->tid;
    case SYS_getppid: return p->parent;
    case SYS_getpgrp: return p->group;
    case SYS_getpgid: return group_get(m, t, false);
    case SYS_getsid: return group_get(m, t, true);
    case SYS_setpgid: return group_set(m, t);
    case SYS_setsid: return p->session = p->group = p->pid;
    case SYS_umask: set = p->umask; p->umask = (uint32_t)a[0] & 0777; return (long)set;
    }
    *mine = false;
    return -ENOSYS;
}
