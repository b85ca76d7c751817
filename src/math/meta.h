/* From recorded results to priors: random-effects meta-analysis with
 * similarity weights, and trust in a source learnt from its predictions. */
#ifndef MATH_META_H
#define MATH_META_H

/* One recorded delta: effect d, its sampling variance v > 0, similarity r of
 * its model and data to ours, 0 <= r <= 1 (0: ignored). */
struct meta_delta {
    double d;
    double v;
    double r;
};

/* What is believed of the between-source variance before any source: a guess
 * t2 >= 0 worth k >= 0 sources. k = 0 is plain DerSimonian-Laird, which says
 * t2 = 0 for a single source: too sure of transfer. */
struct meta_prior {
    double t2;
    double k;
};

struct meta_pool {
    double m;     /* pooled mean, sum w d / sum w, w = r / (v + t2) */
    double t2;    /* between-source variance */
    double tau2;  /* variance of the effect in a new place, t2 + 1 / sum w */
    double k_eff; /* sum of r: equal in evidence to so many full matches */
};

/* Pools n deltas; prior may be NULL (plain DerSimonian-Laird). Nothing to
 * pool (n = 0 or every r = 0) gives m = 0, tau2 = INFINITY, k_eff = 0. */
struct meta_pool
meta_pool(const struct meta_delta *in, int n, const struct meta_prior *prior);

/* How much a source of predictions knows of this place, learnt on line from
 * those of its predictions that were measured since:
 *   d_j = slope m_j + shift - e_0 + e_j.
 * slope 1: as good as it says; 0: what it says does not matter; a negative one
 * is held at 0, a liar is ignored and not believed backwards. shift is common
 * to all that the source says (a baseline that is good already loses by most
 * changes); e_0 is the baseline's own error, which is in every d_j and in no
 * truth. Bayesian linear regression (Bishop, PRML, eq. 3.50-3.51). */
struct source_obs {
    double m, tau2; /* what the source had said: N(m, tau2), tau2 > 0 */
    double d, v;    /* what was measured, and its variance without e_0's */
};

struct source_fit {
    double slope, shift;
    double v_slope, v_shift, cov; /* posterior variances and covariance */
};

/* shift_var >= 0: variance of the shift among places; base_var >= 0: variance
 * of e_0. n = 0 gives slope 1, shift 0 and no extra variance: a source that
 * was not tried stands by its word. A difference of more than 3 sds is held at
 * 3: one collapsed run is no verdict on a source. */
void source_fit(struct source_fit *out, const struct source_obs *in, int n,
    double shift_var, double base_var);
/* What another prediction N(*m, *tau2) of the source is worth. */
void source_apply(const struct source_fit *f, double *m, double *tau2);

#endif
