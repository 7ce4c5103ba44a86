/* Man pages and completions have every command and every option of the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "lib/check.h"

static char *made(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/manuals/%s", DRD_BUILD_DIR, name);
    return file_text(path);
}

/* What roff shows of a page, near enough: escapes of characters undone, those of fonts gone. */
static void unescape(char *text)
{
    static const char *const special[] = { "(aq'", "(ga`", "(ha^", "(ti~", "(dq\"", "e\\", "--", "fB", "fI", "fR", "&" };
    char *out = text;
    for (char *p = text; *p;) {
        size_t i = 0, n = sizeof special / sizeof *special, length = 0;
        for (; *p == '\\' && i < n; i++) {
            length = i < 5 ? 3 : i < 7 ? 1 : strlen(special[i]);
            if (!strncmp(p + 1, special[i], length))
                break;
        }
        if (*p != '\\' || i == n) {
            *out++ = *p++;
            continue;
        }
        p += 1 + length;
        if (i < 7)
            *out++ = special[i][length];
    }
    *out = '\0';
}

/* Both with white space and line breaks as single blanks. */
static void squeeze(char *text)
{
    char *out = text;
    for (char *p = text; *p; p++) {
        char c = *p == '\n' ? ' ' : *p;
        if (c != ' ' || (out > text && out[-1] != ' '))
            *out++ = c;
    }
    *out = '\0';
}

static void must_have(const char *what, const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s does not have: %s", what, part);
}

static char *page(const char *name)
{
    char file[128];
    snprintf(file, sizeof file, "man/man1/%s.1", name);
    char *text = made(file);
    unescape(text);
    squeeze(text);
    return text;
}

static void check_page(const struct drd_command *c)
{
    const struct args_option *tables[ARGS_TABLES + 1];
    char name[64], option[512];
    snprintf(name, sizeof name, "drd-%s", c->name);
    char *text = page(name);
    cmd_options(c, tables);
    must_have(name, text, c->summary);
    must_have(name, text, c->positional);
    for (size_t i = 0; tables[i]; i++)
        for (const struct args_option *o = tables[i]; o->type != ARGS_END; o++) {
            snprintf(option, sizeof option, "--%s%s%s %s", o->name, o->argument ? " " : "", o->argument ? o->argument : "",
                     o->help);
            must_have(name, text, option);
        }
    free(text);
}

static void every_command_has_a_page(void **state)
{
    (void)state;
    char *overview = page("drd");
    for (size_t i = 0; i < cmd_count; i++) {
        check_page(cmd_table[i]);
        must_have("drd.1", overview, cmd_table[i]->name);
        must_have("drd.1", overview, cmd_table[i]->summary);
    }
    must_have("drd.1", overview, "DRD_STORE");
    must_have("drd.1", overview, "125 DRD could not record");
    free(overview);
}

/* The lines of one command in a file that has a block for each. */
static char *block(const char *text, const char *begin, const char *end)
{
    const char *from = strstr(text, begin), *to = from ? strstr(from + strlen(begin), end) : NULL;
    if (!to)
        fail_msg("no block between %s and %s", begin, end);
    return strndup(from, (size_t)(to - from));
}

static void check_block(const struct drd_command *c, const char *shell, char *text, const char *form)
{
    const struct args_option *tables[ARGS_TABLES + 1];
    cmd_options(c, tables);
    for (size_t i = 0; tables[i]; i++)
        for (const struct args_option *o = tables[i]; o->type != ARGS_END; o++) {
            char option[128], what[64];
            snprintf(option, sizeof option, form, o->name);
            snprintf(what, sizeof what, "%s of drd %s", shell, c->name);
            must_have(what, text, option);
        }
    free(text);
}

static void every_option_is_completed(void **state)
{
    (void)state;
    char *bash = made("bash-completion/completions/drd"), *zsh = made("zsh/_drd");
    char *fish = made("fish/vendor_completions.d/drd.fish");
    for (size_t i = 0; i < cmd_count; i++) {
        char begin[64];
        snprintf(begin, sizeof begin, "\n    %s)\n", cmd_table[i]->name);
        check_block(cmd_table[i], "bash", block(bash, begin, "\n        ;;"), "--%s");
        check_block(cmd_table[i], "zsh", block(zsh, begin, "\n        ;;"), "--%s");
        snprintf(begin, sizeof begin, "-a %s -d ", cmd_table[i]->name);
        check_block(cmd_table[i], "fish", strdup(strstr(fish, begin) ? strstr(fish, begin) : ""), " -l %s ");
    }
    free(bash);
    free(zsh);
    free(fish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_a_page), cmocka_unit_test(every_option_is_completed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
