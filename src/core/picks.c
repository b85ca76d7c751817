/* The first picks of a search that earlier campaigns predict something for:
 * the best predicted candidates, unlike each other, taken outright. Called by
 * exploitation before its process decides. Invariant: they end with the first
 * measured ones when none of them beats the baseline. */
#include "core/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PRIOR_PICKS = 5 };
/* Likeness to an earlier pick counts against a candidate: in sds of the
 * predictions for one that is the same on every knob. */
static const double LIKENESS_COST = .1;
static const double PICK_SD = 10; /* of min_gain: nothing is known of a pick */

/* Share of the active knobs on which two configurations agree. */
static double
likeness(const struct spec *s, const double *a, const double *b)
{
    struct config x, y;
    double same = 0, active = 0;
    memcpy(x.v, a, sizeof x.v);
    memcpy(y.v, b, sizeof y.v);
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        bool on = knob_is_active(s, &x, k);
        if (!on && !knob_is_active(s, &y, k))
            continue;
        active++;
        same += on == knob_is_active(s, &y, k) && a[k] == b[k];
    }
    return active > 0 ? same / active : 1;
}

uint32_t
picks_made(const struct core *c)
{
    uint32_t n = 0;
    for (uint32_t e = 1; e < c->n_experiments; e++)
        n += c->experiment[e].kind == EXPERIMENT_SEARCH;
    return n;
}

/* Picks were measured and none beat the baseline: the source does not know
 * us, and the process decides what is left of it. */
static bool
picks_failed(const struct core *c, const struct analysis *a)
{
    bool measured = false;
    for (uint32_t e = 1; e < c->n_experiments; e++) {
        const struct arm *arm = &a->arm[e];
        if (c->experiment[e].kind != EXPERIMENT_SEARCH || arm->q <= 0)
            continue;
        if (arm->d > 0)
            return false;
        measured = true;
    }
    return measured;
}

/* The best predicted candidate that is unlike what was tried. */
static int
pick_find(const struct core *c, double *score)
{
    const struct spec *s = &c->spec;
    double mean = 0, square = 0;
    int best = -1;
    for (uint32_t i = 0; i < s->n_prior; i++)
        mean += s->candidate_prior[i] / s->n_prior;
    for (uint32_t i = 0; i < s->n_prior; i++)
        square += pow(s->candidate_prior[i] - mean, 2) / s->n_prior;
    double unit = LIKENESS_COST * sqrt(square);
    for (uint32_t i = 0; i < s->n_prior; i++) {
        struct config x;
        double alike = 0;
        memcpy(x.v, s->candidate[i], sizeof x.v);
        if (experiment_find(c, &x) >= 0)
            continue;
        for (uint32_t e = 1; e < c->n_experiments; e++)
            alike = fmax(alike, likeness(s, x.v, c->experiment[e].config.v));
        double value = s->candidate_prior[i] - unit * alike;
        if (best < 0 || value > *score) {
            *score = value;
            best = (int)i;
        }
    }
    return best;
}

bool
picks_plan(const struct core *c, const struct analysis *a, struct update *u)
{
    double score = 0;
    char why[WHY_LEN];
    if (c->spec.n_prior == 0 || picks_made(c) >= PRIOR_PICKS ||
        picks_failed(c, a))
        return false;
    int i = pick_find(c, &score);
    if (i < 0)
        return false;
    struct experiment x = {.kind = EXPERIMENT_SEARCH,
        .prior_sd = PICK_SD * c->spec.metric[c->spec.primary].min_gain};
    memcpy(x.config.v, c->spec.candidate[i], sizeof x.config.v);
    snprintf(why, sizeof why,
        "pick %u of %d from earlier campaigns: candidate %d, unlike the "
        "others",
        picks_made(c) + 1, PRIOR_PICKS, i + 1);
    return trial_plan_new(c, u, &x, 0, c->phase, 0, why);
}
