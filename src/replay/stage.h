/* The private directory a replay runs from: one file per process, a header shared with the shim (struct replay_file)
 * and the stream behind it, expanded. It holds all that the nodes said and read, hence 0700 and gone afterwards. */
#ifndef DRD_REPLAY_STAGE_H
#define DRD_REPLAY_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"
#include "trace/spool.h"

#define STAGE_ROOT "root" /* of a pack: the directory that its programs see as "/" (root.h) */

struct stage {
    char path[sizeof((struct replay_file *)0)->dir];
    int owner; /* descriptor of a locked file in it: while the lock is held, somebody replays from here */
};

/* Under $TMPDIR, else /var/tmp: streams may be larger than memory, so not on a tmpfs by default. What a replay that was
 * killed left there is removed. */
bool stage_init(struct stage *stage, struct drd_error *e);
/* Removes the directory and all in it. Accepts a zeroed stage. */
void stage_fini(struct stage *stage);

/* Removes a directory and all below it; no link leads it out. */
void stage_remove(const char *path);

/* The name of a process's file, or of what its loader wrote to stderr. */
void stage_file(const struct stage *stage, uint32_t process, const char *suffix, char *out, size_t size);

/* Fill in what the shim has to know before it runs. */
void stage_header(struct replay_file *header, const struct stage *stage, uint32_t process, uint64_t bytes, uint64_t until);

/* Expand the stream of a process; returns its header mapped shared, NULL on failure. */
struct replay_file *stage_expand(const struct stage *stage, struct store *s, const struct store_process *p,
                                 uint64_t until, struct drd_error *e);
/* Unmap the header and delete the file of a process. Accepts NULL. */
void stage_drop(const struct stage *stage, uint32_t process, struct replay_file *header);

#endif
