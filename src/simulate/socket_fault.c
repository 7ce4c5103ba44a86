/* What faults do to connections: they are cut, held, let go on, reset. */
#include "simulate/socket.h"

#include <stdlib.h>

static void connection_break(struct machine *m, struct socket *s)
{
    for (struct chunk *c = s->first, *next; c; c = next) { /* what is on its way is lost */
        next = c->next;
        rights_release(m, c->rights);
        free(c);
    }
    s->first = NULL;
    s->queued = 0;
    s->no_read = s->no_write = true;
    s->end_arrives = machine_now(m);
    socket_told(m, s);
}

void socket_cut(struct machine *m)
{
    for (struct socket *s = m->sockets; s; s = s->next)
        if (s->peer && s->type != SOCK_DGRAM && s->family != AF_UNIX && fault_is_cut(m, s->node, s->peer->node) && !s->no_write)
            connection_break(m, s);
}

void sockets_hold(struct machine *m, uint32_t from, uint32_t to)
{
    for (struct socket *s = m->sockets; s; s = s->next) {
        if (!s->peer || s->type == SOCK_DGRAM || s->family == AF_UNIX || s->node != to || s->peer->node != from)
            continue;
        for (struct chunk *c = s->first; c; c = c->next)
            if (c->arrives > machine_now(m))
                c->arrives = s->latest = NEVER;
        if (s->end_arrives != NEVER && s->end_arrives > machine_now(m)) {
            s->end_arrives = NEVER;
            s->held_end = true;
        }
    }
}

void sockets_let_go(struct machine *m)
{
    for (struct socket *s = m->sockets; s; s = s->next)
        if (s->type != SOCK_DGRAM)
            socket_let_go(m, s);
}

static void datagrams_go_on(struct machine *m, struct socket *s)
{
    for (struct chunk *c = s->first; c; c = c->next)
        if (c->arrives == NEVER)
            c->arrives = machine_now(m);
    s->latest = machine_now(m);
    socket_told(m, s);
}

void sockets_go_on(struct machine *m, const struct plan_step *step)
{
    for (struct socket *s = m->sockets; s; s = s->next) {
        if (s->waits_for != step)
            continue;
        s->waits_for = NULL;
        if (s->type == SOCK_DGRAM)
            datagrams_go_on(m, s);
        else
            socket_let_go(m, s);
    }
}

/* Both ends find their connection reset, and what was on its way gone. */
void sockets_reset(struct machine *m, uint32_t a, uint32_t b)
{
    for (struct socket *s = m->sockets; s; s = s->next) {
        if (!s->peer || s->type == SOCK_DGRAM || s->family == AF_UNIX)
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
