/* Designs: rows, orthogonality and resolution counted from the rows, not from
 * the generators. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "math/design.h"

static void
assert_balanced(const struct design *d)
{
    for (int i = 0; i < d->k; i++) {
        int on = 0;
        for (int row = 0; row < d->n; row++)
            on += (int)(d->row[row] >> i & 1);
        assert_int_equal(2 * on, d->n);
        for (int j = i + 1; j < d->k; j++) {
            int both = 0;
            for (int row = 0; row < d->n; row++)
                both += (d->row[row] >> i & d->row[row] >> j & 1) != 0;
            assert_int_equal(4 * both, d->n);
        }
    }
    for (int row = 0; row < d->n; row++)
        assert_int_equal(d->row[row] >> d->k, 0);
}

static void
test_full(void **state)
{
    struct design d;

    (void)state;
    for (int k = 1; k <= 8; k++) {
        design_full(&d, k);
        assert_int_equal(d.n, 1 << k);
        assert_balanced(&d);
        assert_int_equal(design_resolution(&d), 5);
    }
}

static void
test_fraction(void **state)
{
    static const char *const text[] = {"E=ABCD", "E=ABC F=BCD",
        "E=ABC F=BCD G=ACD", "E=ABC F=BCD G=ACD H=ABD"};
    struct design d;

    (void)state;
    for (int k = 5; k <= 8; k++) {
        design_fraction(&d, k);
        assert_int_equal(d.n, 16);
        assert_string_equal(d.generators, text[k - 5]);
        assert_balanced(&d);
        assert_int_equal(design_resolution(&d), k == 5 ? 5 : 4);
        /* E = ABC holds as a column identity (k > 5): E is aliased with it. */
        if (k > 5)
            assert_true(design_alias(&d, 16, 7) == 1);
    }
    /* AB = CE when E = ABC. */
    assert_true(design_alias(&d, 3, 4 | 16) == 1);
    assert_true(design_alias(&d, 3, 5) == 0);
}

static void
test_plackett(void **state)
{
    struct design d;

    (void)state;
    for (int k = 1; k <= 23; k++) {
        int n = k <= 11 ? 12 : k <= 15 ? 16 : k <= 19 ? 20 : 24;
        design_plackett(&d, k, false);
        assert_int_equal(d.n, n);
        assert_balanced(&d);
        if (k >= 5)
            assert_int_equal(design_resolution(&d), 3);
        design_plackett(&d, k, true);
        assert_int_equal(d.n, 2 * n);
        assert_balanced(&d);
        assert_true(design_resolution(&d) >= 4);
    }
    design_plackett(&d, 11, false);
    /* The partial aliasing that 12 runs are known for. */
    assert_true(fabs(fabs(design_alias(&d, 1, 6)) - 1 / 3.0) < 1e-12);
}

static void
test_choose(void **state)
{
    struct design d;

    (void)state;
    for (int k = 1; k <= 23; k++) {
        design_choose(&d, k);
        assert_int_equal(d.k, k);
        assert_true(design_resolution(&d) >= 4);
    }
    assert_int_equal(d.n, 48);
}

static void
test_exclude(void **state)
{
    /* 0 and 1 exclude each other, and 1 and 3. */
    static const uint32_t conflict[] = {2, 1 | 8, 0, 2};
    struct design d;
    int lost[2] = {0};

    (void)state;
    design_full(&d, 4);
    design_exclude(&d, conflict);
    for (int i = 0; i < d.n; i++) {
        assert_true((d.row[i] & 3) != 3 && (d.row[i] & 10) != 10);
        for (int j = 0; j < i; j++)
            assert_true(d.row[i] != d.row[j]);
        lost[0] += (d.row[i] & 1) == 0;
        lost[1] += (d.row[i] & 2) == 0;
    }
    /* Every feasible subset was a row of the full design: 16 - 6. */
    assert_int_equal(d.n, 10);
    assert_true(lost[0] < d.n && lost[1] < d.n);
    assert_int_equal(design_resolution(&d), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_fraction),
        cmocka_unit_test(test_plackett),
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_exclude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
