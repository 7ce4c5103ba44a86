/* What an event of a run says of Raft, and what another in its place would say: for another build of a program, which
 * departs where it says something else, not where bytes differ that nobody reads. */
#ifndef DRD_DIFF_MEANING_H
#define DRD_DIFF_MEANING_H

#include "store/store.h"

#define DIFF_MEANING_WORDS 2048

struct diff_meaning {
    char words[DIFF_MEANING_WORDS]; /* its facts, "; " between them; "" if it says nothing of Raft */
    uint64_t digest;                /* of all that they say */
    unsigned facts;
};

/* Two walks side by side, of the run as it was recorded, and of the run as the other build of one process makes it. */
struct diff_follow;
struct diff_follow *diff_follow_create(struct store *s, uint32_t process, struct drd_error *e);
void diff_follow_destroy(struct diff_follow *f); /* accepts NULL */

/* On to an event of the process, behind the one asked for last. `made`: the record that takes its place, as the recorder
 * would have written it (trace_decode); NULL: none is known. The bytes may be anything. False: a damaged run. */
bool diff_follow_to(struct diff_follow *f, uint64_t sequence, const uint8_t *made, size_t length,
                    struct diff_meaning *recorded, struct diff_meaning *instead, struct drd_error *e);

#endif
