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
#include <time.h>
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

static void process_reap(struct process *c)
{
    int status;
    if (c->real && !c->died)
        waitpid(c->real, &status, __WALL);
    c->died = true;
    c->state = PROCESS_GONE;
}

static void tell_parent(struct machine *m, struct process *p)
{
    struct process *parent = machine_process(m, p->parent);
    siginfo_t info = {.si_signo = SIGCHLD, .si_code = WIFEXITED(p->status) ? CLD_EXITED : CLD_KILLED};
    info.si_pid = (pid_t)p->pid;
    info.si_status = WIFEXITED(p->status) ? WEXITSTATUS(p->status) : WTERMSIG(p->status);
    if (!parent || parent->state != PROCESS_ALIVE)
        return;
    process_signal(m, parent, &info);
    if (m->box->process[parent->home].ignored & SIGNAL_BIT(SIGCHLD)) /* nobody will wait for it: wait(2) */
        p->state = PROCESS_GONE;
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

/* The real one ends by the same signal, for the recorder to see; where it does not hear of that, by SIGKILL. */
static void real_kill(struct machine *m, struct process *p, int signo)
{
    const struct rlimit none = {0, 0};
    const struct timespec pause = {0, 1000 * 1000};
    siginfo_t info = {0};
    if (signo != SIGKILL) {
        prlimit(p->real, RLIMIT_CORE, &none, NULL);
        kill(p->real, signo);
        for (int looks = 0; looks < 50 && !info.si_pid; looks++) {
            if (looks)
                nanosleep(&pause, NULL);
            if (waitid(P_PID, (id_t)p->real, &info, WEXITED | WNOHANG | WNOWAIT | __WALL))
                break; /* the recorder has seen it */
        }
    }
    kill(p->real, SIGKILL);
    if (p != m->root)
        waitpid(p->real, &(int){0}, __WALL);
    p->died = true;
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
        real_kill(m, p, WTERMSIG(status));
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
    signals_fini(p);
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
    siginfo_t info = {0};
    snprintf(text, sizeof text, "process %u (%s) ended without a word at %.3f s of the world's time", p->pid, p->name,
             (double)(m->box->now - m->beginning) / (double)SECOND);
    waitid(P_PID, (id_t)p->real, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
    bool fault = info.si_pid && info.si_code != CLD_EXITED && info.si_status != SIGKILL; /* of its own: the run tells of it */
    if (m->options.warn && !fault)
        m->options.warn(text);
    p->died = true;
    process_end(m, p, !info.si_pid ? SIGSEGV : info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status);
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

enum wait_what { WAIT_NOTHING, WAIT_END, WAIT_STOP, WAIT_CONTINUE };

/* The child that there is something to tell of, and what; *any: there are children to wait for. */
static struct process *wait_find(struct machine *m, const struct process *p, int64_t which, int64_t options, bool *any, enum wait_what *what)
{
    *any = false;
    *what = WAIT_NOTHING;
    for (struct process *c = m->processes; c; c = c->next) {
        if (!wait_matches(p, c, which))
            continue;
        *any = true;
        if (c->state == PROCESS_ZOMBIE && options & WEXITED)
            return *what = WAIT_END, c;
        if (c->state == PROCESS_ALIVE && c->stop_untold && options & WSTOPPED)
            return *what = WAIT_STOP, c;
        if (c->state == PROCESS_ALIVE && c->continue_untold && options & WCONTINUED)
            return *what = WAIT_CONTINUE, c;
    }
    return NULL;
}

static void wait_told(struct process *c, enum wait_what what)
{
    if (what == WAIT_END)
        process_reap(c);
    else if (what == WAIT_STOP)
        c->stop_untold = 0;
    else
        c->continue_untold = false;
}

static long wait_four(struct machine *m, struct task *t)
{
    bool any;
    enum wait_what what;
    struct rusage usage = {0};
    if ((uint32_t)t->arg[2] & ~(uint32_t)(WNOHANG | WUNTRACED | WCONTINUED | __WALL | __WCLONE | __WNOTHREAD))
        return -EINVAL;
    struct process *c = wait_find(m, t->process, (int32_t)t->arg[0], t->arg[2] | WEXITED, &any, &what);
    if (!any)
        return -ECHILD;
    if (!c)
        return t->arg[2] & WNOHANG ? 0 : ANSWER_WAIT;
    int status = what == WAIT_END ? c->status : what == WAIT_STOP ? c->stop_untold << 8 | 0x7f : 0xffff;
    if ((t->arg[1] && !user_put(m, t, t->arg[1], &status, 4)) || (t->arg[3] && !user_put(m, t, t->arg[3], &usage, sizeof usage)))
        return -EFAULT;
    wait_told(c, what);
    return c->pid;
}

static void wait_info(const struct process *c, enum wait_what what, siginfo_t *info)
{
    info->si_signo = SIGCHLD;
    info->si_pid = (pid_t)c->pid;
    if (what != WAIT_END) {
        info->si_code = what == WAIT_STOP ? CLD_STOPPED : CLD_CONTINUED;
        info->si_status = what == WAIT_STOP ? c->stop_untold : SIGCONT;
        return;
    }
    info->si_code = WIFEXITED(c->status) ? CLD_EXITED : CLD_KILLED;
    info->si_status = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : WTERMSIG(c->status);
}

static long wait_id(struct machine *m, struct task *t)
{
    bool any;
    enum wait_what what;
    int64_t which = t->arg[0] == P_ALL ? -1 : t->arg[0] == P_PID ? t->arg[1] : t->arg[0] == P_PGID ? -t->arg[1] : 0;
    siginfo_t info = {0};
    if (!which || !(t->arg[3] & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    struct process *c = wait_find(m, t->process, which, t->arg[3], &any, &what);
    if (!any)
        return -ECHILD;
    if (!c && !(t->arg[3] & WNOHANG))
        return ANSWER_WAIT;
    if (c)
        wait_info(c, what, &info);
    if (t->arg[2] && !user_put(m, t, t->arg[2], &info, sizeof info))
        return -EFAULT;
    if (c && !(t->arg[3] & WNOWAIT))
        wait_told(c, what);
    return 0;
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

static long session_make(struct machine *m, struct process *p)
{
    for (const struct process *o = m->processes; o; o = o->next)
        if (o->state != PROCESS_GONE && o->group == p->pid)
            return -EPERM;
    return p->session = p->group = p->pid;
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
    case SYS_getpid: return p->pid;
    case SYS_gettid: return t->tid;
    case SYS_getppid: return p->parent;
    case SYS_getpgrp: return p->group;
    case SYS_getpgid: return group_get(m, t, false);
    case SYS_getsid: return group_get(m, t, true);
    case SYS_setpgid: return group_set(m, t);
    case SYS_setsid: return session_make(m, p);
    case SYS_umask: set = p->umask; p->umask = (uint32_t)a[0] & 0777; return (long)set;
    }
    *mine = false;
    return -ENOSYS;
}
