/* From what the shim wrote and how the process ended to an outcome. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "replay/session.h"

/* The shim ends the process itself, except where the recorded end was a signal that is raised again. */
static bool died_as_recorded(const struct store_process *p, const struct replay_file *file, int wait_status)
{
    if (file->events < replayable(p) || wait_status == -1)
        return false;
    return p->status == -1 || !p->complete || (wait_status & ~WCOREFLAG) == (p->status & ~WCOREFLAG);
}

static bool was_cut_short(const struct store_process *p)
{
    return !p->complete || p->status == -1 || WIFSIGNALED(p->status);
}

static enum replay_outcome outcome(const struct store_process *p, const struct replay_file *file, int wait_status, bool hung)
{
    switch ((enum replay_state)file->state) {
    case REPLAY_FINISHED:
        return REPLAY_IDENTICAL;
    case REPLAY_DIVERGED:
        return REPLAY_DIFFERS;
    case REPLAY_STOPPED:
        return REPLAY_AT_EVENT;
    case REPLAY_FAILED:
        return REPLAY_IMPOSSIBLE;
    case REPLAY_WAITING:
        return p->forked && wait_status == -1 ? REPLAY_NOT_BORN : hung ? REPLAY_HUNG : REPLAY_IMPOSSIBLE;
    case REPLAY_RUNNING: case REPLAY_FAULT: case REPLAY_GOES_ON:
        break;
    }
    if (hung) /* killed in a long computation then, and now */
        return file->events >= replayable(p) && was_cut_short(p) ? REPLAY_IDENTICAL : REPLAY_HUNG;
    return died_as_recorded(p, file, wait_status) ? REPLAY_IDENTICAL : REPLAY_DIED;
}

/* Strings in the shared header may have been left without an end by a process that went wild. */
static void text_copy(char *out, size_t size, const char *in, size_t in_size)
{
    size_t n = strnlen(in, in_size);
    if (n >= size)
        n = size - 1;
    memcpy(out, in, n);
    out[n] = 0;
}

void replay_judge(struct replay_result *out, const struct store_process *p, const struct replay_file *file,
                  int wait_status, bool hung)
{
    *out = (struct replay_result){
        .outcome = outcome(p, file, wait_status, hung), .events = file->events, .thread = file->thread,
        .call = file->call, .expected_call = file->expected_call, .argument = file->argument, .offset = file->offset,
        .wait_status = wait_status,
    };
    text_copy(out->what, sizeof out->what, file->what, sizeof file->what);
    text_copy(out->expected, sizeof out->expected, file->expected, sizeof file->expected);
    text_copy(out->got, sizeof out->got, file->got, sizeof file->got);
    if (out->outcome == REPLAY_IMPOSSIBLE && !out->what[0])
        snprintf(out->what, sizeof out->what, "the program ended before the shim took over");
}
