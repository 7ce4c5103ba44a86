/* Facts kept in a run: what a walk told, where the bytes that showed it are no longer there (drd pack --redact).
 *
 * Table fact_block: id, length, data: facts one after another, msgpack integers and strings in the order of facts.c, compressed with
 * zstd. They come back in the order in which they were told. */
#ifndef DRD_PROTOCOL_FACTS_H
#define DRD_PROTOCOL_FACTS_H

#include "protocol/protocol.h"

#define FACTS_VERSION "1" /* fact "redacted" of a run: the form of its blocks */

struct facts_writer;
/* Makes the table. Inside a transaction. */
struct facts_writer *facts_writer_create(struct store *s, struct drd_error *e);
bool facts_writer_add(struct facts_writer *w, const struct raft_fact *fact);
/* The last block. False if any of it failed. */
bool facts_writer_end(struct facts_writer *w, struct drd_error *e);
void facts_writer_destroy(struct facts_writer *w); /* accepts NULL */

/* Hand every kept fact to `fn`. False on a damaged run, or one of another version. */
bool facts_walk(struct store *s, raft_fact_fn fn, void *context, struct drd_error *e);

/* walk.c: the name of an adapter, as long as the program runs; "" if there is none of that name. */
const char *protocol_name(const char *name);

#endif
