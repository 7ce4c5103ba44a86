/* What the tiny programs share. Each prints what its calls answered; the runner compares the output of a native, a recorded
 * and a replayed run. Values that vary from run to run (numbers of processes, times, ports, addresses) are not printed, only
 * how they relate to each other. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The result of a call that has to work here; the program ends with 99 and says which one did not. */
#define MUST(call) ({ \
    __typeof__(call) must_ = (call); \
    if ((intptr_t)must_ == -1) { \
        printf("%s:%d: %s: %s\n", __FILE_NAME__, __LINE__, #call, strerrorname_np(errno)); \
        exit(99); \
    } \
    must_; })

/* The same for functions that return an error number (pthread_*, posix_*). */
#define ZERO(call) ({ \
    int zero_ = (call); \
    if (zero_) { \
        printf("%s:%d: %s: %s\n", __FILE_NAME__, __LINE__, #call, strerrorname_np(zero_)); \
        exit(99); \
    } })

/* Print a call, its result and, where it failed, the name of its error. */
#define SAY(call) ({ \
    long say_ = (long)(call); \
    if (say_ == -1) \
        printf("%s = %s\n", #call, strerrorname_np(errno)); \
    else \
        printf("%s = %ld\n", #call, say_); \
    say_; })

#define FACT(condition) printf("%s: %s\n", #condition, (condition) ? "yes" : "no")

static inline uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint32_t hash(const void *data, size_t size)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ ((const uint8_t *)data)[i]) * 16777619u;
    return h;
}

/* Several processes write: no line may wait in a buffer that a fork would double. */
static inline void unbuffered(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
}

static inline void say_status(const char *who, int status)
{
    if (WIFEXITED(status))
        printf("%s: exit %d\n", who, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: killed by SIG%s\n", who, sigabbrev_np(WTERMSIG(status)));
    else if (WIFSTOPPED(status))
        printf("%s: stopped by SIG%s\n", who, sigabbrev_np(WSTOPSIG(status)));
    else
        printf("%s: continued\n", who);
}

static inline void say_wait(const char *who, pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid)
        printf("%s: waitpid: %s\n", who, strerrorname_np(errno));
    else
        say_status(who, status);
}

static inline void on_signal(int signo, void (*handler)(int), int flags)
{
    struct sigaction a = { .sa_handler = handler, .sa_flags = flags };
    sigemptyset(&a.sa_mask);
    MUST(sigaction(signo, &a, NULL));
}

/* A handler that counts. */
static volatile int caught __attribute__((unused));

static inline void count_signal(int signo)
{
    (void)signo;
    caught++;
}

static inline void on_signal_info(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction a = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };
    sigemptyset(&a.sa_mask);
    MUST(sigaction(signo, &a, NULL));
}

static inline void block_signal(int signo)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

static inline void unblock_signal(int signo)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static inline pthread_t start(void *(*function)(void *), void *argument)
{
    pthread_t t;
    ZERO(pthread_create(&t, NULL, function, argument));
    return t;
}

/* Until the thread with this number sleeps in the kernel: what comes next shall find it there. Seen from outside, so that
 * the thread itself runs as it would without a test. */
static inline void wait_asleep(pid_t pid, pid_t tid)
{
    char path[64], line[512], state = 'R';
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    for (uint64_t end = now_ns(CLOCK_MONOTONIC) + 10000000000u; state != 'S' && now_ns(CLOCK_MONOTONIC) < end; sched_yield()) {
        int fd = open(path, O_RDONLY);
        ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
        close(fd);
        line[n > 0 ? n : 0] = 0;
        char *name_end = strrchr(line, ')');
        state = name_end ? name_end[2] : 'R';
    }
}

#endif
