/* The table of system calls as data. See calls.def for the words. Freestanding: the shim uses it too. */
#ifndef DRD_TRACE_CALLS_H
#define DRD_TRACE_CALLS_H

#include <stddef.h>
#include <stdint.h>

#define CALL_MAX 512 /* numbers at or above are unknown by definition */

enum call_disposition { CALL_UNKNOWN, CALL_RECORD, CALL_AGAIN, CALL_EMULATE, CALL_REFUSE };
enum call_flag { CALL_BLOCKS = 1, CALL_RESTARTS = 2 };

/* Kinds of an argument; the low 12 bits of the code are a parameter. */
enum call_kind {
    KIND_NONE = 0x0000, KIND_INT = 0x1000, KIND_LONG = 0x2000, KIND_FD = 0x3000, KIND_SKIP = 0x4000, KIND_PATH = 0x5000,
    KIND_IN = 0x6000, KIND_IN_LEN = 0x7000, KIND_OUT = 0x8000, KIND_OUT_RET = 0x9000, KIND_ADDR_OUT = 0xa000,
    KIND_LEN_PTR = 0xb000, KIND_IOV_IN = 0xc000, KIND_IOV_OUT = 0xd000, KIND_SPECIAL = 0xe000, KIND_OUT_LEN = 0xf000,
};
#define KIND_OF(code) ((enum call_kind)((code) & 0xf000))
#define KIND_PARAMETER(code) ((code) & 0x0fff)

/* Arguments with a shape of their own. The recorded form is: */
enum call_special {
    SPECIAL_OFFSET = 1, /* out: loff_t, value-result, 8 bytes (empty when NULL) */
    SPECIAL_FCNTL,      /* in: int (0 where the request takes none); out: struct flock, 32 bytes, of F_GETLK and F_OFD_GETLK, else empty */
    SPECIAL_IOCTL,      /* in: 0; out: what the request is known to fill, else empty */
    SPECIAL_POLLFD,     /* out: struct pollfd[nfds] (empty when the result is 0: all revents 0) */
    SPECIAL_MASK,       /* in: nothing; a signal mask in force during the call */
    SPECIAL_FDSET,      /* out: the bitmap, ceil(n / 64) * 8 bytes */
    SPECIAL_TIMEVAL,    /* in and out: struct timeval or timespec, 16 bytes: Linux leaves what was not waited */
    SPECIAL_MSG_IN,     /* in: bin of the data, gathered */
    SPECIAL_MSG_OUT,    /* out: bin: u32 namelen, u32 controllen, u32 flags, name, control, data of `result` bytes */
    SPECIAL_MMSG_IN,    /* in: bin: for each message u32 length, data; out: u32[result], how much of each was sent */
    SPECIAL_MMSG_OUT,   /* out: bin: for each message the bin of MSG_OUT preceded by u32 msg_len */
    SPECIAL_GROUPS,     /* out: gid_t[result], empty when size is 0 */
    SPECIAL_NODEMASK,   /* out: bitmap of argument 2 bits */
    SPECIAL_AIO_SUBMIT, /* in: bin: for each iocb u32 fd, u32 opcode, u64 offset, u32 length, data (written ones) */
    SPECIAL_AIO_EVENTS, /* out: struct io_event[result], then the data of those that were reads */
    SPECIAL_MAPPING,    /* out: what a file mapping shows; empty for anonymous ones and for images (TRACE_IMAGE) */
    SPECIAL_MSGRCV,     /* out: long mtype, then `result` bytes */
    SPECIAL_PRCTL,      /* out: what the PR_GET options fill, else empty */
};

struct call_info {
    const char *name;          /* NULL: not in the table */
    uint8_t disposition;       /* enum call_disposition */
    uint8_t flags;             /* enum call_flag */
    uint16_t argument[6];      /* enum call_kind | parameter */
};

extern const struct call_info call_table[CALL_MAX] __attribute__((visibility("hidden")));

/* The row of a call, or NULL if the table does not know it. */
static inline const struct call_info *call_info(int64_t nr)
{
    return nr >= 0 && nr < CALL_MAX && call_table[nr].name ? &call_table[nr] : NULL;
}

/* Does an argument of this kind stand before the result (input), after it (output), or both? */
static inline int kind_has_input(uint16_t code)
{
    switch (KIND_OF(code)) {
    case KIND_INT: case KIND_LONG: case KIND_FD: case KIND_PATH: case KIND_IN: case KIND_IN_LEN: case KIND_IOV_IN:
        return 1;
    case KIND_SPECIAL:
        switch (KIND_PARAMETER(code)) {
        case SPECIAL_FCNTL: case SPECIAL_IOCTL: case SPECIAL_TIMEVAL: case SPECIAL_MSG_IN: case SPECIAL_MMSG_IN:
        case SPECIAL_AIO_SUBMIT:
            return 1;
        }
        return 0;
    default:
        return 0;
    }
}

static inline int kind_has_output(uint16_t code)
{
    switch (KIND_OF(code)) {
    case KIND_OUT: case KIND_OUT_RET: case KIND_OUT_LEN: case KIND_ADDR_OUT: case KIND_LEN_PTR: case KIND_IOV_OUT:
        return 1;
    case KIND_SPECIAL:
        switch (KIND_PARAMETER(code)) {
        case SPECIAL_OFFSET: case SPECIAL_FCNTL: case SPECIAL_IOCTL: case SPECIAL_POLLFD: case SPECIAL_FDSET:
        case SPECIAL_TIMEVAL: case SPECIAL_MSG_OUT: case SPECIAL_MMSG_OUT: case SPECIAL_GROUPS: case SPECIAL_NODEMASK:
        case SPECIAL_AIO_EVENTS: case SPECIAL_MAPPING: case SPECIAL_MMSG_IN: case SPECIAL_PRCTL: case SPECIAL_MSGRCV:
            return 1;
        }
        return 0;
    default:
        return 0;
    }
}

#endif
