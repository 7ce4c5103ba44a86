#include "simulate/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/fault_words.h"
#include "simulate/machine.h"

static const char *const kind_word[MODEL_KINDS] = {"cut",  "cut-one-way", "reset",     "kill",      "crash",     "pause",
                                                   "skew", "jump",        "disk-slow", "disk-fail", "disk-full", "disk-lie"};

/* A disk that fails or lies breaks what Raft builds on: only on demand. */
const struct model model_default = {
    .from = SECOND, .until = 30 * SECOND, .every = 2 * SECOND,
    .kind = {[MODEL_CUT] = {6, 2 * SECOND}, [MODEL_CUT_ONE_WAY] = {2, 2 * SECOND}, [MODEL_RESET] = {3, 0}, [MODEL_KILL] = {2, SECOND},
             [MODEL_CRASH] = {3, SECOND}, [MODEL_PAUSE] = {3, SECOND}, [MODEL_SKEW] = {1, 0}, [MODEL_JUMP] = {1, 0},
             [MODEL_SLOW] = {2, 2 * SECOND}, [MODEL_FAIL] = {0, SECOND}, [MODEL_FULL] = {0, SECOND}, [MODEL_LIE] = {0, 5 * SECOND}},
};

static bool time_word(const char *word, uint64_t *ns, struct drd_error *e)
{
    int64_t value;
    if (!word || !fault_duration(word, &value) || value < 0)
        return error_set(e, DRD_EXIT_USAGE, "%.64s: not a time such as 2s", word ? word : "(nothing)");
    return *ns = (uint64_t)value, true;
}

/* NAME = TIME, or FAULT = WEIGHT [TIME]. */
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
    while (kind < MODEL_KINDS && strcmp(word[0], kind_word[kind]))
        kind++;
    if (kind == MODEL_KINDS)
        return error_set(e, DRD_EXIT_USAGE, "%.64s: not a word of a model; from, until, every and the names of faults are", word[0]);
    char *end = word[1];
    unsigned long weight = word[1] ? strtoul(word[1], &end, 10) : 0;
    if (!word[1] || end == word[1] || *end || weight > 1000)
        return error_set(e, DRD_EXIT_USAGE, "%.64s: not a weight from 0 to 1000", word[1] ? word[1] : "(nothing)");
    m->kind[kind].weight = (uint32_t)weight;
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
    *s = (struct plan_step){.kind = PLAN_FAULT, .at = at};
    snprintf(s->words, sizeof s->words, "%s", words);
    m->drawn[m->drawns++] = s;
    step_due(m, s);
}

static void disk_words(char *words, char *after, size_t size, const char *a, const char *how)
{
    snprintf(words, size, "disk %.60s %s", a, how);
    snprintf(after, size, "disk %.60s well", a);
}

/* What happens to node a (and b), and what undoes it: "" nothing. */
static void fault_words(struct machine *m, enum model_kind kind, const char *a, const char *b, char *words, char *after, size_t size)
{
    *after = 0;
    switch (kind) {
    case MODEL_CUT:
        snprintf(words, size, chance_below(&m->faults, 2) ? "cut %.60s" : "cut %.60s %.60s", a, b);
        snprintf(after, size, "heal");
        break;
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
    default: disk_words(words, after, size, a, "lie"); break;
    }
}

/* Half to one and a half times the mean. */
static uint64_t about(struct chance *c, uint64_t mean)
{
    return mean / 2 + chance_below(c, mean + 1);
}

static enum model_kind kind_draw(struct machine *m, const struct model *model)
{
    uint64_t all = 0, at;
    for (int k = 0; k < MODEL_KINDS; k++)
        all += model->kind[k].weight;
    at = chance_below(&m->faults, all);
    for (int k = 0; k < MODEL_KINDS; k++) {
        if (at < model->kind[k].weight)
            return (enum model_kind)k;
        at -= model->kind[k].weight;
    }
    return MODEL_KINDS;
}

static void model_happens(struct machine *m, void *what)
{
    const struct model *model = m->options.model;
    const char *running[MACHINE_NODES];
    char words[200], after[200];
    uint64_t now = machine_now(m) - BEGINNING;
    size_t count = nodes_running(m, running);
    (void)what;
    enum model_kind kind = kind_draw(m, model);
    if (kind < MODEL_KINDS && count >= 2) {
        size_t a = (size_t)chance_below(&m->faults, count), b = (a + 1 + (size_t)chance_below(&m->faults, count - 1)) % count;
        fault_words(m, kind, running[a], running[b], words, after, sizeof words);
        drawn(m, now + 1, words);
        if (*after)
            drawn(m, now + 2 + about(&m->faults, model->kind[kind].lasts), after);
    }
    uint64_t next = now + about(&m->faults, model->every);
    if (next < model->until)
        machine_due(m, BEGINNING + next, model_happens, NULL);
}

void model_begin(struct machine *m)
{
    if (!m->options.model)
        return;
    chance_named(m, &m->faults, CHANCE_FAULTS, "", "");
    machine_due(m, BEGINNING + m->options.model->from, model_happens, NULL);
}
