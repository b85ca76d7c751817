/* Hypotheses: entry, the engineer's hand, verdicts. Called by step.
 * Invariant: a hypothesis only holds values inside declared domains, and its
 * change differs from the baseline. */
#include "core/parts.h"

#include <math.h>
#include <string.h>

void
hypothesis_config(const struct core *c, uint32_t hypothesis, struct config *out)
{
    const struct hypothesis *h = &c->hypothesis[hypothesis - 1];
    config_default(&c->spec, out);
    for (uint32_t i = 0; i < h->n_over; i++)
        out->v[h->over[i].knob] = h->over[i].value;
    if (h->patch != 0)
        out->patches = UINT32_C(1) << (h->patch - 1);
    config_canon(&c->spec, out);
}

static bool
hypothesis_exists(const struct core *c, uint32_t id)
{
    return id >= 1 && id <= c->n_hypotheses;
}

static int
change_check(const struct core *c, const struct event *e, struct update *u)
{
    const struct spec *s = &c->spec;
    if ((e->n_over == 0 && e->patch == NULL) || e->n_over > OVERRIDES_MAX)
        return refuse(u, "a change sets 1 to %d knobs", OVERRIDES_MAX);
    int rc = e->patch != NULL ? patch_check(c, e, u) : 0;
    if (rc != 0)
        return rc;
    struct config x, base;
    config_default(s, &base);
    x = base;
    for (uint32_t i = 0; i < e->n_over; i++) {
        uint32_t k = e->over[i].knob;
        if (k >= s->n_knobs)
            return refuse(u, "no knob number %u", k);
        if (!knob_accepts(&s->knob[k], e->over[i].value))
            return refuse(u, "knob %s: %g is outside its domain",
                s->knob[k].name, e->over[i].value);
        x.v[k] = e->over[i].value;
    }
    if (e->patch != NULL)
        x.patches = UINT32_C(1) << patch_index(c, e->patch);
    config_canon(s, &x);
    if (config_equal(s, &x, &base))
        return refuse(u, "the change is the baseline itself");
    if (!config_is_valid(s, &x))
        return refuse(u, "not one of the declared candidates");
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        struct config other;
        const struct hypothesis *h = &c->hypothesis[i];
        if (h->dropped || h->needs_hook)
            continue;
        hypothesis_config(c, i + 1, &other);
        if (config_equal(s, &x, &other))
            return refuse(u, "the same change as H%u", i + 1);
    }
    return 0;
}

int
hypothesis_added_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->state > CAMPAIGN_HALTED)
        return refuse(u, "the campaign has ended");
    if (c->phase == PHASE_CONFIRMATION)
        return refuse(u, "confirmation has begun: try it in a new campaign");
    if (c->n_hypotheses >= HYPOTHESES_MAX)
        return refuse(u, "at most %d hypotheses", HYPOTHESES_MAX);
    if (e->source < SOURCE_INSIGHT || e->source > SOURCE_ENGINEER)
        return refuse(u, "a hypothesis needs its source");
    if (!isfinite(e->mean) || !isfinite(e->sd) || e->sd <= 0)
        return refuse(u, "a hypothesis needs a predicted mean and sd > 0");
    bool needs_hook = e->state == 1;
    if (!needs_hook) {
        int rc = change_check(c, e, u);
        if (rc != 0)
            return rc;
    }
    struct hypothesis *h = &c->hypothesis[c->n_hypotheses++];
    memset(h, 0, sizeof *h);
    h->source = (uint8_t)e->source;
    h->needs_hook = needs_hook;
    if (!needs_hook && e->patch != NULL)
        h->patch = patch_take(c, e);
    h->verdict = needs_hook ? VERDICT_NEEDS_HOOK : VERDICT_NONE;
    h->n_over = needs_hook ? 0 : e->n_over;
    memcpy(h->over, e->over, h->n_over * sizeof h->over[0]);
    h->prior_mean = e->mean;
    h->prior_sd = e->sd;
    h->cost_factor = e->score > 0 ? e->score : 1;
    h->mean = e->mean;
    h->lo = e->mean - 1.96 * e->sd;
    h->hi = e->mean + 1.96 * e->sd;
    return 0;
}

int
hypothesis_dropped_apply(
    struct core *c, const struct event *e, struct update *u)
{
    if (!hypothesis_exists(c, e->hypothesis))
        return refuse(u, "no hypothesis H%u", e->hypothesis);
    struct hypothesis *h = &c->hypothesis[e->hypothesis - 1];
    if (h->dropped)
        return refuse(u, "H%u is dropped already", e->hypothesis);
    if (c->state > CAMPAIGN_HALTED)
        return refuse(u, "the campaign has ended");
    h->dropped = true;
    if (h->verdict == VERDICT_NONE)
        h->verdict = VERDICT_UNTESTED;
    c->combo_mask &= ~(UINT64_C(1) << (e->hypothesis - 1));
    return 0;
}

int
hypothesis_pinned_apply(struct core *c, const struct event *e, struct update *u)
{
    if (!hypothesis_exists(c, e->hypothesis))
        return refuse(u, "no hypothesis H%u", e->hypothesis);
    struct hypothesis *h = &c->hypothesis[e->hypothesis - 1];
    if (h->pinned || h->dropped || h->needs_hook)
        return refuse(u, "H%u cannot be pinned", e->hypothesis);
    h->pinned = true;
    return 0;
}

int
hypothesis_judged_apply(struct core *c, const struct event *e, struct update *u)
{
    if (!hypothesis_exists(c, e->hypothesis))
        return refuse(u, "no hypothesis H%u", e->hypothesis);
    if (e->verdict == VERDICT_NONE || e->verdict >= VERDICT_COUNT)
        return refuse(u, "no such verdict");
    struct hypothesis *h = &c->hypothesis[e->hypothesis - 1];
    h->verdict = (uint8_t)e->verdict;
    h->proved = e->proved;
    h->mean = e->mean;
    h->lo = e->lo;
    h->hi = e->hi;
    h->prob = e->prob;
    h->log_e = e->log_e;
    return 0;
}

/* A model's reply is text for people and a price. It changes nothing but the
 * ledger, and that only where the budget is money. */
int
answer_arrived_apply(struct core *c, const struct event *e, struct update *u)
{
    if (e->hash == NULL || e->hash[0] == '\0')
        return refuse(u, "an answer needs the hash of its conversation");
    if (e->remedy >= REMEDY_COUNT)
        return refuse(u, "no such remedy");
    if (e->trial > c->n_trials)
        return refuse(u, "no trial T%u", e->trial);
    if (e->tokens_in < 0 || e->tokens_out < 0 || e->cost_u < 0)
        return refuse(u, "tokens and cost are not below zero");
    if (e->cost_u == 0)
        return 0;
    if (c->spec.unit != UNIT_USD)
        return refuse(u, "a model is paid in usd, the budget is in %s",
            unit_name(c->spec.unit));
    if (c->state < CAMPAIGN_APPROVED)
        return refuse(u, "no budget is approved yet");
    if (e->cost_u > c->approved_u - c->spent_u - c->reserved_u)
        return refuse(u, "the model's price is more than what is left");
    budget_reserve(c, e->cost_u);
    budget_settle(c, PHASE_NONE, e->cost_u, e->cost_u);
    return 0;
}
