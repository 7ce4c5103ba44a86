#include "util/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 64
#define LONG_ONLY 256 /* getopt values from here on: row numbers of options; letters are below */

/* What getopt_long wants to see, made from the tables. */
struct parser {
    struct option longs[OPTIONS_MAX + 1];
    const struct args_option *row[OPTIONS_MAX];
    char letters[2 * OPTIONS_MAX + 3];
    int count;
};

static void parser_init(struct parser *p, const struct args_option *const *tables, bool command)
{
    *p = (struct parser){ 0 };
    char *letter = p->letters;
    if (command)
        *letter++ = '+';
    *letter++ = ':'; /* getopt stays silent and tells a missing value apart */
    for (; *tables; tables++)
        for (const struct args_option *o = *tables; o->type != ARGS_END && p->count < OPTIONS_MAX; o++) {
            int has_value = o->type == ARGS_FLAG ? no_argument : required_argument;
            p->longs[p->count] = (struct option){ o->name, has_value, NULL, LONG_ONLY + p->count };
            p->row[p->count++] = o;
            if (o->letter) {
                *letter++ = o->letter;
                if (has_value)
                    *letter++ = ':';
            }
        }
}

static const struct args_option *parser_row(const struct parser *p, int value)
{
    if (value >= LONG_ONLY)
        return p->row[value - LONG_ONLY];
    for (int i = 0; i < p->count; i++)
        if (p->row[i]->letter == value)
            return p->row[i];
    return NULL;
}

bool args_size(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (end == text || errno || *text == '-')
        return false;
    const char *unit = *end ? strchr("KMGT", *end & ~0x20) : NULL;
    int shift = unit ? 10 * (int)(unit - "KMGT" + 1) : 0;
    if (*end && (!unit || end[1]))
        return false;
    if (shift && n >> (64 - shift))
        return false;
    *out = (uint64_t)n << shift;
    return true;
}

static bool list_add(struct args_list *list, const char *value, struct drd_error *e)
{
    const char **more = realloc(list->item, (list->count + 1) * sizeof *more);
    if (!more)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    list->item = more;
    list->item[list->count++] = value;
    return true;
}

/* Is `value` one of the words of "a|b|c"? */
static bool choice_has(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *p = choices; p; p = strchr(p, '|')) {
        p += *p == '|';
        if (length && !strncmp(p, value, length) && (p[length] == '|' || !p[length]))
            return true;
        if (!*p)
            break;
    }
    return false;
}

static bool option_int(const struct args_option *o, const char *value, struct drd_error *e)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (end == value || *end || errno)
        return error_set(e, DRD_EXIT_USAGE, "--%s wants a number, not '%s'", o->name, value);
    *(int64_t *)o->target = n;
    return true;
}

static bool option_store(const struct args_option *o, const char *value, struct drd_error *e)
{
    switch (o->type) {
    case ARGS_FLAG:
        *(bool *)o->target = true;
        return true;
    case ARGS_STRING:
        *(const char **)o->target = value;
        return true;
    case ARGS_INT:
        return option_int(o, value, e);
    case ARGS_SIZE:
        if (args_size(value, o->target))
            return true;
        return error_set(e, DRD_EXIT_USAGE, "--%s wants a size such as 64M, not '%s'", o->name, value);
    case ARGS_LIST:
        return list_add(o->target, value, e);
    case ARGS_CHOICE:
        if (choice_has(o->argument, value)) {
            *(const char **)o->target = value;
            return true;
        }
        return error_set(e, DRD_EXIT_USAGE, "--%s takes %s, not '%s'", o->name, o->argument, value);
    case ARGS_END:
        break;
    }
    return error_set(e, DRD_EXIT_USAGE, "--%s is not usable", o->name);
}

static bool takes_two(const struct args_option *o)
{
    return o->type == ARGS_LIST && o->argument && strchr(o->argument, ' ');
}

/* getopt said '?' or ':': name the word that it did not like. */
static bool refuse(const struct parser *p, int found, char **argv, struct drd_error *e)
{
    const struct args_option *o = optopt ? parser_row(p, optopt) : NULL;
    if (found == ':' && o)
        return error_set(e, DRD_EXIT_USAGE, "--%s wants a value: %s", o->name, o->argument);
    if (o && o->type == ARGS_FLAG)
        return error_set(e, DRD_EXIT_USAGE, "--%s takes no value", o->name);
    if (optopt && optopt < LONG_ONLY)
        return error_set(e, DRD_EXIT_USAGE, "unknown option '-%c'", optopt);
    return error_set(e, DRD_EXIT_USAGE, "unknown option '%s'", argv[optind - 1]);
}

bool args_parse(const struct args_option *const *tables, bool command, int *argc, char ***argv, struct drd_error *e)
{
    struct parser p;
    parser_init(&p, tables, command);
    opterr = 0;
    optind = 0; /* glibc: start anew */
    for (int found; (found = getopt_long(*argc, *argv, p.letters, p.longs, NULL)) != -1;) {
        const struct args_option *o = found == '?' || found == ':' ? NULL : parser_row(&p, found);
        if (!o)
            return refuse(&p, found, *argv, e);
        if (!option_store(o, optarg, e))
            return false;
        if (!takes_two(o))
            continue;
        if (optind >= *argc)
            return error_set(e, DRD_EXIT_USAGE, "--%s wants two values: %s", o->name, o->argument);
        if (!option_store(o, (*argv)[optind++], e))
            return false;
    }
    *argc -= optind;
    *argv += optind;
    return true;
}

void args_help(const struct args_option *table, FILE *out)
{
    for (const struct args_option *o = table; o->type != ARGS_END; o++) {
        char left[80], letter[8] = "    ";
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        if (strlen(left) > 30)
            fprintf(out, "%s\n%-32s%s\n", left, "", o->help);
        else
            fprintf(out, "%-32s%s\n", left, o->help);
    }
}
