/* Regressions from rung to rung on made-up curves: where low rungs tell the
 * truth, where they lie, where little is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/curve.h"

enum { RUNS = 200, RUNGS = 4 };

/* y[r + 1] = slope y[r] + noise; share: how many runs go on at each rung. */
static void
curves_make(double *y, int n, double slope, double noise, int keep)
{
    struct rng r;
    rng_seed(&r, 11);
    for (int i = 0; i < n; i++) {
        double v = rng_normal(&r);
        for (int k = 0; k < RUNGS; k++) {
            y[i * RUNGS + k] = v;
            v = slope * v + noise * rng_normal(&r);
        }
        /* the selection that stopping makes: by the value at the rung */
        for (int k = 1; k < RUNGS; k++)
            if (isnan(y[i * RUNGS + k - 1]) ||
                (keep > 1 && i % 10 != 0 && y[i * RUNGS + k - 1] < 0))
                y[i * RUNGS + k] = NAN;
    }
}

/* rho of a chain of regressions, by the model. */
static double
rho_true(double slope, double noise, int stages)
{
    double signal = 1, error = 0;
    for (int i = 0; i < stages; i++) {
        signal *= slope * slope;
        error = slope * slope * error + noise * noise;
    }
    return sqrt(signal / (signal + error));
}

static void
test_reliability(void **state)
{
    static const struct {
        double slope, noise;
        int keep;
    } row[] = {{1, .2, 1}, {1, .2, 2}, {2, 1, 1}, {.5, .3, 1}, {.5, .3, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        double y[RUNS * RUNGS];
        struct curve c;
        curves_make(y, RUNS, row[i].slope, row[i].noise, row[i].keep);
        curve_fit(&c, y, RUNS, RUNGS);
        double want = rho_true(row[i].slope, row[i].noise, RUNGS - 1);
        if (!(fabs(c.rho[0] - want) < .1))
            fail_msg("row %zu: rho %.3f, want %.3f", i, c.rho[0], want);
        /* among the runs that were let on to a rung it tells less apart */
        assert_true(
            row[i].keep > 1 || (c.rho[0] < c.rho[1] && c.rho[1] < c.rho[2]));
        for (int k = 0; k + 1 < RUNGS; k++)
            assert_true(fabs(c.stage[k].slope - row[i].slope) < .15);
    }
}

/* A rung whose order says nothing is not reliable, however many runs it saw. */
static void
test_lie(void **state)
{
    double y[RUNS * RUNGS];
    struct curve c;
    (void)state;
    curves_make(y, RUNS, 0, 1, 1);
    curve_fit(&c, y, RUNS, RUNGS);
    assert_true(c.rho[0] < .1 && c.rho[1] < .1 && c.rho[2] < .25);
}

/* 95 % of the tops lie within two sds of what their rung predicts. */
static void
test_coverage(void **state)
{
    double y[RUNS * RUNGS];
    int in = 0;
    struct curve c;
    (void)state;
    curves_make(y, RUNS, .8, .5, 1);
    curve_fit(&c, y, RUNS / 2, RUNGS);
    for (int i = RUNS / 2; i < RUNS; i++) {
        double mean, sd;
        curve_predict(&c, 0, y[i * RUNGS], &mean, &sd);
        in += fabs(y[i * RUNGS + RUNGS - 1] - mean) < 2 * sd;
    }
    assert_in_range(in, 88, 100);
}

static void
test_few(void **state)
{
    double y[RUNS * RUNGS], mean, sd, wide;
    struct curve c;
    (void)state;
    curves_make(y, RUNS, 1, .1, 1);
    curve_fit(&c, y, RUNS, RUNGS);
    curve_predict(&c, 0, 1, &mean, &sd);
    /* three curves are less sure than two hundred */
    curve_fit(&c, y, 3, RUNGS);
    curve_predict(&c, 0, 1, &mean, &wide);
    assert_true(wide > 2 * sd);
    /* no run at the top: nothing is reliable */
    for (int i = 0; i < RUNS; i++)
        y[i * RUNGS + RUNGS - 1] = NAN;
    curve_fit(&c, y, RUNS, RUNGS);
    for (int k = 0; k < RUNGS; k++)
        assert_true(c.rho[k] == 0);
    assert_int_equal(c.full, 0);
}

/* One collapsed run is no lever: the rest is predicted as without it. */
static void
test_floor(void **state)
{
    double y[RUNS * RUNGS], before, after, sd;
    struct curve c;
    (void)state;
    curves_make(y, RUNS, 1, .2, 1);
    curve_fit(&c, y, RUNS, RUNGS);
    curve_predict(&c, 0, 1, &before, &sd);
    for (int k = 0; k < RUNGS; k++)
        y[k] = -1e9;
    curve_fit(&c, y, RUNS, RUNGS);
    curve_predict(&c, 0, 1, &after, &sd);
    assert_true(fabs(after - before) < .1);
    curve_predict(&c, 0, -1e9, &after, &sd);
    assert_true(after > -20 && isfinite(sd));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reliability),
        cmocka_unit_test(test_lie),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
