/* Marks: facts that a node states about itself, for protocols that DRD does not know. docs/marks.md has a worked example,
 * and how to do the same from Python and Go.
 *
 * Nothing to link, C99 and C++11. Where DRD does not record the process, a mark costs a load and a branch; where it does,
 * the fact becomes an event of the recording. Example, where a follower appends an entry:
 *
 *     drd_append_entry(entry.index, entry.term, entry.data, entry.length);
 *
 * State each fact where it becomes true: the term and vote before the messages that carry them, an entry once it is in the
 * log, an apply once the state has changed. An index starts at 1, 0 is "none"; a digest of 0 is "not told". */
#ifndef DRD_H
#define DRD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum drd_mark_kind {
    DRD_MARK_TERM = 1,     /* a: current term */
    DRD_MARK_VOTE,         /* a: term, b: candidate voted for (its number) */
    DRD_MARK_ROLE,         /* a: term, b: enum drd_role */
    DRD_MARK_APPEND,       /* a: index, b: term, c: digest of the entry, text: what people recognise it by */
    DRD_MARK_TRUNCATE,     /* a: last index that remains */
    DRD_MARK_COMMIT,       /* a: commit index */
    DRD_MARK_APPLY,        /* a: index, b: term (0: not told), c: digest of the state afterwards (0: not told) */
    DRD_MARK_SNAPSHOT,     /* a: last included index, b: its term, c: digest of the state (0: not told) */
    DRD_MARK_CONFIGURATION,/* a: index, text: members */
    DRD_MARK_NODE,         /* a: this node's number in the protocol */
    DRD_MARK_TEXT,         /* text: anything */
    DRD_MARK_READ,         /* a: number of the request, text: key */
    DRD_MARK_WRITE,        /* a: number of the request, c: digest of its entry (0: not told), text: key */
    DRD_MARK_RESULT        /* a: number of the request, b: index (0: none), c: digest of what was read (0: nothing) */
};

enum drd_role { DRD_FOLLOWER, DRD_CANDIDATE, DRD_LEADER, DRD_LEARNER };

#define DRD_MARK_TEXT_MAX 1024      /* longer texts are cut */
#define DRD_MARK_STRING ((size_t)-1) /* for a length: the text ends with a NUL, or is NULL */

/* DRD's side of it. Its shim, if it is in the process, defines drd_shim_mark; it never fails, and a text that cannot be
 * read is left out. The address is taken from the global offset table by hand: compilers that make a program of fixed
 * address (-no-pie) let the linker settle a weak symbol for good, and no mark would ever be made. */
typedef void drd_mark_function(int kind, uint64_t a, uint64_t b, uint64_t c, const char *text, size_t length);
#if defined(__x86_64__) && defined(__linux__)
static inline drd_mark_function *drd_recorder(void)
{
    drd_mark_function *function;
    __asm__(".weak drd_shim_mark\n\t"
            "{movq drd_shim_mark@GOTPCREL(%%rip), %0|mov %0, qword ptr drd_shim_mark@GOTPCREL[rip]}" : "=r"(function));
    return function;
}
#else
static inline drd_mark_function *drd_recorder(void) { return NULL; }
#endif

/* Whether marks are recorded: for digests that are too costly to take in vain. */
static inline int drd_recorded(void) { return drd_recorder() != NULL; }

static inline void drd_mark(int kind, uint64_t a, uint64_t b, uint64_t c, const char *text, size_t length)
{
    drd_mark_function *function = drd_recorder();
    if (function)
        function(kind, a, b, c, text, length);
}

/* FNV-1a, 64 bits: good enough to tell entries and states apart, the same on every machine. */
static inline uint64_t drd_digest(const void *data, size_t length)
{
    const unsigned char *p = (const unsigned char *)data;
    uint64_t hash = 14695981039346656037ull;
    while (length--)
        hash = (hash ^ *p++) * 1099511628211ull;
    return hash;
}

/* This node's number, by which others vote for it; once, before anything else. */
static inline void drd_node(uint64_t number) { drd_mark(DRD_MARK_NODE, number, 0, 0, NULL, 0); }

/* Figure 2 of the paper, "State": currentTerm; votedFor in that term; what the node is in it. */
static inline void drd_term(uint64_t term) { drd_mark(DRD_MARK_TERM, term, 0, 0, NULL, 0); }
static inline void drd_vote(uint64_t term, uint64_t candidate) { drd_mark(DRD_MARK_VOTE, term, candidate, 0, NULL, 0); }
static inline void drd_role(uint64_t term, int role) { drd_mark(DRD_MARK_ROLE, term, (uint64_t)role, 0, NULL, 0); }

/* log[]: an entry is now there. Equal entries have equal digests on all nodes. An entry of another term at an index that is
 * taken already replaces that one and all behind it. */
static inline void drd_append(uint64_t index, uint64_t term, uint64_t digest)
{
    drd_mark(DRD_MARK_APPEND, index, term, digest, NULL, 0);
}

/* The same, with words by which people recognise it. */
static inline void drd_append_text(uint64_t index, uint64_t term, uint64_t digest, const char *text)
{
    drd_mark(DRD_MARK_APPEND, index, term, digest, text, DRD_MARK_STRING);
}

/* The same, digest and words from its content; costs nothing where nothing is recorded. */
static inline void drd_append_entry(uint64_t index, uint64_t term, const void *content, size_t length)
{
    if (drd_recorded())
        drd_mark(DRD_MARK_APPEND, index, term, drd_digest(content, length), (const char *)content, length < 64 ? length : 64);
}

/* Nothing behind this index remains in the log. */
static inline void drd_truncate(uint64_t last_index) { drd_mark(DRD_MARK_TRUNCATE, last_index, 0, 0, NULL, 0); }

/* commitIndex; lastApplied, and a digest of the state after it: equal states have equal digests on all nodes. */
static inline void drd_commit(uint64_t index) { drd_mark(DRD_MARK_COMMIT, index, 0, 0, NULL, 0); }
static inline void drd_apply(uint64_t index, uint64_t term, uint64_t state_digest)
{
    drd_mark(DRD_MARK_APPLY, index, term, state_digest, NULL, 0);
}

/* The node's state is now that of a snapshot up to this index, its own or the leader's; its log begins behind it. */
static inline void drd_snapshot(uint64_t index, uint64_t term, uint64_t state_digest)
{
    drd_mark(DRD_MARK_SNAPSHOT, index, term, state_digest, NULL, 0);
}

/* The configuration in the log from this index on: numbers of the voters separated by blanks, learners with a "*" behind,
 * old and new of a joint configuration separated by "|". */
static inline void drd_configuration(uint64_t index, const char *members)
{
    drd_mark(DRD_MARK_CONFIGURATION, index, 0, 0, members, DRD_MARK_STRING);
}

/* What clients ask and are told. The node numbers the requests; a result is one on which the client may rely, others need
 * no mark. `entry` and `value` are digests: of the entry that a write will be, of what a read found. */
static inline void drd_read(uint64_t request, const char *key)
{
    drd_mark(DRD_MARK_READ, request, 0, 0, key, DRD_MARK_STRING);
}

static inline void drd_write(uint64_t request, const char *key, uint64_t entry)
{
    drd_mark(DRD_MARK_WRITE, request, 0, entry, key, DRD_MARK_STRING);
}

static inline void drd_result(uint64_t request, uint64_t index, uint64_t value)
{
    drd_mark(DRD_MARK_RESULT, request, index, value, NULL, 0);
}

/* Words of your own, shown beside the events. */
static inline void drd_text(const char *text) { drd_mark(DRD_MARK_TEXT, 0, 0, 0, text, DRD_MARK_STRING); }

#ifdef __cplusplus
}
#endif
#endif
