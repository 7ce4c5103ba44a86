#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cmd.h"
#include "cli/run_view.h"
#include "record/recorder.h"
#include "trace/spool.h"
#include "util/text.h"

static const char *output, *procfile, *keep = "always";
static struct args_list nodes, only;
static uint64_t max_size;
static int64_t timeout;
static bool strict;

static const struct args_option options[] = {
    {ARGS_STRING, 'o', "output", "FILE", "the run file; without it the run goes to .drd/ and is called @", &output},
    {ARGS_LIST, 0, "node", "NAME=CMD", "start this node, prefix its output, stop it at the end; may be repeated", &nodes},
    {ARGS_STRING, 0, "procfile", "FILE", "nodes from a file of lines \"name: command\"", &procfile},
    {ARGS_LIST, 0, "only", "GLOB", "record only programs or nodes whose name matches; may be repeated", &only},
    {ARGS_CHOICE, 0, "keep", "always|failure", "failure: delete the run where CMD exits 0", &keep},
    {ARGS_SIZE, 0, "max-size", "BYTES", "stop recording when the run file is this large (K, M, G)", &max_size},
    {ARGS_FLAG, 0, "strict", NULL, "end with 125 where something cannot be recorded", &strict},
    {ARGS_INT, 0, "timeout", "SECONDS", "end CMD and all nodes after this time, with 124", &timeout},
    {0},
};

static void print_warning(const char *text)
{
    cmd_warn("%s", text);
}

/* All of --only, a line each, as the shim reads them. */
static bool join_only(char *out, size_t size, struct drd_error *e)
{
    size_t used = 0;
    for (size_t i = 0; i < only.count; i++) {
        size_t length = strlen(only.item[i]);
        if (used + length + 2 > size)
            return error_set(e, DRD_EXIT_USAGE, "--only: the names are longer than %zu characters together", size - 2);
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "\n" : "", only.item[i]);
    }
    return true;
}

/* The options as the recorder wants them; `entry` holds the file's name. */
static bool read_options(struct cmd_context *c, struct recorder_options *o, struct refs_entry *entry)
{
    static char wanted[sizeof ((struct spool_run *)NULL)->only];
    if (!join_only(wanted, sizeof wanted, &c->error))
        return false;
    *o = (struct recorder_options){
        .only = wanted, .keep_failures_only = !strcmp(keep, "failure"), .max_size = max_size, .strict = strict,
        .command = c->argc ? c->argv : NULL, .warn = print_warning,
    };
    if (timeout < 0 || timeout > INT_MAX)
        return error_set(&c->error, DRD_EXIT_USAGE, "--timeout wants a number of seconds");
    o->timeout = (unsigned)timeout;
    for (size_t i = 0; i < nodes.count; i++)
        if (!node_list_add(&o->nodes, nodes.item[i], '=', &c->error))
            return false;
    if (procfile && !procfile_read(&o->nodes, procfile, &c->error))
        return false;
    if (!o->command && !o->nodes.count)
        return error_set(&c->error, DRD_EXIT_USAGE, "nothing to record: give a command after --, or --node or --procfile");
    if (!output && !refs_new(entry, &c->error))
        return false;
    o->output = output ? output : entry->path;
    return true;
}

static void print_end(const struct recorder_options *o, const struct recorder_result *result)
{
    char size[TEXT_MAX], events[TEXT_MAX], id[REFS_ID + 1];
    const struct run_summary *s = &result->summary;
    if (!result->kept) {
        fprintf(stderr, "drd: exit 0, so the run was not kept (--keep failure)\n");
        return;
    }
    const char *name = output ? refs_name(o->output, id) : "@";
    if (!s->complete)
        cmd_warn("the run is incomplete: %s", s->incomplete);
    else if (!s->processes)
        cmd_warn("no process was recorded");
    fprintf(stderr, "drd: recorded %s: %u node%s, %s events, %s; next: drd explain %s\n", o->output, s->nodes,
            s->nodes == 1 ? "" : "s", text_count(s->events, events, sizeof events),
            text_size(result->file_size, size, sizeof size), name);
}

/* The rows that people query, while the run is still in the page cache. A run without them is whole: they can be made
 * later, so a full disk is no reason to fail here. */
static void make_rows(const char *path, struct recorder_result *result)
{
    struct run_view v;
    struct drd_error e = {0};
    struct stat st;
    if (!run_view_open(&v, path, &e) || !run_view_index(&v, &e))
        cmd_warn("no index was made: %s", e.message);
    run_view_close(&v);
    if (!stat(path, &st))
        result->file_size = (uint64_t)st.st_size;
}

static int run(struct cmd_context *c)
{
    struct recorder_options o;
    struct recorder_result result;
    struct refs_entry entry = {0};
    bool ok = read_options(c, &o, &entry) && recorder_run(&o, &result, &c->error);
    if (ok && result.kept)
        make_rows(o.output, &result);
    if (ok)
        print_end(&o, &result);
    node_list_fini(&o.nodes);
    return ok ? result.exit_code : cmd_failed(c);
}

const struct drd_command cmd_record = {
    .name = "record",
    .summary = "run a command and record every process it starts",
    .positional = "[CMD [ARGUMENT...]]",
    .min = 0,
    .max = -1,
    .flags = CMD_COMMAND,
    .options = options,
    .help = "Exits as CMD did. A process is a node: named by the environment variable DRD_NODE where it is\n"
            "set, else by its program and a number, \"sh#1\". A program started again with the same DRD_NODE\n"
            "is the next incarnation of that node. With --node or --procfile, CMD may be left out: Ctrl-C ends.\n"
            "Inside the command, `drd fault` cuts connections and kills nodes.\n",
    .run = run,
};
