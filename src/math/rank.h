/* Ranks, rank correlation and quantiles. */
#ifndef MATH_RANK_H
#define MATH_RANK_H

#include <stddef.h>

#include "math/order.h"

/* Average ranks 1..n of x (ties share their mean rank). work: 2 n. */
void
rank_average(const double *x, size_t n, struct order_key *work, double *rank);
/* Spearman's rank correlation with ties; NaN when n < 2 or one side is
 * constant. work: 2 n, ranks: 2 n doubles. */
double spearman(const double *x, const double *y, size_t n,
    struct order_key *work, double *ranks);
/* Quantile 0 <= q <= 1 with linear interpolation (Hyndman & Fan 1996, type 7,
 * the default of R and numpy). Reorders x (quickselect). n >= 1, no NaN. */
double quantile_in_place(double *x, size_t n, double q);
double median_in_place(double *x, size_t n);

#endif
