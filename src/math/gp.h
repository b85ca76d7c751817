/* Gaussian process regression over mixed and conditional knobs.
 * Kernel: s_f^2 ((1 - b) Matern-5/2 (ARD) on the real dimensions times
 * exp(-sum theta_k gap_k) on categories and sets, + b [same branch]): the
 * branch is the value of the dimensions that decide which others apply (a
 * model choice), and has a level of its own (Rasmussen & Williams 2006, ch. 2,
 * 4.2, 5.4; Hutter 2009, 11.2; Duvenaud et al., arXiv 1112.4394, for the sum).
 * Trend b0 + w prior(x), whose two coefficients are integrated out (R&W 2.7).
 * Noise is known per point. */
#ifndef MATH_GP_H
#define MATH_GP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GP_N_MAX 256
#define GP_D_MAX 64
/* Value of a dimension that does not apply to a point (conditional knob): a
 * NaN. Two inactive ones are equal, one inactive is as far as can be. */
#define GP_INACTIVE __builtin_nan("")

enum gp_dim_kind {
    GP_DIM_NONE,
    GP_DIM_REAL,     /* in [0, 1] (scale or take logs before) */
    GP_DIM_CATEGORY, /* a small whole number that names the value */
    GP_DIM_SET,      /* bit mask: its gap is the share of differing bits */
};

struct gp_space {
    int d; /* 1..GP_D_MAX */
    enum gp_dim_kind kind[GP_D_MAX];
    uint8_t bits[GP_D_MAX]; /* of a set, 1..52 */
    uint64_t root;          /* bit k: dimension k is part of the branch */
    /* Sum of the gaps of two points that have nothing to do with each other;
     * 0: half the dimensions. Relevances are sought around its inverse. */
    double reach;
    /* Sd of y expected before any is seen, and the points that this guess is
     * worth; 0: the data's own spread alone. */
    double spread, spread_n;
    double weight_mean; /* prior of the weight w of the prior mean; the */
    double weight_sd;   /* usual .5 and .5; sd 0 fixes w at the mean */
};

struct gp_data {
    int n;               /* points, 1..cap */
    const double *x;     /* n x d by rows */
    const double *y;     /* "+" is better or worse: does not matter */
    const double *v;     /* noise variance of each y (s^2 / runs), >= 0 */
    const double *prior; /* prior mean of each point, or NULL */
};

/* The trend's two coefficients (b0, w - weight_mean) in standardised units,
 * normal with this mean and covariance given the data. */
struct gp_trend {
    double b[2];
    double cov[3]; /* 00, 01, 11 */
    double log_evidence;
};

/* A fitted process; its arrays lie in the caller's scratch, which must live
 * as long. Read: n, weight, weight_sd, relevance, branch, nugget, scale,
 * log_evidence; the rest is its own. */
struct gp {
    struct gp_space space;
    int n;
    int cap;
    double weight; /* posterior of w */
    double weight_sd;
    double relevance[GP_D_MAX]; /* 1 / length for reals, theta for categories
                                   and sets; near 0 = no influence seen */
    double sf2;                 /* signal variance, in units of scale^2 */
    double branch;              /* share of it that the branch has */
    double nugget;              /* variance of a point's own, same units */
    double log_evidence;        /* of the standardised y, all points */
    double shift, scale;        /* y = shift + scale * standardised */
    double prior_shift;
    struct gp_trend trend;
    double *x, *y, *h; /* cap x d, cap, cap (prior column) */
    double *l;         /* cap x cap factor */
    double *hl;        /* L^-1 [1 h], 2 x cap */
    double *alpha;     /* L^-1 (y - H b), cap */
    double *weights;   /* L^-T alpha, cap */
};

/* Sum of the gaps of two points over all dimensions, see gp_kernel.h. */
double gp_gaps(const struct gp_space *space, const double *a, const double *b);

/* Doubles of scratch for up to cap points (fantasies included) in d
 * dimensions. */
size_t gp_scratch(int cap, int d);

/* Fits hyperparameters by type-II maximum a posteriori with a fixed number of
 * gradient steps (on at most 40 points spread over the data), then factors all
 * points. Deterministic.
 * -ERR_INPUT names the point and dimension that is out of range; -ERR_CHECK
 * when the covariance cannot be factored. */
int gp_fit(struct gp *g, const struct gp_space *space,
    const struct gp_data *data, int cap, double *scratch, struct err *err);

/* The same points under the same kernel with other outcomes (costs): g is
 * filled from `from`, relevances and shares included. */
int gp_fit_as(struct gp *g, const struct gp *from, const struct gp_data *data,
    double *scratch, struct err *err);

/* Means and sds (of the noise-free function) at m points, m x d by rows.
 * prior: their prior means, NULL exactly when the data had none. sd may be
 * NULL: the means alone are much cheaper. */
void gp_predict(const struct gp *g, const double *x, const double *prior, int m,
    double *mean, double *sd);
/* No point's sd is above this; prior as in gp_predict. */
double gp_sd_most(const struct gp *g, double prior);

/* Adds one point without refitting the hyperparameters, for example the
 * predicted mean of a job in flight (a fantasy). -ERR_LIMIT when full. Points
 * may be taken back by gp_truncate to an earlier n. */
int gp_add(struct gp *g, const double *x, double y, double v, double prior,
    struct err *err);
void gp_truncate(struct gp *g, int n);

#endif
