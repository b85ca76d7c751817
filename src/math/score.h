/* How good predictions were: proper scores of a normal prediction, and how
 * often each of several beliefs is the best. */
#ifndef MATH_SCORE_H
#define MATH_SCORE_H

struct rng;

/* Continuous ranked probability score of N(mean, sd^2), sd >= 0, when y
 * happened: 0 is perfect, in the unit of y (Gneiting & Raftery, JASA 102,
 * 2007, eq. 21 with the sign turned). sd = 0 gives |y - mean|. */
double crps_normal(double mean, double sd, double y);
/* Half width of the central 80 % interval of N(0, 1). */
#define INTERVAL80_Z 1.2815515655446004

/* Share of `draws` joint draws from N(mean, cov) in which each of m beliefs is
 * the largest; of equal ones the first. cov: m x m, lower triangle read,
 * positive semidefinite up to rounding; work: m x m + m doubles. Sums to 1. */
void best_shares(const double *mean, const double *cov, int m, int draws,
    struct rng *r, double *share, double *work);

/* Rows of predicted chances against what happened, in bins of equal width. */
enum { RELIABILITY_BINS = 5 };
struct reliability {
    double n[RELIABILITY_BINS], predicted[RELIABILITY_BINS];
    double happened[RELIABILITY_BINS];            /* sums; divide by n */
    double rows, brier, crps, covered, sd, error; /* sums over rows */
};
/* A prediction N(mean, sd^2) with chance p of a gain, and the measured y with
 * the variance v of its own error: it widens the interval and the score. */
void reliability_add(struct reliability *r, double mean, double sd, double p,
    double y, double v);

#endif
