/* For people at a terminal: what is new first. */
#include "report/triage.h"

#include <string.h>

#define RUNS_SHOWN 3

static void print_label(const char *label, FILE *out)
{
    fprintf(out, "   %-10s ", label);
}

static void print_row(const char *label, const char *value, FILE *out)
{
    if (!*value)
        return;
    print_label(label, out);
    escape_terminal(value, out);
    fputc('\n', out);
}

static void print_seen(const struct triage_group *g, FILE *out)
{
    char text[96];
    const char *first = g->run[0]->result.started, *last = g->run[g->runs - 1]->result.started;
    if (g->runs == 1 || !strcmp(first, last))
        snprintf(text, sizeof text, "%.19s", first);
    else
        snprintf(text, sizeof text, "%.19s to %.19s", first, last);
    print_row("SEEN", text, out);
}

static void print_runs(const struct triage_group *g, size_t most, FILE *out)
{
    size_t shown = 1;
    print_label("RUNS", out);
    escape_terminal(g->least->name, out);
    for (size_t i = 0; i < g->runs && shown < most; i++) {
        if (g->run[i] == g->least)
            continue;
        fputs(", ", out);
        escape_terminal(g->run[i]->name, out);
        shown++;
    }
    if (shown < g->runs)
        fprintf(out, ", %zu more", g->runs - shown);
    fputc('\n', out);
}

static void print_what(const struct triage_group *g, FILE *out)
{
    const struct triage_result *r = &g->least->result;
    print_label("WHAT", out);
    fprintf(out, "%s: ", triage_kinds[r->kind].title);
    escape_terminal(r->title, out);
    fputc('\n', out);
    print_row("RUN", r->story, out);
    if (*r->cause) {
        print_label("CAUSE", out);
        escape_terminal(r->cause, out);
        fprintf(out, "  [%s]\n", r->reference);
    }
    print_row("SOURCE", r->location, out);
    print_row("PROOF", triage_group_proof(g), out);
}

static void print_group(const struct triage *t, const struct triage_group *g, const struct triage_style *style, FILE *out)
{
    static const struct {
        const char *state, *label;
    } label[] = {{"new", "NEW  "}, {"known", "KNOWN"}, {"rule", "RULE "}};
    char share[64], line[2 * PATH_MAX];
    const char *state = triage_state(t, g);
    triage_share(t, g, share, sizeof share);
    for (size_t i = 0; i < sizeof label / sizeof *label; i++)
        if (!strcmp(label[i].state, state))
            fprintf(out, "%s%s%s  ", i ? style->warn : style->bad, label[i].label, style->plain);
    fprintf(out, "%s%s%s  %s%s\n", style->strong, g->least->result.fingerprint, style->plain, share,
            g->flaky ? ", flaky: the same test passes too" : "");
    print_what(g, out);
    print_seen(g, out);
    print_runs(g, t->all_runs ? g->runs : RUNS_SHOWN, out);
    triage_reproduce(g->least, line, sizeof line);
    print_row("REPRODUCE", line, out);
    fputc('\n', out);
}

static void print_broken(const struct triage *t, const struct triage_style *style, FILE *out)
{
    for (size_t i = 0; i < t->runs; i++) {
        const struct triage_run *r = &t->run[i];
        if (r->result.kind != TRIAGE_BROKEN)
            continue;
        fprintf(out, "%sNOT JUDGED%s  ", style->warn, style->plain);
        escape_terminal(r->name, out);
        fputs(": ", out);
        escape_terminal(r->result.note, out);
        fputc('\n', out);
    }
    if (t->count[TRIAGE_BROKEN])
        fputc('\n', out);
}

static void print_sum(const struct triage *t, const struct triage_style *style, FILE *out)
{
    size_t fresh = triage_new(t), failures = 0;
    for (size_t i = 0; i < t->groups; i++)
        failures += triage_is_failure(t, &t->group[i]);
    fprintf(out, "%s%zu run%s, %zu failure%s, %zu new%s", fresh ? style->bad : style->good, t->runs, t->runs == 1 ? "" : "s",
            failures, failures == 1 ? "" : "s", fresh, style->plain);
    for (size_t k = 0, shown = 0; k < TRIAGE_KINDS; k++)
        if (t->count[k])
            fprintf(out, "%s%s %zu", shown++ ? ", " : "  (", triage_kinds[k].id, t->count[k]);
    fputs(")\n", out);
    if (t->unseen)
        fprintf(out, "Of the healthy, %zu could not be checked to the end: drd explain says what was not seen\n", t->unseen);
    if (t->other_algorithm)
        fprintf(out, "%zu known fingerprint%s by another version of the algorithm and cannot be compared\n",
                t->other_algorithm, t->other_algorithm == 1 ? " was made" : "s were made");
}

void triage_text(const struct triage *t, const struct triage_style *style, FILE *out)
{
    for (size_t i = 0; i < t->groups; i++)
        print_group(t, &t->group[i], style, out);
    print_broken(t, style, out);
    print_sum(t, style, out);
}
