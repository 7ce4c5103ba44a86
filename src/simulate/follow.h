/* A recorded run, gone on from in the simulated world.
 *
 * The streams are gone through in causal order up to an event. What each record says was done is done to the machine's model:
 * descriptors, files, connections and what is on its way in them, processes, timers. Nothing runs meanwhile. Then every process
 * that lives at that moment is re-driven from its stream, as `drd replay` does, and where its stream has been cut it goes on: it
 * asks the machine from there (shim/follow.c). The streams so far stand in the new run as they were. */
#ifndef DRD_SIMULATE_FOLLOW_H
#define DRD_SIMULATE_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct machine;
struct task;
struct follow;

/* Up to this event of this process number, which is the first that is new. NULL: it cannot be followed, `e` says why. */
struct follow *follow_open(const char *run, uint32_t process, uint64_t event, struct drd_error *e);
void follow_close(struct follow *f); /* accepts NULL */
/* A fact of the recording (store_fact). */
bool follow_fact(struct follow *f, const char *key, char *out, size_t size);
/* Bring the machine to that moment, all processes waiting in it. False: it cannot be done; DRD_EXIT_CANNOT. */
bool follow_go(struct follow *f, struct machine *m, struct drd_error *e);
/* The memory of the process that made the call at hand: what its record holds of it. */
bool follow_user_get(struct machine *m, void *to, int64_t address, uint64_t size);

#endif
