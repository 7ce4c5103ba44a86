/* drd explain: which property of Raft broke in a run, where, and why. */
#include "cli/cmd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/explain_lanes.h"
#include "cli/run_view.h"
#include "explain/explain.h"
#include "prove/prove.h"
#include "store/redact.h"
#include "util/term.h"

#define FINGERPRINT_DIGITS 6
#define FINGERPRINT_NAME 48

#define TIMES_STANDARD 5

static bool no_source, ascii, bisect, prove_it;
static const char *lanes = "auto", *same;
static int64_t times, jobs;
static volatile int stop;

static const struct args_option rows[] = {
    { ARGS_FLAG, 0, "bisect", NULL, "for git bisect run: exit 0 good, 1 bad, 125 cannot be judged", &bisect },
    { ARGS_STRING, 0, "same", "WHAT", "with --bisect: only this fingerprint, or that of this run, is bad", &same },
    { ARGS_FLAG, 0, "prove", NULL, "run it again with one input changed at a time, and keep in it what that says", &prove_it },
    { ARGS_INT, 0, "times", "K", "with --prove: so often each (5)", &times },
    { ARGS_INT, 'j', "jobs", "N", "with --prove: runs at a time (default: one for each processor)", &jobs },
    { ARGS_FLAG, 0, "no-source", NULL, "do not re-drive the node to find the line of its program", &no_source },
    { ARGS_CHOICE, 0, "lanes", "auto|always|never", "draw the nodes beside the steps (auto: on a terminal of 100 columns)", &lanes },
    { ARGS_FLAG, 0, "ascii", NULL, "draw them with ASCII characters", &ascii },
    { 0 },
};

static void print_verdict(const struct cmd_context *c, const struct run_view *v, struct verdict *verdict)
{
    char id[REFS_ID + 1];
    const char *name = refs_name(v->path, id);
    struct verdict_style style = {
        .strong = term_code(c->color, TERM_STRONG), .bad = term_code(c->color, TERM_BAD),
        .good = term_code(c->color, TERM_GOOD), .warn = term_code(c->color, TERM_WARN),
        .faint = term_code(c->color, TERM_FAINT), .plain = term_code(c->color, TERM_PLAIN),
        .redacted = redact_is(v->store),
    };
    struct explain_lanes drawing;
    bool wanted = !strcmp(lanes, "always") || (!strcmp(lanes, "auto") && term_screen() && term_width() >= EXPLAIN_LANES_WIDTH);
    if (!c->json && wanted && explain_lanes_init(&drawing, verdict, (size_t)term_width(), c->color, ascii))
        verdict->beside = &drawing.beside;
    if (!c->json) {
        verdict_print(verdict, name, &style, stdout);
        verdict->beside = NULL;
        return;
    }
    struct json_writer j;
    jw_init(&j, stdout);
    verdict_json(verdict, name, &j);
}

static int verdict_exit(const struct verdict *verdict)
{
    static const int codes[] = {
        [VERDICT_NONE] = DRD_EXIT_OK, [VERDICT_VIOLATED] = DRD_EXIT_DIFFERS, [VERDICT_UNKNOWN] = DRD_EXIT_UNKNOWN,
    };
    return codes[verdict->status];
}

/* A run that has been read and judged. */
struct judged {
    struct run_view v;
    struct raft_model *m;
    struct verdict verdict;
};

static void judged_fini(struct judged *j)
{
    verdict_fini(&j->verdict);
    raft_model_destroy(j->m);
    run_view_close(&j->v);
}

/* On failure nothing needs to be closed. */
static bool judged_read(struct judged *j, const char *name, bool source, struct drd_error *e)
{
    char state[64] = "";
    *j = (struct judged){ 0 };
    if (!run_view_open(&j->v, name, e))
        return false;
    if (prove_it && !run_view_index(&j->v, e)) {
        judged_fini(j);
        return false;
    }
    j->m = explain_model(j->v.store, j->v.process, j->v.count, e);
    bool good = j->m != NULL;
    if (good) {
        store_fact(j->v.store, "state", state, sizeof state);
        verdict_init(&j->verdict, j->m, j->v.process, j->v.count, state);
        good = verdict_order(&j->verdict, j->v.store, e) &&
               inputs_add(&j->verdict.cause, j->v.store, j->v.process, j->v.count, e) &&
               (!source || verdict_source(&j->verdict, j->v.store, e));
    }
    if (good)
        verdict_proof(&j->verdict, proof_read(j->v.store, &j->verdict));
    if (!good)
        judged_fini(j);
    return good;
}

/* ---- the proof ---- */

static void stop_now(int signal)
{
    (void)signal;
    stop = 1;
}

static void show_progress(void *context, const char *what, size_t done, size_t total)
{
    struct progress *bar = context;
    bar->what = what;
    progress_step(bar, done < total ? done : total, total);
}

/* Make the runs and keep what they say. With Ctrl-C it is what they said so far, and it is not kept. */
static bool judged_prove(struct judged *j, struct drd_error *e)
{
    struct prove_subject subject = { .store = j->v.store, .process = j->v.process, .processes = j->v.count, .begin = j->v.begin,
                                     .end = j->v.end, .verdict = &j->verdict };
    struct progress bar = { .what = "proving" };
    const struct prove_options o = { .path = j->v.path, .times = times ? (unsigned)times : TIMES_STANDARD, .jobs = (unsigned)jobs,
                                     .stop = &stop, .progress = show_progress, .context = &bar };
    struct sigaction now = { .sa_handler = stop_now }, before;
    sigaction(SIGINT, &now, &before);
    struct proof *p = prove(&subject, &o, e);
    sigaction(SIGINT, &before, NULL);
    progress_finish(&bar);
    if (!p)
        return false;
    if (!p->stopped && !proof_keep(j->v.store, p))
        cmd_warn("%s cannot be written: what the runs said is not kept in it", j->v.path);
    verdict_proof(&j->verdict, p);
    return true;
}

static bool prove_usage(struct drd_error *e)
{
    if ((times || jobs) && !prove_it)
        return error_set(e, DRD_EXIT_USAGE, "--%s goes with --prove", times ? "times" : "jobs");
    if (prove_it && bisect)
        return error_set(e, DRD_EXIT_USAGE, "--prove does not go with --bisect");
    if (times < 0 || times > PROOF_TIMES)
        return error_set(e, DRD_EXIT_USAGE, "--times wants a number from 1 to %d", PROOF_TIMES);
    return (jobs >= 0 && jobs <= EXPLORE_JOBS) || error_set(e, DRD_EXIT_USAGE, "--jobs wants a number from 1 to %d", EXPLORE_JOBS);
}

/* ---- for git bisect run ---- */

/* "2:38bf10-T01", or without its algorithm. */
static bool is_fingerprint(const char *text)
{
    text += strspn(text, "0123456789") && text[strspn(text, "0123456789")] == ':' ? strspn(text, "0123456789") + 1 : 0;
    size_t digits = strspn(text, "0123456789abcdef");
    return digits == FINGERPRINT_DIGITS && text[digits] == '-' && text[digits + 1];
}

static void fingerprint_name(const struct verdict *v, char out[FINGERPRINT_NAME])
{
    struct verdict_fingerprint f;
    *out = 0;
    if (verdict_fingerprint(v, &f))
        snprintf(out, FINGERPRINT_NAME, "%d:%s", f.algorithm, f.value);
}

/* The fingerprint that is looked for: given, or that of a run. */
static bool wanted_fingerprint(char out[FINGERPRINT_NAME], struct drd_error *e)
{
    struct judged j;
    if (is_fingerprint(same)) {
        snprintf(out, FINGERPRINT_NAME, "%s", same);
        return true;
    }
    if (!judged_read(&j, same, false, e))
        return false;
    fingerprint_name(&j.verdict, out);
    judged_fini(&j);
    return *out || error_set(e, DRD_EXIT_USAGE, "--same %s: no rule of Raft is broken in that run", same);
}

static bool is_same(const char *wanted, const char *found)
{
    return strcmp(wanted, strchr(wanted, ':') ? found : found + strcspn(found, ":") + 1) == 0;
}

/* A mistake other than the one that is looked for may hide it: that commit says nothing. */
static int bisect_exit(const struct verdict *v, const char *wanted, const char *found)
{
    if (*wanted && *found && is_same(wanted, found))
        return DRD_EXIT_DIFFERS;
    if (v->status == VERDICT_NONE)
        return DRD_EXIT_OK;
    return v->status == VERDICT_VIOLATED && !*wanted ? DRD_EXIT_DIFFERS : DRD_EXIT_CANNOT;
}

static void bisect_print(const struct verdict *v, int code, const char *found)
{
    fputs(code == DRD_EXIT_OK ? "good" : code == DRD_EXIT_DIFFERS ? "bad" : "cannot be judged", stdout);
    if (*found)
        printf("  fingerprint %s", found);
    if (v->finding) {
        fputs("  ", stdout);
        verdict_headline(v, v->finding, stdout);
    } else if (v->status == VERDICT_UNKNOWN) {
        fputs("  the verdict is unknown; drd explain says what is missing", stdout);
    }
    putchar('\n');
}

static int run_bisect(struct cmd_context *c)
{
    struct judged j;
    char wanted[FINGERPRINT_NAME] = "", found[FINGERPRINT_NAME];
    if (same && !wanted_fingerprint(wanted, &c->error))
        return c->error.exit_code == DRD_EXIT_USAGE ? DRD_EXIT_USAGE : DRD_EXIT_FATAL; /* ends the search */
    if (!judged_read(&j, c->argc ? c->argv[0] : NULL, false, &c->error))
        return DRD_EXIT_CANNOT;
    fingerprint_name(&j.verdict, found);
    int code = bisect_exit(&j.verdict, wanted, found);
    bisect_print(&j.verdict, code, found);
    judged_fini(&j);
    return code;
}

static int run_explain(struct cmd_context *c)
{
    struct judged j;
    if (same && !bisect) {
        error_set(&c->error, DRD_EXIT_USAGE, "--same goes with --bisect");
        return cmd_failed(c);
    }
    if (!prove_usage(&c->error))
        return cmd_failed(c);
    if (bisect)
        return run_bisect(c);
    if (!judged_read(&j, c->argc ? c->argv[0] : NULL, !no_source, &c->error))
        return cmd_failed(c);
    if (prove_it && !judged_prove(&j, &c->error)) {
        judged_fini(&j);
        return cmd_failed(c);
    }
    print_verdict(c, &j.v, &j.verdict);
    int code = verdict_exit(&j.verdict);
    judged_fini(&j);
    return code;
}

const struct drd_command cmd_explain = {
    .name = "explain",
    .summary = "which property of Raft broke, where, and why",
    .positional = "[RUN]",
    .max = 1,
    .flags = CMD_PAGER | CMD_JSON,
    .options = rows,
    .help = "Reads the Raft messages, the files and the marks of all nodes, follows their terms, logs and commit indices, and\n"
            "checks the five properties of Raft and its rules. Says which property broke, at which index, which rule was broken\n"
            "first by which node, at which line of its program, and the steps from there; or that none did; or what is\n"
            "missing to tell.\n"
            "RUN is a file, the beginning of a run's id, @ (the latest, also without RUN) or @~1 (the one before).\n"
            "Exit status: 0 none found, 1 violated, 2 unknown; with --bisect 0, 1 and 125, for git bisect run.\n",
    .run = run_explain,
};
