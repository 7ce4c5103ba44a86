/* raftkv: all bytes that leave a node, to other nodes and to its disk. Version 1.
 *
 * Everything is little endian and packed as the structs below say; x86-64 lays them out so, without padding.
 *
 * BETWEEN NODES
 * A node opens one TCP connection to every other member, at the address the configuration gives, and sends all it has to
 * say to that member on it: requests and replies. What it hears comes on the connections that others opened to it. A
 * connection begins with one `wire_hello`, which names the sender. Then messages follow, each a `wire_header`, the body of
 * its type, and for some what the body announces. A message of another version, an unknown type or an impossible length
 * closes the connection. Nothing is repeated by the transport: what cannot be sent is dropped, and Raft sends anew.
 *
 * `term` in the header is the sender's current term, as Figure 2 wants it in every RPC and reply; but for a pre-vote
 * request, where it is the term the sender would campaign in (its current term + 1).
 *
 * An entry's index is not sent: the i-th entry (from 0) of an AppendEntries has index prev_log_index + 1 + i.
 *
 * ENTRIES
 * WIRE_COMMAND's content is text without a final NUL: "KEY=VALUE" (put), "KEY++CLIENT#SEQ" (add one, once for each SEQ of a
 * client). WIRE_NOOP has no content: every leader begins its term with one. WIRE_CONFIGURATION's content is text: members
 * separated by one blank, "ID=HOST:PORT" a voter, "ID~HOST:PORT" a learner, which gets entries but neither votes nor counts.
 * Index 1, term 1 is the first configuration, the same on all servers that were started with --members.
 *
 * ON DISK, in --dir
 * vote      Two slots at offsets 0 and 512, one `file_vote` each. The one with a right checksum and the higher sequence
 *           holds: slots are written in turn (pwrite, fdatasync), so that a torn write leaves the one before.
 * log       A `file_log`, then records: a `file_record` and `length` bytes. Only ever appended to (write, fdatasync before
 *           anything is said that depends on it). A truncation is a record of type FILE_TRUNCATE, whose index is the last
 *           that remains. An entry's record has the index that follows the last. The first record with a wrong checksum or
 *           cut short ends the log: it was being written when the node died, and goes by ftruncate at the next start.
 *           Compaction writes a new log beside it (log.tmp, fsync), renames it to log, and fsyncs the directory.
 * snapshot  A `file_snapshot`, the configuration as text, sessions, pairs. Written beside (snapshot.tmp, fsync, rename,
 *           fsync of the directory), before the log loses anything. The body of InstallSnapshot is this file.
 *
 * All checksums are FNV-1a of 64 bits: of a struct, taken with its `checksum` as 0, and of all that follows it. */
#ifndef RAFTKV_WIRE_H
#define RAFTKV_WIRE_H

#include <stdint.h>

enum {
    WIRE_VERSION = 1,
    WIRE_MESSAGE_MAX = 4 << 20,
    WIRE_BATCH_MAX = 1024,      /* entries in one AppendEntries */
    WIRE_CONTENT_MAX = 1024,    /* bytes in one entry */
    WIRE_ADDRESS = 48
};

#define WIRE_MAGIC "RKVH" /* first four bytes of a connection */

struct wire_hello {
    char magic[4];
    uint32_t version;
    uint64_t id; /* of the sender */
    char address[WIRE_ADDRESS]; /* where it listens, NUL-terminated, the rest zeros */
};

enum wire_type {
    WIRE_REQUEST_VOTE = 1,
    WIRE_VOTE_REPLY,
    WIRE_APPEND_ENTRIES,
    WIRE_APPEND_REPLY,
    WIRE_INSTALL_SNAPSHOT,
    WIRE_SNAPSHOT_REPLY,
    WIRE_TIMEOUT_NOW /* no body */
};

enum wire_flag {
    WIRE_PRE_VOTE = 1, /* REQUEST_VOTE, VOTE_REPLY: nobody's term or vote changes */
    WIRE_TRANSFER = 2  /* REQUEST_VOTE: the leader asked for it by TimeoutNow, so it is answered although one is heard */
};

struct wire_header {
    uint32_t length; /* of the whole message, this header included */
    uint8_t version;
    uint8_t type;    /* enum wire_type */
    uint16_t flags;  /* enum wire_flag */
    uint64_t from;   /* id of the sender: candidateId, leaderId */
    uint64_t term;
};

struct wire_request_vote {
    uint64_t last_log_index;
    uint64_t last_log_term;
};

struct wire_vote_reply {
    uint64_t asked;   /* term of the request that it answers */
    uint64_t granted; /* 0 or 1 */
};

struct wire_append_entries {
    uint64_t prev_log_index;
    uint64_t prev_log_term;
    uint64_t leader_commit;
    uint64_t round; /* counts the leader's broadcasts; the reply repeats it: it confirms leadership for reads */
    uint32_t count; /* of the entries that follow */
    uint32_t unused;
};

struct wire_entry { /* `length` bytes of content follow */
    uint64_t term;
    uint32_t type; /* enum wire_entry_type */
    uint32_t length;
};

enum wire_entry_type { WIRE_COMMAND = 1, WIRE_NOOP, WIRE_CONFIGURATION };

struct wire_append_reply {
    uint64_t success;        /* 0 or 1 */
    uint64_t prev_log_index; /* of the request */
    uint64_t match_index;    /* success: prev_log_index + count of the request */
    uint64_t last_log_index; /* refused: where the follower's log ends, or the last index before the conflicting term */
    uint64_t round;          /* of the request */
};

struct wire_install_snapshot { /* `length` bytes of the snapshot file follow */
    uint64_t last_index;
    uint64_t last_term;
    uint64_t round;
    uint32_t length;
    uint32_t unused;
};

struct wire_snapshot_reply {
    uint64_t last_index; /* of the snapshot now on the follower's disk, or not needed; 0: refused, the term says why */
    uint64_t round;
};

#define FILE_VOTE_MAGIC "RKVT"
#define FILE_LOG_MAGIC "RKVL"
#define FILE_SNAPSHOT_MAGIC "RKVS"

enum { FILE_VOTE_SLOT = 512 };

struct file_vote {
    char magic[4];
    uint32_t version;
    uint64_t sequence; /* grows with every write */
    uint64_t term;
    uint64_t voted_for; /* 0: nobody in this term */
    uint64_t checksum;
};

struct file_log {
    char magic[4];
    uint32_t version;
    uint64_t base_index; /* of the entry before the first record; 0: none was dropped */
    uint64_t base_term;
    uint64_t checksum;
};

struct file_record {
    uint64_t checksum; /* of the rest of this struct and the content */
    uint64_t index;
    uint64_t term;   /* 0 in FILE_TRUNCATE */
    uint32_t type;   /* enum wire_entry_type, or FILE_TRUNCATE */
    uint32_t length; /* of the content */
};

enum { FILE_TRUNCATE = 16 };

struct file_snapshot {
    char magic[4];
    uint32_t version;
    uint64_t last_index;
    uint64_t last_term;
    uint64_t digest; /* of the state: chained over all commands applied */
    uint64_t checksum;
    uint64_t configuration_index;  /* of the entry that gave the configuration below */
    uint32_t configuration_length; /* bytes of text, first behind this struct */
    uint32_t sessions;             /* then so many file_session */
    uint32_t pairs;                /* then so many file_pair */
    uint32_t unused;
};

struct file_session {
    char client[24];
    uint64_t seq;   /* of its latest command that was applied */
    uint64_t value; /* and the answer it got */
};

struct file_pair {
    char key[24];
    char value[40];
};

#endif
