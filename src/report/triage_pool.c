/* Many runs at a time, each judged by a process of its own: whatever a run does to DRD, the others are judged.
 *
 * Results come back through shared memory. A worker holds the only writing end of a pipe, so that its death, however it
 * comes, wakes the one who waits; waitpid is asked for workers alone, because the caller may have other children. */
#include "report/triage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64
#define SECONDS 600 /* for one run */

struct slot {
    bool done, cached;
    struct triage_result result;
};

struct worker {
    pid_t pid;
    int pipe;      /* closed by its end */
    time_t until;
    size_t item;
};

struct pool {
    struct triage_run **item;
    size_t items, next, done;
    struct slot *slot;            /* one for each worker, shared */
    struct worker worker[JOBS_MAX];
    unsigned jobs, running;
    const char *cache;
    bool locate;
};

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* --- inside a worker --- */

static void work(const struct pool *p, const struct triage_run *run, struct slot *slot)
{
    struct triage_key key;
    triage_key_fast(&key, run->path);
    if (p->cache && !p->locate && triage_cache_get(p->cache, &key, run->path, true, &slot->result)) {
        slot->cached = slot->done = true;
        return;
    }
    triage_judge(run->path, p->locate, &slot->result);
    if (p->cache && slot->result.kind != TRIAGE_BROKEN) {
        triage_key_fast(&key, run->path); /* a stack that was read is kept in the run */
        if (triage_key_content(&key, run->path))
            triage_cache_put(p->cache, &key, &slot->result);
    }
    slot->done = true;
}

/* --- outside --- */

static bool start(struct pool *p, unsigned which, struct drd_error *e)
{
    struct worker *w = &p->worker[which];
    int end[2];
    if (pipe2(end, O_CLOEXEC))
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot start a worker");
    memset(&p->slot[which], 0, sizeof p->slot[which]);
    w->item = p->next;
    w->pid = fork();
    if (w->pid == 0) {
        close(end[0]);
        work(p, p->item[w->item], &p->slot[which]);
        _exit(0);
    }
    close(end[1]);
    w->pipe = end[0];
    if (w->pid < 0) {
        close(end[0]);
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot start a worker");
    }
    w->until = now() + SECONDS;
    p->next++;
    p->running++;
    return true;
}

static void died(struct triage_run *run, int status, bool late)
{
    struct triage_result *r = &run->result;
    memset(r, 0, sizeof *r);
    r->kind = TRIAGE_BROKEN;
    snprintf(r->title, sizeof r->title, "%s", triage_kinds[TRIAGE_BROKEN].title);
    if (late)
        snprintf(r->note, sizeof r->note, "explaining it took more than %d s", SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(r->note, sizeof r->note, "drd itself died of signal %d when it explained it: please report that",
                 WTERMSIG(status));
    else
        snprintf(r->note, sizeof r->note, "drd itself failed when it explained it: please report that");
}

static void reap(struct pool *p, unsigned which, bool late)
{
    struct worker *w = &p->worker[which];
    struct triage_run *run = p->item[w->item];
    const struct slot *slot = &p->slot[which];
    int status = 0;
    if (late)
        kill(w->pid, SIGKILL);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(w->pipe);
    if (slot->done) {
        run->result = slot->result;
        run->cached = slot->cached;
    } else if (!p->locate) { /* to look for a place may fail: the verdict stays */
        died(run, status, late);
    }
    w->pid = 0;
    p->running--;
    p->done++;
}

/* Wait until at least one has ended, or is too late. */
static void wait_some(struct pool *p)
{
    struct pollfd fd[JOBS_MAX];
    for (unsigned i = 0; i < p->jobs; i++)
        fd[i] = (struct pollfd){.fd = p->worker[i].pid ? p->worker[i].pipe : -1, .events = POLLIN};
    poll(fd, p->jobs, 1000);
    for (unsigned i = 0; i < p->jobs; i++) {
        if (!p->worker[i].pid)
            continue;
        bool late = now() > p->worker[i].until;
        if (late || (fd[i].revents & (POLLHUP | POLLERR)))
            reap(p, i, late);
    }
}

static void stop_all(struct pool *p)
{
    for (unsigned i = 0; i < p->jobs; i++)
        if (p->worker[i].pid)
            reap(p, i, true);
}

static bool fill(struct pool *p, struct drd_error *e)
{
    for (unsigned i = 0; i < p->jobs && p->next < p->items; i++)
        if (!p->worker[i].pid && !start(p, i, e))
            return false;
    return true;
}

static bool run_pool(struct pool *p, unsigned jobs, triage_progress progress, void *context, struct drd_error *e)
{
    p->jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
    p->slot = mmap(NULL, p->jobs * sizeof *p->slot, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->slot == MAP_FAILED)
        return error_set_errno(e, DRD_EXIT_FATAL, "no memory for the results");
    bool good = true;
    while (good && (p->next < p->items || p->running)) {
        good = fill(p, e);
        if (good)
            wait_some(p);
        if (progress)
            progress(context, p->done, p->items);
    }
    stop_all(p);
    munmap(p->slot, p->jobs * sizeof *p->slot);
    return good;
}

bool triage_judge_all(struct triage *t, unsigned jobs, const char *cache, triage_progress progress, void *context,
                      struct drd_error *e)
{
    struct pool p = {.cache = cache, .item = malloc((t->runs + 1) * sizeof *p.item)};
    struct triage_key key;
    if (!p.item)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    for (size_t i = 0; i < t->runs; i++) {
        triage_key_fast(&key, t->run[i].path);
        t->run[i].cached = cache && triage_cache_get(cache, &key, t->run[i].path, false, &t->run[i].result);
        if (!t->run[i].cached)
            p.item[p.items++] = &t->run[i];
    }
    bool good = run_pool(&p, jobs, progress, context, e);
    if (cache && p.items) /* it may have grown */
        triage_cache_prune(cache, time(NULL), TRIAGE_CACHE_NAMES);
    free(p.item);
    return good;
}

bool triage_locate(struct triage *t, unsigned jobs, const char *cache, struct drd_error *e)
{
    struct pool p = {.cache = cache, .locate = true, .item = malloc((t->groups + 1) * sizeof *p.item)};
    if (!p.item)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    for (size_t i = 0; i < t->groups; i++)
        if (!t->group[i].least->result.located && *t->group[i].least->result.cause)
            p.item[p.items++] = t->group[i].least;
    bool good = run_pool(&p, jobs, NULL, NULL, e);
    free(p.item);
    return good;
}
