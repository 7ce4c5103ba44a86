/* Who takes part: the nodes of a run, and the processes that they ran as. */
#ifndef DRD_EXPORT_CAST_H
#define DRD_EXPORT_CAST_H

#include "store/store.h"

#define CAST_EVENT 128 /* room for the name of an event */

struct cast {
    const struct store_process *process; /* not owned */
    size_t processes;
    const char **name;  /* of each node, in order of its first process */
    char (*word)[64];   /* the same as one word of printable ASCII, no two alike */
    size_t nodes;
    uint32_t *node;     /* of each process, in the order of `process` */
};

bool cast_init(struct cast *c, const struct store_process *process, size_t processes); /* false: out of memory */
void cast_fini(struct cast *c);
const struct store_process *cast_process(const struct cast *c, uint32_t number); /* NULL if there is none */
int cast_node(const struct cast *c, uint32_t number); /* -1: no such process */
/* "n2@4711" */
const char *cast_event(const struct cast *c, uint32_t number, uint64_t sequence, char out[CAST_EVENT]);
/* The node of a process: its name, and that as one word. "?" if there is none. */
const char *cast_word(const struct cast *c, uint32_t number);
const char *cast_name(const struct cast *c, uint32_t number);

#endif
