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

#define TYPES_MAX 4096 /* words in a run: a few dozen */

/* Counted here: GROUP BY over a view would sort all messages, in memory. False: an error of SQLite. */
static bool count_types(sqlite3 *db, uint64_t count[TYPES_MAX])
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, "SELECT name FROM message_rows", -1, &statement, NULL))
        return true; /* not indexed: no message is known */
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        sqlite3_int64 name = sqlite3_column_int64(statement, 0);
        if (name >= 0 && name < TYPES_MAX)
            count[name]++;
    }
    sqlite3_finalize(statement);
    return step == SQLITE_DONE;
}

/* The words that were counted, with their counts; to free with their names. False: out of memory, or an error of SQLite. */
static bool name_types(sqlite3 *db, const uint64_t count[TYPES_MAX], struct tally *type, size_t *types)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, "SELECT id, text FROM name ORDER BY id", -1, &statement, NULL))
        return true;
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW && *types < TYPES_MAX) {
        sqlite3_int64 id = sqlite3_column_int64(statement, 0);
        const char *text = (const char *)sqlite3_column_text(statement, 1);
        if (id < 0 || id >= TYPES_MAX || !count[id])
            continue;
        char *name = strdup(text && *text ? text : "not recognised");
        if (!name)
            break;
        type[(*types)++] = (struct tally){ name, count[id] };
    }
    sqlite3_finalize(statement);
    return step == SQLITE_DONE;
}

bool show_message_types(struct run_view *v, void (*each)(void *, const char *, uint64_t), void *context, struct drd_error *e)
{
    sqlite3 *db = store_database(v->store);
    uint64_t *count = calloc(TYPES_MAX, sizeof *count);
    struct tally *type = calloc(TYPES_MAX, sizeof *type);
    size_t types = 0;
    bool ok = count && type && count_types(db, count) && name_types(db, count, type, &types);
    if (!ok)
        error_set(e, DRD_EXIT_FATAL, "cannot read the messages of %s: %s", v->path, count && type ? sqlite3_errmsg(db) : "out of memory");
    if (types)
        qsort(type, types, sizeof *type, larger_first);
    for (size_t i = 0; i < types; i++) {
        if (ok)
            each(context, type[i].name, type[i].count);
        free((char *)type[i].name);
    }
    free(count);
    free(type);
    return ok;
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
