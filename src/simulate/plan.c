#include "simulate/plan.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/fault_words.h"

#define SECOND 1000000000ull
#define STEPS_MOST 1000000u

static const char *const change_word[] = {
    [PLAN_TIMER] = "timer",
    [PLAN_DRAW] = "draw", [PLAN_DROP] = "drop", [PLAN_DELAY] = "delay", [PLAN_FAIL] = "fail", [PLAN_CRASH] = "crash",
    [PLAN_CLOCK] = "clock", [PLAN_READ] = "read", [PLAN_AFTER] = "after", [PLAN_FRESH] = "fresh",
};

static bool has_value(enum plan_kind kind)
{
    return kind == PLAN_TIMER || kind == PLAN_DRAW || kind == PLAN_DELAY || kind == PLAN_FAIL || kind == PLAN_CLOCK || kind == PLAN_FRESH;
}

/* ---- reading ---- */

static bool wrong(struct drd_error *e, const char *word, const char *want)
{
    return error_set(e, DRD_EXIT_USAGE, "%.64s: not %s", word ? word : "(nothing)", want);
}

/* Seconds with up to nine places, exact: "1.25" is 1250000000. */
static bool moment_read(const char *text, uint64_t *ns)
{
    uint64_t whole = 0, part = 0, unit = SECOND;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++)
        if ((whole = whole * 10 + (uint64_t)(*at - '0')) > UINT64_MAX / SECOND / 20)
            return false;
    if (at == text)
        return false;
    if (*at == '.')
        for (at++; isdigit((unsigned char)*at) && unit > 1; at++)
            part += (uint64_t)(*at - '0') * (unit /= 10);
    *ns = whole * SECOND + part;
    return !*at;
}

static bool number_read(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = *text == '-' ? strtoll(text, &end, 10) : (int64_t)strtoull(text, &end, 10);
    return end != text && !*end && !errno && !isspace((unsigned char)*text);
}

static bool event_read(const char *text, uint32_t *number, uint64_t *event)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long process = strtoul(text, &end, 10);
    if (errno || process > UINT32_MAX || *end != '@' || !isdigit((unsigned char)end[1]))
        return false;
    *number = (uint32_t)process;
    *event = strtoull(end + 1, &end, 10);
    return !errno && !*end;
}

static char *word_next(char **rest)
{
    char *word;
    while ((word = strsep(rest, " \t\r")) && !*word)
        ;
    return word;
}

static bool read_fault(char *rest, struct plan_step *s, struct drd_error *e)
{
    struct fault f;
    const char *at = word_next(&rest), *words = rest ? rest + strspn(rest, " \t") : "";
    s->kind = PLAN_FAULT;
    if (!at || !moment_read(at, &s->at))
        return wrong(e, at, "a moment in seconds");
    if (!fault_read(&f, words, e))
        return false;
    if (strlen(words) >= sizeof s->words)
        return wrong(e, f.word[0], "a fault of at most 199 characters");
    snprintf(s->words, sizeof s->words, "%s", words);
    for (size_t n = strlen(s->words); n && isspace((unsigned char)s->words[n - 1]);)
        s->words[--n] = 0;
    return true;
}

/* Pairs of hexadecimal digits; none: the file is empty there. */
static bool read_bytes(const char *text, struct plan_step *s)
{
    size_t length = text ? strlen(text) : 0;
    if (length % 2 || length >= sizeof s->words || (text && strspn(text, "0123456789abcdef") != length))
        return false;
    snprintf(s->words, sizeof s->words, "%s", text ? text : "");
    return true;
}

size_t plan_bytes(const struct plan_step *s, uint8_t out[100])
{
    size_t length = strlen(s->words) / 2;
    for (size_t i = 0; i < length; i++) {
        char pair[3] = {s->words[2 * i], s->words[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return length;
}

static bool read_change(char *rest, struct plan_step *s, struct drd_error *e)
{
    const char *event = word_next(&rest), *what, *value;
    if (!event || !event_read(event, &s->process, &s->event))
        return wrong(e, event, "an event, PROCESS@NUMBER");
    what = word_next(&rest);
    s->kind = PLAN_TIMER;
    while (what && s->kind <= PLAN_FRESH && strcmp(what, change_word[s->kind]))
        s->kind++;
    if (!what || s->kind > PLAN_FRESH || !s->process)
        return wrong(e, what, "a change; timer, draw, drop, delay, fail, crash, clock, read, after and fresh are");
    value = word_next(&rest);
    if (s->kind == PLAN_AFTER) {
        uint64_t other;
        if (!value || !event_read(value, &s->other, &other) || !s->other || other > INT64_MAX)
            return wrong(e, value, "an event, PROCESS@NUMBER");
        s->value = (int64_t)other;
        value = word_next(&rest);
    }
    if (has_value(s->kind)) {
        if (!value || !number_read(value, &s->value))
            return wrong(e, value, "a number");
        if (s->kind == PLAN_FAIL && (s->value <= 0 || s->value > 4095))
            return wrong(e, value, "the number of an error");
        value = word_next(&rest);
    } else if (s->kind == PLAN_READ) {
        if (!read_bytes(value, s))
            return wrong(e, value, "up to 99 bytes in hexadecimal digits");
        value = word_next(&rest);
    }
    return !value || wrong(e, value, "expected here: the step is complete");
}

/* A moment and a seed; a strike may name its node. */
static bool read_seeded(enum plan_kind kind, char *rest, struct plan_step *s, struct drd_error *e)
{
    const char *at = word_next(&rest), *seed, *more;
    s->kind = kind;
    if (!at || !moment_read(at, &s->at))
        return wrong(e, at, "a moment in seconds");
    if (!(seed = word_next(&rest)) || !number_read(seed, &s->value))
        return wrong(e, seed, "a seed");
    more = word_next(&rest);
    if (more && kind == PLAN_STRIKE) {
        if (strlen(more) >= sizeof s->words)
            return wrong(e, more, "the name of a node");
        strcpy(s->words, more);
        more = word_next(&rest);
    }
    return !more || wrong(e, more, "expected here: the step is complete");
}

static bool read_rest(char *rest, struct plan_step *s, struct drd_error *e)
{
    const char *at = word_next(&rest), *until = word_next(&rest), *process = word_next(&rest), *more = word_next(&rest);
    uint64_t end;
    int64_t number;
    s->kind = PLAN_REST;
    if (!at || !moment_read(at, &s->at))
        return wrong(e, at, "a moment in seconds");
    if (!until || !moment_read(until, &end) || end < s->at || end > INT64_MAX)
        return wrong(e, until, "a later moment in seconds");
    if (!process || !number_read(process, &number) || number < 1 || number > UINT32_MAX)
        return wrong(e, process, "the number of a process");
    s->value = (int64_t)end;
    s->process = (uint32_t)number;
    return !more || wrong(e, more, "expected here: the step is complete");
}

static bool read_calm(char *rest, struct plan_step *s, struct drd_error *e)
{
    const char *at = word_next(&rest), *until = word_next(&rest), *more = word_next(&rest);
    uint64_t end;
    s->kind = PLAN_CALM;
    if (!at || !moment_read(at, &s->at))
        return wrong(e, at, "a moment in seconds");
    if (!until || !moment_read(until, &end) || end < s->at || end > INT64_MAX)
        return wrong(e, until, "a later moment in seconds");
    s->value = (int64_t)end;
    return !more || wrong(e, more, "expected here: the step is complete");
}

static bool read_end(char *rest, struct plan_step *s, struct drd_error *e)
{
    const char *at = word_next(&rest), *more = word_next(&rest);
    s->kind = PLAN_END;
    if (!at || !moment_read(at, &s->at))
        return wrong(e, at, "a moment in seconds");
    return !more || wrong(e, more, "expected here: the step is complete");
}

static bool line_read(struct plan *p, char *line, struct drd_error *e)
{
    struct plan_step s = {0};
    const char *word = word_next(&line);
    if (!word || *word == '#')
        return true;
    bool ok = !strcmp(word, "at")      ? read_fault(line ? line : (char[1]){0}, &s, e)
              : !strcmp(word, "event") ? read_change(line, &s, e)
              : !strcmp(word, "fresh") ? read_seeded(PLAN_FRESH, line, &s, e)
              : !strcmp(word, "strike") ? read_seeded(PLAN_STRIKE, line, &s, e)
              : !strcmp(word, "rest")  ? read_rest(line, &s, e)
              : !strcmp(word, "calm")  ? read_calm(line, &s, e)
              : !strcmp(word, "end")   ? read_end(line, &s, e)
                                       : wrong(e, word, "a step of a plan; at, event, fresh, strike, rest, calm and end are");
    return ok && plan_add(p, &s, e);
}

bool plan_read(struct plan *p, const char *text, struct drd_error *e)
{
    char *copy = strdup(text), *rest = copy, *line;
    unsigned number = 0;
    bool ok = copy || error_set(e, DRD_EXIT_CANNOT, "out of memory");
    *p = (struct plan){0};
    while (ok && (line = strsep(&rest, "\n"))) {
        number++;
        ok = line_read(p, line, e) || error_wrap(e, "line %u", number);
    }
    free(copy);
    if (!ok)
        plan_fini(p);
    return ok;
}

bool plan_add(struct plan *p, const struct plan_step *step, struct drd_error *e)
{
    if (p->count == STEPS_MOST)
        return error_set(e, DRD_EXIT_USAGE, "a plan of more than %u steps", STEPS_MOST);
    if (!(p->count & (p->count - 1))) { /* full at each power of two */
        struct plan_step *more = realloc(p->step, (p->count ? 2 * p->count : 1) * sizeof *more);
        if (!more)
            return error_set(e, DRD_EXIT_CANNOT, "out of memory");
        p->step = more;
    }
    p->step[p->count++] = *step;
    return true;
}

void plan_fini(struct plan *p)
{
    free(p->step);
    *p = (struct plan){0};
}

/* ---- writing ---- */

static void moment_print(uint64_t ns, FILE *out)
{
    fprintf(out, " %" PRIu64 ".%09" PRIu64, (uint64_t)(ns / SECOND), (uint64_t)(ns % SECOND));
}

static void step_print(const struct plan_step *s, FILE *out)
{
    if (s->kind == PLAN_FAULT)
        fputs("at", out), moment_print(s->at, out), fprintf(out, " %s\n", s->words);
    else if (s->kind == PLAN_FRESH && plan_at_moment(s))
        fputs("fresh", out), moment_print(s->at, out), fprintf(out, " %" PRIu64 "\n", (uint64_t)s->value);
    else if (s->kind == PLAN_STRIKE)
        fputs("strike", out), moment_print(s->at, out), fprintf(out, " %" PRIu64 "%s%s\n", (uint64_t)s->value, *s->words ? " " : "", s->words);
    else if (s->kind == PLAN_REST)
        fputs("rest", out), moment_print(s->at, out), moment_print((uint64_t)s->value, out), fprintf(out, " %u\n", s->process);
    else if (s->kind == PLAN_CALM)
        fputs("calm", out), moment_print(s->at, out), moment_print((uint64_t)s->value, out), fputc('\n', out);
    else if (s->kind == PLAN_END)
        fputs("end", out), moment_print(s->at, out), fputc('\n', out);
    else if (s->kind == PLAN_READ)
        fprintf(out, "event %u@%" PRIu64 " read%s%s\n", s->process, s->event, *s->words ? " " : "", s->words);
    else if (s->kind == PLAN_AFTER)
        fprintf(out, "event %u@%" PRIu64 " after %u@%" PRId64 "\n", s->process, s->event, s->other, s->value);
    else if (!has_value(s->kind))
        fprintf(out, "event %u@%" PRIu64 " %s\n", s->process, s->event, change_word[s->kind]);
    else
        fprintf(out, "event %u@%" PRIu64 " %s %s%" PRId64 "\n", s->process, s->event, change_word[s->kind],
                s->kind == PLAN_TIMER && s->value >= 0 ? "+" : "", s->value);
}

char *plan_text(const struct plan *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < p->count; i++)
        step_print(&p->step[i], out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
