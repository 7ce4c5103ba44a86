/* Datagrams: udp(7), unix(7). They may be lost, come twice and overtake each other. */
#include "simulate/socket.h"

#include <errno.h>

long datagram_give(struct machine *m, struct socket *s, const struct sockaddr_storage *to, const uint8_t *data, size_t size)
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
