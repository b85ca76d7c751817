/* Cholesky against its definition; regression against the dense normal model
 * y ~ N(X m0, V + X T X'), which is a different computation of the same. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/chol.h"
#include "math/linfit.h"

enum { N = 23, P = 6 };

static void
near_at(double got, double want, double rel, const char *what)
{
    if (!(fabs(got - want) <= rel * (fabs(want) + 1)))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static void
test_chol(void **state)
{
    enum { M = 37, LD = 40 };
    static double a[M * LD];
    static double l[M * LD];
    static double inverse[M * M];
    double b[M];
    struct rng r;

    (void)state;
    rng_seed(&r, 4);
    for (int i = 0; i < M; i++)
        for (int j = 0; j <= i; j++)
            a[i * LD + j] = a[j * LD + i] =
                exp(-0.3 * (i - j) * (i - j)) + (i == j) * 0.1;
    memcpy(l, a, sizeof(a));
    assert_int_equal(chol_factor(l, M, LD), 0);
    for (int i = 0; i < M; i++)
        for (int j = 0; j <= i; j++)
            near_at(dot(l + i * LD, l + j * LD, j + 1), a[i * LD + j], 1e-13,
                "L L'");
    for (int i = 0; i < M; i++)
        b[i] = rng_normal(&r);
    double x[M];
    memcpy(x, b, sizeof(b));
    chol_solve(l, M, LD, x);
    for (int i = 0; i < M; i++)
        near_at(dot(a + i * LD, x, M), b[i], 1e-11, "A x = b");
    chol_inverse(l, M, LD, inverse);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            near_at(
                dot(inverse + i * M, a + j * LD, M), i == j, 1e-11, "A^-1 A");
    static double two[] = {4, 0, 2, 5};
    assert_int_equal(chol_factor(two, 2, 2), 0);
    near_at(chol_log_det(two, 2, 2), log(16), 1e-14, "log det");
    static double bad[] = {1, 0, 2, 1};
    assert_true(chol_factor(bad, 2, 2) < 0);
}

struct problem {
    double x[N * P], y[N], v[N], m0[P], t2[P];
    struct linfit_in in;
};

static void
problem_make(struct problem *q, double unit)
{
    struct rng r;

    rng_seed(&r, 8);
    for (int i = 0; i < N * P; i++)
        q->x[i] = i % P == 0 ? 1 : rng_below(&r, 2) ? 1 : -1;
    for (int i = 0; i < N; i++) {
        q->y[i] = unit * (rng_normal(&r) + q->x[i * P + 1]);
        q->v[i] = unit * unit * (0.5 + rng_f64(&r));
    }
    for (int j = 0; j < P; j++) {
        q->m0[j] = unit * 0.2 * j;
        q->t2[j] = unit * unit * (j == 0 ? 100 : 0.3 + 0.1 * j);
    }
    q->in = (struct linfit_in){.n = N,
        .p = P,
        .x = q->x,
        .y = q->y,
        .v = q->v,
        .m0 = q->m0,
        .t2 = q->t2};
}

/* Mean, sd of c'b and log evidence by conditioning the joint normal. */
static void
dense(const struct problem *q, const double *c, double out[3])
{
    double k[N * N];
    double res[N];
    double cross[N];
    double prior_var = 0;
    double prior_mean = 0;

    for (int i = 0; i < N; i++) {
        res[i] = q->y[i] - dot(q->x + i * P, q->m0, P);
        cross[i] = 0;
        for (int p = 0; p < P; p++)
            cross[i] += c[p] * q->t2[p] * q->x[i * P + p];
        for (int j = 0; j <= i; j++) {
            double sum = i == j ? q->v[i] : 0;
            for (int p = 0; p < P; p++)
                sum += q->x[i * P + p] * q->t2[p] * q->x[j * P + p];
            k[i * N + j] = sum;
        }
    }
    for (int p = 0; p < P; p++) {
        prior_var += c[p] * c[p] * q->t2[p];
        prior_mean += c[p] * q->m0[p];
    }
    assert_int_equal(chol_factor(k, N, N), 0);
    chol_forward(k, N, N, res);
    chol_forward(k, N, N, cross);
    out[0] = prior_mean + dot(cross, res, N);
    out[1] = sqrt(prior_var - dot(cross, cross, N));
    out[2] =
        -0.5 * (dot(res, res, N) + chol_log_det(k, N, N) + N * log(2 * M_PI));
}

static void
test_linfit(void **state)
{
    static const double c[P] = {1, -1, 0.5, 0, 2, 1};
    static const double units[] = {1, 1e-4};
    static struct linfit fit;
    static struct problem q;

    (void)state;
    for (int u = 0; u < 2; u++) {
        double want[3];
        double mean;
        double sd;
        problem_make(&q, units[u]);
        assert_int_equal(linfit_fit(&fit, &q.in, NULL), 0);
        linfit_predict(&fit, c, &mean, &sd);
        dense(&q, c, want);
        near_at(mean / units[u], want[0] / units[u], 1e-10, "mean");
        near_at(sd / units[u], want[1] / units[u], 1e-10, "sd");
        near_at(fit.log_evidence, want[2], 1e-10, "log evidence");
    }
}

static void
test_no_rows(void **state)
{
    static struct linfit fit;
    static struct problem q;

    (void)state;
    problem_make(&q, 1);
    q.in.n = 0;
    assert_int_equal(linfit_fit(&fit, &q.in, NULL), 0);
    near_at(fit.mean[3], q.m0[3], 1e-14, "prior mean");
    near_at(fit.cov[3 * P + 3], q.t2[3], 1e-14, "prior variance");
    near_at(fit.log_evidence, 0, 1e-14, "evidence of nothing");
}

static void
test_refuses(void **state)
{
    static struct linfit fit;
    static struct problem q;
    struct err err = {0};

    (void)state;
    problem_make(&q, 1);
    q.in.p = LINFIT_P_MAX + 1;
    assert_int_equal(linfit_fit(&fit, &q.in, &err), -ERR_INPUT);
    problem_make(&q, 1);
    q.v[3] = 0;
    assert_int_equal(linfit_fit(&fit, &q.in, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "row 3"));
    problem_make(&q, 1);
    q.x[2 * P + 4] = NAN;
    assert_int_equal(linfit_fit(&fit, &q.in, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "row 2, column 4"));
    problem_make(&q, 1);
    q.t2[5] = -1;
    assert_int_equal(linfit_fit(&fit, &q.in, &err), -ERR_INPUT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chol),
        cmocka_unit_test(test_linfit),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
