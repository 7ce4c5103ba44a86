/* rdtsc and rdtscp: made to fault with PR_SET_TSC (prctl(2)) and answered from the SIGSEGV handler. The vDSO reads the
 * counter too, so the trap is set only where the program or a library of its own holds the instruction; clock reads then
 * cost a system call. Known readers that need no trap are left out: libc and the loader time themselves only for debug
 * output, libcrypto is told by OPENSSL_ia32cap that there is no counter. */
#include "shim/shim.h"

#include <link.h>
#include <sys/prctl.h>

extern int dl_iterate_phdr(int (*)(struct dl_phdr_info *, size_t, void *), void *) __attribute__((weak));

static bool name_is_exempt(const char *path)
{
    static const char *const exempt[] = {"libc.so", "ld-linux", "libcrypto", "libdrd_shim", "linux-vdso", "libpthread", "libm.so"};
    const char *name = text_base_name(path);
    for (size_t i = 0; i < sizeof exempt / sizeof *exempt; i++)
        if (text_starts(name, exempt[i]))
            return true;
    return false;
}

/* rdtscp; or rdtsc followed by the shift that joins the halves, or by ret. Two bytes alone occur by chance. */
static bool code_reads_tsc(const uint8_t *p, const uint8_t *end)
{
    for (; p + 32 < end; p++) {
        if (p[0] != 0x0f)
            continue;
        if (p[1] == 0x01 && p[2] == 0xf9)
            return true;
        if (p[1] != 0x31)
            continue;
        if (p[2] == 0xc3)
            return true;
        for (int i = 2; i < 20; i++)
            if (p[i] == 0x48 && p[i + 1] == 0xc1 && p[i + 3] == 0x20 && p[i + 2] >= 0xe0 && p[i + 2] <= 0xe7)
                return true;
    }
    return false;
}

static int object_reads_tsc(struct dl_phdr_info *info, size_t size, void *found)
{
    (void)size;
    if (name_is_exempt(info->dlpi_name))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        const uint8_t *code = (const uint8_t *)(info->dlpi_addr + ph->p_vaddr);
        if (ph->p_type == PT_LOAD && ph->p_flags & PF_X && code_reads_tsc(code, code + ph->p_filesz))
            *(bool *)found = true;
    }
    return *(bool *)found;
}

void tsc_arm(void)
{
    bool found = false;
    if (dl_iterate_phdr)
        dl_iterate_phdr(object_reads_tsc, &found);
    if (found && RAW(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV) == 0)
        tsc_trapped = true;
}

static uint64_t tsc_read(uint32_t *aux)
{
    uint32_t low, high;
    if (simulated)
        return *aux = 0, (simulated->now += simulated->tick) * 2;
    RAW(SYS_prctl, PR_SET_TSC, PR_TSC_ENABLE);
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(*aux));
    RAW(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
    return (uint64_t)high << 32 | low;
}

bool tsc_handle(ucontext_t *frame)
{
    int length = tsc_trapped ? tsc_instruction((const uint8_t *)frame_pc(frame)) : 0;
    uint32_t aux = 0;
    uint64_t value;
    if (!length)
        return false;
    if (shim_world == WORLD_TRACE && trace_goes_on()) {
        uint8_t *p = trace_take(TRACE_TSC);
        value = (uint64_t)trace_int(&p);
        aux = (uint32_t)trace_int(&p);
        trace_done(p);
    } else {
        value = tsc_read(&aux);
        stream_put(TRACE_TSC, 2, (int64_t)value, (int64_t)aux);
    }
    frame_set_tsc(frame, value, length, aux);
    return true;
}
