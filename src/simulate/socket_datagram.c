/* Datagrams: udp(7), unix(7). On the network they may be lost, come twice and overtake each other. */
#include "simulate/socket.h"

#include <errno.h>

/* Whom it is for. NULL: nobody, *error says whether the sender hears of that. */
static struct socket *target_find(struct machine *m, struct task *t, const struct socket *s, const struct sockaddr_storage *to, long *error)
{
    const char *path = ((const struct sockaddr_un *)(const void *)to)->sun_path;
    *error = 0;
    if (s->family != AF_UNIX)
        return bound_to(m, to, SOCK_DGRAM);
    if (s->paired && to == &s->remote)
        return *error = s->peer ? 0 : -ECONNREFUSED, s->peer;
    struct socket *target = *path ? tree_bound(m, t->process, path, error) : bound_to(m, to, SOCK_DGRAM);
    if (!*error && (!target || target->type != SOCK_DGRAM))
        return *error = target ? -EPROTOTYPE : -ECONNREFUSED, NULL;
    return target;
}

static bool is_lost(struct machine *m, struct socket *s, const struct socket *target)
{
    return fault_is_cut(m, s->node, target->node) || fault_is_held(m, s->node, target->node) ||
           (m->lose && chance_below(&s->chance, 100) < m->lose);
}

long datagram_give(struct machine *m, struct task *t, struct socket *s, struct given *g)
{
    long error;
    bool network = s->family != AF_UNIX;
    struct socket *target = target_find(m, t, s, g->to ? g->to : &s->remote, &error);
    if (error)
        return error;
    port_give(m, s);
    m->datagrams |= target && s->node && target->node && s->node != target->node;
    if (!target && !g->to) /* nobody listens there: what comes back says so to the next call, udp(7) */
        s->error = ECONNREFUSED, socket_told(m, s);
    if (!network && target->queued >= WINDOW)
        return -EAGAIN;
    if (!target || target->queued >= WINDOW || step_drop(m->asking) || (network && is_lost(m, s, target)))
        return (long)g->size;
    send_chunk(m, s, target, g);
    if (network && m->duplicate && chance_below(&s->chance, 100) < m->duplicate) {
        struct given again = {.data = g->data, .size = g->size};
        send_chunk(m, s, target, &again);
    }
    return (long)g->size;
}
