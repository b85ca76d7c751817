/* The law of two changes together: its shape, and that a refit finds it. */
#include "math/combine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

static void
shape(void **state)
{
    (void)state;
    const struct combine_law *law = &combine_learnt;
    static const struct {
        double da, db, scatter, lo, hi;
    } row[] = {
        {0, 0, 0, 0, 0},
        {0, 0, 1, 0, 0},
        /* two gains: more than the better one, less than their sum */
        {2e-3, 2e-3, 0, 2.2e-3, 2.6e-3},
        /* a gain mends a loss */
        {-4e-3, 2e-3, 0, -2e-3, 0},
        /* what is no larger than the scatter is hardly believed */
        {1e-3, 1e-3, 4e-3, 0, 1.5e-4},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        double y = combine_expect(law, row[i].da, row[i].db, row[i].scatter);
        if (y < row[i].lo || y > row[i].hi)
            fail_msg("row %zu: %g", i, y);
        double back = combine_expect(law, row[i].db, row[i].da, row[i].scatter);
        assert_true(y == back);
    }
    double one = combine_expect(law, 1e-3, 3e-4, 2e-4);
    double ten = combine_expect(law, 1e-2, 3e-3, 2e-3);
    assert_true(fabs(ten - 10 * one) < 1e-12);
}

static void
refit(void **state)
{
    enum { N = 400 };
    static struct combine_square s[N];
    static const struct combine_law truth = {
        {.5, .4, .9, .1, 1.1, .2, .8, .7}, 3};
    struct combine_law got;
    struct rng r;

    (void)state;
    rng_seed(&r, 5);
    for (int i = 0; i < N; i++) {
        s[i].da = 4e-3 * rng_normal(&r);
        s[i].db = 4e-3 * rng_normal(&r);
        s[i].scatter = 1e-3;
        s[i].dab = combine_expect(&truth, s[i].da, s[i].db, s[i].scatter);
    }
    combine_fit(&got, s, N, 3);
    for (int i = 0; i < COMBINE_P; i++)
        assert_true(fabs(got.at[i] - truth.at[i]) < .02);
    combine_fit(&got, s, 0, 2);
    for (int i = 0; i < COMBINE_P; i++)
        assert_true(fabs(got.at[i] - combine_learnt.at[i]) < 1e-12);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape),
        cmocka_unit_test(refit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
