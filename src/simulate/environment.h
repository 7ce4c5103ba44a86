/* The environment that the command of a run had: of all that a simulated run follows from, the part that stands in its first
 * stream and nowhere else, so that drd pack --redact has one place less to think of. */
#ifndef DRD_SIMULATE_ENVIRONMENT_H
#define DRD_SIMULATE_ENVIRONMENT_H

#include "util/error.h"

/* "NAME=value" words, closed by NULL, without what the recorder adds. NULL: the run cannot be read, or does not have it (redacted).
 */
char **environment_of(const char *path, struct drd_error *e);
void environment_free(char **word); /* accepts NULL */

#endif
