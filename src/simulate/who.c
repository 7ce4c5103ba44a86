/* Who and where a process is, its limits, chance. Every machine of this world is the same. */
#include "simulate/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static long name_get(struct machine *m, struct task *t)
{
    struct utsname u = {.sysname = "Linux", .nodename = "simulated", .release = "6.1.0", .version = "#1", .machine = "x86_64"};
    return user_put(m, t, t->arg[0], &u, sizeof u) ? 0 : -EFAULT;
}

static long limit_get(struct machine *m, struct task *t, int64_t to, int64_t which)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (which < 0 || which >= RLIM_NLIMITS)
        return -EINVAL;
    if (which == RLIMIT_STACK)
        limit.rlim_cur = 8u << 20;
    if (which == RLIMIT_NOFILE)
        limit = (struct rlimit){1024, 1024};
    if (which == RLIMIT_CORE)
        limit.rlim_cur = 0;
    return !to || user_put(m, t, to, &limit, sizeof limit) ? 0 : -EFAULT;
}

static long random_get(struct machine *m, struct task *t)
{
    size_t size = (uint64_t)t->arg[1] > 65536 ? 65536 : (size_t)t->arg[1];
    if (t->arg[2] & ~(int64_t)7)
        return -EINVAL;
    uint8_t *bytes = machine_scratch(m, size + 8);
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = chance_next(&t->process->numbers);
        memcpy(bytes + i, &word, 8);
    }
    step_draw(t, bytes, size);
    return user_put(m, t, t->arg[0], bytes, size) ? (long)size : -EFAULT;
}

static long system_get(struct machine *m, struct task *t)
{
    struct sysinfo s = {.uptime = (long)(machine_now(m) / SECOND), .totalram = 4ul << 30, .freeram = 2ul << 30, .procs = 10, .mem_unit = 1};
    return user_put(m, t, t->arg[0], &s, sizeof s) ? 0 : -EFAULT;
}

static long processors_get(struct machine *m, struct task *t)
{
    uint64_t one = 1;
    if ((uint64_t)t->arg[1] < 8)
        return -EINVAL;
    return user_put(m, t, t->arg[2], &one, 8) ? 8 : -EFAULT;
}

static long three(struct machine *m, struct task *t)
{
    uint32_t zero = 0;
    for (int i = 0; i < 3; i++)
        if (!user_put(m, t, t->arg[i], &zero, 4))
            return -EFAULT;
    return 0;
}

static long program_set(struct machine *m, struct task *t)
{
    int zero = 0;
    char name[16] = "";
    switch (t->arg[0]) {
    case 15: /* PR_SET_NAME */
        return user_get(m, t, name, t->arg[1], sizeof name) ? (memcpy(t->process->name, name, 15), 0) : -EFAULT;
    case 16: /* PR_GET_NAME */
        return user_put(m, t, t->arg[1], t->process->name, 16) ? 0 : -EFAULT;
    case 2: /* PR_GET_PDEATHSIG */
        return user_put(m, t, t->arg[1], &zero, 4) ? 0 : -EFAULT;
    case 3: /* PR_GET_DUMPABLE */
        return 1;
    case 23: /* PR_CAPBSET_READ */
        return 1;
    case 1: case 4: case 8: case 22: case 36: case 38: case 0x53564d41: /* set, and nobody sees a difference */
        return 0;
    }
    return -EINVAL;
}

static long processor_get(struct machine *m, struct task *t)
{
    uint32_t zero = 0;
    return (!t->arg[0] || user_put(m, t, t->arg[0], &zero, 4)) && (!t->arg[1] || user_put(m, t, t->arg[1], &zero, 4)) ? 0 : -EFAULT;
}

static long capabilities(struct machine *m, struct task *t)
{
    uint32_t head[2], data[6] = {0};
    if (!user_get(m, t, head, t->arg[0], sizeof head))
        return -EFAULT;
    head[0] = 0x20080522;
    if (!user_put(m, t, t->arg[0], head, 4) || (t->arg[1] && !user_put(m, t, t->arg[1], data, sizeof data)))
        return -EFAULT;
    return 0;
}

long who_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    uint32_t zero = 0;
    switch (t->nr) {
    case SYS_getuid: case SYS_geteuid: case SYS_getgid: case SYS_getegid: return 0;
    case SYS_getresuid: case SYS_getresgid: return three(m, t);
    case SYS_setuid: case SYS_setgid: case SYS_setreuid: case SYS_setregid: case SYS_setresuid: case SYS_setresgid: case SYS_setgroups:
    case SYS_setfsuid: case SYS_setfsgid: return 0;
    case SYS_getgroups: return 0;
    case SYS_capget: return capabilities(m, t);
    case SYS_capset: return 0;
    case SYS_uname: return name_get(m, t);
    case SYS_sysinfo: return system_get(m, t);
    case SYS_getrlimit: return limit_get(m, t, a[1], a[0]);
    case SYS_prlimit64: return limit_get(m, t, a[3], a[1]);
    case SYS_setrlimit: return 0;
    case SYS_getrandom: return random_get(m, t);
    case SYS_getpriority: return 20;
    case SYS_setpriority: case SYS_ioprio_set: case SYS_sched_setscheduler: case SYS_sched_setparam: case SYS_sched_setaffinity: return 0;
    case SYS_ioprio_get: case SYS_sched_getscheduler: case SYS_sched_get_priority_max: case SYS_sched_get_priority_min: return 0;
    case SYS_sched_getparam: return user_put(m, t, a[1], &zero, 4) ? 0 : -EFAULT;
    case SYS_sched_getaffinity: return processors_get(m, t);
    case SYS_getcpu: return processor_get(m, t);
    case SYS_prctl: return program_set(m, t);
    case SYS_set_robust_list: case SYS_mlock: case SYS_mlock2: case SYS_munlock: case SYS_mlockall: case SYS_munlockall: case SYS_msync:
    case SYS_membarrier: case SYS_set_mempolicy: case SYS_mbind: case SYS_personality: return 0;
    case SYS_get_mempolicy: return !a[0] || user_put(m, t, a[0], &zero, 4) ? 0 : -EFAULT;
    }
    *mine = false;
    return -ENOSYS;
}
