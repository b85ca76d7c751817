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

/* Belief that a source predicts our effects, as log odds against "it knows
 * nothing". The odds are kept within TRUST_LOG_ODDS_MAX so that a source can
 * fall from grace and come back. */
#define TRUST_LOG_ODDS_MAX 7.0
struct trust {
    double log_odds;
    double n; /* observations seen */
};

/* 0 < p < 1: weight before anything was seen. */
struct trust trust_start(double p);
/* The source had said N(m, tau2), we saw y with sampling variance v; the
 * alternative is N(0, vague_sd^2). Adds the difference of the two log scores.
 * tau2 + v > 0 and vague_sd > 0. */
void trust_update(struct trust *t, double m, double tau2, double y, double v,
    double vague_sd);
/* Weight in (0, 1): multiply r by it, or shrink m by it. */
double trust_weight(const struct trust *t);

#endif
