/* Completion for bash, by itself: it needs no function of the package bash-completion. */
#include "cli/manuals/manuals.h"

/* Words of `words` that begin with what was typed; file names are marked as such, for slashes and quotes. bash takes words apart
 * at "=", ":" and "@": the value of --option=VALUE is the word behind "=". */
static const char head[] =
    "# bash completion for drd, made from its table of commands\n"
    "\n"
    "_drd_runs() {\n"
    "    local directory=${DRD_STORE-} file\n"
    "    if [[ -z $directory ]]; then\n"
    "        directory=$PWD\n"
    "        until [[ -z $directory || -d $directory/.drd ]]; do directory=${directory%/*}; done\n"
    "        directory=$directory/.drd\n"
    "    fi\n"
    "    for file in \"$directory\"/runs/*-*.drd; do\n"
    "        [[ -e $file ]] || continue\n"
    "        file=${file##*-}\n"
    "        printf '%s\\n' \"${file%.drd}\"\n"
    "    done\n"
    "    for file in \"$directory\"/tags/*; do\n"
    "        [[ -e $file ]] && printf '%s\\n' \"${file##*/}\"\n"
    "    done\n"
    "}\n"
    "\n"
    "_drd_add() {\n"
    "    local line\n"
    "    while IFS= read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen \"$@\" -- \"$cur\")\n"
    "}\n"
    "\n"
    "_drd_value() {\n"
    "    case $1 in\n"
    "    files) compopt -o filenames 2>/dev/null; _drd_add -f ;;\n"
    "    directories) compopt -o filenames 2>/dev/null; _drd_add -d ;;\n"
    "    runs) compopt -o filenames 2>/dev/null; _drd_add -W \"@ $(_drd_runs)\"; _drd_add -f ;;\n"
    "    program) _drd_add -c ;;\n"
    "    words:*) _drd_add -W \"${1#words:}\" ;;\n"
    "    esac\n"
    "}\n"
    "\n";

static const char tail[] =
    "_drd() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command=${COMP_WORDS[1]} options= valued= arguments= value= word i first=0\n"
    "    COMPREPLY=()\n"
    "    if [[ $cur == '=' ]]; then\n"
    "        cur=\n"
    "    elif [[ $prev == '=' ]]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        _drd_add -W \"$_drd_commands --help --version\"\n"
    "        return\n"
    "    fi\n"
    "    _drd_of\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ $word == -- ]]; then\n"
    "            first=$((i + 1))\n"
    "            break\n"
    "        elif [[ $word == -* && \" $valued \" == *\" $word \"* ]]; then\n"
    "            [[ ${COMP_WORDS[i+1]} == '=' ]] && ((i++))\n"
    "            ((i++))\n"
    "        elif [[ $word != -* ]]; then\n"
    "            first=$i\n"
    "            break\n"
    "        fi\n"
    "    done\n"
    "    if ((first)) && [[ $arguments == program ]]; then\n"
    "        if ((first == COMP_CWORD)); then\n"
    "            _drd_value program\n"
    "        elif declare -F _command_offset >/dev/null; then\n"
    "            _command_offset $first\n"
    "        else\n"
    "            _drd_value files\n"
    "        fi\n"
    "    elif [[ -n $value ]]; then\n"
    "        _drd_value \"$value\"\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        _drd_add -W \"$options\"\n"
    "    elif ((!first || first == COMP_CWORD)) || [[ $arguments != words:* ]]; then\n"
    "        _drd_value \"$arguments\"\n"
    "    fi\n"
    "}\n"
    "complete -F _drd drd\n";

static void put_value(enum value value, const char *choices, FILE *out)
{
    static const char *const kind[] = {
        [VALUE_NONE] = "none", [VALUE_FILE] = "files", [VALUE_DIRECTORY] = "directories", [VALUE_RUN] = "runs",
        [VALUE_PROGRAM] = "program",
    };
    if (value == VALUE_COMMAND) {
        fputs("\"words:$_drd_commands\"", out);
    } else if (value == VALUE_WORDS) {
        fputs("'words:", out);
        value_words(choices, out);
        fputc('\'', out);
    } else {
        fputs(kind[value], out);
    }
}

static void put_names(const struct args_option *const *tables, bool valued, FILE *out)
{
    const char *space = "";
    for (; *tables; tables++)
        for (const struct args_option *o = *tables; o->type != ARGS_END; o++) {
            if (valued && o->type == ARGS_FLAG)
                continue;
            if (o->letter)
                fprintf(out, "%s-%c", space, o->letter);
            fprintf(out, "%s--%s", o->letter ? " " : space, o->name);
            space = " ";
        }
}

static void put_values(const struct args_option *const *tables, FILE *out)
{
    for (; *tables; tables++)
        for (const struct args_option *o = *tables; o->type != ARGS_END; o++) {
            if (o->type == ARGS_FLAG)
                continue;
            fputs("        ", out);
            if (o->letter)
                fprintf(out, "-%c | ", o->letter);
            fprintf(out, "--%s) value=", o->name);
            put_value(value_of_option(o), o->argument, out);
            fputs(" ;;\n", out);
        }
}

static void put_command(const struct drd_command *c, FILE *out)
{
    const struct args_option *tables[ARGS_TABLES + 1];
    cmd_options(c, tables);
    fprintf(out, "    %s)\n        arguments=", c->name);
    put_value(value_of_arguments(c), c->positional, out);
    fputs("\n        options='", out);
    put_names(tables, false, out);
    fputs("'\n        valued='", out);
    put_names(tables, true, out);
    fputs("'\n        case $prev in\n", out);
    put_values(tables, out);
    fputs("        esac\n        ;;\n", out);
}

void bash_completion(FILE *out)
{
    fputs(head, out);
    fputs("_drd_commands='", out);
    for (size_t i = 0; i < cmd_count; i++)
        fprintf(out, "%s%s", i ? " " : "", cmd_table[i]->name);
    fputs("'\n\n_drd_of() {\n    case $command in\n", out);
    for (size_t i = 0; i < cmd_count; i++)
        put_command(cmd_table[i], out);
    fputs("    esac\n}\n\n", out);
    fputs(tail, out);
}
