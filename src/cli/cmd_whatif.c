/* drd whatif: the same simulated run, but for one thing. */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/run_view.h"
#include "explore/again.h"
#include "util/json.h"
#include "util/text.h"

#define SEEDS_MOST 1000

static struct args_list timers, draws, drops, delays, fails, crashes, clocks, reads, orders;
static int64_t seeds;
static int64_t jobs;
static const char *keep_in, *from_event;

static const struct args_option options[] = {
    {ARGS_LIST, 0, "timer", "EVENT=+TIME", "the wait that begins at this event is so much longer, or shorter (+50ms, -1s)", &timers},
    {ARGS_LIST, 0, "draw", "EVENT=VALUE", "the random bytes read at this event begin with this number", &draws},
    {ARGS_LIST, 0, "drop", "EVENT", "the message sent at this event is lost", &drops},
    {ARGS_LIST, 0, "delay", "EVENT=TIME", "the message sent at this event arrives so much later", &delays},
    {ARGS_LIST, 0, "fail", "EVENT=ERROR", "the system call of this event fails: EIO, ENOSPC, ... or a number", &fails},
    {ARGS_LIST, 0, "crash", "EVENT", "the node loses its power at this event", &crashes},
    {ARGS_LIST, 0, "clock", "EVENT=TIME", "the time of day read at this event is so many ns since 1970", &clocks},
    {ARGS_LIST, 0, "read", "EVENT=TEXT", "what is read from a file at this event is this (\\n, \\xHH)", &reads},
    {ARGS_LIST, 0, "before", "EVENT EVENT", "the first event happens before the second: that waits, or the message that it receives", &orders},
    {ARGS_STRING, 0, "from", "EVENT", "go on freely from this event, if that is before the first change", &from_event},
    {ARGS_INT, 0, "seeds", "K", "go on from the change with K fresh seeds, with it and without it", &seeds},
    {ARGS_INT, 'j', "jobs", "N", "runs at a time (default: one a processor)", &jobs},
    {ARGS_STRING, 'o', "output", "DIR", "keep the changed runs in this directory", &keep_in},
    {0},
};

struct whatif {
    struct run_view view;
    struct shrink_origin origin;
    uint64_t from;       /* ns since the world began: of the first change */
    uint32_t process;    /* ... and which event it is */
    uint64_t event;
    struct plan change;
    char name[160];      /* of that event */
    char what[8][160];   /* the changes in words */
    unsigned whats;
};

/* Of one side: with the change, or without it. */
struct tally {
    unsigned runs, violated, same, broken, missed;
    char why[400], title[256];
};

/* ---- the run that it is about ---- */

/* A run in which nothing went wrong may be changed too. */
static bool run_read(struct whatif *w, struct drd_error *e)
{
    if (again_origin_read(&w->origin, w->view.path, e))
        return true;
    if (e->exit_code != DRD_EXIT_NOTHING)
        return false;
    *e = (struct drd_error){0};
    return true;
}

/* ---- the changes ---- */

/* "+50ms", "-1.5s", "200us" in ns. */
static bool time_read(const char *text, int64_t *ns)
{
    static const struct { const char *name; double ns; } unit[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    char *end;
    double value = strtod(text, &end);
    for (size_t i = 0; end != text && i < sizeof unit / sizeof *unit; i++)
        if (!strcmp(end, unit[i].name)) {
            *ns = (int64_t)(value * unit[i].ns);
            return value * unit[i].ns > -9e15 && value * unit[i].ns < 9e15;
        }
    return false;
}

static bool error_read(const char *text, int64_t *number)
{
    char *end;
    *number = strtol(text, &end, 10);
    if (end != text && !*end)
        return *number > 0 && *number < 4096;
    for (int i = 1; i < 134; i++) {
        const char *name = strerrorname_np(i);
        if (name && !strcmp(name, text))
            return *number = i, true;
    }
    return false;
}

/* Up to 99 bytes, into the digits of a plan. */
static bool text_read(const char *text, char digits[200])
{
    size_t used = 0;
    for (unsigned byte; *text && used < 198; used += 2) {
        if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1 && strspn(text + 2, "0123456789abcdef") >= 2)
            text += 4;
        else if (text[0] == '\\' && text[1] == 'n')
            byte = '\n', text += 2;
        else if (text[0] == '\\')
            return false;
        else
            byte = (unsigned char)*text++;
        snprintf(digits + used, 3, "%02x", byte);
    }
    return !*text;
}

static bool value_read(enum plan_kind kind, const char *text, struct plan_step *s)
{
    char *end;
    int64_t *value = &s->value;
    if (kind == PLAN_READ)
        return text_read(text, s->words);
    if (kind == PLAN_TIMER || kind == PLAN_DELAY)
        return time_read(text, value) && (kind == PLAN_TIMER || *value > 0);
    if (kind == PLAN_FAIL)
        return error_read(text, value);
    errno = 0;
    *value = strtoll(text, &end, 0);
    return end != text && !*end && !errno;
}

/* When it happened, ns of the world. */
static bool event_time(struct whatif *w, uint32_t process, uint64_t sequence, uint64_t *time, struct drd_error *e)
{
    struct trace_event event;
    struct stream *st = stream_open(w->view.store, process, e);
    bool ok = st && stream_seek(st, sequence, e) > 0 && stream_next(st, &event, e) > 0;
    *time = ok ? event.time : 0;
    stream_close(st);
    return ok || (e->exit_code ? false : error_set(e, DRD_EXIT_FATAL, "no such event"));
}

/* Where the run becomes a new one, if nothing was changed before that. What a recording holds is when an event was over: a wait
 * has begun when the event before it was. */
static bool from_set(struct whatif *w, uint32_t process, uint64_t sequence, struct drd_error *e)
{
    uint64_t time, before = *w->origin.recording && sequence ? sequence - 1 : sequence;
    if (!event_time(w, process, before, &time, e))
        return false;
    time = run_view_since(&w->view, time);
    if (w->process && time >= w->from)
        return true;
    w->from = time;
    w->process = process;
    w->event = sequence;
    event_name(run_view_process(&w->view, process), sequence, w->name, sizeof w->name);
    return true;
}

static bool change_add(struct whatif *w, enum plan_kind kind, const char *word, const char *text, struct drd_error *e)
{
    char name[160];
    const char *equals = strchr(text, '=');
    bool with_value = kind != PLAN_DROP && kind != PLAN_CRASH;
    struct plan_step s = {.kind = kind};
    if (with_value != (equals != NULL))
        return error_set(e, DRD_EXIT_USAGE, "--%s %s: wants an event%s", word, text, with_value ? " and a value, EVENT=VALUE" : " alone");
    snprintf(name, sizeof name, "%.*s", (int)(equals ? equals - text : (long)strlen(text)), text);
    if (with_value && !value_read(kind, equals + 1, &s))
        return error_set(e, DRD_EXIT_USAGE, "--%s %s: '%s' is no value for that", word, text, equals + 1);
    if (!event_find(w->view.store, name, &s.process, &s.event, e) || !from_set(w, s.process, s.event, e))
        return false;
    if (w->whats < 8)
        snprintf(w->what[w->whats++], sizeof w->what[0], "%s %s", word, text);
    return plan_add(&w->change, &s, e);
}

/* Where the message that is received there was sent. */
static bool message_sent(struct whatif *w, struct plan_step *s)
{
    static const char find[] = "SELECT sender_process, sender_sequence FROM message WHERE receiver_process = ?1 AND receiver_sequence = ?2"
                               " AND sender_process IS NOT NULL ORDER BY sender_sequence DESC";
    sqlite3_stmt *q = NULL;
    bool found = sqlite3_prepare_v2(store_database(w->view.store), find, -1, &q, NULL) == SQLITE_OK;
    if (found) {
        sqlite3_bind_int64(q, 1, s->process);
        sqlite3_bind_int64(q, 2, (sqlite3_int64)s->event);
        found = sqlite3_step(q) == SQLITE_ROW;
    }
    if (found) {
        s->process = (uint32_t)sqlite3_column_int64(q, 0);
        s->event = (uint64_t)sqlite3_column_int64(q, 1);
    }
    sqlite3_finalize(q);
    return found;
}

/* What is to wait is the message, where the second event receives one. */
static bool order_add(struct whatif *w, const char *first, const char *second, struct drd_error *e)
{
    struct plan_step s = {.kind = PLAN_AFTER};
    uint64_t other;
    if (!event_find(w->view.store, first, &s.other, &other, e) || !event_find(w->view.store, second, &s.process, &s.event, e))
        return false;
    bool one = s.other == s.process;
    s.value = (int64_t)other;
    if (one && other <= s.event)
        return error_set(e, DRD_EXIT_CANNOT, "--before %s %s: that is so already", first, second);
    if (!message_sent(w, &s) && one)
        return error_set(e, DRD_EXIT_CANNOT, "--before %s %s: both are of one process, and the second receives no message that could wait",
                         first, second);
    if (!from_set(w, s.process, s.event, e))
        return false;
    if (w->whats < 8)
        snprintf(w->what[w->whats++], sizeof w->what[0], "%s before %s", first, second);
    return plan_add(&w->change, &s, e);
}

static bool orders_read(struct whatif *w, struct drd_error *e)
{
    bool ok = !orders.count || run_view_index(&w->view, e);
    for (size_t i = 0; ok && i + 1 < orders.count; i += 2)
        ok = order_add(w, orders.item[i], orders.item[i + 1], e);
    return ok;
}

static bool changes_read(struct whatif *w, struct drd_error *e)
{
    const struct { const struct args_list *list; enum plan_kind kind; const char *word; } all[] = {
        {&timers, PLAN_TIMER, "timer"}, {&draws, PLAN_DRAW, "draw"}, {&drops, PLAN_DROP, "drop"},
        {&delays, PLAN_DELAY, "delay"}, {&fails, PLAN_FAIL, "fail"}, {&crashes, PLAN_CRASH, "crash"},
        {&clocks, PLAN_CLOCK, "clock"}, {&reads, PLAN_READ, "read"},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t i = 0; i < all[k].list->count; i++)
            if (!change_add(w, all[k].kind, all[k].word, all[k].list->item[i], e))
                return false;
    uint32_t process;
    uint64_t event;
    if (!orders_read(w, e))
        return false;
    if (from_event && (!event_find(w->view.store, from_event, &process, &event, e) || !from_set(w, process, event, e)))
        return false;
    return w->process || !*w->origin.recording ||
           error_set(e, DRD_EXIT_USAGE, "from which event on? A recorded run needs a change, or --from EVENT");
}

/* ---- running ---- */

struct running {
    struct whatif *w;
    const char *fingerprint;
    const struct again_job *job;
    struct tally *tally; /* [2], by whether it is changed */
};

static void count(struct tally *t, const struct explore_outcome *o, const char *fingerprint)
{
    t->runs++;
    t->missed += o->missed;
    if (!o->done) {
        t->broken++;
        snprintf(t->why, sizeof t->why, "%s", o->why);
        return;
    }
    bool violated = o->result.kind == TRIAGE_VIOLATION;
    t->violated += violated;
    t->same += violated && !strcmp(o->result.fingerprint, fingerprint);
    if (!*t->title || violated)
        snprintf(t->title, sizeof t->title, "%s", *o->result.title ? o->result.title : "nothing broken was seen");
}

/* From $TMPDIR to where it is kept, which may be another file system. */
static bool file_move(const char *from, const char *to, struct drd_error *e)
{
    char block[65536];
    size_t n;
    if (rename(from, to) == 0)
        return true;
    FILE *in = errno == EXDEV ? fopen(from, "re") : NULL, *out = in ? fopen(to, "we") : NULL;
    bool good = out != NULL;
    while (good && (n = fread(block, 1, sizeof block, in)) > 0)
        good = fwrite(block, 1, n, out) == n;
    good = good && !ferror(in);
    good = (!out || fclose(out) == 0) && good;
    if (in)
        fclose(in);
    return good || error_set_errno(e, DRD_EXIT_CANNOT, "%s", to);
}

static bool keep_run(const char *path, const struct again_job *j, struct drd_error *e)
{
    char name[PATH_MAX];
    if (!keep_in)
        return true;
    snprintf(name, sizeof name, "%s/%s-%" PRIu64 ".drd", keep_in, j->change ? "changed" : "same", j->fresh);
    return file_move(path, name, e);
}

static bool run_ended(void *context, size_t which, const struct explore_outcome *o, const char *path, struct drd_error *e)
{
    struct running *r = context;
    const struct again_job *j = &r->job[which];
    count(&r->tally[j->change != NULL], o, r->fingerprint);
    return keep_run(path, j, e);
}

/* With the change and without it, in turns. */
static bool run_all(struct whatif *w, const char *fingerprint, struct tally tally[2], struct drd_error *e)
{
    size_t each = seeds > 0 ? (size_t)seeds : 1, sides = w->change.count ? 2 : 1;
    struct again_job *job = calloc(sides * each, sizeof *job);
    struct running r = {w, fingerprint, job, tally};
    const struct again a = {.origin = &w->origin, .jobs = jobs > 0 && jobs < EXPLORE_JOBS ? (unsigned)jobs : 0, .ended = run_ended,
                            .context = &r};
    for (size_t i = 0; job && i < sides * each; i++)
        job[i] = (struct again_job){.change = i % sides ? &w->change : NULL, .fresh = seeds > 0 ? i / sides + 1 : 0, .process = w->process,
                                     .event = w->event};
    bool ok = job ? again_run(&a, job, sides * each, e) : error_set(e, DRD_EXIT_CANNOT, "out of memory");
    free(job);
    return ok;
}

/* ---- telling ---- */

static void tally_print(const char *name, const struct tally *t)
{
    printf("%-10s %u of %u violated", name, t->violated, t->runs);
    if (t->violated)
        printf(", %u with the same fingerprint", t->same);
    if (t->broken)
        printf("; %u could not be judged: %s", t->broken, t->why);
    printf("; %s\n", t->title);
    if (t->missed)
        printf("           in %u of them a change could not be made: no such event there, or it cannot be changed so\n", t->missed);
}

static void tally_json(struct json_writer *j, const char *key, const struct tally *t)
{
    jw_key(j, key);
    jw_object(j);
    jw_put_uint(j, "runs", t->runs);
    jw_put_uint(j, "violated", t->violated);
    jw_put_uint(j, "same_fingerprint", t->same);
    jw_put_uint(j, "not_judged", t->broken);
    jw_put_uint(j, "not_changed", t->missed);
    jw_put_string(j, "title", t->title);
    jw_end(j);
}

static void print_json(const struct whatif *w, const char *fingerprint, const struct tally tally[2])
{
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.whatif/1");
    jw_put_string(&j, "run", w->view.path);
    jw_put_uint(&j, "seed", w->origin.seed);
    jw_put_string(&j, "fingerprint", fingerprint);
    jw_put_uint(&j, "new_from", w->from);
    jw_put_string(&j, "first_event", w->name);
    jw_put_bool(&j, "recorded", *w->origin.recording);
    jw_key(&j, "changes");
    jw_array(&j);
    for (unsigned i = 0; i < w->whats; i++)
        jw_string(&j, w->what[i]);
    jw_end(&j);
    tally_json(&j, "unchanged", &tally[0]);
    tally_json(&j, "changed", &tally[1]);
    jw_end(&j);
}

static void print_text(const struct whatif *w, const struct tally tally[2])
{
    for (unsigned i = 0; i < w->whats; i++)
        printf("%s%s\n", i ? "           " : "CHANGE     ", w->what[i]);
    if (*w->origin.recording)
        printf("NEW FROM   %s, %.6f s after the run began; before it every stream is as it was recorded\n", w->name, (double)w->from / 1e9);
    else
        printf("NEW FROM   %.6f s of the world on%s\n", (double)w->from / 1e9,
               seeds > 0 ? ", with fresh seeds" : "; before it every stream is the same");
    tally_print("UNCHANGED ", &tally[0]);
    if (w->change.count)
        tally_print("CHANGED   ", &tally[1]);
}

/* 0: with the change nothing is violated; 1: something still is; 125: not judged. */
static int status_of(const struct tally tally[2])
{
    const struct tally *told = &tally[tally[1].runs ? 1 : 0];
    if (tally[0].broken == tally[0].runs || told->broken == told->runs || told->missed == told->runs)
        return DRD_EXIT_CANNOT;
    return told->violated ? DRD_EXIT_DIFFERS : DRD_EXIT_OK;
}

static bool whatif_run(struct whatif *w, struct cmd_context *c, struct tally tally[2])
{
    bool ok = run_read(w, &c->error) && changes_read(w, &c->error) &&
              run_all(w, w->origin.result.fingerprint, tally, &c->error);
    /* what was recorded cannot be gone on from: that is all there is to tell */
    if (ok && *w->origin.recording && tally[0].broken == tally[0].runs)
        ok = error_set(&c->error, DRD_EXIT_CANNOT, "%s", tally[0].why);
    if (ok && c->json)
        print_json(w, w->origin.result.fingerprint, tally);
    else if (ok)
        print_text(w, tally);
    return ok;
}

static int run(struct cmd_context *c)
{
    struct whatif w = {0};
    struct tally tally[2] = {0};
    if (seeds < 0 || seeds > SEEDS_MOST)
        return error_set(&c->error, DRD_EXIT_USAGE, "--seeds wants a number up to %d", SEEDS_MOST), cmd_failed(c);
    if (!timers.count && !draws.count && !drops.count && !delays.count && !fails.count && !crashes.count && !clocks.count &&
        !reads.count && !orders.count && !seeds && !from_event)
        return error_set(&c->error, DRD_EXIT_USAGE, "nothing to change: give --timer, --draw, --drop, --delay, --fail, --crash, --clock, --read or --before; or"
               " --from"),
               cmd_failed(c);
    if (!run_view_open(&w.view, c->argc ? c->argv[0] : NULL, &c->error))
        return cmd_failed(c);
    bool ok = whatif_run(&w, c, tally);
    run_view_close(&w.view);
    shrink_origin_fini(&w.origin);
    plan_fini(&w.change);
    return ok ? status_of(tally) : cmd_failed(c);
}

const struct drd_command cmd_whatif = {
    .name = "whatif",
    .summary = "run a run again with one thing changed",
    .positional = "[RUN]",
    .min = 0,
    .max = 1,
    .flags = CMD_JSON,
    .options = options,
    .help = "The change is made where the event was; before it the run is the same, event by event. With --seeds the\n"
            "world goes on from there by fresh seeds, K times with the change and K times without it.\n",
    .run = run,
};
