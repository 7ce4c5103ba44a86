/* The recorder's unix socket: one line in, one line out. "cut n1 n2" is answered "ok", "warning ...", or "error CODE ...".
 * Both ends stand here. */
#ifndef DRD_RECORD_CONTROL_H
#define DRD_RECORD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "record/faults.h"

#define CONTROL_LINE 4096

struct control;

struct control *control_create(uv_loop_t *loop, const char *path, struct faults *faults, struct drd_error *e);
/* To be called every few milliseconds: answers those whose cut has been seen by all. True while somebody waits. */
bool control_step(struct control *c);
void control_destroy(struct control *c); /* closes its handles; the loop must run once more */

/* The other end: ask the recorder of this run. `warning` gets what it warned of, or "". */
bool control_ask(int count, char *const *word, char *warning, size_t size, struct drd_error *e);

#endif
