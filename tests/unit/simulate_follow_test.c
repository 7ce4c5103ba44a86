/* Following a recording: which connects were accepted is found by both addresses, in whatever form either end saw them; what a program
 * is called with says whether it is drd fault. */
#include "simulate/follow_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "trace/msgpack.h"

static struct trace_bytes v4(struct sockaddr_in *a, const char *host, uint16_t port)
{
    memset(a, 0, sizeof *a);
    a->sin_family = AF_INET;
    a->sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, host, &a->sin_addr), 1);
    return (struct trace_bytes){(const uint8_t *)a, sizeof *a};
}

static struct trace_bytes v6(struct sockaddr_in6 *a, const char *host, uint16_t port)
{
    memset(a, 0, sizeof *a);
    a->sin6_family = AF_INET6;
    a->sin6_port = htons(port);
    assert_int_equal(inet_pton(AF_INET6, host, &a->sin6_addr), 1);
    return (struct trace_bytes){(const uint8_t *)a, sizeof *a};
}

static void pairs_are_found(void **state)
{
    struct pairs all = {0};
    struct sockaddr_in a, b;
    struct sockaddr_in6 c, d;
    (void)state;
    assert_false(pairs_have(&all, v4(&a, "127.0.0.1", 1), v4(&b, "127.0.0.1", 2)));
    for (uint16_t i = 500; i > 0; i--) /* more than there is room for at first, in the wrong order */
        assert_true(pairs_add(&all, v4(&a, "127.0.0.1", i), v4(&b, "127.0.0.2", 7000)));
    assert_true(pairs_add(&all, v6(&c, "::1", 9), v6(&d, "::1", 10)));
    pairs_sort(&all);
    assert_int_equal(all.count, 501);
    for (uint16_t i = 1; i <= 500; i++)
        assert_true(pairs_have(&all, v4(&a, "127.0.0.1", i), v4(&b, "127.0.0.2", 7000)));
    assert_true(pairs_have(&all, v6(&c, "::ffff:127.0.0.1", 3), v4(&b, "127.0.0.2", 7000)));
    assert_true(pairs_have(&all, v6(&c, "::1", 9), v6(&d, "::1", 10)));
    assert_false(pairs_have(&all, v6(&c, "::1", 10), v6(&d, "::1", 9)));
    assert_false(pairs_have(&all, v4(&b, "127.0.0.2", 7000), v4(&a, "127.0.0.1", 3)));
    assert_false(pairs_have(&all, v4(&a, "127.0.0.1", 501), v4(&b, "127.0.0.2", 7000)));
    free(all.pair);
}

static void other_addresses_are_none(void **state)
{
    struct pairs all = {0};
    struct sockaddr_in a;
    const uint8_t name[] = {AF_UNIX, 0, '/', 's'};
    struct trace_bytes path = {name, sizeof name}, nothing = {NULL, 0}, inet = v4(&a, "10.0.0.1", 80), cut = {inet.data, 7};
    (void)state;
    assert_true(pairs_add(&all, path, inet));
    assert_true(pairs_add(&all, inet, nothing));
    assert_true(pairs_add(&all, cut, inet));
    assert_int_equal(all.count, 0);
    assert_true(pairs_add(&all, inet, inet));
    pairs_sort(&all);
    assert_false(pairs_have(&all, path, inet));
    assert_false(pairs_have(&all, nothing, nothing));
    free(all.pair);
}

static uint8_t *word(uint8_t *p, const char *text)
{
    p = pack_str_header(p, (uint32_t)strlen(text));
    memcpy(p, text, strlen(text));
    return p + strlen(text);
}

static bool is_fault(const char *second)
{
    uint8_t list[64], *p = word(pack_array_header(list, second ? 3 : 1), "drd");
    if (second)
        p = word(word(p, second), "n1");
    struct trace_event exec = {.code = TRACE_EXEC, .field_bytes = {{(const uint8_t *)"/usr/bin/drd", 12}, {list, (size_t)(p - list)}}};
    return exec_is_fault(&exec);
}

static void fault_is_told_from_its_words(void **state)
{
    struct trace_event damaged = {.code = TRACE_EXEC, .field_bytes = {{(const uint8_t *)"/usr/bin/drd", 12}, {(const uint8_t *)"\xdd\xff", 2}}};
    struct trace_event fault = {.code = TRACE_FAULT, .field_bytes = {{(const uint8_t *)"cut", 3}, {NULL, 0}, {(const uint8_t *)"n1 n2", 5}}};
    (void)state;
    assert_true(is_fault("fault"));
    assert_false(is_fault("faults"));
    assert_false(is_fault("explain"));
    assert_false(is_fault(NULL));
    assert_false(exec_is_fault(&damaged));
    assert_string_equal(fault_words(&fault), "cut n1 n2");
    fault.field_bytes[2] = (struct trace_bytes){NULL, 0};
    assert_string_equal(fault_words(&fault), "cut");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_found),
        cmocka_unit_test(other_addresses_are_none),
        cmocka_unit_test(fault_is_told_from_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
