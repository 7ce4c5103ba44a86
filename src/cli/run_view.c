#include "cli/run_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/index.h"
#include "protocol/protocol.h"
#include "util/term.h"

static void find_limits(struct run_view *v)
{
    v->begin = v->count ? UINT64_MAX : 0;
    for (size_t i = 0; i < v->count; i++) {
        const struct store_process *p = &v->process[i];
        if (p->start < v->begin)
            v->begin = p->start;
        if (p->end > v->end)
            v->end = p->end;
    }
    if (v->end < v->begin)
        v->end = v->begin;
}

bool run_view_open(struct run_view *v, const char *reference, struct drd_error *e)
{
    char run[PATH_MAX];
    memset(v, 0, sizeof *v);
    if (!refs_split(reference ? reference : "@", run, v->event, e) || !refs_resolve(run, v->path, e))
        return false;
    v->store = store_open(v->path, STORE_READ, e);
    if (!v->store)
        return false;
    if (!store_processes(v->store, &v->process, &v->count, e)) {
        run_view_close(v);
        return false;
    }
    find_limits(v);
    return true;
}

void run_view_close(struct run_view *v)
{
    for (size_t i = 0; i < v->count; i++)
        store_process_fini(&v->process[i]);
    free(v->process);
    store_close(v->store);
    memset(v, 0, sizeof *v);
}

static void draw_progress(void *context, uint64_t done, uint64_t total)
{
    progress_step(context, done, total);
}

static bool index_is_current(struct store *s)
{
    char version[16];
    return store_fact(s, "index_version", version, sizeof version) && !strcmp(version, INDEX_VERSION);
}

static bool make_rows(struct run_view *v, struct drd_error *e)
{
    struct progress progress = { .what = "indexing" };
    store_close(v->store);
    v->store = store_open(v->path, STORE_WRITE, e);
    bool ok = v->store && protocol_index(v->store, draw_progress, &progress, e);
    progress_finish(&progress);
    store_close(v->store);
    v->store = ok ? store_open(v->path, STORE_READ, e) : NULL;
    return v->store != NULL;
}

bool run_view_index(struct run_view *v, struct drd_error *e)
{
    char state[32] = "";
    store_fact(v->store, "state", state, sizeof state);
    if (!index_is_current(v->store)) {
        if (!strcmp(state, "recording") || access(v->path, W_OK))
            return true;
        if (!make_rows(v, e))
            return false;
    }
    return protocol_index(v->store, NULL, NULL, e); /* current: this only makes the rows known to the connection */
}

uint64_t run_view_since(const struct run_view *v, uint64_t time)
{
    return time > v->begin ? time - v->begin : 0;
}

const struct store_process *run_view_process(const struct run_view *v, uint32_t number)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->process[i].number == number)
            return &v->process[i];
    return NULL;
}

bool run_view_has_node(const struct run_view *v, const char *node, struct drd_error *e)
{
    char known[300] = "";
    for (size_t i = 0; i < v->count; i++) {
        size_t used = strlen(known);
        if (!strcmp(v->process[i].node, node))
            return true;
        if (v->process[i].incarnation == 1)
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", v->process[i].node);
    }
    return error_set(e, DRD_EXIT_FATAL, "no such node: %s (the run has %s)", node, *known ? known : "none");
}
