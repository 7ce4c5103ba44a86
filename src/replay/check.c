#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "replay/session.h"
#include "trace/record.h"

static void notice(struct replay *r, const char *line)
{
    if (r->options.notice)
        r->options.notice(r->options.context, line);
}

bool session_manifest(struct replay *r, size_t index, struct manifest *m, struct drd_error *e)
{
    struct stream *st = stream_open(r->store, r->process[index].number, e);
    if (!st)
        return false;
    struct trace_event event;
    int got = stream_next(st, &event, e);
    if (got == 0)
        error_set(e, DRD_EXIT_FATAL, "the stream is empty");
    bool ok = got == 1 && manifest_parse(m, event.raw.data, event.raw.length, e);
    stream_close(st);
    return ok || error_wrap(e, "%s", r->process[index].node);
}

/* Objects mapped later are named by TRACE_IMAGE; those in the manifest were mapped by the loader. */
static bool check_one(struct replay *r, size_t index, bool *cpu_told, struct drd_error *e)
{
    struct manifest m;
    char line[256];
    if (!session_manifest(r, index, &m, e))
        return false;
    bool ok = manifest_check_machine(&m, e) && manifest_check_files(&m, e);
    if (ok && !*cpu_told && manifest_cpu_differs(&m, line, sizeof line)) {
        *cpu_told = true;
        notice(r, line);
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
    notice(r, line);
}

bool session_check(struct replay *r, struct drd_error *e)
{
    bool cpu_told = false;
    check_kernel(r);
    for (size_t g = 0; g < r->plan.groups; g++) {
        struct drd_error failure = { 0 };
        if (check_one(r, r->plan.group[g].member[0], &cpu_told, &failure))
            continue;
        if (!r->options.force || failure.exit_code == DRD_EXIT_FATAL)
            return *e = failure, false;
        notice(r, failure.message);
    }
    return true;
}

static bool is_needed(const struct replay *r, int64_t number)
{
    size_t i = number > 0 ? plan_index(r->process, r->count, (uint32_t)number) : r->count;
    return i < r->count && r->plan.needed[i];
}

bool session_last_fork(struct replay *r, size_t index, uint64_t *until, struct drd_error *e)
{
    struct stream *st = stream_open(r->store, r->process[index].number, e);
    if (!st)
        return false;
    struct trace_event event;
    int got;
    *until = UINT64_MAX;
    while ((got = stream_next(st, &event, e)) == 1)
        if (event.code == TRACE_FORK && event.fields && is_needed(r, event.field[0]))
            *until = event.sequence + 1;
    stream_close(st);
    return got == 0;
}
