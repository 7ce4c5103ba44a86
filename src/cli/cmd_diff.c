/* drd diff: two runs, or the logs of two nodes, compared by what they mean for Raft. */
#include "cli/cmd.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/diff_with.h"
#include "cli/run_view.h"
#include "diff/diff.h"
#include "util/term.h"

#define SCREEN 60 /* lines */

static struct {
    bool stat, exit_code;
    const char *with;
    int64_t context;
    struct args_list nodes, kinds, ignored;
} options = {.context = -1};

static const struct args_option rows[] = {
    { ARGS_FLAG, 0, "stat", NULL, "only how much differs, by node and kind", &options.stat },
    { ARGS_INT, 'U', "unified", "N", "N equal events around each difference, and no limit of lines", &options.context },
    { ARGS_LIST, 'n', "node", "NAME", "only events of this node (may be repeated)", &options.nodes },
    { ARGS_LIST, 'k', "kind", "KIND", "only this kind: vote, append, commit (may be repeated)", &options.kinds },
    { ARGS_LIST, 0, "ignore", "KIND|FIELD", "leave out a kind, or do not compare term, index, content, peer",
     &options.ignored },
    { ARGS_STRING, 'w', "with", "BINARY", "re-drive a run with another build of its program: where does it depart?",
     &options.with },
    { ARGS_FLAG, 0, "exit-code", NULL, "exit 1 if they differ: as without it", &options.exit_code },
    { 0 },
};

/* One side: a run, and perhaps one node of it. */
struct side {
    struct run_view view;
    struct diff_run run;
    struct drd_error error;
    bool good;
    char node[RAFT_NODE_NAME]; /* "" the whole run */
    char id[REFS_ID + 1];
    char command[128], started[64], version[32], state[32], status[16];
};

static void fact(const struct side *s, const char *key, char *out, size_t size)
{
    if (!store_fact(s->view.store, key, out, size))
        *out = '\0';
}

/* RUN:NODE in two, unless there is a file of that name. */
static void split_node(const char *word, char run[PATH_MAX], char node[RAFT_NODE_NAME])
{
    const char *colon = strrchr(word, ':');
    *node = '\0';
    snprintf(run, PATH_MAX, "%s", word);
    if (!colon || !colon[1] || strchr(colon, '/') || access(word, F_OK) == 0 || strlen(colon) > RAFT_NODE_NAME)
        return;
    snprintf(run, PATH_MAX, "%.*s", (int)(colon - word), word);
    snprintf(node, RAFT_NODE_NAME, "%s", colon + 1);
    if (!*run)
        snprintf(run, PATH_MAX, "@");
}

static bool check_state(struct side *s, struct drd_error *e)
{
    if (strcmp(s->state, "recording") == 0)
        return error_set(e, DRD_EXIT_CANNOT, "%s is not finished: it is being recorded, or 'drd fsck --repair' finishes it",
                         s->view.path);
    if (strcmp(s->state, "complete") != 0)
        cmd_warn("%s is incomplete: recording stopped before the cluster did", s->view.path);
    return true;
}

static bool side_open(struct side *s, const char *word, struct drd_error *e)
{
    char run[PATH_MAX];
    split_node(word, run, s->node);
    if (!run_view_open(&s->view, run, e))
        return false;
    fact(s, "command", s->command, sizeof s->command);
    fact(s, "started", s->started, sizeof s->started);
    fact(s, "drd_version", s->version, sizeof s->version);
    fact(s, "state", s->state, sizeof s->state);
    fact(s, "exit_status", s->status, sizeof s->status);
    return check_state(s, e) && (!*s->node || run_view_has_node(&s->view, s->node, e));
}

static void *side_read(void *context)
{
    struct side *s = context;
    s->good = diff_run_read(&s->run, s->view.store, s->view.process, s->view.count, &s->error);
    return NULL;
}

/* Each run has its own store and its own thread. */
static bool sides_read(struct side side[2], struct drd_error *e)
{
    pthread_t thread;
    bool apart = pthread_create(&thread, NULL, side_read, &side[1]) == 0;
    side_read(&side[0]);
    if (apart)
        pthread_join(thread, NULL);
    else
        side_read(&side[1]);
    for (int i = 0; i < 2; i++) {
        if (!side[i].good) {
            *e = side[i].error;
            return error_wrap(e, "%s", side[i].view.path);
        }
    }
    return true;
}

static void side_close(struct side *s)
{
    if (s->good)
        diff_run_fini(&s->run);
    run_view_close(&s->view);
}

/* --- options --- */

static int kind_of(const char *word)
{
    for (int i = 0; i < DIFF_KINDS; i++) {
        if (!strcmp(diff_kind_names[i], word))
            return i;
    }
    return -1;
}

static bool fields_of(const char *word, unsigned *fields)
{
    static const char *const names[] = {"term", "index", "content", "peer"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(names[i], word)) {
            *fields |= 1u << i;
            return true;
        }
    }
    return false;
}

static bool check_options(struct diff_options *o, struct drd_error *e)
{
    uint32_t wanted = 0;
    *o = (struct diff_options){.node = options.nodes.item, .nodes = options.nodes.count};
    for (size_t i = 0; i < options.kinds.count; i++) {
        int kind = kind_of(options.kinds.item[i]);
        if (kind < 0)
            return error_set(e, DRD_EXIT_USAGE, "no kind of event is called '%s' (docs/drd-diff.md lists them)",
                             options.kinds.item[i]);
        wanted |= 1u << kind;
    }
    o->ignored = wanted ? ~wanted : 0;
    for (size_t i = 0; i < options.ignored.count; i++) {
        int kind = kind_of(options.ignored.item[i]);
        bool field = fields_of(options.ignored.item[i], &o->fields);
        if (kind < 0 && !field)
            return error_set(e, DRD_EXIT_USAGE, "neither a kind nor a field is called '%s' (docs/drd-diff.md lists them)",
                             options.ignored.item[i]);
        if (kind >= 0)
            o->ignored |= 1u << kind;
    }
    if (options.context < -1 || options.context > 1000000)
        return error_set(e, DRD_EXIT_USAGE, "-U wants a number of events, not %" PRId64, options.context);
    return true;
}

static bool check_nodes(const struct side side[2], struct drd_error *e)
{
    for (size_t i = 0; i < options.nodes.count; i++) {
        struct drd_error first = {0};
        if (!run_view_has_node(&side[0].view, options.nodes.item[i], &first) &&
            !run_view_has_node(&side[1].view, options.nodes.item[i], e))
            return false;
    }
    return true;
}

/* --- output --- */

static struct diff_style style_of(const struct cmd_context *c)
{
    return (struct diff_style){
        .strong = term_code(c->color, TERM_STRONG), .bad = term_code(c->color, TERM_BAD), .good =
            term_code(c->color, TERM_GOOD),
        .warn = term_code(c->color, TERM_WARN), .faint = term_code(c->color, TERM_FAINT), .plain =
            term_code(c->color, TERM_PLAIN),
    };
}

static void name_side(struct side *s, struct diff_name *out)
{
    *out = (struct diff_name){
        .run = refs_name(s->view.path, s->id), .command = s->command, .started = s->started, .version = s->version,
        .state = s->state, .status = s->status,
    };
}

static void print(struct cmd_context *c, struct side side[2], struct diff *d)
{
    struct diff_view v = {
        .diff = d, .style = style_of(c), .context = options.context < 0 ? 1 : (size_t)options.context,
        .lines = options.context < 0 ? SCREEN : 0,
    };
    name_side(&side[0], &v.name[0]);
    name_side(&side[1], &v.name[1]);
    if (c->json) {
        struct json_writer j;
        jw_init(&j, stdout);
        diff_json(&v, &j);
    } else if (options.stat) {
        diff_print_stat(&v, stdout);
    } else {
        diff_print(&v, stdout);
    }
}

static int compare_runs(struct cmd_context *c, struct side side[2], const struct diff_options *o)
{
    static const int codes[] = {[DIFF_NO_RAFT] = DRD_EXIT_UNKNOWN, [DIFF_NO_COMMON_NODE] = DRD_EXIT_CANNOT,
                                [DIFF_OTHER_PROGRAMS] = DRD_EXIT_CANNOT};
    struct diff d;
    char words[300];
    enum diff_problem problem = diff_check(&side[0].run, &side[1].run, words, sizeof words);
    if (problem != DIFF_COMPARABLE) {
        error_set(&c->error, codes[problem], "cannot compare these runs: %s", words);
        return cmd_failed(c);
    }
    if (!diff_init(&d, &side[0].run, &side[1].run, o)) {
        error_set(&c->error, DRD_EXIT_FATAL, "out of memory");
        return cmd_failed(c);
    }
    print(c, side, &d);
    bool differs = d.first.any;
    diff_fini(&d);
    return differs ? DRD_EXIT_DIFFERS : DRD_EXIT_OK;
}

/* RUN:n1 RUN:n2: two logs side by side. */
static int compare_logs(struct cmd_context *c, struct side side[2])
{
    struct diff_style style = style_of(c);
    struct diff_column column[2] = {
        {&side[0].run, diff_run_node(&side[0].run, side[0].node), "A"},
            {&side[1].run, diff_run_node(&side[1].run, side[1].node), "B"},
    };
    for (int i = 0; i < 2; i++) {
        if (!side[i].run.node[column[i].node].raft) {
            error_set(&c->error, DRD_EXIT_UNKNOWN, "no Raft at %s: no message, file or mark that DRD knows as such",
                      side[i].node);
            return cmd_failed(c);
        }
    }
    uint64_t differ = diff_logs(column, 2, options.context < 0 ? SCREEN - 2 : SIZE_MAX, options.context < 0 ?
                                3 : (size_t)options.context,
                                &style, stdout);
    return differ ? DRD_EXIT_DIFFERS : DRD_EXIT_OK;
}

static bool check_words(struct cmd_context *c, const struct side side[2])
{
    if (!*side[0].node != !*side[1].node)
        return error_set(&c->error, DRD_EXIT_USAGE, "name a node on both sides, RUN:n1 RUN:n2, or on none");
    if (*side[0].node && (c->json || options.stat))
        return error_set(&c->error, DRD_EXIT_USAGE, "--json and --stat are for two runs, not for the logs of two nodes");
    return true;
}

static int run_two(struct cmd_context *c)
{
    struct side side[2] = {0};
    struct diff_options o;
    int code = -1;
    if (check_options(&o, &c->error) && side_open(&side[0], c->argv[0], &c->error) &&
        side_open(&side[1], c->argv[1], &c->error) &&
        check_words(c, side) && check_nodes(side, &c->error) && sides_read(side, &c->error))
        code = *side[0].node ? compare_logs(c, side) : compare_runs(c, side, &o);
    else
        code = cmd_failed(c);
    side_close(&side[0]);
    side_close(&side[1]);
    return code;
}

static bool check_count(struct cmd_context *c)
{
    bool narrowed = options.stat || options.context >= 0 || options.nodes.count || options.kinds.count || options.ignored.count;
    if (options.with && narrowed)
        return error_set(&c->error, DRD_EXIT_USAGE, "--with takes RUN or RUN:NODE and --json, no other option of diff");
    if (c->argc == (options.with ? 1 : 2))
        return true;
    return error_set(&c->error, DRD_EXIT_USAGE, options.with ? "--with BINARY takes one run, RUN or RUN:NODE" :
                     "drd diff takes two runs, A B (drd diff --help)");
}

static int run_with(struct cmd_context *c)
{
    char run[PATH_MAX], node[RAFT_NODE_NAME];
    split_node(c->argv[0], run, node);
    return diff_with(c, options.with, run, node);
}

static int run_diff(struct cmd_context *c)
{
    if (!check_count(c))
        return cmd_failed(c);
    return options.with ? run_with(c) : run_two(c);
}

const struct drd_command cmd_diff = {
    .name = "diff",
    .summary = "two runs compared by what they mean, and where they parted",
    .positional = "A B | --with BINARY RUN",
    .min = 1,
    .max = 2,
    .flags = CMD_PAGER | CMD_JSON,
    .options = rows,
    .help = "Compares what the nodes of two runs did as Raft sees it: elections, votes, entries, commits, applies, answers to\n"
            "clients, faults. Addresses, ports, pids, uuids and the time are not compared; terms may be shifted. Says first where\n"
            "the runs parted and why, then what is missing (-), extra (+) and changed, then both clusters' logs.\n"
            "A and B are runs: a file, the beginning of a run's id, @ (the latest), @~1 (the one before). RUN:n1 RUN:n2 puts the\n"
            "logs of two nodes side by side.\n"
            "--with BINARY RUN re-drives the run's nodes, or RUN:NODE, with another build of their program and says where it\n"
            "departs.\n"
            "Exit status: 0 the same, 1 they differ, 2 no Raft was seen, 125 these cannot be compared.\n",
    .run = run_diff,
};
