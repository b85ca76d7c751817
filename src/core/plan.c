/* The campaign's outer life: draft, signature, start, gates, end. Called by
 * step through the event table. Invariant: nothing runs without a signed plan,
 * and a changed project file stops everything until it is signed or restored.*/
#include "core/parts.h"

#include "base/err.h"
#include "math/dist.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const char *const state_names[] = {"none", "draft", "approved",
    "running", "paused", "halted", "done", "stopped"};

const char *
campaign_state_name(uint32_t state)
{
    return state_names[state <= CAMPAIGN_STOPPED ? state : 0];
}

const char *
phase_state_name(uint32_t state)
{
    static const char *const names[] = {"pending", "active", "done", "skipped"};
    return names[state <= PHASE_SKIPPED ? state : 0];
}

static bool
state_is_live(const struct core *c)
{
    return c->state == CAMPAIGN_RUNNING || c->state == CAMPAIGN_PAUSED ||
           c->state == CAMPAIGN_HALTED;
}

static bool
text_fits(const char *s, size_t cap)
{
    return s != NULL && s[0] != '\0' && strlen(s) < cap;
}

int
campaign_drafted_apply(struct core *c, const struct event *e, struct update *u)
{
    bool fresh = c->state == CAMPAIGN_NONE || c->state == CAMPAIGN_DRAFT ||
                 c->state == CAMPAIGN_APPROVED;
    if (!fresh)
        return refuse(u, "the campaign has started: its plan is not redrafted");
    if (e->spec == NULL)
        return refuse(u, "a draft without a spec");
    if (spec_check(e->spec, e->spec_len) != 0)
        return refuse(u, "the spec cannot be read");
    if (e->base_rev != NULL && !text_fits(e->base_rev, HASH_LEN))
        return refuse(u, "no such base commit");
    uint64_t seq = c->seq;
    int64_t now_ms = c->now_ms;
    core_clear(c);
    int rc = spec_decode(&c->spec, e->spec, e->spec_len);
    assert(rc == 0);
    c->seq = seq;
    c->now_ms = now_ms;
    c->state = CAMPAIGN_DRAFT;
    c->random_seed = e->number;
    c->cost_hint_u = e->cost_u;
    c->drafted_ms = e->at_ms;
    c->project_ok = true;
    if (e->base_rev != NULL)
        memcpy(c->base_rev, e->base_rev, strlen(e->base_rev));
    c->n_experiments = 1;
    c->experiment[0].kind = EXPERIMENT_BASELINE;
    config_default(&c->spec, &c->experiment[0].config);
    return 0;
}

int
plan_drafted_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED)
        return refuse(u, "the campaign has ended");
    if (!text_fits(e->hash, HASH_LEN))
        return refuse(u, "a plan needs its hash");
    if (e->budget_u <= 0)
        return refuse(u, "a plan needs a budget above 0");
    memset(c->pending_hash, 0, sizeof c->pending_hash);
    memcpy(c->pending_hash, e->hash, strlen(e->hash));
    c->pending_u = e->budget_u;
    return 0;
}

int
plan_approved_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->pending_hash[0] == '\0' || e->hash == NULL ||
        strcmp(e->hash, c->pending_hash) != 0)
        return refuse(u, "no drafted plan has this hash");
    if (c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED)
        return refuse(u, "the campaign has ended");
    if (e->budget_u <= 0 || e->budget_u > c->pending_u)
        return refuse(u, "the budget may only be lowered when signing");
    if (e->budget_u < c->spent_u + c->reserved_u)
        return refuse(u, "less than what is spent and reserved already");
    if (e->signed_u != 0 &&
        (e->signed_u < e->budget_u || e->signed_u > c->pending_u))
        return refuse(u, "a pool grants no more than was signed");
    memcpy(c->plan_hash, c->pending_hash, sizeof c->plan_hash);
    memset(c->pending_hash, 0, sizeof c->pending_hash);
    c->pending_u = 0;
    c->approved_u = e->budget_u;
    c->signed_u = e->signed_u;
    c->horizon_u = e->horizon_u;
    c->granted_all = false;
    c->approved_ms = e->at_ms;
    c->project_ok = true;
    if (c->state == CAMPAIGN_DRAFT)
        c->state = CAMPAIGN_APPROVED;
    return 0;
}

int
campaign_started_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->state != CAMPAIGN_APPROVED)
        return refuse(u, "%s: only an approved campaign starts",
            campaign_state_name(c->state));
    if (!c->project_ok)
        return refuse(u, "the project file is not the approved one");
    c->state = CAMPAIGN_RUNNING;
    c->started = true;
    c->started_ms = e->at_ms;
    return 0;
}

int
campaign_paused_apply(struct core *c, const struct event *e, struct update *u)
{
    (void)e;
    if (c->state != CAMPAIGN_RUNNING)
        return refuse(u, "%s: only a running campaign pauses",
            campaign_state_name(c->state));
    c->state = CAMPAIGN_PAUSED;
    return 0;
}

int
campaign_resumed_apply(struct core *c, const struct event *e, struct update *u)
{
    /* state = 1: the shell saw the approved project file again */
    if (c->state != CAMPAIGN_PAUSED && c->state != CAMPAIGN_HALTED)
        return refuse(
            u, "%s: nothing to resume", campaign_state_name(c->state));
    if (!c->project_ok && e->state != 1)
        return refuse(u, "the project file is not the approved one");
    c->project_ok = true;
    c->state = CAMPAIGN_RUNNING;
    c->gate_patches = 0;
    c->failed_streak = 0;
    return 0;
}

int
campaign_stopped_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED)
        return refuse(u, "the campaign has ended");
    c->state = CAMPAIGN_STOPPED;
    c->finished_ms = e->at_ms;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        struct trial *t = &c->trial[i];
        if (t->state == TRIAL_QUEUED || t->state == TRIAL_RUNNING) {
            if (t->job == 0)
                t->state = TRIAL_STOPPED;
            t->next_remedy = REMEDY_NONE;
            t->ended = false;
        }
    }
    return 0;
}

int
project_changed_apply(struct core *c, const struct event *e, struct update *u)
{
    (void)e;
    if (!c->project_ok)
        return refuse(u, "known already");
    if (!state_is_live(c) && c->state != CAMPAIGN_APPROVED)
        return refuse(u, "%s: the project file does not matter",
            campaign_state_name(c->state));
    c->project_ok = false;
    if (state_is_live(c))
        c->state = CAMPAIGN_HALTED;
    return 0;
}

int
data_seen_apply(struct core *c, const struct event *e, struct update *u)
{
    if (!text_fits(e->hash, HASH_LEN))
        return refuse(u, "a fingerprint needs its hash");
    if (strcmp(e->hash, c->fingerprint) == 0)
        return refuse(u, "the data did not change");
    if (c->fingerprint[0] != '\0') {
        if (c->window + 1 >= WINDOWS_MAX)
            return refuse(
                u, "the data changed more than %d times", WINDOWS_MAX - 1);
        c->window++;
    }
    memset(c->fingerprint, 0, sizeof c->fingerprint);
    memcpy(c->fingerprint, e->hash, strlen(e->hash));
    return 0;
}

int
campaign_halted_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->state != CAMPAIGN_RUNNING)
        return refuse(u, "only a running campaign halts");
    if (e->patches >> c->n_patches != 0)
        return refuse(u, "no such patch");
    c->gate_patches = e->patches;
    c->state = CAMPAIGN_HALTED;
    return 0;
}

int
campaign_finished_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->state != CAMPAIGN_RUNNING || c->n_jobs != 0)
        return refuse(u, "only a running campaign without jobs finishes");
    c->state = CAMPAIGN_DONE;
    c->phase = PHASE_NONE;
    c->finished_ms = e->at_ms;
    return 0;
}

/* ---- the estimate that the engineer signs ---- */

static double
noise_assumed(const struct core *c)
{
    struct baseline_stat b;
    analysis_baseline(c, &b);
    return b.n >= 2 ? b.sd : c->spec.metric[c->spec.primary].min_gain;
}

/* Budgets of the curve, as shares of the asked one. */
static const double curve_share[PLAN_POINTS] = {
    .1, .25, .5, .75, 1, 1.5, 2, 3, 4};
enum { CHOICE_DRAWS = 48, CURVE_DRAWS = 256, CURVE_AT = 4 /* share 1 */ };
/* A trial that brings less than this of min_gain does not pay: the floor by
 * which the phases end, too. */
static const double PAYS = .02;

/* Chosen on some draws and valued on others, so that the choice does not
 * flatter itself. */
static void
curve_point(const struct core *c, int64_t budget_u, struct outlook *out)
{
    struct outlook_idea ideas[HYPOTHESES_MAX];
    struct outlook_in in;
    double trials = (double)(budget_u / budget_trial_u(c));
    forecast_fresh(c, budget_u, ideas, &in);
    double n = outlook_validate(&in, trials, CHOICE_DRAWS, 1, out);
    outlook_run(&in, trials, n, CURVE_DRAWS, 2, out);
}

/* More money cannot bring less: what the draws leave of noise goes. Where the
 * steepest line onwards falls below the threshold, it is enough. */
static void
curve_finish(const struct core *c, struct plan_estimate *out)
{
    struct plan_point *p = out->curve;
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    double least = PAYS * min_gain / (double)budget_trial_u(c);
    for (int i = 1; i < PLAN_POINTS; i++) {
        p[i].gain = fmax(p[i].gain, p[i - 1].gain);
        p[i].passes = fmax(p[i].passes, p[i - 1].passes);
    }
    for (int i = 0; i < PLAN_POINTS - 1 && out->enough_u == 0; i++) {
        double steepest = 0;
        for (int j = i + 1; j < PLAN_POINTS; j++)
            steepest =
                fmax(steepest, (p[j].gain - p[i].gain) /
                                   (double)(p[j].budget_u - p[i].budget_u + 1));
        if (steepest < least)
            out->enough_u = p[i].budget_u;
    }
}

static void
phases_fill(
    const struct core *c, const struct outlook *o, struct plan_estimate *out)
{
    const double trials[PHASE_COUNT] = {
        0, o->validation, o->combination, o->search, o->confirmation};
    for (uint32_t p = PHASE_VALIDATION; p < PHASE_COUNT; p++) {
        if ((c->spec.phases & (1u << p)) == 0)
            continue;
        out->trials[p] = (uint32_t)(trials[p] + .5);
        out->cost_u[p] = (int64_t)out->trials[p] * budget_phase_trial_u(c, p);
        out->total_u += out->cost_u[p];
    }
}

void
plan_estimate(const struct core *c, struct plan_estimate *out)
{
    memset(out, 0, sizeof *out);
    const struct spec *s = &c->spec;
    int64_t total = c->approved_u > 0  ? c->approved_u
                    : c->pending_u > 0 ? c->pending_u
                                       : s->total_u;
    for (int i = 0; i < PLAN_POINTS; i++) {
        struct outlook o;
        struct plan_point *p = &out->curve[i];
        p->share = curve_share[i];
        p->budget_u = (int64_t)(p->share * (double)total);
        curve_point(c, p->budget_u, &o);
        p->gain = fmax(0, o.gain);
        p->passes = o.passes;
        if (i == CURVE_AT)
            phases_fill(c, &o, out);
    }
    curve_finish(c, out);
    out->noise_sd = noise_assumed(c);
    out->expected_gain = out->curve[CURVE_AT].gain;
    uint32_t arm = out->trials[PHASE_CONFIRMATION] / 2;
    double n = fmin(12, fmax(2, arm));
    double z = student_quantile(.975, 2 * n - 2) + normal_quantile(.8);
    out->detectable_gain = z * out->noise_sd * sqrt(2 / n);
}

double
core_progress(const struct core *c)
{
    if (c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED)
        return 1;
    if (c->approved_u <= 0)
        return 0;
    return fmin(.99, (double)c->spent_u / (double)c->approved_u);
}
