/* drd pack --redact: a run without what its processes were given and gave. It is built anew, so that nothing of the old is left in
 * unused pages, from a copy in which what needs the contents was done before: rows, and the stack that explain shows. */
#include "cli/pack_redact.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "protocol/redact.h"
#include "replay/frames.h"
#include "store/pack.h"

/* Facts of the run that tell nothing of its contents. */
static const char *const bare[] = {
    "started", "ended", "host", "kernel", "drd_version", "exit_status", "unrecorded", "incomplete", "addresses", "spool", "state",
};

static void processes_free(struct store_process *process, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store_process_fini(&process[i]);
    free(process);
}

/* What explain shows is kept in the run as it goes. */
static bool keep_stack(struct store *copy, struct drd_error *e)
{
    struct store_process *process = NULL;
    size_t count = 0;
    char state[64] = "";
    struct verdict *verdict = calloc(1, sizeof *verdict);
    bool ok = verdict ? store_processes(copy, &process, &count, e) : error_set(e, DRD_EXIT_FATAL, "out of memory");
    struct raft_model *m = ok ? explain_model(copy, process, count, e) : NULL;
    store_fact(copy, "state", state, sizeof state);
    if (m)
        verdict_init(verdict, m, process, count, state);
    ok = m && verdict_order(verdict, copy, e) && verdict_source(verdict, copy, e);
    raft_model_destroy(m);
    processes_free(process, count);
    free(verdict);
    return ok;
}

static bool copy_facts(struct store *run, struct store *out, const struct redact_key *key, struct drd_error *e)
{
    static const char *const replaced[] = { "command", "directory" };
    char value[65536], digest[REDACT_TEXT];
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        if (!store_fact(run, replaced[i], value, sizeof value))
            continue;
        redact_text(key, value, strlen(value), digest);
        if (!store_fact_set(out, replaced[i], digest, e))
            return false;
    }
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        if (store_fact(run, bare[i], value, sizeof value) && !store_fact_set(out, bare[i], value, e))
            return false;
    return true;
}

static bool attach(struct store *out, const char *copy, struct drd_error *e)
{
    char *sql = sqlite3_mprintf("ATTACH DATABASE %Q AS source", copy);
    bool ok = sql && sqlite3_exec(store_database(out), sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_free(sql);
    return ok || error_set(e, DRD_EXIT_FATAL, "%s: %s", copy, sqlite3_errmsg(store_database(out)));
}

static bool fill(struct store *copy, struct store *out, struct drd_error *e)
{
    struct redact_key key;
    return redact_key_make(&key, copy, e) && protocol_redact_tables(out, e) && attach(out, store_path(copy), e) && store_begin(out, e) &&
           redact_streams(copy, out, &key, e) && protocol_redact(copy, out, &key, e) && replay_frames_copy(out, e) &&
           copy_facts(copy, out, &key, e) && store_commit(out, e);
}

bool pack_redact(struct store *run, const char *copy, const char *out, struct drd_error *e)
{
    struct store *from = pack_copy(run, copy, e);
    bool ok = from && protocol_index(from, NULL, NULL, e) && keep_stack(from, e);
    struct store *to = ok ? store_create(out, e) : NULL;
    ok = to && fill(from, to, e);
    store_close(to);
    store_close(from);
    return ok;
}
