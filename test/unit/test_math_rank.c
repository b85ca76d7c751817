/* Sorting, ranks, Spearman (scipy) and quantiles (numpy). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/rank.h"

static void
near_at(double got, double want, double rel, const char *what)
{
    if (!(fabs(got - want) <= rel * fabs(want) + 1e-15))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static void
test_order(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 64, 65, 3000};
    static double x[3000];
    static struct order_key work[6000];
    struct rng r;

    (void)state;
    rng_seed(&r, 1);
    for (int s = 0; s < 6; s++) {
        for (size_t i = 0; i < sizes[s]; i++)
            x[i] = rng_below(&r, 3) == 0
                       ? (double)rng_below(&r, 5) - 2
                       : rng_normal(&r) * exp(20 * rng_normal(&r));
        if (sizes[s] > 3)
            x[3] = -INFINITY;
        order_rows(x, sizes[s], work);
        for (size_t i = 1; i < sizes[s]; i++) {
            double a = x[work[i - 1].row];
            double b = x[work[i].row];
            assert_true(a < b || (a == b && work[i - 1].row < work[i].row));
        }
    }
}

static void
test_rank(void **state)
{
    static const double x[] = {3, 1, 3, 2, 3};
    static const double want[] = {4, 1, 4, 2, 4};
    struct order_key work[10];
    double rank[5];

    (void)state;
    rank_average(x, 5, work, rank);
    for (int i = 0; i < 5; i++)
        near_at(rank[i], want[i], 0, "rank");
}

static void
test_spearman(void **state)
{
    /* scipy.stats.spearmanr */
    static const double x[] = {1, 2, 2, 4, 5, 0.5, 7};
    static const double y[] = {2, 1, 3, 3, 6, 0.1, -5};
    static const double down[] = {7, 6, 6, 4, 3, 9, 1};
    static const double flat[7] = {0};
    struct order_key work[14];
    double ranks[14];

    (void)state;
    near_at(
        spearman(x, y, 7, work, ranks), 0.15454545454545454, 1e-12, "spearman");
    near_at(spearman(x, down, 7, work, ranks), -1, 1e-12, "reversed");
    assert_true(isnan(spearman(x, flat, 7, work, ranks)));
    assert_true(isnan(spearman(x, y, 1, work, ranks)));
}

static int
double_cmp(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
test_quantile(void **state)
{
    double one[] = {4};
    double even[] = {4, 1, 3, 2};
    struct rng r;

    (void)state;
    near_at(median_in_place(one, 1), 4, 0, "one");
    near_at(median_in_place(even, 4), 2.5, 1e-15, "even");
    near_at(quantile_in_place(even, 4, 0.1), 1.3, 1e-15, "type 7");
    near_at(quantile_in_place(even, 4, 1), 4, 0, "max");
    near_at(quantile_in_place(even, 4, 0), 1, 0, "min");
    rng_seed(&r, 9);
    for (int t = 0; t < 500; t++) {
        double x[50];
        double sorted[50];
        size_t n = 1 + rng_below(&r, 50);
        double q = rng_f64(&r);
        for (size_t i = 0; i < n; i++)
            x[i] = (double)rng_below(&r, 20);
        memcpy(sorted, x, sizeof(x));
        qsort(sorted, n, sizeof(sorted[0]), double_cmp);
        double at = q * (double)(n - 1);
        size_t k = (size_t)at;
        size_t up = k + 1 < n ? k + 1 : k;
        double want = sorted[k] + (at - (double)k) * (sorted[up] - sorted[k]);
        near_at(quantile_in_place(x, n, q), want, 1e-13, "quantile");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_spearman),
        cmocka_unit_test(test_quantile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
