#include "util/term.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

/* There is one stdout, so there is one pager. */
static pid_t pager;
static int pager_width; /* of the terminal it writes to */

bool term_screen(void)
{
    return pager || isatty(STDOUT_FILENO);
}

bool term_color(FILE *stream, const char *when)
{
    if (when && !strcmp(when, "always"))
        return true;
    if (when && !strcmp(when, "never"))
        return false;
    if (is_set("FORCE_COLOR"))
        return true;
    const char *term = getenv("TERM");
    bool screen = stream == stdout ? term_screen() : isatty(fileno(stream));
    return !is_set("NO_COLOR") && screen && term && strcmp(term, "dumb");
}

const char *term_code(bool color, enum term_role role)
{
    static const char *const code[] = {
        [TERM_PLAIN] = "\033[0m",  [TERM_STRONG] = "\033[1m", [TERM_FAINT] = "\033[2m", [TERM_GOOD] = "\033[32m",
        [TERM_BAD] = "\033[1;31m", [TERM_WARN] = "\033[33m",  [TERM_NAME] = "\033[36m",
    };
    return color ? code[role] : "";
}

int term_width(void)
{
    struct winsize size;
    if (pager && pager_width)
        return pager_width;
    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int n = columns ? atoi(columns) : 0;
    return n > 0 ? n : 80;
}

static const char *pager_command(void)
{
    const char *command = getenv("DRD_PAGER");
    if (!command)
        command = getenv("PAGER");
    if (!command)
        command = "less -FRX";
    return *command && strcmp(command, "cat") ? command : NULL;
}

static void pager_exec(const char *command, const int pipe_end[2])
{
    dup2(pipe_end[0], STDIN_FILENO);
    close(pipe_end[0]);
    close(pipe_end[1]);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

void pager_start(void)
{
    const char *command = pager_command();
    int end[2];
    if (pager || !command || !isatty(STDOUT_FILENO) || pipe(end))
        return;
    fflush(stdout);
    pager_width = term_width();
    pager = fork();
    if (pager == 0)
        pager_exec(command, end);
    close(end[0]);
    if (pager > 0)
        dup2(end[1], STDOUT_FILENO);
    else
        pager = 0;
    close(end[1]);
    signal(SIGPIPE, SIG_DFL); /* the reader may leave early: that is no error */
    signal(SIGINT, SIG_IGN);  /* Ctrl-C belongs to the pager */
}

void pager_finish(void)
{
    if (!pager)
        return;
    fflush(stdout);
    close(STDOUT_FILENO);
    while (waitpid(pager, NULL, 0) < 0 && pager > 0) {
    }
    pager = 0;
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void progress_draw(struct progress *p, uint64_t done, uint64_t total)
{
    enum { WIDTH = 30 };
    char bar[WIDTH + 1];
    double part = total ? (double)done / (double)total : 0;
    if (part > 1)
        part = 1;
    memset(bar, '.', WIDTH);
    memset(bar, '#', (size_t)(part * WIDTH));
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r%s [%s] %3d %%", p->what, bar, (int)(part * 100));
    p->visible = true;
}

void progress_step(struct progress *p, uint64_t done, uint64_t total)
{
    if (p->silent)
        return;
    uint64_t time = now();
    if (!p->started) {
        p->started = p->drawn = time;
        p->silent = !isatty(STDERR_FILENO);
        return;
    }
    if (time - p->started < SECOND || time - p->drawn < SECOND / 10)
        return;
    p->drawn = time;
    progress_draw(p, done, total);
}

void progress_finish(struct progress *p)
{
    if (p->visible)
        fprintf(stderr, "\r\033[K");
    p->visible = false;
}
