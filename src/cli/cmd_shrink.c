/* drd shrink: the same failure, from less. */
#include "cli/cmd.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/duration.h"
#include "explore/shrink.h"
#include "store/refs.h"
#include "util/json.h"
#include "util/term.h"
#include "util/text.h"

static const char *output, *duration, *count;
static int64_t jobs;
static volatile int stop;

static const struct args_option options[] = {
    {ARGS_STRING, 'o', "output", "FILE", "the run that is left; without it, it goes to .drd/ and is called @", &output},
    {ARGS_STRING, 'c', "count", "WORD", "make the number behind this word of the command or its environment smaller too: COMMANDS, --commands",
     &count},
    {ARGS_STRING, 't', "for", "DURATION", "stop after so long with what was reached: 90s, 10min", &duration},
    {ARGS_INT, 'j', "jobs", "N", "runs at a time (default: one for each processor)", &jobs},
    {0},
};

static void stop_now(int signal)
{
    (void)signal;
    stop = 1;
}

struct telling {
    struct progress bar;
    char words[120];
    struct shrink_stage stage[32];
    size_t stages;
    bool json;
};

static void tell_stage(void *context, const struct shrink_stage *s)
{
    struct telling *t = context;
    char before[TEXT_MAX], after[TEXT_MAX];
    const char *unit = *s->unit ? s->unit : "";
    if (t->stages < sizeof t->stage / sizeof *t->stage)
        t->stage[t->stages++] = *s;
    progress_finish(&t->bar);
    if (t->json)
        return;
    printf("%-10s %7zu -> %zu%s, %s -> %s events, %" PRIu64 " tries\n", s->name, s->before, s->after, unit,
           text_count(s->events_before, before, sizeof before), text_count(s->events_after, after, sizeof after), s->tries);
    fflush(stdout);
}

static void tell_trial(void *context, uint64_t tries, size_t steps)
{
    struct telling *t = context;
    snprintf(t->words, sizeof t->words, "shrinking: %" PRIu64 " tries, %zu steps are left", tries, steps);
    t->bar.what = t->words;
    progress_step(&t->bar, tries, tries + 2 * steps + 1);
}

static void tell_parting(void *context, const char *where)
{
    struct telling *t = context;
    progress_finish(&t->bar);
    cmd_warn("the run does not come out the same here (another build? other files?), though it fails the same way; first difference %s", where);
}

static void print_end(const struct shrink_origin *from, const struct shrink_result *r, const char *path)
{
    char before[TEXT_MAX], after[TEXT_MAX], id[REFS_ID + 1], *text = plan_text(&r->plan);
    const struct shrink_size *b = &r->before, *a = &r->after;
    printf("\n%s  %s\n", from->result.fingerprint, from->result.title);
    printf("%s -> %s events, %" PRIu64 " -> %" PRIu64 " faults, %" PRIu64 " -> %" PRIu64 " messages of Raft before it, %" PRIu64
           " runs in %.1f s%s\n\n",
           text_count(b->events, before, sizeof before), text_count(a->events, after, sizeof after), b->faults, a->faults,
           b->messages, a->messages, r->tries, r->seconds, r->stopped ? "; stopped, it may get smaller" : "");
    for (char *rest = text, *line; rest && (line = strsep(&rest, "\n")) && *line;) {
        escape_terminal(line, stdout);
        putchar('\n');
    }
    printf("%sseed %" PRIu64 ": %s; next: drd explain %s\n", r->plan.count ? "\n" : "", from->seed, path,
           refs_name(path, id));
    free(text);
}

static void json_stage(struct json_writer *j, const struct shrink_stage *s)
{
    jw_object(j);
    jw_put_string(j, "stage", s->name);
    jw_put_uint(j, "before", s->before);
    jw_put_uint(j, "after", s->after);
    jw_put_uint(j, "events_before", s->events_before);
    jw_put_uint(j, "events_after", s->events_after);
    jw_put_uint(j, "runs", s->tries);
    jw_end(j);
}

static void print_json(const struct telling *t, const struct shrink_origin *from, const struct shrink_result *r,
                       const char *path)
{
    struct json_writer j;
    char *text = plan_text(&r->plan);
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.shrink/1");
    jw_put_string(&j, "fingerprint", from->result.fingerprint);
    jw_put_string(&j, "run", path);
    jw_put_uint(&j, "seed", from->seed);
    jw_put_string(&j, "plan", text);
    jw_key(&j, "command");
    jw_array(&j);
    for (char **word = r->command; *word; word++)
        jw_string(&j, *word);
    jw_end(&j);
    jw_put_uint(&j, "events_before", r->before.events);
    jw_put_uint(&j, "events_after", r->after.events);
    jw_put_uint(&j, "faults_before", r->before.faults);
    jw_put_uint(&j, "faults_after", r->after.faults);
    jw_put_uint(&j, "messages_before", r->before.messages);
    jw_put_uint(&j, "messages_after", r->after.messages);
    jw_put_uint(&j, "steps_before", r->steps_before);
    jw_put_uint(&j, "steps_after", r->plan.count);
    jw_put_uint(&j, "runs", r->tries);
    jw_put_uint(&j, "remembered", r->known);
    if (*r->parting)
        jw_put_string(&j, "parts", r->parting);
    jw_put_uint(&j, "real_ns", (uint64_t)(r->seconds * 1e9));
    jw_put_bool(&j, "stopped", r->stopped);
    jw_key(&j, "stages");
    jw_array(&j);
    for (size_t i = 0; i < t->stages; i++)
        json_stage(&j, &t->stage[i]);
    jw_end(&j);
    jw_end(&j);
    free(text);
}

static bool model_write(const struct shrink_origin *from, char path[PATH_MAX], const char *scratch, struct drd_error *e)
{
    *path = 0;
    if (!from->model)
        return true;
    snprintf(path, PATH_MAX, "%.4000s/model", scratch);
    FILE *out = fopen(path, "we");
    bool good = out && fputs(from->model, out) >= 0;
    return (out && fclose(out) == 0 && good) || error_set_errno(e, DRD_EXIT_CANNOT, "cannot write %s", path);
}

/* Beside the run that comes of it, so that it can be renamed. */
static bool scratch_make(const char *path, char scratch[PATH_MAX], struct drd_error *e)
{
    char relative[PATH_MAX];
    snprintf(relative, PATH_MAX, "%.4000s-XXXXXX", path);
    if (mkdtemp(relative) && realpath(relative, scratch)) /* the runs are made in the directory of the first one */
        return true;
    return *scratch = 0, error_set_errno(e, DRD_EXIT_CANNOT, "cannot make %s", relative);
}

static bool shrink_in(struct cmd_context *c, const struct shrink_origin *from, const char *path, const char *scratch)
{
    static char self[PATH_MAX], model[PATH_MAX];
    struct telling t = {.json = c->json};
    struct shrink_options o = {.setting = {.program = self, .directory = *from->directory ? from->directory : NULL,
                                           .environment = *from->environment ? from->environment : NULL},
                               .count = count,
                               .scratch = scratch,
                               .stop = &stop,
                               .stage = tell_stage,
                               .trial = tell_trial,
                               .parts = tell_parting,
                               .context = &t};
    struct shrink_result r = {0};
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0 || !model_write(from, model, scratch, &c->error))
        return length >= 0 || error_set_errno(&c->error, DRD_EXIT_CANNOT, "/proc/self/exe");
    o.setting.command = from->command;
    o.setting.model = *model ? model : NULL;
    o.jobs = jobs ? (unsigned)(jobs < EXPLORE_JOBS ? jobs : EXPLORE_JOBS) : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    bool good = (!duration || duration_read(duration, &o.seconds, &c->error)) && shrink(from, &o, path, &r, &c->error);
    progress_finish(&t.bar);
    if (good && c->json)
        print_json(&t, from, &r, path);
    else if (good)
        print_end(from, &r, path);
    if (*model)
        unlink(model);
    shrink_result_fini(&r);
    return good;
}

static bool target_choose(struct refs_entry *target, struct drd_error *e)
{
    char here[PATH_MAX];
    if (!output)
        return refs_new(target, e);
    if (!access(output, F_OK))
        return error_set(e, DRD_EXIT_FATAL, "%s exists", output);
    if (*output != '/' && !getcwd(here, sizeof here))
        return error_set_errno(e, DRD_EXIT_CANNOT, "current directory");
    snprintf(target->path, sizeof target->path, "%.2000s%s%.2000s", *output == '/' ? "" : here, *output == '/' ? "" : "/",
             output);
    return true;
}

static int run_shrink(struct cmd_context *c)
{
    struct shrink_origin from = {0};
    struct refs_entry target = {0};
    struct sigaction act = {.sa_handler = stop_now};
    char path[PATH_MAX], scratch[PATH_MAX] = "";
    if (jobs < 0)
        return error_set(&c->error, DRD_EXIT_USAGE, "--jobs wants a number of at least 1"), cmd_failed(c);
    bool good = refs_resolve(c->argc ? c->argv[0] : "@", path, &c->error) && shrink_origin_read(&from, path, &c->error) &&
                target_choose(&target, &c->error) && scratch_make(target.path, scratch, &c->error);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    good = good && shrink_in(c, &from, target.path, scratch);
    if (*scratch)
        rmdir(scratch);
    shrink_origin_fini(&from);
    return good ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_shrink = {
    .name = "shrink",
    .summary = "make a simulated run smaller that ends with the same failure",
    .positional = "[RUN]",
    .max = 1,
    .flags = CMD_JSON,
    .options = options,
    .help =
        "The run is made to end soon after the failure; faults of its plan are left out, whole terms, the time between two steps, what\n"
        "clients ask, changes of timers and deliveries, as long as it still ends with the same fingerprint. What is left is a run as\n"
        "any other. Ctrl-C ends it with what was reached.\n"
        "Exit status: 0 a run is left, 5 nothing went wrong in RUN, 125 it is not simulated or does not come out again.\n",
    .run = run_shrink,
};
