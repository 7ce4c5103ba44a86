#include "util/term.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

/* A sandbox without /dev/pts has no terminals to test with. */
static void need_terminal(void)
{
    int master, slave;
    if (openpty(&master, &slave, NULL, NULL, NULL))
        skip();
    close(master);
    close(slave);
}

static void clear_environment(void)
{
    static const char *const names[] = { "NO_COLOR", "FORCE_COLOR", "DRD_PAGER", "PAGER", "COLUMNS" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("TERM", "xterm", 1);
}

static void colours_files_only_when_told(void **state)
{
    (void)state;
    clear_environment();
    FILE *file = fopen("/dev/null", "w");
    assert_false(term_color(file, "auto"));
    assert_true(term_color(file, "always"));
    setenv("FORCE_COLOR", "1", 1);
    assert_true(term_color(file, "auto"));
    assert_false(term_color(file, "never"));
    fclose(file);
}

static void colours_terminals_unless_told(void **state)
{
    need_terminal();
    (void)state;
    clear_environment();
    int master, slave;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    FILE *terminal = fdopen(slave, "w");
    assert_true(term_color(terminal, "auto"));
    setenv("NO_COLOR", "", 1); /* empty: not set, says no-color.org */
    assert_true(term_color(terminal, "auto"));
    setenv("NO_COLOR", "1", 1);
    assert_false(term_color(terminal, "auto"));
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    assert_false(term_color(terminal, "auto"));
    fclose(terminal);
    close(master);
}

static void codes_are_empty_without_colour(void **state)
{
    (void)state;
    assert_string_equal(term_code(false, TERM_BAD), "");
    assert_string_equal(term_code(true, TERM_PLAIN), "\033[0m");
}

/* Run `body` with stdout on a terminal and read what the terminal got. */
static void on_terminal(void (*body)(void), char *out, size_t size)
{
    int master;
    pid_t child = forkpty(&master, NULL, NULL, NULL);
    assert_true(child >= 0);
    if (!child) {
        body();
        exit(0);
    }
    size_t used = 0;
    for (ssize_t n; used < size - 1 && (n = read(master, out + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    out[used] = '\0';
    waitpid(child, NULL, 0);
    close(master);
}

static void say_through_pager(void)
{
    setenv("DRD_PAGER", "sed s/^/paged:/", 1);
    pager_start();
    puts("hello");
    pager_finish();
}

static void pages_on_a_terminal(void **state)
{
    need_terminal();
    (void)state;
    clear_environment();
    char text[256];
    on_terminal(say_through_pager, text, sizeof text);
    assert_non_null(strstr(text, "paged:hello"));
}

static void say_without_pager(void)
{
    setenv("DRD_PAGER", "", 1);
    setenv("PAGER", "sed s/^/paged:/", 1);
    pager_start();
    puts("hello");
    pager_finish();
}

static void an_empty_pager_is_none(void **state)
{
    need_terminal();
    (void)state;
    char text[256];
    on_terminal(say_without_pager, text, sizeof text);
    assert_null(strstr(text, "paged:"));
    assert_non_null(strstr(text, "hello"));
}

static void draw_progress(void)
{
    struct progress p = { .what = "indexing" };
    progress_step(&p, 0, 10);
    progress_step(&p, 1, 10); /* too early to be seen */
    p.started -= 2000000000ull;
    p.drawn -= 2000000000ull;
    progress_step(&p, 5, 10);
    progress_finish(&p);
}

static void progress_waits_a_second(void **state)
{
    need_terminal();
    (void)state;
    char text[256];
    on_terminal(draw_progress, text, sizeof text);
    assert_null(strstr(text, " 10 %"));
    assert_non_null(strstr(text, "indexing [###############...............]  50 %"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_files_only_when_told), cmocka_unit_test(colours_terminals_unless_told),
        cmocka_unit_test(codes_are_empty_without_colour), cmocka_unit_test(pages_on_a_terminal),
        cmocka_unit_test(an_empty_pager_is_none), cmocka_unit_test(progress_waits_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
