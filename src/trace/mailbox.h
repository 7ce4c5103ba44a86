/* The simulated world as its processes see it: shared memory in which each thread asks the simulator for the answer to a
 * system call, and waits for its turn. One thread of the whole world runs at a time, so nothing here needs a lock: a word
 * of `state` says whose move it is, the thread's or the simulator's.
 *
 * What is small of the arguments' memory goes with question and answer; the rest the simulator reads and writes in the asking
 * process itself (process_vm_readv(2)). What the call did is then recorded by the shim exactly as in the live world. */
#ifndef DRD_TRACE_MAILBOX_H
#define DRD_TRACE_MAILBOX_H

#include <stdint.h>

#define MAILBOX_MAGIC 0x444c524f57445244ull /* "DRDWORLD" little endian */
#define MAILBOX_ABI 5u
#define MAILBOX_CLOCKS 16
#define MAILBOX_THREADS 4096
#define MAILBOX_PATH 4096
#define MAILBOX_PIECES 24
#define MAILBOX_REGISTERS 17 /* of a thread, numbered as DWARF does (System V ABI for x86-64, figure 3.36) */

/* The descriptor under which every process of the world has the spool's directory: a name that is the same in each run. */
#define MAILBOX_SPOOL_FD 1001
#define MAILBOX_SPOOL_DIR "/proc/self/fd/1001"

enum mail_state {
    MAIL_FREE = 0,
    MAIL_EXPECTED = 1, /* a program is about to start in process `pid` and will ask here first */
    MAIL_RUNS = 2,     /* the thread has its answer and runs */
    MAIL_ASKS = 3,     /* the simulator is to answer */
};

/* Beside system calls (numbers from 0 up) a thread asks: */
enum mail_ask {
    MAIL_ATTACH = -1,      /* a program has started, its first thread is here; `text`: the name of its node. Answer: its process id,
                              and in `text` the 16 bytes of AT_RANDOM */
    MAIL_BORN = -2,        /* a thread or a forked process has begun to run */
    MAIL_FORK = -3,        /* arg: flags of clone(2). Answer: process id; `number`: where the child asks, from its first moment on */
    MAIL_VFORK = -4,       /* as MAIL_FORK, the child asks here until MAIL_VFORKED */
    MAIL_VFORKED = -5,     /* the parent goes on. Answer: the child's process id; arg 0: -errno if there was none */
    MAIL_CLONE = -6,       /* a new thread. Answer: its thread id; `number`: where it asks */
    MAIL_EXEC = -7,        /* arg: descriptor of a directory, path, flags, arguments, environment; `number`: the real process id. Answer: 0 and in `text` the
                              file to execute, or -errno */
    MAIL_EXEC_FAILED = -8, /* arg 0: -errno */
    MAIL_EXIT = -9,        /* arg 0: status. The process is gone when the answer comes */
    MAIL_THREAD_EXIT = -10, /* arg 0: address of the word that is cleared, 0 none. No answer: nobody waits for one */
    MAIL_MAP = -11,        /* arg 0: descriptor, 1: whether writes go to the file. Answer: 0 and in `text` the file of the host to map, or 1: its content must be read */
    MAIL_DEAD = -12,       /* answer only: the world has ended */
    MAIL_SIGNALS = -14,    /* signals that waited may be let through now: they come with the answer */
    MAIL_REFUSED = -13,    /* arg 0: system call that DRD does not let programs make, io_uring_setup(2) for one. No word about it */
};

/* Memory of the process that goes with a question or an answer in `text`: a look into another process costs a system call each. */
struct mail_piece {
    uint64_t at;     /* address in the process */
    uint32_t size, where; /* in `text` */
};

struct mail {
    uint32_t state;   /* enum mail_state; a futex that both sides wait on */
    uint32_t pid;     /* real process id */
    int64_t nr;       /* system call, or enum mail_ask */
    int64_t arg[6];
    int64_t result;
    uint64_t blocked; /* the thread's signal mask as the call found it */
    uint32_t number;
    int32_t signal;   /* with the answer: this signal is to be delivered, `info` tells of it; 0 none */
    uint64_t event;   /* number that the record of this call gets in its stream, and */
    uint32_t stream;  /* the process number of that stream; 0: it has none yet */
    uint32_t filled;  /* bytes of `text`, in a system call: */
    uint32_t given;   /* pieces that the thread gave: what is there now, and behind them, */
    uint32_t pieces;  /* up to this number, those of the simulator: what the thread is to put there */
    struct mail_piece piece[MAILBOX_PIECES];
    uint32_t child;   /* real process id of the child of a vfork, which asks here meanwhile; 0 none */
    uint8_t info[128];
    char text[MAILBOX_PATH];
};

/* What the simulator must know of a process to decide what a signal does, set by the process in rt_sigaction; and what its time of day
 * is off by, set by the simulator. */
struct mail_process {
    uint64_t caught, ignored; /* signal sets, bit n-1 is signal n */
    uint64_t pending;         /* set by the simulator: signals that wait for one of its threads */
    int64_t realtime; /* ns */
};

/* A look at the time of day that is to give another answer. Looks ask nobody. */
struct mail_clock {
    uint64_t event;   /* number that its record gets, and */
    uint32_t stream;  /* the process number of that stream */
    uint32_t met;     /* set by the process */
    int64_t value;    /* ns since 1970 */
};

struct mailbox {
    uint64_t magic;
    int32_t simulator; /* its pid: whose world it is does not outlive it */
    uint32_t abi, unused;
    uint64_t now;      /* CLOCK_MONOTONIC of the world, ns; a clock read moves it on */
    uint64_t epoch;    /* CLOCK_REALTIME at now = 0, ns */
    uint64_t tick;     /* ns that a clock read takes */
    /* Of a thread that computes and never asks: the simulator sends it SIGSYS, the shim writes down where it is and lets it wait. */
    uint64_t registers[MAILBOX_REGISTERS];
    uint32_t registers_are_there, unused_too;
    uint64_t clocks;
    struct mail_clock clock[MAILBOX_CLOCKS];
    struct mail_process process[MAILBOX_THREADS]; /* by the mail of its first thread */
    struct mail mail[MAILBOX_THREADS];
};

#endif
