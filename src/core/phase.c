/* The order of the phases, and what ends the campaign. Called at the end of
 * every step when no trial or job needs a decision first. Invariant: exactly
 * one phase is active while a campaign runs and has work. */
#include "core/parts.h"

#include <stdio.h>

enum { STREAK_MAX = 6 }; /* trials failed in a row before people are asked */

int
phase_entered_apply(struct core *c, const struct event *e, struct update *u)
{
    if (e->phase < PHASE_VALIDATION || e->phase >= PHASE_COUNT ||
        c->phase_state[e->phase] != PHASE_PENDING)
        return refuse(u, "phase %u is not pending", e->phase);
    c->phase = (uint8_t)e->phase;
    c->phase_state[e->phase] = PHASE_ACTIVE;
    if (e->phase == PHASE_COMBINATION)
        c->combo_mask = e->mask;
    return 0;
}

int
phase_closed_apply(struct core *c, const struct event *e, struct update *u)
{
    if (e->phase < PHASE_VALIDATION || e->phase >= PHASE_COUNT)
        return refuse(u, "no phase %u", e->phase);
    if (e->state != PHASE_DONE && e->state != PHASE_SKIPPED)
        return refuse(u, "a phase closes as done or skipped");
    c->phase_state[e->phase] = (uint8_t)e->state;
    if (c->phase == e->phase)
        c->phase = PHASE_NONE;
    if (e->phase == PHASE_CONFIRMATION)
        c->sealed_open = false;
    return 0;
}

int
finalist_chosen_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->n_finalists >= FINALISTS_MAX)
        return refuse(u, "at most %d finalists", FINALISTS_MAX);
    if (e->experiment == 0 || e->experiment >= c->n_experiments ||
        c->experiment[e->experiment].finalist)
        return refuse(u, "E%u cannot be a finalist", e->experiment);
    c->experiment[e->experiment].finalist = true;
    c->finalist[c->n_finalists++] =
        (struct finalist){.experiment = e->experiment};
    return 0;
}

static bool
phase_skip(struct update *u, uint32_t phase, const char *why)
{
    decide(u, EVENT_phase_closed, "%s", why);
    u->next.phase = phase;
    u->next.state = PHASE_SKIPPED;
    return true;
}

static bool
phase_enter(const struct core *c, const struct analysis *a, uint32_t phase,
    struct update *u)
{
    uint64_t mask = 0;
    if ((c->spec.phases & (1u << phase)) == 0)
        return phase_skip(u, phase, "not in the plan");
    if (phase == PHASE_COMBINATION) {
        mask = combination_choose(c, a);
        if (mask == 0)
            return phase_skip(u, phase, "fewer than two ideas worth combining");
        if (!budget_phase_open(c, phase))
            return phase_skip(u, phase, "its share of the budget is used");
    }
    if (phase == PHASE_EXPLOITATION && !budget_phase_open(c, phase))
        return phase_skip(u, phase, "the search budget is used");
    decide(u, EVENT_phase_entered, "%s", phase_name(phase));
    u->next.phase = phase;
    u->next.mask = mask;
    return true;
}

/* The search left money of its own and no clock ended it: nothing that could
 * still be run was worth its cost. */
static bool
search_ended_itself(const struct core *c)
{
    int64_t left = c->approved_u - budget_confirm_u(c);
    for (uint32_t p = PHASE_NONE; p < PHASE_CONFIRMATION; p++)
        left -= c->phase_spent_u[p];
    return c->phase_state[PHASE_EXPLOITATION] == PHASE_DONE &&
           left >= c->spec.reserve_train_u && left >= 2 * budget_trial_u(c) &&
           budget_time_used(c) <= .8 && c->failed_streak == 0;
}

static bool
campaign_end(const struct core *c, struct update *u)
{
    bool nothing = c->proposal == 0 && c->n_finalists == 0;
    return decide(u, EVENT_campaign_finished, "%s%.4g of %.4g %s returned%s",
        nothing ? "nothing held: no change is proposed; " : "",
        (double)(c->approved_u - c->spent_u) / MICRO,
        (double)c->approved_u / MICRO, unit_name(c->spec.unit),
        search_ended_itself(c) ? ": more budget would not pay" : "");
}

/* How the trial ended that ended last. */
static uint32_t
last_reason(const struct core *c)
{
    const struct trial *last = NULL;
    for (uint32_t i = 0; i < c->n_trials; i++)
        if (c->trial[i].state == TRIAL_FAILED &&
            (last == NULL || c->trial[i].ended_ms >= last->ended_ms))
            last = &c->trial[i];
    return last != NULL ? last->reason : 0;
}

bool
phase_decide(const struct core *c, struct update *u)
{
    typedef bool decider(
        const struct core *, const struct analysis *, struct update *);
    static decider *const deciders[PHASE_COUNT] = {
        [PHASE_VALIDATION] = validation_decide,
        [PHASE_COMBINATION] = combination_decide,
        [PHASE_EXPLOITATION] = exploitation_decide,
        [PHASE_CONFIRMATION] = confirmation_decide,
    };
    if (c->failed_streak >= STREAK_MAX)
        return decide(u, EVENT_campaign_halted,
            "%u trials failed in a row, the last one by %s: needs the engineer",
            c->failed_streak, reason_name(last_reason(c)));
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    bool waits = c->n_jobs >= c->spec.max_parallel;
    analysis_collect(c, &a);
    if (c->phase == PHASE_COMBINATION || c->phase == PHASE_EXPLOITATION) {
        if (!waits && ideas_judge_late(c, &a, u))
            return true;
    }
    if (c->phase != PHASE_NONE) {
        /* all slots taken: judging can wait for the next end, too */
        return !waits && deciders[c->phase](c, &a, u);
    }
    for (uint32_t p = PHASE_VALIDATION; p < PHASE_COUNT; p++)
        if (c->phase_state[p] == PHASE_PENDING)
            return phase_enter(c, &a, p, u);
    return c->n_jobs == 0 && campaign_end(c, u);
}
