/* drd export: a run in the format of another tool. */
#include "cli/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/run_view.h"
#include "explain/explain.h"
#include "export/export.h"

static const char *format_name, *output;
static bool no_source;

static const struct args_option rows[] = {
    { ARGS_CHOICE, 'f', "format", "shiviz|chrome|pcapng|dot|markdown|tla|jepsen", "which format (needed)", &format_name },
    { ARGS_STRING, 'o', "output", "FILE", "write to FILE, which is there only when it is whole (- or none: stdout)",
     &output },
    { ARGS_FLAG, 0, "no-source", NULL, "do not re-drive the node to find the line of its program (dot, markdown)",
     &no_source },
    { 0 },
};

/* --- where it goes --- */

/* FILE appears when it is whole: until then its content has another name beside it. What is no regular file (a device, a
 * fifo) is written to as it is. */
struct target {
    const char *path; /* NULL: stdout */
    FILE *out;
};

static char temporary[PATH_MAX]; /* "" while there is none */

static void remove_temporary(int signal_number)
{
    if (*temporary)
        unlink(temporary);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static bool open_temporary(struct target *t, struct drd_error *e)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", t->path) >= (int)sizeof temporary) {
        *temporary = '\0';
        return error_set(e, DRD_EXIT_FATAL, "cannot write %.100s...: the name is too long", t->path);
    }
    int fd = mkstemp(temporary); /* 0600, as runs are: payloads are in it */
    if (fd < 0) {
        *temporary = '\0';
        return error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", t->path);
    }
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signal(signals[i], remove_temporary) == SIG_IGN)
            signal(signals[i], SIG_IGN);
    t->out = fdopen(fd, "w");
    return t->out || error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", t->path);
}

static bool target_open(struct target *t, const struct export_format *format, struct drd_error *e)
{
    struct stat st;
    if (!t->path) {
        t->out = stdout;
        if (format->binary && isatty(STDOUT_FILENO))
            return error_set(e, DRD_EXIT_USAGE, "%s is binary and stdout is a terminal: give it a file with --output FILE",
                             format->name);
        return true;
    }
    if (stat(t->path, &st) || S_ISREG(st.st_mode))
        return open_temporary(t, e);
    t->out = fopen(t->path, "w");
    return t->out || error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", t->path);
}

/* `good`: what was written is whole. */
static bool target_close(struct target *t, bool good, struct drd_error *e)
{
    if (t->out == stdout)
        return good; /* flushed and looked at by the dispatcher */
    bool failed = t->out && (fflush(t->out) || ferror(t->out));
    int error = errno;
    failed |= t->out && fclose(t->out) && !failed;
    errno = failed && error ? error : errno;
    if (good && failed)
        good = error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", t->path);
    if (good && *temporary && rename(temporary, t->path))
        good = error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", t->path);
    if (!good && *temporary)
        unlink(temporary);
    *temporary = '\0';
    return good;
}

/* --- what is written --- */

static bool write_run(const struct export_format *format, const struct export_run *run, struct target *target,
                      struct drd_error *e)
{
    struct export_result result = { 0 };
    bool good = target_open(target, format, e) && format->write(run, target->out, &result, e);
    if (good && !result.events && !ferror(target->out))
        good = error_set(e, DRD_EXIT_NOTHING, "nothing to export: %s", format->nothing);
    good = target_close(target, good, e);
    if (good && *result.note)
        cmd_warn("%s", result.note);
    return good;
}

static bool write_explained(const struct export_format *format, struct export_run *run, struct target *target,
                            struct drd_error *e)
{
    struct verdict v;
    char state[64] = "";
    struct raft_model *m = explain_model(run->store, run->process, run->processes, e);
    bool good = m != NULL;
    if (good) {
        store_fact(run->store, "state", state, sizeof state);
        verdict_init(&v, m, run->process, run->processes, state);
        good = verdict_order(&v, run->store, e) && inputs_add(&v.cause, run->store, run->process, run->processes, e) &&
               (no_source || verdict_source(&v, run->store, e));
    }
    run->verdict = &v;
    good = good && write_run(format, run, target, e);
    raft_model_destroy(m);
    return good;
}

static int run_export(struct cmd_context *c)
{
    char id[REFS_ID + 1];
    struct run_view v;
    struct target target = { .path = output && strcmp(output, "-") ? output : NULL };
    const struct export_format *format = format_name ? export_find(format_name) : NULL;
    if (!format) {
        error_set(&c->error, DRD_EXIT_USAGE, "which format? --format %s (see 'drd export --help')", rows[0].argument);
        return cmd_failed(c);
    }
    if (!run_view_open(&v, c->argc ? c->argv[0] : NULL, &c->error))
        return cmd_failed(c);
    struct export_run run = { .store = v.store, .process = v.process, .processes = v.count, .begin = v.begin,
                              .name = refs_name(v.path, id) };
    bool good = format->verdict ? write_explained(format, &run, &target, &c->error)
                                : write_run(format, &run, &target, &c->error);
    run_view_close(&v);
    return good ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_export = {
    .name = "export",
    .summary = "a run in the format of another tool",
    .positional = "[RUN]",
    .max = 1,
    .options = rows,
    .help = "shiviz    a log with vector clocks, for ShiViz\n"
            "chrome    trace events, for Perfetto and chrome://tracing\n"
            "pcapng    every message as packets, for Wireshark and tshark\n"
            "dot       the steps of the explanation as a graph, for Graphviz\n"
            "markdown  the explanation, for an issue tracker\n"
            "tla       Raft events as lines of JSON, as etcd's TLA+ trace validation reads them\n"
            "jepsen    what recorded clients asked and were told, as a history of operations\n"
            "RUN is a file, the beginning of a run's id, @ (the latest, also without RUN) or @~1 (the one before).\n"
            "Exit status: 5 where the run has nothing that the format shows.\n",
    .run = run_export,
};
