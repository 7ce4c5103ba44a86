/* What the two files of the family "votes" share: what each node was asked, whom it voted for, and what votes it got. */
#ifndef DRD_RAFT_RULES_VOTES_H
#define DRD_RAFT_RULES_VOTES_H

#include "raft/parts.h"
#include "raft/rule.h"

/* Rings: of what is older, nothing is said any more. A node has one vote a term, and a candidate a handful of voters. */
#define VOTER_CASTS 16
#define VOTER_ASKED 16
#define VOTER_BALLOTS 32
#define VOTER_COMMANDS 64
#define VOTES_LATE 32
#define VOTES_CLAIMS 64

/* RequestVote received, no pre-vote. */
struct vote_asked {
    char from[RAFT_NODE_NAME];
    struct raft_letter letter;        /* the candidate's log: index, log_term */
    uint64_t own_last, own_last_term; /* the voter's when it came, as far as it was known; term 0: not */
    bool answered;
};

/* A vote that a node gave: in a message, by a mark or on disk, whichever showed it first. */
struct vote_cast {
    uint64_t term;
    char candidate[RAFT_NODE_NAME];
    const char *protocol;             /* ids of different ones cannot be compared */
    struct raft_witness at;
    bool unsynced;                    /* shown by a file alone, and not on stable storage: nobody was told */
};

/* A result that grants, received. */
struct vote_ballot {
    char from[RAFT_NODE_NAME];
    uint64_t term;                    /* that it was asked for; what the message said, unless it is known that it lied */
    struct raft_witness at;
    bool pre_vote;
};

/* What a client asked for while the node led a term. */
struct vote_command {
    uint64_t digest, led;
    struct raft_witness at;
};

struct voter {
    struct vote_cast cast[VOTER_CASTS];       /* kept at a restart: votes are persistent state */
    struct vote_asked asked[VOTER_ASKED];
    struct vote_ballot ballot[VOTER_BALLOTS]; /* the oldest at ballots % VOTER_BALLOTS, once there are so many */
    struct vote_command command[VOTER_COMMANDS];
    size_t casts, askeds, ballots, commands;  /* so far */
    struct vote_cast filed;                   /* the latest that it wrote or stated, a decision or not */
    uint64_t adopted;                         /* highest term that it stated or wrote in this incarnation */
    struct raft_witness adopted_at;
    uint64_t heard;                           /* highest term received */
    struct raft_witness heard_at;
    uint64_t led;                             /* latest term that it led in this incarnation */
    uint64_t stood_term, stood_last, stood_last_term; /* its log when it voted for itself */
    uint64_t stood, stood_before;             /* order of the fact that showed this, and of the time before */
    uint64_t cut;                             /* index of the last configuration that it truncated; 0: none */
    struct raft_witness cut_at;
};

struct votes {
    struct each voter;    /* struct voter */
    struct {              /* results whose term is not the one that was asked for */
        uint64_t id, term;
    } late[VOTES_LATE];
    size_t lates;
    struct {              /* who states that it leads, where no messages are seen: the first so many */
        struct raft_witness at;
        uint64_t term;
    } claim[VOTES_CLAIMS];
    size_t claims;
};

/* The node's vote in a term for this candidate; any other candidate than this one if `other`. NULL: none is known. */
struct vote_cast *vote_cast_find(struct voter *v, uint64_t term, const char *candidate, const char *protocol, bool other);

/* rules_late.c: commands of clients, and what becomes of them when the node leads no more. */
void late_command(struct step *s, struct voter *v, const struct raft_message *m);
void late_append(struct step *s, struct voter *v);

/* rules_election.c: the fact at hand shows the node as leader of `term`. */
void election_check(struct step *s, struct votes *votes, struct voter *v, uint64_t term);
/* After the last fact: nodes of which marks alone are seen come in no order that could be relied on before. */
void elections_finish(struct raft_model *m, struct votes *votes);

#endif
