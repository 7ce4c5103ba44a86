#include "lib/maker.h"

#include <stdio.h>
#include <string.h>

#include "lib/check.h"

static uint8_t *put_bytes(uint8_t *p, const void *data, size_t length)
{
    if (length)
        memcpy(p, data, length);
    return p + length;
}

void maker_record(struct maker *m, const char *form, ...)
{
    uint8_t *p = m->bytes + m->length;
    va_list args;
    va_start(args, form);
    if (*form == 't') {
        p = pack_int(p, va_arg(args, int64_t));
    } else {
        p = pack_array_header(p, (uint32_t)strlen(form));
        for (; *form; form++) {
            const char *data = *form == 's' || *form == 'b' ? va_arg(args, const char *) : NULL;
            size_t length = *form == 's' ? strlen(data) : *form == 'b' ? va_arg(args, size_t) : 0;
            if (*form == 'i')
                p = pack_int(p, va_arg(args, int64_t));
            else if (*form == 'n')
                *p++ = 0xc0;
            else
                p = put_bytes((*form == 's' ? pack_str_header : pack_bin_header)(p, (uint32_t)length), data, length);
        }
    }
    va_end(args);
    m->length = (size_t)(p - m->bytes);
    assert_true(m->length < sizeof m->bytes / 2);
}

static uint64_t count_records(const struct maker *m)
{
    struct trace_state state = { 0 };
    struct trace_event event;
    const uint8_t *end = m->bytes + m->length;
    for (const uint8_t *p = m->bytes; p < end;)
        assert_non_null(p = trace_decode(p, end, &state, &event));
    return state.sequence;
}

void maker_run(const char *path, struct store_process *process, const struct maker *stream, size_t count)
{
    struct drd_error e = { 0 };
    struct trace_state start = { 0 };
    struct store *s = store_create(path, &e);
    if (!s)
        fail_msg("%s", e.message);
    assert_true(store_begin(s, &e));
    for (size_t i = 0; i < count; i++) {
        struct store_process *p = &process[i];
        p->number = (uint32_t)i + 1;
        p->events = count_records(&stream[i]);
        p->bytes = stream[i].length;
        assert_true(store_chunk_append(s, p->number, &start, stream[i].bytes, stream[i].length, p->events, &e));
        assert_true(store_process_put(s, p, &e));
    }
    assert_true(store_fact_set(s, "state", "complete", &e));
    assert_true(store_fact_set(s, "command", "sh test.sh", &e));
    assert_true(store_commit(s, &e));
    store_close(s);
}
