/* drd bisect: the event after which a check of the cluster's state begins to fail. */
#include "cli/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/event_text.h"
#include "cli/run_view.h"
#include "raft/until.h"
#include "report/state.h"
#include "util/text.h"

#define SKIPS_MOST 64 /* states that cannot be judged, one after the other */

enum answer { GOOD, BAD, SKIP, BROKEN };

struct place {
    uint64_t events; /* passed */
    uint64_t time;
    char name[128];  /* of the last of them, "" before the first */
};

struct bisect {
    struct cmd_context *c;
    struct run_view view;
    const char *run;
    char **check;
    uint64_t checks;
    size_t nodes; /* known at the place that was judged last */
};

/* The state as a file without a name: what the check reads as its stdin. -1: failed. */
static int state_file(const struct bisect *b, const struct raft_until *u, const struct place *p, struct drd_error *e)
{
    int fd = memfd_create("drd-state", MFD_CLOEXEC);
    FILE *out = fd >= 0 ? fdopen(dup(fd), "w") : NULL;
    struct json_writer j;
    if (!out) {
        error_set_errno(e, DRD_EXIT_CANNOT, "cannot hand the state to the check");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    jw_init(&j, out);
    state_json(u->model, b->run, p->name, run_view_since(&b->view, p->time), &j);
    bool good = !ferror(out);
    if ((fclose(out) == 0) & good && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    error_set_errno(e, DRD_EXIT_CANNOT, "cannot hand the state to the check");
    close(fd);
    return -1;
}

/* Its pid; -1: it could not be started. */
static pid_t check_start(const struct bisect *b, int state, const struct place *p, struct drd_error *e)
{
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    setenv("DRD_EVENT", p->name, 1);
    setenv("DRD_RUN", b->view.path, 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, state, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO); /* stdout is for the answer */
    errno = posix_spawnp(&child, b->check[0], &actions, NULL, b->check, environ);
    if (errno) {
        error_set_errno(e, DRD_EXIT_CANNOT, "cannot start %s", b->check[0]);
        child = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* As `git bisect run` reads it: 0 good, 125 skip, up to 127 bad, anything else ends the search. */
static enum answer answer_of(int status, const struct bisect *b, struct drd_error *e)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code >= 0 && code <= 127)
        return code == 0 ? GOOD : code == 125 ? SKIP : BAD;
    if (code < 0)
        error_set(e, DRD_EXIT_CANNOT, "%s was killed by signal %d: the search ends", b->check[0], WTERMSIG(status));
    else
        error_set(e, DRD_EXIT_CANNOT, "%s ended with %d: the search ends (0 good, 125 skip, 1 to 127 bad)", b->check[0], code);
    return BROKEN;
}

static void name_place(const struct bisect *b, const struct raft_until *u, struct place *p)
{
    const struct store_process *process = run_view_process(&b->view, u->process);
    *p = (struct place){.events = u->events, .time = u->time};
    if (u->events && process)
        event_name(process, u->sequence, p->name, sizeof p->name);
}

/* Judge the state after so many events; *p says where that is. */
static enum answer judge(struct bisect *b, uint64_t events, struct place *p)
{
    struct drd_error *e = &b->c->error;
    struct raft_until u;
    int status = 0;
    if (!raft_until_run(&u, b->view.store, b->view.process, b->view.count, events, e))
        return BROKEN;
    name_place(b, &u, p);
    b->nodes = u.model->nodes;
    int state = state_file(b, &u, p, e);
    raft_until_fini(&u);
    if (state < 0)
        return BROKEN;
    pid_t child = check_start(b, state, p, e);
    close(state);
    b->checks++;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 ? answer_of(status, b, e) : BROKEN;
}

/* Between a good and a bad place: the middle, or where that cannot be judged what follows it. SKIP: nothing there can be. */
static enum answer judge_between(struct bisect *b, const struct place *good, const struct place *bad, struct place *p)
{
    uint64_t middle = good->events + (bad->events - good->events) / 2;
    uint64_t span = bad->events - good->events - 1;
    enum answer answer = SKIP;
    for (uint64_t i = 0; answer == SKIP && i < span && i < SKIPS_MOST; i++) {
        uint64_t at = middle + i < bad->events ? middle + i : middle - (middle + i - bad->events) - 1;
        answer = judge(b, at, p);
    }
    return answer;
}

/* GOOD: *bad is the event after *good, or what is between cannot be judged. */
static enum answer search(struct bisect *b, struct place *good, struct place *bad)
{
    enum answer answer = GOOD;
    struct place p;
    while (bad->events - good->events > 1 && answer != BROKEN) {
        answer = judge_between(b, good, bad, &p);
        if (answer == SKIP)
            return SKIP;
        if (answer != BROKEN)
            *(answer == GOOD ? good : bad) = p;
    }
    return answer == BROKEN ? BROKEN : GOOD;
}

static bool limits(struct bisect *b, struct place *good, struct place *bad)
{
    struct drd_error *e = &b->c->error;
    enum answer at_end = judge(b, UINT64_MAX, bad);
    if (at_end == BROKEN)
        return false;
    if (!b->nodes)
        return error_set(e, DRD_EXIT_NOTHING, "no Raft in this run: no message, file or mark that DRD knows as such");
    if (at_end != BAD)
        return error_set(e, DRD_EXIT_NOTHING, "the check does not fail at the end of the run%s",
                         at_end == SKIP ? ": it skips" : "");
    enum answer at_begin = judge(b, 0, good);
    if (at_begin == BROKEN)
        return false;
    return at_begin == GOOD ||
           error_set(e, DRD_EXIT_NOTHING, "the check %s before the first event", at_begin == BAD ? "fails" : "skips");
}

static void say_place(const struct bisect *b, const char *label, const struct place *p)
{
    char when[TEXT_MAX];
    printf("%-12s%-20s %s\n", label, *p->name ? p->name : "(the beginning)",
           *p->name ? text_duration(run_view_since(&b->view, p->time), when, sizeof when) : "");
}

static void put_place(struct json_writer *j, const struct bisect *b, const char *key, const struct place *p)
{
    jw_key(j, key);
    jw_object(j);
    jw_put_string(j, "event", *p->name ? p->name : NULL);
    jw_put_uint(j, "time_ns", *p->name ? run_view_since(&b->view, p->time) : 0);
    jw_end(j);
}

static void say(const struct bisect *b, enum answer answer, const struct place *good, const struct place *bad)
{
    struct json_writer j;
    if (b->c->json) {
        jw_init(&j, stdout);
        jw_object(&j);
        jw_put_string(&j, "schema", "drd.bisect/1");
        jw_put_string(&j, "run", b->run);
        jw_put_bool(&j, "exact", answer == GOOD);
        put_place(&j, b, "last_good", good);
        put_place(&j, b, "first_bad", bad);
        jw_put_uint(&j, "skipped", bad->events - good->events - 1);
        jw_put_uint(&j, "checks", b->checks);
        jw_end(&j);
        return;
    }
    say_place(b, "last good", good);
    say_place(b, "first bad", bad);
    if (answer == SKIP)
        printf("the %" PRIu64 " events between could not be judged\n", bad->events - good->events - 1);
    printf("%" PRIu64 " checks; the event in full: drd show %s@%s\n", b->checks, b->run, bad->name);
}

static int run_bisect(struct cmd_context *c)
{
    struct bisect b = {.c = c, .check = c->argv + 1};
    struct place good, bad;
    char id[REFS_ID + 1];
    if (c->argc > 1 && !strcmp(c->argv[1], "--"))
        b.check++;
    if (!b.check[0]) {
        error_set(&c->error, DRD_EXIT_USAGE, "no check given: drd bisect RUN -- COMMAND");
        return cmd_failed(c);
    }
    if (!run_view_open(&b.view, c->argv[0], &c->error))
        return cmd_failed(c);
    b.run = refs_name(b.view.path, id);
    enum answer answer = limits(&b, &good, &bad) ? search(&b, &good, &bad) : BROKEN;
    if (answer != BROKEN)
        say(&b, answer, &good, &bad);
    run_view_close(&b.view);
    return answer == BROKEN ? cmd_failed(c) : answer == SKIP ? DRD_EXIT_UNKNOWN : DRD_EXIT_OK;
}

const struct drd_command cmd_bisect = {
    .name = "bisect",
    .summary = "the event after which a check of the cluster's state fails",
    .positional = "RUN -- COMMAND [ARG...]",
    .min = 1,
    .max = -1,
    .flags = CMD_COMMAND | CMD_JSON,
    .help = "Runs COMMAND with the state of the cluster after an event as JSON on its stdin (drd.state/1: each node's term, role,\n"
            "commit index and log, and the violations so far), and halves the run until the event is found before which it\n"
            "succeeds and after which it fails. Its exit status is read as `git bisect run` does: 0 good, 125 skip, any other\n"
            "up to 127 bad. DRD_EVENT and DRD_RUN tell it where it is.\n"
            "RUN is a file, the beginning of a run's id, a tag, @ (the latest) or @~1 (the one before).\n",
    .run = run_bisect,
};
