/* What sockets of the world are made of: socket*.c know. */
#ifndef DRD_SIMULATE_SOCKET_H
#define DRD_SIMULATE_SOCKET_H

#include <sys/socket.h>
#include <sys/un.h>

#include "simulate/machine.h"

#define WINDOW (256u << 10) /* bytes on their way or not read */

enum socket_state { SOCKET_NEW, SOCKET_LISTENING, SOCKET_CONNECTING, SOCKET_CONNECTED, SOCKET_FAILED };

#define RIGHTS_MOST 64

/* Open files that are handed over: SCM_RIGHTS, unix(7). */
struct rights {
    struct file *file[RIGHTS_MOST];
    size_t count;
};

/* What a call gives to be sent, and */
struct given {
    const uint8_t *data;
    size_t size;
    int flags;
    const struct sockaddr_storage *to; /* NULL: where it is connected to */
    struct rights *rights;
    bool rights_taken;                 /* they are on their way */
};

/* what it takes that was received. */
struct taken {
    uint8_t *data;
    size_t size;
    int flags; /* MSG_TRUNC */
    struct sockaddr_storage from;
    socklen_t from_size;
    struct rights *rights;
};

/* Bytes, or one datagram, on their way. */
struct chunk {
    struct chunk *next;
    uint64_t arrives;
    struct sockaddr_storage from;
    socklen_t from_size;
    struct rights *rights;
    size_t size, taken;
    uint8_t data[];
};

struct socket {
    struct socket *next;
    struct file *file;
    int family, type;
    enum socket_state state;
    uint32_t node;
    struct sockaddr_storage local, remote;
    socklen_t local_size, remote_size;
    bool bound;
    struct socket *peer;
    struct chunk *first, *last;
    size_t queued;           /* bytes in the chunks */
    size_t owed;             /* read before they were sent, in a recording that is gone through */
    uint64_t latest;         /* when the last of them arrives: streams do not overtake themselves */
    bool ended, no_read, no_write;
    uint64_t end_arrives;    /* the peer's end, NEVER: not ended */
    const struct plan_step *waits_for; /* what is on its way waits for that, NULL: for nothing */
    bool held_end;           /* ... or it ended, and that cannot come through */
    uint32_t held_from;      /* ... from this node: the peer itself may be gone when it can */
    bool reset;              /* the peer was gone when data came */
    int error;
    bool paired;             /* socketpair(2) */
    bool told_connected;     /* connect(2) has said so */
    uint64_t receive_longest, send_longest; /* SO_RCVTIMEO, SO_SNDTIMEO: ns, 0 for ever */
    struct linger linger;
    struct { int level, name, value; } option[16]; /* what was set and changes nothing here */
    unsigned options;
    struct socket *waiting[128]; /* of a listener: connections not accepted yet */
    uint64_t waiting_since[128];
    unsigned waits, backlog;
    uint64_t connected_at;
    uint64_t again;          /* after so long its first packet was sent again, and will be after twice that */
    struct socket *target;
    uint32_t owner_pid;
    char who[64];            /* of a listener: the node or program that listens */
    uint32_t references;
    struct chance chance;    /* of what it sends */
    bool service;            /* the machine itself: a listener, or its end of a connection */
    char line[600];
    size_t line_size;
};

/* ---- socket.c ---- */
struct socket *socket_create(struct machine *m, const struct process *p, int family, int type);
void socket_end(struct machine *m, struct socket *s);
long socket_install(struct machine *m, struct task *t, struct socket *s, int64_t type);

/* ---- socket_address.c ---- */
bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
struct socket *bound_to(struct machine *m, const struct sockaddr_storage *address, int type);
void port_give(struct machine *m, struct socket *s); /* one of its own, unless it has one */
long address_get(struct machine *m, struct task *t, int64_t from, int64_t size, struct sockaddr_storage *a);
long address_put(struct machine *m, struct task *t, int64_t to, int64_t length, const struct sockaddr_storage *a, socklen_t size);
long bind_name(struct machine *m, struct task *t, struct socket *s);
long peer_name(struct machine *m, struct task *t, struct socket *s);
long own_name(struct machine *m, struct task *t, struct socket *s);

/* ---- socket_stream.c ---- */
void socket_told(struct machine *m, struct socket *s); /* whoever waits for it is to look again */
void socket_arrives(struct machine *m, void *what);    /* the same, when something is due */
uint64_t delay_between(const struct machine *m, struct socket *a, const struct socket *b);
void send_chunk(struct machine *m, struct socket *from, struct socket *to, struct given *g); /* its rights go with it */
void socket_let_go(struct machine *m, struct socket *s); /* what was held goes on its way */
bool data_is_here(const struct machine *m, const struct socket *s);
bool end_is_here(const struct machine *m, const struct socket *s);
long stream_take(struct machine *m, struct socket *s, struct taken *taken, size_t size, bool peek);
long stream_give(struct machine *m, struct task *t, struct socket *s, struct given *g);
void stream_end(struct machine *m, struct socket *s);
long shut(struct machine *m, struct socket *s, int64_t how);

/* ---- socket_datagram.c ---- */
long datagram_give(struct machine *m, struct task *t, struct socket *s, struct given *g);

/* ---- socket_connect.c ---- */
void connect_look(struct machine *m, struct socket *s); /* has the answer come back? */
bool connection_waits(const struct machine *m, const struct socket *s);
long connect_call(struct machine *m, struct task *t, struct socket *s);
long accept_call(struct machine *m, struct task *t, struct socket *s, int64_t flags);
long listen_call(struct machine *m, struct task *t, struct socket *s);

/* ---- socket_options.c ---- */
long option_get(struct machine *m, struct task *t, struct socket *s);
long option_set(struct machine *m, struct task *t, struct socket *s);

/* ---- socket_message.c ---- */
long socket_take(struct machine *m, struct socket *s, struct taken *taken, size_t size, int flags);
long socket_give(struct machine *m, struct task *t, struct socket *s, struct given *g);
size_t socket_waiting(const struct machine *m, const struct socket *s); /* FIONREAD */
void rights_release(struct machine *m, struct rights *r); /* accepts NULL */
long message_many(struct machine *m, struct task *t, struct socket *s, bool receive);
long send_to(struct machine *m, struct task *t, struct socket *s);
long receive_from(struct machine *m, struct task *t, struct socket *s);
long send_message(struct machine *m, struct task *t, struct socket *s);
long receive_message(struct machine *m, struct task *t, struct socket *s);

#endif
