/* Addresses and ports: ip(7), unix(7), bind(2). */
#include "simulate/socket.h"

#include <errno.h>
#include <netinet/in.h>

bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
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

struct socket *bound_to(struct machine *m, const struct sockaddr_storage *address, int type)
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

void port_give(struct machine *m, struct socket *s)
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

long address_get(struct machine *m, struct task *t, int64_t from, int64_t size, struct sockaddr_storage *a)
{
    memset(a, 0, sizeof *a);
    if (size < 2 || size > (int64_t)sizeof *a)
        return -EINVAL;
    return user_get(m, t, a, from, (size_t)size) ? 0 : -EFAULT;
}

long address_put(struct machine *m, struct task *t, int64_t to, int64_t length, const struct sockaddr_storage *a, socklen_t size)
{
    uint32_t room;
    if (!to || !length)
        return 0;
    if (!user_get(m, t, &room, length, 4) || !user_put(m, t, to, a, room < size ? room : size) || !user_put(m, t, length, &size, 4))
        return -EFAULT;
    return 0;
}

long bind_name(struct machine *m, struct task *t, struct socket *s)
{
    struct sockaddr_storage a;
    long error = address_get(m, t, t->arg[1], t->arg[2], &a);
    if (error)
        return error;
    const char *path = ((struct sockaddr_un *)(void *)&a)->sun_path;
    s->local = a;
    s->local_size = (socklen_t)t->arg[2];
    if (a.ss_family == AF_UNIX) {
        if (!*path && t->arg[2] > 2 && port_is_taken(m, &a, s))
            return -EADDRINUSE;
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

long peer_name(struct machine *m, struct task *t, struct socket *s)
{
    connect_look(m, s);
    if (s->state != SOCKET_CONNECTED && !(s->type == SOCK_DGRAM && s->remote_size))
        return -ENOTCONN;
    return address_put(m, t, t->arg[1], t->arg[2], &s->remote, s->remote_size);
}

long own_name(struct machine *m, struct task *t, struct socket *s)
{
    if (!s->local.ss_family) {
        s->local.ss_family = (sa_family_t)s->family;
        s->local_size = s->family == AF_INET ? 16 : s->family == AF_INET6 ? 28 : 2;
    }
    return address_put(m, t, t->arg[1], t->arg[2], &s->local, s->local_size);
}
