/* The second door on kernels without Syscall User Dispatch (before 5.11, or taken away by a sandbox): a seccomp filter that
 * traps every system call made outside the gate, told by the program counter. seccomp(2), SECCOMP_RET_TRAP.
 *
 * A filter cannot be taken off and outlives exec, so the loader of the next program must be let through: its text is exempt
 * too, which is why what dlopen does is not recorded in this mode, but done again in a replay. Replay uses the door that the
 * recording used ("gate" in the START record). */
#include "shim/shim.h"

#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

bool seccomp_chosen;

static bool active, probed;

/* From the trap handler: the probe was trapped, so an earlier program of this process has left its filter. */
void seccomp_probe_answer(void)
{
    probed = true;
}

/* Four instructions a range: pc in [from, to) -> allow. The ranges are text of one library: the upper halves are equal. */
static struct sock_filter *put_range(struct sock_filter *f, uintptr_t from, uintptr_t to)
{
    const unsigned low = offsetof(struct seccomp_data, instruction_pointer), high = low + 4;
    *f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, high);
    *f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(from >> 32), 0, 4);
    *f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low);
    *f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)from, 0, 2);
    *f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)to, 1, 0);
    *f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return f;
}

/* libc asks for the stack limit before any constructor runs; a replay sets the recorded one. */
static struct sock_filter *put_stack_limit(struct sock_filter *f)
{
    *f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    *f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 5);
    *f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]));
    *f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RLIMIT_STACK, 0, 3);
    *f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]));
    *f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    *f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return f;
}

static bool loader_text(uintptr_t base, uintptr_t *from, uintptr_t *to)
{
    const Elf64_Ehdr *head = (const void *)base;
    const Elf64_Phdr *ph = (const void *)(base + (base ? head->e_phoff : 0));
    for (int i = 0; base && i < head->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_X) {
            *from = base + ph[i].p_vaddr;
            *to = *from + ph[i].p_memsz;
            return true;
        }
    return false;
}

long seccomp_arm(void)
{
    struct sock_filter filter[24], *f = filter;
    uintptr_t from, to;
    if (active)
        return 0; /* threads and forked children inherit it */
    active = true;
    shim_trap(SHIM_TRAP_PROBE);
    if (probed)
        return 0;
    f = put_range(f, (uintptr_t)shim_gate_begin, (uintptr_t)shim_gate_end);
    if (loader_text(auxiliary_get(AT_BASE), &from, &to))
        f = put_range(f, from, to);
    f = put_stack_limit(f);
    *f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog program = {.len = (unsigned short)(f - filter), .filter = filter};
    RAW(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return RAW(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
