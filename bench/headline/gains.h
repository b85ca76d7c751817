/* What the arms of a live bench gained on the sealed metric, from a file of
 * results, and how sure that is: the pages are made of it. Gains are of means:
 * the fresh runs of what an arm named against all fresh runs of the defaults on
 * that task; an arm without a proposal keeps the defaults and gains 0. */
#ifndef HEADLINE_GAINS_H
#define HEADLINE_GAINS_H

#include "base/rng.h"
#include "math/stat.h"
#include "results.h"
#include "task.h"

enum { GAIN_ARMS = 16, GAIN_SEEDS = 200, GAIN_DRAWS = 4000 };

struct gains {
    struct results r;
    const char *task[TASKS_MAX], *arm[GAIN_ARMS];
    uint32_t n_tasks, n_arms, n_seeds[TASKS_MAX];
    uint32_t seed[TASKS_MAX][GAIN_SEEDS]; /* seeds that every arm has */
    struct welford base[TASKS_MAX];       /* sealed, of the defaults */
    double sign[TASKS_MAX];
    double cost[TASKS_MAX]; /* of a training with the defaults, seconds */
    double gain[TASKS_MAX][GAIN_ARMS][GAIN_SEEDS];
    double spent_s[TASKS_MAX][GAIN_ARMS][GAIN_SEEDS];
};

/* g must be zero. An empty file is an error. */
int gains_load(struct gains *g, const char *path, struct err *err);

/* A resample: cells of each drawn task. */
struct gains_draw {
    uint32_t n, task[TASKS_MAX];
    uint32_t cell[TASKS_MAX][GAIN_SEEDS];
};
/* r NULL: everything once. tasks: they are resampled, too. */
void gains_draw(
    const struct gains *g, struct rng *r, bool tasks, struct gains_draw *out);
/* Mean over tasks of the mean over seeds; normal: in sds of the defaults. */
double gains_mean(const struct gains *g, const struct gains_draw *d,
    uint32_t arm, bool normal);

struct gains_estimate {
    double value, lo, hi;
};
/* A statistic with its 95 % percentile interval over GAIN_DRAWS resamples
 * (Efron 1979), the same resamples for every call. */
struct gains_estimate gains_estimate(const struct gains *g, bool tasks,
    double (*statistic)(
        const struct gains *g, const struct gains_draw *d, void *ctx),
    void *ctx);

#endif
