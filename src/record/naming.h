/* What a process is called: its node and which incarnation of that node it belongs to.
 *
 * A process with DRD_NODE belongs to the node of that name. One whose parent is of the same node (also itself before
 * execve) is of the parent's incarnation; any other is the next incarnation: somebody started the node again. A process
 * without DRD_NODE is a node of its own, named by its program and a number: "sh#1", "sh#2". */
#ifndef DRD_RECORD_NAMING_H
#define DRD_RECORD_NAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct naming {
    struct naming_count *list; /* names met and how often */
    size_t count;
};

void naming_fini(struct naming *n);

/* Fill p->node and p->incarnation. `node` is DRD_NODE or "", `program` the base name, `parent` NULL where unknown. */
bool naming_assign(struct naming *n, struct store_process *p, const char *node, const char *program,
                   const struct store_process *parent);

/* The numbers of a run's events go on from one process of a node to the next: set event_base of all. Sorts the list by
 * node and number. */
void naming_number_events(struct store_process **list, size_t count);

#endif
