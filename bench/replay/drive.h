/* One replayed campaign: the real engine over recorded trials. */
#ifndef REPLAY_DRIVE_H
#define REPLAY_DRIVE_H

#include "core/core.h"
#include "problem.h"

enum { BUDGET_MAX = 4000 };

struct claim {
    uint32_t candidate;
    double gain, lo, hi, true_gain; /* sealed, + is better */
    bool claimed;                   /* else a finalist that was opened */
};

struct run {
    const char *dataset;
    uint64_t seed;
    uint32_t start, budget;
    uint32_t n;                     /* trials that ran, <= budget */
    uint32_t evaluated[BUDGET_MAX]; /* candidates in order */
    uint32_t incumbent[BUDGET_MAX]; /* named after each; filled to budget */
    double decide_ms[BUDGET_MAX];
    uint32_t phase_trials[PHASE_COUNT];
    bool phase_skipped[PHASE_COUNT]; /* in the plan, but nothing was run */
    uint32_t n_claims;
    struct claim claim[FINALISTS_MAX];
};

enum method {
    METHOD_REA,
    METHOD_RANDOM,
    METHOD_GREEDY,
    METHOD_PRIOR,
    METHOD_SERVE
};

/* Recorded value of a candidate plus redrawn seed noise of its k-th run: the
 * same for every method of one (problem, seed). */
double replay_value(
    const struct problem *p, uint64_t seed, uint32_t candidate, uint32_t k);

/* r->dataset, seed, start and budget are set; fills the rest. p is aimed at
 * r->start. Returns 0 or a negative code. */
int drive_engine(
    const struct problem *p, struct run *r, bool full, struct err *err);
int drive_random(const struct problem *p, struct run *r);
/* Keep a change of one knob when its one run is better: the naive loop. */
int drive_greedy(const struct problem *p, struct run *r);
/* The best predicted first, whatever is measured; without predictions in the
 * table's order. */
int drive_prior(const struct problem *p, struct run *r);
/* Another program chooses, over stdin and stdout, by lines: see README. */
int drive_serve(const struct problem *p, struct run *r, struct err *err);

#endif
