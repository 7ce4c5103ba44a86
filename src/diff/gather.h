/* Between the files of this folder: how a run is filled (run.c, gather.c). */
#ifndef DRD_DIFF_GATHER_H
#define DRD_DIFF_GATHER_H

#include "diff/run.h"

/* Offset of the text, stored once. */
uint32_t run_text(struct diff_run *r, const char *text, size_t length);
/* What the node's log holds at an index, as far as was told; NULL: nothing near it. Made: NULL: out of memory. */
struct diff_entry *run_log_find(struct diff_node *n, uint64_t index);
struct diff_entry *run_log_make(struct diff_node *n, uint64_t index);
/* Number of an id; DIFF_NO_PEER if it is "". */
uint16_t run_peer(struct diff_run *r, const char *id);
/* One more event; its memory may move with the next. Never NULL. */
struct diff_event *run_emit(struct diff_run *r, size_t node, enum diff_kind kind, uint32_t process, uint64_t sequence,
                            uint64_t time);

/* messages.c */
struct gather {
    struct diff_run *run;
    size_t index;             /* of the node */
    struct diff_node *node;
    const struct raft_fact *fact;
};
struct diff_event *gather_emit(const struct gather *at, enum diff_kind kind);
void gather_message(const struct gather *at);
/* gather.c */
void gather_candidate(const struct gather *at, uint64_t term);
void gather_leader(const struct gather *at, uint64_t term);
void gather_vote(const struct gather *at, uint64_t term, uint16_t peer);
void gather_commit(const struct gather *at, uint64_t index);
/* What is compared of an entry: not what differs by chance. */
uint64_t gather_content(const struct raft_fact *fact, const struct raft_entry *entry);

#endif
