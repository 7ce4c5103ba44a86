/* The end of a run: what is left of all streams, the facts, the state. */
#ifndef DRD_RECORD_FINISH_H
#define DRD_RECORD_FINISH_H

#include "record/lane.h"

struct run_summary {
    unsigned nodes, processes;
    uint64_t events, bytes; /* of stream */
    bool complete;
    char incomplete[300];   /* "n2@4711: --max-size was reached" of the first stream that is cut off */
};

/* Adopt processes that have become readable, and note those that are not recorded by calling `unrecorded` (may be NULL). */
bool finish_adopt(struct lanes *l, uint32_t process, void (*unrecorded)(void *context, const char *text), void *context,
                  struct drd_error *e);

/* Drain every process that is not done, close its row, set facts and state. `alive` says which processes go on; theirs
 * is `reason`. */
bool finish_run(struct lanes *l, bool (*alive)(const struct lanes *l, uint32_t process), const char *reason,
                struct run_summary *out, struct drd_error *e);

/* When nothing more can be written: try to leave the word "incomplete" and why, in the pages the file has. No worker may be
 * draining. */
void finish_broken(struct lanes *l, const char *why, struct run_summary *out);

bool finish_fact_time(struct store *s, const char *key, struct drd_error *e); /* now, RFC 3339 */

#endif
