#include "export/order.h"

#include <stdlib.h>
#include <string.h>

#include "export/feed.h"

struct clocks {
    struct order *order;
    const struct cast *cast;
    uint64_t *now;   /* [node * nodes + other] */
    uint64_t *asked; /* [event * nodes + other]: when it happened; all 0: it did not */
    bool failed;
};

static uint64_t *clock_of(struct clocks *c, uint32_t process)
{
    int node = cast_node(c->cast, process);
    return node < 0 ? NULL : &c->now[(size_t)node * c->cast->nodes];
}

static void on_event(void *context, const struct trace_event *event)
{
    struct clocks *c = context;
    int node = cast_node(c->cast, event->process);
    if (node >= 0)
        c->now[(size_t)node * c->cast->nodes + (size_t)node]++;
}

static void on_sent(void *context, struct feed_message *m)
{
    struct clocks *c = context;
    const uint64_t *clock = clock_of(c, m->sent.process);
    size_t size = c->cast->nodes * sizeof *clock;
    if (!clock)
        return;
    if ((m->user = malloc(size)))
        memcpy(m->user, clock, size);
    else
        c->failed = true;
}

static void on_received(void *context, struct feed_message *m)
{
    struct clocks *c = context;
    const uint64_t *sent = m->user;
    uint64_t *clock = clock_of(c, m->received.process);
    for (size_t i = 0; sent && clock && i < c->cast->nodes; i++)
        clock[i] = sent[i] > clock[i] ? sent[i] : clock[i];
    free(m->user);
}

static void on_lost(void *context, struct feed_message *m)
{
    (void)context;
    free(m->user);
}

static void on_after(void *context, const struct trace_event *event)
{
    struct clocks *c = context;
    const struct order *o = c->order;
    for (size_t i = 0; i < o->count; i++) {
        const uint64_t *clock = clock_of(c, event->process);
        if (clock && o->process[i] == event->process && o->sequence[i] == event->sequence)
            memcpy(&c->asked[i * c->cast->nodes], clock, c->cast->nodes * sizeof *clock);
    }
}

static void compare(struct order *o, const struct clocks *c)
{
    size_t nodes = c->cast->nodes;
    for (size_t i = 0; i < o->count; i++)
        for (size_t j = 0; j < o->count; j++) {
            int node = cast_node(c->cast, o->process[i]);
            uint64_t own = node < 0 ? 0 : c->asked[i * nodes + (size_t)node];
            bool same = o->process[i] == o->process[j] && o->sequence[i] == o->sequence[j];
            o->before[i][j] = own && !same && c->asked[j * nodes + (size_t)node] >= own;
        }
    for (size_t i = 0; i < o->count; i++)
        for (size_t j = 0; j < o->count; j++) {
            bool between = false;
            for (size_t k = 0; k < o->count; k++)
                between |= o->before[i][k] && o->before[k][j];
            o->direct[i][j] = o->before[i][j] && !between;
        }
}

bool order_find(struct order *o, struct store *s, const struct cast *cast, struct drd_error *e)
{
    struct clocks c = {.order = o, .cast = cast};
    const struct feed_listener listener = {
        .context = &c, .failed = &c.failed, .event = on_event, .sent = on_sent, .received = on_received, .lost = on_lost,
        .after = on_after,
    };
    c.now = calloc(cast->nodes * cast->nodes + 1, sizeof *c.now);
    c.asked = calloc(ORDER_MAX * cast->nodes + 1, sizeof *c.asked);
    bool good = (c.now && c.asked) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && feed_run(s, cast, &listener, e);
    if (good)
        compare(o, &c);
    free(c.now);
    free(c.asked);
    return good;
}
