/* One campaign of the real engine on a simulated problem, and the fixed plan
 * that it is compared with. */
#ifndef TRUTH_LIVE_H
#define TRUTH_LIVE_H

#include "shape.h"

struct opened {                 /* a finalist whose seal was opened */
    double gain, lo, hi, truth; /* sealed, metric units */
    double quoted;              /* shrunken gain quoted beside the interval */
    uint64_t mask;
    bool claimed;
};

struct pair_seen { /* a judged pair of ideas */
    double mean, lo, hi, truth;
    uint32_t verdict;
};

struct outcome {
    uint32_t trials;
    uint64_t proved, promoted, rejected, delivered; /* ideas, bit masks */
    uint64_t useful; /* delivered, and the proposal is worse without it */
    /* ideas without gain that were measured, and those of them whose e-value
     * was 20 or more at any look */
    uint64_t idle, crossed;
    uint32_t n_opened, n_pairs;
    struct opened opened[FINALISTS_MAX];
    struct pair_seen pair[PAIRS_MAX];
    bool claimed;
    double claim_truth; /* sealed gain of what is shipped, 0: nothing is */
};

void live_run(
    const struct problem *p, uint32_t trials, bool print, struct outcome *out);

enum plan_rule { PLAN_BH, PLAN_DUNNETT, PLAN_RULES };
struct plan_outcome {
    uint32_t tested;
    uint64_t found[PLAN_RULES]; /* accepted ideas */
    double ship[PLAN_RULES];    /* true sealed gain of the best accepted one */
    double stack[PLAN_RULES];   /* of all accepted ones together */
};
/* Five seeds of the baseline and five of each idea in the given order, as far
 * as the trials reach; one-sided t-tests with pooled variance, accepted by
 * Benjamini-Hochberg at q = .1 or by Dunnett's one-sided test at .05. */
void plan_run(const struct problem *p, uint32_t trials, struct plan_outcome *o);

#endif
