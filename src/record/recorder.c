#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "record/children.h"
#include "record/control.h"
#include "record/faults.h"
#include "record/launch.h"
#include "trace/mailbox.h"

#define SECOND 1000000000ull
#define COMMIT_EVERY (SECOND / 2)
#define STOP_TIME (5 * SECOND)  /* from SIGTERM to SIGKILL */
#define GRACE_TIME SECOND       /* for processes that outlive the command */
#define TICK_BUSY 2             /* ms between two looks at the spool */
#define TICK_IDLE 20
#define BACKLOG_MAX (128ull << 20) /* undrained bytes that make the recorder as important as its nodes */

enum stage {
    STAGE_RUNNING,  /* until the command has ended */
    STAGE_STOPPING, /* nodes were asked to end */
    STAGE_GRACE,    /* processes that the command left behind */
    STAGE_OVER,
};

struct recorder {
    const struct recorder_options *options;
    uv_loop_t loop;
    uv_timer_t tick;
    uv_poll_t signals;
    int signal_fd;
    sigset_t old_mask;
    char path[PATH_MAX], control_path[420], shim[PATH_MAX];
    struct spool spool;
    struct store *store;
    struct lanes lanes;
    struct faults faults;
    struct control *control;
    struct child *child;      /* the nodes, then the command if there is one */
    size_t children;
    struct child *command;    /* NULL without one */
    uint32_t *active;         /* process numbers not done */
    struct pollfd *watch;     /* their pidfds */
    uint32_t actives, active_capacity, known;
    enum stage stage;
    uint64_t deadline;        /* of the stage, 0: none */
    uint64_t next_commit, timeout_at;
    unsigned interval;        /* ms */
    int signal;               /* that ends the recording */
    bool killed;              /* SIGKILL was sent */
    bool timed_out, randomized, broken, may_renice;
    /* Draining runs in a thread of its own, which takes only what the nodes leave of the processors. */
    uv_work_t work;
    uv_mutex_t lanes_lock;    /* held by whoever touches the lanes and the store */
    pid_t worker;             /* its thread, 0 before the first time */
    bool working, urgent, worked;
    unsigned passes;          /* looks at all processes so far */
    unsigned passes_needed;   /* before a stage that waits for processes may end */
    struct drd_error work_error;
    /* the world in the place of this machine, if there is one */
    uv_thread_t world;
    int directory;            /* of the spool, -1 */
    bool world_runs, world_failed;
    uint32_t world_over;      /* release-stored by its thread */
    struct drd_error world_error;
    struct recorder_result *result;
};

static void warn(const struct recorder *r, const char *text)
{
    if (r->options->warn)
        r->options->warn(text);
}

/* ---- when the run can no longer be written ---- */

/* The nodes go on unrecorded; the run says where it ends. */
static void give_up(struct recorder *r, const struct drd_error *why)
{
    if (r->broken)
        return;
    r->broken = true;
    __atomic_store_n(&r->spool.run->stopped, 1, __ATOMIC_RELEASE);
    finish_broken(&r->lanes, why->message, &r->result->summary);
    warn(r, why->message);
    if (!r->options->strict) {
        warn(r, "recording has stopped; what is recorded goes on unrecorded");
        return;
    }
    for (size_t i = 0; i < r->children; i++)
        child_signal(&r->child[i], SIGTERM);
}

/* ---- draining ---- */

static void on_unrecorded(void *context, const char *text)
{
    struct recorder *r = context;
    char all[1024] = "";
    store_fact(r->store, "unrecorded", all, sizeof all);
    if (strstr(all, text))
        return; /* one warning for each program */
    size_t used = strlen(all);
    snprintf(all + used, sizeof all - used, "%s%s", used ? "; " : "", text);
    store_fact_set(r->store, "unrecorded", all, NULL);
    warn(r, text);
}

static bool grow_active(struct recorder *r, struct drd_error *e)
{
    uint32_t capacity = r->active_capacity ? 2 * r->active_capacity : 64;
    uint32_t *active = realloc(r->active, capacity * sizeof *active);
    if (active)
        r->active = active;
    struct pollfd *watch = realloc(r->watch, capacity * sizeof *watch);
    if (watch)
        r->watch = watch;
    if (!active || !watch)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    r->active_capacity = capacity;
    return true;
}

static bool discover(struct recorder *r, struct drd_error *e)
{
    if (!lanes_extend(&r->lanes, e))
        return false;
    for (; r->known < r->lanes.count; r->known++) {
        if (r->actives == r->active_capacity && !grow_active(r, e))
            return false;
        r->active[r->actives++] = r->known;
    }
    return true;
}

/* Is the process of this lane gone for good? */
static bool lane_gone(const struct lanes *l, uint32_t process, short revents)
{
    const struct lane *lane = &l->lane[process];
    if (lane->pidfd >= 0)
        return revents & POLLIN;
    return lane->row.pid > 0 && kill(lane->row.pid, 0) < 0 && errno == ESRCH;
}

static bool lane_alive(const struct lanes *l, uint32_t process)
{
    struct pollfd watch = {.fd = l->lane[process].pidfd, .events = POLLIN};
    if (watch.fd >= 0)
        poll(&watch, 1, 0);
    return !lane_gone(l, process, watch.revents);
}

static bool adopt(struct recorder *r, uint32_t process, struct drd_error *e)
{
    struct lane *lane = &r->lanes.lane[process];
    if (!finish_adopt(&r->lanes, process, on_unrecorded, r, e))
        return false;
    const struct spool_process *slot = spool_slot(&r->spool, process);
    if (lane->phase == LANE_WAITING && slot->pid && kill((pid_t)slot->pid, 0) < 0 && errno == ESRCH)
        lane->phase = LANE_SKIPPED; /* killed before its first event */
    if (lane->phase == LANE_ACTIVE && lane->row.pid > 0)
        lane->pidfd = (int)syscall(SYS_pidfd_open, lane->row.pid, 0);
    return true;
}

/* Has the program that this process announced to become begun? Until then the process may still come back: an execve can
 * fail. */
static bool became_another(const struct recorder *r, uint32_t process)
{
    const struct spool_process *slot = spool_slot(&r->spool, process);
    for (uint32_t i = process + 1; i < spool_count(&r->spool); i++)
        if (spool_slot(&r->spool, i)->parent == process && spool_slot(&r->spool, i)->pid == slot->pid &&
            spool_state(&r->spool, i) != SPOOL_FREE)
            return true;
    return false;
}

/* One process: begin, drain, end, as its state in the spool asks. */
static bool visit(struct recorder *r, uint32_t process, short revents, struct drd_error *e)
{
    struct lane *lane = &r->lanes.lane[process];
    if (lane->phase == LANE_WAITING && process && !adopt(r, process, e))
        return false;
    if (lane->phase != LANE_ACTIVE)
        return true;
    /* Gone is asked before the state is read, so that the state of a process that is gone is its last. */
    bool gone = process && lane_gone(&r->lanes, process, revents);
    enum spool_state state = spool_state(&r->spool, process);
    if (gone || (process && state != SPOOL_RUNNING && (state != SPOOL_EXECED || became_another(r, process))))
        return lane_finish(&r->lanes, process, NULL, e);
    return lane_drain(&r->lanes, process, false, e);
}

static bool drain(struct recorder *r, struct drd_error *e)
{
    uv_mutex_lock(&r->lanes_lock);
    bool ok = discover(r, e);
    uv_mutex_unlock(&r->lanes_lock);
    if (!ok)
        return false;
    for (uint32_t i = 0; i < r->actives; i++)
        r->watch[i] = (struct pollfd){.fd = r->lanes.lane[r->active[i]].pidfd, .events = POLLIN};
    poll(r->watch, r->actives, 0);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->actives; i++) {
        uint32_t process = r->active[i];
        uv_mutex_lock(&r->lanes_lock);
        ok = visit(r, process, r->watch[i].revents, e);
        enum lane_phase phase = r->lanes.lane[process].phase;
        uv_mutex_unlock(&r->lanes_lock);
        if (!ok)
            return false;
        if (phase == LANE_WAITING || phase == LANE_ACTIVE)
            r->active[kept++] = process;
    }
    r->actives = kept;
    return true;
}

static bool commit(struct recorder *r, struct drd_error *e)
{
    struct stat st;
    if (!lanes_put_rows(&r->lanes, e) || !store_commit(r->store, e))
        return false;
    lanes_committed(&r->lanes);
    if (stat(r->path, &st) == 0)
        __atomic_store_n(&r->spool.run->written_bytes, (uint64_t)st.st_size, __ATOMIC_RELAXED);
    return store_begin(r->store, e);
}

/* ---- priority: behind the nodes, unless they leave it too far behind ---- */

/* SCHED_IDLE takes what nobody else wants, and never delays a node that wakes up (sched(7)). Only with a right to take it
 * back: otherwise the spool would fill the memory of a busy machine. */
static void be_idle(const struct recorder *r, bool idle)
{
    const struct sched_param none = {0};
    if (r->worker)
        sched_setscheduler(r->worker, idle && r->may_renice ? SCHED_IDLE : SCHED_BATCH, &none);
}

static void mind_backlog(struct recorder *r)
{
    uint64_t backlog = lanes_backlog(&r->lanes);
    r->urgent = backlog > (r->urgent ? BACKLOG_MAX / 4 : BACKLOG_MAX) || r->stage != STAGE_RUNNING;
    be_idle(r, !r->urgent);
}

static void may_be_idle(struct recorder *r)
{
    struct rlimit limit;
    r->may_renice = geteuid() == 0 || (getrlimit(RLIMIT_NICE, &limit) == 0 && limit.rlim_cur >= 20);
}

/* The main thread wants the lanes: whoever holds them gets through quickly. */
static void lanes_take(void *context)
{
    struct recorder *r = context;
    if (!uv_mutex_trylock(&r->lanes_lock))
        return;
    be_idle(r, false);
    uv_mutex_lock(&r->lanes_lock);
}

static void lanes_leave(void *context)
{
    struct recorder *r = context;
    uv_mutex_unlock(&r->lanes_lock);
    be_idle(r, !r->urgent);
}

/* ---- a world in the place of this machine ---- */

static bool world_starts(const struct recorder *r)
{
    return r->options->world && r->options->world->starts;
}

static void world_main(void *context)
{
    struct recorder *r = context;
    r->world_failed = !r->options->world->run(r->options->world->context, &r->world_error);
    __atomic_store_n(&r->world_over, 1, __ATOMIC_RELEASE);
}

static void world_fault(void *context, int count, char **word, uint64_t at)
{
    struct recorder *r = context;
    struct drd_error e;
    lanes_take(r);
    faults_note(&r->faults, count, word, at, &e);
    lanes_leave(r);
}

static bool world_fact(void *context, const char *name, const char *value, struct drd_error *e)
{
    struct recorder *r = context;
    lanes_take(r);
    bool ok = r->broken || store_fact_set(r->store, name, value, e);
    lanes_leave(r);
    return ok;
}

static bool world_begin(struct recorder *r, struct drd_error *e)
{
    if (!r->options->world)
        return true;
    r->directory = open(r->spool.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->directory < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", r->spool.dir);
    const struct recorder_notes notes = {world_fault, world_fact, r};
    return r->options->world->begin(r->options->world->context, r->directory, &notes, e);
}

static bool world_start(struct recorder *r, struct drd_error *e)
{
    if (!r->options->world)
        return true;
    r->world_runs = uv_thread_create(&r->world, world_main, r) == 0;
    return r->world_runs || error_set(e, DRD_EXIT_CANNOT, "no thread for the simulated world");
}

static bool world_lives(const struct recorder *r)
{
    return r->world_runs && !__atomic_load_n(&r->world_over, __ATOMIC_ACQUIRE);
}

static void world_end(struct recorder *r)
{
    if (r->world_runs)
        uv_thread_join(&r->world);
    r->world_runs = false;
    if (r->directory >= 0)
        close(r->directory);
    r->directory = -1;
}

/* ---- stages ---- */

static bool nodes_run(const struct recorder *r)
{
    for (size_t i = 0; i < r->children; i++)
        if (r->child[i].name && r->child[i].running)
            return true;
    return false;
}

static void signal_nodes(const struct recorder *r, int signo)
{
    for (size_t i = 0; i < r->children; i++)
        if (r->child[i].name)
            child_signal(&r->child[i], signo);
}

static void enter(struct recorder *r, enum stage stage, uint64_t time)
{
    r->stage = stage;
    r->deadline = time ? uv_hrtime() + time : 0;
    r->killed = false;
    r->passes_needed = r->passes + 2; /* one may be under way that began before */
}

static bool is_child(const struct recorder *r, int pid)
{
    for (size_t i = 0; i < r->children; i++)
        if (r->child[i].pid == pid)
            return true;
    return false;
}

/* All that is recorded, also what the recorder did not start: a script that hangs leaves its nodes to nobody. */
static void signal_all(struct recorder *r, int signo)
{
    for (size_t i = 0; i < r->children; i++)
        child_signal(&r->child[i], signo);
    uv_mutex_lock(&r->lanes_lock);
    for (uint32_t i = 1; i < r->lanes.count; i++) {
        const struct lane *lane = &r->lanes.lane[i];
        if (lane->pidfd >= 0 && spool_state(&r->spool, i) == SPOOL_RUNNING && !is_child(r, lane->row.pid))
            syscall(SYS_pidfd_send_signal, lane->pidfd, signo, NULL, 0);
    }
    uv_mutex_unlock(&r->lanes_lock);
}

static void kill_all(struct recorder *r)
{
    if (r->timed_out || world_starts(r))
        signal_all(r, SIGKILL);
    for (size_t i = 0; i < r->children; i++)
        child_signal(&r->child[i], SIGKILL);
    r->killed = true;
}

static void stage_step(struct recorder *r)
{
    uint64_t now = uv_hrtime();
    if (r->timeout_at && now > r->timeout_at && !r->timed_out && r->stage == STAGE_RUNNING) {
        r->timed_out = true;
        r->deadline = now + STOP_TIME;
        signal_all(r, SIGTERM);
    }
    bool late = r->deadline && now > r->deadline;
    if (r->stage == STAGE_RUNNING) {
        if (late && !r->killed)
            kill_all(r);
        if (r->command ? !r->command->running && !world_lives(r) : !nodes_run(r) && !world_lives(r)) {
            signal_nodes(r, SIGTERM);
            enter(r, STAGE_STOPPING, STOP_TIME);
        }
    }
    if (r->stage == STAGE_STOPPING) {
        if (late && !r->killed)
            kill_all(r);
        if (!nodes_run(r))
            enter(r, STAGE_GRACE, GRACE_TIME);
    }
    if (r->stage == STAGE_GRACE && late && r->timed_out && !r->killed) {
        kill_all(r);
        r->deadline = now + GRACE_TIME;
        late = false;
    }
    bool looked = r->passes >= r->passes_needed && !r->working;
    bool alone = looked && (!r->actives || (r->actives == 1 && r->active[0] == 0));
    if (r->stage == STAGE_GRACE && (late || r->broken || alone))
        enter(r, STAGE_OVER, 0);
}

/* In the worker: one look at every process, and now and then a commit. */
static void on_work(uv_work_t *work)
{
    struct recorder *r = work->data;
    uint64_t now = uv_hrtime(), before = r->lanes.drained;
    uint32_t actives = r->actives;
    r->worker = (pid_t)syscall(SYS_gettid);
    mind_backlog(r);
    bool ok = drain(r, &r->work_error);
    if (ok && now >= r->next_commit) {
        uv_mutex_lock(&r->lanes_lock);
        ok = commit(r, &r->work_error);
        uv_mutex_unlock(&r->lanes_lock);
        r->next_commit = now + COMMIT_EVERY;
    }
    r->worked = ok;
    bool busy = before != r->lanes.drained || actives != r->actives;
    r->interval = busy ? TICK_BUSY : r->interval * 2 > TICK_IDLE ? TICK_IDLE : r->interval * 2;
}

static void on_tick(uv_timer_t *timer);

static void on_worked(uv_work_t *work, int status)
{
    struct recorder *r = work->data;
    (void)status;
    r->working = false;
    r->passes++;
    if (!r->worked)
        give_up(r, &r->work_error);
    uv_timer_start(&r->tick, on_tick, r->interval, 0);
}

/* Stages go on while the worker works; it is let finish before the end. */
static void on_tick(uv_timer_t *timer)
{
    struct recorder *r = timer->data;
    for (size_t i = 0; i < r->children; i++)
        child_reap(&r->child[i]);
    bool asked = r->control && control_step(r->control);
    stage_step(r);
    if (r->stage == STAGE_OVER && !r->working) {
        uv_stop(&r->loop);
        return;
    }
    if (!r->working && !r->broken) {
        r->work.data = r;
        r->working = uv_queue_work(&r->loop, &r->work, on_work, on_worked) == 0;
    }
    uv_timer_start(timer, on_tick, asked ? TICK_BUSY : r->working ? TICK_IDLE : r->interval, 0);
}

/* Something has ended: look now, not at the next tick. */
static void on_ended(struct child *child)
{
    struct recorder *r = child->context;
    char text[160];
    if (child->name && r->stage == STAGE_RUNNING && !r->signal && !r->timed_out) {
        bool by_signal = WIFSIGNALED(child->status);
        snprintf(text, sizeof text, "node %s ended %s %d", child->name, by_signal ? "by signal" : "with status",
                 by_signal ? WTERMSIG(child->status) : WEXITSTATUS(child->status));
        warn(r, text);
    }
    r->interval = TICK_BUSY;
    uv_timer_start(&r->tick, on_tick, 0, 0);
}

/* ---- signals to the recorder ---- */

static void on_signal(uv_poll_t *handle, int status, int events)
{
    struct recorder *r = handle->data;
    struct signalfd_siginfo info;
    (void)status;
    (void)events;
    if (read(r->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (r->signal) {
        kill_all(r); /* asked twice */
        return;
    }
    r->signal = (int)info.ssi_signo;
    r->deadline = uv_hrtime() + STOP_TIME;
    if (r->options->world) { /* what happens on this machine is no signal in the world */
        r->options->world->stop(r->options->world->context);
        if (world_starts(r)) /* none of them is a child that would hear of it */
            kill_all(r);
        return;
    }
    bool terminal = info.ssi_code == SI_KERNEL; /* then the command has had it too */
    if (r->command && !terminal)
        child_signal(r->command, r->signal);
    signal_nodes(r, SIGTERM);
}

static bool catch_signals(struct recorder *r, struct drd_error *e)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set, blocked;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        sigaddset(&set, caught[i]);
    blocked = set;
    sigaddset(&blocked, SIGPIPE);
    sigprocmask(SIG_BLOCK, &blocked, &r->old_mask);
    r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (r->signal_fd < 0 || uv_poll_init(&r->loop, &r->signals, r->signal_fd))
        return error_set_errno(e, DRD_EXIT_CANNOT, "signalfd");
    r->signals.data = r;
    uv_poll_start(&r->signals, UV_READABLE, on_signal);
    return true;
}

/* ---- beginning ---- */

static bool set_facts(struct recorder *r, struct drd_error *e)
{
    struct utsname host;
    char command[4096] = "", directory[PATH_MAX] = "", kernel[200];
    size_t used = 0;
    for (char *const *word = r->options->command; word && *word && used < sizeof command; word++)
        used += (size_t)snprintf(command + used, sizeof command - used, "%s%s", used ? " " : "", *word);
    uname(&host);
    snprintf(kernel, sizeof kernel, "%s %s %s", host.sysname, host.release, host.machine);
    return store_fact_set(r->store, "command", command, e) && finish_fact_time(r->store, "started", e) &&
           store_fact_set(r->store, "drd_version", DRD_VERSION, e) && store_fact_set(r->store, "host", host.nodename, e) &&
           store_fact_set(r->store, "kernel", kernel, e) && store_fact_set(r->store, "spool", r->spool.dir, e) &&
           store_fact_set(r->store, "directory", getcwd(directory, sizeof directory) ? directory : "", e);
}

static void set_spool(struct recorder *r)
{
    struct spool_run *run = r->spool.run;
    struct stat st;
    run->strict = r->options->strict;
    run->simulated = r->options->world != NULL;
    run->max_bytes = r->options->max_size;
    snprintf(run->only, sizeof run->only, "%s", r->options->only ? r->options->only : "");
    snprintf(run->shim, sizeof run->shim, "%.*s", (int)sizeof run->shim - 1, r->shim);
    if (stat("/proc/self/exe", &st) == 0) {
        run->tool_device = st.st_dev;
        run->tool_inode = st.st_ino;
    }
    if (r->options->world)
        snprintf(r->control_path, sizeof r->control_path, "/run/drd/control");
    else
        snprintf(r->control_path, sizeof r->control_path, "%s/control", r->spool.dir);
}

static bool prepare_children(struct recorder *r, struct drd_error *e)
{
    const struct node_list *nodes = &r->options->nodes;
    bool command = r->options->command && !world_starts(r);
    r->children = nodes->count + command;
    r->child = calloc(r->children + 1, sizeof *r->child);
    if (!r->child)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    for (size_t i = 0; i < nodes->count; i++)
        if (!child_prepare_node(&r->child[i], &nodes->item[i], e))
            return false;
    if (command)
        r->command = &r->child[nodes->count];
    for (size_t i = 0; i < r->children; i++) {
        r->child[i].context = r;
        r->child[i].ended = on_ended;
    }
    return !r->command || child_prepare_command(r->command, r->options->command, e);
}

/* The shim tells of programs that recorded ones start; of those that we start we must. */
static bool check_recordable(struct recorder *r, struct drd_error *e)
{
    char text[160];
    for (size_t i = 0; i < r->children; i++) {
        const char *why = launch_unrecordable(r->child[i].path), *slash = strrchr(r->child[i].path, '/');
        if (!why)
            continue;
        snprintf(text, sizeof text, "%.80s runs unrecorded: %s", slash ? slash + 1 : r->child[i].path, why);
        if (r->options->strict || r->options->world) /* in a simulated world it would act on this machine */
            return error_set(e, DRD_EXIT_CANNOT, "%.80s cannot be %s: %s", r->child[i].path,
                             r->options->world ? "simulated" : "recorded", why);
        on_unrecorded(r, text);
    }
    return true;
}

static bool start_children(struct recorder *r, struct drd_error *e)
{
    struct child_setting setting = {&r->loop,     r->shim, &r->spool, r->control_path, r->old_mask, r->directory, r->options->environment, 0};
    for (size_t i = 0; i < r->options->nodes.count; i++)
        if (strlen(r->options->nodes.item[i].name) > setting.name_width)
            setting.name_width = strlen(r->options->nodes.item[i].name);
    for (size_t i = 0; i < r->children; i++)
        if (!child_start(&r->child[i], &setting, (unsigned)i, &r->randomized, e)) {
            r->children = i; /* the rest was never there */
            return false;
        } else if (r->options->world && !r->options->world->start(r->options->world->context, r->child[i].pid, r->child[i].path,
                                                                  r->child[i].name, e)) {
            r->children = i + 1;
            return false;
        }
    if (r->randomized) {
        store_fact_set(r->store, "addresses", "randomized", NULL);
        warn(r, "the kernel refuses fixed addresses (personality(2)); the run may not replay");
    }
    return true;
}

static bool open_all(struct recorder *r, struct drd_error *e)
{
    /* Signals first: from here on there is something that must be ended properly. */
    if (!catch_signals(r, e) || !spool_create(&r->spool, r->path, e))
        return false;
    set_spool(r);
    r->store = store_create(r->path, e);
    if (!r->store || !lanes_init(&r->lanes, r->store, &r->spool, e))
        return false;
    r->known = 0;
    r->faults.lanes = &r->lanes;
    r->faults.take = lanes_take;
    r->faults.leave = lanes_leave;
    r->faults.owner = r;
    r->control = r->options->world ? NULL : control_create(&r->loop, r->control_path, &r->faults, e);
    return (r->control || r->options->world) && set_facts(r, e) && world_begin(r, e) && store_begin(r->store, e) && check_recordable(r, e) &&
           start_children(r, e) && world_start(r, e);
}

/* Descriptors for one pidfd a process; the children have the limit they would have had. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* ---- ending ---- */

/* The command's own exit status, as a shell reports it. Without a command: of the first node that failed. */
static int exit_code(const struct recorder *r)
{
    int status = r->command ? r->command->status : world_starts(r) ? r->options->world->status(r->options->world->context) : 0;
    for (size_t i = 0; i < r->children && !r->command && !status; i++)
        status = r->child[i].status;
    if (r->timed_out)
        return DRD_EXIT_TIMEOUT;
    if (r->signal)
        return 128 + r->signal;
    if (r->broken && r->options->strict)
        return DRD_EXIT_CANNOT;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void note_statuses(struct recorder *r)
{
    for (size_t i = 0; i < r->children; i++)
        for (uint32_t n = r->lanes.count; n-- > 1;) {
            struct lane *lane = &r->lanes.lane[n];
            if (lane->row.pid != r->child[i].pid || !lane->row.node || spool_state(&r->spool, n) == SPOOL_EXECED)
                continue;
            if (!r->child[i].running)
                lane->row.status = r->child[i].status;
            break;
        }
}

static bool close_run(struct recorder *r, struct recorder_result *result, struct drd_error *e)
{
    char text[32];
    uint32_t left = 0;
    for (uint32_t i = 0; i < r->actives; i++)
        left += r->active[i] && r->lanes.lane[r->active[i]].phase == LANE_ACTIVE &&
                spool_state(&r->spool, r->active[i]) == SPOOL_RUNNING;
    note_statuses(r);
    snprintf(text, sizeof text, "%d", result->exit_code);
    if (!finish_run(&r->lanes, lane_alive, "it went on after the recorded command had ended", &result->summary, e) ||
        !store_fact_set(r->store, "exit_status", text, e) || !store_commit(r->store, e))
        return false;
    if (left) {
        char line[120];
        snprintf(line, sizeof line, "%u %s the command and %s on unrecorded", left,
                 left == 1 ? "process outlived" : "processes outlived", left == 1 ? "goes" : "go");
        warn(r, line);
    }
    return true;
}

static void end_run(struct recorder *r, struct recorder_result *result)
{
    struct drd_error e;
    struct stat st;
    result->exit_code = exit_code(r);
    /* A last look: the worker may not have had its turn since the command ended. */
    if (!r->broken && (!drain(r, &e) || !close_run(r, result, &e)))
        give_up(r, &e);
    if (r->broken)
        result->exit_code = exit_code(r);
    else if (r->options->strict && !result->summary.complete)
        result->exit_code = DRD_EXIT_CANNOT;
    if (stat(r->path, &st) == 0)
        result->file_size = (uint64_t)st.st_size;
    result->kept = !(r->options->keep_failures_only && result->exit_code == 0);
}

static void on_walk(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void release(struct recorder *r, bool keep)
{
    for (size_t i = 0; i < r->children; i++)
        child_close(&r->child[i]);
    control_destroy(r->control);
    uv_walk(&r->loop, on_walk, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    uv_mutex_destroy(&r->lanes_lock);
    if (r->signal_fd >= 0)
        close(r->signal_fd);
    if (r->store && !keep)
        unlink(r->path);
    lanes_fini(&r->lanes);
    store_close(r->store);
    spool_remove(&r->spool);
    for (size_t i = 0; r->child && i < r->options->nodes.count + (r->command ? 1 : 0); i++)
        child_fini(&r->child[i]);
    free(r->child);
    free(r->active);
    free(r->watch);
}

static void abandon(struct recorder *r)
{
    for (size_t i = 0; i < r->children; i++) {
        child_signal(&r->child[i], SIGKILL);
        if (r->child[i].running)
            waitpid(r->child[i].pid, NULL, 0);
        r->child[i].running = false;
    }
    release(r, false);
}

static bool absolute_path(const char *path, char out[PATH_MAX], struct drd_error *e)
{
    char directory[PATH_MAX];
    if (*path == '/')
        return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX || error_set(e, DRD_EXIT_FATAL, "%.60s...: path too long", path);
    if (!getcwd(directory, sizeof directory))
        return error_set_errno(e, DRD_EXIT_FATAL, "current directory");
    return snprintf(out, PATH_MAX, "%s/%s", directory, path) < PATH_MAX ||
           error_set(e, DRD_EXIT_FATAL, "%.60s...: path too long", path);
}

bool recorder_run(const struct recorder_options *options, struct recorder_result *result, struct drd_error *e)
{
    struct recorder r = {.options = options, .result = result, .signal_fd = -1, .interval = TICK_BUSY, .directory = -1};
    r.spool.lock = -1;
    memset(result, 0, sizeof *result);
    if (getenv(SPOOL_ENV_DIR))
        return error_set(e, DRD_EXIT_CANNOT, "a recording is running already (" SPOOL_ENV_DIR " is set): cannot record inside it");
    if (!absolute_path(options->output, r.path, e) || !launch_find_shim(r.shim, e))
        return false;
    /* One worker at a time drains, on any thread of libuv's pool: without this each keeps a heap of its own, mostly free. */
    mallopt(M_ARENA_MAX, 1);
    if (uv_mutex_init(&r.lanes_lock) || uv_loop_init(&r.loop))
        return error_set(e, DRD_EXIT_CANNOT, "libuv: no event loop");
    uv_timer_init(&r.loop, &r.tick);
    r.tick.data = &r;
    if (!prepare_children(&r, e) || !open_all(&r, e)) {
        abandon(&r);
        return false;
    }
    raise_descriptor_limit();
    may_be_idle(&r);
    r.next_commit = uv_hrtime() + COMMIT_EVERY;
    r.timeout_at = options->timeout ? uv_hrtime() + options->timeout * SECOND : 0;
    uv_timer_start(&r.tick, on_tick, 0, 0);
    uv_run(&r.loop, UV_RUN_DEFAULT);
    world_end(&r);
    end_run(&r, result);
    if (r.world_failed && world_starts(&r) && spool_count(&r.spool) <= 1) { /* it never began */
        *e = r.world_error;
        release(&r, false);
        return false;
    }
    if (r.world_failed) {
        result->failure = r.world_error;
        result->exit_code = r.world_error.exit_code;
    }
    release(&r, result->kept);
    malloc_trim(0); /* the caller may make the rows now */
    return true;
}
