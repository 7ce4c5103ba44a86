#include "cli/gdb_answers.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/event_text.h"
#include "cli/gdb_find.h"
#include "explain/explain.h"
#include "replay/symbols.h"
#include "util/json.h"

#define QUOTE 60

struct gdb_answers {
    struct store *store;
    const struct store_process *process;
    size_t count;
    const struct store_process *own; /* that gdb is on */
    uint64_t begin;                  /* of the run, ns */
    uint64_t target;                 /* sequence of the event that was asked for last */
    struct fact_index *facts;
    struct symbols *symbols;
    char *chain;                     /* words of explain, once they were asked for */
};

/* One question. */
struct ask {
    struct gdb_answers *a;
    struct replay_debugged *d;
    const struct replay_file *file;
    const char *argument;
    FILE *out;              /* words of the answer, as text */
    struct json_writer json; /* or its members */
};

struct gdb_answers *gdb_answers_create(struct store *s, const struct store_process *process, size_t count, uint32_t number)
{
    struct gdb_answers *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    *a = (struct gdb_answers){ .store = s, .process = process, .count = count, .begin = UINT64_MAX };
    for (size_t i = 0; i < count; i++) {
        if (process[i].number == number)
            a->own = &process[i];
        if (process[i].start < a->begin)
            a->begin = process[i].start;
    }
    a->symbols = symbols_create(s);
    return a;
}

void gdb_answers_destroy(struct gdb_answers *a)
{
    if (!a)
        return;
    fact_index_destroy(a->facts);
    symbols_destroy(a->symbols);
    free(a->chain);
    free(a);
}

static struct gdb_find finder(struct gdb_answers *a, const char *kind)
{
    return (struct gdb_find){ .store = a->store, .process = a->process, .count = a->count, .own = a->own, .facts = &a->facts,
                              .kind = kind };
}

/* ---- where it is ---- */

static uint64_t events_done(const struct ask *q)
{
    return __atomic_load_n(&q->file->events, __ATOMIC_ACQUIRE);
}

/* In the middle of the call that is the event, and not of the program between two of them. */
static bool at_event(const struct ask *q)
{
    return q->file->state == REPLAY_STOPPED || q->file->state == REPLAY_DIVERGED;
}

/* The event that it is about to make; between two of them the last. */
static uint64_t present(const struct ask *q)
{
    uint64_t done = events_done(q);
    if (at_event(q) && done < q->a->own->events)
        return done;
    return done ? done - 1 : 0;
}

static const char *name_of(const struct ask *q, uint64_t sequence, char out[128])
{
    event_name(q->a->own, sequence, out, 128);
    return out;
}

/* "n1@317", or "317" for short. Of the process that gdb is on; others are replayed by themselves. */
static bool sequence_parse(const struct ask *q, const char *text, uint64_t *sequence, struct drd_error *e)
{
    const struct store_process *own = q->a->own;
    char name[256];
    uint32_t process;
    if (!*text)
        return error_set(e, DRD_EXIT_USAGE, "an event is wanted, such as %s@317 or 317", own->node);
    snprintf(name, sizeof name, "%s%s%s", strchr(text, '@') ? "" : own->node, strchr(text, '@') ? "" : "@", text);
    if (!event_find(q->a->store, name, &process, sequence, e))
        return false;
    char first[128], last[128];
    return process == own->number ||
           error_set(e, DRD_EXIT_USAGE, "%s is of another process; this one has %s to %s. drd replay %s@%s --gdb goes there",
                     name, name_of(q, 0, first), name_of(q, own->events - 1, last), store_path(q->a->store), name);
}

/* ---- events in words ---- */

static bool print_event(const struct ask *q, uint64_t sequence, bool details, struct drd_error *e)
{
    struct trace_event event;
    char name[128];
    struct stream *st = stream_open(q->a->store, q->a->own->number, e);
    int found = st ? stream_seek(st, sequence, e) : -1;
    if (found > 0)
        found = stream_next(st, &event, e);
    if (found > 0) {
        event.process = q->a->own->number;
        symbols_name_callback(q->a->symbols, &event);
        fprintf(q->out, "%s  ", name_of(q, sequence, name));
        event_line(&event, QUOTE, q->out);
        uint64_t ns = event.time > q->a->begin ? event.time - q->a->begin : 0;
        fprintf(q->out, "\n  %" PRIu64 ".%06" PRIu64 " s after the run began", ns / 1000000000, ns / 1000 % 1000000);
        if (event.thread)
            fprintf(q->out, ", thread %" PRIu32, event.thread);
        putc('\n', q->out);
        if (details)
            event_details(&event, q->out);
    }
    stream_close(st);
    return found >= 0;
}

static bool facts_print(const struct ask *q, uint64_t sequence, struct drd_error *e)
{
    struct gdb_find f = finder(q->a, "");
    if (!gdb_find_facts(&f, e))
        return false;
    fact_index_print(q->a->facts, sequence, false, q->out);
    return true;
}

static bool say_event(struct ask *q, struct drd_error *e)
{
    uint64_t sequence = present(q);
    char name[128];
    if (*q->argument && !sequence_parse(q, q->argument, &sequence, e))
        return false;
    if (!print_event(q, sequence, false, e) || !facts_print(q, sequence, e))
        return false;
    if (!*q->argument && !at_event(q) && events_done(q) < q->a->own->events)
        fprintf(q->out, "  it has happened; the next is %s\n", name_of(q, events_done(q), name));
    return true;
}

static bool say_message(struct ask *q, struct drd_error *e)
{
    uint64_t sequence = present(q);
    char name[128];
    struct gdb_find f = finder(q->a, "");
    if ((*q->argument && !sequence_parse(q, q->argument, &sequence, e)) || !gdb_find_facts(&f, e))
        return false;
    if (!fact_index_print(q->a->facts, sequence, true, q->out))
        return error_set(e, DRD_EXIT_NOTHING, "%s is no message of a protocol that DRD knows; drd-next message goes to the "
                         "next", name_of(q, sequence, name));
    return print_event(q, sequence, true, e);
}

/* ---- how it stopped or ended ---- */

static void say_end(const struct ask *q)
{
    const struct store_process *own = q->a->own;
    char name[128];
    fprintf(q->out, "the recording of %s ends here, after %s", own->node, name_of(q, present(q), name));
    const char *killed = own->status >= 0 && WIFSIGNALED(own->status) ? sigabbrev_np(WTERMSIG(own->status)) : NULL;
    if (own->incomplete_reason)
        fprintf(q->out, ": %s", own->incomplete_reason);
    else if (killed)
        fprintf(q->out, ": it was killed by SIG%s", killed);
    putc('\n', q->out);
}

static void say_difference(const struct ask *q, const char *what)
{
    char name[128];
    fprintf(q->out, "%s %s at %s: %.255s\n", q->a->own->node, what, name_of(q, events_done(q), name), q->file->what);
    if (*q->file->expected)
        fprintf(q->out, "  recorded  %.1023s\n  now       %.1023s\n", q->file->expected, q->file->got);
}

static bool say_arrived(struct ask *q, struct drd_error *e)
{
    char name[128];
    const char *signal = sigabbrev_np(q->file->signal);
    switch (q->file->state) {
    case REPLAY_FINISHED:
        say_end(q);
        return true;
    case REPLAY_DIVERGED:
        say_difference(q, "does something else than recorded");
        return true;
    case REPLAY_FAILED:
        say_difference(q, "cannot be replayed further");
        return true;
    case REPLAY_FAULT:
        fprintf(q->out, "%s is killed by SIG%s here, after %s\n", q->a->own->node, signal ? signal : "?",
                name_of(q, present(q), name));
        return true;
    default:
        if (events_done(q) < q->a->own->events)
            return print_event(q, events_done(q), false, e) && facts_print(q, events_done(q), e);
        say_end(q);
        return true;
    }
}

/* Something else stopped it first: a breakpoint, a signal. */
static bool say_astray(struct ask *q, struct drd_error *e)
{
    char target[128], before[128];
    (void)e;
    replay_debugged_until(q->d, UINT64_MAX);
    fprintf(q->out, "stopped on the way to %s, before %s\n", name_of(q, q->a->target, target),
            name_of(q, events_done(q), before));
    return true;
}

static bool say_exited(struct ask *q, struct drd_error *e)
{
    char name[128];
    (void)e;
    if (q->file->state == REPLAY_FINISHED)
        fprintf(q->out, "%s has come to the end of its recording, %s", q->a->own->node, name_of(q, present(q), name));
    else
        fprintf(q->out, "%s has ended after %s", q->a->own->node, name_of(q, present(q), name));
    fputs("; drd-goto EVENT re-drives it\n", q->out);
    return true;
}

/* ---- the way to an event ---- */

static void put_way(struct ask *q, uint64_t sequence)
{
    uint64_t done = events_done(q);
    char name[128];
    bool here = q->file->state == REPLAY_STOPPED && done == sequence;
    bool on = (q->file->state == REPLAY_STOPPED || q->file->state == REPLAY_RUNNING) && sequence >= done;
    q->a->target = sequence;
    if (on && !here)
        replay_debugged_until(q->d, sequence);
    jw_put_string(&q->json, "way", here ? "here" : on ? "on" : "restart");
    jw_put_string(&q->json, "event", name_of(q, sequence, name));
}

static bool put_goto(struct ask *q, struct drd_error *e)
{
    uint64_t sequence;
    if (!sequence_parse(q, q->argument, &sequence, e))
        return false;
    put_way(q, sequence);
    return true;
}

static bool put_found(struct ask *q, bool back, struct drd_error *e)
{
    struct gdb_find f = finder(q->a, q->argument);
    uint64_t done = events_done(q), from = done + (!back && q->file->state == REPLAY_STOPPED), found = 0;
    char name[128];
    int any = gdb_find_event(&f, from, back, &found, e);
    if (any > 0)
        put_way(q, found);
    else if (any == 0)
        error_set(e, DRD_EXIT_NOTHING, "%s has no %s%s%s %s", q->a->own->node, q->argument, *q->argument ? " " : "event",
                  back ? "before" : "from here on, at", name_of(q, done, name));
    return any > 0;
}

static bool put_next(struct ask *q, struct drd_error *e)
{
    return put_found(q, false, e);
}

static bool put_back(struct ask *q, struct drd_error *e)
{
    return put_found(q, true, e);
}

static bool put_process(struct ask *q, struct drd_error *e)
{
    (void)e;
    jw_put_uint(&q->json, "pid", q->file->pid);
    jw_put_uint(&q->json, "stop", q->file->stop_here);
    return true;
}

static bool put_restart(struct ask *q, struct drd_error *e)
{
    return replay_debugged_restart(q->d, q->a->target, e) && put_process(q, e);
}

/* For the prompt. Ctrl-C at the prompt is not for the process. */
static bool put_prompt(struct ask *q, struct drd_error *e)
{
    char name[128];
    (void)e;
    if (!q->file->until)
        replay_debugged_until(q->d, UINT64_MAX);
    jw_put_string(&q->json, "event", name_of(q, present(q), name));
    return true;
}

/* ---- explain ---- */

static void chain_print(const struct ask *q, const struct verdict *v, FILE *out)
{
    if (v->finding)
        verdict_headline(v, v->finding, out), putc('\n', out);
    for (size_t i = 0; i < v->cause.steps; i++) {
        const struct chain_step *step = &v->cause.step[i];
        char event[128];
        verdict_event(v, &step->at, event, sizeof event);
        fprintf(out, "%c %-2zu  %-12s %s\n", step->at.process == q->a->own->number ? '*' : ' ', i + 1, event, step->text);
    }
    fprintf(out, v->cause.steps ? "* events of %s, for drd-goto\n" : "drd explain finds nothing broken in this run\n",
            q->a->own->node);
}

static bool chain_make(const struct ask *q, FILE *out, struct drd_error *e)
{
    struct gdb_answers *a = q->a;
    struct verdict *v = calloc(1, sizeof *v);
    char state[64] = "";
    struct raft_model *m = v ? explain_model(a->store, a->process, a->count, e) : NULL;
    bool good = m != NULL;
    if (good) {
        store_fact(a->store, "state", state, sizeof state);
        verdict_init(v, m, a->process, a->count, state);
        good = verdict_order(v, a->store, e) && inputs_add(&v->cause, a->store, a->process, a->count, e);
    }
    if (good)
        chain_print(q, v, out);
    raft_model_destroy(m);
    free(v);
    return good;
}

static bool say_chain(struct ask *q, struct drd_error *e)
{
    size_t size = 0;
    FILE *out = q->a->chain ? NULL : open_memstream(&q->a->chain, &size);
    if (out) {
        bool good = chain_make(q, out, e);
        fclose(out);
        if (!good) {
            free(q->a->chain);
            q->a->chain = NULL;
            return false;
        }
    }
    fputs(q->a->chain ? q->a->chain : "", q->out);
    return true;
}

/* ---- answering ---- */

static const struct {
    const char *word;
    bool (*say)(struct ask *q, struct drd_error *e); /* a member "text" */
    bool (*put)(struct ask *q, struct drd_error *e); /* members of its own */
} questions[] = {
    { "process", NULL, put_process }, { "arrived", say_arrived, NULL }, { "astray", say_astray, NULL },
    { "exited", say_exited, NULL },   { "prompt", NULL, put_prompt },   { "event", say_event, NULL },
    { "message", say_message, NULL }, { "chain", say_chain, NULL },     { "goto", NULL, put_goto },
    { "next", NULL, put_next },       { "back", NULL, put_back },       { "restart", NULL, put_restart },
};

/* Words come out of the run too: nothing in them may steer the terminal. The last newline is print's. */
static void put_words(struct ask *q, char *text, size_t length)
{
    while (length && text[length - 1] == '\n')
        length--;
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)text[i]) && text[i] != '\n')
            text[i] = '?';
    jw_key(&q->json, "text");
    jw_bytes(&q->json, text, length);
}

static bool answer(struct ask *q, size_t which, struct drd_error *e)
{
    char *text = NULL;
    size_t length = 0;
    if (questions[which].put)
        return questions[which].put(q, e);
    q->out = open_memstream(&text, &length);
    bool good = q->out ? questions[which].say(q, e) : error_set(e, DRD_EXIT_FATAL, "out of memory");
    if (q->out && !fclose(q->out) && good)
        put_words(q, text, length);
    free(text);
    return good;
}

void gdb_answers_give(void *context, struct replay_debugged *d, const char *request, FILE *out)
{
    struct drd_error error = { 0 };
    struct ask q = { .a = context, .d = d, .file = replay_debugged_file(d) };
    size_t length = strcspn(request, " "), which = 0;
    const size_t count = sizeof questions / sizeof *questions;
    while (which < count && (strncmp(request, questions[which].word, length) || questions[which].word[length]))
        which++;
    q.argument = request[length] ? request + length + 1 : "";
    jw_init(&q.json, out);
    jw_object(&q.json);
    bool good = which < count ? answer(&q, which, &error) : error_set(&error, DRD_EXIT_USAGE, "not a question: %s", request);
    if (!good)
        jw_put_string(&q.json, "error", error.message);
    jw_end(&q.json);
}
