/* Names of events: "n2@4711". */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

void event_name(const struct store_process *p, uint64_t sequence, char *out, size_t size)
{
    snprintf(out, size, "%s@%llu", p->node ? p->node : "?", (unsigned long long)(p->event_base + sequence));
}

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)*text))
        return false;
    *out = strtoull(text, &end, 10);
    return !*end && !errno;
}

/* The names of a run's nodes on one line, for messages. */
static void known_nodes(const struct store_process *list, size_t count, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < count && used + 1 < size; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = !strcmp(list[i].node, list[j].node);
        if (seen)
            continue;
        int n = snprintf(out + used, size - used, "%s%s", used ? ", " : "", list[i].node);
        used += n > 0 ? (size_t)n : 0;
    }
}

static bool find_in(const struct store_process *list, size_t count, const char *name, size_t name_length,
                    uint64_t number, uint32_t *process, uint64_t *sequence, struct drd_error *e)
{
    bool node_known = false;
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        const struct store_process *p = &list[i];
        if (strlen(p->node) != name_length || strncmp(p->node, name, name_length))
            continue;
        node_known = true;
        if (p->event_base + p->events > last)
            last = p->event_base + p->events;
        if (number >= p->event_base && number - p->event_base < p->events) {
            *process = p->number;
            *sequence = number - p->event_base;
            return true;
        }
    }
    if (node_known)
        return error_set(e, DRD_EXIT_FATAL, "no event %llu in node %.*s: it has %llu, numbered from 0",
                         (unsigned long long)number, (int)name_length, name, (unsigned long long)last);
    char known[256];
    known_nodes(list, count, known, sizeof known);
    return error_set(e, DRD_EXIT_FATAL, "no node %.*s in the run; it has %s", (int)name_length, name, known);
}

bool event_find(struct store *s, const char *name, uint32_t *process, uint64_t *sequence, struct drd_error *e)
{
    struct store_process *list;
    size_t count;
    uint64_t number;
    const char *at = strrchr(name, '@');
    if (!at || at == name || !parse_number(at + 1, &number))
        return error_set(e, DRD_EXIT_FATAL, "%s: not an event; events are written NODE@NUMBER, as n2@4711", name);
    if (!store_processes(s, &list, &count, e))
        return false;
    bool found = find_in(list, count, name, (size_t)(at - name), number, process, sequence, e);
    for (size_t i = 0; i < count; i++)
        store_process_fini(&list[i]);
    free(list);
    return found;
}
