/* What the words of the table say about completing them. */
#include <string.h>

#include "cli/manuals/manuals.h"

/* Words for arguments, as the table has them, and what they stand for. */
static const struct {
    const char *word;
    enum value value;
} meanings[] = {
    { "FILE", VALUE_FILE }, { "PATH", VALUE_FILE },      { "BINARY", VALUE_FILE },     { "DIR", VALUE_DIRECTORY },
    { "RUN", VALUE_RUN },   { "A", VALUE_RUN },          { "COMMAND", VALUE_COMMAND }, { "CMD", VALUE_PROGRAM },
};

/* The first word of "[RUN[@EVENT]]": letters only. */
static enum value meaning(const char *text)
{
    text += strspn(text, "[");
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strlen(meanings[i].word) == length && !strncmp(text, meanings[i].word, length))
            return meanings[i].value;
    return VALUE_NONE;
}

enum value value_of_option(const struct args_option *o)
{
    if (o->type == ARGS_CHOICE)
        return VALUE_WORDS;
    return o->argument ? meaning(o->argument) : VALUE_NONE;
}

enum value value_of_arguments(const struct drd_command *c)
{
    size_t first = strcspn(c->positional, " ");
    if (memchr(c->positional, '|', first))
        return VALUE_WORDS;
    return meaning(c->positional);
}

void value_words(const char *choices, FILE *out)
{
    for (const char *p = choices + strspn(choices, "["); *p && *p != ' ' && *p != ']'; p++)
        fputc(*p == '|' ? ' ' : *p, out);
}
