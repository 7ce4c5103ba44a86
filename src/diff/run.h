/* What a run means: the events of its nodes that Raft speaks of, in causal order, without anything that differs by chance.
 *
 * A message that says no more than what the node's state says (AppendEntries with entries of the sender's log, an
 * acknowledgement of what is on disk, a heartbeat) is no event; one that says something else is. So a hundred retries are
 * one event, and a run holds a few events for each entry, however its messages were cut. */
#ifndef DRD_DIFF_RUN_H
#define DRD_DIFF_RUN_H

#include "diff/spill.h"
#include "protocol/protocol.h"
#include "raft/pages.h"
#include "store/store.h"

enum diff_kind {
    DIFF_START, DIFF_EXIT, DIFF_FAULT, DIFF_WRITE_FAILED,
    DIFF_RECOVERED,    /* what a restarted node read back */
    DIFF_TERM, DIFF_CANDIDATE, DIFF_VOTE, DIFF_REFUSAL, DIFF_LEADER, DIFF_FOLLOWER,
    DIFF_APPEND, DIFF_TRUNCATE, DIFF_SNAPSHOT,
    DIFF_MEMBERS,      /* another configuration without a new entry: that of a snapshot, or an older one again */
    DIFF_COMMIT, DIFF_APPLY,
    DIFF_REQUEST, DIFF_RESULT,
    DIFF_ACK,          /* of what is not on disk, or was not asked; a refusal of what fits */
    DIFF_SEND,         /* entries that are not those of the sender's log, or that were acknowledged */
    DIFF_MESSAGE,      /* votes asked and given, snapshots, refusals, TimeoutNow; the first AppendEntries of a leader */
    DIFF_KINDS
};

extern const char *const diff_kind_names[DIFF_KINDS];

enum diff_flag {
    DIFF_SENT = 1,      /* message: sent, not received */
    DIFF_SUCCESS = 2,
    DIFF_PRE_VOTE = 4,
    DIFF_AHEAD = 8,     /* what it tells of is not on disk yet */
    DIFF_BEYOND = 16,   /* acknowledges more than it was sent; append: of what it was not sent; truncate: by another file in the
                           place of the log */
    DIFF_BACK = 32,     /* commit index or term: lower than before */
    DIFF_READ = 64,
    DIFF_WEAK = 128,    /* while the facts come: the content is a mark's digest, which files and messages do not share */
};

#define DIFF_NO_PEER UINT16_MAX
#define DIFF_STRIDE 32768  /* events or indexes to go through before diff_run_drop */
#define DIFF_PEERS 16      /* peers of a node whose messages are told from retries */
#define DIFF_STATE 's'     /* type of an apply that tells of the state at an index, and not that it was applied now; of what was
                              read back: the snapshot */

struct diff_event {
    uint64_t sequence;
    uint64_t term, index;
    uint64_t last;      /* commit, apply: to this index; messages: term of the last entry; result: match */
    uint64_t content;   /* digest of what is appended, applied, asked or told */
    uint64_t trigger;   /* event of the message that the node received last; UINT64_MAX none */
    uint64_t trigger_term;
    uint32_t process;
    uint32_t text;      /* offset in diff_run.text; 0: "" */
    uint32_t time;      /* in 0.1 ms since the run began */
    uint32_t again;     /* events behind `sequence`: where the same is told once more, by a mark; 0: nowhere */
    uint16_t node, peer, trigger_peer; /* peer: number of an id, see diff_run.peer */
    uint8_t kind, type, flags, trigger_type;
};

struct diff_entry {
    uint32_t event;     /* that shows it, + 1; 0: none */
    bool weak;          /* its digest is that of a mark: others say it better */
    bool durable;
};

/* A node, and its state while the facts come. */
struct diff_node {
    char name[RAFT_NODE_NAME], program[RAFT_NODE_NAME];
    bool raft;                 /* it shows facts of Raft */
    bool disk;                 /* by files, too */
    uint32_t incarnation;
    uint64_t term, role_term, candidate_term, leader_term, heard_term, position_term;
    int role;
    struct { uint64_t term; uint16_t peer; } vote[8];
    unsigned votes;
    uint64_t durable_vote_term, durable_term; /* 0: no file shows them */
    uint64_t last, base, synced, commit, applied;
    uint64_t based;            /* up to there a snapshot is on disk */
    uint64_t members;          /* index of its configuration */
    uint64_t cut;              /* + 1: a mark told that the log ends there now, its file has yet to show it */
    uint32_t snapshot;         /* event of the snapshot seen last, + 1; its configuration comes with it */
    uint64_t installing;       /* last index of the snapshot received last */
    uint64_t verified_term, verified; /* last index that AppendEntries of this term brought or named */
    struct { uint64_t term, previous, previous_term; } asked; /* the AppendEntries received last */
    struct { uint64_t term, match; } acked[DIFF_PEERS];       /* what a peer acknowledged to it */
    uint64_t state_index, state;                              /* stated last */
    struct { bool open, any; uint64_t last, term, vote_term, hash; uint16_t vote; } loaded;
    struct { uint16_t peer; bool cut; } link[DIFF_PEERS];
    unsigned links;
    struct { uint64_t sent, received; } channel[DIFF_PEERS]; /* meaning of the last message */
    struct { uint64_t sequence, term; uint16_t peer; uint8_t type; } trigger;
    struct spill log;          /* of struct diff_entry, by index */
    struct pages sparse;       /* the same, of indexes far beyond those that are known: they come from messages and files */
};

struct diff_run {
    struct diff_node *node;
    size_t nodes;
    struct { char id[RAFT_NODE_NAME]; int node; } *peer; /* ids of the protocol, and DRD's names of peers of faults */
    size_t peers;
    struct diff_event *event;  /* in `all` */
    size_t events;
    struct spill all;
    char *text;                /* in `texts` */
    size_t text_size;
    struct spill texts;
    uint32_t *text_recent;     /* offsets by hash of those told lately: most texts are told by each node once */
    const struct store_process *process; /* not owned */
    size_t processes;
    uint16_t *node_of;         /* by process number */
    uint32_t highest;          /* of them */
    uint32_t *ends;            /* processes by the time of their end */
    size_t ended;
    uint64_t begin;
    uint64_t messages;
    size_t outside;            /* number of the node that stands for the test, with its faults */
    bool out_of_memory;
};

/* Processes must outlive the run. False: out of memory. */
bool diff_run_init(struct diff_run *r, const struct store_process *process, size_t processes);
void diff_run_fini(struct diff_run *r);
void diff_run_fact(struct diff_run *r, const struct raft_fact *fact);
void diff_run_finish(struct diff_run *r);

/* All of it from a store. */
bool diff_run_read(struct diff_run *r, struct store *s, const struct store_process *process, size_t processes,
                   struct drd_error *e);

const char *diff_run_text(const struct diff_run *r, const struct diff_event *event);
/* The name of a peer: of the node that it stands for, else the id. */
const char *diff_run_peer(const struct diff_run *r, uint16_t peer);
void diff_run_event_name(const struct diff_run *r, uint32_t process, uint64_t sequence, char *out, size_t size);
/* The event that shows what the node's log holds at an index when the run ends; NULL: nothing, or not known. */
const struct diff_event *diff_run_entry(struct diff_run *r, size_t node, uint64_t index);
/* What was looked at of it may go from memory: to be called now and then by who goes through it. */
void diff_run_drop(const struct diff_run *r);
/* The node of this name, or nodes. */
size_t diff_run_node(const struct diff_run *r, const char *name);

#endif
