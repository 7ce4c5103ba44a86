/* Sockets between the processes of the world: streams and datagrams, inet and unix. Sources: socket(2), socketpair(2), getsockopt(2). */
#include "simulate/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>

struct socket *socket_create(struct machine *m, const struct process *p, int family, int type)
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
        rights_release(m, c->rights);
        free(c);
    }
    free(s);
}

static long file_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    (void)t;
    struct taken taken = {.data = to};
    long n = at >= 0 ? -ESPIPE : socket_take(m, f->state, &taken, size, 0);
    rights_release(m, taken.rights);
    return n;
}

static long file_write(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at)
{
    return at >= 0 ? -ESPIPE : socket_give(m, t, f->state, &(struct given){.data = from, .size = size});
}

static uint32_t file_poll(struct machine *m, struct file *f)
{
    struct socket *s = f->state;
    uint32_t ready = 0;
    connect_look(m, s);
    if (s->state == SOCKET_LISTENING)
        return connection_waits(m, s) ? POLLIN : 0;
    if (s->type == SOCK_DGRAM)
        return (data_is_here(m, s) ? POLLIN : 0) | POLLOUT | (s->error ? POLLERR | POLLIN : 0);
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
    if (!s->peer && s->family == AF_UNIX)
        ready |= POLLIN | POLLRDHUP | POLLHUP;
    if (s->reset)
        ready |= POLLIN | POLLERR | POLLHUP;
    if (!s->peer || s->peer->queued < WINDOW / 2)
        ready |= POLLOUT;
    return ready;
}

void socket_end(struct machine *m, struct socket *s)
{
    tree_socket_gone(m, s);
    stream_end(m, s);
    if (s->peer) {
        if (s->type != SOCK_DGRAM && (s->first || (s->linger.l_onoff && !s->linger.l_linger)))
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

bool socket_sends(const struct task *t)
{
    bool sends = t->nr == SYS_write || t->nr == SYS_writev || t->nr == SYS_sendto || t->nr == SYS_sendmsg || t->nr == SYS_sendmmsg;
    const struct file *f = sends ? file_of(t, t->arg[0]) : NULL;
    const struct socket *s = f && f->kind == &file_socket ? f->state : NULL;
    return s && (s->type == SOCK_DGRAM || (s->peer && !s->peer->service));
}

size_t socket_readable(const struct machine *m, const struct file *f)
{
    return socket_waiting(m, f->state);
}

long socket_install(struct machine *m, struct task *t, struct socket *s, int64_t type)
{
    s->file = file_create(&file_socket, O_RDWR | (type & SOCK_NONBLOCK ? O_NONBLOCK : 0), s);
    return file_install(m, t->process, s->file, type & SOCK_CLOEXEC, 0);
}

static long make(struct machine *m, struct task *t)
{
    int type = (int)t->arg[1] & 15;
    if (t->arg[0] != AF_INET && t->arg[0] != AF_INET6 && t->arg[0] != AF_UNIX)
        return -EAFNOSUPPORT;
    if (type < SOCK_STREAM || type >= SOCK_PACKET)
        return -EINVAL;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && (type != SOCK_SEQPACKET || t->arg[0] != AF_UNIX))
        return type == SOCK_SEQPACKET || type == SOCK_RDM ? -ESOCKTNOSUPPORT : -EPROTONOSUPPORT;
    return socket_install(m, t, socket_create(m, t->process, (int)t->arg[0], type), t->arg[1]);
}

static long make_pair(struct machine *m, struct task *t)
{
    struct socket *s[2];
    int fd[2], type = (int)t->arg[1] & 15;
    if (t->arg[0] != AF_UNIX)
        return t->arg[0] == AF_INET || t->arg[0] == AF_INET6 ? -EOPNOTSUPP : -EAFNOSUPPORT;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    for (int i = 0; i < 2; i++) {
        s[i] = socket_create(m, t->process, AF_UNIX, type);
        s[i]->paired = true;
        s[i]->state = SOCKET_CONNECTED;
        s[i]->local.ss_family = s[i]->remote.ss_family = AF_UNIX;
        s[i]->local_size = s[i]->remote_size = 2;
        fd[i] = (int)socket_install(m, t, s[i], t->arg[1]);
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

long socket_answer(struct machine *m, struct task *t, bool *mine)
{
    long error;
    if (t->nr == SYS_socket)
        return make(m, t);
    if (t->nr == SYS_socketpair)
        return make_pair(m, t);
    bool more = t->nr == SYS_accept4 || t->nr == SYS_sendmmsg || t->nr == SYS_recvmmsg;
    if (t->nr < SYS_connect || (t->nr > SYS_getsockopt && !more))
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
    case SYS_setsockopt: return option_set(m, t, s);
    case SYS_sendmmsg: return message_many(m, t, s, false);
    case SYS_recvmmsg: return message_many(m, t, s, true);
    case SYS_getsockopt: return option_get(m, t, s);
    }
    *mine = false;
    return -ENOSYS;
}
