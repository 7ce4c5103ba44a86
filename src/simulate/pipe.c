/* Pipes, eventfd(2), timerfd_create(2), signalfd(2), and the terminal that the run was started on. */
#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* ---- pipes: pipe(7) ---- */

#define PIPE_SIZE 65536

struct pipe {
    uint8_t data[PIPE_SIZE];
    size_t start, size, owed; /* owed: read before they were written, in a recording that is gone through */
    unsigned readers, writers;
    struct file *reader, *writer; /* to tell that they are ready */
};

static void told(struct machine *m, struct file *f)
{
    m->changes++;
    if (f)
        f->changes++;
}

static long pipe_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    struct pipe *p = f->state;
    (void)t;
    if (at >= 0)
        return -ESPIPE;
    if (!p->size)
        return p->writers ? -EAGAIN : 0;
    size = size < p->size ? size : p->size;
    for (size_t i = 0; i < size; i++)
        to[i] = p->data[(p->start + i) % PIPE_SIZE];
    p->start = (p->start + size) % PIPE_SIZE;
    p->size -= size;
    told(m, p->writer);
    return (long)size;
}

static void signal_pipe(struct machine *m, struct task *t)
{
    siginfo_t info = {.si_signo = SIGPIPE, .si_code = SI_KERNEL};
    if (t)
        process_signal(m, t->process, &info);
}

static long pipe_write(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at)
{
    struct pipe *p = f->state;
    size_t room = PIPE_SIZE - p->size;
    if (at >= 0)
        return -ESPIPE;
    if (!p->readers) {
        signal_pipe(m, t);
        return -EPIPE;
    }
    size_t owed = p->owed < size ? p->owed : size;
    from += owed, size -= owed;
    if (size && (!room || (size <= 4096 && room < size)))
        return -EAGAIN;
    p->owed -= owed;
    size = size < room ? size : room;
    for (size_t i = 0; i < size; i++)
        p->data[(p->start + p->size + i) % PIPE_SIZE] = from[i];
    p->size += size;
    told(m, p->reader);
    return (long)(owed + size);
}

bool pipe_has(const struct file *f, size_t *bytes)
{
    const struct pipe *p = f->state;
    if (f->kind->read != pipe_read)
        return false;
    *bytes = p->size ? p->size : p->writers ? 0 : AT_END;
    return true;
}

void pipe_owe(struct file *f, size_t bytes)
{
    ((struct pipe *)f->state)->owed += bytes;
}

static uint32_t pipe_poll(struct machine *m, struct file *f)
{
    const struct pipe *p = f->state;
    (void)m;
    if ((f->flags & O_ACCMODE) == O_WRONLY)
        return (p->size < PIPE_SIZE ? POLLOUT : 0) | (p->readers ? 0 : POLLERR);
    return (p->size ? POLLIN : 0) | (p->writers ? 0 : POLLHUP);
}

static void pipe_close(struct machine *m, struct file *f)
{
    struct pipe *p = f->state;
    if ((f->flags & O_ACCMODE) == O_WRONLY) {
        p->writers--, p->writer = NULL;
        told(m, p->reader);
    } else {
        p->readers--, p->reader = NULL;
        told(m, p->writer);
    }
    if (!p->readers && !p->writers)
        free(p);
}

const struct file_kind file_pipe = {"pipe", pipe_read, pipe_write, pipe_poll, pipe_close};

size_t pipe_readable(const struct file *f)
{
    return ((const struct pipe *)f->state)->size;
}

static long pipe_make(struct machine *m, struct task *t, int64_t flags)
{
    int fd[2];
    struct pipe *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->readers = p->writers = 1;
    p->reader = file_create(&file_pipe, O_RDONLY | ((uint32_t)flags & O_NONBLOCK), p);
    p->writer = file_create(&file_pipe, O_WRONLY | ((uint32_t)flags & O_NONBLOCK), p);
    fd[0] = (int)file_install(m, t->process, p->reader, flags & O_CLOEXEC, 0);
    fd[1] = (int)file_install(m, t->process, p->writer, flags & O_CLOEXEC, 0);
    return user_put(m, t, t->arg[0], fd, sizeof fd) ? 0 : -EFAULT;
}

/* ---- eventfd ---- */

struct counter {
    uint64_t value;
    bool semaphore;
};

static long counter_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    struct counter *c = f->state;
    (void)t, (void)at;
    if (size < 8)
        return -EINVAL;
    if (!c->value)
        return -EAGAIN;
    uint64_t taken = c->semaphore ? 1 : c->value;
    c->value -= taken;
    memcpy(to, &taken, 8);
    told(m, f);
    return 8;
}

static long counter_write(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at)
{
    struct counter *c = f->state;
    uint64_t more;
    (void)t, (void)at;
    if (size < 8)
        return -EINVAL;
    memcpy(&more, from, 8);
    if (more == UINT64_MAX)
        return -EINVAL;
    if (UINT64_MAX - 1 - c->value < more)
        return -EAGAIN;
    c->value += more;
    told(m, f);
    return 8;
}

static uint32_t counter_poll(struct machine *m, struct file *f)
{
    const struct counter *c = f->state;
    (void)m;
    return (c->value ? POLLIN : 0) | (c->value < UINT64_MAX - 1 ? POLLOUT : 0);
}

static void state_free(struct machine *m, struct file *f)
{
    machine_forget(m, f);
    free(f->state);
}

static const struct file_kind file_counter = {"eventfd", counter_read, counter_write, counter_poll, state_free};

static long counter_make(struct machine *m, struct task *t, int64_t flags)
{
    struct counter *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->value = (uint32_t)t->arg[0];
    c->semaphore = flags & 1;
    return file_install(m, t->process, file_create(&file_counter, O_RDWR | ((uint32_t)flags & O_NONBLOCK), c), flags & O_CLOEXEC, 0);
}

/* ---- timerfd ---- */

struct alarm_clock {
    uint64_t next, every, rung; /* NEVER: not set */
    bool realtime;
};

static void alarm_look(struct machine *m, struct file *f)
{
    struct alarm_clock *a = f->state;
    uint64_t now = machine_now(m);
    while (a->next <= now) {
        a->rung++;
        a->next = a->every ? a->next + a->every : NEVER;
        f->changes++;
    }
}

static void alarm_rings(struct machine *m, void *file)
{
    struct alarm_clock *a = ((struct file *)file)->state;
    alarm_look(m, file);
    machine_due(m, a->next, alarm_rings, file);
}

static long alarm_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    struct alarm_clock *a = f->state;
    (void)t, (void)at;
    if (size < 8)
        return -EINVAL;
    alarm_look(m, f);
    if (!a->rung)
        return -EAGAIN;
    memcpy(to, &a->rung, 8);
    a->rung = 0;
    return 8;
}

static uint32_t alarm_poll(struct machine *m, struct file *f)
{
    alarm_look(m, f);
    return ((struct alarm_clock *)f->state)->rung ? POLLIN : 0;
}

static const struct file_kind file_alarm = {"timerfd", alarm_read, NULL, alarm_poll, state_free};

static long alarm_make(struct machine *m, struct task *t)
{
    struct alarm_clock *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->next = NEVER;
    a->realtime = t->arg[0] == CLOCK_REALTIME;
    return file_install(m, t->process, file_create(&file_alarm, O_RDWR | ((uint32_t)t->arg[1] & O_NONBLOCK), a),
                        t->arg[1] & O_CLOEXEC, 0);
}

static struct timespec span(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / SECOND), (long)(ns % SECOND)};
}

static long alarm_set(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    struct itimerspec set, old = {0};
    uint64_t now = machine_now(m);
    if (!f || f->kind != &file_alarm)
        return f ? -EINVAL : -EBADF;
    if (!user_get(m, t, &set, t->arg[2], sizeof set))
        return -EFAULT;
    if (set.it_value.tv_nsec < 0 || set.it_value.tv_nsec >= (long)SECOND || set.it_interval.tv_nsec < 0 ||
        set.it_interval.tv_nsec >= (long)SECOND)
        return -EINVAL;
    struct alarm_clock *a = f->state;
    if (a->next != NEVER)
        old = (struct itimerspec){span(a->every), span(a->next - now)};
    uint64_t value = (uint64_t)set.it_value.tv_sec * SECOND + (uint64_t)set.it_value.tv_nsec;
    uint64_t base = a->realtime ? machine_day(m, t->process) : now;
    a->every = (uint64_t)set.it_interval.tv_sec * SECOND + (uint64_t)set.it_interval.tv_nsec;
    a->next = !value ? NEVER : t->arg[1] & TFD_TIMER_ABSTIME ? now + (value > base ? value - base : 0) : now + value;
    if (a->next != NEVER)
        a->next = now + step_timer(t, a->next - now);
    a->rung = 0;
    machine_forget(m, f);
    machine_due(m, a->next, alarm_rings, f);
    return !t->arg[3] || user_put(m, t, t->arg[3], &old, sizeof old) ? 0 : -EFAULT;
}

static long alarm_get(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    if (!f || f->kind != &file_alarm)
        return f ? -EINVAL : -EBADF;
    struct alarm_clock *a = f->state;
    struct itimerspec now = {0};
    if (a->next != NEVER)
        now = (struct itimerspec){span(a->every), span(a->next - machine_now(m))};
    return user_put(m, t, t->arg[1], &now, sizeof now) ? 0 : -EFAULT;
}

/* ---- signalfd ---- */

struct watcher {
    uint64_t set;
    struct process *process;
};

static long watcher_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    const struct watcher *w = f->state;
    const size_t one = sizeof(struct signalfd_siginfo);
    siginfo_t taken;
    size_t done = 0;
    (void)at;
    if (size < one)
        return -EINVAL;
    for (; size - done >= one && signal_take(m, t, w->set, &taken); done += one) {
        struct signalfd_siginfo info = {.ssi_signo = (uint32_t)taken.si_signo, .ssi_code = taken.si_code, .ssi_pid = (uint32_t)taken.si_pid};
        if (taken.si_signo == SIGCHLD)
            info.ssi_status = taken.si_status;
        else
            info.ssi_int = taken.si_value.sival_int, info.ssi_ptr = (uint64_t)(uintptr_t)taken.si_value.sival_ptr;
        memcpy(to + done, &info, one);
    }
    return done ? (long)done : -EAGAIN;
}

static uint32_t watcher_poll(struct machine *m, struct file *f)
{
    const struct watcher *w = f->state;
    const struct task *t = m->asking; /* of its thread and its process, signalfd(2) */
    uint64_t pending = t ? t->pending | t->process->pending : w->process->pending;
    return pending & w->set ? POLLIN : 0;
}

static const struct file_kind file_watcher = {"signalfd", watcher_read, NULL, watcher_poll, state_free};

static long watcher_make(struct machine *m, struct task *t, int64_t flags)
{
    uint64_t set;
    if (!user_get(m, t, &set, t->arg[1], 8))
        return -EFAULT;
    if ((int32_t)t->arg[0] >= 0) {
        struct file *f = file_of(t, t->arg[0]);
        if (!f || f->kind != &file_watcher)
            return -EINVAL;
        ((struct watcher *)f->state)->set = set;
        return t->arg[0];
    }
    struct watcher *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->set = set;
    w->process = t->process;
    return file_install(m, t->process, file_create(&file_watcher, O_RDWR | ((uint32_t)flags & O_NONBLOCK), w), flags & O_CLOEXEC, 0);
}

/* ---- where the run was started ---- */

static long console_write(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at)
{
    (void)t, (void)at;
    int fd = m->follow ? -1 : (int)(intptr_t)f->state; /* what was recorded has been seen */
    for (size_t done = 0; done < size && fd >= 0;) {
        ssize_t n = write(fd, from + done, size - done);
        if (n <= 0)
            break; /* nobody reads it: the program is not to know */
        done += (size_t)n;
    }
    return (long)size;
}

static long console_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    (void)m, (void)t, (void)f, (void)to, (void)size, (void)at;
    return 0;
}

static uint32_t console_poll(struct machine *m, struct file *f)
{
    (void)m, (void)f;
    return POLLIN | POLLOUT;
}

const struct file_kind file_console = {"console", console_read, console_write, console_poll, NULL};

struct file *console_create(int fd, uint32_t flags)
{
    return file_create(&file_console, flags, (void *)(intptr_t)fd);
}

long pipe_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    switch (t->nr) {
    case SYS_pipe: return pipe_make(m, t, 0);
    case SYS_pipe2: return pipe_make(m, t, a[1]);
    case SYS_eventfd: return counter_make(m, t, 0);
    case SYS_eventfd2: return counter_make(m, t, a[1]);
    case SYS_timerfd_create: return alarm_make(m, t);
    case SYS_timerfd_settime: return alarm_set(m, t);
    case SYS_timerfd_gettime: return alarm_get(m, t);
    case SYS_signalfd: return watcher_make(m, t, 0);
    case SYS_signalfd4: return watcher_make(m, t, a[3]);
    }
    *mine = false;
    return -ENOSYS;
}
