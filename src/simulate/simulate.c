#include "simulate/simulate.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "simulate/machine.h"

struct simulation {
    struct machine_options options;
    struct machine *machine;
};

static bool begin(void *context, int directory, const struct recorder_notes *notes, struct drd_error *e)
{
    struct simulation *s = context;
    s->options.note = notes->fault;
    s->options.note_context = notes->recorder;
    s->machine = machine_create(&s->options, directory, e);
    return s->machine != NULL;
}

static bool start(void *context, pid_t pid, const char *program, const char *node, struct drd_error *e)
{
    struct simulation *s = context;
    char directory[PATH_MAX];
    (void)node;
    if (!getcwd(directory, sizeof directory))
        return error_set_errno(e, DRD_EXIT_CANNOT, "current directory");
    return machine_start(s->machine, pid, program, NULL, directory, e);
}

static bool run(void *context, struct drd_error *e)
{
    struct simulation *s = context;
    return machine_run(s->machine, e);
}

bool simulate_run(struct recorder_options *options, uint64_t seed, struct recorder_result *result, struct drd_error *e)
{
    struct simulation s = {.options = {.seed = seed, .warn = options->warn}};
    const struct recorder_world world = {&s, begin, start, run};
    options->world = &world;
    bool ok = recorder_run(options, result, e);
    options->world = NULL;
    machine_destroy(s.machine);
    return ok;
}
