/* Connections: listen(2), connect(2), accept(2). */
#include "simulate/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_TIME (127 * SECOND) /* until a connect that nobody answers fails: tcp_syn_retries, tcp(7) */

/* The connection is made when its answer has come back. */
void connect_look(struct machine *m, struct socket *s)
{
    if (s->state == SOCKET_CONNECTING && machine_now(m) >= s->connected_at)
        s->state = s->error ? SOCKET_FAILED : SOCKET_CONNECTED;
}

bool connection_waits(const struct machine *m, const struct socket *s)
{
    return s->waits && s->waiting_since[0] <= machine_now(m);
}

static struct socket *listener_find(struct machine *m, struct task *t, const struct socket *s, const struct sockaddr_storage *a, long *error)
{
    const char *path = ((const struct sockaddr_un *)(const void *)a)->sun_path;
    *error = -ECONNREFUSED;
    struct socket *l = a->ss_family == AF_UNIX && *path ? tree_bound(m, t->process, path, error) : bound_to(m, a, s->type);
    if (!l || l->state != SOCKET_LISTENING)
        return *error = *error ? *error : -ECONNREFUSED, NULL;
    if (l->type != s->type)
        return *error = -EPROTOTYPE, NULL;
    *error = l->waits < l->backlog && l->waits < 128 ? 0 : -EAGAIN;
    return *error ? NULL : l;
}

/* The other end, that accept hands out. */
static void connection_make(struct machine *m, struct socket *s, struct socket *l, uint64_t there)
{
    struct socket *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    *c = (struct socket){.next = m->sockets, .family = l->family, .type = l->type, .state = SOCKET_CONNECTED, .node = l->node,
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
        machine_due(m, there, socket_arrives, l);
    else
        socket_told(m, l);
}

/* Its answer is on the way: a connection, or a refusal. `l` NULL: there is nobody. */
static void connect_goes(struct machine *m, struct socket *s, struct socket *l, const char *who, int error)
{
    if (l)
        chance_named(m, &s->chance, CHANCE_CONNECTION, who, l->who);
    uint64_t there = machine_now(m) + (l ? delay_between(m, s, l) : s->family == AF_UNIX || m->follow ? 0 : m->network.least); /* a refusal is back as soon as anything */
    s->connected_at = there + (l ? delay_between(m, s, l) : 0);
    s->error = l ? 0 : error;
    if (l)
        connection_make(m, s, l, there);
    if (s->connected_at > machine_now(m))
        machine_due(m, s->connected_at, socket_arrives, s);
}

static bool nobody_answers(const struct machine *m, const struct socket *s, const struct socket *l)
{
    return l && l->family != AF_UNIX && (fault_is_held(m, s->node, l->node) || fault_is_held(m, l->node, s->node));
}

/* The first packet is sent again after 1, 3, 7 ... s (tcp(7), RFC 6298): what was cut when it was sent may be healed. */
static void connect_again(struct machine *m, void *what)
{
    struct socket *s = what;
    const struct process *p = machine_process(m, s->owner_pid);
    if (s->state != SOCKET_CONNECTING || s->error != ETIMEDOUT || !p)
        return;
    struct socket *l = bound_to(m, &s->remote, s->type);
    if (l && fault_is_cut(m, s->node, l->node))
        l = NULL;
    if (!nobody_answers(m, s, l)) {
        connect_goes(m, s, l, process_who(m, p), ECONNREFUSED);
        return;
    }
    s->again *= 2;
    machine_due(m, machine_now(m) + s->again, connect_again, s);
}

/* An address of its own that goes with the other's: an IPv6 socket that talks to IPv4 has one of those, ipv6(7). */
static long connect_datagrams(struct machine *m, struct task *t, struct socket *s, const struct sockaddr_storage *a)
{
    struct sockaddr_in6 *local = (void *)&s->local;
    const struct sockaddr_in6 *remote = (const void *)a;
    s->remote = *a;
    s->remote_size = a->ss_family == AF_UNSPEC ? 0 : (socklen_t)t->arg[2];
    s->error = 0;
    s->paired = false;
    port_give(m, s);
    if (s->family == AF_INET6 && (a->ss_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&remote->sin6_addr))) {
        memset(&local->sin6_addr, 0, sizeof local->sin6_addr);
        memset(local->sin6_addr.s6_addr + 10, 0xff, 2);
        local->sin6_addr.s6_addr32[3] = htonl(INADDR_LOOPBACK);
    }
    return 0;
}

static long connect_begin(struct machine *m, struct task *t, struct socket *s)
{
    struct sockaddr_storage a;
    long error = address_get(m, t, t->arg[1], t->arg[2], &a);
    if (error)
        return error;
    if (s->type == SOCK_DGRAM)
        return connect_datagrams(m, t, s, &a);
    if (s->state == SOCKET_CONNECTED)
        return -EISCONN;
    s->remote = a;
    s->remote_size = (socklen_t)t->arg[2];
    port_give(m, s);
    struct socket *l = listener_find(m, t, s, &a, &error);
    if (l && !m->follow && fault_is_cut(m, s->node, l->node)) /* in a recording, the shim has said so before */
        l = NULL, error = -ECONNREFUSED;
    if (s->family == AF_UNIX && error)
        return error;
    s->state = SOCKET_CONNECTING;
    if (!nobody_answers(m, s, l)) {
        connect_goes(m, s, l, process_who(m, t->process), (int)-error);
        return ANSWER_WAIT;
    }
    s->error = ETIMEDOUT;
    s->connected_at = machine_now(m) + CONNECT_TIME;
    s->again = SECOND;
    machine_due(m, s->connected_at, socket_arrives, s);
    machine_due(m, machine_now(m) + s->again, connect_again, s);
    return ANSWER_WAIT;
}

long connect_call(struct machine *m, struct task *t, struct socket *s)
{
    if (s->state == SOCKET_NEW || (s->state == SOCKET_FAILED && !t->begun)) {
        if (s->state == SOCKET_FAILED)
            s->error = 0;
        long result = connect_begin(m, t, s);
        if (result != ANSWER_WAIT)
            return result;
        if (s->family != AF_UNIX && !file_blocks(s->file))
            return -EINPROGRESS;
        connect_look(m, s);
        if (s->state == SOCKET_CONNECTING)
            return ANSWER_WAIT;
    }
    connect_look(m, s);
    if (s->state == SOCKET_CONNECTING)
        return file_blocks(s->file) && t->begun ? ANSWER_WAIT : -EALREADY;
    if (s->state == SOCKET_FAILED) {
        int error = s->error;
        return error ? -error : -ECONNABORTED;
    }
    if (s->told_connected)
        return -EISCONN;
    s->told_connected = true;
    return 0;
}

long accept_call(struct machine *m, struct task *t, struct socket *s, int64_t flags)
{
    if (s->state != SOCKET_LISTENING)
        return -EINVAL;
    if (!connection_waits(m, s)) {
        bool over = !file_blocks(s->file) || task_times_out(m, t, s->receive_longest ? s->receive_longest : NEVER);
        return over ? -EAGAIN : ANSWER_WAIT;
    }
    struct socket *c = s->waiting[0];
    memmove(s->waiting, s->waiting + 1, --s->waits * sizeof *s->waiting);
    memmove(s->waiting_since, s->waiting_since + 1, s->waits * sizeof *s->waiting_since);
    c->owner_pid = t->process->pid;
    c->node = t->process->node;
    if (c->family == AF_UNIX && !c->remote_size) { /* it has no name */
        c->remote.ss_family = AF_UNIX;
        c->remote_size = sizeof c->remote.ss_family;
    }
    long error = address_put(m, t, t->arg[1], t->arg[2], &c->remote, c->remote_size);
    return error ? error : socket_install(m, t, c, flags);
}

long listen_call(struct machine *m, struct task *t, struct socket *s)
{
    if (s->type == SOCK_DGRAM || s->state > SOCKET_LISTENING)
        return -EINVAL;
    port_give(m, s);
    s->state = SOCKET_LISTENING;
    snprintf(s->who, sizeof s->who, "%s", process_who(m, t->process));
    s->backlog = t->arg[1] > 0 && t->arg[1] < 128 ? (unsigned)t->arg[1] + 1 : 128;
    return 0;
}
