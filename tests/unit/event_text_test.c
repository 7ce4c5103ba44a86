#include "cli/event_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/check.h"
#include "lib/maker.h"

#define I(n) ((int64_t)(n))

static struct maker m;

static struct trace_event decode(void)
{
    struct trace_state state = { 0 };
    struct trace_event event;
    assert_ptr_equal(trace_decode(m.bytes, m.bytes + m.length, &state, &event), m.bytes + m.length);
    return event;
}

static void line_is(int quote, const char *wanted)
{
    struct trace_event event = decode();
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    event_line(&event, quote, out);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
    m.length = 0;
}

static void calls_on_one_line(void **state)
{
    (void)state;
    maker_record(&m, "iiiibnn", I(SYS_recvfrom), I(7), I(0), I(5), "hello", (size_t)5);
    line_is(0, "recvfrom 7 -> 5 bytes");
    maker_record(&m, "iiiibnn", I(SYS_recvfrom), I(7), I(0), I(5), "hello", (size_t)5);
    line_is(20, "recvfrom 7 -> 5 bytes  \"hello\"");
    maker_record(&m, "iiii", I(SYS_recvfrom), I(7), I(0), I(-11));
    line_is(20, "recvfrom 7 -> EAGAIN");
    maker_record(&m, "iisiii", I(SYS_openat), I(-100), "/etc/passwd", I(0), I(0), I(9));
    line_is(20, "openat -100, \"/etc/passwd\", 0, 0 -> 9");
    maker_record(&m, "iibi", I(SYS_write), I(1), "out\n", (size_t)4, I(4));
    line_is(20, "write 1, 4 bytes -> 4  \"out\\n\"");
    maker_record(&m, "iii", I(SYS_close), I(7), I(0));
    line_is(20, "close 7 -> 0");
    maker_record(&m, "iibi", I(SYS_bind), I(3), "\2\0\x1b\x59\x7f\0\0\1\0\0\0\0\0\0\0\0", (size_t)16, I(0));
    line_is(20, "bind 3, 127.0.0.1:7001 -> 0");
    maker_record(&m, "iiib", I(TRACE_ENTER), I(SYS_write), I(1), "out\n", (size_t)4);
    line_is(0, "enter write 1, 4 bytes ...");
}

static void named_events_on_one_line(void **state)
{
    (void)state;
    maker_record(&m, "t", I(1500000000 / TRACE_CLOCK_UNIT));
    line_is(0, "clock monotonic 1.500000000");
    maker_record(&m, "ii", I(TRACE_SWITCH), I(2));
    line_is(0, "switch to thread 2");
    maker_record(&m, "iiib", I(TRACE_SIGNAL), I(15), I(0), "", (size_t)0);
    line_is(0, "signal SIGTERM");
    maker_record(&m, "iiibb", I(TRACE_CONNECTION), I(5), I(0), "\2\0\x9c\x40\x7f\0\0\1\0\0\0\0\0\0\0\0", (size_t)16,
                 "\2\0\x1b\x59\x7f\0\0\1\0\0\0\0\0\0\0\0", (size_t)16);
    line_is(0, "connection 5 127.0.0.1:40000 connected to 127.0.0.1:7001");
    maker_record(&m, "isis", I(TRACE_FAULT), "cut", I(-1), "n3");
    line_is(0, "fault cut n3");
    maker_record(&m, "iiiiib", I(TRACE_MARK), I(6), I(17), I(0), I(0), "", (size_t)0);
    line_is(0, "mark commit 17 0 0");
    maker_record(&m, "isi", I(TRACE_DRAW), "rand", I(42));
    line_is(0, "draw rand 42");
    maker_record(&m, "isiis", I(TRACE_TIMER), "uv_timer_start", I(1142000000), I(0), "on_tick");
    line_is(0, "timer uv_timer_start in 1.142 s, calls on_tick");
    maker_record(&m, "iiiiiiiii", I(TRACE_UNHANDLED), I(450), I(0), I(0), I(0), I(0), I(0), I(0), I(-38));
    line_is(0, "unhandled call 450 -> ENOSYS");
    maker_record(&m, "ii", I(TRACE_END), I(3));
    line_is(0, "end with status 3");
}

/* Odd values of a damaged stream must not lead out of tables. */
static void odd_values(void **state)
{
    (void)state;
    maker_record(&m, "iiibb", I(TRACE_CONNECTION), I(5), I(77), "", (size_t)0, "x", (size_t)1);
    line_is(0, "connection 5 ? ? ?");
    maker_record(&m, "iiiiib", I(TRACE_MARK), I(-5), I(1), I(2), I(3), "", (size_t)0);
    line_is(0, "mark ? 1 2 3");
    maker_record(&m, "iiib", I(TRACE_SIGNAL), I(1000), I(0), "", (size_t)0);
    line_is(0, "signal 1000");
    maker_record(&m, "iiii", I(TRACE_CLOCK), I(-3), I(1), I(2));
    line_is(0, "clock -3 1.000000002");
    maker_record(&m, "iii", I(TRACE_TIMER), I(1), I(2));
    line_is(0, "timer  in 2 ns");
}

static void details_name_every_argument(void **state)
{
    (void)state;
    maker_record(&m, "iiiibnn", I(SYS_recvfrom), I(7), I(64), I(5), "hello", (size_t)5);
    struct trace_event event = decode();
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    event_details(&event, out);
    fclose(out);
    assert_string_equal(text, "  fd               7 (0x7)\n"
                              "  data             5 bytes\n"
                              "    000000  68 65 6c 6c 6f                                    hello\n"
                              "  size             not recorded\n"
                              "  flags            64 (0x40)\n"
                              "  address          nothing\n"
                              "  address size     nothing\n"
                              "  result           5\n");
    free(text);
    m.length = 0;
}

static void json_of_an_event(void **state)
{
    (void)state;
    maker_record(&m, "iisiii", I(SYS_openat), I(-100), "/x", I(0), I(0), I(-2));
    struct trace_event event = decode();
    char *text;
    size_t size;
    struct json_writer j;
    jw_init(&j, open_memstream(&text, &size));
    jw_object(&j);
    event_json(&event, &j);
    jw_end(&j);
    fclose(j.out);
    assert_string_equal(text, "{\"kind\":\"openat\",\"call\":\"openat\",\"arguments\":{\"directory fd\":-100,\"path\":\"/x\","
                              "\"flags\":0,\"mode\":0},\"result\":-2,\"error\":\"ENOENT\"}\n");
    free(text);
    m.length = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_on_one_line), cmocka_unit_test(named_events_on_one_line), cmocka_unit_test(odd_values),
        cmocka_unit_test(details_name_every_argument), cmocka_unit_test(json_of_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
