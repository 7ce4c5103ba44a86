/* From what a node was told to what it did about it. */
#include <sys/syscall.h>

#include "drd/drd.h"
#include "replay/frames.h"

#define EVENTS_MOST 10000 /* that a node may make of one input before it takes the next */

static bool is_wait(int32_t call)
{
    switch (call) {
    case SYS_poll: case SYS_ppoll: case SYS_select: case SYS_pselect6: case SYS_epoll_wait: case SYS_epoll_pwait:
    case SYS_epoll_pwait2: case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_io_getevents:
        return true;
    default:
        return false;
    }
}

/* What nobody in the node decided: bytes that came, a wait that ended. That nothing was there to read is no input. */
static bool is_input(const struct trace_event *e)
{
    if (e->code == TRACE_SIGNAL)
        return true;
    if (e->code < 0)
        return false;
    switch (e->call) {
    case SYS_read: case SYS_readv: case SYS_pread64: case SYS_preadv: case SYS_recvfrom: case SYS_recvmsg: case SYS_recvmmsg:
    case SYS_accept: case SYS_accept4: case SYS_connect:
        return e->result > 0 || e->call == SYS_connect;
    default:
        return is_wait(e->call);
    }
}

static bool is_effect(const struct trace_event *e)
{
    if (e->code == TRACE_MARK)
        return e->field[0] != DRD_MARK_TEXT; /* words that go with something else */
    if (e->code == TRACE_TIMER || e->code == TRACE_FORK || e->code == TRACE_EXEC || e->code == TRACE_END)
        return true;
    if (e->code < 0 && e->code != TRACE_ENTER)
        return false;
    switch (e->call) {
    case SYS_write: case SYS_writev: case SYS_pwrite64: case SYS_pwritev: case SYS_pwritev2: case SYS_sendto: case SYS_sendmsg:
    case SYS_sendmmsg: case SYS_sendfile: case SYS_io_submit: case SYS_fsync: case SYS_fdatasync: case SYS_ftruncate:
    case SYS_rename: case SYS_renameat: case SYS_renameat2: case SYS_unlink: case SYS_unlinkat: case SYS_shutdown: case SYS_kill:
    case SYS_exit_group:
        return true;
    default:
        return false;
    }
}

static int find_effect(struct stream *st, uint64_t *acting, struct drd_error *e)
{
    struct trace_event event;
    int more = stream_next(st, &event, e);
    if (more <= 0 || !is_input(&event))
        return more;
    const uint32_t thread = event.thread;
    for (int i = 0; i < EVENTS_MOST && (more = stream_next(st, &event, e)) > 0; i++) {
        if (event.thread != thread)
            continue;
        if (is_effect(&event))
            *acting = event.sequence;
        if (is_effect(&event) || is_input(&event))
            break;
    }
    return more;
}

bool replay_frames_acting(struct store *s, uint32_t process, uint64_t sequence, uint64_t *acting, struct drd_error *e)
{
    *acting = sequence;
    struct stream *st = stream_open(s, process, e);
    int more = st ? stream_seek(st, sequence, e) : -1;
    if (more > 0)
        more = find_effect(st, acting, e);
    stream_close(st);
    return more >= 0;
}
