/* What is particular to x86-64: the gate, the trap frame, the thread pointer. Another machine is another folder. */
#ifndef DRD_SHIM_ARCH_H
#define DRD_SHIM_ARCH_H

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

extern char shim_gate_begin[], shim_gate_end[];
extern char shim_interruptible_begin[], shim_interruptible_end[], shim_interrupted[];
extern char shim_copy_begin[], shim_copy_end[], shim_copy_fault[], shim_string_at[], shim_string_fault[];

/* See gate.S. */
long shim_syscall(long nr, long a, long b, long c, long d, long e, long f);
long shim_syscall_interruptible(long nr, long a, long b, long c, long d, long e, long f, volatile uint64_t *pending);
void shim_restorer(void);
void shim_sigreturn(uintptr_t stack) __attribute__((noreturn));
void shim_thread_leave(uint32_t *word, uint32_t value) __attribute__((noreturn));
void shim_thread_exit(volatile uint32_t *word, uint32_t value, uint32_t *tid_word) __attribute__((noreturn));
long shim_trap(long nr);
long shim_trap_call(long nr, long a, long b, long c, long d, long e, long f);
size_t shim_copy(void *to, const void *from, size_t bytes);
void shim_scrub(size_t bytes);
long shim_string(const char *string, size_t max);
void shim_call_on_stack(void *handler, int signo, void *siginfo, void *context, uintptr_t stack);

/* A thread or process about to run on a stack of its own. The order is known to gate.S. */
struct birth {
    void (*born)(struct birth *);
    uint64_t r8, r9, r10, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rip;
    /* for born() */
    uint32_t number, tid, mail, home;
    uint32_t *clear_tid;
};
long shim_vfork(unsigned long flags, uintptr_t stack, struct birth *birth, uintptr_t save, size_t bytes, void *buffer);
long shim_clone(unsigned long flags, uintptr_t stack, void *ptid, void *ctid, unsigned long tls, struct birth *birth);

static inline void cpu_relax(void)
{
    __asm__ volatile("pause");
}

/* The trapped call. */
static inline long frame_call(const ucontext_t *uc, long a[6])
{
    const greg_t *g = uc->uc_mcontext.gregs;
    a[0] = g[REG_RDI], a[1] = g[REG_RSI], a[2] = g[REG_RDX], a[3] = g[REG_R10], a[4] = g[REG_R8], a[5] = g[REG_R9];
    return g[REG_RAX];
}

static inline void frame_set_result(ucontext_t *uc, long result)
{
    uc->uc_mcontext.gregs[REG_RAX] = result;
}

static inline uintptr_t frame_stack(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
}

static inline void frame_set_stack(ucontext_t *uc, uintptr_t stack)
{
    uc->uc_mcontext.gregs[REG_RSP] = (greg_t)stack;
}

static inline uintptr_t frame_pc(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}

static inline void frame_set_pc(ucontext_t *uc, uintptr_t pc)
{
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
}

static inline void birth_registers(struct birth *b, const ucontext_t *uc)
{
    const greg_t *g = uc->uc_mcontext.gregs;
    b->r8 = (uint64_t)g[REG_R8], b->r9 = (uint64_t)g[REG_R9], b->r10 = (uint64_t)g[REG_R10];
    b->r12 = (uint64_t)g[REG_R12], b->r13 = (uint64_t)g[REG_R13], b->r14 = (uint64_t)g[REG_R14];
    b->r15 = (uint64_t)g[REG_R15], b->rdi = (uint64_t)g[REG_RDI], b->rsi = (uint64_t)g[REG_RSI];
    b->rbp = (uint64_t)g[REG_RBP], b->rbx = (uint64_t)g[REG_RBX], b->rdx = (uint64_t)g[REG_RDX];
    b->rip = (uint64_t)g[REG_RIP];
}

/* rdtsc (0f 31) or rdtscp (0f 01 f9) at `pc`: its length, else 0. */
static inline int tsc_instruction(const uint8_t *pc)
{
    if (pc[0] == 0x0f && pc[1] == 0x31)
        return 2;
    return pc[0] == 0x0f && pc[1] == 0x01 && pc[2] == 0xf9 ? 3 : 0;
}

static inline void frame_set_tsc(ucontext_t *uc, uint64_t value, int length, uint64_t aux)
{
    greg_t *g = uc->uc_mcontext.gregs;
    g[REG_RAX] = (greg_t)(value & 0xffffffff);
    g[REG_RDX] = (greg_t)(value >> 32);
    if (length == 3)
        g[REG_RCX] = (greg_t)aux;
    g[REG_RIP] += length;
}

/* The thread control block as glibc lays it out (sysdeps/x86_64/nptl/tls.h): stack guard and pointer guard. */
static inline void *thread_pointer(void)
{
    void *p;
    __asm__("mov %%fs:0, %0" : "=r"(p));
    return p;
}

static inline void thread_guards_set(uint64_t stack_guard, uint64_t pointer_guard)
{
    __asm__ volatile("mov %0, %%fs:0x28\n mov %1, %%fs:0x30" : : "r"(stack_guard), "r"(pointer_guard));
}

/* The registers that a function must keep, its stack and its place, as DWARF numbers them (System V ABI for x86-64, figure 3.36):
 * with the unwind tables of the shim they lead to the caller's. */
static inline void registers_here(volatile uint64_t at[17])
{
    __asm__ volatile("mov %%rbx, 24(%0)\n mov %%rbp, 48(%0)\n mov %%rsp, 56(%0)\n mov %%r12, 96(%0)\n mov %%r13, 104(%0)\n"
                     "mov %%r14, 112(%0)\n mov %%r15, 120(%0)\n lea 0f(%%rip), %%rax\n mov %%rax, 128(%0)\n 0:"
                     : : "D"(at) : "rax", "memory");
}

/* The same of where a signal came, all of them. */
static inline void registers_there(const ucontext_t *uc, uint64_t at[17])
{
    static const int order[17] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
                                  REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (int i = 0; i < 17; i++)
        at[i] = (uint64_t)uc->uc_mcontext.gregs[order[i]];
}

/* `jmp *0(%rip); .quad target` */
#define JUMP_BYTES 14
static inline void jump_write(uint8_t *at, const void *target)
{
    static const uint8_t code[6] = {0xff, 0x25, 0, 0, 0, 0};
    for (int i = 0; i < 6; i++)
        at[i] = code[i];
    uint64_t to = (uint64_t)(uintptr_t)target;
    for (int i = 0; i < 8; i++)
        at[6 + i] = (uint8_t)(to >> (8 * i));
}

#endif
