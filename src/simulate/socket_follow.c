/* Sockets while a recording is gone through: what has come, and what was done out of turn (simulate/follow.h). */
#include "simulate/socket.h"

#include <string.h>

size_t socket_has(const struct file *f)
{
    const struct socket *s = f->state;
    size_t bytes = 0;
    if (s->type == SOCK_DGRAM)
        return s->first ? s->first->size : 0;
    for (const struct chunk *c = s->first; c; c = c->next)
        bytes += c->size - c->taken;
    return bytes || (s->state == SOCKET_CONNECTED && s->end_arrives == NEVER && !s->no_read && !s->reset) ? bytes : AT_END;
}

void socket_owe(struct file *f, size_t bytes)
{
    ((struct socket *)f->state)->owed += bytes;
}

static unsigned waiting_from(const struct socket *s, const struct sockaddr_storage *from)
{
    unsigned i = 0;
    while (i < s->waits && from && from->ss_family != AF_UNIX && !same_address(&s->waiting[i]->remote, from))
        i++;
    return i;
}

bool socket_waits(const struct file *f, const struct sockaddr_storage *from)
{
    const struct socket *s = f->state;
    return f->kind == &file_socket && waiting_from(s, from) < s->waits;
}

bool socket_listens(struct machine *m, const struct sockaddr_storage *a)
{
    const struct socket *l = bound_to(m, a, SOCK_STREAM);
    return l && l->state == SOCKET_LISTENING && l->waits < l->backlog && l->waits < 128;
}

bool socket_would_connect(struct machine *m, struct task *t, const void *address, size_t size)
{
    struct sockaddr_un a = {0};
    long error = 0;
    memcpy(&a, address, !address ? 0 : size < sizeof a ? size : sizeof a - 1);
    if (a.sun_family != AF_UNIX || !a.sun_path[0])
        return true;
    const struct socket *l = tree_bound(m, t->process, a.sun_path, &error);
    return l && (l->type == SOCK_DGRAM || l->state == SOCKET_LISTENING);
}

/* The listener was gone before it accepted: what comes of such a connection is that it is reset. */
void socket_orphan(struct machine *m, struct file *f)
{
    struct socket *s = f->state;
    s->state = SOCKET_CONNECTED;
    s->told_connected = true;
    s->error = 0;
    s->end_arrives = machine_now(m);
    s->reset = true;
}

/* The one from there first; from nobody in the recording if there is none. */
long socket_accept(struct machine *m, struct task *t, struct file *f, const struct sockaddr_storage *from, int64_t flags)
{
    struct socket *s = f->state, *c;
    unsigned at = waiting_from(s, from);
    if (at == s->waits) {
        c = socket_create(m, t->process, s->family, SOCK_STREAM);
        c->state = SOCKET_CONNECTED;
        c->local = s->local, c->local_size = s->local_size;
        c->remote = *from, c->remote_size = s->local_size;
        return socket_install(m, t, c, flags);
    }
    c = s->waiting[at];
    memmove(s->waiting + at, s->waiting + at + 1, (s->waits - at - 1) * sizeof *s->waiting);
    memmove(s->waiting_since + at, s->waiting_since + at + 1, (s->waits - at - 1) * sizeof *s->waiting_since);
    s->waits--;
    c->owner_pid = t->process->pid;
    c->node = t->process->node;
    return socket_install(m, t, c, flags);
}

void socket_named(struct file *f, const struct sockaddr_storage *local, size_t size)
{
    struct socket *s = f->state;
    if (local->ss_family == AF_UNIX)
        return;
    s->local = *local;
    s->local_size = (socklen_t)size;
    if (s->peer)
        s->peer->remote = *local;
}
