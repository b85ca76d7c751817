/* What to run next: values of one more sample and choices among arms.
 * "+" is better everywhere. */
#ifndef MATH_ACQUIRE_H
#define MATH_ACQUIRE_H

struct rng;

/* f(z) = z Phi(z) + phi(z), and its logarithm, exact for any z (no underflow,
 * no cancellation: Ament et al., arXiv 2310.20708, eq. 9). */
double acquire_f(double z);
double acquire_log_f(double z);

/* Knowledge gradient of one more run of an arm believed N(m, tau2) when run
 * noise is s2 and the best alternative is worth `standard`:
 * sg f(-|m - standard| / sg), sg^2 = tau2^2 / (tau2 + s2) (Frazier, Powell,
 * Dayanik 2008, 2009). 0 when tau2 = 0. */
double knowledge_gradient(double m, double tau2, double s2, double standard);
/* Knowledge gradient of n runs of one arm at once (s2 / n). */
double knowledge_gradient_n(
    double m, double tau2, double s2, double n, double standard);

/* Expected improvement of one noisy run of a new arm believed N(m, tau2) when
 * run noise is s2: E max(0, m' - best) over its posterior mean m' after the
 * run, sg f((m - best) / sg) with the same sg. Unlike the knowledge gradient
 * it counts what the arm's mean is above `best` already: a new arm can be
 * named only once it was run. 0 or m - best when tau2 = 0. */
double noisy_improvement(double m, double tau2, double s2, double best);

/* Expected improvement over `best` of N(mean, sd^2), and its logarithm (finite
 * for sd > 0; -INFINITY when sd = 0 and mean <= best). */
double expected_improvement(double mean, double sd, double best);
double expected_improvement_log(double mean, double sd, double best);

/* OCBA (Chen et al. 2000, eq. 3-4): shares of the budget, summing to 1, that
 * maximise the chance to select the best of n >= 1 arms with these means and
 * noise variances s2 > 0. Ties with the best are treated as a difference of
 * 1e-3 sd. */
void ocba_shares(const double *mean, const double *s2, int n, double *share);
/* The arm that is furthest below its OCBA share of sum(count) + 1 runs. share
 * is work space of n doubles and holds the shares after. */
int ocba_next(const double *mean, const double *s2, const double *count, int n,
    double *share);

/* Top-two Thompson sampling (Russo, arXiv 1602.08448) over n >= 1 independent
 * normal beliefs: a draw's best arm with probability beta, else the best arm
 * of a later draw that differs. Draws from r only; ends after at most 100
 * redraws with the runner-up of the last draw. */
int thompson_top_two(
    const double *mean, const double *sd, int n, double beta, struct rng *r);
/* Plain Thompson sampling: the best arm of one draw. */
int thompson_one(const double *mean, const double *sd, int n, struct rng *r);

#endif
