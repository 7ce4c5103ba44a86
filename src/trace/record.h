/* The record grammar: what stands in the stream of one process.
 *
 * A stream is a sequence of msgpack objects, one per event, in the order in which the process lived through them:
 *
 *   integer            the running thread read CLOCK_MONOTONIC; the value is the previous one read plus
 *                      this many units of TRACE_CLOCK_UNIT ns (the first: since 0)
 *   [nr, ...]          nr >= 0: a system call. First its recorded inputs in argument order (trace/calls.def says which:
 *                      integers as integers, paths as str, data as bin), then the result as the kernel returns it
 *                      (-errno on failure), then its outputs in argument order, each a bin (only if the result is >= 0, or
 *                      -EINTR of a wait that says how much of it was left).
 *                      nil stands for data that could not be read (a bad pointer), that is NULL, or that the TRACE_ENTER
 *                      of the same call already holds
 *   [code, ...]        code < 0: a named event, below
 *
 * Threads run one at a time, so a record need not say who made it: enum trace_code TRACE_SWITCH does, when it changes.
 * The ordinal of a record in its stream, from 0, is its sequence number.
 * In a chunk of the run file a bin of TRACE_PAYLOAD_MIN bytes or more is replaced by ext type TRACE_EXT_PAYLOAD
 * (16 bytes XXH3-128 big endian, 8 bytes length big endian); the bytes stand once in table `payload`. */
#ifndef DRD_TRACE_RECORD_H
#define DRD_TRACE_RECORD_H

/* Raised whenever a stream written by an older shim could no longer be read or replayed. */
#define TRACE_FORMAT_VERSION 1

/* Nodes get CLOCK_MONOTONIC in steps of 64 ns: less than a recorded read takes, so that two reads still differ, and a
 * byte less for each of the most frequent events. */
#define TRACE_CLOCK_UNIT 64

#define TRACE_EXT_PAYLOAD 1
#define TRACE_PAYLOAD_MIN 32768

/* Named events. Fields follow the code in the array. [*] = present in replay matching, others are information only. */
enum trace_code {
    TRACE_SWITCH = -1,       /* thread: from here on this thread runs */
    TRACE_TIME = -2,         /* delta: ns of CLOCK_MONOTONIC since the previous stamp of this stream (first: since its start) */
    TRACE_SIGNAL = -3,       /* signo, where (0 after a call, 1 before one, 2 after another handler), siginfo:
                                bin 128 */
    TRACE_THREAD_START = -4, /* thread, tid: a new thread, numbered from 1 up; written by itself as it first runs */
    TRACE_THREAD_EXIT = -5,  /* status */
    TRACE_ENTER = -6,        /* nr, inputs...: a call that may block was begun; its outputs to the world are here */
    TRACE_CONNECTION = -7,   /* fd, role (0 connected, 1 accepted, 2 listening), local sockaddr: bin, peer sockaddr: bin */
    TRACE_FAULT = -8,        /* what: str ("cut", "heal"), fd or -1, peer node: str */
    TRACE_MARK = -9,         /* kind, a, b, c: int, text: bin  (include/drd/drd.h) */
    TRACE_DRAW = -10,        /* source: str ("rand", "random", ...), value: int */
    TRACE_TIMER = -11,       /* what: str, deadline: ns from now, repeat: ns, callback: str (symbol or "0x...") */
    TRACE_UNHANDLED = -12,   /* nr, a0..a5, result: a call that the table does not know; executed, not replayable for sure */
    TRACE_TSC = -13,         /* value: rdtsc or rdtscp, trapped; aux: int for rdtscp */
    TRACE_START = -14,       /* map of facts, first record of every stream; keys below */
    TRACE_END = -15,         /* status: exit_group was called */
    TRACE_CLOCK = -16,       /* clock id, seconds, nanoseconds: any clock but CLOCK_MONOTONIC */
    TRACE_IMAGE = -17,       /* path: str, base, size, build-id: bin: a program or library mapped after the start */
    TRACE_FORK = -18,        /* child process number (0: not recorded), pid: fork returned in the parent */
    TRACE_EXEC = -19,        /* path: str, argv: array of str: about to become another program (last record if it works) */
    TRACE_EXEC_FAILED = -20, /* result: -errno of the execve announced before */
    TRACE_VFORK_BEGIN = -21, /* the child of vfork runs on in this stream, in the parent's memory, until it execs or exits */
    TRACE_VFORK_END = -22,   /* pid: what vfork or the clone behind posix_spawn returned in the parent */
    TRACE_INCOMPLETE = -23,  /* reason: str: recording ended here; the process went on unrecorded */
    TRACE_MAPPED = -24,      /* address, data: bin: the process wrote to a file that it has mapped shared: the mapping shows it */
    TRACE_CODE_MIN = -24,
};

/* Keys of the map in TRACE_START:
 *   "how"      str   "exec" or "fork"
 *   "parent"   int   process number of the parent or of the program before exec, 0 if none was recorded
 *   "same_pid" bool  this process is its parent after execve
 *   "pid" "ppid" "tid" int      "monotonic" "realtime" int (ns)
 *  for "exec" only:
 *   "exe" "program" "cwd" "node" str  ("exe": AT_EXECFN as found, "program": /proc/self/exe, "node": DRD_NODE or "")
 *   "gate"      str             "dispatch" or "seccomp": how calls outside the preloaded functions were caught
 *   "ignored" "blocked" int     signal sets inherited, bit n-1 = signal n
 *   "argv" "env" array of str   (in the order found; "env" holds DRD's own variables too: replay needs them)
 *   "stack_limit" int           soft RLIMIT_STACK in bytes, -1 unlimited: it moves the addresses
 *   "stack" int                 address of argc: the same in every replay
 *   "random" bin 16             the bytes of AT_RANDOM
 *   "auxv" bin                  the auxiliary vector
 *   "objects" array of [path str, base int, build_id bin]   what the loader had mapped, in its order */
#endif
