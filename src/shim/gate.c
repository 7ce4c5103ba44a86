/* The gate: every intercepted call of the program ends in gate_call. */
#include "shim/shim.h"

#include <sys/prctl.h>

#define SCRUB_CLOCK 512
#define SCRUB_CALL 2048 /* more than the frames of any common call take */

enum world shim_world = WORLD_OFF;
__thread struct thread self;

static long unhandled_live(struct call *call)
{
    const long *a = call->arg;
    long result = live_raw(call);
    stream_put(TRACE_UNHANDLED, 8, (int64_t)call->nr, (int64_t)a[0], (int64_t)a[1], (int64_t)a[2], (int64_t)a[3],
               (int64_t)a[4], (int64_t)a[5], (int64_t)result);
    return result;
}

/* Calls that change what a forked or trapped thread is made of. Returns false if the call is none of them. */
static bool emulated_call(struct call *call, long *result)
{
    switch (call->nr) {
    case SYS_clone: case SYS_fork: case SYS_vfork: *result = process_fork(call); return true;
    case SYS_execve: case SYS_execveat: *result = process_exec(call); return true;
    case SYS_exit_group: *result = process_exit(call); return true;
    case SYS_exit: *result = thread_exit(call); return true;
    case SYS_rt_sigaction: *result = signals_action(call); break;
    case SYS_rt_sigprocmask: *result = signals_mask(call); break;
    case SYS_sigaltstack: *result = signals_stack(call); break;
    case SYS_set_tid_address:
        self.clear_tid = (uint32_t *)call->arg[0];
        *result = (long)self.tid;
        break;
    default: return false;
    }
    /* Decided by what the process is alone, so nothing need be recorded; but every way through the gate leaves a record:
     * threads change and signals arrive between two records, and a replay must know between which. */
    if (shim_world == WORLD_TRACE)
        trace_call(call);
    else
        live_note(call, *result);
    return true;
}

/* Not recorded: straight to the kernel, but for what only a trap frame can do. */
static long gate_off(struct call *call)
{
    const long *a = call->arg;
    switch (call->nr) {
    case SYS_rt_sigprocmask: return signals_mask(call);
    case SYS_rt_sigaction: return signals_action(call);
    case SYS_sigaltstack: return signals_stack(call);
    case SYS_rt_sigreturn: shim_sigreturn(frame_stack(call->frame));
    case SYS_clone: case SYS_vfork: return process_fork_unrecorded(call);
    case SYS_clone3: return -ENOSYS;
    }
    if (self.armed) {
        self.armed = false;
        if (self.clear_tid) /* from here on the kernel ends this thread: it must know whom to tell */
            RAW(SYS_set_tid_address, self.clear_tid);
        if (!seccomp_chosen) /* a filter stays: the trap goes on, and passes through */
            RAW(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF);
    }
    return RAW(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool is_memory_call(long nr)
{
    return nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_mremap || nr == SYS_brk ||
           nr == SYS_madvise || nr == SYS_pkey_mprotect;
}

/* Where one thread gives way to another that waits, beside the calls in which it would wait itself: where it looks whether
 * there is anything to do, and after TURN_LONGEST calls. Anywhere would be fairer, but each turn costs two wake-ups: with a
 * turn at each call a command of ovsdb-server took a third longer. */
#define TURN_LONGEST 100

static bool is_turning_point(const struct call *call)
{
    switch (call->nr) {
    case SYS_poll: case SYS_ppoll: case SYS_select: case SYS_pselect6: case SYS_epoll_wait: case SYS_epoll_pwait:
    case SYS_epoll_pwait2: case SYS_sched_yield: case SYS_nanosleep: case SYS_clock_nanosleep:
        break;
    default:
        if (++self.turn < TURN_LONGEST)
            return false;
    }
    self.turn = 0;
    return true;
}

/* What happened to this thread since its last call: cuts to apply, signals to deliver. And here others may run: threads
 * change only on the way into a call, never on the way out, so that a replay knows where to stop one. */
static void gate_before(struct call *call)
{
    if (shim_world == WORLD_TRACE) {
        while (trace_peek() == TRACE_SIGNAL)
            call->frame ? signals_deliver(call->frame, 1) : signals_deliver_here(1);
        if (shim_world == WORLD_TRACE)
            return;
    }
    if (baton_threads > 1 && !simulated && is_turning_point(call))
        baton_yield();
    if (!simulated && stream.run->cut_generation != faults_seen)
        faults_apply();
    if (self.pending & PENDING_SIGNAL)
        call->frame ? signals_deliver(call->frame, 1) : signals_deliver_here(1);
}

long gate_call(struct call *call)
{
    long result;
    if (shim_world == WORLD_OFF || !self.armed)
        return gate_off(call);
    if (call->nr == SYS_rt_sigreturn)
        shim_sigreturn(frame_stack(call->frame));
    if (is_memory_call(call->nr) && departure_watches() && !memory_maps_file(call))
        return live_raw(call);
    gate_before(call);
    if (shim_world == WORLD_OFF)
        return gate_off(call);
    call->info = call_info(call->nr);
    if (emulated_call(call, &result))
        return result;
    if (is_memory_call(call->nr))
        return memory_call(call);
    if (shim_world == WORLD_TRACE) {
        result = trace_call(call);
        if (shim_world != WORLD_TRACE) /* its end is that of the simulated world */
            descriptors_note(call, result);
        return result;
    }
    descriptors_connecting(call, 1);
    result = call->info ? live_call(call) : unhandled_live(call);
    descriptors_note(call, result);
    descriptors_connecting(call, -1);
    if (shim_world == WORLD_LIVE && (call->nr == SYS_write || call->nr == SYS_pwrite64 || call->nr == SYS_writev || call->nr == SYS_pwritev))
        memory_file_written(call, result);
    return result;
}

/* Signals that arrived during the call are delivered where the program goes on. */
static void gate_after(ucontext_t *frame)
{
    if (shim_world == WORLD_TRACE) {
        while (trace_signal_follows(0))
            frame ? signals_deliver(frame, 0) : signals_deliver_here(0);
    } else if (shim_world == WORLD_LIVE) {
        if (self.pending & PENDING_SIGNAL)
            frame ? signals_deliver(frame, 0) : signals_deliver_here(0);
    }
}

long gate_enter(long nr, long a, long b, long c, long d, long e, long f)
{
    if (shim_world == WORLD_OFF || !self.armed)
        return RAW(nr, a, b, c, d, e, f);
    struct call call = {.nr = nr, .arg = {a, b, c, d, e, f}};
    self.depth++;
    long result = gate_call(&call);
    gate_after(NULL);
    self.depth--;
    call = (struct call){0};
    __asm__ volatile("" : : "r"(&call) : "memory");
    shim_scrub(SCRUB_CALL);
    return result;
}

void gate_end_clock(void)
{
    if (shim_world == WORLD_TRACE ? trace_signal_follows(0) : (self.pending & PENDING_SIGNAL) != 0)
        gate_after(NULL);
    shim_scrub(SCRUB_CLOCK);
}

/* The SIGSYS handler: si_call_addr and the number are in the frame (sigaction(2), SYS_USER_DISPATCH). */
void gate_trap(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    ucontext_t *frame = context;
    if (simulated && info->si_code == SI_TKILL)
        simulated_where(frame);
    struct call call = {.frame = frame};
    call.nr = frame_call(frame, call.arg);
    if (call.nr == SHIM_TRAP_PROBE) {
        seccomp_probe_answer();
        return;
    }
    if (call.nr == SHIM_TRAP_DELIVER || call.nr == SHIM_TRAP_DELIVER_BEFORE) {
        frame_set_result(frame, 0);
        signals_deliver(frame, call.nr == SHIM_TRAP_DELIVER_BEFORE);
        return;
    }
    self.mask_known = false; /* in here the mask is another, and when it is left it may be */
    self.depth++;
    long result = gate_call(&call);
    if (!call.restored) /* else the frame is another one's now */
        frame_set_result(frame, result);
    if (!call.restored && self.armed)
        gate_after(frame);
    self.depth--;
    self.mask_known = false;
    call = (struct call){0};
    __asm__ volatile("" : : "r"(&call) : "memory");
    shim_scrub(SCRUB_CALL);
}
