/* What the arguments of a system call are called, for people. Not for the shim. */
#ifndef DRD_TRACE_NAMES_H
#define DRD_TRACE_NAMES_H

#include <stdint.h>

/* The name of argument 0..5 of a call: "fd", "flags"; "arg3" where nobody wrote one down. Static storage. */
const char *trace_argument_name(int32_t call, unsigned index);

#endif
