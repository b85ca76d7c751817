/* Derived facts that all renderers share: verdicts in the contract's words,
 * effects, labels, the verdict sentence. Called by json, text, md and html, so
 * that they agree by construction. */
#include "report/parts.h"

#include <math.h>
#include <string.h>

bool
hypothesis_effect(
    const struct report *r, uint32_t h, double *mean, double *lo, double *hi)
{
    const struct hypothesis *x = &r->core->hypothesis[h];
    struct effect f;
    if (x->experiment == 0 || x->verdict == VERDICT_UNTESTED ||
        x->verdict == VERDICT_FAILED || x->verdict == VERDICT_NEEDS_HOOK)
        return false;
    if (!analysis_effect(r->core, x->experiment, &f))
        return false;
    /* Judged numbers are kept as they were when the verdict fell: more data
     * may have come since, and the verdict must match what stands beside it.
     * An idea judged unstable may have been judged without any interval. */
    bool judged = x->verdict != VERDICT_NONE && x->hi > x->lo;
    *mean = judged ? x->mean : f.mean;
    *lo = judged ? x->lo : f.lo;
    *hi = judged ? x->hi : f.hi;
    return isfinite(*mean) && isfinite(*lo) && isfinite(*hi);
}

uint32_t
hypothesis_verdict(const struct report *r, uint32_t h)
{
    const struct hypothesis *x = &r->core->hypothesis[h];
    double a, b, c;
    if (x->verdict != VERDICT_NONE)
        return x->verdict;
    if (x->needs_hook)
        return VERDICT_NEEDS_HOOK;
    return hypothesis_effect(r, h, &a, &b, &c) ? VERDICT_INCONCLUSIVE
                                               : VERDICT_UNTESTED;
}

uint32_t
experiment_trials(const struct core *c, uint32_t experiment)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_trials; i++)
        n += c->trial[i].experiment == experiment;
    return n;
}

uint32_t
hypothesis_trials(const struct report *r, uint32_t h)
{
    uint32_t e = r->core->hypothesis[h].experiment;
    return e == 0 ? 0 : experiment_trials(r->core, e);
}

const char *
hypothesis_statement(const struct report *r, uint32_t h, struct buf *scratch)
{
    const struct core *c = r->core;
    struct config base, change;
    if (r->hypothesis[h].statement != NULL)
        return r->hypothesis[h].statement;
    buf_clear(scratch);
    config_default(&c->spec, &base);
    hypothesis_config(c, h + 1, &change);
    fmt_config_diff(&c->spec, &base, &change, scratch);
    return buf_str(scratch);
}

/* Order of ideas for people: largest measured gain first, then the predicted.
 */
static double
idea_rank(const struct report *r, uint32_t h)
{
    double mean, lo, hi;
    if (hypothesis_effect(r, h, &mean, &lo, &hi))
        return 1e6 + mean;
    return r->core->hypothesis[h].prior_mean;
}

void
ideas_sort(const struct report *r, uint32_t order[HYPOTHESES_MAX])
{
    uint32_t n = r->core->n_hypotheses;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        for (; k > 0 && idea_rank(r, order[k - 1]) < idea_rank(r, i); k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

double
hypothesis_prior_sd(const struct report *r, uint32_t h)
{
    const struct core *c = r->core;
    double sd = c->hypothesis[h].prior_sd;
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    if (sd > 0 && isfinite(sd))
        return sd;
    return min_gain > 0 ? min_gain : 1e-9;
}

void
experiment_label(const struct core *c, uint32_t experiment, struct buf *out)
{
    const struct experiment *x = &c->experiment[experiment];
    if (experiment == 0) {
        buf_puts(out, "baseline");
        return;
    }
    bool any = false;
    for (uint32_t h = 0; h < c->n_hypotheses; h++) {
        if ((x->mask >> h & 1) == 0)
            continue;
        buf_printf(out, "%sH%u", any ? " + " : "", h + 1);
        any = true;
    }
    if (x->kind == EXPERIMENT_SEARCH)
        buf_puts(out, any ? ", tuned" : "found by search");
    else if (!any)
        buf_puts(out, "change");
}

void
patches_label(const struct core *c, uint32_t patches, struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < c->n_patches; i++) {
        if ((patches >> i & 1) == 0)
            continue;
        buf_printf(out, "%spatch %.12s", any ? ", " : "", c->patch[i].sha256);
        any = true;
        for (uint32_t h = 0; h < c->n_hypotheses; h++)
            if (c->hypothesis[h].patch == i + 1)
                buf_printf(out, " (H%u)", h + 1);
    }
}

const char *
plan_hash_shown(const struct core *c)
{
    return c->pending_hash[0] != '\0' ? c->pending_hash : c->plan_hash;
}

uint32_t
phase_trials(const struct core *c, uint32_t phase)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_trials; i++)
        n += c->trial[i].phase == phase;
    return n;
}

double
realised_gain(const struct core *c)
{
    uint32_t i = finalist_of(c, c->proposal);
    bool judged = c->proposal != 0 && i < c->n_finalists;
    return judged && c->finalist[i].judged ? c->finalist[i].gain : 0;
}

uint32_t
finalist_of(const struct core *c, uint32_t experiment)
{
    uint32_t i = 0;
    while (i < c->n_finalists && c->finalist[i].experiment != experiment)
        i++;
    return i;
}

bool
report_has_sealed(const struct core *c)
{
    return c->spec.sealed < c->spec.n_metrics;
}

double
report_minutes(const struct report *r)
{
    int64_t end = r->proposed_ms != 0 ? r->proposed_ms : r->finished_ms;
    if (r->started_ms == 0 || end < r->started_ms)
        return NAN;
    return (double)(end - r->started_ms) / 60e3;
}

static void
verdict_proposal(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    const struct spec *s = &c->spec;
    uint32_t dec = fmt_decimals(s), i = finalist_of(c, c->proposal);
    uint32_t m = report_has_sealed(c) ? s->sealed : s->primary;
    buf_printf(out, "E%u (", c->proposal);
    experiment_label(c, c->proposal, out);
    buf_puts(out, ") is proposed");
    if (i < c->n_finalists)
        buf_printf(out, ": %s %s on %s with %u fresh seeds per arm",
            s->metric[m].name,
            fmt_interval(
                c->finalist[i].gain, c->finalist[i].lo, c->finalist[i].hi, dec)
                .s,
            report_has_sealed(c) ? "the sealed metric" : "the search metric",
            c->finalist[i].n);
    buf_putc(out, '.');
}

void
report_verdict(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t best;
    struct effect f;
    if (c->proposal != 0) {
        verdict_proposal(r, out);
        return;
    }
    if (r->nothing_held || c->state == CAMPAIGN_DONE) {
        const char *why = r->result_why != NULL
                              ? r->result_why
                              : r->phase_why[PHASE_CONFIRMATION];
        buf_printf(out, "Nothing held: %s.",
            why != NULL ? why : "no change is proposed");
        return;
    }
    switch (c->state) {
    case CAMPAIGN_DRAFT:
        buf_puts(out, "Draft: nothing has run; the plan waits for approval.");
        return;
    case CAMPAIGN_HALTED:
        buf_printf(out, "Halted at a gate: %s.",
            r->halt_why != NULL ? r->halt_why : "an engineer must act");
        return;
    case CAMPAIGN_STOPPED:
        buf_puts(out, "Stopped by the engineer before a proposal.");
        return;
    default:
        break;
    }
    buf_printf(out, "Not finished (%s)", campaign_state_name(c->state));
    best = analysis_incumbent(c);
    if (best != 0 && analysis_effect(c, best, &f)) {
        buf_printf(out, "; best so far E%u with %s, not confirmed", best,
            fmt_interval(f.mean, f.lo, f.hi, fmt_decimals(&c->spec)).s);
    }
    buf_putc(out, '.');
}

void
baseline_values(const struct core *c, struct base_values *out)
{
    out->n = 0;
    for (uint32_t i = 0; i < c->n_trials && out->n < 256; i++) {
        const struct trial *t = &c->trial[i];
        double v = t->metric[c->spec.primary];
        if (t->experiment != 0 || t->state != TRIAL_OK || t->labels != 0 ||
            t->window != c->window || isnan(v))
            continue;
        out->v[out->n] = v;
        out->trial[out->n++] = i + 1;
    }
}

bool
metric_is_shown(const struct spec *s, uint32_t m)
{
    for (uint32_t i = 0; i < s->n_metrics; i++)
        if ((i < m || s->metric[i].role == METRIC_SEALED) && i != m &&
            strcmp(s->metric[i].name, s->metric[m].name) == 0)
            return false;
    return s->metric[m].role != METRIC_SEALED;
}

const char *
line_body(const char *line)
{
    const char *end = line[0] == '[' ? strstr(line, "] ") : NULL;
    return end != NULL && end - line < 16 ? end + 2 : line;
}
