#include "replay/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/root.h"
#include "trace/mailbox.h"
#include "trace/spool.h"

#define SCRIPT_DEPTH 5          /* as the kernel's limit of interpreters that are scripts themselves */
#define FD_SPARE (REPLAY_FD + 3) /* first descriptor that no part of the contract names */

/* What went wrong between fork and exec, for the parent. */
struct launch_failure {
    int number;      /* errno */
    char what[256];
};

/* How many words the "#!" line of a file puts before the file's own name; 0 if it is no script. *interpreter gets the
 * first of them. */
static int script_words(const char *path, char *interpreter, size_t size)
{
    char line[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (fd >= 0)
        close(fd);
    if (n < 3 || memcmp(line, "#!", 2))
        return 0;
    line[strcspn(line, "\n")] = 0;
    char *word = line + 2 + strspn(line + 2, " \t");
    size_t length = strcspn(word, " \t");
    snprintf(interpreter, size, "%.*s", (int)length, word);
    const char *rest = word + length;
    return rest[strspn(rest, " \t")] ? 2 : 1;
}

char **launch_argv(const struct manifest *m)
{
    char path[4096], next[4096];
    int count = 0, words = 0;
    while (m->argv[count])
        count++;
    snprintf(path, sizeof path, "%s", m->exe);
    for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
        int n = script_words(path, next, sizeof next);
        if (!n)
            break;
        words += n;
        memcpy(path, next, sizeof path);
    }
    /* the word after them is the script's name, which the kernel puts in place of argv[0] */
    if (!words || words >= count || strcmp(m->argv[words], m->exe))
        return m->argv;
    return m->argv + words;
}

static bool set_limits(const struct manifest *m, struct launch_failure *failure)
{
    struct rlimit files, stack;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < FD_SPARE + 16) {
        files.rlim_cur = FD_SPARE + 16;
        if (files.rlim_max < files.rlim_cur)
            files.rlim_max = files.rlim_cur;
        if (setrlimit(RLIMIT_NOFILE, &files)) {
            failure->number = errno;
            snprintf(failure->what, sizeof failure->what, "descriptors up to %d are needed (ulimit -n)", FD_SPARE + 16);
            return false;
        }
    }
    getrlimit(RLIMIT_STACK, &stack);
    stack.rlim_cur = m->stack_limit < 0 ? RLIM_INFINITY : (rlim_t)m->stack_limit;
    if (!setrlimit(RLIMIT_STACK, &stack))
        return true;
    failure->number = errno;
    snprintf(failure->what, sizeof failure->what, "the stack limit of the recording, %lld bytes, is not allowed here "
             "(ulimit -Hs)", (long long)m->stack_limit);
    return false;
}

/* Open `path` as exactly `fd`. */
static bool place(const char *path, int flags, int fd, struct launch_failure *failure)
{
    int opened = open(path, flags, 0600);
    bool ok = opened == fd || (opened >= 0 && dup2(opened, fd) >= 0);
    if (opened >= 0 && opened != fd)
        close(opened);
    if (ok)
        return true;
    failure->number = errno;
    snprintf(failure->what, sizeof failure->what, "cannot open %.100s", path);
    return false;
}

static bool set_descriptors(const struct launch *l, struct launch_failure *failure)
{
    if (l->echo && (dup2(1, REPLAY_FD + 1) < 0 || dup2(2, REPLAY_FD + 2) < 0)) {
        failure->number = errno;
        snprintf(failure->what, sizeof failure->what, "cannot pass stdout and stderr on");
        return false;
    }
    /* tidiness: what we inherited ourselves is no harm to a node that opens nothing; kernels before 5.11 refuse */
    close_range(3, REPLAY_FD - 1, CLOSE_RANGE_CLOEXEC);
    close_range(l->echo ? FD_SPARE : REPLAY_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    if (l->spool && dup2(l->spool, MAILBOX_SPOOL_FD) < 0)
        return failure->number = errno, false;
    return place(l->stream, O_RDWR, REPLAY_FD, failure) && place("/dev/null", O_RDWR, 0, failure) &&
           place("/dev/null", O_RDWR, 1, failure) && place(l->errors, O_WRONLY | O_CREAT | O_APPEND, 2, failure);
}

/* A replay begins with nothing inherited: what the program inherited is in its stream. */
static void reset_signals(void)
{
    sigset_t none;
    for (int signo = 1; signo < _NSIG; signo++)
        signal(signo, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* "/proc/self/exe" is a program's word for itself: that program is started, and the shim in it starts it again with the
 * path as recorded, which stands on the stack. */
static const char *first_program(const struct manifest *m)
{
    struct replay_file head = { .again = 1 };
    if (strncmp(m->exe, "/proc/", 6) || strlen(m->exe) >= sizeof head.again_path || !m->program)
        return m->exe;
    strcpy(head.again_path, m->exe);
    bool ok = pwrite(REPLAY_FD, head.again_path, sizeof head.again_path, offsetof(struct replay_file, again_path)) > 0 &&
              pwrite(REPLAY_FD, &head.again, sizeof head.again, offsetof(struct replay_file, again)) > 0;
    return ok ? m->program : m->exe;
}

/* A script may be gone, as a file of a temporary directory is, and no replay reads it: its interpreter is started at once,
 * with the words the kernel gave it. The path that was executed stands on the stack and its length moves what lies below,
 * so a link takes its place whose name is as long. Returns only on failure. */
static void become_interpreter(const struct launch *l, struct launch_failure *failure)
{
    const struct manifest *m = l->manifest;
    size_t length = strlen(m->exe), at = 0;
    char directory[4096], path[4096] = "", name[16];
    snprintf(directory, sizeof directory, "%s", l->stream);
    *strrchr(directory, '/') = 0;
    size_t wanted = (size_t)snprintf(name, sizeof name, "p%.14s", strrchr(l->stream, '/') + 1);
    if (length < wanted) /* a short path: the last digits are enough */
        memmove(name, name + wanted - length, length + 1);
    else if ((length - wanted) % 2)
        memmove(name + 1, name, wanted + 1);
    for (wanted = strlen(name); at + wanted < length && at + 3 < sizeof path; at += 2)
        memcpy(path + at, "./", 3);
    snprintf(path + at, sizeof path - at, "%s", name);
    if (!chdir(directory) && (!symlink(m->program, name) || errno == EEXIST))
        execve(path, m->argv, m->env);
    failure->number = errno;
    snprintf(failure->what, sizeof failure->what, "cannot start %.100s", m->program);
}

/* Can what execve was given be executed? A pack has the file itself, and no links to it. */
static bool is_there(const struct manifest *m)
{
    return (m->exe[0] == '/' || !chdir(m->cwd)) && !access(m->exe, X_OK);
}

/* In the child. Returns only on failure. */
static void become(const struct launch *l, struct launch_failure *failure)
{
    const struct manifest *m = l->manifest;
    setpgid(0, 0);
#ifdef PR_SET_PTRACER
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* Yama: the debugger is no ancestor */
#endif
    reset_signals();
    if (personality(ADDR_NO_RANDOMIZE) < 0) {
        failure->number = errno;
        snprintf(failure->what, sizeof failure->what, "cannot switch address randomization off");
        return;
    }
    if (!set_limits(m, failure) || !set_descriptors(l, failure))
        return;
    if (l->root && !root_enter(l->root, l->stage)) {
        failure->number = errno;
        snprintf(failure->what, sizeof failure->what, "cannot put the files of the pack into place");
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* here: a user namespace of one's own clears it */
    if (strcmp(m->exe, m->program) && (m->argv[1] || l->root) && !is_there(m)) {
        become_interpreter(l, failure);
        return;
    }
    if (m->exe[0] != '/' && chdir(m->cwd)) { /* the path given to execve stands on the stack, so it stays relative */
        failure->number = errno;
        snprintf(failure->what, sizeof failure->what, "cannot go to %.90s to start %.20s", m->cwd, m->exe);
        return;
    }
    execve(first_program(m), launch_argv(m), m->env);
    failure->number = errno;
    snprintf(failure->what, sizeof failure->what, "cannot start %.100s", m->exe);
}

bool launch_program(const struct launch *l, pid_t *pid, struct drd_error *e)
{
    int channel[2];
    if (pipe2(channel, O_CLOEXEC))
        return error_set_errno(e, DRD_EXIT_CANNOT, "pipe");
    *pid = fork();
    if (*pid == 0) {
        struct launch_failure failure = { 0 };
        become(l, &failure);
        if (write(channel[1], &failure, sizeof failure) < 0)
            _exit(126);
        _exit(127);
    }
    int number = errno;
    close(channel[1]);
    struct launch_failure failure;
    ssize_t n = *pid < 0 ? 0 : read(channel[0], &failure, sizeof failure);
    close(channel[0]);
    if (*pid > 0 && n == 0)
        return true; /* the channel was closed by exec */
    if (*pid > 0)
        waitpid(*pid, NULL, 0);
    errno = n == (ssize_t)sizeof failure ? failure.number : number;
    return error_set_errno(e, DRD_EXIT_CANNOT, "%s", n == (ssize_t)sizeof failure ? failure.what : "fork");
}
