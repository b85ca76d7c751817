/* Moments, posteriors, and the guarantees of the safe t-test and of e-BH by
 * seeded Monte Carlo. Reference values of the e-value: the defining double
 * integral of the noncentral t mixture, by scipy's adaptive quadrature. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/dist.h"
#include "math/stat.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static void
near_at(double got, double want, double rel, const char *what)
{
    if (!(fabs(got - want) <= rel * fabs(want) + 1e-15))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static void
test_welford(void **state)
{
    static const double x[] = {1e6 + 4, 1e6 + 7, 1e6 + 13, 1e6 + 16};
    struct welford all = {0};
    struct welford left = {0};
    struct welford right = {0};
    struct pooled pool = {0};

    (void)state;
    for (int i = 0; i < 4; i++) {
        welford_add(&all, x[i]);
        welford_add(i < 1 ? &left : &right, x[i]);
    }
    near_at(all.mean, 1e6 + 10, 1e-15, "mean");
    near_at(welford_var(&all), 30, 1e-12, "variance");
    near_at(welford_sd(&all), sqrt(30), 1e-12, "sd");
    assert_true(isnan(welford_var(&left)));
    pooled_add(&pool, &left);
    assert_true(isnan(pooled_var(&pool)));
    pooled_add(&pool, &right);
    pooled_add(&pool, &all);
    near_at(pool.df, 5, 0, "df");
    near_at(pooled_var(&pool), (90 + 42) / 5.0, 1e-12, "pooled");
    welford_merge(&left, &right);
    near_at(left.m2, all.m2, 1e-12, "merged");
    near_at(left.mean, all.mean, 1e-15, "merged mean");
}

static void
test_noise(void **state)
{
    struct pooled pool = {.ss = 12, .df = 6};
    struct noise none = noise_prior(1, 4);
    struct noise post = noise_update(none, &pool);

    (void)state;
    near_at(noise_s2(post), (4 * 1 + 12) / 10.0, 1e-14, "s2");
    near_at(noise_df(post), 10, 1e-14, "df");
    /* s^2 = 2 b / chi2(2 a): 16 / chi2 quantiles of 10 (scipy). */
    near_at(noise_quantile(post, 0.975), 16 / 3.2469727802368413, 1e-9, "hi");
    near_at(noise_quantile(post, 0.025), 16 / 20.483177350807395, 1e-9, "lo");
}

static void
test_nig(void **state)
{
    struct welford w = {.n = 3, .mean = 2, .m2 = 6};
    struct nig prior = {.m = 0, .kappa = 1, .a = 2, .b = 3};
    struct nig post = nig_update(prior, &w);
    struct welford none = {0};

    (void)state;
    near_at(post.m, 1.5, 1e-14, "m");
    near_at(post.kappa, 4, 1e-14, "kappa");
    near_at(post.a, 3.5, 1e-14, "a");
    near_at(post.b, 3 + 3 + 0.5 * 3.0 / 4 * 4, 1e-14, "b");
    near_at(nig_quantile(post, 0.9),
        1.5 + sqrt(7.5 / 14) * student_quantile(0.9, 7), 1e-12, "quantile");
    near_at(nig_update(prior, &none).b, 3, 0, "no data");
}

static void
test_posterior_normal(void **state)
{
    struct gauss g = posterior_normal(1, 2, 4, 4);

    (void)state;
    near_at(g.mean, 2.5, 1e-14, "mean");
    near_at(g.sd, sqrt(2), 1e-14, "sd");
    near_at(posterior_normal(1, 0, 4, 4).mean, 1, 0, "sure prior");
    near_at(posterior_normal(1, INFINITY, 4, 4).sd, 2, 0, "no prior");
    near_at(
        gauss_above(g, 2.5 + 8 * sqrt(2)), 6.22096057427174e-16, 1e-9, "tail");
    near_at(gauss_above((struct gauss){.mean = 1}, 0), 1, 0, "point");
}

static void
test_safe_t_values(void **state)
{
    static const double rows[][6] = {
        {1.0, 2.0, 1.0, 3.0, 1.0, 0.605004875710565},
        {-1.0, 4.0, 0.5, 10.0, 0.5, -1.228519302101662},
        {3.0, 5.0, 1.0, 8.0, 1.0, 5.329213404195257},
        {0.2, 50.0, 1.0, 99.0, 0.3, 0.5508184439227767},
        {-5.0, 3.0, 0.2, 6.0, 1.0, -1.8124200791962306},
        {0.0002, 4.0, 1e-08, 14.0, 1.0, 4.058352533438463},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        near_at(
            safe_t_log_e(r[0], r[1], r[2], r[3], r[4]), r[5], 1e-8, "log e");
    }
    near_at(safe_t_log_e(1, 0, 1, 5, 1), 0, 0, "no pair");
    near_at(safe_t_log_e(1, 1, 1, 0, 1), 0, 0, "no df");
    near_at(safe_t_log_e(1, 1, 0, 3, 1), 0, 0, "no noise");
    assert_true(isfinite(safe_t_log_e(-1e3, 500, 1e-9, 2000, 1)));
    assert_true(isfinite(safe_t_log_e(1e3, 500, 1e-9, 2000, 1)));
}

/* The mean over X ~ chi_{df+1} of the inner closed form, by the trapezoid
 * rule: an independent path to the same number. */
static double
safe_t_by_quadrature(double d, double neff, double s2, double df, double g)
{
    double nu = df + 1;
    double t = d / sqrt(s2 / neff);
    double w = t / sqrt(df + t * t);
    double prec = 1 / (g * g) + neff;
    double top = sqrt(nu) + 40;
    double sum = 0;
    enum { N = 200000 };

    for (int i = 1; i < N; i++) {
        double x = top * i / N;
        double c = sqrt(neff / prec) * w * x;
        sum += exp((nu - 1) * log(x) - 0.5 * x * x + 0.5 * c * c +
                   normal_logcdf(c) - gamma_log(0.5 * nu));
    }
    return log(2 / (g * sqrt(prec))) + log(sum * top / N) -
           (0.5 * nu - 1) * log(2);
}

static void
test_safe_t_closed_form(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 7);
    for (int i = 0; i < 20; i++) {
        double neff = 0.5 + 10 * rng_f64(&r);
        double df = 2 + (double)rng_below(&r, 40);
        double d = 1.5 * rng_normal(&r);
        double g = 0.2 + rng_f64(&r);
        near_at(safe_t_log_e(d, neff, 0.8, df, g),
            safe_t_by_quadrature(d, neff, 0.8, df, g), 1e-6, "log e");
    }
}

struct null_runs {
    double mean_e;  /* at the last look */
    double crossed; /* share of lives with sup e >= 20 */
};

/* Lives with no real difference (theta <= 0): the arm and the control start
 * with two runs each, then one run a step to either; every step is a look. */
static struct null_runs
null_lives(uint64_t seed, int lives, int looks, double theta, double g)
{
    struct null_runs out = {0};
    struct rng r;

    rng_seed(&r, seed);
    for (int life = 0; life < lives; life++) {
        struct welford arm = {0};
        struct welford control = {0};
        double log_e = 0;
        double top = 0;
        for (int look = 0; look < looks + 4; look++) {
            bool to_arm = look < 4 ? look % 2 == 0 : rng_below(&r, 3) > 0;
            welford_add(to_arm ? &arm : &control,
                3e-4 * (rng_normal(&r) + (to_arm ? theta : 0)));
            struct pooled pool = {0};
            pooled_add(&pool, &arm);
            pooled_add(&pool, &control);
            if (look < 3)
                continue;
            log_e = safe_t_log_e(arm.mean - control.mean,
                arm.n * control.n / (arm.n + control.n), pooled_var(&pool),
                pool.df, g);
            top = fmax(top, log_e);
        }
        out.mean_e += exp(log_e) / lives;
        out.crossed += (top >= log(20)) / (double)lives;
    }
    return out;
}

static void
test_safe_t_null(void **state)
{
    static const double thetas[] = {0, -0.3, -1};

    (void)state;
    for (int i = 0; i < COUNT(thetas); i++) {
        struct null_runs few = null_lives(11, 40000, 2, thetas[i], 1);
        struct null_runs many = null_lives(12, 6000, 60, thetas[i], 1);
        print_message("theta %g: E[e] %.3f after 6 runs, %.3f after 64; "
                      "P(sup e >= 20) %.4f\n",
            thetas[i], few.mean_e, many.mean_e, many.crossed);
        assert_true(few.mean_e < 1.06);
        assert_true(many.mean_e < 1.15);
        assert_true(many.crossed <= 0.05);
        assert_true(few.crossed <= 0.05);
    }
}

static void
test_safe_t_power(void **state)
{
    (void)state;
    /* A real difference of 1.5 sd is found in most lives of 64 runs. */
    assert_true(null_lives(13, 1000, 60, 1.5, 1).crossed > 0.9);
}

static void
test_ebh(void **state)
{
    struct row {
        int n;
        double q;
        double e[5];
        int k;
        int mask;
    };
    static const struct row rows[] = {
        {1, 0.1, {10}, 1, 1},
        {1, 0.1, {9.99}, 0, 0},
        {4, 0.1, {36, 1, 1, 1}, 0, 0},
        /* plain e-BH asks for 40: the mean of all four is 10.5 */
        {4, 0.1, {39, 1, 1, 1}, 1, 1},
        /* plain e-BH asks four of five for 12.5 each: a strong one helps */
        {5, 0.1, {12, 12, 12, 12, 1}, 0, 0},
        {5, 0.1, {8, 20, 8, 90, 1}, 4, 15},
        {5, 0.1, {1, 20, 10, 90, 1}, 3, 14},
        {4, 0.1, {1, 41, 1, 1}, 1, 2},
        {4, 0.1, {21, 0.5, 22, 1}, 2, 5},
        {5, 0.2, {9, 9, 9, 1, 0}, 3, 7},
        {0, 0.1, {0}, 0, 0},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        double log_e[5];
        bool accepted[5];
        int mask = 0;
        for (int j = 0; j < rows[i].n; j++)
            log_e[j] = log(rows[i].e[j]);
        int k = ebh(log_e, rows[i].n, rows[i].q, accepted);
        for (int j = 0; j < rows[i].n; j++)
            mask |= accepted[j] ? 1 << j : 0;
        assert_int_equal(k, rows[i].k);
        assert_int_equal(mask, rows[i].mask);
    }
}

/* False discovery rate over arms that share one control, the case of the
 * product: 16 ideas, 4 of them real. */
static void
test_ebh_fdr(void **state)
{
    enum { ARMS = 16, REAL = 4, RUNS = 8, LIVES = 400 };
    struct rng r;
    double fdp = 0;
    double found = 0;

    (void)state;
    rng_seed(&r, 99);
    for (int life = 0; life < LIVES; life++) {
        struct welford arm[ARMS + 1] = {0};
        struct pooled pool = {0};
        double log_e[ARMS];
        bool accepted[ARMS];
        for (int i = 0; i <= ARMS; i++) {
            for (int j = 0; j < (i == ARMS ? 4 * RUNS : RUNS); j++)
                welford_add(&arm[i], rng_normal(&r) + (i < REAL ? 2.5 : 0));
            pooled_add(&pool, &arm[i]);
        }
        for (int i = 0; i < ARMS; i++)
            log_e[i] = safe_t_log_e(arm[i].mean - arm[ARMS].mean,
                arm[i].n * arm[ARMS].n / (arm[i].n + arm[ARMS].n),
                pooled_var(&pool), pool.df, 1);
        int k = ebh(log_e, ARMS, 0.1, accepted);
        int wrong = 0;
        for (int i = REAL; i < ARMS; i++)
            wrong += accepted[i];
        fdp += k > 0 ? (double)wrong / k / LIVES : 0;
        found += (double)(k - wrong) / REAL / LIVES;
    }
    print_message(
        "e-BH q .1: false discovery rate %.4f, power %.3f\n", fdp, found);
    assert_true(fdp <= 0.1);
    assert_true(found > 0.8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_welford),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_nig),
        cmocka_unit_test(test_posterior_normal),
        cmocka_unit_test(test_safe_t_values),
        cmocka_unit_test(test_safe_t_closed_form),
        cmocka_unit_test(test_safe_t_null),
        cmocka_unit_test(test_safe_t_power),
        cmocka_unit_test(test_ebh),
        cmocka_unit_test(test_ebh_fdr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
