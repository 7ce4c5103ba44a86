/* Connections between servers: see wire.h. Each server keeps one to every other, on which it sends; on those that others
 * opened it only listens. A connection that breaks is opened again, and what was on it is lost: Raft sends anew. */
#include "raft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 50, TYPES = WIRE_TIMEOUT_NOW + 1 };

/* To another server. */
struct link {
    uv_tcp_t handle;
    uv_connect_t connect;
    uint64_t to;
    bool open;
};

/* From another server. */
struct inbound {
    uv_tcp_t handle;
    struct inbound *next;
    uint64_t from; /* 0: it has not said so yet */
    char *bytes;
    size_t used, room;
};

struct packet {
    uv_write_t write;
    size_t length;
    char bytes[];
};

static uv_tcp_t listener;
static uv_timer_t retry;
static struct link *link_to[SERVERS];
static struct inbound *inbounds;
static char address_of[SERVERS][WIRE_ADDRESS]; /* as the servers themselves said */
static struct buffer latest[SERVERS][TYPES];   /* STEP again: what was sent last */
static bool cut[SERVERS];                      /* STEP cut */

static bool address_parse(const char *text, struct sockaddr_in *address)
{
    char host[WIRE_ADDRESS];
    const char *colon = strrchr(text, ':');
    if (!colon)
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    return uv_ip4_addr(host, atoi(colon + 1), address) == 0;
}

/* --- sending --- */

static void on_link_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* What was on its way may be lost: the leader starts again where it knows that the logs agree. */
static void link_close(struct link *link)
{
    if (!link || uv_is_closing((uv_handle_t *)&link->handle))
        return;
    struct server *s = &raft.server[link->to];
    link_to[link->to] = NULL;
    uv_close((uv_handle_t *)&link->handle, on_link_closed);
    s->next_index = s->match_index && s->next_index > s->match_index ? s->match_index + 1 : s->next_index;
    s->probing = true;
    s->snapshot = 0;
}

static void on_written(uv_write_t *write, int status)
{
    if (status && write->handle->data)
        link_close(write->handle->data);
    free(write);
}

static void link_write(struct link *link, const void *head, size_t head_length, const void *body, size_t length)
{
    struct packet *packet = malloc(sizeof *packet + head_length + length);
    if (!packet)
        die("network", "no memory");
    memcpy(packet->bytes, head, head_length);
    if (length)
        memcpy(packet->bytes + head_length, body, length);
    uv_buf_t buffer = uv_buf_init(packet->bytes, (unsigned)(head_length + length));
    if (uv_write(&packet->write, (uv_stream_t *)&link->handle, &buffer, 1, on_written) != 0) {
        free(packet);
        link_close(link);
    }
}

/* Nobody says anything on a connection that we opened: this is how its end is noticed. */
static void on_link_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    (void)buffer;
    if (count < 0)
        link_close(stream->data);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char bytes[65536];
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct link *link = connect->handle->data;
    struct wire_hello hello = {.version = WIRE_VERSION, .id = raft.id};
    if (status)
        return link_close(link);
    memcpy(hello.magic, WIRE_MAGIC, sizeof hello.magic);
    snprintf(hello.address, sizeof hello.address, "%s", option.member[option.id - 1]);
    link->open = true;
    raft.server[link->to].snapshot = 0; /* what was said before has not gone out */
    uv_tcp_nodelay(&link->handle, 1);
    uv_read_start((uv_stream_t *)&link->handle, on_room, on_link_bytes);
    link_write(link, &hello, sizeof hello, NULL, 0);
    if (raft.role == LEADER && raft.configuration.member[link->to].standing != OUTSIDER)
        replicate(link->to);
}

static void link_open(uint64_t to)
{
    struct sockaddr_in address;
    bool member = raft.configuration.member[to].standing != OUTSIDER;
    const char *text = member ? raft.configuration.member[to].address : address_of[to];
    if (link_to[to] || cut[to] || !address_parse(text, &address))
        return;
    struct link *link = calloc(1, sizeof *link);
    if (!link)
        die("network", "no memory");
    link->to = to;
    uv_tcp_init(&raft.loop, &link->handle);
    link->handle.data = link;
    link_to[to] = link;
    if (uv_tcp_connect(&link->connect, &link->handle, (struct sockaddr *)&address, on_connected) != 0)
        link_close(link);
}

static void links_open(void)
{
    for (uint64_t id = 1; id < SERVERS; id++)
        if (id != raft.id)
            link_open(id);
}

static void on_retry(uv_timer_t *timer)
{
    (void)timer;
    links_open();
}

bool network_connected(uint64_t id)
{
    return link_to[id] && link_to[id]->open;
}

/* Both ways. */
bool network_linked(uint64_t id)
{
    const struct inbound *in = inbounds;
    while (in && in->from != id)
        in = in->next;
    return in && network_connected(id);
}

static void message_remember(uint64_t to, const struct wire_header *h, const void *body, size_t length)
{
    struct buffer *kept = &latest[to][h->type];
    free(kept->bytes);
    kept->bytes = malloc(sizeof *h + length);
    if (!kept->bytes)
        die("network", "no memory");
    kept->length = sizeof *h + length;
    memcpy(kept->bytes, h, sizeof *h);
    if (length)
        memcpy(kept->bytes + sizeof *h, body, length);
}

void message_send(uint64_t to, enum wire_type type, unsigned flags, uint64_t term, const void *body, size_t length)
{
    struct wire_header h = {.length = (uint32_t)(sizeof h + length), .version = WIRE_VERSION, .type = (uint8_t)type,
                            .flags = (uint16_t)flags, .from = raft.id, .term = term};
    if (!network_connected(to))
        return link_open(to);
    bool heartbeat = type == WIRE_APPEND_ENTRIES && ((const struct wire_append_entries *)body)->count == 0;
    if (!heartbeat)
        message_remember(to, &h, body, length);
    link_write(link_to[to], &h, sizeof h, body, length);
}

/* --- receiving --- */

static void on_inbound_closed(uv_handle_t *handle)
{
    struct inbound *in = handle->data;
    free(in->bytes);
    free(in);
}

static void inbound_close(struct inbound *in)
{
    if (uv_is_closing((uv_handle_t *)&in->handle))
        return;
    struct inbound **at = &inbounds;
    while (*at != in)
        at = &(*at)->next;
    *at = in->next;
    uv_close((uv_handle_t *)&in->handle, on_inbound_closed);
}

/* Bytes that the hello takes, 0: it is not whole yet. */
static size_t hello_take(struct inbound *in)
{
    struct wire_hello hello;
    if (in->used < sizeof hello)
        return 0;
    memcpy(&hello, in->bytes, sizeof hello);
    hello.address[WIRE_ADDRESS - 1] = '\0';
    if (memcmp(hello.magic, WIRE_MAGIC, sizeof hello.magic) != 0 || hello.version != WIRE_VERSION || !hello.id ||
        hello.id >= SERVERS || hello.id == raft.id || cut[hello.id]) {
        inbound_close(in);
        return 0;
    }
    in->from = hello.id;
    memcpy(address_of[hello.id], hello.address, WIRE_ADDRESS);
    link_open(hello.id);
    return sizeof hello;
}

/* Bytes that the first message takes, 0: it is not whole yet. */
static size_t message_take(struct inbound *in, const char *at, size_t length)
{
    static _Alignas(8) char body[WIRE_MESSAGE_MAX]; /* messages follow each other without padding */
    struct wire_header h;
    if (length < sizeof h)
        return 0;
    memcpy(&h, at, sizeof h);
    if (h.version != WIRE_VERSION || h.length < sizeof h || h.length > WIRE_MESSAGE_MAX || h.from != in->from) {
        inbound_close(in);
        return 0;
    }
    if (length < h.length)
        return 0;
    memcpy(body, at + sizeof h, h.length - sizeof h);
    message_receive(&h, body, h.length - sizeof h);
    return h.length;
}

static void inbound_take(struct inbound *in)
{
    size_t at = 0;
    for (size_t taken = 1; taken && !uv_is_closing((uv_handle_t *)&in->handle); at += taken)
        taken = in->from ? message_take(in, in->bytes + at, in->used - at) : hello_take(in);
    memmove(in->bytes, in->bytes + at, in->used - at);
    in->used -= at;
}

static void on_inbound_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct inbound *in = stream->data;
    if (count < 0)
        return inbound_close(in);
    if (in->used + (size_t)count > in->room) {
        in->room = (in->used + (size_t)count) * 2;
        in->bytes = realloc(in->bytes, in->room);
        if (!in->bytes)
            die("network", "no memory");
    }
    memcpy(in->bytes + in->used, buffer->base, (size_t)count);
    in->used += (size_t)count;
    inbound_take(in);
}

/* Of whom it does not know yet, or will not hear, it reads the hello alone: no message that it read stays without effect. */
static void on_inbound_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    const struct inbound *in = handle->data;
    on_room(handle, suggested, buffer);
    if (!in->from)
        buffer->len = sizeof(struct wire_hello) - in->used;
}

static void on_accept(uv_stream_t *stream, int status)
{
    struct inbound *in = status ? NULL : calloc(1, sizeof *in);
    if (!in)
        return;
    uv_tcp_init(&raft.loop, &in->handle);
    in->handle.data = in;
    in->next = inbounds;
    inbounds = in;
    if (uv_accept(stream, (uv_stream_t *)&in->handle) != 0)
        return inbound_close(in);
    uv_read_start((uv_stream_t *)&in->handle, on_inbound_room, on_inbound_bytes);
}

/* --- steps: the network as it may be --- */

static void inbounds_read(uint64_t from, bool on)
{
    for (struct inbound *in = inbounds; in; in = in->next) {
        if (from && in->from != from)
            continue;
        if (on)
            uv_read_start((uv_stream_t *)&in->handle, on_inbound_room, on_inbound_bytes);
        else
            uv_read_stop((uv_stream_t *)&in->handle);
    }
}

static void connections_cut(uint64_t id)
{
    link_close(link_to[id]);
    for (struct inbound *in = inbounds, *next; in; in = next) {
        next = in->next;
        if (in->from == id)
            inbound_close(in);
    }
}

/* The message of that type that was sent last (0: any but heartbeats), if it is of this term. */
static bool message_repeat(uint64_t to, unsigned type)
{
    struct wire_header h;
    for (unsigned t = type ? type : 1; t < (type ? type + 1 : TYPES); t++) {
        const struct buffer *kept = &latest[to][t];
        if (!kept->bytes || !network_connected(to))
            continue;
        memcpy(&h, kept->bytes, sizeof h);
        if (h.term != raft.term)
            continue;
        link_write(link_to[to], kept->bytes, kept->length, NULL, 0);
        return true;
    }
    return false;
}

static unsigned type_named(const char *name)
{
    static const char *const type[] = {"", "-vote", "-voted", "-append", "-appended", "-snapshot", "-installed", "-now"};
    for (unsigned i = 0; i < TYPES; i++)
        if (!strcmp(name, type[i]))
            return i;
    return TYPES;
}

const char *network_step(const char *name, uint64_t id)
{
    if (id >= SERVERS)
        return "ERR no such server";
    if (!strcmp(name, "hold") || !strcmp(name, "release")) {
        inbounds_read(id, name[0] == 'r');
    } else if (!strcmp(name, "reconnect")) {
        link_close(link_to[id]);
        link_open(id);
    } else if (!strcmp(name, "cut")) {
        cut[id] = true;
        connections_cut(id);
    } else if (!strcmp(name, "heal")) {
        cut[id] = false;
    } else if (!strncmp(name, "again", 5) && type_named(name + 5) < TYPES) {
        if (!message_repeat(id, type_named(name + 5)))
            return "ERR nothing of this term was sent";
    } else {
        return NULL;
    }
    return "OK 0";
}

/* --- start and stop --- */

void network_start(void)
{
    struct sockaddr_in address;
    if (!address_parse(option.member[option.id - 1], &address))
        die(option.member[option.id - 1], "not HOST:PORT");
    uv_tcp_init(&raft.loop, &listener);
    int status = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    if (!status)
        status = uv_listen((uv_stream_t *)&listener, 64, on_accept);
    if (status)
        die(option.member[option.id - 1], uv_strerror(status));
    uv_timer_init(&raft.loop, &retry);
    uv_timer_start(&retry, on_retry, RETRY_MS, RETRY_MS);
    links_open();
}

void network_stop(void)
{
    uv_close((uv_handle_t *)&listener, NULL);
    uv_close((uv_handle_t *)&retry, NULL);
    for (uint64_t id = 1; id < SERVERS; id++) {
        connections_cut(id);
        cut[id] = true;
    }
    while (inbounds)
        inbound_close(inbounds);
}
