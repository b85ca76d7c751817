/* One narrative line for each event: the same in the log, `rea why`, the
 * report and the tests. Called by everything that shows what happened.
 * Invariant: a line is a function of the event and the state after it. */
#include "core/parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
    char *out;
    size_t cap, n;
};

static void line_add(struct line *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
line_add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t left = l->n < l->cap ? l->cap - l->n : 0;
    int w = vsnprintf(left ? l->out + l->n : NULL, left, fmt, ap);
    va_end(ap);
    l->n += w > 0 ? (size_t)w : 0;
}

static double
amount(int64_t micro)
{
    return (double)micro / MICRO;
}

static void
line_change(const struct core *c, const struct event *e, struct line *l)
{
    for (uint32_t i = 0; i < e->n_over; i++) {
        char v[VALUE_LEN * VALUES_MAX];
        const struct override *o = &e->over[i];
        if (o->knob >= c->spec.n_knobs)
            continue;
        knob_format(&c->spec.knob[o->knob], o->value, v, sizeof v);
        line_add(l, "%s%s=%s", i ? " " : "", c->spec.knob[o->knob].name, v);
    }
}

static void
line_ended(const struct core *c, const struct event *e, struct line *l)
{
    line_add(l, "J%" PRIu32 " of T%" PRIu32 " ended: %s", e->job, e->trial,
        reason_name(e->reason));
    if (e->reason == REASON_EXIT)
        line_add(l, " %d", e->exit_code);
    if (e->reason == REASON_SIGNAL)
        line_add(l, " %d", e->signal);
    for (uint32_t i = 0; i < e->n_measures; i++)
        if (e->measure[i].metric < c->spec.n_metrics)
            line_add(l, "%s %s %.6g", i ? "," : ";",
                c->spec.metric[e->measure[i].metric].name, e->measure[i].value);
    if (e->key != NULL)
        line_add(l, "; signature %s", e->key);
    line_add(l, "; cost %.4g", amount(e->cost_u));
}

static void
line_rungs(const struct core *c, const struct event *e, struct line *l)
{
    line_add(l, "J%" PRIu32 " of T%" PRIu32 " crossed", e->job, e->trial);
    for (uint32_t i = 0; i < e->n_curve; i++)
        line_add(l, "%s rung %" PRIu32 " of %" PRIu32 " at %s %.6g",
            i ? "," : "", e->curve[i].rung + 1, c->spec.n_rungs,
            c->spec.metric[c->spec.primary].name, e->curve[i].value);
}

static void
line_answer(const struct event *e, struct line *l)
{
    line_add(l, "a model%s%s answered on %s: %.12s", e->by ? " " : "",
        e->by ? e->by : "", e->key ? e->key : "a question", e->hash);
    if (e->trial != 0)
        line_add(l, ", T%" PRIu32, e->trial);
    if (e->remedy != REMEDY_NONE)
        line_add(l, ", suggests %s", remedy_name(e->remedy));
    if (e->cost_u > 0)
        line_add(l, "; cost %.4g usd", amount(e->cost_u));
}

static void
line_hypothesis(const struct core *c, const struct event *e, struct line *l)
{
    line_add(l, "hypothesis from %s: \"%s\", predicted %+.3g +- %.2g (",
        source_name(e->source), e->statement ? e->statement : "", e->mean,
        e->sd);
    line_change(c, e, l);
    if (e->patch != NULL)
        line_add(l, "%spatch %.12s", e->n_over > 0 ? ", " : "", e->patch);
    line_add(l, ")");
}

static void
line_fact(const struct core *c, const struct event *e, struct line *l)
{
    switch (e->kind) {
    case EVENT_campaign_drafted:
        line_add(l, "campaign drafted: %s", c->spec.model);
        break;
    case EVENT_hypothesis_added:
        line_hypothesis(c, e, l);
        break;
    case EVENT_patch_approved:
        line_add(l, "patch %.12s approved%s%s", e->patch ? e->patch : "",
            e->by ? " by " : "", e->by ? e->by : "");
        break;
    case EVENT_hypothesis_dropped:
        line_add(l, "H%" PRIu32 " dropped by the engineer", e->hypothesis);
        break;
    case EVENT_hypothesis_pinned:
        line_add(l, "H%" PRIu32 " pinned by the engineer", e->hypothesis);
        break;
    case EVENT_plan_drafted:
        line_add(l, "plan drafted: hash %.12s, budget %.4g %s", e->hash,
            amount(e->budget_u), unit_name(c->spec.unit));
        break;
    case EVENT_plan_approved:
        line_add(l, "plan approved%s%s: hash %.12s, budget %.4g %s",
            e->by ? " by " : "", e->by ? e->by : "", e->hash,
            amount(e->budget_u), unit_name(c->spec.unit));
        break;
    case EVENT_budget_lowered:
        line_add(l, "budget lowered to %.4g %s", amount(e->budget_u),
            unit_name(c->spec.unit));
        break;
    case EVENT_budget_granted:
        if (e->budget_u > 0)
            line_add(l, "the pool grants %.4g %s, %.4g in all",
                amount(e->budget_u), unit_name(c->spec.unit),
                amount(c->approved_u));
        else
            line_add(l, "the pool grants no more");
        break;
    case EVENT_data_seen:
        line_add(l, "data fingerprint %.12s, window %" PRIu32, e->hash,
            c->window + 1);
        break;
    case EVENT_job_submitted:
        line_add(l, "J%" PRIu32 " submitted", e->job);
        break;
    case EVENT_job_refused:
        line_add(l, "J%" PRIu32 " refused by the backend", e->job);
        break;
    case EVENT_job_reported:
        line_rungs(c, e, l);
        break;
    case EVENT_job_ended:
        line_ended(c, e, l);
        break;
    case EVENT_answer_arrived:
        line_answer(e, l);
        break;
    case EVENT_sealed_read:
        line_add(l, "T%" PRIu32 " sealed value %.6g", e->trial, e->value);
        break;
    default:
        line_add(l, "%s", event_meaning(e->kind));
        break;
    }
}

static void
line_planned(const struct core *c, const struct event *e, struct line *l)
{
    line_add(l, "T%" PRIu32 " = E%" PRIu32 ", seed %" PRIu32 " (", e->trial,
        e->experiment, e->seed);
    if (e->n_over > 0) {
        line_change(c, e, l);
        line_add(l, ", ");
    }
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (e->patches >> i & 1)
            line_add(l, "patch %.12s, ", c->patch[i].sha256);
    line_add(l, "%s)", phase_name(e->phase));
}

static void
line_decision(const struct core *c, const struct event *e, struct line *l)
{
    switch (e->kind) {
    case EVENT_trial_planned:
        line_planned(c, e, l);
        break;
    case EVENT_job_intended:
        line_add(l, "submit J%" PRIu32, e->job);
        if (e->n_over > 0) {
            line_add(l, " with ");
            line_change(c, e, l);
        }
        break;
    case EVENT_failure_classified:
        line_add(l, "T%" PRIu32 " runbook", e->trial);
        break;
    case EVENT_trial_closed:
        line_add(l, "T%" PRIu32 " %s", e->trial, trial_state_name(e->state));
        break;
    case EVENT_hypothesis_judged:
        line_add(l, "H%" PRIu32, e->hypothesis);
        break;
    case EVENT_phase_entered:
        line_add(l, "phase");
        break;
    case EVENT_phase_closed:
        line_add(l, "%s %s", phase_name(e->phase), phase_state_name(e->state));
        break;
    case EVENT_sealed_opened:
        line_add(l, "seal opened");
        break;
    case EVENT_finalist_judged:
        line_add(l, "sealed result");
        break;
    case EVENT_pair_judged:
        line_add(l, "pair");
        break;
    case EVENT_nothing_held:
        line_add(l, "nothing held");
        break;
    case EVENT_job_cancelled:
        line_add(l, "cancel J%" PRIu32, e->job);
        if (e->n > 0)
            line_add(l, ", T%" PRIu32 " is stopped early", e->trial);
        break;
    case EVENT_rung_passed:
        line_add(l, "T%" PRIu32 " goes on", e->trial);
        break;
    case EVENT_finalist_chosen:
        line_add(l, "finalist");
        break;
    case EVENT_campaign_finished:
        line_add(l, "finished");
        break;
    case EVENT_campaign_halted:
        line_add(l, "halted");
        break;
    case EVENT_proposal_made:
        line_add(l, "proposal");
        break;
    default:
        line_add(l, "%s", event_meaning(e->kind));
        break;
    }
}

int
trace_line(const struct core *c, const struct event *e, char *out, size_t cap)
{
    struct line l = {out, cap, 0};
    if (cap > 0)
        out[0] = '\0';
    int64_t from = c->started_ms > 0 ? c->started_ms : c->drafted_ms;
    double hours = e->at_ms > from ? (double)(e->at_ms - from) / 3600000.0 : 0;
    if (hours < 1)
        line_add(&l, "[%5.1fm] ", hours * 60);
    else
        line_add(&l, "[%5.1fh] ", hours);
    if (event_who(e->kind) == FACT)
        line_fact(c, e, &l);
    else
        line_decision(c, e, &l);
    if (e->why != NULL && e->why[0] != '\0')
        line_add(&l, ": %s", e->why);
    return (int)l.n;
}
