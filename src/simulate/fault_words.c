#include "simulate/fault_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK_MOST (3600 * 1000000000ll)

static const struct {
    const char *word;
    int least, most; /* names of nodes */
    const char *more; /* what follows them */
} kinds[] = {
    [FAULT_CUT] = {"cut", 1, FAULT_WORDS, NULL},
    [FAULT_CUT_ONE_WAY] = {"cut-one-way", 2, 2, NULL},
    [FAULT_HEAL] = {"heal", 0, FAULT_WORDS, NULL},
    [FAULT_RESET] = {"reset", 2, 2, NULL},
    [FAULT_KILL] = {"kill", 1, FAULT_WORDS, NULL},
    [FAULT_CRASH] = {"crash", 1, FAULT_WORDS, NULL},
    [FAULT_RESTART] = {"restart", 1, FAULT_WORDS, NULL},
    [FAULT_PAUSE] = {"pause", 1, FAULT_WORDS, NULL},
    [FAULT_RESUME] = {"resume", 1, FAULT_WORDS, NULL},
    [FAULT_SKEW] = {"skew", 1, 1, "a time such as +50ms"},
    [FAULT_JUMP] = {"jump", 1, 1, "a time such as -2s"},
    [FAULT_DISK] = {"disk", 1, 1, "slow MS, fail ERRNO, full, lie or well"},
    [FAULT_LOSE] = {"lose", 0, 0, "a share of the datagrams in percent"},
    [FAULT_DUPLICATE] = {"duplicate", 0, 0, "a share of the datagrams in percent"},
    [FAULT_DELAY] = {"delay", 0, 0, "two times, the least and the most that a message is on its way"},
    [FAULT_LATE] = {"late", 0, 0, "a share of the messages in percent, and by how much they may be late"},
};

bool fault_duration(const char *text, int64_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e6}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}};
    char *end;
    double value = strtod(text, &end);
    if (end == text || !(isdigit((unsigned char)*text) || *text == '+' || *text == '-' || *text == '.'))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].name) && value * units[i].ns < 9e18 && value * units[i].ns > -9e18)
            return *ns = (int64_t)(value * units[i].ns), true;
    return false;
}

int fault_errno(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);
    if (end != name && !*end)
        return number > 0 && number < 4096 ? (int)number : 0;
    for (int i = 1; i < 134; i++) {
        const char *known = strerrorname_np(i);
        if (known && !strcmp(known, name))
            return i;
    }
    return 0;
}

static bool wrong(struct drd_error *e, const char *word, const char *why)
{
    return error_set(e, DRD_EXIT_USAGE, "%.64s: %s", word, why);
}

static bool disk_read(struct fault *f, struct drd_error *e)
{
    const char *how = f->word[2], *value = f->count > 3 ? f->word[3] : "";
    bool slow = !strcmp(how, "slow"), fail = !strcmp(how, "fail");
    if (!slow && !fail && strcmp(how, "full") && strcmp(how, "lie") && strcmp(how, "well"))
        return wrong(e, how, "not what a disk can be; slow MS, fail ERRNO, full, lie and well are");
    if (f->count != (slow || fail ? 4 : 3))
        return wrong(e, f->count > 4 || !(slow || fail) ? f->word[f->count - 1] : how, slow || fail ? "takes one value" : "one word too many");
    if (slow && (!fault_duration(value, &f->value) || f->value < 0))
        return wrong(e, value, "not a time");
    if (fail && !(f->value = fault_errno(value)))
        return wrong(e, value, "not the name of an error; EIO is one");
    return true;
}

/* DELAY LEAST MOST, LATE PERCENT MOST */
static bool network_read(struct fault *f, struct drd_error *e)
{
    bool delay = f->kind == FAULT_DELAY;
    const char *first = f->word[1], *most = f->count > 2 ? f->word[2] : first;
    char *end;
    if (f->count != 3)
        return f->count > 3 ? wrong(e, f->word[3], "one word too many")
                            : error_set(e, DRD_EXIT_USAGE, "%s takes %s", f->word[0], kinds[f->kind].more);
    if (!fault_duration(most, &f->most) || f->most < 0 || f->most > NETWORK_MOST)
        return wrong(e, most, "not a time up to an hour");
    if (delay)
        return (fault_duration(first, &f->value) && f->value >= 0 && f->value <= f->most) ||
               wrong(e, first, "not a time, or more than the most");
    double share = strtod(first, &end);
    f->value = (int64_t)(share * 100 + 0.5);
    return (end != first && (!*end || !strcmp(end, "%")) && share >= 0 && share <= 100) || wrong(e, first, "not a share in percent");
}

/* What follows the names of nodes. */
static bool value_read(struct fault *f, struct drd_error *e)
{
    const char *value = f->word[f->count - 1];
    char *end;
    if (f->kind == FAULT_DISK)
        return disk_read(f, e);
    if (f->kind == FAULT_DELAY || f->kind == FAULT_LATE)
        return network_read(f, e);
    if (f->count != f->nodes + 2)
        return wrong(e, value, "one word too many");
    if (f->kind == FAULT_SKEW || f->kind == FAULT_JUMP)
        return fault_duration(value, &f->value) || wrong(e, value, "not a time");
    f->value = strtol(value, &end, 10);
    if (end == value || (*end && strcmp(end, "%")) || f->value < 0 || f->value > 100)
        return wrong(e, value, "not a share in percent");
    return true;
}

static bool words_split(struct fault *f, const char *words, struct drd_error *e)
{
    *f = (struct fault){0};
    if (strlen(words) >= sizeof f->text)
        return error_set(e, DRD_EXIT_USAGE, "%.40s...: a fault of so many words is none", words);
    snprintf(f->text, sizeof f->text, "%s", words);
    for (char *rest = f->text, *one; (one = strsep(&rest, " \t"));) {
        if (!*one)
            continue;
        if (f->count == FAULT_WORDS)
            return wrong(e, one, "one word too many");
        f->word[f->count++] = one;
    }
    return true;
}

bool fault_read(struct fault *f, const char *words, struct drd_error *e)
{
    size_t kind = 0;
    if (!words_split(f, words, e))
        return false;
    if (!f->count)
        return error_set(e, DRD_EXIT_USAGE, "a fault has a name; cut, heal, kill, crash, restart, pause, resume and others are");
    while (kind < sizeof kinds / sizeof *kinds && strcmp(kinds[kind].word, f->word[0]))
        kind++;
    if (kind == sizeof kinds / sizeof *kinds)
        return wrong(e, f->word[0], "not a fault; cut, cut-one-way, heal, reset, kill, crash, restart, pause, resume, skew, jump, disk, "
                                    "lose, duplicate, delay and late are");
    f->kind = (enum fault_kind)kind;
    if (f->count - 1 < kinds[kind].least)
        return wrong(e, f->word[0], kinds[kind].least == 1 ? "takes the name of a node" : "takes the names of two nodes");
    f->nodes = kinds[kind].more ? kinds[kind].least : f->count - 1;
    if (f->nodes > kinds[kind].most)
        return wrong(e, f->word[kinds[kind].most + 1], "one word too many");
    if (!kinds[kind].more)
        return true;
    if (f->count < f->nodes + 2)
        return error_set(e, DRD_EXIT_USAGE, "%s takes %s%s", f->word[0], f->nodes ? "a node and " : "", kinds[kind].more);
    return value_read(f, e);
}
