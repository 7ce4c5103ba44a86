/* The world `live`: the kernel answers, and the answer is written down before the program sees it. */
#include "shim/shim.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

static bool futex_waits(const struct call *call)
{
    int op = (int)call->arg[1] & FUTEX_CMD_MASK;
    return op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI || op == FUTEX_WAIT_REQUEUE_PI ||
           op == FUTEX_LOCK_PI2;
}

/* May this call wait for something? Then the other threads must be able to run. */
static bool call_may_wait(const struct call *call)
{
    const long *a = call->arg;
    switch (call->nr) {
    case SYS_read: case SYS_readv: case SYS_write: case SYS_writev: case SYS_accept: case SYS_accept4: case SYS_connect:
        return descriptor_blocks((int)a[0]);
    case SYS_recvmsg: case SYS_sendmsg:
        return !(a[2] & MSG_DONTWAIT) && descriptor_blocks((int)a[0]);
    case SYS_recvfrom: case SYS_recvmmsg: case SYS_sendto: case SYS_sendmmsg:
        return !(a[3] & MSG_DONTWAIT) && descriptor_blocks((int)a[0]);
    case SYS_poll: return a[2] != 0;
    case SYS_epoll_wait: case SYS_epoll_pwait: return a[3] != 0;
    case SYS_futex: return futex_waits(call);
    case SYS_open: return !(a[1] & O_NONBLOCK) && baton_threads > 1;
    case SYS_openat: return !(a[2] & O_NONBLOCK) && baton_threads > 1;
    case SYS_fcntl: return a[1] == F_SETLKW || a[1] == F_OFD_SETLKW;
    case SYS_ioctl: case SYS_getrandom: return false;
    case SYS_wait4: return !(a[2] & WNOHANG);
    case SYS_waitid: return !(a[3] & WNOHANG);
    case SYS_io_getevents: case SYS_io_pgetevents: return a[1] > 0;
    case SYS_io_submit: return false;
    }
    return call->info && call->info->flags & CALL_BLOCKS;
}

/* After an interruption that the program must not notice: wait only for what is left of a relative timeout. */
static void timeout_shorten(struct call *call, uint64_t started)
{
    int index = call->nr == SYS_poll ? 2 : call->nr == SYS_epoll_wait || call->nr == SYS_epoll_pwait ? 3 : -1;
    if (index < 0 || (int)call->arg[index] < 0)
        return;
    long left = (int)call->arg[index] - (long)((monotonic_now() - started) / 1000000);
    call->arg[index] = left < 0 ? 0 : left;
}

static long raw_wait(const struct call *call)
{
    const long *a = call->arg;
    if (simulated)
        return simulated_call(call);
    bool alone = baton_threads <= 1;
    if (!alone)
        baton_release();
    long result = shim_syscall_interruptible(call->nr, a[0], a[1], a[2], a[3], a[4], a[5], &self.pending);
    if (!alone)
        baton_acquire();
    return result;
}

/* The call for real, as often as it takes: `drd fault` and handlers with SA_RESTART interrupt it unnoticed. */
static long live_wait(struct call *call)
{
    struct call asked = *call;
    uint64_t started = call->nr == SYS_poll || call->nr == SYS_epoll_wait || call->nr == SYS_epoll_pwait ? monotonic_now() : 0;
    for (;;) {
        long result = self.cancelled ? -EINTR : raw_wait(&asked);
        if (result != -EINTR || (!self.pending && !self.cancelled) || shim_world != WORLD_LIVE)
            return result;
        bool kicked = self.pending & PENDING_KICK;
        if (kicked)
            faults_apply();
        if (self.pending & PENDING_SIGNAL) {
            if (!(call->info->flags & CALL_RESTARTS) || !signals_restartable())
                return result;
            call->frame ? signals_deliver(call->frame, 1) : signals_deliver_here(1);
        } else if (!kicked || self.cancelled) {
            self.cancelled = false; /* a cancellation point follows, see answer() in preload.c */
            return result;
        }
        timeout_shorten(&asked, started);
    }
}

/* What the kernel will overwrite, and the record needs. */
static void live_prepare(struct call *call)
{
    for (int i = 0; i < 5; i++)
        if (KIND_OF(call->info->argument[i]) == KIND_ADDR_OUT && call->arg[i] && call->arg[i + 1])
            shim_copy(&call->capacity, (void *)call->arg[i + 1], 4);
    if (call->nr == SYS_recvmsg && call->arg[1]) {
        struct msghdr m;
        if (!shim_copy(&m, (void *)call->arg[1], sizeof m))
            call->capacity = m.msg_namelen;
    }
}

/* Header and inputs where the next record goes; NULL if recording ended. */
static uint8_t *record_inputs(const struct call *call, int code, size_t limit)
{
    if (!stream_reserve(16 + inputs_size(call)))
        return NULL;
    uint8_t *p = stream.at + 1; /* the array header is patched when the number of elements is known */
    p = pack_int(p, code);
    if (code == TRACE_ENTER)
        p = pack_int(p, call->nr);
    return inputs_write(call, p, limit, !call->entered);
}

static void record_result(const struct call *call, uint8_t *p, long result)
{
    const struct call_shape *shape = call_shape(call->info);
    size_t so_far = (size_t)(p - stream.at);
    bool outputs = result >= 0 || outputs_after_interruption(call, result);
    if (!stream_reserve(so_far + PACK_MAX + (outputs ? outputs_size(call, result) : 0)))
        return;
    p = pack_int(p, result);
    if (outputs)
        p = outputs_write(call, result, p);
    stream.at[0] = (uint8_t)(0x90 | (2 + shape->inputs + (outputs ? shape->outputs : 0)));
    stream_publish(p);
}

static void record_enter(struct call *call)
{
    uint8_t *p = record_inputs(call, TRACE_ENTER, SIZE_MAX);
    if (!p)
        return;
    stream.at[0] = (uint8_t)(0x90 | (2 + call_shape(call->info)->inputs));
    stream_publish(p);
    call->entered = true;
}

long live_raw(struct call *call)
{
    const long *a = call->arg;
    if (call->info && call->info->disposition == CALL_REFUSE) {
        if (simulated && call->nr == SYS_io_uring_setup)
            simulated_ask(MAIL_REFUSED, call->nr, 0, 0);
        return -ENOSYS;
    }
    if (simulated)
        return simulated_call(call);
    return RAW(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#define DRAFT_KEPT 128 /* bytes: calls that change their input have small ones */

/* Sends and writes: what goes out stands in the stream before it goes (`draft`), so that a kill -9 hides nothing. It is
 * taken down once: some calls change their input, as ppoll its timeout. */
static long live_output(struct call *call, bool waits, long refused)
{
    bool large = inputs_size(call) > INPUT_LARGE;
    uint8_t saved[DRAFT_KEPT], *start = stream.at;
    if (waits && baton_threads > 1 && !large && !call->entered)
        record_enter(call);
    uint8_t *p = large || call->entered ? NULL : record_inputs(call, (int)call->nr, SIZE_MAX);
    size_t size = p ? (size_t)(p - start) : 0;
    if (p)
        stream.slot->draft = size;
    if (waits && size <= sizeof saved)
        memcpy(saved, start, size);
    long result = refused ? refused : waits ? live_wait(call) : live_raw(call);
    if (shim_world != WORLD_LIVE)
        return result;
    if (p && stream.at != start) /* signals were recorded where the draft stood */
        p = size <= sizeof saved && stream_reserve(size) ? (uint8_t *)memcpy(stream.at, saved, size) + size : NULL;
    if (!p)
        p = record_inputs(call, (int)call->nr, large ? (result > 0 ? (size_t)result : 0) : SIZE_MAX);
    if (p)
        record_result(call, p, result);
    return result;
}

long live_call(struct call *call)
{
    live_prepare(call);
    bool waits = call_may_wait(call);
    long refused = faults_refuse(call); /* may leave a record of its own: before the call's is begun */
    if (call_shape(call->info)->data)
        return live_output(call, waits, refused);
    long result = refused ? refused : waits ? live_wait(call) : live_raw(call);
    if (waits && shim_world == WORLD_LIVE)
        stream_stamp();
    if (shim_world != WORLD_LIVE)
        return result;
    live_note(call, result);
    return result;
}

void live_note(const struct call *call, long result)
{
    uint8_t *p = shim_world == WORLD_LIVE ? record_inputs(call, (int)call->nr, SIZE_MAX) : NULL;
    if (p)
        record_result(call, p, result);
}
