#include "diff/align.h"

#include <stdlib.h>
#include <string.h>

/* Edits that one piece may need. Beyond, what was found so far is kept and the search begins anew behind it. */
#define EDITS_MAX 192
#define ROW (2 * EDITS_MAX + 3)

/* What is left to align of both. */
struct part {
    const uint64_t *a, *b;
    size_t n, m;
    size_t *match;     /* of a */
    size_t base;       /* what to add to a place in b */
};

static void part_skip(struct part *p, size_t x, size_t y)
{
    *p = (struct part){p->a + x, p->b + y, p->n - x, p->m - y, p->match + x, p->base + y};
}

/* Equal ends belong together whatever stands between. */
static void part_trim(struct part *p)
{
    size_t same = 0;
    while (same < p->n && same < p->m && p->a[same] == p->b[same]) {
        p->match[same] = p->base + same;
        same++;
    }
    part_skip(p, same, same);
    while (p->n && p->m && p->a[p->n - 1] == p->b[p->m - 1]) {
        p->match[p->n - 1] = p->base + p->m - 1;
        p->n--, p->m--;
    }
}

/* --- Myers, greedy --- */

struct search {
    int32_t now[ROW];                 /* the furthest x of each diagonal x - y, at its number + EDITS_MAX + 1 */
    int32_t before[EDITS_MAX + 1][ROW]; /* the same before each number of edits */
    int32_t x, y;                     /* the furthest point, and the edits that led there */
    int edits;
};

static bool goes_down(const int32_t *v, int d, int k)
{
    return k == -d || (k != d && v[k - 1] < v[k + 1]);
}

/* One more edit on every diagonal. True: the end was reached. */
static bool search_step(struct search *s, const struct part *p, int d)
{
    int32_t *v = s->now + EDITS_MAX + 1, n = (int32_t)p->n, m = (int32_t)p->m;
    memcpy(s->before[d], s->now, sizeof s->now);
    for (int k = -d; k <= d; k += 2) {
        int32_t x = d == 0 ? 0 : goes_down(v, d, k) ? v[k + 1] : v[k - 1] + 1, y = x - k;
        while (x < n && y < m && p->a[x] == p->b[y])
            x++, y++;
        v[k] = x;
        if (x > n || y > m || (x + y <= s->x + s->y && d))
            continue;
        s->x = x;
        s->y = y;
        s->edits = d;
        if (x == n && y == m)
            return true;
    }
    return false;
}

static void search_keep(const struct search *s, const struct part *p)
{
    int32_t x = s->x, y = s->y;
    for (int d = s->edits; d >= 0; d--) {
        const int32_t *v = s->before[d] + EDITS_MAX + 1;
        int k = x - y, from = goes_down(v, d, k) ? k + 1 : k - 1;
        int32_t old_x = d ? v[from] : 0, old_y = d ? old_x - from : 0;
        while (x > old_x && y > old_y) {
            x--, y--;
            p->match[x] = p->base + (size_t)y;
        }
        x = old_x;
        y = old_y;
    }
}

/* The shortest script where few edits do, else pieces of it, one behind the other. */
static bool align_edits(struct part p)
{
    struct search *s = malloc(sizeof *s);
    for (part_trim(&p); s && p.n && p.m; part_trim(&p)) {
        struct part piece = p;
        if (piece.n > INT32_MAX / 4)
            piece.n = INT32_MAX / 4;
        if (piece.m > INT32_MAX / 4)
            piece.m = INT32_MAX / 4;
        bool end = false;
        memset(s->now, 0, sizeof s->now);
        s->x = s->y = s->edits = 0;
        for (int d = 0; d <= EDITS_MAX && !end; d++)
            end = search_step(s, &piece, d);
        search_keep(s, &piece);
        part_skip(&p, (size_t)s->x, (size_t)s->y);
        if (!s->x && !s->y)
            break;
    }
    bool good = s != NULL;
    free(s);
    return good;
}

/* --- patience --- */

struct place {
    uint64_t value;
    size_t at;
};

static int by_value(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->value != y->value ? (x->value < y->value ? -1 : 1) : x->at < y->at ? -1 : x->at > y->at;
}

static struct place *places(const uint64_t *v, size_t n)
{
    struct place *p = malloc((n + 1) * sizeof *p);
    for (size_t i = 0; p && i < n; i++)
        p[i] = (struct place){v[i], i};
    if (p)
        qsort(p, n, sizeof *p, by_value);
    return p;
}

static bool is_single(const struct place *p, size_t n, size_t i)
{
    return (i == 0 || p[i - 1].value != p[i].value) && (i + 1 == n || p[i + 1].value != p[i].value);
}

/* other[x]: the place in b of what stands once in a, at x, and once in b. */
static void singles(const struct place *a, size_t n, const struct place *b, size_t m, size_t *other)
{
    for (size_t i = 0, j = 0; i < n && j < m;) {
        if (a[i].value < b[j].value) {
            i++;
        } else if (a[i].value > b[j].value) {
            j++;
        } else {
            if (is_single(a, n, i) && is_single(b, m, j))
                other[a[i].at] = b[j].at;
            i++, j++;
        }
    }
}

/* The longest ascending sequence of other[]; the rest becomes ALIGN_NONE. */
static bool ascending(size_t *other, size_t n)
{
    size_t *pile = malloc((n + 1) * sizeof *pile), *under = malloc((n + 1) * sizeof *under), piles = 0;
    for (size_t x = 0; pile && under && x < n; x++) {
        size_t low = 0, high = piles;
        if (other[x] == ALIGN_NONE)
            continue;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (other[pile[middle]] < other[x])
                low = middle + 1;
            else
                high = middle;
        }
        under[x] = low ? pile[low - 1] : ALIGN_NONE;
        pile[low] = x;
        piles += low == piles;
    }
    bool good = pile && under;
    if (good) {
        size_t keep = piles ? pile[piles - 1] : ALIGN_NONE;
        for (size_t x = n; x-- > 0;) {
            if (x == keep)
                keep = under[x];
            else
                other[x] = ALIGN_NONE;
        }
    }
    free(pile);
    free(under);
    return good;
}

/* Between two anchors nothing can match across them. */
static bool align_between(const struct part *p, const size_t *other)
{
    size_t x = 0, y = 0;
    bool good = true;
    for (size_t i = 0; i <= p->n && good; i++) {
        if (i < p->n && other[i] == ALIGN_NONE)
            continue;
        size_t end = i < p->n ? other[i] : p->m;
        struct part between = *p;
        between.n = i;
        between.m = end;
        part_skip(&between, x, y);
        good = !between.n || !between.m || align_edits(between);
        if (i < p->n)
            p->match[i] = p->base + end;
        x = i + 1;
        y = end + 1;
    }
    return good;
}

bool align(const uint64_t *a, size_t n, const uint64_t *b, size_t m, size_t *match)
{
    struct part p = {a, b, n, m, match, 0};
    for (size_t i = 0; i < n; i++)
        match[i] = ALIGN_NONE;
    part_trim(&p);
    if (!p.n || !p.m)
        return true;
    struct place *in_a = places(p.a, p.n), *in_b = places(p.b, p.m);
    size_t *other = malloc(p.n * sizeof *other);
    bool good = in_a && in_b && other;
    for (size_t i = 0; good && i < p.n; i++)
        other[i] = ALIGN_NONE;
    if (good)
        singles(in_a, p.n, in_b, p.m, other);
    good = good && ascending(other, p.n) && align_between(&p, other);
    free(in_a);
    free(in_b);
    free(other);
    return good;
}

/* --- long ones --- */

/* A stretch of both. */
struct stretch {
    size_t x, y, end_x, end_y;
};

static void hashes_take(const struct align_source *s, int side, size_t from, size_t count, uint64_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = s->hash(s->context, side, from + i);
}

static bool equal_pass(const struct align_source *s, struct stretch *t)
{
    while (t->x < t->end_x && t->y < t->end_y && s->hash(s->context, 0, t->x) == s->hash(s->context, 1, t->y)) {
        if (!s->match(s->context, t->x++, t->y++))
            return false;
    }
    return true;
}

struct window {
    uint64_t a[ALIGN_WINDOW], b[ALIGN_WINDOW];
    size_t match[ALIGN_WINDOW];
};

/* Near the end of a window its matches are guesses, as what follows is not seen: they are found again in the next. */
static bool window_take(const struct align_source *s, struct window *w, struct stretch *t, size_t n, size_t m)
{
    bool last = t->x + n == t->end_x && t->y + m == t->end_y;
    size_t sure_x = last ? n : n - n / 4, sure_y = last ? m : m - m / 4, next_x = 0, next_y = 0;
    for (size_t i = 0; i < sure_x; i++) {
        if (w->match[i] == ALIGN_NONE)
            continue;
        if (w->match[i] >= sure_y)
            break;
        if (!s->match(s->context, t->x + i, t->y + w->match[i]))
            return false;
        next_x = i + 1;
        next_y = w->match[i] + 1;
    }
    bool none = !next_x;
    t->x += last ? n : none ? (n + 1) / 2 : next_x;
    t->y += last ? m : none ? (m + 1) / 2 : next_y;
    return true;
}

static bool stretch_align(const struct align_source *s, struct window *w, struct stretch t)
{
    for (;;) {
        if (!equal_pass(s, &t))
            return false;
        size_t n = t.end_x - t.x, m = t.end_y - t.y;
        if (!n || !m)
            return true;
        n = n < ALIGN_WINDOW ? n : ALIGN_WINDOW;
        m = m < ALIGN_WINDOW ? m : ALIGN_WINDOW;
        hashes_take(s, 0, t.x, n, w->a);
        hashes_take(s, 1, t.y, m, w->b);
        if (!align(w->a, n, w->b, m, w->match) || !window_take(s, w, &t, n, m))
            return false;
    }
}

/* Elements whose hash has as many low zero bits as make them few enough, in their order. */
struct sample {
    struct place *place;
    size_t count;
    unsigned bits;
};

static void sample_thin(struct sample *sample)
{
    size_t kept = 0;
    sample->bits++;
    for (size_t i = 0; i < sample->count; i++) {
        if (!(sample->place[i].value & ((1ull << sample->bits) - 1)))
            sample->place[kept++] = sample->place[i];
    }
    sample->count = kept;
}

static bool sample_take(const struct align_source *s, int side, size_t from, size_t to, struct sample *sample)
{
    sample->place = malloc(ALIGN_SAMPLE * sizeof *sample->place);
    for (size_t i = from; sample->place && i < to; i++) {
        uint64_t hash = s->hash(s->context, side, i);
        while (sample->count == ALIGN_SAMPLE && sample->bits < 63)
            sample_thin(sample);
        if (!(hash & ((1ull << sample->bits) - 1)) && sample->count < ALIGN_SAMPLE)
            sample->place[sample->count++] = (struct place){hash, i};
    }
    return sample->place != NULL;
}

/* Which of the sample of a stand once in both, and ascend: other[i] is the place in b of the i-th of a. */
static bool anchors_find(struct sample *a, struct sample *b, size_t **other)
{
    while (a->bits < b->bits)
        sample_thin(a);
    while (b->bits < a->bits)
        sample_thin(b);
    struct place *by_a = malloc((a->count + 1) * sizeof *by_a);
    *other = malloc((a->count + 1) * sizeof **other);
    if (!by_a || !*other) {
        free(by_a);
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        by_a[i] = (struct place){a->place[i].value, i};
        (*other)[i] = ALIGN_NONE;
    }
    qsort(by_a, a->count, sizeof *by_a, by_value);
    qsort(b->place, b->count, sizeof *b->place, by_value);
    singles(by_a, a->count, b->place, b->count, *other);
    free(by_a);
    return ascending(*other, a->count);
}

/* From anchor to anchor. */
static bool anchored_align(const struct align_source *s, struct window *w, struct stretch t)
{
    struct sample a = {.count = 0}, b = {.count = 0};
    size_t *other = NULL;
    bool good = sample_take(s, 0, t.x, t.end_x, &a) && sample_take(s, 1, t.y, t.end_y, &b) && anchors_find(&a, &b, &other);
    for (size_t i = 0; good && i < a.count; i++) {
        if (other[i] == ALIGN_NONE)
            continue;
        size_t x = a.place[i].at, y = other[i];
        good = stretch_align(s, w, (struct stretch){t.x, t.y, x, y}) && s->match(s->context, x, y);
        t.x = x + 1;
        t.y = y + 1;
    }
    good = good && stretch_align(s, w, t);
    free(a.place);
    free(b.place);
    free(other);
    return good;
}

bool align_long(const struct align_source *s)
{
    struct stretch t = {0, 0, s->count[0], s->count[1]};
    if (!equal_pass(s, &t))
        return false;
    if (t.x == t.end_x || t.y == t.end_y)
        return true;
    struct window *w = malloc(sizeof *w);
    bool small = t.end_x - t.x <= ALIGN_WINDOW && t.end_y - t.y <= ALIGN_WINDOW;
    bool good = w && (small ? stretch_align(s, w, t) : anchored_align(s, w, t));
    free(w);
    return good;
}
