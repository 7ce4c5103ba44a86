/* measure FILE COMMAND...: run a command and append a line to FILE:
 *   status= wall_ms= user_ms= system_ms= peak_kb= family_peak_kb=
 * peak_kb is the command's own largest resident set, family_peak_kb the largest of it and all it waited for. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The high-water mark so far; it is gone with the process, so the last look before its end counts. */
static long peak_kb(pid_t pid)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6))
            kb = atol(line + 6);
    if (f)
        fclose(f);
    return kb;
}

static void print(FILE *out, int status, long wall, const struct rusage *r, long peak)
{
    fprintf(out, "status=%d wall_ms=%ld user_ms=%ld system_ms=%ld peak_kb=%ld family_peak_kb=%ld\n",
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall,
            r->ru_utime.tv_sec * 1000 + r->ru_utime.tv_usec / 1000,
            r->ru_stime.tv_sec * 1000 + r->ru_stime.tv_usec / 1000, peak, r->ru_maxrss);
}

int main(int argc, char **argv)
{
    FILE *out = argc > 2 ? fopen(argv[1], "a") : NULL;
    if (!out)
        return 2;
    long start = now_ms(), peak = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    signal(SIGINT, SIG_IGN);
    int status;
    struct rusage usage;
    while (wait4(pid, &status, WNOHANG, &usage) == 0) {
        long kb = peak_kb(pid);
        peak = kb > peak ? kb : peak;
        usleep(5000);
    }
    print(out, status, now_ms() - start, &usage, peak);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
