/* Runs looked at while they go: stop on a rung, or go on. Called by step, and
 * by the search for what stopped runs say. A trial's curve is the search
 * metric at the rungs that it crossed; math/curve.h measures from the
 * campaign's own curves how well a rung predicts the top.
 * On a rung that was measured to be reliable a run goes on when it is in the
 * best part of all runs that reached it, stopped ones included (asynchronous
 * successive halving without promotion: Li et al., arXiv 1810.05934). Never
 * stopped: the baseline, ideas under validation, further seeds, confirmation, a
 * random share (so that reliability goes on being measured), and any run while
 * too few curves reached the top or the rung says too little of it; and no
 * run at all when the money runs half of the declared candidates to the end.
 * Invariant: a stopped run enters the search alone, as a prediction with its
 * uncertainty; no verdict and no claim counts it. */
#include "core/parts.h"

#include "base/rng.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
    FULL_MIN = 2,  /* curves to the top before any run is stopped */
    KEEP_PART = 4, /* one in so many of the runs on a rung goes on */
};
static const double RELIABLE = .3; /* least rho of a rung to be stopped on */
static const double SCARCE = 2; /* candidates for each full run of the money */
/* Share of the runs that nothing stops; small, since each costs as much as
 * many that are stopped. */
static const double SHARE_OPEN = .01;

/* ---- curves ---- */

static bool
curve_counts(const struct core *c, const struct trial *t)
{
    bool state = t->state == TRIAL_OK || t->state == TRIAL_RUNNING ||
                 (t->state == TRIAL_STOPPED && t->stopped != 0);
    return state && t->window == c->window && t->labels == 0 &&
           (t->seen > 0 || t->state == TRIAL_OK);
}

static void
row_fill(const struct core *c, const struct trial *t, double *row)
{
    uint32_t top = c->spec.n_rungs - 1;
    for (uint32_t r = 0; r <= top; r++)
        row[r] = isfinite(t->rung[r]) ? metric_gain(c, t->rung[r]) : NAN;
    if (t->state == TRIAL_OK && isfinite(t->metric[c->spec.primary]))
        row[top] = metric_gain(c, t->metric[c->spec.primary]);
}

bool
fidelity_measure(const struct core *c, struct fidelity *f)
{
    double y[CURVES_MAX * RUNGS_MAX], sum = 0, n_base = 0;
    int n = 0, rungs = (int)c->spec.n_rungs;
    f->on = false;
    if (!c->spec.stops || rungs < 2)
        return false;
    /* the latest ones, when there are more than fit */
    for (uint32_t i = c->n_trials; i-- > 0 && n < CURVES_MAX;) {
        const struct trial *t = &c->trial[i];
        if (!curve_counts(c, t))
            continue;
        row_fill(c, t, &y[n * rungs]);
        n++;
    }
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->experiment != 0 || t->state != TRIAL_OK || t->labels != 0 ||
            t->window != c->window || !isfinite(t->metric[c->spec.primary]))
            continue;
        sum += metric_gain(c, t->metric[c->spec.primary]);
        n_base++;
    }
    if (n == 0 || n_base == 0)
        return false;
    f->base = sum / n_base;
    curve_fit(&f->curve, y, n, rungs);
    f->on = true;
    return true;
}

/* The deepest rung of a trial with a value, -1: none below the top. */
static int
deepest(const struct core *c, const struct trial *t)
{
    for (int r = (int)c->spec.n_rungs - 2; r >= 0; r--)
        if (isfinite(t->rung[r]))
            return r;
    return -1;
}

bool
fidelity_estimate(const struct core *c, const struct fidelity *f,
    uint32_t experiment, double *gain, double *var)
{
    double sd;
    if (!f->on || f->curve.full < 1)
        return false;
    for (uint32_t i = c->n_trials; i-- > 0;) {
        const struct trial *t = &c->trial[i];
        int r = deepest(c, t);
        if (t->experiment != experiment || !curve_counts(c, t) || r < 0 ||
            t->state == TRIAL_OK)
            continue;
        curve_predict(&f->curve, r, metric_gain(c, t->rung[r]), gain, &sd);
        *gain -= f->base;
        *var = sd * sd;
        return true;
    }
    return false;
}

/* ---- the decision ---- */

/* Declared candidates of which the money runs half to the end anyway: to stop
 * one saves nothing that could be spent better. */
static bool
is_scarce(const struct core *c)
{
    if (c->spec.n_candidates == 0)
        return false;
    double search = (double)(budget_total_u(c) - budget_confirm_u(c));
    return c->spec.n_candidates < SCARCE * search / (double)budget_trial_u(c);
}

bool
fidelity_stops(const struct core *c)
{
    return c->spec.stops && c->spec.n_rungs > 1 &&
           c->spec.unit != UNIT_TRIALS && !is_scarce(c);
}

/* Can this run be stopped at all? */
static bool
is_open(const struct core *c, const struct trial *t)
{
    if (!fidelity_stops(c) || t->phase != PHASE_EXPLOITATION ||
        c->experiment[t->experiment].kind != EXPERIMENT_SEARCH)
        return false;
    /* a further run of a configuration is there to reach the top */
    for (uint32_t i = 0; i < c->n_trials; i++)
        if (c->trial[i].experiment == t->experiment && &c->trial[i] != t)
            return false;
    return true;
}

static bool
runs_to_the_end(const struct core *c, uint32_t id)
{
    struct rng r;
    rng_seed2(&r, c->random_seed ^ 0x72756e67, id);
    return rng_f64(&r) < SHARE_OPEN;
}

static bool
pass(struct update *u, uint32_t id, uint32_t seen, const char *why)
{
    decide(u, EVENT_rung_passed, "%s", why);
    u->next.trial = id;
    u->next.n = seen;
    return true;
}

/* Among the runs that reached this rung, stopped ones too: is this one in the
 * best part? The best of all always is. */
static bool
is_among_best(const struct core *c, const struct trial *t, uint32_t rung,
    uint32_t *above, uint32_t *n)
{
    double own = metric_gain(c, t->rung[rung]);
    *above = *n = 0;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *o = &c->trial[i];
        if (!curve_counts(c, o) || !isfinite(o->rung[rung]))
            continue;
        ++*n;
        *above += metric_gain(c, o->rung[rung]) > own;
    }
    return *above < (*n < KEEP_PART ? 1 : *n / KEEP_PART);
}

static bool
weigh(const struct core *c, struct update *u, uint32_t id,
    const struct fidelity *f)
{
    const struct trial *t = core_trial_at(c, id);
    uint32_t rung = t->seen - 1u, above, n;
    double mean, sd;
    char why[WHY_LEN];
    bool best = is_among_best(c, t, rung, &above, &n);
    curve_predict(
        &f->curve, (int)rung, metric_gain(c, t->rung[rung]), &mean, &sd);
    snprintf(why, sizeof why,
        "%s rung %" PRIu32 " of %" PRIu32 ": %" PRIu32 " of %" PRIu32
        " runs were better there, predicted gain %+.3g +- %.2g; the rung's "
        "reliability is %.2f by %d full curves%s",
        best ? "past" : "stopped on", rung + 1, c->spec.n_rungs, above, n,
        mean - f->base, sd, f->curve.rho[rung], f->curve.full,
        best ? "" : "; the rest of its cost is saved");
    if (best)
        return pass(u, id, t->seen, why);
    decide(u, EVENT_job_cancelled, "%s", why);
    u->next.trial = id;
    u->next.job = t->job;
    u->next.n = t->seen;
    return true;
}

static bool
unreliable(const struct core *c, struct update *u, uint32_t id,
    const struct fidelity *f)
{
    uint32_t seen = core_trial_at(c, id)->seen;
    char why[WHY_LEN];
    snprintf(why, sizeof why,
        "rung %" PRIu32 " of %" PRIu32 " says too little of the top: "
        "reliability %.2f by %d full curves, %.2f is needed",
        seen, c->spec.n_rungs, f->curve.rho[seen - 1], f->curve.full, RELIABLE);
    return pass(u, id, seen, why);
}

bool
fidelity_decide(const struct core *c, struct update *u)
{
    for (uint32_t i = 0; i < c->n_jobs; i++) {
        const struct job *j = &c->job[i];
        const struct trial *t = core_trial_at(c, j->trial);
        struct fidelity f;
        if (j->cancelled || j->kind != JOB_TRAIN || t->seen <= t->judged)
            continue;
        if (t->seen >= c->spec.n_rungs)
            return pass(u, j->trial, t->seen, "at the top");
        if (!fidelity_measure(c, &f) || f.curve.full < FULL_MIN)
            return pass(u, j->trial, t->seen,
                "too few curves reached the top to trust a rung");
        if (runs_to_the_end(c, j->trial))
            return pass(u, j->trial, t->seen,
                "one of the runs that go to the end, to measure the rungs");
        if (f.curve.rho[t->seen - 1] < RELIABLE)
            return unreliable(c, u, j->trial, &f);
        return weigh(c, u, j->trial, &f);
    }
    return false;
}

/* ---- events ---- */

void
curve_take(struct core *c, struct trial *t, const struct event *e)
{
    for (uint32_t i = 0; i < e->n_curve; i++) {
        uint32_t r = e->curve[i].rung;
        if (isnan(t->rung[r]))
            t->rung[r] = e->curve[i].value;
        if (r + 1 > t->seen)
            t->seen = (uint8_t)(r + 1);
    }
    if (!is_open(c, t))
        t->judged = t->seen;
}

int
curve_check(const struct core *c, const struct event *e, struct update *u)
{
    for (uint32_t i = 0; i < e->n_curve; i++)
        if (e->curve[i].rung >= c->spec.n_rungs)
            return refuse(u, "no rung number %u", e->curve[i].rung);
    return 0;
}

int
job_reported_apply(struct core *c, const struct event *e, struct update *u)
{
    struct job *j = core_job_find(c, e->job);
    bool news = false;
    if (j == NULL || j->kind != JOB_TRAIN)
        return refuse(u, "J%u is not training", e->job);
    int rc = curve_check(c, e, u);
    if (rc != 0)
        return rc;
    struct trial *t = core_trial(c, j->trial);
    for (uint32_t i = 0; i < e->n_curve; i++)
        news = news ||
               (isnan(t->rung[e->curve[i].rung]) && !isnan(e->curve[i].value));
    if (!news)
        return refuse(u, "nothing new of J%u", e->job);
    curve_take(c, t, e);
    return 0;
}

int
rung_passed_apply(struct core *c, const struct event *e, struct update *u)
{
    struct trial *t = core_trial(c, e->trial);
    if (t == NULL || e->n <= t->judged || e->n > t->seen)
        return refuse(u, "T%u has no rung %u to pass", e->trial, e->n);
    t->judged = (uint8_t)e->n;
    return 0;
}
