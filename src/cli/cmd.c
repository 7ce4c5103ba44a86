#include "cli/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/term.h"

/* What the common options set; there is one command in one program. */
static struct {
    bool help, version, json, no_pager;
    const char *color;
} common = { .color = "auto" };

const struct args_option cmd_common_options[] = {
    { ARGS_FLAG, 'h', "help", NULL, "say what the command does and end", &common.help },
    { ARGS_CHOICE, 0, "color", "auto|always|never", "colours; NO_COLOR and FORCE_COLOR are honoured", &common.color },
    { 0 },
};
const struct args_option cmd_json_options[] = {
    { ARGS_FLAG, 0, "json", NULL, "print JSON, for programs (docs/json.md)", &common.json },
    { 0 },
};
const struct args_option cmd_pager_options[] = {
    { ARGS_FLAG, 0, "no-pager", NULL, "never start a pager", &common.no_pager },
    { 0 },
};

const struct drd_command *cmd_find(const char *name)
{
    for (size_t i = 0; i < cmd_count; i++)
        if (!strcmp(cmd_table[i]->name, name))
            return cmd_table[i];
    return NULL;
}

void cmd_options(const struct drd_command *command, const struct args_option *tables[ARGS_TABLES + 1])
{
    if (command->options)
        *tables++ = command->options;
    if (command->flags & CMD_JSON)
        *tables++ = cmd_json_options;
    if (command->flags & CMD_PAGER)
        *tables++ = cmd_pager_options;
    *tables++ = cmd_common_options;
    *tables = NULL;
}

int cmd_failed(struct cmd_context *c)
{
    return c->error.exit_code ? c->error.exit_code : DRD_EXIT_FATAL;
}

void cmd_warn(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "drd: warning: %s\n", text);
}

/* Edit distance with a bound on the words' length: for suggestions only. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 24 };
    size_t row[LONGEST + 1], la = strlen(a), lb = strlen(b);
    if (la > LONGEST || lb > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

static int unknown_command(const char *name)
{
    const char *nearest = NULL;
    size_t best = 3; /* two slips at most */
    for (size_t i = 0; i < cmd_count; i++) {
        size_t d = distance(name, cmd_table[i]->name);
        if (d < best && d < strlen(name)) {
            best = d;
            nearest = cmd_table[i]->name;
        }
    }
    fprintf(stderr, "drd: '%s' is not a drd command", name);
    if (nearest)
        fprintf(stderr, "; did you mean '%s'?\n", nearest);
    else
        fprintf(stderr, "; 'drd help' lists them\n");
    return DRD_EXIT_USAGE;
}

static void print_overview(FILE *out)
{
    fputs("drd: a deterministic replay debugger for Raft clusters\n\nusage: drd COMMAND [OPTION]... [ARGUMENT]...\n\n", out);
    for (size_t i = 0; i < cmd_count; i++)
        fprintf(out, "  %-10s %s\n", cmd_table[i]->name, cmd_table[i]->summary);
    fputs("\n'drd COMMAND --help' says more about one of them. Exit codes: docs/exit-codes.md.\n", out);
}

static void print_help(const struct drd_command *command)
{
    printf("drd %s: %s\n\nusage: drd %s [OPTION]...%s%s\n\n%s\n", command->name, command->summary, command->name,
           *command->positional ? " " : "", command->positional, command->help);
    const struct args_option *tables[ARGS_TABLES + 1];
    cmd_options(command, tables);
    for (size_t i = 0; tables[i]; i++)
        args_help(tables[i], stdout);
}

/* The error as one line, whatever stands in it. */
static void print_error(const struct drd_error *e)
{
    if (*e->message)
        fprintf(stderr, "drd: %s\n", e->message);
}

static int usage_error(const struct drd_command *command, const struct drd_error *e)
{
    fprintf(stderr, "drd %s: %s (see 'drd %s --help')\n", command->name, e->message, command->name);
    return DRD_EXIT_USAGE;
}

static bool count_matches(const struct cmd_context *c, struct drd_error *e)
{
    const struct drd_command *command = c->command;
    if (c->argc < command->min)
        return error_set(e, DRD_EXIT_USAGE, "too few arguments, it wants %s", command->positional);
    if (command->max >= 0 && c->argc > command->max)
        return error_set(e, DRD_EXIT_USAGE, "'%s' is one argument too many", c->argv[command->max]);
    return true;
}

static int run(struct cmd_context *c)
{
    c->json = common.json;
    if ((c->command->flags & CMD_PAGER) && !common.json && !common.no_pager)
        pager_start();
    c->color = term_color(stdout, common.color);
    int code = c->command->run(c);
    print_error(&c->error);
    return code;
}

static int run_command(const struct drd_command *command, int argc, char **argv)
{
    struct cmd_context c = { .command = command, .argc = argc, .argv = argv };
    const struct args_option *tables[ARGS_TABLES + 1];
    cmd_options(command, tables);
    if (!args_parse(tables, command->flags & CMD_COMMAND, &c.argc, &c.argv, &c.error))
        return usage_error(command, &c.error);
    if (common.help) {
        print_help(command);
        return DRD_EXIT_OK;
    }
    if (!count_matches(&c, &c.error))
        return usage_error(command, &c.error);
    return run(&c);
}

/* A full disk shows when stdout is flushed, once for every command. */
static int flush_output(int code)
{
    bool failed = fflush(stdout) || ferror(stdout);
    if (failed && errno != EPIPE) {
        fprintf(stderr, "drd: cannot write to stdout: %s\n", strerror(errno));
        code = DRD_EXIT_FATAL;
    }
    pager_finish();
    return code;
}

static int dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (!strcmp(name, "--help") || !strcmp(name, "-h"))
        name = "help";
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        puts("drd " DRD_VERSION);
        return DRD_EXIT_OK;
    }
    if (*name == '-') {
        fprintf(stderr, "drd: unknown option '%s'; 'drd help' lists the commands\n", name);
        return DRD_EXIT_USAGE;
    }
    const struct drd_command *command = cmd_find(name);
    if (!command)
        return unknown_command(name);
    return argc > 1 ? run_command(command, argc - 1, argv + 1) : run_command(command, 1, (char *[]){ "help", NULL });
}

int cmd_main(int argc, char **argv)
{
    return flush_output(dispatch(argc, argv));
}

static int run_help(struct cmd_context *c)
{
    if (!c->argc) {
        print_overview(stdout);
        return DRD_EXIT_OK;
    }
    const struct drd_command *command = cmd_find(c->argv[0]);
    if (!command)
        return unknown_command(c->argv[0]);
    print_help(command);
    return DRD_EXIT_OK;
}

const struct drd_command cmd_help = {
    .name = "help",
    .summary = "list the commands, or say more about one",
    .positional = "[COMMAND]",
    .max = 1,
    .flags = CMD_PAGER,
    .help = "Without an argument: all commands in a line each. With one: what 'drd COMMAND --help' prints.\n",
    .run = run_help,
};
