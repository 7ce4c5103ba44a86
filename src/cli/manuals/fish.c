/* Completion for fish. */
#include "cli/manuals/manuals.h"

static const char head[] =
    "# fish completion for drd, made from its table of commands\n"
    "\n"
    "function __drd_runs\n"
    "    set -l directory $DRD_STORE\n"
    "    if test -z \"$directory\"\n"
    "        set directory $PWD\n"
    "        while test -n \"$directory\"; and not test -d $directory/.drd\n"
    "            set directory (string replace -r '/[^/]*$' '' -- $directory)\n"
    "        end\n"
    "        set directory $directory/.drd\n"
    "    end\n"
    "    echo @\n"
    "    for file in $directory/runs/*-*.drd\n"
    "        string replace -r '.*-(.*)\\.drd$' '$1' -- $file\n"
    "    end\n"
    "    for file in $directory/tags/*\n"
    "        string replace -r '.*/' '' -- $file\n"
    "    end\n"
    "end\n"
    "\n"
    "# Is this the command of the line?\n"
    "function __drd_is\n"
    "    set -l words (commandline -opc)\n"
    "    test \"$words[2]\" = \"$argv[1]\"\n"
    "end\n"
    "\n"
    "complete -c drd -f\n"
    "complete -c drd -n '__drd_is \"\"' -s h -l help -d 'list the commands'\n"
    "complete -c drd -n '__drd_is \"\"' -s V -l version -d 'print the version'\n";

/* Text between single quotes. */
static void put(const char *text, FILE *out)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void put_commands(FILE *out)
{
    for (size_t i = 0; i < cmd_count; i++)
        fprintf(out, "%s%s", i ? " " : "", cmd_table[i]->name);
}

/* Files are off where this does not switch them on. */
static void put_value(enum value value, const char *choices, FILE *out)
{
    static const char *const action[] = {
        [VALUE_NONE] = "", [VALUE_FILE] = " -F", [VALUE_DIRECTORY] = " -a '(__fish_complete_directories)'",
        [VALUE_RUN] = " -F -a '(__drd_runs)'", [VALUE_PROGRAM] = " -a '(__fish_complete_subcommand --fcs-skip=2)'",
    };
    if (value == VALUE_WORDS || value == VALUE_COMMAND) {
        fputs(" -a '", out);
        value == VALUE_WORDS ? value_words(choices, out) : put_commands(out);
        fputc('\'', out);
    } else {
        fputs(action[value], out);
    }
}

static void put_option(const struct drd_command *c, const struct args_option *o, FILE *out)
{
    fprintf(out, "complete -c drd -n '__drd_is %s'", c->name);
    if (o->letter)
        fprintf(out, " -s %c", o->letter);
    fprintf(out, " -l %s", o->name);
    if (o->type != ARGS_FLAG) {
        enum value value = value_of_option(o);
        fputs(value == VALUE_FILE || value == VALUE_RUN ? " -r" : " -x", out);
        put_value(value_of_option(o), o->argument, out);
    }
    fputs(" -d ", out);
    put(o->help, out);
    fputc('\n', out);
}

static void put_command(const struct drd_command *c, FILE *out)
{
    const struct args_option *tables[ARGS_TABLES + 1];
    cmd_options(c, tables);
    fprintf(out, "\ncomplete -c drd -n '__drd_is \"\"' -a %s -d ", c->name);
    put(c->summary, out);
    fputc('\n', out);
    for (size_t i = 0; tables[i]; i++)
        for (const struct args_option *o = tables[i]; o->type != ARGS_END; o++)
            put_option(c, o, out);
    enum value value = value_of_arguments(c);
    if (value == VALUE_NONE)
        return;
    fprintf(out, "complete -c drd -n '__drd_is %s'", c->name);
    put_value(value, c->positional, out);
    fputc('\n', out);
}

void fish_completion(FILE *out)
{
    fputs(head, out);
    for (size_t i = 0; i < cmd_count; i++)
        put_command(cmd_table[i], out);
}
