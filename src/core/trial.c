/* Trials and experiments: planning one, closing one. Called by step and by
 * the phases. Invariant: a trial is one experiment with one seed; experiments
 * never share a configuration. */
#include "core/parts.h"

#include "base/rng.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct trial *
core_trial(struct core *c, uint32_t id)
{
    return id >= 1 && id <= c->n_trials ? &c->trial[id - 1] : NULL;
}

const struct trial *
core_trial_at(const struct core *c, uint32_t id)
{
    return id >= 1 && id <= c->n_trials ? &c->trial[id - 1] : NULL;
}

uint32_t
seed_next(const struct core *c)
{
    struct rng r;
    rng_seed2(&r, c->random_seed, c->seeds_used);
    for (;;) {
        uint32_t seed = 1 + (uint32_t)rng_below(&r, INT32_MAX);
        bool taken = false;
        for (uint32_t i = 0; i < c->n_trials && !taken; i++)
            taken = c->trial[i].seed == seed;
        if (!taken)
            return seed;
    }
}

int
experiment_find(const struct core *c, const struct config *config)
{
    for (uint32_t i = 0; i < c->n_experiments; i++)
        if (config_equal(&c->spec, &c->experiment[i].config, config))
            return (int)i;
    return -1;
}

bool
trial_plan(const struct core *c, struct update *u, uint32_t experiment,
    uint32_t phase, double score, const char *why)
{
    decide(u, EVENT_trial_planned, "%s", why);
    u->next.trial = c->n_trials + 1;
    u->next.experiment = experiment;
    u->next.phase = phase;
    u->next.seed = seed_next(c);
    u->next.score = score;
    return true;
}

bool
trial_plan_new(const struct core *c, struct update *u,
    const struct experiment *x, uint32_t hypothesis, uint32_t phase,
    double score, const char *why)
{
    int known = experiment_find(c, &x->config);
    trial_plan(c, u, known >= 0 ? (uint32_t)known : c->n_experiments, phase,
        score, why);
    u->next.hypothesis = hypothesis;
    if (known >= 0)
        return true;
    u->next.state = x->kind;
    u->next.mask = x->mask;
    u->next.mean = x->prior_mean;
    u->next.sd = x->prior_sd;
    u->next.patches = x->config.patches;
    for (uint32_t k = 0; k < c->spec.n_knobs; k++)
        if (x->config.v[k] != c->spec.knob[k].deflt)
            u->next.over[u->next.n_over++] =
                (struct override){k, x->config.v[k]};
    return true;
}

static int
planned_check(const struct core *c, const struct event *e, struct update *u)
{
    if (c->state != CAMPAIGN_RUNNING)
        return refuse(u, "only a running campaign plans trials");
    if (e->trial != c->n_trials + 1 || c->n_trials >= TRIALS_MAX)
        return refuse(u, "T%u is not the next trial", e->trial);
    if (e->experiment > c->n_experiments || e->experiment >= EXPERIMENTS_MAX)
        return refuse(u, "no experiment E%u", e->experiment);
    if (e->phase < PHASE_VALIDATION || e->phase >= PHASE_COUNT)
        return refuse(u, "a trial needs its phase");
    if (e->seed < 1 || e->seed > INT32_MAX)
        return refuse(u, "a seed lies in 1..2147483647");
    if (e->hypothesis > c->n_hypotheses)
        return refuse(u, "no hypothesis H%u", e->hypothesis);
    if (e->patches >> c->n_patches != 0)
        return refuse(u, "no such patch");
    for (uint32_t i = 0; i < e->n_over; i++)
        if (e->over[i].knob >= c->spec.n_knobs)
            return refuse(u, "no knob number %u", e->over[i].knob);
    return 0;
}

static void
experiment_add(struct core *c, const struct event *e)
{
    struct experiment *x = &c->experiment[c->n_experiments++];
    memset(x, 0, sizeof *x);
    x->kind = (uint8_t)e->state;
    x->mask = e->mask;
    x->prior_mean = e->mean;
    x->prior_sd = e->sd;
    config_default(&c->spec, &x->config);
    x->config.patches = e->patches;
    for (uint32_t i = 0; i < e->n_over; i++)
        x->config.v[e->over[i].knob] = e->over[i].value;
}

int
trial_planned_apply(struct core *c, const struct event *e, struct update *u)
{
    int rc = planned_check(c, e, u);
    if (rc != 0)
        return rc;
    if (e->experiment == c->n_experiments)
        experiment_add(c, e);
    if (e->hypothesis != 0)
        c->hypothesis[e->hypothesis - 1].experiment = e->experiment;
    struct trial *t = &c->trial[c->n_trials++];
    memset(t, 0, sizeof *t);
    t->experiment = e->experiment;
    t->seed = e->seed;
    t->phase = (uint8_t)e->phase;
    t->window = (uint8_t)c->window;
    t->state = TRIAL_QUEUED;
    t->sealed = NAN;
    for (int m = 0; m < METRICS_MAX; m++)
        t->metric[m] = NAN;
    for (int r = 0; r < RUNGS_MAX; r++)
        t->rung[r] = NAN;
    c->seeds_used++;
    return 0;
}

int
trial_closed_apply(struct core *c, const struct event *e, struct update *u)
{
    struct trial *t = core_trial(c, e->trial);
    if (t == NULL)
        return refuse(u, "no trial T%u", e->trial);
    if (t->state != TRIAL_QUEUED && t->state != TRIAL_RUNNING)
        return refuse(u, "T%u is closed already", e->trial);
    if (t->job != 0)
        return refuse(u, "T%u still has a job", e->trial);
    if (e->state != TRIAL_OK && e->state != TRIAL_FAILED &&
        e->state != TRIAL_STOPPED)
        return refuse(u, "a trial closes as ok, failed or stopped");
    t->state = (uint8_t)e->state;
    t->ended = false;
    t->next_remedy = REMEDY_NONE;
    t->ended_ms = e->at_ms;
    if (t->state == TRIAL_OK) {
        c->failed_streak = 0;
        c->recovered += t->failures + t->resumes > 0;
    } else if (t->state == TRIAL_FAILED) {
        c->failed_streak++;
    }
    return 0;
}

bool
trial_is_dropped(const struct core *c, const struct trial *t)
{
    const struct experiment *x = &c->experiment[t->experiment];
    if (x->kind != EXPERIMENT_SINGLE || t->phase != PHASE_VALIDATION)
        return false;
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        if (c->hypothesis[i].dropped &&
            c->hypothesis[i].experiment == t->experiment)
            return true;
    return false;
}

static bool
evaluates(const struct core *c, const struct trial *t)
{
    return c->spec.has_evaluate && t->phase == PHASE_CONFIRMATION &&
           c->spec.sealed < c->spec.n_metrics;
}

static bool
trial_close(
    struct update *u, uint32_t id, enum trial_state state, const char *why)
{
    decide(u, EVENT_trial_closed, "%s", why);
    u->next.trial = id;
    u->next.state = state;
    return true;
}

static bool
ended_ok(const struct core *c, struct update *u, uint32_t id)
{
    const struct trial *t = core_trial_at(c, id);
    const struct metric *m = &c->spec.metric[c->spec.primary];
    char why[WHY_LEN];
    if (t->labels != 0)
        snprintf(why, sizeof why,
            "%s %.6g, after a remedy that changed the experiment (%s%s): "
            "kept out of the comparison",
            m->name, t->metric[c->spec.primary],
            t->labels & LABEL_SHRUNK ? "smaller batch" : "lower rate",
            t->labels == (LABEL_SHRUNK | LABEL_STABILISED) ? ", lower rate"
                                                           : "");
    else
        snprintf(
            why, sizeof why, "%s %.6g", m->name, t->metric[c->spec.primary]);
    return trial_close(u, id, TRIAL_OK, why);
}

static bool
trial_settle(const struct core *c, struct update *u, uint32_t id)
{
    const struct trial *t = core_trial_at(c, id);
    if (t->next_remedy == REMEDY_HALT && c->state == CAMPAIGN_RUNNING)
        return decide(u, EVENT_campaign_halted,
            "%s on T%" PRIu32 ": needs the engineer", reason_name(t->reason),
            id);
    if (t->next_remedy == REMEDY_GIVE_UP || t->next_remedy == REMEDY_HALT) {
        char why[WHY_LEN];
        snprintf(why, sizeof why, "%s after %u attempts",
            reason_name(t->reason), t->attempts);
        return trial_close(u, id, TRIAL_FAILED, why);
    }
    if (!t->ended)
        return false;
    if (t->reason == REASON_OK)
        return ended_ok(c, u, id);
    if (t->reason == REASON_CANCELLED && t->stopped != 0) {
        char why[WHY_LEN];
        snprintf(why, sizeof why,
            "%s %.6g on rung %" PRIu8 " of %" PRIu32
            ": no full run, search only",
            c->spec.metric[c->spec.primary].name, t->rung[t->stopped - 1],
            t->stopped, c->spec.n_rungs);
        return trial_close(u, id, TRIAL_STOPPED, why);
    }
    if (t->reason == REASON_CANCELLED &&
        (c->state != CAMPAIGN_RUNNING || trial_is_dropped(c, t)))
        return trial_close(u, id, TRIAL_STOPPED, "cancelled");
    char why[WHY_LEN];
    enum remedy remedy = runbook_remedy(c, t, why, sizeof why);
    decide(u, EVENT_failure_classified, "%s", why);
    u->next.trial = id;
    u->next.reason = t->reason;
    u->next.remedy = remedy;
    return true;
}

bool
trial_decide(const struct core *c, struct update *u)
{
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->state != TRIAL_QUEUED && t->state != TRIAL_RUNNING)
            continue;
        /* trained and ended ok, but the sealed evaluation is still due */
        if (t->ended && t->reason == REASON_OK && !t->trained &&
            evaluates(c, t))
            continue;
        if (trial_settle(c, u, i + 1))
            return true;
    }
    return false;
}

bool
phase_busy(const struct core *c, uint32_t phase)
{
    for (uint32_t i = 0; i < c->n_trials; i++)
        if (c->trial[i].phase == phase &&
            (c->trial[i].state == TRIAL_QUEUED ||
                c->trial[i].state == TRIAL_RUNNING))
            return true;
    return false;
}
