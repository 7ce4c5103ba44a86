/* The verdict on a run: which property of Raft broke, where, and by which events it is seen; or that none did; or why
 * that cannot be told. */
#ifndef DRD_EXPLAIN_EXPLAIN_H
#define DRD_EXPLAIN_EXPLAIN_H

#include <stdio.h>

#include "explain/cause.h"
#include "explain/proof.h"
#include "raft/properties.h"
#include "replay/frames.h"
#include "store/store.h"
#include "util/json.h"

enum verdict_status { VERDICT_NONE, VERDICT_VIOLATED, VERDICT_UNKNOWN };

#define VERDICT_GAPS 16

/* Something that could not be seen. */
struct verdict_gap {
    bool decisive; /* without a finding it leaves open whether there is one */
    char text[320];
};

/* A drawing beside the steps of the chain. */
struct verdict_beside {
    void *context;
    size_t heads; /* lines above the first step */
    size_t width; /* columns for the steps; their text is broken into lines */
    void (*head)(void *context, size_t line, FILE *out);
    void (*step)(void *context, size_t step, bool goes_on, FILE *out); /* goes_on: another line of the same step */
};

struct verdict {
    enum verdict_status status;
    const struct raft_model *model;           /* not owned */
    const struct store_process *process;      /* of the run; not owned */
    size_t processes;
    const struct raft_finding *finding;       /* the one to tell first, or NULL */
    struct cause cause;                       /* of it; without one, of the first break of a rule */
    struct replay_frame frame[FRAMES_MAX];    /* where the node was at the event of the cause, innermost first */
    size_t frames;
    char frames_note[256];                    /* why there are none, or what would give their lines; "" */
    struct proof *proof;                      /* owned (verdict_proof); NULL: the run keeps none of this cause */
    const struct verdict_beside *beside; /* for verdict_print; NULL: none */
    struct verdict_gap gap[VERDICT_GAPS];
    size_t gaps;
};

/* Walk the run and fill a model with it. NULL: damaged run or out of memory. */
struct raft_model *explain_model(struct store *s, const struct store_process *process, size_t processes,
                                 struct drd_error *e);
/* The same; `watch` sees every fact too, after the model has taken it in. */
struct raft_model *explain_model_watch(struct store *s, const struct store_process *process, size_t processes,
                                       raft_fact_fn watch, void *context, struct drd_error *e);

/* Judge a finished model. `state` is the run's ("complete", ...), "" if it is not known. */
void verdict_init(struct verdict *v, const struct raft_model *m, const struct store_process *process, size_t processes,
                  const char *state);

/* What the bug is called wherever it strikes. False: there is none to name. */
struct verdict_fingerprint {
    int algorithm;   /* raised when the same bug would get another value */
    char value[24];  /* "41c0a3-T07" */
    char text[256];  /* what the value is made of */
};
bool verdict_fingerprint(const struct verdict *v, struct verdict_fingerprint *out);
/* A value as above for any other kind of failure. `text` should hold nothing that is of this one run. */
void fingerprint_make(const char *text, const char *suffix, struct verdict_fingerprint *out);
/* What is left of a sentence when what belongs to one run is taken out: names of nodes, numbers, ids, paths, quoted text. */
void fingerprint_phrase(const struct raft_model *m, const char *text, char *out, size_t size);

/* Where there is more than one break to choose from: leave out those that do not happen before the violation. False: damaged
 * run, out of memory. */
bool verdict_order(struct verdict *v, struct store *s, struct drd_error *e);

/* Re-drive the node to the event of the cause and see where in its program it was. False: damaged run. */
bool verdict_source(struct verdict *v, struct store *s, struct drd_error *e);

/* What re-executions said of the cause, as the run keeps it: a cause that they proved is certain. Takes `p` over; NULL: nothing is
 * known. */
void verdict_proof(struct verdict *v, struct proof *p);
void verdict_fini(struct verdict *v);

/* Whether a node of the model is a member of a cluster, and not a tool that wrote its files. */
bool verdict_member(const struct verdict *v, size_t node);

/* For people, as in docs/drd-explain.md. `run` is how to call the run in a command line. */
struct verdict_style {
    const char *strong, *bad, *good, *warn, *faint, *plain; /* escape sequences, or "" */
    bool redacted; /* the run does not replay */
};
void verdict_print(const struct verdict *v, const char *run, const struct verdict_style *style, FILE *out);
/* For programs, docs/explain.schema.json. */
void verdict_json(const struct verdict *v, const char *run, struct json_writer *j);

/* Parts of the above (verdict_words.c). */
void verdict_headline(const struct verdict *v, const struct raft_finding *f, FILE *out);
void verdict_entry(const struct raft_variant *entry, char *out, size_t size); /* "A" (term 2) */
void verdict_event(const struct verdict *v, const struct raft_witness *w, char *out, size_t size); /* s0@1873 */
const char *verdict_node(const struct verdict *v, const struct raft_side *side, const struct raft_witness *w);
const char *verdict_how(const struct raft_witness *w); /* "leaderCommit of the AppendEntries it sent covers it" */
size_t verdict_frame_first(const struct verdict *v); /* the first that is worth telling */
/* "[T07, Figure 2, Leaders]"; cause, chain and breaks (cause_text.c, for verdict_print). */
void verdict_cause_print(const struct verdict *v, const struct verdict_style *style, FILE *out);
void verdict_breaks_print(const struct verdict *v, const struct verdict_style *style, FILE *out);
/* The earliest event of a finding. NULL if it has none. */
const struct raft_witness *verdict_first(const struct raft_finding *f);

#endif
