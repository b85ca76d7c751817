/* Which rungs of [fidelity] a run has crossed, from its metric stream: the
 * search metric as it was reduced so far when the run's progress first reached
 * a rung. Fed by a harvest_fn, in the shim while the job runs and in the wake;
 * allocates nothing. */
#ifndef PROJECT_RUNGS_H
#define PROJECT_RUNGS_H

#include "core/event.h"
#include "project/harvest.h"

struct rung_reader {
    uint32_t n; /* rungs below the top; the top is the end of the run */
    double rung[RUNGS_MAX];
    uint32_t primary;
    uint32_t progress; /* metric that counts in the fidelity knob's units;
                          METRICS_MAX: the step itself does */
    struct metric_source how; /* of the primary */
    /* state */
    uint32_t crossed; /* index + 1 of the highest rung reached */
    uint32_t n_values;
    struct rung_value value[RUNGS_MAX];
    bool has, fresh, moved;
    double reduced, at, at_step, value_step;
    uint32_t n_ring, ring_at;
    double ring[HARVEST_MEAN_MAX];
};

/* rung: all rungs of the spec, the top included. */
void rungs_init(struct rung_reader *r, const struct harvest_spec *h,
    const double *rung, uint32_t n, uint32_t progress);
/* One value of any metric. A value at which several rungs are passed at once
 * stands for the highest of them only. */
void
rungs_take(struct rung_reader *r, uint32_t metric, double step, double value);

#endif
