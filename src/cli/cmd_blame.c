/* drd blame: who proposed the entry at an index, and what became of it. */
#include "cli/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/run_view.h"
#include "report/blame.h"
#include "util/term.h"

static bool read_index(const char *text, uint64_t *index, struct drd_error *e)
{
    char *end;
    errno = 0;
    *index = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || !*index)
        return error_set(e, DRD_EXIT_USAGE, "'%s' is not an index of a log: a number from 1 on", text);
    return true;
}

static void say(const struct cmd_context *c, const struct blame_report *report)
{
    struct json_writer j;
    if (c->json) {
        jw_init(&j, stdout);
        blame_json(report, &j);
        return;
    }
    struct verdict_style style = {
        .strong = term_code(c->color, TERM_STRONG), .bad = term_code(c->color, TERM_BAD),
        .good = term_code(c->color, TERM_GOOD), .warn = term_code(c->color, TERM_WARN),
        .faint = term_code(c->color, TERM_FAINT), .plain = term_code(c->color, TERM_PLAIN),
    };
    blame_print(report, &style, stdout);
}

static bool report(struct cmd_context *c, const struct run_view *v, const struct blame *b)
{
    char id[REFS_ID + 1];
    struct blame_report r = {.blame = b, .begin = v->begin, .run = refs_name(v->path, id)};
    bool seen = false;
    r.names = (struct verdict){.model = b->model, .process = v->process, .processes = v->count};
    for (size_t i = 0; i < b->model->clusters; i++)
        seen |= blame_has(&r, i);
    if (seen)
        say(c, &r);
    else if (!b->model->nodes)
        error_set(&c->error, DRD_EXIT_NOTHING, "no Raft in this run: no message, file or mark that DRD knows as such");
    else
        error_set(&c->error, DRD_EXIT_NOTHING, "no entry was seen at index %" PRIu64 " (the logs reach %" PRIu64 ")", b->index,
                  b->last);
    return seen;
}

static int run_blame(struct cmd_context *c)
{
    struct run_view v;
    struct blame b;
    uint64_t index;
    if (!read_index(c->argv[c->argc - 1], &index, &c->error) || !run_view_open(&v, c->argc > 1 ? c->argv[0] : NULL, &c->error))
        return cmd_failed(c);
    bool good = blame_run(&b, v.store, v.process, v.count, index, &c->error);
    if (good) {
        good = report(c, &v, &b);
        blame_fini(&b);
    }
    run_view_close(&v);
    return good ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_blame = {
    .name = "blame",
    .summary = "who proposed the entry at an index, and what became of it",
    .positional = "[RUN] INDEX",
    .min = 1,
    .max = 2,
    .flags = CMD_PAGER | CMD_JSON,
    .help = "Of every entry that was seen at this index of the Raft log: which leader proposed it, for which request of a\n"
            "client, which logs held it, who acknowledged it when, when it became committed and by which majority, who\n"
            "applied it and who lost it; each with its event.\n"
            "RUN is a file, the beginning of a run's id, @ (the latest, also without RUN) or @~1 (the one before).\n"
            "Exit status: 5 where no entry was seen at the index.\n",
    .run = run_blame,
};
