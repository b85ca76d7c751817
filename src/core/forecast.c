/* What is believed of the rest of the campaign, as numbers that it can be
 * played out from: ideas with their posteriors, the best known configuration,
 * what searching brings, what is still due. Called by the plan, by the end of
 * Validation, and for a pool. */
#include "core/parts.h"

#include <math.h>
#include <string.h>

/* One searched configuration against the incumbent, in units of the typical
 * sd of an idea: most are worse. */
static const double STEP = -.35, STEP_SD = .6;
/* Trials of the search money that Combination leaves to Exploitation. */
static const double SEARCH_FLOOR = .15;

static bool
phase_comes(const struct core *c, uint32_t phase)
{
    return (c->spec.phases >> phase & 1) != 0 &&
           (c->phase_state[phase] == PHASE_PENDING ||
               c->phase_state[phase] == PHASE_ACTIVE);
}

static bool
idea_fill(const struct core *c, const struct analysis *a, uint32_t i,
    struct outlook_idea *out)
{
    const struct hypothesis *h = &c->hypothesis[i];
    if (h->dropped || h->needs_hook || h->verdict == VERDICT_REJECT ||
        h->verdict == VERDICT_UNSTABLE || h->verdict == VERDICT_FAILED)
        return false;
    *out = (struct outlook_idea){h->prior_mean, h->prior_sd, h->cost_factor, 0,
        h->verdict == VERDICT_NONE};
    if (h->experiment != 0 && a->arm[h->experiment].q > 0) {
        struct effect x;
        analysis_posterior(c, a, h->experiment, &x);
        out->mean = x.mean;
        out->sd = x.sd;
        out->runs = a->arm[h->experiment].n;
    }
    return true;
}

static void
best_fill(const struct core *c, const struct analysis *a,
    struct outlook_in *out)
{
    double top = -INFINITY;
    for (uint32_t e = 1; e < c->n_experiments; e++) {
        struct effect x;
        if (c->experiment[e].kind == EXPERIMENT_SINGLE || a->arm[e].q <= 0)
            continue;
        analysis_posterior(c, a, e, &x);
        if (c->experiment[e].kind == EXPERIMENT_SEARCH && a->arm[e].d > top) {
            out->wins += top > -INFINITY;
            top = a->arm[e].d;
        }
        if (x.mean > out->best) {
            out->best = x.mean;
            out->best_sd = x.sd;
        }
    }
}

void
forecast_fill(const struct core *c, const struct analysis *a,
    struct outlook_idea *ideas, struct outlook_in *out)
{
    double size2 = 0, n = 0;
    memset(out, 0, sizeof *out);
    out->idea = ideas;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        out->n_ideas += idea_fill(c, a, i, &ideas[out->n_ideas]);
        size2 += c->hypothesis[i].prior_sd * c->hypothesis[i].prior_sd;
        n++;
    }
    out->s2 = a->s2;
    out->min_gain = c->spec.metric[c->spec.primary].min_gain;
    double size = n > 0 ? sqrt(size2 / n) : 2 * out->min_gain;
    out->step = STEP * size;
    out->step_sd = STEP_SD * size;
    best_fill(c, a, out);
    out->base_runs = a->base_now + a->base_flying;
    out->base_due = fmax(0, (double)c->spec.baseline_seeds - out->base_runs);
    out->validates = phase_comes(c, PHASE_VALIDATION);
    out->combines = phase_comes(c, PHASE_COMBINATION);
    out->searches = phase_comes(c, PHASE_EXPLOITATION);
    out->confirms = phase_comes(c, PHASE_CONFIRMATION);
    double each = (double)budget_trial_u(c);
    double search = (double)(c->approved_u - budget_confirm_u(c)) / each;
    out->search_floor = out->searches ? SEARCH_FLOOR * search : 0;
    out->confirm_floor = (double)budget_confirm_u(c) / each;
}
