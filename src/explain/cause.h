/* Why a property of Raft broke: the earliest break of a rule on which the violation depends, and the few events that lead
 * from what set the stage to the violation. */
#ifndef DRD_EXPLAIN_CAUSE_H
#define DRD_EXPLAIN_CAUSE_H

#include "raft/properties.h"
#include "raft/rule.h"

struct store;
struct store_process;
struct drd_error;

enum certainty {
    CERTAINTY_UNKNOWN, /* no break was found on which it depends */
    CERTAINTY_LIKELY,  /* one was found; `settle` says what would make it known */
    CERTAINTY_KNOWN,   /* all it rests on was seen */
    CERTAINTY_PROVED,  /* and re-executions showed that the violation hangs on it (proof.h) */
};

#define CHAIN_STEPS 12

/* What an apply took from outside. */
enum chain_took { CHAIN_TOOK_NOTHING, CHAIN_TOOK_DRAW, CHAIN_TOOK_DAY, CHAIN_TOOK_FILE, CHAIN_TOOK_OTHER };

struct chain_step {
    struct raft_witness at;
    bool timer;            /* an election timer fired: inputs.c finds the draw that had set it */
    bool applies;          /* an entry was applied: inputs.c finds what came from outside meanwhile */
    uint64_t waited, drawn; /* inputs.c: the wait that timed out, and the draw of that timer or apply; CHAIN_NOTHING: none */
    uint64_t taken;        /* inputs.c: where an apply read `took` */
    enum chain_took took;
    char text[RAFT_WORDS]; /* without the node's name in front */
};
#define CHAIN_NOTHING UINT64_MAX

struct cause {
    const struct raft_break *rule_break; /* NULL: unknown */
    enum certainty certainty;
    char settle[RAFT_WORDS];
    struct chain_step step[CHAIN_STEPS];
    size_t steps;
};

/* The cause of a finding; without one (NULL) the first break of the run, as what it is. `precedes` says of each break
 * whether it happens before an event of the finding (cause_order); NULL: that is not known. */
void cause_find(struct cause *c, const struct raft_model *m, const struct raft_finding *f, const bool *precedes);
/* before.c: walk the run once more and fill in out[m->breaks]. False: damaged run, out of memory. */
bool cause_order(struct store *s, const struct raft_model *m, const struct raft_finding *f, bool *out, struct drd_error *e);
/* Whether the violation depends on what the break spoiled. */
bool cause_depends(const struct raft_model *m, const struct raft_finding *f, const struct raft_break *b);
/* inputs.c: add to the steps what the recording knows beside Raft: the draw behind a timer, the clock or file read by an
 * apply. False: damaged run. */
bool inputs_add(struct cause *c, struct store *s, const struct store_process *process, size_t processes,
                struct drd_error *e);
/* chain.c: fill in the steps. */
void chain_build(struct cause *c, const struct raft_model *m, const struct raft_finding *f);

#endif
