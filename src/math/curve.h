/* Learning curves at a few rungs: what the value of a run at a low rung says
 * of its value at the top, measured from runs that went further.
 *
 * Model: values at rung r + 1 are linear in those at rung r,
 * y' = a + b y + e, e ~ N(0, s^2), one regression a stage, fitted by Bayesian
 * least squares with a weak prior (Gelman et al., BDA3, 14.8): b near 1 with
 * the weight of PRIOR_RUNS runs, s^2 ~ scaled inverse chi^2. A prediction of
 * the top goes through all stages and carries the uncertainty of each, its
 * coefficients' included, so that few curves mean wide predictions.
 * Regression survives selection: which runs went on was decided by y, and the
 * law of y' given y is that of all runs. A correlation does not; so the
 * reliability of a rung is computed from the regressions over all runs that
 * reached it: rho^2 = var(prediction) / (var(prediction) + error variance).
 * The family of methods: Swersky et al., arXiv 1406.3896 (freeze-thaw);
 * Klein et al. 2017 (learning curve prediction); Li et al., arXiv 1603.06560
 * and 1810.05934 (rungs).
 * "+" is better. Losses far beyond the rest are floored first. */
#ifndef MATH_CURVE_H
#define MATH_CURVE_H

#include <stdbool.h>

#define CURVE_RUNGS_MAX 12

struct curve_stage { /* from rung r to r + 1 */
    int n;           /* runs known at both */
    double mean_x, mean_y, slope;
    double sxx; /* spread that the slope rests on, prior included */
    double s2;  /* residual variance, posterior mean */
    double df;
};

struct curve {
    int rungs; /* 1..CURVE_RUNGS_MAX; the last one is the top */
    int full;  /* runs known at the top */
    double floor[CURVE_RUNGS_MAX];
    double rho[CURVE_RUNGS_MAX]; /* reliability of each rung, in [0, 1] */
    struct curve_stage stage[CURVE_RUNGS_MAX];
};

/* Fits all stages to n >= 1 runs; y is n x rungs by rows, NaN: not known. */
void curve_fit(struct curve *c, const double *y, int n, int rungs);

/* The value at the top of a run that has y at rung r (0-based). */
void
curve_predict(const struct curve *c, int r, double y, double *mean, double *sd);

#endif
