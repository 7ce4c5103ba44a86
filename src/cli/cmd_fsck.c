/* drd fsck: is a run file sound? And finish what a killed recorder left. */
#include "cli/cmd.h"

#include <stdio.h>
#include <string.h>

#include "record/repair.h"
#include "store/refs.h"
#include "store/store.h"
#include "util/json.h"
#include "util/term.h"
#include "util/text.h"

static struct {
    bool repair;
} options;

static const struct args_option rows[] = {
    { ARGS_FLAG, 0, "repair", NULL, "finish a run whose recorder was killed, from what it left", &options.repair },
    { 0 },
};

struct checked {
    struct cmd_context *c;
    bool unfinished;         /* its recorder was killed: no damage, and the verdict says it */
    struct json_writer json; /* in its array of findings, with --json */
};

static void report(void *context, const char *finding)
{
    struct checked *k = context;
    if (k->unfinished && !strncmp(finding, "unfinished:", strlen("unfinished:")))
        return;
    if (k->c->json)
        jw_string(&k->json, finding);
    else
        puts(finding);
}

/* The number of findings, -1 if it could not be done. */
static int check(struct checked *k, const char *path)
{
    char state[32];
    struct store *s = store_open(path, STORE_READ, &k->c->error);
    k->unfinished = s && store_fact(s, "state", state, sizeof state) && !strcmp(state, "recording");
    int findings = s ? store_check(s, report, k, &k->c->error) : -1;
    store_close(s);
    return findings > 0 && k->unfinished ? findings - 1 : findings;
}

static int exit_code(const struct checked *k, int findings)
{
    return findings ? DRD_EXIT_DIFFERS : k->unfinished ? DRD_EXIT_UNKNOWN : DRD_EXIT_OK;
}

/* What repair did goes to stderr: stdout is for the findings. */
static bool repair(struct cmd_context *c, const char *path)
{
    struct repair_report r = { 0 };
    char bytes[TEXT_MAX], events[TEXT_MAX];
    if (!record_repair(path, &r, &c->error))
        return false;
    if (!r.needed) {
        fprintf(stderr, "drd: %s needed no repair\n", path);
        return true;
    }
    fprintf(stderr, "drd: %s finished: %s events of %u processes, %s of stream recovered%s\n", path,
            text_count(r.summary.events, events, sizeof events), r.summary.processes,
            text_size(r.recovered, bytes, sizeof bytes), r.spool_found ? "" : "; its spool is gone");
    if (!r.summary.complete && *r.summary.incomplete)
        fprintf(stderr, "drd: it is incomplete: %s\n", r.summary.incomplete);
    return true;
}

static void json_begin(struct checked *k, const char *path)
{
    jw_init(&k->json, stdout);
    jw_object(&k->json);
    jw_put_string(&k->json, "schema", "drd.fsck/1");
    jw_put_string(&k->json, "file", path);
    jw_key(&k->json, "findings");
    jw_array(&k->json);
}

static const char *verdict(const struct checked *k, int findings)
{
    return findings < 0 ? "unknown" : findings ? "damaged" : k->unfinished ? "unfinished" : "sound";
}

static void json_finish(struct checked *k, int findings)
{
    jw_end(&k->json);
    jw_put_string(&k->json, "verdict", verdict(k, findings));
    jw_put_string(&k->json, "error", findings < 0 ? k->c->error.message : NULL);
    jw_end(&k->json);
}

static void print_verdict(const struct checked *k, const char *path, int findings)
{
    bool color = k->c->color;
    printf("%s%s%s: %s", term_code(color, exit_code(k, findings) ? TERM_BAD : TERM_GOOD), path, term_code(color, TERM_PLAIN),
           verdict(k, findings));
    if (k->unfinished)
        printf("%s: its recorder was killed; drd fsck --repair %s finishes it", findings ? ", unfinished" : "", path);
    putchar('\n');
}

static int run_fsck(struct cmd_context *c)
{
    struct checked k = { .c = c };
    char path[PATH_MAX];
    if (!refs_resolve(c->argc ? c->argv[0] : "@", path, &c->error))
        return cmd_failed(c);
    if (options.repair && !repair(c, path))
        return cmd_failed(c);
    if (c->json)
        json_begin(&k, path);
    int findings = check(&k, path);
    if (c->json)
        json_finish(&k, findings);
    else if (findings >= 0)
        print_verdict(&k, path, findings);
    return findings < 0 ? cmd_failed(c) : exit_code(&k, findings);
}

const struct drd_command cmd_fsck = {
    .name = "fsck",
    .summary = "check a run file; finish what a killed recorder left",
    .positional = "[RUN]",
    .max = 1,
    .flags = CMD_JSON,
    .options = rows,
    .help = "Reads all pages, chunks, payloads and rows and compares them with their checksums and with each other. A finding is\n"
            "a line. With --repair a run whose recorder is gone is finished first: what is left of it in shared memory is moved\n"
            "into the file, and the run is closed as incomplete. Nothing that the file holds is ever removed.\n"
            "RUN is a file, the beginning of a run's id, @ (the latest, also without RUN) or @~1 (the one before).\n",
    .run = run_fsck,
};
