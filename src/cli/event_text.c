#include "cli/event_text.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "cli/event_words.h"
#include "util/text.h"

#define PATH_QUOTE 200

/* The arguments that say what a call is about: descriptors and paths; numbers too where no data tell the story. */
static void put_arguments(const struct trace_event *e, const struct call_info *call, bool numbers, FILE *out)
{
    const char *separator = " ";
    for (unsigned i = 0; i < 6; i++) {
        enum call_kind kind = KIND_OF(call->argument[i]);
        bool number = kind == KIND_FD || (numbers && (kind == KIND_INT || kind == KIND_LONG));
        if (kind != KIND_PATH && !number && !(words_is_address(e->call, i) && e->input[i].data))
            continue;
        fputs(separator, out);
        separator = ", ";
        if (number)
            fprintf(out, "%" PRId64, e->argument[i]);
        else if (kind == KIND_PATH)
            words_quoted(e->input[i], PATH_QUOTE, out);
        else
            words_address(e->input[i], out);
    }
}

static void put_call(const struct trace_event *e, int quote, FILE *out)
{
    const struct call_info *call = call_info(e->call);
    bool given = false;
    const struct trace_bytes *data = words_moved(e, call, &given);
    char size[TEXT_MAX];
    fputs(trace_code_name(e->call), out);
    if (!call)
        fprintf(out, " %d", e->call);
    else
        put_arguments(e, call, !data, out);
    if (data && given)
        fprintf(out, ", %s", text_size(data->length, size, sizeof size));
    if (!e->complete) {
        fputs(" ...", out);
    } else if (data && !given && e->result >= 0) {
        fprintf(out, " -> %s", text_size((uint64_t)e->result, size, sizeof size));
    } else {
        fputs(" -> ", out);
        words_result(e->result, out);
    }
    if (data && data->length && quote > 0) {
        fputs("  ", out);
        words_quoted(*data, (size_t)quote, out);
    }
}

static void put_signal(int64_t number, FILE *out)
{
    const char *name = number > 0 && number < NSIG ? sigabbrev_np((int)number) : NULL;
    if (name)
        fprintf(out, "SIG%s", name);
    else
        fprintf(out, "%" PRId64, number);
}

static void put_duration(int64_t ns, FILE *out)
{
    char text[TEXT_MAX];
    fprintf(out, "%s%s", ns < 0 ? "-" : "", text_duration(ns < 0 ? -(uint64_t)ns : (uint64_t)ns, text, sizeof text));
}

static void put_clock(const struct trace_event *e, FILE *out)
{
    static const char *const name[] = { "realtime", "monotonic", "process time", "thread time", "monotonic raw",
                                        "realtime coarse", "monotonic coarse", "boottime" };
    if (e->field[0] >= 0 && e->field[0] < (int64_t)(sizeof name / sizeof *name))
        fprintf(out, "clock %s", name[e->field[0]]);
    else
        fprintf(out, "clock %" PRId64, e->field[0]);
    fprintf(out, " %" PRId64 ".%09" PRId64, e->field[1], e->field[2]);
}

static void put_map_text(struct trace_bytes map, const char *key, FILE *out)
{
    struct unpack u;
    if (trace_map_find(map, key, &u) && (u.type == UNPACK_STR || u.type == UNPACK_BIN))
        fprintf(out, " %.*s", (int)u.length, (const char *)u.data);
}

static void put_connection(const struct trace_event *e, FILE *out)
{
    static const char *const role[] = { "connected to", "accepted from", "listening" };
    fprintf(out, "connection %" PRId64 " ", e->field[0]);
    words_address(e->field_bytes[2], out);
    fprintf(out, " %s", e->field[1] >= 0 && e->field[1] < 3 ? role[e->field[1]] : "?");
    if (e->field[1] == 2)
        return;
    putc(' ', out);
    words_address(e->field_bytes[3], out);
}

static void put_mark(const struct trace_event *e, int quote, FILE *out)
{
    static const char *const kind[] = { "?", "term", "vote", "role", "append", "truncate", "commit", "apply", "snapshot",
                                        "configuration", "node", "text", "read", "write", "result" };
    int64_t k = e->field[0];
    fprintf(out, "mark %s %" PRIu64 " %" PRIu64 " %" PRIx64, kind[k > 0 && k < (int64_t)(sizeof kind / sizeof *kind) ? k : 0],
            (uint64_t)e->field[1], (uint64_t)e->field[2], (uint64_t)e->field[3]);
    if (e->field_bytes[4].length) {
        putc(' ', out);
        words_quoted(e->field_bytes[4], (size_t)quote, out);
    }
}

/* Named events that need nothing but their fields. True if this was one. */
static bool put_simple(const struct trace_event *e, FILE *out)
{
    const int64_t *f = e->field;
    switch (e->code) {
    case TRACE_SWITCH: return fprintf(out, "switch to thread %" PRId64, f[0]) > 0;
    case TRACE_THREAD_START: return fprintf(out, "thread %" PRId64 " starts, tid %" PRId64, f[0], f[1]) > 0;
    case TRACE_THREAD_EXIT: return fprintf(out, "thread exits with status %" PRId64, f[0]) > 0;
    case TRACE_TSC: return fprintf(out, "time stamp counter %" PRIu64, (uint64_t)f[0]) > 0;
    case TRACE_END: return fprintf(out, "end with status %" PRId64, f[0]) > 0;
    case TRACE_FORK: return fprintf(out, "fork -> pid %" PRId64 " (process %" PRId64 ")", f[1], f[0]) > 0;
    case TRACE_VFORK_BEGIN: return fputs("vfork: the child runs", out) >= 0;
    case TRACE_VFORK_END: return fprintf(out, "vfork -> pid %" PRId64, f[0]) > 0;
    default: return false;
    }
}

static void put_words(const struct trace_event *e, const char *before, int field, size_t most, FILE *out)
{
    fputs(before, out);
    words_quoted(e->field_bytes[field], most, out);
}

static void put_fault(const struct trace_event *e, FILE *out)
{
    fprintf(out, "fault %.*s", (int)e->field_bytes[0].length, (const char *)e->field_bytes[0].data);
    if (e->field_bytes[2].length)
        fprintf(out, " %.*s", (int)e->field_bytes[2].length, (const char *)e->field_bytes[2].data);
    if (e->field[1] >= 0)
        fprintf(out, ", connection %" PRId64, e->field[1]);
}

static void put_timer(const struct trace_event *e, FILE *out)
{
    fprintf(out, "timer %.*s in ", (int)e->field_bytes[0].length, (const char *)e->field_bytes[0].data);
    put_duration(e->field[1], out);
    if (e->field[2]) {
        fputs(", every ", out);
        put_duration(e->field[2], out);
    }
    if (e->field_bytes[3].length)
        fprintf(out, ", calls %.*s", (int)e->field_bytes[3].length, (const char *)e->field_bytes[3].data);
}

static void put_named(const struct trace_event *e, int quote, FILE *out)
{
    switch (e->code) {
    case TRACE_TIME:
        fputs("time +", out);
        put_duration(e->field[0], out);
        break;
    case TRACE_SIGNAL:
        fputs("signal ", out);
        put_signal(e->field[0], out);
        break;
    case TRACE_CONNECTION: put_connection(e, out); break;
    case TRACE_FAULT: put_fault(e, out); break;
    case TRACE_MARK: put_mark(e, quote, out); break;
    case TRACE_DRAW:
        fprintf(out, "draw %.*s %" PRId64, (int)e->field_bytes[0].length, (const char *)e->field_bytes[0].data, e->field[1]);
        break;
    case TRACE_TIMER: put_timer(e, out); break;
    case TRACE_UNHANDLED:
        fprintf(out, "unhandled call %" PRId64 " -> ", e->field[0]);
        words_result(e->result, out);
        break;
    case TRACE_START:
        fputs("start", out);
        put_map_text(e->field_bytes[0], "how", out);
        put_map_text(e->field_bytes[0], "exe", out);
        break;
    case TRACE_CLOCK: put_clock(e, out); break;
    case TRACE_IMAGE: put_words(e, "image ", 0, PATH_QUOTE, out); break;
    case TRACE_EXEC: put_words(e, "exec ", 0, PATH_QUOTE, out); break;
    case TRACE_EXEC_FAILED:
        fputs("exec failed: ", out);
        words_result(e->field[0], out);
        break;
    case TRACE_MAPPED:
        fprintf(out, "mapped 0x%" PRIx64 ": %zu bytes written through the file", (uint64_t)e->field[0], e->field_bytes[1].length);
        break;
    case TRACE_INCOMPLETE: put_words(e, "recording ended here: ", 0, PATH_QUOTE, out); break;
    default: fputs(trace_code_name(e->code), out); break;
    }
}

void event_line(const struct trace_event *e, int quote, FILE *out)
{
    if (e->code == TRACE_ENTER)
        fputs("enter ", out);
    if (e->code >= 0 || e->code == TRACE_ENTER)
        put_call(e, quote, out);
    else if (!put_simple(e, out))
        put_named(e, quote, out);
}
