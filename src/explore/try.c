/* One run: simulated by a `drd simulate` of its own, then judged here. */
#include "explore/explore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain/explain.h"

#define WORDS_MOST 4096

/* Its own words, then the command's. False: too many. */
static bool words_make(const struct explore_setting *s, const struct explore_try *t, const char *seed, const char *plan,
                       const char *path, const char *word[WORDS_MOST])
{
    char *const *command = t->command ? t->command : s->command;
    static char limit[24];
    size_t n = 0;
    const char *const start[] = {"drd", "simulate", "--seed", seed, "--output", path};
    for (; n < sizeof start / sizeof *start; n++)
        word[n] = start[n];
    if (s->faults)
        word[n++] = "--faults";
    if (s->model) {
        word[n++] = "--model";
        word[n++] = s->model;
    }
    if (s->limit) {
        snprintf(limit, sizeof limit, "%" PRIu64, s->limit);
        word[n++] = "--limit";
        word[n++] = limit;
    }
    if (plan) {
        word[n++] = "--plan";
        word[n++] = plan;
    }
    word[n++] = "--";
    for (size_t i = 0; command[i]; i++, n++) {
        if (n + 1 == WORDS_MOST)
            return false;
        word[n] = command[i];
    }
    word[n] = NULL;
    return true;
}

static bool plan_write(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");
    bool good = out && fputs(text, out) >= 0;
    return out && fclose(out) == 0 && good;
}

static void become(const struct explore_setting *s, const char *const *word, const char *errors)
{
    int nothing = open("/dev/null", O_RDWR), said = open(errors, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (nothing < 0 || said < 0 || (s->directory && chdir(s->directory)))
        _exit(DRD_EXIT_CANNOT);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(said, STDERR_FILENO);
    execv(s->program, (char *const *)(uintptr_t)word);
    _exit(DRD_EXIT_CANNOT);
}

/* What the machine says of a world that came to an end by itself (simulate/machine.c). */
static const char *end_of_world(const char *line)
{
    const char *by_waiting = strstr(line, "every process waits for ever"), *by_computing = strstr(line, "process ");
    return by_waiting                                                            ? by_waiting
           : by_computing && strstr(by_computing, "has made no system call for") ? by_computing
                                                                                 : NULL;
}

/* How the world ended, else the last line that begins as drd's own do. True: the world ended. */
static bool said_read(const char *path, char *out, size_t size)
{
    char line[1024];
    FILE *in = fopen(path, "re");
    bool ended = false;
    *out = 0;
    while (!ended && in && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        const char *end = strncmp(line, "drd: ", 5) ? NULL : end_of_world(line);
        ended = end != NULL;
        if (end || !strncmp(line, "drd: ", 5) || !strncmp(line, "drd simulate: ", 14))
            snprintf(out, size, "%.*s", (int)size - 1, end ? end : strchr(line, ' ') + 1);
    }
    if (in)
        fclose(in);
    return ended;
}

/* A finding of its own, unless Raft broke before. */
static void ended_by_itself(struct explore_outcome *out)
{
    struct verdict_fingerprint f;
    struct raft_model *none = raft_model_create();
    char phrase[200] = "the world ended";
    if (none)
        fingerprint_phrase(none, out->why, phrase, sizeof phrase);
    raft_model_destroy(none);
    fingerprint_make(phrase, "WORLD", &f);
    struct triage_result *r = &out->result;
    if (r->kind == TRIAGE_VIOLATION || r->kind == TRIAGE_CRASH)
        return;
    r->kind = TRIAGE_HANG;
    *r->cause = *r->reference = 0;
    snprintf(r->fingerprint, sizeof r->fingerprint, "%d:%s", f.algorithm, f.value);
    snprintf(r->fingerprint_text, sizeof r->fingerprint_text, "%s", f.text);
    snprintf(r->title, sizeof r->title, "the world came to an end: %.200s", phrase);
    snprintf(r->story, sizeof r->story, "%s", out->why);
}

static void judge(const char *path, struct explore_outcome *out)
{
    struct triage_watch watch = {.begin = coverage_begin, .fact = coverage_fact, .end = coverage_end};
    struct coverage *c = coverage_create(out->feature, &out->features);
    watch.context = c;
    watch.length = &out->world;
    triage_judge_watch(path, c ? &watch : NULL, &out->result);
    coverage_destroy(c);
    out->done = true;
}

static int await(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return DRD_EXIT_CANNOT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void explore_try(const struct explore_setting *s, const struct explore_try *t, const char *path, struct explore_outcome *out)
{
    static const char *word[WORDS_MOST];
    char seed[32], plan[PATH_MAX], errors[PATH_MAX];
    snprintf(seed, sizeof seed, "%" PRId64, (int64_t)t->seed);
    if (snprintf(plan, sizeof plan, "%s.plan", path) >= PATH_MAX ||
        snprintf(errors, sizeof errors, "%s.said", path) >= PATH_MAX)
        return;
    out->status = DRD_EXIT_CANNOT;
    unlink(path);
    if ((t->plan && !plan_write(plan, t->plan)) || !words_make(s, t, seed, t->plan ? plan : NULL, path, word)) {
        snprintf(out->why, sizeof out->why, "cannot write %.300s", plan);
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        become(s, word, errors);
    out->status = pid < 0 ? DRD_EXIT_CANNOT : await(pid);
    bool ended = said_read(errors, out->why, sizeof out->why) && out->status == DRD_EXIT_CANNOT;
    unlink(errors);
    unlink(plan);
    if (!access(path, R_OK))
        judge(path, out);
    if (ended)
        ended_by_itself(out);
    out->done |= ended;
}
