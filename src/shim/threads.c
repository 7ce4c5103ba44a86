/* Threads: begun with clone(2) inside the gate, numbered in the order of their creation, ended without the kernel's help:
 * the word that a join waits for is cleared while the baton is held, so that its order is part of the stream. */
#include "shim/shim.h"

#include <sched.h>
#include <sys/prctl.h>

#define SCRUB_BORN 4096
#define BIRTHS 1024 /* threads that have been created and have not run yet */

static uint32_t thread_numbers; /* last one given */

void thread_arm(void)
{
    /* no selector: the gate's text is exempt, all else is trapped, and the kernel has no byte of ours to read */
    long error = seccomp_chosen ? seccomp_arm()
                                : RAW(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, shim_gate_begin,
                                      shim_gate_end - shim_gate_begin, NULL);
    self.armed = true;
    if (error && shim_world == WORLD_LIVE)
        stream_stop(SPOOL_REASON_SYSTEM, (int)-error);
    else if (error && shim_world == WORLD_TRACE)
        trace_failed("this kernel traps no system calls (Syscall User Dispatch, Linux 5.11; or seccomp)", 0, (uint64_t)-error);
}

static void thread_note(void)
{
    stream.thread = self.number;
    stream_put(TRACE_SWITCH, 1, (int64_t)self.number);
    stream_put(TRACE_THREAD_START, 2, (int64_t)self.number, (int64_t)self.tid);
}

static void thread_born_trace(void)
{
    if (!trace_goes_on()) {
        thread_note();
        return;
    }
    uint8_t *p = trace_take(TRACE_THREAD_START);
    trace_int(&p);
    trace_int(&p);
    trace_done(p);
}

/* First steps of a thread, on its own stack, before any code of the program. */
static void thread_born(struct birth *birth)
{
    self.number = birth->number;
    self.tid = birth->tid;
    self.clear_tid = birth->clear_tid;
    if (simulated && shim_world == WORLD_LIVE) {
        self.home = birth->home;
        simulated_begin(birth->mail, false);
        thread_note();
    } else if (shim_world == WORLD_LIVE) {
        self.tid = (uint32_t)RAW(SYS_gettid);
        baton_acquire();
        stream_put(TRACE_THREAD_START, 2, (int64_t)self.number, (int64_t)self.tid);
    } else if (shim_world == WORLD_TRACE) {
        baton_wait_turn();
        thread_born_trace();
    }
    if (shim_world != WORLD_OFF)
        thread_arm();
    else if (self.clear_tid) /* recording ended before this thread began */
        RAW(SYS_set_tid_address, self.clear_tid);
    shim_scrub(SCRUB_BORN);
}

long thread_clone(struct call *call)
{
    static struct birth births[BIRTHS];
    const long *a = call->arg;
    unsigned long flags = (unsigned long)a[0] & ~(unsigned long)CLONE_CHILD_CLEARTID;
    bool given = shim_world == WORLD_TRACE || simulated; /* the thread's number is not today's kernel's */
    long tid = shim_world == WORLD_TRACE ? trace_call(call) : simulated ? simulated_ask(MAIL_CLONE, a[0], 0, 0) : 0;
    if (tid < 0)
        return tid;
    struct birth *birth = &births[++thread_numbers % BIRTHS];
    birth_registers(birth, call->frame);
    birth->born = thread_born;
    birth->number = thread_numbers;
    birth->tid = (uint32_t)tid;
    birth->clear_tid = a[0] & CLONE_CHILD_CLEARTID ? (uint32_t *)a[3] : NULL;
    birth->mail = simulated ? simulated_number() : 0;
    birth->home = self.home;
    if (given) { /* the words hold the recorded number, not that of today's thread */
        flags &= ~(unsigned long)(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID);
        if (a[0] & CLONE_PARENT_SETTID)
            *(uint32_t *)a[2] = (uint32_t)tid;
        if (a[0] & CLONE_CHILD_SETTID)
            *(uint32_t *)a[3] = (uint32_t)tid;
    }
    __atomic_fetch_add(&baton_threads, 1, __ATOMIC_SEQ_CST);
    long real = shim_clone(flags, (uintptr_t)a[1], (void *)a[2], (void *)a[3], (unsigned long)a[4], birth);
    if (real < 0) {
        __atomic_fetch_sub(&baton_threads, 1, __ATOMIC_SEQ_CST);
        thread_numbers--;
    }
    if (shim_world == WORLD_TRACE) {
        if (real < 0)
            trace_failed("a thread of the recording could not be started", (uint64_t)tid, (uint64_t)real);
        return tid;
    }
    if (simulated && real > 0)
        real = tid;
    live_note(call, real);
    return real;
}

long thread_exit(struct call *call)
{
    uint64_t all = ~0ull;
    uint32_t *word = self.clear_tid;
    if (process_vfork_child)
        return process_exit(call);
    if (shim_world == WORLD_TRACE) {
        uint8_t *p = trace_take(TRACE_THREAD_EXIT);
        trace_int(&p);
        trace_done(p);
    } else {
        stream_put(TRACE_THREAD_EXIT, 1, (int64_t)(int)call->arg[0]);
    }
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
    __atomic_fetch_sub(&baton_threads, 1, __ATOMIC_SEQ_CST);
    if (word)
        __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
    if (shim_world == WORLD_TRACE)
        shim_thread_exit(&baton_turn, trace_next_thread(), word);
    if (simulated)
        simulated_leave(word);
    shim_thread_exit(&baton_serving, baton_serving + 1, word);
}
