/* drd pack --redact. */
#ifndef DRD_CLI_PACK_REDACT_H
#define DRD_CLI_PACK_REDACT_H

#include "store/store.h"

/* Make `out`, which must not exist: the run without contents. `copy` is the name of a file to work on, removed by the caller. */
bool pack_redact(struct store *run, const char *copy, const char *out, struct drd_error *e);

#endif
