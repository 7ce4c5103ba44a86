/* The simulated world: the simulator answers (trace/mailbox.h), and the answer is recorded as the kernel's would be. */
#include "shim/shim.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>

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

/* The simulator has the word until it says MAIL_RUNS. */
static void mail_wait(struct mail *m)
{
    uint32_t state;
    while ((state = __atomic_load_n(&m->state, __ATOMIC_ACQUIRE)) != MAIL_RUNS)
        RAW(SYS_futex, &m->state, FUTEX_WAIT, state, 0, 0, 0);
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
    if (frame)
        memcpy(&mask, &frame->uc_sigmask, sizeof mask);
    else
        RAW(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, 8);
    return mask | self.blocked;
}

static long mail_ask(int64_t nr, const long arg[6], ucontext_t *frame)
{
    struct mail *m = mail_here();
    m->nr = nr;
    for (int i = 0; i < 6; i++)
        m->arg[i] = arg ? arg[i] : 0;
    m->blocked = mask_now(frame);
    m->event = stream.events;
    m->stream = stream.process;
    __atomic_store_n(&m->state, MAIL_ASKS, __ATOMIC_RELEASE);
    RAW(SYS_futex, &m->state, FUTEX_WAKE, 1, 0, 0, 0);
    mail_wait(m);
    signal_take(m, frame);
    return m->result;
}

long simulated_call(const struct call *call)
{
    long result = mail_ask(call->nr, call->arg, call->frame);
    turn_note();
    return result;
}

long simulated_ask(int64_t nr, long a, long b, long c)
{
    const long arg[6] = {a, b, c};
    return mail_ask(nr, arg, NULL);
}

long simulated_exec(long directory, const char *path, long flags, char *const *argv, char *const *env)
{
    const long arg[6] = {directory, (long)path, flags, (long)argv, (long)env};
    return mail_ask(MAIL_EXEC, arg, NULL);
}

/* A call of the shim's own on what belongs to the program: its descriptors, its directory. */
long program_call(long nr, long a, long b, long c, long d)
{
    const long arg[6] = {a, b, c, d};
    return simulated ? mail_ask(nr, arg, NULL) : RAW(nr, a, b, c, d, 0, 0);
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
        if (i == MAILBOX_THREADS - 1)
            RAW(SYS_nanosleep, &pause, 0);
    }
    const char *node = environment_get(SPOOL_ENV_NODE);
    text_copy(mail_here()->text, sizeof mail_here()->text, node ? node : "");
    self.tid = (uint32_t)simulated_ask(MAIL_ATTACH, 0, 0, 0);
}

/* A thread or a forked process, before any code of the program. */
void simulated_begin(uint32_t mail, bool process)
{
    self.mail = mail;
    if (process)
        self.home = mail;
    mail_here()->pid = (uint32_t)RAW(SYS_getpid);
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

/* Every look at the clock takes a moment, so that a program that waits for time to pass sees it pass. */
int simulated_clock(int clock, struct timespec *ts)
{
    simulated->now += simulated->tick;
    const struct mail_process *own = &simulated->process[self.home];
    bool realtime = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
    uint64_t now = simulated->now + (realtime ? simulated->epoch + (uint64_t)own->realtime : 0);
    ts->tv_sec = (time_t)(now / 1000000000u);
    ts->tv_nsec = (long)(now % 1000000000u);
    return 0;
}
