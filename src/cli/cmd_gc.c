/* drd gc: delete the runs of .drd/ that nobody wants to keep. */
#include "cli/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/keep.h"
#include "store/pack.h"
#include "util/json.h"
#include "util/text.h"

#define DEFAULT_RUNS 100

static struct {
    struct args_list keep;
    bool dry_run;
} options;

static const struct args_option rows[] = {
    { ARGS_LIST, 'k', "keep", "N|AGE|SIZE", "keep so many runs (100), so old (12h, 30d, 4w), so much (1G)", &options.keep },
    { ARGS_FLAG, 'n', "dry-run", NULL, "say what would be deleted, delete nothing", &options.dry_run },
    { 0 },
};

struct totals {
    size_t count[KEEP_IN_USE + 1];
    uint64_t deleted, kept; /* bytes */
};

static const char *const reasons[] = {
    [KEEP_GONE] = "deleted", [KEEP_WITHIN] = "kept", [KEEP_TAGGED] = "tagged", [KEEP_UNFINISHED] = "unfinished",
    [KEEP_IN_USE] = "in use",
};

static bool collect(struct cmd_context *c, struct keep_run *run, size_t count, struct totals *t)
{
    char bytes[TEXT_MAX], age[TEXT_MAX];
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        bool gone = run[i].reason == KEEP_GONE;
        struct drd_error error = {0};
        if (gone && !options.dry_run && !keep_delete(&run[i], &error)) {
            c->error = error; /* the others can go all the same */
            good = gone = false;
            run[i].reason = KEEP_IN_USE;
        }
        t->count[run[i].reason]++;
        *(gone ? &t->deleted : &t->kept) += run[i].bytes;
        if (gone && !c->json)
            printf("%s %s  %10s, %s old\n", options.dry_run ? "would delete" : "deleted", run[i].id,
                   text_size(run[i].bytes, bytes, sizeof bytes),
                   text_duration(run[i].age * 1000000000, age, sizeof age));
    }
    return good;
}

static void say(const struct totals *t)
{
    char deleted[TEXT_MAX], kept[TEXT_MAX];
    size_t all = t->count[KEEP_WITHIN];
    const char *comma = " (";
    for (int i = KEEP_TAGGED; i <= KEEP_IN_USE; i++)
        all += t->count[i];
    printf("%zu %s%s, %s; %zu kept, %s", t->count[KEEP_GONE], t->count[KEEP_GONE] == 1 ? "run" : "runs",
           options.dry_run ? " would be deleted" : " deleted", text_size(t->deleted, deleted, sizeof deleted), all,
           text_size(t->kept, kept, sizeof kept));
    for (int i = KEEP_TAGGED; i <= KEEP_IN_USE; i++) {
        if (!t->count[i])
            continue;
        printf("%s%zu %s", comma, t->count[i], reasons[i]);
        comma = ", ";
    }
    puts(*comma == ',' ? ")" : "");
}

static void say_json(const struct keep_run *run, size_t count, const struct totals *t)
{
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.gc/1");
    jw_put_bool(&j, "dry_run", options.dry_run);
    jw_put_uint(&j, "deleted_bytes", t->deleted);
    jw_put_uint(&j, "kept_bytes", t->kept);
    jw_key(&j, "runs");
    jw_array(&j);
    for (size_t i = 0; i < count; i++) {
        jw_object(&j);
        jw_put_string(&j, "run", run[i].id);
        jw_put_string(&j, "file", run[i].path);
        jw_put_uint(&j, "bytes", run[i].bytes);
        jw_put_uint(&j, "age_s", run[i].age);
        jw_put_string(&j, "result", reasons[run[i].reason]);
        jw_end(&j);
    }
    jw_end(&j);
    jw_end(&j);
}

static int run_gc(struct cmd_context *c)
{
    struct keep_limits limits = {0};
    struct keep_run *run;
    size_t count;
    struct totals t = {0};
    for (size_t i = 0; i < options.keep.count; i++) {
        if (!keep_parse(options.keep.item[i], &limits, &c->error))
            return cmd_failed(c);
    }
    if (!options.keep.count)
        limits.runs = DEFAULT_RUNS;
    if (!keep_judge(&limits, time(NULL), &run, &count, &c->error))
        return cmd_failed(c);
    bool good = collect(c, run, count, &t);
    uint64_t objects = 0;
    if (good && !options.dry_run && pack_objects_sweep(&objects, NULL)) /* a run in use may need any of them: the next gc will do */
        t.deleted += objects;
    if (c->json)
        say_json(run, count, &t);
    else
        say(&t);
    free(run);
    return good ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_gc = {
    .name = "gc",
    .summary = "delete old runs of .drd/",
    .positional = "",
    .flags = CMD_JSON,
    .options = rows,
    .help = "Deletes the runs of .drd/ that are beyond a limit: by number, by age, by the size of all. Of several limits each\n"
            "applies; without any, 100 runs are kept. The latest are kept first. Never deleted: runs with a tag, runs being\n"
            "recorded or read, and runs whose recorder was killed (drd fsck --repair finishes them). They do not count.\n",
    .run = run_gc,
};
