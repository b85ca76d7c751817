/* Recorded learning curves of real trainings, joined with their
 * configurations: the problem of one task. */
#ifndef REPLAY_CURVES_H
#define REPLAY_CURVES_H

#include "problem.h"

struct curve_row {
    const char *id;
    uint32_t n;    /* evaluations */
    double *value; /* running best or last, + is better, n of them */
    double final;  /* what the run is judged by */
};

struct curve_table {
    struct trials trials;  /* val and test are the final value, + is better */
    struct curve_row *row; /* one for each of trials.row */
    bool best; /* a run is worth its best evaluation, not its last */
};

/* Two forms are read. Wide: a table with hp:* columns and one column whose
 * name has "curve" in it, with all values of a run in one cell. Long: one line
 * an evaluation, its configuration in `configs` (trial_id) or in the table's
 * own hp:* columns. Losses (a name with "loss") are negated; what is not
 * finite counts as a very large loss. 0 or a negative code. */
int curves_read(struct arena *a, const char *path, const char *configs,
    struct curve_table *out, struct err *err);

/* One task: distinct configurations and the curve of each. */
struct task {
    struct problem p;
    const struct curve_row **curve; /* of each candidate */
    uint32_t top;                   /* evaluations of the longest run */
    double worst;                   /* no value is below it */
    double mean_length;             /* of all runs: the cost of one full run */
    uint32_t n_rungs;
    double rung[RUNGS_MAX]; /* in evaluations, rising, the last one is top */
    uint32_t *liar; /* whose curve a candidate shows first; NULL: its own */
    uint32_t lies_below; /* in evaluations */
};

/* rungs: "1,2,4" or NULL: powers of two. */
int task_build(struct arena *a, const struct curve_table *t, const char *name,
    const char *rungs, struct task *out, struct err *err);
/* Evaluations that a run of this candidate has. */
uint32_t task_length(const struct task *t, uint32_t candidate);
/* Value after `at` evaluations, 1..length. */
double task_value(const struct task *t, uint32_t candidate, uint32_t at);

#endif
