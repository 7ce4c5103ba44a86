/* "90s", "10min", "2h": how long a command may go on. */
#ifndef DRD_CLI_DURATION_H
#define DRD_CLI_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* The value of --for, in seconds. */
bool duration_read(const char *text, uint64_t *seconds, struct drd_error *e);

#endif
