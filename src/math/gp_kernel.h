/* Parts that gp.c and gp_hyper.c share; nothing else includes this. */
#ifndef MATH_GP_KERNEL_H
#define MATH_GP_KERNEL_H

#include <math.h>

#include "math/gp.h"

/* Points that the hyperparameter search looks at, and its scratch. */
#define GP_SEARCH_N 40
#define GP_SEARCH_PAIRS (GP_SEARCH_N * (GP_SEARCH_N - 1) / 2)
#define GP_SEARCH_SCRATCH(d)                                                   \
    (((size_t)(d) + 5) * GP_SEARCH_PAIRS + 2 * GP_SEARCH_N * GP_SEARCH_N +     \
        4 * GP_SEARCH_N)

/* Values inside a process: what does not apply is a number that equals itself
 * and is at least 1 away from all others, so that no loop needs a branch. */
#define GP_OFF (-4.0)

/* Gap of two (inner) values of one dimension, in [0, 1]: squared distance of
 * reals, 1 for categories that differ, the share of differing bits of sets; 1
 * when only one applies. */
static inline double
gp_gap(const struct gp_space *s, int k, double a, double b)
{
    if (s->kind[k] == GP_DIM_REAL)
        return fmin(1, (a - b) * (a - b));
    if (s->kind[k] != GP_DIM_SET || a == b)
        return a != b;
    if (a < 0 || b < 0)
        return 1;
    double n = 0;
    for (uint64_t differ = (uint64_t)a ^ (uint64_t)b; differ != 0; n++)
        differ &= differ - 1;
    return fmin(1, n / s->bits[k]);
}

/* Matern-5/2 of the squared scaled distance r2 times exp(-mismatch). */
static inline double
gp_correlation(double r2, double mismatch)
{
    double r = sqrt(5 * r2);

    return (1 + r + r * r / 3) * exp(-r - mismatch);
}

/* Do two points lie on the same branch? 1 or 0; 0 without any root. */
static inline double
gp_same_branch(const struct gp_space *s, const double *a, const double *b)
{
    uint64_t left = s->root;

    if (left == 0)
        return 0;
    for (; left != 0; left &= left - 1) {
        int k = __builtin_ctzll(left);
        if (a[k] != b[k])
            return 0;
    }
    return 1;
}

/* Integrates out the trend of y = b0 + b1 h + f, f ~ N(0, L L'), priors
 * b0 ~ N(0, 1), b1 ~ N(0, w_var); w_var = 0 means that h has no part. Writes
 * hl (2 x ld_hl) = L^-1 [1 h] and alpha = L^-1 (y - H b) (R&W eq. 2.41-2.43).
 */
void
gp_trend_fit(const double *l, int n, int ld, const double *y, const double *h,
    double w_var, double *hl, int ld_hl, double *alpha, struct gp_trend *out);

/* Sets relevance, sf2, branch and nugget of g from its points x, y, h and
 * their noise (standardised units). scratch: GP_SEARCH_SCRATCH(d) doubles. */
void gp_hyper_search(struct gp *g, const double *noise, double *scratch);

#endif
