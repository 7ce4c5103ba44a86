/* The commands of drd.
 *
 * How to add a command:
 *   1. src/cli/cmd_NAME.c: a `const struct drd_command cmd_NAME` at its end, its options as rows above it, a run function
 *      that parses nothing, calls other folders of src/ and prints. CMake finds the file by itself.
 *   2. src/cli/commands.c: declare it and give it its place in the table.
 *   3. docs/drd-NAME.md: what it is for, every option, real output, exit codes.
 *   4. tests: what it prints and how it refuses (tests/cli/).
 * tests/unit/commands_test.c walks the table and fails where a summary, a help text, a page or an option in the page is
 * missing. Man pages and completions are made from the table when DRD is built: src/cli/manuals/.
 *
 * A run function returns the exit code of the program (enum drd_exit, or for `record` that of the recorded command). When
 * something fails it fills c->error and returns cmd_failed(c); the dispatcher prints the error as one line and checks
 * stdout for failed writes. stdout is for data, stderr for everything else. */
#ifndef DRD_CLI_CMD_H
#define DRD_CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "util/args.h"
#include "util/error.h"

enum cmd_flag {
    CMD_PAGER = 1,   /* may be read page by page on a terminal */
    CMD_JSON = 2,    /* takes --json: c->json */
    CMD_COMMAND = 4, /* options end at the first word that is none; that and the rest are c->argv */
};

struct cmd_context {
    const struct drd_command *command;
    int argc;       /* the words after options and "--" */
    char **argv;    /* NULL after the last one */
    bool json;
    bool color;     /* stdout wants colour */
    struct drd_error error;
};

struct drd_command {
    const char *name;
    const char *summary;                /* one line of `drd help`, no full stop */
    const char *positional;             /* "[RUN]", "RUN [EVENT]"; "" for none */
    int min, max;                       /* how many of those; max -1: any number */
    unsigned flags;                     /* enum cmd_flag */
    const struct args_option *options;  /* closed by { 0 }; NULL for none */
    const char *help;                   /* some lines for `drd NAME --help`, each ended by a newline */
    int (*run)(struct cmd_context *c);
};

/* The table, in the order of `drd help`. */
extern const struct drd_command *const cmd_table[];
extern const size_t cmd_count;

const struct drd_command *cmd_find(const char *name); /* NULL if there is none */

/* The whole program: find the command, parse, run, report. Returns the exit code. */
int cmd_main(int argc, char **argv);

/* For a run function: the exit code of what stands in c->error. */
int cmd_failed(struct cmd_context *c);

/* "drd: warning: ..." on stderr. */
void cmd_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Options of more than one command. */
extern const struct args_option cmd_common_options[], cmd_json_options[], cmd_pager_options[];

/* All tables of options that a command takes, its own first, closed by NULL. */
void cmd_options(const struct drd_command *command, const struct args_option *tables[ARGS_TABLES + 1]);

#endif
