/* Trust in the sources of ideas: what was measured of a source's ideas changes
 * what the rest of them is expected to give. Called before the next idea is
 * chosen. A hypothesis keeps the prediction that it came with; an experiment
 * is planned with the prediction as it stands then. Invariant: a function of
 * the log, and an idea's own results never change its own prior. */
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
