/* drd triage: a hundred red runs are usually three bugs. */
#include "cli/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "report/triage.h"
#include "util/term.h"

static const char *known, *junit, *markdown, *cache, *fingerprint;
static bool github, strict, no_cache, no_source;
static int64_t jobs;

static const struct args_option rows[] = {
    { ARGS_STRING, 0, "known", "FILE", "fingerprints that are known, one a line", &known },
    { ARGS_STRING, 0, "fingerprint", "VALUE", "only the group with this fingerprint, and all its runs", &fingerprint },
    { ARGS_FLAG, 0, "strict", NULL, "a rule that was broken without harm is a failure too", &strict },
    { ARGS_STRING, 0, "junit", "FILE", "write the groups as JUnit XML, for GitLab and Jenkins", &junit },
    { ARGS_STRING, 0, "markdown", "FILE", "append a summary, for $GITHUB_STEP_SUMMARY", &markdown },
    { ARGS_FLAG, 0, "github", NULL, "print annotations, one a group, as GitHub Actions reads them", &github },
    { ARGS_INT, 'j', "jobs", "N", "runs explained at a time (default: one for each processor)", &jobs },
    { ARGS_STRING, 0, "cache", "DIR", "where what was found is kept (default: ~/.cache/drd/triage)", &cache },
    { ARGS_FLAG, 0, "no-cache", NULL, "keep nothing and use nothing kept", &no_cache },
    { ARGS_FLAG, 0, "no-source", NULL, "do not re-drive nodes to find the lines of their programs", &no_source },
    { 0 },
};

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    progress_step(context, done, total);
}

/* Before anything is explained: minutes later it would be a pity. */
static bool open_output(const char *path, const char *mode, FILE **out, struct drd_error *e)
{
    *out = path ? fopen(path, mode) : NULL;
    return !path || *out || error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", path);
}

static bool close_output(FILE *out, const char *path, struct drd_error *e)
{
    if (!out)
        return true;
    bool failed = ferror(out) != 0;
    if (!fclose(out) && !failed)
        return true;
    return error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", path);
}

/* Everybody but the group that was asked for. */
static bool select_group(struct triage *t, const char *value, struct drd_error *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->groups; i++) {
        struct triage_group group = t->group[i];
        if (strcmp(group.least->result.fingerprint, value) != 0)
            free(group.run);
        else
            t->group[kept++] = group;
    }
    t->groups = kept;
    t->all_runs = true;
    return kept || error_set(e, DRD_EXIT_NOTHING, "no run has the fingerprint %s", value);
}

static bool judge(struct triage *t, struct drd_error *e)
{
    char standard[PATH_MAX];
    struct progress bar = { .what = "explaining" };
    const char *kept = no_cache ? NULL : cache ? cache : triage_cache_default(standard) ? standard : NULL;
    unsigned workers = jobs > 0 ? (unsigned)(jobs < 64 ? jobs : 64) : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    bool good = triage_judge_all(t, workers, kept, show_progress, &bar, e);
    progress_finish(&bar);
    return good && triage_group_all(t, e) && (!known || triage_known(t, known, e)) &&
           (!fingerprint || select_group(t, fingerprint, e)) && (no_source || triage_locate(t, workers, kept, e));
}

/* What a run says may stand in the text: a runner of GitHub must not obey it. Nobody can know the token. */
static void without_commands(bool begin)
{
    static unsigned long token;
    if (begin && getrandom(&token, sizeof token, 0) != sizeof token)
        token = (unsigned long)getpid();
    printf(begin ? "::stop-commands::drd%016lx\n" : "::drd%016lx::\n", token);
}

static void print(const struct cmd_context *c, const struct triage *t)
{
    struct triage_style style = {
        .strong = term_code(c->color, TERM_STRONG), .bad = term_code(c->color, TERM_BAD),
        .good = term_code(c->color, TERM_GOOD), .warn = term_code(c->color, TERM_WARN),
        .faint = term_code(c->color, TERM_FAINT), .plain = term_code(c->color, TERM_PLAIN),
    };
    if (c->json)
        triage_json(t, stdout);
    if (c->json)
        return;
    if (github)
        without_commands(true);
    triage_text(t, &style, stdout);
    if (github) {
        without_commands(false);
        triage_github(t, stdout);
    }
}

static int run_triage(struct cmd_context *c)
{
    struct triage t = { .strict = strict };
    FILE *xml = NULL, *summary = NULL;
    char *here[] = { "." };
    if (jobs < 0)
        return error_set(&c->error, DRD_EXIT_USAGE, "--jobs wants a number of at least 1"), cmd_failed(c);
    bool good = (!known || !access(known, R_OK) || error_set_errno(&c->error, DRD_EXIT_FATAL, "cannot read %s", known)) &&
                triage_collect(&t, c->argc ? c->argv : here, c->argc ? (size_t)c->argc : 1, &c->error) &&
                open_output(junit, "w", &xml, &c->error) && open_output(markdown, "a", &summary, &c->error) &&
                judge(&t, &c->error);
    if (good) {
        print(c, &t);
        if (xml)
            triage_junit(&t, xml);
        if (summary)
            triage_markdown(&t, summary);
    }
    good = close_output(xml, junit, good ? &c->error : NULL) && good;
    good = close_output(summary, markdown, good ? &c->error : NULL) && good;
    int code = good ? triage_exit(&t) : cmd_failed(c);
    triage_fini(&t);
    return code;
}

const struct drd_command cmd_triage = {
    .name = "triage",
    .summary = "group the failures of many runs: what is new, what is known",
    .positional = "[PATH...]",
    .max = -1,
    .flags = CMD_PAGER | CMD_JSON,
    .options = rows,
    .help = "Explains runs, several at a time, and puts together those that failed by the same bug. PATH is a run file, a\n"
            "run's id, or a directory with files NAME.drd in it, as .drd/ is one; without any, the current directory.\n"
            "What was found is kept by content of the run and build of drd, so the next time is short.\n"
            "Exit status: 0 no new failure, 1 new failures, 125 no run could be judged.\n",
    .run = run_triage,
};
