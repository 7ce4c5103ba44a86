/* Several tries at a time. A worker is a process group of its own, so that Ctrl-C at the terminal reaches only the one who
 * decides, and is bound to one core: the processes of a world run one at a time anyway. */
#include "explore/explore.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 900 /* for one try, of this machine's time */
#define STOP_SECONDS 20

struct place {
    pid_t pid;
    int pipe;       /* closed by the worker's end */
    time_t until;
    bool stopping;
    char path[PATH_MAX];
};

struct explore_pool {
    const struct explore_setting *setting;
    struct explore_outcome *outcome; /* shared, one a place */
    unsigned jobs, running;
    struct place place[EXPLORE_JOBS];
};

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

struct explore_pool *explore_pool_create(const struct explore_setting *s, unsigned jobs, const char *scratch,
                                         struct drd_error *e)
{
    struct explore_pool *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory"), NULL;
    p->setting = s;
    p->jobs = jobs < 1 ? 1 : jobs > EXPLORE_JOBS ? EXPLORE_JOBS : jobs;
    p->outcome = mmap(NULL, p->jobs * sizeof *p->outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->outcome == MAP_FAILED) {
        free(p);
        return error_set_errno(e, DRD_EXIT_CANNOT, "no memory for the results"), NULL;
    }
    for (unsigned i = 0; i < p->jobs; i++)
        snprintf(p->place[i].path, PATH_MAX, "%.4000s/%d-%u.drd", scratch, (int)getpid(), i);
    return p;
}

static void core_take(unsigned place)
{
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) || CPU_COUNT(&all) < 2)
        return;
    unsigned skip = place % (unsigned)CPU_COUNT(&all);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all) || skip--)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

static void nothing(int signal)
{
    (void)signal;
}

/* Inside the worker. SIGTERM ends what it waits for, not itself: that one cleans up. */
static void work(struct explore_pool *p, int place, const struct explore_try *t)
{
    struct sigaction act = {.sa_handler = nothing};
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGINT, SIG_DFL);
    if (p->jobs > 1) /* alone, the kernel knows better which is free */
        core_take((unsigned)place);
    explore_try(p->setting, t, p->place[place].path, &p->outcome[place]);
}

int explore_pool_free(const struct explore_pool *p)
{
    for (unsigned i = 0; i < p->jobs; i++)
        if (!p->place[i].pid)
            return (int)i;
    return -1;
}

bool explore_pool_start(struct explore_pool *p, int place, const struct explore_try *t, struct drd_error *e)
{
    struct place *w = &p->place[place];
    int end[2];
    if (pipe2(end, O_CLOEXEC))
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot start a run");
    memset(&p->outcome[place], 0, sizeof p->outcome[place]);
    fflush(stdout);
    w->pid = fork();
    if (w->pid == 0) {
        close(end[0]);
        work(p, place, t);
        _exit(0);
    }
    close(end[1]);
    w->pipe = end[0];
    if (w->pid < 0) {
        w->pid = 0;
        close(end[0]);
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot start a run");
    }
    setpgid(w->pid, w->pid); /* whoever is first */
    w->until = now() + (p->setting->patience ? p->setting->patience : SECONDS);
    w->stopping = false;
    p->running++;
    return true;
}

static void reap(struct explore_pool *p, int place)
{
    struct place *w = &p->place[place];
    struct explore_outcome *o = &p->outcome[place];
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(w->pipe);
    o->stopped = w->stopping;
    if (!o->done && !*o->why)
        snprintf(o->why, sizeof o->why, "drd itself died when it judged the run: please report that");
    if (!o->done && !o->status)
        o->status = DRD_EXIT_CANNOT;
    w->pid = 0;
    p->running--;
}

/* Stopped, and it does not end: with all that it started. */
static void check_time(struct explore_pool *p, int place)
{
    struct place *w = &p->place[place];
    if (now() <= w->until)
        return;
    if (w->stopping)
        kill(-w->pid, SIGKILL);
    else
        explore_pool_stop(p, place);
}

int explore_pool_wait(struct explore_pool *p, int ms)
{
    struct pollfd fd[EXPLORE_JOBS];
    if (!p->running)
        return -1;
    for (unsigned i = 0; i < p->jobs; i++)
        fd[i] = (struct pollfd){.fd = p->place[i].pid ? p->place[i].pipe : -1, .events = POLLIN};
    if (poll(fd, p->jobs, ms) < 0)
        return -1;
    for (unsigned i = 0; i < p->jobs; i++) {
        if (p->place[i].pid && (fd[i].revents & (POLLHUP | POLLERR)))
            return reap(p, (int)i), (int)i;
        if (p->place[i].pid)
            check_time(p, (int)i);
    }
    return -1;
}

void explore_pool_stop(struct explore_pool *p, int place)
{
    struct place *w = &p->place[place];
    if (!w->pid || w->stopping)
        return;
    w->stopping = true;
    w->until = now() + STOP_SECONDS;
    kill(-w->pid, SIGTERM);
}

struct explore_outcome *explore_pool_outcome(struct explore_pool *p, int place)
{
    return &p->outcome[place];
}

const char *explore_pool_path(const struct explore_pool *p, int place)
{
    return p->place[place].path;
}

unsigned explore_pool_running(const struct explore_pool *p)
{
    return p->running;
}

void explore_pool_destroy(struct explore_pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->jobs; i++)
        explore_pool_stop(p, (int)i);
    while (p->running)
        explore_pool_wait(p, 500);
    for (unsigned i = 0; i < p->jobs; i++)
        unlink(p->place[i].path);
    munmap(p->outcome, p->jobs * sizeof *p->outcome);
    free(p);
}
