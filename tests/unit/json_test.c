#include "util/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

static struct json_writer j;
static char *text;
static size_t size;

static void begin(void)
{
    jw_init(&j, open_memstream(&text, &size));
}

static void expect(const char *wanted)
{
    fclose(j.out);
    assert_string_equal(text, wanted);
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (strchr(text, '\n') == text + size - 1) /* one value: somebody else's parser must like it */
        assert_non_null(value);
    json_decref(value);
    free(text);
}

static void nests(void **state)
{
    (void)state;
    begin();
    jw_object(&j);
    jw_put_string(&j, "a", "x");
    jw_key(&j, "list");
    jw_array(&j);
    jw_int(&j, -1);
    jw_object(&j);
    jw_end(&j);
    jw_array(&j);
    jw_end(&j);
    jw_bool(&j, true);
    jw_null(&j);
    jw_end(&j);
    jw_put_bool(&j, "b", false);
    jw_put_string(&j, "none", NULL);
    jw_end(&j);
    expect("{\"a\":\"x\",\"list\":[-1,{},[],true,null],\"b\":false,\"none\":null}\n");
}

static void writes_lines(void **state)
{
    (void)state;
    begin();
    jw_int(&j, 1);
    jw_array(&j);
    jw_end(&j);
    expect("1\n[]\n");
}

static void keeps_large_numbers(void **state)
{
    (void)state;
    begin();
    jw_array(&j);
    jw_int(&j, INT64_C(9007199254740992));
    jw_int(&j, INT64_C(9007199254740993));
    jw_int(&j, INT64_MIN);
    jw_uint(&j, UINT64_MAX);
    jw_end(&j);
    expect("[9007199254740992,\"9007199254740993\",\"-9223372036854775808\",\"18446744073709551615\"]\n");
}

static void escapes(void **state)
{
    (void)state;
    begin();
    jw_bytes(&j, "\"\\\b\f\n\r\t\0\x1f\x7f/", 11);
    expect("\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f/\"\n");
}

static void replaces_what_is_not_utf8(void **state)
{
    (void)state;
    begin();
    jw_string(&j, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    expect("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"\n");
    static const char *const bad[] = { "\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char wanted[64] = "\"";
        for (size_t k = 0; k < strlen(bad[i]); k++)
            strcat(wanted, "\\ufffd");
        strcat(wanted, "\"\n");
        begin();
        jw_string(&j, bad[i]);
        expect(wanted);
    }
}

static void hex(void **state)
{
    (void)state;
    begin();
    jw_hex(&j, "\0\xff" "a", 3);
    expect("\"00ff61\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nests),   cmocka_unit_test(writes_lines),
        cmocka_unit_test(keeps_large_numbers), cmocka_unit_test(escapes),
        cmocka_unit_test(replaces_what_is_not_utf8), cmocka_unit_test(hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
