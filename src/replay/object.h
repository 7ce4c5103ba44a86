/* A program or library as it was recorded: the names of the functions in it. */
#ifndef DRD_REPLAY_OBJECT_H
#define DRD_REPLAY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replay/manifest.h"
#include "store/store.h"

struct object;

/* The file here, or the one that is packed in the run. NULL if neither is the one with this build-id: its names would be those
 * of other functions. */
struct object *object_open(struct store *s, const char *path, const struct build_id *recorded);
void object_close(struct object *o); /* accepts NULL */

/* Does it have something at this distance from where it was loaded? */
bool object_covers(const struct object *o, uint64_t offset);

/* "on_tick", "on_tick+0x12", or "server+0x4711" where the file does not say what stands there. */
void object_name_at(const struct object *o, uint64_t offset, char *out, size_t size);

#endif
