/* raftkv: a key-value server on Raft, written to be read beside the paper ("In Search of an Understandable Consensus
 * Algorithm", extended version: Figure 2 and Figure 13) and Ongaro's dissertation (pre-vote 9.6, membership 4, transfer
 * 3.10, reads 6.4, sessions 6.3). One thread, one server a process, all state below.
 *
 *   main.c         options, start, stop          replication.c  AppendEntries, commit
 *   raft.c         terms, roles, timers          snapshot.c     taking and installing snapshots
 *   election.c     pre-vote, votes, transfer     membership.c   configurations, one server at a time
 *   log.c          the log and its file          read.c         linearizable reads
 *   storage.c      vote and snapshot files       kv.c           the state machine
 *   network.c      connections between servers   client.c       commands of clients
 *
 * What Figure 2 wants "updated on stable storage before responding" is written and synced by the functions that change it:
 * log_sync and vote_save have returned before a message is sent that depends on it. */
#ifndef RAFTKV_RAFT_H
#define RAFTKV_RAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "bug.h"
#include "drd/drd.h"
#include "wire.h"

enum { SERVERS = 16 }; /* ids go from 1 to 15, and are places in arrays */

enum role { FOLLOWER, CANDIDATE, LEADER }; /* numbers of drd_role */

enum standing { OUTSIDER, LEARNER, VOTER };

struct configuration {
    uint64_t index; /* of its entry */
    struct {
        enum standing standing;
        char address[WIRE_ADDRESS];
    } member[SERVERS];
};

/* What this server knows of another one (or of itself: match_index, granted). */
struct server {
    uint64_t next_index, match_index; /* leader: Figure 2 */
    uint64_t round;         /* leader: latest of its broadcasts that was answered */
    uint64_t heard;         /* leader: time of the latest answer in this term */
    uint64_t replied;       /* leader: number of that answer among all (mistake T21c) */
    uint64_t snapshot;      /* leader: last index of a snapshot on its way, 0 none */
    uint64_t snapshot_time;
    bool probing;           /* leader: where the logs part is not known yet: AppendEntries go empty, one at a time */
    bool granted;           /* candidate: has its (pre-)vote */
};

struct raft {
    /* persistent (vote file) */
    uint64_t term;
    uint64_t voted_for;
    /* volatile */
    uint64_t id, leader;
    enum role role;
    bool pre_vote;          /* candidate: asks whether it would be elected */
    uint64_t commit, applied;
    struct configuration configuration; /* the latest in the log, committed or not */
    struct server server[SERVERS];
    uint64_t heard;         /* when the leader of this term was last heard */
    uint64_t round;         /* of broadcasts */
    uint64_t replies;       /* to AppendEntries, counted */
    bool broadcast;         /* wanted at the end of this turn of the loop */
    uint64_t transfer;      /* leader: to whom it hands over, 0 none */
    uint64_t transfer_until;
    uint64_t led_since;
    uint64_t term_on_receipt; /* our term before the message at hand */
    /* snapshot on disk */
    uint64_t snapshot_index, snapshot_term;
    bool installed;         /* a snapshot, and nothing applied after it (mistake T23b) */
    uint64_t restored;      /* last index of the snapshot that the state came from (mistake T23c) */
    struct configuration snapshot_configuration;
    uv_loop_t loop;
};

extern struct raft raft;

struct option_values {
    unsigned id, client_port, election, heartbeat, snapshot, trailing, batch, lazy;
    bool pre_vote, marks, join;
    const char *dir;
    const char *member[SERVERS];
    unsigned members;
};

extern struct option_values option;

/* main.c */
void die(const char *what, const char *why) __attribute__((noreturn));
uint64_t now_ms(void);

/* raft.c */
void raft_start(void);
void raft_stop(void);
void term_adopt(uint64_t term, enum wire_type why);
void term_follow(const struct wire_header *h, const void *body);
void mark_vote(void);
void become_follower(uint64_t leader);
void become_leader(void);
void election_timer_reset(void);
void heartbeat_timer_set(void);
bool leader_is_heard(void);
void message_receive(const struct wire_header *header, const void *body, size_t length);
void turn_end(void);            /* once a turn of the loop: what was gathered in it is written and sent */
void later(void (*act)(void));  /* in --lazy ms: mistakes of class "write behind" */

/* election.c */
void campaign(bool pre_vote, bool transfer);
void request_vote_receive(const struct wire_header *h, const struct wire_request_vote *m);
void vote_reply_receive(const struct wire_header *h, const struct wire_vote_reply *m);
void timeout_now_receive(const struct wire_header *h);
void position_cache(uint64_t index, uint64_t term);
bool transfer_begin(uint64_t to);
void transfer_advance(void);

/* replication.c */
void leader_sync(void);
uint64_t leader_append(enum wire_entry_type type, const void *content, size_t length);
void replicate(uint64_t to);
void broadcast(void);
void append_entries_receive(const struct wire_header *h, const struct wire_append_entries *m, size_t length);
bool leader_accepted(const struct wire_header *h);
void append_reply_receive(const struct wire_header *h, const struct wire_append_reply *m);
void commit_advance(void);
void commit_raise(uint64_t index);
void server_reset(uint64_t id);

/* snapshot.c */
void snapshot_take(void);
void snapshot_take_if_due(void);
void snapshot_send(uint64_t to);
void snapshot_restore(void);
void install_snapshot_receive(const struct wire_header *h, const struct wire_install_snapshot *m, size_t length);
void snapshot_reply_receive(const struct wire_header *h, const struct wire_snapshot_reply *m);

/* membership.c */
size_t configuration_write(const struct configuration *c, char *text, size_t room);
bool configuration_read(struct configuration *c, uint64_t index, const char *text, size_t length);
void configuration_refresh(void);                       /* raft.configuration from the log or the snapshot */
struct configuration configuration_at(uint64_t index);  /* as of that entry */
const struct configuration *configuration_for_quorum(void);
bool is_voter(uint64_t id);
unsigned majority(const struct configuration *c);
/* NULL, or why not. */
const char *membership_change(uint64_t id, const char *address, enum standing standing, uint64_t *index);
uint64_t membership_promote(uint64_t learner);          /* index of the new configuration; 0: not yet */
void membership_committed(uint64_t index);

/* log.c */
struct entry {
    uint64_t term;
    uint32_t type, length;
    char *content;
};
struct log {
    uint64_t base_index, base_term; /* the entry before the first one that is here */
    uint64_t last;
    uint64_t synced;                /* on stable storage up to here */
    struct entry *entry;            /* entry[i - base_index - 1] has index i */
    size_t room;
};
extern struct log raft_log;
void log_open(void);
const struct entry *log_entry(uint64_t index); /* NULL: not in the log */
uint64_t log_term(uint64_t index);             /* 0: unknown */
void log_append(uint64_t term, uint32_t type, const void *content, uint32_t length);
void log_truncate(uint64_t last);
void log_sync(void);
void log_compact(uint64_t base_index, uint64_t base_term, bool keep_rest); /* keeps what is after base_index, or nothing */
void log_fill(bool full);      /* STEP full, room */
void log_write_unsynced(void); /* without the sync that log_sync adds */

/* storage.c */
uint64_t checksum(uint64_t before, const void *bytes, size_t length);
#define CHECKSUM_START 14695981039346656037ull
const char *path_of(const char *name);
void write_all(int fd, const void *bytes, size_t length, const char *name);
void file_replace(const char *name, const void *bytes, size_t length);
void vote_load(void);
void vote_save(void);
void vote_write(uint64_t term, uint64_t voted_for); /* what vote_save does, with other values */
struct buffer { char *bytes; size_t length; };
struct buffer file_read(const char *name); /* bytes NULL: there is none */

/* network.c */
void network_start(void);
void network_stop(void);
void message_send(uint64_t to, enum wire_type type, unsigned flags, uint64_t term, const void *body, size_t length);
bool network_connected(uint64_t id);
bool network_linked(uint64_t id); /* it with us, too */
const char *network_step(const char *name, uint64_t id); /* NULL: not one of its steps */

/* kv.c */
struct outcome {
    bool counted; /* an INCR: `value` is its result */
    uint64_t value;
};
struct outcome kv_apply(uint64_t index, const struct entry *entry);
const char *kv_get(const char *key);
uint64_t kv_digest(void);
struct buffer kv_snapshot(uint64_t index, uint64_t term, const struct configuration *c);
bool kv_restore(const char *bytes, size_t length);
struct buffer kv_list(void);    /* " key=value key=value" */
struct buffer kv_history(void); /* " command command": the latest applied */

/* client.c */
void clients_start(void);
void clients_stop(void);
void client_applied(uint64_t index, uint64_t term, struct outcome outcome);
void clients_not_leading(void);
void clients_promoted(uint64_t learner, uint64_t index);
void crash_point(const char *name); /* STEP crash NAME */
bool crash_wanted(const char *name);
extern bool step_quiet, step_dry;

/* read.c */
struct client;
void read_begin(struct client *client, const char *tag, const char *key);
void reads_advance(void);
void reads_fail(void);
unsigned reads_waiting(void);
void read_answer(struct client *client, const char *tag, const char *key); /* client.c: the read is safe now */
void read_refuse(struct client *client, const char *tag);                  /* client.c */

#endif
