/* The recorder's side of the spool (trace/spool.h): the shared memory between it and the nodes. */
#ifndef DRD_RECORD_SPOOL_H
#define DRD_RECORD_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/spool.h"
#include "util/error.h"

struct spool {
    char dir[400];
    struct spool_run *run;
    int lock; /* of the directory: held by a living recorder, so that nobody repairs under its hands */
};

/* Make the directory of a new run: under DRD_SPOOL_BASE if set, else /dev/shm, $TMPDIR, or beside the run file. */
bool spool_create(struct spool *s, const char *run_file, struct drd_error *e);
/* Attach to what a dead recorder left; fails while it lives. */
bool spool_open(struct spool *s, const char *dir, struct drd_error *e);
void spool_close(struct spool *s);
void spool_remove(struct spool *s); /* the directory with all it holds, then close */

/* Process numbers claimed so far are 1 .. count - 1. */
uint32_t spool_count(const struct spool *s);
struct spool_process *spool_slot(const struct spool *s, uint32_t process);
enum spool_state spool_state(const struct spool *s, uint32_t process);
uint64_t spool_head(const struct spool *s, uint32_t process);

/* Copy bytes of a stream. */
bool spool_read(const struct spool *s, uint32_t process, uint64_t offset, uint8_t *out, size_t length, struct drd_error *e);
/* Add to a stream that this process itself writes (number 0). */
bool spool_append(struct spool *s, uint32_t process, const uint8_t *data, size_t length, struct drd_error *e);
/* Delete the segments before segment `end`, from *first on; *first is moved. */
void spool_discard(const struct spool *s, uint32_t process, uint64_t *first, uint64_t end);

/* Index of a node's name, 0 if nobody bears it. */
uint32_t spool_node(const struct spool *s, const char *name);
uint32_t spool_node_count(const struct spool *s); /* names are 1 .. count - 1 */

#endif
