/* drd explain: which property of Raft broke in a run, where, and why. */
#include "cli/cmd.h"

#include <stdio.h>

#include "cli/run_view.h"
#include "explain/explain.h"
#include "util/term.h"

static bool no_source;

static const struct args_option rows[] = {
    { ARGS_FLAG, 0, "no-source", NULL, "do not re-drive the node to find the line of its program", &no_source },
    { 0 },
};

static void print_verdict(const struct cmd_context *c, const struct run_view *v, const struct verdict *verdict)
{
    char id[REFS_ID + 1];
    const char *name = refs_name(v->path, id);
    struct verdict_style style = {
        .strong = term_code(c->color, TERM_STRONG), .bad = term_code(c->color, TERM_BAD),
        .good = term_code(c->color, TERM_GOOD), .warn = term_code(c->color, TERM_WARN),
        .faint = term_code(c->color, TERM_FAINT), .plain = term_code(c->color, TERM_PLAIN),
    };
    if (!c->json) {
        verdict_print(verdict, name, &style, stdout);
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

static int run_explain(struct cmd_context *c)
{
    struct run_view v;
    struct verdict verdict;
    char state[64] = "";
    if (!run_view_open(&v, c->argc ? c->argv[0] : NULL, &c->error))
        return cmd_failed(c);
    struct raft_model *m = explain_model(v.store, v.process, v.count, &c->error);
    bool good = m != NULL;
    if (good) {
        store_fact(v.store, "state", state, sizeof state);
        verdict_init(&verdict, m, v.process, v.count, state);
        good = verdict_order(&verdict, v.store, &c->error) && inputs_add(&verdict.cause, v.store, v.process, v.count, &c->error) &&
               (no_source || verdict_source(&verdict, v.store, &c->error));
    }
    if (good)
        print_verdict(c, &v, &verdict);
    raft_model_destroy(m);
    run_view_close(&v);
    return good ? verdict_exit(&verdict) : cmd_failed(c);
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
            "Exit status: 0 none found, 1 violated, 2 unknown.\n",
    .run = run_explain,
};
