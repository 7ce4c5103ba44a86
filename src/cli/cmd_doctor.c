/* drd doctor: will it work on this machine, and what does DRD do about each system call? */
#include "cli/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "record/launch.h"
#include "trace/calls.h"
#include "trace/names.h"
#include "trace/record.h"
#include "util/json.h"
#include "util/term.h"
#include "util/text.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH /* Linux 5.11 */
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

#define SPOOL_WANTED (64ull << 20)

static struct {
    bool calls;
} options;

static const struct args_option rows[] = {
    { ARGS_FLAG, 0, "calls", NULL, "what is done about each system call, as Markdown", &options.calls },
    { 0 },
};

enum level { FINE, POORER, BROKEN };

struct finding {
    enum level level;
    char text[600]; /* what was found; if not fine, what follows from it and what to do */
};

static void found(struct finding *f, enum level level, const char *text)
{
    f->level = level;
    snprintf(f->text, sizeof f->text, "%s", text);
}

/* Try something in a child, so that it does not stick to us. Returns 0 or the errno it ended with. */
static int in_child(int (*attempt)(void))
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return errno;
    if (!child)
        _exit(attempt() ? (errno ? errno : 1) : 0);
    if (waitpid(child, &status, 0) != child)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
}

static int try_dispatch(void)
{
    static volatile char selector; /* 0: let system calls through */
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
}

static int try_seccomp(void)
{
    unsigned action = SECCOMP_RET_TRAP;
    return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

static int try_personality(void)
{
    int old = personality(0xffffffff);
    if (old < 0 || personality((unsigned long)old | ADDR_NO_RANDOMIZE) < 0)
        return -1;
    return personality(0xffffffff) & ADDR_NO_RANDOMIZE ? 0 : (errno = EPERM, -1);
}

static int try_tsc(void)
{
    return prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
}

static void check_kernel(struct finding *f)
{
    struct utsname u;
    char text[300];
    uname(&u);
    snprintf(text, sizeof text, "%s %s on %s", u.sysname, u.release, u.machine);
    found(f, FINE, text);
    if (strcmp(u.machine, "x86_64"))
        snprintf(f->text, sizeof f->text, "%s: DRD records x86-64 programs only", text), f->level = BROKEN;
}

/* Both ways to see the system calls that do not pass through a preloaded function. */
static void check_trap(struct finding *f)
{
    int dispatch = in_child(try_dispatch), seccomp = in_child(try_seccomp);
    if (!dispatch)
        found(f, FINE, seccomp ? "Syscall User Dispatch (no seccomp to fall back on)" : "Syscall User Dispatch; seccomp could stand in");
    else if (!seccomp)
        found(f, POORER, "seccomp: slower than Syscall User Dispatch, which this kernel lacks (Linux 5.11 has it)");
    else
        found(f, BROKEN, "neither Syscall User Dispatch nor seccomp is allowed here: most system calls would go unseen. "
                         "In a container, allow prctl(2) and seccomp(2)");
}

static void check_layout(struct finding *f)
{
    int error = in_child(try_personality);
    if (!error)
        found(f, FINE, "personality(ADDR_NO_RANDOMIZE) is allowed: nodes get the same addresses in every run");
    else
        snprintf(f->text, sizeof f->text,
                 "personality(ADDR_NO_RANDOMIZE): %s: addresses would differ in a replay. In a container, use a seccomp profile "
                 "that allows personality(2) (docker: --security-opt seccomp=FILE)", strerror(error)), f->level = BROKEN;
}

static void check_tsc(struct finding *f)
{
    if (!in_child(try_tsc))
        found(f, FINE, "rdtsc can be trapped");
    else
        found(f, POORER, "rdtsc cannot be trapped: a node that reads it may replay differently");
}

static void check_spool(struct finding *f)
{
    struct statvfs v;
    char text[TEXT_MAX];
    if (access("/dev/shm", W_OK | X_OK) || statvfs("/dev/shm", &v)) {
        found(f, POORER, "/dev/shm cannot be written: the spool goes to $TMPDIR, on a disk that nodes may share");
        return;
    }
    unsigned long long room = (unsigned long long)v.f_bavail * v.f_frsize;
    f->level = room < SPOOL_WANTED ? POORER : FINE;
    snprintf(f->text, sizeof f->text, "/dev/shm has %s free%s", text_size(room, text, sizeof text),
             room < SPOOL_WANTED ? ": little for a busy cluster; the size of /dev/shm is a mount option (docker: --shm-size)" : "");
}

static void check_shim(struct finding *f)
{
    char path[PATH_MAX];
    struct drd_error e = { 0 };
    f->level = launch_find_shim(path, &e) ? FINE : BROKEN;
    snprintf(f->text, sizeof f->text, "%.500s", f->level == FINE ? path : e.message);
}

static void check_debugger(struct finding *f)
{
    int scope = 0;
    FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "r");
    bool gdb = !access("/usr/bin/gdb", X_OK) || !access("/usr/local/bin/gdb", X_OK);
    if (file && fscanf(file, "%d", &scope) != 1)
        scope = 0;
    if (file)
        fclose(file);
    if (scope >= 3)
        found(f, POORER, "ptrace is forbidden (kernel.yama.ptrace_scope): drd replay --gdb cannot work");
    else if (!gdb)
        found(f, POORER, "gdb is not installed: drd replay --gdb needs it (apt-get install gdb)");
    else
        found(f, FINE, scope == 1 ? "gdb is there and may trace its children" : "gdb is there and may attach");
}

static const struct check {
    const char *name;
    void (*run)(struct finding *f);
} checks[] = {
    { "kernel", check_kernel },   { "system calls", check_trap }, { "addresses", check_layout }, { "time stamps", check_tsc },
    { "spool", check_spool },     { "shim", check_shim },         { "debugger", check_debugger },
};
#define CHECKS (sizeof checks / sizeof *checks)

/* All checks; false if DRD cannot work here. */
static bool run_checks(struct finding results[CHECKS])
{
    bool usable = true;
    for (size_t i = 0; i < CHECKS; i++) {
        checks[i].run(&results[i]);
        usable = usable && results[i].level != BROKEN;
    }
    return usable;
}

static const struct {
    enum call_disposition disposition;
    const char *word, *meaning;
} dispositions[] = {
    { CALL_RECORD, "recorded", "the kernel answers; in a replay the recording does" },
    { CALL_AGAIN, "executed again", "in a replay as well: its effect inside the process is wanted" },
    { CALL_EMULATE, "emulated", "DRD's shim does it in both: threads, processes, signal masks" },
    { CALL_REFUSE, "refused", "answered ENOSYS, and programs fall back: its effects could not be recorded" },
};
#define DISPOSITIONS (sizeof dispositions / sizeof *dispositions)

static size_t count_calls(enum call_disposition disposition)
{
    size_t n = 0;
    for (int i = 0; i < CALL_MAX; i++)
        n += call_info(i) && call_info(i)->disposition == disposition;
    return n;
}

static const char *disposition_word(const struct call_info *call)
{
    for (size_t i = 0; i < DISPOSITIONS; i++)
        if (dispositions[i].disposition == call->disposition)
            return dispositions[i].word;
    return "?";
}

static void print_findings(const struct finding *f, bool color)
{
    static const char *const mark[] = { [FINE] = "ok", [POORER] = "warn", [BROKEN] = "fail" };
    static const enum term_role role[] = { [FINE] = TERM_GOOD, [POORER] = TERM_WARN, [BROKEN] = TERM_BAD };
    for (size_t i = 0; i < CHECKS; i++)
        printf("%s%-4s%s  %-13s %s\n", term_code(color, role[f[i].level]), mark[f[i].level], term_code(color, TERM_PLAIN),
               checks[i].name, f[i].text);
}

static void print_summary(void)
{
    printf("\nSystem calls (drd doctor --calls lists them):\n");
    for (size_t i = 0; i < DISPOSITIONS; i++)
        printf("%5zu %-15s %s\n", count_calls(dispositions[i].disposition), dispositions[i].word, dispositions[i].meaning);
    printf("%5s %-15s executed, recorded as unhandled, counted by drd show\n", "other", "not in the table");
    printf("Trace format %d, drd %s\n", TRACE_FORMAT_VERSION, DRD_VERSION);
}

/* The arguments as names, those whose content stands in the recording in italics. */
static void print_call_row(int number)
{
    const struct call_info *call = call_info(number);
    printf("| %d | `%s` | %s | ", number, call->name, disposition_word(call));
    for (unsigned i = 0; i < 6 && call->argument[i] != KIND_NONE; i++) {
        bool kept = call->disposition != CALL_REFUSE && (kind_has_input(call->argument[i]) || kind_has_output(call->argument[i]));
        printf("%s%s%s%s", i ? ", " : "", kept ? "*" : "", trace_argument_name(number, i), kept ? "*" : "");
    }
    printf(" | %s |\n", call->flags & CALL_BLOCKS ? "yes" : "");
}

static void print_table(void)
{
    puts("| number | call | what DRD does | arguments (*in the recording*) | may block |\n| --- | --- | --- | --- | --- |");
    for (int i = 0; i < CALL_MAX; i++)
        if (call_info(i))
            print_call_row(i);
}

static void print_json(const struct finding *f)
{
    static const char *const word[] = { [FINE] = "ok", [POORER] = "warn", [BROKEN] = "fail" };
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.doctor/1");
    jw_key(&j, "checks");
    jw_array(&j);
    for (size_t i = 0; i < CHECKS; i++) {
        jw_object(&j);
        jw_put_string(&j, "name", checks[i].name);
        jw_put_string(&j, "result", word[f[i].level]);
        jw_put_string(&j, "text", f[i].text);
        jw_end(&j);
    }
    jw_end(&j);
    jw_key(&j, "calls");
    jw_object(&j);
    for (int i = 0; i < CALL_MAX; i++)
        if (call_info(i))
            jw_put_string(&j, call_info(i)->name, disposition_word(call_info(i)));
    jw_end(&j);
    jw_end(&j);
}

static int run_doctor(struct cmd_context *c)
{
    if (options.calls && !c->json) {
        print_table();
        return DRD_EXIT_OK;
    }
    struct finding results[CHECKS] = { 0 };
    bool usable = run_checks(results);
    if (c->json) {
        print_json(results);
    } else {
        print_findings(results, c->color);
        print_summary();
    }
    return usable ? DRD_EXIT_OK : DRD_EXIT_CANNOT;
}

const struct drd_command cmd_doctor = {
    .name = "doctor",
    .summary = "will DRD work on this machine; what it does about each system call",
    .positional = "",
    .flags = CMD_PAGER | CMD_JSON,
    .options = rows,
    .help = "Tries what recording and replaying need, in a child process that ends at once, and says what is missing and what to\n"
            "do about it. Exits with 0 if DRD can work here, with 125 if not.\n",
    .run = run_doctor,
};
