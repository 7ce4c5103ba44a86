/* Calls that send and receive: sendto(2), recvfrom(2), sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2), and descriptors on their way in
 * them: SCM_RIGHTS, unix(7). */
#include "simulate/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define MESSAGE_MOST (1u << 20) /* bytes of one call */
#define PARTS_MOST 64
#define CONTROL_MOST 1024

/* What a call wants to send, or has room for. */
struct message {
    struct msghdr head;
    struct iovec part[PARTS_MOST];
    size_t size;
    struct sockaddr_storage name;
    bool named;
};

/* ---- from and to the queue ---- */

static size_t bytes_here(const struct machine *m, const struct socket *s)
{
    size_t size = 0;
    for (const struct chunk *c = s->first; c && c->arrives <= machine_now(m); c = c->next)
        size += c->size - c->taken;
    return size;
}

size_t socket_waiting(const struct machine *m, const struct socket *s)
{
    return s->type == SOCK_STREAM ? bytes_here(m, s) : data_is_here(m, s) ? s->first->size : 0;
}

static long record_take(struct machine *m, struct socket *s, struct taken *taken, size_t size, int flags)
{
    struct chunk *c = s->first;
    size_t n = c->size < size ? c->size : size;
    long result = flags & MSG_TRUNC ? (long)c->size : (long)n;
    memcpy(taken->data, c->data, n);
    taken->size = n;
    taken->flags = c->size > size ? MSG_TRUNC : 0;
    taken->from = c->from;
    taken->from_size = c->from_size;
    if (flags & MSG_PEEK)
        return result;
    taken->rights = c->rights;
    c->rights = NULL;
    s->first = c->next;
    s->queued -= c->size;
    free(c);
    m->changes++; /* there is room for another one */
    if (s->peer)
        socket_told(m, s->peer);
    return result;
}

long socket_take(struct machine *m, struct socket *s, struct taken *taken, size_t size, int flags)
{
    connect_look(m, s);
    taken->from = s->remote;
    if (s->type != SOCK_DGRAM && s->state != SOCKET_CONNECTED)
        return s->state == SOCKET_CONNECTING ? -EAGAIN : s->error ? -s->error : -ENOTCONN;
    if (data_is_here(m, s) && s->type != SOCK_STREAM)
        return record_take(m, s, taken, size, flags);
    if (data_is_here(m, s)) {
        bool ends = s->reset || s->no_read || end_is_here(m, s);
        if (flags & MSG_WAITALL && !ends && file_blocks(s->file) && bytes_here(m, s) < (size < WINDOW ? size : WINDOW))
            return -EAGAIN;
        long n = stream_take(m, s, taken, size, flags & MSG_PEEK);
        taken->size = n > 0 ? (size_t)n : 0;
        return n;
    }
    if (s->type == SOCK_DGRAM && s->error) {
        int error = s->error;
        s->error = 0;
        return -error;
    }
    if (s->reset) {
        s->reset = false;
        return -ECONNRESET;
    }
    return s->no_read || end_is_here(m, s) ? 0 : -EAGAIN;
}

long socket_give(struct machine *m, struct task *t, struct socket *s, struct given *g)
{
    if (s->type != SOCK_DGRAM)
        return stream_give(m, t, s, g);
    if (s->error) {
        int error = s->error;
        s->error = 0;
        return -error;
    }
    return g->to || s->remote_size || s->paired ? datagram_give(m, t, s, g) : s->family == AF_UNIX ? -ENOTCONN : -EDESTADDRREQ;
}

/* Not now: the thread waits, or is told that it would have to. */
static long later(struct machine *m, struct task *t, struct socket *s, int64_t flags, uint64_t longest)
{
    if (!file_blocks(s->file) || flags & MSG_DONTWAIT || task_times_out(m, t, longest ? longest : NEVER))
        return -EAGAIN;
    return ANSWER_WAIT;
}

/* All of it, where the socket blocks: what was sent already is not sent again. */
static long send_all(struct machine *m, struct task *t, struct socket *s, struct given *g)
{
    size_t done = t->done;
    g->data += done;
    g->size -= done;
    if (done)
        g->rights = NULL;
    long n = socket_give(m, t, s, g);
    if (n < 0 && n != -EAGAIN)
        return done ? (long)done : n;
    if (n >= 0 && ((size_t)n == g->size || s->type != SOCK_STREAM))
        return (long)done + n;
    t->done = done + (n > 0 ? (size_t)n : 0);
    long wait = later(m, t, s, g->flags, s->send_longest);
    return wait == ANSWER_WAIT ? wait : t->done ? (long)t->done : wait;
}

/* ---- sendto, recvfrom ---- */

long send_to(struct machine *m, struct task *t, struct socket *s)
{
    struct sockaddr_storage to;
    struct given g = {.size = (uint64_t)t->arg[2] > MESSAGE_MOST ? MESSAGE_MOST : (size_t)t->arg[2], .flags = (int)t->arg[3]};
    long error = t->arg[4] ? address_get(m, t, t->arg[4], t->arg[5], &to) : 0;
    if (error)
        return error;
    uint8_t *data = machine_scratch(m, g.size + 1);
    if (!user_get(m, t, data, t->arg[1], g.size))
        return -EFAULT;
    g.data = data;
    g.to = t->arg[4] ? &to : NULL;
    return send_all(m, t, s, &g);
}

static socklen_t name_size(const struct taken *taken)
{
    return taken->from_size ? taken->from_size : taken->from.ss_family == AF_INET    ? (socklen_t)sizeof(struct sockaddr_in)
                                             : taken->from.ss_family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
                                                                                 : 0;
}

long receive_from(struct machine *m, struct task *t, struct socket *s)
{
    size_t size = (uint64_t)t->arg[2] > MESSAGE_MOST ? MESSAGE_MOST : (size_t)t->arg[2];
    struct taken taken = {.data = machine_scratch(m, size + 1)};
    long n = socket_take(m, s, &taken, size, (int)t->arg[3]);
    rights_release(m, taken.rights);
    if (n == -EAGAIN)
        return later(m, t, s, t->arg[3], s->receive_longest);
    if (n >= 0 && !user_put(m, t, t->arg[1], taken.data, taken.size))
        return -EFAULT;
    if (n >= 0 && address_put(m, t, t->arg[4], t->arg[5], &taken.from, name_size(&taken)))
        return -EFAULT;
    return n;
}

/* ---- descriptors on their way ---- */

void rights_release(struct machine *m, struct rights *r)
{
    for (size_t i = 0; r && i < r->count; i++)
        file_release(m, r->file[i]);
    free(r);
}

/* The descriptors that a control message hands over. 0 or -errno. */
static long rights_get(struct machine *m, struct task *t, const struct msghdr *h, struct rights **rights)
{
    union {
        struct cmsghdr head;
        uint8_t bytes[CONTROL_MOST];
    } control;
    *rights = NULL;
    if (!h->msg_control || h->msg_controllen < sizeof control.head)
        return 0;
    if (h->msg_controllen > sizeof control)
        return -ENOBUFS;
    if (!user_get(m, t, control.bytes, (int64_t)(uintptr_t)h->msg_control, h->msg_controllen))
        return -EFAULT;
    if (control.head.cmsg_level != SOL_SOCKET || control.head.cmsg_type != SCM_RIGHTS)
        return 0; /* credentials: everybody knows who is who */
    size_t length = control.head.cmsg_len, count = (length - sizeof control.head) / sizeof(int);
    if (length < sizeof control.head || length > h->msg_controllen || count > RIGHTS_MOST)
        return -EINVAL;
    struct rights *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    for (; r->count < count; r->count++) {
        int fd;
        memcpy(&fd, control.bytes + sizeof control.head + r->count * sizeof fd, sizeof fd);
        if (!(r->file[r->count] = file_of(t, fd)))
            return rights_release(m, r), -EBADF;
        r->file[r->count]->references++;
    }
    *rights = r;
    return 0;
}

/* They get numbers here, as many as there is room for. */
static bool rights_put(struct machine *m, struct task *t, struct msghdr *h, struct rights *r, bool close_on_exec)
{
    struct {
        struct cmsghdr head;
        int fd[RIGHTS_MOST];
    } control = {.head = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    size_t room = h->msg_control && h->msg_controllen > sizeof control.head ? (h->msg_controllen - sizeof control.head) / sizeof(int) : 0;
    size_t count = 0, all = r ? r->count : 0;
    if (!all) {
        h->msg_controllen = 0;
        return true;
    }
    for (size_t i = 0; i < all; i++)
        if (count < room)
            control.fd[count++] = (int)file_install(m, t->process, r->file[i], close_on_exec, 0);
        else
            file_release(m, r->file[i]);
    if (count < all)
        h->msg_flags |= MSG_CTRUNC;
    free(r);
    control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
    size_t size = CMSG_SPACE(count * sizeof(int)) < h->msg_controllen ? CMSG_SPACE(count * sizeof(int)) : h->msg_controllen;
    h->msg_controllen = count ? size : 0;
    return !count || user_put(m, t, (int64_t)(uintptr_t)h->msg_control, &control, size);
}

/* ---- sendmsg, recvmsg ---- */

static long message_get(struct machine *m, struct task *t, int64_t address, struct message *g)
{
    struct msghdr *h = &g->head;
    g->size = 0;
    if (!user_get(m, t, h, address, sizeof *h))
        return -EFAULT;
    if (h->msg_iovlen > PARTS_MOST)
        return -EMSGSIZE;
    if (!user_get(m, t, g->part, (int64_t)(uintptr_t)h->msg_iov, h->msg_iovlen * sizeof *g->part))
        return -EFAULT;
    for (size_t i = 0; i < h->msg_iovlen; i++)
        g->size = g->part[i].iov_len > MESSAGE_MOST - g->size ? MESSAGE_MOST : g->size + g->part[i].iov_len;
    return 0;
}

static long message_send(struct machine *m, struct task *t, struct socket *s, int64_t address, int flags)
{
    struct message g;
    struct given given = {.flags = flags};
    size_t at = 0;
    long error = message_get(m, t, address, &g);
    if (error)
        return error;
    uint8_t *data = machine_scratch(m, g.size + 1);
    for (size_t i = 0; i < g.head.msg_iovlen && at < g.size; i++) {
        size_t n = g.part[i].iov_len < g.size - at ? g.part[i].iov_len : g.size - at;
        if (!user_get(m, t, data + at, (int64_t)(uintptr_t)g.part[i].iov_base, n))
            return -EFAULT;
        at += n;
    }
    if (g.head.msg_name && address_get(m, t, (int64_t)(uintptr_t)g.head.msg_name, g.head.msg_namelen, &g.name))
        return -EINVAL;
    if ((error = rights_get(m, t, &g.head, &given.rights)))
        return error;
    struct rights *rights = given.rights;
    given.data = data;
    given.size = g.size;
    given.to = g.head.msg_name ? &g.name : NULL;
    bool first = !t->done;
    given.rights_taken = false;
    long n = send_all(m, t, s, &given);
    if (!given.rights_taken || !first)
        rights_release(m, rights);
    return n;
}

static bool message_scatter(struct machine *m, struct task *t, const struct message *g, const struct taken *taken)
{
    size_t at = 0;
    for (size_t i = 0; i < g->head.msg_iovlen && at < taken->size; i++) {
        size_t piece = g->part[i].iov_len < taken->size - at ? g->part[i].iov_len : taken->size - at;
        if (!user_put(m, t, (int64_t)(uintptr_t)g->part[i].iov_base, taken->data + at, piece))
            return false;
        at += piece;
    }
    return true;
}

static long message_receive(struct machine *m, struct task *t, struct socket *s, int64_t address, int64_t flags)
{
    struct message g;
    long error = message_get(m, t, address, &g);
    if (error)
        return error;
    struct msghdr *h = &g.head;
    struct taken taken = {.data = machine_scratch(m, g.size + 1)};
    long n = socket_take(m, s, &taken, g.size, (int)flags);
    if (n == -EAGAIN)
        return later(m, t, s, flags, s->receive_longest);
    if (n < 0)
        return n;
    h->msg_flags = taken.flags;
    bool good = message_scatter(m, t, &g, &taken) && rights_put(m, t, h, taken.rights, flags & MSG_CMSG_CLOEXEC);
    socklen_t length = s->type == SOCK_DGRAM ? name_size(&taken) : 0;
    if (h->msg_name && length)
        good &= user_put(m, t, (int64_t)(uintptr_t)h->msg_name, &taken.from, length < h->msg_namelen ? length : h->msg_namelen);
    h->msg_namelen = h->msg_name ? length : 0;
    return good && user_put(m, t, address, h, sizeof *h) ? n : -EFAULT;
}

long send_message(struct machine *m, struct task *t, struct socket *s)
{
    return message_send(m, t, s, t->arg[1], (int)t->arg[2]);
}

long receive_message(struct machine *m, struct task *t, struct socket *s)
{
    return message_receive(m, t, s, t->arg[1], t->arg[2]);
}

/* Several at once; done counts messages. What is left when one would have to wait is not waited for, if there was one. */
long message_many(struct machine *m, struct task *t, struct socket *s, bool receive)
{
    const int64_t step = sizeof(struct mmsghdr);
    for (size_t i = t->done; i < (uint32_t)t->arg[2] && i < 1024; i++) {
        int64_t at = t->arg[1] + (int64_t)i * step, flags = t->arg[3];
        if (receive && i && flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        t->done = 0;
        long n = receive ? message_receive(m, t, s, at, flags & ~(int64_t)MSG_WAITFORONE) : message_send(m, t, s, at, (int)flags);
        t->done = i;
        if (n == ANSWER_WAIT)
            return n;
        if (n < 0)
            return i ? (long)i : n;
        uint32_t length = (uint32_t)n;
        if (!user_put(m, t, at + (int64_t)sizeof(struct msghdr), &length, sizeof length))
            return -EFAULT;
        t->done = i + 1;
    }
    return (long)t->done;
}
