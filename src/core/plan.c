/* The campaign's outer life: draft, signature, start, gates, end. Called by
 * step through the event table. Invariant: nothing runs without a signed plan,
 * and a changed project file stops everything until it is signed or restored.*/
#include "core/parts.h"

#include "base/err.h"
#include "base/rng.h"
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
    memcpy(c->plan_hash, c->pending_hash, sizeof c->plan_hash);
    memset(c->pending_hash, 0, sizeof c->pending_hash);
    c->pending_u = 0;
    c->approved_u = e->budget_u;
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
    (void)e;
    if (c->state != CAMPAIGN_RUNNING)
        return refuse(u, "only a running campaign halts");
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

/* Mean of the best shrunken estimate after two runs an idea, by seeded draws
 * of the preposterior: what Validation is expected to find. */
static double
gain_expected(const struct core *c, double noise)
{
    enum { DRAWS = 400 };
    struct rng r;
    rng_seed(&r, 1);
    double sum = 0;
    for (int d = 0; d < DRAWS; d++) {
        double best = 0;
        for (uint32_t i = 0; i < c->n_hypotheses; i++) {
            const struct hypothesis *h = &c->hypothesis[i];
            if (h->dropped || h->needs_hook)
                continue;
            double t2 = h->prior_sd * h->prior_sd;
            double sg = t2 / sqrt(t2 + noise * noise);
            best = fmax(best, h->prior_mean + sg * rng_normal(&r));
        }
        sum += best;
    }
    return sum / DRAWS;
}

static uint32_t
ideas_live(const struct core *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        n += !c->hypothesis[i].dropped && !c->hypothesis[i].needs_hook;
    return n;
}

void
plan_estimate(const struct core *c, struct plan_estimate *out)
{
    memset(out, 0, sizeof *out);
    const struct spec *s = &c->spec;
    int64_t total = c->approved_u > 0  ? c->approved_u
                    : c->pending_u > 0 ? c->pending_u
                                       : s->total_u;
    int64_t each = budget_trial_u(c);
    static const double share[PHASE_COUNT] = {0, .40, .16, .24, .20};
    for (uint32_t p = PHASE_VALIDATION; p < PHASE_COUNT; p++) {
        if ((s->phases & (1u << p)) == 0)
            continue;
        double u = share[p] * (double)total;
        uint32_t n = (uint32_t)(u / (double)each);
        if (p == PHASE_VALIDATION) {
            uint32_t most = s->baseline_seeds + 4 * ideas_live(c);
            n = n < most ? n : most;
        }
        out->trials[p] = n;
        out->cost_u[p] = (int64_t)n * each;
        out->total_u += out->cost_u[p];
    }
    out->noise_sd = noise_assumed(c);
    out->expected_gain = gain_expected(c, out->noise_sd);
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
