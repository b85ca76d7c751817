/* One recorded dataset as a search problem: candidates, knobs, truth, noise. */
#ifndef REPLAY_PROBLEM_H
#define REPLAY_PROBLEM_H

#include "core/spec.h"
#include "table.h"

enum noise_from { NOISE_GIVEN, NOISE_REPEATS, NOISE_SHARED };

struct problem {
    const char *dataset;
    uint32_t n;             /* distinct configurations */
    const struct row **row; /* the first trial of each */
    double *val, *test;     /* means over the trials of each */
    double best, median;    /* of val */
    double noise;           /* sd of the redrawn seed noise */
    enum noise_from noise_from;
    double *prior;    /* score from other families, + is better */
    double *prior_sd; /* their spread */
    bool has_prior;
    struct spec *spec;         /* knobs; no defaults and candidates yet */
    double (*code)[KNOBS_MAX]; /* NaN: the knob is not active */
    uint32_t n_folded;         /* knobs left out and values joined: limits */
    uint32_t n_known; /* configurations recorded; above n: n is a sample */
};

/* Builds the problem of one dataset; noise < 0: from repeats in the table.
 * -ERR_INPUT where fewer than 3 trials are known or none is better than the
 * median. out->spec is the caller's to free, after an error as well. */
int problem_build(struct arena *a, const struct trials *t, const char *dataset,
    double noise, struct problem *out, struct err *err);
/* Sets best and median from val. */
void problem_scale(struct problem *p);
/* Candidate that a campaign starts from: drawn by the seed among those around
 * the median; `full` prefers one with recorded single changes. */
uint32_t problem_start(const struct problem *p, uint64_t seed, bool full);
/* Puts defaults and candidates for this start into p->spec. */
void problem_aim(struct problem *p, uint32_t start);
/* Knobs in which two candidates differ, counted up to `most` + 1. */
uint32_t problem_distance(
    const struct problem *p, uint32_t a, uint32_t b, uint32_t most);
/* Pooled sd of val within equal configurations, whose seeds may differ; df gets
 * the degrees of freedom. Exact copies count once. NaN without repeats. */
double repeats_sd(const struct trials *t, const char *dataset, double *df);
/* The same scale for every dataset: 0 = its median trial, 1 = its best. */
double problem_regret(const struct problem *p, double val);

#endif
