#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "replay/session.h"

void session_notice(struct replay *r, const char *line)
{
    if (r->options.notice)
        r->options.notice(r->options.context, line);
}

bool session_manifest(struct replay *r, size_t index, struct manifest *m, struct drd_error *e)
{
    struct stream *st = stream_open(r->store, r->process[index].number, e);
    if (!st)
        return false;
    *m = (struct manifest){ 0 };
    struct trace_event event;
    int got = stream_next(st, &event, e);
    if (got == 0)
        error_set(e, DRD_EXIT_FATAL, "the stream is empty");
    bool ok = got == 1 && manifest_parse(m, event.raw.data, event.raw.length, e);
    stream_close(st);
    m->root = session_root(r);
    return ok || error_wrap(e, "%s", r->process[index].node);
}

const char *session_root(const struct replay *r)
{
    return *r->root.path ? r->root.path : NULL;
}

bool session_pack(struct replay *r, struct drd_error *missing)
{
    struct drd_error failure = { 0 };
    int made = *r->root.path || r->options.other_build ? 0 : root_make(&r->root, &r->stage, r->store, &failure);
    if (made < 0)
        *missing = failure;
    return made > 0;
}

/* What the loader mapped stands in the manifest; what was mapped later is checked when the stream is there (scan.c). */
static bool check_one(struct replay *r, size_t index, bool *cpu_told, struct drd_error *e)
{
    struct manifest m;
    char line[256];
    if (!session_manifest(r, index, &m, e))
        return false;
    bool ok = manifest_check_machine(&m, e) &&
              (r->options.other_build ? manifest_check_libraries(&m, e) : manifest_check_files(&m, e));
    if (ok && !*cpu_told && manifest_cpu_differs(&m, line, sizeof line)) {
        *cpu_told = true;
        session_notice(r, line);
    }
    manifest_fini(&m);
    return ok || error_wrap(e, "%s", r->process[index].node);
}

static void check_kernel(struct replay *r)
{
    char recorded[256], line[512];
    struct utsname name;
    if (!store_fact(r->store, "kernel", recorded, sizeof recorded) || uname(&name) || strstr(recorded, name.release))
        return;
    snprintf(line, sizeof line, "recorded on another kernel (%s, here %s)", recorded, name.release);
    session_notice(r, line);
}

bool session_check(struct replay *r, struct drd_error *e)
{
    bool cpu_told = false;
    check_kernel(r);
    for (size_t g = 0; g < r->plan.groups; g++) {
        struct drd_error failure = { 0 };
        if (check_one(r, r->plan.group[g].member[0], &cpu_told, &failure))
            continue;
        if (failure.exit_code == DRD_EXIT_CANNOT && session_pack(r, &failure)) {
            g--; /* this one once more; the others' files are in the pack as well */
            continue;
        }
        if ((!r->options.force && !r->options.other_build) || failure.exit_code == DRD_EXIT_FATAL)
            return *e = failure, false;
        session_notice(r, failure.message);
    }
    return true;
}
