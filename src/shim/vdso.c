/* The vDSO answers clock reads without a system call, so no trap sees them. The shim moves the real one aside and puts a
 * copy in its place whose functions jump into the shim: libc, and runtimes that look for the vDSO themselves, then read
 * recorded clocks at the price of a function call. vdso(7); mremap(2) may move it. */
#include "shim/shim.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>

bool tsc_trapped;

static int (*real_clock)(int, struct timespec *);

int vdso_clock(int clock, struct timespec *ts)
{
    if (real_clock && !tsc_trapped)
        return real_clock(clock, ts);
    return (int)RAW(SYS_clock_gettime, clock, ts);
}

static int live_clock(int clock, struct timespec *ts);

static int trace_clock(int clock, struct timespec *ts)
{
    int next;
    while ((next = trace_peek()) == TRACE_SIGNAL)
        signals_deliver_here(1);
    if (next == TRACE_PEEK_LIVE)
        return live_clock(clock, ts);
    if (clock == CLOCK_MONOTONIC && next == TRACE_PEEK_CLOCK) {
        uint8_t *p = stream.at;
        stream.clock += (uint64_t)trace_int(&p) * TRACE_CLOCK_UNIT;
        trace_done(p);
        ts->tv_sec = (time_t)(stream.clock / 1000000000u);
        ts->tv_nsec = (long)(stream.clock % 1000000000u);
        return 0;
    }
    uint8_t *p = trace_take(TRACE_CLOCK);
    if (trace_int(&p) != clock)
        trace_diverged(SYS_clock_gettime, 0, "another clock than recorded", "see the event", "another clock");
    ts->tv_sec = (time_t)trace_int(&p);
    ts->tv_nsec = (long)trace_int(&p);
    trace_done(p);
    return 0;
}

static int live_clock(int clock, struct timespec *ts)
{
    int error = simulated ? simulated_clock(clock, ts) : vdso_clock(clock, ts);
    if (error)
        return error;
    if (clock == CLOCK_MONOTONIC) {
        uint64_t now = (uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec;
        now -= now % TRACE_CLOCK_UNIT;
        if (stream_reserve(PACK_MAX))
            stream_publish(pack_int(stream.at, (int64_t)(now - stream.clock) / TRACE_CLOCK_UNIT));
        stream.clock = now;
        ts->tv_sec = (time_t)(now / 1000000000u);
        ts->tv_nsec = (long)(now % 1000000000u);
    } else {
        stream_put(TRACE_CLOCK, 3, (int64_t)clock, (int64_t)ts->tv_sec, (int64_t)ts->tv_nsec);
    }
    return 0;
}

/* Clocks that need no system call on any kernel; the others fail or go the long way round. */
static bool clock_is_cheap(int clock)
{
    return clock >= 0 && clock <= CLOCK_TAI && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID;
}

static int shim_clock_gettime(int clock, struct timespec *ts)
{
    if (shim_world == WORLD_OFF || !self.armed)
        return vdso_clock(clock, ts);
    if (!clock_is_cheap(clock))
        return (int)gate_enter(SYS_clock_gettime, clock, (long)ts, 0, 0, 0, 0);
    int error = shim_world == WORLD_TRACE ? trace_clock(clock, ts) : live_clock(clock, ts);
    gate_end_clock();
    return error;
}

static int shim_gettimeofday(struct timeval *tv, void *zone)
{
    struct timespec ts;
    if (zone)
        return (int)gate_enter(SYS_gettimeofday, (long)tv, (long)zone, 0, 0, 0, 0);
    int error = shim_clock_gettime(CLOCK_REALTIME, &ts);
    if (!error && tv)
        *tv = (struct timeval){ts.tv_sec, ts.tv_nsec / 1000};
    return error;
}

static time_t shim_time(time_t *t)
{
    struct timespec ts;
    shim_clock_gettime(CLOCK_REALTIME, &ts);
    if (t)
        *t = ts.tv_sec;
    return ts.tv_sec;
}

static int shim_clock_getres(int clock, struct timespec *ts)
{
    return (int)gate_enter(SYS_clock_getres, clock, (long)ts, 0, 0, 0, 0);
}

static int shim_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
    (void)unused;
    return (int)gate_enter(SYS_getcpu, (long)cpu, (long)node, 0, 0, 0, 0);
}

/* getrandom in user space keeps its state where no record sees it: the program must call the kernel. */
static long shim_getrandom(void *buffer, size_t size, unsigned flags, void *state, size_t state_size)
{
    (void)buffer, (void)size, (void)flags, (void)state, (void)state_size;
    return -ENOSYS;
}

static const struct {
    const char *name;
    const void *function;
} replaced[] = {
    {"__vdso_clock_gettime", shim_clock_gettime}, {"__vdso_gettimeofday", shim_gettimeofday}, {"__vdso_time", shim_time},
    {"__vdso_clock_getres", shim_clock_getres},   {"__vdso_getcpu", shim_getcpu},             {"__vdso_getrandom", shim_getrandom},
};

struct mapping {
    uintptr_t start, end;
};

static const char *hex(const char *p, uintptr_t *value)
{
    for (*value = 0;; p++) {
        if (*p >= '0' && *p <= '9')
            *value = *value * 16 + (uintptr_t)(*p - '0');
        else if (*p >= 'a' && *p <= 'f')
            *value = *value * 16 + (uintptr_t)(*p - 'a' + 10);
        else
            return p;
    }
}

/* One line of /proc/self/maps: is it [vvar], [vvar_vclock] or [vdso]? proc_pid_maps(5). */
static bool line_is_vdso(const char *line, struct mapping *m)
{
    hex(hex(line, &m->start) + 1, &m->end);
    for (const char *p = line; *p; p++)
        if (*p == '[')
            return text_starts(p, "[vvar") || text_starts(p, "[vdso]");
    return false;
}

static int vdso_mappings(struct mapping *found, int most)
{
    static char text[4096];
    long fd = RAW(SYS_open, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0), n;
    int count = 0;
    size_t have = 0;
    while (fd >= 0 && (n = RAW(SYS_read, fd, text + have, sizeof text - 1 - have)) > 0) {
        char *line = text;
        text[have += (size_t)n] = 0;
        for (char *p = text; *p; p++) {
            if (*p != '\n')
                continue;
            *p = 0;
            if (count < most && line_is_vdso(line, &found[count]))
                count++;
            line = p + 1;
        }
        have = strlen(line);
        memmove(text, line, have);
    }
    RAW(SYS_close, fd);
    return count;
}

static void functions_replace(uint8_t *fake, const uint8_t *moved)
{
    const Elf64_Ehdr *head = (const void *)fake;
    const Elf64_Phdr *ph = (const void *)(fake + head->e_phoff);
    const Elf64_Sym *symbols = NULL;
    const char *strings = NULL;
    for (int i = 0; i < head->e_phnum; i++) {
        if (ph[i].p_type != PT_DYNAMIC)
            continue;
        for (const Elf64_Dyn *d = (const void *)(fake + ph[i].p_offset); d->d_tag != DT_NULL; d++) {
            if (d->d_tag == DT_SYMTAB)
                symbols = (const void *)(fake + d->d_un.d_ptr);
            else if (d->d_tag == DT_STRTAB)
                strings = (const void *)(fake + d->d_un.d_ptr);
        }
    }
    for (const Elf64_Sym *s = symbols; s && (const char *)(s + 1) <= strings; s++) {
        for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
            if (!text_equal(strings + s->st_name, replaced[i].name))
                continue;
            if (i == 0)
                real_clock = (int (*)(int, struct timespec *))(uintptr_t)(moved + s->st_value);
            jump_write(fake + s->st_value, replaced[i].function);
        }
    }
}

void vdso_take(void)
{
    struct mapping m[8];
    int count = vdso_mappings(m, 8);
    if (count < 1)
        return; /* vdso=0: every clock read is a system call, and trapped */
    uintptr_t first = m[0].start;
    for (int i = 0; i < count; i++)
        RAW(SYS_mremap, m[i].start, m[i].end - m[i].start, m[i].end - m[i].start, MREMAP_MAYMOVE | MREMAP_FIXED,
            VDSO_BASE + (m[i].start - first));
    /* nothing else may land in the gap: the addresses of later mappings must not depend on the shim */
    RAW(SYS_mmap, first, m[count - 1].end - first, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    uint8_t *fake = (uint8_t *)m[count - 1].start, *moved = VDSO_BASE + (m[count - 1].start - first);
    size_t size = m[count - 1].end - m[count - 1].start;
    RAW(SYS_mprotect, fake, size, PROT_READ | PROT_WRITE);
    memcpy(fake, moved, size);
    functions_replace(fake, moved);
    RAW(SYS_mprotect, fake, size, PROT_READ | PROT_EXEC);
}
