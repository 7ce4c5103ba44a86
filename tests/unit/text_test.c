#include "util/text.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

static void sizes(void **state)
{
    (void)state;
    char t[TEXT_MAX];
    assert_string_equal(text_size(0, t, sizeof t), "0 bytes");
    assert_string_equal(text_size(1, t, sizeof t), "1 byte");
    assert_string_equal(text_size(1023, t, sizeof t), "1023 bytes");
    assert_string_equal(text_size(1024, t, sizeof t), "1.0 KiB");
    assert_string_equal(text_size(1048575, t, sizeof t), "1.0 MiB");
    assert_string_equal(text_size(UINT64_MAX, t, sizeof t), "16.0 EiB");
}

static void durations(void **state)
{
    (void)state;
    char t[TEXT_MAX];
    assert_string_equal(text_duration(0, t, sizeof t), "0 s");
    assert_string_equal(text_duration(890, t, sizeof t), "890 ns");
    assert_string_equal(text_duration(12300, t, sizeof t), "12.3 us");
    assert_string_equal(text_duration(4500000, t, sizeof t), "4.50 ms");
    assert_string_equal(text_duration(12345000000, t, sizeof t), "12.345 s");
    assert_string_equal(text_duration(184000000000, t, sizeof t), "3 min 04 s");
    assert_string_equal(text_duration(7500000000000, t, sizeof t), "2 h 05 min");
}

static void counts(void **state)
{
    (void)state;
    char t[TEXT_MAX];
    assert_string_equal(text_count(0, t, sizeof t), "0");
    assert_string_equal(text_count(999, t, sizeof t), "999");
    assert_string_equal(text_count(1000, t, sizeof t), "1,000");
    assert_string_equal(text_count(UINT64_MAX, t, sizeof t), "18,446,744,073,709,551,615");
}

static void quotes(void **state)
{
    (void)state;
    char t[32];
    assert_string_equal(text_quote("", 0, t, sizeof t), "\"\"");
    assert_string_equal(text_quote("a\"\n\0\xff", 5, t, sizeof t), "\"a\\\"\\n\\0\\xff\"");
    assert_string_equal(text_quote("0123456789", 10, t, 14), "\"0123456\"...");
    assert_string_equal(text_quote("x", 1, t, 1), "");
    assert_string_equal(text_quote("\xff\xff\xff", 3, t, 14), "\"\\xff\"...");
}

static void dumps(void **state)
{
    (void)state;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    text_hexdump("0123456789abcdefg\n", 18, "  ", out);
    fclose(out);
    assert_string_equal(text, "  000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n"
                              "  000010  67 0a                                             g.\n");
    free(text);
}

static void words_of_a_shell(void **state)
{
    static const char *const words[][2] = {
        {"runs/a.drd", "runs/a.drd"}, {"n1@17", "n1@17"}, {"", "''"}, {"two words", "'two words'"}, {"it's", "'it'\\''s'"},
        {"$(id)", "'$(id)'"}, {"#tag", "'#tag'"}, {"n1#2", "n1#2"}, {"-o", "'-o'"}, {"a\033[31m", "'a?[31m'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *text;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        text_shell(words[i][0], out);
        fclose(out);
        assert_string_equal(text, words[i][1]);
        free(text);
    }
}

static void ends(void **state)
{
    (void)state;
    char t[40];
    text_end(-1, t, sizeof t);
    assert_string_equal(t, "ends, it is not known how");
    text_end(3 << 8, t, sizeof t);
    assert_string_equal(t, "ends with status 3");
    text_end(9, t, sizeof t);
    assert_string_equal(t, "is killed by signal 9");
}

static void plain(void **state)
{
    (void)state;
    char *t = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&t, &size);
    text_plain("n1\033[31m\n\177 x", out);
    fclose(out);
    assert_string_equal(t, "n1?[31m?? x");
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes), cmocka_unit_test(durations), cmocka_unit_test(counts),
        cmocka_unit_test(quotes), cmocka_unit_test(dumps),
        cmocka_unit_test(words_of_a_shell), cmocka_unit_test(ends), cmocka_unit_test(plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
