#include "store/causal.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <xxhash.h>

#define BUCKETS 4096 /* connections and descriptors open at one time are hundreds */

struct ends {
    uint8_t from[16], to[16]; /* IPv4 as ::ffff:a.b.c.d, for its two ends may see it in either form */
    uint16_t from_port, to_port, pad[2];
};

/* One direction of a TCP connection. */
struct way {
    struct way *next;
    struct ends ends;
    uint64_t sent, received;
    unsigned users;   /* descriptors */
    unsigned senders; /* those of them that send this way */
    bool unseen;      /* bytes arrived that nobody sent: the sender is not recorded */
    unsigned unclear; /* sends whose result is not known yet: anything may arrive */
};

struct descriptor {
    struct descriptor *next;
    uint32_t process;
    int64_t fd;
    struct way *out, *in;
    bool unclear; /* counted in out->unclear */
};

struct causal {
    struct way *way[BUCKETS];
    struct descriptor *descriptor[BUCKETS];
};

struct causal *causal_create(void)
{
    return calloc(1, sizeof(struct causal));
}

/* ---- ways ---- */

static struct way **way_place(struct causal *c, const struct ends *ends)
{
    struct way **at = &c->way[XXH3_64bits(ends, sizeof *ends) % BUCKETS];
    while (*at && memcmp(&(*at)->ends, ends, sizeof *ends))
        at = &(*at)->next;
    return at;
}

static struct way *way_use(struct causal *c, const struct ends *ends, bool sends)
{
    struct way **at = way_place(c, ends);
    if (!*at && (*at = calloc(1, sizeof **at)))
        (*at)->ends = *ends;
    if (!*at)
        return NULL;
    (*at)->users++;
    if (sends) {
        (*at)->senders++;
        (*at)->unseen = false;
    }
    return *at;
}

static void way_leave(struct causal *c, struct way *way)
{
    if (!way || --way->users)
        return;
    struct way **at = way_place(c, &way->ends);
    *at = way->next;
    free(way);
}

/* ---- descriptors ---- */

static struct descriptor **descriptor_place(const struct causal *c, uint32_t process, int64_t fd)
{
    const uint64_t key[2] = {process, (uint64_t)fd};
    struct descriptor **at = (struct descriptor **)(uintptr_t)&c->descriptor[XXH3_64bits(key, sizeof key) % BUCKETS];
    while (*at && ((*at)->process != process || (*at)->fd != fd))
        at = &(*at)->next;
    return at;
}

static void descriptor_remove(struct causal *c, struct descriptor **at)
{
    struct descriptor *d = *at;
    *at = d->next;
    if (d->unclear)
        d->out->unclear--;
    if (d->out)
        d->out->senders--;
    way_leave(c, d->out);
    way_leave(c, d->in);
    free(d);
}

static void descriptor_drop(struct causal *c, uint32_t process, int64_t fd)
{
    struct descriptor **at = descriptor_place(c, process, fd);
    if (*at)
        descriptor_remove(c, at);
}

static bool descriptor_add(struct causal *c, uint32_t process, int64_t fd, const struct ends *out)
{
    struct ends in = {.from_port = out->to_port, .to_port = out->from_port};
    memcpy(in.from, out->to, sizeof in.from);
    memcpy(in.to, out->from, sizeof in.to);
    descriptor_drop(c, process, fd);
    struct descriptor *d = calloc(1, sizeof *d);
    if (!d)
        return false;
    *d = (struct descriptor){.process = process, .fd = fd, .out = way_use(c, out, true), .in = way_use(c, &in, false)};
    struct descriptor **at = descriptor_place(c, process, fd);
    d->next = *at;
    *at = d;
    if (d->out && d->in)
        return true;
    descriptor_remove(c, at);
    return false;
}

static bool descriptor_copy(struct causal *c, uint32_t process, int64_t from, int64_t to)
{
    const struct descriptor *d = *descriptor_place(c, process, from);
    if (from == to)
        return true;
    if (!d)
        return descriptor_drop(c, process, to), true;
    const struct ends out = d->out->ends;
    return descriptor_add(c, process, to, &out);
}

void causal_forget(struct causal *c, uint32_t process)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct descriptor **at = &c->descriptor[i]; *at;)
            if ((*at)->process == process)
                descriptor_remove(c, at);
            else
                at = &(*at)->next;
}

bool causal_inherit(struct causal *c, uint32_t child, uint32_t parent)
{
    /* What is added lands behind, under another process number: it is passed over. */
    for (unsigned i = 0; i < BUCKETS; i++)
        for (const struct descriptor *d = c->descriptor[i], *next; d; d = next) {
            next = d->next;
            const struct ends out = d->out->ends;
            if (d->process == parent && !descriptor_add(c, child, d->fd, &out))
                return false;
        }
    return true;
}

void causal_destroy(struct causal *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < BUCKETS; i++)
        while (c->descriptor[i])
            descriptor_remove(c, &c->descriptor[i]);
    free(c);
}

/* ---- events ---- */

static bool take_address(struct trace_bytes bytes, uint8_t address[16], uint16_t *port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (bytes.length >= sizeof v6 && (memcpy(&v6, bytes.data, sizeof v6), v6.sin6_family == AF_INET6)) {
        memcpy(address, &v6.sin6_addr, 16);
        *port = v6.sin6_port;
        return true;
    }
    if (bytes.length < sizeof v4 || (memcpy(&v4, bytes.data, sizeof v4), v4.sin_family != AF_INET))
        return false;
    memset(address + 10, 0xff, 2);
    memcpy(address + 12, &v4.sin_addr, 4);
    *port = v4.sin_port;
    return true;
}

static bool apply_connection(struct causal *c, const struct trace_event *event)
{
    struct ends ends = {.pad = {0, 0}};
    if (event->fields < 4 || event->field[1] > 1 || !take_address(event->field_bytes[2], ends.from, &ends.from_port) ||
        !take_address(event->field_bytes[3], ends.to, &ends.to_port))
        return true;
    return descriptor_add(c, event->process, event->field[0], &ends);
}

static bool is_send(int32_t call)
{
    return call == SYS_write || call == SYS_writev || call == SYS_sendto || call == SYS_sendmsg;
}

static bool is_receive(const struct trace_event *event)
{
    switch (event->call) {
    case SYS_read:
    case SYS_readv:
        return true;
    case SYS_recvfrom:
        return !(event->argument[3] & MSG_PEEK);
    case SYS_recvmsg:
        return !(event->argument[2] & MSG_PEEK);
    default:
        return false;
    }
}

enum causal_answer causal_ask(const struct causal *c, const struct trace_event *event)
{
    if (event->result <= 0 || !event->complete || !is_receive(event))
        return CAUSAL_READY;
    const struct descriptor *d = *descriptor_place(c, event->process, event->argument[0]);
    if (!d || d->in->unclear || d->in->unseen || d->in->received + (uint64_t)event->result <= d->in->sent)
        return CAUSAL_READY;
    return d->in->senders ? CAUSAL_EXPECTED : CAUSAL_UNKNOWN;
}

static void apply_send(struct causal *c, const struct trace_event *event)
{
    struct descriptor *d = *descriptor_place(c, event->process, event->argument[0]);
    if (!d || d->unclear == !event->complete) {
        if (d && event->complete && event->result > 0)
            d->out->sent += (uint64_t)event->result;
        return;
    }
    d->unclear = !event->complete;
    if (d->unclear)
        d->out->unclear++;
    else
        d->out->unclear--;
    if (event->complete && event->result > 0)
        d->out->sent += (uint64_t)event->result;
}

static void apply_receive(struct causal *c, const struct trace_event *event)
{
    struct descriptor *d = *descriptor_place(c, event->process, event->argument[0]);
    if (!d || event->result <= 0)
        return;
    d->in->received += (uint64_t)event->result;
    if (d->in->sent >= d->in->received)
        return;
    d->in->sent = d->in->received; /* sent by somebody unseen; what comes next is counted from here */
    d->in->unseen = !d->in->senders;
}

/* A new descriptor: what had its number is closed, seen or not. A program closes at exec what it was not to inherit, and no
 * event says so. */
static void apply_open(struct causal *c, const struct trace_event *event)
{
    int pair[2];
    switch (event->call) {
    case SYS_open: case SYS_openat: case SYS_openat2: case SYS_creat: case SYS_socket: case SYS_accept: case SYS_accept4:
    case SYS_epoll_create: case SYS_epoll_create1: case SYS_eventfd: case SYS_eventfd2: case SYS_timerfd_create:
    case SYS_signalfd: case SYS_signalfd4: case SYS_inotify_init: case SYS_inotify_init1: case SYS_memfd_create:
    case SYS_pidfd_open:
        descriptor_drop(c, event->process, event->result);
        break;
    case SYS_pipe: case SYS_pipe2: case SYS_socketpair: {
        struct trace_bytes out = event->output[event->call == SYS_socketpair ? 3 : 0];
        if (out.length < sizeof pair)
            break;
        memcpy(pair, out.data, sizeof pair);
        descriptor_drop(c, event->process, pair[0]);
        descriptor_drop(c, event->process, pair[1]);
        break;
    }
    default:
        break;
    }
}

bool causal_apply(struct causal *c, const struct trace_event *event)
{
    if (event->code == TRACE_CONNECTION)
        return apply_connection(c, event);
    if (event->call < 0)
        return true;
    if (is_send(event->call))
        apply_send(c, event);
    else if (event->complete && is_receive(event))
        apply_receive(c, event);
    else if (event->call == SYS_close && event->complete)
        descriptor_drop(c, event->process, event->argument[0]);
    else if (event->complete && event->result >= 0 &&
             (event->call == SYS_dup || event->call == SYS_dup2 || event->call == SYS_dup3))
        return descriptor_copy(c, event->process, event->argument[0], event->result);
    else if (event->complete && event->result >= 0)
        apply_open(c, event);
    return true;
}
