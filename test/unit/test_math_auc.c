/* AUC, logloss and their paired variances. Reference: numpy over all pairs of
 * a positive and a negative (the definition), 40 rows with ties, two and three
 * seeds; variances also by simulation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/auc.h"

enum { N = 40 };

static const uint8_t label[N] = {1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0,
    1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1};
static const double score_a[2][N] = {
    {-1.1, 0.9, 0.7, -0.4, -0.5, 0, -0.1, 2, 0.7, 0.8, 1.7, -0.2, -0.9, 0.6,
        0.6, -0.2, -0.2, 0.2, -2.5, 1.3, 1.1, -1.6, 0.7, -0.4, 0.8, -2, -0.9,
        0.7, 1.8, -2.2, 0.1, 0.9, -0.6, 1.6, -0.6, 0.4, -0.4, 1.4, 0, 0.2},
    {-1.1, 2.3, 0.8, 0.8, 1.7, 0.3, -0.6, -0.2, -0.8, 2, -0.9, -0.6, -0.3, 0.2,
        0.6, -1.2, -1.1, 0, 1.2, 1.4, 0.8, -0.3, 0.9, 0.4, 0.8, -0.8, 0.1, -0.1,
        1.1, 0.2, 3.2, 2.1, 1.5, -2, 0.3, -0.6, 1.1, -2.3, 1.2, 1.7}};
static const double score_b[3][N] = {
    {-0.3, 0, -0.8, 0, 1.6, 2, -0.2, 1.8, 0.2, 2.8, 1.7, 1.4, -1.1, -0.2, -0.8,
        1.5, 1.7, -0.3, -0.5, 1.5, 0.3, -0.9, 1.5, 3.5, -0.2, -0.6, -1.2, -1.3,
        1.5, 0.9, 1, 1.3, 0.1, 0.1, -0.5, -0.5, 1.1, -0.8, -0.5, 0.2},
    {0.7, 1.9, -0.4, -0.2, 1.8, 0.6, 1.7, -1.1, 0.9, 0.5, 1.1, 0.8, 1.1, 1, 0.2,
        1.6, 0.7, -0.1, 0.8, 0.4, 3.2, 1, 3.2, 1, -0.4, 0.2, 0.7, -0.6, 1.4, 0,
        2.6, 0.3, 1, -0.6, 0, -0.7, -0.2, 0.1, 1, 1.2},
    {1.6, 2.6, 0.3, 0.2, 0.7, -1.6, 0.8, -0.8, 0.7, 1, 2.1, -0.1, -0.8, 0.4,
        -0.6, -0.2, 1, -0.1, -0.2, 0.2, 0.8, -2.1, 0.8, -0.2, 1.1, 1.3, -2, 0.1,
        0.9, -1, 1.5, 0.5, -1.8, -0.3, 0.9, 0.1, -0.2, 0.6, 0.7, -0.1}};

static void
near_at(double got, double want, double rel, const char *what)
{
    if (!(fabs(got - want) <= rel * fabs(want) + 1e-300))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static void
test_auc_value(void **state)
{
    static const double score[] = {0.1, 0.4, 0.35, 0.8};
    static const double tied[] = {1, 1, 1, 1};
    static const double zero[] = {0.0, 5, -0.0, 6};
    static const uint8_t y[] = {0, 0, 1, 1};
    struct order_key work[8];
    struct err err = {0};
    double auc;

    (void)state;
    assert_int_equal(auc_value(score, y, 4, work, &auc, NULL), 0);
    near_at(auc, 0.75, 1e-15, "scikit-learn's example");
    assert_int_equal(auc_value(tied, y, 4, work, &auc, NULL), 0);
    near_at(auc, 0.5, 1e-15, "all tied");
    assert_int_equal(auc_value(zero, y, 4, work, &auc, NULL), 0);
    near_at(auc, 0.625, 1e-15, "-0 ties with 0");
    assert_int_equal(auc_value(score, y, 2, work, &auc, &err), -ERR_INPUT);
    static const double nan_score[] = {0, NAN, 1, 2};
    assert_int_equal(auc_value(nan_score, y, 4, work, &auc, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "row 1"));
    static const uint8_t bad[] = {0, 1, 2, 1};
    assert_int_equal(auc_value(score, bad, 4, work, &auc, &err), -ERR_INPUT);
}

struct arms {
    struct row_set rows;
    struct row_scores a, b;
    const double *pa[2], *pb[3];
    uint32_t group[N];
    double prob[5][N];
};

static void
arms_make(struct arms *s, bool as_prob, bool grouped)
{
    for (int i = 0; i < N; i++) {
        s->group[i] = (uint32_t)i / 4 + 2; /* ids 0, 1 are empty */
        for (int k = 0; k < 5; k++) {
            double x = k < 2 ? score_a[k][i] : score_b[k - 2][i];
            s->prob[k][i] = as_prob ? 1 / (1 + exp(-x)) : x;
        }
    }
    for (int k = 0; k < 5; k++)
        *(k < 2 ? &s->pa[k] : &s->pb[k - 2]) = s->prob[k];
    s->rows = (struct row_set){.n = N,
        .label = label,
        .group = grouped ? s->group : NULL,
        .groups = 12};
    s->a = (struct row_scores){.seeds = 2, .score = s->pa};
    s->b = (struct row_scores){.seeds = 3, .score = s->pb};
}

static void
test_reference(void **state)
{
    struct order_key work[2 * N];
    double sum[N + 12];
    struct row_diff out;
    struct arms s;

    (void)state;
    arms_make(&s, false, false);
    assert_int_equal(row_scratch(&s.rows), N);
    assert_int_equal(auc_diff(&s.rows, &s.a, &s.b, work, sum, &out, NULL), 0);
    near_at(out.a, 0.7020460358056266, 1e-12, "auc a");
    near_at(out.b, 0.7681159420289855, 1e-12, "auc b");
    near_at(out.var, 0.005482457525887137, 1e-12, "DeLong variance");
    arms_make(&s, false, true);
    assert_int_equal(row_scratch(&s.rows), N + 12);
    assert_int_equal(auc_diff(&s.rows, &s.a, &s.b, work, sum, &out, NULL), 0);
    near_at(out.var, 0.0036819905517641366, 1e-12, "clustered variance");
    arms_make(&s, true, false);
    assert_int_equal(logloss_diff(&s.rows, &s.a, &s.b, sum, &out, NULL), 0);
    near_at(out.a, 0.6523323963134577, 1e-12, "logloss a");
    near_at(out.b, 0.6258826317707584, 1e-12, "logloss b");
    near_at(out.var, 0.0038726698715091045, 1e-12, "logloss variance");
    near_at(normalised_entropy(s.prob[0], label, N), 0.9798248490182937, 1e-12,
        "normalised entropy");
    arms_make(&s, true, true);
    assert_int_equal(logloss_diff(&s.rows, &s.a, &s.b, sum, &out, NULL), 0);
    near_at(out.var, 0.004110941034072462, 1e-12, "clustered logloss");
}

static void
test_refuses(void **state)
{
    struct order_key work[2 * N];
    double sum[N + 12];
    struct row_diff out;
    struct arms s;
    struct err err = {0};

    (void)state;
    arms_make(&s, false, true);
    s.group[7] = 12;
    assert_int_equal(
        auc_diff(&s.rows, &s.a, &s.b, work, sum, &out, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "row 7"));
    arms_make(&s, false, true);
    memset(s.group, 0, sizeof(s.group));
    assert_int_equal(
        auc_diff(&s.rows, &s.a, &s.b, work, sum, &out, &err), -ERR_INPUT);
    arms_make(&s, false, false);
    s.prob[3][9] = NAN;
    assert_int_equal(
        logloss_diff(&s.rows, &s.a, &s.b, sum, &out, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "arm b, seed 1"));
}

static void
test_logloss(void **state)
{
    static const double prob[] = {0, 1, 0.5};
    static const uint8_t right[] = {0, 1, 1};
    static const uint8_t wrong[] = {1, 0, 1};

    (void)state;
    near_at(logloss(prob, right, 3), log(2) / 3, 1e-12, "sure and right");
    assert_true(isfinite(logloss(prob, wrong, 3)));
    assert_true(isnan(normalised_entropy(prob, wrong + 2, 1)));
}

/* The variance says how far the difference really wanders when the rows are
 * drawn anew: 95 % intervals cover the true difference. */
static void
test_coverage(void **state)
{
    enum { ROWS = 400, LIVES = 1500 };
    static struct order_key work[2 * ROWS];
    static double score[2][ROWS];
    static double sum[ROWS];
    static uint8_t y[ROWS];
    const double *pa = score[0];
    const double *pb = score[1];
    struct row_scores a = {.seeds = 1, .score = &pa};
    struct row_scores b = {.seeds = 1, .score = &pb};
    struct row_set rows = {.n = ROWS, .label = y};
    struct rng r;
    int covered = 0;
    /* AUC of N(m, v) against N(0, v) is Phi(m / sqrt(2 v)). */
    double truth = 0.5 * erfc(-1.2 / sqrt(1.25) / 2) - 0.5 * erfc(-0.5);

    (void)state;
    rng_seed(&r, 21);
    for (int life = 0; life < LIVES; life++) {
        struct row_diff out;
        for (int i = 0; i < ROWS; i++) {
            y[i] = rng_f64(&r) < 0.2;
            score[0][i] = rng_normal(&r) + y[i];
            score[1][i] = score[0][i] + 0.2 * y[i] + 0.5 * rng_normal(&r);
        }
        assert_int_equal(auc_diff(&rows, &a, &b, work, sum, &out, NULL), 0);
        covered += fabs(out.diff - truth) < 1.96 * sqrt(out.var);
    }
    print_message(
        "DeLong 95 %% interval covers %.3f\n", covered / (double)LIVES);
    assert_true(covered > 0.93 * LIVES && covered < 0.97 * LIVES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auc_value),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_logloss),
        cmocka_unit_test(test_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
