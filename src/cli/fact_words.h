/* Facts of Raft in words, for people: what an event of a node means. Terms as in the Raft paper. */
#ifndef DRD_CLI_FACT_WORDS_H
#define DRD_CLI_FACT_WORDS_H

#include <stdio.h>

#include "protocol/protocol.h"

/* "RequestVote", "AppendEntriesResult", ...; the protocol's own word for other messages. */
const char *fact_message_type(enum raft_type type);

/* On one line without its end. `peer` is how to call the other node of a message, or whom it voted for. */
void fact_line(const struct raft_fact *fact, const char *peer, FILE *out);

/* The fields of a message, an indented line each. */
void fact_message_fields(const struct raft_message *m, FILE *out);

#endif
