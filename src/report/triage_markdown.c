/* A summary of a job in GitHub's Markdown: a table of what there is, then each group. What does not fit is counted; what
 * comes first is what matters most. */
#include "report/triage.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 100          /* of the table */
#define BROKEN_MAX 50
#define TAIL 2000             /* kept free for what ends the page */

static void cell(const char *text, FILE *out)
{
    fputs(" ", out);
    escape_markdown(text, out);
    fputs(" |", out);
}

static void put_sum(const struct triage *t, FILE *out)
{
    size_t fresh = triage_new(t);
    fprintf(out, "## drd triage: %zu new failure%s in %zu run%s\n\n", fresh, fresh == 1 ? "" : "s", t->runs,
            t->runs == 1 ? "" : "s");
    for (size_t k = 0, shown = 0; k < TRIAGE_KINDS; k++)
        if (t->count[k])
            fprintf(out, "%s%s: %zu", shown++ ? ", " : "", triage_kinds[k].title, t->count[k]);
    fputs("\n\n", out);
}

static void put_table(const struct triage *t, FILE *out)
{
    char share[64];
    if (!t->groups)
        return;
    fputs("| | what | runs | fingerprint |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < t->groups && i < ROWS_MAX; i++) {
        const struct triage_group *g = &t->group[i];
        triage_share(t, g, share, sizeof share);
        fputs("|", out);
        cell(triage_state(t, g), out);
        cell(g->least->result.title, out);
        cell(share, out);
        cell(g->least->result.fingerprint, out);
        fputc('\n', out);
    }
    if (t->groups > ROWS_MAX)
        fprintf(out, "\n%zu more groups are not in this table.\n", t->groups - ROWS_MAX);
    fputc('\n', out);
}

static void item(const char *label, const char *text, bool code, FILE *out)
{
    if (!*text)
        return;
    fprintf(out, "- %s: ", label);
    if (code)
        escape_code(text, out);
    else
        escape_markdown(text, out);
    fputc('\n', out);
}

static void put_group(const struct triage *t, const struct triage_group *g, FILE *out)
{
    const struct triage_result *r = &g->least->result;
    char text[2 * PATH_MAX];
    fputs("### ", out);
    escape_markdown(r->title, out);
    fprintf(out, " (%s)\n\n", triage_state(t, g));
    item("Kind", triage_kinds[r->kind].title, false, out);
    item("Run", r->story, false, out);
    item("Cause", r->cause, false, out);
    item("Rule", r->reference, false, out);
    item("Source", r->location, true, out);
    item("Proof", triage_group_proof(g), false, out);
    triage_share(t, g, text, sizeof text);
    item("Seen", text, false, out);
    item("First", g->run[0]->result.started, false, out);
    item("Last", g->run[g->runs - 1]->result.started, false, out);
    if (g->flaky)
        item("Flaky", "the same test of the same commit passes too", false, out);
    item("Smallest run", g->least->name, true, out);
    triage_reproduce(g->least, text, sizeof text);
    item("Reproduce", text, true, out);
    item("Fingerprint", r->fingerprint, true, out);
    fputc('\n', out);
}

static void put_broken(const struct triage *t, FILE *out)
{
    size_t shown = 0;
    if (!t->count[TRIAGE_BROKEN])
        return;
    fputs("### Not judged\n\n", out);
    for (size_t i = 0; i < t->runs && shown < BROKEN_MAX; i++) {
        if (t->run[i].result.kind != TRIAGE_BROKEN)
            continue;
        fputs("- ", out);
        escape_code(t->run[i].name, out);
        fputs(": ", out);
        escape_markdown(t->run[i].result.note, out);
        fputc('\n', out);
        shown++;
    }
    if (shown < t->count[TRIAGE_BROKEN])
        fprintf(out, "- and %zu more\n", t->count[TRIAGE_BROKEN] - shown);
    fputc('\n', out);
}

/* Writes a part if it fits into what is left. */
static bool append(char *text, size_t size, size_t *left, FILE *out)
{
    bool fits = text && size <= *left;
    if (fits) {
        fwrite(text, 1, size, out);
        *left -= size;
    }
    free(text);
    return fits;
}

static bool append_part(const struct triage *t, const struct triage_group *g, void (*part)(const struct triage *, FILE *),
                        size_t *left, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return false;
    if (g)
        put_group(t, g, f);
    else
        part(t, f);
    fclose(f);
    return append(text, size, left, out);
}

void triage_markdown(const struct triage *t, FILE *out)
{
    size_t left = TRIAGE_MARKDOWN_MAX - TAIL, shown = 0;
    append_part(t, NULL, put_sum, &left, out);
    append_part(t, NULL, put_table, &left, out);
    while (shown < t->groups && append_part(t, &t->group[shown], NULL, &left, out))
        shown++;
    append_part(t, NULL, put_broken, &left, out);
    if (shown < t->groups)
        fprintf(out, "%zu more group%s did not fit; drd triage --json has all.\n", t->groups - shown,
                t->groups - shown == 1 ? "" : "s");
}
