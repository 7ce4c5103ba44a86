#include "trace/reader.h"

#include <string.h>
#include <sys/syscall.h>

#define NS_PER_SECOND 1000000000ull

/* Where the elements of the record at hand come from. `left` elements are still unread. */
struct cursor {
    const uint8_t *p, *end;
    uint32_t left;
};

/* Read one element, compound ones whole. A reference to a payload must have been expanded before: it is no record. */
static bool cursor_take(struct cursor *c, int64_t *number, struct trace_bytes *bytes)
{
    struct unpack u;
    const uint8_t *start = c->p;
    const uint8_t *next = c->left ? unpack_next(start, c->end, &u) : NULL;
    if (!next)
        return false;
    c->left--;
    *number = 0;
    *bytes = (struct trace_bytes){NULL, 0};
    switch (u.type) {
    case UNPACK_INT:
    case UNPACK_BOOL:
        *number = u.value;
        break;
    case UNPACK_STR:
    case UNPACK_BIN:
        *bytes = (struct trace_bytes){u.data, u.length};
        break;
    case UNPACK_ARRAY:
    case UNPACK_MAP:
        if (!(next = unpack_skip(start, c->end)))
            return false;
        *bytes = (struct trace_bytes){start, (size_t)(next - start)};
        break;
    case UNPACK_NIL:
        break;
    default:
        return false;
    }
    c->p = next;
    return true;
}

static bool cursor_skip_rest(struct cursor *c)
{
    while (c->left--)
        if (!(c->p = unpack_skip(c->p, c->end)))
            return false;
    return true;
}

static bool decode_inputs(struct cursor *c, const struct call_info *call, struct trace_event *event)
{
    for (int i = 0; i < 6 && c->left; i++)
        if (kind_has_input(call->argument[i]) && !cursor_take(c, &event->argument[i], &event->input[i]))
            return false;
    return true;
}

static bool decode_outputs(struct cursor *c, const struct call_info *call, struct trace_event *event)
{
    for (int i = 0; i < 6 && c->left; i++) {
        int64_t ignored;
        if (kind_has_output(call->argument[i]) && !cursor_take(c, &ignored, &event->output[i]))
            return false;
    }
    return true;
}

/* A call that the table does not know (written by a newer shim): its elements, without a meaning. */
static bool decode_plain(struct cursor *c, struct trace_event *event)
{
    while (c->left && event->fields < 8) {
        unsigned i = event->fields++;
        if (!cursor_take(c, &event->field[i], &event->field_bytes[i]))
            return false;
    }
    return true;
}

static bool decode_call(struct cursor *c, struct trace_event *event)
{
    const struct call_info *call = call_info(event->code);
    struct trace_bytes ignored;
    event->call = event->code;
    if (!call)
        return decode_plain(c, event);
    if (!decode_inputs(c, call, event))
        return false;
    if (!c->left)
        return event->complete = false, true;
    return cursor_take(c, &event->result, &ignored) && decode_outputs(c, call, event);
}

static bool decode_enter(struct cursor *c, struct trace_event *event)
{
    int64_t nr;
    struct trace_bytes ignored;
    if (!cursor_take(c, &nr, &ignored) || nr < 0 || nr >= CALL_MAX)
        return false;
    event->call = (int32_t)nr;
    event->complete = false;
    event->fields = 1;
    event->field[0] = nr;
    const struct call_info *call = call_info(nr);
    return call ? decode_inputs(c, call, event) : decode_plain(c, event);
}

/* What a named event changes in the state of its stream, or says beyond its fields. */
static void apply_named(struct trace_state *state, struct trace_event *event)
{
    struct unpack u;
    switch (event->code) {
    case TRACE_SWITCH:
    case TRACE_THREAD_START:
        state->thread = (uint32_t)event->field[0];
        break;
    case TRACE_TIME:
        state->stamp += (uint64_t)event->field[0];
        state->time = state->stamp;
        break;
    case TRACE_START:
        if (event->fields && trace_map_find(event->field_bytes[0], "monotonic", &u) && u.type == UNPACK_INT)
            state->time = state->stamp = (uint64_t)u.value;
        break;
    case TRACE_UNHANDLED:
        event->call = event->field[0] >= 0 && event->field[0] < INT32_MAX ? (int32_t)event->field[0] : -1;
        memcpy(event->argument, event->field + 1, sizeof event->argument);
        event->result = event->field[7];
        break;
    default:
        break;
    }
}

static bool decode_named(struct cursor *c, struct trace_state *state, struct trace_event *event)
{
    if (!(event->code == TRACE_ENTER ? decode_enter(c, event) : decode_plain(c, event)))
        return false;
    apply_named(state, event);
    return true;
}

static void decode_clock(int64_t delta, struct trace_state *state, struct trace_event *event)
{
    state->clock += (uint64_t)delta * TRACE_CLOCK_UNIT;
    state->time = state->clock;
    event->code = TRACE_CLOCK;
    event->fields = 3;
    event->field[0] = 1; /* CLOCK_MONOTONIC */
    event->field[1] = (int64_t)(state->clock / NS_PER_SECOND);
    event->field[2] = (int64_t)(state->clock % NS_PER_SECOND);
}

static bool decode_array(struct cursor *c, struct trace_state *state, struct trace_event *event)
{
    int64_t code;
    struct trace_bytes bytes;
    if (!cursor_take(c, &code, &bytes) || bytes.data || code < INT32_MIN || code > INT32_MAX)
        return false;
    event->code = (int32_t)code;
    return (code >= 0 ? decode_call(c, event) : decode_named(c, state, event)) && cursor_skip_rest(c);
}

const uint8_t *trace_decode(const uint8_t *p, const uint8_t *end, struct trace_state *state, struct trace_event *event)
{
    struct unpack u;
    struct trace_state next = *state; /* bytes that are no record leave *state alone */
    struct cursor c = {unpack_next(p, end, &u), end, 0};
    if (!c.p || (u.type != UNPACK_INT && u.type != UNPACK_ARRAY))
        return NULL;
    c.left = u.count;
    memset(event, 0, sizeof *event);
    event->complete = true;
    event->call = -1;
    if (u.type == UNPACK_INT)
        decode_clock(u.value, &next, event);
    else if (!decode_array(&c, &next, event))
        return NULL;
    event->sequence = next.sequence++;
    event->thread = next.thread;
    event->time = next.time;
    event->raw = (struct trace_bytes){p, (size_t)(c.p - p)};
    *state = next;
    return c.p;
}

static bool map_value(const uint8_t **p, const uint8_t *end, struct unpack *out)
{
    const uint8_t *start = *p;
    if (!unpack_next(start, end, out) || !(*p = unpack_skip(start, end)))
        return false;
    if (out->type == UNPACK_ARRAY || out->type == UNPACK_MAP) {
        out->data = start;
        out->length = (uint32_t)(*p - start);
    }
    return true;
}

bool trace_map_find(struct trace_bytes map, const char *key, struct unpack *out)
{
    struct unpack header, name, value;
    const uint8_t *end = map.data ? map.data + map.length : NULL;
    const uint8_t *p = end ? unpack_next(map.data, end, &header) : NULL;
    if (!p || header.type != UNPACK_MAP)
        return false;
    for (uint32_t i = 0; i < header.count; i++) {
        if (!(p = unpack_next(p, end, &name)) || name.type != UNPACK_STR || !map_value(&p, end, &value))
            return false;
        if (name.length == strlen(key) && !memcmp(name.data, key, name.length))
            return *out = value, true;
    }
    return false;
}

static const char *const named[] = {
    [-TRACE_SWITCH] = "switch", [-TRACE_TIME] = "time", [-TRACE_SIGNAL] = "signal",
    [-TRACE_THREAD_START] = "thread-start", [-TRACE_THREAD_EXIT] = "thread-exit", [-TRACE_ENTER] = "enter",
    [-TRACE_CONNECTION] = "connection", [-TRACE_FAULT] = "fault", [-TRACE_MARK] = "mark", [-TRACE_DRAW] = "draw",
    [-TRACE_TIMER] = "timer", [-TRACE_UNHANDLED] = "unhandled", [-TRACE_TSC] = "tsc", [-TRACE_START] = "start",
    [-TRACE_END] = "end", [-TRACE_CLOCK] = "clock", [-TRACE_IMAGE] = "image", [-TRACE_FORK] = "fork",
    [-TRACE_EXEC] = "exec", [-TRACE_EXEC_FAILED] = "exec-failed", [-TRACE_VFORK_BEGIN] = "vfork-begin",
    [-TRACE_VFORK_END] = "vfork-end", [-TRACE_INCOMPLETE] = "incomplete", [-TRACE_MAPPED] = "mapped",
};

const char *trace_code_name(int32_t code)
{
    if (code >= 0)
        return call_info(code) ? call_info(code)->name : "unknown-call";
    if (code < -(int32_t)(sizeof named / sizeof *named) + 1 || !named[-(int64_t)code])
        return "unknown-event";
    return named[-(int64_t)code];
}

bool trace_timed_out(const struct trace_event *event)
{
    switch (event->code) {
    case SYS_epoll_wait: case SYS_epoll_pwait:
        return event->complete && event->result == 0 && event->argument[3] > 0;
    case SYS_poll:
        return event->complete && event->result == 0 && event->argument[2] > 0;
    case SYS_ppoll: case SYS_select: case SYS_pselect6:
        return event->complete && event->result == 0;
    case SYS_nanosleep: case SYS_clock_nanosleep:
        return true;
    default:
        return false;
    }
}
