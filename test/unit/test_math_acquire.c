/* Acquisition values against scipy and simulation, allocation against the
 * rule's own optimality and seeded frequencies. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/acquire.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static void
near_at(double got, double want, double rel, const char *what)
{
    if (!(fabs(got - want) <= rel * fabs(want) + 1e-300))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static void
test_f(void **state)
{
    /* log f by scipy's erfcx. */
    static const double rows[][2] = {{-40.0, -808.2985683566197},
        {-20.5, -217.09186837038305}, {-19.5, -196.99258561722834},
        {-12.0, -77.90910054500736}, {-5.0, -16.744301162660985},
        {-1.0, -2.4851210257126413}, {0.0, -0.9189385332046727},
        {1.5, 0.42481455676225943}};
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        near_at(acquire_log_f(rows[i][0]), rows[i][1], 1e-11, "log f");
        if (rows[i][0] > -38) /* else below the smallest double */
            near_at(log(acquire_f(rows[i][0])), rows[i][1], 1e-11, "f");
    }
    near_at(acquire_f(50), 50, 1e-14, "f for large z");
    assert_true(isfinite(acquire_log_f(-1e6)));
    /* Rising and without a step where the formula changes. */
    for (double z = -25; z < 5; z += 0.01) {
        double slope = (acquire_log_f(z + 0.01) - acquire_log_f(z)) / 0.01;
        assert_true(slope > 0 && slope < 25.1);
    }
}

/* KG is E max(posterior mean, standard) - max(m, standard). */
static void
test_knowledge_gradient(void **state)
{
    struct rng r;
    double gain = 0, improved = 0;
    enum { N = 400000 };

    (void)state;
    rng_seed(&r, 1);
    for (int i = 0; i < N; i++) {
        double theta = 0.3 + 1.5 * rng_normal(&r);
        double y = theta + 2 * rng_normal(&r);
        double post = (0.3 / 2.25 + y / 4) / (1 / 2.25 + 1 / 4.0);
        gain += fmax(post, 0.8) / N;
        improved += fmax(post - 0.1, 0) / N;
    }
    /* of a new arm whose mean is above the best already */
    near_at(noisy_improvement(0.3, 2.25, 4, 0.1), improved, 0.02, "noisy ei");
    near_at(noisy_improvement(0.3, 2.25, 4, 0.8),
        knowledge_gradient(0.3, 2.25, 4, 0.8), 1e-14, "below it: kg");
    near_at(noisy_improvement(1, 0.25, 0, 0.5),
        expected_improvement(1, 0.5, 0.5), 1e-14, "no noise: ei");
    assert_true(noisy_improvement(1, 0, 1, 0) == 1);
    near_at(knowledge_gradient(0.3, 2.25, 4, 0.8), gain - 0.8, 0.02, "kg");
    near_at(
        knowledge_gradient(0, 1, 0, 0), 0.3989422804014327, 1e-12, "no noise");
    assert_true(knowledge_gradient(1, 0, 1, 0) == 0);
    assert_true(knowledge_gradient_n(0.3, 2.25, 4, 4, 0.8) >
                knowledge_gradient(0.3, 2.25, 4, 0.8));
}

static void
test_expected_improvement(void **state)
{
    (void)state;
    near_at(expected_improvement(1, 2, 1), 2 * 0.3989422804014327, 1e-12, "EI");
    near_at(expected_improvement(3, 0, 1), 2, 0, "sure gain");
    near_at(expected_improvement(0, 0, 1), 0, 0, "sure loss");
    near_at(expected_improvement_log(1, 2, 4),
        log(expected_improvement(1, 2, 4)), 1e-12, "log EI");
    assert_true(isinf(expected_improvement_log(0, 0, 1)));
    /* Both underflow as EI, the logs still order them. */
    assert_true(expected_improvement_log(0, 1, 60) >
                expected_improvement_log(0, 1, 61));
}

static void
test_ocba(void **state)
{
    static const double mean[] = {5, 4, 3, 1};
    static const double s2[] = {2.25, 1, 4, 1};
    static const double count[] = {4, 4, 4, 4};
    double share[4];
    double sum = 0;

    (void)state;
    ocba_shares(mean, s2, 4, share);
    for (int i = 0; i < 4; i++)
        sum += share[i];
    near_at(sum, 1, 1e-14, "sum");
    /* N_i / N_j = (s_i / gap_i)^2 / (s_j / gap_j)^2. */
    near_at(share[1] / share[3], 16, 1e-12, "ratio 1 : 3");
    near_at(share[2] / share[1], 1, 1e-12, "ratio 2 : 1");
    near_at(share[0],
        1.5 * sqrt(share[1] * share[1] + share[2] * share[2] / 4 +
                   share[3] * share[3]),
        1e-12, "best");
    assert_int_equal(ocba_next(mean, s2, count, 4, share), 0);
    ocba_shares(mean, s2, 1, share);
    near_at(share[0], 1, 0, "one arm");
    static const double same[] = {2, 2};
    static const double unit[] = {1, 1};
    ocba_shares(same, unit, 2, share);
    near_at(share[0], 0.5, 1e-12, "tie");
}

static void
test_thompson(void **state)
{
    static const double mean[] = {0, 1, -30};
    static const double sd[] = {1, 1, 0.1};
    int one[3] = {0};
    int two[3] = {0};
    struct rng r;
    enum { N = 40000 };

    (void)state;
    rng_seed(&r, 2);
    for (int i = 0; i < N; i++) {
        one[thompson_one(mean, sd, 3, &r)]++;
        two[thompson_top_two(mean, sd, 3, 0.5, &r)]++;
    }
    /* P(arm 1 best) = Phi(1 / sqrt 2) = .7602. */
    assert_true(fabs(one[1] / (double)N - 0.7602) < 0.01);
    assert_int_equal(one[2], 0);
    /* Top-two with two live arms: beta p + (1 - beta)(1 - p) = .5. */
    assert_true(fabs(two[1] / (double)N - 0.5) < 0.01);
    /* A sure winner still leaves its share to the runner-up. */
    static const double far[] = {0, 100, -5};
    int again[3] = {0};
    for (int i = 0; i < 1000; i++)
        again[thompson_top_two(far, sd, 3, 0.5, &r)]++;
    assert_true(again[0] > 400 && again[1] > 400 && again[2] < 20);
    assert_int_equal(thompson_top_two(far, sd, 1, 0.5, &r), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f),
        cmocka_unit_test(test_knowledge_gradient),
        cmocka_unit_test(test_expected_improvement),
        cmocka_unit_test(test_ocba),
        cmocka_unit_test(test_thompson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
