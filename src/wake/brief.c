/* The few numbers that status shows without loading an engine, and the
 * notifications that go with a commit. Called inside its transaction. */
#include "wake/part.h"

#include <stdio.h>
#include <string.h>

double
budget_used(const struct core *c)
{
    return c->approved_u > 0 ? (double)c->spent_u / (double)c->approved_u : 0;
}

static void
trials_count(const struct core *c, struct store_brief *b)
{
    for (uint32_t i = 0; i < c->n_trials; i++) {
        uint32_t s = c->trial[i].state;
        b->ok += s == TRIAL_OK;
        b->running += s == TRIAL_RUNNING;
        b->failed += s == TRIAL_FAILED;
    }
    b->recovered = c->recovered;
}

/* Verdict on the best so far: of its own confirmation, else of the one
 * hypothesis that it is made of. */
static uint8_t
verdict_of(const struct core *c, uint32_t experiment)
{
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        if (f->experiment == experiment && f->judged)
            return f->lo > 0 ? VERDICT_PROMOTE : VERDICT_INCONCLUSIVE;
    }
    uint64_t mask = c->experiment[experiment].mask;
    if (mask == 0 || (mask & (mask - 1)) != 0)
        return VERDICT_NONE;
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        if (mask == (uint64_t)1 << i)
            return c->hypothesis[i].verdict;
    return VERDICT_NONE;
}

static void
best_fill(const struct core *c, struct store_brief *b)
{
    struct effect f;
    b->has_best = false;
    uint32_t best = c->proposal != 0 ? c->proposal : analysis_incumbent(c);
    if (best == 0 || !analysis_effect(c, best, &f))
        return;
    b->has_best = true;
    b->best = best;
    b->gain = f.mean;
    b->lo = f.lo;
    b->hi = f.hi;
    b->best_verdict = verdict_of(c, best);
}

static void
attention_fill(const struct wake *w, char out[WHY_LEN])
{
    const struct core *c = w->core;
    bool over = c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED;
    out[0] = '\0';
    if (w->attention[0] != '\0' && !over)
        snprintf(out, WHY_LEN, "%s", w->attention);
    else if (c->pending_hash[0] != '\0' && !over)
        snprintf(out, WHY_LEN, "a plan waits for approval: rea approve %.12s",
            c->pending_hash);
    else if (c->state == CAMPAIGN_DONE && c->proposal != 0)
        snprintf(out, WHY_LEN, "E%u is proposed: rea accept C%u", c->proposal,
            w->row.id);
}

static void
best_keep(const struct store_brief *old, struct store_brief *b)
{
    b->has_best = old->has_best;
    b->best = old->best;
    b->best_verdict = old->best_verdict;
    b->gain = old->gain;
    b->lo = old->lo;
    b->hi = old->hi;
}

void
brief_fill(const struct wake *w, bool fresh, struct store_brief *out)
{
    const struct core *c = w->core;
    *out = (struct store_brief){.state = c->state,
        .phase = c->phase,
        .unit = c->spec.unit,
        .hypotheses = c->n_hypotheses,
        .looks = c->looks,
        .approved_u = c->approved_u,
        .reserved_u = c->reserved_u,
        .spent_u = c->spent_u,
        .progress = core_progress(c)};
    trials_count(c, out);
    if (fresh)
        best_fill(c, out);
    else
        best_keep(&w->row.brief, out);
    attention_fill(w, out->attention);
}

static const char *
notify_kind(uint32_t event)
{
    switch (event) {
    case EVENT_campaign_halted:
        return "stuck";
    case EVENT_project_changed:
        return "needs-approval";
    case EVENT_phase_closed:
        return "phase-done";
    case EVENT_campaign_finished:
        return "finished";
    default:
        return NULL;
    }
}

/* The declared "budget-N%" that this commit has crossed; NULL: none. */
static const char *
share_crossed(const struct wake *w, double before)
{
    double now = budget_used(w->core);
    for (uint32_t i = 0; w->project != NULL && i < w->project->notify.n_on;
         i++) {
        int percent = 0;
        const char *on = w->project->notify.on[i];
        if (sscanf(on, "budget-%3d%%", &percent) == 1 &&
            before < percent / 100. && now >= percent / 100.)
            return on;
    }
    return NULL;
}

int
notify_add(struct wake *w, double used_before, struct err *err)
{
    int rc = 0;
    const char *share = share_crossed(w, used_before);
    for (size_t i = 0; rc == 0 && i < w->n_entries; i++) {
        const struct log_entry *e = &w->entry[i];
        const char *kind = notify_kind(e->kind);
        /* the engine's reason names the cause; its event is the verdict */
        if (kind == NULL && e->why != NULL &&
            (e->kind == EVENT_hypothesis_judged ||
                e->kind == EVENT_nothing_held) &&
            strstr(e->why, "guardrail") != NULL)
            kind = "guardrail";
        if (kind == NULL && share != NULL) {
            kind = share;
            share = NULL;
        }
        if (kind != NULL)
            rc = store_outbox_add(w->st, w->row.id, e->seq, kind,
                e->why != NULL ? e->why : "", wake_now_ms(), err);
    }
    return rc;
}
