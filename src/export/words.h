/* What messages and events are called, in the terms of the Raft paper. All that comes out is printable ASCII: most of it
 * goes back to bytes that a node received. */
#ifndef DRD_EXPORT_WORDS_H
#define DRD_EXPORT_WORDS_H

#include "export/feed.h"
#include "export/track.h"

/* "AppendEntries of term 5, 2 entries after 3 (term 2), commit 3". Added behind what `out` holds already, after "; ". */
void words_message(const struct raft_message *m, char *out, size_t size);
/* The message of a feed: its text, else its name and size. */
const char *words_feed(const struct feed_message *m, char *out, size_t size);
/* Who is at the other end: "n2", else its address, else that it is not recorded. */
const char *words_peer(const struct cast *cast, const struct feed_message *m, bool of_sender, char out[FEED_TEXT]);
/* "becomes leader of term 5" */
void words_change(const struct track_change *change, char *out, size_t size);
/* What happens to a process: "starts", "is cut off from s1"; false: the fact is none of these. */
bool words_incident(const struct raft_fact *fact, char *out, size_t size);
/* Make text of others printable, in place. */
char *words_clean(char *text);
/* The same of a name, and without blanks: what a format takes as one word. */
const char *words_token(const char *name, char *out, size_t size);

#endif
