#include "replay/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/plan.h"
#include "replay/session.h"
#include "replay/stack.h"

#define LONGEST 10 /* seconds that a process may take to its event */

bool stack_read(const struct stack_process *p, uint64_t address, void *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(p->memory, (char *)to + done, size - done, (off_t)(address + done));
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* The process waits, all its threads with it. proc(5): its memory may be read by whoever may trace it, which its parent may. */
static void on_event(void *context, const struct replay_file *file)
{
    struct stack *s = context;
    char path[64];
    s->root = s->replay ? session_root(s->replay) : NULL;
    snprintf(path, sizeof path, "/proc/%u/mem", file->pid);
    struct stack_process p = { .file = file, .memory = open(path, O_RDONLY | O_CLOEXEC) };
    if (p.memory < 0) {
        snprintf(s->note, sizeof s->note, "the memory of the replayed process cannot be read: %s", strerror(errno));
        return;
    }
    stack_unwind(s, &p);
    close(p.memory);
    if (!s->frames)
        snprintf(s->note, sizeof s->note, "nothing of the program is on the stack there");
    else if (!*s->note)
        stack_note_packages(s);
}

/* Why the event was not reached, where nothing was found. */
static void note_outcome(struct stack *s, const struct replay_result *result)
{
    unsigned long long events = result->events;
    switch (result->outcome) {
    case REPLAY_AT_EVENT:
        break;
    case REPLAY_HUNG:
        snprintf(s->note, sizeof s->note, "the replay did not get there in %d s: it stands at event %llu", LONGEST, events);
        break;
    case REPLAY_DIFFERS: case REPLAY_DIED:
        snprintf(s->note, sizeof s->note, "the replay went another way at event %llu: %.160s", events,
                 *result->what ? result->what : "the process ended");
        break;
    case REPLAY_IMPOSSIBLE:
        snprintf(s->note, sizeof s->note, "no replay: %.240s", result->what);
        break;
    default:
        snprintf(s->note, sizeof s->note, "the replay ended before the event");
        break;
    }
}

/* False only for what is wrong with the run or was interrupted; what cannot be replayed is a note. */
static bool drive(struct stack *s, struct drd_error *e)
{
    struct drd_error failure = { 0 };
    size_t target = replay_plan_index(s->process, s->count, s->number);
    bool *wanted = calloc(s->count + 1, sizeof *wanted);
    if (!wanted)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    wanted[target] = true;
    struct replay_options options = {
        .wanted = wanted, .until_process = s->number, .until = s->sequence, .jobs = 1, .patience = LONGEST, .longest = LONGEST,
        .at_event = on_event, .context = s,
    };
    struct replay *r = s->replay = replay_create(s->store, s->process, s->count, &options, &failure);
    bool ok = r && replay_run(r, &failure);
    if (ok && !s->frames && !*s->note)
        note_outcome(s, replay_result(r, target));
    else if (!ok)
        snprintf(s->note, sizeof s->note, "no replay: %.240s", failure.message);
    replay_destroy(r);
    s->replay = NULL;
    free(wanted);
    if (ok || failure.exit_code == DRD_EXIT_CANNOT)
        return true;
    *e = failure;
    return false;
}

static bool read_stack(struct stack *s, struct drd_error *e)
{
    if (s->sequence == 0) {
        snprintf(s->note, sizeof s->note, "the process begins here: it has done nothing yet");
        return true;
    }
    if (!drive(s, e))
        return false;
    if (s->frames)
        kept_write(s);
    return true;
}

static void give(const struct stack *s, struct replay_frame *out, size_t max, size_t *found, char note[STACK_NOTE])
{
    for (*found = 0; *found < s->frames && *found < max; ++*found)
        out[*found] = s->frame[*found].frame;
    memcpy(note, s->note, STACK_NOTE);
}

static struct stack *stack_create(struct store *s, const struct store_process *processes, size_t count, uint32_t process,
                                  uint64_t sequence)
{
    struct stack *stack = calloc(1, sizeof *stack);
    if (stack)
        *stack = (struct stack){ .store = s, .process = processes, .count = count, .number = process, .sequence = sequence };
    return stack;
}

static void stack_destroy(struct stack *s)
{
    if (s)
        stack_objects_fini(s);
    free(s);
}

void replay_frames_live(const struct replay_file *file, struct replay_frame *out, size_t max, size_t *found, char note[256])
{
    struct stack *s = calloc(1, sizeof *s);
    *found = 0;
    *note = 0;
    if (!s)
        return;
    s->live = true;
    on_event(s, file);
    give(s, out, max, found, note);
    stack_destroy(s);
}

bool replay_frames(struct store *s, const struct store_process *processes, size_t count, uint32_t process, uint64_t sequence,
                   struct replay_frame *out, size_t max, size_t *found, char note[256], struct drd_error *e)
{
    *found = 0;
    *note = 0;
    size_t i = replay_plan_index(processes, count, process);
    if (i == count || sequence >= processes[i].events)
        return error_set(e, DRD_EXIT_FATAL, "no event %llu of process %u", (unsigned long long)sequence, process);
    struct stack *kept = stack_create(s, processes, count, process, sequence);
    struct stack *fresh = stack_create(s, processes, count, process, sequence);
    bool ok = (kept && fresh) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    bool known = ok && kept_read(kept);
    if (ok && (!known || kept->improvable))
        ok = read_stack(fresh, e);
    if (ok)
        give(known && !fresh->frames ? kept : fresh, out, max, found, note);
    stack_destroy(kept);
    stack_destroy(fresh);
    return ok;
}
