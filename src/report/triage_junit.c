/* JUnit XML as GitLab and Jenkins read it: a group is a test case.
 *
 * GitLab takes of a case its name, classname and time, and the content of failure, not its message; cases of one name
 * are counted once. Jenkins takes all of it. Whatever is no new failure must not turn a job red: known groups and runs
 * that could not be judged are skipped cases, broken rules pass. */
#include "report/triage.h"

#include <string.h>
#include <unistd.h>

#define RUNS_SHOWN 20

static void attribute(const char *name, const char *value, FILE *out)
{
    fprintf(out, " %s=\"", name);
    escape_xml(value, out);
    fputc('"', out);
}

static void line(const char *label, const char *value, FILE *out)
{
    if (!*value)
        return;
    fprintf(out, "%s: ", label);
    escape_xml(value, out);
    fputc('\n', out);
}

/* The run itself, for both: relative to the directory of the job. */
static void attachment(const struct triage_run *run, FILE *out)
{
    char here[PATH_MAX];
    size_t length = getcwd(here, sizeof here) ? strlen(here) : 0;
    if (!length || strncmp(run->path, here, length) != 0 || run->path[length] != '/')
        return;
    fputs("<system-out>[[ATTACHMENT|", out);
    escape_xml(run->path + length + 1, out);
    fputs("]]</system-out>\n", out);
}

static void content(const struct triage *t, const struct triage_group *g, FILE *out)
{
    const struct triage_result *r = &g->least->result;
    char text[2 * PATH_MAX];
    fprintf(out, "%s: ", triage_kinds[r->kind].title);
    escape_xml(r->title, out);
    fputc('\n', out);
    line("Run", r->story, out);
    line("Cause", r->cause, out);
    line("Rule", r->reference, out);
    line("Source", r->location, out);
    line("Proof", triage_group_proof(g), out);
    triage_share(t, g, text, sizeof text);
    fprintf(out, "Seen: %s%s\n", text, g->flaky ? ", flaky: the same test passes too" : "");
    triage_reproduce(g->least, text, sizeof text);
    line("Reproduce", text, out);
    line("Fingerprint", r->fingerprint, out);
    for (size_t i = 0; i < g->runs && i < RUNS_SHOWN; i++)
        line("File", g->run[i]->name, out);
    if (g->runs > RUNS_SHOWN)
        fprintf(out, "and %zu more\n", g->runs - RUNS_SHOWN);
}

static void open_case(const char *class, const char *first, const char *second, FILE *out)
{
    char name[600];
    snprintf(name, sizeof name, "%s%s%s", first, *second ? " " : "", second);
    fprintf(out, "<testcase classname=\"drd.%s\"", class);
    attribute("name", name, out);
    fputs(" time=\"0\">\n", out);
}

static void put_group(const struct triage *t, const struct triage_group *g, FILE *out)
{
    const struct triage_result *r = &g->least->result;
    bool failed = triage_is_failure(t, g);
    open_case(triage_kinds[r->kind].id, r->title, r->fingerprint, out);
    if (failed && g->known) {
        fputs("<skipped", out);
        attribute("message", "known", out);
        fputs("/>\n<system-out>", out);
        content(t, g, out);
        fputs("</system-out>\n", out);
    } else if (failed) {
        fputs("<failure", out);
        attribute("type", triage_kinds[r->kind].id, out);
        attribute("message", *r->story ? r->story : r->title, out);
        fputc('>', out);
        content(t, g, out);
        fputs("</failure>\n", out);
        attachment(g->least, out);
    } else {
        fputs("<system-out>", out);
        content(t, g, out);
        fputs("</system-out>\n", out);
    }
    fputs("</testcase>\n", out);
}

/* An error where nothing at all could be judged. */
static void put_broken(const struct triage_run *run, bool error, FILE *out)
{
    const char *element = error ? "error" : "skipped";
    open_case("broken", run->path, "", out);
    fprintf(out, "<%s%s", element, error ? " type=\"broken\"" : "");
    attribute("message", run->result.note, out);
    fputc('>', out);
    escape_xml(run->result.note, out);
    fprintf(out, "</%s>\n</testcase>\n", element);
}

static void put_healthy(size_t count, FILE *out)
{
    char text[64];
    snprintf(text, sizeof text, "%zu run%s", count, count == 1 ? "" : "s");
    open_case("healthy", "nothing found in", text, out);
    fputs("</testcase>\n", out);
}

void triage_junit(const struct triage *t, FILE *out)
{
    bool nothing = triage_exit(t) == DRD_EXIT_CANNOT;
    size_t healthy = t->count[TRIAGE_HEALTHY], broken = t->count[TRIAGE_BROKEN], known = 0, fresh = triage_new(t);
    for (size_t i = 0; i < t->groups; i++)
        known += triage_is_failure(t, &t->group[i]) && t->group[i].known;
    size_t tests = t->groups + broken + (healthy > 0);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
    fprintf(out, "<testsuites name=\"drd triage\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"0\">\n", tests,
            fresh, nothing ? broken : 0);
    fprintf(out, "<testsuite name=\"drd triage\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
                 "time=\"0\">\n", tests, fresh, nothing ? broken : 0, known + (nothing ? 0 : broken));
    for (size_t i = 0; i < t->groups; i++)
        put_group(t, &t->group[i], out);
    for (size_t i = 0; i < t->runs; i++)
        if (t->run[i].result.kind == TRIAGE_BROKEN)
            put_broken(&t->run[i], nothing, out);
    if (healthy)
        put_healthy(healthy, out);
    fputs("</testsuite>\n</testsuites>\n", out);
}
