#include "cli/show.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util/term.h"

static bool count_events(struct run_view *v, struct census *out, struct drd_error *e)
{
    struct progress progress = { .what = "reading" };
    uint64_t total = 0;
    int more = 0;
    for (size_t i = 0; i < v->count; i++)
        total += v->process[i].events;
    for (size_t i = 0; i < v->count && more >= 0; i++) {
        struct trace_event event;
        struct stream *st = stream_open(v->store, v->process[i].number, e);
        more = -1;
        while (st && (more = stream_next(st, &event, e)) > 0) {
            if (event.code >= TRACE_CODE_MIN && event.code < CALL_MAX)
                out->code[event.code - TRACE_CODE_MIN]++;
            if (event.code == TRACE_UNHANDLED && event.call >= 0 && event.call < CALL_MAX)
                out->call[event.call]++;
            if (++out->events % 65536 == 0)
                progress_step(&progress, out->events, total);
        }
        stream_close(st);
    }
    progress_finish(&progress);
    return more >= 0;
}

static int larger_first(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->name, y->name);
}

static void sort_kinds(struct census *c)
{
    for (int i = 0; i < SHOW_KINDS; i++)
        if (c->code[i])
            c->kind[c->kinds++] = (struct tally){ trace_code_name(i + TRACE_CODE_MIN), c->code[i] };
    qsort(c->kind, c->kinds, sizeof *c->kind, larger_first);
}

static void sort_unhandled(struct census *c)
{
    for (int i = 0; i < CALL_MAX && c->unhandleds < SHOW_UNHANDLED; i++) {
        char *name = c->name[c->unhandleds];
        if (!c->call[i])
            continue;
        snprintf(name, sizeof c->name[0], "system call %d", i);
        c->unhandled[c->unhandleds++] = (struct tally){ name, c->call[i] };
    }
    qsort(c->unhandled, c->unhandleds, sizeof *c->unhandled, larger_first);
}

bool census_take(struct run_view *v, struct census *out, struct drd_error *e)
{
    memset(out, 0, sizeof *out);
    if (!count_events(v, out, e))
        return false;
    sort_kinds(out);
    sort_unhandled(out);
    return true;
}

bool show_message_types(struct run_view *v, void (*each)(void *, const char *, uint64_t), void *context, struct drd_error *e)
{
    sqlite3_stmt *statement;
    sqlite3 *db = store_database(v->store);
    if (sqlite3_prepare_v2(db, "SELECT type, COUNT(*) FROM message GROUP BY type ORDER BY 2 DESC, 1", -1, &statement, NULL))
        return true; /* not indexed: no message is known */
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(statement, 0);
        each(context, type && *type ? type : "not recognised", (uint64_t)sqlite3_column_int64(statement, 1));
    }
    sqlite3_finalize(statement);
    return step == SQLITE_DONE || error_set(e, DRD_EXIT_FATAL, "cannot read the messages of %s: %s", v->path, sqlite3_errmsg(db));
}

const char *show_base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

/* The process that this one became by execve, NULL if it did not. */
static const struct store_process *successor(const struct run_view *v, const struct store_process *p)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->process[i].parent == p->number && v->process[i].same_pid)
            return &v->process[i];
    return NULL;
}

const char *show_status(const struct run_view *v, const struct store_process *p, char out[SHOW_STATUS])
{
    const char *name = p->status >= 0 && WIFSIGNALED(p->status) ? sigabbrev_np(WTERMSIG(p->status)) : NULL;
    const struct store_process *next = successor(v, p);
    if (!p->number)
        snprintf(out, SHOW_STATUS, "the recorder");
    else if (next)
        snprintf(out, SHOW_STATUS, "became %s", show_base_name(next->exe));
    else if (p->status < 0)
        snprintf(out, SHOW_STATUS, "unknown");
    else if (name)
        snprintf(out, SHOW_STATUS, "killed by SIG%s", name);
    else if (WIFSIGNALED(p->status))
        snprintf(out, SHOW_STATUS, "killed by signal %d", WTERMSIG(p->status));
    else
        snprintf(out, SHOW_STATUS, "exit %d", WEXITSTATUS(p->status));
    return out;
}

uint64_t show_file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}
