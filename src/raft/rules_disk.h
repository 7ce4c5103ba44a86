/* What the two files of the family "disk" share: what the files of a node hold, and held before it started again. */
#ifndef DRD_RAFT_RULES_DISK_H
#define DRD_RAFT_RULES_DISK_H

#include "raft/parts.h"
#include "raft/rule.h"

/* A term and the vote in it. */
struct ballot {
    uint64_t term;
    char vote[RAFT_NODE_NAME]; /* "" none */
    struct raft_witness at;    /* how is RAFT_HOW_NONE: not seen */
};

/* Votes that were durable, latest last: a result may have waited in a queue while the node went on to later terms. */
#define BALLOTS_KEPT 16

struct place {
    uint64_t index, term;
    struct raft_witness at;
};

/* What the files of a node hold, and what they held before it started again. */
struct disk {
    bool terms, votes;         /* files with terms, with votes were seen: what is not there is not durable */
    struct ballot durable;
    struct ballot written;     /* the same, as written last */
    uint64_t highest;          /* term that was ever on stable storage */
    struct ballot heard;       /* the first message of the highest term that it heard of */
    struct ballot history[BALLOTS_KEPT];
    size_t ballots;
    struct ballot shown;       /* the highest term the node showed as its own, in any way, and its vote in it */
    /* Since the latest start: */
    bool restarted, loading;   /* loading: nothing was said or written yet */
    bool read_terms, read_log; /* it read such files back */
    struct ballot before;      /* `durable` when it started */
    struct ballot said;        /* `shown` when it started */
    struct ballot loaded;
    struct place last_before;  /* durable end of its log when it started; index 0: none known */
    struct place known_before; /* end of its log, durable or not */
    struct place last_loaded;
    uint64_t snapshot_loaded;
    bool rewritten;            /* it wrote entries or truncated since */
    struct ballot carried;     /* a vote for itself that may be the one of an earlier term; term 0: none */
    struct raft_witness carried_heard;
    struct raft_witness start; /* first fact of this incarnation */
    struct raft_witness loaded_at; /* the last fact that it read back */
    uint64_t brought;          /* highest index of the entries it was sent since */
    uint64_t snapshot;         /* last index of the latest snapshot on its disk */
    struct place compacted;    /* its log begins after this index, by a snapshot it was sent that is not on its disk */
    uint64_t acknowledged;     /* highest index of an open T05 */
};

static inline bool on_file(const struct raft_fact *f)
{
    return f->written || f->durable;
}

/* rules_restart.c */

void restart_begins(struct raft_node *n, struct disk *d);      /* keep what is kept; before the model forgets its own */
void restart_loads(struct step *s, struct disk *d);            /* the fact was read back from the log's files */
void restart_loaded(struct step *s, struct disk *d);           /* all was, if that is not known already */
void restart_forgets(struct step *s, const struct disk *d);    /* it deletes what it read back? */
void restart_announces(struct step *s, struct disk *d, const struct raft_message *m); /* RequestVote: the end of its log */
void restart_term(struct step *s, struct disk *d, uint64_t term); /* the term that it says or writes */
void restart_vote(struct step *s, struct disk *d, uint64_t term, const char *candidate);
/* It says that its log reaches up to `index`: whether that can only be from before. */
bool restart_brought_back(struct step *s, const struct disk *d, const struct raft_message *m, uint64_t index);

#endif
