/* What is believed of the rest of the campaign, as numbers that it can be
 * played out from: ideas with their posteriors, the best known configuration,
 * what searching brings, what is still due. Called by the plan, by the end of
 * Validation, and for a pool. */
#include "core/parts.h"

#include "math/dist.h"

#include <math.h>
#include <string.h>

/* One searched configuration against the incumbent, in units of the typical
 * sd of an idea: most are worse. */
static const double STEP = -.3, STEP_SD = .5;
static const double SCALE_WEIGHT = 4, SCALE_LEAST = .25;
/* Trials of the search money that Combination leaves to Exploitation. */
static const double SEARCH_FLOOR = .15;
/* What confirmation keeps of a budget before noise and gains are known. */
static const double CONFIRM_SHARE = .2, CONFIRM_LEAST = 6;

static bool
phase_comes(const struct core *c, uint32_t phase)
{
    return (c->spec.phases >> phase & 1) != 0 &&
           (c->phase_state[phase] == PHASE_PENDING ||
               c->phase_state[phase] == PHASE_ACTIVE);
}

static uint64_t
knobs_of(const struct hypothesis *h)
{
    uint64_t uses = 0;
    for (uint32_t o = 0; o < h->n_over; o++)
        uses |= UINT64_C(1) << h->over[o].knob;
    /* the same patch twice is one change; bits from the top are free */
    if (h->patch != 0)
        uses |= UINT64_C(1) << (64 - h->patch);
    return uses;
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
        h->verdict == VERDICT_NONE, knobs_of(h)};
    if (h->experiment != 0 && a->arm[h->experiment].q > 0) {
        struct effect x;
        analysis_posterior(c, a, h->experiment, &x);
        out->mean = x.mean;
        out->sd = x.sd;
        out->runs = a->arm[h->experiment].n;
    }
    return true;
}

/* The best known cell or searched configuration, and how often a searched one
 * was the best of all that was measured before it. */
static void
best_fill(const struct core *c, const struct analysis *a,
    struct outlook_in *out, uint32_t *searched)
{
    double top = 0;
    *searched = 0;
    for (uint32_t e = 1; e < c->n_experiments; e++) {
        const struct experiment *x = &c->experiment[e];
        struct effect f;
        if (a->arm[e].q <= 0)
            continue;
        analysis_posterior(c, a, e, &f);
        if (x->kind == EXPERIMENT_SEARCH) {
            (*searched)++;
            out->wins += f.mean > top;
        }
        top = fmax(top, f.mean);
        if (x->kind != EXPERIMENT_SINGLE && f.mean > out->best) {
            out->best = f.mean;
            out->best_sd = f.sd;
        }
    }
}

/* The scale on which this model's gains differ: as the predictions of the
 * ideas have it, corrected by the gains that were measured less their noise
 * (moments; the predictions count as SCALE_WEIGHT measured ideas). */
static double
scale_of(const struct core *c, const struct analysis *a)
{
    double prior2 = 0, n = 0, seen2 = 0, seen = 0;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        prior2 += h->prior_sd * h->prior_sd;
        n++;
        if (a == NULL || h->experiment == 0 || a->arm[h->experiment].q <= 0)
            continue;
        const struct arm *arm = &a->arm[h->experiment];
        seen2 += arm->d * arm->d - a->s2 * arm->q;
        seen++;
    }
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    double size2 = n > 0 ? prior2 / n : 4 * min_gain * min_gain;
    size2 = (SCALE_WEIGHT * size2 + seen2) / (SCALE_WEIGHT + seen);
    return sqrt(fmax(size2, SCALE_LEAST * min_gain * min_gain));
}

/* What a searched configuration brings: most are worse. A search that wins less
 * often than it should has a flatter field than was thought. */
static void
step_fill(double size, uint32_t searched, struct outlook_in *out)
{
    double due = searched * normal_cdf(STEP / STEP_SD);
    double luck = fmin(1, (out->wins + 1) / (due + 1));
    out->step = STEP * size;
    out->step_sd = STEP_SD * size * sqrt(luck);
}

void
forecast_fill(const struct core *c, const struct analysis *a,
    struct outlook_idea *ideas, struct outlook_in *out)
{
    memset(out, 0, sizeof *out);
    out->idea = ideas;
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        out->n_ideas += idea_fill(c, a, i, &ideas[out->n_ideas]);
    out->s2 = a->s2;
    out->min_gain = c->spec.metric[c->spec.primary].min_gain;
    uint32_t searched;
    best_fill(c, a, out, &searched);
    step_fill(scale_of(c, a), searched, out);
    out->base_runs = a->base_now + a->base_flying;
    out->base_due = fmax(0, (double)c->spec.baseline_seeds - out->base_runs);
    out->validates = phase_comes(c, PHASE_VALIDATION);
    out->combines = phase_comes(c, PHASE_COMBINATION);
    out->searches = phase_comes(c, PHASE_EXPLOITATION);
    out->confirms = phase_comes(c, PHASE_CONFIRMATION);
    double each = (double)budget_trial_u(c);
    double search = (double)(budget_total_u(c) - budget_confirm_u(c)) / each;
    out->search_floor = out->searches ? SEARCH_FLOOR * search : 0;
    out->confirm_floor = (double)budget_confirm_u(c) / each;
}

void
forecast_fresh(const struct core *c, int64_t budget_u,
    struct outlook_idea *ideas, struct outlook_in *out)
{
    memset(out, 0, sizeof *out);
    out->idea = ideas;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        if (h->dropped || h->needs_hook)
            continue;
        ideas[out->n_ideas++] = (struct outlook_idea){
            h->prior_mean, h->prior_sd, h->cost_factor, 0, true, knobs_of(h)};
    }
    uint32_t phases = c->spec.phases;
    out->min_gain = c->spec.metric[c->spec.primary].min_gain;
    out->s2 = out->min_gain * out->min_gain; /* until it is measured */
    step_fill(scale_of(c, NULL), 0, out);
    out->validates = (phases >> PHASE_VALIDATION & 1) != 0;
    out->combines = (phases >> PHASE_COMBINATION & 1) != 0;
    out->searches = (phases >> PHASE_EXPLOITATION & 1) != 0;
    out->confirms = (phases >> PHASE_CONFIRMATION & 1) != 0;
    out->base_due = out->validates ? c->spec.baseline_seeds : 1;
    double trials = (double)budget_u / (double)budget_trial_u(c);
    double least = fmax(CONFIRM_LEAST, CONFIRM_SHARE * trials);
    out->confirm_floor = fmin(fmin(least, 2 * OUTLOOK_SEEDS_MAX), trials / 2);
    out->search_floor =
        out->searches ? SEARCH_FLOOR * (trials - out->confirm_floor) : 0;
}
