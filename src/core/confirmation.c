/* Confirmation: up to three finalists and the baseline, fresh seeds, the
 * sealed metric, one look. Called while the phase is active. Intervals are
 * simultaneous over the finalists (Dunnett 1955) with one seed variance pooled
 * over the arms; where per-row predictions gave the sampling variance of the
 * difference it is added (Welch-Satterthwaite for the degrees of freedom).
 * Invariant: a proposal has a sealed interval above 0 and its guardrails
 * within their limits; otherwise nothing is proposed. */
#include "core/parts.h"

#include "math/dist.h"
#include "math/stat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS_MIN = 3, SEEDS_ENOUGH = 5, SEEDS_MAX = 16, SEEDS_READ_MIN = 2 };
/* The sealed metric's noise is not known before it is opened: as if its
 * variance were that much larger than the search metric's. */
static const double SEALED_NOISE = 1.5;
static const double CHANCE_PRICE = .01; /* not worth another seed below */
/* Sd of a gain's sealed part that the search metric does not tell, over the
 * gain. */
static const double TRANSFER = .25;
/* A second or third finalist is opened only when it may well be the best one:
 * each costs seeds of all arms and widens every interval. */
static const double RIVAL = .30;
static const double LIKELY = .60; /* P(gain > 0) of a finalist */

static bool
has_seal(const struct core *c)
{
    return c->spec.sealed < c->spec.n_metrics;
}

static const struct metric *
sealed_metric(const struct core *c)
{
    return &c->spec.metric[has_seal(c) ? c->spec.sealed : c->spec.primary];
}

/* ---- finalists ---- */

/* Seeds per arm that the budget holds for the finalists so far and one more
 * experiment, 0: none more; each by what its own trainings cost. */
static uint32_t
seeds_held(const struct core *c, uint32_t more)
{
    struct cost_model m;
    int64_t spent = c->phase_spent_u[PHASE_CONFIRMATION];
    double room = (double)(c->approved_u - c->spent_u + spent);
    cost_model_fit(c, &m);
    double each = cost_of(c, &m, &c->experiment[0].config, 0);
    for (uint32_t i = 0; i < c->n_finalists; i++)
        each +=
            cost_of(c, &m, &c->experiment[c->finalist[i].experiment].config, 0);
    if (more != 0)
        each += cost_of(c, &m, &c->experiment[more].config, 0);
    double n = floor(room / (each * budget_rate(c, PHASE_CONFIRMATION)));
    return n < SEEDS_MAX ? (uint32_t)fmax(n, 0) : SEEDS_MAX;
}

/* The best that is likely to be better and that the money can confirm. */
static uint32_t
finalist_next(
    const struct core *c, const struct analysis *a, struct effect *best)
{
    uint32_t who = 0;
    for (uint32_t e = 1; e < c->n_experiments; e++) {
        struct effect x;
        if (c->experiment[e].finalist || a->arm[e].q <= 0)
            continue;
        analysis_posterior(c, a, e, &x);
        struct gauss g = {x.mean, x.sd};
        if (x.mean <= 0 || gauss_above(g, 0) < LIKELY ||
            analysis_guard_violated(c, e))
            continue;
        if ((who == 0 || x.mean > best->mean) &&
            seeds_held(c, e) >= SEEDS_READ_MIN) {
            who = e;
            *best = x;
        }
    }
    return who;
}

static bool
is_rival(const struct core *c, const struct analysis *a, const struct effect *x)
{
    struct effect first;
    analysis_posterior(c, a, c->finalist[0].experiment, &first);
    struct gauss d = {
        x->mean - first.mean, sqrt(x->sd * x->sd + first.sd * first.sd)};
    return gauss_above(d, 0) > RIVAL;
}

/* Chance that the sealed interval of a gain believed N(mean, sd^2) lies above
 * 0 after n seeds an arm. */
static double
claim_chance(double mean, double sd, double s2, uint32_t n, uint32_t finalists)
{
    double se2 = s2 * 2 / n, df = (n - 1.) * (finalists + 1);
    double q = student_quantile(1 - .025 / finalists, df); /* near Dunnett's */
    return normal_cdf((mean - q * sqrt(se2)) / sqrt(sd * sd + se2));
}

/* Seeds per arm: as many as still raise the chance of a claim. They follow
 * from what was known before the first fresh seed, so no value of
 * Confirmation can stop it. */
static uint32_t
seeds_per_arm(const struct core *c, uint32_t finalists)
{
    uint32_t most = seeds_held(c, 0), n = SEEDS_ENOUGH;
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    struct effect x;
    if (most <= SEEDS_ENOUGH)
        return most;
    analysis_collect_search(c, &a);
    analysis_posterior(c, &a, c->finalist[0].experiment, &x);
    double s2 = SEALED_NOISE * a.s2 * (1 + 2 / a.df);
    double best = claim_chance(x.mean, x.sd, s2, most, finalists);
    while (n < most &&
           claim_chance(x.mean, x.sd, s2, n, finalists) < best - CHANCE_PRICE)
        n++;
    return n;
}

static bool
finalist_choose(
    const struct core *c, const struct analysis *a, struct update *u)
{
    struct effect x;
    if (c->n_trials > 0) /* chosen once, before the first fresh seed */
        for (uint32_t i = 0; i < c->n_trials; i++)
            if (c->trial[i].phase == PHASE_CONFIRMATION)
                return false;
    if (c->n_finalists >= FINALISTS_MAX)
        return false;
    uint32_t who = finalist_next(c, a, &x);
    if (who == 0)
        return false;
    if (c->n_finalists > 0 &&
        (!is_rival(c, a, &x) || seeds_held(c, who) < 2 * SEEDS_MIN))
        return false;
    decide(u, EVENT_finalist_chosen,
        "E%u: shrunken gain %+.3g [%+.3g, %+.3g] after %u runs", who, x.mean,
        x.lo, x.hi, x.n);
    u->next.experiment = who;
    return true;
}

/* ---- fresh seeds ---- */

struct arm_runs {
    uint32_t ok, flying, failed;
};

static void
arm_runs(const struct core *c, uint32_t experiment, struct arm_runs *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->phase != PHASE_CONFIRMATION || t->window != c->window ||
            t->experiment != experiment)
            continue;
        bool flying = t->state == TRIAL_QUEUED || t->state == TRIAL_RUNNING;
        bool ok = t->state == TRIAL_OK && t->labels == 0;
        out->flying += flying;
        out->ok += ok;
        out->failed += !flying && !ok;
    }
}

static bool
seed_plan(const struct core *c, struct update *u)
{
    uint32_t want = seeds_per_arm(c, c->n_finalists);
    uint32_t arm = 0, fewest = UINT32_MAX;
    for (uint32_t i = 0; i <= c->n_finalists; i++) {
        uint32_t e = i == 0 ? 0 : c->finalist[i - 1].experiment;
        struct arm_runs r;
        arm_runs(c, e, &r);
        uint32_t have = r.ok + r.flying;
        if (have < want && r.failed < SEEDS_MAX && have < fewest) {
            fewest = have;
            arm = e;
        }
    }
    if (fewest == UINT32_MAX || !budget_phase_open(c, PHASE_CONFIRMATION))
        return false;
    char why[WHY_LEN];
    snprintf(why, sizeof why, "fresh seed %u of %u for %s", fewest + 1, want,
        arm == 0 ? "the baseline" : "a finalist");
    return trial_plan(c, u, arm, PHASE_CONFIRMATION, 0, why);
}

static bool
arms_are_complete(const struct core *c)
{
    for (uint32_t i = 0; i <= c->n_finalists; i++) {
        struct arm_runs r;
        arm_runs(c, i == 0 ? 0 : c->finalist[i - 1].experiment, &r);
        if (r.ok < SEEDS_READ_MIN)
            return false;
    }
    return true;
}

/* ---- the look ---- */

static bool
sealed_is_read(const struct core *c)
{
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->phase == PHASE_CONFIRMATION && t->window == c->window &&
            t->state == TRIAL_OK && !t->sealed_known)
            return false;
    }
    return true;
}

static void
sealed_arm(const struct core *c, uint32_t experiment, struct welford *w)
{
    memset(w, 0, sizeof *w);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->phase != PHASE_CONFIRMATION || t->window != c->window ||
            t->state != TRIAL_OK || t->labels != 0 ||
            t->experiment != experiment)
            continue;
        double v = has_seal(c) ? t->sealed : t->metric[c->spec.primary];
        if (isfinite(v))
            welford_add(w, v);
    }
}

struct sealed_gain {
    double base, candidate, gain, half;
    double var; /* of the gain */
    double n, n_base;
    bool ok;
};

static void
sealed_measure(const struct core *c, uint32_t f, struct sealed_gain *out)
{
    struct welford base, arm, other;
    struct pooled pool = {0, 0};
    const struct metric *m = sealed_metric(c);
    sealed_arm(c, 0, &base);
    sealed_arm(c, c->finalist[f].experiment, &arm);
    pooled_add(&pool, &base);
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        sealed_arm(c, c->finalist[i].experiment, &other);
        pooled_add(&pool, &other);
    }
    memset(out, 0, sizeof *out);
    out->ok = base.n >= SEEDS_READ_MIN && arm.n >= SEEDS_READ_MIN;
    if (!out->ok)
        return;
    double seed_var = pooled_var(&pool) * (1 / arm.n + 1 / base.n);
    double var = seed_var + c->finalist[f].sampling_var;
    double df =
        seed_var > 0 ? pool.df * (var / seed_var) * (var / seed_var) : pool.df;
    double rho = arm.n / (arm.n + base.n);
    double q = dunnett_quantile(.95, (int)c->n_finalists, df, rho);
    out->base = base.mean;
    out->candidate = arm.mean;
    out->gain = metric_signed(m, arm.mean) - metric_signed(m, base.mean);
    out->half = q * sqrt(var);
    out->var = var;
    out->n = arm.n;
    out->n_base = base.n;
}

double
confirmation_shrunken(const struct core *c, uint32_t index)
{
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    struct effect x;
    struct sealed_gain g;
    analysis_collect_search(c, &a);
    analysis_posterior(c, &a, c->finalist[index].experiment, &x);
    sealed_measure(c, index, &g);
    if (!g.ok || !(g.var > 0))
        return c->finalist[index].gain;
    double sd = hypot(x.sd, TRANSFER * x.mean);
    return posterior_normal(x.mean, sd, g.gain, g.var).mean;
}

static bool
finalist_judge(const struct core *c, struct update *u)
{
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        struct sealed_gain g;
        if (f->judged)
            continue;
        sealed_measure(c, i, &g);
        if (!g.ok)
            continue;
        decide(u, EVENT_finalist_judged,
            "E%u: %s gain %+.3g [%+.3g, %+.3g] over %.0f seeds%s",
            f->experiment, sealed_metric(c)->name, g.gain, g.gain - g.half,
            g.gain + g.half, g.n,
            f->sampling_var > 0 ? ", test sampling included" : ", seeds only");
        struct event *e = &u->next;
        e->experiment = f->experiment;
        e->n = (uint32_t)g.n;
        e->attempt = (uint32_t)g.n_base;
        e->mean = g.gain;
        e->lo = g.gain - g.half;
        e->hi = g.gain + g.half;
        e->base = g.base;
        e->value = g.candidate;
        return true;
    }
    return false;
}

static bool
guards_hold(const struct core *c, uint32_t experiment)
{
    struct guard_result g[METRICS_MAX];
    uint32_t n = analysis_guards(c, experiment, PHASE_CONFIRMATION, g);
    for (uint32_t i = 0; i < n; i++)
        if (!g[i].ok)
            return false;
    return true;
}

static bool
propose(const struct core *c, struct update *u)
{
    const struct finalist *best = NULL;
    bool guarded = false;
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        if (!f->judged || f->lo <= 0)
            continue;
        if (!guards_hold(c, f->experiment))
            guarded = true;
        else if (best == NULL || f->gain > best->gain)
            best = f;
    }
    if (best == NULL)
        return decide(u, EVENT_nothing_held, "%s",
            guarded ? "a finalist gained, but a guardrail is not within its "
                      "limit: no proposal"
                    : "no finalist's sealed interval lies above 0: no "
                      "proposal");
    decide(u, EVENT_proposal_made,
        "E%u: sealed gain %+.3g [%+.3g, %+.3g] over %u fresh seeds, %u look; "
        "shrunken estimate %+.3g",
        best->experiment, best->gain, best->lo, best->hi, best->n, c->looks,
        confirmation_shrunken(c, (uint32_t)(best - c->finalist)));
    u->next.experiment = best->experiment;
    u->next.mean = best->gain;
    u->next.lo = best->lo;
    u->next.hi = best->hi;
    return true;
}

static bool
confirmation_close(struct update *u, enum phase_state state, const char *why)
{
    decide(u, EVENT_phase_closed, "%s", why);
    u->next.phase = PHASE_CONFIRMATION;
    u->next.state = state;
    return true;
}

bool
confirmation_decide(
    const struct core *c, const struct analysis *a, struct update *u)
{
    bool judged = false;
    for (uint32_t i = 0; i < c->n_finalists; i++)
        judged = judged || c->finalist[i].judged;
    if (c->sealed_open || judged) {
        if (has_seal(c) && !sealed_is_read(c))
            return false;
        if (finalist_judge(c, u))
            return true;
        /* a proposal, or its absence, is logged once; then the phase ends */
        if (judged && c->proposal == 0 && c->sealed_open)
            return propose(c, u);
        return confirmation_close(u, PHASE_DONE,
            c->proposal != 0 ? "a proposal stands" : "nothing held");
    }
    if (finalist_choose(c, a, u))
        return true;
    if (c->n_finalists == 0)
        return confirmation_close(u, PHASE_SKIPPED,
            "no experiment is likely to be better than the baseline");
    if (seed_plan(c, u))
        return true;
    if (phase_busy(c, PHASE_CONFIRMATION))
        return false;
    if (!arms_are_complete(c))
        return confirmation_close(
            u, PHASE_DONE, "too few fresh seeds ended ok to open the seal");
    return decide(u, EVENT_sealed_opened,
        "look %u at %s: %u finalists and the baseline", c->looks + 1,
        sealed_metric(c)->name, c->n_finalists);
}
