#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wordexp.h>

#include "cli/cmd.h"
#include "cli/gdb_answers.h"
#include "cli/replay_print.h"
#include "store/refs.h"
#include "store/store.h"
#include "util/term.h"

static struct {
    struct args_list nodes;
    const char *until, *gdb_args;
    int64_t jobs, timeout;
    bool gdb, echo, force, verbose;
} option;

static const struct args_option options[] = {
    { ARGS_LIST, 'n', "node", "NODE", "only this node, all its incarnations (repeatable)", &option.nodes },
    { ARGS_STRING, 'u', "until", "EVENT", "stop the node of this event before it happens", &option.until },
    { ARGS_FLAG, 'g', "gdb", NULL, "run gdb on the node at that event, or at its start, with commands of drd", &option.gdb },
    { ARGS_STRING, 0, "gdb-args", "WORDS", "more words for gdb's command line", &option.gdb_args },
    { ARGS_INT, 'j', "jobs", "N", "programs at a time (default: one for each processor)", &option.jobs },
    { ARGS_INT, 0, "timeout", "SECONDS", "without progress a program counts as hung (default 30)", &option.timeout },
    { ARGS_FLAG, 0, "echo", NULL, "show what the nodes write to stdout and stderr", &option.echo },
    { ARGS_FLAG, 0, "force", NULL, "go on although a program or library is not the recorded one", &option.force },
    { ARGS_FLAG, 'v', "verbose", NULL, "a line for every process", &option.verbose },
    { 0 },
};

/* One replay as this command knows it. */
struct job {
    struct store *store;
    struct store_process *process;
    size_t count;
    bool *wanted;
    struct replay_options replay;
    struct progress progress;
    uint64_t total; /* events */
    wordexp_t words; /* of --gdb-args */
    struct gdb_answers *answers;
};

static bool want_node(struct job *job, const char *node, struct drd_error *e)
{
    bool found = false;
    for (size_t i = 0; i < job->count; i++)
        if (!strcmp(job->process[i].node, node))
            found = job->wanted[i] = true;
    return found || error_set(e, DRD_EXIT_FATAL, "%s: the run has no node '%s' (drd show lists them)",
                              store_path(job->store), node);
}

static bool want_event(struct job *job, const char *event, struct drd_error *e)
{
    if (!event_find(job->store, event, &job->replay.until_process, &job->replay.until, e))
        return false;
    for (size_t i = 0; i < job->count; i++)
        job->wanted[i] |= job->process[i].number == job->replay.until_process;
    return true;
}

/* gdb without an event: at the first thing the one wanted process does. */
static bool want_start(struct job *job, struct drd_error *e)
{
    size_t found = 0;
    for (size_t i = 0; i < job->count; i++)
        if (job->wanted[i] && job->process[i].events && ++found)
            job->replay.until_process = job->process[i].number;
    job->replay.until = 1; /* 0 is the record of the start itself */
    return found == 1 || error_set(e, DRD_EXIT_USAGE, "--gdb wants one process: name an event with --until, as in RUN:n1@317");
}

static bool choose(struct job *job, const char *event, struct drd_error *e)
{
    job->wanted = calloc(job->count + 1, sizeof *job->wanted);
    if (!job->wanted)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    bool all = !option.nodes.count && !*event;
    for (size_t i = 0; i < job->count; i++)
        job->wanted[i] = all;
    for (size_t i = 0; i < option.nodes.count; i++)
        if (!want_node(job, option.nodes.item[i], e))
            return false;
    if (*event && !want_event(job, event, e))
        return false;
    if (option.gdb && *event)
        for (size_t i = 0; i < job->count; i++)
            job->wanted[i] = job->process[i].number == job->replay.until_process;
    return !option.gdb || *event || want_start(job, e);
}

static void show_progress(void *context, uint64_t events)
{
    struct job *job = context;
    progress_step(&job->progress, events, job->total);
}

static void show_notice(void *context, const char *line)
{
    (void)context;
    cmd_warn("%s", line);
}

static void answer(void *context, struct replay_debugged *d, const char *request, FILE *out)
{
    gdb_answers_give(((struct job *)context)->answers, d, request, out);
}

static bool gdb_prepare(struct job *job, struct drd_error *e)
{
    static char *none[] = { NULL };
    if (option.gdb_args && wordexp(option.gdb_args, &job->words, WRDE_NOCMD))
        return error_set(e, DRD_EXIT_USAGE, "--gdb-args cannot be split into words");
    job->answers = gdb_answers_create(job->store, job->process, job->count, job->replay.until_process);
    if (!job->answers)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    job->replay.debugger = job->words.we_wordv ? job->words.we_wordv : none;
    job->replay.answer = answer;
    return true;
}

static bool prepare(struct job *job, const char *path, const char *event, struct drd_error *e)
{
    if (option.jobs < 0 || option.jobs > 1024 || option.timeout < 0 || option.timeout > 86400)
        return error_set(e, DRD_EXIT_USAGE, "--jobs takes 1 to 1024, --timeout 1 to 86400");
    job->store = store_open(path, STORE_READ, e);
    if (!job->store || !store_processes(job->store, &job->process, &job->count, e) || !choose(job, event, e))
        return false;
    if (!job->count)
        return error_set(e, DRD_EXIT_NOTHING, "%s: no process was recorded", path);
    for (size_t i = 0; i < job->count; i++)
        job->total += job->wanted[i] && job->process[i].number ? job->process[i].events : 0;
    if (!job->total)
        return error_set(e, DRD_EXIT_NOTHING, "%s: no event of a process to replay; if its recorder was killed: drd fsck --repair %s",
                         path, path);
    job->replay.wanted = job->wanted;
    job->replay.echo = option.echo;
    job->replay.force = option.force;
    job->replay.jobs = (unsigned)option.jobs;
    job->replay.patience = (unsigned)option.timeout;
    job->replay.progress = option.gdb ? NULL : show_progress;
    job->replay.notice = show_notice;
    job->replay.context = job;
    job->progress.what = "replaying";
    return !option.gdb || gdb_prepare(job, e);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool drive(struct job *job, struct cmd_context *c, const char *path, int *code)
{
    char id[REFS_ID + 1], unrecorded[1024] = "";
    struct replay *r = replay_create(job->store, job->process, job->count, &job->replay, &c->error);
    uint64_t start = now();
    bool ok = r && replay_run(r, &c->error);
    progress_finish(&job->progress);
    store_fact(job->store, "unrecorded", unrecorded, sizeof unrecorded);
    struct replay_print print = {
        .process = job->process, .count = job->count, .replay = r, .run = refs_name(path, id),
        .duration = now() - start, .verbose = option.verbose, .unrecorded = unrecorded,
    };
    if (ok && !option.gdb)
        (c->json ? replay_print_json : replay_print_text)(&print);
    *code = ok && !option.gdb ? replay_verdict(r) : DRD_EXIT_OK;
    replay_destroy(r);
    return ok;
}

static void job_fini(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        store_process_fini(&job->process[i]);
    free(job->process);
    free(job->wanted);
    gdb_answers_destroy(job->answers);
    if (job->words.we_wordv)
        wordfree(&job->words);
    store_close(job->store);
}

/* RUN:n1 is RUN with --node n1, RUN:n1@317 is RUN@n1@317. */
static const char *take_node(const char *word, char plain[PATH_MAX])
{
    static const char *node;
    const char *colon = strrchr(word, ':');
    if (!colon || !colon[1] || strchr(colon, '/') || strlen(word) + 2 > PATH_MAX || access(word, F_OK) == 0)
        return word;
    bool event = strchr(colon, '@');
    snprintf(plain, PATH_MAX, "%.*s%s%s", colon == word ? 1 : (int)(colon - word), colon == word ? "@" : word, event ? "@" : "",
             event ? colon + 1 : "");
    if (!event) {
        node = colon + 1;
        option.nodes = (struct args_list){ &node, 1 };
    }
    return plain;
}

static int run(struct cmd_context *c)
{
    char name[PATH_MAX], path[PATH_MAX], event[PATH_MAX], plain[PATH_MAX];
    struct job job = { 0 };
    int code = DRD_EXIT_OK;
    if (!refs_split(c->argc ? take_node(c->argv[0], plain) : "@", name, event, &c->error) || !refs_resolve(name, path, &c->error))
        return cmd_failed(c);
    if (option.until)
        snprintf(event, sizeof event, "%s", option.until);
    bool ok = prepare(&job, path, event, &c->error) && drive(&job, c, path, &code);
    job_fini(&job);
    return ok ? code : cmd_failed(c);
}

const struct drd_command cmd_replay = {
    .name = "replay",
    .summary = "re-drive the nodes of a run from their streams and compare all they do",
    .positional = "[RUN[:NODE][@EVENT]]",
    .max = 1,
    .flags = CMD_JSON,
    .options = options,
    .help = "Every process is started again and given what it was given then: no socket, no file, no clock. What it sends\n"
            "and writes is compared with the recording; the first difference stops it and is shown.\n"
            "In gdb: drd-event, drd-next [KIND], drd-back [KIND], drd-goto EVENT, drd-message, drd-chain, drd-finish.\n"
            "Exit: 0 identical, 1 diverged, 125 could not be replayed, 128 no such run, node or event.\n",
    .run = run,
};
