/* Who may know whom: the #include lines of src/ must not point against the arrows of docs/architecture.md. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

/* A folder, and the folders whose headers it may include beside its own and util. "*" is everybody. */
static const struct arrow {
    const char *from, *to;
} arrows[] = {
    { "util", "" },
    { "trace", "" },
    { "shim", "trace" },
    { "store", "trace" },
    { "record", "store trace" },
    { "replay", "store trace" },
    { "simulate", "record replay store trace" },
    { "protocol", "store trace" },
    { "raft", "protocol store trace" },
    { "explain", "raft protocol replay simulate store trace" },
    { "diff", "raft protocol store trace" },
    { "report", "explain diff raft protocol store trace" },
    { "explore", "report simulate explain raft protocol store trace" },
    { "prove", "explore report simulate explain raft protocol store trace" },
    { "export", "explain raft protocol store trace" },
    { "cli", "*" },
    { "packaging", "" }, /* no code */
};

static const struct arrow *arrow_find(const char *folder)
{
    for (size_t i = 0; i < sizeof arrows / sizeof *arrows; i++)
        if (!strcmp(arrows[i].from, folder))
            return &arrows[i];
    return NULL;
}

/* Is `word` one of the words of `list`? */
static int listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p++)
        if ((p == list || p[-1] == ' ') && (p[length] == ' ' || !p[length]))
            return 1;
    return 0;
}

static int allowed(const char *from, const char *to)
{
    const struct arrow *a = arrow_find(from);
    if (!a)
        return 0;
    if (!strcmp(from, to) || !strcmp(a->to, "*") || listed(a->to, to))
        return 1;
    return !strcmp(to, "util") && strcmp(from, "shim"); /* the shim has no libc under it, so no util either */
}

static int violations;

static void check_line(const char *path, const char *folder, int number, const char *line)
{
    char target[PATH_MAX];
    if (sscanf(line, " # include \"%4000[^\"/]/%*s", target) != 1 || !strcmp(target, "drd"))
        return;
    if (!arrow_find(target) || allowed(folder, target))
        return; /* a file beside it, or an arrow that is drawn */
    print_error("%s:%d: src/%s may not know src/%s\n", path, number, folder, target);
    violations++;
}

static void check_file(const char *path, const char *folder)
{
    char line[1024];
    int number = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        check_line(path, folder, ++number, line);
    fclose(f);
}

static void check_folder(const char *path, const char *folder)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (struct dirent *entry; (entry = readdir(d));) {
        char inside[PATH_MAX];
        const char *dot = strrchr(entry->d_name, '.');
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR && *entry->d_name != '.')
            check_folder(inside, folder);
        else if (dot && strchr("chS", dot[1]) && !dot[2])
            check_file(inside, folder);
    }
    closedir(d);
}

static void no_arrow_points_back(void **state)
{
    (void)state;
    DIR *d = opendir(DRD_SOURCE_DIR "/src");
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        char path[PATH_MAX];
        if (*entry->d_name == '.')
            continue;
        if (!arrow_find(entry->d_name))
            fail_msg("src/%s has no arrows: add it to this test and to docs/architecture.md", entry->d_name);
        snprintf(path, sizeof path, "%s/src/%s", DRD_SOURCE_DIR, entry->d_name);
        check_folder(path, entry->d_name);
    }
    closedir(d);
    assert_int_equal(violations, 0);
}

static void the_test_itself_sees_violations(void **state)
{
    (void)state;
    assert_false(allowed("store", "record"));
    assert_false(allowed("shim", "util"));
    assert_false(allowed("trace", "store"));
    assert_false(allowed("store", "cli"));
    assert_true(allowed("store", "util"));
    assert_true(allowed("cli", "explain"));
    assert_false(allowed("util", "trace"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_arrow_points_back),
        cmocka_unit_test(the_test_itself_sees_violations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
