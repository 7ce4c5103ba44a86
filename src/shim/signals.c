/* Signals. A handler of the shim's stands in for each handler of the program: it queues. The program's handler runs at the
 * end of an intercepted call (or before the next), with the trapped call's frame as its context, and that point is in the
 * stream. Faults of the program itself (SIGSEGV and the like) go to its handler at once: they happen again in a replay.
 * Sources: sigaction(2), signal(7), sigreturn(2). */
#include "shim/shim.h"

#include <sys/mman.h>

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

struct kernel_sigaction signal_actions[65];

#define BIT(signo) (1ull << ((signo) - 1))
#define NEVER_BLOCKED (BIT(SIGSYS) | BIT(SIGSEGV) | BIT(SIGBUS))

static bool is_fault(int signo)
{
    return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGFPE || signo == SIGTRAP;
}

static bool has_handler(const struct kernel_sigaction *a)
{
    return a->handler != SIG_DFL && a->handler != SIG_IGN;
}

static uint64_t *frame_mask(ucontext_t *frame)
{
    return (uint64_t *)(void *)&frame->uc_sigmask;
}

/* An interrupted wait that had not begun must not begin: see shim_syscall_interruptible. */
static void frame_interrupt(ucontext_t *frame)
{
    uintptr_t pc = frame_pc(frame);
    if (pc >= (uintptr_t)shim_interruptible_begin && pc < (uintptr_t)shim_interruptible_end)
        frame_set_pc(frame, (uintptr_t)shim_interrupted);
}

#define HANDLER_BELOW 4096 /* bytes, room for the frames of the shim that stand above */

static void handler_call(void *handler, const struct kernel_sigaction *a, int signo, siginfo_t *info, ucontext_t *frame)
{
    const stack_t *alt = &frame->uc_stack;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), top = (uintptr_t)alt->ss_sp + alt->ss_size;
    bool on_it = here > (uintptr_t)alt->ss_sp && here <= top;
    if (a->flags & SA_ONSTACK && !(alt->ss_flags & SS_DISABLE) && alt->ss_size && !on_it)
        shim_call_on_stack(handler, signo, info, frame, top - 128);
    else /* at the same place in every world: handlers have locals, and locals have addresses */
        shim_call_on_stack(handler, signo, info, frame, ((uintptr_t)frame & ~63ul) - HANDLER_BELOW);
}

static void mask_set(const uint64_t *mask)
{
    self.mask_known = false;
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, mask, 0, 8);
}

/* Run the program's handler as the kernel would: its mask while it runs, once only with SA_RESETHAND. */
static void handler_run(int signo, siginfo_t *info, ucontext_t *frame)
{
    struct kernel_sigaction *slot = &signal_actions[signo], a = *slot;
    if (a.handler == SIG_IGN)
        return;
    if (a.handler == SIG_DFL) { /* reset since the signal arrived: let the kernel do what it does */
        if (shim_world != WORLD_TRACE)
            thread_kill(signo);
        return;
    }
    if (a.flags & SA_RESETHAND) {
        slot->handler = SIG_DFL;
        simulated_dispositions();
        struct kernel_sigaction standard = {SIG_DFL, SA_RESTORER, shim_restorer, 0};
        if (shim_world != WORLD_TRACE)
            RAW(SYS_rt_sigaction, signo, &standard, 0, 8);
    }
    uint64_t outer = *frame_mask(frame);
    uint64_t mask = (outer | a.mask | (a.flags & SA_NODEFER ? 0 : BIT(signo))) & ~NEVER_BLOCKED;
    mask_set(&mask);
    handler_call(a.handler, &a, signo, info, frame);
    outer = *frame_mask(frame) & ~NEVER_BLOCKED;
    mask_set(&outer);
}

static void deliver_live(ucontext_t *frame, int where)
{
    while (self.pending & PENDING_SIGNAL || (where == 2 && simulated_signals(frame))) {
        siginfo_t info = self.signal;
        *frame_mask(frame) = self.mask; /* as it was before on_signal held everything back */
        __atomic_fetch_and(&self.pending, ~PENDING_SIGNAL, __ATOMIC_SEQ_CST);
        uint8_t *p = stream_event(TRACE_SIGNAL, 3, sizeof info);
        if (p) {
            p = pack_int(pack_int(p, info.si_signo), where);
            stream_publish(put_bytes(p, &info, sizeof info));
        }
        handler_run(info.si_signo, &info, frame);
        where = 2;
    }
}

static void deliver_trace(ucontext_t *frame)
{
    uint8_t *p = trace_take(TRACE_SIGNAL);
    siginfo_t info;
    size_t length;
    int signo = (int)trace_int(&p);
    trace_int(&p);
    const uint8_t *bytes = trace_blob(&p, &length);
    if (signo < 1 || signo > 64 || !bytes || length != sizeof info)
        trace_failed("the stream is damaged: no signal", stream.events, length);
    memcpy(&info, bytes, sizeof info);
    trace_done(p);
    handler_run(signo, &info, frame);
    if (trace_signal_follows(2))
        deliver_trace(frame);
}

void signals_deliver(ucontext_t *frame, int where)
{
    if (shim_world == WORLD_TRACE)
        deliver_trace(frame);
    else
        deliver_live(frame, where);
}

void signals_deliver_here(int where)
{
    shim_trap(where ? SHIM_TRAP_DELIVER_BEFORE : SHIM_TRAP_DELIVER);
}

bool signals_restartable(void)
{
    return signal_actions[self.signal.si_signo].flags & SA_RESTART;
}

/* A thread that computes without any call would never hear of its signal. After a while it must, and then the point cannot
 * be found again in a replay: recording ends there. timer_create(2). */
#define LATE_AFTER 1 /* s */

static void late_arm(long after)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGURG, .sigev_value.sival_int = SPOOL_LATE};
    struct itimerspec when = {.it_value.tv_sec = after};
    int timer;
    event._sigev_un._tid = (int)RAW(SYS_gettid);
    if (!self.late_timer && !RAW(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer))
        self.late_timer = timer + 1;
    if (self.late_timer)
        RAW(SYS_timer_settime, self.late_timer - 1, 0, &when, 0);
}

static void late_deliver(ucontext_t *frame)
{
    siginfo_t info = self.signal;
    if (!(self.pending & PENDING_SIGNAL) || self.depth || shim_world != WORLD_LIVE)
        return;
    stream_stop(SPOOL_REASON_LATE_SIGNAL, info.si_signo);
    self.pending = 0;
    *frame_mask(frame) = self.mask;
    handler_run(info.si_signo, &info, frame);
}

/* SIGURG of the recorder's and of our own. */
static bool on_own_signal(const siginfo_t *info, ucontext_t *frame)
{
    int value = info->si_value.sival_int;
    bool own = (info->si_code == SI_QUEUE && (value == SPOOL_KICK || value == SPOOL_CANCEL)) ||
               (info->si_code == SI_TIMER && value == SPOOL_LATE);
    if (own && value == SPOOL_LATE) {
        late_deliver(frame);
    } else if (own) {
        self.cancelled |= value == SPOOL_CANCEL;
        self.pending |= PENDING_KICK;
        frame_interrupt(frame);
    }
    return own;
}

/* Stands in for every handler of the program. Until the handler has been called, the kernel keeps further signals back:
 * they pend, merge and come in its order. */
static void on_signal(int signo, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
    if (signo == SIGURG && on_own_signal(info, frame))
        return;
    if (!has_handler(&signal_actions[signo]))
        return;
    if (shim_world == WORLD_OFF || !self.armed) {
        handler_call(signal_actions[signo].handler, &signal_actions[signo], signo, info, frame);
        return;
    }
    self.signal = *info;
    self.mask = *frame_mask(frame);
    self.mask_known = false;
    *frame_mask(frame) = ~(NEVER_BLOCKED | BIT(SIGURG));
    self.pending |= PENDING_SIGNAL;
    frame_interrupt(frame);
    if (!self.depth && signo != SIGURG) /* Go's own, to ask a goroutine to give way: it may wait */
        late_arm(LATE_AFTER);
}

static bool fault_is_ours(int signo, ucontext_t *frame)
{
    uintptr_t pc = frame_pc(frame);
    if (pc >= (uintptr_t)shim_copy_begin && pc < (uintptr_t)shim_copy_end)
        return frame_set_pc(frame, (uintptr_t)shim_copy_fault), true;
    if (pc == (uintptr_t)shim_string_at)
        return frame_set_pc(frame, (uintptr_t)shim_string_fault), true;
    return signo == SIGSEGV && tsc_handle(frame);
}

/* Faults: ours, or the program's own, which go to its handler where they happened. */
static void on_fault(int signo, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
    if (info->si_code > 0 && fault_is_ours(signo, frame))
        return;
    if (info->si_code <= 0 && has_handler(&signal_actions[signo])) { /* sent by kill(2) */
        on_signal(signo, info, context);
        return;
    }
    if (has_handler(&signal_actions[signo])) {
        handler_run(signo, info, frame);
        return;
    }
    if (signal_actions[signo].handler == SIG_IGN && info->si_code <= 0)
        return;
    if (shim_world == WORLD_TRACE && stream.file->wait_for_debugger) {
        stream.file->signal = signo;
        trace_debugger(REPLAY_FAULT);
        __atomic_store_n(&stream.file->state, REPLAY_RUNNING, __ATOMIC_RELEASE);
    }
    struct kernel_sigaction standard = {SIG_DFL, SA_RESTORER, shim_restorer, 0};
    RAW(SYS_rt_sigaction, signo, &standard, 0, 8);
    if (info->si_code <= 0) /* a fault happens again by itself, a sent signal does not */
        thread_kill(signo);
}

static void kernel_handler(int signo, void (*handler)(int, siginfo_t *, void *), unsigned long flags, uint64_t mask)
{
    struct kernel_sigaction a = {(void *)handler, SA_SIGINFO | SA_RESTORER | flags, shim_restorer, mask & ~NEVER_BLOCKED};
    RAW(SYS_rt_sigaction, signo, &a, 0, 8);
}

/* A Go program's code runs on stacks of a few kilobytes: traps must go to the signal stack that each of its threads has.
 * Other programs' signal stacks are too small for traps, and their stacks are large. */
void signals_install(bool go)
{
    kernel_handler(SIGSYS, gate_trap, SA_NODEFER | (go ? SA_ONSTACK : 0), 0);
    kernel_handler(SIGSEGV, on_fault, SA_NODEFER | SA_ONSTACK, 0);
    kernel_handler(SIGBUS, on_fault, SA_NODEFER | SA_ONSTACK, 0);
    if (shim_world == WORLD_LIVE)
        kernel_handler(SIGURG, on_signal, 0, ~0ull);
}

/* What the program inherited: handlers never, ignored signals yes. */
void signals_init(uint64_t ignored)
{
    for (int signo = 1; signo <= 64; signo++)
        signal_actions[signo] = (struct kernel_sigaction){ignored & BIT(signo) ? SIG_IGN : SIG_DFL, 0, NULL, 0};
    simulated_dispositions();
}

/* Tell the kernel what the program wants, in our words. */
static void action_install(int signo)
{
    const struct kernel_sigaction *a = &signal_actions[signo];
    if (signo == SIGSYS || signo == SIGSEGV || signo == SIGBUS)
        return;
    if (is_fault(signo) && has_handler(a)) {
        kernel_handler(signo, on_fault, SA_NODEFER | SA_ONSTACK, 0);
        return;
    }
    if (shim_world == WORLD_TRACE || (signo == SIGURG && !has_handler(a)))
        return;
    if (has_handler(a)) {
        kernel_handler(signo, on_signal, a->flags & (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_ONSTACK), ~0ull);
        return;
    }
    struct kernel_sigaction plain = {a->handler, (a->flags & ~(unsigned long)SA_SIGINFO) | SA_RESTORER, shim_restorer, 0};
    RAW(SYS_rt_sigaction, signo, &plain, 0, 8);
}

void signals_follow(void)
{
    kernel_handler(SIGURG, on_signal, 0, ~0ull);
    for (int signo = 1; signo <= 64; signo++)
        if (signal_actions[signo].handler != SIG_DFL)
            action_install(signo);
}

/* rt_sigaction: kept in a table; the program never sees that its handlers are not the kernel's. */
long signals_action(struct call *call)
{
    long signo = call->arg[0];
    struct kernel_sigaction new, old;
    if (call->arg[3] != 8 || signo < 1 || signo > 64)
        return -EINVAL;
    if (call->arg[1] && shim_copy(&new, (void *)call->arg[1], sizeof new))
        return -EFAULT;
    if (call->arg[1] && (signo == SIGKILL || signo == SIGSTOP))
        return -EINVAL;
    old = signal_actions[signo];
    if (call->arg[1]) {
        new.mask &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
        signal_actions[signo] = new;
        action_install((int)signo);
        simulated_dispositions();
    }
    if (call->arg[2] && shim_copy((void *)call->arg[2], &old, sizeof old))
        return -EFAULT;
    return 0;
}

/* rt_sigprocmask: what counts is the mask in the frame, which sigreturn makes the thread's. */
long signals_mask(struct call *call)
{
    uint64_t *mask = frame_mask(call->frame), old = *mask | self.blocked, set;
    if (call->arg[3] != 8)
        return -EINVAL;
    if (call->arg[1]) {
        if (shim_copy(&set, (void *)call->arg[1], 8))
            return -EFAULT;
        set &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
        if (call->arg[0] == SIG_BLOCK)
            *mask |= set;
        else if (call->arg[0] == SIG_UNBLOCK)
            *mask &= ~set;
        else if (call->arg[0] == SIG_SETMASK)
            *mask = set;
        else
            return -EINVAL;
        self.blocked = ((call->arg[0] == SIG_SETMASK ? 0 : self.blocked) | set) & NEVER_BLOCKED;
        if (call->arg[0] == SIG_UNBLOCK)
            self.blocked &= ~set;
        *mask &= ~NEVER_BLOCKED;
    }
    if (call->arg[2] && shim_copy((void *)call->arg[2], &old, 8))
        return -EFAULT;
    if (call->arg[1] && shim_world != WORLD_TRACE) { /* what was waiting for this comes now, and is queued */
        set = *mask;
        RAW(SYS_rt_sigprocmask, SIG_SETMASK, &set, 0, 8);
        simulated_signals(call->frame);
    }
    return 0;
}

/* sigaltstack(2): the kernel restores uc_stack at the end of the trap. */
long signals_stack(struct call *call)
{
    stack_t *mine = &call->frame->uc_stack, new, old = *mine;
    uintptr_t sp = frame_stack(call->frame);
    bool on_it = old.ss_size && sp - (uintptr_t)old.ss_sp < old.ss_size;
    old.ss_flags = !old.ss_size ? SS_DISABLE : on_it ? SS_ONSTACK : 0;
    if (call->arg[0]) {
        if (shim_copy(&new, (void *)call->arg[0], sizeof new))
            return -EFAULT;
        if (on_it)
            return -EPERM;
        if (new.ss_flags & SS_DISABLE)
            new = (stack_t){.ss_flags = SS_DISABLE};
        else if (new.ss_size < 2048)
            return -ENOMEM;
        *mine = new;
    }
    if (call->arg[1] && shim_copy((void *)call->arg[1], &old, sizeof old))
        return -EFAULT;
    return 0;
}
