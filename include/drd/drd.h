/* Marks: facts that a node states about itself, for protocols that DRD does not know.
 *
 * Nothing to link. Without DRD's shim in the process a mark costs a load and a branch; with it, the fact becomes an event
 * of the recording. Example, where a follower appends an entry:
 *
 *     drd_append(entry.index, entry.term, drd_digest(entry.data, entry.length));
 */
#ifndef DRD_H
#define DRD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

enum drd_mark_kind {
    DRD_MARK_TERM = 1,     /* a: current term */
    DRD_MARK_VOTE,         /* a: term, b: candidate voted for (its number) */
    DRD_MARK_ROLE,         /* a: term, b: 0 follower, 1 candidate, 2 leader, 3 learner */
    DRD_MARK_APPEND,       /* a: index, b: term, c: digest of the entry */
    DRD_MARK_TRUNCATE,     /* a: last index that remains */
    DRD_MARK_COMMIT,       /* a: commit index */
    DRD_MARK_APPLY,        /* a: index, b: term, c: digest of the state afterwards (0: not given) */
    DRD_MARK_SNAPSHOT,     /* a: last included index, b: its term, c: digest of the state */
    DRD_MARK_CONFIGURATION,/* a: index, text: members, separated by blanks */
    DRD_MARK_NODE,         /* a: this node's number in the protocol */
    DRD_MARK_TEXT          /* text: anything */
};

/* Defined by the shim; absent (NULL) otherwise. */
extern void drd_shim_mark(int kind, uint64_t a, uint64_t b, uint64_t c, const char *text, size_t length)
    __attribute__((weak));

static inline void drd_mark(int kind, uint64_t a, uint64_t b, uint64_t c, const char *text, size_t length)
{
    if (drd_shim_mark)
        drd_shim_mark(kind, a, b, c, text, length);
}

static inline void drd_term(uint64_t term) { drd_mark(DRD_MARK_TERM, term, 0, 0, NULL, 0); }
static inline void drd_vote(uint64_t term, uint64_t candidate) { drd_mark(DRD_MARK_VOTE, term, candidate, 0, NULL, 0); }
static inline void drd_role(uint64_t term, int role) { drd_mark(DRD_MARK_ROLE, term, (uint64_t)role, 0, NULL, 0); }
static inline void drd_append(uint64_t index, uint64_t term, uint64_t digest) { drd_mark(DRD_MARK_APPEND, index, term, digest, NULL, 0); }
static inline void drd_truncate(uint64_t last_index) { drd_mark(DRD_MARK_TRUNCATE, last_index, 0, 0, NULL, 0); }
static inline void drd_commit(uint64_t index) { drd_mark(DRD_MARK_COMMIT, index, 0, 0, NULL, 0); }
/* Words of your own, shown beside the events. */
static inline void drd_text(const char *text) { drd_mark(DRD_MARK_TEXT, 0, 0, 0, text, strlen(text)); }
static inline void drd_apply(uint64_t index, uint64_t term, uint64_t state_digest) { drd_mark(DRD_MARK_APPLY, index, term, state_digest, NULL, 0); }

/* FNV-1a, 64 bits: good enough to tell entries apart, the same on every machine. */
static inline uint64_t drd_digest(const void *data, size_t length)
{
    const unsigned char *p = (const unsigned char *)data;
    uint64_t hash = 14695981039346656037ull;
    while (length--)
        hash = (hash ^ *p++) * 1099511628211ull;
    return hash;
}

#ifdef __cplusplus
}
#endif
#endif
