/* The world `trace`: the stream answers. What the program asks, sends and writes is compared; the first difference ends
 * the replay with both sides of it in the replay file's header. */
#include "shim/shim.h"

#include <sys/mman.h>
#include <time.h>

#define FORGET_BYTES (8l << 20)

/* Is a debugger on this very thread? It comes to one after another. */
static bool being_traced(void)
{
    static char text[2048]; /* a fault may have come on a small stack */
    long fd = RAW(SYS_open, "/proc/thread-self/status", 0, 0);
    long n = fd < 0 ? 0 : RAW(SYS_read, fd, text, sizeof text - 1);
    RAW(SYS_close, fd);
    text[n > 0 ? n : 0] = 0;
    for (const char *p = text; *p; p++)
        if (text_starts(p, "TracerPid:\t"))
            return p[11] != '0';
    return false;
}

__attribute__((noinline, noclone)) void drd_stop_here(void)
{
    __asm__ volatile("nop" : : : "memory");
}

void trace_debugger(int state)
{
    struct replay_file *f = stream.file;
    f->events = stream.events;
    f->thread = self.number;
    echo_break();
    __atomic_store_n(&f->state, state, __ATOMIC_RELEASE);
    if (f->wait_for_debugger && being_traced())
        drd_stop_here();
}

void trace_failed(const char *what, uint64_t expected, uint64_t got)
{
    struct replay_file *f = stream.file;
    text_copy(f->what, sizeof f->what, what);
    char *end = f->expected + sizeof f->expected;
    text_append_hex(text_append(f->expected, end, "0x"), end, expected, 16);
    end = f->got + sizeof f->got;
    text_append_hex(text_append(f->got, end, "0x"), end, got, 16);
    trace_debugger(REPLAY_FAILED);
    for (;;)
        RAW(SYS_exit_group, 125);
}

void trace_path(char *out, size_t size, uint32_t process, const char *suffix)
{
    char digits[8] = "/000000", *end = out + size;
    for (uint32_t i = 6, n = process; i; i--, n /= 10)
        digits[i] = (char)('0' + n % 10);
    text_append(text_append(text_append(out, end, stream.file->dir), end, digits), end, suffix);
}

void trace_differs(int code, unsigned argument, const char *what, const char *expected, const char *got)
{
    struct replay_file *f = stream.file;
    f->call = code;
    f->argument = argument;
    f->thread = self.number;
    f->events = stream.events;
    text_copy(f->what, sizeof f->what, what);
    text_copy(f->expected, sizeof f->expected, expected);
    text_copy(f->got, sizeof f->got, got);
    if (f->other_build) {
        departure_write();
        departure_wait();
        return;
    }
    trace_debugger(REPLAY_DIVERGED);
    for (;;)
        RAW(SYS_exit_group, 1);
}

void trace_diverged(int code, unsigned argument, const char *what, const char *expected, const char *got)
{
    trace_differs(code, argument, what, expected, got);
    for (;;)
        RAW(SYS_exit_group, 1);
}

void trace_finish(int status)
{
    struct replay_file *f = stream.file;
    f->events = stream.events;
    __atomic_store_n(&f->state, REPLAY_FINISHED, __ATOMIC_RELEASE);
    for (;;)
        RAW(SYS_exit_group, status);
}

/* The stream ends in the middle of the program: it was killed there, or recorded no further. */
static void trace_end(void)
{
    trace_debugger(REPLAY_FINISHED);
    trace_finish(0);
}

/* --until: here the replay ends, or waits for gdb and hands it the node in the middle of its call. Or until its stack has been
 * read and it is killed. */
static void trace_stop(void)
{
    struct replay_file *f = stream.file;
    f->events = stream.events;
    f->thread = self.number;
    f->until = UINT64_MAX;
    f->thread_pointer = (uint64_t)(uintptr_t)thread_pointer();
    registers_here(f->registers);
    __atomic_store_n(&f->state, REPLAY_STOPPED, __ATOMIC_RELEASE);
    if (!f->wait_for_debugger)
        for (;;)
            RAW(SYS_exit_group, 0);
    struct timespec pause = {0, 10000000};
    while (!being_traced())
        RAW(SYS_nanosleep, &pause, 0);
    RAW(SYS_nanosleep, &pause, 0); /* the SIGSTOP of PTRACE_ATTACH comes after the sign of it, and is met in here */
    trace_debugger(REPLAY_STOPPED);
    __atomic_store_n(&f->state, REPLAY_RUNNING, __ATOMIC_RELEASE);
}

static uint8_t *must(const uint8_t *p)
{
    if (!p)
        trace_failed("the stream is damaged", stream.events, 0);
    return (uint8_t *)(uintptr_t)p;
}

int64_t trace_int(uint8_t **p)
{
    struct unpack u;
    *p = must(unpack_next(*p, stream.limit, &u));
    if (u.type != UNPACK_INT && u.type != UNPACK_BOOL)
        trace_failed("the stream is damaged: no integer", stream.events, (uint64_t)u.type);
    return u.value;
}

const uint8_t *trace_blob(uint8_t **p, size_t *length)
{
    struct unpack u;
    *p = must(unpack_next(*p, stream.limit, &u));
    *length = u.length;
    return u.type == UNPACK_NIL ? NULL : u.data;
}

void trace_done(uint8_t *end)
{
    stream.at = end;
    stream.events++;
    stream.file->events = stream.events;
    if (end - stream.mapped >= FORGET_BYTES) { /* however long the stream, the process stays as small as it was */
        RAW(SYS_madvise, stream.mapped, FORGET_BYTES, MADV_DONTNEED);
        stream.mapped += FORGET_BYTES;
    }
}

static int record_code(uint8_t *p, uint8_t **fields)
{
    struct unpack u;
    p = must(unpack_next(p, stream.limit, &u));
    if (u.type == UNPACK_INT)
        return TRACE_PEEK_CLOCK;
    if (u.type != UNPACK_ARRAY)
        trace_failed("the stream is damaged: no record", stream.events, 0);
    int code = (int)trace_int(&p);
    if (fields)
        *fields = p;
    return code;
}

static bool is_information(int code)
{
    return code == TRACE_TIME || code == TRACE_CONNECTION || code == TRACE_FAULT || code == TRACE_MAPPED;
}

static void pass_information(int code, uint8_t *fields)
{
    if (code == TRACE_MAPPED)
        memory_mapped_apply(fields);
    trace_done(must(unpack_skip(stream.at, stream.limit)));
}

/* What memory another build asks for is its own affair: of the recorded calls only those are met again that map a file. */
static bool is_memory(int code, uint8_t *fields)
{
    switch (code) {
    case SYS_munmap: case SYS_mprotect: case SYS_pkey_mprotect: case SYS_mremap: case SYS_brk: case SYS_madvise:
        return true;
    case SYS_mmap: /* length, protection, flags */
        trace_int(&fields);
        trace_int(&fields);
        return trace_int(&fields) & MAP_ANONYMOUS;
    default:
        return false;
    }
}

static bool is_passed(int code, uint8_t *fields)
{
    return is_information(code) || (stream.file->other_build && is_memory(code, fields));
}

static void skip_information(void)
{
    uint8_t *p;
    while (stream.at < stream.limit) {
        int code = record_code(stream.at, &p);
        if (!is_passed(code, p))
            return;
        if (stream.events >= stream.file->until)
            trace_stop();
        pass_information(code, p);
    }
}

int trace_peek(void)
{
    for (;;) {
        uint8_t *p;
        if (shim_world != WORLD_TRACE || (stream.at >= stream.limit && follow_wanted())) {
            if (shim_world == WORLD_TRACE)
                follow_begin();
            follow_thread();
            return TRACE_PEEK_LIVE;
        }
        if (stream.events >= stream.file->until)
            trace_stop();
        if (stream.at >= stream.limit)
            trace_end();
        int code = record_code(stream.at, &p);
        if (code == TRACE_INCOMPLETE)
            trace_end();
        if (is_passed(code, p)) {
            pass_information(code, p);
        } else if (code == TRACE_SWITCH) {
            uint32_t thread = (uint32_t)trace_int(&p);
            trace_done(p);
            stream.thread = thread;
            if (thread != self.number) {
                baton_give_turn(thread);
                baton_wait_turn();
            }
        } else {
            return code;
        }
    }
}

bool trace_goes_on(void)
{
    return trace_peek() != TRACE_PEEK_LIVE;
}

static const char *code_words(char *text, size_t size, int code)
{
    char *end = text + size;
    const struct call_info *info = call_info(code);
    if (code == TRACE_PEEK_CLOCK)
        text_append(text, end, "a read of CLOCK_MONOTONIC");
    else if (info)
        text_append(text, end, info->name);
    else
        text_append_int(text_append(text, end, code < 0 ? "event " : "call "), end, code);
    return text;
}

static void diverged_code(int got, int expected)
{
    char a[64], b[64];
    stream.file->expected_call = expected;
    trace_diverged(got, 7, "another call than recorded", code_words(a, sizeof a, expected), code_words(b, sizeof b, got));
}

uint8_t *trace_take(int code)
{
    uint8_t *p;
    int found = trace_peek();
    if (found != code)
        diverged_code(code, found);
    record_code(stream.at, &p);
    return p;
}

uint32_t trace_next_thread(void)
{
    uint8_t *p;
    skip_information();
    if (stream.at >= stream.limit)
        trace_end();
    if (record_code(stream.at, &p) != TRACE_SWITCH)
        trace_failed("the stream goes on after the end of a thread", self.number, stream.events);
    uint32_t thread = (uint32_t)trace_int(&p);
    trace_done(p);
    stream.thread = thread;
    return thread;
}

bool trace_signal_follows(int where)
{
    uint8_t *p;
    skip_information();
    if (stream.at >= stream.limit || record_code(stream.at, &p) != TRACE_SIGNAL)
        return false;
    trace_int(&p);
    return trace_int(&p) == where;
}

static long unhandled_call(struct call *call)
{
    uint8_t *p = trace_take(TRACE_UNHANDLED);
    if (trace_int(&p) != call->nr)
        diverged_code((int)call->nr, TRACE_UNHANDLED);
    for (int i = 0; i < 6; i++)
        trace_int(&p);
    long result = trace_int(&p);
    trace_done(p);
    return result;
}

long trace_call(struct call *call)
{
    if (!call->info)
        return unhandled_call(call);
    uint8_t *p;
    departure_call(call);
    if (trace_peek() == TRACE_ENTER) {
        p = trace_take(TRACE_ENTER);
        int nr = (int)trace_int(&p);
        if (nr != call->nr)
            diverged_code((int)call->nr, nr);
        inputs_compare(call, &p);
        trace_done(p);
        while (trace_peek() == TRACE_SIGNAL)
            call->frame ? signals_deliver(call->frame, 1) : signals_deliver_here(1);
        if (shim_world != WORLD_TRACE) {
            call->entered = true;
            return live_call(call);
        }
    }
    p = trace_take((int)call->nr);
    inputs_compare(call, &p);
    long result = trace_int(&p);
    if (result >= 0 || outputs_after_interruption(call, result))
        outputs_apply(call, result, &p);
    if (stream.file->other_build)
        addresses_answered(call, result);
    trace_done(p);
    departure_call(NULL);
    echo_call(call, result);
    return result;
}
