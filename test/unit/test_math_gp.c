/* Gaussian process: against the dense conditional normal, on known functions,
 * with knobs that do not matter, inactive knobs, useful and lying priors, and
 * points in flight; and its speed. */
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
#include "math/acquire.h"
#include "math/chol.h"
#include "math/gp.h"

static void
near_at(double got, double want, double tol, const char *what)
{
    if (!(fabs(got - want) <= tol))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static double *
scratch_new(int cap, int d)
{
    double *p = malloc(gp_scratch(cap, d) * sizeof(double));

    assert_non_null(p);
    return p;
}

/* Mixed points: dimensions 0, 1 real, 2 a category of 3, 3 real and active only
 * when the category is 0. */
enum { MIXED_D = 4, MIXED_N = 30 };
struct mixed {
    struct gp_space space;
    double x[MIXED_N * MIXED_D], y[MIXED_N], v[MIXED_N], prior[MIXED_N];
};

static double
mixed_value(const double *x)
{
    return 3 * x[0] * x[0] - x[1] + (x[2] == 1) + (isnan(x[3]) ? 0 : x[3]);
}

static void
mixed_point(double *x, struct rng *r)
{
    x[0] = rng_f64(r);
    x[1] = rng_f64(r);
    x[2] = (double)rng_below(r, 3);
    x[3] = x[2] == 0 ? rng_f64(r) : GP_INACTIVE;
}

static void
mixed_make(struct mixed *m, uint64_t seed, double noise)
{
    struct rng r;

    rng_seed(&r, seed);
    m->space = (struct gp_space){.d = MIXED_D,
        .kind = {GP_DIM_REAL, GP_DIM_REAL, GP_DIM_CATEGORY, GP_DIM_REAL},
        .weight_mean = 0.5,
        .weight_sd = 0.5};
    for (int i = 0; i < MIXED_N; i++) {
        mixed_point(m->x + i * MIXED_D, &r);
        m->y[i] = 10 + mixed_value(m->x + i * MIXED_D) + noise * rng_normal(&r);
        m->v[i] = noise * noise * (1 + (i % 3));
        m->prior[i] = 2 * m->x[i * MIXED_D] + rng_normal(&r);
    }
}

static double
naive_kernel(const struct gp *g, const double *a, const double *b)
{
    double r2 = 0;
    double log_k = 0;

    for (int k = 0; k < g->space.d; k++) {
        bool same = a[k] == b[k] || (isnan(a[k]) && isnan(b[k]));
        bool apart = isnan(a[k]) != isnan(b[k]);
        if (g->space.kind[k] == GP_DIM_CATEGORY)
            log_k -= same ? 0 : g->relevance[k];
        else if (!same)
            r2 += pow(g->relevance[k] * (apart ? 1 : a[k] - b[k]), 2);
    }
    double s = sqrt(5 * r2), branch = 0;
    if (g->space.root != 0) /* of the mixed points: dimension 2 */
        branch = a[2] == b[2] ? g->branch : 0;
    return g->sf2 *
           (branch + (1 - g->branch) * (1 + s + 5 * r2 / 3) * exp(-s + log_k));
}

/* Covariance in units of y with the trend's prior in it. */
static double
naive_cov(
    const struct gp *g, const double *a, double pa, const double *b, double pb)
{
    double w = g->space.weight_sd * g->space.weight_sd;
    double ha = (pa - g->prior_shift) / g->scale;
    double hb = (pb - g->prior_shift) / g->scale;

    return g->scale * g->scale * (naive_kernel(g, a, b) + 1 + w * ha * hb);
}

/* Conditions y* on the n first points, means m0 + w0 (prior - shift). */
static void
naive_predict(const struct gp *g, const struct mixed *m, int n, const double *x,
    double prior, double *mean, double *sd)
{
    static double k[MIXED_N * MIXED_N];
    double res[MIXED_N];
    double cross[MIXED_N];
    double s2 = g->scale * g->scale;
    double w0 = g->space.weight_mean;

    for (int i = 0; i < n; i++) {
        const double *xi = m->x + i * MIXED_D;
        for (int j = 0; j <= i; j++)
            k[i * n + j] =
                naive_cov(g, xi, m->prior[i], m->x + j * MIXED_D, m->prior[j]);
        k[i * n + i] += m->v[i] + s2 * g->nugget;
        res[i] = m->y[i] - g->shift - w0 * (m->prior[i] - g->prior_shift);
        cross[i] = naive_cov(g, xi, m->prior[i], x, prior);
    }
    assert_int_equal(chol_factor(k, n, n), 0);
    chol_forward(k, n, n, res);
    chol_forward(k, n, n, cross);
    *mean = g->shift + w0 * (prior - g->prior_shift) + dot(cross, res, n);
    *sd = sqrt(naive_cov(g, x, prior, x, prior) - dot(cross, cross, n));
}

static void
test_dense_formula(void **state)
{
    static struct mixed m;
    struct gp g;
    struct rng r;

    (void)state;
    mixed_make(&m, 1, 0.2);
    double *scratch = scratch_new(MIXED_N, MIXED_D);
    struct gp_data data = {
        .n = MIXED_N - 5, .x = m.x, .y = m.y, .v = m.v, .prior = m.prior};
    assert_int_equal(gp_fit(&g, &m.space, &data, MIXED_N, scratch, NULL), 0);
    rng_seed(&r, 2);
    for (int t = 0; t < 2; t++) {
        /* Second time with the points in flight. */
        int n = t == 0 ? data.n : MIXED_N;
        for (int i = g.n; i < n; i++)
            assert_int_equal(
                gp_add(&g, m.x + i * MIXED_D, m.y[i], m.v[i], m.prior[i], NULL),
                0);
        for (int c = 0; c < 21; c++) {
            double x[MIXED_D];
            double mean, sd, want_mean, want_sd;
            double prior = rng_normal(&r);
            mixed_point(x, &r);
            gp_predict(&g, x, &prior, 1, &mean, &sd);
            naive_predict(&g, &m, n, x, prior, &want_mean, &want_sd);
            near_at(mean, want_mean, 1e-8, "mean");
            near_at(sd, want_sd, 1e-8, "sd");
        }
    }
    struct err err = {0};
    assert_int_equal(gp_add(&g, m.x, 1, 1, 1, &err), -ERR_LIMIT);
    free(scratch);
}

/* Sets differ by their bits, branches have a level of their own. */
static void
test_sets_and_branches(void **state)
{
    enum { N = 48, D = 3 };
    static const double apart[][4] = {/* set a, set b, bits, gap */
        {0, 0, 6, 0}, {1, 3, 6, 1. / 6}, {0, 63, 6, 1}, {5, 10, 4, 1},
        {7, 6, 3, 1. / 3}};
    struct gp_space space = {.d = D,
        .kind = {GP_DIM_CATEGORY, GP_DIM_SET, GP_DIM_REAL},
        .bits = {0, 6, 0},
        .root = 1};
    double x[N * D], y[N], v[N], error[2] = {0, 0};
    struct rng r;

    (void)state;
    for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
        struct gp_space one = {
            .d = 1, .kind = {GP_DIM_SET}, .bits = {(uint8_t)apart[i][2]}};
        near_at(gp_gaps(&one, &apart[i][0], &apart[i][1]), apart[i][3], 1e-15,
            "gap of sets");
    }
    double off = GP_INACTIVE, zero = 0;
    struct gp_space one = {.d = 1, .kind = {GP_DIM_SET}, .bits = {3}};
    near_at(gp_gaps(&one, &off, &zero), 1, 0, "a set that does not apply");
    near_at(gp_gaps(&one, &off, &off), 0, 0, "two that do not apply");
    rng_seed(&r, 41);
    for (int i = 0; i < N; i++) {
        x[i * D] = (double)rng_below(&r, 3);
        x[i * D + 1] = (double)rng_below(&r, 64);
        x[i * D + 2] = x[i * D] == 1 ? rng_f64(&r) : GP_INACTIVE;
        y[i] = 2 * x[i * D] +
               __builtin_popcountll((uint64_t)x[i * D + 1]) / 3.0 +
               .05 * rng_normal(&r);
        v[i] = .0025;
    }
    /* the last 16 predicted from the others, with sets and as categories */
    double *scratch = scratch_new(N, D);
    for (int t = 0; t < 2; t++) {
        struct gp g;
        double mean[16], sd[16];
        struct gp_data data = {.n = N - 16, .x = x, .y = y, .v = v};
        space.kind[1] = t == 0 ? GP_DIM_SET : GP_DIM_CATEGORY;
        assert_int_equal(gp_fit(&g, &space, &data, N, scratch, NULL), 0);
        assert_true(g.branch > 0 && g.branch < 1);
        gp_predict(&g, x + (N - 16) * D, NULL, 16, mean, sd);
        for (int i = 0; i < 16; i++)
            error[t] += pow(mean[i] - y[N - 16 + i], 2) / 16;
    }
    print_message("error of sets %.3f, as categories %.3f\n", sqrt(error[0]),
        sqrt(error[1]));
    assert_true(error[0] < .25 * error[1]);
    free(scratch);
}

/* Means alone are the same means; other outcomes under one kernel; no sd is
 * above its bound; an expected spread shrinks what one point says. */
static void
test_second_outcome(void **state)
{
    static struct mixed m;
    struct gp g, other;
    double mean[2][MIXED_N], sd[MIXED_N], twice[MIXED_N];

    (void)state;
    mixed_make(&m, 9, 0.2);
    double *scratch = scratch_new(MIXED_N, MIXED_D);
    double *more = scratch_new(MIXED_N, MIXED_D);
    struct gp_data data = {
        .n = 20, .x = m.x, .y = m.y, .v = m.v, .prior = m.prior};
    assert_int_equal(gp_fit(&g, &m.space, &data, MIXED_N, scratch, NULL), 0);
    gp_predict(&g, m.x, m.prior, MIXED_N, mean[0], sd);
    gp_predict(&g, m.x, m.prior, MIXED_N, mean[1], NULL);
    for (int i = 0; i < MIXED_N; i++) {
        near_at(mean[1][i], mean[0][i], 0, "mean alone");
        assert_true(sd[i] <= gp_sd_most(&g, m.prior[i]));
        twice[i] = 2 * m.y[i] - 7;
    }
    data.y = twice;
    for (int i = 0; i < MIXED_N; i++) {
        m.v[i] *= 4;
        m.prior[i] *= 2;
    }
    assert_int_equal(gp_fit_as(&other, &g, &data, more, NULL), 0);
    gp_predict(&other, m.x, m.prior, MIXED_N, mean[1], NULL);
    for (int i = 0; i < MIXED_N; i++)
        near_at(mean[1][i], 2 * mean[0][i] - 7, 1e-9, "scaled outcome");
    free(scratch);
    free(more);
}

static void
test_block_and_truncate(void **state)
{
    static struct mixed m;
    struct gp g;
    double mean[3][MIXED_N], sd[3][MIXED_N];

    (void)state;
    mixed_make(&m, 3, 0.2);
    double *scratch = scratch_new(MIXED_N, MIXED_D);
    struct gp_data data = {.n = 20, .x = m.x, .y = m.y, .v = m.v};
    assert_int_equal(gp_fit(&g, &m.space, &data, MIXED_N, scratch, NULL), 0);
    gp_predict(&g, m.x, NULL, MIXED_N, mean[0], sd[0]);
    for (int i = 0; i < MIXED_N; i++)
        gp_predict(&g, m.x + i * MIXED_D, NULL, 1, &mean[1][i], &sd[1][i]);
    for (int i = 20; i < 24; i++) {
        double before = sd[0][i];
        double after_mean, after_sd;
        assert_int_equal(
            gp_add(&g, m.x + i * MIXED_D, mean[0][i], 0.01, 0, NULL), 0);
        gp_predict(&g, m.x + i * MIXED_D, NULL, 1, &after_mean, &after_sd);
        assert_true(after_sd < before);
    }
    gp_truncate(&g, 20);
    gp_predict(&g, m.x, NULL, MIXED_N, mean[2], sd[2]);
    for (int i = 0; i < MIXED_N; i++) {
        assert_true(mean[0][i] == mean[1][i] && sd[0][i] == sd[1][i]);
        near_at(mean[2][i], mean[0][i], 1e-12, "mean after truncate");
        near_at(sd[2][i], sd[0][i], 1e-12, "sd after truncate");
    }
    free(scratch);
}

static void
test_interpolates(void **state)
{
    enum { N = 12 };
    double x[N], y[N], v[N] = {0}, mean[N], sd[N], grid_mean, grid_sd;
    struct gp_space space = {.d = 1, .kind = {GP_DIM_REAL}};
    struct gp g;

    (void)state;
    double *scratch = scratch_new(N, 1);
    for (int i = 0; i < N; i++) {
        x[i] = (double)i / (N - 1);
        y[i] = 1e-4 * sin(6 * x[i]) + 0.8;
    }
    struct gp_data data = {.n = N, .x = x, .y = y, .v = v};
    assert_int_equal(gp_fit(&g, &space, &data, N, scratch, NULL), 0);
    gp_predict(&g, x, NULL, N, mean, sd);
    for (int i = 0; i < N; i++) {
        near_at(mean[i], y[i], 1e-6, "at the point");
        assert_true(sd[i] < 3e-6); /* of a spread of 7e-5 */
    }
    for (double at = 0.01; at < 1; at += 0.07) {
        gp_predict(&g, &at, NULL, 1, &grid_mean, &grid_sd);
        near_at(grid_mean, 1e-4 * sin(6 * at) + 0.8, 5e-6, "between");
    }
    free(scratch);
}

/* One point, equal points, equal values: answers, not failures. */
static void
test_degenerate(void **state)
{
    struct gp_space space = {.d = 2, .kind = {GP_DIM_REAL, GP_DIM_CATEGORY}};
    double x[] = {0.5, 1, 0.5, 1, 0.5, 1};
    double y[] = {3, 3, 3};
    double v[] = {0, 0, 0};
    double mean, sd;
    struct gp g;

    (void)state;
    double *scratch = scratch_new(3, 2);
    for (int n = 1; n <= 3; n++) {
        struct gp_data data = {.n = n, .x = x, .y = y, .v = v};
        assert_int_equal(gp_fit(&g, &space, &data, 3, scratch, NULL), 0);
        gp_predict(&g, x, NULL, 1, &mean, &sd);
        near_at(mean, 3, 1e-9, "mean");
        assert_true(isfinite(sd));
    }
    free(scratch);
}

static void
test_refuses(void **state)
{
    static struct mixed m;
    struct err err = {0};
    struct gp g;

    (void)state;
    mixed_make(&m, 1, 0.1);
    double *scratch = scratch_new(MIXED_N, MIXED_D);
    struct gp_data data = {.n = MIXED_N, .x = m.x, .y = m.y, .v = m.v};
    m.x[7 * MIXED_D + 1] = 1.5;
    assert_int_equal(
        gp_fit(&g, &m.space, &data, MIXED_N, scratch, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "point 7, dimension 1"));
    m.x[7 * MIXED_D + 1] = 0.5;
    m.x[7 * MIXED_D + 2] = 0.5;
    assert_int_equal(
        gp_fit(&g, &m.space, &data, MIXED_N, scratch, &err), -ERR_INPUT);
    m.x[7 * MIXED_D + 2] = 0;
    m.v[4] = -1;
    assert_int_equal(
        gp_fit(&g, &m.space, &data, MIXED_N, scratch, &err), -ERR_INPUT);
    assert_int_equal(
        gp_fit(&g, &m.space, &data, MIXED_N - 1, scratch, &err), -ERR_INPUT);
    free(scratch);
}

/* Of six knobs only one category and one real matter. */
static void
test_relevance(void **state)
{
    enum { N = 60, D = 6 };
    double x[N * D], y[N], v[N];
    struct gp_space space = {.d = D};
    struct gp g;
    struct rng r;

    (void)state;
    for (int k = 0; k < D; k++)
        space.kind[k] = k < 3 ? GP_DIM_CATEGORY : GP_DIM_REAL;
    rng_seed(&r, 6);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < D; k++)
            x[i * D + k] = k < 3 ? (double)rng_below(&r, 3) : rng_f64(&r);
        y[i] = (x[i * D] == 2 ? 2 : -x[i * D]) + sin(7 * x[i * D + 4]) +
               0.1 * rng_normal(&r);
        v[i] = 0.01;
    }
    double *scratch = scratch_new(N, D);
    struct gp_data data = {.n = N, .x = x, .y = y, .v = v};
    assert_int_equal(gp_fit(&g, &space, &data, N, scratch, NULL), 0);
    print_message("relevance: %.2f %.2f %.2f | %.2f %.2f %.2f\n",
        g.relevance[0], g.relevance[1], g.relevance[2], g.relevance[3],
        g.relevance[4], g.relevance[5]);
    assert_true(g.relevance[0] > 4 * g.relevance[1]);
    assert_true(g.relevance[0] > 4 * g.relevance[2]);
    assert_true(g.relevance[4] > 2 * g.relevance[3]);
    assert_true(g.relevance[4] > 2 * g.relevance[5]);
    free(scratch);
}

static void
test_prior_weight(void **state)
{
    static struct mixed m;
    double *scratch = scratch_new(MIXED_N, MIXED_D);
    double useful[MIXED_N], lie[MIXED_N];
    double weight[2];
    struct rng r;

    (void)state;
    rng_seed(&r, 77);
    mixed_make(&m, 5, 0.1);
    for (int i = 0; i < MIXED_N; i++) {
        useful[i] = m.y[i] - 10 + 0.05 * rng_normal(&r);
        lie[i] = rng_normal(&r);
    }
    for (int t = 0; t < 2; t++) {
        struct gp g;
        struct gp_data data = {.n = MIXED_N,
            .x = m.x,
            .y = m.y,
            .v = m.v,
            .prior = t == 0 ? useful : lie};
        assert_int_equal(
            gp_fit(&g, &m.space, &data, MIXED_N, scratch, NULL), 0);
        weight[t] = g.weight;
    }
    print_message(
        "weight of a useful prior %.2f, of a lie %.2f\n", weight[0], weight[1]);
    assert_true(weight[0] > 0.8 && weight[0] < 1.1);
    assert_true(fabs(weight[1]) < 0.2);
    free(scratch);
}

/* Standardised errors of predictions on fresh mixed points. */
static void
test_calibration(void **state)
{
    static struct mixed m;
    double *scratch = scratch_new(MIXED_N, MIXED_D);
    double square = 0, error = 0, spread = 0;
    int inside = 0, count = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct gp g;
        struct rng r;
        mixed_make(&m, 100 + seed, 0.2);
        struct gp_data data = {.n = MIXED_N, .x = m.x, .y = m.y, .v = m.v};
        assert_int_equal(
            gp_fit(&g, &m.space, &data, MIXED_N, scratch, NULL), 0);
        rng_seed(&r, seed);
        for (int c = 0; c < 50; c++, count++) {
            double x[MIXED_D], mean, sd;
            mixed_point(x, &r);
            gp_predict(&g, x, NULL, 1, &mean, &sd);
            double truth = 10 + mixed_value(x);
            error += (mean - truth) * (mean - truth);
            spread += pow(truth - 10.9, 2);
            square += pow((mean - truth) / sd, 2);
            inside += fabs(mean - truth) < 1.96 * sd;
        }
    }
    print_message("mixed: R2 %.3f, mean z^2 %.2f, 95 %% covers %.3f\n",
        1 - error / spread, square / count, inside / (double)count);
    assert_true(error / spread < 0.15);
    assert_true(inside > 0.85 * count);
    free(scratch);
}

static double
branin(const double *x)
{
    double a = 15 * x[0] - 5;
    double b = 15 * x[1];
    double c = b - 5.1 / (4 * M_PI * M_PI) * a * a + 5 / M_PI * a - 6;

    return c * c + 10 * (1 - 1 / (8 * M_PI)) * cos(a) + 10;
}

enum { SEARCH_RUNS = 25, CANDIDATES = 400 };

/* Best value after SEARCH_RUNS, by expected improvement or at random. */
static double
branin_search(uint64_t seed, bool by_gp, double *scratch)
{
    static double candidate[CANDIDATES * 2], mean[CANDIDATES], sd[CANDIDATES];
    double x[SEARCH_RUNS * 2], y[SEARCH_RUNS], v[SEARCH_RUNS];
    struct gp_space space = {.d = 2, .kind = {GP_DIM_REAL, GP_DIM_REAL}};
    double best = INFINITY;
    struct rng r;

    rng_seed(&r, seed);
    for (int n = 0; n < SEARCH_RUNS; n++) {
        struct gp g;
        int pick = 0;
        for (int c = 0; c < CANDIDATES * 2; c++)
            candidate[c] = rng_f64(&r);
        if (by_gp && n >= 5) {
            struct gp_data data = {.n = n, .x = x, .y = y, .v = v};
            assert_int_equal(
                gp_fit(&g, &space, &data, SEARCH_RUNS, scratch, NULL), 0);
            gp_predict(&g, candidate, NULL, CANDIDATES, mean, sd);
            double top = -INFINITY;
            for (int c = 0; c < CANDIDATES; c++) {
                double ei = expected_improvement_log(-mean[c], sd[c], -best);
                pick = ei > top ? c : pick;
                top = fmax(top, ei);
            }
        }
        memcpy(x + 2 * n, candidate + 2 * pick, 2 * sizeof(x[0]));
        y[n] = branin(x + 2 * n);
        v[n] = 0;
        best = fmin(best, y[n]);
    }
    return best;
}

static void
test_branin(void **state)
{
    double *scratch = scratch_new(SEARCH_RUNS, 2);
    double regret[2] = {0, 0};
    enum { LIVES = 20 };

    (void)state;
    for (uint64_t seed = 0; seed < LIVES; seed++)
        for (int by_gp = 0; by_gp < 2; by_gp++)
            regret[by_gp] +=
                (branin_search(seed, by_gp == 1, scratch) - 0.397887) / LIVES;
    print_message("Branin regret after %d runs: random %.3f, gp %.4f\n",
        SEARCH_RUNS, regret[0], regret[1]);
    assert_true(regret[1] < 0.2);
    assert_true(regret[1] < 0.1 * regret[0]);
    free(scratch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense_formula),
        cmocka_unit_test(test_sets_and_branches),
        cmocka_unit_test(test_second_outcome),
        cmocka_unit_test(test_block_and_truncate),
        cmocka_unit_test(test_interpolates),
        cmocka_unit_test(test_degenerate),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_relevance),
        cmocka_unit_test(test_prior_weight),
        cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_branin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
