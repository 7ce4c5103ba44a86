#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALL_COST 1500      /* ns of the world that a question takes */
#define CLOCK_COST 100      /* ns that a look at the clock takes */
#define BURST_MOST 400      /* questions after which another thread may have its turn */
#define EPOCH 1700000000000000000ull /* 2023-11-14: the world begins here */
#define ENDING_TIME (5 * SECOND)     /* for processes that outlive the first one */

/* ---- what is due ---- */

static bool due_before(const struct due *a, const struct due *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void due_sink(struct machine *m, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->dues; child++)
            if (due_before(&m->due[child], &m->due[least]))
                least = child;
        if (least == at)
            return;
        struct due swap = m->due[at];
        m->due[at] = m->due[least];
        m->due[least] = swap;
        at = least;
    }
}

void machine_due(struct machine *m, uint64_t time, void (*happen)(struct machine *, void *), void *what)
{
    if (time == NEVER)
        return;
    if (m->dues == m->due_capacity) {
        m->due_capacity = m->due_capacity ? 2 * m->due_capacity : 256;
        m->due = realloc(m->due, m->due_capacity * sizeof *m->due);
        if (!m->due)
            abort(); /* the world cannot go on, and no process can be told */
    }
    size_t at = m->dues++;
    m->due[at] = (struct due){time, m->due_order++, happen, what};
    for (size_t up; at && due_before(&m->due[at], &m->due[up = (at - 1) / 2]); at = up) {
        struct due swap = m->due[at];
        m->due[at] = m->due[up];
        m->due[up] = swap;
    }
}

void machine_forget(struct machine *m, void *what)
{
    for (size_t i = 0; i < m->dues; i++)
        if (m->due[i].what == what && m->due[i].happen)
            m->due[i].happen = NULL, m->due[i].what = NULL;
}

/* All that is due by now. */
static void due_happen(struct machine *m)
{
    while (m->dues && m->due[0].time <= m->box->now) {
        struct due first = m->due[0];
        m->due[0] = m->due[--m->dues];
        due_sink(m, 0);
        m->changes++;
        if (first.happen)
            first.happen(m, first.what);
    }
}

void machine_due_now(struct machine *m)
{
    due_happen(m);
}

/* ---- mail ---- */

struct mail *task_mail(struct machine *m, const struct task *t)
{
    return &m->box->mail[t->mail];
}

static void word_wait(uint32_t *word, uint32_t value, const struct timespec *longest)
{
    syscall(SYS_futex, word, FUTEX_WAIT, value, longest, NULL, 0);
}

static void word_wake(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static bool real_alive(struct process *p)
{
    siginfo_t info = {0};
    if (p->died || (waitid(P_PID, (id_t)p->real, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid))
        return false;
    return kill(p->real, 0) == 0;
}

static bool mail_asks(struct machine *m, const struct task *t)
{
    return __atomic_load_n(&task_mail(m, t)->state, __ATOMIC_ACQUIRE) == MAIL_ASKS;
}

/* An execve that the kernel would not do: the thread that tried says so. */
static bool exec_is_refused(struct machine *m, const struct task *t)
{
    return t->was && mail_asks(m, t->was) && task_mail(m, t->was)->nr == MAIL_EXEC_FAILED;
}

void machine_stop(struct machine *m)
{
    __atomic_store_n(&m->stopped, true, __ATOMIC_RELEASE);
}

static bool stopped(const struct machine *m)
{
    return __atomic_load_n(&m->stopped, __ATOMIC_ACQUIRE);
}

/* The thread has its turn: until it asks. False: it is gone, or it never does, or the world was stopped. */
static bool mail_await(struct machine *m, struct task *t, struct drd_error *e)
{
    const struct timespec look = {0, t->was ? 1000 * 1000 : 200 * 1000 * 1000};
    struct process *p = t->process;
    struct mail *mail = task_mail(m, t);
    struct spin spin = {0};
    while (!mail_asks(m, t)) {
        uint32_t state = __atomic_load_n(&mail->state, __ATOMIC_ACQUIRE);
        if (state != MAIL_ASKS)
            word_wait(&mail->state, state, &look);
        if (mail_asks(m, t) || exec_is_refused(m, t))
            break;
        if (stopped(m) || (p->real && !real_alive(p) && !mail_asks(m, t)))
            return false;
        if (!spin_look(m, p, &spin, e))
            return false;
    }
    return true;
}

static uint32_t mail_claim(struct machine *m)
{
    for (uint32_t i = 0; i < MAILBOX_THREADS; i++) {
        uint32_t at = (m->next_mail + i) % MAILBOX_THREADS;
        if (m->box->mail[at].state == MAIL_FREE) {
            m->next_mail = at + 1;
            memset(&m->box->mail[at], 0, offsetof(struct mail, info));
            m->box->mail[at].state = MAIL_EXPECTED;
            m->box->process[at] = (struct mail_process){0};
            return at;
        }
    }
    return 0;
}

/* ---- threads ---- */

struct task *machine_task(struct machine *m, struct process *p, enum task_state state)
{
    struct task *t = calloc(1, sizeof *t), **at = &m->tasks;
    if (!t)
        abort();
    t->process = p;
    t->state = state;
    t->mail = mail_claim(m);
    t->deadline = NEVER;
    while (*at)
        at = &(*at)->next;
    return *at = t;
}

void task_destroy(struct machine *m, struct task *t)
{
    struct task **at = &m->tasks;
    while (*at && *at != t)
        at = &(*at)->next;
    if (*at)
        *at = t->next;
    if (m->running == t)
        m->running = NULL;
    if (m->first == t)
        m->first = NULL;
    if (m->asking == t)
        m->asking = NULL;
    signals_thread_gone(t->process, t);
    if (t->was)
        t->was->becomes = NULL;
    if (t->becomes)
        t->becomes->was = NULL;
    free(t->entered);
    free(t);
}

struct process *machine_process(struct machine *m, uint32_t pid)
{
    for (struct process *p = m->processes; p; p = p->next)
        if (p->pid == pid && p->state != PROCESS_GONE)
            return p;
    return NULL;
}

uint8_t *machine_scratch(struct machine *m, size_t size)
{
    if (size > m->scratch_size) {
        free(m->scratch);
        m->scratch = malloc(size);
        if (!m->scratch)
            abort();
        m->scratch_size = size;
    }
    return m->scratch;
}

bool task_times_out(struct machine *m, struct task *t, uint64_t after)
{
    if (t->deadline == NEVER && after != NEVER) {
        after = step_timer(t, after);
        t->deadline = t->asked + after < after ? NEVER : t->asked + after;
        machine_due(m, t->deadline, NULL, NULL);
    }
    return m->box->now >= t->deadline;
}

/* ---- turns ---- */

static void mail_answer(struct machine *m, struct task *t, long result)
{
    struct mail *mail = task_mail(m, t);
    siginfo_t info;
    int signo = process_take_signal(m, t, &info);
    if (signo < 0)
        return; /* the process is no more */
    step_answered(m, t);
    mail->result = result;
    mail->signal = signo;
    if (signo)
        memcpy(mail->info, &info, sizeof mail->info);
    t->state = TASK_RUNNING;
    t->has_mask = false;
    __atomic_store_n(&mail->state, MAIL_RUNS, __ATOMIC_RELEASE);
    word_wake(&mail->state);
}

/* The question of a thread that asks: what it is. */
static void task_take(struct machine *m, struct task *t)
{
    const struct mail *mail = task_mail(m, t);
    t->nr = mail->nr;
    memcpy(t->arg, mail->arg, sizeof t->arg);
    t->blocked = mail->blocked;
    t->deadline = NEVER;
    t->begun = t->woken = t->has_mask = false;
    t->word = 0;
    t->done = 0;
    m->answered++;
    m->burst++;
    m->box->now += CALL_COST;
    if (t->nr != MAIL_BORN) {
        t->asked = t->began ? t->began : m->box->now;
        t->began = 0;
    }
    steps_take(m, t);
    due_happen(m);
}

/* Can this waiting thread go on? Then it has an answer. */
static bool task_try(struct machine *m, struct task *t)
{
    struct process *p = t->process;
    uint64_t mask = t->has_mask ? t->waits_with : t->blocked, caught = m->box->process[p->home].caught;
    long result = answer(m, t);
    if (result == ANSWER_WAIT && (t->pending | p->pending) & ~mask) {
        uint64_t waiting = (t->pending | p->pending) & ~mask;
        if (waiting & caught)
            result = t->done ? (long)t->done : -EINTR;
        else
            process_take_signal(m, t, &(siginfo_t){0}); /* ignored, or the end of the process */
        if (p->state != PROCESS_ALIVE)
            return true;
    }
    if (result == ANSWER_WAIT)
        return false;
    t->result = result;
    t->state = TASK_READY;
    return true;
}

/* Which thread goes on: by chance, among those that can. */
static struct task *turn_choose(struct machine *m)
{
    for (;;) {
        struct task *ready = NULL;
        uint64_t count = 0;
        bool again = false;
        for (struct task *t = m->tasks; t && !again; t = t->next) {
            if (fault_is_paused(m, t->process))
                continue;
            size_t done = t->done;
            if (t->state == TASK_WAITING && (task_try(m, t) || t->done != done))
                again = true; /* others may have lost or won by it: the list may be another */
        }
        if (again)
            continue;
        if (m->first && m->first->state == TASK_READY) {
            ready = m->first;
            m->first = NULL;
            return ready;
        }
        for (struct task *t = m->tasks; t; t = t->next)
            if (t->state == TASK_READY && !fault_is_paused(m, t->process) && chance_below(&m->turns, ++count) == 0)
                ready = t;
        return ready;
    }
}

static bool anybody_lives(const struct machine *m)
{
    for (const struct process *p = m->processes; p; p = p->next)
        if (p->state == PROCESS_ALIVE)
            return true;
    return false;
}

/* The first process has ended: the others are asked to, and then made to. */
static void ending_step(struct machine *m)
{
    if (!m->root || m->root->state == PROCESS_ALIVE)
        return;
    siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_USER};
    if (!m->ending_at) {
        m->ending_at = m->box->now + ENDING_TIME;
        machine_due(m, m->ending_at, NULL, NULL);
        for (struct process *p = m->processes; p; p = p->next)
            if (p->state == PROCESS_ALIVE)
                process_signal(m, p, &info);
    } else if (m->box->now >= m->ending_at) {
        for (struct process *p = m->processes; p; p = p->next)
            if (p->state == PROCESS_ALIVE)
                process_end(m, p, SIGKILL);
    }
}

static bool limit_is_over(const struct machine *m, struct drd_error *e)
{
    return m->options.time_limit && m->box->now - m->beginning >= m->options.time_limit &&
           !error_set(e, DRD_EXIT_TIMEOUT, "the limit of %.3f s of the world's time is over", (double)m->options.time_limit / (double)SECOND);
}

static bool clock_step(struct machine *m, struct drd_error *e)
{
    if (!m->dues)
        return error_set(e, DRD_EXIT_CANNOT, "every process waits for ever at %.3f s of the world's time",
                         (double)(m->box->now - m->beginning) / (double)SECOND);
    if (m->due[0].time > m->box->now)
        m->box->now = m->due[0].time;
    due_happen(m);
    return true;
}

/* The thread runs and asks, and goes on while it is answered at once. */
static bool turn_take(struct machine *m, struct task *t, struct drd_error *e)
{
    struct process *p = t->process;
    m->burst = 0;
    m->running = t;
    mail_answer(m, t, t->result);
    while (m->running == t && p->state == PROCESS_ALIVE && t->state == TASK_RUNNING) {
        if (!mail_await(m, t, e)) {
            if (e->exit_code)
                return false;
            if (!stopped(m))
                process_real_gone(m, p);
            return true;
        }
        task_take(m, t);
        if (m->running != t)
            return true; /* a fault that was due ended it */
        long result = answer(m, t);
        if (m->running != t)
            return true;
        t->begun = true;
        if (p->state != PROCESS_ALIVE || t->state != TASK_RUNNING)
            return true; /* it has ended, become another program, or waits for its child */
        if (result == ANSWER_WAIT) {
            t->state = TASK_WAITING;
            return true;
        }
        t->result = result;
        if (m->burst > BURST_MOST) {
            t->state = TASK_READY;
            return true;
        }
        mail_answer(m, t, result);
    }
    return true;
}

/* A thread or program that was just started asks its first question before anything else happens. */
static bool births_await(struct machine *m, struct drd_error *e)
{
    for (struct task *t = m->tasks, *next; t; t = next) {
        next = t->next;
        if (t->state != TASK_STARTING || t->becomes)
            continue;
        if (!mail_await(m, t, e)) {
            if (e->exit_code)
                return false;
            if (!stopped(m))
                process_real_gone(m, t->process);
            return true; /* the list may be another */
        }
        if (exec_is_refused(m, t))
            t = t->was;
        struct process *p = t->process;
        task_take(m, t);
        if (p->state != PROCESS_ALIVE)
            return births_await(m, e);
        long result = answer(m, t);
        if (p->state != PROCESS_ALIVE)
            return births_await(m, e);
        if (m->failure.exit_code)
            return true;
        t->result = result;
        t->state = TASK_READY;
        return births_await(m, e); /* the list may be another */
    }
    return true;
}

/* Real processes that were forked and have not said so yet: at the end of the world they must be known, to be ended. */
static void births_settle(struct machine *m)
{
    const struct timespec pause = {0, 1000 * 1000};
    for (struct task *t = m->tasks; t; t = t->next) {
        if (t->state != TASK_STARTING || t->process->real)
            continue;
        for (int looks = 0; looks < 500 && !mail_asks(m, t); looks++)
            nanosleep(&pause, NULL);
        if (mail_asks(m, t))
            t->process->real = (pid_t)task_mail(m, t)->pid;
    }
}

bool machine_run(struct machine *m, struct drd_error *e)
{
    while (anybody_lives(m) && !m->cut_short && !stopped(m)) {
        if (!births_await(m, e))
            break;
        if (restart_next(m))
            continue;
        ending_step(m);
        struct task *t = turn_choose(m);
        bool ok = t ? turn_take(m, t, e) : !anybody_lives(m) || clock_step(m, e);
        if (!ok || m->failure.exit_code || (anybody_lives(m) && limit_is_over(m, e)))
            break;
    }
    births_settle(m);
    for (struct process *p = m->processes; p; p = p->next)
        if (p->state == PROCESS_ALIVE)
            process_end(m, p, SIGKILL);
    steps_end(m);
    if (!e->exit_code)
        *e = m->failure;
    return !e->exit_code;
}

/* ---- beginning and end ---- */

static bool box_create(struct machine *m, int directory, struct drd_error *e)
{
    int fd = openat(directory, "world", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *m->box) < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "the simulated world's memory");
    m->box = mmap(NULL, sizeof *m->box, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (m->box == MAP_FAILED)
        return m->box = NULL, error_set_errno(e, DRD_EXIT_CANNOT, "the simulated world's memory");
    m->box->abi = MAILBOX_ABI;
    m->box->now = m->beginning = BEGINNING;
    m->box->epoch = EPOCH;
    m->box->tick = CLOCK_COST;
    m->box->simulator = getpid();
    m->box->magic = MAILBOX_MAGIC;
    return true;
}

struct machine *machine_create(const struct machine_options *options, int spool_directory, struct drd_error *e)
{
    struct machine *m = calloc(1, sizeof *m);
    if (!m)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory"), NULL;
    m->options = *options;
    m->directory = spool_directory;
    m->next_pid = 100;
    m->next_port = 32768;
    m->wanted[0] = m->wanted[1] = -1;
    m->seed = options->seed;
    m->network = model_default.network;
    chance_init(&m->turns, options->seed, 1);
    m->tree = tree_create(m);
    if (m->tree && box_create(m, spool_directory, e) && socket_serve(m, "/run/drd/control"))
        return m;
    machine_destroy(m);
    return NULL;
}

bool machine_start(struct machine *m, pid_t pid, const char *program, const char *directory, struct drd_error *e)
{
    struct process *p = process_create(m, NULL);
    struct task *t = machine_task(m, p, TASK_STARTING);
    p->real = pid;
    p->home = t->mail;
    t->tid = p->pid;
    process_program(p, program);
    for (int fd = 0; fd < 3; fd++)
        file_install(m, p, console_create(fd, fd ? O_WRONLY : O_RDONLY), false, fd);
    if (tree_find(m, p, AT_FDCWD, directory, true, &p->directory))
        return error_set(e, DRD_EXIT_CANNOT, "%s: not found", directory);
    if (!m->root) {
        m->root = p;
        steps_begin(m);
    }
    task_mail(m, t)->pid = (uint32_t)pid;
    __atomic_store_n(&task_mail(m, t)->state, MAIL_EXPECTED, __ATOMIC_RELEASE);
    return true;
}

void machine_destroy(struct machine *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < MACHINE_NODES; i++)
        start_destroy(m, m->node[i].start);
    for (struct process *p = m->processes, *next; p; p = next) {
        next = p->next;
        start_destroy(m, p->start);
        if (p->descriptors)
            descriptors_close(m, p);
        signals_fini(p);
        free(p->program);
        free(p->timers);
        free(p);
    }
    while (m->tasks)
        task_destroy(m, m->tasks);
    tree_destroy(m);
    if (m->box)
        munmap(m->box, sizeof *m->box);
    for (size_t i = 0; i < m->drawns; i++)
        free(m->drawn[i]);
    free(m->drawn);
    free(m->step);
    free(m->ordinal);
    free(m->due);
    free(m->scratch);
    free(m);
}
