/* How a process gets under the shim: as the first constructor of all (-z initfirst), before malloc draws its key. Live when
 * DRD_SPOOL names a spool, trace when `drd replay` left the replay file open as REPLAY_FD, off otherwise. libc is not
 * initialised yet: no getenv, no stdio; the environment is what the kernel put on the stack. */
#include "shim/shim.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

extern int dl_iterate_phdr(int (*)(struct dl_phdr_info *, size_t, void *), void *) __attribute__((weak));

#define SCRUB_START 32768

char *const *shim_environment;
static char *const *arguments;
static const Elf64_auxv_t *auxiliary;

const char *environment_get(const char *name)
{
    size_t n = strlen(name);
    for (char *const *e = shim_environment; e && *e; e++)
        if (text_starts(*e, name) && (*e)[n] == '=')
            return *e + n + 1;
    return NULL;
}

uint64_t auxiliary_get(uint64_t type)
{
    for (const Elf64_auxv_t *a = auxiliary; a->a_type != AT_NULL; a++)
        if (a->a_type == type)
            return a->a_un.a_val;
    return 0;
}

/* glob(7) with '*' and '?'. A line of patterns ends as a text does. */
static bool glob_match(const char *pattern, const char *text)
{
    for (; *pattern && *pattern != '\n'; pattern++, text++) {
        if (*pattern == '*') {
            while (*text && !glob_match(pattern + 1, text))
                text++;
            return glob_match(pattern + 1, text);
        }
        if (!*text || (*pattern != '?' && *pattern != *text))
            return false;
    }
    return !*text;
}

static bool is_wanted(const char *only, const char *program, const char *node)
{
    while (*only) {
        if (glob_match(only, program) || (node && glob_match(only, node)))
            return true;
        while (*only && *only++ != '\n')
            ;
    }
    return false;
}

static bool run_map(const char *directory)
{
    char path[600], *end = path + sizeof path;
    text_append(text_append(path, end, directory), end, "/run");
    long fd = RAW(SYS_open, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    long at = RAW(SYS_mmap, RUN_BASE, sizeof(struct spool_run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    RAW(SYS_close, fd);
    stream.run = RUN_BASE;
    return at == (long)RUN_BASE && stream.run->magic == SPOOL_MAGIC && stream.run->abi == SPOOL_ABI && !stream.run->stopped;
}

uint32_t start_claim_process(void)
{
    uint32_t number = __atomic_fetch_add(&stream.run->next_process, 1, __ATOMIC_SEQ_CST);
    return number < SPOOL_PROCESSES ? number : 0;
}

/* The number of the node of this name; named nodes only. */
static uint32_t node_claim(const char *name)
{
    struct spool_run *run = stream.run;
    uint32_t node = 0;
    if (!name || !*name)
        return 0;
    while (__atomic_exchange_n(&run->node_lock, 1, __ATOMIC_ACQUIRE))
        RAW(SYS_sched_yield);
    for (uint32_t i = 1; i < run->node_count && !node; i++)
        if (text_equal(run->node[i], name))
            node = i;
    if (!node && run->node_count < SPOOL_NODES && strlen(name) < SPOOL_NAME) {
        node = run->node_count;
        text_copy(run->node[node], SPOOL_NAME, name);
        __atomic_store_n(&run->node_count, node + 1, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&run->node_lock, 0, __ATOMIC_RELEASE);
    return node;
}

/* The process this program was before exec (same pid), or the one that started it. */
static uint32_t parent_find(bool *same_pid)
{
    const struct spool_run *run = stream.run;
    uint32_t pid = (uint32_t)RAW(SYS_getpid), ppid = (uint32_t)RAW(SYS_getppid), found = 0;
    uint32_t last = run->next_process < SPOOL_PROCESSES ? run->next_process : SPOOL_PROCESSES;
    for (uint32_t i = last; i-- > 1;) {
        if (run->process[i].pid == pid && run->process[i].state == SPOOL_EXECED)
            return *same_pid = true, i;
        if (run->process[i].pid == ppid && !found && run->process[i].state != SPOOL_UNRECORDED)
            found = i;
    }
    return found;
}

struct object_walk {
    uint8_t *p;       /* NULL: only count */
    uint32_t count;
    size_t bytes;
    const char *program;
};

static int object_visit(struct dl_phdr_info *info, size_t size, void *context)
{
    struct object_walk *walk = context;
    const char *path = *info->dlpi_name ? info->dlpi_name : walk->count ? "[vdso]" : walk->program;
    const uint8_t *base = NULL, *id = NULL;
    size_t mapped = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum && !base; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_offset == 0) {
            base = (const uint8_t *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
            mapped = info->dlpi_phdr[i].p_filesz;
        }
    if (text_starts(text_base_name(path), "linux-vdso"))
        return 0;
    size_t length = base ? elf_build_id(base, mapped, &id) : 0;
    if (walk->p) {
        walk->p = put_text(pack_array_header(walk->p, 3), path);
        walk->p = put_bytes(pack_int(walk->p, (int64_t)info->dlpi_addr), id, length);
    }
    walk->count++;
    walk->bytes += strlen(path) + length + 4 * PACK_MAX;
    return 0;
}

static uint8_t *put_int(uint8_t *p, const char *key, int64_t value)
{
    return pack_int(put_text(p, key), value);
}

static uint8_t *put_pair(uint8_t *p, const char *key, const char *value)
{
    return put_text(put_text(p, key), value ? value : "");
}

static uint8_t *put_strings(uint8_t *p, const char *key, char *const *strings)
{
    uint32_t n = 0;
    while (strings[n])
        n++;
    p = pack_array_header(put_text(p, key), n);
    for (uint32_t i = 0; i < n; i++)
        p = put_text(p, strings[i]);
    return p;
}

static size_t strings_size(char *const *strings)
{
    size_t total = 16;
    for (; *strings; strings++)
        total += strlen(*strings) + PACK_MAX;
    return total;
}

/* What the shim needs of the environment for as long as the process lives, and gives to programs that it becomes. The
 * program may change the array that the kernel made, or the strings: they are copied. */
static char kept_text[2048];
static const char *const kept_name[] = {SPOOL_ENV_DIR, SPOOL_ENV_CONTROL, "GLIBC_TUNABLES", "OPENSSL_ia32cap"};
static const char *kept_value[sizeof kept_name / sizeof *kept_name];

static void environment_keep(void)
{
    char *at = kept_text, *end = kept_text + sizeof kept_text;
    for (size_t i = 0; i < sizeof kept_name / sizeof *kept_name; i++) {
        const char *value = environment_get(kept_name[i]);
        if (!value || at + strlen(value) + 1 > end)
            continue;
        kept_value[i] = at;
        at = text_append(at, end, value) + 1;
    }
}

const char *environment_kept(const char *name)
{
    for (size_t i = 0; i < sizeof kept_name / sizeof *kept_name; i++)
        if (text_equal(name, kept_name[i]))
            return kept_value[i];
    return NULL;
}

bool start_follow(void)
{
    environment_keep();
    for (size_t i = 0; i < sizeof kept_name / sizeof *kept_name; i++) {
        if (text_equal(kept_name[i], SPOOL_ENV_DIR))
            kept_value[i] = MAILBOX_SPOOL_DIR;
        if (text_equal(kept_name[i], SPOOL_ENV_CONTROL))
            kept_value[i] = "/run/drd/control";
    }
    return run_map(MAILBOX_SPOOL_DIR) && simulated_open();
}

static uint64_t clock_now(int clock)
{
    struct timespec ts;
    if (simulated)
        simulated_clock(clock, &ts);
    else
        vdso_clock(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The facts that every START holds, 9 pairs. */
static uint8_t *put_common(uint8_t *p, const char *how, uint32_t parent, bool same_pid)
{
    p = put_int(put_pair(p, "how", how), "parent", parent);
    p = put_text(p, "same_pid");
    *p++ = same_pid ? 0xc3 : 0xc2;
    p = put_int(p, "pid", program_call(SYS_getpid, 0, 0, 0, 0));
    p = put_int(p, "ppid", program_call(SYS_getppid, 0, 0, 0, 0));
    p = put_int(p, "tid", program_call(SYS_gettid, 0, 0, 0, 0));
    p = put_int(p, "monotonic", (int64_t)clock_now(CLOCK_MONOTONIC));
    p = put_int(p, "realtime", (int64_t)clock_now(CLOCK_REALTIME));
    return put_int(p, "format", TRACE_FORMAT_VERSION);
}

/* Signals that are ignored or blocked pass through exec. */
static uint64_t inherited_ignored(void)
{
    uint64_t ignored = 0;
    struct kernel_sigaction a;
    for (int signo = 1; signo <= 64; signo++)
        if (!RAW(SYS_rt_sigaction, signo, 0, &a, 8) && a.handler == SIG_IGN)
            ignored |= 1ull << (signo - 1);
    return ignored;
}

static bool start_record(uint32_t parent, bool same_pid, uint64_t ignored, uint64_t blocked)
{
    static char program[4096], directory[4096];
    const char *exe = (const char *)auxiliary_get(AT_EXECFN);
    struct rlimit limit;
    long n = RAW(SYS_readlink, "/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    if (program_call(SYS_getcwd, (long)directory, sizeof directory, 0, 0) < 0)
        directory[0] = 0;
    RAW(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit);
    const Elf64_auxv_t *end = auxiliary;
    while ((end++)->a_type != AT_NULL)
        ;
    size_t auxiliary_size = (size_t)((const char *)end - (const char *)auxiliary);
    struct object_walk walk = {.program = program};
    if (dl_iterate_phdr)
        dl_iterate_phdr(object_visit, &walk);
    size_t bytes = 4096 + strlen(exe) + strlen(program) + strlen(directory) + strings_size(arguments) +
                   strings_size(shim_environment) + auxiliary_size + walk.bytes;
    if (!stream_reserve(bytes))
        return false;
    uint8_t *p = pack_map_header(pack_int(pack_array_header(stream.at, 2), TRACE_START), 23);
    p = put_common(p, "exec", parent, same_pid);
    p = put_pair(put_pair(p, "exe", exe), "program", program);
    p = put_pair(put_pair(p, "cwd", directory), "node", environment_get(SPOOL_ENV_NODE));
    p = put_strings(put_strings(p, "argv", arguments), "env", shim_environment);
    p = put_int(p, "stack_limit", (int64_t)limit.rlim_cur);
    p = put_int(p, "stack", (int64_t)(uintptr_t)(arguments - 1));
    p = put_bytes(put_text(p, "random"), (const void *)auxiliary_get(AT_RANDOM), 16);
    p = put_bytes(put_text(p, "auxv"), auxiliary, auxiliary_size);
    p = put_int(put_int(p, "ignored", (int64_t)ignored), "blocked", (int64_t)blocked);
    p = put_pair(p, "gate", seccomp_chosen ? "seccomp" : "dispatch");
    uint32_t count = walk.count;
    walk = (struct object_walk){.program = program, .p = pack_array_header(put_text(p, "objects"), count)};
    if (dl_iterate_phdr)
        dl_iterate_phdr(object_visit, &walk);
    stream_publish(walk.p);
    stream.time = clock_now(CLOCK_MONOTONIC);
    return true;
}

static void slot_init(struct spool_process *slot, uint32_t parent)
{
    slot->pid = (uint32_t)RAW(SYS_getpid);
    slot->parent = parent;
    slot->start = clock_now(CLOCK_MONOTONIC);
    slot->status = -1;
}

static void thread_number_patch(uint32_t recorded);
static void chance_restore(const uint8_t *random);

static bool start_live(void)
{
    bool same_pid = false;
    uint64_t blocked = 0;
    struct stat st;
    const char *node = environment_get(SPOOL_ENV_NODE), *exe = (const char *)auxiliary_get(AT_EXECFN);
    environment_keep();
    if (!environment_kept(SPOOL_ENV_DIR) || !run_map(environment_kept(SPOOL_ENV_DIR)))
        return false;
    const struct spool_run *run = stream.run;
    if (run->simulated && !simulated_open())
        return false;
    if (simulated) {
        simulated_attach();
        chance_restore((const uint8_t *)simulated_text());
        thread_number_patch(self.tid);
    } else if (!RAW(SYS_stat, "/proc/self/exe", &st) && st.st_dev == run->tool_device && st.st_ino == run->tool_inode)
        return false;
    if (run->only[0] && !is_wanted(run->only, text_base_name(exe), node))
        return false;
    uint32_t parent = parent_find(&same_pid), number = start_claim_process();
    if (!number)
        return false;
    struct spool_process *slot = &stream.run->process[number];
    slot_init(slot, parent);
    slot->node = node_claim(node);
    text_copy(slot->name, sizeof slot->name, text_base_name(exe));
    __atomic_store_n(&slot->state, SPOOL_STARTING, __ATOMIC_RELEASE);
    RAW(SYS_rt_sigprocmask, SIG_BLOCK, 0, &blocked, 8);
    uint64_t ignored = inherited_ignored();
    signals_init(ignored);
    shim_world = WORLD_LIVE;
    if (!stream_live_open(number) || !start_record(parent, same_pid, ignored, blocked))
        return false;
    __atomic_store_n(&slot->state, SPOOL_RUNNING, __ATOMIC_RELEASE);
    if (!simulated)
        self.tid = (uint32_t)RAW(SYS_gettid);
    return true;
}

bool start_forked_live(uint32_t number, uint32_t parent)
{
    struct spool_process *slot = &stream.run->process[number], *before = &stream.run->process[parent];
    if (!number)
        return shim_world = WORLD_OFF, false;
    slot_init(slot, parent);
    slot->node = before->node;
    text_copy(slot->name, sizeof slot->name, before->name);
    self.pending = 0;
    baton_init();
    if (!stream_live_open(number) || !stream_reserve(4096))
        return false;
    uint8_t *p = pack_map_header(pack_int(pack_array_header(stream.at, 2), TRACE_START), 9);
    stream_publish(put_common(p, "fork", parent, false));
    stream.time = clock_now(CLOCK_MONOTONIC);
    __atomic_store_n(&slot->state, SPOOL_RUNNING, __ATOMIC_RELEASE);
    return true;
}

static int program_visit(struct dl_phdr_info *info, size_t size, void *go)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_LOAD && ph->p_offset == 0)
            *(bool *)go = elf_is_go((const uint8_t *)(info->dlpi_addr + ph->p_vaddr), ph->p_filesz);
    }
    return 1; /* the program comes first */
}

static bool program_is_go(void)
{
    bool go = false;
    if (dl_iterate_phdr)
        dl_iterate_phdr(program_visit, &go);
    return go;
}

/* Syscall User Dispatch, tried with nothing to dispatch: the gate is exempt. */
static bool dispatch_available(void)
{
    if (RAW(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, shim_gate_begin, shim_gate_end - shim_gate_begin, NULL))
        return false;
    RAW(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF);
    return true;
}

/* The START record, as far as a replay needs it. */
struct recorded_start {
    uint64_t stack, ignored, blocked;
    uint32_t tid;
    const uint8_t *random; /* 16 bytes */
    const uint8_t *exe;    /* AT_EXECFN */
    size_t exe_length;
};

static bool key_is(const struct unpack *key, const char *name)
{
    return key->type == UNPACK_STR && key->length == strlen(name) && !memcmp(key->data, name, key->length);
}

static void start_read(struct recorded_start *s)
{
    uint8_t *p = trace_take(TRACE_START);
    struct unpack map, key, value;
    p = (uint8_t *)(uintptr_t)unpack_next(p, stream.limit, &map);
    for (uint32_t i = 0; p && i < map.count; i++) {
        uint8_t *after_key = (uint8_t *)(uintptr_t)unpack_next(p, stream.limit, &key);
        p = after_key ? (uint8_t *)(uintptr_t)unpack_skip(after_key, stream.limit) : NULL;
        if (!p)
            break;
        unpack_next(after_key, stream.limit, &value);
        if (key_is(&key, "tid"))
            s->tid = (uint32_t)value.value;
        else if (key_is(&key, "stack"))
            s->stack = (uint64_t)value.value;
        else if (key_is(&key, "ignored"))
            s->ignored = (uint64_t)value.value;
        else if (key_is(&key, "blocked"))
            s->blocked = (uint64_t)value.value;
        else if (key_is(&key, "gate"))
            seccomp_chosen = value.length == strlen("seccomp");
        else if (key_is(&key, "exe") && value.type == UNPACK_STR)
            s->exe = value.data, s->exe_length = value.length;
        else if (key_is(&key, "random") && value.length == 16)
            s->random = value.data;
    }
    if (!p)
        trace_failed("the stream does not start with facts about the process", 0, 0);
    trace_done(p);
}

/* glibc keeps the thread's number in the thread control block, where mutexes copy it from (struct pthread, nptl/descr.h).
 * Where, is found by looking. */
static unsigned thread_id_offset; /* in words; 0: not found */

static void thread_id_find(void)
{
    uint32_t real = (uint32_t)RAW(SYS_gettid), *words = thread_pointer();
    for (unsigned i = 0x200 / 4; i < 0x400 / 4 && !thread_id_offset; i++)
        if (words[i] == real)
            thread_id_offset = i;
}

uint32_t thread_id_of(const void *control_block)
{
    return thread_id_offset ? ((const uint32_t *)control_block)[thread_id_offset] : 0;
}

static void thread_number_patch(uint32_t recorded)
{
    if (thread_id_offset)
        ((uint32_t *)thread_pointer())[thread_id_offset] = recorded;
}

/* What the kernel decides by chance at exec: make it what it was. The stack guard counts from here on; no function that is
 * still running has put the old one on the stack (the loader's constructors calls have none, checked for glibc 2.36). */
static void chance_restore(const uint8_t *random)
{
    uint64_t words[2];
    memcpy((void *)auxiliary_get(AT_RANDOM), random, 16);
    memcpy(words, random, 16);
    thread_guards_set(words[0] & ~0xffull, words[1]);
}

static bool start_trace(void)
{
    struct recorded_start s = {0};
    if (!stream_trace_open(REPLAY_FD))
        return false;
    RAW(SYS_close, REPLAY_FD);
    shim_world = WORLD_TRACE;
    start_read(&s);
    if (s.stack != (uint64_t)(uintptr_t)(arguments - 1) && !stream.file->other_build) /* the name of that build stands on it */
        trace_failed("the stack is not where it was recorded", s.stack, (uint64_t)(uintptr_t)(arguments - 1));
    if (s.random)
        chance_restore(s.random);
    char *exe = (char *)auxiliary_get(AT_EXECFN);
    if (s.exe && strlen(exe) == s.exe_length) /* a script that is gone was started under a name of the same length */
        memcpy(exe, s.exe, s.exe_length);
    thread_number_patch(s.tid);
    self.tid = s.tid;
    signals_init(s.ignored);
    uint64_t blocked = s.blocked & ~(1ull << (SIGTRAP - 1));
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, 0, 8);
    return true;
}

bool start_forked_trace(uint32_t number)
{
    struct recorded_start s = {0};
    (void)number;
    self.pending = 0;
    baton_init();
    start_read(&s);
    self.tid = s.tid;
    return true;
}

/* A program started as "/proc/self/exe" was started by itself: now that this is that program, do it again. */
static void start_again(struct replay_file *head, char **argv, char **envp)
{
    const uint32_t once = 0;
    RAW(SYS_pwrite64, REPLAY_FD, &once, sizeof once, offsetof(struct replay_file, again));
    RAW(SYS_execve, head->again_path, argv, envp);
    RAW(SYS_exit_group, 126);
}

static __attribute__((noinline)) void start_shim(char **argv, char **envp)
{
    struct replay_file head;
    char *const *end = envp;
    while (*end)
        end++;
    arguments = argv;
    shim_environment = envp;
    auxiliary = (const Elf64_auxv_t *)(end + 1);
    if (RAW(SYS_pread64, REPLAY_FD, &head, sizeof head, 0) == sizeof head && head.magic == REPLAY_MAGIC && head.again)
        start_again(&head, argv, envp);
    bool replay = RAW(SYS_pread64, REPLAY_FD, &head, sizeof head.magic, 0) == sizeof head.magic && head.magic == REPLAY_MAGIC;
    if (!replay && !environment_get(SPOOL_ENV_DIR))
        return;
    vdso_take();
    baton_init();
    thread_id_find();
    const char *gate = environment_get("DRD_GATE");
    seccomp_chosen = (gate && text_equal(gate, "seccomp")) || !dispatch_available();
    if (!(replay ? start_trace() : start_live())) {
        shim_world = WORLD_OFF;
        if (seccomp_chosen) /* the filter of the program before may still trap: let everything pass */
            signals_install(program_is_go());
        return;
    }
    signals_install(program_is_go());
    tsc_arm();
    if (thread_id_offset) { /* the end of the first thread is ours to tell as well, see threads.c */
        self.clear_tid = (uint32_t *)thread_pointer() + thread_id_offset;
        RAW(SYS_set_tid_address, 0);
    }
    thread_arm();
}

/* Its frame is the same in every world; what lies below is wiped. */
__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
    (void)argc;
    start_shim(argv, envp);
    shim_scrub(SCRUB_START);
}
