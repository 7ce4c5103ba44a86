/* Chance by name: what one draws does not depend on what others draw, nor on the order in which they were named. */
#include "simulate/machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"

static struct machine *machine_of(uint64_t seed)
{
    struct machine *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->seed = seed;
    return m;
}

static void machine_gone(struct machine *m)
{
    free(m->ordinal);
    free(m);
}

static uint64_t first_draw(struct machine *m, enum chance_kind kind, const char *a, const char *b)
{
    struct chance c;
    chance_named(m, &c, kind, a, b);
    return chance_next(&c);
}

static void order_does_not_count(void **state)
{
    struct machine *m = machine_of(7), *o = machine_of(7);
    (void)state;
    uint64_t ab = first_draw(m, CHANCE_CONNECTION, "n1", "n2"), disk = first_draw(m, CHANCE_DISK, "n1", "n2");
    for (int i = 0; i < 1000; i++) { /* the table grows */
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        first_draw(o, CHANCE_CONNECTION, name, "n2");
    }
    assert_int_equal(first_draw(o, CHANCE_DISK, "n1", "n2"), disk);
    assert_int_equal(first_draw(o, CHANCE_CONNECTION, "n1", "n2"), ab);
    machine_gone(m);
    machine_gone(o);
}

static void names_kinds_ordinals_and_seeds_differ(void **state)
{
    struct machine *m = machine_of(7), *o = machine_of(8);
    (void)state;
    uint64_t draw[] = {first_draw(m, CHANCE_CONNECTION, "n1", "n2"), first_draw(m, CHANCE_CONNECTION, "n1", "n2"),
                       first_draw(m, CHANCE_CONNECTION, "n2", "n1"), first_draw(m, CHANCE_CONNECTION, "n", "1n2"),
                       first_draw(m, CHANCE_DISK, "n1", "n2"), first_draw(o, CHANCE_CONNECTION, "n1", "n2")};
    for (size_t i = 0; i < sizeof draw / sizeof *draw; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(draw[i], draw[k]);
    machine_gone(m);
    machine_gone(o);
}

/* Every tenth of the range gets its share: 100,000 draws, within 4 % (four standard deviations). */
static void all_of_the_range_is_drawn(void **state)
{
    struct machine *m = machine_of(1);
    struct chance c;
    unsigned count[10] = {0};
    (void)state;
    chance_named(m, &c, CHANCE_NUMBERS, "n1", "");
    for (int i = 0; i < 100000; i++) {
        uint64_t at = chance_below(&c, 1000);
        assert_true(at < 1000);
        count[at / 100]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], 9600, 10400);
    assert_int_equal(chance_below(&c, 0), 0);
    assert_int_equal(chance_below(&c, 1), 0);
    machine_gone(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_does_not_count),
        cmocka_unit_test(names_kinds_ordinals_and_seeds_differ),
        cmocka_unit_test(all_of_the_range_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
