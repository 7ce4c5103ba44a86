#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cmd.h"
#include "cli/run_view.h"
#include "simulate/simulate.h"
#include "util/text.h"

static const char *output, *keep = "always";
static int64_t seed;

static const struct args_option options[] = {
    {ARGS_STRING, 'o', "output", "FILE", "the run file; without it the run goes to .drd/ and is called @", &output},
    {ARGS_INT, 's', "seed", "N", "what happens by chance follows from this number", &seed},
    {ARGS_CHOICE, 0, "keep", "always|failure", "failure: delete the run where CMD exits 0", &keep},
    {0},
};

static void print_warning(const char *text)
{
    cmd_warn("%s", text);
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

static int run(struct cmd_context *c)
{
    struct recorder_options o = {.keep_failures_only = !strcmp(keep, "failure"), .command = c->argv, .warn = print_warning};
    struct recorder_result result;
    struct refs_entry entry = {0};
    bool ok = output || refs_new(&entry, &c->error);
    o.output = output ? output : entry.path;
    ok = ok && simulate_run(&o, (uint64_t)seed, &result, &c->error);
    if (ok && result.kept)
        make_rows(o.output);
    if (ok)
        print_end(&o, &result);
    return ok ? result.exit_code : cmd_failed(c);
}

const struct drd_command cmd_simulate = {
    .name = "simulate",
    .summary = "run a command in a simulated world that follows from a seed",
    .positional = "CMD [ARGUMENT...]",
    .min = 1,
    .max = -1,
    .flags = CMD_COMMAND,
    .options = options,
    .help = "Time, network, disks and chance are simulated; one process runs at a time. The same seed gives the same run.\n",
    .run = run,
};
