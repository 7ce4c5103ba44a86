/* From bytes to Raft: what an adapter makes of the messages, the durable writes and the marks of a node.
 *
 * An adapter is one file and one row in protocol_adapters[]. It sees the byte streams of TCP and unix connections as
 * each end saw them, and what each node wrote to files, and says which facts of the Raft paper they show. Adapters get
 * hostile bytes: bounded work, bounded memory, no crash; a connection that stops making sense is given up. */
#ifndef DRD_PROTOCOL_PROTOCOL_H
#define DRD_PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* Raft RPCs (Figure 2, Figure 13, and the dissertation's TimeoutNow). */
enum raft_type {
    RAFT_NONE = 0,
    RAFT_REQUEST_VOTE, RAFT_REQUEST_VOTE_RESULT,
    RAFT_APPEND_ENTRIES, RAFT_APPEND_ENTRIES_RESULT,
    RAFT_INSTALL_SNAPSHOT, RAFT_INSTALL_SNAPSHOT_RESULT,
    RAFT_TIMEOUT_NOW,
    RAFT_OTHER, /* a message of the protocol that is not one of these: `name` says which */
    RAFT_CLIENT_REQUEST, /* what a client asks of a node, and what it is told */
    RAFT_CLIENT_RESULT,
};

#define RAFT_NODE_NAME 64

struct raft_entry {
    uint64_t index, term;
    uint64_t digest;      /* XXH3-64 of type and content; equal entries have equal digests on all nodes of a run */
    char type;            /* 'c' command, 'n' no-op or barrier, 'm' membership, '?' */
    char text[48];        /* what people recognise it by: printable start of the content, cut with "..." */
    const char *members;  /* type 'm', where it can be read: the configuration as in RAFT_FACT_CONFIGURATION. NULL: unknown.
                             Valid during the callback */
};

/* One fact, with the event that shows it. */
enum raft_fact_kind {
    RAFT_FACT_SENT,       /* `message` left the node */
    RAFT_FACT_RECEIVED,   /* `message` was read by the node */
    RAFT_FACT_TERM,       /* term is now `term`           (durable or stated by a mark) */
    RAFT_FACT_VOTE,       /* voted for `peer` in `term` */
    RAFT_FACT_ROLE,       /* is follower/candidate/leader (`role`) of `term` */
    RAFT_FACT_APPEND,     /* `entry` is in the log at its index; later ones are gone if it replaces one of another term */
    RAFT_FACT_TRUNCATE,   /* nothing after `index` remains */
    RAFT_FACT_REWRITTEN,  /* another file is the log from here on: what it holds begins after `index` of `term` and ends with
                             entry.index. Its entries were told when they were written to that file */
    RAFT_FACT_COMMIT,     /* commit_index is `index` */
    RAFT_FACT_APPLY,      /* `entry` (index, term) was applied; entry.digest: of the state, 0 unknown. Term 0: all up to this
                             index was, this is how far the node is */
    RAFT_FACT_SNAPSHOT,   /* log starts after `index` of `term`; entry.digest: of the state, 0 unknown */
    RAFT_FACT_CONFIGURATION, /* from `index` on, `text`: ids of the voters separated by blanks, learners with a "*" behind,
                                old and new of a joint configuration separated by "|" */
    RAFT_FACT_NODE,       /* the node states its own id in the protocol: `peer` */
    RAFT_FACT_START,      /* the process began: what it reads of its files before its first message is what it remembers */
    RAFT_FACT_FAULT,      /* drd fault: `text` what ("cut", "refuse", "heal"), `peer` the DRD name of the other node, or "" */
    RAFT_FACT_WRITE_FAILED, /* a write, fsync or the like of a file of the protocol failed: `text` "fsync log: EIO" */
    RAFT_FACT_TEXT,       /* `text`: free words of a mark; no rule depends on it */
};

struct raft_message {
    enum raft_type type;
    uint64_t id;          /* the same at both ends of a connection, and nowhere else in the run; 0: unknown */
    char name[32];        /* the protocol's own word: "append_request" */
    char from[RAFT_NODE_NAME], to[RAFT_NODE_NAME]; /* ids in the protocol; "" unknown */
    uint64_t term;
    uint64_t prev_index, prev_term; /* AppendEntries; last log index and term in RequestVote and TimeoutNow;
                                       last included index and term in InstallSnapshot */
    uint64_t commit;      /* leader_commit */
    uint64_t match;       /* results: last index that is acknowledged (success), or the hint (refused) */
    bool success;         /* results: granted, accepted */
    bool pre_vote;
    bool may_disregard;   /* RequestVote: no pre-vote, of a protocol whose servers disregard it while they hear a leader, unless
                             that leader asked for the election (section 6; dissertation, 3.10 and 4.2.3) */
    char vote[RAFT_NODE_NAME]; /* RequestVoteResult: whom the sender voted for, where it says */
    uint64_t asked;       /* RequestVoteResult: term of the request that it answers, where it says; 0 unknown */
    uint64_t round;       /* a result has that of the AppendEntries or InstallSnapshot it answers, where it says; 0 unknown */
    size_t entries;       /* AppendEntries; InstallSnapshot: one of type 'm', the configuration, where it can be read */
    const struct raft_entry *entry;
    size_t length;        /* bytes on the wire */
    /* RAFT_CLIENT_REQUEST and _RESULT only. entry[0] is the command of a request that asks for one (digest as in the log);
     * `match` the index that a result names, `success` that the client may rely on it. */
    char request[48];     /* the same in a request and its result, and in no other */
    char once[48];        /* the same in a request and its repetitions, whose command is to be applied once; "" unknown */
    char key[48];         /* what is read or written; "" unknown */
    bool read;            /* asks for the state and is promised one that no acknowledged write is missing in (linearizable);
                             reads without that promise are RAFT_OTHER */
    uint64_t value;       /* digest of what a read was told or a write puts: equal for equal values; 0 nothing or unknown */
};

struct raft_fact {
    enum raft_fact_kind kind;
    uint32_t process;     /* of the node that shows it */
    uint64_t sequence;    /* its event */
    uint32_t thread;      /* that did it; 0 the main thread */
    uint64_t time;        /* ns */
    /* Facts that files show come at the write (`written`), and once more when they are on stable storage (`durable`, with
     * `again` if they came before): sequence and time are then those of the fsync. `loaded`: the node read it back. */
    bool written, durable, again, loaded;
    const char *protocol; /* adapter name */
    uint64_t term, index;
    int role;             /* 0 follower, 1 candidate, 2 leader, 3 learner */
    char peer[RAFT_NODE_NAME];
    struct raft_entry entry;
    const struct raft_message *message; /* SENT, RECEIVED; valid during the callback */
    const char *text;
};

typedef void (*raft_fact_fn)(void *context, const struct raft_fact *fact);

/* Walk the whole run in causal order and hand every fact to `fn`. Memory in proportion to open connections and files,
 * not to the run. Returns false on a damaged run. */
bool protocol_walk(struct store *s, raft_fact_fn fn, void *context, struct drd_error *e);

/* Make the rows people query (connection, message, timer, draw, durable_write, mark) if they are missing or of an older
 * version. `progress` may be NULL: called with events done and total. */
bool protocol_index(struct store *s, void (*progress)(void *context, uint64_t done, uint64_t total), void *context,
                    struct drd_error *e);

#endif
