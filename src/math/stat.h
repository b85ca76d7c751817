/* Statistics on runs: running moments, pooled noise, posteriors of noise and
 * effect, the always-valid one-sided safe t-test and e-BH.
 * Every effect is oriented so that "+" is better. */
#ifndef MATH_STAT_H
#define MATH_STAT_H

#include <stdbool.h>

/* Running mean and sum of squares about it (Welford, Technometrics 4, 1962).
 * All zero is the empty one. */
struct welford {
    double n;
    double mean;
    double m2;
};

void welford_add(struct welford *w, double x);
/* As if every value of b had been added to a (Chan et al. 1983). */
void welford_merge(struct welford *a, const struct welford *b);
/* Unbiased variance, NaN below two values. */
double welford_var(const struct welford *w);
double welford_sd(const struct welford *w);

/* Noise pooled over groups of repeats; all zero is the empty one. */
struct pooled {
    double ss; /* sum of squares about each group's mean */
    double df;
};

/* Adds n - 1 degrees of freedom; a group of one adds nothing. */
void pooled_add(struct pooled *p, const struct welford *w);
/* ss / df, NaN when df = 0. */
double pooled_var(const struct pooled *p);

/* Seed noise s^2 ~ inverse gamma(a, b); prior guess b / a worth 2 a degrees of
 * freedom. */
struct noise {
    double a;
    double b;
};

/* The prior whose guess of s^2 is `s2` worth `df` degrees of freedom. */
struct noise noise_prior(double s2, double df);
/* Posterior after the pooled sum of squares (a + df/2, b + ss/2). */
struct noise noise_update(struct noise prior, const struct pooled *p);
/* Point estimate of s^2: b / a (the scale of the marginal Student t). */
double noise_s2(struct noise x);
/* Degrees of freedom of that scale: 2 a. */
double noise_df(struct noise x);
/* Quantile of s^2, 0 < p < 1. */
double noise_quantile(struct noise x, double p);

/* Mean and noise of one arm together: mu | s^2 ~ N(m, s^2/kappa), s^2 ~ inverse
 * gamma(a, b) (Murphy 2007, eq. 86-89). The marginal of mu is Student t with
 * 2 a degrees of freedom, centre m, scale sqrt(b / (a kappa)). */
struct nig {
    double m;
    double kappa;
    double a;
    double b;
};

struct nig nig_update(struct nig prior, const struct welford *w);
double nig_scale(struct nig x);
double nig_quantile(struct nig x, double p);

struct gauss {
    double mean;
    double sd;
};

/* Posterior of theta ~ N(m, tau^2) after an estimate ybar of variance v > 0:
 * 1/tau'^2 = 1/tau^2 + 1/v (with n repeats v = s^2 / n, for a difference
 * v = s^2 (1/n_i + 1/n_0)). tau is an sd; 0 keeps the prior, INFINITY gives
 * the estimate itself. */
struct gauss posterior_normal(double m, double tau, double ybar, double v);
/* P(theta > x), exact in both tails. */
double gauss_above(struct gauss g, double x);

/* Log e-value of the one-sided safe t-test against H0: theta <= 0, where d is
 * the difference of the means of an arm (n_i runs) and the control (n_0 runs),
 * neff = n_i n_0 / (n_i + n_0), s2 the pooled variance on df >= 1 degrees
 * (WITHOUT a prior: a prior on s^2 would break the guarantee). The alternative
 * is theta / s ~ half-normal(g), g > 0. Use d - gain to test theta <= gain.
 * Returns 0 (no evidence, e = 1) while neff = 0, df < 1 or s2 = 0.
 * Valid at any stopping time: P(some e >= 1/a) <= a under H0. */
double safe_t_log_e(double d, double neff, double s2, double df, double g);

/* Closed e-BH: accepts the k largest e-values for the largest k such that
 * every set S of hypotheses has a mean e-value of at least
 * |S and accepted| / (q k) (Xu et al. 2025). The false discovery rate is at
 * most q under any dependence: for S = the true nulls the condition says that
 * the false share is at most q times an e-value. Accepts all that e-BH (Wang &
 * Ramdas, JRSS-B 84, 2022) does, and more where several are large. 0 < q < 1,
 * 0 <= n <= EBH_N_MAX; equal e-values are accepted together only where all of
 * them may be. Writes accepted[0..n), returns k. Takes O(n^3). */
#define EBH_N_MAX 64
int ebh(const double *log_e, int n, double q, bool *accepted);

#endif
