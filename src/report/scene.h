/* What a report draws of a run: lanes, events, messages with both ends, the state of each node, the logs around the
 * divergence.
 *
 * Made in one walk over the run, after explain has told where to look: events near those that the chain and the violation
 * name are kept, of the others those that change what a node is. Memory is bounded by SCENE_STORED events and the messages
 * on
 * their way, whatever the size of the run. All text in it is as the nodes gave it: who writes it out cleans it (html.h). */
#ifndef DRD_REPORT_SCENE_H
#define DRD_REPORT_SCENE_H

#include "explain/explain.h"
#include "protocol/map.h"

#define SCENE_LANES 24
#define SCENE_OUTSIDE 255        /* lane of what drd fault was asked to do: it stands across all lanes */
#define SCENE_STORED 160000      /* events and messages that are looked at more closely */
#define SCENE_NEAR 60000         /* facts around what explain names of which all are */
#define SCENE_DRAWN 10000
#define SCENE_NONE UINT32_MAX
#define SCENE_ROWS 400           /* of the log grid */

/* What an event is drawn as; of several facts of one event the last in this list. */
enum scene_kind {
    SCENE_NOTE, SCENE_DISK, SCENE_REFUSED, SCENE_RECEIVE, SCENE_SEND, SCENE_WRITE, SCENE_DRAW, SCENE_TIMER, SCENE_CONFIGURATION,
    SCENE_COMMIT, SCENE_APPLY, SCENE_APPEND, SCENE_SNAPSHOT, SCENE_TERM, SCENE_VOTE, SCENE_FOLLOWER, SCENE_CANDIDATE,
    SCENE_TRUNCATE, SCENE_LEADER, SCENE_HEAL, SCENE_CUT, SCENE_START, SCENE_END, SCENE_CRASH, SCENE_FAILED, SCENE_FAULT,
    SCENE_KINDS
};
extern const char *const scene_kind_names[SCENE_KINDS];

/* What people filter by. */
enum scene_group {
    SCENE_ELECTIONS, SCENE_ENTRIES, SCENE_HEARTBEATS, SCENE_CLIENTS, SCENE_FILES, SCENE_TIMERS, SCENE_FAULTS, SCENE_NOTES,
    SCENE_GROUPS
};
extern const char *const scene_group_names[SCENE_GROUPS];

/* A node after an event. */
struct scene_state {
    int role;                    /* as struct raft_fact; -1 unknown */
    uint64_t term, commit, applied, last, snapshot;
    char vote[RAFT_NODE_NAME];   /* in `term` */
    uint32_t incarnation;
};

struct scene_event {
    uint64_t order, last;        /* of its first and its last fact */
    uint64_t sequence, time;
    uint64_t tick;               /* events of its lane so far: what happens before it */
    uint64_t cost;               /* what is drawn is cheap */
    uint32_t process, text, state, place; /* place: among the drawn ones; SCENE_NONE: it is not */
    uint8_t lane, kind, group;
    uint8_t rank;                /* among those of one order: 0 before, 1 the fact itself, 2 after it */
    bool cone;
};

enum scene_fate { SCENE_ARRIVED, SCENE_LOST, SCENE_UNSEEN, SCENE_ENDED };

struct scene_message {
    uint32_t from, to;           /* events; SCENE_NONE: the end is not recorded, or not looked at */
    uint8_t from_lane, to_lane;  /* SCENE_OUTSIDE: not recorded */
    uint8_t fate, group;
    bool delayed;
    uint64_t latency;            /* ns; 0 where an end is missing */
    uint32_t label, text, peer;  /* texts: short, in full, and the id of an end that is not recorded */
};

struct scene_lane {
    char name[RAFT_NODE_NAME], id[RAFT_NODE_NAME];
    int node;                    /* of the model; -1: a client */
    uint64_t tick;
    uint32_t last_state;         /* SCENE_NONE: none yet */
    uint32_t last_event;
    uint64_t log_base, log_last, log_commit, log_applied; /* as the grid has them */
    uint32_t log_incarnation;
    bool log_pending;            /* it received entries of the grid's rows, and has not answered yet */
    bool empty_append;           /* the AppendEntries received last had no entries: so the answer is one to a heartbeat */
};

/* From this event on, the node's log holds that entry there. */
struct scene_change {
    uint64_t order;
    uint32_t row, entry;         /* SCENE_NONE: nothing, or not known */
    uint8_t lane;
    bool committed, applied, compacted, durable;
};

struct scene_entry {
    uint64_t index, term, digest;
    char type;
    uint32_t text;
};

struct scene_cell {
    const struct raft_variant *variant;
    bool committed, applied, compacted, durable;
};

struct scene_log {
    uint64_t first, last, highest; /* rows; the highest index of any log */
    uint64_t divergent;            /* first index at which two logs hold different entries at the violation; 0 none */
    struct scene_cell *cell;       /* [lane * SCENE_ROWS + row], while walking */
    struct scene_change *change;
    size_t changes, capacity;
    struct scene_entry *entry;
    size_t entries;
    const struct raft_variant **variant; /* of each entry, while walking */
    size_t variant_capacity;
    struct map numbers;            /* variant to its entry + 1 */
};

struct scene {
    const struct verdict *verdict;
    const struct store_process *process;
    size_t processes;
    uint64_t begin;              /* ns */
    struct scene_lane lane[SCENE_LANES];
    size_t lanes;
    struct scene_event *event;   /* in causal order */
    size_t events, event_capacity;
    struct scene_message *message;
    size_t messages, message_capacity;
    struct scene_state *state;
    size_t states, state_capacity;
    struct scene_log log;
    char *text;                  /* strings one after the other, by offset; 0 is "" */
    size_t text_size, text_capacity;
    struct map texts;
    uint32_t *by_name;           /* the drawn events by process and sequence */
    uint64_t *anchor;            /* orders that explain names, ascending */
    size_t anchors;
    uint64_t near;               /* facts this far from one are looked at */
    uint64_t seen, drawn;        /* events that show something of Raft; of them in the report */
    uint64_t seen_messages, drawn_messages;
    uint64_t in_cone;            /* of the drawn: in the past of the violation */
    uint64_t median;             /* ns a message takes; 0 unknown */
    bool failed;                 /* out of memory */
};

/* `limit`: events that may be drawn. False: damaged run, out of memory. */
bool scene_init(struct scene *s, const struct verdict *v, struct store *store, const struct store_process *process,
                size_t processes, uint64_t begin, size_t limit, struct drd_error *e);
void scene_fini(struct scene *s);
/* Draw fewer. */
void scene_select(struct scene *s, size_t limit);
/* The drawn event with this name, else the last drawn one of its node before it; SCENE_NONE: there is none. */
uint32_t scene_find(const struct scene *s, uint32_t process, uint64_t sequence);
const char *scene_text(const struct scene *s, uint32_t text);
/* Lane of a node of the model; SCENE_OUTSIDE: it has none. */
uint8_t scene_lane_of(const struct scene *s, int node);

/* --- between the files of the scene --- */

/* One walk in progress. */
struct scene_walk {
    struct scene *scene;
    struct raft_model *model;    /* filled a second time */
    struct map flying;           /* message id to struct flying (scene_messages.c) */
    struct map lane_of;          /* process number to its lane + 1 */
    uint64_t *clock;             /* [lane * SCENE_LANES + other]: events of the other that the lane can know of */
    uint64_t past[SCENE_LANES];  /* the same of the violation */
    bool violated;
    bool clocks;                 /* there is something whose past is asked for */
    struct flying *spare;        /* to be used again */
    uint64_t latencies[64];      /* messages by the binary logarithm of what they took */
    uint32_t last_process;       /* of the fact before */
    uint64_t last_sequence;
    uint32_t current;            /* event of the fact at hand; SCENE_NONE: not looked at */
    uint64_t order;
};

uint32_t scene_keep(struct scene *s, const char *text); /* offset of the text, each once */
/* scene_facts.c: what the fact at hand is, and in words. */
struct scene_look {
    uint8_t kind, group;
    bool rare;                   /* few runs have many of these: kept wherever they are */
};
struct scene_look scene_look(const struct scene_walk *w, const struct raft_fact *f, const struct scene_lane *lane);
void scene_words(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size);
void scene_label(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size);
const char *scene_peer(const struct scene_walk *w, const char *id); /* the node with this id, else the id */
/* scene_messages.c */
void scene_message_passes(struct scene_walk *w, const struct raft_fact *f, uint8_t lane, const struct scene_look *look);
void scene_messages_finish(struct scene_walk *w);
void scene_messages_fini(struct scene_walk *w);
/* scene_log.c */
bool scene_log_init(struct scene *s);
void scene_log_step(struct scene_walk *w, const struct raft_fact *f, uint8_t lane);
void scene_log_finish(struct scene *s); /* while the model is there */
/* scene_inputs.c: timers, draws and the ends of processes, which are no facts of Raft. */
bool scene_inputs(struct scene *s, struct store *store, struct drd_error *e);
uint32_t scene_event_add(struct scene *s, const struct scene_event *event);
void *scene_grow(struct scene *s, void **array, size_t count, size_t *capacity, size_t size);

#endif
