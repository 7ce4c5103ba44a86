/* drd notes: words of people about a run, kept in it. */
#include "cli/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run_view.h"
#include "util/json.h"

#define NOTES_MAX 65536

static struct {
    const char *message;
    bool delete;
} options;

static const struct args_option rows[] = {
    { ARGS_STRING, 'm', "message", "TEXT", "add this to the notes", &options.message },
    { ARGS_FLAG, 'd', "delete", NULL, "delete the notes", &options.delete },
    { 0 },
};

/* The notes as they are, then a blank line, then the new one. */
static bool add(struct store *s, char *notes, struct drd_error *e)
{
    size_t used = strlen(notes), more = strlen(options.message);
    if (!more)
        return error_set(e, DRD_EXIT_USAGE, "--message has no text");
    if (used + more + 2 >= NOTES_MAX)
        return error_set(e, DRD_EXIT_FATAL, "the notes of a run have at most %d bytes", NOTES_MAX - 1);
    snprintf(notes + used, NOTES_MAX - used, "%s%s", used ? "\n\n" : "", options.message);
    return store_fact_set(s, "notes", notes, e);
}

static void say(const struct cmd_context *c, const char *notes)
{
    struct json_writer j;
    if (!c->json) {
        if (*notes)
            printf("%s\n", notes);
        return;
    }
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.notes/1");
    jw_put_string(&j, "notes", *notes ? notes : NULL);
    jw_end(&j);
}

static bool work(struct cmd_context *c, struct store *s, char *notes)
{
    store_fact(s, "notes", notes, NOTES_MAX);
    if (options.delete)
        return store_fact_set(s, "notes", "", &c->error);
    if (options.message)
        return add(s, notes, &c->error);
    say(c, notes);
    return true;
}

static int run_notes(struct cmd_context *c)
{
    char path[PATH_MAX];
    if (options.message && options.delete) {
        error_set(&c->error, DRD_EXIT_USAGE, "--message adds and --delete deletes: not both");
        return cmd_failed(c);
    }
    if (!refs_resolve(c->argc ? c->argv[0] : "@", path, &c->error))
        return cmd_failed(c);
    bool change = options.message || options.delete;
    struct store *s = store_open(path, change ? STORE_WRITE : STORE_READ, &c->error);
    char *notes = s ? calloc(1, NOTES_MAX) : NULL;
    bool good = s && (notes || error_set(&c->error, DRD_EXIT_FATAL, "out of memory")) && work(c, s, notes);
    free(notes);
    store_close(s);
    return good ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_notes = {
    .name = "notes",
    .summary = "what people wrote about a run; kept in its file",
    .positional = "[RUN]",
    .max = 1,
    .flags = CMD_JSON,
    .options = rows,
    .help = "Prints the notes of a run, or adds to them with -m. They are in the run's file and travel with it.\n"
            "RUN is a file, the beginning of a run's id, a tag, @ (the latest, also without RUN) or @~1 (the one before).\n",
    .run = run_notes,
};
