/* What the commands of src/replay/gdb.py ask about the process that gdb is on. */
#ifndef DRD_CLI_GDB_ANSWERS_H
#define DRD_CLI_GDB_ANSWERS_H

#include <stdio.h>

#include "replay/replay.h"
#include "store/store.h"

struct gdb_answers;

/* The store and the processes are borrowed. `number` is the process that gdb is on. NULL: out of memory. */
struct gdb_answers *gdb_answers_create(struct store *s, const struct store_process *process, size_t count, uint32_t number);
void gdb_answers_destroy(struct gdb_answers *a); /* accepts NULL */

/* For replay_options.answer; the context is a struct gdb_answers. */
void gdb_answers_give(void *context, struct replay_debugged *d, const char *request, FILE *out);

#endif
