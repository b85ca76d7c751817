/* Jobs: attempts of a trial, from the reserved intent to the settled end.
 * Called by step. Invariant: a job's worst cost is reserved before it exists
 * outside, and settled exactly once. */
#include "core/parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct job *
core_job_find(struct core *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->n_jobs; i++)
        if (c->job[i].id == id)
            return &c->job[i];
    return NULL;
}

const struct job *
core_job(const struct core *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->n_jobs; i++)
        if (c->job[i].id == id)
            return &c->job[i];
    return NULL;
}

void
job_remove(struct core *c, struct job *j)
{
    size_t after = (size_t)(&c->job[c->n_jobs] - (j + 1));
    memmove(j, j + 1, after * sizeof *j);
    c->n_jobs--;
    memset(&c->job[c->n_jobs], 0, sizeof c->job[0]);
}

void
job_config(const struct core *c, const struct job *j, struct config *out)
{
    const struct trial *t = core_trial_at(c, j->trial);
    *out = c->experiment[t->experiment].config;
    /* every job starts for the top: a rung is where it may be stopped */
    if (c->spec.fidelity_knob >= 0 && c->spec.n_rungs > 0)
        out->v[c->spec.fidelity_knob] = c->spec.rung[c->spec.n_rungs - 1];
    for (uint32_t i = 0; i < j->n_over; i++)
        out->v[j->over[i].knob] = j->over[i].value;
}

static int64_t
reserve_of(const struct core *c, const struct trial *t, enum job_kind kind,
    bool resume)
{
    if (kind == JOB_EVALUATE && c->spec.unit == UNIT_TRIALS)
        return 0;
    /* in trials an attempt costs 1, a resumed one nothing more */
    if (c->spec.unit == UNIT_TRIALS && resume && t->attempts > 0)
        return 0;
    /* the last jobs take what is left, and are ended when it is used */
    int64_t room = budget_room_u(c, t->phase == PHASE_CONFIRMATION);
    int64_t worst = budget_worst_u(c, t->phase, kind);
    return room < worst && room >= budget_least_u(c, t->phase, kind) ? room
                                                                     : worst;
}

/* Does the next attempt go on from a checkpoint? One that ran away goes back to
 * the last good one, once: when that runs away too, the weights may have been
 * spoilt before it showed, or the program took its old rate from there. */
static bool
goes_on(const struct core *c, const struct trial *t)
{
    return t->next_remedy == REMEDY_RESUME ||
           (t->next_remedy == REMEDY_STABILISE && t->has_good &&
               t->stabilises == 0 && c->spec.has_resume);
}

static const char *
from_where(const struct trial *t, bool resume)
{
    if (!resume)
        return "";
    if (t->next_remedy == REMEDY_STABILISE)
        return ", from its last good checkpoint";
    return t->has_checkpoint ? ", from its checkpoint" : "";
}

int64_t
job_next_u(const struct core *c, const struct trial *t)
{
    bool evaluate = t->trained || (t->ended && t->reason == REASON_OK);
    bool resume = !evaluate && goes_on(c, t);
    return reserve_of(c, t, evaluate ? JOB_EVALUATE : JOB_TRAIN, resume);
}

static bool
job_intend(const struct core *c, struct update *u, uint32_t id)
{
    const struct trial *t = core_trial_at(c, id);
    bool evaluate = t->trained || (t->ended && t->reason == REASON_OK);
    enum remedy remedy = t->next_remedy;
    bool resume = !evaluate && goes_on(c, t);
    enum job_kind kind = evaluate ? JOB_EVALUATE : JOB_TRAIN;
    int64_t reserve = job_next_u(c, t);
    if (budget_lacks(c, NULL))
        return false;
    if (budget_granted_room_u(c, t->phase == PHASE_CONFIRMATION) < reserve) {
        if (c->n_jobs > 0) /* they may leave something of their reservations */
            return false;
        decide(
            u, EVENT_trial_closed, "the budget does not hold another attempt");
        u->next.trial = id;
        u->next.state = TRIAL_STOPPED;
        return true;
    }
    decide(u, EVENT_job_intended, "T%" PRIu32 " %s, attempt %d%s", id,
        evaluate ? "evaluation" : "training", t->attempts + 1,
        from_where(t, resume));
    struct event *e = &u->next;
    e->job = c->jobs_used + 1;
    e->trial = id;
    e->attempt = (uint32_t)t->attempts + 1;
    e->job_kind = kind;
    e->reserve_u = reserve;
    e->resume = resume;
    e->remedy = remedy;
    if (!evaluate)
        e->n_over = runbook_overrides(c, t, remedy, e->over);
    return true;
}

/* The engineer dropped the idea: its jobs need not burn more budget. */
static bool
job_cancel(const struct core *c, struct update *u)
{
    for (uint32_t i = 0; i < c->n_jobs; i++) {
        const struct job *j = &c->job[i];
        if (j->cancelled || !trial_is_dropped(c, core_trial_at(c, j->trial)))
            continue;
        decide(u, EVENT_job_cancelled, "its hypothesis was dropped");
        u->next.job = j->id;
        u->next.trial = j->trial;
        return true;
    }
    return false;
}

bool
job_decide(const struct core *c, struct update *u)
{
    if (job_cancel(c, u) || fidelity_decide(c, u))
        return true;
    if (c->n_jobs >= c->spec.max_parallel || c->n_jobs >= JOBS_MAX)
        return false;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        bool open = t->state == TRIAL_QUEUED || t->state == TRIAL_RUNNING;
        if (!open || t->job != 0)
            continue;
        if (!trial_is_dropped(c, t))
            return patch_gate(c, t, u) || job_intend(c, u, i + 1);
        decide(u, EVENT_trial_closed, "its hypothesis was dropped");
        u->next.trial = i + 1;
        u->next.state = TRIAL_STOPPED;
        return true;
    }
    return false;
}

int
job_intended_apply(struct core *c, const struct event *e, struct update *u)
{
    struct trial *t = core_trial(c, e->trial);
    if (c->state != CAMPAIGN_RUNNING || t == NULL)
        return refuse(u, "no job for T%u in this state", e->trial);
    if (t->job != 0 || e->job != c->jobs_used + 1 || c->n_jobs >= JOBS_MAX)
        return refuse(u, "J%u is not the next job of T%u", e->job, e->trial);
    if (e->reserve_u < 0 ||
        e->reserve_u > c->approved_u - c->spent_u - c->reserved_u)
        return refuse(u, "the reservation is above what is left");
    if (e->n_over > OVERRIDES_MAX || e->attempt != t->attempts + 1u)
        return refuse(u, "not the next attempt");
    budget_reserve(c, e->reserve_u);
    struct job *j = &c->job[c->n_jobs++];
    memset(j, 0, sizeof *j);
    j->id = e->job;
    j->trial = e->trial;
    j->attempt = e->attempt;
    j->kind = (uint8_t)e->job_kind;
    j->resume = e->resume;
    j->remedy = (uint8_t)e->remedy;
    j->reserve_u = e->reserve_u;
    j->intended_ms = e->at_ms;
    j->n_over = e->n_over;
    memcpy(j->over, e->over, e->n_over * sizeof j->over[0]);
    c->jobs_used++;
    t->job = j->id;
    t->attempts++;
    t->ended = false;
    t->trained = e->job_kind == JOB_EVALUATE;
    t->next_remedy = REMEDY_NONE;
    if (e->remedy == REMEDY_SHRINK) {
        t->shrinks++;
        t->labels |= LABEL_SHRUNK;
    } else if (e->remedy == REMEDY_STABILISE) {
        t->stabilises++;
        t->labels |= LABEL_STABILISED;
        t->has_checkpoint = e->resume; /* what ran away left is no more use */
    }
    if (t->started_ms == 0)
        t->started_ms = e->at_ms;
    return 0;
}

int
job_submitted_apply(struct core *c, const struct event *e, struct update *u)
{
    struct job *j = core_job_find(c, e->job);
    if (j == NULL || j->submitted)
        return refuse(u, "J%u is not waiting for a handle", e->job);
    j->submitted = true;
    core_trial(c, j->trial)->state = TRIAL_RUNNING;
    return 0;
}

static void
trial_detach(struct core *c, struct job *j, uint32_t reason)
{
    struct trial *t = core_trial(c, j->trial);
    t->job = 0;
    t->reason = (uint8_t)reason;
    t->ended = true;
    if (c->state == CAMPAIGN_STOPPED) {
        t->state = TRIAL_STOPPED;
        t->ended = false;
    }
    job_remove(c, j);
}

int
job_refused_apply(struct core *c, const struct event *e, struct update *u)
{
    struct job *j = core_job_find(c, e->job);
    if (j == NULL || j->submitted)
        return refuse(u, "J%u was not being submitted", e->job);
    struct trial *t = core_trial(c, j->trial);
    budget_settle(c, t->phase, j->reserve_u, 0);
    t->class = (uint8_t)e->n;
    trial_detach(
        c, j, e->reason != REASON_NONE ? e->reason : REASON_LAUNCH_FAIL);
    return 0;
}

static int
ended_check(const struct core *c, const struct event *e, struct update *u)
{
    if (core_job(c, e->job) == NULL)
        return refuse(u, "J%u is not in flight", e->job);
    if (e->reason == REASON_NONE || e->reason >= REASON_COUNT)
        return refuse(u, "a job ends for a reason");
    for (uint32_t i = 0; i < e->n_measures; i++) {
        uint32_t m = e->measure[i].metric;
        if (m >= c->spec.n_metrics)
            return refuse(u, "no metric number %u", m);
        if (c->spec.metric[m].role == METRIC_SEALED)
            return refuse(u, "%s is sealed", c->spec.metric[m].name);
    }
    return curve_check(c, e, u);
}

int
job_ended_apply(struct core *c, const struct event *e, struct update *u)
{
    int rc = ended_check(c, e, u);
    if (rc != 0)
        return rc;
    struct job *j = core_job_find(c, e->job);
    struct trial *t = core_trial(c, j->trial);
    int64_t cost = e->cost_u;
    if (c->spec.unit == UNIT_TRIALS) /* an attempt that ran costs its 1 */
        cost = j->reserve_u;
    budget_settle(c, t->phase, j->reserve_u, cost);
    t->cost_u += cost < j->reserve_u ? (cost < 0 ? 0 : cost) : j->reserve_u;
    t->has_checkpoint = t->has_checkpoint || e->has_checkpoint;
    t->has_good = e->has_good;
    if (e->has_checkpoint && e->reason != REASON_OK)
        t->resumes = 0; /* it got on, so it may be told to stop again */
    t->class = (uint8_t)e->n;
    uint32_t reason = e->reason;
    if (j->kind == JOB_TRAIN)
        for (uint32_t i = 0; i < e->n_measures; i++)
            t->metric[e->measure[i].metric] = e->measure[i].value;
    if (j->kind == JOB_TRAIN)
        curve_take(c, t, e);
    bool blind = isnan(t->metric[c->spec.primary]);
    if (reason == REASON_OK && j->kind == JOB_TRAIN && blind)
        reason = REASON_NO_METRIC;
    trial_detach(c, j, reason);
    return 0;
}

int
job_cancelled_apply(struct core *c, const struct event *e, struct update *u)
{
    struct job *j = core_job_find(c, e->job);
    if (j == NULL || j->cancelled)
        return refuse(u, "J%u is not running", e->job);
    struct trial *t = core_trial(c, j->trial);
    if (e->n > t->seen)
        return refuse(u, "T%u did not reach rung %u", j->trial, e->n);
    j->cancelled = true;
    t->stopped = (uint8_t)e->n;
    return 0;
}
