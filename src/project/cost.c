/* What jobs may take and what they cost, in micro-units of the budget. Called
 * when the file is read (reservations), when a job is started, and when it ends
 * (charges). Invariant: a charge is never above its reservation. */
#include "project/read.h"

#include <assert.h>
#include <math.h>

const struct resources *
project_resources(const struct project *p, uint32_t phase)
{
    assert(phase < PHASE_COUNT);
    return p->by_phase && phase != PHASE_NONE ? &p->phase_resources[phase]
                                              : &p->resources;
}

double
project_cpus_most(const struct project *p)
{
    double most = 0;
    for (uint32_t i = PHASE_VALIDATION; i < PHASE_COUNT; i++)
        most = fmax(most, project_resources(p, i)->cpus);
    return most;
}

bool
project_has_gpus(const struct project *p)
{
    bool has = p->resources.gpus > 0;
    for (uint32_t i = PHASE_VALIDATION; i < PHASE_COUNT; i++)
        has = has || project_resources(p, i)->gpus > 0;
    return has;
}

double
cost_hourly(const struct project *p, const struct resources *x)
{
    switch (p->spec.unit) {
    case UNIT_CORE_HOURS:
        return x->cpus;
    case UNIT_GPU_HOURS:
        return x->gpus;
    default:
        return x->price_per_hour;
    }
}

int64_t
project_reserve_u(const struct project *p, uint32_t phase, bool evaluate)
{
    const struct resources *x = project_resources(p, phase);
    if (p->spec.unit == UNIT_TRIALS)
        return evaluate ? 0 : MICRO;
    double ms = (double)(evaluate ? x->evaluate_ms : x->time_ms) +
                (double)p->train.grace_ms + PROJECT_KILL_SLACK_MS;
    double units = cost_hourly(p, x) * ms / 3.6e6 * MICRO;
    /* per_trial bounds the time limit, so only rounding is cut here. */
    if (p->budget.per_trial_u > 0 && units > (double)p->budget.per_trial_u)
        return p->budget.per_trial_u;
    return units < 9e18 ? (int64_t)ceil(units) : INT64_MAX;
}

int64_t
project_paid_ms(
    const struct project *p, uint32_t phase, int64_t reserved_u, bool evaluate)
{
    double hourly = cost_hourly(p, project_resources(p, phase));
    if (p->spec.unit == UNIT_TRIALS || p->budget.cost_metric != NULL ||
        reserved_u >= project_reserve_u(p, phase, evaluate) || !(hourly > 0))
        return 0;
    double ms = (double)reserved_u / MICRO / hourly * 3.6e6;
    return ms > 1 ? (int64_t)ms : 1;
}

int64_t
project_charge_u(const struct project *p, uint32_t phase, int64_t wall_ms,
    int64_t reserved_u, bool evaluate, bool resumed)
{
    assert(reserved_u >= 0);
    if (p->spec.unit == UNIT_TRIALS)
        return evaluate || resumed || reserved_u < MICRO ? 0 : MICRO;
    if (wall_ms < 0)
        wall_ms = 0;
    double hourly = cost_hourly(p, project_resources(p, phase));
    double units = ceil(hourly * (double)wall_ms / 3.6e6 * MICRO);
    return units < (double)reserved_u ? (int64_t)units : reserved_u;
}
