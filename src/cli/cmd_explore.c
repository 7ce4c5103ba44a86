/* drd explore: simulated runs until one fails. */
#include "cli/cmd.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/duration.h"
#include "cli/plan_file.h"
#include "explore/search.h"
#include "util/json.h"
#include "util/term.h"
#include "util/text.h"

#define RUNS_STANDARD 1000

static const char *seeds, *duration, *keep = "failures", *model, *until;
static bool faults, resume;
static int64_t jobs, runs, first;
static volatile int stop;

static const struct args_option options[] = {
    {ARGS_STRING, 's', "seeds", "FROM..TO", "exactly these seeds, and nothing that follows from what they show", &seeds},
    {ARGS_INT, 'n', "runs", "N", "this many runs (1000, where neither seeds nor a time are given)", &runs},
    {ARGS_STRING, 't', "for", "DURATION", "as long as this: 90s, 10min, 2h", &duration},
    {ARGS_STRING, 'u', "until", "WHAT", "end with the first failure; violation: by which Raft was violated; T07: ... by that mistake", &until},
    {ARGS_INT, 0, "first", "SEED", "the seed to begin with (1): another start takes another way", &first},
    {ARGS_INT, 'j', "jobs", "N", "runs at a time (default: one for each processor)", &jobs},
    {ARGS_FLAG, 'f', "faults", NULL, "with faults, by the model that is built in", &faults},
    {ARGS_STRING, 'm', "model", "FILE", "with faults, by the model in this file", &model},
    {ARGS_CHOICE, 0, "keep", "failures|all", "which runs stay in .drd/: of each failure some, or all", &keep},
    {ARGS_FLAG, 'r', "resume", NULL, "go on where the last one with the same command and model was stopped", &resume},
    {0},
};

static void stop_now(int signal)
{
    (void)signal;
    stop = 1;
}

static bool seeds_read(struct search_options *o, struct drd_error *e)
{
    char *end, *last;
    if (!seeds)
        return true;
    o->from = strtoull(seeds, &end, 10);
    if (end == seeds || strncmp(end, "..", 2) || !end[2])
        return error_set(e, DRD_EXIT_USAGE, "--seeds %s: not FROM..TO", seeds);
    o->to = strtoull(end + 2, &last, 10);
    if (*last || *seeds == '-' || end[2] == '-' || o->to < o->from || o->to > INT64_MAX)
        return error_set(e, DRD_EXIT_USAGE, "--seeds %s: not FROM..TO", seeds);
    return true;
}

static bool until_read(struct search_options *o, struct drd_error *e)
{
    bool class = until && until[0] == 'T' && strlen(until) == 3 && strspn(until + 1, "0123456789") == 2;
    if (until && !class && strcmp(until, "failure") && strcmp(until, "violation"))
        return error_set(e, DRD_EXIT_USAGE, "--until %.64s: not failure, violation or a class of mistakes such as T07", until);
    o->until = !until ? TRIAGE_HEALTHY : strcmp(until, "failure") ? TRIAGE_VIOLATION : TRIAGE_CHECK;
    o->until_class = class ? until : NULL;
    return true;
}

/* A wrong word in it is told now, and not by each run. */
static bool model_look(struct search_options *o, struct drd_error *e)
{
    struct model m = model_default;
    if (model && access(model, R_OK))
        return error_set_errno(e, DRD_EXIT_FATAL, "cannot read %s", model);
    if (model && !model_file_read(&m, model, e))
        return false;
    o->setting.strikes = m.until;
    return true;
}

static bool options_read(struct search_options *o, struct drd_error *e)
{
    if (jobs < 0 || runs < 0 || first < 0)
        return error_set(e, DRD_EXIT_USAGE, "--%s wants a number of at least 1", jobs < 0 ? "jobs" : runs < 0 ? "runs" : "first");
    if (!seeds_read(o, e) || (duration && !duration_read(duration, &o->seconds, e)))
        return false;
    if (seeds && first)
        return error_set(e, DRD_EXIT_USAGE, "--seeds says which is the first; --first cannot say it again");
    if (seeds && runs)
        return error_set(e, DRD_EXIT_USAGE, "--seeds says how many runs there are; --runs cannot say it again");
    if (!until_read(o, e))
        return false;
    o->runs = runs ? (uint64_t)runs : duration || seeds ? 0 : RUNS_STANDARD;
    o->first = (uint64_t)first;
    o->jobs = jobs ? (unsigned)(jobs < EXPLORE_JOBS ? jobs : EXPLORE_JOBS) : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    return model_look(o, e);
}

/* ---- while it runs ---- */

struct watch {
    struct search *search;
    struct progress bar;
    char words[160];
};

static void show_progress(void *context)
{
    struct watch *w = context;
    const struct search *s = w->search;
    const struct search_options *o = &s->options;
    uint64_t total = o->to || o->from ? o->to - o->from + 1 : o->runs;
    size_t found = search_failures(s);
    snprintf(w->words, sizeof w->words, "%" PRIu64 " runs, %.2f virtual hours, %zu failure%s", s->done,
             (double)s->world / 3.6e12, found, found == 1 ? "" : "s");
    w->bar.what = w->words;
    if (total)
        progress_step(&w->bar, s->done, total);
    else
        progress_step(&w->bar, (uint64_t)(s->real * 1000), o->seconds * 1000);
}

/* ---- the end ---- */

static void print_row(const char *label, const char *value, const char *reference)
{
    if (!*value)
        return;
    printf("   %-10s ", label);
    escape_terminal(value, stdout);
    if (*reference)
        printf("  [%s]", reference);
    putchar('\n');
}

static void print_group(const struct cmd_context *c, const struct search *s, const struct search_group *g)
{
    bool failure = triage_kinds[g->least.kind].failure;
    printf("%s%s%s  %s%s%s  %zu of %" PRIu64 " runs, the first with seed %" PRIu64 "%s\n",
           term_code(c->color, failure ? TERM_BAD : TERM_WARN), failure ? "FAILS" : "RULE ", term_code(c->color, TERM_PLAIN),
           term_code(c->color, TERM_STRONG), g->first.fingerprint, term_code(c->color, TERM_PLAIN), g->count, s->done,
           g->first.seed, g->first.plan ? " and a plan" : "");
    printf("   %-10s %s: ", "WHAT", triage_kinds[g->least.kind].title);
    escape_terminal(g->least.title, stdout);
    putchar('\n');
    print_row("RUN", g->first.story, "");
    print_row("CAUSE", g->first.cause, g->first.reference);
    if (*g->tag) {
        printf("   %-10s %s", "KEPT", g->tag);
        for (size_t i = 1; i < g->kept; i++)
            printf(", %s", g->run[i]);
        putchar('\n');
    }
    printf("   %-10s ", "REPRODUCE");
    search_reproduce(s, g, stdout);
    printf("\n\n");
}

/* Failures first, then rules; each in the order they were found. */
static void print_groups(const struct cmd_context *c, const struct search *s)
{
    for (int failure = 1; failure >= 0; failure--)
        for (size_t i = 0; i < s->groups; i++)
            if (triage_kinds[s->group[i].least.kind].failure == failure)
                print_group(c, s, &s->group[i]);
}

static void print_sum(const struct cmd_context *c, const struct search *s)
{
    size_t found = search_failures(s);
    char all[TEXT_MAX], world[TEXT_MAX], length[TEXT_MAX];
    printf("%s%s run%s, %zu failure%s%s", term_code(c->color, found ? TERM_BAD : TERM_GOOD),
           text_count(s->done, all, sizeof all), s->done == 1 ? "" : "s", found, found == 1 ? "" : "s",
           term_code(c->color, TERM_PLAIN));
    for (size_t k = 0, shown = 0; k < TRIAGE_KINDS; k++)
        if (s->count[k])
            printf("%s%s %zu", shown++ ? ", " : "  (", triage_kinds[k].id, s->count[k]);
    printf("%s; %s of the world's time in %s, %zu situations", s->done ? ")" : "",
           text_duration(s->world, world, sizeof world), text_duration((uint64_t)(s->real * 1e9), length, sizeof length),
           s->seen_count);
    printf(s->resumed ? ", %" PRIu64 " of the runs from before\n" : "\n", s->resumed);
    if (*s->note) {
        printf("Not judged: ");
        escape_terminal(s->note, stdout);
        putchar('\n');
    }
}

static void json_group(struct json_writer *j, const struct search *s, const struct search_group *g)
{
    char *line = NULL;
    size_t size;
    FILE *out = open_memstream(&line, &size);
    if (out) {
        search_reproduce(s, g, out);
        fclose(out);
    }
    jw_object(j);
    jw_put_string(j, "fingerprint", g->first.fingerprint);
    jw_put_string(j, "kind", triage_kinds[g->least.kind].id);
    jw_put_bool(j, "failure", triage_kinds[g->least.kind].failure);
    jw_put_string(j, "title", g->least.title);
    jw_put_string(j, "text", g->first.story);
    jw_put_string(j, "cause", *g->first.cause ? g->first.cause : NULL);
    jw_put_string(j, "reference", *g->first.reference ? g->first.reference : NULL);
    jw_put_uint(j, "count", g->count);
    jw_put_uint(j, "seed", g->first.seed);
    jw_put_string(j, "plan", g->first.plan);
    jw_put_string(j, "tag", *g->tag ? g->tag : NULL);
    jw_put_string(j, "reproduce", line);
    jw_key(j, "runs");
    jw_array(j);
    for (size_t i = 0; i < g->kept; i++)
        jw_string(j, g->run[i]);
    jw_end(j);
    jw_end(j);
    free(line);
}

static void print_json(const struct search *s)
{
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.explore/1");
    jw_put_int(&j, "exit", search_exit(s));
    jw_put_uint(&j, "runs", s->done);
    jw_put_uint(&j, "continued", s->continued);
    jw_put_uint(&j, "resumed", s->resumed);
    jw_put_uint(&j, "situations", s->seen_count);
    jw_put_uint(&j, "world_ns", s->world);
    jw_put_uint(&j, "real_ns", (uint64_t)(s->real * 1e9));
    jw_key(&j, "counts");
    jw_object(&j);
    for (size_t k = 0; k < TRIAGE_KINDS; k++)
        jw_put_uint(&j, triage_kinds[k].id, s->count[k]);
    jw_end(&j);
    jw_key(&j, "groups");
    jw_array(&j);
    for (size_t i = 0; i < s->groups; i++)
        json_group(&j, s, &s->group[i]);
    jw_end(&j);
    jw_end(&j);
}

static bool takes_plan(void)
{
    const struct args_option *o = cmd_find("simulate")->options;
    while (o->type != ARGS_END && strcmp(o->name, "plan"))
        o++;
    return o->type != ARGS_END;
}

static int run_explore(struct cmd_context *c)
{
    static char self[PATH_MAX];
    struct search s = {0};
    struct watch w = {.search = &s};
    struct search_options o = {
        .setting = {.program = self, .command = c->argv, .model = model, .faults = faults || model, .plans = takes_plan()},
        .keep_all = !strcmp(keep, "all"),
        .resume = resume,
        .stop = &stop,
        .progress = show_progress,
        .context = &w};
    struct sigaction act = {.sa_handler = stop_now};
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return error_set_errno(&c->error, DRD_EXIT_CANNOT, "/proc/self/exe"), cmd_failed(c);
    self[length] = 0;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    bool good = options_read(&o, &c->error) && search_open(&s, &o, &c->error) && search_run(&s, &c->error);
    progress_finish(&w.bar);
    if (c->json && good) {
        print_json(&s);
    } else if (good || s.groups) {
        print_groups(c, &s);
        print_sum(c, &s);
    }
    int code = good ? search_exit(&s) : cmd_failed(c);
    search_close(&s);
    return code;
}

const struct drd_command cmd_explore = {
    .name = "explore",
    .summary = "simulate a command with many seeds and group what fails",
    .positional = "CMD [ARGUMENT...]",
    .min = 1,
    .max = -1,
    .flags = CMD_COMMAND | CMD_JSON,
    .options = options,
    .help = "Each run is a drd simulate, explained as it ends. Runs that show a new situation are gone on from\n"
            "with other chance.\n"
            "Ctrl-C ends it; what was found is kept and told, and --resume goes on.\n"
            "Exit status: 0 no failure, 1 failures were found, 125 no run could be judged.\n",
    .run = run_explore,
};
