#include <inttypes.h>
#include <string.h>

#include "cli/event_text.h"
#include "cli/event_words.h"
#include "trace/names.h"
#include "util/text.h"

static void put_block(const char *name, struct trace_bytes bytes, FILE *out)
{
    char size[TEXT_MAX];
    fprintf(out, "  %-16s %s\n", name, text_size(bytes.length, size, sizeof size));
    text_hexdump(bytes.data, bytes.length, "    ", out);
}

static bool is_text(struct trace_bytes bytes)
{
    for (size_t i = 0; i < bytes.length; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] > 0x7e)
            return false;
    return bytes.length && bytes.length < WORDS_QUOTE;
}

static void put_field(const char *name, struct trace_bytes bytes, FILE *out)
{
    if (!is_text(bytes)) {
        put_block(name, bytes, out);
        return;
    }
    fprintf(out, "  %-16s ", name);
    words_quoted(bytes, WORDS_QUOTE, out);
    putc('\n', out);
}

static void put_argument(const struct trace_event *e, const struct call_info *call, unsigned i, FILE *out)
{
    const char *name = trace_argument_name(e->call, i);
    enum call_kind kind = KIND_OF(call->argument[i]);
    if (kind == KIND_PATH) {
        fprintf(out, "  %-16s ", name);
        words_quoted(e->input[i], WORDS_QUOTE, out);
        putc('\n', out);
    } else if (words_is_address(e->call, i) && (e->input[i].data || e->output[i].data)) {
        fprintf(out, "  %-16s ", name);
        words_address(e->input[i].data ? e->input[i] : e->output[i], out);
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
    words_result(e->result, out);
    if (e->result < 0 && e->result >= -4095)
        fprintf(out, ": %s", strerror((int)-e->result));
    putc('\n', out);
}

/* The fields of named events, as trace/record.h lists them. */
static const char *field_name(int32_t code, unsigned field, char spare[16])
{
    static const char *const name[][8] = {
        [-TRACE_SWITCH] = { "thread" }, [-TRACE_TIME] = { "ns since last" }, [-TRACE_SIGNAL] = { "signal", "before call", "siginfo" },
        [-TRACE_THREAD_START] = { "thread", "tid" }, [-TRACE_THREAD_EXIT] = { "status" },
        [-TRACE_CONNECTION] = { "fd", "role", "local", "peer" }, [-TRACE_FAULT] = { "what", "fd", "node" },
        [-TRACE_MARK] = { "kind", "a", "b", "c", "text" }, [-TRACE_DRAW] = { "source", "value" },
        [-TRACE_TIMER] = { "what", "ns from now", "ns repeated", "callback" },
        [-TRACE_UNHANDLED] = { "number", "arg0", "arg1", "arg2", "arg3", "arg4", "arg5", "result" },
        [-TRACE_TSC] = { "value", "aux" }, [-TRACE_START] = { "facts" }, [-TRACE_END] = { "status" },
        [-TRACE_CLOCK] = { "clock", "seconds", "ns" }, [-TRACE_IMAGE] = { "path", "base", "size", "build-id" },
        [-TRACE_FORK] = { "process", "pid" }, [-TRACE_EXEC] = { "path", "arguments" }, [-TRACE_EXEC_FAILED] = { "result" },
        [-TRACE_VFORK_END] = { "pid" }, [-TRACE_INCOMPLETE] = { "reason" }, [-TRACE_MAPPED] = { "address", "data" },
    };
    if (code < 0 && code >= TRACE_CODE_MIN && -code < (int)(sizeof name / sizeof *name) && field < 8 && name[-code][field])
        return name[-code][field];
    snprintf(spare, 16, "field %u", field % 100);
    return spare;
}

void event_details(const struct trace_event *e, FILE *out)
{
    if (e->code >= 0 || e->code == TRACE_ENTER) {
        call_details(e, out);
        return;
    }
    for (unsigned i = 0; i < e->fields; i++) {
        char spare[16];
        const char *name = field_name(e->code, i, spare);
        if (e->field_bytes[i].data)
            put_field(name, e->field_bytes[i], out);
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
