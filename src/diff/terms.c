/* Terms differ by chance: an election more, and all later terms are higher. Terms of the same leader, in the same order, are
 * the same; one without a leader is as far from the last that had one. But only if that makes more of them equal than have the
 * same number: where another node won an election, the terms are as they are. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "diff/align.h"
#include "diff/diff.h"

#define TERMS_MOST 65536 /* with a leader; beyond, terms are compared as they are */

struct led {
    uint64_t term, leader; /* leader: label of the lowest node that led it, for the alignment */
};

static int by_term(const void *a, const void *b)
{
    const struct led *x = a, *y = b;
    return x->term != y->term ? (x->term < y->term ? -1 : 1) : x->leader < y->leader ? -1 : x->leader > y->leader;
}

static uint64_t node_label(const struct diff_run *r, size_t node)
{
    return XXH3_64bits(r->node[node].name, strlen(r->node[node].name));
}

/* The terms that were led and by whom, ascending; a term with two leaders twice. */
static struct led *leds(const struct diff_run *r, size_t *count)
{
    struct led *led = malloc(TERMS_MOST * sizeof *led);
    *count = 0;
    for (size_t i = 0; led && i < r->events && *count < TERMS_MOST; i++) {
        if (i % DIFF_STRIDE == 0)
            diff_run_drop(r);
        if (r->event[i].kind == DIFF_LEADER)
            led[(*count)++] = (struct led){r->event[i].term, node_label(r, r->event[i].node)};
    }
    if (led)
        qsort(led, *count, sizeof *led, by_term);
    return led;
}

/* Terms that both have: each is a reason to compare them as they are, whether the same node led or another was elected. */
static size_t terms_common(const struct led *a, size_t n, const struct led *b, size_t m)
{
    size_t common = 0;
    for (size_t i = 0, j = 0; i < n && j < m;) {
        uint64_t term = a[i].term;
        if (term != b[j].term) {
            *(term < b[j].term ? &i : &j) += 1;
            continue;
        }
        common++;
        while (i < n && a[i].term == term)
            i++;
        while (j < m && b[j].term == term)
            j++;
    }
    return common;
}

static bool terms_set(struct diff_terms *t, const struct led *led, size_t count)
{
    t->term = malloc((count + 1) * sizeof *t->term);
    t->label = malloc((count + 1) * sizeof *t->label);
    for (size_t i = 0; t->term && t->label && i < count; i++)
        t->term[i] = led[i].term;
    return t->term && t->label;
}

/* Both sides keep the terms that were matched, with the same label. */
static void terms_label(struct diff *d, const size_t *match, size_t n)
{
    struct diff_terms *a = &d->terms[0], *b = &d->terms[1];
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = match[i];
        if (j == ALIGN_NONE || (kept && (a->term[kept - 1] == a->term[i] || b->term[kept - 1] == b->term[j])))
            continue;
        a->term[kept] = a->term[i];
        b->term[kept] = b->term[j];
        a->label[kept] = b->label[kept] = a->term[i];
        kept++;
    }
    a->count = b->count = kept;
}

static bool leaders_align(struct diff *d, const struct led *a, size_t n, const struct led *b, size_t m)
{
    uint64_t *x = malloc((n + 1) * sizeof *x), *y = malloc((m + 1) * sizeof *y);
    size_t *match = malloc((n + 1) * sizeof *match);
    bool good = x && y && match && terms_set(&d->terms[0], a, n) && terms_set(&d->terms[1], b, m);
    for (size_t i = 0; good && i < n; i++)
        x[i] = a[i].leader;
    for (size_t i = 0; good && i < m; i++)
        y[i] = b[i].leader;
    good = good && align(x, n, y, m, match);
    if (good)
        terms_label(d, match, n);
    free(x);
    free(y);
    free(match);
    return good;
}

bool diff_terms_match(struct diff *d)
{
    size_t n, m;
    struct led *a = leds(d->run[0], &n), *b = leds(d->run[1], &m);
    bool good = a && b;
    if (good && n < TERMS_MOST && m < TERMS_MOST)
        good = leaders_align(d, a, n, b, m);
    if (good && d->terms[0].count <= terms_common(a, n, b, m))
        d->terms[0].count = d->terms[1].count = 0;
    free(a);
    free(b);
    return good;
}

uint64_t diff_term_label(const struct diff *d, int side, uint64_t term)
{
    const struct diff_terms *t = &d->terms[side];
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->term[middle] <= term)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? t->label[low - 1] + ((term - t->term[low - 1]) << 32) : term;
}
