/* Validation: single ideas alone against the repeated baseline. Called while
 * the phase is active. Noise comes before ideas; the next run is the one with
 * the highest knowledge gradient per cost on the question "is this gain above
 * min_gain?" (Frazier, Powell & Dayanik 2008; a standard instead of the best
 * of the others, since several ideas may go on); an idea stops when its
 * posterior is clear. Proved = closed e-BH at q = .1 over all ideas (Xu et
 * al. 2025); what money the phase has left goes to the nearest proofs.
 * Invariant: every live idea leaves with a verdict. */
#include "core/parts.h"

#include "math/acquire.h"
#include "math/stat.h"

#include <math.h>
#include <stdio.h>

enum {
    REPEATS_MAX = 8,    /* of one idea in this phase */
    PROOF_MAX = 14,     /* of a promoted idea, to prove it */
    CONFIRM_KEEPS = 24, /* runs that proofs leave to confirmation */
    BASELINE_MAX = 12,  /* baseline repeats of one window */
    FAILS_MAX = 2,      /* trials failed for good before an idea is given up */
    BASELINE_FAILS_MAX = 3,
};
static const double CLEAR = .95;    /* posterior that ends an idea */
static const double KG_FLOOR = .02; /* of min_gain: not worth a run below */
static const double EBH_Q = .1;
static const double PROOF_SHARE = .5; /* of the search money */

bool
baseline_decide(
    const struct core *c, const struct analysis *a, struct update *u)
{
    const struct arm *base = &a->arm[0];
    /* a plain search has no repeats to wait for */
    bool repeats = (c->spec.phases & (1u << PHASE_VALIDATION)) != 0;
    uint32_t want = repeats ? c->spec.baseline_seeds : 1;
    if (base->n == 0 && base->flying == 0 && base->failed > 0 &&
        base->failed >= BASELINE_FAILS_MAX)
        return decide(
            u, EVENT_campaign_halted, "the baseline does not run: see why T1");
    if (base->n == 0 && base->changed >= BASELINE_FAILS_MAX)
        return decide(u, EVENT_campaign_halted,
            "the baseline only runs after a remedy changed it: see why T1");
    if (a->base_now + a->base_flying >= want)
        return false;
    if (!budget_phase_open(c, c->phase)) {
        if (a->base_now >= (repeats ? 2u : 1u) || phase_busy(c, c->phase))
            return false;
        return decide(u, EVENT_campaign_halted,
            "the budget does not hold the baseline's repeats");
    }
    char why[WHY_LEN];
    snprintf(why, sizeof why, "baseline seed %u of %u%s",
        a->base_now + a->base_flying + 1, want,
        c->window > 0 ? ", new data window" : "");
    return trial_plan(c, u, 0, c->phase, 0, why);
}

/* ---- verdicts ---- */

static bool
judge(const struct core *c, const struct analysis *a, struct update *u,
    uint32_t i, enum verdict v, const char *reason)
{
    const struct hypothesis *h = &c->hypothesis[i];
    struct effect x = {.mean = h->prior_mean,
        .sd = h->prior_sd,
        .lo = h->prior_mean - 1.96 * h->prior_sd,
        .hi = h->prior_mean + 1.96 * h->prior_sd};
    bool measured = h->experiment != 0 && a->arm[h->experiment].q > 0;
    if (measured)
        analysis_posterior(c, a, h->experiment, &x);
    if (measured)
        decide(u, EVENT_hypothesis_judged,
            "%s: gain %+.3g [%+.3g, %+.3g], P(gain > %.2g) = %.2f, e-value "
            "%.3g after %u runs; %s",
            verdict_name(v), x.mean, x.lo, x.hi,
            c->spec.metric[c->spec.primary].min_gain, x.prob, exp(x.log_e), x.n,
            reason);
    else
        decide(u, EVENT_hypothesis_judged, "%s: %s", verdict_name(v), reason);
    struct event *e = &u->next;
    e->hypothesis = i + 1;
    e->verdict = v;
    e->mean = x.mean;
    e->lo = x.lo;
    e->hi = x.hi;
    e->prob = x.prob;
    e->log_e = x.log_e;
    e->n = x.n;
    return true;
}

static bool
idea_is_open(const struct hypothesis *h)
{
    return !h->dropped && !h->needs_hook && h->verdict == VERDICT_NONE;
}

static bool
idea_judge(const struct core *c, const struct analysis *a, struct update *u,
    uint32_t i)
{
    const struct hypothesis *h = &c->hypothesis[i];
    if (h->experiment == 0)
        return false;
    const struct arm *arm = &a->arm[h->experiment];
    if (arm->flying > 0)
        return false;
    if (arm->diverged >= FAILS_MAX)
        return judge(c, a, u, i, VERDICT_UNSTABLE, "the change diverges");
    if (arm->failed + arm->changed >= FAILS_MAX && arm->n == 0)
        return judge(c, a, u, i, VERDICT_FAILED,
            "its trials failed; this says nothing about the idea");
    if (arm->q <= 0)
        return false;
    if (analysis_guard_violated(c, h->experiment))
        return judge(c, a, u, i, VERDICT_REJECT, "a guardrail is violated");
    struct effect x;
    analysis_posterior(c, a, h->experiment, &x);
    if (x.prob > CLEAR)
        return judge(c, a, u, i, VERDICT_PROMOTE, "clear");
    if (x.prob < 1 - CLEAR)
        return judge(c, a, u, i, VERDICT_REJECT, "clear");
    if (arm->n >= REPEATS_MAX)
        return judge(c, a, u, i, VERDICT_INCONCLUSIVE, "runs used up");
    return false;
}

bool
ideas_judge_late(
    const struct core *c, const struct analysis *a, struct update *u)
{
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        if (idea_is_open(&c->hypothesis[i]) && idea_judge(c, a, u, i))
            return true;
    return false;
}

/* ---- what runs next ---- */

static double
idea_value(const struct core *c, const struct analysis *a,
    const struct sources *src, const struct cost_model *cost, uint32_t i)
{
    const struct hypothesis *h = &c->hypothesis[i];
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    double m, sd;
    sources_predict(c, src, i, &m, &sd);
    double t2 = sd * sd;
    uint32_t flying = 0;
    if (h->experiment != 0) {
        struct effect x;
        analysis_posterior(c, a, h->experiment, &x);
        m = x.mean;
        t2 = x.sd * x.sd;
        flying = a->arm[h->experiment].flying;
    }
    /* a job in flight will have told what its run can tell */
    for (uint32_t f = 0; f < flying; f++)
        t2 = t2 * a->s2 / (t2 + a->s2);
    double value = knowledge_gradient(m, t2, a->s2, min_gain);
    /* an idea that was never run can't go on, however sure its source is: its
     * first run is worth what is expected of it as well */
    if (h->experiment == 0)
        value += fmax(0, m - min_gain);
    struct config x;
    hypothesis_config(c, i + 1, &x);
    return value / cost_weight(c, cost, &x, h->cost_factor);
}

struct pick {
    double value;
    bool pinned, due;
};

/* The engineer's word first, then the floor of a source, then the value. */
static bool
pick_before(const struct pick *x, const struct pick *y)
{
    if (x->pinned != y->pinned)
        return x->pinned;
    if (x->due != y->due)
        return x->due;
    return x->value > y->value;
}

static int
idea_next(const struct core *c, const struct analysis *a, struct pick *best)
{
    int found = -1;
    double floor_value = KG_FLOOR * c->spec.metric[c->spec.primary].min_gain;
    struct sources src;
    sources_collect(c, a, &src);
    struct purse purse;
    purse_open(c, PHASE_VALIDATION, &purse);
    struct source_split split;
    sources_split(c, a, &purse.cost, &split);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        if (!idea_is_open(h))
            continue;
        const struct arm *arm = h->experiment ? &a->arm[h->experiment] : NULL;
        bool fresh = arm == NULL || arm->n + arm->flying == 0;
        bool full = arm != NULL && arm->n + arm->flying >= REPEATS_MAX;
        struct pick x = {idea_value(c, a, &src, &purse.cost, i),
            h->pinned && fresh, arm == NULL && split.due[h->source]};
        struct config config;
        hypothesis_config(c, i + 1, &config);
        if (full || (!x.pinned && x.value < floor_value) ||
            !purse_holds(c, &purse, &config, h->cost_factor))
            continue;
        if (arm == NULL)
            x.value *= split.weight[h->source];
        if (found < 0 || pick_before(&x, best)) {
            found = (int)i;
            *best = x;
        }
    }
    return found;
}

static bool
idea_plan(const struct core *c, const struct analysis *a, struct update *u,
    uint32_t i, const struct pick *pick)
{
    const struct hypothesis *h = &c->hypothesis[i];
    double value = pick->value;
    char why[WHY_LEN];
    uint32_t runs = h->experiment
                        ? a->arm[h->experiment].n + a->arm[h->experiment].flying
                        : 0;
    snprintf(why, sizeof why, "H%u run %u: %s %.3g per weight of cost%s", i + 1,
        runs + 1,
        h->experiment == 0 ? "promise and knowledge" : "knowledge gradient",
        value,
        h->pinned   ? ", pinned by the engineer"
        : pick->due ? ", a fifth of first runs is for new ideas of research"
                    : "");
    if (h->experiment != 0)
        return trial_plan(c, u, h->experiment, c->phase, value, why);
    struct experiment x = {.kind = EXPERIMENT_SINGLE, .mask = UINT64_C(1) << i};
    struct sources src;
    sources_collect(c, a, &src);
    sources_predict(c, &src, i, &x.prior_mean, &x.prior_sd);
    hypothesis_config(c, i + 1, &x.config);
    return trial_plan_new(c, u, &x, i + 1, c->phase, value, why);
}

/* ---- proofs ---- */

/* Log e-value that is surely enough when every promoted idea gets it. */
static double
proof_needed(const struct core *c)
{
    double ideas = 0, promoted = 0;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        ideas += !c->hypothesis[i].needs_hook;
        promoted += c->hypothesis[i].verdict == VERDICT_PROMOTE;
    }
    return log(fmax(1, ideas) / (EBH_Q * fmax(1, promoted)));
}

static bool
idea_is_proving(const struct core *c, const struct analysis *a, uint32_t i)
{
    const struct hypothesis *h = &c->hypothesis[i];
    struct effect x;
    if (h->verdict != VERDICT_PROMOTE || h->dropped || h->experiment == 0)
        return false;
    analysis_posterior(c, a, h->experiment, &x);
    return x.log_e < proof_needed(c);
}

/* Runs until the proof of a promoted idea is expected, when its gain is as
 * believed and the baseline keeps pace; 0: out of reach. */
static uint32_t
proof_runs(const struct core *c, const struct analysis *a, uint32_t i)
{
    const struct arm *arm = &a->arm[c->hypothesis[i].experiment];
    double needed = proof_needed(c);
    uint32_t have = arm->n + arm->flying;
    struct effect x;
    analysis_posterior(c, a, c->hypothesis[i].experiment, &x);
    for (uint32_t n = have + 1; n <= PROOF_MAX; n++) {
        double base = fmax(a->base_now + a->base_flying, fmin(n, BASELINE_MAX));
        double df = a->pooled_df + (n - arm->n);
        if (safe_t_log_e(x.mean, n * base / (n + base), a->s2, df,
                ANALYSIS_E_SCALE) >= needed)
            return n - have;
    }
    return 0;
}

/* Runs that may go to proofs: half of the search money goes to knowing ideas,
 * and never what a well-powered confirmation of one finalist needs. */
static uint32_t
proof_money(const struct core *c)
{
    double each = (double)budget_trial_u(c);
    double search = (double)(c->approved_u - budget_confirm_u(c)) / each;
    double used = (double)c->phase_spent_u[PHASE_VALIDATION] / each;
    double left = (double)budget_room_u(c, true) / each - CONFIRM_KEEPS;
    double runs = fmin(PROOF_SHARE * search - used, left);
    return runs > 0 ? (uint32_t)runs : 0;
}

/* Money that is left when no idea needs a decision proves the promoted ones,
 * the nearest proof first. */
static int
proof_next(const struct core *c, const struct analysis *a)
{
    int best = -1;
    uint32_t fewest = proof_money(c);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        if (!idea_is_proving(c, a, i))
            continue;
        uint32_t runs = proof_runs(c, a, i);
        if (runs > 0 && runs <= fewest && (best < 0 || runs < fewest)) {
            fewest = runs;
            best = (int)i;
        }
    }
    return best;
}

/* More baseline seeds as ideas are repeated: with K ideas sharing the control
 * its best share is sqrt(K) times an idea's (Dunnett 1955). */
static bool
control_plan(const struct core *c, const struct analysis *a, struct update *u)
{
    double open = 0, runs = 0;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        if (h->experiment == 0 ||
            (!idea_is_open(h) && !idea_is_proving(c, a, i)))
            continue;
        open++;
        runs += a->arm[h->experiment].n + a->arm[h->experiment].flying;
    }
    uint32_t have = a->base_now + a->base_flying;
    if (open < 1 || have >= BASELINE_MAX || have >= sqrt(open) * runs / open)
        return false;
    return trial_plan(c, u, 0, c->phase, 0,
        "one more baseline seed: it is shared by all ideas under test");
}

static bool
proof_plan(
    const struct core *c, const struct analysis *a, struct update *u, int i)
{
    const struct hypothesis *h = &c->hypothesis[i];
    char why[WHY_LEN];
    if (control_plan(c, a, u))
        return true;
    snprintf(why, sizeof why,
        "H%d run %u: promoted, %u more runs are expected to prove it", i + 1,
        a->arm[h->experiment].n + a->arm[h->experiment].flying + 1,
        proof_runs(c, a, (uint32_t)i));
    return trial_plan(c, u, h->experiment, c->phase, 0, why);
}

/* ---- the end of the phase ---- */

static bool
proof_judge(const struct core *c, const struct analysis *a, struct update *u)
{
    double log_e[HYPOTHESES_MAX] = {0}, prob[HYPOTHESES_MAX];
    uint32_t who[HYPOTHESES_MAX];
    bool accepted[HYPOTHESES_MAX];
    int n = 0;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        struct effect x = {0};
        if (h->needs_hook)
            continue;
        if (h->experiment != 0)
            analysis_posterior(c, a, h->experiment, &x);
        who[n] = i;
        prob[n] = x.prob;
        log_e[n++] = x.log_e;
    }
    ebh(log_e, n, EBH_Q, accepted);
    for (int k = 0; k < n; k++) {
        const struct hypothesis *h = &c->hypothesis[who[k]];
        bool goes_on = h->verdict == VERDICT_PROMOTE ||
                       (h->verdict == VERDICT_INCONCLUSIVE && prob[k] > .5);
        if (!accepted[k] || h->proved || !goes_on)
            continue;
        judge(c, a, u, who[k], VERDICT_PROMOTE,
            "proved: accepted by e-BH at q = 0.1");
        u->next.proved = true;
        return true;
    }
    return false;
}

static bool
validation_close(const struct core *c, const struct analysis *a,
    struct update *u, const char *why)
{
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        if (!idea_is_open(h))
            continue;
        bool measured = h->experiment != 0 && a->arm[h->experiment].q > 0;
        if (measured)
            return judge(c, a, u, i, VERDICT_INCONCLUSIVE, why);
        bool tried = h->experiment != 0;
        return judge(c, a, u, i, tried ? VERDICT_FAILED : VERDICT_UNTESTED,
            tried ? "its trials failed" : why);
    }
    if (proof_judge(c, a, u))
        return true;
    decide(u, EVENT_phase_closed, "%s", why);
    u->next.phase = PHASE_VALIDATION;
    u->next.state = PHASE_DONE;
    return true;
}

/* An idea that the engineer brought in and that has not run: it is run once
 * even where its money would bring more elsewhere. -1: none. */
static int
idea_asked_for(const struct core *c)
{
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        if (idea_is_open(&c->hypothesis[i]) &&
            c->hypothesis[i].source == SOURCE_ENGINEER &&
            c->hypothesis[i].experiment == 0)
            return (int)i;
    return -1;
}

bool
validation_decide(
    const struct core *c, const struct analysis *a, struct update *u)
{
    if (baseline_decide(c, a, u))
        return true;
    if (a->base_now < 2 || a->base_now < c->spec.baseline_seeds) {
        /* noise before any idea; a baseline run that failed is replaced by
         * baseline_decide, so waiting ends */
        if (a->base_flying > 0)
            return false;
        if (a->base_now < 2)
            return false;
    }
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        if (idea_is_open(&c->hypothesis[i]) && idea_judge(c, a, u, i))
            return true;
    struct pick pick = {0};
    int next = idea_next(c, a, &pick);
    bool open = budget_phase_open(c, PHASE_VALIDATION);
    if (next >= 0 && open && !c->hypothesis[next].pinned &&
        !budget_validation_pays(c, a))
        next = idea_asked_for(c);
    if (next >= 0 && open)
        return control_plan(c, a, u) ||
               idea_plan(c, a, u, (uint32_t)next, &pick);
    int proof = open ? proof_next(c, a) : -1;
    if (proof >= 0)
        return proof_plan(c, a, u, proof);
    if (phase_busy(c, PHASE_VALIDATION))
        return false;
    return validation_close(c, a, u,
        pick.value < KG_FLOOR * c->spec.metric[c->spec.primary].min_gain
            ? "no further run is worth its cost"
        : open ? "the rest of the money is worth more in later phases"
               : "this phase's share of the budget is used");
}
