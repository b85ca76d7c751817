/* What jobs cost, in micro-units of the budget. Called when the file is read
 * (reservations) and when a job ends (charges). Invariant: a charge is never
 * above its reservation. */
#include "project/read.h"

#include <assert.h>
#include <math.h>

double
cost_hourly(const struct project *p)
{
    switch (p->spec.unit) {
    case UNIT_CORE_HOURS:
        return p->resources.cpus;
    case UNIT_GPU_HOURS:
        return p->resources.gpus;
    default:
        return p->budget.price_per_hour;
    }
}

int64_t
project_reserve_u(const struct project *p, int64_t time_ms, bool evaluate)
{
    if (p->spec.unit == UNIT_TRIALS)
        return evaluate ? 0 : MICRO;
    double ms =
        (double)time_ms + (double)p->train.grace_ms + PROJECT_KILL_SLACK_MS;
    double units = cost_hourly(p) * ms / 3.6e6 * MICRO;
    /* per_trial bounds the time limit, so only rounding is cut here. */
    if (p->budget.per_trial_u > 0 && units > (double)p->budget.per_trial_u)
        return p->budget.per_trial_u;
    return units < 9e18 ? (int64_t)ceil(units) : INT64_MAX;
}

int64_t
project_paid_ms(const struct project *p, int64_t reserved_u, bool evaluate)
{
    double hourly = cost_hourly(p);
    if (p->spec.unit == UNIT_TRIALS || p->budget.cost_metric != NULL ||
        reserved_u >=
            (evaluate ? p->spec.reserve_eval_u : p->spec.reserve_train_u) ||
        !(hourly > 0))
        return 0;
    double ms = (double)reserved_u / MICRO / hourly * 3.6e6;
    return ms > 1 ? (int64_t)ms : 1;
}

int64_t
project_charge_u(const struct project *p, int64_t wall_ms, int64_t reserved_u,
    bool evaluate, bool resumed)
{
    assert(reserved_u >= 0);
    if (p->spec.unit == UNIT_TRIALS)
        return evaluate || resumed || reserved_u < MICRO ? 0 : MICRO;
    if (wall_ms < 0)
        wall_ms = 0;
    double units = ceil(cost_hourly(p) * (double)wall_ms / 3.6e6 * MICRO);
    return units < (double)reserved_u ? (int64_t)units : reserved_u;
}
