/* Man pages and completions of shells, made from the table of commands when DRD is built. */
#ifndef DRD_CLI_MANUALS_H
#define DRD_CLI_MANUALS_H

#include <stdio.h>

#include "cli/cmd.h"

/* What a shell can offer for the value of an option or for an argument. */
enum value {
    VALUE_NONE,
    VALUE_FILE,
    VALUE_DIRECTORY,
    VALUE_RUN,     /* a run's id, a tag, @, or a file */
    VALUE_PROGRAM, /* a command line of somebody else */
    VALUE_COMMAND, /* a command of drd */
    VALUE_WORDS,   /* some fixed words */
};

enum value value_of_option(const struct args_option *o);
enum value value_of_arguments(const struct drd_command *c);

/* "a|b|c [MORE]" as "a b c": for VALUE_WORDS, of an option's argument or a command's positional. */
void value_words(const char *choices, FILE *out);

/* The text of a file, or NULL with a line on stderr. To be freed. */
char *manuals_text(const char *path);

/* drd.1, with tables of the Markdown pages in `docs`, and drd-NAME.1. `released` is the date of this version. */
bool man_overview(const char *docs, const char *released, FILE *out);
void man_page(const struct drd_command *c, const char *released, FILE *out);

void bash_completion(FILE *out);
void zsh_completion(FILE *out);
void fish_completion(FILE *out);

#endif
