/* The simulated world: the simulator answers (trace/mailbox.h), and the answer is recorded as the kernel's would be. */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>

struct mailbox *simulated;

bool simulated_open(void)
{
    long fd = RAW(SYS_open, MAILBOX_SPOOL_DIR "/world", O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    long at = RAW(SYS_mmap, MAILBOX_BASE, sizeof(struct mailbox), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    RAW(SYS_close, fd);
    if (at != (long)MAILBOX_BASE || ((struct mailbox *)MAILBOX_BASE)->magic != MAILBOX_MAGIC)
        return false;
    simulated = MAILBOX_BASE;
    return true;
}

static struct mail *mail_here(void)
{
    return &simulated->mail[self.mail];
}

/* With the simulator the world is gone, and all that is in it: a child that it had not heard of when it ended is not on its
 * list of whom to kill. */
static void simulator_lives(void)
{
    if (RAW(SYS_kill, simulated->simulator, 0) == -ESRCH)
        RAW(SYS_exit_group, 128 + SIGKILL);
}

/* The simulator has the word until it says MAIL_RUNS. */
static void mail_wait(struct mail *m)
{
    static const struct timespec look = {1, 0};
    uint32_t state;
    while ((state = __atomic_load_n(&m->state, __ATOMIC_ACQUIRE)) != MAIL_RUNS)
        if (RAW(SYS_futex, &m->state, FUTEX_WAIT, state, &look, 0, 0) == -ETIMEDOUT)
            simulator_lives();
}

/* A thread that other threads waited for runs now: that is an event. */
static void turn_note(void)
{
    if (stream.thread == self.number || shim_world != WORLD_LIVE || process_vfork_child)
        return;
    stream.thread = self.number;
    stream_put(TRACE_SWITCH, 1, (int64_t)self.number);
}

static void signal_take(struct mail *m, ucontext_t *frame)
{
    if (!m->signal)
        return;
    memcpy(&self.signal, m->info, sizeof self.signal);
    self.mask = m->blocked & ~self.blocked; /* what the program only believes to be blocked is not */
    m->signal = 0;
    self.pending |= PENDING_SIGNAL;
    (void)frame;
}

static uint64_t mask_now(const ucontext_t *frame)
{
    uint64_t mask = 0;
    if (frame) {
        memcpy(&mask, &frame->uc_sigmask, sizeof mask);
        return mask | self.blocked;
    }
    if (!self.mask_known)
        RAW(SYS_rt_sigprocmask, SIG_BLOCK, 0, &self.mask_now, 8);
    self.mask_known = true;
    return self.mask_now | self.blocked;
}

/* ---- memory that goes with question and answer ---- */

static void mail_empty(struct mail *m)
{
    m->filled = m->given = m->pieces = 0;
}

/* If there is no room, or nothing at that address, the simulator looks for itself. */
static void give(struct mail *m, const void *from, size_t size)
{
    if (!from || !size || m->given == MAILBOX_PIECES || size > sizeof m->text - m->filled ||
        shim_copy(m->text + m->filled, from, size))
        return;
    m->piece[m->given++] = (struct mail_piece){(uintptr_t)from, (uint32_t)size, m->filled};
    m->filled += (uint32_t)size;
    m->pieces = m->given;
}

static void give_path(struct mail *m, long path)
{
    long n = path ? shim_string((const char *)path, sizeof m->text) : -1;
    if (n >= 0)
        give(m, (void *)path, (size_t)n + 1);
}

static void give_input(void *mail, const void *data, size_t size)
{
    give(mail, data, size);
}

/* What the simulator is sure to look at. */
static void call_give(struct mail *m, const struct call *call)
{
    const long *a = call->arg;
    mail_empty(m);
    switch (call->nr) {
    case SYS_poll: case SYS_ppoll: give(m, (void *)a[0], (size_t)(uint32_t)a[1] * sizeof(struct pollfd)); break;
    case SYS_accept: case SYS_accept4: case SYS_getsockname: case SYS_getpeername: give(m, (void *)a[2], 4); break;
    case SYS_getsockopt: give(m, (void *)a[4], 4); break;
    case SYS_recvfrom: give(m, (void *)a[5], 4); break;
    case SYS_readv: case SYS_writev: give(m, (void *)a[1], (size_t)(uint32_t)a[2] * sizeof(struct iovec)); break;
    case SYS_futex: give(m, (void *)a[0], 4); return;
    }
    for (int i = 0; call->info && i < 6; i++)
        if (call->info->argument[i] == KIND_PATH)
            give_path(m, a[i]);
    if (call->info && call_shape(call->info)->data && call->nr != SYS_io_submit)
        inputs_each(call, give_input, m);
}

/* Also into memory that is not there: the simulator could not know, so the call has failed only now. */
static void answer_apply(struct mail *m)
{
    for (uint32_t i = m->given; i < m->pieces; i++)
        if (shim_copy((void *)m->piece[i].at, m->text + m->piece[i].where, m->piece[i].size))
            m->result = -EFAULT;
}

static long mail_ask(struct mail *m, int64_t nr, const long arg[6], ucontext_t *frame)
{
    m->nr = nr;
    for (int i = 0; i < 6; i++)
        m->arg[i] = arg ? arg[i] : 0;
    m->blocked = mask_now(frame);
    m->event = stream.events;
    m->stream = stream.process;
    if (process_vfork_child)
        m->child = (uint32_t)RAW(SYS_getpid);
    __atomic_store_n(&m->state, MAIL_ASKS, __ATOMIC_RELEASE);
    RAW(SYS_futex, &m->state, FUTEX_WAKE, 1, 0, 0, 0);
    mail_wait(m);
    if (nr >= 0)
        answer_apply(m);
    signal_take(m, frame);
    return m->result;
}

/* Without pieces. */
static long mail_ask_plain(int64_t nr, const long arg[6])
{
    mail_empty(mail_here());
    return mail_ask(mail_here(), nr, arg, NULL);
}

long simulated_call(const struct call *call)
{
    call_give(mail_here(), call);
    long result = mail_ask(mail_here(), call->nr, call->arg, call->frame);
    turn_note();
    return result;
}

long simulated_ask(int64_t nr, long a, long b, long c)
{
    const long arg[6] = {a, b, c};
    return mail_ask_plain(nr, arg);
}

long simulated_exec(long directory, const char *path, long flags, char *const *argv, char *const *env)
{
    const long arg[6] = {directory, (long)path, flags, (long)argv, (long)env};
    return mail_ask_plain(MAIL_EXEC, arg);
}

/* Signals that waited and that the thread no longer blocks: is one to be delivered now? */
bool simulated_signals(ucontext_t *frame)
{
    if (!simulated || process_vfork_child || !(simulated->process[self.home].pending & ~mask_now(frame)))
        return false;
    mail_empty(mail_here());
    mail_ask(mail_here(), MAIL_SIGNALS, NULL, frame);
    return self.pending & PENDING_SIGNAL;
}

/* A call of the shim's own on what belongs to the program: its descriptors, its directory. */
long program_call(long nr, long a, long b, long c, long d)
{
    const long arg[6] = {a, b, c, d};
    return simulated ? mail_ask_plain(nr, arg) : RAW(nr, a, b, c, d, 0, 0);
}

uint32_t simulated_number(void)
{
    return mail_here()->number;
}

const char *simulated_text(void)
{
    return mail_here()->text;
}

void simulated_number_set(uint32_t number)
{
    mail_here()->number = number;
}

/* The first words of a program: which mail is ours, was decided before it started. */
void simulated_attach(void)
{
    const struct timespec pause = {0, 200000};
    uint32_t pid = (uint32_t)RAW(SYS_getpid);
    for (uint32_t i = 0;; i = (i + 1) % MAILBOX_THREADS) {
        struct mail *m = &simulated->mail[i];
        if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) == MAIL_EXPECTED && m->pid == pid) {
            self.mail = self.home = i;
            break;
        }
        if (i == MAILBOX_THREADS - 1) {
            simulator_lives();
            RAW(SYS_nanosleep, &pause, 0);
        }
    }
    const char *node = environment_get(SPOOL_ENV_NODE);
    text_copy(mail_here()->text, sizeof mail_here()->text, node ? node : "");
    self.tid = (uint32_t)simulated_ask(MAIL_ATTACH, 0, 0, 0);
}

/* Its mail was claimed when the recording was gone through. */
void simulated_follow(void)
{
    for (uint32_t i = 0; i < MAILBOX_THREADS; i++) {
        struct mail *m = &simulated->mail[i];
        if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) != MAIL_EXPECTED || m->stream != stream.process || m->number != self.number)
            continue;
        self.home = (uint32_t)m->arg[0];
        simulated_dispositions();
        simulated_begin(i, false);
        return;
    }
    stream_stop(SPOOL_REASON_SYSTEM, ESRCH); /* a thread that the recording does not know of */
}

/* A thread or a forked process, before any code of the program. */
void simulated_begin(uint32_t mail, bool process)
{
    self.mail = mail;
    if (process)
        self.home = mail;
    mail_here()->pid = (uint32_t)RAW(SYS_getpid);
    self.mask_known = false;
    simulated_ask(MAIL_BORN, 0, 0, 0);
}

/* The last words of a thread: said without a stack, see shim_thread_leave. */
void simulated_leave(uint32_t *word)
{
    struct mail *m = mail_here();
    m->nr = MAIL_THREAD_EXIT;
    m->arg[0] = (long)(uintptr_t)word;
    shim_thread_leave(&m->state, MAIL_ASKS);
}

void simulated_dispositions(void)
{
    uint64_t caught = 0, ignored = 0;
    if (!simulated || process_vfork_child)
        return;
    for (int signo = 1; signo <= 64; signo++) {
        void *handler = signal_actions[signo].handler;
        if (handler == SIG_IGN)
            ignored |= 1ull << (signo - 1);
        else if (handler != SIG_DFL)
            caught |= 1ull << (signo - 1);
    }
    simulated->process[self.home].caught = caught;
    simulated->process[self.home].ignored = ignored;
}

/* The simulator asks a thread that does not ask where it is. It goes no further: this is the end of the world. */
void simulated_where(const ucontext_t *frame)
{
    registers_there(frame, simulated->registers);
    __atomic_store_n(&simulated->registers_are_there, 1, __ATOMIC_RELEASE);
    for (;;)
        RAW(SYS_pause);
}

static uint64_t day_told(uint64_t now)
{
    for (uint64_t i = 0; i < simulated->clocks && i < MAILBOX_CLOCKS; i++) {
        struct mail_clock *c = &simulated->clock[i];
        if (c->stream == stream.process && c->event == stream.events) {
            c->met = 1;
            return (uint64_t)c->value;
        }
    }
    return now;
}

/* Every look at the clock takes a moment, so that a program that waits for time to pass sees it pass. */
int simulated_clock(int clock, struct timespec *ts)
{
    simulated->now += simulated->tick;
    const struct mail_process *own = &simulated->process[self.home];
    bool realtime = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
    uint64_t now = simulated->now + (realtime ? simulated->epoch + (uint64_t)own->realtime : 0);
    if (realtime && simulated->clocks)
        now = day_told(now);
    ts->tv_sec = (time_t)(now / 1000000000u);
    ts->tv_nsec = (long)(now % 1000000000u);
    return 0;
}
