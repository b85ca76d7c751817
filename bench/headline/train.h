/* One training of a task, outside of rea: for the peers and the outcomes. */
#ifndef HEADLINE_TRAIN_H
#define HEADLINE_TRAIN_H

#include "task.h"

struct train_result {
    bool ok;            /* exit 0 and a value */
    bool pruned;        /* ended by the watcher */
    double valid, test; /* own direction; test NaN where it is not reported */
    double cpu_s;       /* user and system time of the process */
    uint32_t steps;
};

/* Called for each new value of valid; true ends the run. */
typedef bool train_watch(void *ctx, uint32_t step, double valid);

/* Trains in the folder of the project. Cost: what the job reports of itself
 * where it ended well (as rea is charged), else what the kernel says. */
int train_run(struct arena *a, const struct task *t, const struct project *p,
    const struct config *c, int32_t seed, train_watch *watch, void *ctx,
    struct train_result *out, struct err *err);

#endif
