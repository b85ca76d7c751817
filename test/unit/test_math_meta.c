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

static void
test_trust(void **state)
{
    struct trust honest = trust_start(0.5);
    struct trust liar = trust_start(0.9);
    struct rng r;

    (void)state;
    near_at(trust_weight(&liar), 0.9, 1e-12, "start");
    rng_seed(&r, 3);
    for (int i = 0; i < 30; i++) {
        double truth = 2 * rng_normal(&r);
        double y = truth + 0.3 * rng_normal(&r);
        trust_update(&honest, truth + 0.5 * rng_normal(&r), 0.25, y, 0.09, 2);
        trust_update(&liar, -truth, 0.25, y, 0.09, 2);
    }
    assert_true(trust_weight(&honest) > 0.99);
    assert_true(trust_weight(&liar) < 0.01);
    assert_true(liar.n == 30);
    /* One update is the difference of two normal log densities. */
    struct trust t = trust_start(0.5);
    trust_update(&t, 1, 0.5, 1.5, 0.5, 1);
    near_at(t.log_odds,
        (-0.5 * log(1) - 0.125) - (-0.5 * log(1.5) - 0.5 * 2.25 / 1.5), 1e-12,
        "one step");
    /* It can come back: the odds are bounded. */
    for (int i = 0; i < 20; i++)
        trust_update(&liar, 1, 0.01, 1, 0.01, 2);
    assert_true(trust_weight(&liar) > 0.5);
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
        cmocka_unit_test(test_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
