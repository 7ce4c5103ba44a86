#include "protocol/flow_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ROLE_LISTENING 2

static void address_set(struct flow_address *a, struct trace_bytes bytes)
{
    *a = (struct flow_address){0};
    if (!bytes.data || bytes.length > FLOW_ADDRESS_MAX)
        return;
    a->length = (uint8_t)bytes.length;
    memcpy(a->bytes, bytes.data, bytes.length);
}

static int address_family(const struct flow_address *a)
{
    sa_family_t family = AF_UNSPEC;
    if (a->length >= sizeof family)
        memcpy(&family, a->bytes, sizeof family);
    return family;
}

static bool address_is_mapped(const struct flow_address *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return address_family(a) == AF_INET6 && a->length >= 24 && !memcmp(a->bytes + 8, prefix, sizeof prefix);
}

/* What makes two addresses the same: family, port and host of an IP address, path of a unix one. IPv4 in IPv6 counts
 * as IPv4: a dual-stack listener sees such peers. Returns the number of bytes in out, 0: no name to go by. */
static size_t address_identity(const struct flow_address *a, uint8_t out[FLOW_ADDRESS_MAX])
{
    int family = address_family(a);
    out[0] = (uint8_t)(address_is_mapped(a) ? AF_INET : family);
    if (family == AF_INET && a->length >= 8)
        return memcpy(out + 1, a->bytes + 2, 6), 7;
    if (address_is_mapped(a))
        return memcpy(out + 1, a->bytes + 2, 2), memcpy(out + 3, a->bytes + 20, 4), 7;
    if (family == AF_INET6 && a->length >= 24)
        return memcpy(out + 1, a->bytes + 2, 2), memcpy(out + 3, a->bytes + 8, 16), 19;
    if (family != AF_UNIX || a->length <= 2)
        return 0;
    size_t length = a->length - 2u;
    if (a->bytes[2])
        length = strnlen((const char *)a->bytes + 2, length);
    return memcpy(out + 1, a->bytes + 2, length), length + 1;
}

void flow_address_text(const struct flow_address *a, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    uint8_t id[FLOW_ADDRESS_MAX];
    size_t length = address_identity(a, id);
    unsigned port = length >= 3 ? (unsigned)id[1] << 8 | id[2] : 0;
    out[0] = '\0';
    if (length == 7 && id[0] == AF_INET && inet_ntop(AF_INET, id + 3, host, sizeof host))
        snprintf(out, size, "%s:%u", host, port);
    else if (length == 19 && id[0] == AF_INET6 && inet_ntop(AF_INET6, id + 3, host, sizeof host))
        snprintf(out, size, "[%s]:%u", host, port);
    else if (length && id[0] == AF_UNIX)
        snprintf(out, size, "%s%.*s", id[1] ? "" : "@", (int)(length - (id[1] ? 1 : 2)), (char *)id + (id[1] ? 1 : 2));
}

/* Where an end looks for its other one, and is itself found: IP connections by both addresses, unix ones by the path of
 * the listener. 0: nameless, never paired. */
static uint64_t end_key(const struct flow_end *e, enum flow_side waiting)
{
    uint8_t id[2 * FLOW_ADDRESS_MAX + 1];
    bool connected = e->side == FLOW_CONNECTED;
    const struct flow_address *client = connected ? &e->local : &e->peer, *server = connected ? &e->peer : &e->local;
    size_t length = address_identity(server, id);
    if (!length)
        return 0;
    if (address_family(server) != AF_UNIX) {
        size_t more = address_identity(client, id + length);
        if (!more)
            return 0;
        length += more;
    }
    id[length++] = (uint8_t)waiting;
    return map_key(id, length);
}

static void connection_free(struct flow *f, struct flow_connection *c)
{
    if (f->on.freed)
        f->on.freed(f->on.context, c);
    free(c->end[FLOW_CONNECTED]);
    free(c->end[FLOW_ACCEPTED]);
    free(c);
}

static bool connection_unlist(struct flow *f, struct flow_connection *c)
{
    struct flow_connection *head = c->key ? map_get(&f->unpaired, c->key) : NULL;
    struct flow_connection **link = &head;
    while (*link && *link != c)
        link = &(*link)->next_unpaired;
    if (!*link)
        return false;
    *link = c->next_unpaired;
    c->next_unpaired = NULL;
    if (head)
        map_put(&f->unpaired, c->key, head);
    else
        map_remove(&f->unpaired, c->key);
    return true;
}

static bool first_bytes_match(const struct flow_connection *c, const uint8_t *data, size_t length)
{
    const struct flow_end *client = c->end[FLOW_CONNECTED];
    size_t common = client && client->first_length < length ? client->first_length : length;
    return client && data && common && client->first_length && !memcmp(client->first, data, common);
}

/* The connection among those waiting for an end like this one: the one whose client sent what is now received, else the
 * oldest, as the kernel's backlog is a queue. (The order of connects of two processes is not known exactly.) */
static struct flow_connection *connection_claim(struct flow *f, const struct flow_end *e, const uint8_t *data, size_t length)
{
    uint64_t key = end_key(e, e->side);
    struct flow_connection *oldest = key ? map_get(&f->unpaired, key) : NULL, *c = oldest;
    while (c && !first_bytes_match(c, data, length))
        c = c->next_unpaired;
    if (!c && !(c = oldest))
        return NULL;
    connection_unlist(f, c);
    for (size_t i = 0; i < sizeof f->lingering / sizeof *f->lingering; i++)
        if (f->lingering[i] == c)
            f->lingering[i] = NULL;
    return c;
}

static void connection_wait(struct flow *f, struct flow_connection *c, const struct flow_end *e)
{
    c->key = end_key(e, e->side == FLOW_CONNECTED ? FLOW_ACCEPTED : FLOW_CONNECTED);
    if (!c->key)
        return;
    struct flow_connection *head = map_get(&f->unpaired, c->key);
    if (head && address_family(&e->local) != AF_UNIX && address_family(&e->peer) != AF_UNIX) {
        /* The same two ports again: the one before was never accepted and never will be. */
        connection_unlist(f, head);
        head->key = 0;
        head = map_get(&f->unpaired, c->key);
    }
    struct flow_connection **link = &head;
    while (*link)
        link = &(*link)->next_unpaired;
    *link = c;
    f->failed |= !map_put(&f->unpaired, c->key, head);
}

/* Find or make the connection of an end. */
static void end_attach(struct flow *f, struct flow_end *e, const uint8_t *data, size_t length)
{
    struct flow_connection *c = connection_claim(f, e, data, length);
    if (c) {
        c->paired = true;
    } else if ((c = calloc(1, sizeof *c))) {
        c->id = ++f->connections;
        connection_wait(f, c, e);
    } else {
        f->failed = true;
        return;
    }
    e->connection = c;
    c->end[e->side] = e;
    if (f->on.opened)
        f->on.opened(f->on.context, c, e);
}

static struct flow_end *end_create(struct flow *f, const struct trace_event *event)
{
    struct flow_end *e = calloc(1, sizeof *e);
    if (!e) {
        f->failed = true;
        return NULL;
    }
    e->side = event->field[1] ? FLOW_ACCEPTED : FLOW_CONNECTED;
    e->opened = flow_at(event);
    address_set(&e->local, event->field_bytes[2]);
    address_set(&e->peer, event->field_bytes[3]);
    if (e->side == FLOW_CONNECTED || address_family(&e->local) != AF_UNIX)
        end_attach(f, e, NULL, 0);
    return e;
}

void flow_end_settle(struct flow *f, struct flow_end *e, enum flow_way way, const uint8_t *data, size_t length)
{
    if (!e->connection)
        end_attach(f, e, way == FLOW_RECEIVED ? data : NULL, length);
    size_t room = sizeof e->first - e->first_length;
    if (way != FLOW_SENT || e->side != FLOW_CONNECTED || address_family(&e->peer) != AF_UNIX || !data || !room)
        return;
    length = length < room ? length : room;
    memcpy(e->first + e->first_length, data, length);
    e->first_length = (uint16_t)(e->first_length + length);
}

void flow_connection_event(struct flow *f, struct process *p, const struct trace_event *event)
{
    int64_t fd = event->field[0];
    struct flow_at at = flow_at(event);
    if (event->field[1] == ROLE_LISTENING || fd < 0 || fd >= DESCRIPTOR_MAX)
        return;
    struct description *d = table_get(p, fd);
    if (!d || d->kind != DESCRIPTION_SOCKET || d->end) {
        d = description_create(f, DESCRIPTION_SOCKET, event->sequence);
        table_put(f, p, fd, d, false, &at);
        d = table_get(p, fd);
    }
    if (d && !d->datagram)
        d->end = end_create(f, event);
}

/* A connection without its second end stays for a while: a client may be gone before the server accepts it. */
static void connection_linger(struct flow *f, struct flow_connection *c)
{
    unsigned i = f->lingering_next++ % (sizeof f->lingering / sizeof *f->lingering);
    struct flow_connection *oldest = f->lingering[i];
    f->lingering[i] = c;
    if (!oldest)
        return;
    connection_unlist(f, oldest);
    connection_free(f, oldest);
}

void flow_end_close(struct flow *f, struct flow_end *end, const struct flow_at *at)
{
    flow_end_settle(f, end, FLOW_RECEIVED, NULL, 0);
    struct flow_connection *c = end->connection;
    if (!c) { /* out of memory */
        free(end);
        return;
    }
    end->closed = true;
    if (f->on.closed)
        f->on.closed(f->on.context, end, at);
    struct flow_end *other = c->end[!end->side];
    if (!c->paired)
        connection_linger(f, c);
    else if (!other || other->closed)
        connection_free(f, c);
}

/* Called last, when every description is gone: what lingers is all that is left. */
void flow_connections_fini(struct flow *f)
{
    for (size_t i = 0; i < sizeof f->lingering / sizeof *f->lingering; i++)
        if (f->lingering[i])
            connection_free(f, f->lingering[i]);
    map_fini(&f->unpaired);
}
