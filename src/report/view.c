/* Gathers a report from the events of a campaign: texts of hypotheses, the
 * decision log, attempts, failures and their outcome, gates, the incumbent's
 * path. Called by load.c and the tests, once per event in order; keeps copies
 * of all texts in its own arena and the final core by reference. */
#include "report/view.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_LEN = 2048, LANES_MAX = 64, POINTS_ALL = 200 };

/* Room for one more element of *v. */
static void *
list_grow(void *v, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return v;
    *cap = *cap == 0 ? 64 : 2 * *cap;
    return mem_realloc(v, *cap * size);
}

#define LIST_ADD(list)                                                         \
    ((list).v =                                                                \
            list_grow((list).v, (list).n, &(list).cap, sizeof((list).v[0])),   \
        memset(&(list).v[(list).n], 0, sizeof((list).v[0])),                   \
        &(list).v[(list).n++])

struct report *
report_new(uint32_t campaign)
{
    struct report *r = mem_calloc(1, sizeof(*r));
    r->arena = mem_calloc(1, sizeof(*r->arena));
    r->campaign = campaign;
    r->repro.value = r->repro.lo = r->repro.hi = NAN;
    return r;
}

void
report_free(struct report *r)
{
    if (r == NULL)
        return;
    free(r->lines.v);
    free(r->spans.v);
    free(r->failures.v);
    free(r->gates.v);
    free(r->answers.v);
    free(r->points.v);
    free(r->wakes.v);
    arena_fini(r->arena);
    free(r->arena);
    free(r->owned);
    free(r);
}

static const char *
text_keep(struct report *r, const char *s)
{
    return s == NULL || s[0] == '\0' ? NULL : arena_strdup(r->arena, s);
}

/* Which phase an event belongs to: its own, else its trial's, else the one
 * that is active. */
static uint32_t
event_phase(const struct core *c, const struct event *e)
{
    if (e->phase != 0)
        return e->phase < PHASE_COUNT ? e->phase : 0;
    if (e->trial >= 1 && e->trial <= c->n_trials)
        return c->trial[e->trial - 1].phase;
    return c->phase < PHASE_COUNT ? c->phase : 0;
}

/* Kinds whose experiment field is meant even when it is 0, the baseline. */
static bool
event_names_experiment(const struct event *e)
{
    return e->experiment != 0 || e->kind == EVENT_trial_planned;
}

static void
line_add(struct report *r, const struct core *c, const struct event *e)
{
    char text[LINE_MAX_LEN];
    trace_line(c, e, text, sizeof(text));
    struct report_line *l = LIST_ADD(r->lines);
    l->seq = e->seq != 0 ? e->seq : r->lines.n;
    l->at_ms = e->at_ms;
    l->kind = e->kind;
    l->phase = event_phase(c, e);
    l->hypothesis = e->hypothesis;
    l->experiment = e->experiment;
    l->experiment_b = e->experiment_b;
    l->has_experiment = event_names_experiment(e);
    if (e->kind == EVENT_pair_judged) { /* it names two ideas, not runs */
        l->hypothesis = e->experiment;
        l->hypothesis_b = e->experiment_b;
        l->experiment = l->experiment_b = 0;
        l->has_experiment = false;
    }
    l->trial = e->trial;
    l->job = e->job;
    if (e->hypothesis == 0 && e->kind == EVENT_hypothesis_added)
        l->hypothesis = c->n_hypotheses;
    if (e->trial >= 1 && e->trial <= c->n_trials && l->experiment == 0) {
        l->experiment = c->trial[e->trial - 1].experiment;
        l->has_experiment = true;
    }
    l->decision = event_who(e->kind) == DECISION;
    l->text = arena_strdup(r->arena, text);
    l->why = text_keep(r, e->why);
}

/* ---- attempts ---- */

static struct report_span *
span_find(struct report *r, uint32_t job)
{
    for (uint32_t i = r->spans.n; i > 0; i--)
        if (r->spans.v[i - 1].job == job)
            return &r->spans.v[i - 1];
    return NULL;
}

static void
span_open(struct report *r, const struct core *c, const struct event *e)
{
    struct report_span *s = LIST_ADD(r->spans);
    s->job = e->job;
    s->trial = e->trial;
    s->attempt = e->attempt;
    s->phase = event_phase(c, e);
    s->kind = e->job_kind;
    s->intended_ms = e->at_ms;
    s->start_ms = e->at_ms;
    s->resume = e->resume;
}

static void
span_end(struct report *r, const struct event *e)
{
    struct report_span *s = span_find(r, e->job);
    if (s == NULL)
        return;
    s->end_ms = e->at_ms;
    s->reason = e->reason;
    s->exit_code = e->exit_code;
    s->signal = e->signal;
    s->cost_u = e->cost_u;
    s->signature = text_keep(r, e->key);
    /* The wake that notices the end may be late: the job's own duration,
     * counted from its submission, is the better end. */
    if (e->duration_ms > 0 && s->start_ms + e->duration_ms < s->end_ms)
        s->end_ms = s->start_ms + e->duration_ms;
}

static void
failure_add(struct report *r, const struct event *e)
{
    struct report_failure *f = LIST_ADD(r->failures);
    f->trial = e->trial;
    f->attempt = e->attempt;
    f->reason = e->reason;
    f->remedy = e->remedy;
    f->at_ms = e->at_ms;
    f->signature = reason_name(e->reason);
    for (uint32_t i = r->spans.n; i > 0; i--) {
        const struct report_span *s = &r->spans.v[i - 1];
        if (s->trial != e->trial)
            continue;
        if (s->signature != NULL)
            f->signature = s->signature;
        if (f->attempt == 0)
            f->attempt = s->attempt;
        break;
    }
    f->why = text_keep(r, e->why);
}

static const char *
failure_outcome(const struct report *r, uint32_t i)
{
    const struct report_failure *f = &r->failures.v[i];
    if (f->remedy == REMEDY_HALT)
        return "stopped at a gate";
    for (uint32_t k = i + 1; k < r->failures.n; k++)
        if (r->failures.v[k].trial == f->trial)
            return "failed again";
    if (f->trial < 1 || f->trial > r->core->n_trials)
        return "unknown";
    const struct trial *t = &r->core->trial[f->trial - 1];
    switch (t->state) {
    case TRIAL_OK:
        return t->labels != 0 ? "recovered, labelled as changed" : "recovered";
    case TRIAL_FAILED:
        return "gave up";
    case TRIAL_STOPPED:
        return "stopped";
    default:
        return "in repair";
    }
}

/* ---- gates ---- */

static void
gate_add(struct report *r, const struct event *e)
{
    struct report_gate *g = LIST_ADD(r->gates);
    g->at_ms = e->at_ms;
    g->kind = e->kind;
    g->by = text_keep(r, e->by);
    g->why = text_keep(r, e->why);
    if (g->why == NULL)
        g->why = event_meaning(e->kind);
}

static void
campaign_event(struct report *r, const struct core *c, const struct event *e)
{
    switch (e->kind) {
    case EVENT_plan_approved:
        r->approved_by = text_keep(r, e->by);
        gate_add(r, e);
        break;
    case EVENT_campaign_started:
        if (r->started_ms == 0)
            r->started_ms = e->at_ms;
        gate_add(r, e);
        break;
    case EVENT_campaign_halted:
    case EVENT_project_changed:
        if (r->started_ms != 0 && r->halt_why == NULL)
            r->interrupts++;
        r->halt_why = text_keep(r, e->why);
        if (r->halt_why == NULL)
            r->halt_why = event_meaning(e->kind);
        gate_add(r, e);
        break;
    case EVENT_campaign_paused:
    case EVENT_campaign_resumed:
    case EVENT_campaign_stopped:
    case EVENT_budget_lowered:
    case EVENT_hypothesis_dropped:
    case EVENT_hypothesis_pinned:
        gate_add(r, e);
        break;
    case EVENT_proposal_made:
        r->result_why = text_keep(r, e->why);
        r->proposed_ms = e->at_ms;
        gate_add(r, e);
        break;
    case EVENT_nothing_held:
        r->result_why = text_keep(r, e->why);
        r->nothing_held = true;
        break;
    case EVENT_campaign_finished:
        r->finished_ms = e->at_ms;
        break;
    default:
        break;
    }
    /* Two events may open one gate (the file changed, so it halted). */
    if (c->state != CAMPAIGN_HALTED && e->kind != EVENT_project_changed)
        r->halt_why = NULL;
}

/* ---- hypotheses, phases, incumbent ---- */

static void
answer_add(struct report *r, const struct event *e)
{
    struct report_answer *a = LIST_ADD(r->answers);
    *a = (struct report_answer){.seq = e->seq != 0 ? e->seq : r->lines.n + 1,
        .at_ms = e->at_ms,
        .trial = e->trial,
        .remedy = e->remedy,
        .purpose = e->key != NULL ? text_keep(r, e->key) : "",
        .model = e->by != NULL ? text_keep(r, e->by) : "",
        .hash = text_keep(r, e->hash),
        .text = text_keep(r, e->statement),
        .why = text_keep(r, e->why),
        .tokens_in = e->tokens_in,
        .tokens_out = e->tokens_out,
        .cost_u = e->cost_u};
}

/* The paragraph about the whole campaign; NULL: none was written. */
const struct report_answer *
report_summary(const struct report *r)
{
    for (uint32_t i = r->answers.n; i-- > 0;)
        if (r->answers.v[i].text != NULL &&
            strcmp(r->answers.v[i].purpose, "summary") == 0)
            return &r->answers.v[i];
    return NULL;
}

static void
hypothesis_added(struct report *r, const struct core *c, const struct event *e)
{
    /* The event need not carry a number: the new idea is the last one. */
    struct report_hypothesis *h = &r->hypothesis[c->n_hypotheses - 1];
    h->statement = text_keep(r, e->statement);
    h->rationale = text_keep(r, e->rationale);
    h->evidence = text_keep(r, e->evidence);
    h->by = text_keep(r, e->by);
    h->class = text_keep(r, e->class);
    h->paths = text_keep(r, e->paths);
    h->added = e->added;
    h->removed = e->removed;
    h->added_ms = e->at_ms;
}

static void
hypothesis_judged(struct report *r, const struct event *e)
{
    if (e->hypothesis < 1 || e->hypothesis > HYPOTHESES_MAX)
        return;
    r->hypothesis[e->hypothesis - 1].verdict_why = text_keep(r, e->why);
    r->hypothesis[e->hypothesis - 1].judged_ms = e->at_ms;
}

static void
phase_event(struct report *r, const struct event *e)
{
    if (e->phase >= PHASE_COUNT)
        return;
    if (e->kind == EVENT_phase_entered) {
        r->phase_from_ms[e->phase] = e->at_ms;
    } else {
        r->phase_to_ms[e->phase] = e->at_ms;
        r->phase_why[e->phase] = text_keep(r, e->why);
    }
}

/* The incumbent costs a posterior for each experiment: beyond POINTS_ALL
 * trials about a hundred points are taken for each further e-fold. */
static bool
point_is_due(const struct core *c)
{
    return c->n_trials <= POINTS_ALL || c->n_trials % (c->n_trials / 100) == 0;
}

static void
point_add(struct report *r, const struct core *c, const struct event *e)
{
    struct report_point *p = LIST_ADD(r->points);
    p->at_ms = e->at_ms;
    p->spent_u = c->spent_u;
    p->phase = event_phase(c, e);
    p->experiment = analysis_incumbent(c);
    struct effect f;
    if (p->experiment != 0 && analysis_effect(c, p->experiment, &f)) {
        p->gain = f.mean;
        p->lo = f.lo;
        p->hi = f.hi;
    }
}

void
report_event(struct report *r, const struct core *c, const struct event *e)
{
    if (r->first_ms == 0)
        r->first_ms = e->at_ms;
    if (e->at_ms > r->last_ms)
        r->last_ms = e->at_ms;
    switch (e->kind) {
    case EVENT_campaign_drafted: /* a new draft replaces the old one */
        memset(r->hypothesis, 0, sizeof(r->hypothesis));
        break;
    case EVENT_hypothesis_added:
        hypothesis_added(r, c, e);
        break;
    case EVENT_hypothesis_judged:
        hypothesis_judged(r, e);
        break;
    case EVENT_answer_arrived:
        answer_add(r, e);
        break;
    case EVENT_phase_entered:
    case EVENT_phase_closed:
        phase_event(r, e);
        break;
    case EVENT_job_intended:
        span_open(r, c, e);
        break;
    case EVENT_job_submitted: {
        struct report_span *s = span_find(r, e->job);
        if (s != NULL)
            s->start_ms = e->at_ms;
        break;
    }
    case EVENT_job_refused:
        if (r->spans.n > 0 && r->spans.v[r->spans.n - 1].job == e->job)
            r->spans.n--;
        break;
    case EVENT_job_ended:
        span_end(r, e);
        break;
    case EVENT_failure_classified:
        failure_add(r, e);
        break;
    case EVENT_trial_closed:
        if (point_is_due(c))
            point_add(r, c, e);
        break;
    default:
        break;
    }
    campaign_event(r, c, e);
    line_add(r, c, e);
}

void
report_wake(struct report *r, const struct report_wake *w)
{
    struct report_wake *to = LIST_ADD(r->wakes);
    *to = *w;
    to->cause = text_keep(r, w->cause);
    if (to->cause == NULL)
        to->cause = "wake";
    r->n_wakes++;
    r->agent_s += w->wall_ms / 1e3;
    r->wait_s += w->wait_ms / 1e3;
}

void
report_attempt(struct report *r, uint32_t job, int64_t start_ms, int64_t end_ms,
    const char *detail)
{
    struct report_span *s = span_find(r, job);
    if (s == NULL)
        return;
    if (start_ms != 0)
        s->start_ms = start_ms;
    if (end_ms >= s->start_ms && s->end_ms != 0)
        s->end_ms = end_ms;
    s->detail = text_keep(r, detail);
}

/* Rows of the timeline: each attempt goes into the first row that is free. */
static void
lanes_assign(struct report *r)
{
    int64_t busy_until[LANES_MAX] = {0};
    for (uint32_t i = 0; i < r->spans.n; i++) {
        struct report_span *s = &r->spans.v[i];
        uint32_t lane = 0;
        while (lane + 1 < LANES_MAX && busy_until[lane] > s->start_ms)
            lane++;
        s->lane = lane;
        busy_until[lane] = s->end_ms != 0 ? s->end_ms : r->last_ms;
        if (lane + 1 > r->lanes)
            r->lanes = lane + 1;
    }
}

void
report_close(struct report *r, const struct core *c)
{
    assert(r->core == NULL);
    r->core = c;
    if (c->state != CAMPAIGN_HALTED)
        r->halt_why = NULL;
    for (uint32_t i = 0; i < r->failures.n; i++)
        r->failures.v[i].outcome = failure_outcome(r, i);
    lanes_assign(r);
}
