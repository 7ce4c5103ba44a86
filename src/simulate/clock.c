/* Time: clocks, sleeps, timers. Sources: clock_gettime(2), nanosleep(2), setitimer(2), timer_create(2). */
#include "simulate/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

struct timer {
    struct machine *machine;
    struct process *process;
    bool used;
    int signo, id;
    union sigval value;
    uint32_t thread; /* SIGEV_THREAD_ID: whom it is for, 0 the process */
    uint64_t next, every;
};
#define TIMERS 32

static struct timespec span(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / SECOND), (long)(ns % SECOND)};
}

static uint64_t clock_read(const struct machine *m, const struct task *t, int64_t clock)
{
    switch ((int32_t)clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_TAI: return machine_day(m, t->process);
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME: return m->box->now;
    default: return m->box->now / 10; /* processor time: nobody measures it here */
    }
}

static bool clock_exists(int64_t clock)
{
    return (int32_t)clock < 12; /* negative ones are of processes and threads */
}

static long clock_get(struct machine *m, struct task *t)
{
    if (!clock_exists(t->arg[0]))
        return -EINVAL;
    struct timespec ts = span(clock_read(m, t, t->arg[0]));
    return user_put(m, t, t->arg[1], &ts, sizeof ts) ? 0 : -EFAULT;
}

static long day_get(struct machine *m, struct task *t)
{
    uint64_t now = clock_read(m, t, CLOCK_REALTIME);
    struct timeval tv = {(time_t)(now / SECOND), (suseconds_t)(now % SECOND / 1000)};
    int zone[2] = {0};
    return (!t->arg[0] || user_put(m, t, t->arg[0], &tv, sizeof tv)) && (!t->arg[1] || user_put(m, t, t->arg[1], zone, sizeof zone))
               ? 0 : -EFAULT;
}

/* ---- sleep ---- */

static long sleep_for(struct machine *m, struct task *t, int64_t request, bool absolute, int64_t clock)
{
    struct timespec ts;
    if (t->deadline == NEVER) {
        if (!user_get(m, t, &ts, request, sizeof ts))
            return -EFAULT;
        if (ts.tv_nsec < 0 || ts.tv_nsec >= (long)SECOND || ts.tv_sec < 0)
            return -EINVAL;
        uint64_t when = (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec, now = clock_read(m, t, clock);
        if (absolute)
            t->asked = m->box->now;
        return task_times_out(m, t, absolute ? when > now ? when - now : 0 : when) ? 0 : ANSWER_WAIT;
    }
    return task_times_out(m, t, NEVER) ? 0 : ANSWER_WAIT;
}

/* ---- setitimer: ITIMER_REAL, which is also alarm(2) ---- */

static void alarm_rings(struct machine *m, void *what)
{
    struct process *p = what;
    siginfo_t info = {.si_signo = SIGALRM, .si_code = SI_KERNEL};
    if (p->state != PROCESS_ALIVE || p->alarm > machine_now(m))
        return;
    p->alarm = p->alarm_every ? p->alarm + p->alarm_every : NEVER;
    machine_due(m, p->alarm, alarm_rings, p);
    process_signal(m, p, &info);
}

static struct itimerval alarm_left(const struct machine *m, const struct process *p)
{
    struct itimerval v = {0};
    if (p->alarm != NEVER) {
        struct timespec left = span(p->alarm - machine_now(m)), every = span(p->alarm_every);
        v.it_value = (struct timeval){left.tv_sec, left.tv_nsec / 1000};
        v.it_interval = (struct timeval){every.tv_sec, every.tv_nsec / 1000};
    }
    return v;
}

static void alarm_set(struct machine *m, struct process *p, uint64_t value, uint64_t every)
{
    p->alarm = value ? machine_now(m) + step_timer(m->asking, value) : NEVER;
    p->alarm_every = every;
    machine_due(m, p->alarm, alarm_rings, p);
}

static long itimer(struct machine *m, struct task *t)
{
    struct itimerval set, old = alarm_left(m, t->process);
    bool real = t->arg[0] == ITIMER_REAL;
    if (t->arg[0] < 0 || t->arg[0] > ITIMER_PROF)
        return -EINVAL;
    if (t->nr == SYS_getitimer)
        return user_put(m, t, t->arg[1], &old, sizeof old) ? 0 : -EFAULT;
    if (!user_get(m, t, &set, t->arg[1], sizeof set) || (t->arg[2] && !user_put(m, t, t->arg[2], &old, sizeof old)))
        return -EFAULT;
    if (real)
        alarm_set(m, t->process, (uint64_t)set.it_value.tv_sec * SECOND + (uint64_t)set.it_value.tv_usec * 1000,
                  (uint64_t)set.it_interval.tv_sec * SECOND + (uint64_t)set.it_interval.tv_usec * 1000);
    return 0;
}

static long alarm_call(struct machine *m, struct task *t)
{
    struct process *p = t->process;
    long left = p->alarm == NEVER ? 0 : (long)((p->alarm - machine_now(m) + SECOND - 1) / SECOND);
    alarm_set(m, p, (uint32_t)t->arg[0] * SECOND, 0);
    return left;
}

/* ---- POSIX timers ---- */

static void timer_rings(struct machine *m, void *what)
{
    struct timer *timer = what;
    siginfo_t info = {.si_signo = timer->signo, .si_code = SI_TIMER};
    if (!timer->used || timer->next > machine_now(m) || timer->process->state != PROCESS_ALIVE)
        return;
    timer->next = timer->every ? timer->next + timer->every : NEVER;
    machine_due(m, timer->next, timer_rings, timer);
    info.si_timerid = timer->id;
    info.si_value = timer->value;
    if (timer->signo)
        signal_thread(m, timer->process, timer->thread, &info);
}

static long timer_make(struct machine *m, struct task *t)
{
    struct process *p = t->process;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    if (t->arg[1] && !user_get(m, t, &event, t->arg[1], sizeof event))
        return -EFAULT;
    if (!p->timers)
        p->timers = calloc(TIMERS, sizeof *p->timers);
    for (int i = 0; i < TIMERS; i++) {
        if (p->timers[i].used)
            continue;
        p->timers[i] = (struct timer){m, p, true, event.sigev_notify == SIGEV_NONE ? 0 : event.sigev_signo, i, event.sigev_value,
                                       event.sigev_notify == SIGEV_THREAD_ID ? (uint32_t)event._sigev_un._tid : 0, NEVER, 0};
        return user_put(m, t, t->arg[2], &i, 4) ? 0 : -EFAULT;
    }
    return -EAGAIN;
}

static struct timer *timer_of(struct task *t)
{
    struct process *p = t->process;
    uint32_t id = (uint32_t)t->arg[0];
    return p->timers && id < TIMERS && p->timers[id].used ? &p->timers[id] : NULL;
}

static long timer_set(struct machine *m, struct task *t)
{
    struct timer *timer = timer_of(t);
    struct itimerspec set, old = {0};
    uint64_t now = machine_now(m);
    if (!timer)
        return -EINVAL;
    if (!user_get(m, t, &set, t->arg[2], sizeof set))
        return -EFAULT;
    if (timer->next != NEVER)
        old = (struct itimerspec){span(timer->every), span(timer->next - now)};
    uint64_t value = (uint64_t)set.it_value.tv_sec * SECOND + (uint64_t)set.it_value.tv_nsec;
    timer->every = (uint64_t)set.it_interval.tv_sec * SECOND + (uint64_t)set.it_interval.tv_nsec;
    timer->next = !value ? NEVER : t->arg[1] & TIMER_ABSTIME ? (value > now ? value : now) : now + value;
    if (timer->next != NEVER)
        timer->next = now + step_timer(t, timer->next - now);
    machine_due(m, timer->next, timer_rings, timer);
    return !t->arg[3] || user_put(m, t, t->arg[3], &old, sizeof old) ? 0 : -EFAULT;
}

static long timer_get(struct machine *m, struct task *t)
{
    const struct timer *timer = timer_of(t);
    struct itimerspec now = {0};
    if (!timer)
        return -EINVAL;
    if (timer->next != NEVER)
        now = (struct itimerspec){span(timer->every), span(timer->next - machine_now(m))};
    return user_put(m, t, t->arg[1], &now, sizeof now) ? 0 : -EFAULT;
}

static long timer_end(struct task *t)
{
    struct timer *timer = timer_of(t);
    if (!timer)
        return -EINVAL;
    timer->used = false;
    return 0;
}

void clock_alarms(struct machine *m, struct process *p)
{
    p->alarm = NEVER;
    machine_forget(m, p);
    for (int i = 0; p->timers && i < TIMERS; i++)
        machine_forget(m, &p->timers[i]);
}

/* ---- what was used ---- */

static long usage(struct machine *m, struct task *t)
{
    struct rusage u = {0};
    struct timespec used = span(machine_now(m) / 10);
    u.ru_utime = (struct timeval){used.tv_sec, used.tv_nsec / 1000};
    u.ru_maxrss = 10240;
    return user_put(m, t, t->arg[1], &u, sizeof u) ? 0 : -EFAULT;
}

static long ticks(struct machine *m, struct task *t)
{
    struct tms u = {.tms_utime = (clock_t)(machine_now(m) / 100000000)};
    if (t->arg[0] && !user_put(m, t, t->arg[0], &u, sizeof u))
        return -EFAULT;
    return (long)(machine_now(m) / 10000000);
}

long clock_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    struct timespec step = {0, 1};
    int64_t seconds;
    switch (t->nr) {
    case SYS_clock_gettime: return clock_get(m, t);
    case SYS_clock_getres: return !clock_exists(a[0]) ? -EINVAL : !a[1] || user_put(m, t, a[1], &step, sizeof step) ? 0 : -EFAULT;
    case SYS_gettimeofday: return day_get(m, t);
    case SYS_time:
        seconds = (int64_t)(clock_read(m, t, CLOCK_REALTIME) / SECOND);
        return !a[0] || user_put(m, t, a[0], &seconds, 8) ? seconds : -EFAULT;
    case SYS_nanosleep: return sleep_for(m, t, a[0], false, CLOCK_MONOTONIC);
    case SYS_clock_nanosleep: return sleep_for(m, t, a[2], a[1] & TIMER_ABSTIME, a[0]);
    case SYS_sched_yield: m->burst += 1000; return 0;
    case SYS_setitimer: case SYS_getitimer: return itimer(m, t);
    case SYS_alarm: return alarm_call(m, t);
    case SYS_timer_create: return timer_make(m, t);
    case SYS_timer_settime: return timer_set(m, t);
    case SYS_timer_gettime: return timer_get(m, t);
    case SYS_timer_getoverrun: return 0;
    case SYS_timer_delete: return timer_end(t);
    case SYS_getrusage: return usage(m, t);
    case SYS_times: return ticks(m, t);
    case SYS_clock_settime: case SYS_settimeofday: case SYS_clock_adjtime: case SYS_adjtimex: return -EPERM;
    }
    *mine = false;
    return -ENOSYS;
}
