/* What the files of the shim share. Everything here runs inside somebody else's process: no allocation, no libc call on
 * the way to the kernel, no assumption about the program's memory. docs/architecture.md tells the story. */
#ifndef DRD_SHIM_SHIM_H
#define DRD_SHIM_SHIM_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "shim/arch/x86_64/arch.h"
#include "trace/calls.h"
#include "trace/mailbox.h"
#include "trace/msgpack.h"
#include "trace/record.h"
#include "trace/spool.h"

/* Fixed addresses, far from where the kernel puts anything, so that the shim never moves what the program maps. */
#define STREAM_BASE ((uint8_t *)0x100000000000)
#define RUN_BASE ((void *)0x0f0000000000)
#define VDSO_BASE ((uint8_t *)0x0e0000000000)
#define MAILBOX_BASE ((void *)0x0d0000000000)
#define REPLAY_BASE ((void *)(STREAM_BASE - REPLAY_HEADER))

/* Where the answer to an intercepted call comes from. */
enum world {
    WORLD_OFF,   /* not recorded: every call goes straight to the kernel */
    WORLD_LIVE,  /* the kernel answers, or the simulator (simulated.c); the answer is recorded */
    WORLD_TRACE, /* the stream answers; what the program sends and writes is compared with it */
};
extern enum world shim_world;

/* What a thread needs to know about itself. Zeroed with its thread-local storage. */
struct thread {
    uint32_t number;
    bool armed;                   /* its calls are intercepted */
    uint32_t depth;               /* > 0: in the gate */
    uint32_t turn;                /* calls since it last gave way */
    volatile uint64_t pending;    /* PENDING_SIGNAL: `signal` waits for delivery; PENDING_KICK: look at the cuts */
    siginfo_t signal;
    uint64_t mask;                /* the thread's signal mask while everything is held back for `signal` */
    uint32_t *clear_tid;          /* zeroed and woken at the end of this thread, as the kernel would */
    uint32_t tid;                 /* as the program knows it */
    uint64_t blocked;             /* signals the program believes blocked that the shim keeps open */
    volatile bool cancelled;      /* pthread_cancel was called for this thread: waiting must end */
    uint64_t mask_now;            /* simulated: the kernel's signal mask of this thread, where mask_known */
    bool mask_known;
    uint32_t mail, home;          /* simulated: where it asks, and where the first thread of its process does */
    int late_timer;               /* kernel timer + 1 that rings when a signal waits too long */
    bool followed;                /* has gone on from a recorded stream into the simulated world */
};
extern __thread struct thread self;
#define PENDING_SIGNAL 1ull
#define PENDING_KICK 2ull

/* One intercepted call. */
struct call {
    long nr;
    long arg[6];
    ucontext_t *frame;             /* of the trap; NULL when it came through a preloaded function */
    const struct call_info *info;  /* NULL: unknown */
    uint32_t capacity;             /* of the sockaddr buffer, before the kernel overwrote it */
    bool entered;                  /* its inputs are already in the stream (TRACE_ENTER) */
    bool restored;                 /* the frame now belongs to another place of the program: leave its registers */
};

/* gate.c */
long gate_call(struct call *call);
long gate_enter(long nr, long a, long b, long c, long d, long e, long f); /* from preloaded functions */
void gate_trap(int signo, siginfo_t *info, void *context);                /* the SIGSYS handler */
void gate_end_clock(void);                                                /* a clock read is over: signals */


/* raw.c: system calls that nobody sees, and memory functions for the compiler */
#define RAW(...) RAW_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define RAW_(nr, a, b, c, d, e, f, ...) \
    shim_syscall((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool text_equal(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
const char *text_base_name(const char *path);
void text_copy(char *to, size_t size, const char *from);
char *text_append(char *at, char *end, const char *from);
char *text_append_int(char *at, char *end, int64_t value);
char *text_append_hex(char *at, char *end, uint64_t value, int digits);
uint64_t monotonic_now(void);
void thread_kill(int signo); /* a signal to this very thread */

/* stream.c: the records of this process, in a line of memory */
struct stream {
    uint8_t *at;       /* live: end of the last whole record; trace: next record */
    uint8_t *limit;    /* live: mapped up to here; trace: end of the stream */
    uint8_t *mapped;   /* live: start of what is mapped */
    uint64_t events;   /* records so far */
    uint64_t clock;    /* last CLOCK_MONOTONIC value handed to the program */
    uint64_t time;     /* last TRACE_TIME stamp */
    uint32_t thread;   /* the thread the last record belongs to */
    struct spool_run *run;
    struct spool_process *slot;
    struct replay_file *file;
    uint32_t process;
};
extern struct stream stream;
bool stream_follow_on(uint64_t stamp);      /* behind what was replayed, which is in the spool already */
bool stream_live_open(uint32_t process);    /* first segment mapped; false: spool unusable */
bool stream_trace_open(int fd);             /* the replay file behind this descriptor */
bool stream_grow(size_t bytes);
static inline bool stream_reserve(size_t bytes)
{
    return stream.at + bytes <= stream.limit || stream_grow(bytes);
}
void stream_publish(uint8_t *end);          /* one more whole record, up to `end` */
void stream_stop(enum spool_reason reason, int error); /* recording cannot go on: the process goes on without */
void stream_stamp(void);                    /* TRACE_TIME, if a while has passed */
/* A record [code, fields...] of integers; false if not recording any more. */
bool stream_put(enum trace_code code, unsigned fields, ...);
uint8_t *stream_event(enum trace_code code, unsigned fields, size_t data_bytes); /* NULL: not recording */
uint8_t *put_text(uint8_t *p, const char *text);
uint8_t *put_bytes(uint8_t *p, const void *data, size_t length);

/* trace.c: the stream as the answer */
long trace_call(struct call *call);
int trace_peek(void);                        /* code of the next record of this thread; gives the turn to others first */
uint8_t *trace_take(int code);               /* that record must be [code, ...]: its first field */
void trace_done(uint8_t *end);               /* the record ends here */
uint32_t trace_next_thread(void);            /* whose turn it is when this thread has ended */
bool trace_signal_follows(int where);        /* was a signal delivered right here? See TRACE_SIGNAL */
#define TRACE_PEEK_CLOCK 0x7fff0001
#define TRACE_PEEK_LIVE 0x7fff0002           /* the stream has ended, the process goes on: see follow.c */
bool trace_goes_on(void);                    /* is there a next record? Else the world is the simulated one now */
void drd_stop_here(void);                    /* where a debugger has its breakpoint */
void trace_debugger(int state);              /* say how it stands (enum replay_state), and let a debugger look */
/* The program does something else, and the replay ends here; another build may be told to go on. */
void trace_differs(int code, unsigned argument, const char *what, const char *expected, const char *got);
void trace_diverged(int code, unsigned argument, const char *what, const char *expected, const char *got) __attribute__((noreturn));
void trace_finish(int status) __attribute__((noreturn));
void trace_failed(const char *what, uint64_t expected, uint64_t got) __attribute__((noreturn));
void trace_path(char *out, size_t size, uint32_t process, const char *suffix); /* of a file of the replay's directory */
int64_t trace_int(uint8_t **p);
const uint8_t *trace_blob(uint8_t **p, size_t *length); /* str or bin; NULL for nil */

/* echo.c: what the node prints, for the eyes of whoever replays it */
void echo_call(const struct call *call, long result);
void echo_break(void);                       /* what follows is no part of a line that was begun */

/* departure.c: another build of the program */
bool departure_watches(void);
void departure_call(const struct call *call);          /* that is compared from here on; NULL: done */
uint8_t *departure_event(int code, unsigned fields);   /* the beginning of an event's record: its first field */
void departure_compare(int code, uint8_t *end, const char *what);
void departure_write(void);
void departure_wait(void);                             /* returns where that is found to be no departure */

/* addresses.c: those that another build hands to itself */
bool addresses_same(const struct call *call, const uint8_t *recorded, const uint8_t *here, size_t length);
struct io_event;
void addresses_completed(struct io_event *event, long count); /* of io_getevents */
void addresses_answered(const struct call *call, long result); /* what it got back may hold recorded ones */

/* follow.c: from the end of a recorded stream into the simulated world */
bool follow_wanted(void);
extern bool follow_has_begun;
void follow_begin(void);   /* the first thread that came to the end */
void follow_thread(void);  /* each thread, before it does anything there */

/* live.c */
long live_call(struct call *call);
long live_raw(struct call *call);            /* the kernel's answer to a call that does not wait */
void live_note(const struct call *call, long result); /* the record of a call made elsewhere */

/* arguments.c */
size_t inputs_size(const struct call *call);             /* upper bound of what inputs_write writes */
uint8_t *inputs_write(const struct call *call, uint8_t *p, size_t limit, bool data);
void inputs_each(const struct call *call, void (*take)(void *, const void *, size_t), void *context); /* of data, without paths */
size_t inputs_bytes(const struct call *call);            /* of data, without paths */
struct call_shape {
    bool known;
    bool data, path;         /* among the inputs */
    uint8_t inputs, outputs; /* elements in the record */
};
const struct call_shape *call_shape(const struct call_info *info);
size_t outputs_size(const struct call *call, long result);
uint8_t *outputs_write(const struct call *call, long result, uint8_t *p);
bool outputs_after_interruption(const struct call *call, long result);
void outputs_apply(const struct call *call, long result, uint8_t **p);
void inputs_compare(const struct call *call, uint8_t **p); /* diverges if the program gives other ones than the record */
/* More data than this is written down after the call, and only as much as the kernel took. */
#define INPUT_LARGE 65536

/* baton.c: one thread at a time */
extern volatile uint32_t baton_threads;  /* threads of this process that are alive */
extern volatile uint32_t baton_serving;
void baton_init(void);
void baton_acquire(void);
void baton_release(void);
void baton_yield(void);                  /* let one waiting thread go first */
void baton_open(void);                   /* nobody waits any more: recording is over */
void baton_wait_turn(void);              /* trace: until the stream says that this thread runs */
void baton_give_turn(uint32_t thread);
void baton_turns_end(void);              /* trace: nobody waits for his turn any more */
extern volatile uint32_t baton_turn;

/* threads.c */
long thread_clone(struct call *call);
long thread_exit(struct call *call);
void thread_arm(void);

/* process.c */
extern bool process_vfork_child;
long process_fork(struct call *call);            /* fork, vfork and every form of clone */
long process_fork_unrecorded(struct call *call);
long process_exec(struct call *call);
long process_exit(struct call *call);            /* returns only where a vfork child of a replay ends */

/* signals.c */
struct kernel_sigaction { void *handler; unsigned long flags; void *restorer; uint64_t mask; };
extern struct kernel_sigaction signal_actions[65];
void signals_init(uint64_t ignored);
void signals_install(bool go);           /* the shim's own handlers */
void signals_follow(void);               /* those that a replay did not tell the kernel of */
long signals_action(struct call *call);
long signals_mask(struct call *call);
long signals_stack(struct call *call);
bool signals_restartable(void);          /* does the waiting signal's handler ask for SA_RESTART? */
void signals_deliver(ucontext_t *frame, int where);
void signals_deliver_here(int where);    /* from a preloaded function: makes a frame first */
#define SPOOL_CANCEL 0x44524432 /* sigval of the SIGURG that a thread gets with pthread_cancel */
#define SPOOL_LATE 0x44524433   /* of the one that says that a signal has been waiting */
#define SHIM_TRAP_DELIVER 0x44524401
#define SHIM_TRAP_DELIVER_BEFORE 0x44524402

/* memory.c */
long memory_call(struct call *call);
bool memory_maps_file(const struct call *call);
size_t memory_mapping_length(const struct call *call, long result);
void memory_file_written(const struct call *call, long result); /* TRACE_MAPPED where it shows */
void memory_mapped_apply(uint8_t *fields);
void memory_image_note(const char *path, const void *base, size_t size);
size_t elf_build_id(const uint8_t *base, size_t size, const uint8_t **id);
bool elf_is_go(const uint8_t *base, size_t size);

/* descriptors.c */
bool descriptor_blocks(int fd);
void descriptors_note(const struct call *call, long result);
void descriptors_connecting(const struct call *call, int change); /* around a connect */
long faults_refuse(const struct call *call); /* 0, or -errno of a call that a cut forbids */
extern uint32_t faults_seen;
void faults_apply(void);                     /* break what has been cut since the last look */

/* vdso.c */
void vdso_take(void);
int vdso_clock(int clock, struct timespec *ts); /* the real one */
extern bool tsc_trapped;

/* tsc.c */
void tsc_arm(void);
bool tsc_handle(ucontext_t *frame);

/* seccomp.c */
extern bool seccomp_chosen;                    /* instead of Syscall User Dispatch */
long seccomp_arm(void);                        /* 0 or -errno */
void seccomp_probe_answer(void);
#define SHIM_TRAP_PROBE 0x44524403

/* simulated.c: the live world with the simulator in the place of the kernel */
extern struct mailbox *simulated;            /* NULL: the kernel answers */
bool simulated_open(void);
void simulated_attach(void);
void simulated_follow(void);                 /* a thread of a process that was replayed so far finds its place */
void simulated_begin(uint32_t mail, bool process);
void simulated_leave(uint32_t *word) __attribute__((noreturn));
long simulated_call(const struct call *call);
long simulated_ask(int64_t nr, long a, long b, long c); /* enum mail_ask */
long simulated_exec(long directory, const char *path, long flags, char *const *argv, char *const *env);
uint32_t simulated_number(void);
void simulated_number_set(uint32_t number);
const char *simulated_text(void);
bool simulated_signals(ucontext_t *frame);
void simulated_where(const ucontext_t *frame); /* does not return */
void simulated_dispositions(void);
int simulated_clock(int clock, struct timespec *ts);
long program_call(long nr, long a, long b, long c, long d);

/* start.c */
uint64_t auxiliary_get(uint64_t type);
extern char *const *shim_environment;
const char *environment_get(const char *name);  /* at the start only: the program may change its environment */
const char *environment_kept(const char *name); /* of what the shim needs: as it was at the start */
uint32_t thread_id_of(const void *control_block); /* 0: unknown */
uint32_t start_claim_process(void);             /* a process number of the run; 0: no more */
bool start_follow(void);                        /* the spool of the world that the process goes on in */
bool start_forked_live(uint32_t number, uint32_t parent);
bool start_forked_trace(uint32_t number);

#endif
