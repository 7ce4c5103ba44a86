/* Completion for zsh, in the words of _arguments. */
#include <string.h>

#include "cli/manuals/manuals.h"

static const char head[] =
    "#compdef drd\n"
    "# zsh completion for drd, made from its table of commands\n"
    "\n"
    "_drd_runs() {\n"
    "    local directory=$DRD_STORE file\n"
    "    local -a ids\n"
    "    if [[ -z $directory ]]; then\n"
    "        directory=$PWD\n"
    "        until [[ -z $directory || -d $directory/.drd ]]; do directory=${directory%/*}; done\n"
    "        directory=$directory/.drd\n"
    "    fi\n"
    "    for file in $directory/runs/*-*.drd(N); do ids+=(${${file:t:r}##*-}); done\n"
    "    compadd -- @ $ids $directory/tags/*(N:t)\n"
    "    _files\n"
    "}\n"
    "\n";

/* Text inside '...[text]...:text:': neither quote, bracket, colon nor backslash may end it. */
static void put(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void put_value(enum value value, const char *choices, FILE *out)
{
    static const char *const action[] = {
        [VALUE_NONE] = " ", [VALUE_FILE] = "_files", [VALUE_DIRECTORY] = "_files -/", [VALUE_RUN] = "_drd_runs",
        [VALUE_COMMAND] = "_drd_commands",
    };
    if (value == VALUE_WORDS) {
        fputc('(', out);
        value_words(choices, out);
        fputc(')', out);
    } else {
        fputs(action[value], out);
    }
}

static void put_option(const struct args_option *o, FILE *out)
{
    bool again = o->type == ARGS_LIST, value = o->type != ARGS_FLAG;
    fputs(" \\\n            ", out);
    if (o->letter && !again)
        fprintf(out, "'(-%c --%s)'", o->letter, o->name);
    if (again)
        fputs("'*'", out);
    if (o->letter)
        fprintf(out, "{-%c%s,--%s%s}'[", o->letter, value ? "+" : "", o->name, value ? "=" : "");
    else
        fprintf(out, "'--%s%s[", o->name, value ? "=" : "");
    put(o->help, out);
    fputc(']', out);
    if (value) {
        fputc(':', out);
        put(o->argument, out);
        fputc(':', out);
        put_value(value_of_option(o), o->argument, out);
    }
    fputc('\'', out);
}

static void put_arguments(const struct drd_command *c, FILE *out)
{
    enum value value = value_of_arguments(c);
    if (!c->max)
        return;
    fputs(" \\\n            ", out);
    if (value == VALUE_PROGRAM) {
        fputs("'(-)1:program:_command_names -e' '*::arguments:_normal'", out);
        return;
    }
    fputs(value == VALUE_WORDS ? "'1:" : "'*:", out);
    put(c->positional, out);
    fputc(':', out);
    put_value(value, c->positional, out);
    fputc('\'', out);
}

static void put_command(const struct drd_command *c, FILE *out)
{
    const struct args_option *tables[ARGS_TABLES + 1];
    cmd_options(c, tables);
    fprintf(out, "    %s)\n        _arguments -s%s", c->name, c->flags & CMD_COMMAND ? " -S" : "");
    for (size_t i = 0; tables[i]; i++)
        for (const struct args_option *o = tables[i]; o->type != ARGS_END; o++)
            put_option(o, out);
    put_arguments(c, out);
    fputs("\n        ;;\n", out);
}

void zsh_completion(FILE *out)
{
    fputs(head, out);
    fputs("_drd_commands() {\n    local -a commands=(\n", out);
    for (size_t i = 0; i < cmd_count; i++) {
        fprintf(out, "        '%s:", cmd_table[i]->name);
        put(cmd_table[i]->summary, out);
        fputs("'\n", out);
    }
    fputs("    )\n    _describe command commands\n}\n\n"
          "_drd() {\n    local curcontext=$curcontext state line\n    typeset -A opt_args\n"
          "    _arguments -C '(- *)'{-h,--help}'[list the commands]' '(- *)'{-V,--version}'[print the version]' \\\n"
          "        '1:command:_drd_commands' '*::argument:->argument' && return\n"
          "    case $words[1] in\n", out);
    for (size_t i = 0; i < cmd_count; i++)
        put_command(cmd_table[i], out);
    fputs("    esac\n}\n\n_drd \"$@\"\n", out);
}
