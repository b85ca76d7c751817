/* [resources] and [resources.PHASE]: what one job may take, and what it costs
 * at worst. Called when the budget's unit is known. Invariant: no job of any
 * phase reserves more than the whole budget. */
#include "project/read.h"

#include <math.h>
#include <string.h>

static int
check_bounds(const struct reader *r, const struct toml *t,
    const struct resources_draft *d)
{
    if (!(d->cpus > 0) || d->cpus > 4096)
        return read_fail(r, place_of(t, "cpus"), "write cpus = 1",
            "a job needs more than 0 and at most 4096 CPUs");
    if (d->gpus < 0 || d->gpus > 1024)
        return read_fail(r, place_of(t, "gpus"), "write gpus = 0 or more",
            "gpus out of bounds");
    if (d->time_ms < 100)
        return read_fail(r, place_of(t, "time"), "write for example \"10m\"",
            "a job's time limit must be at least 100ms");
    if (d->memory_max > 0 && (d->memory <= 0 || d->memory_max < d->memory))
        return read_fail(r, place_of(t, "memory_max"),
            "give memory, and as memory_max at least as much",
            "memory_max is what memory may grow to");
    return 0;
}

static void
take(const struct draft *d, const struct resources_draft *x,
    struct resources *out)
{
    *out = (struct resources){.cpus = x->cpus,
        .gpus = x->gpus,
        .memory_bytes = x->memory,
        .memory_max_bytes = x->memory_max,
        .time_ms = x->time_ms,
        .evaluate_ms = d->eval_time_ms > 0 ? d->eval_time_ms : x->time_ms,
        .price_per_hour = x->price};
}

/* What per_trial pays for bounds the time of a job; where jobs report their
 * own cost, time says nothing about it, and the job's own limits must hold. */
static int
apply_per_trial(
    const struct reader *r, const struct draft *d, struct resources *x)
{
    struct project *p = r->p;
    if (!(d->per_trial > 0) || p->budget.cost_metric != NULL)
        return 0;
    double ms = d->per_trial / cost_hourly(p, x) * 3.6e6 -
                (double)(p->train.grace_ms + PROJECT_KILL_SLACK_MS);
    if (ms < 100)
        return read_fail(r, place_of(toml_get(r->root, "budget"), "per_trial"),
            "raise per_trial, or lower [train] grace",
            "per_trial does not even pay for grace and the 5 s after it");
    if (ms < (double)x->time_ms)
        x->time_ms = (int64_t)ms;
    if (ms < (double)x->evaluate_ms)
        x->evaluate_ms = (int64_t)ms;
    return 0;
}

static int
check_reserve(const struct reader *r, struct place at, int64_t reserve_u)
{
    const struct spec *s = &r->p->spec;
    if (reserve_u <= s->total_u)
        return 0;
    return read_fail(r, at,
        "raise total, or lower [resources] time or per_trial",
        "one job reserves %.6g %s (time limit + grace + 5 s), more than the "
        "whole budget",
        (double)reserve_u / MICRO,
        s->unit == UNIT_CORE_HOURS  ? "core hours"
        : s->unit == UNIT_GPU_HOURS ? "GPU hours"
        : s->unit == UNIT_USD       ? "usd"
                                    : "trials");
}

static bool
is_equal(const struct resources *a, const struct resources *b)
{
    return a->cpus == b->cpus && a->gpus == b->gpus &&
           a->memory_bytes == b->memory_bytes &&
           a->memory_max_bytes == b->memory_max_bytes &&
           a->time_ms == b->time_ms && a->evaluate_ms == b->evaluate_ms &&
           a->price_per_hour == b->price_per_hour;
}

/* What the unit and the backend make of it. */
static int
check_phase(const struct reader *r, const struct draft *d, const struct toml *t,
    const struct resources_draft *x)
{
    uint32_t unit = r->p->spec.unit;
    const struct toml *price = toml_get(t, "price_per_hour");
    if (unit == UNIT_GPU_HOURS && !(x->gpus > 0))
        return read_fail(r, place_of(t, "gpus"),
            "write gpus = 1, or use [budget] unit = \"core_hours\"",
            "jobs of %s have no GPU, so they would cost no GPU hours", t->key);
    if (price != NULL && unit != UNIT_USD)
        return read_fail(r, place_of(t, "price_per_hour"),
            "write [budget] unit = \"usd\", or leave the price out",
            "only unit usd has a price");
    if (!(x->price > 0 || unit != UNIT_USD) || x->price > 1e6)
        return read_fail(r, place_of(t, "price_per_hour"), NULL,
            "the price is out of bounds");
    if (x->gpus != d->gpus && d->gres != NULL && d->gres[0] != '\0')
        return read_fail(r, place_of(t, "gpus"),
            "leave [backend] gres out: then gpu:N is asked for",
            "[backend] gres asks for the same in every phase");
    return 0;
}

static int
read_phase(struct reader *r, const struct draft *d, uint32_t phase)
{
    const struct toml *t = d->of_phase[phase];
    struct resources *out = &r->p->phase_resources[phase];
    struct resources_draft x = {
        d->cpus, d->gpus, d->price, d->memory, d->memory_max, d->time_ms};
    if (t == NULL) {
        *out = r->p->resources;
        return 0;
    }
    if (t->kind != TOML_TABLE)
        return read_fail(r, place_key(t),
            arena_printf(r->a, "write [resources.%s]", t->key),
            "%s is a table of resources, not %s", t->key,
            toml_kind_name(t->kind));
    int rc = read_section(r, &project_phase_section, t, &x);
    /* more memory than the common bound is no contradiction */
    if (toml_get(t, "memory_max") == NULL && x.memory_max < x.memory)
        x.memory_max = 0;
    if (rc == 0)
        rc = check_bounds(r, t, &x);
    if (rc == 0)
        rc = check_phase(r, d, t, &x);
    if (rc != 0)
        return rc;
    take(d, &x, out);
    rc = apply_per_trial(r, d, out);
    r->p->by_phase = r->p->by_phase || !is_equal(out, &r->p->resources);
    return rc;
}

static int
reserve_fill(struct reader *r, const struct draft *d)
{
    struct project *p = r->p;
    struct spec *s = &p->spec;
    const struct toml *budget = toml_get(r->root, "budget");
    s->reserve_train_u = project_reserve_u(p, PHASE_NONE, false);
    s->reserve_eval_u =
        s->has_evaluate ? project_reserve_u(p, PHASE_NONE, true) : 0;
    s->by_phase = p->by_phase;
    int rc = check_reserve(r, place_of(budget, "total"), s->reserve_train_u);
    for (uint32_t i = PHASE_VALIDATION; rc == 0 && i < PHASE_COUNT; i++) {
        int64_t worst = project_reserve_u(p, i, false);
        struct place at = d->of_phase[i] != NULL ? place_key(d->of_phase[i])
                                                 : place_of(budget, "total");
        double common = cost_hourly(p, &p->resources);
        double rate = common > 0
                          ? cost_hourly(p, project_resources(p, i)) / common
                          : 1; /* trials: all cost the same */
        if (p->by_phase)
            s->phase_cost[i] = (struct phase_cost){worst,
                s->has_evaluate ? project_reserve_u(p, i, true) : 0, rate};
        if ((s->phases & (1u << i)) != 0)
            rc = check_reserve(r, at, worst);
    }
    return rc;
}

int
parse_resources(struct reader *r, const struct draft *d)
{
    struct project *p = r->p;
    const struct toml *t = toml_get(r->root, "resources");
    const struct resources_draft x = {
        d->cpus, d->gpus, d->price, d->memory, d->memory_max, d->time_ms};
    int rc = check_bounds(r, t != NULL ? t : r->root, &x);
    if (rc != 0)
        return rc;
    take(d, &x, &p->resources);
    rc = apply_per_trial(r, d, &p->resources);
    p->evaluate.time_ms = p->resources.evaluate_ms;
    for (uint32_t i = PHASE_VALIDATION; rc == 0 && i < PHASE_COUNT; i++)
        rc = read_phase(r, d, i);
    return rc == 0 ? reserve_fill(r, d) : rc;
}
