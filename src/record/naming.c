#include "record/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct naming_count {
    char *name;
    bool program; /* a program's base name; else a node's */
    uint32_t count;
};

void naming_fini(struct naming *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->list[i].name);
    free(n->list);
    *n = (struct naming){NULL, 0};
}

static struct naming_count *find(struct naming *n, const char *name, bool program)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->list[i].program == program && !strcmp(n->list[i].name, name))
            return &n->list[i];
    struct naming_count *list = realloc(n->list, (n->count + 1) * sizeof *list);
    if (!list)
        return NULL;
    n->list = list;
    list[n->count] = (struct naming_count){strdup(name), program, 0};
    return list[n->count].name ? &list[n->count++] : NULL;
}

bool naming_assign(struct naming *n, struct store_process *p, const char *node, const char *program,
                   const struct store_process *parent)
{
    bool named = node && *node;
    struct naming_count *c = find(n, named ? node : *program ? program : "process", !named);
    if (!c)
        return false;
    free(p->node);
    p->node = NULL;
    if (!named) {
        p->incarnation = 1;
        return asprintf(&p->node, "%s#%u", c->name, ++c->count) >= 0;
    }
    bool of_parent = parent && parent->node && !strcmp(parent->node, node);
    p->incarnation = of_parent ? parent->incarnation : ++c->count;
    return (p->node = strdup(node)) != NULL;
}

static int by_node(const void *left, const void *right)
{
    const struct store_process *a = *(struct store_process *const *)left, *b = *(struct store_process *const *)right;
    int order = strcmp(a->node, b->node);
    return order ? order : a->number < b->number ? -1 : a->number > b->number;
}

void naming_number_events(struct store_process **list, size_t count)
{
    if (count)
        qsort(list, count, sizeof *list, by_node);
    for (size_t i = 0; i < count; i++) {
        bool goes_on = i && !strcmp(list[i - 1]->node, list[i]->node);
        list[i]->event_base = goes_on ? list[i - 1]->event_base + list[i - 1]->events : 0;
    }
}
