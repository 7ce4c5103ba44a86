/* A thread that has its turn and never asks: it computes, for ever as far as anyone can tell. It is named, with the place where it is. */
#include "simulate/machine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "replay/frames.h"
#include "trace/spool.h"

#define STILL_MOST (120 * SECOND) /* it does not even compute: something real holds it up, which a busy machine may do for a while */
#define ANSWER_TIME 2  /* s of ours until the shim has said where it is */

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec ts;
    return clock_gettime(clock, &ts) ? 0 : (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* What the process has computed in all. 0: it is gone. */
static uint64_t computed(pid_t pid)
{
    clockid_t clock;
    return pid && !clock_getcpuclockid(pid, &clock) ? clock_ns(clock) : 0;
}

/* The thread that runs: the others of the process wait for their turn. */
static pid_t running_thread(pid_t pid)
{
    char path[64], line[512];
    pid_t found = pid;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *all = opendir(path);
    for (struct dirent *one; all && (one = readdir(all));) {
        char stat[400];
        snprintf(stat, sizeof stat, "/proc/%d/task/%s/stat", (int)pid, one->d_name);
        FILE *in = fopen(stat, "re");
        const char *end = in && fgets(line, sizeof line, in) ? strrchr(line, ')') : NULL;
        if (end && end[1] && end[2] == 'R')
            found = (pid_t)atoi(one->d_name);
        if (in)
            fclose(in);
    }
    if (all)
        closedir(all);
    return found;
}

/* ": in FUNCTION (FILE:LINE)", "" if it cannot be told. */
static void where(struct machine *m, pid_t pid, char *text, size_t size)
{
    struct replay_file at = {.pid = (uint32_t)pid};
    struct replay_frame frame[8];
    char note[256];
    size_t found = 0;
    uint64_t end = clock_ns(CLOCK_MONOTONIC) + ANSWER_TIME * SECOND;
    *text = 0;
    m->box->registers_are_there = 0;
    if (!pid || syscall(SYS_tgkill, pid, running_thread(pid), SIGSYS))
        return;
    while (!__atomic_load_n(&m->box->registers_are_there, __ATOMIC_ACQUIRE) && clock_ns(CLOCK_MONOTONIC) < end)
        nanosleep(&(struct timespec){0, 1000 * 1000}, NULL);
    if (!m->box->registers_are_there)
        return;
    memcpy(at.registers, m->box->registers, sizeof at.registers);
    replay_frames_live(&at, frame, sizeof frame / sizeof *frame, &found, note);
    if (!found)
        return;
    const struct replay_frame *f = &frame[0];
    const char *slash = strrchr(f->file, '/');
    if (*f->file && f->line)
        snprintf(text, size, ": in %.120s (%.120s:%u)", f->function, slash ? slash + 1 : f->file, f->line);
    else if (*f->function)
        snprintf(text, size, ": in %s of %s", f->function, f->object);
    else
        snprintf(text, size, ": at %s+0x%llx", f->object, (unsigned long long)f->offset);
}

void process_called(const struct machine *m, const struct process *p, char *text, size_t size)
{
    if (p->node)
        snprintf(text, size, "node %.60s (%.16s, process %u)", m->node[p->node].name, p->name, p->pid);
    else
        snprintf(text, size, "%.16s (process %u)", p->name, p->pid);
}

bool spin_look(struct machine *m, const struct process *p, struct spin *s, struct drd_error *e)
{
    char place[320], who[96];
    uint64_t patience = m->options.patience ? m->options.patience : SPIN_PATIENCE, now = computed(p->real);
    if (!s->began || s->pid != p->real || now < s->computed)
        *s = (struct spin){clock_ns(CLOCK_MONOTONIC), now, p->real};
    bool spins = now && now - s->computed >= patience;
    if (!spins && clock_ns(CLOCK_MONOTONIC) - s->began < STILL_MOST + 2 * patience)
        return true;
    where(m, p->real, place, sizeof place);
    process_called(m, p, who, sizeof who);
    if (!spins)
        return error_set(e, DRD_EXIT_CANNOT, "%s has stood still for %llu s of real time without a system call%s", who,
                         (unsigned long long)((STILL_MOST + 2 * patience) / SECOND), place);
    return error_set(e, DRD_EXIT_CANNOT, "%s has computed for %llu s without a system call: a node that only spins cannot be simulated%s",
                     who, (unsigned long long)(patience / SECOND), place);
}
