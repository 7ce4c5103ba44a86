/* drd tag: names for runs. */
#include "cli/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"
#include "store/tags.h"
#include "util/json.h"

static struct {
    bool delete, force;
} options;

static const struct args_option rows[] = {
    { ARGS_FLAG, 'd', "delete", NULL, "delete the tag; the run stays", &options.delete },
    { ARGS_FLAG, 'f', "force", NULL, "move a tag that exists", &options.force },
    { 0 },
};

static void read_facts(const char *path, char started[64], char command[256])
{
    struct store *s = store_open(path, STORE_READ, NULL);
    if (s) {
        store_fact(s, "started", started, 64);
        store_fact(s, "command", command, 256);
    }
    store_close(s);
}

static void list_json(struct json_writer *j, const struct tags_entry *t, const char *name, const char *started)
{
    jw_object(j);
    jw_put_string(j, "tag", t->name);
    jw_put_string(j, "run", name);
    jw_put_string(j, "file", t->path);
    jw_put_bool(j, "exists", access(t->path, F_OK) == 0);
    jw_put_string(j, "started", *started ? started : NULL);
    jw_end(j);
}

static void list_line(const struct tags_entry *t, const char *name, const char *started, const char *command)
{
    if (access(t->path, F_OK))
        printf("%-20s its run is gone: %s\n", t->name, t->path);
    else
        printf("%-20s %-8s %-26s %s\n", t->name, name, started, command);
}

static bool list(struct cmd_context *c)
{
    struct tags_entry *tag;
    size_t count;
    struct json_writer j;
    if (!tags_list(&tag, &count, &c->error))
        return false;
    if (c->json) {
        jw_init(&j, stdout);
        jw_object(&j);
        jw_put_string(&j, "schema", "drd.tag/1");
        jw_key(&j, "tags");
        jw_array(&j);
    }
    for (size_t i = 0; i < count; i++) {
        char id[REFS_ID + 1], started[64] = "", command[256] = "";
        const char *name = refs_name(tag[i].path, id);
        read_facts(tag[i].path, started, command);
        if (c->json)
            list_json(&j, &tag[i], name, started);
        else
            list_line(&tag[i], name, started, command);
    }
    if (c->json) {
        jw_end(&j);
        jw_end(&j);
    }
    free(tag);
    return true;
}

static bool set(struct cmd_context *c)
{
    char path[PATH_MAX];
    return refs_resolve(c->argc > 1 ? c->argv[1] : "@", path, &c->error) &&
           tags_set(c->argv[0], path, options.force, &c->error);
}

static int run_tag(struct cmd_context *c)
{
    bool good;
    if (options.delete && c->argc != 1)
        good = error_set(&c->error, DRD_EXIT_USAGE, "--delete wants the name of one tag");
    else if (options.delete)
        good = tags_delete(c->argv[0], &c->error);
    else
        good = c->argc ? set(c) : list(c);
    return good ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_tag = {
    .name = "tag",
    .summary = "give a run a name, list the names, or delete one",
    .positional = "[NAME [RUN]]",
    .max = 2,
    .flags = CMD_JSON,
    .options = rows,
    .help = "Gives a run of .drd/ a name that all commands take, and that `drd gc` respects. Without NAME the tags are listed.\n"
            "RUN is the beginning of a run's id, @ (the latest, also without RUN), @~1 (the one before) or another tag.\n",
    .run = run_tag,
};
