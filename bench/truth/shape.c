/* Draws problems and measures configurations. Interactions follow what was
 * measured on recorded CTR trials: two changes together bring .6 of their sum
 * on average and differ from that by about the size of the changes; for n
 * changes the same law is n^log2(.6) of the sum.
 * Invariant: everything is a function of the shape and the seed. */
#include "shape.h"

#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const double SEED_SD = 2e-4;

enum { STREAM_DRAW = 11, STREAM_GAP = 12, STREAM_NOISE = 13 };
static const double HARM_SD = 2;
static const double GUARD_LIMIT = 20; /* seed sds */

static uint32_t
values_of(const struct shape *s)
{
    return s->values > 1 ? s->values : 1;
}

static uint32_t
idea_knobs(const struct shape *s)
{
    return (s->k + values_of(s) - 1) / values_of(s);
}

struct override
problem_idea(const struct problem *p, uint32_t i)
{
    uint32_t v = values_of(p->shape);
    return (struct override){i / v, 1 + (double)(i % v)};
}

static double
gain_draw(const struct shape *s, struct rng *r)
{
    double u = rng_f64(r), z = fabs(rng_normal(r));
    if (u < s->good)
        return s->gain > 0 ? s->gain : 2 * z;
    return u < s->good + s->harm ? -HARM_SD * z : 0;
}

void
problem_draw(const struct shape *shape, uint64_t seed, struct problem *out)
{
    struct rng r;
    rng_seed2(&r, seed, STREAM_DRAW);
    memset(out, 0, sizeof *out);
    out->shape = shape;
    out->seed = seed;
    out->k = shape->k;
    double size = shape->gain > 0 ? shape->gain : 2;
    for (uint32_t i = 0; i < out->k; i++) {
        out->gain[i] = gain_draw(shape, &r);
        out->breaks[i] = shape->guard && rng_f64(&r) < 1 / 3.;
        double own = sqrt(1 - shape->known * shape->known) * rng_normal(&r);
        out->prior[i] = shape->known * (shape->known * out->gain[i] + own);
    }
    for (uint32_t i = 0; i < out->k; i++)
        for (uint32_t j = i + 1; j < out->k; j++)
            out->pair[i][j] = shape->lambda * size * rng_normal(&r);
    for (uint32_t n = 0; n < shape->numeric; n++) {
        out->best[n] = rng_f64(&r);
        out->slope[n] = shape->good > 0 ? fabs(rng_normal(&r)) : 0;
    }
}

static void
knob_make(const struct shape *s, uint32_t i, struct knob *k)
{
    snprintf(k->name, sizeof k->name, "knob%u", i);
    if (i >= idea_knobs(s)) {
        k->kind = KNOB_FLOAT;
        k->hi = 1;
        k->deflt = .5;
        return;
    }
    k->kind = values_of(s) > 1 ? KNOB_CHOICE : KNOB_BOOL;
    if (k->kind == KNOB_CHOICE) {
        k->n_values = values_of(s) + 1;
        for (uint32_t v = 0; v < k->n_values; v++)
            snprintf(k->values[v], sizeof k->values[v], "v%u", v);
    }
}

static void
candidate_add(const struct problem *p, struct spec *s, uint64_t mask)
{
    if (s->n_candidates >= CANDIDATES_MAX)
        return;
    struct config x;
    config_default(s, &x);
    for (uint32_t i = 0; i < p->k; i++)
        if (mask >> i & 1) {
            struct override o = problem_idea(p, i);
            x.v[o.knob] = o.value;
        }
    memcpy(s->candidate[s->n_candidates++], x.v, sizeof x.v);
}

static void
candidates_make(const struct problem *p, struct spec *s)
{
    candidate_add(p, s, 0);
    for (uint32_t i = 0; i < p->k; i++)
        candidate_add(p, s, UINT64_C(1) << i);
    for (uint32_t i = 0; i < p->k; i++)
        for (uint32_t j = i + 1; j < p->k; j++) {
            uint64_t two = UINT64_C(1) << i | UINT64_C(1) << j;
            candidate_add(p, s, two);
            if (j + 1 < p->k)
                candidate_add(p, s, two | UINT64_C(1) << (j + 1));
        }
}

void
problem_spec(const struct problem *p, uint32_t trials, struct spec *s)
{
    const struct shape *h = p->shape;
    memset(s, 0, sizeof *s);
    snprintf(s->model, sizeof s->model, "truth");
    s->n_knobs = idea_knobs(h) + h->numeric;
    for (uint32_t i = 0; i < s->n_knobs; i++)
        knob_make(h, i, &s->knob[i]);
    s->n_metrics = h->guard ? 3 : 2;
    snprintf(s->metric[0].name, NAME_LEN, "search");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = h->min_gain * SEED_SD;
    snprintf(s->metric[1].name, NAME_LEN, "sealed");
    s->metric[1].role = METRIC_SEALED;
    s->sealed = 1;
    snprintf(s->metric[2].name, NAME_LEN, "loss");
    s->metric[2].goal = GOAL_MIN;
    s->metric[2].role = METRIC_GUARD;
    s->metric[2].guard = GUARD_MAX_INCREASE;
    s->metric[2].limit = GUARD_LIMIT * SEED_SD;
    s->phases = 0x1e;
    s->max_hypotheses = p->k;
    s->baseline_seeds = 4;
    s->unit = UNIT_TRIALS;
    s->total_u = trials * (int64_t)MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = h->parallel > 0 ? h->parallel : 1;
    s->fidelity_knob = -1;
    if (h->candidates)
        candidates_make(p, s);
}

uint64_t
problem_mask(const struct problem *p, const struct config *x)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < p->k; i++) {
        struct override o = problem_idea(p, i);
        if (x->v[o.knob] == o.value)
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

/* ---- truth ---- */

double
problem_gain(const struct problem *p, const struct config *x)
{
    uint64_t mask = problem_mask(p, x);
    double sum = 0, own = 0;
    int n = __builtin_popcountll(mask);
    for (uint32_t i = 0; i < p->k; i++) {
        if ((mask >> i & 1) == 0)
            continue;
        sum += p->gain[i];
        for (uint32_t j = i + 1; j < p->k; j++)
            own += mask >> j & 1 ? p->pair[i][j] : 0;
    }
    double law = n > 1 ? pow(n, log2(p->shape->overlap)) : 1;
    double gain = law * sum;
    if (n > 2) /* the spread of a sum of many stays near the gains' size */
        own *= pow(2. / n, .737);
    gain += own;
    uint32_t at = idea_knobs(p->shape);
    for (uint32_t i = 0; i < p->shape->numeric; i++) {
        double d = (x->v[at + i] - p->best[i]) / .4;
        double d0 = (.5 - p->best[i]) / .4;
        gain += p->slope[i] * (d0 * d0 - d * d);
    }
    return SEED_SD * gain;
}

static uint64_t
config_key(const struct config *x)
{
    uint64_t h = 1469598103934665603u;
    for (uint32_t k = 0; k < KNOBS_MAX; k++) {
        uint64_t bits;
        memcpy(&bits, &x->v[k], sizeof bits);
        h = rng_mix(h, bits);
    }
    return h;
}

static bool
is_baseline(const struct problem *p, const struct config *x)
{
    uint32_t at = idea_knobs(p->shape);
    for (uint32_t i = 0; i < p->shape->numeric; i++)
        if (x->v[at + i] != .5)
            return false;
    return problem_mask(p, x) == 0;
}

double
problem_sealed(const struct problem *p, const struct config *x)
{
    struct rng r;
    double gain = problem_gain(p, x);
    if (p->shape->gap == 0 || is_baseline(p, x))
        return gain;
    rng_seed2(&r, rng_mix(p->seed, config_key(x)), STREAM_GAP);
    return gain + p->shape->gap * SEED_SD * rng_normal(&r);
}

/* ---- one run ---- */

/* Unit variance. */
static double
noise_draw(const struct shape *s, struct rng *r)
{
    double z = rng_normal(r);
    if (s->tail_df == 0)
        return z;
    double chi2 = 0; /* df is whole */
    for (int i = 0; i < (int)s->tail_df; i++) {
        double y = rng_normal(r);
        chi2 += y * y;
    }
    return z / sqrt(chi2 / s->tail_df) * sqrt((s->tail_df - 2) / s->tail_df);
}

void
problem_run(const struct problem *p, const struct config *x, uint64_t seed,
    struct reading *out)
{
    const struct shape *s = p->shape;
    uint64_t key = rng_mix(p->seed, config_key(x));
    struct rng r;
    rng_seed2(&r, key, STREAM_NOISE);
    double sd = SEED_SD * exp(s->uneven * rng_normal(&r));
    rng_seed2(&r, key, seed << 8 | STREAM_NOISE);
    double a = noise_draw(s, &r), b = noise_draw(s, &r);
    b = s->corr * a + sqrt(1 - s->corr * s->corr) * b;
    uint64_t mask = problem_mask(p, x);
    out->search = .75 + problem_gain(p, x) + sd * a;
    out->sealed = .74 + problem_sealed(p, x) + sd * b;
    out->guard = .4 + SEED_SD * rng_normal(&r);
    for (uint32_t i = 0; i < p->k; i++)
        if ((mask >> i & 1) && p->breaks[i])
            out->guard += 3 * GUARD_LIMIT * SEED_SD;
}
