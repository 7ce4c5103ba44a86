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

#include <xxhash.h>

#include "explain/explain.h"
#include "raft/properties.h"

#define WORDS_MOST 4096

/* Its own words, then the command's. False: too many. */
static bool words_make(const struct explore_setting *s, const struct explore_try *t, const char *seed, const char *plan,
                       const char *path, const char *word[WORDS_MOST])
{
    char *const *command = t->command ? t->command : s->command;
    static char limit[24], from[48];
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
    if (s->follow) {
        snprintf(from, sizeof from, "%" PRIu32 "@%" PRIu64, t->from_process, t->from_event);
        const char *const follow[] = {"--follow", s->follow, "--from", from};
        for (size_t i = 0; i < sizeof follow / sizeof *follow; i++)
            word[n++] = follow[i];
    }
    if (s->environment) {
        word[n++] = "--environment";
        word[n++] = s->environment;
    }
    if (plan) {
        word[n++] = "--plan";
        word[n++] = plan;
    }
    word[n++] = "--";
    for (size_t i = 0; command && command[i]; i++, n++) {
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

#define NOT_SIMULATED " cannot be simulated" /* src/simulate/exec.c, process.c: there is nothing to judge */

/* What the machine says of a world that came to an end by itself (simulate/machine.c). */
static const char *end_of_world(const char *line)
{
    const char *by_waiting = strstr(line, "every process waits for ever");
    return by_waiting ? by_waiting : strstr(line, " without a system call") ? line + strlen("drd: ") : NULL;
}

/* How the world ended, else the last line that begins as drd's own do. True: the world ended. */
static bool said_read(const char *path, char *out, size_t size)
{
    char line[1024];
    FILE *in = fopen(path, "re");
    bool ended = false;
    *out = 0;
    while (!ended && !strstr(out, NOT_SIMULATED) && in && fgets(line, sizeof line, in)) {
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

/* ---- what is found out about a run ---- */

struct look {
    struct coverage *coverage;
    struct explore_outcome *out;
    uint64_t begin; /* ns: its first process started */
    struct raft_witness violation, broken[EXPLORE_BREAKS];
    uint64_t term;            /* the highest so far */
    uint64_t *sent;           /* when each message of Raft was */
    size_t messages, capacity;
};

uint64_t explore_break_id(const struct raft_model *m, const struct raft_break *b)
{
    const char *node = m->node[b->at.node].name;
    uint64_t hash = XXH3_64bits_withSeed(b->shape, strlen(b->shape), (XXH64_hash_t)b->class);
    return XXH3_64bits_withSeed(node, strlen(node), hash);
}

static void look_begin(void *context, const struct store_process *process, size_t count)
{
    struct look *l = context;
    l->begin = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        l->begin = process[i].start < l->begin ? process[i].start : l->begin;
    coverage_begin(l->coverage, process, count);
}

static void look_sent(struct look *l, const struct raft_fact *fact)
{
    struct explore_outcome *out = l->out;
    uint64_t since = fact->time > l->begin ? fact->time - l->begin : 0;
    if (l->messages == l->capacity) {
        size_t more = l->capacity ? 2 * l->capacity : 1024;
        uint64_t *sent = realloc(l->sent, more * sizeof *sent);
        if (!sent)
            return;
        l->sent = sent;
        l->capacity = more;
    }
    l->sent[l->messages++] = since;
    if (fact->message->term <= l->term || fact->message->pre_vote)
        return;
    l->term = fact->message->term;
    if (out->terms < EXPLORE_TERMS)
        out->term[out->terms++] = since;
}

static void look_fact(void *context, const struct raft_fact *fact)
{
    struct look *l = context;
    coverage_fact(l->coverage, fact);
    if (fact->kind == RAFT_FACT_SENT && fact->message)
        look_sent(l, fact);
}

/* The event at which the last of the sides that contradict each other was first seen. */
static void look_violation(struct look *l, const struct raft_finding *f)
{
    for (size_t i = 0; f && i < f->sides; i++) {
        const struct raft_side *side = &f->side[i];
        const struct raft_witness *first = side->witnesses ? &side->witness[0] : NULL;
        for (size_t w = 1; w < side->witnesses; w++)
            first = side->witness[w].order < first->order ? &side->witness[w] : first;
        if (first && (l->violation.how == RAFT_HOW_NONE || first->order > l->violation.order))
            l->violation = *first;
    }
}

static void look_break(struct look *l, const struct raft_model *m, const struct raft_break *b)
{
    struct explore_outcome *out = l->out;
    if (out->breaks == EXPLORE_BREAKS) {
        out->breaks_more = true;
        return;
    }
    l->broken[out->breaks] = b->at;
    out->broken[out->breaks++] = (struct explore_break){.what = explore_break_id(m, b), .process = b->at.process, .event = b->at.sequence};
}

static void look_end(void *context, const struct raft_model *model, uint64_t end)
{
    struct look *l = context;
    look_violation(l, raft_finding_first(model));
    for (size_t i = 0; i < model->breaks; i++)
        look_break(l, model, &model->rule_break[i]);
    coverage_end(l->coverage, model, end);
}

static uint64_t time_of(struct store *s, const struct look *l, const struct raft_witness *w)
{
    struct trace_event event;
    struct stream *st = w->how == RAFT_HOW_NONE ? NULL : stream_open(s, w->process, NULL);
    bool good = st && stream_seek(st, w->sequence, NULL) > 0 && stream_next(st, &event, NULL) > 0;
    uint64_t time = good && event.time > l->begin ? event.time - l->begin : 0;
    stream_close(st);
    return time;
}

/* Records of a process up to a moment. */
static uint64_t events_until(struct store *s, uint32_t process, uint64_t until)
{
    struct trace_event event;
    struct stream *st = stream_open(s, process, NULL);
    uint64_t count = 0;
    while (st && stream_next(st, &event, NULL) > 0 && event.time <= until)
        count++;
    stream_close(st);
    return count;
}

static void look_size(struct look *l, struct store *s)
{
    struct explore_outcome *out = l->out;
    struct store_process *process = NULL;
    size_t count = 0;
    out->events = out->result.events;
    out->messages = l->messages;
    if (!out->failed || !store_processes(s, &process, &count, NULL))
        return;
    out->events = 0;
    for (size_t i = 0; i < count; i++) {
        if (process[i].start <= l->begin + out->failed)
            out->events += events_until(s, process[i].number, l->begin + out->failed);
        store_process_fini(&process[i]);
    }
    free(process);
    while (out->messages && l->sent[out->messages - 1] > out->failed)
        out->messages--;
}

/* Where nothing was violated, the failure is there as soon as the rule is broken that it is named by. */
static uint64_t failure_time(struct store *s, const struct look *l)
{
    const struct triage_result *r = &l->out->result;
    struct raft_witness w = {.how = RAFT_HOW_STATED};
    if (l->out->violated || !*r->cause || !*r->event || !event_find(s, r->event, &w.process, &w.sequence, NULL))
        return l->out->violated;
    return time_of(s, l, &w);
}

static void look_times(struct look *l, const char *path)
{
    char text[16];
    struct store *s = store_open(path, STORE_READ, NULL);
    if (!s)
        return;
    l->out->missed = store_fact(s, "plan_missed", text, sizeof text);
    l->out->violated = time_of(s, l, &l->violation);
    for (size_t i = 0; i < l->out->breaks; i++)
        l->out->broken[i].time = time_of(s, l, &l->broken[i]);
    l->out->failed = failure_time(s, l);
    look_size(l, s);
    store_close(s);
}

static void judge(const char *path, struct explore_outcome *out)
{
    struct look l = {.coverage = coverage_create(out->feature, &out->features), .out = out};
    const struct triage_watch watch = {&l, look_begin, look_fact, look_end, &out->world};
    triage_judge_watch(path, l.coverage ? &watch : NULL, &out->result);
    coverage_destroy(l.coverage);
    look_times(&l, path);
    free(l.sent);
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
    if (!access(path, R_OK) && (ended || !strstr(out->why, NOT_SIMULATED)))
        judge(path, out);
    if (ended)
        ended_by_itself(out);
    out->done |= ended;
}
