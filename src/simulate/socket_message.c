/* Calls that send and receive: sendto(2), recvfrom(2), sendmsg(2), recvmsg(2). */
#include "simulate/socket.h"

#include <errno.h>
#include <stdlib.h>

long socket_take(struct machine *m, struct socket *s, uint8_t *to, size_t size, int flags, struct sockaddr_storage *from)
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

long socket_give(struct machine *m, struct task *t, struct socket *s, const uint8_t *data, size_t size, int flags,
                        const struct sockaddr_storage *to)
{
    if (s->type == SOCK_DGRAM)
        return to || s->remote_size || s->peer ? datagram_give(m, s, to ? to : &s->remote, data, size) : -EDESTADDRREQ;
    return stream_give(m, t, s, data, size, flags);
}

long send_to(struct machine *m, struct task *t, struct socket *s)
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

long receive_from(struct machine *m, struct task *t, struct socket *s)
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

long send_message(struct machine *m, struct task *t, struct socket *s)
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

long receive_message(struct machine *m, struct task *t, struct socket *s)
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
