/* Variance components: a normal model whose covariance is a weighted sum of
 * known similarity matrices, K = sum_c v_c S_c (Searle, Casella & McCulloch,
 * Variance Components, 1992; as a Gaussian process: Rasmussen & Williams 2006,
 * ch. 2 and 5.4). A hierarchical model is one of them: "same group" is a
 * similarity of 1. The weights are those of the largest marginal likelihood
 * under a log-normal guess of each, found by average-information Newton steps
 * (Gilmour, Thompson & Cullis, Biometrics 51, 1995). */
#ifndef MATH_COMPONENTS_H
#define MATH_COMPONENTS_H

#include <stddef.h>

enum { COMPONENTS_MAX = 12 };

struct components {
    int n; /* rows, >= 0 */
    int k; /* similarities, 1..COMPONENTS_MAX */
    /* k symmetric positive semidefinite matrices n x n, one after another. */
    const double *sim;
    const double *y;
    const double *noise;    /* known variance of each y, >= 0; NULL: none */
    double guess, guess_sd; /* of each weight: exp(N(log guess, sd^2)) */
    double weight[COMPONENTS_MAX]; /* found by components_fit */
};

/* Doubles of work space. */
size_t components_scratch(int n);
/* Finds the weights and leaves in scratch what components_ask needs: it must
 * live and stay untouched. Deterministic. -ERR_CHECK when the matrix of the
 * guess is not positive definite: give each row a similarity of its own. */
int components_fit(struct components *c, double *scratch);
/* Means and covariances at m further points: cross holds k matrices m x n of
 * similarities to the rows, own k matrices m x m among the points. mean: m;
 * cov: m x m, symmetric, in full. work: m x n doubles. */
void components_ask(const struct components *c, const double *scratch, int m,
    const double *cross, const double *own, double *mean, double *cov,
    double *work);
/* The m rows `at` as the others predict them with the same weights: residual
 * y - mean and variance of each (leave-group-out by the block of the inverse,
 * R&W 5.4.2). -ERR_CHECK when the rows repeat. work: m x (n + m) doubles. */
int components_leave_out(const struct components *c, const double *scratch,
    const int *at, int m, double *residual, double *var, double *work);
/* log p(y | weights) of the weights found, the guess apart. */
double components_evidence(const struct components *c, const double *scratch);

#endif
