/* What the trials say: seed noise, differences to the baseline, shrunken
 * posteriors, e-values, guardrails. Read by every phase and by the report.
 * Model: y = mu + theta_i + e, e ~ N(0, s^2), one s^2 for all arms (pooled
 * over repeats). Raw values of two data windows are never mixed: differences
 * are taken inside a window and pooled as differences.
 * Trials that a remedy changed are kept out. */
#include "core/parts.h"

#include "math/dist.h"
#include "math/stat.h"

#include <math.h>
#include <string.h>

/* Effects worth finding are of the size of the noise or some times it. */
const double ANALYSIS_E_SCALE = 2.0;
/* The prior of s^2 is worth one degree of freedom, at min_gain^2: it matters
 * only until the baseline's repeats are in. */
static const double NOISE_PRIOR_DF = 1.0;

double
metric_gain(const struct core *c, double value)
{
    return metric_signed(&c->spec.metric[c->spec.primary], value);
}

static bool
trial_counts(const struct trial *t, uint32_t metric)
{
    return t->state == TRIAL_OK && t->labels == 0 &&
           isfinite(t->metric[metric]);
}

static bool
reason_is_divergence(uint32_t reason)
{
    return reason == REASON_NAN || reason == REASON_SPIKE ||
           reason == REASON_DIVERGED;
}

static void
arm_count(const struct core *c, const struct trial *t, struct analysis *a)
{
    struct arm *arm = &a->arm[t->experiment];
    bool flying = t->state == TRIAL_QUEUED || t->state == TRIAL_RUNNING;
    arm->flying += flying;
    arm->failed += t->state == TRIAL_FAILED;
    arm->changed += t->state == TRIAL_OK && t->labels != 0;
    arm->diverged +=
        (t->state == TRIAL_OK && (t->labels & LABEL_STABILISED) != 0) ||
        (t->state == TRIAL_FAILED && reason_is_divergence(t->reason));
    if (t->experiment == 0 && t->window == c->window)
        a->base_flying += flying;
}

/* One data window: its repeats add to the pooled noise, its differences to
 * the arms as inverse-variance weights (kept in d = sum w d, q = sum w). */
static void
window_add(const struct core *c, uint32_t window, bool confirming,
    struct analysis *a, struct pooled *pool)
{
    struct welford w[c->n_experiments + 1];
    memset(w, 0, sizeof w);
    uint32_t primary = c->spec.primary;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->window != window || !trial_counts(t, primary) ||
            (!confirming && t->phase == PHASE_CONFIRMATION))
            continue;
        double value = t->metric[primary];
        welford_add(&w[t->experiment], metric_gain(c, value));
        a->arm[t->experiment].n++;
        a->arm[t->experiment].sum += value;
    }
    if (window == c->window)
        a->base_now = (uint32_t)w[0].n;
    for (uint32_t x = 0; x < c->n_experiments; x++) {
        pooled_add(pool, &w[x]);
        if (x == 0 || w[x].n == 0 || w[0].n == 0)
            continue;
        double weight = 1 / (1 / w[x].n + 1 / w[0].n);
        a->arm[x].d += weight * (w[x].mean - w[0].mean);
        a->arm[x].q += weight;
    }
}

static void
collect(const struct core *c, bool confirming, struct analysis *a)
{
    struct pooled pool = {0, 0};
    *a = (struct analysis){.arm = a->arm};
    memset(a->arm, 0, c->n_experiments * sizeof a->arm[0]);
    for (uint32_t i = 0; i < c->n_trials; i++)
        arm_count(c, &c->trial[i], a);
    for (uint32_t w = 0; w <= c->window; w++)
        window_add(c, w, confirming, a, &pool);
    for (uint32_t x = 1; x < c->n_experiments; x++) {
        struct arm *arm = &a->arm[x];
        if (arm->q > 0) {
            arm->d /= arm->q;
            arm->q = 1 / arm->q;
        }
    }
    double guess = c->spec.metric[c->spec.primary].min_gain;
    struct noise n =
        noise_update(noise_prior(guess * guess, NOISE_PRIOR_DF), &pool);
    a->s2 = noise_s2(n);
    a->df = noise_df(n);
    a->pooled_df = pool.df;
    a->pooled_s2 = pool.df > 0 ? pooled_var(&pool) : 0;
}

void
analysis_collect(const struct core *c, struct analysis *a)
{
    collect(c, true, a);
}

void
analysis_collect_search(const struct core *c, struct analysis *a)
{
    collect(c, false, a);
}

static void
prior_of(const struct core *c, uint32_t experiment, double *mean, double *sd)
{
    const struct experiment *x = &c->experiment[experiment];
    *mean = x->prior_mean;
    *sd = x->prior_sd > 0 ? x->prior_sd
                          : c->spec.metric[c->spec.primary].min_gain;
}

void
analysis_posterior(const struct core *c, const struct analysis *a,
    uint32_t experiment, struct effect *out)
{
    memset(out, 0, sizeof *out);
    const struct arm *arm = &a->arm[experiment];
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    double m, tau;
    out->n = arm->n;
    out->metric_mean = arm->n > 0 ? arm->sum / arm->n : NAN;
    if (experiment == 0)
        return;
    prior_of(c, experiment, &m, &tau);
    struct gauss g = {m, tau};
    if (arm->q > 0) {
        out->raw = arm->d;
        out->raw_sd = sqrt(a->s2 * arm->q);
        g = posterior_normal(m, tau, arm->d, a->s2 * arm->q);
        if (a->pooled_df >= 1)
            out->log_e = safe_t_log_e(arm->d, 1 / arm->q, a->pooled_s2,
                a->pooled_df, ANALYSIS_E_SCALE);
    }
    double t = student_quantile(.975, a->df);
    out->mean = g.mean;
    out->sd = g.sd;
    out->lo = g.mean - t * g.sd;
    out->hi = g.mean + t * g.sd;
    /* s^2 is estimated, too: with few repeats the tails are heavier */
    out->prob = student_cdf((g.mean - min_gain) / g.sd, a->df);
}

bool
analysis_effect(const struct core *c, uint32_t experiment, struct effect *out)
{
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    analysis_collect(c, &a);
    analysis_posterior(c, &a, experiment, out);
    return a.arm[experiment].q > 0;
}

void
analysis_baseline(const struct core *c, struct baseline_stat *out)
{
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    memset(out, 0, sizeof *out);
    if (c->n_experiments == 0)
        return;
    analysis_collect(c, &a);
    double sum = 0;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->experiment != 0 || t->window != c->window ||
            !trial_counts(t, c->spec.primary))
            continue;
        sum += t->metric[c->spec.primary];
        out->n++;
    }
    out->mean = out->n > 0 ? sum / out->n : 0;
    out->sd = a.pooled_df > 0 ? sqrt(a.pooled_s2) : 0;
    out->df = a.pooled_df;
}

uint32_t
analysis_incumbent(const struct core *c)
{
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    struct effect x;
    uint32_t best = 0;
    double best_mean = 0;
    analysis_collect(c, &a);
    int searched = exploitation_incumbent(c, &a);
    if (searched >= 0)
        return (uint32_t)searched;
    for (uint32_t i = 1; i < c->n_experiments; i++) {
        if (a.arm[i].q <= 0)
            continue;
        analysis_posterior(c, &a, i, &x);
        if (x.mean > best_mean && !analysis_guard_violated(c, i)) {
            best_mean = x.mean;
            best = i;
        }
    }
    return best;
}

/* ---- guardrails ---- */

static double
guard_limit(const struct metric *m, double baseline)
{
    double step = m->relative ? m->limit * fabs(baseline) : m->limit;
    switch (m->guard) {
    case GUARD_MAX_INCREASE:
        return baseline + step;
    case GUARD_MAX_DROP:
        return baseline - step;
    default:
        return m->limit;
    }
}

struct guard_arms { /* of one metric, current window */
    struct welford base, candidate;
    struct pooled pool;
};

static void
guard_collect(const struct core *c, uint32_t metric, uint32_t experiment,
    uint32_t phase, struct guard_arms *g)
{
    memset(g, 0, sizeof *g);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->window != c->window || !trial_counts(t, metric) ||
            (phase != PHASE_NONE && t->phase != phase))
            continue;
        if (t->experiment == 0)
            welford_add(&g->base, t->metric[metric]);
        else if (t->experiment == experiment)
            welford_add(&g->candidate, t->metric[metric]);
    }
    pooled_add(&g->pool, &g->base);
    pooled_add(&g->pool, &g->candidate);
}

static bool
guard_one(const struct core *c, uint32_t metric, uint32_t experiment,
    uint32_t phase, struct guard_result *out)
{
    const struct metric *m = &c->spec.metric[metric];
    struct guard_arms g;
    guard_collect(c, metric, experiment, phase, &g);
    if (g.candidate.n == 0 || g.base.n == 0)
        return false;
    bool against_base =
        m->guard == GUARD_MAX_INCREASE || m->guard == GUARD_MAX_DROP;
    double base_var = against_base ? 1 / g.base.n : 0;
    double half = INFINITY;
    if (g.pool.df >= 1)
        half = student_quantile(.975, g.pool.df) *
               sqrt(pooled_var(&g.pool) * (1 / g.candidate.n + base_var));
    out->metric = metric;
    out->baseline = g.base.mean;
    out->candidate = g.candidate.mean;
    out->limit = guard_limit(m, g.base.mean);
    out->lo = out->candidate - half;
    out->hi = out->candidate + half;
    bool upper = m->guard == GUARD_MAX_INCREASE || m->guard == GUARD_MAX;
    out->ok =
        upper ? out->candidate <= out->limit : out->candidate >= out->limit;
    out->violated = upper ? out->lo > out->limit : out->hi < out->limit;
    return true;
}

uint32_t
analysis_guards(const struct core *c, uint32_t experiment, uint32_t phase,
    struct guard_result *out)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < c->spec.n_metrics; m++)
        if (c->spec.metric[m].guard != GUARD_NONE &&
            guard_one(c, m, experiment, phase, &out[n]))
            n++;
    return n;
}

bool
analysis_guard_violated(const struct core *c, uint32_t experiment)
{
    struct guard_result g[METRICS_MAX];
    uint32_t n = analysis_guards(c, experiment, PHASE_NONE, g);
    for (uint32_t i = 0; i < n; i++)
        if (g[i].violated)
            return true;
    return false;
}

int
pair_judged_apply(struct core *c, const struct event *e, struct update *u)
{
    /* experiment, experiment_b hold hypothesis numbers a < b */
    uint32_t a = e->experiment, b = e->experiment_b;
    if (a < 1 || b <= a || b > c->n_hypotheses)
        return refuse(u, "no pair H%u, H%u", a, b);
    if (c->n_pairs >= PAIRS_MAX)
        return refuse(u, "at most %d pairs", PAIRS_MAX);
    if (e->verdict == PAIR_NONE || e->verdict > PAIR_UNCLEAR)
        return refuse(u, "no such verdict on a pair");
    c->pair[c->n_pairs++] = (struct pair){(uint8_t)(a - 1), (uint8_t)(b - 1),
        (uint8_t)e->verdict, e->mean, e->lo, e->hi};
    return 0;
}
