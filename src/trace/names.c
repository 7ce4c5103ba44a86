#include "trace/names.h"

#include <sys/syscall.h>

#include "trace/calls.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define NAMES(call, ...) [SYS_##call] = {__VA_ARGS__},

static const char *const names[CALL_MAX][6] = {
#include "trace/names.def"
};

const char *trace_argument_name(int32_t call, unsigned index)
{
    static const char *const plain[6] = {"arg0", "arg1", "arg2", "arg3", "arg4", "arg5"};
    const struct call_info *info = call_info(call);
    if (index > 5)
        return "arg";
    if (!info)
        return plain[index];
    if (names[call][index])
        return names[call][index];
    switch (KIND_OF(info->argument[index])) {
    case KIND_FD:
        return "fd";
    case KIND_PATH:
        return "path";
    default:
        return plain[index];
    }
}
