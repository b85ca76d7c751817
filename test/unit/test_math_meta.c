/* Meta-analysis against numbers worked out by hand and by simulation, trust
 * against honest and lying sources. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/meta.h"

static void
near_at(double got, double want, double rel, const char *what)
{
    if (!(fabs(got - want) <= rel * fabs(want) + 1e-15))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static void
test_fixed_when_homogeneous(void **state)
{
    static const struct meta_delta in[] = {{1, 1, 1}, {1.5, 0.5, 1}};
    struct meta_pool p = meta_pool(in, 2, NULL);

    (void)state;
    near_at(p.t2, 0, 0, "t2");
    near_at(p.m, (1 + 3) / 3.0, 1e-14, "m");
    near_at(p.tau2, 1 / 3.0, 1e-14, "tau2");
    near_at(p.k_eff, 2, 0, "k");
}

/* DerSimonian-Laird by hand: d = 0, 4, v = 1: Q = 8, df = 1, C = 2 - 1 = 1,
 * t2 = 7; w = 1/8 each; m = 2; tau2 = 7 + 4. */
static void
test_dersimonian_laird(void **state)
{
    static const struct meta_delta in[] = {{0, 1, 1}, {4, 1, 1}, {9, 1, 0}};
    static const struct meta_prior prior = {.t2 = 1, .k = 3};
    struct meta_pool p = meta_pool(in, 3, NULL);

    (void)state;
    near_at(p.t2, 7, 1e-14, "t2");
    near_at(p.m, 2, 1e-14, "m");
    near_at(p.tau2, 11, 1e-14, "tau2");
    near_at(p.k_eff, 2, 0, "ignored source");
    p = meta_pool(in, 3, &prior);
    near_at(p.t2, (3 * 1 + 1 * 7) / 4.0, 1e-14, "t2 with prior");
}

static void
test_edges(void **state)
{
    static const struct meta_delta one = {2, 0.5, 1};
    static const struct meta_delta none = {2, 0.5, 0};
    static const struct meta_prior prior = {.t2 = 3, .k = 2};

    (void)state;
    assert_true(isinf(meta_pool(NULL, 0, NULL).tau2));
    assert_true(isinf(meta_pool(&none, 1, &prior).tau2));
    near_at(meta_pool(&one, 1, NULL).tau2, 0.5, 1e-14, "one source, plain");
    near_at(
        meta_pool(&one, 1, &prior).tau2, 3 + 3.5, 1e-14, "one source, prior");
}

/* A half-similar source pulls less and says less. */
static void
test_similarity(void **state)
{
    static const struct meta_delta in[] = {{0, 1, 1}, {3, 1, 0.5}};
    struct meta_pool p = meta_pool(in, 2, NULL);

    (void)state;
    /* a = 1, .5; m_a = 1; Q = 1 + .5 * 4 = 3; excess = 3 - (1.5 - 1.25 / 1.5);
     * scale = 1.5 - 1.25 / 1.5. */
    double scale = 1.5 - 1.25 / 1.5;
    near_at(p.t2, (3 - scale) / scale, 1e-13, "t2");
    near_at(p.m, 1, 1e-13, "m");
    near_at(p.tau2, p.t2 + (1 + p.t2) / 1.5, 1e-13, "tau2");
}

/* The moment estimate is unbiased enough: mean of t2 over many draws. */
static void
test_recovers_t2(void **state)
{
    struct rng r;
    double mean_t2 = 0;
    int covered = 0;
    enum { LIVES = 3000, K = 20 };

    (void)state;
    rng_seed(&r, 5);
    for (int life = 0; life < LIVES; life++) {
        struct meta_delta in[K];
        for (int j = 0; j < K; j++) {
            double v = 0.2 + rng_f64(&r);
            in[j].v = v;
            in[j].r = 1;
            in[j].d = 1 + sqrt(2 + v) * rng_normal(&r);
        }
        struct meta_pool p = meta_pool(in, K, NULL);
        mean_t2 += p.t2 / LIVES;
        double fresh = 1 + sqrt(2) * rng_normal(&r);
        covered += fabs(fresh - p.m) < 1.96 * sqrt(p.tau2);
    }
    print_message("DerSimonian-Laird: mean t2 %.3f of 2, coverage %.3f\n",
        mean_t2, covered / (double)LIVES);
    assert_true(fabs(mean_t2 - 2) < 0.1);
    assert_true(covered > 0.90 * LIVES && covered < 0.97 * LIVES);
}

/* Squared error of the predictions of a source's other ideas, over what no
 * source at all gives, after n of them were measured. what: +1 the truth, -1
 * the opposite of it, 0 nothing but noise. */
static double
cost_of_source(double what, int n)
{
    enum { LIVES = 400, IDEAS = 24 };
    double with = 0, without = 0;
    struct rng r;

    rng_seed(&r, 3);
    for (int life = 0; life < LIVES; life++) {
        struct source_obs in[IDEAS];
        double truth[IDEAS];
        struct source_fit f;
        for (int i = 0; i < IDEAS; i++) {
            truth[i] = rng_normal(&r);
            in[i].m = .7 * what * truth[i] + .5 * rng_normal(&r);
            in[i].tau2 = .5;
            in[i].v = .1;
            in[i].d = truth[i] + sqrt(.1) * rng_normal(&r);
        }
        source_fit(&f, in, n, .1, .05);
        assert_true(f.slope >= 0);
        for (int i = n; i < IDEAS; i++) {
            double m = in[i].m, tau2 = in[i].tau2;
            source_apply(&f, &m, &tau2);
            assert_true(tau2 >= in[i].tau2);
            with += (m - truth[i]) * (m - truth[i]);
            without += truth[i] * truth[i];
        }
    }
    return with / without;
}

static void
test_source(void **state)
{
    (void)state;
    double good = cost_of_source(1, 12), liar = cost_of_source(-1, 12);
    double noise = cost_of_source(0, 12), early = cost_of_source(-1, 0);
    print_message("error over no source: good %.2f, noise %.2f, liar %.2f "
                  "(%.2f before any result)\n",
        good, noise, liar, early);
    assert_true(good < .5);
    assert_true(noise < 1.1 && liar < 1.1);
    assert_true(early > 2); /* the test can fail */
}

static void
test_source_edges(void **state)
{
    static const struct source_obs crash = {1, 1, -1000, 1};
    static const struct source_obs same[] = {{0, 1, -2, .5}, {0, 1, -2, .5}};
    struct source_fit f;
    double m = 3, tau2 = 2;

    (void)state;
    source_fit(&f, NULL, 0, 1, 1);
    source_apply(&f, &m, &tau2);
    assert_true(m == 3 && tau2 == 2);
    source_fit(&f, &crash, 1, 1, 0);
    assert_true(f.slope > -1 && f.shift > -3);
    /* all worse than said: by hand, w = 1 / 1.5; common = -2 * 2w / (1 / 2 +
     * 2w) = -16 / 11, half of it the baseline's own error */
    source_fit(&f, same, 2, 1, 1);
    near_at(f.slope, 1, 1e-14, "slope");
    near_at(f.shift, -8. / 11, 1e-13, "shift");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_when_homogeneous),
        cmocka_unit_test(test_dersimonian_laird),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_similarity),
        cmocka_unit_test(test_recovers_t2),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_source_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
