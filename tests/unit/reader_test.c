#include "trace/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

static const uint8_t *decode(const void *bytes, size_t length, struct trace_state *state, struct trace_event *event)
{
    return trace_decode(bytes, (const uint8_t *)bytes + length, state, event);
}

static void clock_reads_add_up(void **unused)
{
    (void)unused;
    struct trace_state state = {0};
    struct trace_event event;
    uint8_t bytes[32] = {0}, *p = pack_int(pack_int(bytes, 5000000128 / TRACE_CLOCK_UNIT), 2);
    const uint8_t *next = trace_decode(bytes, p, &state, &event);
    assert_non_null(next);
    assert_int_equal(event.code, TRACE_CLOCK);
    assert_int_equal(event.field[1], 5);
    assert_int_equal(event.field[2], 128);
    next = trace_decode(next, p, &state, &event);
    assert_ptr_equal(next, p);
    assert_int_equal(event.sequence, 1);
    assert_int_equal(event.time, 5000000256);
}

static uint8_t *pack_bytes(uint8_t *p, const char *text)
{
    p = pack_bin_header(p, (uint32_t)strlen(text));
    memcpy(p, text, strlen(text));
    return p + strlen(text);
}

static void a_call_has_inputs_result_outputs(void **unused)
{
    (void)unused;
    struct trace_state state = {0};
    struct trace_event event;
    uint8_t bytes[64], *p = pack_array_header(bytes, 4);
    p = pack_int(p, SYS_read);
    p = pack_int(p, 7);
    p = pack_int(p, 5);
    p = pack_bytes(p, "hello");
    assert_ptr_equal(trace_decode(bytes, p, &state, &event), p);
    assert_int_equal(event.call, SYS_read);
    assert_int_equal(event.argument[0], 7);
    assert_int_equal(event.result, 5);
    assert_true(event.complete);
    assert_int_equal(event.output[1].length, 5);
    assert_memory_equal(event.output[1].data, "hello", 5);
    assert_string_equal(trace_code_name(event.code), "read");
}

static void a_call_without_result_is_not_complete(void **unused)
{
    (void)unused;
    struct trace_state state = {0};
    struct trace_event event;
    uint8_t bytes[64], *p = pack_array_header(bytes, 3);
    p = pack_int(p, SYS_write);
    p = pack_int(p, 7);
    p = pack_bytes(p, "hello");
    assert_ptr_equal(trace_decode(bytes, p, &state, &event), p);
    assert_false(event.complete);
    assert_int_equal(event.input[1].length, 5);
}

static void enter_shows_the_call_begun(void **unused)
{
    (void)unused;
    struct trace_state state = {0};
    struct trace_event event;
    uint8_t bytes[64], *p = pack_array_header(bytes, 4);
    p = pack_int(p, TRACE_ENTER);
    p = pack_int(p, SYS_write);
    p = pack_int(p, 9);
    p = pack_bytes(p, "abc");
    assert_ptr_equal(trace_decode(bytes, p, &state, &event), p);
    assert_int_equal(event.code, TRACE_ENTER);
    assert_int_equal(event.call, SYS_write);
    assert_int_equal(event.argument[0], 9);
    assert_int_equal(event.input[1].length, 3);
    assert_false(event.complete);
}

static void named_events_change_thread_and_time(void **unused)
{
    (void)unused;
    struct trace_state state = {0};
    struct trace_event event;
    uint8_t bytes[64] = {0}, *p = pack_array_header(bytes, 2);
    p = pack_int(pack_int(p, TRACE_SWITCH), 3);
    p = pack_int(pack_int(pack_array_header(p, 2), TRACE_TIME), 1000);
    p = pack_int(pack_int(pack_array_header(p, 2), TRACE_TIME), 10);
    const uint8_t *q = trace_decode(bytes, p, &state, &event);
    assert_int_equal(event.thread, 3);
    q = trace_decode(q, p, &state, &event);
    q = trace_decode(q, p, &state, &event);
    assert_ptr_equal(q, p);
    assert_int_equal(event.time, 1010);
    assert_int_equal(event.thread, 3);
}

static void start_facts_are_found_by_key(void **unused)
{
    (void)unused;
    struct trace_state state = {0};
    struct trace_event event;
    struct unpack u;
    uint8_t bytes[64] = {0}, *p = pack_array_header(bytes, 2);
    p = pack_map_header(pack_int(p, TRACE_START), 2);
    p = pack_str_header(p, 4);
    memcpy(p, "argv", 4);
    p = pack_array_header(p + 4, 2);
    p = pack_int(pack_int(p, 1), 2);
    p = pack_str_header(p, 9);
    memcpy(p, "monotonic", 9);
    p = pack_int(p + 9, 4242);
    assert_ptr_equal(trace_decode(bytes, p, &state, &event), p);
    assert_int_equal(event.time, 4242);
    assert_true(trace_map_find(event.field_bytes[0], "argv", &u));
    assert_int_equal(u.type, UNPACK_ARRAY);
    assert_int_equal(u.length, 3);
    assert_false(trace_map_find(event.field_bytes[0], "env", &u));
}

/* Whatever the bytes: no crash, no read past the end, and bytes that are no record leave the state alone. */
static void damaged_bytes_are_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",                     /* nothing */
        "\x92\x00",             /* an element is missing */
        "\xdd\xff\xff\xff\xff", /* four billion elements */
        "\xa1x",                /* a string is no record */
        "\x90",                 /* no code */
        "\x91\xa1x",            /* the code is a string */
        "\x93\x00\x01\xc7\x18\x01", /* a reference, cut short */
        "\xca\x01\x02\x03\x04", /* a float */
        "\x92\xf2\x82\x01",     /* a map, cut short */
    };
    static const size_t length[] = {0, 2, 5, 2, 1, 3, 6, 5, 4};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct trace_state state = {.sequence = 4, .clock = 5};
        struct trace_event event;
        assert_null(decode(bad[i], length[i], &state, &event));
        assert_int_equal(state.sequence, 4);
    }
}

static void every_code_has_a_name(void **unused)
{
    (void)unused;
    for (int code = TRACE_CODE_MIN; code < 0; code++)
        assert_string_not_equal(trace_code_name(code), "unknown-event");
    assert_string_equal(trace_code_name(TRACE_CODE_MIN - 1), "unknown-event");
    assert_string_equal(trace_code_name(INT32_MIN), "unknown-event");
    assert_string_equal(trace_code_name(INT32_MAX), "unknown-call");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_reads_add_up),
        cmocka_unit_test(a_call_has_inputs_result_outputs),
        cmocka_unit_test(a_call_without_result_is_not_complete),
        cmocka_unit_test(enter_shows_the_call_begun),
        cmocka_unit_test(named_events_change_thread_and_time),
        cmocka_unit_test(start_facts_are_found_by_key),
        cmocka_unit_test(damaged_bytes_are_refused),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
