#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cmd.h"
#include "cli/plan_file.h"
#include "cli/run_view.h"
#include "simulate/environment.h"
#include "simulate/simulate.h"
#include "util/text.h"

static const char *output, *keep = "always", *plan_file, *model_file, *like;
static const char *follow_run, *follow_event;
static bool faults;
static int64_t seed, limit, patience;

static const struct args_option options[] = {
    {ARGS_STRING, 'o', "output", "FILE", "the run file; without it the run goes to .drd/ and is called @", &output},
    {ARGS_INT, 's', "seed", "N", "what happens by chance follows from this number", &seed},
    {ARGS_STRING, 'p', "plan", "FILE", "faults at moments and decisions that fall otherwise, one a line", &plan_file},
    {ARGS_FLAG, 'f', "faults", NULL, "draw faults from the seed too", &faults},
    {ARGS_STRING, 'm', "model", "FILE", "... by this model: which faults, how often, for how long", &model_file},
    {ARGS_STRING, 0, "environment", "RUN", "CMD gets the environment that it had in this run", &like},
    {ARGS_INT, 0, "limit", "SECONDS", "end the run after so much of the world's time", &limit},
    {ARGS_INT, 0, "patience", "SECONDS", "how long a program may compute without a system call; 10", &patience},
    {ARGS_STRING, 0, "follow", "RUN", "go on from this recording instead of starting CMD", &follow_run},
    {ARGS_STRING, 0, "from", "EVENT", "... from this event on: it is the first that is new", &follow_event},
    {ARGS_CHOICE, 0, "keep", "always|failure", "failure: delete the run where CMD exits 0", &keep},
    {0},
};

static void print_warning(const char *text)
{
    cmd_warn("%s", text);
}

static bool plan_load(struct plan *plan, const char *path, struct drd_error *e)
{
    char *text = plan_file_text(path, e);
    bool ok = text && (plan_read(plan, text, e) || error_wrap(e, "%s", plan_file_name(path)));
    free(text);
    return ok;
}

static bool environment_load(char ***environment, const char *name, struct drd_error *e)
{
    char path[PATH_MAX];
    return refs_resolve(name, path, e) && (*environment = environment_of(path, e));
}

/* "n1@4711", or "12@4711" with the number of a process. */
static bool follow_from(const char *run, uint32_t *process, uint64_t *event, struct drd_error *e)
{
    int end = 0;
    if (sscanf(follow_event, "%" SCNu32 "@%" SCNu64 "%n", process, event, &end) == 2 && !follow_event[end])
        return true;
    struct store *s = store_open(run, STORE_READ, e);
    bool ok = s && event_find(s, follow_event, process, event, e);
    store_close(s);
    return ok;
}

static bool follow_load(struct simulate_options *s, struct drd_error *e)
{
    uint32_t process = 0;
    uint64_t event = 0;
    char path[PATH_MAX];
    if (!refs_resolve(follow_run, path, e) || (follow_event && !follow_from(path, &process, &event, e)))
        return false;
    return (s->follow = follow_open(path, process, event, e)) != NULL;
}

static void make_rows(const char *path)
{
    struct run_view v;
    struct drd_error e = {0};
    if (!run_view_open(&v, path, &e) || !run_view_index(&v, &e))
        cmd_warn("no index was made: %s", e.message);
    run_view_close(&v);
}

static void print_end(const struct recorder_options *o, const struct recorder_result *result)
{
    char events[TEXT_MAX];
    const struct run_summary *s = &result->summary;
    if (!result->kept) {
        fprintf(stderr, "drd: exit 0, so the run was not kept (--keep failure)\n");
        return;
    }
    fprintf(stderr, "drd: seed %lld: %s: %u node%s, %s events; next: drd explain %s\n", (long long)seed, o->output, s->nodes,
            s->nodes == 1 ? "" : "s", text_count(s->events, events, sizeof events), output ? output : "@");
}

static bool arguments_fit(struct cmd_context *c)
{
    if (!follow_run && !c->argc)
        return error_set(&c->error, DRD_EXIT_USAGE, "no command to run; or --follow RUN");
    if (follow_run && c->argc)
        return error_set(&c->error, DRD_EXIT_USAGE, "--follow goes on with what was recorded: it takes no command");
    if (follow_event && !follow_run)
        return error_set(&c->error, DRD_EXIT_USAGE, "--from needs --follow RUN");
    return true;
}

static int run(struct cmd_context *c)
{
    struct recorder_options o = {.keep_failures_only = !strcmp(keep, "failure"), .command = c->argc ? c->argv : NULL, .warn = print_warning};
    struct recorder_result result;
    struct refs_entry entry = {0};
    struct plan plan = {0};
    struct model model = model_default;
    char **environment = NULL;
    struct simulate_options s = {.seed = (uint64_t)seed, .plan = &plan, .model = faults || model_file ? &model : NULL,
                                 .time_limit = limit > 0 ? (uint64_t)limit * 1000000000u : 0,
                                 .patience = patience > 0 ? (uint64_t)patience * 1000000000u : 0};
    const char *below = limit < 0 ? "--limit" : patience < 0 ? "--patience" : NULL;
    bool ok = arguments_fit(c) && (!below || error_set(&c->error, DRD_EXIT_USAGE, "%s: a time is not below zero", below));
    ok = ok && (!plan_file || plan_load(&plan, plan_file, &c->error));
    ok = ok && (!model_file || model_file_read(&model, model_file, &c->error));
    ok = ok && (output || refs_new(&entry, &c->error));
    ok = ok && (!like || environment_load(&environment, like, &c->error));
    o.environment = environment;
    o.output = output ? output : entry.path;
    ok = ok && (!follow_run || follow_load(&s, &c->error)) && simulate_run(&o, &s, &result, &c->error);
    plan_fini(&plan);
    environment_free(environment);
    follow_close(s.follow);
    if (ok && result.kept)
        make_rows(o.output);
    if (ok && result.failure.exit_code)
        fprintf(stderr, "drd: %s\n", result.failure.message);
    if (ok)
        print_end(&o, &result);
    return ok ? result.exit_code : cmd_failed(c);
}

const struct drd_command cmd_simulate = {
    .name = "simulate",
    .summary = "run a command in a simulated world that follows from a seed",
    .positional = "[CMD [ARGUMENT...]]",
    .min = 0,
    .max = -1,
    .flags = CMD_COMMAND,
    .options = options,
    .help = "Time, network, disks and chance are simulated; one process runs at a time. The same seed gives the same run.\n",
    .run = run,
};
