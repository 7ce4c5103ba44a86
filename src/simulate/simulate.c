#include "simulate/simulate.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simulate/machine.h"
#include "util/json.h"

struct simulation {
    struct machine_options options;
    struct machine *machine;
    struct recorder_notes notes;
    char *const *command;
};

/* ---- what the run follows from ---- */

static bool fact(struct simulation *s, const char *name, char *text, struct drd_error *e)
{
    bool ok = text ? s->notes.fact(s->notes.recorder, name, text, e) : error_set(e, DRD_EXIT_CANNOT, "out of memory");
    free(text);
    return ok;
}

static char *words_json(char *const *word)
{
    char *text = NULL;
    size_t size = 0;
    struct json_writer j;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    jw_init(&j, out);
    jw_array(&j);
    for (; word && *word; word++)
        jw_string(&j, *word);
    jw_end(&j);
    fclose(out);
    return text;
}

static char *seed_text(uint64_t seed)
{
    char *text;
    return asprintf(&text, "%llu", (unsigned long long)seed) < 0 ? NULL : text;
}

/* It is known by what was recorded; it cannot be simulated from a seed alone, so it has none. */
static bool facts_followed(struct simulation *s, struct drd_error *e)
{
    char command[4096] = "", directory[PATH_MAX] = "";
    follow_fact(s->options.follow, "command", command, sizeof command);
    follow_fact(s->options.follow, "directory", directory, sizeof directory);
    return fact(s, "follow_seed", seed_text(s->options.seed), e) && fact(s, "command", strdup(command), e) &&
           fact(s, "directory", strdup(directory), e) && (!s->options.plan || fact(s, "plan", plan_text(s->options.plan), e));
}

static bool facts_begin(struct simulation *s, struct drd_error *e)
{
    if (s->options.follow)
        return facts_followed(s, e);
    return fact(s, "seed", seed_text(s->options.seed), e) && fact(s, "argv", words_json(s->command), e) &&
           (!s->options.plan || fact(s, "plan", plan_text(s->options.plan), e));
}

/* ---- as the recorder asks for it ---- */

static bool begin(void *context, int directory, const struct recorder_notes *notes, struct drd_error *e)
{
    struct simulation *s = context;
    s->notes = *notes;
    s->options.note = notes->fault;
    s->options.note_context = notes->recorder;
    s->machine = machine_create(&s->options, directory, e);
    return s->machine && facts_begin(s, e);
}

static bool start(void *context, pid_t pid, const char *program, const char *node, struct drd_error *e)
{
    struct simulation *s = context;
    char directory[PATH_MAX];
    (void)node;
    if (!getcwd(directory, sizeof directory))
        return error_set_errno(e, DRD_EXIT_CANNOT, "current directory");
    return machine_start(s->machine, pid, program, directory, e);
}

/* How many changes of the plan at events came to nothing, where there are any: whoever asked for them must know. */
static void fact_missed(struct simulation *s)
{
    const struct plan *p = s->options.plan;
    struct drd_error e = {0};
    unsigned missed = 0;
    char text[16];
    for (size_t i = 0; p && i < p->count; i++)
        missed += !p->step[i].met && !plan_at_moment(&p->step[i]);
    snprintf(text, sizeof text, "%u", missed);
    if (missed)
        fact(s, "plan_missed", strdup(text), &e);
}

static bool run(void *context, struct drd_error *e)
{
    struct simulation *s = context;
    bool ok = (!s->options.follow || follow_go(s->options.follow, s->machine, e)) && machine_run(s->machine, e);
    struct drd_error more = {0};
    fact_missed(s);
    if (s->machine->cut_short)
        fact(s, "cut_short", strdup("by its plan"), &more);
    for (size_t i = 0; i < s->machine->drawns; i++)
        plan_add(s->options.plan, s->machine->drawn[i], &more);
    if (s->machine->drawns && fact(s, "plan", plan_text(s->options.plan), &more))
        return ok;
    return ok && (!more.exit_code || error_set(e, DRD_EXIT_CANNOT, "%s", more.message));
}

static void stop(void *context)
{
    const struct simulation *s = context;
    if (s->machine)
        machine_stop(s->machine);
}

static int status(void *context)
{
    const struct simulation *s = context;
    return s->machine && s->machine->root ? s->machine->root->status : 0;
}

bool simulate_run(struct recorder_options *options, const struct simulate_options *simulate, struct recorder_result *result,
                  struct drd_error *e)
{
    struct simulation s = {.command = options->command,
                           .options = {.seed = simulate->seed, .plan = simulate->plan, .model = simulate->model, .time_limit = simulate->time_limit,
                                       .patience = simulate->patience, .follow = simulate->follow,
                                       .warn = options->warn}};
    const struct recorder_world world = {.context = &s, .begin = begin, .start = start, .run = run, .stop = stop, .starts = simulate->follow != NULL, .status = status};
    cpu_set_t before, one;
    int processor = sched_getaffinity(0, sizeof before, &before) ? -1 : sched_getcpu();
    if (processor >= 0) { /* one thread of all runs at a time: going on to another is far cheaper on the same processor */
        CPU_ZERO(&one);
        CPU_SET(processor, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    options->world = &world;
    bool ok = recorder_run(options, result, e);
    if (processor >= 0)
        sched_setaffinity(0, sizeof before, &before);
    options->world = NULL;
    if (ok && s.machine->cut_short)
        result->exit_code = DRD_EXIT_TIMEOUT;
    machine_destroy(s.machine);
    return ok;
}
