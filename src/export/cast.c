#include "export/cast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Processes stand in order of number. */
static size_t place_of(const struct cast *c, uint32_t number)
{
    size_t low = 0, high = c->processes;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->process[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->processes && c->process[low].number == number ? low : c->processes;
}

/* A node is a name: its incarnations, and the processes of each, are one. */
static uint32_t node_of(struct cast *c, const char *name)
{
    size_t i = 0;
    while (i < c->nodes && strcmp(c->name[i], name))
        i++;
    if (i == c->nodes)
        c->name[c->nodes++] = name;
    return (uint32_t)i;
}

/* Names are cut and made words of: where that makes two of them one, a number tells them apart. */
static void make_word(struct cast *c, size_t node)
{
    char word[40];
    snprintf(word, sizeof word, "%s", *c->name[node] ? c->name[node] : "?");
    for (char *p = word; *p; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p > 0x7e)
            *p = '_';
    snprintf(c->word[node], sizeof c->word[node], "%s", word);
    for (size_t i = 0; i < node; i++)
        if (!strcmp(c->word[i], c->word[node])) {
            snprintf(c->word[node], sizeof c->word[node], "%s~%zu", word, node + 1);
            i = (size_t)-1; /* from the start: that may be somebody's name too; then it grows */
            strncat(word, "~", sizeof word - strlen(word) - 1);
        }
}

bool cast_init(struct cast *c, const struct store_process *process, size_t processes)
{
    *c = (struct cast){.process = process, .processes = processes};
    c->name = calloc(processes + 1, sizeof *c->name);
    c->node = calloc(processes + 1, sizeof *c->node);
    c->word = calloc(processes + 1, sizeof *c->word);
    if (!c->name || !c->node || !c->word) {
        cast_fini(c);
        return false;
    }
    for (size_t i = 0; i < processes; i++)
        c->node[i] = node_of(c, process[i].node);
    for (size_t i = 0; i < c->nodes; i++)
        make_word(c, i);
    return true;
}

void cast_fini(struct cast *c)
{
    free(c->name);
    free(c->node);
    free(c->word);
    c->word = NULL;
    c->name = NULL;
    c->node = NULL;
}

const struct store_process *cast_process(const struct cast *c, uint32_t number)
{
    size_t i = place_of(c, number);
    return i < c->processes ? &c->process[i] : NULL;
}

int cast_node(const struct cast *c, uint32_t number)
{
    size_t i = place_of(c, number);
    return i < c->processes ? (int)c->node[i] : -1;
}

const char *cast_event(const struct cast *c, uint32_t number, uint64_t sequence, char out[CAST_EVENT])
{
    const struct store_process *p = cast_process(c, number);
    if (p)
        event_name(p, sequence, out, CAST_EVENT);
    else
        snprintf(out, CAST_EVENT, "?");
    return out;
}

const char *cast_word(const struct cast *c, uint32_t number)
{
    int node = cast_node(c, number);
    return node < 0 ? "?" : c->word[node];
}

const char *cast_name(const struct cast *c, uint32_t number)
{
    const struct store_process *p = cast_process(c, number);
    return p ? p->node : "?";
}
