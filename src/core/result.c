/* Results that leave the campaign: the opened seal, the judged finalists, the
 * proposal. Called by step. Invariant: a sealed value enters only after the
 * seal was opened, and every opening is counted. */
#include "core/parts.h"

#include <math.h>

int
sealed_opened_apply(struct core *c, const struct event *e, struct update *u)
{
    (void)e;
    if (c->state != CAMPAIGN_RUNNING || c->phase != PHASE_CONFIRMATION)
        return refuse(u, "the seal opens in confirmation only");
    if (c->sealed_open)
        return refuse(u, "the seal is open");
    c->sealed_open = true;
    c->looks++;
    return 0;
}

int
sealed_read_apply(struct core *c, const struct event *e, struct update *u)
{
    struct trial *t = core_trial(c, e->trial);
    if (!c->sealed_open)
        return refuse(u, "the seal is closed");
    if (t == NULL || t->phase != PHASE_CONFIRMATION || t->state != TRIAL_OK)
        return refuse(u, "T%u is no confirmation trial", e->trial);
    if (t->sealed_known)
        return refuse(u, "T%u was read already", e->trial);
    if (e->sd < 0 || !isfinite(e->sd))
        return refuse(u, "a sampling sd is finite and not negative");
    t->sealed = e->value;
    t->sealed_known = true;
    for (uint32_t i = 0; i < c->n_finalists; i++)
        if (c->finalist[i].experiment == t->experiment && e->sd > 0)
            c->finalist[i].sampling_var = e->sd * e->sd;
    return 0;
}

int
finalist_judged_apply(struct core *c, const struct event *e, struct update *u)
{
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        struct finalist *f = &c->finalist[i];
        if (f->experiment != e->experiment)
            continue;
        f->judged = true;
        f->n = e->n;
        f->n_base = e->attempt;
        f->gain = e->mean;
        f->lo = e->lo;
        f->hi = e->hi;
        f->base = e->base;
        f->candidate = e->value;
        return 0;
    }
    return refuse(u, "E%u is no finalist", e->experiment);
}

int
proposal_made_apply(struct core *c, const struct event *e, struct update *u)
{
    if (e->experiment == 0 || e->experiment >= c->n_experiments)
        return refuse(u, "no experiment E%u to propose", e->experiment);
    c->proposal = e->experiment;
    c->sealed_open = false;
    return 0;
}

int
nothing_held_apply(struct core *c, const struct event *e, struct update *u)
{
    (void)e;
    if (c->proposal != 0)
        return refuse(u, "E%u is proposed", c->proposal);
    c->sealed_open = false;
    return 0;
}

int
insights_kept_apply(struct core *c, const struct event *e, struct update *u)
{
    (void)e;
    if (c->state != CAMPAIGN_DONE && c->state != CAMPAIGN_STOPPED)
        return refuse(u, "the campaign has not ended");
    if (c->learnt)
        return refuse(u, "kept already");
    c->learnt = true;
    return 0;
}
