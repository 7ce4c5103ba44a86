/* Sockets between the processes of the world: streams and datagrams, inet and unix. What is sent arrives later: after a delay that
 * the seed decides where the two ends are of different nodes, at once within a node. Sources: tcp(7), unix(7), connect(2), accept(2). */
#include "simulate/machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#define WINDOW (256u << 10) /* bytes on their way or not read */
#define DELAY_LEAST (100 * 1000ull)
#define DELAY_SPREAD (900 * 1000ull)
#define DELAY_TAIL 40       /* one message in so many takes up to TAIL_MOST */
#define CONNECT_TIME (127 * SECOND) /* until a connect that nobody answers fails: tcp_syn_retries, tcp(7) */
#define TAIL_MOST (20 * MILLISECOND)

enum socket_state { SOCKET_NEW, SOCKET_LISTENING, SOCKET_CONNECTING, SOCKET_CONNECTED, SOCKET_FAILED };

/* Bytes, or one datagram, on their way. */
struct chunk {
    struct chunk *next;
    uint64_t arrives;
    struct sockaddr_storage from;
    size_t size, taken;
    uint8_t data[];
};

struct socket {
    struct socket *next;
    struct file *file;
    int family, type;
    enum socket_state state;
    uint32_t node;
    struct sockaddr_storage local, remote;
    socklen_t local_size, remote_size;
    bool bound;
    struct socket *peer;
    struct chunk *first, *last;
    size_t queued;           /* bytes in the chunks */
    uint64_t latest;         /* when the last of them arrives: streams do not overtake themselves */
    bool ended, no_read, no_write;
    uint64_t end_arrives;    /* the peer's end, NEVER: not ended */
    bool held_end;           /* ... or it ended, and that cannot come through */
    bool reset;              /* the peer was gone when data came */
    int error;
    struct socket *waiting[128]; /* of a listener: connections not accepted yet */
    uint64_t waiting_since[128];
    unsigned waits, backlog;
    uint64_t connected_at;
    struct socket *target;
    uint32_t owner_pid;
    char who[64];            /* of a listener: the node or program that listens */
    uint32_t references;
    struct chance chance;    /* of what it sends */
    bool service;            /* the machine itself: a listener, or its end of a connection */
    char line[600];
    size_t line_size;
};

/* ---- life ---- */

static struct socket *socket_create(struct machine *m, const struct process *p, int family, int type)
{
    struct socket *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->family = family;
    s->type = type;
    s->node = p->node;
    s->owner_pid = p->pid;
    s->end_arrives = NEVER;
    s->references = 1;
    if (type == SOCK_DGRAM)
        chance_named(m, &s->chance, CHANCE_DATAGRAMS, process_who(m, p), "");
    s->next = m->sockets;
    m->sockets = s;
    return s;
}

static void socket_free(struct machine *m, struct socket *s)
{
    struct socket **at = &m->sockets;
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    for (struct chunk *c = s->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(s);
}

static void told(struct machine *m, struct socket *s)
{
    m->changes++;
    if (s && s->file)
        s->file->changes++;
}

static void arrives(struct machine *m, void *what)
{
    told(m, what);
}

static uint64_t delay_between(struct socket *a, const struct socket *b)
{
    if (a->family == AF_UNIX || (a->node == b->node && a->owner_pid == b->owner_pid))
        return 0;
    uint64_t delay = DELAY_LEAST + chance_below(&a->chance, DELAY_SPREAD);
    if (chance_below(&a->chance, DELAY_TAIL) == 0)
        delay += chance_below(&a->chance, TAIL_MOST);
    return delay;
}

/* ---- addresses ---- */

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;
    if (a->ss_family == AF_UNIX || b->ss_family == AF_UNIX)
        return a->ss_family == b->ss_family && !memcmp(a, b, sizeof(struct sockaddr_un));
    if (x->sin_port != y->sin_port)
        return false;
    if (a->ss_family == AF_INET && b->ss_family == AF_INET)
        return x->sin_addr.s_addr == y->sin_addr.s_addr || !x->sin_addr.s_addr || !y->sin_addr.s_addr;
    return true; /* IPv6, and IPv4 by way of it: all loopback */
}

static struct socket *bound_to(struct machine *m, const struct sockaddr_storage *address, int type)
{
    for (struct socket *s = m->sockets; s; s = s->next)
        if (s->bound && s->file && s->type == type && (type == SOCK_DGRAM || s->state == SOCKET_LISTENING) &&
            same_address(&s->local, address))
            return s;
    return NULL;
}

static bool port_is_taken(struct machine *m, const struct sockaddr_storage *address, const struct socket *not)
{
    for (struct socket *s = m->sockets; s; s = s->next)
        if (s != not && s->bound && s->file && s->type == not->type && s->state != SOCKET_CONNECTED && same_address(&s->local, address))
            return true;
    return false;
}

static void port_give(struct machine *m, struct socket *s)
{
    struct sockaddr_in *in = (void *)&s->local;
    if (s->family == AF_UNIX || in->sin_port)
        return;
    if (!s->local.ss_family) {
        s->local.ss_family = (sa_family_t)s->family;
        s->local_size = s->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (s->family == AF_INET)
            in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        else
            ((struct sockaddr_in6 *)(void *)&s->local)->sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
    }
    do {
        in->sin_port = htons((uint16_t)(32768 + (m->next_port++ - 32768) % 28000));
    } while (port_is_taken(m, &s->local, s));
    s->bound = true;
}

static long address_get(struct machine *m, struct task *t, int64_t from, int64_t size, struct sockaddr_storage *a)
{
    memset(a, 0, sizeof *a);
    if (size < 2 || size > (int64_t)sizeof *a)
        return -EINVAL;
    return user_get(m, t, a, from, (size_t)size) ? 0 : -EFAULT;
}

static long address_put(struct machine *m, struct task *t, int64_t to, int64_t length, const struct sockaddr_storage *a, socklen_t size)
{
    uint32_t room;
    if (!to || !length)
        return 0;
    if (!user_get(m, t, &room, length, 4) || !user_put(m, t, to, a, room < size ? room : size) || !user_put(m, t, length, &size, 4))
        return -EFAULT;
    return 0;
}

/* ---- data ---- */

static void send_chunk(struct machine *m, struct socket *from, struct socket *to, const uint8_t *data, size_t size)
{
    struct chunk *c = malloc(sizeof *c + size);
    if (!c)
        abort();
    bool held = to->type == SOCK_STREAM && from->family != AF_UNIX && fault_is_held(m, from->node, to->node);
    uint64_t when = machine_now(m) + delay_between(from, to) + step_delay(m->asking);
    if (held)
        when = NEVER;
    *c = (struct chunk){.arrives = to->type == SOCK_STREAM && when < to->latest ? to->latest : when, .from = from->local, .size = size};
    memcpy(c->data, data, size);
    to->latest = c->arrives;
    to->queued += size;
    struct chunk **at = &to->first;
    while (*at && (to->type == SOCK_STREAM || (*at)->arrives <= c->arrives))
        at = &(*at)->next;
    c->next = *at;
    *at = c;
    if (c->arrives > machine_now(m))
        machine_due(m, c->arrives, arrives, to);
    else
        told(m, to);
    if (from->node != to->node)
        model_sent(m, from->node, to->node);
}

/* What was held goes on its way; the delay is that of one message. */
static void socket_let_go(struct machine *m, struct socket *s)
{
    if (!s->peer || (s->latest != NEVER && !s->held_end) || fault_is_held(m, s->peer->node, s->node))
        return;
    uint64_t when = machine_now(m) + delay_between(s->peer, s), last = 0;
    for (struct chunk *c = s->first; c; c = c->next) {
        if (c->arrives == NEVER)
            c->arrives = when;
        last = c->arrives;
    }
    if (s->latest == NEVER)
        s->latest = last > when ? last : when;
    if (s->held_end)
        s->end_arrives = s->latest;
    s->held_end = false;
    machine_due(m, s->latest, arrives, s);
}

static bool data_is_here(const struct machine *m, const struct socket *s)
{
    return s->first && s->first->arrives <= machine_now(m);
}

static bool end_is_here(const struct machine *m, const struct socket *s)
{
    return s->end_arrives <= machine_now(m);
}

/* The connection is made when its answer has come back. */
static void connect_look(struct machine *m, struct socket *s)
{
    if (s->state == SOCKET_CONNECTING && machine_now(m) >= s->connected_at)
        s->state = s->error ? SOCKET_FAILED : SOCKET_CONNECTED;
}

static long stream_take(struct machine *m, struct socket *s, uint8_t *to, size_t size, bool peek)
{
    size_t done = 0;
    for (struct chunk *c = s->first; c && done < size && c->arrives <= machine_now(m); c = peek ? c->next : s->first) {
        size_t n = c->size - c->taken < size - done ? c->size - c->taken : size - done;
        memcpy(to + done, c->data + c->taken, n);
        done += n;
        if (peek)
            continue;
        c->taken += n;
        s->queued -= n;
        if (c->taken == c->size) {
            s->first = c->next;
            free(c);
        }
    }
    if (!peek && done && s->peer)
        told(m, s->peer); /* room again */
    return (long)done;
}

static long socket_take(struct machine *m, struct socket *s, uint8_t *to, size_t size, int flags, struct sockaddr_storage *from)
{
    connect_look(m, s);
    if (from)
        *from = s->remote;
    if (s->type == SOCK_STREAM && s->state != SOCKET_CONNECTED)
        return s->state == SOCKET_CONNECTING ? -EAGAIN : s->error ? -s->error : -ENOTCONN;
    if (data_is_here(m, s) && s->type == SOCK_STREAM)
        return stream_take(m, s, to, size, flags & MSG_PEEK);
    if (data_is_here(m, s)) {
        struct chunk *c = s->first;
        size_t n = c->size < size ? c->size : size;
        memcpy(to, c->data, n);
        if (from)
            *from = c->from;
        if (!(flags & MSG_PEEK)) {
            s->first = c->next;
            s->queued -= c->size;
            free(c);
        }
        return (long)n;
    }
    if (s->reset) {
        s->reset = false;
        return -ECONNRESET;
    }
    return s->no_read || end_is_here(m, s) ? 0 : -EAGAIN;
}

static long broken_pipe(struct machine *m, struct task *t, int flags)
{
    siginfo_t info = {.si_signo = SIGPIPE, .si_code = SI_KERNEL};
    if (!(flags & MSG_NOSIGNAL))
        process_signal(m, t->process, &info);
    return -EPIPE;
}

static void socket_end(struct machine *m, struct socket *s);

/* A line for the machine: it answers and hangs up. */
static long service_take(struct machine *m, struct socket *s, const uint8_t *data, size_t size)
{
    char answer[800];
    struct socket *client = s->peer;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n') {
            if (s->line_size + 1 < sizeof s->line)
                s->line[s->line_size++] = (char)data[i];
            continue;
        }
        s->line[s->line_size] = 0;
        fault_execute(m, s->line, answer, sizeof answer);
        if (s->peer != client)
            return (long)size; /* the fault ended who asked for it */
        send_chunk(m, s, client, (const uint8_t *)answer, strlen(answer));
        socket_end(m, s);
        break;
    }
    return (long)size;
}

static long stream_give(struct machine *m, struct task *t, struct socket *s, const uint8_t *data, size_t size, int flags)
{
    connect_look(m, s);
    if (s->state == SOCKET_CONNECTING)
        return -EAGAIN;
    if (s->state != SOCKET_CONNECTED)
        return s->error ? -s->error : broken_pipe(m, t, flags);
    if (s->no_write || s->reset)
        return broken_pipe(m, t, flags);
    if (!s->peer) { /* gone: the first is lost, what comes back breaks the connection */
        if (!end_is_here(m, s))
            return (long)size;
        s->reset = true;
        told(m, s);
        return (long)size;
    }
    if (s->peer->service)
        return service_take(m, s->peer, data, size);
    size_t room = s->peer->queued < WINDOW ? WINDOW - s->peer->queued : 0;
    if (!room)
        return -EAGAIN;
    size = size < room ? size : room;
    if (size && !step_drop(t))
        send_chunk(m, s, s->peer, data, size);
    return (long)size;
}

static long datagram_give(struct machine *m, struct socket *s, const struct sockaddr_storage *to, const uint8_t *data, size_t size)
{
    struct socket *target = bound_to(m, to, SOCK_DGRAM);
    bool network = s->family != AF_UNIX;
    if (s->family == AF_UNIX) {
        if (!s->peer)
            return -ENOTCONN;
        target = s->peer;
    }
    port_give(m, s);
    if (!target || target->queued >= WINDOW || step_drop(m->asking))
        return (long)size;
    if (network && (fault_is_cut(m, s->node, target->node) || fault_is_held(m, s->node, target->node) ||
                    (m->lose && chance_below(&s->chance, 100) < m->lose)))
        return (long)size;
    send_chunk(m, s, target, data, size);
    if (network && m->duplicate && chance_below(&s->chance, 100) < m->duplicate)
        send_chunk(m, s, target, data, size);
    return (long)size;
}

static long socket_give(struct machine *m, struct task *t, struct socket *s, const uint8_t *data, size_t size, int flags,
                        const struct sockaddr_storage *to)
{
    if (s->type == SOCK_DGRAM)
        return to || s->remote_size || s->peer ? datagram_give(m, s, to ? to : &s->remote, data, size) : -EDESTADDRREQ;
    return stream_give(m, t, s, data, size, flags);
}

static long file_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    (void)t;
    return at >= 0 ? -ESPIPE : socket_take(m, f->state, to, size, 0, NULL);
}

static long file_write(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at)
{
    return at >= 0 ? -ESPIPE : socket_give(m, t, f->state, from, size, 0, NULL);
}

static bool connection_waits(const struct machine *m, const struct socket *s)
{
    return s->waits && s->waiting_since[0] <= machine_now(m);
}

static uint32_t file_poll(struct machine *m, struct file *f)
{
    struct socket *s = f->state;
    uint32_t ready = 0;
    connect_look(m, s);
    if (s->state == SOCKET_LISTENING)
        return connection_waits(m, s) ? POLLIN : 0;
    if (s->type == SOCK_DGRAM)
        return (data_is_here(m, s) ? POLLIN : 0) | POLLOUT;
    if (s->state == SOCKET_NEW)
        return POLLOUT | POLLHUP;
    if (s->state == SOCKET_CONNECTING)
        return 0;
    if (s->state == SOCKET_FAILED)
        return POLLIN | POLLOUT | POLLERR | POLLHUP;
    if (data_is_here(m, s))
        ready |= POLLIN;
    if (end_is_here(m, s) || s->no_read)
        ready |= POLLIN | POLLRDHUP | (s->no_write ? POLLHUP : 0);
    if (s->reset)
        ready |= POLLIN | POLLERR | POLLHUP;
    if (!s->peer || s->peer->queued < WINDOW / 2)
        ready |= POLLOUT;
    return ready;
}

/* ---- ends ---- */

static void stream_end(struct machine *m, struct socket *s)
{
    struct socket *peer = s->peer;
    if (!peer || peer->end_arrives != NEVER)
        return;
    if (s->family != AF_UNIX && fault_is_held(m, s->node, peer->node)) {
        peer->held_end = true;
        return;
    }
    uint64_t when = machine_now(m) + delay_between(s, peer);
    peer->end_arrives = when < peer->latest ? peer->latest : when;
    if (peer->end_arrives > machine_now(m))
        machine_due(m, peer->end_arrives, arrives, peer);
    else
        told(m, peer);
}

static void socket_end(struct machine *m, struct socket *s)
{
    tree_socket_gone(m, s);
    stream_end(m, s);
    if (s->peer) {
        if (s->first)
            s->peer->reset = true; /* unread data: the peer hears of it as a reset */
        s->peer->peer = NULL;
        s->peer = NULL;
    }
    for (unsigned i = 0; i < s->waits; i++) {
        struct socket *c = s->waiting[i];
        c->file = NULL;
        socket_end(m, c);
    }
    for (struct socket *o = m->sockets; o; o = o->next)
        if (o->target == s)
            o->target = NULL;
    machine_forget(m, s);
    socket_free(m, s);
}

static void file_close(struct machine *m, struct file *f)
{
    struct socket *s = f->state;
    s->file = NULL;
    socket_end(m, s);
}

const struct file_kind file_socket = {"socket", file_read, file_write, file_poll, file_close};

/* ---- calls ---- */

static long install(struct machine *m, struct task *t, struct socket *s, int64_t type)
{
    s->file = file_create(&file_socket, O_RDWR | (type & SOCK_NONBLOCK ? O_NONBLOCK : 0), s);
    return file_install(m, t->process, s->file, type & SOCK_CLOEXEC, 0);
}

static long make(struct machine *m, struct task *t)
{
    int type = (int)t->arg[1] & 15;
    if (t->arg[0] != AF_INET && t->arg[0] != AF_INET6 && t->arg[0] != AF_UNIX)
        return -EAFNOSUPPORT;
    if (type == SOCK_SEQPACKET)
        type = SOCK_STREAM;
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return -EPROTONOSUPPORT;
    return install(m, t, socket_create(m, t->process, (int)t->arg[0], type), t->arg[1]);
}

static long make_pair(struct machine *m, struct task *t)
{
    struct socket *s[2];
    int fd[2];
    for (int i = 0; i < 2; i++) {
        s[i] = socket_create(m, t->process, AF_UNIX, (t->arg[1] & 15) == SOCK_DGRAM ? SOCK_DGRAM : SOCK_STREAM);
        s[i]->state = SOCKET_CONNECTED;
        s[i]->local.ss_family = s[i]->remote.ss_family = AF_UNIX;
        s[i]->local_size = s[i]->remote_size = 2;
        fd[i] = (int)install(m, t, s[i], t->arg[1]);
    }
    s[0]->peer = s[1];
    s[1]->peer = s[0];
    return user_put(m, t, t->arg[3], fd, sizeof fd) ? 0 : -EFAULT;
}

static struct socket *socket_of(const struct task *t, int64_t fd, long *error)
{
    struct file *f = file_of(t, fd);
    *error = !f ? -EBADF : f->kind != &file_socket ? -ENOTSOCK : 0;
    return *error ? NULL : f->state;
}

static long bind_name(struct machine *m, struct task *t, struct socket *s)
{
    struct sockaddr_storage a;
    long error = address_get(m, t, t->arg[1], t->arg[2], &a);
    if (error)
        return error;
    const char *path = ((struct sockaddr_un *)(void *)&a)->sun_path;
    s->local = a;
    s->local_size = (socklen_t)t->arg[2];
    if (a.ss_family == AF_UNIX) {
        if (*path && (error = tree_bind(m, t->process, path, s)))
            return error;
        s->bound = true;
        return 0;
    }
    if (((struct sockaddr_in *)(void *)&a)->sin_port && port_is_taken(m, &a, s))
        return -EADDRINUSE;
    s->bound = true;
    port_give(m, s);
    return 0;
}

static struct socket *listener_find(struct machine *m, struct task *t, const struct sockaddr_storage *a, long *error)
{
    const char *path = ((const struct sockaddr_un *)(const void *)a)->sun_path;
    *error = -ECONNREFUSED;
    struct socket *l = a->ss_family == AF_UNIX && *path ? tree_bound(m, t->process, path, error) : bound_to(m, a, SOCK_STREAM);
    if (!l || l->state != SOCKET_LISTENING)
        return NULL;
    *error = l->waits < l->backlog && l->waits < 128 ? 0 : -EAGAIN;
    return *error ? NULL : l;
}

/* The other end, that accept hands out. */
static void connection_make(struct machine *m, struct socket *s, struct socket *l, uint64_t there)
{
    struct socket *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    *c = (struct socket){.next = m->sockets, .family = l->family, .type = SOCK_STREAM, .state = SOCKET_CONNECTED, .node = l->node,
                         .local = s->remote, .local_size = s->remote_size, .remote = s->local, .remote_size = s->local_size,
                         .peer = s, .end_arrives = NEVER, .owner_pid = l->owner_pid, .references = 1, .latest = there};
    c->chance.state = ~s->chance.state; /* as much by name as the other end's */
    m->sockets = c;
    s->peer = c;
    c->service = l->service;
    if (l->service)
        return;
    l->waiting[l->waits] = c;
    l->waiting_since[l->waits++] = there;
    if (there > machine_now(m))
        machine_due(m, there, arrives, l);
    else
        told(m, l);
}

static long connect_begin(struct machine *m, struct task *t, struct socket *s)
{
    struct sockaddr_storage a;
    long error = address_get(m, t, t->arg[1], t->arg[2], &a);
    if (error)
        return error;
    if (s->type == SOCK_DGRAM) {
        s->remote = a;
        s->remote_size = a.ss_family == AF_UNSPEC ? 0 : (socklen_t)t->arg[2];
        port_give(m, s);
        return 0;
    }
    if (s->state == SOCKET_CONNECTED)
        return -EISCONN;
    s->remote = a;
    s->remote_size = (socklen_t)t->arg[2];
    port_give(m, s);
    struct socket *l = listener_find(m, t, &a, &error);
    if (l && fault_is_cut(m, s->node, l->node))
        l = NULL, error = -ECONNREFUSED;
    bool nobody_answers = l && l->family != AF_UNIX && (fault_is_held(m, s->node, l->node) || fault_is_held(m, l->node, s->node));
    if (nobody_answers)
        l = NULL, error = -ETIMEDOUT;
    if (s->family == AF_UNIX && error)
        return error;
    if (l)
        chance_named(m, &s->chance, CHANCE_CONNECTION, process_who(m, t->process), l->who);
    uint64_t there = machine_now(m) + (l ? delay_between(s, l) : s->family == AF_UNIX ? 0 : nobody_answers ? CONNECT_TIME : DELAY_LEAST);
    s->connected_at = there + (l ? delay_between(s, l) : 0);
    s->state = SOCKET_CONNECTING;
    s->error = l ? 0 : (int)-error;
    if (l)
        connection_make(m, s, l, there);
    if (s->connected_at > machine_now(m))
        machine_due(m, s->connected_at, arrives, s);
    return ANSWER_WAIT;
}

static long connect_call(struct machine *m, struct task *t, struct socket *s)
{
    if (s->state == SOCKET_NEW || (s->state == SOCKET_FAILED && !t->begun)) {
        if (s->state == SOCKET_FAILED)
            s->error = 0;
        long result = connect_begin(m, t, s);
        if (result != ANSWER_WAIT)
            return result;
        connect_look(m, s);
        if (s->state == SOCKET_CONNECTING)
            return file_blocks(s->file) ? ANSWER_WAIT : -EINPROGRESS;
    }
    connect_look(m, s);
    if (s->state == SOCKET_CONNECTING)
        return file_blocks(s->file) && t->begun ? ANSWER_WAIT : -EALREADY;
    if (s->state == SOCKET_FAILED) {
        int error = s->error;
        return error ? -error : -ECONNABORTED;
    }
    return t->begun || s->family == AF_UNIX || s->connected_at == machine_now(m) ? 0 : -EISCONN;
}

static long accept_call(struct machine *m, struct task *t, struct socket *s, int64_t flags)
{
    if (s->state != SOCKET_LISTENING)
        return -EINVAL;
    if (!connection_waits(m, s))
        return file_blocks(s->file) ? ANSWER_WAIT : -EAGAIN;
    struct socket *c = s->waiting[0];
    memmove(s->waiting, s->waiting + 1, --s->waits * sizeof *s->waiting);
    memmove(s->waiting_since, s->waiting_since + 1, s->waits * sizeof *s->waiting_since);
    c->owner_pid = t->process->pid;
    c->node = t->process->node;
    long error = address_put(m, t, t->arg[1], t->arg[2], &c->remote, c->remote_size);
    return error ? error : install(m, t, c, flags);
}

static long shut(struct machine *m, struct socket *s, int64_t how)
{
    if (s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    if (how == SHUT_RD || how == SHUT_RDWR)
        s->no_read = true;
    if (how == SHUT_WR || how == SHUT_RDWR) {
        s->no_write = true;
        stream_end(m, s);
    }
    told(m, s);
    return 0;
}

static long send_to(struct machine *m, struct task *t, struct socket *s)
{
    struct sockaddr_storage to;
    size_t size = (uint64_t)t->arg[2] > (1u << 20) ? 1u << 20 : (size_t)t->arg[2];
    long error = t->arg[4] ? address_get(m, t, t->arg[4], t->arg[5], &to) : 0;
    if (error)
        return error;
    uint8_t *data = machine_scratch(m, size + 1);
    if (!user_get(m, t, data, t->arg[1], size))
        return -EFAULT;
    long n = socket_give(m, t, s, data, size, (int)t->arg[3], t->arg[4] ? &to : NULL);
    return n == -EAGAIN && file_blocks(s->file) && !(t->arg[3] & MSG_DONTWAIT) ? ANSWER_WAIT : n;
}

static long receive_from(struct machine *m, struct task *t, struct socket *s)
{
    struct sockaddr_storage from;
    size_t size = (uint64_t)t->arg[2] > (1u << 20) ? 1u << 20 : (size_t)t->arg[2];
    uint8_t *data = machine_scratch(m, size + 1);
    long n = socket_take(m, s, data, size, (int)t->arg[3], &from);
    if (n == -EAGAIN)
        return file_blocks(s->file) && !(t->arg[3] & MSG_DONTWAIT) ? ANSWER_WAIT : n;
    if (n > 0 && !user_put(m, t, t->arg[1], data, (size_t)n))
        return -EFAULT;
    if (n >= 0 && address_put(m, t, t->arg[4], t->arg[5], &from, from.ss_family == AF_INET ? 16 : from.ss_family == AF_INET6 ? 28 : 2))
        return -EFAULT;
    return n;
}

/* ---- sendmsg, recvmsg ---- */

static bool message_get(struct machine *m, struct task *t, int64_t address, struct msghdr *h, struct iovec part[64], size_t *size)
{
    *size = 0;
    if (!user_get(m, t, h, address, sizeof *h))
        return false;
    if (h->msg_iovlen > 64)
        h->msg_iovlen = 64;
    if (!user_get(m, t, part, (int64_t)(uintptr_t)h->msg_iov, h->msg_iovlen * sizeof *part))
        return false;
    for (size_t i = 0; i < h->msg_iovlen; i++)
        *size += part[i].iov_len;
    if (*size > 1u << 20)
        *size = 1u << 20;
    return true;
}

static long send_message(struct machine *m, struct task *t, struct socket *s)
{
    struct msghdr h;
    struct iovec part[64];
    struct sockaddr_storage to;
    size_t size, at = 0;
    if (!message_get(m, t, t->arg[1], &h, part, &size))
        return -EFAULT;
    uint8_t *data = machine_scratch(m, size + 1);
    for (size_t i = 0; i < h.msg_iovlen && at < size; i++) {
        size_t n = part[i].iov_len < size - at ? part[i].iov_len : size - at;
        if (!user_get(m, t, data + at, (int64_t)(uintptr_t)part[i].iov_base, n))
            return -EFAULT;
        at += n;
    }
    if (h.msg_name && address_get(m, t, (int64_t)(uintptr_t)h.msg_name, h.msg_namelen, &to))
        return -EINVAL;
    long n = socket_give(m, t, s, data, size, (int)t->arg[2], h.msg_name ? &to : NULL);
    return n == -EAGAIN && file_blocks(s->file) && !(t->arg[2] & MSG_DONTWAIT) ? ANSWER_WAIT : n;
}

static long receive_message(struct machine *m, struct task *t, struct socket *s)
{
    struct msghdr h;
    struct iovec part[64];
    struct sockaddr_storage from;
    size_t size, at = 0;
    if (!message_get(m, t, t->arg[1], &h, part, &size))
        return -EFAULT;
    uint8_t *data = machine_scratch(m, size + 1);
    long n = socket_take(m, s, data, size, (int)t->arg[2], &from);
    if (n == -EAGAIN)
        return file_blocks(s->file) && !(t->arg[2] & MSG_DONTWAIT) ? ANSWER_WAIT : n;
    for (size_t i = 0; n > 0 && i < h.msg_iovlen && at < (size_t)n; i++) {
        size_t piece = part[i].iov_len < (size_t)n - at ? part[i].iov_len : (size_t)n - at;
        if (!user_put(m, t, (int64_t)(uintptr_t)part[i].iov_base, data + at, piece))
            return -EFAULT;
        at += piece;
    }
    if (n < 0)
        return n;
    h.msg_controllen = 0;
    h.msg_flags = 0;
    if (h.msg_name && s->type == SOCK_DGRAM) {
        socklen_t length = from.ss_family == AF_INET ? 16 : from.ss_family == AF_INET6 ? 28 : 2;
        user_put(m, t, (int64_t)(uintptr_t)h.msg_name, &from, length < h.msg_namelen ? length : h.msg_namelen);
        h.msg_namelen = length;
    } else {
        h.msg_namelen = 0;
    }
    return user_put(m, t, t->arg[1], &h, sizeof h) ? n : -EFAULT;
}

/* ---- options ---- */

static long option_get(struct machine *m, struct task *t, struct socket *s)
{
    int value = 0;
    uint32_t room;
    struct linger linger = {0};
    const void *from = &value;
    uint32_t size = sizeof value;
    if (!user_get(m, t, &room, t->arg[4], 4))
        return -EFAULT;
    connect_look(m, s);
    if (t->arg[1] == SOL_SOCKET) {
        switch (t->arg[2]) {
        case SO_ERROR: value = s->state == SOCKET_CONNECTING ? 0 : s->error; s->error = 0; break;
        case SO_TYPE: value = s->type; break;
        case SO_DOMAIN: value = s->family; break;
        case SO_ACCEPTCONN: value = s->state == SOCKET_LISTENING; break;
        case SO_SNDBUF: case SO_RCVBUF: value = (int)WINDOW; break;
        case SO_LINGER: from = &linger; size = sizeof linger; break;
        case SO_PEERCRED: { static uint32_t cred[3]; cred[0] = s->owner_pid; from = cred; size = 12; break; }
        }
    } else if (t->arg[1] == IPPROTO_TCP && t->arg[2] == TCP_INFO) {
        return -ENOPROTOOPT;
    }
    size = room < size ? room : size;
    return user_put(m, t, t->arg[3], from, size) && user_put(m, t, t->arg[4], &size, 4) ? 0 : -EFAULT;
}

static long listen_call(struct machine *m, struct task *t, struct socket *s)
{
    if (s->type != SOCK_STREAM || s->state > SOCKET_LISTENING)
        return -EINVAL;
    port_give(m, s);
    s->state = SOCKET_LISTENING;
    snprintf(s->who, sizeof s->who, "%s", process_who(m, t->process));
    s->backlog = t->arg[1] > 0 && t->arg[1] < 128 ? (unsigned)t->arg[1] + 1 : 128;
    return 0;
}

static long peer_name(struct machine *m, struct task *t, struct socket *s)
{
    connect_look(m, s);
    if (s->state != SOCKET_CONNECTED && !(s->type == SOCK_DGRAM && s->remote_size))
        return -ENOTCONN;
    return address_put(m, t, t->arg[1], t->arg[2], &s->remote, s->remote_size);
}

static long own_name(struct machine *m, struct task *t, struct socket *s)
{
    if (!s->local.ss_family) {
        s->local.ss_family = (sa_family_t)s->family;
        s->local_size = s->family == AF_INET ? 16 : s->family == AF_INET6 ? 28 : 2;
    }
    return address_put(m, t, t->arg[1], t->arg[2], &s->local, s->local_size);
}

bool socket_serve(struct machine *m, const char *path)
{
    struct process nobody = {.directory = m->tree};
    struct socket *s = socket_create(m, &nobody, AF_UNIX, SOCK_STREAM);
    s->service = true;
    s->state = SOCKET_LISTENING;
    s->backlog = 128;
    s->local.ss_family = AF_UNIX;
    return tree_bind(m, &nobody, path, s) == 0;
}

static void connection_break(struct machine *m, struct socket *s)
{
    for (struct chunk *c = s->first, *next; c; c = next) { /* what is on its way is lost */
        next = c->next;
        free(c);
    }
    s->first = NULL;
    s->queued = 0;
    s->no_read = s->no_write = true;
    s->end_arrives = machine_now(m);
    told(m, s);
}

void socket_cut(struct machine *m)
{
    for (struct socket *s = m->sockets; s; s = s->next)
        if (s->peer && s->type == SOCK_STREAM && s->family != AF_UNIX && fault_is_cut(m, s->node, s->peer->node) && !s->no_write)
            connection_break(m, s);
}

void sockets_let_go(struct machine *m)
{
    for (struct socket *s = m->sockets; s; s = s->next)
        if (s->type == SOCK_STREAM)
            socket_let_go(m, s);
}

/* Both ends find their connection reset, and what was on its way gone. */
void sockets_reset(struct machine *m, uint32_t a, uint32_t b)
{
    for (struct socket *s = m->sockets; s; s = s->next) {
        if (!s->peer || s->type != SOCK_STREAM || s->family == AF_UNIX)
            continue;
        if ((s->node == a && s->peer->node == b) || (s->node == b && s->peer->node == a)) {
            connection_break(m, s);
            s->reset = true;
        }
    }
}

void sockets_fresh(struct machine *m, void (*reseed)(const struct machine *, struct chance *))
{
    for (struct socket *s = m->sockets; s; s = s->next)
        reseed(m, &s->chance);
}

long socket_answer(struct machine *m, struct task *t, bool *mine)
{
    long error;
    if (t->nr == SYS_socket)
        return make(m, t);
    if (t->nr == SYS_socketpair)
        return make_pair(m, t);
    if (t->nr < SYS_connect || (t->nr > SYS_getsockopt && t->nr != SYS_accept4))
        return *mine = false, -ENOSYS;
    struct socket *s = socket_of(t, t->arg[0], &error);
    if (!s)
        return error;
    switch (t->nr) {
    case SYS_connect: return connect_call(m, t, s);
    case SYS_accept: return accept_call(m, t, s, 0);
    case SYS_accept4: return accept_call(m, t, s, t->arg[3]);
    case SYS_sendto: return send_to(m, t, s);
    case SYS_recvfrom: return receive_from(m, t, s);
    case SYS_sendmsg: return send_message(m, t, s);
    case SYS_recvmsg: return receive_message(m, t, s);
    case SYS_shutdown: return shut(m, s, t->arg[1]);
    case SYS_bind: return bind_name(m, t, s);
    case SYS_listen: return listen_call(m, t, s);
    case SYS_getsockname: return own_name(m, t, s);
    case SYS_getpeername: return peer_name(m, t, s);
    case SYS_setsockopt: return 0;
    case SYS_getsockopt: return option_get(m, t, s);
    }
    *mine = false;
    return -ENOSYS;
}
