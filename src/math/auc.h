/* Metrics of binary predictions and the sampling variance of their
 * differences: AUC with ties and DeLong components (DeLong et al., Biometrics
 * 44, 1988; Sun & Xu, IEEE SPL 21, 2014), logloss, normalised entropy (He et
 * al., ADKDD 2014). Labels are 0 or 1; scores must not be NaN. */
#ifndef MATH_AUC_H
#define MATH_AUC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "math/order.h"

/* Area under the ROC curve, ties count half. work has room for 2 n.
 * -ERR_INPUT when one class is missing. */
int auc_value(const double *score, const uint8_t *label, size_t n,
    struct order_key *work, double *out, struct err *err);
/* Mean negative log likelihood of probabilities, clipped to [1e-15, 1-1e-15]
 * so that one sure error does not make it infinite. n >= 1. */
double logloss(const double *prob, const uint8_t *label, size_t n);
/* Logloss over the entropy of the base rate of the same rows; NaN when the
 * rows have one class only. */
double normalised_entropy(const double *prob, const uint8_t *label, size_t n);

/* The rows that two arms are compared on. */
struct row_set {
    size_t n;
    const uint8_t *label;
    const uint32_t *group; /* cluster id of each row in [0, groups), or NULL */
    uint32_t groups;
};

/* One arm: the predictions of each of its seeds over the rows. */
struct row_scores {
    int seeds;
    const double *const *score; /* [seed][row] */
};

/* "diff" is value of b minus value of a, in the metric's own direction. */
struct row_diff {
    double a, b;
    double diff;
    double var; /* of diff by the sampling of rows only; add seed noise */
};

/* Doubles of `sum` scratch needed below. */
size_t row_scratch(const struct row_set *rows);

/* Difference of the mean AUCs over seeds, and its sampling variance by the
 * averaged DeLong components; with groups, rows of a group count as one unit
 * (Obuchowski, Biometrics 53, 1997). work has room for 2 n, sum for
 * row_scratch(). -ERR_INPUT: a class (or all but one group) is missing. */
int auc_diff(const struct row_set *rows, const struct row_scores *a,
    const struct row_scores *b, struct order_key *work, double *sum,
    struct row_diff *out, struct err *err);
/* The same for mean logloss (lower is better: diff < 0 says b is better),
 * paired by row, optionally clustered. */
int logloss_diff(const struct row_set *rows, const struct row_scores *a,
    const struct row_scores *b, double *sum, struct row_diff *out,
    struct err *err);

#endif
