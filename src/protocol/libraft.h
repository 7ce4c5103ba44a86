/* What the two halves of the libraft adapter share: the wire (libraft.c) and the store (libraft_store.c). */
#ifndef DRD_PROTOCOL_LIBRAFT_H
#define DRD_PROTOCOL_LIBRAFT_H

#include <string.h>

#include "protocol/adapter.h"

#define HEADER_MAX (WAY_MESSAGE_MAX / 2)
#define ENTRIES_MAX (HEADER_MAX / 16)
#define ENTRY_HEADER 16 /* {u64 term, u8 type, 3 unused, u32 length}, on the wire and on disk */

enum entry_type { ENTRY_COMMAND = 1, ENTRY_BARRIER, ENTRY_CHANGE };

static inline uint64_t u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

uint64_t libraft_entries_length(const uint8_t *headers, uint64_t n);
/* The configuration as in RAFT_FACT_CONFIGURATION, or with addresses for people. malloc'ed; NULL: it is none. */
char *libraft_configuration(const uint8_t *p, size_t length, bool people);
void libraft_configuration_known(struct walk *w, const uint8_t *p, size_t length); /* tell the walk who is where */
/* Fills in all but the index; entry->members is the caller's to free. */
void libraft_entry(struct walk *w, struct raft_entry *entry, const uint8_t *header, const uint8_t *data, size_t length);

void *libraft_store_create(void);
void libraft_store_destroy(void *state);
bool libraft_file_mine(const struct flow_write *content);
void *libraft_file_create(void *state, const char *path);
void libraft_file_destroy(void *file);
void libraft_file_write(void *state, struct walk *w, void *file, const struct flow_write *write);
void libraft_file_read(void *state, struct walk *w, void *file, const struct flow_write *content);
void libraft_renamed(void *state, struct walk *w, const char *from, const char *to, const struct flow_at *at);
void libraft_removed(void *state, struct walk *w, const char *path, const struct flow_at *at);
void libraft_listed(void *state, struct walk *w, const char *path, struct trace_bytes dirents, const struct flow_at *at);

#endif
