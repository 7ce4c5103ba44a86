#include "export/feed.h"

#include <stdlib.h>
#include <string.h>

#include "export/words.h"
#include "protocol/walk.h"

#define WAIT_PAIRED 65536 /* messages on their way in one direction: beyond that the oldest counts as lost */
#define WAIT_ALONE 256    /* and while the other end was not seen */

/* One direction of a connection. */
struct flight {
    struct feed_message *first, **last;
    size_t count;
    uint64_t told; /* received up to this offset */
};

struct link {
    struct flight flight[2]; /* by the side that sends */
    uint32_t process[2];     /* by side: who talks; an acceptor and who it hands the descriptor to may be two */
};

struct feed {
    const struct feed_listener *on;
    const struct cast *cast;
    struct walk *walk;
    uint64_t number;
    char text[FEED_TEXT]; /* of the Raft message that the fact told last spoke of, until the message is told */
    bool failed;
};

static struct link *link_of(struct feed *f, struct flow_connection *c)
{
    void **user = walk_connection_user(c);
    if (user && !*user && (*user = calloc(1, sizeof(struct link))))
        for (int side = 0; side < 2; side++)
            ((struct link *)*user)->flight[side].last = &((struct link *)*user)->flight[side].first;
    f->failed |= !user || !*user;
    return f->failed ? NULL : *user;
}

/* --- messages on their way --- */

static void address_of(const struct flow_end *end, char *out, size_t size)
{
    char text[FLOW_ADDRESS_MAX + 16] = "";
    if (end)
        flow_address_text(&end->peer, text, sizeof text);
    snprintf(out, size, "%.*s", (int)size - 1, text);
}

static struct feed_message *message_create(struct feed *f, const struct flow_connection *c, enum flow_side side,
                                           const struct link *l, uint64_t end, size_t length, const char *name)
{
    struct feed_message *m = calloc(1, sizeof *m);
    if (!m) {
        f->failed = true;
        return NULL;
    }
    m->number = ++f->number;
    m->connection = c->id;
    m->side = side;
    m->from = l->process[side];
    m->to = l->process[!side];
    m->end = end;
    m->length = length;
    if (!m->from || !m->to)
        address_of(c->end[m->from ? side : !side], m->address, sizeof m->address);
    strncat(m->name, name, sizeof m->name - 1);
    memcpy(m->text, f->text, sizeof m->text);
    return m;
}

static struct feed_message *flight_take(struct flight *flight)
{
    struct feed_message *m = flight->first;
    flight->first = m->next;
    if (!m->next)
        flight->last = &flight->first;
    flight->count--;
    return m;
}

static void flight_put(struct flight *flight, struct feed_message *m)
{
    *flight->last = m;
    flight->last = &m->next;
    flight->count++;
}

static void tell_lost(struct feed *f, struct feed_message *m)
{
    if (f->on->lost)
        f->on->lost(f->on->context, m);
    free(m);
}

static void tell_received(struct feed *f, struct feed_message *m, const struct flow_at *at)
{
    m->received = *at;
    m->to = at->process;
    if (f->on->received)
        f->on->received(f->on->context, m);
    free(m);
}

static void message_sent(struct feed *f, const struct flow_connection *c, enum flow_side side, struct link *l,
                         struct feed_message *m, const struct flow_at *at)
{
    struct flight *flight = &l->flight[side];
    m->sent = *at;
    m->open = !m->to && !l->flight[!side].told;
    if (f->on->sent)
        f->on->sent(f->on->context, m);
    if (m->end <= flight->told) { /* received before, as far as the stamps of two processes can tell */
        tell_lost(f, m);
        return;
    }
    flight_put(flight, m);
    /* Who had sent something before its connection was seen is not recorded: it will not be seen to receive either. */
    size_t wait = c->paired ? WAIT_PAIRED : l->flight[!side].told ? 0 : WAIT_ALONE;
    while (flight->count > wait)
        tell_lost(f, flight_take(flight));
}

/* Whatever of this direction ends up to `end` was received by this event. What nobody is known to have sent is told as well,
 * unless it is a part of a message that is on its way. */
static void message_received(struct feed *f, const struct flow_connection *c, enum flow_side side, struct link *l,
                             uint64_t end,
                             size_t length, const char *name, const struct flow_at *at)
{
    struct flight *flight = &l->flight[side];
    uint64_t told = flight->told;
    while (flight->first && flight->first->end <= end) {
        flight->told = flight->first->end;
        tell_received(f, flight_take(flight), at);
    }
    if (flight->told != told || flight->first || end <= told)
        return;
    struct feed_message *m = message_create(f, c, side, l, end, length, name);
    flight->told = end;
    if (m)
        tell_received(f, m, at);
}

/* --- what the walk tells --- */

static void on_message(void *context, struct flow_end *end, enum flow_way way, uint64_t end_offset, size_t length,
                       const char *name, const struct flow_at *at)
{
    struct feed *f = context;
    const struct flow_connection *c = end->connection;
    struct link *l = link_of(f, end->connection);
    if (l) {
        l->process[end->side] = at->process;
        struct feed_message *m = way == FLOW_SENT ? message_create(f, c, end->side, l, end_offset, length, name) : NULL;
        if (m)
            message_sent(f, c, end->side, l, m, at);
        else if (way == FLOW_RECEIVED)
            message_received(f, c, !end->side, l, end_offset, length, name, at);
    }
    f->text[0] = '\0';
}

/* A blocking send that did not come to its end. Of the message that it cuts, what left is on its way; those behind never
 * were. */
static void on_unsent(void *context, struct flow_end *end)
{
    struct feed *f = context;
    struct link *l = link_of(f, end->connection);
    uint64_t left = end->offset[FLOW_SENT];
    if (!l)
        return;
    struct flight *flight = &l->flight[end->side];
    struct feed_message **at = &flight->first, *m;
    while (*at && (*at)->end <= left)
        at = &(*at)->next;
    if ((m = *at) && m->end - m->length < left) {
        m->length -= m->end - left;
        m->end = left;
        at = &m->next;
    }
    m = *at;
    *at = NULL;
    flight->last = at;
    for (struct feed_message *next; m; m = next) {
        next = m->next;
        flight->count--;
        m->length = 0;
        tell_lost(f, m);
    }
}

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct feed *f = context;
    if (fact->message)
        words_message(fact->message, f->text, sizeof f->text);
    if (f->on->fact)
        f->on->fact(f->on->context, fact);
}

static void on_bytes(void *context, struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length)
{
    struct feed *f = context;
    f->text[0] = '\0';
    if (f->on->bytes)
        f->on->bytes(f->on->context, end, way, data, length);
}

static void on_opened(void *context, struct flow_connection *c, struct flow_end *end)
{
    struct feed *f = context;
    struct link *l = link_of(f, c);
    if (l)
        l->process[end->side] = end->opened.process;
    if (f->on->opened)
        f->on->opened(f->on->context, c, end);
}

static void on_closed(void *context, struct flow_end *end, const struct flow_at *at)
{
    struct feed *f = context;
    if (f->on->closed)
        f->on->closed(f->on->context, end, at);
}

static void on_freed(void *context, struct flow_connection *c, void *user)
{
    struct feed *f = context;
    struct link *l = user;
    for (int side = 0; l && side < 2; side++)
        while (l->flight[side].first)
            tell_lost(f, flight_take(&l->flight[side]));
    free(l);
    if (f->on->freed)
        f->on->freed(f->on->context, c);
}

/* --- the pass --- */

static bool feed_event(struct feed *f, const struct trace_event *event)
{
    if (f->on->event)
        f->on->event(f->on->context, event);
    if (walk_wants(event->code))
        f->failed |= !walk_event(f->walk, event);
    if (f->on->after)
        f->on->after(f->on->context, event);
    f->failed |= f->on->failed && *f->on->failed;
    return !f->failed;
}

static bool feed_enough(const struct feed_listener *on)
{
    return (on->stop && *on->stop) || (on->out && ferror(on->out));
}

bool feed_run(struct store *s, const struct cast *cast, const struct feed_listener *listener, struct drd_error *e)
{
    struct feed f = {.on = listener, .cast = cast};
    const struct walk_listener walk = {
        .context = &f, .fact = on_fact, .message = on_message, .bytes = on_bytes, .unsent = on_unsent, .opened = on_opened,
        .closed = on_closed, .freed = on_freed,
    };
    struct trace_event event;
    f.walk = walk_create(&walk);
    struct timeline *t = f.walk ? timeline_open(s, e) : NULL;
    int more = t ? 1 : -1;
    f.failed = !f.walk;
    while (more > 0 && !feed_enough(listener) && (more = timeline_next(t, &event, e)) > 0)
        if (!feed_event(&f, &event))
            more = -1;
    timeline_close(t);
    walk_destroy(f.walk);
    if (f.failed || (listener->failed && *listener->failed))
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    return more >= 0;
}
