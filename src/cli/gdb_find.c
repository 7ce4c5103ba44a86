#include "cli/gdb_find.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/syscall.h>

#include "trace/reader.h"

#define WINDOW 1024 /* events that are read at a time on the way back: the next one is wider */

bool gdb_find_facts(const struct gdb_find *f, struct drd_error *e)
{
    if (!*f->facts)
        *f->facts = fact_index_read(f->store, f->process, f->count, f->own->number, e);
    return *f->facts != NULL;
}

static bool is_timer(const struct trace_event *event)
{
    switch (event->code) {
    case TRACE_TIMER: case SYS_timerfd_settime: case SYS_timer_settime: case SYS_setitimer:
        return true;
    case SYS_epoll_wait: case SYS_epoll_pwait: /* a wait whose time was over */
        return event->complete && !event->result && event->argument[3] > 0;
    case SYS_poll:
        return event->complete && !event->result && event->argument[2] > 0;
    case SYS_ppoll: case SYS_select: case SYS_pselect6: case SYS_nanosleep: case SYS_clock_nanosleep:
        return event->complete && !event->result;
    default:
        return false;
    }
}

static bool is_noise(int32_t code)
{
    return code == TRACE_CLOCK || code == TRACE_TIME || code == TRACE_SWITCH || code == TRACE_TSC;
}

static bool event_is(const struct trace_event *event, const char *kind)
{
    if (!*kind)
        return !is_noise(event->code);
    if (!strcmp(kind, "timer"))
        return is_timer(event);
    if (!strcmp(kind, "draw") && event->code == SYS_getrandom)
        return true;
    return !fnmatch(kind, trace_code_name(event->code), 0);
}

static bool is_kind_of_event(const char *kind)
{
    if (!*kind)
        return true;
    for (int32_t code = TRACE_CODE_MIN; code < CALL_MAX; code++)
        if (!fnmatch(kind, trace_code_name(code), 0))
            return true;
    return false;
}

/* In [from, to): the first, or with `last` the last. */
static int scan(const struct gdb_find *f, uint64_t from, uint64_t to, bool last, uint64_t *found, struct drd_error *e)
{
    struct trace_event event;
    struct stream *st = stream_open(f->store, f->own->number, e);
    int more = st ? stream_seek(st, from, e) : -1, any = 0;
    while (more > 0 && (more = stream_next(st, &event, e)) > 0 && event.sequence < to && !(any && !last))
        if (event_is(&event, f->kind)) {
            *found = event.sequence;
            any = 1;
        }
    stream_close(st);
    return more < 0 ? -1 : any;
}

static int scan_back(const struct gdb_find *f, uint64_t before, uint64_t *found, struct drd_error *e)
{
    int any = 0;
    for (uint64_t width = WINDOW; before && !any; width *= 4) {
        uint64_t from = before > width ? before - width : 0;
        any = scan(f, from, before, true, found, e);
        before = from;
    }
    return any;
}

int gdb_find_event(const struct gdb_find *f, uint64_t from, bool back, uint64_t *found, struct drd_error *e)
{
    bool of_stream = is_kind_of_event(f->kind) && strcmp(f->kind, "write");
    if (!of_stream && !gdb_find_facts(f, e))
        return -1;
    if (of_stream)
        return back ? scan_back(f, from, found, e) : scan(f, from, UINT64_MAX, false, found, e);
    if (fact_kind_exists(*f->facts, f->kind))
        return fact_index_find(*f->facts, f->kind, from, back, found);
    error_set(e, DRD_EXIT_USAGE, "no kind of event is called '%s': there are message, send, receive, timer, draw, write, sync, "
              "mark, fault, term, vote, role, append, truncate, commit, apply, types of Raft messages such as AppendEntries, "
              "and what drd log calls its kinds", f->kind);
    return -1;
}
