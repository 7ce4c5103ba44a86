/* Addresses of recorded processes by name: what the files that they had mapped call them. */
#ifndef DRD_REPLAY_SYMBOLS_H
#define DRD_REPLAY_SYMBOLS_H

#include <stdint.h>

#include "store/store.h"

struct symbols;

/* Reads nothing before something is asked. NULL: out of memory, and what follows does nothing. */
struct symbols *symbols_create(struct store *s);
void symbols_destroy(struct symbols *y);

/* What stood at this address of a process; NULL if that cannot be told. Lives as long as *y. */
const char *symbols_at(struct symbols *y, uint32_t process, uint64_t address);

/* A timer holds its callback as an address, because the shim cannot read files: put the name in its place. Other events,
 * and addresses without a name, stay as they are. event->process must be filled. */
void symbols_name_callback(struct symbols *y, struct trace_event *event);

#endif
