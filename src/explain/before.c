/* Happens-before (Lamport 1978) between the breaks of rules and the events of a violation, by vector clocks.
 *
 * Needed only when there is something to choose from, so it is a walk of its own: it keeps a clock a node, the clocks of
 * messages on their way, and those of the events asked about. */
#include <stdlib.h>
#include <string.h>

#include "explain/cause.h"
#include "protocol/map.h"
#include "protocol/protocol.h"

/* Messages on their way. Beyond that the network holds more than it can: they were lost. */
#define FLYING_MAX 65536

struct event_clock {
    uint32_t process;
    uint64_t sequence;
    uint64_t *clock; /* of its node when it happened; NULL: the walk did not come by */
    size_t node;
};

struct before {
    const struct raft_model *model;
    size_t nodes;
    uint64_t *clock;      /* [node * nodes + other]: facts of the other that the node can know of */
    struct map flying;    /* message id to a clock */
    struct map asked;     /* process and sequence to struct event_clock */
    struct event_clock *event;
    size_t events;
    bool failed;
};

static uint64_t event_key(uint32_t process, uint64_t sequence)
{
    return (sequence << 16 ^ process) * 0x9e3779b97f4a7c15u + 1;
}

static void before_ask(struct before *b, const struct raft_witness *w)
{
    uint64_t key = event_key(w->process, w->sequence);
    if (w->how == RAFT_HOW_NONE || map_get(&b->asked, key))
        return;
    struct event_clock *e = &b->event[b->events++];
    *e = (struct event_clock){.process = w->process, .sequence = w->sequence, .node = w->node};
    b->failed |= !map_put(&b->asked, key, e);
}

static const struct event_clock *before_find(const struct before *b, const struct raft_witness *w)
{
    const struct event_clock *e = map_get(&b->asked, event_key(w->process, w->sequence));
    return e && e->clock && e->process == w->process && e->sequence == w->sequence ? e : NULL;
}

static int node_of(const struct raft_model *m, uint32_t process)
{
    for (size_t i = 0; i < m->processes; i++) {
        if (m->process[i].number == process)
            return m->process[i].node;
    }
    return -1;
}

static uint64_t *clock_copy(struct before *b, const uint64_t *clock)
{
    uint64_t *copy = malloc(b->nodes * sizeof *copy);
    if (copy)
        memcpy(copy, clock, b->nodes * sizeof *copy);
    else
        b->failed = true;
    return copy;
}

static void message_passes(struct before *b, const struct raft_fact *f, uint64_t *clock)
{
    if (!f->message->id)
        return;
    if (f->kind == RAFT_FACT_SENT) {
        uint64_t *copy = b->flying.count < FLYING_MAX ? clock_copy(b, clock) : NULL;
        if (!copy)
            return;
        free(map_get(&b->flying, f->message->id));
        if (!map_put(&b->flying, f->message->id, copy)) {
            free(copy);
            b->failed = true;
        }
        return;
    }
    uint64_t *sent = map_remove(&b->flying, f->message->id);
    for (size_t i = 0; sent && i < b->nodes; i++)
        clock[i] = sent[i] > clock[i] ? sent[i] : clock[i];
    free(sent);
}

static void step(void *context, const struct raft_fact *f)
{
    struct before *b = context;
    int node = node_of(b->model, f->process);
    if (node < 0)
        return;
    uint64_t *clock = &b->clock[(size_t)node * b->nodes];
    clock[node]++;
    if (f->kind == RAFT_FACT_SENT || f->kind == RAFT_FACT_RECEIVED)
        message_passes(b, f, clock);
    struct event_clock *e = map_get(&b->asked, event_key(f->process, f->sequence));
    if (!e || e->process != f->process || e->sequence != f->sequence)
        return;
    free(e->clock); /* several facts of one event: the last knows most */
    e->clock = clock_copy(b, clock);
}

static bool before_init(struct before *b, const struct raft_model *m, const struct raft_finding *f)
{
    *b = (struct before){.model = m, .nodes = m->nodes};
    b->clock = calloc(m->nodes * m->nodes + 1, sizeof *b->clock);
    b->event = calloc(m->breaks + RAFT_SIDES * RAFT_SIDE_WITNESSES, sizeof *b->event);
    if (!b->clock || !b->event)
        return false;
    for (size_t i = 0; i < m->breaks; i++)
        before_ask(b, &m->rule_break[i].at);
    for (size_t i = 0; i < f->sides; i++) {
        for (size_t w = 0; w < f->side[i].witnesses; w++)
            before_ask(b, &f->side[i].witness[w]);
    }
    return !b->failed;
}

static void before_fini(struct before *b)
{
    for (size_t i = 0; i < b->flying.capacity; i++)
        free(b->flying.slot[i].value);
    for (size_t i = 0; i < b->events; i++)
        free(b->event[i].clock);
    map_fini(&b->flying);
    map_fini(&b->asked);
    free(b->clock);
    free(b->event);
}

/* What is not known to be apart counts as before: a run without message ids chooses by order alone. */
static bool precedes(const struct before *b, const struct raft_witness *at, const struct raft_finding *f)
{
    const struct event_clock *cause = before_find(b, at);
    for (size_t i = 0; i < f->sides; i++) {
        for (size_t w = 0; w < f->side[i].witnesses; w++) {
            const struct event_clock *effect = before_find(b, &f->side[i].witness[w]);
            if (!cause || !effect || effect->clock[cause->node] >= cause->clock[cause->node])
                return true;
        }
    }
    return f->sides == 0;
}

bool cause_order(struct store *s, const struct raft_model *m, const struct raft_finding *f, bool *out, struct drd_error *e)
{
    struct before b;
    bool good = before_init(&b, m, f);
    if (!good)
        error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && protocol_walk(s, step, &b, e);
    if (good && b.failed)
        good = error_set(e, DRD_EXIT_FATAL, "out of memory");
    for (size_t i = 0; good && i < m->breaks; i++)
        out[i] = precedes(&b, &m->rule_break[i].at, f);
    before_fini(&b);
    return good;
}
