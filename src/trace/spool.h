/* The spool: shared memory between the recorder and the nodes it records.
 *
 * One directory per run (environment variable DRD_SPOOL; on /dev/shm where allowed). It holds
 *   run              struct spool_run, mapped shared by the recorder and by every node
 *   PPPPPP.SSSSSS    segment S of the stream of process P (decimal, six digits), SPOOL_SEGMENT bytes each
 * The stream of a process is the concatenation of its segments; records cross segment borders freely.
 * `head` counts the bytes that are whole records. Bytes from `head` to `head + draft` are a record being written: its
 * inputs are there, its result is not: what the process was doing when it was killed.
 * The recorder deletes a segment once drained. Everything survives SIGKILL of anybody. */
#ifndef DRD_TRACE_SPOOL_H
#define DRD_TRACE_SPOOL_H

#include <stdint.h>

#define SPOOL_ABI 1u
#define SPOOL_MAGIC 0x4c4f4f5053445244ull /* "DRDSPOOL" little endian */
#define SPOOL_SEGMENT (1ul << 17)
#define SPOOL_PROCESSES 16384
#define SPOOL_NODES 256
#define SPOOL_NAME 64

#define SPOOL_ENV_DIR "DRD_SPOOL"     /* absolute path of the spool directory */
#define SPOOL_ENV_CONTROL "DRD_CONTROL" /* absolute path of the recorder's unix socket, for drd fault */
#define SPOOL_ENV_NODE "DRD_NODE"

enum spool_state {
    SPOOL_FREE = 0,
    SPOOL_STARTING = 1,   /* claimed; not yet readable */
    SPOOL_RUNNING = 2,
    SPOOL_ENDED = 3,      /* exit_group recorded: `status` is valid */
    SPOOL_EXECED = 4,     /* became another program, with a process number of its own */
    SPOOL_INCOMPLETE = 5, /* goes on unrecorded since `incomplete_event` */
    SPOOL_UNRECORDED = 6, /* never recorded: `name` and `reason` say what and why; for one warning each */
};

enum spool_reason {
    SPOOL_REASON_NONE = 0,
    SPOOL_REASON_NO_SPACE = 1,    /* the spool's file system is full */
    SPOOL_REASON_MAX_SIZE = 2,    /* --max-size reached */
    SPOOL_REASON_STOPPED = 3,     /* the recorder closed the run */
    SPOOL_REASON_SYSTEM = 4,      /* a call the recording needs failed; `status` holds errno */
    SPOOL_REASON_STATIC = 5,      /* statically linked program */
    SPOOL_REASON_SETUID = 6,      /* set-user-id or set-group-id program */
    SPOOL_REASON_LATE_SIGNAL = 8, /* a signal (`status`) was delivered in the middle of a long computation */
    SPOOL_REASON_STUCK = 9,       /* a thread kept the others from running for seconds */
    SPOOL_REASON_FORMAT = 7,      /* not an x86-64 ELF program */
};

/* One process. 256 bytes, so that two nodes never write to one cache line. */
struct spool_process {
    uint32_t state;      /* enum spool_state, release-stored */
    uint32_t pid;
    uint32_t parent;     /* process number, 0 = none recorded */
    uint32_t node;       /* index into spool_run.node, 0 = unnamed */
    uint64_t start;      /* CLOCK_MONOTONIC, ns */
    uint64_t pid_start;  /* field 22 of /proc/PID/stat is left to the recorder; 0 */
    int32_t status;      /* exit status as given to exit_group; errno for SPOOL_REASON_SYSTEM */
    uint32_t reason;     /* enum spool_reason */
    uint64_t incomplete_event;
    char name[SPOOL_NAME]; /* base name of the program */
    uint64_t pad0[2];
    /* the hot line: written by the node at every event */
    uint64_t head __attribute__((aligned(64))); /* bytes of whole records, release-stored */
    uint64_t events;     /* records in those bytes */
    uint64_t draft;      /* bytes after head that belong to a record being written */
    uint32_t cut_seen;   /* value of spool_run.cut_generation whose cuts this process has applied, release-stored */
    uint32_t pad1;
    uint64_t pad2[4];
    /* written by the recorder */
    uint64_t drained;    /* bytes copied into the run file */
};

struct spool_run {
    uint64_t magic;
    uint32_t abi;              /* SPOOL_ABI */
    uint32_t stopped;          /* set by the recorder: nodes go on unrecorded */
    uint32_t next_process;     /* fetch_add(1) claims a process number; starts at 1. 0 is the recorder itself */
    uint32_t strict;           /* --strict: a node that cannot be recorded is ended with status 125 */
    uint32_t recorder_pid;
    uint32_t simulated;        /* the simulator answers, see trace/mailbox.h */
    uint64_t max_bytes;        /* --max-size: 0 = none; compared with written_bytes */
    uint64_t written_bytes;    /* by the recorder: bytes in the run file so far */
    uint64_t tool_device, tool_inode; /* the drd program itself: never recorded */
    char only[128];            /* --only: globs on the program's base name or node name, a line each; "" = all */
    char run_file[512];        /* absolute path of the run file, for drd fsck --repair of what a dead recorder left */
    char shim[512];            /* absolute path of libdrd_shim.so, put back into LD_PRELOAD where a program dropped it */
    /* faults */
    uint32_t cut_generation;   /* raised after every change of `cut`; then each node is sent SIGURG with sigqueue(SPOOL_KICK) */
    uint32_t node_count;       /* starts at 1; raised by whoever names a node first, under node_lock */
    uint32_t node_lock;        /* spin lock (0/1), held for a few instructions */
    uint32_t connecting;       /* calls of connect under way: whose port it was is known at their end. One killed in it stays */
    char node[SPOOL_NODES][SPOOL_NAME];         /* node[0] = "": unnamed */
    uint64_t cut[SPOOL_NODES][SPOOL_NODES / 64]; /* bit b of row a: nothing passes between a and b; symmetric */
    uint16_t port_owner[65536]; /* TCP port on loopback -> node that bound it or connected from it */
    struct spool_process process[SPOOL_PROCESSES];
};

#define SPOOL_KICK 0x44524431 /* sigval of the SIGURG that tells a node to look at cut_generation */

/* Replay. `drd replay` expands the stream of every wanted process into DIR/PPPPPP and starts the program with the file
 * open as descriptor REPLAY_FD. A forked child opens its own file in DIR; if there is none, fork only pretends.
 * The first page of the file is struct replay_file, shared with the driver; the stream follows. */
#define REPLAY_FD 1000
#define REPLAY_MAGIC 0x59414c5045524452ull
#define REPLAY_HEADER 8192
#define REPLAY_REGISTERS 17

enum replay_state {
    REPLAY_WAITING = 0,
    REPLAY_RUNNING = 1,
    REPLAY_FINISHED = 2,  /* the end of the stream was reached, everything was equal */
    REPLAY_DIVERGED = 3,  /* `what`, `expected`, `got` say how */
    REPLAY_STOPPED = 4,   /* `until` was reached */
    REPLAY_FAILED = 5,    /* could not replay: `what` says why (address layout, memory) */
    REPLAY_FAULT = 6,     /* under a debugger: about to be killed by `signal`, by a fault of its own */
    REPLAY_GOES_ON = 7,   /* came to the end of its stream and lives on in the simulated world: `follow` */
};

/* The process is one of a recorded run that a simulated world goes on from (simulate/follow.h). */
enum replay_follow {
    FOLLOW_NOT = 0,
    FOLLOW_TO_END = 1, /* it ends with its stream */
    FOLLOW_ON = 2,     /* then it lives on: its spool is MAILBOX_SPOOL_DIR, and holds its stream so far */
};

struct replay_file {
    uint64_t magic;
    uint32_t abi;        /* SPOOL_ABI */
    uint32_t process;    /* number of this process */
    uint64_t bytes;      /* of stream after the header */
    uint64_t until;      /* stop before the record with this sequence number; UINT64_MAX = never */
    uint32_t wait_for_debugger; /* at `until`: wait until traced. Then it passes drd_stop_here, there and wherever it ends */
    uint32_t echo;       /* write what the node writes to descriptors 1 and 2 to descriptors REPLAY_FD+1 and +2 too */
    char dir[512];       /* the directory of this file */
    uint32_t again;      /* the started program must execve `again_path` itself, once, with the same argv and environment */
    char again_path[64]; /* "/proc/self/exe": a path that only the program itself can be started by */
    /* answers of the shim */
    uint32_t state;      /* enum replay_state */
    uint32_t thread;     /* that was running */
    uint64_t events;     /* records consumed */
    int32_t call;        /* enum trace_code or system call number the node made */
    int32_t expected_call;
    uint32_t pid;
    uint32_t argument;   /* which argument differs, 0..5; 6 = thread order; 7 = which call; 8 = event */
    char what[256];      /* one line */
    char expected[1024]; /* text or hex, cut to fit */
    char got[1024];
    uint64_t offset;      /* of the first differing byte in data */
    /* of the thread that stopped at `until`, for whoever reads its stack */
    uint64_t registers[REPLAY_REGISTERS]; /* numbered as DWARF does; 0 where a function need not keep them */
    uint64_t thread_pointer;
    /* for the shim again; last, so that an older one finds what it knows */
    uint32_t other_build; /* another build of the program: its memory is its own affair, and what it states, draws and sets
                             timers to is compared too. Where it departs it writes what it did, a record, to "<process>.made",
                             and waits */
    /* for debuggers */
    uint64_t stop_here;   /* address of drd_stop_here: a breakpoint there stops at `until`, at the end and at faults */
    int32_t signal;       /* of REPLAY_FAULT */
    char echo_name[64];   /* not "": lines that are echoed begin with NAME@NUMBER|, NUMBER counted from echo_base */
    uint64_t echo_base;
    uint32_t follow;      /* enum replay_follow */
    uint64_t follow_stamp; /* value of the last TRACE_TIME in the stream */
};

#endif
