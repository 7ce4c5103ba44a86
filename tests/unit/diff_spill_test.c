/* An array that is first memory and then a file (src/diff/spill.h): it stays where it is, and nothing of it is lost by a drop. */
#include <stdlib.h>
#include <string.h>

#include "diff/spill.h"
#include "lib/check.h"

#define COUNT (6ul << 20) /* of 8 bytes: beyond what is memory */

static void grows_and_keeps(void **state)
{
    struct spill s = SPILL_INIT;
    (void)state;
    assert_true(spill_reserve(&s, sizeof(uint64_t)));
    uint64_t *first = s.base;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(spill_reserve(&s, (i + 1) * sizeof(uint64_t)));
        assert_ptr_equal(s.base, first);
        assert_int_equal(first[i], 0);
        first[i] = i * 3;
        spill_pass(&s, sizeof(uint64_t));
    }
    assert_true(s.fd >= 0);
    spill_drop(&s);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(first[i], i * 3);
    spill_fini(&s);
    assert_null(s.base);
}

static void at_once(void **state)
{
    struct spill s = SPILL_INIT;
    (void)state;
    assert_true(spill_reserve(&s, COUNT));
    assert_true(s.fd >= 0);
    memset(s.base, 7, COUNT);
    spill_drop(&s);
    assert_int_equal(((uint8_t *)s.base)[COUNT - 1], 7);
    spill_fini(&s);
    spill_fini(&s);
}

/* Where there can be no file, it is memory. */
static void without_a_place(void **state)
{
    struct spill s = SPILL_INIT;
    (void)state;
    setenv("TMPDIR", "/nowhere", 1);
    assert_true(spill_reserve(&s, COUNT));
    assert_int_equal(s.fd, -1);
    ((uint8_t *)s.base)[COUNT - 1] = 1;
    spill_drop(&s);
    assert_int_equal(((uint8_t *)s.base)[COUNT - 1], 1);
    spill_fini(&s);
    unsetenv("TMPDIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps), cmocka_unit_test(at_once), cmocka_unit_test(without_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
