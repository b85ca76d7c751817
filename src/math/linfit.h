/* Bayesian linear regression with known noise variances and independent normal
 * priors (Bishop, PRML, eq. 3.50-3.51, with unequal noise). */
#ifndef MATH_LINFIT_H
#define MATH_LINFIT_H

#include "base/err.h"

#define LINFIT_P_MAX 48
#define LINFIT_N_MAX 512

struct linfit {
    int p;
    double log_evidence;       /* log p(y), all constants included */
    double mean[LINFIT_P_MAX]; /* posterior mean */
    double cov[LINFIT_P_MAX * LINFIT_P_MAX]; /* posterior covariance, p x p */
};

/* What is fitted: y = X b + e, e_i ~ N(0, v_i), b_j ~ N(m0_j, t2_j). */
struct linfit_in {
    int n;           /* rows, 0..LINFIT_N_MAX; 0 returns the prior */
    int p;           /* coefficients, 1..LINFIT_P_MAX */
    const double *x; /* n x p by rows */
    const double *y;
    const double *v;  /* > 0 */
    const double *m0; /* prior means */
    const double *t2; /* prior variances > 0 */
};

/* -ERR_INPUT when a size or a number is out of range (which row or column is
 * in the text), -ERR_CHECK when the precision cannot be factored. The struct
 * is 19 KB: keep it in an arena. */
int linfit_fit(struct linfit *out, const struct linfit_in *in, struct err *err);
/* Mean and sd of the combination c' b. */
void linfit_predict(
    const struct linfit *f, const double *c, double *mean, double *sd);

#endif
