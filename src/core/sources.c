/* Trust in the sources of ideas: what was measured of a source's ideas changes
 * what the rest of them is expected to give, and how first runs are divided
 * between the sources. Called before the next idea is chosen. A hypothesis
 * keeps the prediction that it came with; an experiment is planned with the
 * prediction as it stands then. Invariant: a function of the log, and an idea's
 * own results never change its own prior. */
#include "core/parts.h"

#include <math.h>

/* Common shift of a source's ideas among places, in sds of one idea: how much
 * better or worse than usual a baseline can be placed. */
static const double SHIFT_SHARE = .5;

static bool
idea_counts(
    const struct core *c, const struct analysis *a, uint32_t i, uint32_t source)
{
    const struct hypothesis *h = &c->hypothesis[i];
    return h->source == source && !h->needs_hook && h->experiment != 0 &&
           a->arm[h->experiment].q > 0;
}

static void
source_collect(const struct core *c, const struct analysis *a, uint32_t source,
    struct source_fit *out)
{
    struct source_obs in[HYPOTHESES_MAX];
    double base_q = a->arm[0].n > 0 ? 1.0 / a->arm[0].n : 0, var = 0;
    int n = 0;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        if (!idea_counts(c, a, i, source))
            continue;
        const struct arm *arm = &a->arm[h->experiment];
        double own = fmax(arm->q - base_q, .5 / arm->n);
        in[n] = (struct source_obs){
            h->prior_mean, h->prior_sd * h->prior_sd, arm->d, a->s2 * own};
        var += in[n++].tau2;
    }
    double shift = n > 0 ? SHIFT_SHARE * SHIFT_SHARE * var / n : 0;
    source_fit(out, in, n, shift, a->s2 * base_q);
}

void
sources_collect(
    const struct core *c, const struct analysis *a, struct sources *out)
{
    for (uint32_t s = SOURCE_NONE; s < SOURCE_COUNT; s++)
        source_collect(c, a, s, &out->of[s]);
}

void
sources_predict(const struct core *c, const struct sources *s, uint32_t i,
    double *mean, double *sd)
{
    const struct hypothesis *h = &c->hypothesis[i];
    double tau2 = h->prior_sd * h->prior_sd;
    *mean = h->prior_mean;
    source_apply(&s->of[h->source], mean, &tau2);
    *sd = sqrt(tau2);
}

/* ---- first runs ---- */

/* Share of first runs that go to new ideas of research while it has any that
 * are worth a run: what is never tried can't be learnt from. */
static const double RESEARCH_FLOOR = .2;
/* Bounds of the weight: what was predicted of an idea itself counts more. */
static const double WEIGHT_MIN = .5, WEIGHT_MAX = 2;
/* Runs that the common rate is worth in each source's own. */
static const double RATE_RUNS = 3;

struct delivered {
    double starts, cost, gain;
    bool fresh; /* has ideas that have not run */
};

static void
delivered_by(const struct core *c, const struct analysis *a,
    const struct cost_model *cost, uint32_t source, struct delivered *out)
{
    *out = (struct delivered){0};
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        struct effect e;
        struct config x;
        if (h->source != source || h->needs_hook)
            continue;
        if (h->experiment == 0) {
            out->fresh |= !h->dropped && h->verdict == VERDICT_NONE;
            continue;
        }
        out->starts++;
        if (a->arm[h->experiment].q <= 0)
            continue;
        analysis_posterior(c, a, h->experiment, &e);
        hypothesis_config(c, i + 1, &x);
        out->cost +=
            a->arm[h->experiment].n * cost_weight(c, cost, &x, h->cost_factor);
        out->gain += fmax(0, e.mean);
    }
}

/* Gain per cost with an upper confidence bound (UCB1: Auer, Cesa-Bianchi &
 * Fischer 2002), the common rate as the size of a surprise; relative to the
 * mean of the two. One source alone, or nothing delivered yet: 1. */
void
sources_split(const struct core *c, const struct analysis *a,
    const struct cost_model *cost, struct source_split *out)
{
    struct delivered d[2];
    double bound[2];
    for (uint32_t s = 0; s < SOURCE_COUNT; s++) {
        out->weight[s] = 1;
        out->due[s] = false;
    }
    delivered_by(c, a, cost, SOURCE_INSIGHT, &d[0]);
    delivered_by(c, a, cost, SOURCE_RESEARCH, &d[1]);
    double starts = d[0].starts + d[1].starts, cost_all = d[0].cost + d[1].cost;
    if (!d[0].fresh || !d[1].fresh)
        return;
    out->due[SOURCE_RESEARCH] =
        d[1].starts < floor(RESEARCH_FLOOR * (starts + 1));
    double rate = cost_all > 0 ? (d[0].gain + d[1].gain) / cost_all : 0;
    if (!(rate > 0))
        return;
    for (int k = 0; k < 2; k++)
        bound[k] = (d[k].gain + RATE_RUNS * rate) / (d[k].cost + RATE_RUNS) +
                   rate * sqrt(2 * log(1 + starts) / (1 + d[k].starts));
    for (int k = 0; k < 2; k++)
        out->weight[k == 0 ? SOURCE_INSIGHT : SOURCE_RESEARCH] = fmin(
            WEIGHT_MAX, fmax(WEIGHT_MIN, 2 * bound[k] / (bound[0] + bound[1])));
}
