#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/show.h"
#include "util/term.h"
#include "util/text.h"

#define COLUMN 26 /* characters for a count and its word */

static void print_fact(struct run_view *v, const char *label, const char *key)
{
    char value[1024];
    if (store_fact(v->store, key, value, sizeof value) && *value)
        printf("%-11s%s\n", label, value);
}

/* The first line of them. */
static void print_notes(struct run_view *v)
{
    char value[1024];
    if (!store_fact(v->store, "notes", value, sizeof value) || !*value)
        return;
    size_t line = strcspn(value, "\n");
    printf("%-11s%.*s%s\n", "notes", (int)line, value, value[line] ? " ..." : "");
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
    print_notes(v);
    printf("%-11s%s\n", "duration", text_duration(v->end - v->begin, text, sizeof text));
    printf("%-11s%s, %s events\n", "size", text_size(show_file_size(v->path), text, sizeof text),
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
    char start[TEXT_MAX], length[TEXT_MAX], events[TEXT_MAX], bytes[TEXT_MAX], status[SHOW_STATUS];
    printf("%-16s %3" PRIu32 " %-16s %8d %10s %10s %12s %10s  %s\n", p->node, p->incarnation, show_base_name(p->exe), p->pid,
           text_duration(run_view_since(v, p->start), start, sizeof start),
           p->end ? text_duration(p->end > p->start ? p->end - p->start : 0, length, sizeof length) : "?",
           text_count(p->events, events, sizeof events), text_size(p->bytes, bytes, sizeof bytes),
           show_status(v, p, status));
}

static void print_processes(const struct run_view *v, bool color, bool all)
{
    size_t helpers = count_helpers(v);
    all = all || helpers == v->count;
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

bool show_text(struct cmd_context *c, struct run_view *v, const struct census *census, bool helpers)
{
    bool any = false;
    print_head(v, census, c->color);
    print_processes(v, c->color, helpers);
    print_tallies("EVENTS BY KIND", census->kind, census->kinds, c->color);
    printf("\n%sMESSAGES BY TYPE%s\n", term_code(c->color, TERM_STRONG), term_code(c->color, TERM_PLAIN));
    if (!show_message_types(v, print_message_type, &any, &c->error))
        return false;
    if (!any)
        puts("      none");
    print_tallies("UNHANDLED CALLS", census->unhandled, census->unhandleds, c->color);
    print_completeness(v, c->color);
    return true;
}
