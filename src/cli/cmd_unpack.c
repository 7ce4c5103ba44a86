/* drd unpack: a pack as a run of .drd/, its files beside those of other packs. */
#include "cli/cmd.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "replay/root.h"
#include "store/pack.h"
#include "store/refs.h"
#include "util/json.h"
#include "util/text.h"

static struct {
    const char *files;
    bool force;
} options;

static const struct args_option rows[] = {
    { ARGS_STRING, 0, "files", "DIR", "only lay the packed files out below DIR, which is made", &options.files },
    { ARGS_FLAG, 'f', "force", NULL, "replace the run if it is there", &options.force },
    { 0 },
};

static struct store *open_pack(const char *path, size_t *files, struct drd_error *e)
{
    struct pack_file *list;
    char redacted[8];
    struct store *s = store_open(path, STORE_READ, e);
    if (!s)
        return NULL;
    bool ok = pack_files(s, &list, files, e);
    if (ok)
        pack_files_free(list, *files);
    if (ok && !*files && !store_fact(s, "redacted", redacted, sizeof redacted))
        ok = error_set(e, DRD_EXIT_FATAL, "%s: not a pack: drd pack makes one of a run", path);
    if (ok)
        return s;
    store_close(s);
    return NULL;
}

static bool choose(struct store *pack, struct refs_entry *run, struct drd_error *e)
{
    char name[NAME_MAX + 1] = "";
    bool taken;
    store_fact(pack, "packed_as", name, sizeof name);
    if (!refs_adopt(name, run, &taken, e))
        return false;
    return !taken || options.force || error_set(e, DRD_EXIT_FATAL, "%s: a run of this name is there; --force replaces it", run->id);
}

/* Under another name until all of it is there. */
static bool put(struct store *pack, const struct refs_entry *run, uint64_t *objects, struct drd_error *e)
{
    char part[PATH_MAX + 16], journal[PATH_MAX + 32];
    snprintf(part, sizeof part, "%s.part-%d", run->path, (int)getpid());
    snprintf(journal, sizeof journal, "%s-journal", part);
    struct store *copy = pack_copy(pack, part, e);
    bool ok = copy && pack_objects_out(copy, objects, e);
    store_close(copy);
    if (ok && rename(part, run->path))
        ok = error_set_errno(e, DRD_EXIT_FATAL, "%s", run->path);
    if (!ok) {
        unlink(part);
        unlink(journal);
    }
    return ok;
}

static void say(struct cmd_context *c, const struct refs_entry *run, size_t files, uint64_t objects)
{
    char size[TEXT_MAX];
    struct json_writer j;
    if (!c->json) {
        printf("%s  %zu files, %s of them new here; next: drd explain %s\n", run->id, files, text_size(objects, size, sizeof size),
               run->id);
        return;
    }
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.unpack/1");
    jw_put_string(&j, "run", run->id);
    jw_put_string(&j, "file", run->path);
    jw_put_uint(&j, "files", files);
    jw_put_uint(&j, "new_bytes", objects);
    jw_end(&j);
}

static int run_unpack(struct cmd_context *c)
{
    size_t files = 0;
    uint64_t objects = 0;
    struct refs_entry run;
    struct store *pack = open_pack(c->argv[0], &files, &c->error);
    bool ok = pack != NULL;
    if (ok && options.files)
        ok = root_lay_out(options.files, pack, &c->error);
    else if (ok)
        ok = choose(pack, &run, &c->error) && put(pack, &run, &objects, &c->error);
    store_close(pack);
    if (!ok)
        return cmd_failed(c);
    if (!options.files)
        say(c, &run, files, objects);
    return DRD_EXIT_OK;
}

const struct drd_command cmd_unpack = {
    .name = "unpack",
    .summary = "put a pack into .drd/, its files beside those of other packs",
    .positional = "FILE",
    .min = 1,
    .max = 1,
    .flags = CMD_JSON,
    .options = rows,
    .help = "The run gets the id that it had where it was packed. Its programs and libraries go to .drd/objects/, each once for all\n"
            "runs, where drd replay and explain find them. A pack need not be unpacked: every command takes it as it is.\n",
    .run = run_unpack,
};
