/* A copy of a run without what its processes were given and gave: contents become digests (docs/drd-pack.md, --redact).
 *
 * The digests are keyed with what only the run itself holds, so that nobody can find a content by trying: equal contents of one run
 * have equal digests, and that is all they tell. */
#ifndef DRD_STORE_REDACT_H
#define DRD_STORE_REDACT_H

#include "store/store.h"
#include "util/sha256.h"

#define REDACT_TEXT 18 /* "~" and sixteen hex digits, closed by a zero */

struct redact_key {
    uint8_t byte[SHA256_SIZE];
};

/* From the beginnings of all processes: their environment, and the random bytes that the kernel gave them. */
bool redact_key_make(struct redact_key *key, struct store *run, struct drd_error *e);

/* "~3fa29c11d0e4b7aa"; nothing stays nothing. */
void redact_text(const struct redact_key *key, const void *content, size_t length, char out[REDACT_TEXT]);
/* The same of a number that stands for a content; 0, which is none, stays 0. */
uint64_t redact_number(const struct redact_key *key, uint64_t number);

/* Put the processes of `run` and their streams into `out`: events, results, sizes, times, addresses and names of programs stay. */
bool redact_streams(struct store *run, struct store *out, const struct redact_key *key, struct drd_error *e);

/* Was it redacted? Then it holds the fact "redacted", and nothing can be derived from its streams or re-driven. */
bool redact_is(struct store *s);

#endif
