/* Every message of the run's connections as packets, for Wireshark.
 *
 * The bytes are the recorded ones. IP addresses are made up, one a node, so that name resolution shows nodes where all of
 * them ran on 127.0.0.1; ports are the recorded ones. A message stands where and when it was received, on the interface of
 * the node that received it: this is what that node knew. Written twice (sent and received), Wireshark would take the
 * second for a retransmission. One that was not received stands on its sender's interface, with the time of its sending,
 * when that is known: at the end of its connection.
 *
 * Sequence numbers are offsets in the stream, so what could not be written leaves a gap and nothing else. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "export/export.h"
#include "export/pcapng_block.h"
#include "export/words.h"
#include "protocol/map.h"

#define FIRST_ADDRESS 0x0a000001u /* 10.0.0.1 */
#define HELD_MAX (8u << 20) /* bytes of one direction that wait for their receipt; beyond, they are written without it */
#define PART_MAX (16u << 20) /* and of one message */

/* What is kept of a message on its way. */
struct parcel {
    uint8_t *data; /* NULL: content not known, or written already */
    size_t length;
    uint64_t acknowledged; /* bytes that the sender had received when it sent it */
    bool written;
};

struct direction {
    uint8_t *data; /* not yet cut into messages */
    size_t length, capacity;
    uint64_t start;    /* offset of its first byte */
    uint64_t received; /* bytes received by the side that it goes to */
    uint64_t written;  /* everything below this offset, or lost for good */
    uint64_t held;
};

struct tcp {
    struct direction way[2]; /* by the side that sends */
    uint32_t address[2];
    uint16_t port[2];
    uint32_t process[2];     /* 0: not recorded */
    struct flow_at opened[2], closed[2];
    bool begun;              /* the handshake is written: addresses stay */
};

struct pcapng {
    const struct export_run *run;
    struct cast cast;
    struct map connections; /* by id */
    uint64_t epoch;         /* ns since 1970 of run->begin */
    struct flow_at now;
    FILE *out;
    uint64_t packets, cut;
    bool failed;
};

/* --- the head of the file --- */

/* "2026-11-23T18:32:47.722Z" */
static uint64_t parse_started(const char *text)
{
    struct tm tm = {.tm_isdst = 0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    time_t seconds = rest ? timegm(&tm) : -1;
    double fraction = rest && *rest == '.' ? strtod(rest, NULL) : 0;
    return seconds > 0 ? (uint64_t)seconds * 1000000000 + (uint64_t)(fraction * 1000) * 1000000 : 0;
}

static void write_head(struct pcapng *x)
{
    const char **name = calloc(x->cast.nodes + 1, sizeof *name);
    char description[128];
    pcapng_section(x->out, "drd " DRD_VERSION,
                   "messages of a recorded run; addresses are made up, one a node; what is no message is left out");
    for (size_t i = 0; i < x->cast.nodes; i++) {
        snprintf(description, sizeof description, "node %s", x->cast.word[i]);
        pcapng_interface(x->out, x->cast.word[i], description);
    }
    pcapng_interface(x->out, "not-recorded", "programs that were not recorded");
    for (size_t i = 0; name && i < x->cast.nodes; i++)
        name[i] = x->cast.word[i];
    if (name) {
        name[x->cast.nodes] = "not-recorded";
        pcapng_names(x->out, FIRST_ADDRESS, name, x->cast.nodes + 1);
    }
    x->failed |= !name;
    free(name);
}

static uint32_t interface_of(const struct pcapng *x, uint32_t process)
{
    int node = cast_node(&x->cast, process);
    return process && node >= 0 ? (uint32_t)node : (uint32_t)x->cast.nodes;
}

static void write_packet(struct pcapng *x, const struct tcp *t, int side, struct pcapng_packet *p, uint64_t time)
{
    if (!x->packets++)
        write_head(x);
    p->time = x->epoch + (time > x->run->begin ? time - x->run->begin : 0);
    p->from = t->address[side];
    p->to = t->address[!side];
    p->from_port = t->port[side];
    p->to_port = t->port[!side];
    pcapng_packet(x->out, p);
}

/* --- connections --- */

static uint16_t port_of(const struct flow_address *a)
{
    struct sockaddr_in6 in; /* the port stands at the same place in both */
    sa_family_t family = AF_UNSPEC;
    if (a->length >= sizeof family)
        memcpy(&family, a->bytes, sizeof family);
    if (a->length < sizeof(struct sockaddr_in) || (family != AF_INET && family != AF_INET6))
        return 0;
    memcpy(&in, a->bytes, sizeof(struct sockaddr_in));
    return ntohs(in.sin6_port);
}

static struct tcp *tcp_of(struct pcapng *x, uint64_t id)
{
    return map_get(&x->connections, id);
}

static void on_opened(void *context, const struct flow_connection *c, const struct flow_end *end)
{
    struct pcapng *x = context;
    struct tcp *t = tcp_of(x, c->id);
    if (!t && (t = calloc(1, sizeof *t)) && !map_put(&x->connections, c->id, t)) {
        free(t);
        t = NULL;
    }
    if (!t) {
        x->failed = true;
        return;
    }
    int side = (int)end->side;
    t->opened[side] = end->opened;
    t->process[side] = end->opened.process;
    t->port[side] = port_of(&end->local);
    if (!t->process[!side])
        t->port[!side] = port_of(&end->peer);
}

/* A unix socket has no ports: the server's is 1, the client's one of those that belong to no service. */
static void begin(struct pcapng *x, uint64_t id, struct tcp *t)
{
    char a[CAST_EVENT], b[CAST_EVENT], comment[2 * CAST_EVENT + 64];
    if (t->begun)
        return;
    t->begun = true;
    for (int side = 0; side < 2; side++)
        t->address[side] = FIRST_ADDRESS + interface_of(x, t->process[side]);
    if (!t->port[FLOW_ACCEPTED])
        t->port[FLOW_ACCEPTED] = 1;
    if (!t->port[FLOW_CONNECTED])
        t->port[FLOW_CONNECTED] = (uint16_t)(49152 + id % 16384);
    const struct flow_at *connected = &t->opened[FLOW_CONNECTED], *accepted = &t->opened[FLOW_ACCEPTED];
    snprintf(comment, sizeof comment, "connection: %s -> %s",
             connected->process ? cast_event(&x->cast, connected->process, connected->sequence, a) : "not recorded",
             accepted->process ? cast_event(&x->cast, accepted->process, accepted->sequence, b) : "not recorded");
    struct pcapng_packet p = {.interface = interface_of(x, t->process[FLOW_CONNECTED]), .flags = PCAPNG_SYN,
                              .comment = words_clean(comment)};
    write_packet(x, t, FLOW_CONNECTED, &p, x->now.time);
    p = (struct pcapng_packet){.interface = interface_of(x, t->process[FLOW_ACCEPTED]), .flags = PCAPNG_SYN | PCAPNG_ACK,
                               .acknowledged = 1};
    write_packet(x, t, FLOW_ACCEPTED, &p, x->now.time);
    p = (struct pcapng_packet){.interface = interface_of(x, t->process[FLOW_CONNECTED]), .flags = PCAPNG_ACK, .sequence = 1,
                               .acknowledged = 1};
    write_packet(x, t, FLOW_CONNECTED, &p, x->now.time);
}

static void on_closed(void *context, const struct flow_end *end, const struct flow_at *at)
{
    struct pcapng *x = context;
    struct tcp *t = end->connection ? tcp_of(x, end->connection->id) : NULL;
    if (t)
        t->closed[end->side] = *at;
}

static void finish(struct pcapng *x, struct tcp *t, int side)
{
    char event[CAST_EVENT], comment[CAST_EVENT + 32];
    const struct flow_at *at = &t->closed[side];
    if (!t->process[side])
        return;
    snprintf(comment, sizeof comment, "closed: %s", 
             at->process ? cast_event(&x->cast, at->process, at->sequence, event) : "it ended");
    struct pcapng_packet p = {.interface = interface_of(x, t->process[side]), .flags = PCAPNG_FIN | PCAPNG_ACK,
                              .sequence = (uint32_t)(1 + t->way[side].written),
                              .acknowledged = (uint32_t)(1 + t->way[!side].written), .comment = words_clean(comment)};
    write_packet(x, t, side, &p, at->process ? at->time : x->now.time);
}

static void on_freed(void *context, const struct flow_connection *c)
{
    struct pcapng *x = context;
    struct tcp *t = map_remove(&x->connections, c->id);
    if (!t)
        return;
    for (int side = 0; side < 2; side++) {
        if (t->begun)
            finish(x, t, side);
        free(t->way[side].data);
    }
    free(t);
}

/* --- messages --- */

static void write_part(struct pcapng *x, const struct tcp *t, const struct feed_message *m, const struct parcel *parcel,
                       size_t from,
                       const char *comment)
{
    const struct flow_at *at = m->received.process ? &m->received : &m->sent;
    size_t left = parcel->length - from, length = left < PCAPNG_SEGMENT ? left : PCAPNG_SEGMENT;
    uint64_t behind = t->way[!m->side].written; /* acknowledged is what was written, at most */
    struct pcapng_packet p = {
        .interface = interface_of(x, at->process), .inbound = m->received.process != 0, .id = m->number,
        .flags = PCAPNG_ACK | (length == left ? PCAPNG_PUSH : 0), .data = parcel->data ? parcel->data + from : NULL,
        .length = length, .comment = comment,
        .sequence = (uint32_t)(1 + m->end - parcel->length + from),
        .acknowledged = (uint32_t)(1 + (parcel->acknowledged < behind ? parcel->acknowledged : behind)),
    };
    write_packet(x, t, (int)m->side, &p, at->time);
}

static void make_comment(struct pcapng *x, const struct feed_message *m, char *out, size_t size)
{
    char a[CAST_EVENT], b[CAST_EVENT], text[FEED_TEXT];
    const char *to = m->received.process ? cast_event(&x->cast, m->received.process, m->received.sequence, b)
                     : m->to ? "not received" : "not recorded";
    int used = snprintf(out, size, "%s -> %s: %s",
                        m->sent.process ? cast_event(&x->cast, m->sent.process, m->sent.sequence, a) : "not recorded", to,
                        words_feed(m, text, sizeof text));
    if (m->sent.process && m->received.time > m->sent.time && used > 0 && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, "; %" PRIu64 ".%03" PRIu64 " ms on its way",
                 (m->received.time - m->sent.time) / 1000000, (m->received.time - m->sent.time) / 1000 % 1000);
    words_clean(out);
}

static void write_message(struct pcapng *x, const struct feed_message *m, struct parcel *parcel)
{
    struct tcp *t = tcp_of(x, m->connection);
    char comment[FEED_TEXT + 2 * CAST_EVENT + 64], more[sizeof comment + 32];
    if (!t || parcel->written || !parcel->length)
        return;
    begin(x, m->connection, t);
    make_comment(x, m, comment, sizeof comment);
    for (size_t from = 0; from < parcel->length; from += PCAPNG_SEGMENT) {
        snprintf(more, sizeof more, "%s%s", comment, from ? " (continued)" : "");
        write_part(x, t, m, parcel, from, more);
    }
    if (t->way[m->side].written < m->end)
        t->way[m->side].written = m->end;
    x->cut += parcel->data == NULL;
    free(parcel->data);
    parcel->data = NULL;
    parcel->written = true;
}

static void direction_put(struct pcapng *x, struct direction *d, const uint8_t *data, size_t length)
{
    if (d->length + length > d->capacity) {
        size_t capacity = d->capacity ? d->capacity : 512;
        while (capacity < d->length + length)
            capacity *= 2;
        uint8_t *grown = realloc(d->data, capacity);
        x->failed |= !grown;
        if (!grown)
            return;
        d->data = grown;
        d->capacity = capacity;
    }
    memcpy(d->data + d->length, data, length);
    d->length += length;
}

static void direction_drop(struct direction *d, size_t length)
{
    d->length -= length;
    d->start += length;
    if (d->length)
        memmove(d->data, d->data + length, d->length);
    else if (d->capacity > 1u << 16) { /* a rare big one: not worth keeping for the life of the connection */
        free(d->data);
        d->data = NULL;
        d->capacity = 0;
    }
}

/* The bytes of a message, if all of them are here. What stands before them is of no message any more. */
static void direction_cut(struct pcapng *x, struct direction *d, const struct feed_message *m, struct parcel *parcel)
{
    uint64_t from = m->end - (m->length < m->end ? m->length : m->end);
    parcel->length = (size_t)(m->end - from);
    if (from > d->start)
        direction_drop(d, from - d->start < d->length ? (size_t)(from - d->start) : d->length);
    if (from != d->start || d->length < parcel->length) {
        direction_drop(d, d->length);
        d->start = m->end;
        return;
    }
    if ((parcel->data = malloc(parcel->length)))
        memcpy(parcel->data, d->data, parcel->length);
    x->failed |= !parcel->data;
    direction_drop(d, parcel->length);
}

/* A direction is fed by the side that sends, or, if that was not recorded, by the other. */
static void on_bytes(void *context, const struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length)
{
    struct pcapng *x = context;
    struct tcp *t = tcp_of(x, end->connection->id);
    enum flow_side sender = way == FLOW_SENT ? end->side : !end->side;
    if (!t)
        return;
    struct direction *d = &t->way[sender];
    uint64_t at = end->offset[way];
    if (way == FLOW_RECEIVED)
        d->received += length;
    if (way == FLOW_RECEIVED && t->process[sender])
        return;
    if (at >= d->start && at < d->start + d->length) /* the rest never left */
        d->length = (size_t)(at - d->start);
    if (data && d->length && d->start + d->length == at && d->length + length <= PART_MAX) {
        direction_put(x, d, data, length);
        return;
    }
    direction_drop(d, d->length);
    d->start = data && length <= PART_MAX ? at : at + length;
    if (d->start == at)
        direction_put(x, d, data, length);
}

static void on_sent(void *context, struct feed_message *m)
{
    struct pcapng *x = context;
    struct tcp *t = tcp_of(x, m->connection);
    struct parcel *parcel = calloc(1, sizeof *parcel);
    x->failed |= !parcel;
    m->user = parcel;
    if (!t || !parcel)
        return;
    struct direction *d = &t->way[m->side];
    parcel->acknowledged = t->way[!m->side].received;
    direction_cut(x, d, m, parcel);
    d->held += parcel->length;
    if (d->held > HELD_MAX)
        write_message(x, m, parcel);
}

static void parcel_done(struct pcapng *x, struct feed_message *m)
{
    struct parcel *parcel = m->user;
    struct tcp *t = tcp_of(x, m->connection);
    if (!parcel)
        return;
    if (t)
        t->way[m->side].held -= parcel->length;
    if (m->length < parcel->length) /* its send failed midway */
        parcel->length = (size_t)m->length;
    write_message(x, m, parcel);
    free(parcel->data);
    free(parcel);
    m->user = NULL;
}

static void on_received(void *context, struct feed_message *m)
{
    struct pcapng *x = context;
    struct tcp *t = tcp_of(x, m->connection);
    struct parcel parcel = {.acknowledged = UINT64_MAX};
    if (m->sent.process) {
        parcel_done(x, m);
        return;
    }
    if (!t)
        return;
    direction_cut(x, &t->way[m->side], m, &parcel);
    write_message(x, m, &parcel);
    free(parcel.data);
}

static void on_lost(void *context, struct feed_message *m)
{
    parcel_done(context, m);
}

static void on_event(void *context, const struct trace_event *event)
{
    struct pcapng *x = context;
    x->now = flow_at(event);
}

static bool pcapng_write(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e)
{
    struct pcapng x = {.run = run, .out = out};
    char started[64] = "";
    const struct feed_listener listener = {
        .context = &x, .out = out, .failed = &x.failed, .event = on_event, .opened = on_opened, .closed = on_closed,
        .freed = on_freed, .bytes = on_bytes, .sent = on_sent, .received = on_received, .lost = on_lost,
    };
    store_fact(run->store, "started", started, sizeof started);
    x.epoch = parse_started(started);
    bool good = cast_init(&x.cast, run->process, run->processes) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && feed_run(run->store, &x.cast, &listener, e);
    result->events = x.packets;
    if (x.cut)
        snprintf(result->note, sizeof result->note,
                 "%" PRIu64 " messages have no content in the capture: it was not recorded", x.cut);
    for (size_t i = 0; i < x.connections.capacity; i++)
        free(x.connections.slot[i].value);
    map_fini(&x.connections);
    cast_fini(&x.cast);
    return good;
}

const struct export_format export_pcapng = {
    .name = "pcapng",
    .nothing = "no message went over a TCP or unix connection",
    .binary = true,
    .write = pcapng_write,
};
