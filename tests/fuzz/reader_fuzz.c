/* trace_decode on any bytes: bounded, no read past the end, and what it takes it can say again from the same state. */
#include <stdlib.h>
#include <string.h>

#include "trace/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t touch(struct trace_bytes bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bytes.length; i++)
        sum += bytes.data[i];
    return sum;
}

static volatile uint64_t seen; /* kept, so that no read is optimised away */

static void look(const struct trace_event *event)
{
    uint64_t sum = touch(event->raw) + (uint64_t)strlen(trace_code_name(event->code));
    struct unpack u;
    for (int i = 0; i < 6; i++)
        sum += touch(event->input[i]) + touch(event->output[i]);
    for (unsigned i = 0; i < event->fields; i++)
        sum += touch(event->field_bytes[i]);
    if (event->code == TRACE_START && event->fields && trace_map_find(event->field_bytes[0], "exe", &u) && u.data)
        sum += touch((struct trace_bytes){u.data, u.length});
    seen += sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_state state = {0};
    struct trace_event event, again;
    const uint8_t *p = data, *end = data + size, *next;
    for (; p < end; p = next) {
        struct trace_state before = state;
        next = trace_decode(p, end, &state, &event);
        if (!next)
            break;
        look(&event);
        /* A record ends where it ends, whatever follows it. */
        if (next <= p || trace_decode(p, next, &before, &again) != next || before.sequence != state.sequence ||
            before.time != state.time || before.clock != state.clock)
            abort();
    }
    return 0;
}
