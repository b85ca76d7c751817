/* Regressions from rung to rung, and what they say of the top. Called by the
 * engine's fidelity rule. Invariant: with no run known at the top the
 * reliability of every rung is 0. */
#include "math/curve.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

/* The prior of a stage: so many runs' worth of slope 1, and of residuals of
 * this share of the spread at the lower rung. */
static const double PRIOR_RUNS = 1, PRIOR_DF = 2, PRIOR_RESIDUAL = .5;
/* Losses beyond this many times the best gain (from the median) are all bad:
 * a collapsed run must not be the lever of a regression. */
static const double LOSS_FLOOR = 2.5;
enum { FLOOR_RUNS = 4 };

/* Rank by counting: small n, no work space. */
static double
median_at(const double *y, int n, int rungs, int r)
{
    double lo = -INFINITY, hi = INFINITY;
    int known = 0;
    for (int i = 0; i < n; i++)
        known += !isnan(y[i * rungs + r]);
    for (int i = 0; i < n; i++) {
        double v = y[i * rungs + r];
        int below = 0, equal = 0;
        if (isnan(v))
            continue;
        for (int j = 0; j < n; j++) {
            below += y[j * rungs + r] < v;
            equal += y[j * rungs + r] == v;
        }
        if (below <= (known - 1) / 2 && (known - 1) / 2 < below + equal)
            lo = v;
        if (below <= known / 2 && known / 2 < below + equal)
            hi = v;
    }
    return .5 * (lo + hi);
}

static void
floors_fill(struct curve *c, const double *y, int n)
{
    double last = -INFINITY;
    for (int r = 0; r < c->rungs; r++) {
        double best = -INFINITY;
        int known = 0;
        for (int i = 0; i < n; i++) {
            double v = y[i * c->rungs + r];
            known += !isnan(v);
            best = v > best ? v : best;
        }
        if (known >= FLOOR_RUNS) {
            double median = median_at(y, n, c->rungs, r);
            last = median - LOSS_FLOOR * (best - median);
        }
        c->floor[r] = last;
    }
}

static double
value_at(const struct curve *c, const double *y, int i, int r)
{
    double v = y[i * c->rungs + r];
    return v < c->floor[r] ? c->floor[r] : v;
}

/* Mean and variance of all runs that reached rung r. */
static int
spread_at(const struct curve *c, const double *y, int n, int r, double *mean,
    double *var)
{
    int known = 0;
    double m = 0, ss = 0;
    for (int i = 0; i < n; i++) {
        double v = value_at(c, y, i, r);
        if (isnan(v))
            continue;
        double gap = v - m;
        m += gap / ++known;
        ss += gap * (v - m);
    }
    *mean = m;
    *var = known > 1 ? ss / (known - 1) : 0;
    return known;
}

static void
stage_fit(struct curve *c, const double *y, int n, int r)
{
    struct curve_stage *s = &c->stage[r];
    double mx = 0, my = 0, sxx = 0, sxy = 0, syy = 0, all_mean, all_var;
    spread_at(c, y, n, r, &all_mean, &all_var);
    s->n = 0;
    for (int i = 0; i < n; i++) {
        double x = value_at(c, y, i, r), z = value_at(c, y, i, r + 1);
        if (isnan(x) || isnan(z))
            continue;
        double dx = x - mx, dz = z - my;
        s->n++;
        mx += dx / s->n;
        my += dz / s->n;
        sxx += dx * (x - mx);
        sxy += dx * (z - my);
        syy += dz * (z - my);
    }
    double k = PRIOR_RUNS * all_var; /* pseudo runs with slope 1 */
    s->mean_x = mx;
    s->mean_y = my;
    s->sxx = sxx + k;
    s->slope = s->sxx > 0 ? (sxy + k) / s->sxx : 1;
    double ss = syy + k - s->slope * s->slope * s->sxx;
    s->df = PRIOR_DF + (s->n > 1 ? s->n - 1 : 0);
    s->s2 =
        (fmax(0, ss) + PRIOR_DF * PRIOR_RESIDUAL * PRIOR_RESIDUAL * all_var) /
        s->df;
}

/* One stage: mean and variance of y' given N(*m, *v). */
static void
stage_step(const struct curve_stage *s, double *m, double *v)
{
    double gap = *m - s->mean_x, n = s->n > 0 ? s->n : .5;
    double slope_var = s->sxx > 0 ? s->s2 / s->sxx : 0;
    *v = s->s2 * (1 + 1 / n) + slope_var * (gap * gap + *v) +
         s->slope * s->slope * *v;
    *m = s->mean_y + s->slope * gap;
}

void
curve_predict(const struct curve *c, int r, double y, double *mean, double *sd)
{
    assert(r >= 0 && r < c->rungs);
    double m = y < c->floor[r] ? c->floor[r] : y, v = 0;
    for (int k = r; k + 1 < c->rungs; k++)
        stage_step(&c->stage[k], &m, &v);
    *mean = m;
    *sd = sqrt(v);
}

static void
rho_fill(struct curve *c, const double *y, int n, int r)
{
    double m = 0, ss = 0, error = 0;
    int known = 0;
    c->rho[r] = 0;
    for (int i = 0; i < n; i++) {
        double v = value_at(c, y, i, r), mean, sd;
        if (isnan(v))
            continue;
        curve_predict(c, r, v, &mean, &sd);
        double gap = mean - m;
        m += gap / ++known;
        ss += gap * (mean - m);
        error += (sd * sd - error) / known;
    }
    if (known < 2 || c->full == 0)
        return;
    double signal = ss / (known - 1);
    c->rho[r] = signal > 0 ? sqrt(signal / (signal + error)) : 0;
}

void
curve_fit(struct curve *c, const double *y, int n, int rungs)
{
    assert(n >= 1 && rungs >= 1 && rungs <= CURVE_RUNGS_MAX);
    c->rungs = rungs;
    c->full = 0;
    for (int i = 0; i < n; i++)
        c->full += !isnan(y[i * rungs + rungs - 1]);
    floors_fill(c, y, n);
    for (int r = 0; r + 1 < rungs; r++)
        stage_fit(c, y, n, r);
    for (int r = 0; r < rungs; r++)
        rho_fill(c, y, n, r);
}
