/* What a protocol adapter is: one file, one row in protocol_adapters[] (walk.c), these functions.
 *
 * The walk cuts the byte stream of each direction of a connection, as each end saw it, into messages with frame() and
 * hands every complete one to message(). Writes to files go to file_write() in the order of their completion. The adapter
 * answers with facts. All bytes are hostile: frame() says so by WAY_FOREIGN, and the rest of that direction is left alone. */
#ifndef DRD_PROTOCOL_ADAPTER_H
#define DRD_PROTOCOL_ADAPTER_H

#include "protocol/flow.h"
#include "protocol/protocol.h"

/* A message longer than this is recognised and skipped, not decoded: no Raft message that matters is, but snapshots. */
#define WAY_MESSAGE_MAX (16u << 20)
#define WAY_FOREIGN SIZE_MAX

struct walk;

/* One direction of a connection at one end. */
struct way {
    struct flow_end *end;
    enum flow_way direction;
    const struct protocol_adapter *adapter; /* NULL: not known, or given up */
    uint64_t scan[2];      /* frame()'s place in the message it has not seen the end of; zeroed before each message */
    char sender[RAFT_NODE_NAME]; /* the sending node's id, where the connection itself tells it */
    unsigned messages;     /* decoded so far */
    bool given_up;
    uint8_t *buffer;       /* the message that is not complete */
    size_t held, capacity;
    uint64_t need, passed; /* its whole length, 0: unknown; how much of it has been seen (`held` of it kept) */
    uint64_t total, told;  /* bytes fed so far, and those told as messages */
    uint64_t end_offset;   /* of the message at hand: where it ends in the direction */
    unsigned told_of;      /* the message at hand: Raft messages told of it so far */
};

struct protocol_adapter {
    const char *name;
    void *(*create)(void); /* state for one walk; NULL: out of memory */
    void (*destroy)(void *state);

    /* The first bytes of a direction: 1 mine, 0 not mine, -1 more are needed. */
    int (*probe)(const uint8_t *bytes, size_t length);
    /* Length of the message at `bytes`, 0 if its end is not seen, WAY_FOREIGN if there cannot be one. A length may be
     * given before all bytes are there. Called again with more; `way->scan` is the adapter's to remember how far it was. */
    size_t (*frame)(struct way *way, const uint8_t *bytes, size_t length);
    /* Decode one message (only its first WAY_MESSAGE_MAX bytes if it is longer; `whole` is its length) into facts and
     * into name[32], what it is called. False: it makes no sense. */
    bool (*message)(void *state, struct walk *w, struct way *way, const uint8_t *bytes, size_t length, size_t whole,
                    const struct flow_at *at, char name[32]);

    /* Whether bytes that are written to a file, or read from it, belong to this protocol; from then on all of that file do,
     * as long as anybody has it open. Of a file that nobody wrote to or read from, only the path is known (`length` 0).
     * May be NULL, as the rest. */
    bool (*file_mine)(const struct flow_write *content);
    /* What the adapter remembers of a file: one for what is written to it, and one for each process that opened and reads it. */
    void *(*file_create)(void *state, const char *path);
    void (*file_destroy)(void *file);
    /* Facts go to walk_file_fact. */
    void (*file_write)(void *state, struct walk *w, void *file, const struct flow_write *write);
    /* The bytes that a process read, in the order of its reads, `offset` where they stand in the file. */
    void (*file_read)(void *state, struct walk *w, void *file, const struct flow_write *content);
    void (*resized)(void *state, struct walk *w, const char *path, uint64_t size, const struct flow_at *at); /* ftruncate, O_TRUNC */
    void (*renamed)(void *state, struct walk *w, const char *from, const char *to, const struct flow_at *at);
    void (*removed)(void *state, struct walk *w, const char *path, const struct flow_at *at);
    void (*listed)(void *state, struct walk *w, const char *directory, struct trace_bytes dirents, const struct flow_at *at);

    /* A named event (TRACE_MARK). */
    void (*mark)(void *state, struct walk *w, const struct trace_event *event, const struct flow_at *at);
};

extern const struct protocol_adapter adapter_ovsdb, adapter_libraft, adapter_pysyncobj, adapter_raftkv, adapter_mark;

/* --- what adapters call --- */

/* Tell a fact now; process, sequence, time and protocol are filled in from `at` and `a`. */
void walk_fact(struct walk *w, const struct protocol_adapter *a, const struct flow_at *at, struct raft_fact *fact);
/* Tell a message: SENT or RECEIVED by the way it went. Fills in `length` and, where `m` says nothing, from and to. */
void walk_message(struct walk *w, struct way *way, const struct flow_at *at, struct raft_message *m, size_t length);
/* A fact that the bytes at hand show. From file_write: told as written, and again when that write has become durable, with
 * the event that made it so. From file_read: told as loaded. Callable from these two only. */
void walk_file_fact(struct walk *w, const struct raft_fact *fact);
/* The node behind a process states its own id. */
void walk_node(struct walk *w, const struct protocol_adapter *a, const struct flow_at *at, const char *id);
/* The node with this id is reached at this address ("127.0.0.1:9001"). */
void walk_address(struct walk *w, const char *address, const char *id);

/* Fill type-independent parts of an entry: digest over type and content, text from the content. */
void entry_content(struct raft_entry *entry, char type, const void *content, size_t length);
/* The printable start of some bytes, cut with "..."; hex if they are not text. */
void entry_text(char *out, size_t size, const void *content, size_t length);

#endif
