/* Parts that gp.c and gp_hyper.c share; nothing else includes this. */
#ifndef MATH_GP_KERNEL_H
#define MATH_GP_KERNEL_H

#include <math.h>

#include "math/gp.h"

/* Points that the hyperparameter search looks at, and its scratch. */
#define GP_SEARCH_N 64
#define GP_SEARCH_PAIRS (GP_SEARCH_N * (GP_SEARCH_N - 1) / 2)
#define GP_SEARCH_SCRATCH                                                      \
    (3 * GP_SEARCH_PAIRS + GP_SEARCH_N * GP_SEARCH_N + 6 * GP_SEARCH_N)

/* Squared gap of two values of one dimension: in [0, 1], 1 for categories
 * that differ and when only one is active. */
static inline double
gp_gap(enum gp_dim_kind kind, double a, double b)
{
    double gap = a - b;

    if (isnan(gap))
        return isnan(a) == isnan(b) ? 0 : 1;
    if (kind == GP_DIM_CATEGORY)
        return gap != 0;
    return gap * gap;
}

/* Matern-5/2 of the squared scaled distance r2 times exp(-mismatch). */
static inline double
gp_correlation(double r2, double mismatch)
{
    double r = sqrt(5 * r2);

    return (1 + r + r * r / 3) * exp(-r - mismatch);
}

/* Integrates out the trend of y = b0 + b1 h + f, f ~ N(0, L L'), priors
 * b0 ~ N(0, 1), b1 ~ N(0, w_var); w_var = 0 means that h has no part. Writes
 * hl (2 x ld_hl) = L^-1 [1 h] and alpha = L^-1 (y - H b) (R&W eq. 2.41-2.43).
 */
void
gp_trend_fit(const double *l, int n, int ld, const double *y, const double *h,
    double w_var, double *hl, int ld_hl, double *alpha, struct gp_trend *out);

/* Sets relevance, sf2 and nugget of g from its points x, y, h and their noise
 * (standardised units). scratch: GP_SEARCH_SCRATCH doubles. */
void gp_hyper_search(struct gp *g, const double *noise, double *scratch);

#endif
