/* What a node of the model exchanged with its peers since it started, and who its members are: what the rules of Raft
 * speak of beside term, vote and log. Kept by the model, read by the rules. */
#ifndef DRD_RAFT_BOOK_H
#define DRD_RAFT_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/protocol.h"
#include "raft/witness.h"

/* One message of an exchange; at.how is RAFT_HOW_NONE while there was none. */
struct raft_letter {
    struct raft_witness at;
    uint64_t time;           /* ns */
    uint64_t term;
    uint64_t index, log_term;/* RequestVote: the candidate's last entry; AppendEntries: prev; results: match */
    uint64_t commit;
    uint64_t count;          /* entries */
    uint64_t sent;           /* results received: order at which they were sent, 0 unknown */
    uint64_t ahead;          /* received, of the same kind and peer: those that were read at the same event, before it */
    uint32_t thread;
    bool success, pre_vote, snapshot; /* snapshot: InstallSnapshot */
};

/* Between a node and the peer with this id; what the node sent and what it received, latest of each kind. */
struct raft_exchange {
    char id[RAFT_NODE_NAME];
    struct raft_letter vote_asked;    /* received: RequestVote */
    struct raft_letter vote_given;    /* sent: RequestVoteResult that grants */
    struct raft_letter vote_got;      /* received: RequestVoteResult that grants; no pre-vote */
    struct raft_letter append_got;    /* received: AppendEntries or InstallSnapshot */
    struct raft_letter append_sent;   /* sent: AppendEntries or InstallSnapshot */
    struct raft_letter result_sent;   /* sent: result of these */
    struct raft_letter result_got;    /* received: result of these */
    struct raft_letter acknowledged;  /* received: the one with the highest match of those with the highest term */
    struct raft_letter refused;       /* received: the latest of these that does not succeed, or is of a snapshot: where to
                                         go on from there is not what was acknowledged before */
    uint64_t confirmed;               /* order at which the latest result received was sent by the peer; 0 unknown */
    struct raft_letter stale;         /* received: the one with the highest match of an earlier term than the node had */
};

/* A configuration: who may vote from `index` on. */
struct raft_members {
    uint64_t index;
    struct raft_witness at;
    char *text;              /* as RAFT_FACT_CONFIGURATION */
    bool installed;          /* it came with a snapshot that the node was sent */
};

/* Steps in which a node learnt how far it may commit. */
#define RAFT_MAY_COMMITS 32
struct raft_may_commit {
    uint64_t index;
    struct raft_witness at;
};

struct raft_book {
    struct raft_exchange *exchange;
    size_t exchanges;
    struct raft_members *members; /* by index; the last is in force, as far as it is known */
    size_t configurations;
    struct raft_members removed;  /* the last that a truncation took out of the log; text NULL: none */
    struct raft_letter heard;    /* the latest AppendEntries or InstallSnapshot received, of any leader */
    struct raft_letter trigger;  /* the latest message received */
    struct raft_letter unverified;/* the first AppendEntries whose leaderCommit is still beyond `may_commit` */
    struct raft_letter tempting; /* the first AppendEntries whose leaderCommit went beyond what it verified into entries
                                    that the node had from elsewhere; `index` is the first of these, of term `log_term` */
    struct raft_letter candidate;/* the latest RequestVote sent, no pre-vote */
    struct raft_witness verified;/* shows `may_commit` */
    struct raft_may_commit history[RAFT_MAY_COMMITS]; /* the latest, in order: may_commit was raised to `index` at `at` */
    size_t histories;
    uint64_t may_commit;         /* what the node may have committed by what it received or read back: AppendEntries,
                                    receiver 5, snapshots, a stored commit index. A leader's own counting is not in it */
};

struct step;

/* The exchange of the node with a peer; NULL: none yet (find), no memory (make). */
struct raft_exchange *book_find(const struct raft_book *b, const char *id);
struct raft_exchange *book_make(struct raft_book *b, const char *id);
/* The event at which the node came to know that `index` is committed. NULL: not known, or long ago. */
const struct raft_witness *book_committed(const struct raft_book *b, uint64_t index);
/* Take in the fact at hand. */
void book_step(struct step *s);
void book_restart(struct raft_book *b);
void book_fini(struct raft_book *b);

/* --- members (members.c) --- */

/* The configuration in force at a node: the latest in its log up to `index`. NULL: none is known. */
const struct raft_members *members_at(const struct raft_book *b, uint64_t index);
/* Ids of a configuration, one after the other: copies the next into `id` and says whether it votes. `at` starts at the
 * text and is moved on; false: no more. A "|" between old and new is given as id "|". */
bool members_next(const char **at, char id[RAFT_NODE_NAME], bool *votes);
/* Whether those for which has() is true are a majority of the voters, of both sides if it is joint. */
bool members_majority(const char *text, bool (*has)(void *context, const char *id), void *context);
/* A configuration other than `in_force` that the node knows or had known, or one side of a joint one, by which it would be
 * a majority: then that one was used. NULL: there is none. */
const struct raft_members *members_other(const struct raft_book *b, const struct raft_members *in_force,
                                         bool (*has)(void *context, const char *id), void *context);
unsigned members_voters(const char *text); /* of the new side */

#endif
