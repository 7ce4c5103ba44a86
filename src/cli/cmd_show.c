/* drd show: a run on one screen, or one of its events in full. */
#include "cli/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "cli/event_text.h"
#include "cli/run_view.h"
#include "util/term.h"
#include "util/text.h"

#define KINDS (CALL_MAX - TRACE_CODE_MIN)
#define UNHANDLED_MAX 32
#define COLUMN 26 /* characters for a count and its word */

static struct {
    bool all;
} options;

static const struct args_option rows[] = {
    { ARGS_FLAG, 'a', "all", NULL, "list the helpers too: processes that nobody named", &options.all },
    { 0 },
};

/* A word with a number, for the tables. */
struct tally {
    const char *name;
    uint64_t count;
};

/* What the streams say when they are read through once. */
struct census {
    uint64_t kind[KINDS];         /* by code - TRACE_CODE_MIN */
    uint64_t unhandled[CALL_MAX]; /* by system call number */
    uint64_t events;
};

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
                out->kind[event.code - TRACE_CODE_MIN]++;
            if (event.code == TRACE_UNHANDLED && event.call >= 0 && event.call < CALL_MAX)
                out->unhandled[event.call]++;
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

static size_t kinds_by_count(const struct census *census, struct tally out[KINDS])
{
    size_t n = 0;
    for (int i = 0; i < KINDS; i++)
        if (census->kind[i])
            out[n++] = (struct tally){ trace_code_name(i + TRACE_CODE_MIN), census->kind[i] };
    qsort(out, n, sizeof *out, larger_first);
    return n;
}

static const char *base_name(const char *path)
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

/* "exit 0", "killed by SIGKILL", "became ls", "unknown" */
static const char *status_text(const struct run_view *v, const struct store_process *p, char *out, size_t size)
{
    const char *name = p->status >= 0 && WIFSIGNALED(p->status) ? sigabbrev_np(WTERMSIG(p->status)) : NULL;
    const struct store_process *next = successor(v, p);
    if (next)
        snprintf(out, size, "became %s", base_name(next->exe));
    else if (p->status < 0)
        snprintf(out, size, "unknown");
    else if (name)
        snprintf(out, size, "killed by SIG%s", name);
    else if (WIFSIGNALED(p->status))
        snprintf(out, size, "killed by signal %d", WTERMSIG(p->status));
    else
        snprintf(out, size, "exit %d", WEXITSTATUS(p->status));
    return out;
}

static uint64_t since(const struct run_view *v, uint64_t time)
{
    return time > v->begin ? time - v->begin : 0;
}

static void print_fact(struct run_view *v, const char *label, const char *key)
{
    char value[1024];
    if (store_fact(v->store, key, value, sizeof value) && *value)
        printf("%-11s%s\n", label, value);
}

static uint64_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static void print_head(struct run_view *v, const struct census *census, bool color)
{
    char id[REFS_ID + 1], text[TEXT_MAX], count[TEXT_MAX], state[64] = "";
    store_fact(v->store, "state", state, sizeof state);
    const char *name = refs_name(v->path, id);
    printf("%-11s%s%s%s%s%s%s\n", "run", term_code(color, TERM_STRONG), name, term_code(color, TERM_PLAIN),
           name == id ? "  (" : "", name == id ? v->path : "", name == id ? ")" : "");
    print_fact(v, "command", "command");
    print_fact(v, "recorded", "started");
    print_fact(v, "host", "host");
    print_fact(v, "kernel", "kernel");
    print_fact(v, "drd", "drd_version");
    printf("%-11s%s%s%s\n", "state", term_code(color, strcmp(state, "complete") ? TERM_WARN : TERM_GOOD), state,
           term_code(color, TERM_PLAIN));
    print_fact(v, "exit", "exit_status");
    printf("%-11s%s\n", "duration", text_duration(v->end - v->begin, text, sizeof text));
    printf("%-11s%s, %s events\n", "size", text_size(file_size(v->path), text, sizeof text),
           text_count(census->events, count, sizeof count));
}

/* Processes without DRD_NODE are called after their program, "sh#3": mostly the helpers of a test. */
static bool is_helper(const struct store_process *p)
{
    return strchr(p->node, '#') != NULL;
}

static size_t count_helpers(const struct run_view *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->count; i++)
        n += is_helper(&v->process[i]);
    return n;
}

static void print_process(const struct run_view *v, const struct store_process *p)
{
    char start[TEXT_MAX], length[TEXT_MAX], events[TEXT_MAX], bytes[TEXT_MAX], status[64];
    printf("%-16s %3" PRIu32 " %-16s %8d %10s %10s %12s %10s  %s\n", p->node, p->incarnation, base_name(p->exe), p->pid,
           text_duration(since(v, p->start), start, sizeof start),
           p->end ? text_duration(p->end > p->start ? p->end - p->start : 0, length, sizeof length) : "?",
           text_count(p->events, events, sizeof events), text_size(p->bytes, bytes, sizeof bytes),
           status_text(v, p, status, sizeof status));
}

static void print_processes(const struct run_view *v, bool color)
{
    size_t helpers = count_helpers(v);
    bool all = options.all || helpers == v->count;
    printf("\n%s%-16s %3s %-16s %8s %10s %10s %12s %10s  %s%s\n", term_code(color, TERM_STRONG), "NODE", "#", "PROGRAM", "PID",
           "START", "DURATION", "EVENTS", "STREAM", "END", term_code(color, TERM_PLAIN));
    for (size_t i = 0; i < v->count; i++)
        if (all || !is_helper(&v->process[i]))
            print_process(v, &v->process[i]);
    if (!all && helpers)
        printf("and %zu helper%s that nobody named (--all)\n", helpers, helpers == 1 ? "" : "s");
}

/* In columns, downwards: the kinds of a run fit on a screen. */
static void print_tallies(const char *title, const struct tally *t, size_t n, bool color)
{
    size_t columns = (size_t)term_width() / COLUMN ? (size_t)term_width() / COLUMN : 1;
    size_t lines = (n + columns - 1) / columns;
    printf("\n%s%s%s\n", term_code(color, TERM_STRONG), title, term_code(color, TERM_PLAIN));
    for (size_t line = 0; line < lines; line++) {
        for (size_t i = line; i < n; i += lines) {
            char count[TEXT_MAX];
            bool last = i + lines >= n;
            printf("%10s  %-*s", text_count(t[i].count, count, sizeof count), last ? 0 : COLUMN - 12, t[i].name);
        }
        putchar('\n');
    }
    if (!n)
        puts("      none");
}

/* Call `each` for the Raft messages of the run by type, as the indexing pass found them. */
static bool each_message_type(struct run_view *v, void (*each)(void *, const char *, uint64_t), void *context,
                              struct drd_error *e)
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

static void print_message_type(void *context, const char *type, uint64_t count)
{
    char text[TEXT_MAX];
    *(bool *)context = true;
    printf("%10s  %s\n", text_count(count, text, sizeof text), type);
}

static void print_completeness(const struct run_view *v, bool color)
{
    printf("\n%sINCOMPLETE%s\n", term_code(color, TERM_STRONG), term_code(color, TERM_PLAIN));
    size_t shown = 0;
    for (size_t i = 0; i < v->count; i++) {
        const struct store_process *p = &v->process[i];
        char name[128];
        if (p->complete)
            continue;
        shown++;
        event_name(p, p->event_base + p->events, name, sizeof name);
        printf("      %s (process %" PRIu32 ") is known up to %s: %s\n", p->node, p->number, name,
               p->incomplete_reason ? p->incomplete_reason : "the stream ends there");
    }
    if (!shown)
        puts("      none");
}

static size_t unhandled_by_count(const struct census *census, struct tally out[UNHANDLED_MAX],
                                 char names[UNHANDLED_MAX][32])
{
    size_t n = 0;
    for (int i = 0; i < CALL_MAX && n < UNHANDLED_MAX; i++) {
        if (!census->unhandled[i])
            continue;
        snprintf(names[n], sizeof names[n], "system call %d", i);
        out[n] = (struct tally){ names[n], census->unhandled[i] };
        n++;
    }
    qsort(out, n, sizeof *out, larger_first);
    return n;
}

static bool print_run(struct cmd_context *c, struct run_view *v, const struct census *census)
{
    struct tally kinds[KINDS], unhandled[UNHANDLED_MAX];
    char names[UNHANDLED_MAX][32];
    print_head(v, census, c->color);
    print_processes(v, c->color);
    print_tallies("EVENTS BY KIND", kinds, kinds_by_count(census, kinds), c->color);
    bool any = false;
    printf("\n%sMESSAGES BY TYPE%s\n", term_code(c->color, TERM_STRONG), term_code(c->color, TERM_PLAIN));
    if (!each_message_type(v, print_message_type, &any, &c->error))
        return false;
    if (!any)
        puts("      none");
    print_tallies("UNHANDLED CALLS", unhandled, unhandled_by_count(census, unhandled, names), c->color);
    print_completeness(v, c->color);
    return true;
}

static void json_process(struct json_writer *j, const struct run_view *v, const struct store_process *p)
{
    char status[64];
    jw_object(j);
    jw_put_string(j, "node", p->node);
    jw_put_uint(j, "incarnation", p->incarnation);
    jw_put_uint(j, "process", p->number);
    jw_put_uint(j, "parent", p->parent);
    jw_put_int(j, "pid", p->pid);
    jw_put_string(j, "program", p->exe);
    jw_put_uint(j, "start_ns", since(v, p->start));
    jw_key(j, "end_ns");
    if (p->end)
        jw_uint(j, since(v, p->end));
    else
        jw_null(j);
    jw_put_uint(j, "events", p->events);
    jw_put_uint(j, "bytes", p->bytes);
    jw_put_string(j, "end", status_text(v, p, status, sizeof status));
    jw_put_bool(j, "complete", p->complete);
    jw_put_string(j, "incomplete_reason", p->incomplete_reason);
    jw_end(j);
}

static void json_fact(struct json_writer *j, struct run_view *v, const char *key)
{
    char value[1024];
    jw_put_string(j, key, store_fact(v->store, key, value, sizeof value) ? value : NULL);
}

static void json_message_type(void *context, const char *type, uint64_t count)
{
    jw_put_uint(context, type, count);
}

static void json_tallies(struct json_writer *j, const char *key, const struct tally *t, size_t n)
{
    jw_key(j, key);
    jw_object(j);
    for (size_t i = 0; i < n; i++)
        jw_put_uint(j, t[i].name, t[i].count);
    jw_end(j);
}

static bool json_run(struct cmd_context *c, struct run_view *v, const struct census *census)
{
    static const char *const facts[] = { "state", "command", "started", "host", "kernel", "drd_version", "exit_status" };
    struct tally kinds[KINDS], unhandled[UNHANDLED_MAX];
    char names[UNHANDLED_MAX][32];
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.show/1");
    jw_put_string(&j, "file", v->path);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        json_fact(&j, v, facts[i]);
    jw_put_uint(&j, "duration_ns", v->end - v->begin);
    jw_put_uint(&j, "bytes", file_size(v->path));
    jw_put_uint(&j, "events", census->events);
    jw_key(&j, "processes");
    jw_array(&j);
    for (size_t i = 0; i < v->count; i++)
        json_process(&j, v, &v->process[i]);
    jw_end(&j);
    json_tallies(&j, "kinds", kinds, kinds_by_count(census, kinds));
    jw_key(&j, "messages");
    jw_object(&j);
    bool ok = each_message_type(v, json_message_type, &j, &c->error);
    jw_end(&j);
    json_tallies(&j, "unhandled", unhandled, unhandled_by_count(census, unhandled, names));
    jw_end(&j);
    return ok;
}

static bool show_run(struct cmd_context *c, struct run_view *v)
{
    struct census *census = calloc(1, sizeof *census);
    if (!census)
        return error_set(&c->error, DRD_EXIT_FATAL, "out of memory");
    bool ok = count_events(v, census, &c->error) && (c->json ? json_run(c, v, census) : print_run(c, v, census));
    free(census);
    return ok;
}

static void print_event(struct cmd_context *c, const struct run_view *v, const struct store_process *p,
                        const struct trace_event *e)
{
    char name[128];
    uint64_t ns = since(v, e->time);
    event_name(p, e->sequence, name, sizeof name);
    printf("%s%s%s  ", term_code(c->color, TERM_NAME), name, term_code(c->color, TERM_PLAIN));
    event_line(e, 0, stdout);
    printf("\n  %-16s %s, incarnation %" PRIu32 ": %s, process %" PRIu32 ", pid %d, thread %" PRIu32 "\n", "node", p->node,
           p->incarnation, p->exe ? p->exe : "?", p->number, p->pid, e->thread);
    printf("  %-16s %" PRIu64 ".%09" PRIu64 " s after the run began\n", "time", ns / 1000000000, ns % 1000000000);
    printf("  %-16s %s\n", "kind", trace_code_name(e->code));
    event_details(e, stdout);
}

static void json_event(const struct run_view *v, const struct store_process *p, const struct trace_event *e)
{
    struct json_writer j;
    char name[128];
    event_name(p, e->sequence, name, sizeof name);
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.event/1");
    jw_put_string(&j, "event", name);
    jw_put_string(&j, "node", p->node);
    jw_put_uint(&j, "incarnation", p->incarnation);
    jw_put_uint(&j, "process", p->number);
    jw_put_uint(&j, "thread", e->thread);
    jw_put_uint(&j, "time_ns", since(v, e->time));
    event_json(e, &j);
    jw_end(&j);
}

static bool show_event(struct cmd_context *c, struct run_view *v)
{
    uint32_t number;
    uint64_t sequence;
    struct trace_event event;
    if (!event_find(v->store, v->event, &number, &sequence, &c->error))
        return false;
    const struct store_process *p = run_view_process(v, number);
    struct stream *st = p ? stream_open(v->store, number, &c->error) : NULL;
    int found = st ? stream_seek(st, sequence, &c->error) : -1;
    if (found > 0)
        found = stream_next(st, &event, &c->error);
    if (found == 0)
        error_set(&c->error, DRD_EXIT_FATAL, "no such event: %s", v->event);
    else if (found > 0 && c->json)
        event.process = number, json_event(v, p, &event);
    else if (found > 0)
        event.process = number, print_event(c, v, p, &event);
    stream_close(st);
    return found > 0;
}

static int run_show(struct cmd_context *c)
{
    struct run_view v;
    if (!run_view_open(&v, c->argc ? c->argv[0] : NULL, &c->error))
        return cmd_failed(c);
    bool ok = *v.event ? show_event(c, &v) : run_view_index(&v, &c->error) && show_run(c, &v);
    run_view_close(&v);
    return ok ? DRD_EXIT_OK : cmd_failed(c);
}

const struct drd_command cmd_show = {
    .name = "show",
    .summary = "what a run holds, or one of its events in full",
    .positional = "[RUN[@EVENT]]",
    .max = 1,
    .flags = CMD_PAGER | CMD_JSON,
    .options = rows,
    .help = "Of a run: its nodes and their incarnations, how long it took, events by kind, Raft messages by type, system calls\n"
            "that DRD does not know, and whether all of it was recorded. Of an event: all that was recorded of it.\n"
            "RUN is a file, the beginning of a run's id, @ (the latest, also without RUN) or @~1 (the one before); an\n"
            "event stands behind it: @@n2@4711, or n2@4711 in the latest run.\n",
    .run = run_show,
};
