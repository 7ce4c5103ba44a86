/* Alignment of two sequences (src/diff/align.h): what is matched is equal and ascends, and nothing that could be is left out. */
#include <stdlib.h>
#include <string.h>

#include "diff/align.h"
#include "lib/check.h"

#define MOST 4096

static size_t matched(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    static size_t match[MOST];
    size_t count = 0, next = 0;
    assert_true(align(a, n, b, m, match));
    for (size_t i = 0; i < n; i++) {
        if (match[i] == ALIGN_NONE)
            continue;
        assert_true(match[i] >= next && match[i] < m);
        assert_int_equal(a[i], b[match[i]]);
        next = match[i] + 1;
        count++;
    }
    return count;
}

/* The letters of two words, and how many of them belong together. */
static void assert_matched(const char *left, const char *right, size_t expected)
{
    uint64_t a[64], b[64];
    for (size_t i = 0; i < strlen(left); i++)
        a[i] = (uint64_t)left[i];
    for (size_t i = 0; i < strlen(right); i++)
        b[i] = (uint64_t)right[i];
    assert_int_equal(matched(a, strlen(left), b, strlen(right)), expected);
    assert_int_equal(matched(b, strlen(right), a, strlen(left)), expected);
}

static void by_hand(void **state)
{
    (void)state;
    assert_matched("", "", 0);
    assert_matched("abc", "", 0);
    assert_matched("abc", "abc", 3);
    assert_matched("abc", "xyz", 0);
    assert_matched("abcabba", "cbabac", 4);
    assert_matched("aaaa", "aa", 2);
    assert_matched("axbxc", "abc", 3);
    assert_matched("prefix1suffix", "prefix22suffix", 12);
    assert_matched("abcdefg", "abXdeYfg", 6);
}

/* The longest common subsequence by the table that everybody knows. */
static size_t longest(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    static size_t row[2][128];
    memset(row, 0, sizeof row);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < m; j++) {
            size_t *now = row[i & 1], *before = row[(i + 1) & 1];
            now[j + 1] = a[i] == b[j] ? before[j] + 1 : before[j + 1] > now[j] ? before[j + 1] : now[j];
        }
    }
    return n ? row[(n - 1) & 1][m] : 0;
}

/* Without elements that stand once there are no anchors: then the script is the shortest. */
static void shortest_without_anchors(void **state)
{
    uint64_t a[100], b[100];
    (void)state;
    srand(7);
    for (int round = 0; round < 300; round++) {
        size_t n = (size_t)rand() % 50, m = (size_t)rand() % 50;
        for (size_t i = 0; i < n; i++)
            a[2 * i] = a[2 * i + 1] = (uint64_t)(rand() % 4);
        for (size_t i = 0; i < m; i++)
            b[2 * i] = b[2 * i + 1] = (uint64_t)(rand() % 4);
        assert_int_equal(matched(a, 2 * n, b, 2 * m), longest(a, 2 * n, b, 2 * m));
    }
}

static void edited_sequences(void **state)
{
    static uint64_t a[MOST], b[MOST];
    (void)state;
    srand(11);
    for (int round = 0; round < 50; round++) {
        size_t n = 2000, m = 0, kept = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = round % 2 ? i : (uint64_t)(rand() % 1000);
            if (rand() % 20 == 0)
                b[m++] = 1000000 + i;
            if (rand() % 20) {
                b[m++] = a[i];
                kept++;
            }
        }
        size_t count = matched(a, n, b, m);
        assert_true(count >= kept - kept / 50);
        assert_int_equal(matched(a, n, a, n), n);
    }
}

/* Nothing in common, and far more edits than one piece takes: it ends, and soon. */
static void strangers(void **state)
{
    static uint64_t a[MOST], b[MOST];
    (void)state;
    for (size_t i = 0; i < MOST; i++) {
        a[i] = i % 3;
        b[i] = i % 3 + 3;
    }
    assert_int_equal(matched(a, MOST, b, MOST), 0);
    for (size_t i = 0; i < MOST; i++)
        b[i] = (i * 7) % 3;
    assert_true(matched(a, MOST, b, MOST) > MOST / 2);
}

/* --- sequences longer than memory should be --- */

#define LONG 120000

struct long_one {
    uint64_t *element[2];
    size_t count[2], next[2], matched;
};

static uint64_t element_at(void *context, int side, size_t at)
{
    const struct long_one *l = context;
    assert_true(at < l->count[side]);
    return l->element[side][at];
}

static bool on_match(void *context, size_t x, size_t y)
{
    struct long_one *l = context;
    assert_true(x >= l->next[0] && y >= l->next[1]);
    assert_int_equal(l->element[0][x], l->element[1][y]);
    l->next[0] = x + 1;
    l->next[1] = y + 1;
    l->matched++;
    return true;
}

static uint64_t mixed(uint64_t i)
{
    i = (i + 1) * 0x9e3779b97f4a7c15u;
    return i ^ i >> 29;
}

/* B lacks 1 of 100, and has 30,000 more in the middle than a window sees. */
static void long_sequences(void **state)
{
    static uint64_t a[LONG], b[2 * LONG];
    struct long_one l = {.element = {a, b}, .count = {LONG, 0}};
    size_t kept = 0;
    (void)state;
    for (size_t i = 0; i < LONG; i++) {
        a[i] = mixed(i);
        if (i == LONG / 2) {
            for (size_t k = 0; k < 30000; k++)
                b[l.count[1]++] = mixed(LONG + k);
        }
        if (i % 100 != 99)
            b[l.count[1]++] = a[i], kept++;
    }
    assert_true(l.count[1] > ALIGN_WINDOW * 4);
    struct align_source source = {&l, {l.count[0], l.count[1]}, element_at, on_match};
    assert_true(align_long(&source));
    assert_true(l.matched >= kept - kept / 1000);
    /* with itself, and with nothing */
    l = (struct long_one){.element = {a, a}, .count = {LONG, LONG}};
    source = (struct align_source){&l, {LONG, LONG}, element_at, on_match};
    assert_true(align_long(&source));
    assert_int_equal(l.matched, LONG);
    l = (struct long_one){.element = {a, a}, .count = {LONG, 0}};
    source = (struct align_source){&l, {LONG, 0}, element_at, on_match};
    assert_true(align_long(&source));
    assert_int_equal(l.matched, 0);
}

/* Few elements, again and again, in another rhythm: no anchors at all. */
static void long_and_alike(void **state)
{
    static uint64_t a[LONG], b[LONG];
    struct long_one l = {.element = {a, b}, .count = {LONG, LONG}};
    (void)state;
    for (size_t i = 0; i < LONG; i++) {
        a[i] = i % 5;
        b[i] = i % 7;
    }
    const struct align_source source = {&l, {LONG, LONG}, element_at, on_match};
    assert_true(align_long(&source));
    assert_true(l.matched > LONG / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand), cmocka_unit_test(shortest_without_anchors), cmocka_unit_test(edited_sequences),
        cmocka_unit_test(strangers), cmocka_unit_test(long_sequences), cmocka_unit_test(long_and_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
