/* Command line options as data: parser, help text and documentation tests all read the same rows. */
#ifndef DRD_UTIL_ARGS_H
#define DRD_UTIL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

enum args_type {
    ARGS_END,    /* closes a table */
    ARGS_FLAG,   /* target: bool */
    ARGS_STRING, /* target: const char * */
    ARGS_INT,    /* target: int64_t; decimal */
    ARGS_SIZE,   /* target: uint64_t; bytes, with K, M, G or T behind the number */
    ARGS_LIST,   /* target: struct args_list; may be given several times. `argument` of two words: two values each time */
    ARGS_CHOICE, /* target: const char *; `argument` lists the words: "always|failure" */
};

/* The values of a repeated option. They point into argv; the array itself lives until the program ends. */
struct args_list {
    const char **item;
    size_t count;
};

struct args_option {
    enum args_type type;
    char letter;          /* 0: long form only */
    const char *name;     /* without the dashes */
    const char *argument; /* what the help calls its value, "FILE"; NULL for flags */
    const char *help;     /* one line, no full stop */
    void *target;         /* keeps what it holds where the option is not given */
};

#define ARGS_TABLES 4 /* tables one parse can take */

/* Parse argv[1..] by the rows of all `tables` (closed by NULL). With `command` set, options end at the first word that
 * is none: what follows belongs to somebody else. On success argc and argv are what is left after options and "--".
 * Errors have DRD_EXIT_USAGE. */
bool args_parse(const struct args_option *const *tables, bool command, int *argc, char ***argv, struct drd_error *e);

/* The rows as aligned help lines. */
void args_help(const struct args_option *table, FILE *out);

/* "64M" in bytes. */
bool args_size(const char *text, uint64_t *out);

#endif
