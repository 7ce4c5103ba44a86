/* drd report: a run, or two side by side, as one HTML file. */
#include "cli/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/run_view.h"
#include "cli/show.h"
#include "report/html.h"
#include "util/term.h"
#include "util/text.h"

static struct {
    const char *output;
    uint64_t max_size;
    bool no_source;
} options = {.max_size = REPORT_SIZE_DEFAULT};

static const struct args_option rows[] = {
    { ARGS_STRING, 'o', "output", "FILE", "write there; - is stdout (default: the run's name with .html, here)",
     &options.output },
    { ARGS_SIZE, 0, "max-size", "SIZE", "the file's size at most, up to 16M (default 2M): fewer events are drawn",
     &options.max_size },
    { ARGS_FLAG, 0, "no-source", NULL, "do not re-drive the node to find the line of its program", &options.no_source },
    { 0 },
};

/* One run with what is drawn of it. */
struct side {
    struct run_view view;
    struct raft_model *model;
    struct verdict verdict;
    struct diff_run diff;
    bool diff_read;
    char id[REFS_ID + 1];
};

static uint64_t events_of(const struct run_view *v)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < v->count; i++)
        sum += v->process[i].events;
    return sum;
}

static bool side_judge(struct side *s, struct drd_error *e)
{
    char state[64] = "";
    struct run_view *v = &s->view;
    s->model = explain_model(v->store, v->process, v->count, e);
    if (!s->model)
        return false;
    store_fact(v->store, "state", state, sizeof state);
    if (!s->model->nodes)
        return error_set(e, DRD_EXIT_UNKNOWN, "no Raft in %s: no message, file or mark that DRD knows as such%s", v->path,
                         strcmp(state, "recording") ? "" : "; it is not finished: 'drd fsck --repair' finishes it");
    verdict_init(&s->verdict, s->model, v->process, v->count, state);
    bool good = verdict_order(&s->verdict, v->store, e) && inputs_add(&s->verdict.cause, v->store, v->process, v->count, e) &&
                (options.no_source || verdict_source(&s->verdict, v->store, e));
    if (good)
        verdict_proof(&s->verdict, proof_read(v->store, &s->verdict));
    return good;
}

static bool side_open(struct side *s, struct report_run *run, const char *word, size_t limit, struct drd_error *e)
{
    if (!run_view_open(&s->view, word, e) || !side_judge(s, e))
        return false;
    *run = (struct report_run){.verdict = &s->verdict, .name = refs_name(s->view.path, s->id), .store = s->view.store,
                               .recorded = events_of(&s->view), .duration = s->view.end - s->view.begin};
    return scene_init(&run->scene, &s->verdict, s->view.store, s->view.process, s->view.count, s->view.begin, limit, e);
}

static void side_close(struct side *s, struct report_run *run)
{
    scene_fini(&run->scene);
    if (s->diff_read)
        diff_run_fini(&s->diff);
    raft_model_destroy(s->model);
    run_view_close(&s->view);
}

/* --- the file --- */

/* "T07.html", "7f3a9c1.html", "T07-T08.html": in the current directory. */
static void name_output(const struct report *r, char out[PATH_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < r->runs && used < PATH_MAX; i++) {
        const char *base = show_base_name(r->run[i].name), *dot = strrchr(base, '.');
        int length = dot && dot > base && !strcmp(dot, ".drd") ? (int)(dot - base) : (int)strlen(base);
        used += (size_t)snprintf(out + used, PATH_MAX - used, "%s%.*s", i ? "-" : "", length, base);
    }
    if (used < PATH_MAX)
        snprintf(out + used, PATH_MAX - used, ".html");
}

static bool write_failed(int number, const char *path, struct drd_error *e)
{
    errno = number;
    return error_set_errno(e, DRD_EXIT_FATAL, "cannot write %s", path);
}

/* To a device or a pipe: there is nothing to rename. */
static bool write_stream(struct report *r, FILE *out, const char *path, struct drd_error *e)
{
    bool good = report_html(r, out, e);
    return good && (!r->write_errno || write_failed(r->write_errno, path, e));
}

/* To a temporary name beside it first: there is a whole file of this name, or none. */
static bool write_beside(struct report *r, const char *path, struct drd_error *e)
{
    char temporary[PATH_MAX + 32];
    snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid());
    FILE *out = fopen(temporary, "wx");
    if (!out)
        return write_failed(errno, path, e);
    bool good = write_stream(r, out, path, e);
    if (good && fsync(fileno(out)) != 0)
        good = write_failed(errno, path, e);
    if (fclose(out) != 0 && good)
        good = write_failed(errno, path, e);
    if (good && rename(temporary, path) != 0)
        good = write_failed(errno, path, e);
    if (!good)
        unlink(temporary);
    return good;
}

static bool write_file(struct report *r, const char *path, struct drd_error *e)
{
    struct stat st;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
        return write_beside(r, path, e);
    FILE *out = fopen(path, "w");
    if (!out)
        return write_failed(errno, path, e);
    bool good = write_stream(r, out, path, e);
    fclose(out);
    return good;
}

static void say_written(const struct report *r, const char *path)
{
    char size[TEXT_MAX], drawn[TEXT_MAX], seen[TEXT_MAX];
    struct stat st;
    uint64_t shown = 0, all = 0;
    for (size_t i = 0; i < r->runs; i++) {
        shown += r->run[i].scene.drawn;
        all += r->run[i].scene.seen > r->run[i].scene.drawn ? r->run[i].scene.seen : r->run[i].scene.drawn;
    }
    printf("%s (%s): showing %s of %s events\n", path, text_size(stat(path, &st) == 0 ? (uint64_t)st.st_size : 0, size,
                                                                 sizeof size),
           text_count(shown, drawn, sizeof drawn), text_count(all, seen, sizeof seen));
}

static bool write_report(struct report *r, struct drd_error *e)
{
    char path[PATH_MAX];
    if (options.output && !strcmp(options.output, "-"))
        return write_stream(r, stdout, "to stdout", e);
    if (options.output)
        snprintf(path, sizeof path, "%s", options.output);
    else
        name_output(r, path);
    if (!write_file(r, path, e))
        return false;
    say_written(r, path);
    return true;
}

/* --- two --- */

static bool sides_compare(struct side side[2], struct report *r, struct diff *d, struct drd_error *e)
{
    static const struct diff_options all = {.ignored = 0};
    for (int i = 0; i < 2; i++) {
        if (!diff_run_read(&side[i].diff, side[i].view.store, side[i].view.process, side[i].view.count, e))
            return false;
        side[i].diff_read = true;
    }
    if (diff_check(&side[0].diff, &side[1].diff, r->apart, sizeof r->apart) != DIFF_COMPARABLE)
        return true;
    if (!diff_init(d, &side[0].diff, &side[1].diff, &all))
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    r->diff = d;
    return true;
}

static int run_report(struct cmd_context *c)
{
    struct side side[2] = {0};
    struct diff d = {.lanes = 0};
    struct report *r = calloc(1, sizeof *r);
    bool good = r != NULL;
    if (!good)
        error_set(&c->error, DRD_EXIT_FATAL, "out of memory");
    else if (!options.max_size || options.max_size > REPORT_SIZE_MOST)
        good = error_set(&c->error, DRD_EXIT_USAGE, "--max-size wants at most 16M");
    if (good) {
        r->runs = c->argc > 1 ? 2 : 1;
        r->max_size = options.max_size;
    }
    for (size_t i = 0; good && i < r->runs; i++)
        good = side_open(&side[i], &r->run[i], c->argc ? c->argv[i] : NULL, SCENE_DRAWN / r->runs, &c->error);
    if (good && r->runs == 2)
        good = sides_compare(side, r, &d, &c->error);
    good = good && write_report(r, &c->error);
    if (r && r->diff)
        diff_fini(&d);
    for (size_t i = 0; r && i < 2; i++)
        side_close(&side[i], &r->run[i]);
    free(r);
    return good ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_report = {
    .name = "report",
    .summary = "one HTML file that shows what went wrong, to attach to a bug",
    .positional = "[RUN [OTHER]]",
    .max = 2,
    .options = rows,
    .help = "Writes one HTML file that needs nothing but a browser, no DRD and no network: the verdict with the line that\n"
            "reproduces it, the explanation in words, the chain of events, the logs of all nodes by index, and a space-time\n"
            "diagram around the violation that is moved event by event. With two runs, both side by side.\n"
            "The same run gives the same file. RUN is a file, the beginning of a run's id, @ (the latest, also without RUN)\n"
            "or @~1 (the one before).\n"
            "Exit status: 0 written, 2 no Raft in the run, 128 the file cannot be written.\n",
    .run = run_report,
};
