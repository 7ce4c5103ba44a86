#include "cli/replay_print.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "trace/names.h"
#include "trace/reader.h"
#include "util/json.h"
#include "util/text.h"

#define DETAILS 3 /* differences told in full: they fill a screen */

static const char *const words[] = {
    [REPLAY_SKIPPED] = "skipped", [REPLAY_UNRECORDED] = "not recorded", [REPLAY_IDENTICAL] = "identical",
    [REPLAY_AT_EVENT] = "stopped", [REPLAY_DIFFERS] = "diverged", [REPLAY_DIED] = "died", [REPLAY_HUNG] = "hung",
    [REPLAY_NOT_BORN] = "not reached", [REPLAY_IMPOSSIBLE] = "not replayed",
};

static bool is_good(enum replay_outcome outcome)
{
    return outcome == REPLAY_IDENTICAL || outcome == REPLAY_AT_EVENT;
}

static bool is_asked(enum replay_outcome outcome)
{
    return outcome != REPLAY_SKIPPED && outcome != REPLAY_UNRECORDED;
}

/* The first event that did not happen as recorded, or the one it was to stop at. */
static const char *here(const struct store_process *p, const struct replay_result *r, char *out, size_t size)
{
    event_name(p, r->events, out, size);
    return out;
}

static const char *last(const struct store_process *p, const struct replay_result *r, char *out, size_t size)
{
    event_name(p, r->events ? r->events - 1 : 0, out, size);
    return out;
}

static void print_death(const struct replay_result *r)
{
    if (r->wait_status != -1 && WIFSIGNALED(r->wait_status))
        printf("killed by SIG%s", sigabbrev_np(WTERMSIG(r->wait_status)));
    else if (r->wait_status != -1 && WIFEXITED(r->wait_status))
        printf("exited with status %d", WEXITSTATUS(r->wait_status));
    else
        printf("ended");
}

static void print_identical(const struct store_process *p, const struct replay_result *r)
{
    char count[TEXT_MAX], event[128];
    printf("%s, process %u: %s events, ", p->node, p->number, text_count(r->events, count, sizeof count));
    if (p->complete)
        puts("identical to the end");
    else
        printf("identical to its last event %s (the recording ends there: %s)\n", last(p, r, event, sizeof event),
               p->incomplete_reason ? p->incomplete_reason : "killed");
}

/* One process, one line. */
static void print_line(const struct store_process *p, const struct replay_result *r)
{
    char event[128];
    switch (r->outcome) {
    case REPLAY_SKIPPED:
        break;
    case REPLAY_UNRECORDED:
        printf("%s, process %u: not recorded%s%s\n", p->node, p->number, p->incomplete_reason ? ": " : "",
               p->incomplete_reason ? p->incomplete_reason : "");
        break;
    case REPLAY_IDENTICAL:
        print_identical(p, r);
        break;
    case REPLAY_AT_EVENT:
        printf("%s, process %u: identical up to %s, stopped there\n", p->node, p->number, here(p, r, event, sizeof event));
        break;
    case REPLAY_DIFFERS:
        printf("%s, process %u: diverged at %s\n", p->node, p->number, here(p, r, event, sizeof event));
        break;
    case REPLAY_DIED:
        printf("%s, process %u: ", p->node, p->number);
        print_death(r);
        printf(" after %s\n", last(p, r, event, sizeof event));
        break;
    case REPLAY_HUNG:
        printf("%s, process %u: hung, no progress after %s\n", p->node, p->number, last(p, r, event, sizeof event));
        break;
    case REPLAY_NOT_BORN:
        printf("%s, process %u: not reached, its parent did not come to the fork\n", p->node, p->number);
        break;
    case REPLAY_IMPOSSIBLE:
        printf("%s, process %u: not replayed: %s", p->node, p->number, r->what);
        if (r->expected[0])
            printf(" (expected %s, got %s)", r->expected, r->got);
        putchar('\n');
        break;
    }
}

static void print_argument(const struct replay_result *r)
{
    if (r->argument >= 6)
        printf("    differs   %s\n", r->argument == 6 ? "which thread runs" : "which call is made");
    else
        printf("    differs   argument %" PRIu32 " (%s)\n", r->argument + 1, trace_argument_name(r->call, r->argument));
}

static void print_difference(const struct replay_print *print, const struct store_process *p, const struct replay_result *r)
{
    char event[128];
    here(p, r, event, sizeof event);
    printf("%s diverged at %s, thread %" PRIu32 ", in %s\n", p->node, event, r->thread, trace_code_name(r->call));
    if (r->what[0])
        printf("    %s\n", r->what);
    print_argument(r);
    printf("    expected  %s\n    got       %s\n", r->expected, r->got);
    printf("    drd replay %s --until %s --gdb\n", print->run, event);
}

/* What went wrong first, in full; then, or on request, a line each. */
static void print_processes(const struct replay_print *print)
{
    unsigned details = 0;
    for (size_t i = 0; i < print->count; i++) {
        const struct replay_result *r = replay_result(print->replay, i);
        if (r->outcome == REPLAY_DIFFERS && details++ < DETAILS)
            print_difference(print, &print->process[i], r);
        else if (print->verbose || r->outcome != REPLAY_IDENTICAL || !print->process[i].complete)
            print_line(&print->process[i], r);
    }
}

struct totals {
    size_t nodes, processes, good, stopped;
    uint64_t events, start, end;
};

static bool node_seen_before(const struct replay_print *print, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_asked(replay_result(print->replay, k)->outcome) && !strcmp(print->process[k].node, print->process[i].node))
            return true;
    return false;
}

static struct totals add_up(const struct replay_print *print)
{
    struct totals t = { .start = UINT64_MAX };
    for (size_t i = 0; i < print->count; i++) {
        const struct store_process *p = &print->process[i];
        const struct replay_result *r = replay_result(print->replay, i);
        if (!is_asked(r->outcome))
            continue;
        t.processes++;
        t.nodes += !node_seen_before(print, i);
        t.good += is_good(r->outcome);
        t.stopped += r->outcome == REPLAY_AT_EVENT;
        t.events += r->events;
        t.start = p->start && p->start < t.start ? p->start : t.start;
        t.end = p->end > t.end ? p->end : t.end;
    }
    return t;
}

static void print_outcomes(const struct replay_print *print)
{
    const char *separator = "";
    for (int outcome = REPLAY_IDENTICAL; outcome <= REPLAY_IMPOSSIBLE; outcome++) {
        size_t n = 0;
        for (size_t i = 0; i < print->count; i++)
            n += (int)replay_result(print->replay, i)->outcome == outcome;
        if (n)
            printf("%s%zu %s", separator, n, words[outcome]);
        separator = n ? ", " : separator;
    }
}

void replay_print_text(const struct replay_print *print)
{
    struct totals t = add_up(print);
    char events[TEXT_MAX], took[TEXT_MAX], recorded[TEXT_MAX];
    print_processes(print);
    if (*print->unrecorded)
        puts(print->unrecorded);
    printf("%zu node%s, %zu process%s, %s events: ", t.nodes, t.nodes == 1 ? "" : "s", t.processes,
           t.processes == 1 ? "" : "es", text_count(t.events, events, sizeof events));
    if (t.good == t.processes && !t.stopped)
        printf("identical to the end");
    else if (t.good == t.processes && t.stopped == t.processes)
        printf("identical up to there");
    else
        print_outcomes(print);
    printf(" (%s", text_duration(print->duration, took, sizeof took));
    if (t.end > t.start)
        printf("; recorded %s", text_duration(t.end - t.start, recorded, sizeof recorded));
    puts(")");
}

static void print_json_process(struct json_writer *j, const struct store_process *p, const struct replay_result *r)
{
    char event[128];
    jw_object(j);
    jw_put_uint(j, "process", p->number);
    jw_put_string(j, "node", p->node);
    jw_put_uint(j, "incarnation", p->incarnation);
    jw_put_string(j, "outcome", words[r->outcome]);
    jw_put_uint(j, "events", r->events);
    jw_put_uint(j, "recorded_events", p->events);
    jw_put_bool(j, "complete", p->complete);
    if (p->incomplete_reason)
        jw_put_string(j, "incomplete_reason", p->incomplete_reason);
    if (is_asked(r->outcome) && r->outcome != REPLAY_IDENTICAL)
        jw_put_string(j, "event", here(p, r, event, sizeof event));
    if (r->outcome == REPLAY_DIFFERS) {
        jw_put_uint(j, "thread", r->thread);
        jw_put_string(j, "call", trace_code_name(r->call));
        jw_put_uint(j, "argument", r->argument);
        jw_put_string(j, "argument_name", r->argument < 6 ? trace_argument_name(r->call, r->argument) : NULL);
        jw_put_uint(j, "offset", r->offset);
        jw_put_string(j, "expected", r->expected);
        jw_put_string(j, "got", r->got);
    }
    if (r->outcome == REPLAY_DIED)
        jw_put_int(j, "wait_status", r->wait_status);
    if (r->what[0])
        jw_put_string(j, "what", r->what);
    jw_end(j);
}

void replay_print_json(const struct replay_print *print)
{
    struct json_writer j;
    struct totals t = add_up(print);
    int verdict = replay_verdict(print->replay);
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.replay/1");
    jw_put_string(&j, "run", print->run);
    jw_put_string(&j, "verdict", verdict == DRD_EXIT_OK ? "identical" : verdict == DRD_EXIT_DIFFERS ? "diverged" : "unknown");
    jw_put_uint(&j, "nodes", t.nodes);
    jw_put_uint(&j, "events", t.events);
    jw_put_uint(&j, "duration_ns", print->duration);
    jw_put_uint(&j, "recorded_ns", t.end > t.start ? t.end - t.start : 0);
    jw_put_string(&j, "unrecorded", print->unrecorded);
    jw_key(&j, "processes");
    jw_array(&j);
    for (size_t i = 0; i < print->count; i++)
        if (replay_result(print->replay, i)->outcome != REPLAY_SKIPPED)
            print_json_process(&j, &print->process[i], replay_result(print->replay, i));
    jw_end(&j);
    jw_end(&j);
}
