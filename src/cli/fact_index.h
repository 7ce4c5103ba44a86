/* What the events of one process mean in Raft: read once from the run, kept outside memory, found by event and by kind. */
#ifndef DRD_CLI_FACT_INDEX_H
#define DRD_CLI_FACT_INDEX_H

#include <stdio.h>

#include "store/store.h"

struct fact_index;

/* Walk the whole run. NULL: a damaged run, out of memory, no room for a temporary file. */
struct fact_index *fact_index_read(struct store *s, const struct store_process *process, size_t count, uint32_t number,
                                   struct drd_error *e);
void fact_index_destroy(struct fact_index *x); /* accepts NULL */

/* "message", "send", "vote", "commit", "write", a type of message or the protocol's own word for it, with * and ? in it. False: no
 * word for what is kept here; then it may be a kind of event. */
bool fact_kind_exists(const struct fact_index *x, const char *kind);

/* The first event from `from` on, or the last before it (`back`), that means something of this kind. */
bool fact_index_find(const struct fact_index *x, const char *kind, uint64_t from, bool back, uint64_t *found);

/* A line for everything that this event means, each after two blanks; `fields`: of messages only, in full. How many. */
size_t fact_index_print(struct fact_index *x, uint64_t sequence, bool fields, FILE *out);

#endif
