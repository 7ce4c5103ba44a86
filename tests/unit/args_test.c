#include "util/args.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

static struct {
    bool strict;
    const char *output, *keep;
    int64_t jobs;
    uint64_t limit;
    struct args_list nodes;
} got;

static const struct args_option options[] = {
    { ARGS_FLAG, 's', "strict", NULL, "h", &got.strict },
    { ARGS_STRING, 'o', "output", "FILE", "h", &got.output },
    { ARGS_INT, 'j', "jobs", "N", "h", &got.jobs },
    { ARGS_SIZE, 0, "max-size", "N", "h", &got.limit },
    { ARGS_CHOICE, 0, "keep", "always|failure", "h", &got.keep },
    { ARGS_LIST, 0, "node", "NAME=CMD", "h", &got.nodes },
    { 0 },
};
static const struct args_option *const tables[] = { options, NULL };

static struct drd_error error;
static int left;
static char **rest;

/* Parse the words of `line`. */
static bool parse(bool command, const char *line)
{
    static char text[256];
    static char *words[32];
    free(got.nodes.item);
    memset(&got, 0, sizeof got);
    error = (struct drd_error){ 0 };
    strcpy(text, line);
    left = 0;
    words[left++] = (char *)"drd";
    for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
        words[left++] = w;
    words[left] = NULL;
    rest = words;
    return args_parse(tables, command, &left, &rest, &error);
}

static void takes_every_type(void **state)
{
    (void)state;
    assert_true(parse(false, "-s --output=a.drd -j 3 --max-size 64M --keep failure --node x --node y=1 RUN"));
    assert_true(got.strict);
    assert_string_equal(got.output, "a.drd");
    assert_int_equal(got.jobs, 3);
    assert_int_equal(got.limit, 64 << 20);
    assert_string_equal(got.keep, "failure");
    assert_int_equal(got.nodes.count, 2);
    assert_string_equal(got.nodes.item[1], "y=1");
    assert_int_equal(left, 1);
    assert_string_equal(rest[0], "RUN");
}

static void finds_options_behind_words(void **state)
{
    (void)state;
    assert_true(parse(false, "RUN -s"));
    assert_true(got.strict);
    assert_int_equal(left, 1);
}

static void leaves_a_command_alone(void **state)
{
    (void)state;
    assert_true(parse(true, "-s sh -c x --jobs 4"));
    assert_int_equal(left, 5);
    assert_string_equal(rest[0], "sh");
    assert_string_equal(rest[4], "4");
    assert_null(rest[5]);
    assert_true(parse(true, "-s -- -strange"));
    assert_int_equal(left, 1);
    assert_string_equal(rest[0], "-strange");
    assert_true(parse(false, "-- -s"));
    assert_false(got.strict);
    assert_int_equal(left, 1);
}

static void refuse(const char *line, const char *message)
{
    assert_false(parse(false, line));
    assert_int_equal(error.exit_code, DRD_EXIT_USAGE);
    assert_string_equal(error.message, message);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    refuse("--bogus", "unknown option '--bogus'");
    refuse("-x", "unknown option '-x'");
    refuse("-sx", "unknown option '-x'");
    refuse("--output", "--output wants a value: FILE");
    refuse("-o", "--output wants a value: FILE");
    refuse("--strict=1", "--strict takes no value");
    refuse("--jobs many", "--jobs wants a number, not 'many'");
    refuse("--jobs 99999999999999999999", "--jobs wants a number, not '99999999999999999999'");
    refuse("--max-size 1X", "--max-size wants a size such as 64M, not '1X'");
    refuse("--max-size 99999999T", "--max-size wants a size such as 64M, not '99999999T'");
    refuse("--keep some", "--keep takes always|failure, not 'some'");
    refuse("--keep fail", "--keep takes always|failure, not 'fail'");
}

static void sizes(void **state)
{
    (void)state;
    uint64_t n;
    assert_true(args_size("0", &n));
    assert_int_equal(n, 0);
    assert_true(args_size("10k", &n));
    assert_int_equal(n, 10240);
    assert_true(args_size("2T", &n));
    assert_int_equal(n, 2ull << 40);
    assert_false(args_size("", &n));
    assert_false(args_size("-1", &n));
    assert_false(args_size("1KB", &n));
}

static void help_names_every_option(void **state)
{
    (void)state;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    args_help(options, out);
    fclose(out);
    for (const struct args_option *o = options; o->type != ARGS_END; o++)
        assert_non_null(strstr(text, o->name));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_type),   cmocka_unit_test(finds_options_behind_words),
        cmocka_unit_test(leaves_a_command_alone), cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(sizes),              cmocka_unit_test(help_names_every_option),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(got.nodes.item);
    return failed;
}
