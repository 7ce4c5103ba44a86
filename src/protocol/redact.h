/* The part of a redacted run (store/redact.h) that is derived: the facts of its adapters, and the rows that people query. */
#ifndef DRD_PROTOCOL_REDACT_H
#define DRD_PROTOCOL_REDACT_H

#include "protocol/protocol.h"
#include "store/redact.h"

/* Make the tables of the rows, empty: before another run is attached, whose tables of these names would be dropped. */
bool protocol_redact_tables(struct store *out, struct drd_error *e);

/* Put both into `out`, whose streams are those of `run` without contents. `run` has been indexed (protocol_index) and
 * its file is attached to the database of `out` as "source". What a command
 * says, keys, values, and the words of marks become digests; indexes, terms, ids of nodes and configurations stay. */
bool protocol_redact(struct store *run, struct store *out, const struct redact_key *key, struct drd_error *e);

#endif
