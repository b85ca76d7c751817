/* Sparse crossed effects against the dense ridge fit of the same rows, and the
 * standing of a baseline. */
#include "math/effects.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "math/chol.h"
#include "math/standing.h"

enum { ROWS = 60, FEATURES = 9, PER_ROW = 3 };

/* (X'WX + R) b = X'Wy by Cholesky. */
static void
dense(const struct effects_in *in, double *b)
{
    double a[FEATURES * FEATURES] = {0};
    for (int f = 0; f < FEATURES; f++) {
        a[f * FEATURES + f] = in->ridge[f];
        b[f] = 0;
    }
    for (uint32_t r = 0; r < in->n_rows; r++) {
        double x[FEATURES] = {0};
        for (uint32_t i = in->row_at[r]; i < in->row_at[r + 1]; i++)
            x[in->term[i].at] += in->term[i].x;
        for (int f = 0; f < FEATURES; f++) {
            b[f] += in->weight[r] * x[f] * in->y[r];
            for (int g = 0; g <= f; g++)
                a[f * FEATURES + g] += in->weight[r] * x[f] * x[g];
        }
    }
    assert_int_equal(chol_factor(a, FEATURES, FEATURES), 0);
    chol_solve(a, FEATURES, FEATURES, b);
}

static void
same_as_dense(void **state)
{
    struct effects_term term[ROWS * PER_ROW];
    uint32_t row_at[ROWS + 1] = {0};
    double y[ROWS], weight[ROWS], ridge[FEATURES];
    double got[FEATURES], var[FEATURES], want[FEATURES];
    struct rng r;

    (void)state;
    rng_seed(&r, 11);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t j = 0; j < PER_ROW; j++) /* the last feature is unseen */
            term[i * PER_ROW + j] = (struct effects_term){
                (uint32_t)rng_below(&r, FEATURES - 1), rng_normal(&r)};
        row_at[i + 1] = (i + 1) * PER_ROW;
        y[i] = rng_normal(&r);
        weight[i] = .5 + rng_f64(&r);
    }
    for (int f = 0; f < FEATURES; f++)
        ridge[f] = 1 + f;
    struct effects_in in = {ROWS, FEATURES, row_at, term, y, weight, ridge};
    void *scratch = malloc(effects_scratch(&in));
    double s2 = effects_fit(&in, got, var, scratch);
    dense(&in, want);
    for (int f = 0; f < FEATURES; f++) {
        assert_true(fabs(got[f] - want[f]) < 1e-5);
        assert_true(var[f] > 0 && var[f] <= s2 / ridge[f] * (1 + 1e-12));
    }
    assert_true(got[FEATURES - 1] == 0);
    free(scratch);
}

static void
standing(void **state)
{
    static const struct {
        double gap;
        int times, sign; /* of the change of the prediction */
    } row[] = {{0, 0, 0}, {0, 4, 0}, {-1, 4, -1}, {1, 4, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct standing s = {0, 0};
        double mean = 0, sd = 1;
        for (int j = 0; j < row[i].times; j++)
            standing_add(&s, 1, row[i].gap, STANDING_WIDTH);
        standing_apply(&s, &mean, &sd);
        assert_true((mean > 0) - (mean < 0) == row[i].sign);
        assert_true(row[i].times > 0 ? sd < 1 : sd == 1);
    }
    /* a near neighbour says more than a far one */
    struct standing s = {0, 0};
    standing_add(&s, 1, -1, STANDING_WIDTH);
    standing_add(&s, 5, 1, STANDING_WIDTH);
    assert_true(standing_odds(&s) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_dense),
        cmocka_unit_test(standing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
