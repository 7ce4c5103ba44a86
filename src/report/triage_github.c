/* Annotations of GitHub Actions: workflow commands on stdout, one a group, the first ten. */
#include "report/triage.h"

#include <string.h>

static void put_group(const struct triage *t, const struct triage_group *g, FILE *out)
{
    const struct triage_result *r = &g->least->result;
    char share[64], line[2 * PATH_MAX];
    bool fresh = !strcmp(triage_state(t, g), "new");
    triage_share(t, g, share, sizeof share);
    triage_reproduce(g->least, line, sizeof line);
    fprintf(out, "::%s title=", fresh ? "error" : "warning");
    escape_property(triage_kinds[r->kind].title, out);
    escape_property(": ", out);
    escape_property(r->title, out);
    fputs("::", out);
    escape_annotation(*r->story ? r->story : r->title, out);
    if (*r->cause) {
        fputs("%0ACause: ", out);
        escape_annotation(r->cause, out);
    }
    fprintf(out, "%%0A%s%s%%0A", share, g->flaky ? ", flaky" : "");
    escape_annotation(line, out);
    fputs("%0AFingerprint ", out);
    escape_annotation(r->fingerprint, out);
    fputc('\n', out);
}

void triage_github(const struct triage *t, FILE *out)
{
    for (size_t i = 0; i < t->groups && i < TRIAGE_ANNOTATIONS; i++)
        put_group(t, &t->group[i], out);
}
