/* Re-driving the processes of a run from their streams alone: docs/drd-replay.md, design section 5.
 *
 *   plan      which programs to start for the processes that are wanted     (plan.h)
 *   manifest  is everything here that was recorded                          (manifest.h)
 *   stage     a private directory with the expanded streams                 (stage.h)
 *   launch    a program at the recorded addresses                           (launch.h)
 *   replay    several at a time, watched until all have ended               (this file)
 *
 * The shim inside each process compares and writes its verdict into the header of its file (struct replay_file). */
#ifndef DRD_REPLAY_REPLAY_H
#define DRD_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "store/store.h"
#include "trace/spool.h"

/* The process that gdb is on. */
struct replay_debugged;
const struct replay_file *replay_debugged_file(const struct replay_debugged *d);
/* Where it is to stop next; UINT64_MAX: nowhere. */
void replay_debugged_until(struct replay_debugged *d, uint64_t sequence);
/* Re-drive another one up to an event, in place of this one, which is ended: the way back. */
bool replay_debugged_restart(struct replay_debugged *d, uint64_t sequence, struct drd_error *e);

enum replay_outcome {
    REPLAY_SKIPPED,    /* not wanted */
    REPLAY_UNRECORDED, /* nothing to replay: no stream */
    REPLAY_IDENTICAL,  /* equal to the last event */
    REPLAY_AT_EVENT,   /* equal up to the event that was asked for */
    REPLAY_DIFFERS,    /* did something else: what, expected, got */
    REPLAY_DIED,       /* ended in the middle of the stream, by signal or exit */
    REPLAY_HUNG,       /* no progress within the patience */
    REPLAY_NOT_BORN,   /* a forked process whose parent did not come to the fork */
    REPLAY_IMPOSSIBLE, /* could not be started or could not go on: what */
};

struct replay_result {
    enum replay_outcome outcome;
    uint64_t events;        /* consumed */
    uint32_t thread;        /* that was running */
    int32_t call, expected_call;
    uint32_t argument;      /* as struct replay_file */
    uint64_t offset;
    int wait_status;        /* of REPLAY_DIED, as waitpid(2) gives it */
    char what[256];
    char expected[1024], got[1024];
};

struct replay_options {
    const bool *wanted;      /* by index into the processes; NULL: all */
    uint32_t until_process;  /* number; 0: none */
    uint64_t until;          /* sequence of the first event not to happen */
    bool echo, force;
    unsigned jobs;           /* programs at a time; 0: one for each processor */
    unsigned patience;       /* seconds without progress before a program counts as hung; 0: 30 */
    void (*progress)(void *context, uint64_t events);   /* consumed so far, ten times a second; may be NULL */
    void (*notice)(void *context, const char *line);    /* a warning; may be NULL */
    void *context;
    char *const *debugger;   /* run gdb on the process at its event: more words for its command line, NULL: do not */
    /* What gdb's commands ask (replay/gdb.py), a line; so is the answer. */
    void (*answer)(void *context, struct replay_debugged *d, const char *request, FILE *out);
    /* Called once when the process waits at its event, which it goes on doing until this returns; then the replay ends. */
    void (*at_event)(void *context, const struct replay_file *file);
    /* Absolute path of another build of the program of the processes: it departs where what it does outside is not what was
     * recorded. Where data differs that it gives away, `departs` is called; false: it shall go on, as if it were equal. Where
     * anything else differs, too, but then the replay ends. NULL: the recorded program */
    const char *other_build;
    bool (*departs)(void *context, const struct replay_file *file);
    const char *other_shim;  /* and the libdrd_shim.so that it runs under */
    unsigned longest;        /* seconds after which whatever still runs counts as hung; 0: no such limit */
};

struct replay;
/* The processes are borrowed. Nothing is started yet. */
struct replay *replay_create(struct store *s, const struct store_process *processes, size_t count,
                             const struct replay_options *options, struct drd_error *e);
/* Check the machine and all files, then drive. False if it could not be done at all or was interrupted. */
bool replay_run(struct replay *r, struct drd_error *e);
const struct replay_result *replay_result(const struct replay *r, size_t index);
/* Exit code of the whole: DRD_EXIT_OK, _DIFFERS or _CANNOT. */
int replay_verdict(const struct replay *r);
void replay_destroy(struct replay *r); /* accepts NULL; ends what still runs */

/* What is known of a process when its replay has ended: the pure part, for tests. `wait_status` -1: never seen to end. */
void replay_judge(struct replay_result *out, const struct store_process *p, const struct replay_file *file,
                  int wait_status, bool hung);

#endif
