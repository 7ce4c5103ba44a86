/* Every command is described where people look: summary, help, page, and each option in the page. */
#include "cli/cmd.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

static void every_command_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < cmd_count; i++) {
        assert_ptr_equal(cmd_find(cmd_table[i]->name), cmd_table[i]);
    }
    assert_null(cmd_find("no-such-command"));
}

static void every_command_describes_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < cmd_count; i++) {
        const struct drd_command *c = cmd_table[i];
        if (!c->summary || !*c->summary || strlen(c->summary) > 70 || c->summary[strlen(c->summary) - 1] == '.')
            fail_msg("drd %s: the summary is missing, too long or ends with a full stop", c->name);
        if (!c->help || !*c->help || c->help[strlen(c->help) - 1] != '\n')
            fail_msg("drd %s: the help is missing or does not end with a newline", c->name);
        if (!c->positional || !c->run)
            fail_msg("drd %s: positional or run is missing", c->name);
        if (!c->max != !*c->positional)
            fail_msg("drd %s: positional and max do not agree", c->name);
    }
}

static void check_option(const struct drd_command *c, const struct args_option *o, const char *page)
{
    char option[64];
    snprintf(option, sizeof option, "--%s", o->name);
    if (!o->help || !*o->help || !o->target)
        fail_msg("drd %s %s: help or target is missing", c->name, option);
    if ((o->type == ARGS_FLAG) != !o->argument)
        fail_msg("drd %s %s: a flag has no argument name, every other option has one", c->name, option);
    if (!strstr(page, option))
        fail_msg("docs/drd-%s.md does not mention %s", c->name, option);
}

static void check_table(const struct drd_command *c, const struct args_option *table, const char *page)
{
    for (const struct args_option *o = table; o && o->type != ARGS_END; o++) {
        check_option(c, o, page);
        for (const struct args_option *p = table; p < o; p++)
            if (!strcmp(p->name, o->name) || (o->letter && p->letter == o->letter))
                fail_msg("drd %s: --%s and --%s share a name or a letter", c->name, p->name, o->name);
    }
}

static void every_option_is_in_the_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < cmd_count; i++) {
        const struct drd_command *c = cmd_table[i];
        char path[512];
        snprintf(path, sizeof path, "%s/docs/drd-%s.md", DRD_SOURCE_DIR, c->name);
        char *page = file_text(path);
        check_table(c, c->options, page);
        if (c->flags & CMD_JSON)
            check_table(c, cmd_json_options, page);
        free(page);
    }
}

/* Run drd with stdout and stderr kept apart from the test's own. */
static int drd(const char *words, char *out, size_t size)
{
    char line[512];
    snprintf(line, sizeof line, "'%s/drd' 2>&1 %s", DRD_BUILD_DIR, words);
    FILE *p = popen(line, "r");
    size_t n = fread(out, 1, size - 1, p);
    out[n] = '\0';
    int status = pclose(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_program_answers(void **state)
{
    (void)state;
    char out[8192];
    assert_int_equal(drd("", out, sizeof out), 0);
    for (size_t i = 0; i < cmd_count; i++)
        assert_non_null(strstr(out, cmd_table[i]->name));
    assert_int_equal(drd("--version", out, sizeof out), 0);
    assert_string_equal(out, "drd " DRD_VERSION "\n");
    assert_int_equal(drd("shwo", out, sizeof out), 129);
    assert_string_equal(out, "drd: 'shwo' is not a drd command; did you mean 'show'?\n");
    assert_int_equal(drd("xyzzy", out, sizeof out), 129);
    assert_string_equal(out, "drd: 'xyzzy' is not a drd command; 'drd help' lists them\n");
    assert_int_equal(drd("help --bogus", out, sizeof out), 129);
    assert_string_equal(out, "drd help: unknown option '--bogus' (see 'drd help --help')\n");
    assert_int_equal(drd("help one two", out, sizeof out), 129);
    assert_int_equal(drd("help >/dev/full", out, sizeof out), 128);
    assert_string_equal(out, "drd: cannot write to stdout: No space left on device\n");
}

static void every_command_has_help(void **state)
{
    (void)state;
    char out[8192], words[64];
    for (size_t i = 0; i < cmd_count; i++) {
        snprintf(words, sizeof words, "%s --help", cmd_table[i]->name);
        assert_int_equal(drd(words, out, sizeof out), 0);
        assert_non_null(strstr(out, cmd_table[i]->help));
        snprintf(words, sizeof words, "help %s", cmd_table[i]->name);
        assert_int_equal(drd(words, out, sizeof out), 0);
        assert_non_null(strstr(out, cmd_table[i]->help));
    }
}

/* docs/limits.md ends with the table that the binary prints; tests/lib/limits.sh puts it there. */
static void the_table_of_calls_is_current(void **state)
{
    (void)state;
    static const char mark[] = "<!-- drd doctor --calls -->\n";
    static char out[65536];
    char *page = file_text(DRD_SOURCE_DIR "/docs/limits.md");
    char *table = strstr(page, mark);
    assert_non_null(table);
    assert_int_equal(drd("doctor --calls", out, sizeof out), 0);
    if (strcmp(table + strlen(mark), out))
        fail_msg("docs/limits.md is not current: run tests/lib/limits.sh BUILD");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_found_by_its_name), cmocka_unit_test(every_command_describes_itself),
        cmocka_unit_test(every_option_is_in_the_page),  cmocka_unit_test(the_program_answers),
        cmocka_unit_test(every_command_has_help),       cmocka_unit_test(the_table_of_calls_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
