/* Metrics of scored rows. */
#ifndef TRAINER_METRIC_H
#define TRAINER_METRIC_H

#include <stdint.h>

/* Scored rows of a split; the arrays are owned by whoever filled them. */
struct scores {
    uint64_t n;
    float *score;     /* probability */
    float *label;     /* 0 or 1 */
    float *relevance; /* the label as given */
    uint32_t *group;
};

/* What cannot be computed (one class only, no rows) is NaN. */
struct metrics {
    double auc;
    double gauc; /* mean of the groups' AUC weighted by their rows, groups of
                    one class left out (Zhu et al., KDD 2017, eq. 7) */
    double ndcg; /* mean NDCG@10 of groups that hold a positive */
    double logloss;
    double ne; /* logloss over the entropy of the mean label (He et al., ADKDD
                  2014, eq. 1) */
    double calibration; /* mean score over mean label */
};

void metrics_compute(const struct scores *s, struct metrics *m);

#endif
