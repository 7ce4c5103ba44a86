/* What one run is. */
#include "report/triage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "explain/explain.h"
#include "store/store.h"
#include "util/text.h"

const struct triage_kind_row triage_kinds[TRIAGE_KINDS] = {
    [TRIAGE_VIOLATION] = {"violation", "Raft violated", true},
    [TRIAGE_CRASH] = {"crash", "a node crashed", true},
    [TRIAGE_HANG] = {"hang", "hang", true},
    [TRIAGE_CHECK] = {"check", "the test failed", true},
    [TRIAGE_RULE] = {"rule", "a rule broken, the test passed", false},
    [TRIAGE_BROKEN] = {"broken", "not judged", false},
    [TRIAGE_HEALTHY] = {"healthy", "healthy", false},
};

#define TIMED_OUT 124

/* A run while it is judged. */
struct judged {
    struct store *store;
    struct store_process *process;
    size_t count;
    struct raft_model *model;
    struct verdict verdict;
    struct progress_watch watch;
    char state[32];
    struct triage_result *out;
    const struct triage_watch *watcher; /* NULL: none */
};

static void broken(struct triage_result *out, const char *why)
{
    out->kind = TRIAGE_BROKEN;
    snprintf(out->title, sizeof out->title, "%s", triage_kinds[TRIAGE_BROKEN].title);
    snprintf(out->note, sizeof out->note, "%s", why);
}

/* "PATH: what" without the path, which stands beside it. */
static void broken_by(struct triage_result *out, const char *path, const struct drd_error *e)
{
    size_t length = strlen(path);
    bool names = strncmp(e->message, path, length) == 0 && strncmp(e->message + length, ": ", 2) == 0;
    broken(out, names ? e->message + length + 2 : e->message);
}

static void read_facts(struct judged *j)
{
    static const char *const commits[] = {"CI_COMMIT_SHA", "GITHUB_SHA", "GIT_COMMIT", NULL};
    struct triage_result *out = j->out;
    char status[16] = "";
    store_fact(j->store, "state", j->state, sizeof j->state);
    store_fact(j->store, "command", out->command, sizeof out->command);
    store_fact(j->store, "started", out->started, sizeof out->started);
    out->exit_status = store_fact(j->store, "exit_status", status, sizeof status) ? atoi(status) : -1;
    if (store_fact(j->store, "cut_short", NULL, 0))
        out->exit_status = -1; /* nobody knows how it would have ended */
    out->red = out->exit_status > 0;
    for (size_t i = 0; i < j->count; i++)
        out->events += j->process[i].events;
    ends_environment(j->store, commits, out->commit, sizeof out->commit);
}

static void fingerprint_set(struct triage_result *out, const struct verdict_fingerprint *f)
{
    snprintf(out->fingerprint, sizeof out->fingerprint, "%d:%s", f->algorithm, f->value);
    snprintf(out->fingerprint_text, sizeof out->fingerprint_text, "%s", f->text);
}

static void stop_at(struct judged *j, const struct raft_witness *w)
{
    if (!w)
        return;
    snprintf(j->out->node, sizeof j->out->node, "%s", j->model->node[w->node].name);
    verdict_event(&j->verdict, w, j->out->event, sizeof j->out->event);
}

/* The break behind whatever it is. */
static void tell_cause(struct judged *j)
{
    const struct raft_break *b = j->verdict.cause.rule_break;
    if (!b)
        return;
    snprintf(j->out->cause, sizeof j->out->cause, "%s", b->text);
    snprintf(j->out->reference, sizeof j->out->reference, "%s, %s", raft_classes[b->class].id,
             raft_classes[b->class].reference);
    stop_at(j, &b->at);
}

static void tell_headline(struct judged *j)
{
    FILE *out = fmemopen(j->out->story, sizeof j->out->story, "w");
    if (!out)
        return;
    verdict_headline(&j->verdict, j->verdict.finding, out);
    fclose(out);
    j->out->story[sizeof j->out->story - 1] = '\0';
}

static bool judge_violation(struct judged *j)
{
    struct triage_result *out = j->out;
    const struct raft_break *b = j->verdict.cause.rule_break;
    struct verdict_fingerprint f;
    if (j->verdict.status != VERDICT_VIOLATED || !verdict_fingerprint(&j->verdict, &f))
        return false;
    out->kind = TRIAGE_VIOLATION;
    fingerprint_set(out, &f);
    tell_headline(j);
    if (b) {
        snprintf(out->title, sizeof out->title, "%s", raft_classes[b->class].title);
        tell_cause(j);
    } else {
        snprintf(out->title, sizeof out->title, "%s; cause unknown", raft_property_names[j->verdict.finding->property].name);
        stop_at(j, verdict_first(j->verdict.finding));
    }
    return true;
}

/* Which processes ran members of the cluster. */
static bool *members(const struct judged *j)
{
    bool *member = calloc(j->count + 1, sizeof *member);
    for (size_t i = 0; member && i < j->count; i++) {
        for (size_t p = 0; p < j->model->processes; p++) {
            const struct raft_process *q = &j->model->process[p];
            if (q->number == j->process[i].number && q->node >= 0)
                member[i] = j->model->node[q->node].speaks;
        }
    }
    return member;
}

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool judge_crash(struct judged *j)
{
    struct triage_result *out = j->out;
    struct verdict_fingerprint f;
    char status[32], said[200], phrase[200], text[sizeof f.text];
    bool *member = members(j);
    long which = member ? ends_crash(j->store, j->process, j->count, member, out->red) : -1;
    free(member);
    if (which < 0)
        return false;
    const struct store_process *p = &j->process[which];
    ends_status(p->status, status, sizeof status);
    ends_words(j->store, p, said, sizeof said);
    fingerprint_phrase(j->model, said, phrase, sizeof phrase);
    snprintf(text, sizeof text, "crash; %s; %s; %.150s", status, base(p->exe), phrase);
    fingerprint_make(text, WIFSIGNALED(p->status) ? status : "EXIT", &f);
    out->kind = TRIAGE_CRASH;
    fingerprint_set(out, &f);
    snprintf(out->title, sizeof out->title, "%.60s ended with %s%s%.140s", base(p->exe), status, *phrase ? ": " : "",
             phrase);
    snprintf(out->story, sizeof out->story, "%s ended with %s%s%s", p->node, status, *said ? ": " : "", said);
    snprintf(out->node, sizeof out->node, "%s", p->node);
    if (p->events)
        event_name(p, p->events - 1, out->event, sizeof out->event);
    return true;
}

static uint64_t run_end(const struct judged *j)
{
    uint64_t end = j->watch.last;
    for (size_t i = 0; i < j->count; i++)
        if (j->process[i].end > end)
            end = j->process[i].end;
    return end;
}

/* What a test that failed is named by, where Raft says nothing: a rule that was broken, or else the words given. */
static void name_failure(struct judged *j, bool by_rule, const char *words, const char *suffix)
{
    struct verdict_fingerprint f;
    if (by_rule && verdict_fingerprint(&j->verdict, &f)) {
        tell_cause(j);
        snprintf(j->out->title, sizeof j->out->title, "%s", raft_classes[j->verdict.cause.rule_break->class].title);
    } else {
        fingerprint_make(words, suffix, &f);
        snprintf(j->out->title, sizeof j->out->title, "%s", words);
    }
    fingerprint_set(j->out, &f);
}

static bool is_complete(const struct judged *j)
{
    return !*j->state || strcmp(j->state, "complete") == 0;
}

static bool judge_hang(struct judged *j)
{
    struct triage_result *out = j->out;
    const struct raft_break *b = j->verdict.cause.rule_break;
    uint64_t ns = 0;
    char text[128], words[TEXT_MAX];
    bool may_hang = out->red && is_complete(j); /* or what is missing may be the progress */
    const char *why = may_hang ? progress_hang(&j->watch, j->model, run_end(j), out->exit_status == TIMED_OUT, &ns) : NULL;
    if (!why)
        return false;
    out->kind = TRIAGE_HANG;
    snprintf(text, sizeof text, "no progress: %s", why);
    name_failure(j, b && !b->likely, text, "HANG");
    text_duration(ns, words, sizeof words);
    snprintf(out->story, sizeof out->story, "nothing was committed in the last %s: %s", words, why);
    return true;
}

/* The recorded command itself and what it became. */
static const struct store_process *command_of(const struct judged *j)
{
    const struct store_process *p = NULL;
    for (size_t i = 0; i < j->count; i++) {
        const struct store_process *q = &j->process[i];
        if (q->number == 1 || (p && q->same_pid && q->parent == p->number))
            p = q;
    }
    return p;
}

/* A command line is configuration and the same every time, but for where things are and for numbers of its own. */
static void command_phrase(const char *command, char *out, size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (const char *p = command + strspn(command, " "); *p && used + 1 < size;) {
        size_t length = strcspn(p, " ");
        char word[256];
        snprintf(word, sizeof word, "%.*s", (int)length, p);
        const char *shown = strspn(word, "0123456789") == strlen(word) ? "N" : base(word);
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " " : "", shown);
        p += length + strspn(p + length, " ");
    }
}

/* The program that failed last of those that the command ran and that are no nodes: a script fails by what it runs. NULL: none. */
static const struct store_process *helper_failed(const struct judged *j)
{
    const struct store_process *last = NULL;
    for (size_t i = 0; i < j->count; i++) {
        const struct store_process *p = &j->process[i];
        bool helper = p->number > 1 && (!*p->node || strchr(p->node, '#')) && p->status != -1;
        if (helper && WIFEXITED(p->status) && WEXITSTATUS(p->status) && (!last || p->end > last->end))
            last = p;
    }
    return last;
}

/* What the command said last, or what it ran; `who`: that one's name, with ": " behind it. */
static void last_words(struct judged *j, char *said, size_t size, char who[48])
{
    const struct store_process *p = command_of(j), *helper = helper_failed(j);
    *said = *who = '\0';
    if (helper && WEXITSTATUS(helper->status) == j->out->exit_status) /* the command's status is that of this one */
        ends_words(j->store, helper, said, size);
    if (*said)
        snprintf(who, 48, "%.44s: ", base(helper->exe));
    else if (p)
        ends_words(j->store, p, said, size);
}

static bool judge_check(struct judged *j)
{
    struct triage_result *out = j->out;
    const struct raft_break *b = j->verdict.cause.rule_break;
    char said[200], phrase[200], command[120], who[48], text[300];
    if (!out->red)
        return false;
    last_words(j, said, sizeof said, who);
    fingerprint_phrase(j->model, said, phrase, sizeof phrase);
    command_phrase(out->command, command, sizeof command);
    out->kind = TRIAGE_CHECK;
    snprintf(text, sizeof text, "%s ended with %d%s%s%.120s", command, out->exit_status, *phrase ? ": " : "", who, phrase);
    name_failure(j, b && !b->likely && b->spoils != RAFT_SPOILS_NOTHING, text, "CHECK");
    snprintf(out->story, sizeof out->story, "%.160s ended with %d%s%s%s", out->command, out->exit_status, *said ? ": " : "", who,
             said);
    return true;
}

/* The first break that is certain. What is only likely, and did no harm, may be a machine that was busy. */
static const struct raft_break *certain(const struct raft_model *m)
{
    const struct raft_break *first = NULL;
    for (size_t i = 0; i < m->breaks; i++) {
        const struct raft_break *b = &m->rule_break[i];
        if (!b->likely && (!first || b->at.order < first->at.order))
            first = b;
    }
    return first;
}

static bool judge_rule(struct judged *j)
{
    const struct raft_break *b = j->verdict.cause.rule_break;
    if (j->verdict.status == VERDICT_VIOLATED || !b || (b->likely && !(b = certain(j->model))))
        return false;
    j->verdict.cause.rule_break = b;
    name_failure(j, true, "", "");
    j->out->kind = TRIAGE_RULE;
    snprintf(j->out->story, sizeof j->out->story, "no property of Raft was seen to break");
    return true;
}

/* Where nothing was found, a recording without its end says nothing. That the test failed is seen all the same. */
static bool judge_incomplete(struct judged *j)
{
    char why[256] = "", text[300];
    if (is_complete(j) || j->out->red)
        return false;
    if (strcmp(j->state, "recording") == 0) {
        broken(j->out, "its recorder was killed; drd fsck --repair finishes it");
        return true;
    }
    store_fact(j->store, "incomplete", why, sizeof why);
    snprintf(text, sizeof text, "incomplete: %s", *why ? why : "recording stopped before the cluster did");
    broken(j->out, text);
    return true;
}

static void note_gap(struct judged *j)
{
    const struct verdict *v = &j->verdict;
    size_t decisive = 0, members = 0;
    j->out->judged = v->status != VERDICT_UNKNOWN;
    for (size_t i = 0; i < v->gaps; i++)
        if (v->gap[i].decisive && !decisive++)
            snprintf(j->out->note, sizeof j->out->note, "%s", v->gap[i].text);
    for (size_t i = 0; i < v->model->nodes; i++)
        members += verdict_member(v, i);
    j->out->idle = !j->out->judged && !v->finding && decisive == 1 && members > 1 && !v->model->compared;
}

static void locate(struct judged *j)
{
    const struct raft_break *b = j->verdict.cause.rule_break;
    struct triage_result *out = j->out;
    out->located = true;
    if (!b || !*out->cause || !verdict_source(&j->verdict, j->store, NULL) || !j->verdict.frames)
        return;
    const struct replay_frame *f = &j->verdict.frame[verdict_frame_first(&j->verdict)];
    if (!*f->function)
        return;
    if (f->line)
        snprintf(out->location, sizeof out->location, "%s  %.100s:%u", f->function, base(f->file), f->line);
    else
        snprintf(out->location, sizeof out->location, "%s", f->function);
}

static void tell_proof(struct judged *j)
{
    struct proof *p = *j->out->cause ? proof_read(j->store, &j->verdict) : NULL;
    char words[2 * PROOF_WORDS];
    if (!p)
        return;
    proof_words(p, words, sizeof words);
    snprintf(j->out->proof, sizeof j->out->proof, "%s%s", p->state == PROOF_PROVED ? "proved: " : "", words);
    free(p);
}

static void judge(struct judged *j, bool where)
{
    struct triage_result *out = j->out;
    verdict_init(&j->verdict, j->model, j->process, j->count, j->state);
    note_gap(j);
    if (!judge_violation(j) && !judge_crash(j) && !judge_incomplete(j) && !judge_hang(j) && !judge_check(j) &&
        !judge_rule(j)) {
        out->kind = TRIAGE_HEALTHY;
        snprintf(out->title, sizeof out->title, "%s", triage_kinds[TRIAGE_HEALTHY].title);
    }
    tell_proof(j);
    if (where)
        locate(j);
}

static void see(void *context, const struct raft_fact *fact)
{
    struct judged *j = context;
    progress_feed(&j->watch, fact);
    if (j->watcher && j->watcher->fact)
        j->watcher->fact(j->watcher->context, fact);
}

static void see_end(struct judged *j)
{
    uint64_t first = UINT64_MAX, end = run_end(j);
    for (size_t i = 0; i < j->count; i++)
        if (j->process[i].start < first)
            first = j->process[i].start;
    if (j->watcher->length)
        *j->watcher->length = end > first ? end - first : 0;
    if (j->watcher->end)
        j->watcher->end(j->watcher->context, j->model, end);
}

static void judge_file(const char *path, bool where, const struct triage_watch *watcher, struct triage_result *out)
{
    struct drd_error e = {0};
    struct stat st;
    struct judged j = {.out = out, .watcher = watcher};
    memset(out, 0, sizeof *out);
    out->bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    j.store = store_open(path, STORE_READ, &e);
    if (j.store && store_processes(j.store, &j.process, &j.count, &e)) {
        read_facts(&j);
        if (watcher && watcher->begin)
            watcher->begin(watcher->context, j.process, j.count);
        j.model = explain_model_watch(j.store, j.process, j.count, see, &j, &e);
    }
    if (j.model && watcher)
        see_end(&j);
    if (j.model)
        judge(&j, where);
    else
        broken_by(out, path, &e);
    raft_model_destroy(j.model);
    for (size_t i = 0; i < j.count; i++)
        store_process_fini(&j.process[i]);
    free(j.process);
    store_close(j.store);
}

void triage_judge(const char *path, bool where, struct triage_result *out)
{
    judge_file(path, where, NULL, out);
}

void triage_judge_watch(const char *path, const struct triage_watch *watch, struct triage_result *out)
{
    judge_file(path, false, watch, out);
}
