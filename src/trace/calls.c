#include "trace/calls.h"

#include <sys/syscall.h>

/* Numbers that the headers of Debian 12 do not have yet. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define RECORD CALL_RECORD
#define AGAIN CALL_AGAIN
#define EMULATE CALL_EMULATE
#define REFUSE CALL_REFUSE
#define B CALL_BLOCKS
#define R CALL_RESTARTS
#define _ KIND_NONE
#define I KIND_INT
#define L KIND_LONG
#define F KIND_FD
#define X KIND_SKIP
#define P KIND_PATH
#define IN(n) (KIND_IN | (n))
#define IN_LEN(k) (KIND_IN_LEN | (k))
#define OUT(n) (KIND_OUT | (n))
#define OUT_RET(u) (KIND_OUT_RET | (u))
#define OUT_LEN(k) (KIND_OUT_LEN | (k))
#define ADDR_OUT KIND_ADDR_OUT
#define LEN_PTR KIND_LEN_PTR
#define IOV_IN(k) (KIND_IOV_IN | (k))
#define IOV_OUT(k) (KIND_IOV_OUT | (k))
#define SPECIAL(s) (KIND_SPECIAL | SPECIAL_##s)

#define CALL(call, how, what, a, b, c, d, e, f) [SYS_##call] = {#call, how, what, {a, b, c, d, e, f}},

const struct call_info call_table[CALL_MAX] = {
#include "trace/calls.def"
};
