/* drd pack: a run that replays where nothing of it is installed. */
#include "cli/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pack_redact.h"
#include "replay/packing.h"
#include "store/pack.h"
#include "store/redact.h"
#include "store/refs.h"
#include "util/json.h"
#include "util/text.h"

static struct {
    const char *output;
    bool redact, no_symbols, force;
} options;

static const struct args_option rows[] = {
    { ARGS_STRING, 'o', "output", "FILE", "the pack (RUN.pack.drd in the current directory)", &options.output },
    { ARGS_FLAG, 'r', "redact", NULL, "digests in place of contents: it can be explained, not replayed", &options.redact },
    { ARGS_FLAG, 0, "no-symbols", NULL, "leave debug symbols out", &options.no_symbols },
    { ARGS_FLAG, 'f', "force", NULL, "leave out what is gone or changed; replace FILE if it exists", &options.force },
    { 0 },
};

/* The pack while it is made: under another name beside it, so that what has its name is whole. */
static char unfinished[4][PATH_MAX + 32]; /* with what SQLite has beside it; and a copy of the run to work on, likewise */

static void remove_unfinished(void)
{
    for (size_t i = 0; i < sizeof unfinished / sizeof *unfinished; i++)
        unlink(unfinished[i]);
}

static void interrupted(int signo)
{
    remove_unfinished();
    signal(signo, SIG_DFL);
    raise(signo);
}

static void watch_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signal(signals[i], interrupted) == SIG_IGN)
            signal(signals[i], SIG_IGN);
}

/* "7f3a9c1.pack.drd" or "run.pack.drd" */
static bool choose_output(const char *run, char out[PATH_MAX], struct drd_error *e)
{
    char id[REFS_ID + 1];
    const char *name = refs_name(run, id), *slash = strrchr(name, '/');
    name = slash ? slash + 1 : name;
    size_t length = strlen(name);
    if (length > 4 && !strcmp(name + length - 4, ".drd"))
        length -= 4;
    if (options.output)
        snprintf(out, PATH_MAX, "%s", options.output);
    else
        snprintf(out, PATH_MAX, "%.*s.pack.drd", (int)length, name);
    if (!options.force && !access(out, F_OK))
        return error_set(e, DRD_EXIT_FATAL, "%s: exists; --force replaces it", out);
    static const char *const suffix[] = { "part", "part", "copy", "copy" };
    for (size_t i = 0; i < sizeof unfinished / sizeof *unfinished; i++)
        snprintf(unfinished[i], sizeof *unfinished, "%.4000s.%s-%d%s", out, suffix[i], (int)getpid(), i % 2 ? "-journal" : "");
    return true;
}

static void left_out(void *context, const char *line)
{
    (void)context;
    cmd_warn("left out: %s", line);
}

static bool check_run(struct store *run, struct drd_error *e)
{
    char state[32] = "";
    store_fact(run, "state", state, sizeof state);
    if (redact_is(run))
        return error_set(e, DRD_EXIT_FATAL, "%s: it is redacted already: no replay would need what a pack has", store_path(run));
    return strcmp(state, "recording") || error_set(e, DRD_EXIT_FATAL, "%s: unfinished: its recorder was killed; `drd fsck --repair` "
                                                   "finishes the run", store_path(run));
}

/* What the run was called in its store, so that it is called so again when it is unpacked. */
static bool note_name(struct store *pack, const char *run, struct drd_error *e)
{
    char id[REFS_ID + 1];
    const char *slash = strrchr(run, '/');
    return refs_name(run, id) != id || store_fact_set(pack, "packed_as", slash ? slash + 1 : run, e);
}

static bool fill(struct store *run, struct store *pack, const char *path, struct packing_totals *totals, struct drd_error *e)
{
    const struct packing_options how = { .symbols = !options.no_symbols, .force = options.force, .notice = left_out };
    return store_begin(pack, e) && packing_fill(run, pack, &how, totals, e) && note_name(pack, path, e) && store_commit(pack, e);
}

static bool put_in_place(const char *out, struct drd_error *e)
{
    int fd = open(unfinished[0], O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && !fsync(fd) && !rename(unfinished[0], out);
    if (!ok)
        error_set_errno(e, DRD_EXIT_FATAL, "%s", out);
    if (fd >= 0)
        close(fd);
    return ok;
}

static uint64_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static void say(const char *out, const char *run, const struct packing_totals *t)
{
    char whole[TEXT_MAX], before[TEXT_MAX], bytes[TEXT_MAX], stored[TEXT_MAX];
    text_size(file_size(out), whole, sizeof whole);
    text_size(file_size(run), before, sizeof before);
    text_size(t->bytes, bytes, sizeof bytes);
    text_size(t->stored, stored, sizeof stored);
    printf("%s  %s: the run, %s, ", out, whole, before);
    if (options.redact) {
        puts("without its contents");
        return;
    }
    printf("and %zu files, %s of %s", t->files, stored, bytes);
    if (t->symbols)
        printf(", %zu of them symbols", t->symbols);
    if (t->left_out)
        printf("; %zu left out", t->left_out);
    putchar('\n');
}

static void say_json(const char *out, const char *run, const struct packing_totals *t)
{
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.pack/1");
    jw_put_string(&j, "file", out);
    jw_put_uint(&j, "bytes", file_size(out));
    jw_put_string(&j, "run", run);
    jw_put_uint(&j, "run_bytes", file_size(run));
    jw_put_bool(&j, "redacted", options.redact);
    jw_put_uint(&j, "files", t->files);
    jw_put_uint(&j, "symbols", t->symbols);
    jw_put_uint(&j, "left_out", t->left_out);
    jw_put_uint(&j, "files_bytes", t->bytes);
    jw_put_uint(&j, "stored_bytes", t->stored);
    jw_end(&j);
}

static bool make(struct store *run, const char *path, const char *out, struct packing_totals *totals, struct drd_error *e)
{
    bool ok;
    *totals = (struct packing_totals){ 0 };
    if (options.redact) {
        ok = pack_redact(run, unfinished[2], unfinished[0], e);
    } else {
        struct store *pack = pack_copy(run, unfinished[0], e);
        ok = pack && fill(run, pack, path, totals, e);
        store_close(pack);
    }
    ok = ok && put_in_place(out, e);
    remove_unfinished();
    return ok;
}

static int run_pack(struct cmd_context *c)
{
    char path[PATH_MAX], out[PATH_MAX];
    struct packing_totals totals;
    if (!refs_resolve(c->argc ? c->argv[0] : "@", path, &c->error))
        return cmd_failed(c);
    struct store *run = store_open(path, STORE_READ, &c->error);
    bool ok = run && check_run(run, &c->error) && choose_output(path, out, &c->error);
    if (ok) {
        watch_signals();
        ok = make(run, path, out, &totals, &c->error);
    }
    store_close(run);
    if (!ok)
        return cmd_failed(c);
    (c->json ? say_json : say)(out, path, &totals);
    if (options.redact)
        cmd_warn("%s holds digests for contents; names of nodes and programs, addresses, sizes and times are in it as they are", out);
    else
        cmd_warn("%s holds all that the nodes sent, read and wrote, their arguments and environment: secrets too", out);
    return DRD_EXIT_OK;
}

const struct drd_command cmd_pack = {
    .name = "pack",
    .summary = "put a run and its programs into one file, for another machine",
    .positional = "[RUN]",
    .max = 1,
    .flags = CMD_JSON,
    .options = rows,
    .help = "The pack is a run file with the programs, libraries and debug symbols of its processes in it: every command takes it,\n"
            "and drd replay and explain work where nothing of it is installed. RUN is as for drd replay; @, the latest, without it.\n",
    .run = run_pack,
};
