/* What the parts of the raftkv adapter share: raftkv.c, the messages; raftkv_files.c, the files; raftkv_client.c, what clients
 * say; raftkv_shape.c, which entries a log file holds. The formats are those of tests/nodes/raftkv/wire.h and client.c; tests/unit/protocol_raftkv_test.c compares the numbers
 * below with them. Everything is little endian. */
#ifndef DRD_PROTOCOL_RAFTKV_H
#define DRD_PROTOCOL_RAFTKV_H

#include <string.h>

#include "protocol/adapter.h"
#include "protocol/map.h"

enum { RAFTKV_VERSION = 1, RAFTKV_MESSAGE_MAX = 4 << 20, RAFTKV_BATCH_MAX = 1024, RAFTKV_CONTENT_MAX = 1024, RAFTKV_ADDRESS = 48 };

/* {magic, u32 version, u64 id, address} */
enum { RAFTKV_HELLO = 64, RAFTKV_HELLO_VERSION = 4, RAFTKV_HELLO_ID = 8, RAFTKV_HELLO_ADDRESS = 16 };
/* {u32 length, u8 version, u8 type, u16 flags, u64 from, u64 term} */
enum { RAFTKV_HEADER = 24, RAFTKV_HEADER_VERSION = 4, RAFTKV_HEADER_TYPE = 5, RAFTKV_HEADER_FLAGS = 6, RAFTKV_HEADER_FROM = 8,
       RAFTKV_HEADER_TERM = 16 };
enum raftkv_type { RAFTKV_REQUEST_VOTE = 1, RAFTKV_VOTE_REPLY, RAFTKV_APPEND_ENTRIES, RAFTKV_APPEND_REPLY,
                   RAFTKV_INSTALL_SNAPSHOT, RAFTKV_SNAPSHOT_REPLY, RAFTKV_TIMEOUT_NOW };
enum { RAFTKV_PRE_VOTE = 1, RAFTKV_TRANSFER = 2 };
/* Bodies: {u64 last index, last term}; {u64 asked, granted}; {u64 prev index, prev term, commit, round, u32 count, unused};
 * {u64 success, prev index, match, last index, round}; {u64 last index, last term, round, u32 length, unused};
 * {u64 last index, round} */
enum { RAFTKV_BODY_REQUEST_VOTE = 16, RAFTKV_BODY_VOTE_REPLY = 16, RAFTKV_BODY_APPEND_ENTRIES = 40, RAFTKV_BODY_APPEND_REPLY = 40,
       RAFTKV_BODY_INSTALL_SNAPSHOT = 32, RAFTKV_BODY_SNAPSHOT_REPLY = 16 };
/* {u64 term, u32 type, u32 length} and content */
enum { RAFTKV_ENTRY = 16, RAFTKV_ENTRY_TYPE = 8, RAFTKV_ENTRY_LENGTH = 12 };
enum raftkv_entry { RAFTKV_COMMAND = 1, RAFTKV_NOOP, RAFTKV_CONFIGURATION, RAFTKV_TRUNCATE = 16 };

/* {magic, u32 version, u64 sequence, term, voted for, checksum}, at 0 and at 512 */
enum { RAFTKV_VOTE = 40, RAFTKV_VOTE_SLOT = 512, RAFTKV_VOTE_SEQUENCE = 8, RAFTKV_VOTE_TERM = 16, RAFTKV_VOTE_FOR = 24,
       RAFTKV_VOTE_CHECKSUM = 32 };
/* {magic, u32 version, u64 base index, base term, checksum} */
enum { RAFTKV_LOG = 32, RAFTKV_LOG_BASE = 8, RAFTKV_LOG_BASE_TERM = 16 };
/* {u64 checksum, index, term, u32 type, length} and content */
enum { RAFTKV_RECORD = 32, RAFTKV_RECORD_INDEX = 8, RAFTKV_RECORD_TERM = 16, RAFTKV_RECORD_TYPE = 24, RAFTKV_RECORD_LENGTH = 28 };
/* {magic, u32 version, u64 last index, last term, digest, checksum, configuration's index, u32 its length, sessions, pairs,
 * unused}, the configuration, sessions, pairs */
enum { RAFTKV_SNAPSHOT = 64, RAFTKV_SNAPSHOT_INDEX = 8, RAFTKV_SNAPSHOT_TERM = 16, RAFTKV_SNAPSHOT_DIGEST = 24,
       RAFTKV_SNAPSHOT_CHECKSUM = 32, RAFTKV_SNAPSHOT_MEMBERS_INDEX = 40, RAFTKV_SNAPSHOT_MEMBERS = 48,
       RAFTKV_SNAPSHOT_SESSIONS = 52, RAFTKV_SNAPSHOT_PAIRS = 56, RAFTKV_SESSION = 40, RAFTKV_PAIR = 64 };

static inline uint64_t raftkv_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t raftkv_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The state's digest; that of an empty one is 0, which facts take for unknown. */
#define RAFTKV_EMPTY 0x656d707479u

static inline uint64_t raftkv_digest(uint64_t digest)
{
    return digest ? digest : RAFTKV_EMPTY;
}

struct raftkv {
    struct map servers;  /* processes that are known to be servers: they said hello, or have its files */
    struct map requests; /* of clients, not answered: by connection and tag */
    uint64_t numbered;   /* requests so far */
    struct map shapes;   /* of logs, by path */
};

void raftkv_server(struct raftkv *s, uint32_t process);

/* An entry of the log from its type and content. entry->members is the caller's to free. */
void raftkv_entry(struct walk *w, struct raft_entry *entry, uint32_t type, const uint8_t *content, size_t length);
/* "1=HOST:PORT 4~HOST:PORT" in the form of RAFT_FACT_CONFIGURATION, "1 4*"; the addresses are told to the walk. malloc'ed;
 * NULL: not a configuration. */
char *raftkv_members(struct walk *w, const uint8_t *text, size_t length);

/* --- raftkv_files.c --- */
bool raftkv_file_mine(const struct flow_write *w);
void *raftkv_file_create(void *state, const char *path);
void raftkv_file_destroy(void *file);
void raftkv_file_write(void *state, struct walk *w, void *file, const struct flow_write *write);

/* --- raftkv_shape.c --- */
/* The file begins with its head; a record ends at this offset, and the log with entry `last` there. */
void raftkv_shape_begin(struct raftkv *r, const char *path, uint64_t base, uint64_t base_term);
void raftkv_shape_record(struct raftkv *r, const char *path, uint64_t end, uint64_t last);
void raftkv_shapes_fini(struct raftkv *r);
void raftkv_resized(void *state, struct walk *w, const char *path, uint64_t size, const struct flow_at *at);
void raftkv_renamed(void *state, struct walk *w, const char *from, const char *to, const struct flow_at *at);
void raftkv_removed(void *state, struct walk *w, const char *path, const struct flow_at *at);

/* --- raftkv_client.c --- */
int raftkv_client_probe(const uint8_t *bytes, size_t length);
size_t raftkv_client_frame(const uint8_t *bytes, size_t length);
bool raftkv_client_message(struct raftkv *s, struct walk *w, struct way *way, const uint8_t *bytes, size_t length,
                           const struct flow_at *at, char name[32]);
void raftkv_client_fini(struct raftkv *s);

#endif
