#include "cli/event_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "trace/names.h"
#include "util/text.h"

#define PATH_QUOTE 200
#define BUFFER 1024

static void put_quoted(struct trace_bytes bytes, size_t most, FILE *out)
{
    char text[BUFFER];
    fputs(text_quote(bytes.data, bytes.length, text, most + 6 < sizeof text ? most + 6 : sizeof text), out);
}

/* "127.0.0.1:7001", "[::1]:7001", "unix:/run/x" out of a sockaddr as the kernel wrote it. */
static void put_address(struct trace_bytes bytes, FILE *out)
{
    struct sockaddr_storage a = { 0 };
    char text[INET6_ADDRSTRLEN];
    memcpy(&a, bytes.data ? bytes.data : (const void *)"", bytes.length < sizeof a ? bytes.length : sizeof a);
    if (a.ss_family == AF_INET && bytes.length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const void *)&a;
        fprintf(out, "%s:%d", inet_ntop(AF_INET, &in->sin_addr, text, sizeof text), ntohs(in->sin_port));
    } else if (a.ss_family == AF_INET6 && bytes.length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in = (const void *)&a;
        fprintf(out, "[%s]:%d", inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text), ntohs(in->sin6_port));
    } else if (a.ss_family == AF_UNIX && bytes.length > offsetof(struct sockaddr_un, sun_path)) {
        const struct sockaddr_un *un = (const void *)&a;
        size_t length = strnlen(un->sun_path, sizeof un->sun_path);
        fputs("unix:", out);
        if (length)
            fwrite(un->sun_path, 1, length, out);
        else /* abstract: the name follows a NUL */
            put_quoted((struct trace_bytes){ bytes.data + 2, bytes.length - 2 }, 60, out);
    } else {
        fputs("?", out);
    }
}

static bool is_data(uint16_t code)
{
    switch (KIND_OF(code)) {
    case KIND_IN_LEN: case KIND_IOV_IN: case KIND_IOV_OUT:
        return true;
    case KIND_OUT_RET:
        return KIND_PARAMETER(code) == 1;
    case KIND_SPECIAL:
        switch (KIND_PARAMETER(code)) {
        case SPECIAL_MSG_IN: case SPECIAL_MSG_OUT: case SPECIAL_MMSG_IN: case SPECIAL_MMSG_OUT:
            return true;
        }
        return false;
    default:
        return false;
    }
}

static bool is_address(int32_t call, unsigned i)
{
    return !strcmp(trace_argument_name(call, i), "address") && call_info(call) &&
           (KIND_OF(call_info(call)->argument[i]) == KIND_ADDR_OUT || KIND_OF(call_info(call)->argument[i]) == KIND_IN_LEN);
}

/* The data a call moved: the first such argument; NULL if it moved none. */
static const struct trace_bytes *moved_data(const struct trace_event *e, const struct call_info *call, bool *given)
{
    for (unsigned i = 0; call && i < 6; i++) {
        if (!is_data(call->argument[i]) || is_address(e->call, i))
            continue;
        *given = kind_has_input(call->argument[i]);
        return *given ? &e->input[i] : &e->output[i];
    }
    return NULL;
}

/* The arguments that say what a call is about: descriptors and paths; numbers too where no data tell the story. */
static void put_arguments(const struct trace_event *e, const struct call_info *call, bool numbers, FILE *out)
{
    const char *separator = " ";
    for (unsigned i = 0; i < 6; i++) {
        enum call_kind kind = KIND_OF(call->argument[i]);
        bool number = kind == KIND_FD || (numbers && (kind == KIND_INT || kind == KIND_LONG));
        if (kind != KIND_PATH && !number && !(is_address(e->call, i) && e->input[i].data))
            continue;
        fputs(separator, out);
        separator = ", ";
        if (number)
            fprintf(out, "%" PRId64, e->argument[i]);
        else if (kind == KIND_PATH)
            put_quoted(e->input[i], PATH_QUOTE, out);
        else
            put_address(e->input[i], out);
    }
}

static void put_result(int64_t result, FILE *out)
{
    const char *name = result < 0 && result >= -4095 ? strerrorname_np((int)-result) : NULL;
    if (name)
        fputs(name, out);
    else if (result < -4095 || result > 0x7fffffff)
        fprintf(out, "0x%" PRIx64, (uint64_t)result);
    else
        fprintf(out, "%" PRId64, result);
}

static void put_call(const struct trace_event *e, int quote, FILE *out)
{
    const struct call_info *call = call_info(e->call);
    bool given = false;
    const struct trace_bytes *data = moved_data(e, call, &given);
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
        put_result(e->result, out);
    }
    if (data && data->length && quote > 0) {
        fputs("  ", out);
        put_quoted(*data, (size_t)quote, out);
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
    put_address(e->field_bytes[2], out);
    fprintf(out, " %s", e->field[1] >= 0 && e->field[1] < 3 ? role[e->field[1]] : "?");
    if (e->field[1] == 2)
        return;
    putc(' ', out);
    put_address(e->field_bytes[3], out);
}

static void put_mark(const struct trace_event *e, int quote, FILE *out)
{
    static const char *const kind[] = { "?", "term", "vote", "role", "append", "truncate", "commit", "apply", "snapshot",
                                        "configuration", "node", "text" };
    int64_t k = e->field[0];
    fprintf(out, "mark %s %" PRIu64 " %" PRIu64 " %" PRIx64, kind[k > 0 && k < (int64_t)(sizeof kind / sizeof *kind) ? k : 0],
            (uint64_t)e->field[1], (uint64_t)e->field[2], (uint64_t)e->field[3]);
    if (e->field_bytes[4].length) {
        putc(' ', out);
        put_quoted(e->field_bytes[4], (size_t)quote, out);
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
    case TRACE_CPU: return fprintf(out, "cpu %" PRId64 ", node %" PRId64, f[0], f[1]) > 0;
    case TRACE_AIO: return fprintf(out, "aio fd %" PRId64 " operation %" PRId64 " offset %" PRId64, f[0], f[1], f[2]) > 0;
    default: return false;
    }
}

static void put_words(const struct trace_event *e, const char *before, int field, size_t most, FILE *out)
{
    fputs(before, out);
    put_quoted(e->field_bytes[field], most, out);
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
        put_result(e->result, out);
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
        put_result(e->field[0], out);
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

static void put_block(const char *name, struct trace_bytes bytes, FILE *out)
{
    char size[TEXT_MAX];
    fprintf(out, "  %-16s %s\n", name, text_size(bytes.length, size, sizeof size));
    text_hexdump(bytes.data, bytes.length, "    ", out);
}

static void put_argument(const struct trace_event *e, const struct call_info *call, unsigned i, FILE *out)
{
    const char *name = trace_argument_name(e->call, i);
    enum call_kind kind = KIND_OF(call->argument[i]);
    if (kind == KIND_PATH) {
        fprintf(out, "  %-16s ", name);
        put_quoted(e->input[i], BUFFER, out);
        putc('\n', out);
    } else if (is_address(e->call, i) && (e->input[i].data || e->output[i].data)) {
        fprintf(out, "  %-16s ", name);
        put_address(e->input[i].data ? e->input[i] : e->output[i], out);
        putc('\n', out);
    } else if (kind == KIND_SKIP) {
        fprintf(out, "  %-16s not recorded\n", name);
    } else {
        if (kind == KIND_INT || kind == KIND_LONG || kind == KIND_FD || (e->argument[i] && !e->input[i].data))
            fprintf(out, "  %-16s %" PRId64 " (0x%" PRIx64 ")\n", name, e->argument[i], (uint64_t)e->argument[i]);
        if (e->input[i].data)
            put_block(name, e->input[i], out);
        if (e->output[i].data)
            put_block(name, e->output[i], out);
        else if (kind_has_output(call->argument[i]))
            fprintf(out, "  %-16s nothing\n", name);
    }
}

static void call_details(const struct trace_event *e, FILE *out)
{
    const struct call_info *call = call_info(e->call);
    for (unsigned i = 0; call && i < 6; i++)
        if (call->argument[i] != KIND_NONE)
            put_argument(e, call, i, out);
    if (!e->complete) {
        fputs("  result           none yet: see the events that follow\n", out);
        return;
    }
    fputs("  result           ", out);
    put_result(e->result, out);
    if (e->result < 0 && e->result >= -4095)
        fprintf(out, ": %s", strerror((int)-e->result));
    putc('\n', out);
}

void event_details(const struct trace_event *e, FILE *out)
{
    if (e->code >= 0 || e->code == TRACE_ENTER) {
        call_details(e, out);
        return;
    }
    for (unsigned i = 0; i < e->fields; i++) {
        char name[16];
        snprintf(name, sizeof name, "field %u", i);
        if (e->field_bytes[i].data)
            put_block(name, e->field_bytes[i], out);
        else
            fprintf(out, "  %-16s %" PRId64 " (0x%" PRIx64 ")\n", name, e->field[i], (uint64_t)e->field[i]);
    }
}

static void json_data(struct json_writer *j, struct trace_bytes bytes)
{
    jw_object(j);
    jw_put_uint(j, "size", bytes.length);
    jw_key(j, "text");
    jw_bytes(j, bytes.data, bytes.length);
    jw_key(j, "hex");
    jw_hex(j, bytes.data, bytes.length);
    jw_end(j);
}

static void json_argument(const struct trace_event *e, const struct call_info *call, unsigned i, struct json_writer *j)
{
    enum call_kind kind = KIND_OF(call->argument[i]);
    struct trace_bytes bytes = e->output[i].data ? e->output[i] : e->input[i];
    if (kind == KIND_SKIP || kind == KIND_NONE)
        return;
    jw_key(j, trace_argument_name(e->call, i));
    if (kind == KIND_PATH)
        jw_bytes(j, bytes.data, bytes.length);
    else if (bytes.data)
        json_data(j, bytes);
    else if (kind_has_output(call->argument[i]))
        jw_null(j);
    else
        jw_int(j, e->argument[i]);
}

static void json_call(const struct trace_event *e, struct json_writer *j)
{
    const struct call_info *call = call_info(e->call);
    jw_put_string(j, "call", trace_code_name(e->call));
    jw_key(j, "arguments");
    jw_object(j);
    for (unsigned i = 0; call && i < 6; i++)
        json_argument(e, call, i, j);
    jw_end(j);
    if (!e->complete)
        return;
    jw_put_int(j, "result", e->result);
    if (e->result < 0 && e->result >= -4095)
        jw_put_string(j, "error", strerrorname_np((int)-e->result));
}

void event_json(const struct trace_event *e, struct json_writer *j)
{
    jw_put_string(j, "kind", trace_code_name(e->code));
    if (e->code >= 0 || e->code == TRACE_ENTER) {
        json_call(e, j);
        return;
    }
    jw_key(j, "fields");
    jw_array(j);
    for (unsigned i = 0; i < e->fields; i++)
        if (e->field_bytes[i].data)
            json_data(j, e->field_bytes[i]);
        else
            jw_int(j, e->field[i]);
    jw_end(j);
}
