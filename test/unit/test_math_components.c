/* Variance components against the closed forms of the balanced one-way layout
 * and against refits; scores of predictions against integrals. */
#include "math/components.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/dist.h"
#include "math/score.h"

static void
near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.12g is not %.12g +- %g", a, b, within);
}

enum { GROUPS = 12, EACH = 4, ROWS = GROUPS * EACH };

/* Same group, and a row with itself. */
static void
one_way(double *sim, int n, const int *group)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            sim[i * n + j] = group[i] == group[j];
            sim[n * n + i * n + j] = i == j;
        }
}

struct layout {
    double sim[2 * ROWS * ROWS], y[ROWS];
    int group[ROWS];
};

static void
layout_fill(struct layout *l, double between, double within)
{
    struct rng r;
    rng_seed(&r, 7);
    for (int g = 0; g < GROUPS; g++) {
        double own = sqrt(between) * rng_normal(&r);
        for (int i = 0; i < EACH; i++) {
            l->group[g * EACH + i] = g;
            l->y[g * EACH + i] = own + sqrt(within) * rng_normal(&r);
        }
    }
    one_way(l->sim, ROWS, l->group);
}

/* With a mean known to be 0: within = SSW / (a (n - 1)), between =
 * (n sum mean^2 / a - within) / n (Searle et al. 1992, ch. 3). */
static void
weights_are_maximum_likelihood(void **state)
{
    static struct layout l;
    double between = 0, within = 0, mean[GROUPS];
    (void)state;
    layout_fill(&l, 2, .5);
    for (int g = 0; g < GROUPS; g++) {
        mean[g] = 0;
        for (int i = 0; i < EACH; i++)
            mean[g] += l.y[g * EACH + i] / EACH;
        for (int i = 0; i < EACH; i++)
            within += pow(l.y[g * EACH + i] - mean[g], 2);
        between += mean[g] * mean[g];
    }
    within /= GROUPS * (EACH - 1);
    between = between / GROUPS - within / EACH;
    struct components c = {
        .n = ROWS, .k = 2, .sim = l.sim, .y = l.y, .guess = 1, .guess_sd = 1e3};
    double *scratch = calloc(components_scratch(ROWS), sizeof *scratch);
    assert_int_equal(components_fit(&c, scratch), 0);
    near(c.weight[0], between, 2e-2 * between);
    near(c.weight[1], within, 2e-2 * within);

    /* a further member of group 0, and one of a new group */
    double cross[2 * 2 * ROWS] = {0}, own[8] = {1, 0, 0, 1, 1, 0, 0, 1};
    double m[2], cov[4], work[2 * ROWS];
    for (int i = 0; i < ROWS; i++)
        cross[i] = l.group[i] == 0;
    components_ask(&c, scratch, 2, cross, own, m, cov, work);
    double b = c.weight[0], w = c.weight[1], share = EACH * b / (EACH * b + w);
    near(m[0], share * mean[0], 1e-6);
    near(cov[0], b * (1 - share) + w, 1e-6);
    near(m[1], 0, 1e-12);
    near(cov[3], b + w, 1e-12);
    free(scratch);
}

static void
evidence_of_two_rows(void **state)
{
    double sim[8] = {1, 1, 1, 1, 1, 0, 0, 1}, y[2] = {1, -.5};
    double noise[2] = {.1, .3}, scratch[2000];
    struct components c = {.n = 2,
        .k = 2,
        .sim = sim,
        .y = y,
        .noise = noise,
        .guess = .7,
        .guess_sd = .3};
    (void)state;
    assert_true(components_scratch(2) < 2000);
    assert_int_equal(components_fit(&c, scratch), 0);
    double a = c.weight[0] + c.weight[1] + .1, b = c.weight[0];
    double d = c.weight[0] + c.weight[1] + .3, det = a * d - b * b;
    double q = (d * y[0] * y[0] - 2 * b * y[0] * y[1] + a * y[1] * y[1]) / det;
    near(components_evidence(&c, scratch),
        -.5 * q - .5 * log(det) - log(2 * acos(-1)), 1e-6);
}

static void
leaving_out_is_refitting(void **state)
{
    static struct layout l;
    double res[EACH], var[EACH], work[EACH * (ROWS + EACH)];
    int at[EACH] = {0, 1, 5, 9};
    (void)state;
    layout_fill(&l, 1, 1);
    struct components c = {
        .n = ROWS, .k = 2, .sim = l.sim, .y = l.y, .guess = 1, .guess_sd = 1};
    double *scratch = calloc(components_scratch(ROWS), sizeof *scratch);
    assert_int_equal(components_fit(&c, scratch), 0);
    assert_int_equal(
        components_leave_out(&c, scratch, at, EACH, res, var, work), 0);
    /* by hand: the mean of a group from its rows that stay */
    double b = c.weight[0], w = c.weight[1];
    for (int i = 0; i < EACH; i++) {
        double n = 0, sum = 0;
        for (int j = 0; j < ROWS; j++) {
            bool out = false;
            for (int k = 0; k < EACH; k++)
                out = out || at[k] == j;
            if (!out && l.group[j] == l.group[at[i]]) {
                n++;
                sum += l.y[j];
            }
        }
        double share = n * b / (n * b + w);
        near(res[i], l.y[at[i]] - share * sum / n, 1e-6);
        near(var[i], b * (1 - share) + w, 1e-6);
    }
    free(scratch);
}

static void
nothing_known(void **state)
{
    double own[4] = {1, 1, 1, 1}, mean[2], cov[4], scratch[1], work[1];
    struct components c = {.n = 0, .k = 1, .guess = 3, .guess_sd = 1};
    (void)state;
    assert_int_equal(components_fit(&c, scratch), 0);
    components_ask(&c, scratch, 2, own, own, mean, cov, work);
    near(mean[1], 0, 0);
    near(cov[1], 3, 1e-12);
    near(components_evidence(&c, scratch), 0, 0);
}

/* A matrix of zeros has no likelihood: told, not fitted. */
static void
singular_is_refused(void **state)
{
    double sim[4] = {0}, y[2] = {1, 2}, scratch[2000];
    struct components c = {
        .n = 2, .k = 1, .sim = sim, .y = y, .guess = 1, .guess_sd = 1};
    (void)state;
    assert_true(components_fit(&c, scratch) < 0);
}

/* CRPS = integral of (F(x) - [x >= y])^2. */
static void
crps_is_its_integral(void **state)
{
    static const double at[][3] = {{0, 1, 0}, {1, 2, -1.5}, {-.3, .2, .4}};
    (void)state;
    for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
        double m = at[k][0], s = at[k][1], y = at[k][2], sum = 0, dx = 1e-3 * s;
        for (double x = m - 12 * s; x < m + 12 * s; x += dx) {
            double f = normal_cdf((x + .5 * dx - m) / s) - (x + .5 * dx >= y);
            sum += f * f * dx;
        }
        near(crps_normal(m, s, y), sum, 2e-3 * s);
    }
    near(crps_normal(2, 0, -1), 3, 0);
}

static void
shares_of_the_best(void **state)
{
    double mean[3] = {.5, 0, -9}, cov[9] = {2, 0, 0, 0, 1, 0, 0, 0, 0};
    double share[3], work[12];
    struct rng r;
    (void)state;
    rng_seed(&r, 3);
    best_shares(mean, cov, 3, 40000, &r, share, work);
    near(share[0], normal_cdf(.5 / sqrt(3)), .01);
    near(share[0] + share[1] + share[2], 1, 1e-9);
    /* beliefs that move together: the difference is certain */
    double one[4] = {1, 1, 1, 1}, up[2] = {0, .1};
    best_shares(up, one, 2, 100, &r, share, work);
    near(share[1], 1, 1e-9);
}

static void
reliability_counts(void **state)
{
    struct reliability r = {0};
    (void)state;
    reliability_add(&r, 1, 1, .95, 1.5, 0);
    reliability_add(&r, 1, 1, .85, -3, 0);
    reliability_add(&r, -1, 1, .1, -1, 0);
    reliability_add(&r, 0, 1, 1, 5, 24); /* its own error holds it */
    near(r.n[RELIABILITY_BINS - 1], 3, 0);
    near(r.happened[RELIABILITY_BINS - 1], 2, 0);
    near(r.n[0], 1, 0);
    near(r.covered, 3, 0);
    near(r.brier, .05 * .05 + .85 * .85 + .01, 1e-12);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_maximum_likelihood),
        cmocka_unit_test(evidence_of_two_rows),
        cmocka_unit_test(leaving_out_is_refitting),
        cmocka_unit_test(nothing_known),
        cmocka_unit_test(singular_is_refused),
        cmocka_unit_test(crps_is_its_integral),
        cmocka_unit_test(shares_of_the_best),
        cmocka_unit_test(reliability_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
