/* Processes: fork, vfork, posix_spawn, exec, exit. Sources: fork(2), vfork(2), clone(2), execve(2).
 *
 * fork: the child has a stream of its own that begins in the middle of the program; in a replay it is forked off again.
 * vfork, and clone with CLONE_VM and CLONE_VFORK as posix_spawn does it: the child runs in the parent's memory, so what it
 * does is part of the parent's stream; in a replay the parent's thread plays it, until it execs or exits. */
#include "shim/shim.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>

bool process_vfork_child;

static struct kernel_sigaction vfork_actions[65];
static ucontext_t vfork_frame;

static void vfork_begin(void)
{
    memcpy(vfork_actions, signal_actions, sizeof vfork_actions);
    process_vfork_child = true;
}

static void vfork_end(void)
{
    memcpy(signal_actions, vfork_actions, sizeof vfork_actions);
    process_vfork_child = false;
}

static void vfork_born(struct birth *birth)
{
    (void)birth;
    if (shim_world != WORLD_OFF)
        thread_arm();
}

/* A simulated process is a child of the simulator, which reaps it; whom it is a child of in its world is the simulator's to
 * say. clone(2). */
static unsigned long parent_flag(void)
{
    return simulated ? CLONE_PARENT : 0;
}

/* vfork: the child overwrites the stack on which the parent waits in the trap handler: keep a copy of that part. */
static long vfork_live(struct birth *birth, uintptr_t stack)
{
    static uint8_t frames[64 << 10];
    uintptr_t save = (uintptr_t)__builtin_frame_address(0) - 1024; /* below all that is in use here */
    if (stack <= save || stack - save > sizeof frames)
        return -ENOMEM; /* the trap came on another stack than the program's */
    memcpy(frames, (void *)save, stack - save);
    return shim_vfork(CLONE_VM | CLONE_VFORK | SIGCHLD | parent_flag(), stack, birth, save, stack - save, frames);
}

static long spawn_live(struct call *call)
{
    static struct birth birth;
    const long *a = call->arg;
    bool own_stack = call->nr == SYS_clone && a[1];
    birth_registers(&birth, call->frame);
    birth.born = vfork_born;
    long asked = simulated ? simulated_ask(MAIL_VFORK, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0) : 0;
    stream_put(TRACE_VFORK_BEGIN, 0);
    vfork_begin();
    long pid = asked < 0 ? asked
               : own_stack ? shim_clone((unsigned long)a[0] | parent_flag(), (uintptr_t)a[1], (void *)a[2], (void *)a[3],
                                        (unsigned long)a[4], &birth)
                           : vfork_live(&birth, frame_stack(call->frame));
    vfork_end();
    if (simulated && asked >= 0)
        pid = simulated_ask(MAIL_VFORKED, pid < 0 ? pid : 0, 0, 0);
    stream_put(TRACE_VFORK_END, 1, (int64_t)pid);
    return pid;
}

/* The parent's thread takes the child's part: same memory, the child's stack. */
static long spawn_trace(struct call *call)
{
    trace_done(trace_take(TRACE_VFORK_BEGIN));
    if (trace_peek() == TRACE_VFORK_END) {
        uint8_t *p = trace_take(TRACE_VFORK_END);
        long error = trace_int(&p);
        trace_done(p);
        return error;
    }
    vfork_frame = *call->frame;
    vfork_begin();
    if (call->nr == SYS_clone && call->arg[1])
        frame_set_stack(call->frame, (uintptr_t)call->arg[1]);
    frame_set_result(call->frame, 0);
    call->restored = true;
    return 0;
}

/* The child has execed or exited: back to where the parent waits. */
static long spawn_leave(struct call *call)
{
    uint8_t *p = trace_take(TRACE_VFORK_END);
    long pid = trace_int(&p);
    trace_done(p);
    vfork_end();
    memcpy(call->frame->uc_mcontext.gregs, vfork_frame.uc_mcontext.gregs, sizeof(gregset_t));
    call->frame->uc_sigmask = vfork_frame.uc_sigmask;
    call->frame->uc_stack = vfork_frame.uc_stack;
    frame_set_result(call->frame, pid);
    call->restored = true;
    return pid;
}

static void fork_words(const struct call *call, long flags, uint32_t tid)
{
    if (call->nr == SYS_clone && flags & CLONE_CHILD_SETTID && call->arg[3])
        *(uint32_t *)call->arg[3] = tid;
    self.tid = tid;
    self.clear_tid = call->nr == SYS_clone && flags & CLONE_CHILD_CLEARTID ? (uint32_t *)call->arg[3] : NULL;
}

static void born_forked(struct birth *birth)
{
    if (simulated && shim_world == WORLD_LIVE) {
        self.tid = birth->tid;
        simulated_begin(birth->mail, true);
    }
    if (shim_world == WORLD_LIVE && !start_forked_live(birth->number, stream.process))
        return;
    self.clear_tid = birth->clear_tid;
    if (shim_world != WORLD_OFF)
        thread_arm();
}

/* The kernel's fork; with a stack of its own the child goes through the same door as a thread. */
static long fork_raw(struct call *call, long flags, uint32_t number, uint32_t pid)
{
    static struct birth birth;
    bool own_stack = call->nr == SYS_clone && call->arg[1];
    flags |= (long)parent_flag();
    if (simulated)
        flags &= ~(long)(CLONE_CHILD_SETTID | CLONE_PARENT_SETTID);
    if (!own_stack)
        flags &= ~(long)CLONE_CHILD_CLEARTID; /* see thread_exit */
    if (!own_stack)
        return RAW(SYS_clone, flags, 0, call->nr == SYS_clone ? call->arg[2] : 0, call->nr == SYS_clone ? call->arg[3] : 0, 0);
    birth_registers(&birth, call->frame);
    birth.born = born_forked;
    birth.number = number;
    birth.tid = pid;
    birth.mail = simulated ? simulated_number() : 0;
    birth.clear_tid = flags & CLONE_CHILD_CLEARTID ? (uint32_t *)call->arg[3] : NULL;
    return shim_clone((unsigned long)flags, (uintptr_t)call->arg[1], (void *)call->arg[2], (void *)call->arg[3],
                      (unsigned long)call->arg[4], &birth);
}

static long fork_live(struct call *call, long flags)
{
    uint32_t number = start_claim_process(), parent = stream.process;
    long given = simulated ? simulated_ask(MAIL_FORK, flags, 0, 0) : 0;
    uint32_t mail = simulated ? simulated_number() : 0;
    long pid = given < 0 ? given : fork_raw(call, flags, number, (uint32_t)given);
    if (pid == 0) {
        if (simulated) {
            self.tid = (uint32_t)given;
            simulated_begin(mail, true);
        }
        if (number && start_forked_live(number, parent)) {
            fork_words(call, flags, simulated ? (uint32_t)given : (uint32_t)RAW(SYS_gettid));
            thread_arm();
        } else {
            shim_world = WORLD_OFF;
            self.armed = false;
        }
        return 0;
    }
    if (simulated && pid > 0) {
        pid = given;
        if (call->nr == SYS_clone && flags & CLONE_PARENT_SETTID)
            *(uint32_t *)call->arg[2] = (uint32_t)pid;
    }
    if (pid < 0 && number)
        stream.run->process[number].state = SPOOL_FREE;
    stream_put(TRACE_FORK, 2, (int64_t)(pid < 0 ? 0 : number), (int64_t)pid);
    return pid;
}

static long fork_trace(struct call *call, long flags)
{
    uint8_t *p = trace_take(TRACE_FORK);
    uint32_t number = (uint32_t)trace_int(&p);
    long pid = trace_int(&p);
    trace_done(p);
    if (pid > 0 && call->nr == SYS_clone && flags & CLONE_PARENT_SETTID)
        *(uint32_t *)call->arg[2] = (uint32_t)pid;
    if (pid <= 0 || !number || (call->nr == SYS_clone && call->arg[1]))
        return pid;
    char path[600];
    trace_path(path, sizeof path, number, "");
    long fd = RAW(SYS_open, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return pid; /* nobody wants to see this child */
    long real = RAW(SYS_clone, SIGCHLD | (stream.file->follow ? CLONE_PARENT : 0), 0, 0, 0, 0);
    if (real == 0) {
        if (!stream_trace_open((int)fd) || !start_forked_trace(number))
            RAW(SYS_exit_group, 125);
        RAW(SYS_close, fd);
        fork_words(call, flags, self.tid);
        thread_arm();
        return 0;
    }
    RAW(SYS_close, fd);
    if (real < 0)
        trace_failed("a process of the recording could not be forked", (uint64_t)pid, (uint64_t)real);
    return pid;
}

long process_fork(struct call *call)
{
    long flags = call->nr == SYS_clone ? call->arg[0] : call->nr == SYS_vfork ? CLONE_VM | CLONE_VFORK | SIGCHLD : SIGCHLD;
    if (flags & CLONE_THREAD)
        return thread_clone(call);
    if (flags & CLONE_VM && flags & CLONE_VFORK)
        return shim_world == WORLD_TRACE ? spawn_trace(call) : spawn_live(call);
    flags &= ~(long)CLONE_VM; /* shared memory without waiting is no longer made by any libc */
    return shim_world == WORLD_TRACE ? fork_trace(call, flags) : fork_live(call, flags);
}

static void born_unrecorded(struct birth *birth)
{
    (void)birth;
}

long process_fork_unrecorded(struct call *call)
{
    static struct birth births[64];
    static uint32_t next;
    const long *a = call->arg;
    if (call->nr == SYS_vfork)
        return RAW(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (!a[1])
        return RAW(SYS_clone, a[0], 0, a[2], a[3], a[4]);
    struct birth *birth = &births[__atomic_fetch_add(&next, 1, __ATOMIC_SEQ_CST) % 64];
    birth_registers(birth, call->frame);
    birth->born = born_unrecorded;
    return shim_clone((unsigned long)a[0], (uintptr_t)a[1], (void *)a[2], (void *)a[3], (unsigned long)a[4], birth);
}

/* Will the program at `path` load the shim? Otherwise the run says which program is missing in it, and why. */
static enum spool_reason program_refuses(long directory, const char *path)
{
    struct stat st;
    Elf64_Ehdr head;
    enum spool_reason reason = SPOOL_REASON_NONE;
    long fd = RAW(SYS_openat, directory, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return SPOOL_REASON_NONE;
    long n = RAW(SYS_pread64, fd, &head, sizeof head, 0);
    if (!RAW(SYS_fstat, fd, &st) && ((st.st_mode & S_ISUID && st.st_uid != (uid_t)RAW(SYS_geteuid)) ||
                                    (st.st_mode & S_ISGID && st.st_gid != (gid_t)RAW(SYS_getegid))))
        reason = SPOOL_REASON_SETUID;
    if (n == sizeof head && !memcmp(head.e_ident, ELFMAG, 4)) {
        bool dynamic = false;
        Elf64_Phdr ph;
        for (int i = 0; i < head.e_phnum && head.e_ident[4] == ELFCLASS64; i++)
            if (RAW(SYS_pread64, fd, &ph, sizeof ph, head.e_phoff + (unsigned)i * sizeof ph) == sizeof ph)
                dynamic |= ph.p_type == PT_INTERP;
        if (head.e_ident[4] != ELFCLASS64 || head.e_machine != EM_X86_64)
            reason = SPOOL_REASON_FORMAT;
        else if (!dynamic)
            reason = SPOOL_REASON_STATIC;
    }
    RAW(SYS_close, fd);
    return reason;
}

static void note_unrecorded(const char *path, enum spool_reason reason)
{
    uint32_t number = start_claim_process();
    if (!number)
        return;
    struct spool_process *slot = &stream.run->process[number];
    slot->pid = (uint32_t)RAW(SYS_getpid);
    slot->parent = stream.process;
    slot->reason = reason;
    text_copy(slot->name, sizeof slot->name, text_base_name(path));
    __atomic_store_n(&slot->state, SPOOL_UNRECORDED, __ATOMIC_RELEASE);
}

/* The program's environment, with what the shim needs put back where the program dropped it. */
#define ENVIRONMENT_MOST 8190
static char *environment_scratch[ENVIRONMENT_MOST + 8];
static char environment_text[1200];

static bool environment_has(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++)
        if (text_starts(*env, name) && (*env)[n] == '=')
            return true;
    return false;
}

/* What names the spool of the recording that a process was followed from must name that of the world it is in now. */
static char *followed_entry(char *entry)
{
    static char text[2][64];
    static const char *const names[] = {SPOOL_ENV_DIR, SPOOL_ENV_CONTROL};
    if (!follow_has_begun)
        return entry;
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(names[i]);
        char *end = text[i] + sizeof text[i];
        if (!text_starts(entry, names[i]) || entry[n] != '=')
            continue;
        text_append(text_append(text_append(text[i], end, names[i]), end, "="), end, environment_kept(names[i]));
        return text[i];
    }
    return entry;
}

static char *const *environment_complete(char *const *env)
{
    static const char *const names[] = {"LD_PRELOAD", SPOOL_ENV_DIR, SPOOL_ENV_CONTROL, "GLIBC_TUNABLES", "OPENSSL_ia32cap"};
    size_t count = 0;
    char *at = environment_text, *end = at + sizeof environment_text;
    for (; env && env[count] && count < ENVIRONMENT_MOST; count++)
        environment_scratch[count] = followed_entry(env[count]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = text_equal(names[i], "LD_PRELOAD") ? stream.run->shim : environment_kept(names[i]);
        if (environment_has(env, names[i]) || !value)
            continue;
        environment_scratch[count++] = at;
        at = text_append(text_append(text_append(at, end, names[i]), end, "="), end, value) + 1;
        if (at >= end)
            return env;
    }
    environment_scratch[count] = NULL;
    return environment_scratch;
}

static void exec_announce(const char *path, char *const *argv)
{
    long n, size = shim_string(path, 4096);
    uint32_t count = 0;
    size_t total = 64 + (size_t)(size < 0 ? 0 : size);
    for (; argv && argv[count] && count < 1000 && (n = shim_string(argv[count], 4096)) >= 0; count++)
        total += (size_t)n + PACK_MAX;
    uint8_t *p = size < 0 ? NULL : stream_event(TRACE_EXEC, 2, total);
    if (!p)
        return;
    p = pack_array_header(put_text(p, path), count);
    for (uint32_t i = 0; i < count; i++) {
        size_t length = (size_t)shim_string(argv[i], 4096);
        p = pack_str_header(p, (uint32_t)length);
        memcpy(p, argv[i], length);
        p += length;
    }
    stream_publish(p);
}

static char *text_behind(char *text)
{
    while (*text)
        text++;
    return text + 1;
}

/* A script that was made in the simulated world: its interpreter is started, as execve(2) says. The simulator has told of it: the file,
 * the first line's words, the script. NULL: too many words. */
static char *const *script_words(char *text, char *const *argv)
{
    static char *word[4100];
    size_t at = 0;
    char *interpreter = text_behind(text), *argument = text_behind(interpreter);
    word[at++] = interpreter;
    if (*argument)
        word[at++] = argument;
    word[at++] = text_behind(argument);
    for (size_t i = 1; argv && argv[0] && argv[i]; i++) {
        if (at == sizeof word / sizeof *word - 1)
            return NULL;
        word[at++] = argv[i];
    }
    word[at] = NULL;
    return word;
}

static long exec_live(struct call *call, long directory, const char *path, char *const *argv, char *const *env)
{
    static char file[MAILBOX_PATH];
    if (simulated) {
        exec_announce(path, argv);
        simulated_number_set((uint32_t)RAW(SYS_getpid));
        env = environment_complete(env);
        long refused = simulated_exec(directory, path, call->nr == SYS_execve ? 0 : call->arg[4], argv, env);
        memcpy(file, simulated_text(), sizeof file);
        if (!refused && simulated_number() && !(argv = script_words(file, argv))) {
            refused = -E2BIG;
            simulated_ask(MAIL_EXEC_FAILED, refused, 0, 0);
        }
        if (!refused && program_refuses(AT_FDCWD, file)) {
            note_unrecorded(file, program_refuses(AT_FDCWD, file));
            simulated_ask(MAIL_EXEC_FAILED, -ENOEXEC, 0, 0);
            refused = -ENOEXEC;
        }
        if (refused) {
            stream_put(TRACE_EXEC_FAILED, 1, (int64_t)refused);
            return refused;
        }
        path = file;
    }
    enum spool_reason reason = simulated ? SPOOL_REASON_NONE : program_refuses(directory, path);
    if (reason)
        note_unrecorded(path, reason);
    if (!simulated)
        exec_announce(path, argv);
    if (!process_vfork_child)
        __atomic_store_n(&stream.slot->state, SPOOL_EXECED, __ATOMIC_RELEASE);
    if (!simulated)
        env = environment_complete(env);
    if (tsc_trapped) /* the setting would outlive this program: the next one's loader may read the counter */
        RAW(SYS_prctl, PR_SET_TSC, PR_TSC_ENABLE);
    long error = call->nr == SYS_execve || simulated ? RAW(SYS_execve, path, argv, env)
                                        : RAW(SYS_execveat, directory, path, argv, env, call->arg[4]);
    if (!process_vfork_child)
        __atomic_store_n(&stream.slot->state, SPOOL_RUNNING, __ATOMIC_RELEASE);
    if (tsc_trapped)
        RAW(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
    if (simulated)
        simulated_ask(MAIL_EXEC_FAILED, error, 0, 0);
    stream_put(TRACE_EXEC_FAILED, 1, (int64_t)error);
    return error;
}

static long exec_trace(struct call *call)
{
    trace_done((uint8_t *)(uintptr_t)unpack_skip(unpack_skip(trace_take(TRACE_EXEC), stream.limit), stream.limit));
    int next = trace_peek(); /* ends the replay of this program if nothing follows */
    if (next == TRACE_EXEC_FAILED) {
        uint8_t *p = trace_take(TRACE_EXEC_FAILED);
        long error = trace_int(&p);
        trace_done(p);
        return error;
    }
    return spawn_leave(call);
}

long process_exec(struct call *call)
{
    const long *a = call->arg;
    bool at = call->nr == SYS_execveat;
    const char *path = (const char *)(at ? a[1] : a[0]);
    if (shim_string(path, 4096) < 0)
        return -EFAULT;
    if (shim_world == WORLD_TRACE)
        return exec_trace(call);
    return exec_live(call, at ? a[0] : AT_FDCWD, path, (char *const *)(at ? a[2] : a[1]), (char *const *)(at ? a[3] : a[2]));
}

long process_exit(struct call *call)
{
    int status = (int)call->arg[0];
    if (process_vfork_child) {
        if (shim_world == WORLD_TRACE) {
            trace_call(call);
            return spawn_leave(call);
        }
        live_note(call, 0);
    } else if (shim_world == WORLD_TRACE) {
        uint8_t *p = trace_take(TRACE_END);
        if (trace_int(&p) != status)
            trace_diverged(SYS_exit_group, 0, "another exit status", "the recorded one", "another");
        trace_done(p);
        trace_finish(status);
    } else if (shim_world == WORLD_LIVE) {
        stream_put(TRACE_END, 1, (int64_t)status);
        stream.slot->status = status;
        __atomic_store_n(&stream.slot->state, SPOOL_ENDED, __ATOMIC_RELEASE);
    }
    if (simulated && shim_world == WORLD_LIVE)
        simulated_ask(MAIL_EXIT, status, 0, 0);
    for (;;)
        RAW(SYS_exit_group, status);
}
