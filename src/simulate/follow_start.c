/* The processes that live at the moment that following ends are re-driven up to it, each from its stream so far, which stands in
 * the spool of the new run as if it had been recorded there. */
#include "simulate/follow_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "replay/launch.h"
#include "replay/plan.h"
#include "replay/stage.h"
#include "trace/spool.h"

#define PATIENCE 30          /* s without progress */
#define NOBODY (1u << 30)    /* above any process id: processes that are no more, and have no end in their streams */

struct birth {
    struct follow *follow;
    struct stage stage;
    struct replay_plan plan;
    bool *alive;
    struct replay_file **header; /* by lane, NULL: not started */
    struct spool_run *run;
    pid_t *leader;               /* of each group */
};

/* ---- who lives ---- */

static bool lives(const struct lane *l)
{
    return l->begun && l->process && l->process->state == PROCESS_ALIVE;
}

/* The asynchronous operations that are under way, as they are fetched later in the recording: then they say what they are. */
static void fetched_take(struct lane *l, const struct trace_event *event)
{
    struct trace_bytes out = event->output[3];
    if (event->code != SYS_io_getevents && event->code != SYS_io_pgetevents)
        return;
    for (int64_t i = 0; i < event->result && l->under_ways < l->in_flight && l->under_ways < UNDER_WAY_MOST; i++) {
        if (out.length < (size_t)(i + 1) * sizeof l->under_way->event)
            return;
        l->under_way[l->under_ways].context = (uint64_t)event->argument[0];
        memcpy(&l->under_way[l->under_ways++].event, out.data + (size_t)i * sizeof l->under_way->event, sizeof l->under_way->event);
    }
}

static bool under_way_find(struct follow *f, struct lane *l)
{
    struct trace_event event = l->next;
    int more = l->has_next;
    for (; more == 1 && l->under_ways < l->in_flight && l->under_ways < UNDER_WAY_MOST; more = stream_next(l->stream, &event, &f->error))
        fetched_take(l, &event);
    return more >= 0;
}

static bool can_go_on(struct follow *f, struct lane *l)
{
    if (l->row->incomplete_reason && l->over)
        return error_set(&f->error, DRD_EXIT_CANNOT, "cannot go on from this recording: %s was recorded in part only: %s", l->row->node,
                         l->row->incomplete_reason);
    if (l->maps)
        return error_set(&f->error, DRD_EXIT_CANNOT, "cannot go on from this recording: %s writes to a file that it has mapped (mmap)", l->row->node);
    return l->in_flight <= 0 || under_way_find(f, l);
}

static bool choose_alive(struct birth *b)
{
    struct follow *f = b->follow;
    if (!strangers_end(f))
        return false;
    b->alive = calloc(f->count + 1, sizeof *b->alive);
    b->header = calloc(f->count + 1, sizeof *b->header);
    if (!b->alive || !b->header)
        return error_set(&f->error, DRD_EXIT_CANNOT, "out of memory");
    for (size_t i = 0; i < f->count; i++) {
        b->alive[i] = lives(&f->lane[i]);
        if (b->alive[i] && !can_go_on(f, &f->lane[i]))
            return false;
    }
    if (f->target && !lives(f->target))
        return follow_fail(f, f->target, &f->target->next, "its process has ended by then");
    return replay_plan_make(&b->plan, f->row, f->count, b->alive, &f->error);
}

/* ---- the spool ---- */

static bool all_write(int fd, const uint8_t *data, size_t size, off_t at)
{
    for (ssize_t n; size; data += n, size -= (size_t)n, at += n)
        if ((n = pwrite(fd, data, size, at)) <= 0)
            return false;
    return true;
}

static bool segment_write(struct follow *f, uint32_t process, uint64_t segment, const uint8_t *data, size_t size)
{
    char name[32];
    snprintf(name, sizeof name, "%06u.%06llu", process, (unsigned long long)segment);
    int fd = openat(f->m->directory, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && !ftruncate(fd, SPOOL_SEGMENT) && all_write(fd, data, size, 0);
    if (fd >= 0)
        close(fd);
    return ok || error_set_errno(&f->error, DRD_EXIT_CANNOT, "the spool of the run");
}

static bool stream_write(struct follow *f, const struct lane *l)
{
    for (size_t at = 0; at < l->done.size; at += SPOOL_SEGMENT) {
        size_t left = l->done.size - at;
        if (!segment_write(f, l->row->number, at / SPOOL_SEGMENT, l->done.data + at, left < SPOOL_SEGMENT ? left : SPOOL_SEGMENT))
            return false;
    }
    return true;
}

static bool spool_open(struct birth *b)
{
    struct follow *f = b->follow;
    int fd = openat(f->m->directory, "run", O_RDWR | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *b->run, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return error_set_errno(&f->error, DRD_EXIT_CANNOT, "the spool of the run");
    b->run = map;
    for (size_t i = 0; i < f->count; i++) {
        struct lane *l = &f->lane[i];
        if (!l->begun || !l->row->number)
            continue;
        if (l->over && !lives(l) && l->draft.size) { /* behind the whole records */
            size_t whole = l->done.size;
            if (!bytes_append(&l->done, l->draft.data, l->draft.size) || !stream_write(f, l))
                return error_set(&f->error, DRD_EXIT_CANNOT, "out of memory");
            l->done.size = whole;
        } else if (!stream_write(f, l)) {
            return false;
        }
    }
    return true;
}

static uint32_t node_number(struct spool_run *run, const char *name)
{
    if (!*name)
        return 0;
    for (uint32_t i = 1; i < run->node_count; i++)
        if (!strcmp(run->node[i], name))
            return i;
    if (run->node_count == SPOOL_NODES)
        return 0;
    snprintf(run->node[run->node_count], SPOOL_NAME, "%s", name);
    return run->node_count++;
}

/* The node that its program was started as: its own name, not that which is shown. */
static const char *node_name(const struct follow *f, const struct lane *l)
{
    const struct machine *m = f->m;
    return l->node && l->node < m->nodes ? m->node[l->node].name : "";
}

static uint32_t lane_pid(struct birth *b, size_t i)
{
    struct follow *f = b->follow;
    struct lane *l = &f->lane[i];
    if (b->alive[i])
        return b->header[i]->pid;
    if (l->ended)
        return (uint32_t)l->row->pid;
    for (size_t k = i + 1; l->execed && k < f->count; k++)
        if (f->lane[k].begun && f->row[k].parent == l->row->number && f->row[k].same_pid)
            return lane_pid(b, k);
    return NOBODY + (uint32_t)i;
}

static void slot_fill(struct birth *b, size_t i)
{
    struct lane *l = &b->follow->lane[i];
    struct spool_process *slot = &b->run->process[l->row->number];
    const char *name = strrchr(l->row->exe, '/');
    slot->pid = lane_pid(b, i);
    slot->parent = l->row->parent;
    slot->node = node_number(b->run, node_name(b->follow, l));
    slot->start = l->row->start;
    slot->status = l->ended ? l->row->status >> 8 & 0xff : -1;
    snprintf(slot->name, sizeof slot->name, "%s", name ? name + 1 : l->row->exe);
    slot->head = l->done.size;
    slot->events = l->events;
    slot->draft = l->over && !b->alive[i] ? l->draft.size : 0;
    __atomic_store_n(&slot->state, l->ended ? SPOOL_ENDED : l->execed ? SPOOL_EXECED : SPOOL_RUNNING, __ATOMIC_RELEASE);
}

/* The recorder sees none of them before all are as they should be: it names them in the order of their numbers. */
static void slots_fill(struct birth *b)
{
    struct follow *f = b->follow;
    uint32_t next = 1;
    for (size_t i = 0; i < f->count; i++) {
        if (!f->lane[i].begun || !f->row[i].number)
            continue;
        slot_fill(b, i);
        if (f->row[i].number >= next)
            next = f->row[i].number + 1;
    }
    __atomic_store_n(&b->run->next_process, next, __ATOMIC_RELEASE);
}

/* ---- re-driving ---- */

static bool member_stage(struct birth *b, size_t i)
{
    struct follow *f = b->follow;
    struct lane *l = &f->lane[i];
    char path[sizeof b->stage.path + 32];
    stage_file(&b->stage, l->row->number, "", path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t size = (REPLAY_HEADER + l->done.size + 4095) & ~4095ul;
    bool written = fd >= 0 && all_write(fd, l->done.data, l->done.size, REPLAY_HEADER);
    void *map = !written || ftruncate(fd, (off_t)size) ? MAP_FAILED
                                                               : mmap(NULL, REPLAY_HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return error_set_errno(&f->error, DRD_EXIT_CANNOT, "%s", path);
    b->header[i] = map;
    stage_header(b->header[i], &b->stage, l->row->number, l->done.size, UINT64_MAX);
    b->header[i]->follow = b->alive[i] ? FOLLOW_ON : FOLLOW_TO_END;
    b->header[i]->follow_stamp = l->stamp;
    return true;
}

static bool group_start(struct birth *b, size_t g)
{
    struct follow *f = b->follow;
    const struct replay_plan_group *group = &b->plan.group[g];
    struct lane *l = &f->lane[group->member[0]];
    char stream[sizeof b->stage.path + 32], errors[sizeof b->stage.path + 32];
    struct manifest m = {0};
    for (size_t i = 0; i < group->members; i++)
        if (!member_stage(b, group->member[i]))
            return false;
    const uint8_t *end = unpack_skip(l->done.data, l->done.data + l->done.size);
    if (!end || !manifest_parse(&m, l->done.data, (size_t)(end - l->done.data), &f->error))
        return f->error.exit_code ? false : error_set(&f->error, DRD_EXIT_FATAL, "%s: damaged", l->row->node);
    stage_file(&b->stage, l->row->number, "", stream, sizeof stream);
    stage_file(&b->stage, l->row->number, ".err", errors, sizeof errors);
    struct launch launch = {.manifest = &m, .stream = stream, .errors = errors, .stage = b->stage.path, .spool = f->m->directory};
    bool ok = manifest_check_machine(&m, &f->error) && manifest_check_files(&m, &f->error) &&
              launch_program(&launch, &b->leader[g], &f->error);
    manifest_fini(&m);
    return ok || error_wrap(&f->error, "%s", l->row->node);
}

/* Where each thread asks. */
static void mails_address(struct birth *b)
{
    struct follow *f = b->follow;
    for (size_t i = 0; i < f->count; i++) {
        if (!b->alive[i])
            continue;
        for (struct task *t = f->m->tasks; t; t = t->next) {
            struct mail *mail = task_mail(f->m, t);
            if (t->process != f->lane[i].process)
                continue;
            mail->stream = f->row[i].number;
            mail->number = t->number;
            mail->arg[0] = t->process->home;
        }
    }
}

static uint64_t events_sum(const struct birth *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < b->follow->count; i++)
        sum += b->header[i] ? __atomic_load_n(&b->header[i]->events, __ATOMIC_RELAXED) : 0;
    return sum;
}

static bool went_wrong(struct birth *b, size_t i)
{
    struct follow *f = b->follow;
    const struct replay_file *h = b->header[i];
    const struct trace_event event = {.sequence = h->events, .call = -1, .code = h->call};
    char name[100];
    event_name(&f->row[i], event.sequence, name, sizeof name);
    return error_set(&f->error, DRD_EXIT_CANNOT, "cannot go on from this recording: at %s the program did something else: %.200s: recorded %.100s, "
                     "now %.100s", name, h->what, h->expected, h->got);
}

/* 1: all are where they should be, 0: not yet, -1: never. */
static int arrived(struct birth *b)
{
    struct follow *f = b->follow;
    int all = 1;
    for (size_t i = 0; i < f->count; i++) {
        if (!b->header[i])
            continue;
        uint32_t state = __atomic_load_n(&b->header[i]->state, __ATOMIC_ACQUIRE);
        if (state == REPLAY_DIVERGED || state == REPLAY_FAILED)
            return went_wrong(b, i), -1;
        if (b->alive[i] && state != REPLAY_GOES_ON)
            all = 0;
    }
    return all;
}

static bool await(struct birth *b)
{
    struct follow *f = b->follow;
    const struct timespec pause = {0, 1000000};
    uint64_t seen = 0;
    for (unsigned still = 0; still < PATIENCE * 1000; still++) {
        int all = arrived(b);
        if (all)
            return all > 0;
        if (events_sum(b) != seen)
            seen = events_sum(b), still = 0;
        nanosleep(&pause, NULL);
    }
    for (size_t i = 0; i < f->count; i++)
        if (b->alive[i] && b->header[i]->state != REPLAY_GOES_ON)
            return error_set(&f->error, DRD_EXIT_CANNOT, "cannot go on from this recording: %s does not get as far as it got then (%llu of %llu events)",
                             f->row[i].node, (unsigned long long)b->header[i]->events, (unsigned long long)f->lane[i].events);
    return true;
}

/* Those that were needed only to fork others end by themselves. */
static void helpers_reap(struct birth *b)
{
    for (size_t i = 0; i < b->follow->count; i++)
        if (b->header[i] && !b->alive[i] && b->header[i]->pid)
            waitpid((pid_t)b->header[i]->pid, NULL, __WALL);
}

static void all_kill(struct birth *b)
{
    for (size_t g = 0; b->leader && g < b->plan.groups; g++)
        if (b->leader[g] > 0) {
            kill(-b->leader[g], SIGKILL);
            while (waitpid(-b->leader[g], NULL, __WALL) > 0)
                ;
        }
}

static void process_arrives(struct follow *f, struct lane *l, pid_t pid)
{
    l->process->real = pid;
    for (int i = 0; i < l->under_ways; i++)
        disk_under_way(f->m, l->process, l->under_way[i].context, &l->under_way[i].event);
}

static bool processes_start(struct birth *b)
{
    struct follow *f = b->follow;
    b->leader = calloc(b->plan.groups + 1, sizeof *b->leader);
    bool ok = b->leader && stage_init(&b->stage, &f->error);
    mails_address(b);
    for (size_t g = 0; ok && g < b->plan.groups; g++)
        ok = group_start(b, g);
    if (!ok || !await(b)) {
        all_kill(b);
        return false;
    }
    helpers_reap(b);
    for (size_t i = 0; i < f->count; i++)
        if (b->alive[i])
            process_arrives(f, &f->lane[i], (pid_t)b->header[i]->pid);
    return true;
}

static void first_turn(struct follow *f)
{
    for (struct task *t = f->m->tasks; f->target && t; t = t->next)
        if (t->process == f->target->process && (t->number == f->target->next.thread || !f->m->first))
            f->m->first = t;
}

bool follow_start(struct follow *f, struct drd_error *e)
{
    struct birth b = {.follow = f};
    bool ok = choose_alive(&b) && spool_open(&b) && processes_start(&b);
    if (ok) {
        slots_fill(&b);
        first_turn(f);
    } else {
        *e = f->error;
    }
    for (size_t i = 0; b.header && i < f->count; i++)
        if (b.header[i])
            stage_drop(&b.stage, f->row[i].number, b.header[i]);
    stage_fini(&b.stage);
    if (b.run)
        munmap(b.run, sizeof *b.run);
    replay_plan_fini(&b.plan);
    free(b.alive);
    free(b.header);
    free(b.leader);
    return ok;
}
