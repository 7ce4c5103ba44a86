/* What the shim knows about descriptors: whether a call on one may wait, and who is at the other end of a connection, for
 * `drd fault cut`. Live world only: a replay needs neither. */
#include "shim/shim.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define DESCRIPTORS 65536

enum waits { WAITS_UNKNOWN, WAITS_NEVER, WAITS_PERHAPS };

static struct descriptor {
    uint8_t waits;      /* enum waits, found out at first use */
    uint8_t connected;
    uint16_t peer_port; /* of a TCP connection, host byte order */
} table[DESCRIPTORS];
static int highest; /* descriptor that ever was connected */

uint32_t faults_seen;

bool descriptor_blocks(int fd)
{
    if (fd < 0 || fd >= DESCRIPTORS)
        return true;
    struct descriptor *d = &table[fd];
    if (simulated)
        return true; /* whether it waits is the simulator's to say */
    if (d->waits == WAITS_UNKNOWN) {
        struct stat st;
        long flags = RAW(SYS_fcntl, fd, F_GETFL, 0);
        bool file = !RAW(SYS_fstat, fd, &st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode));
        d->waits = flags < 0 || flags & O_NONBLOCK || file ? WAITS_NEVER : WAITS_PERHAPS;
    }
    return d->waits == WAITS_PERHAPS;
}

static void forget(long fd)
{
    if (fd >= 0 && fd < DESCRIPTORS)
        table[fd] = (struct descriptor){0};
}

static uint16_t port_of(const void *address)
{
    const struct sockaddr_in *in = address; /* sin_port and sin6_port stand at the same place */
    if (in->sin_family != AF_INET && in->sin_family != AF_INET6)
        return 0;
    return (uint16_t)(in->sin_port >> 8 | in->sin_port << 8);
}

static bool is_cut(uint16_t port)
{
    uint32_t me = stream.slot->node, peer = stream.run->port_owner[port];
    return me && peer && me != peer && peer < SPOOL_NODES && stream.run->cut[me][peer / 64] >> (peer % 64) & 1;
}

/* The kernel lets a peer accept before our connect returns, that is before port_owner says whose port it is: it still names who
 * had the port last. */
void descriptors_connecting(const struct call *call, int change)
{
    if (call->nr == SYS_connect)
        __atomic_fetch_add(&stream.run->connecting, (uint32_t)change, __ATOMIC_SEQ_CST);
}

/* Cut, also when nobody is about to say that the port is his. A connect that hangs, or whose process was killed in it, must not
 * keep us here. */
static bool is_cut_for_good(uint16_t port)
{
    for (int turn = 0; turn < 1000 && is_cut(port) && __atomic_load_n(&stream.run->connecting, __ATOMIC_SEQ_CST); turn++)
        RAW(SYS_sched_yield);
    return is_cut(port);
}

static void fault_note(const char *what, int fd, uint16_t port)
{
    const char *peer = stream.run->node[stream.run->port_owner[port]];
    uint8_t *p = stream_event(TRACE_FAULT, 3, 32 + SPOOL_NAME);
    if (p)
        stream_publish(put_text(pack_int(put_text(p, what), fd), peer));
}

static void cut(int fd)
{
    RAW(SYS_shutdown, fd, SHUT_RDWR);
    fault_note("cut", fd, table[fd].peer_port);
    table[fd].connected = 0;
}

void faults_apply(void)
{
    __atomic_fetch_and(&self.pending, ~PENDING_KICK, __ATOMIC_SEQ_CST);
    faults_seen = __atomic_load_n(&stream.run->cut_generation, __ATOMIC_SEQ_CST);
    for (int fd = 0; fd <= highest; fd++)
        if (table[fd].connected && is_cut(table[fd].peer_port))
            cut(fd);
    __atomic_store_n(&stream.slot->cut_seen, faults_seen, __ATOMIC_RELEASE);
}

/* A new connection across a cut is refused as if nobody listened. */
long faults_refuse(const struct call *call)
{
    uint8_t address[128] = {0};
    size_t length = (size_t)call->arg[2];
    if (call->nr != SYS_connect || !faults_seen || length > sizeof address || length < sizeof(struct sockaddr_in))
        return 0;
    if (shim_copy(address, (void *)call->arg[1], length) || !port_of(address) || !is_cut(port_of(address)))
        return 0;
    fault_note("refuse", (int)call->arg[0], port_of(address));
    return -ECONNREFUSED;
}

static uint8_t *put_address(uint8_t *p, const void *address, uint32_t length)
{
    return put_bytes(p, address, length > 128 ? 0 : length);
}

/* Both ends' addresses, so that what one process sent can be found again where another received it. */
static void connection_event(int fd, int role, const void *peer, uint32_t peer_length)
{
    uint8_t local[128];
    uint32_t length = sizeof local;
    if (program_call(SYS_getsockname, fd, (long)local, (long)&length, 0))
        length = 0;
    if (length && port_of(local) && role != 1)
        stream.run->port_owner[port_of(local)] = (uint16_t)stream.slot->node;
    uint8_t *p = stream_event(TRACE_CONNECTION, 4, sizeof local + peer_length);
    if (p)
        stream_publish(put_address(put_address(pack_int(pack_int(p, fd), role), local, length), peer, peer_length));
}

static void connected_note(int fd, uint16_t port)
{
    if (fd >= DESCRIPTORS || !port)
        return;
    table[fd].connected = 1;
    table[fd].peer_port = port;
    if (fd > highest)
        highest = fd;
    if (is_cut_for_good(port))
        cut(fd);
}

static void accepted_note(int fd)
{
    uint8_t peer[128];
    uint32_t length = sizeof peer;
    forget(fd);
    if (program_call(SYS_getpeername, fd, (long)peer, (long)&length, 0))
        length = 0;
    connection_event(fd, 1, peer, length);
    connected_note(fd, length ? port_of(peer) : 0);
}

/* The peer of a connect under way is not known to getpeername yet: take it from the call. */
static void connecting_note(const struct call *call)
{
    uint8_t peer[128] = {0};
    uint32_t length = (uint32_t)call->arg[2];
    int fd = (int)call->arg[0];
    if (length > sizeof peer || shim_copy(peer, (void *)call->arg[1], length))
        return;
    connection_event(fd, 0, peer, length);
    connected_note(fd, port_of(peer));
}

static void copied_note(long from, long to)
{
    forget(to);
    if (from >= 0 && from < DESCRIPTORS && to >= 0 && to < DESCRIPTORS) {
        table[to] = table[from];
        table[to].waits = WAITS_UNKNOWN;
        if (table[to].connected && to > highest)
            highest = (int)to;
    }
}

void descriptors_note(const struct call *call, long result)
{
    const long *a = call->arg;
    if (process_vfork_child || shim_world != WORLD_LIVE)
        return; /* its descriptors are not ours */
    switch (call->nr) {
    case SYS_connect:
        if (result == 0 || result == -EINPROGRESS)
            connecting_note(call);
        return;
    case SYS_close:
        forget((int)a[0]);
        return;
    case SYS_close_range:
        for (unsigned fd = (unsigned)a[0]; fd <= (unsigned)a[1] && fd < DESCRIPTORS; fd++)
            forget(fd);
        return;
    case SYS_ioctl:
        if (a[1] == FIONBIO && a[0] >= 0 && a[0] < DESCRIPTORS)
            table[a[0]].waits = WAITS_UNKNOWN;
        return;
    }
    if (result < 0)
        return;
    switch (call->nr) {
    case SYS_accept: case SYS_accept4:
        accepted_note((int)result);
        return;
    case SYS_listen:
        connection_event((int)a[0], 2, NULL, 0);
        return;
    case SYS_dup: case SYS_dup2: case SYS_dup3:
        copied_note((int)a[0], result);
        return;
    case SYS_fcntl:
        if (a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC)
            copied_note((int)a[0], result);
        else if (a[1] == F_SETFL && a[0] >= 0 && a[0] < DESCRIPTORS)
            table[a[0]].waits = WAITS_UNKNOWN;
        return;
    case SYS_socket: case SYS_open: case SYS_openat: case SYS_openat2: case SYS_creat: case SYS_eventfd: case SYS_eventfd2:
    case SYS_timerfd_create: case SYS_signalfd: case SYS_signalfd4: case SYS_epoll_create: case SYS_epoll_create1:
    case SYS_memfd_create: case SYS_inotify_init: case SYS_inotify_init1: case SYS_pidfd_open:
        forget(result);
        return;
    case SYS_pipe: case SYS_pipe2:
        forget(((int *)a[0])[0]);
        forget(((int *)a[0])[1]);
        return;
    case SYS_socketpair:
        forget(((int *)a[3])[0]);
        forget(((int *)a[3])[1]);
        return;
    }
}
