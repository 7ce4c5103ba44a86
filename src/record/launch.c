#include "record/launch.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/mailbox.h"
#include "trace/spool.h"

/* Keeps glibc from registering restartable sequences: the kernel would write the CPU number into memory at any moment. */
#define TUNABLE "glibc.pthread.rseq=0"
/* OpenSSL without rdtsc, rdrand and rdseed: their values reach the program without a call that could be recorded.
 * Source: OPENSSL_ia32cap(3). */
#define IA32CAP "~0x4000000000000010:~0x40000"

/* ---- finding files ---- */

static bool usable(const char *path)
{
    return access(path, R_OK) == 0;
}

static bool first_match(const char *pattern, char path[PATH_MAX])
{
    glob_t found;
    bool ok = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc;
    if (ok)
        snprintf(path, PATH_MAX, "%s", found.gl_pathv[0]);
    globfree(&found);
    return ok;
}

bool launch_find_shim(char path[PATH_MAX], struct drd_error *e)
{
    static const char *const place[] = {"/libdrd_shim.so", "/../lib/*/drd/libdrd_shim.so", "/../lib/drd/libdrd_shim.so",
                                        "/../lib64/drd/libdrd_shim.so"};
    char directory[PATH_MAX], pattern[PATH_MAX + 64];
    const char *given = getenv("DRD_SHIM");
    if (given && *given)
        return (realpath(given, path) && usable(path)) || error_set_errno(e, DRD_EXIT_CANNOT, "DRD_SHIM=%s", given);
    ssize_t n = readlink("/proc/self/exe", directory, sizeof directory - 1);
    if (n > 0) {
        directory[n] = 0;
        *strrchr(directory, '/') = 0;
        for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
            char found[PATH_MAX];
            snprintf(pattern, sizeof pattern, "%s%s", directory, place[i]);
            if (first_match(pattern, found) && usable(found) && realpath(found, path))
                return true;
        }
    }
    return error_set(e, DRD_EXIT_CANNOT, "libdrd_shim.so not found beside drd nor in ../lib; DRD_SHIM can say where it is");
}

/* 0: can be run, else why not. */
static int program_problem(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EACCES;
    return access(path, X_OK) < 0 ? errno : 0;
}

static bool program_error(const char *program, int problem, struct drd_error *e)
{
    bool missing = problem == ENOENT || problem == ENOTDIR;
    return error_set(e, (enum drd_exit)(missing ? 127 : 126), "%s: %s", program,
                     missing ? "command not found" : strerror(problem));
}

bool launch_find_program(const char *program, char path[PATH_MAX], struct drd_error *e)
{
    int problem = ENOENT;
    if (strchr(program, '/')) {
        snprintf(path, PATH_MAX, "%s", program);
        problem = program_problem(path);
        return !problem || program_error(program, problem, e);
    }
    const char *list = getenv("PATH");
    if (!list)
        list = "/usr/local/bin:/usr/bin:/bin";
    for (const char *at = list; *program; at++) {
        size_t length = strcspn(at, ":");
        snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, at, length ? "/" : "", program);
        int p = program_problem(path);
        if (!p)
            return true;
        if (p == EACCES)
            problem = p;
        at += length;
        if (!*at)
            break;
    }
    return program_error(program, problem, e);
}

static bool has_interpreter(int fd, const Elf64_Ehdr *head)
{
    for (int i = 0; i < head->e_phnum; i++) {
        Elf64_Phdr part;
        if (pread(fd, &part, sizeof part, (off_t)(head->e_phoff + (uint64_t)i * sizeof part)) == sizeof part &&
            part.p_type == PT_INTERP)
            return true;
    }
    return false;
}

const char *launch_unrecordable(const char *path)
{
    Elf64_Ehdr head;
    struct stat st;
    const char *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || pread(fd, &head, sizeof head, 0) != sizeof head || memcmp(head.e_ident, ELFMAG, SELFMAG))
        why = NULL; /* a script, or a program that may be run but not read */
    else if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64)
        why = "it is not an x86-64 program";
    else if (!has_interpreter(fd, &head))
        why = "it is statically linked";
    else if (((st.st_mode & S_ISUID) && st.st_uid != getuid()) || ((st.st_mode & S_ISGID) && st.st_gid != getgid()))
        why = "it is set-user-ID or set-group-ID";
    if (fd >= 0)
        close(fd);
    return why;
}

/* ---- the environment ---- */

static const char *const replaced[] = {"LD_PRELOAD=", "GLIBC_TUNABLES=", "OPENSSL_ia32cap=", SPOOL_ENV_DIR "=",
                                       SPOOL_ENV_CONTROL "="};

static bool is_replaced(const char *entry, bool node)
{
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
        if (!strncmp(entry, replaced[i], strlen(replaced[i])))
            return true;
    return node && !strncmp(entry, SPOOL_ENV_NODE "=", strlen(SPOOL_ENV_NODE) + 1);
}

static char *entry(const char *name, const char *value, const char *between, const char *more)
{
    char *text;
    return asprintf(&text, "%s=%s%s%s", name, value, more && *more ? between : "", more && *more ? more : "") < 0 ? NULL : text;
}

void launch_environment_free(char **environment)
{
    for (char **p = environment; p && *p; p++)
        free(*p);
    free(environment);
}

static const char *value_of(char *const *from, const char *name)
{
    size_t length = strlen(name);
    for (; *from; from++)
        if (!strncmp(*from, name, length) && (*from)[length] == '=')
            return *from + length + 1;
    return NULL;
}

/* Without what launch_environment puts before ("SHIM:...") or behind ("...:TUNABLE") it. False: nothing else is there. */
static bool word_before(char *word)
{
    char *value = strchr(word, '=');
    if (!value++ || (strncmp(word, replaced[0], strlen(replaced[0])) && strncmp(word, replaced[1], strlen(replaced[1]))))
        return false;
    bool preload = !strncmp(word, replaced[0], strlen(replaced[0]));
    char *colon = preload ? strchr(value, ':') : strrchr(value, ':');
    if (colon && preload)
        memmove(value, colon + 1, strlen(colon));
    else if (colon)
        *colon = '\0';
    return colon != NULL;
}

size_t launch_environment_before(char **word, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(word[i], false) || word_before(word[i]))
            word[left++] = word[i];
        else
            free(word[i]);
    }
    return left;
}

char **launch_environment(char *const *from, const char *shim, const char *spool, const char *control, const char *node)
{
    extern char **environ;
    char *const *own = from ? from : environ;
    size_t count = 0, n = 0;
    const char *tunables = value_of(own, "GLIBC_TUNABLES");
    while (own[count])
        count++;
    char **out = calloc(count + 8, sizeof *out);
    if (!out)
        return NULL;
    out[n++] = entry("LD_PRELOAD", shim, ":", value_of(own, "LD_PRELOAD"));
    out[n++] = tunables && *tunables ? entry("GLIBC_TUNABLES", tunables, ":", TUNABLE) : entry("GLIBC_TUNABLES", TUNABLE, "", NULL);
    out[n++] = entry("OPENSSL_ia32cap", IA32CAP, "", NULL);
    out[n++] = entry(SPOOL_ENV_DIR, spool, "", NULL);
    out[n++] = entry(SPOOL_ENV_CONTROL, control, "", NULL);
    if (node)
        out[n++] = entry(SPOOL_ENV_NODE, node, "", NULL);
    for (size_t i = 0; i < count; i++)
        if (!is_replaced(own[i], node))
            out[n++] = strdup(own[i]);
    for (size_t i = 0; i < n; i++)
        if (!out[i]) {
            while (n)
                free(out[--n]);
            free(out);
            return NULL;
        }
    return out;
}

/* ---- starting ---- */

static void redirect(int from, int to)
{
    if (from >= 0 && from != to)
        dup2(from, to);
}

static void child_run(const struct launch *l, int report)
{
    if (l->own_group) {
        int null = open("/dev/null", O_RDONLY);
        setpgid(0, 0);
        redirect(null, 0);
        if (null > 2)
            close(null);
    }
    if (l->directory >= 0) { /* in a simulated world, which a signal to the terminal's group must not reach */
        setpgid(0, 0);
        dup2(l->directory, MAILBOX_SPOOL_FD);
    }
    redirect(l->output, 1);
    redirect(l->error, 2);
    sigprocmask(SIG_SETMASK, &l->mask, NULL);
    execve(l->path, l->argv, l->environment);
    int problem = errno;
    if (problem == ENOEXEC) { /* a script without #!, as execvp(3) does */
        char *argv[256] = {"sh", (char *)(uintptr_t)l->path};
        for (int i = 1; i < 253 && l->argv[i]; i++)
            argv[i + 1] = l->argv[i];
        execve("/bin/sh", argv, l->environment);
    }
    if (write(report, &problem, sizeof problem) < 0)
        _exit(126);
    _exit(problem == ENOENT ? 127 : 126);
}

/* What execve failed with, 0 if it worked: then the pipe closed without a word. */
static int await_exec(int report)
{
    int problem = 0;
    ssize_t n;
    while ((n = read(report, &problem, sizeof problem)) < 0 && errno == EINTR)
        ;
    return n == sizeof problem ? problem : 0;
}

pid_t launch_start(const struct launch *l, bool *randomized, struct drd_error *e)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "pipe"), -1;
    /* Inherited over fork and execve; of no effect on this process, which has its addresses. */
    int before = personality(0xffffffff);
    *randomized = before < 0 || personality((unsigned long)before | ADDR_NO_RANDOMIZE) < 0;
    pid_t pid = fork();
    if (pid == 0)
        child_run(l, report[1]);
    if (before >= 0)
        personality((unsigned long)before);
    close(report[1]);
    int problem = pid < 0 ? errno : await_exec(report[0]);
    close(report[0]);
    if (!problem)
        return pid;
    program_error(l->path, problem, e);
    return -1;
}

char **launch_words(const char *command)
{
    if (strpbrk(command, "|&;<>()$`\\\"'*?[]#~={}!\n"))
        return NULL;
    char *copy = strdup(command), *rest = copy, *word;
    char **out = calloc(strlen(command) / 2 + 2, sizeof *out);
    size_t n = 0;
    while (copy && out && (word = strsep(&rest, " \t")))
        if (*word)
            out[n++] = word;
    if (n && out[0] != copy) { /* leading blanks: [0] must be what free(3) takes */
        memmove(copy, out[0], strlen(out[0]) + 1);
        out[0] = copy;
    }
    if (n)
        return out;
    free(copy);
    free(out);
    return NULL;
}
