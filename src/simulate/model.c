#include "simulate/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/fault_words.h"
#include "simulate/machine.h"

static const char *const kind_word[MODEL_KINDS] = {"cut",  "cut-one-way", "reset",     "kill",      "crash",     "pause",
                                                   "skew", "jump",        "disk-slow", "disk-fail", "disk-full", "disk-lie",
                                                   "lose", "duplicate"};

/* A disk that fails or lies breaks what Raft builds on: only on demand. */
const struct model model_default = {
    .from = SECOND, .until = 30 * SECOND, .every = 2 * SECOND, .messages = 256, .vary = 50,
    .network = {.least = MILLISECOND / 10, .most = MILLISECOND, .later = 20 * MILLISECOND, .late = 250},
    .kind = {[MODEL_CUT] = {6, 2 * SECOND}, [MODEL_CUT_ONE_WAY] = {2, 2 * SECOND}, [MODEL_RESET] = {3, 0}, [MODEL_KILL] = {2, SECOND},
             [MODEL_CRASH] = {3, SECOND}, [MODEL_PAUSE] = {3, SECOND}, [MODEL_SKEW] = {1, 0}, [MODEL_JUMP] = {1, 0},
             [MODEL_SLOW] = {2, 2 * SECOND}, [MODEL_FAIL] = {0, SECOND}, [MODEL_FULL] = {0, SECOND}, [MODEL_LIE] = {0, 5 * SECOND},
             [MODEL_LOSE] = {2, 2 * SECOND}, [MODEL_DUPLICATE] = {1, 2 * SECOND}},
};

static bool time_word(const char *word, uint64_t *ns, struct drd_error *e)
{
    int64_t value;
    if (!word || !fault_duration(word, &value) || value < 0)
        return error_set(e, DRD_EXIT_USAGE, "%.64s: not a time such as 2s", word ? word : "(nothing)");
    return *ns = (uint64_t)value, true;
}

static bool number_word(const char *word, unsigned long most, const char *what, uint32_t *value, struct drd_error *e)
{
    char *end = NULL;
    unsigned long number = word ? strtoul(word, &end, 10) : 0;
    if (!word || end == word || *end || *word == '-' || number > most)
        return error_set(e, DRD_EXIT_USAGE, "%.64s: not %s from 0 to %lu", word ? word : "(nothing)", what, most);
    return *value = (uint32_t)number, true;
}

/* "delay LEAST MOST" and "late PERCENT MOST", which are faults too: the whole run has them. */
static bool network_read(struct model *m, char *const word[4], size_t count, struct drd_error *e)
{
    struct fault f;
    char words[200];
    snprintf(words, sizeof words, "%.60s%s%.60s%s%.60s", word[0], count > 1 ? " " : "", count > 1 ? word[1] : "",
             count > 2 ? " " : "", count > 2 ? word[2] : "");
    if (!fault_read(&f, words, e))
        return false;
    if (f.kind == FAULT_DELAY)
        m->network.least = (uint64_t)f.value, m->network.most = (uint64_t)f.most;
    else
        m->network.late = (uint32_t)f.value, m->network.later = (uint64_t)f.most;
    return true;
}

/* NAME = TIME, NAME = NUMBER, or FAULT = WEIGHT [TIME]. */
static bool line_read(struct model *m, char *line, struct drd_error *e)
{
    char *word[4] = {0}, *one;
    size_t count = 0, kind = 0;
    line[strcspn(line, "#")] = 0;
    while (count < 4 && (one = strsep(&line, " \t\r=")))
        if (*one)
            word[count++] = one;
    if (!count)
        return true;
    if (count == 4)
        return error_set(e, DRD_EXIT_USAGE, "%.64s: one word too many", word[3]);
    uint64_t *time = !strcmp(word[0], "from") ? &m->from : !strcmp(word[0], "until") ? &m->until : !strcmp(word[0], "every") ? &m->every : NULL;
    if (time)
        return time_word(word[1], time, e) && (time != &m->every || *time || error_set(e, DRD_EXIT_USAGE, "%s: not a time between faults", word[1]));
    if (!strcmp(word[0], "messages"))
        return number_word(word[1], 1000000, "a number of messages", &m->messages, e);
    if (!strcmp(word[0], "vary"))
        return number_word(word[1], 99, "a share in percent", &m->vary, e);
    if (!strcmp(word[0], "delay") || !strcmp(word[0], "late"))
        return network_read(m, word, count, e);
    while (kind < MODEL_KINDS && strcmp(word[0], kind_word[kind]))
        kind++;
    if (kind == MODEL_KINDS)
        return error_set(e, DRD_EXIT_USAGE, "%.64s: not a word of a model; from, until, every, messages, vary, delay, late and the names of "
                         "faults are", word[0]);
    if (!number_word(word[1], 1000, "a weight", &m->kind[kind].weight, e))
        return false;
    return !word[2] || time_word(word[2], &m->kind[kind].lasts, e);
}

bool model_read(struct model *m, const char *text, struct drd_error *e)
{
    char *copy = strdup(text), *rest = copy, *line;
    bool ok = copy || error_set(e, DRD_EXIT_CANNOT, "out of memory");
    *m = model_default;
    for (unsigned number = 1; ok && (line = strsep(&rest, "\n")); number++)
        ok = line_read(m, line, e) || error_wrap(e, "line %u", number);
    free(copy);
    return ok;
}

/* ---- drawing ---- */

static void drawn(struct machine *m, uint64_t at, const char *words)
{
    struct plan_step *s = calloc(1, sizeof *s), **more = realloc(m->drawn, (m->drawns + 1) * sizeof *more);
    if (!s || !more)
        abort();
    m->drawn = more;
    *s = (struct plan_step){.kind = PLAN_FAULT, .at = at, .drawn = true};
    snprintf(s->words, sizeof s->words, "%s", words);
    m->drawn[m->drawns++] = s;
    step_due(m, s);
}

static void disk_words(char *words, char *after, size_t size, const char *a, const char *how)
{
    snprintf(words, size, "disk %.60s %s", a, how);
    snprintf(after, size, "disk %.60s well", a);
}

/* Two nodes, or one and all others. Half of the time it is the only cut from now on, and half of the time its end is the end of all:
 * so a cut goes from one node to the next, which is how a cluster gets one leader after another with nothing said between them. */
static void cut_words(struct machine *m, const char *a, const char *b, char *words, char *after, size_t size)
{
    bool alone = chance_below(&m->faults, 3) > 0, all = chance_below(&m->faults, 2);
    snprintf(words, size, alone ? "cut %.60s" : "cut %.60s %.60s", a, b);
    if (all)
        snprintf(after, size, "heal");
    else
        snprintf(after, size, alone ? "heal %.60s" : "heal %.60s %.60s", a, b);
}

/* What happens to node a (and b), and what undoes it: "" nothing. */
static void fault_words(struct machine *m, enum model_kind kind, const char *a, const char *b, char *words, char *after, size_t size)
{
    *after = 0;
    switch (kind) {
    case MODEL_CUT: cut_words(m, a, b, words, after, size); break;
    case MODEL_CUT_ONE_WAY: snprintf(words, size, "cut-one-way %.60s %.60s", a, b), snprintf(after, size, "heal"); break;
    case MODEL_RESET: snprintf(words, size, "reset %.60s %.60s", a, b); break;
    case MODEL_KILL: case MODEL_CRASH:
        snprintf(words, size, "%s %.60s", kind_word[kind], a);
        snprintf(after, size, "restart %.60s", a);
        break;
    case MODEL_PAUSE: snprintf(words, size, "pause %.60s", a), snprintf(after, size, "resume %.60s", a); break;
    case MODEL_SKEW: case MODEL_JUMP:
        snprintf(words, size, "%s %.60s %+dms", kind_word[kind], a, (int)chance_below(&m->faults, 4001) - 2000);
        break;
    case MODEL_SLOW: disk_words(words, after, size, a, chance_below(&m->faults, 2) ? "slow 20" : "slow 200"); break;
    case MODEL_FAIL: disk_words(words, after, size, a, "fail EIO"); break;
    case MODEL_FULL: disk_words(words, after, size, a, "full"); break;
    case MODEL_LIE: disk_words(words, after, size, a, "lie"); break;
    default:
        snprintf(words, size, "%s %d", kind_word[kind], 1 + (int)chance_below(&m->faults, 50));
        snprintf(after, size, "%s 0", kind_word[kind]);
        break;
    }
}

/* Half to one and a half times the mean. */
static uint64_t about(struct chance *c, uint64_t mean)
{
    return mean / 2 + chance_below(c, mean + 1);
}

/* What happens to datagrams is none where nobody sends any to another node. */
static int kinds_there(const struct machine *m)
{
    return m->datagrams ? MODEL_KINDS : MODEL_LOSE;
}

static enum model_kind kind_draw(struct machine *m, const struct model *model)
{
    uint64_t all = 0, at;
    for (int k = 0; k < kinds_there(m); k++)
        all += model->kind[k].weight;
    if (!all)
        return MODEL_KINDS;
    at = chance_below(&m->faults, all);
    for (int k = 0; k < kinds_there(m); k++) {
        if (at < model->kind[k].weight)
            return (enum model_kind)k;
        at -= model->kind[k].weight;
    }
    return MODEL_KINDS;
}

/* The one of that name, if it runs; else any. */
static size_t target_draw(struct machine *m, const char *const *running, size_t count, const char *target)
{
    size_t a = (size_t)chance_below(&m->faults, count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(running[i], target))
            return i;
    return a;
}

/* A fault at `at`: to that node, "" to any that runs. */
static void strike(struct machine *m, uint64_t at, const char *target)
{
    const struct model *model = &m->model;
    const char *running[MACHINE_NODES];
    char words[200], after[200];
    size_t count = nodes_running(m, running), a = 0;
    enum model_kind kind = kind_draw(m, model);
    if (kind == MODEL_KINDS || count < 2)
        return;
    a = target_draw(m, running, count, target);
    size_t b = (a + 1 + (size_t)chance_below(&m->faults, count - 1)) % count;
    fault_words(m, kind, running[a], running[b], words, after, sizeof words);
    if (kind == MODEL_CUT && chance_below(&m->faults, 2))
        drawn(m, at, "heal");
    drawn(m, at, words);
    if (*after)
        drawn(m, at + 1 + about(&m->faults, model->kind[kind].lasts), after);
}

static void model_happens(struct machine *m, void *what);

/* The next one comes at a moment, or after some messages, few more often than many: what matters to a protocol is what was said last, and
 * to whom. It comes by time too where nothing is said for long. */
static void model_next(struct machine *m)
{
    const struct model *model = &m->model;
    uint64_t next = machine_now(m) - m->beginning + about(&m->faults, model->every);
    m->model_round++;
    m->model_messages = 0;
    if (model->messages && chance_below(&m->faults, 2)) {
        uint64_t most = 1;
        while (most < model->messages && chance_below(&m->faults, 8))
            most *= 2;
        m->model_messages = 1 + chance_below(&m->faults, most);
        next += model->every;
    }
    if (next < model->until)
        machine_due(m, m->beginning + next, model_happens, (void *)(uintptr_t)m->model_round);
}

static void model_happens(struct machine *m, void *what)
{
    if ((uintptr_t)what != m->model_round)
        return; /* it came after messages */
    strike(m, machine_now(m) - m->beginning + 1, "");
    model_next(m);
}

/* Before the next call of who sent it, or about when it arrives. Mostly to the sender: a leader sends more than others, and what it has
 * told one of them only is what a cluster can lose. */
void model_sent(struct machine *m, uint32_t from, uint32_t to)
{
    uint64_t now = machine_now(m) - m->beginning;
    if (!m->model_messages || !from || !to || --m->model_messages || now >= m->model.until)
        return;
    uint64_t whom = chance_below(&m->faults, 4), soon = chance_below(&m->faults, 2) ? 1 : chance_below(&m->faults, 3 * MILLISECOND);
    strike(m, now + 1 + soon, whom == 3 ? "" : m->node[whom == 2 ? to : from].name);
    model_next(m);
}

static uint64_t scaled(uint64_t value, uint64_t halves)
{
    return value >> halves ? value >> halves : 1;
}

/* Runs that differ in which faults there are find more than runs with all of them: one kind can undo what another one needs. Groce et
 * al., Swarm Testing, ISSTA 2012. */
static void model_vary(struct machine *m)
{
    const struct model *all = m->options.model;
    struct model *model = &m->model;
    uint64_t left = 0, often = chance_below(&m->faults, 5), shorter = chance_below(&m->faults, 5);
    *model = *all;
    if (!model->vary)
        return;
    model->every = scaled(model->every, often);
    for (int k = 0; k < MODEL_LOSE; k++) {
        if (chance_below(&m->faults, 100) < model->vary)
            model->kind[k].weight = 0;
        left += model->kind[k].weight;
        model->kind[k].lasts = scaled(model->kind[k].lasts, shorter);
    }
    for (int k = 0; k < MODEL_LOSE && !left; k++)
        model->kind[k].weight = all->kind[k].weight;
    model->messages = (uint32_t)scaled(model->messages, chance_below(&m->faults, 7));
    if (all->messages == 0)
        model->messages = 0;
    int most = (int)kind_draw(m, model); /* in half of the runs it is mostly one kind, again and again */
    if (most < MODEL_KINDS && chance_below(&m->faults, 2))
        model->kind[most].weight *= 10;
}

/* Is a step of the plan as any other, so that it is kept in the run, and can be left out. */
static void network_begin(struct machine *m, const struct model_network *n)
{
    const struct model_network *usual = &model_default.network;
    char words[200];
    if (n->least != usual->least || n->most != usual->most) {
        snprintf(words, sizeof words, "delay %" PRIu64 "ns %" PRIu64 "ns", n->least, n->most);
        drawn(m, 0, words);
    }
    if (n->late != usual->late || n->later != usual->later) {
        snprintf(words, sizeof words, "late %g%% %" PRIu64 "ns", n->late / 100.0, n->later);
        drawn(m, 0, words);
    }
}

/* One fault, as long as the model's file says and up to three times that, and none before it is over: so long that the others can elect
 * somebody without the one that it struck. What was cut before is mostly healed, since they have to hear each other for that. */
static void strike_only(struct machine *m, uint64_t at, const char *target)
{
    struct model lasting = *m->options.model;
    const char *running[MACHINE_NODES];
    char words[200], after[200];
    size_t count = nodes_running(m, running), a, b;
    for (int k = 0; k < MODEL_KINDS; k++)
        if (!lasting.kind[k].lasts)
            lasting.kind[k].weight = 0;
    enum model_kind kind = kind_draw(m, &lasting);
    if (kind == MODEL_KINDS || count < 2)
        return model_next(m);
    a = target_draw(m, running, count, target);
    b = (a + 1 + (size_t)chance_below(&m->faults, count - 1)) % count;
    fault_words(m, kind, running[a], running[b], words, after, sizeof words);
    uint64_t lasts = lasting.kind[kind].lasts, end = at + 1 + (about(&m->faults, lasts) << chance_below(&m->faults, 2));
    if (end > m->model.until + lasts)
        end = m->model.until + lasts; /* as late as others: what waits for all to be well again need not wait longer */
    if (chance_below(&m->faults, 8))
        drawn(m, at, "heal");
    drawn(m, at, words);
    if (*after)
        drawn(m, end, after);
    m->model_round++;
    m->model_messages = 0;
    if (end < m->model.until)
        machine_due(m, m->beginning + end, model_happens, (void *)(uintptr_t)m->model_round);
}

void model_strike(struct machine *m, uint64_t seed, const char *node)
{
    if (!m->options.model || machine_now(m) - m->beginning >= m->options.model->until)
        return;
    chance_init(&m->faults, seed, 0x73);
    model_vary(m);
    strike_only(m, machine_now(m) - m->beginning + 1, node);
}

void model_begin(struct machine *m)
{
    if (!m->options.model)
        return;
    chance_named(m, &m->faults, CHANCE_FAULTS, "", "");
    network_begin(m, &m->options.model->network);
    model_vary(m);
    m->model_round = 1;
    machine_due(m, m->beginning + m->model.from, model_happens, (void *)(uintptr_t)1);
}
