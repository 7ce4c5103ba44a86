/* Streams: bytes in order, a window, an end of each direction. What is sent arrives later: after a delay that the seed decides where the
 * two ends are of different processes. Sources: tcp(7), shutdown(2). */
#include "simulate/socket.h"

#include <errno.h>
#include <stdlib.h>

void socket_told(struct machine *m, struct socket *s)
{
    m->changes++;
    if (s && s->file)
        s->file->changes++;
}

void socket_arrives(struct machine *m, void *what)
{
    socket_told(m, what);
}

uint64_t delay_between(const struct machine *m, struct socket *a, const struct socket *b)
{
    if (m->follow)
        return 0; /* when it came is in the recording */
    if (a->family == AF_UNIX || (a->node == b->node && a->owner_pid == b->owner_pid))
        return 0;
    uint64_t delay = m->network.least + chance_below(&a->chance, m->network.most - m->network.least);
    if (chance_below(&a->chance, 10000) < m->network.late) {
        uint64_t late = chance_below(&a->chance, m->network.later); /* drawn in a calm too: later chance is the same */
        delay += m->calm ? 0 : late;
    }
    return delay;
}

void send_chunk(struct machine *m, struct socket *from, struct socket *to, struct given *g)
{
    size_t owed = to->owed < g->size ? to->owed : g->size, size = g->size - owed;
    to->owed -= owed;
    if (owed && !size)
        return;
    struct chunk *c = malloc(sizeof *c + size);
    bool ordered = to->type != SOCK_DGRAM;
    if (!c)
        abort();
    struct plan_step *waits = from->service ? NULL : step_waits(m, m->asking);
    bool held = waits || (ordered && from->family != AF_UNIX && fault_is_held(m, from->node, to->node));
    uint64_t when = held ? NEVER : machine_now(m) + delay_between(m, from, to) + step_delay(m->asking);
    *c = (struct chunk){.arrives = ordered && when < to->latest ? to->latest : when, .from = from->local, .size = size,
                        .from_size = from->family == AF_UNIX && !from->bound ? 0 : from->local_size, .rights = g->rights};
    g->rights_taken = true;
    memcpy(c->data, g->data + owed, size);
    to->latest = c->arrives;
    to->waits_for = waits ? waits : to->waits_for;
    to->queued += size;
    struct chunk **at = &to->first;
    while (*at && (ordered || (*at)->arrives <= c->arrives))
        at = &(*at)->next;
    c->next = *at;
    *at = c;
    if (c->arrives > machine_now(m))
        machine_due(m, c->arrives, socket_arrives, to);
    else
        socket_told(m, to);
    if (from->node != to->node)
        model_sent(m, from->node, to->node);
}

/* What was held goes on its way; the delay is that of one message. */
void socket_let_go(struct machine *m, struct socket *s)
{
    uint32_t from = s->peer ? s->peer->node : s->held_from;
    if ((!s->peer && !s->held_end) || (s->latest != NEVER && !s->held_end) || s->waits_for || fault_is_held(m, from, s->node))
        return;
    uint64_t when = machine_now(m) + (s->peer ? delay_between(m, s->peer, s) : m->network.least), last = 0;
    for (struct chunk *c = s->first; c; c = c->next) {
        if (c->arrives == NEVER)
            c->arrives = when;
        last = c->arrives;
    }
    if (s->latest == NEVER)
        s->latest = last > when ? last : when;
    if (s->held_end)
        s->end_arrives = s->latest > when ? s->latest : when;
    s->held_end = false;
    machine_due(m, s->latest, socket_arrives, s);
}

bool data_is_here(const struct machine *m, const struct socket *s)
{
    return s->first && s->first->arrives <= machine_now(m);
}

bool end_is_here(const struct machine *m, const struct socket *s)
{
    return s->end_arrives <= machine_now(m);
}

/* Bytes that came with descriptors end a read, and so do those before them: unix(7). */
long stream_take(struct machine *m, struct socket *s, struct taken *taken, size_t size, bool peek)
{
    size_t done = 0;
    bool with_rights = false;
    for (struct chunk *c = s->first; c && done < size && c->arrives <= machine_now(m) && !with_rights; c = peek ? c->next : s->first) {
        size_t n = c->size - c->taken < size - done ? c->size - c->taken : size - done;
        if (c->rights && done)
            break;
        with_rights = c->rights;
        memcpy(taken->data + done, c->data + c->taken, n);
        done += n;
        if (peek)
            continue;
        if (c->rights)
            taken->rights = c->rights, c->rights = NULL;
        c->taken += n;
        s->queued -= n;
        if (c->taken == c->size) {
            s->first = c->next;
            free(c);
        }
    }
    if (!peek && done && s->peer)
        socket_told(m, s->peer); /* room again */
    return (long)done;
}

static long broken_pipe(struct machine *m, struct task *t, int flags)
{
    siginfo_t info = {.si_signo = SIGPIPE, .si_code = SI_KERNEL};
    if (!(flags & MSG_NOSIGNAL))
        process_signal(m, t->process, &info);
    return -EPIPE;
}

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
        send_chunk(m, s, client, &(struct given){.data = (const uint8_t *)answer, .size = strlen(answer)});
        socket_end(m, s);
        break;
    }
    return (long)size;
}

long stream_give(struct machine *m, struct task *t, struct socket *s, struct given *g)
{
    connect_look(m, s);
    if (s->state == SOCKET_CONNECTING)
        return -EAGAIN;
    if (s->state != SOCKET_CONNECTED)
        return s->error ? -s->error : broken_pipe(m, t, g->flags);
    if (s->no_write || s->reset || (!s->peer && s->family == AF_UNIX))
        return broken_pipe(m, t, g->flags);
    if (!s->peer) { /* gone: the first is lost, what comes back breaks the connection */
        if (end_is_here(m, s)) {
            s->reset = true;
            socket_told(m, s);
        }
        return (long)g->size;
    }
    if (s->peer->service)
        return service_take(m, s->peer, g->data, g->size);
    size_t room = m->follow ? SIZE_MAX : s->peer->queued < WINDOW ? WINDOW - s->peer->queued : 0;
    if (!room || (s->type == SOCK_SEQPACKET && room < g->size && s->peer->queued))
        return -EAGAIN;
    struct given piece = *g;
    piece.size = s->type == SOCK_SEQPACKET || g->size < room ? g->size : room;
    if (piece.size && !step_drop(t)) {
        send_chunk(m, s, s->peer, &piece);
        g->rights_taken = true;
    }
    return (long)piece.size;
}

void stream_end(struct machine *m, struct socket *s)
{
    struct socket *peer = s->peer;
    if (!peer || peer->end_arrives != NEVER)
        return;
    if (peer->waits_for || (s->family != AF_UNIX && fault_is_held(m, s->node, peer->node))) {
        peer->held_end = true;
        peer->held_from = s->node;
        return;
    }
    uint64_t when = machine_now(m) + delay_between(m, s, peer);
    peer->end_arrives = when < peer->latest ? peer->latest : when;
    if (peer->end_arrives > machine_now(m))
        machine_due(m, peer->end_arrives, socket_arrives, peer);
    else
        socket_told(m, peer);
}

/* A listener that is shut listens no more. */
static long listener_shut(struct machine *m, struct socket *s, int64_t how)
{
    if (how == SHUT_WR)
        return 0;
    s->state = SOCKET_NEW;
    while (s->waits) {
        struct socket *c = s->waiting[--s->waits];
        socket_end(m, c);
    }
    socket_told(m, s);
    return 0;
}

long shut(struct machine *m, struct socket *s, int64_t how)
{
    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    if (s->state == SOCKET_LISTENING)
        return listener_shut(m, s, how);
    if (s->state != SOCKET_CONNECTED && !(s->type == SOCK_DGRAM && s->remote_size))
        return -ENOTCONN;
    if (how == SHUT_RD || how == SHUT_RDWR)
        s->no_read = true;
    if (how == SHUT_WR || how == SHUT_RDWR) {
        s->no_write = true;
        stream_end(m, s);
    }
    socket_told(m, s);
    return 0;
}
