/* The fast door: functions of libc that servers call often, put before libc's own by LD_PRELOAD. They take the same way
 * through the gate as a trapped call, without the trap's 1.7 microseconds. And functions that make named events. */
#include "shim/shim.h"

#include <drd/drd.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define EXPORT __attribute__((visibility("default")))

extern int *__errno_location(void) __attribute__((weak));
extern void pthread_testcancel(void) __attribute__((weak));
extern void *dlsym(void *handle, const char *name) __attribute__((weak));
#define RTLD_NEXT_ ((void *)-1l)

static long answer(long result)
{
    if (result == -EINTR && pthread_testcancel) /* libc's own functions are cancellation points: pthread_cancel(3) */
        pthread_testcancel();
    if (result < 0 && result > -4096) {
        *__errno_location() = (int)-result;
        return -1;
    }
    return result;
}

#define ENTER(nr, a, b, c, d, e, f) \
    answer(gate_enter((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))

EXPORT ssize_t read(int fd, void *to, size_t n) { return ENTER(SYS_read, fd, to, n, 0, 0, 0); }
EXPORT ssize_t write(int fd, const void *from, size_t n) { return ENTER(SYS_write, fd, from, n, 0, 0, 0); }
EXPORT ssize_t readv(int fd, const struct iovec *v, int n) { return ENTER(SYS_readv, fd, v, n, 0, 0, 0); }
EXPORT ssize_t writev(int fd, const struct iovec *v, int n) { return ENTER(SYS_writev, fd, v, n, 0, 0, 0); }
EXPORT ssize_t recv(int fd, void *to, size_t n, int flags) { return ENTER(SYS_recvfrom, fd, to, n, flags, 0, 0); }
EXPORT ssize_t send(int fd, const void *from, size_t n, int flags) { return ENTER(SYS_sendto, fd, from, n, flags, 0, 0); }
EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags) { return ENTER(SYS_recvmsg, fd, m, flags, 0, 0, 0); }
EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags) { return ENTER(SYS_sendmsg, fd, m, flags, 0, 0, 0); }
EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout) { return (int)ENTER(SYS_poll, fds, n, timeout, 0, 0, 0); }
EXPORT int fsync(int fd) { return (int)ENTER(SYS_fsync, fd, 0, 0, 0, 0, 0); }
EXPORT int fdatasync(int fd) { return (int)ENTER(SYS_fdatasync, fd, 0, 0, 0, 0, 0); }

EXPORT ssize_t recvfrom(int fd, void *restrict to, size_t n, int flags, struct sockaddr *restrict peer, socklen_t *restrict length)
{
    return ENTER(SYS_recvfrom, fd, to, n, flags, peer, length);
}

EXPORT ssize_t sendto(int fd, const void *from, size_t n, int flags, const struct sockaddr *peer, socklen_t length)
{
    return ENTER(SYS_sendto, fd, from, n, flags, peer, length);
}

EXPORT int accept(int fd, struct sockaddr *restrict peer, socklen_t *restrict length)
{
    return (int)ENTER(SYS_accept, fd, peer, length, 0, 0, 0);
}

EXPORT int accept4(int fd, struct sockaddr *restrict peer, socklen_t *restrict length, int flags)
{
    return (int)ENTER(SYS_accept4, fd, peer, length, flags, 0, 0);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
    return (int)ENTER(SYS_epoll_wait, fd, events, most, timeout, 0, 0);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout, const sigset_t *mask)
{
    return (int)ENTER(SYS_epoll_pwait, fd, events, most, timeout, mask, 8);
}

EXPORT int epoll_ctl(int fd, int op, int target, struct epoll_event *event)
{
    return (int)ENTER(SYS_epoll_ctl, fd, op, target, event, 0, 0);
}

EXPORT int getrusage(__rusage_who_t who, struct rusage *usage)
{
    return (int)ENTER(SYS_getrusage, who, usage, 0, 0, 0, 0);
}

/* Calls that need the trap frame are left to the trap. */
static bool needs_frame(long nr)
{
    const struct call_info *info = call_info(nr);
    return info && info->disposition == CALL_EMULATE;
}

EXPORT long syscall(long nr, ...)
{
    long a[6];
    va_list ap;
    va_start(ap, nr);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (!needs_frame(nr))
        return ENTER(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    return answer(shim_trap_call(nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* Named events. They inform; in a replay they must come again at the same place. */
static bool recording(void)
{
    return shim_world != WORLD_OFF && self.armed && !process_vfork_child;
}

static void *next_function(const char *name)
{
    return dlsym ? dlsym(RTLD_NEXT_, name) : NULL;
}

static void draw_note(const char *source, int64_t value)
{
    if (departure_watches())
        departure_compare(TRACE_DRAW, pack_int(put_text(departure_event(TRACE_DRAW, 2), source), value),
                          "another value is drawn");
    if (shim_world == WORLD_TRACE && trace_goes_on()) {
        uint8_t *p = trace_take(TRACE_DRAW);
        size_t length;
        trace_blob(&p, &length);
        trace_int(&p);
        trace_done(p);
        return;
    }
    uint8_t *p = stream_event(TRACE_DRAW, 2, 16);
    if (p)
        stream_publish(pack_int(put_text(p, source), value));
}

#define DRAW(type, name)                            \
    EXPORT type name(void)                          \
    {                                               \
        static type (*real)(void);                  \
        if (!real)                                  \
            real = (type(*)(void))next_function(#name); \
        type value = real();                        \
        if (recording())                            \
            draw_note(#name, (int64_t)value);       \
        return value;                               \
    }
DRAW(int, rand)
DRAW(long, random)
DRAW(long, lrand48)
DRAW(long, mrand48)

/* How much of a mark's text is kept. */
static size_t mark_length(const char *text, size_t length)
{
    if (!text)
        return 0;
    long size = length == DRD_MARK_STRING ? shim_string(text, DRD_MARK_TEXT_MAX) : 0;
    if (length == DRD_MARK_STRING)
        return size > 0 ? (size_t)size : 0;
    return length < DRD_MARK_TEXT_MAX ? length : DRD_MARK_TEXT_MAX;
}

/* Its fields; `length` bytes of text are there. */
static uint8_t *mark_pack(uint8_t *p, int kind, const uint64_t number[3], const char *text, size_t length)
{
    p = pack_int(p, kind);
    for (int i = 0; i < 3; i++)
        p = pack_int(p, (int64_t)number[i]);
    uint8_t *bytes = pack_bin_header(p, (uint32_t)length);
    if (!shim_copy(bytes, text, length))
        return bytes + length;
    return pack_bin_header(p, 0); /* a bad pointer of the node's */
}

static void mark_again(int kind, const uint64_t number[3], const char *text, size_t length)
{
    if (departure_watches())
        departure_compare(TRACE_MARK, mark_pack(departure_event(TRACE_MARK, 5), kind, number, text,
                                                mark_length(text, length)), "another fact is stated");
    trace_take(TRACE_MARK);
    trace_done((uint8_t *)(uintptr_t)unpack_skip(stream.at, stream.limit));
}

EXPORT void drd_shim_mark(int kind, uint64_t a, uint64_t b, uint64_t c, const char *text, size_t length);
EXPORT void drd_shim_mark(int kind, uint64_t a, uint64_t b, uint64_t c, const char *text, size_t length)
{
    const uint64_t number[3] = {a, b, c};
    if (!recording())
        return;
    if (shim_world == WORLD_TRACE && trace_goes_on()) {
        mark_again(kind, number, text, length);
        return;
    }
    length = mark_length(text, length);
    uint8_t *p = stream_event(TRACE_MARK, 5, length);
    if (p)
        stream_publish(mark_pack(p, kind, number, text, length));
}

/* libc wakes the cancelled thread only from its own waits; one that waits in ours is woken by us. */
EXPORT int pthread_cancel(pthread_t thread);
EXPORT int pthread_cancel(pthread_t thread)
{
    static int (*real)(pthread_t);
    if (!real)
        real = (int (*)(pthread_t))next_function("pthread_cancel");
    uint32_t tid = shim_world == WORLD_LIVE ? thread_id_of((void *)thread) : 0;
    int error = real(thread);
    if (!error && tid) {
        siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};
        info.si_pid = (pid_t)RAW(SYS_getpid);
        info.si_value.sival_int = SPOOL_CANCEL;
        RAW(SYS_rt_tgsigqueueinfo, RAW(SYS_getpid), tid, SIGURG, &info);
    }
    return error;
}

/* How long it waits; where its callback lies is no matter. */
static void timer_compare(uint8_t *p, uint64_t timeout, uint64_t repeat)
{
    size_t length;
    char expected[32], got[32];
    trace_blob(&p, &length);
    int64_t recorded[2] = {trace_int(&p), trace_int(&p)};
    if (recorded[0] == (int64_t)(timeout * 1000000) && recorded[1] == (int64_t)(repeat * 1000000))
        return;
    bool first = recorded[0] != (int64_t)(timeout * 1000000);
    char *end = expected + sizeof expected;
    text_append(text_append_int(expected, end, recorded[!first] / 1000000), end, " ms");
    end = got + sizeof got;
    text_append(text_append_int(got, end, (int64_t)(first ? timeout : repeat)), end, " ms");
    trace_diverged(TRACE_TIMER, 8, first ? "a timer is set otherwise" : "a timer is repeated otherwise", expected, got);
}

/* libuv's timers, where it is a library of its own: which callback waits for how long. The handle's type is not ours. */
EXPORT int uv_timer_start(void *handle, void *callback, uint64_t timeout, uint64_t repeat);
EXPORT int uv_timer_start(void *handle, void *callback, uint64_t timeout, uint64_t repeat)
{
    static int (*real)(void *, void *, uint64_t, uint64_t);
    char name[32], *end = name + sizeof name;
    if (!real)
        real = (int (*)(void *, void *, uint64_t, uint64_t))next_function("uv_timer_start");
    text_append_hex(text_append(name, end, "0x"), end, (uint64_t)(uintptr_t)callback, 12);
    if (recording() && shim_world == WORLD_TRACE && trace_goes_on()) {
        uint8_t *p = trace_take(TRACE_TIMER);
        if (departure_watches())
            timer_compare(p, timeout, repeat);
        trace_done((uint8_t *)(uintptr_t)unpack_skip(stream.at, stream.limit));
        (void)p;
    } else if (recording()) {
        uint8_t *p = stream_event(TRACE_TIMER, 4, 64);
        if (p) {
            p = pack_int(put_text(p, "uv_timer"), (int64_t)(timeout * 1000000));
            stream_publish(put_text(pack_int(p, (int64_t)(repeat * 1000000)), name));
        }
    }
    return real ? real(handle, callback, timeout, repeat) : -ENOSYS;
}
