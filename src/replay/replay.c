#include "replay/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/launch.h"
#include "replay/session.h"
#include "store/redact.h"

#define PATIENCE 30               /* seconds */
#define PATIENCE_AT_END 2         /* once all events have happened: it was killed while it computed */
#define TICK 100000000L           /* ns between looks at what runs */
#define TICK_OTHER_BUILD 200000L  /* the same where it asks whether it may go on */
#define TICK_TO_EVENT 2000000L    /* the same where somebody waits for it to come to an event */

/* Signals that are taken in turn instead of interrupting. */
static void signals_taken(sigset_t *set)
{
    sigemptyset(set);
    const int taken[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(set, taken[i]);
}

static bool make_tables(struct replay *r)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    r->slots = r->options.jobs ? r->options.jobs : processors > 0 ? (size_t)processors : 1;
    r->slot = calloc(r->slots, sizeof *r->slot);
    r->result = calloc(r->count + 1, sizeof *r->result);
    r->header = calloc(r->count + 1, sizeof *r->header);
    r->wait_status = calloc(r->count + 1, sizeof *r->wait_status);
    for (size_t i = 0; r->wait_status && i < r->count; i++)
        r->wait_status[i] = -1;
    return r->slot && r->result && r->header && r->wait_status;
}

/* Is there a stream for this process and, if it was forked, for all in whose program it begins? */
static bool has_stream(const struct replay *r, size_t i)
{
    while (r->process[i].events && r->process[i].number) {
        if (!r->process[i].forked)
            return true;
        size_t parent = replay_plan_index(r->process, r->count, r->process[i].parent);
        if (parent >= i)
            return true; /* no parent: replay_plan_make says what is wrong */
        i = parent;
    }
    return false;
}

/* Without a stream there is nothing to re-drive, and process 0 is the recorder: its stream is a list of faults. */
static bool *choose(struct replay *r)
{
    bool *wanted = calloc(r->count + 1, sizeof *wanted);
    for (size_t i = 0; wanted && i < r->count; i++) {
        bool asked = !r->options.wanted || r->options.wanted[i];
        wanted[i] = asked && has_stream(r, i);
        r->result[i].outcome = asked && !wanted[i] && r->process[i].number ? REPLAY_UNRECORDED : REPLAY_SKIPPED;
    }
    return wanted;
}

struct replay *replay_create(struct store *s, const struct store_process *processes, size_t count,
                             const struct replay_options *options, struct drd_error *e)
{
    struct replay *r = calloc(1, sizeof *r);
    if (r)
        *r = (struct replay){ .store = s, .process = processes, .count = count, .options = *options };
    bool *wanted = r && make_tables(r) ? choose(r) : NULL;
    bool ok = wanted ? replay_plan_make(&r->plan, processes, count, wanted, e) : error_set(e, DRD_EXIT_FATAL, "out of memory");
    free(wanted);
    if (ok)
        return r;
    replay_destroy(r);
    return NULL;
}

static bool is_wanted(const struct replay *r, size_t i)
{
    return !r->options.wanted || r->options.wanted[i];
}

void session_echo(const struct replay *r, size_t i, struct replay_file *file)
{
    if (!r->options.debugger)
        return;
    snprintf(file->echo_name, sizeof file->echo_name, "%s", r->process[i].node);
    file->echo_base = r->process[i].event_base;
}

static bool stage_member(struct replay *r, size_t i, struct drd_error *e)
{
    const struct store_process *p = &r->process[i];
    bool is_target = r->options.until_process == p->number;
    uint64_t until = is_target ? r->options.until : UINT64_MAX;
    uint64_t fork_end;
    r->header[i] = stage_expand(&r->stage, r->store, p, until, e);
    if (!r->header[i] || !session_scan(r, i, &fork_end, e))
        return false;
    if (!is_wanted(r, i) && fork_end)
        r->header[i]->until = fork_end;
    r->header[i]->wait_for_debugger = is_target && (r->options.debugger || r->options.at_event);
    r->header[i]->echo = r->options.echo && is_wanted(r, i);
    session_echo(r, i, r->header[i]);
    r->header[i]->other_build = r->options.other_build != NULL;
    return true;
}

bool session_launch(struct replay *r, struct slot *slot, struct drd_error *e)
{
    size_t root = slot->group->member[0];
    char stream[sizeof r->stage.path + 32], errors[sizeof r->stage.path + 32];
    struct manifest m;
    if (!session_manifest(r, root, &m, e))
        return false;
    if (r->options.other_build && !manifest_other_build(&m, r->options.other_build, r->options.other_shim))
        return manifest_fini(&m), error_set(e, DRD_EXIT_FATAL, "out of memory");
    stage_file(&r->stage, r->process[root].number, "", stream, sizeof stream);
    stage_file(&r->stage, r->process[root].number, ".err", errors, sizeof errors);
    struct launch launch = { .manifest = &m, .stream = stream, .errors = errors,
                             .echo = r->header[root]->echo || r->options.debugger, .root = session_root(r),
                             .stage = r->stage.path };
    bool ok = launch_program(&launch, &slot->leader, e);
    manifest_fini(&m);
    return ok;
}

static bool group_launch(struct replay *r, struct slot *slot, struct drd_error *e)
{
    for (size_t i = 0; i < slot->group->members; i++)
        if (!stage_member(r, slot->group->member[i], e))
            return false;
    return session_launch(r, slot, e);
}

/* The first line the loader wrote says why a program did not even start. */
static void add_loader_message(const struct replay *r, size_t i)
{
    char path[sizeof r->stage.path + 32], line[160];
    struct replay_result *result = &r->result[i];
    stage_file(&r->stage, r->process[i].number, ".err", path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return;
    line[n] = 0;
    line[strcspn(line, "\n")] = 0;
    size_t used = strlen(result->what);
    snprintf(result->what + used, sizeof result->what - used, ": %s", line);
}

static void group_end(struct replay *r, struct slot *slot)
{
    for (size_t k = 0; k < slot->group->members; k++) {
        size_t i = slot->group->member[k];
        struct replay_file *file = r->header[i];
        if (!file)
            continue;
        r->done_events += file->events;
        /* what stands between a wanted process and its program is told only where it failed */
        replay_judge(&r->result[i], &r->process[i], file, r->wait_status[i], slot->hung);
        if (r->result[i].outcome == REPLAY_IMPOSSIBLE)
            add_loader_message(r, i);
        if (!is_wanted(r, i) && (r->result[i].outcome == REPLAY_AT_EVENT || r->result[i].outcome == REPLAY_IDENTICAL))
            r->result[i].outcome = REPLAY_SKIPPED;
        stage_drop(&r->stage, r->process[i].number, file);
        r->header[i] = NULL;
    }
    *slot = (struct slot){ 0 };
}

/* A group that cannot be started is a result of its own: the others go on. */
static void group_fail(struct replay *r, struct slot *slot, const struct drd_error *failure)
{
    for (size_t k = 0; k < slot->group->members; k++) {
        size_t i = slot->group->member[k];
        r->result[i] = (struct replay_result){ .outcome = REPLAY_IMPOSSIBLE, .wait_status = -1 };
        snprintf(r->result[i].what, sizeof r->result[i].what, "%.255s", failure->message);
        stage_drop(&r->stage, r->process[i].number, r->header[i]);
        r->header[i] = NULL;
    }
    *slot = (struct slot){ 0 };
}

static void group_start(struct replay *r, struct slot *slot)
{
    struct drd_error failure = { 0 };
    *slot = (struct slot){ .group = &r->plan.group[r->next_group++] };
    if (!group_launch(r, slot, &failure))
        group_fail(r, slot, &failure);
    else
        slot->moved = session_now();
}

static void note_end(struct replay *r, const struct slot *slot, pid_t pid, int status)
{
    for (size_t k = 0; k < slot->group->members; k++) {
        size_t i = slot->group->member[k];
        if (k == 0 ? pid == slot->leader : r->header[i]->pid == (uint32_t)pid)
            r->wait_status[i] = status;
    }
}

/* Forked processes become our children when their parents end (subreaper), and stay in the process group of the first:
 * once that has no child of ours left, all of it has ended. */
static void group_reap(struct replay *r, struct slot *slot)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-slot->leader, &status, WNOHANG)) > 0)
        note_end(r, slot, pid, status);
    if (pid < 0 && errno == ECHILD)
        group_end(r, slot);
}

static uint64_t group_events(const struct replay *r, const struct slot *slot)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < slot->group->members; k++)
        sum += __atomic_load_n(&r->header[slot->group->member[k]]->events, __ATOMIC_RELAXED);
    return sum;
}

static uint64_t group_patience(const struct replay *r, const struct slot *slot)
{
    unsigned seconds = r->options.patience ? r->options.patience : PATIENCE;
    bool at_end = true;
    for (size_t k = 0; k < slot->group->members; k++) {
        size_t i = slot->group->member[k];
        at_end = at_end && r->header[i]->events >= replayable(&r->process[i]);
    }
    return (at_end && seconds > PATIENCE_AT_END ? PATIENCE_AT_END : seconds) * 1000000000ull;
}

static void group_watch(struct replay *r, struct slot *slot)
{
    uint64_t now = session_now();
    uint64_t events = group_events(r, slot);
    if (events != slot->events) {
        slot->events = events;
        slot->moved = now;
    } else if (now - slot->moved > group_patience(r, slot) && !slot->hung) {
        slot->hung = true;
        kill(-slot->leader, SIGKILL);
    }
}

/* True while something runs or waits to. */
static bool step(struct replay *r)
{
    bool busy = false;
    uint64_t events = r->done_events;
    for (size_t k = 0; k < r->slots; k++) {
        struct slot *slot = &r->slot[k];
        if (slot->group)
            group_reap(r, slot);
        while (!slot->group && r->next_group < r->plan.groups)
            group_start(r, slot);
        if (!slot->group)
            continue;
        group_watch(r, slot);
        events += slot->events;
        busy = true;
    }
    if (r->options.progress)
        r->options.progress(r->options.context, events);
    return busy;
}

static void kill_all(struct replay *r)
{
    for (size_t k = 0; k < r->slots; k++) {
        struct slot *slot = &r->slot[k];
        if (!slot->group)
            continue;
        kill(-slot->leader, SIGKILL);
        while (waitpid(-slot->leader, NULL, 0) > 0)
            ;
        group_end(r, slot);
    }
}

/* Another build that waits where it gave other data away, or did something else. True: it is a departure. */
static bool departed(struct replay *r)
{
    for (size_t i = 0; r->options.other_build && i < r->count; i++) {
        struct replay_file *file = r->header[i];
        if (!file || __atomic_load_n(&file->state, __ATOMIC_ACQUIRE) != REPLAY_DIVERGED)
            continue;
        bool data = file->argument < 6;
        if (!r->options.departs || r->options.departs(r->options.context, file) || !data)
            return true;
        __atomic_store_n(&file->state, REPLAY_RUNNING, __ATOMIC_RELEASE);
    }
    return false;
}

/* Does the process wait at its event? Then its hour has come. */
static bool at_event(struct replay *r)
{
    size_t i = replay_plan_index(r->process, r->count, r->options.until_process);
    const struct replay_file *file = r->options.at_event && i < r->count ? r->header[i] : NULL;
    if (!file || __atomic_load_n(&file->state, __ATOMIC_ACQUIRE) != REPLAY_STOPPED)
        return false;
    r->options.at_event(r->options.context, file);
    return true;
}

static bool took_too_long(struct replay *r, uint64_t begin)
{
    if (!r->options.longest || session_now() - begin < r->options.longest * 1000000000ull)
        return false;
    for (size_t k = 0; k < r->slots; k++)
        r->slot[k].hung = true;
    return true;
}

static bool drive(struct replay *r, struct drd_error *e)
{
    sigset_t taken;
    uint64_t begin = session_now();
    signals_taken(&taken);
    while (step(r)) {
        const struct timespec tick = { .tv_nsec = r->options.other_build ? TICK_OTHER_BUILD
                                                  : r->options.at_event ? TICK_TO_EVENT : TICK };
        if (r->options.debugger && r->slot[0].group)
            return session_debug(r, &r->slot[0], e);
        if (departed(r) || at_event(r) || took_too_long(r, begin))
            return true;
        int signo = sigtimedwait(&taken, NULL, &tick);
        if (signo > 0 && signo != SIGCHLD)
            return error_set(e, (enum drd_exit)(128 + signo), "interrupted by SIG%s", sigabbrev_np(signo));
    }
    return true;
}

bool replay_run(struct replay *r, struct drd_error *e)
{
    sigset_t taken;
    if (redact_is(r->store))
        return error_set(e, DRD_EXIT_CANNOT, "%s was redacted: what its processes were given is not in it, so that they cannot be "
                         "re-driven; explain, diff, blame and triage work", store_path(r->store));
    if (!stage_init(&r->stage, e))
        return false;
    if (!session_check(r, e)) {
        stage_fini(&r->stage);
        return false;
    }
    struct sigaction child = { .sa_handler = SIG_DFL }, old_child;
    sigaction(SIGCHLD, &child, &old_child); /* where it was ignored, nobody would tell us how they ended */
    signals_taken(&taken);
    sigprocmask(SIG_BLOCK, &taken, &r->old_mask);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    bool ok = drive(r, e);
    kill_all(r);
    stage_fini(&r->stage);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    const struct timespec now = { 0 };
    while (sigtimedwait(&taken, NULL, &now) > 0) /* those that came meanwhile have been seen to */
        ;
    sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
    sigaction(SIGCHLD, &old_child, NULL);
    return ok;
}

const struct replay_result *replay_result(const struct replay *r, size_t index)
{
    return &r->result[index];
}

int replay_verdict(const struct replay *r)
{
    int verdict = DRD_EXIT_OK;
    for (size_t i = 0; i < r->count; i++)
        switch (r->result[i].outcome) {
        case REPLAY_DIFFERS: case REPLAY_DIED:
            return DRD_EXIT_DIFFERS;
        case REPLAY_HUNG: case REPLAY_NOT_BORN: case REPLAY_IMPOSSIBLE:
            verdict = DRD_EXIT_CANNOT;
            break;
        case REPLAY_SKIPPED: case REPLAY_UNRECORDED: case REPLAY_IDENTICAL: case REPLAY_AT_EVENT:
            break;
        }
    return verdict;
}

void replay_destroy(struct replay *r)
{
    if (!r)
        return;
    replay_plan_fini(&r->plan);
    free(r->slot);
    free(r->result);
    free(r->header);
    free(r->wait_status);
    free(r);
}
