/* Procfiles as foreman reads them: lines "name: command", "#" comments, blank lines. */
#ifndef DRD_RECORD_PROCFILE_H
#define DRD_RECORD_PROCFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

struct recorder_node {
    char *name, *command;
};

struct node_list {
    struct recorder_node *item;
    size_t count;
};

void node_list_fini(struct node_list *l);
/* Add NAME=CMD or "name: command", by `separator`. */
bool node_list_add(struct node_list *l, const char *text, char separator, struct drd_error *e);
bool procfile_read(struct node_list *l, const char *path, struct drd_error *e);

#endif
