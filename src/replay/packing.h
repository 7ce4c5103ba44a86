/* Which files a run needs to replay, and putting them into a pack (store/pack.h). */
#ifndef DRD_REPLAY_PACKING_H
#define DRD_REPLAY_PACKING_H

#include "store/store.h"

struct packing_options {
    bool symbols; /* debug symbols as well, where they are installed */
    bool force;   /* leave out what is gone or another build */
    void (*notice)(void *context, const char *line); /* what was left out */
    void *context;
};

struct packing_totals {
    size_t files, symbols, left_out; /* symbols: of the files, those that only debuggers read */
    uint64_t bytes, stored;          /* of the files, as they are and in the pack */
};

/* Put the programs and libraries of all processes of `run` into `pack`, a copy of it; or those that are packed in `run`, where
 * they are not here. The code CANNOT: a file is not here as it was recorded. */
bool packing_fill(struct store *run, struct store *pack, const struct packing_options *options, struct packing_totals *totals,
                  struct drd_error *e);

#endif
