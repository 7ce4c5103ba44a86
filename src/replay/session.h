/* What the files of src/replay share about one replay. */
#ifndef DRD_REPLAY_SESSION_H
#define DRD_REPLAY_SESSION_H

#include <signal.h>
#include <time.h>

#include "replay/manifest.h"
#include "replay/plan.h"
#include "replay/replay.h"
#include "replay/root.h"
#include "replay/stage.h"

/* A started group. */
struct slot {
    const struct replay_plan_group *group; /* NULL: free */
    pid_t leader;                   /* also the number of its process group */
    uint64_t events;                /* consumed by all members when last looked at */
    uint64_t moved;                 /* ns: when that last changed */
    bool hung;
};

struct replay {
    struct store *store;
    const struct store_process *process;
    size_t count;
    struct replay_options options;
    struct replay_plan plan;
    struct stage stage;
    struct root root;              /* of a pack, once a file was missed here */
    struct replay_result *result;  /* by index, as all below */
    struct replay_file **header;   /* NULL where not staged */
    int *wait_status;              /* -1: not seen to end */
    uint64_t done_events;          /* of groups that have ended */
    struct slot *slot;
    size_t slots, next_group;
    sigset_t old_mask;
};

/* Whole events: the one that a killed process was in the middle of cannot be replayed. */
static inline uint64_t replayable(const struct store_process *p)
{
    return p->events - (p->draft && p->events ? 1 : 0);
}

static inline uint64_t session_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* check.c: the first record of a stream, and all of them against this machine. */
bool session_manifest(struct replay *r, size_t index, struct manifest *m, struct drd_error *e);
bool session_check(struct replay *r, struct drd_error *e);
void session_notice(struct replay *r, const char *line);
/* Something is not here as it was recorded. True if the run is a pack and its files are in place from now on; else `missing`
 * may say why they could not be. */
bool session_pack(struct replay *r, struct drd_error *missing);
/* The directory that the files of the processes are below; NULL: "/". */
const char *session_root(const struct replay *r);

/* scan.c: all libraries that the staged stream of a process says were mapped later, and the last fork that leads to a process
 * of the plan: an ancestor that nobody asked for may stop after it (*fork_end: sequence of the event behind it, or 0). */
bool session_scan(struct replay *r, size_t index, uint64_t *fork_end, struct drd_error *e);

/* What its output is marked with under a debugger. */
void session_echo(const struct replay *r, size_t index, struct replay_file *file);

/* Start the program of a group whose members are staged. */
bool session_launch(struct replay *r, struct slot *slot, struct drd_error *e);

/* debugger.c: once the process waits at its event, run gdb on it until the user leaves. */
bool session_debug(struct replay *r, struct slot *slot, struct drd_error *e);

#endif
