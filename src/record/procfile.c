#include "record/procfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/spool.h"

void node_list_fini(struct node_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->item[i].name);
        free(l->item[i].command);
    }
    free(l->item);
    *l = (struct node_list){NULL, 0};
}

/* Names end up in event names (n2@4711), shell words and file names. */
static bool name_is_good(const char *name, size_t length)
{
    if (!length || length >= SPOOL_NAME)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_-.", name[i]))
            return false;
    return true;
}

static bool name_is_taken(const struct node_list *l, const char *name, size_t length)
{
    for (size_t i = 0; i < l->count; i++)
        if (strlen(l->item[i].name) == length && !memcmp(l->item[i].name, name, length))
            return true;
    return false;
}

bool node_list_add(struct node_list *l, const char *text, char separator, struct drd_error *e)
{
    const char *at = strchr(text, separator);
    size_t length = at ? (size_t)(at - text) : 0;
    const char *command = at ? at + 1 + strspn(at + 1, " \t") : "";
    if (!at || !*command || !name_is_good(text, length))
        return error_set(e, DRD_EXIT_USAGE, "%.60s: not a node; write NAME%c%sCOMMAND, NAME of letters, digits, _ - .", text,
                         separator, separator == ':' ? " " : "");
    if (name_is_taken(l, text, length))
        return error_set(e, DRD_EXIT_USAGE, "%.*s: two nodes of this name", (int)length, text);
    if (l->count + 1 >= SPOOL_NODES)
        return error_set(e, DRD_EXIT_USAGE, "more than %d nodes", SPOOL_NODES - 1);
    struct recorder_node *item = realloc(l->item, (l->count + 1) * sizeof *item);
    if (!item)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    l->item = item;
    item[l->count] = (struct recorder_node){strndup(text, length), strdup(command)};
    return (item[l->count].name && item[l->count++].command) || error_set(e, DRD_EXIT_CANNOT, "out of memory");
}

bool procfile_read(struct node_list *l, const char *path, struct drd_error *e)
{
    char *line = NULL;
    size_t capacity = 0, number = 0, before = l->count;
    ssize_t n;
    bool ok = true;
    FILE *f = fopen(path, "re");
    if (!f)
        return error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
    while (ok && (n = getline(&line, &capacity, f)) >= 0) {
        number++;
        while (n && isspace((unsigned char)line[n - 1]))
            line[--n] = 0;
        const char *text = line + strspn(line, " \t");
        if (*text && *text != '#' && !(ok = node_list_add(l, text, ':', e)))
            error_wrap(e, "%s, line %zu", path, number);
    }
    if (ok && ferror(f))
        ok = error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
    if (ok && l->count == before)
        ok = error_set(e, DRD_EXIT_USAGE, "%s: no node in it; its lines are \"name: command\"", path);
    free(line);
    fclose(f);
    return ok;
}
