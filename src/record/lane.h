/* From the spool into the run file: one lane for each recorded process. Used by the recorder and by repair. */
#ifndef DRD_RECORD_LANE_H
#define DRD_RECORD_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/naming.h"
#include "record/spool.h"
#include "store/store.h"
#include "trace/reader.h"

#define LANE_CHUNK (512u << 10) /* bytes of stream that make a chunk; less only at the end of a process. Measured on libraft
                                 * and ovsdb-server: 4 % smaller than 256 KiB; 1 MiB gains 3 % more and costs readers memory */

enum lane_phase {
    LANE_WAITING, /* claimed a number, not yet ready */
    LANE_ACTIVE,
    LANE_DONE,    /* all of it is in the run file */
    LANE_SKIPPED, /* never recorded */
};

struct lane {
    enum lane_phase phase;
    struct trace_state state;   /* before the first record not yet stored */
    uint64_t offset;            /* bytes of stream stored */
    uint64_t segment;           /* first one not yet deleted */
    struct store_process row;
    int pidfd;                  /* -1 where the kernel refuses one */
    bool changed;               /* row differs from what is stored */
};

/* How a process ended that nobody has adopted yet. */
struct lane_tell {
    int pid;
    int32_t status;  /* as waitpid(2) gives it */
    uint64_t time;   /* ns CLOCK_MONOTONIC */
};
#define LANE_TELLS 256

struct lanes {
    struct store *store;
    struct spool *spool;
    struct naming naming;
    struct lane *lane;          /* indexed by process number; 0 is the recorder itself */
    uint32_t count, capacity;
    uint8_t *buffer;            /* a piece of stream on its way */
    size_t buffer_size;
    uint64_t drained;           /* bytes of all streams stored so far */
    struct lane_tell told[LANE_TELLS];
    size_t tells;
};

bool lanes_init(struct lanes *l, struct store *store, struct spool *spool, struct drd_error *e);
void lanes_fini(struct lanes *l);

/* Make room for the process numbers claimed since the last call. */
bool lanes_extend(struct lanes *l, struct drd_error *e);
/* A process has become readable: name it, make its row. */
bool lane_adopt(struct lanes *l, uint32_t process, struct drd_error *e);
/* Store all whole chunks; with `last` what is left as well. */
bool lane_drain(struct lanes *l, uint32_t process, bool last, struct drd_error *e);
/* The process is over, or goes on unrecorded: store the rest and close its row. `reason` says why it is cut off; NULL: it
 * has ended, and what a kill left half-written is stored as a call begun. */
bool lane_finish(struct lanes *l, uint32_t process, const char *reason, struct drd_error *e);

/* Within a transaction: write the rows that changed. */
bool lanes_put_rows(struct lanes *l, struct drd_error *e);
/* After the commit: the bytes are safe, their segments can go. */
void lanes_committed(struct lanes *l);
/* Number the events of all nodes and store all rows: the last thing before the run is closed. */
bool lanes_close(struct lanes *l, struct drd_error *e);

uint64_t lanes_backlog(const struct lanes *l); /* bytes in the spool not yet stored */

#endif
