/* Waiting for descriptors: poll(2), select(2), epoll(7). */
#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>

#define ALWAYS (POLLERR | POLLHUP)
#define NO_WAIT 0

static uint32_t file_ready(struct machine *m, struct file *f)
{
    return f->kind->poll ? f->kind->poll(m, f) : POLLIN | POLLOUT;
}

/* ---- the mask that comes with the call ---- */

static bool mask_take(struct machine *m, struct task *t, int64_t address)
{
    if (!address || t->has_mask)
        return true;
    t->has_mask = user_get(m, t, &t->waits_with, address, 8);
    return t->has_mask;
}

static bool span_take(struct machine *m, struct task *t, int64_t address, uint64_t *after)
{
    struct timespec ts;
    *after = NEVER;
    if (!address)
        return true;
    if (!user_get(m, t, &ts, address, sizeof ts))
        return false;
    *after = (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
    return true;
}

static uint64_t after_milliseconds(int64_t ms)
{
    return (int32_t)ms < 0 ? NEVER : (uint64_t)(int32_t)ms * MILLISECOND;
}

/* ---- poll ---- */

static long poll_files(struct machine *m, struct task *t, uint64_t after)
{
    static struct pollfd set[DESCRIPTORS];
    size_t count = (uint64_t)t->arg[1];
    long ready = 0;
    if (count > DESCRIPTORS)
        return -EINVAL;
    if (!user_get(m, t, set, t->arg[0], count * sizeof *set))
        return -EFAULT;
    for (size_t i = 0; i < count; i++) {
        struct file *f = file_of(t, set[i].fd);
        set[i].revents = 0;
        if (set[i].fd < 0)
            continue;
        set[i].revents = (short)(f ? file_ready(m, f) & ((uint32_t)(uint16_t)set[i].events | ALWAYS) : POLLNVAL);
        ready += set[i].revents != 0;
    }
    if (!ready && !task_times_out(m, t, after))
        return ANSWER_WAIT;
    return user_put(m, t, t->arg[0], set, count * sizeof *set) ? ready : -EFAULT;
}

static long poll_masked(struct machine *m, struct task *t)
{
    uint64_t after;
    if (!span_take(m, t, t->arg[2], &after) || !mask_take(m, t, t->arg[3]))
        return -EFAULT;
    return poll_files(m, t, after);
}

/* ---- select ---- */

static long select_files(struct machine *m, struct task *t, uint64_t after)
{
    static const uint32_t wanted[3] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};
    fd_set in[3], out[3];
    int count = (int)t->arg[0];
    size_t bytes = ((size_t)count + 63) / 64 * 8;
    long ready = 0;
    if (count < 0 || count > FD_SETSIZE)
        return -EINVAL;
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    for (int k = 0; k < 3; k++)
        if (t->arg[1 + k] && !user_get(m, t, &in[k], t->arg[1 + k], bytes))
            return -EFAULT;
    for (int fd = 0; fd < count; fd++)
        for (int k = 0; k < 3; k++) {
            if (!FD_ISSET(fd, &in[k]))
                continue;
            struct file *f = file_of(t, fd);
            if (!f)
                return -EBADF;
            if (file_ready(m, f) & wanted[k]) {
                FD_SET(fd, &out[k]);
                ready++;
            }
        }
    if (!ready && !task_times_out(m, t, after))
        return ANSWER_WAIT;
    for (int k = 0; k < 3; k++)
        if (t->arg[1 + k] && !user_put(m, t, t->arg[1 + k], &out[k], bytes))
            return -EFAULT;
    return ready;
}

static long select_timed(struct machine *m, struct task *t)
{
    uint64_t after = NEVER;
    struct { int64_t seconds, microseconds; } tv;
    if (t->arg[4]) {
        if (!user_get(m, t, &tv, t->arg[4], sizeof tv))
            return -EFAULT;
        after = (uint64_t)tv.seconds * SECOND + (uint64_t)tv.microseconds * 1000;
    }
    return select_files(m, t, after);
}

static long select_masked(struct machine *m, struct task *t)
{
    uint64_t after, mask[2] = {0};
    if (!span_take(m, t, t->arg[4], &after) || (t->arg[5] && !user_get(m, t, mask, t->arg[5], sizeof mask)) ||
        !mask_take(m, t, (int64_t)mask[0]))
        return -EFAULT;
    return select_files(m, t, after);
}

/* ---- epoll ---- */

struct watched {
    struct file *file;
    int fd;
    uint32_t events;
    uint64_t data, seen; /* changes of the file that were told, for EPOLLET */
    bool off;            /* EPOLLONESHOT has fired */
};

struct set {
    struct watched *item;
    size_t items;
    struct file *self;
    struct set *next;
};

static struct set *sets; /* all of them: one machine lives in a process */

static uint32_t watched_ready(struct machine *m, struct watched *w)
{
    if (w->off)
        return 0;
    uint32_t ready = file_ready(m, w->file) & ((w->events & 0xffff) | ALWAYS);
    if (!ready || !(w->events & EPOLLET))
        return ready;
    return w->seen == w->file->changes + 1 ? 0 : ready;
}

static uint32_t set_poll(struct machine *m, struct file *f)
{
    struct set *s = f->state;
    for (size_t i = 0; i < s->items; i++)
        if (watched_ready(m, &s->item[i]))
            return POLLIN;
    return 0;
}

static void set_close(struct machine *m, struct file *f)
{
    struct set *s = f->state, **at = &sets;
    (void)m;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s->item);
    free(s);
}

static const struct file_kind file_set = {"epoll", NULL, NULL, set_poll, set_close};

void ready_forget(struct machine *m, struct file *f)
{
    (void)m;
    for (struct set *s = sets; s; s = s->next)
        for (size_t i = 0; i < s->items;)
            if (s->item[i].file == f)
                memmove(s->item + i, s->item + i + 1, (--s->items - i) * sizeof *s->item);
            else
                i++;
}

static long set_make(struct machine *m, struct task *t, int64_t flags)
{
    struct set *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->next = sets;
    sets = s;
    s->self = file_create(&file_set, O_RDWR, s);
    return file_install(m, t->process, s->self, flags & EPOLL_CLOEXEC, 0);
}

static struct watched *watched_find(struct set *s, const struct file *f, int fd)
{
    for (size_t i = 0; i < s->items; i++)
        if (s->item[i].file == f && s->item[i].fd == fd)
            return &s->item[i];
    return NULL;
}

static long set_change(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]), *target = file_of(t, t->arg[2]);
    struct epoll_event event = {0};
    if (!f || !target)
        return -EBADF;
    if (f->kind != &file_set || f == target)
        return -EINVAL;
    if (target->kind == &file_regular || target->kind == &file_directory)
        return -EPERM;
    if (t->arg[1] != EPOLL_CTL_DEL && !user_get(m, t, &event, t->arg[3], sizeof event))
        return -EFAULT;
    struct set *s = f->state;
    struct watched *w = watched_find(s, target, (int)t->arg[2]);
    m->changes++;
    if (t->arg[1] == EPOLL_CTL_ADD) {
        if (w)
            return -EEXIST;
        s->item = realloc(s->item, (s->items + 1) * sizeof *s->item);
        if (!s->item)
            abort();
        s->item[s->items++] = (struct watched){target, (int)t->arg[2], event.events, event.data.u64, 0, false};
        return 0;
    }
    if (!w)
        return -ENOENT;
    if (t->arg[1] == EPOLL_CTL_DEL) {
        size_t at = (size_t)(w - s->item);
        memmove(w, w + 1, (--s->items - at) * sizeof *w);
        return 0;
    }
    *w = (struct watched){target, w->fd, event.events, event.data.u64, 0, false};
    return 0;
}

static long set_wait(struct machine *m, struct task *t, uint64_t after)
{
    struct file *f = file_of(t, t->arg[0]);
    struct epoll_event out[256];
    long found = 0, most = (int32_t)t->arg[2] < 256 ? (int32_t)t->arg[2] : 256;
    if (!f)
        return -EBADF;
    if (f->kind != &file_set || most <= 0)
        return -EINVAL;
    struct set *s = f->state;
    for (size_t i = 0; i < s->items && found < most; i++) {
        struct watched *w = &s->item[i];
        uint32_t ready = watched_ready(m, w);
        if (!ready)
            continue;
        out[found].events = ready;
        out[found++].data.u64 = w->data;
        w->seen = w->file->changes + 1;
        w->off = w->events & EPOLLONESHOT;
    }
    if (!found && !task_times_out(m, t, after))
        return ANSWER_WAIT;
    return user_put(m, t, t->arg[1], out, (size_t)found * sizeof *out) ? found : -EFAULT;
}

static long set_wait_masked(struct machine *m, struct task *t, uint64_t after)
{
    return mask_take(m, t, t->arg[4]) ? set_wait(m, t, after) : -EFAULT;
}

static long set_wait_precise(struct machine *m, struct task *t)
{
    uint64_t after;
    return span_take(m, t, t->arg[3], &after) ? set_wait_masked(m, t, after) : -EFAULT;
}

long ready_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    switch (t->nr) {
    case SYS_poll: return poll_files(m, t, after_milliseconds(a[2]));
    case SYS_ppoll: return poll_masked(m, t);
    case SYS_select: return select_timed(m, t);
    case SYS_pselect6: return select_masked(m, t);
    case SYS_epoll_create: return set_make(m, t, 0);
    case SYS_epoll_create1: return set_make(m, t, a[0]);
    case SYS_epoll_ctl: return set_change(m, t);
    case SYS_epoll_wait: return set_wait(m, t, after_milliseconds(a[3]));
    case SYS_epoll_pwait: return set_wait_masked(m, t, after_milliseconds(a[3]));
    case SYS_epoll_pwait2: return set_wait_precise(m, t);
    }
    *mine = false;
    return -ENOSYS;
}
