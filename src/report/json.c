/* plan and report as JSON, in the words of the interface contract; extra
 * members are welcome there and say more. Called by cmd. NaN is never
 * printed: a number that is not known is left out, or its object is null. */
#include "report/parts.h"
#include "report/sources.h"

#include <math.h>
#include <string.h>

static void
id_value(struct jw *w, char kind, uint32_t number)
{
    jw_printf(w, "%c%u", kind, number);
}

static void
id_key(struct jw *w, const char *key, char kind, uint32_t number)
{
    jw_key(w, key);
    id_value(w, kind, number);
}

/* Left out when unknown. */
static void
num_key(struct jw *w, const char *key, double x)
{
    if (isfinite(x))
        jw_kf64(w, key, x);
}

static void
interval_key(struct jw *w, const char *key, double mean, double lo, double hi)
{
    jw_key(w, key);
    jw_obj_begin(w);
    jw_kf64(w, "mean", mean);
    jw_kf64(w, "lo", lo);
    jw_kf64(w, "hi", hi);
    jw_obj_end(w);
}

struct evidence_walk {
    struct jw *w;
    const struct json *list; /* of objects; NULL: the evidence is no JSON */
    size_t at;
};

/* The text for readers, and beside it what it was made of. */
static void
evidence_item(void *ctx, const char *text, const char *url)
{
    struct evidence_walk *e = ctx;
    const struct json *item = json_at(e->list, e->at++), *v;
    const char *key;
    jw_obj_begin(e->w);
    jw_kstr(e->w, "text", text);
    jw_kstr(e->w, "url", url);
    for (size_t i = 0; (v = json_member(item, i, &key)) != NULL; i++) {
        struct buf b = {0};
        if (strcmp(key, "text") == 0 || strcmp(key, "url") == 0)
            continue;
        json_dump(v, &b);
        jw_key(e->w, key);
        jw_raw(e->w, buf_str(&b));
        buf_fini(&b);
    }
    jw_obj_end(e->w);
}

static void
evidence_key(struct jw *w, const char *evidence)
{
    struct json *list = evidence != NULL && evidence[0] == '['
                            ? json_parse(evidence, strlen(evidence), NULL)
                            : NULL;
    struct evidence_walk e = {w, list, 0};
    jw_key(w, "evidence");
    jw_arr_begin(w);
    evidence_each(evidence, evidence_item, &e);
    jw_arr_end(w);
    json_free(list);
}

/* The lines of a text as an array. */
static void
lines_value(struct jw *w, const char *text)
{
    jw_arr_begin(w);
    for (; text != NULL && *text != '\0'; text += *text == '\n') {
        size_t n = strcspn(text, "\n");
        jw_strn(w, text, n);
        text += n;
    }
    jw_arr_end(w);
}

static void
patch_key(struct jw *w, const struct report *r, uint32_t h)
{
    const struct core *c = r->core;
    const struct report_hypothesis *t = &r->hypothesis[h];
    const struct patch *p = &c->patch[c->hypothesis[h].patch - 1];
    jw_key(w, "patch");
    jw_obj_begin(w);
    jw_kstr(w, "base_rev", c->base_rev);
    jw_kstr(w, "diff_sha256", p->sha256);
    jw_key(w, "paths");
    lines_value(w, t->paths);
    jw_kstr(w, "class", t->class);
    jw_ki64(w, "added", t->added);
    jw_ki64(w, "removed", t->removed);
    jw_kbool(w, "gated", p->gated);
    jw_kbool(w, "approved", p->approved);
    jw_key(w, "excludes");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (p->excludes >> i & 1)
            jw_str(w, c->patch[i].sha256);
    jw_arr_end(w);
    jw_obj_end(w);
}

/* The diffs of a set as {"patches": [sha256]}, for what runs in a sandbox. */
static void
patches_key(struct jw *w, const struct core *c, uint32_t patches)
{
    if (c->base_rev[0] == '\0')
        return;
    jw_kstr(w, "sandbox", "bwrap");
    jw_key(w, "patches");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (patches >> i & 1)
            jw_str(w, c->patch[i].sha256);
    jw_arr_end(w);
}

/* The overrides of a hypothesis as {knob: value}, and its code change. */
static void
change_key(struct jw *w, const struct report *r, uint32_t h)
{
    const struct core *c = r->core;
    const struct hypothesis *x = &c->hypothesis[h];
    jw_key(w, "change");
    jw_obj_begin(w);
    for (uint32_t i = 0; i < x->n_over; i++) {
        const struct knob *k = &c->spec.knob[x->over[i].knob];
        jw_key(w, k->name);
        json_knob(w, k, x->over[i].value);
    }
    if (x->patch != 0)
        patch_key(w, r, h);
    jw_obj_end(w);
}

/* Members that plan and report have in common. */
static void
hypothesis_head(struct jw *w, const struct report *r, uint32_t h)
{
    const struct hypothesis *x = &r->core->hypothesis[h];
    struct buf scratch = {0};
    uint32_t source = x->source == SOURCE_NONE ? SOURCE_ENGINEER : x->source;
    id_key(w, "id", 'H', h + 1);
    jw_kstr(w, "source", source_name(source));
    jw_kstr(w, "statement", hypothesis_statement(r, h, &scratch));
    jw_kstr(w, "rationale", r->hypothesis[h].rationale);
    change_key(w, r, h);
    jw_key(w, "predicted");
    jw_obj_begin(w);
    jw_kf64(w, "mean", isfinite(x->prior_mean) ? x->prior_mean : 0);
    jw_kf64(w, "sd", hypothesis_prior_sd(r, h));
    jw_obj_end(w);
    evidence_key(w, r->hypothesis[h].evidence);
    num_key(w, "cost_factor", x->cost_factor);
    jw_kbool(w, "needs_hook", x->needs_hook);
    jw_kbool(w, "dropped", x->dropped);
    jw_kbool(w, "pinned", x->pinned);
    buf_fini(&scratch);
}

/* What other budgets would bring, and beyond which one more would not pay. */
static void
curve_key(struct jw *w, const struct plan_estimate *est)
{
    jw_key(w, "expected_curve");
    jw_arr_begin(w);
    for (int i = 0; i < PLAN_POINTS; i++) {
        const struct plan_point *p = &est->curve[i];
        jw_obj_begin(w);
        jw_kf64(w, "share", p->share);
        jw_kf64(w, "budget", (double)p->budget_u / MICRO);
        jw_kf64(w, "gain", p->gain);
        jw_kf64(w, "confirmed", p->passes);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_key(w, "enough_budget");
    if (est->enough_u > 0)
        jw_f64(w, (double)est->enough_u / MICRO);
    else
        jw_null(w);
}

void
plan_json(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct plan_estimate est;
    struct jw w;
    plan_estimate(c, &est);
    jw_init(&w, out, 2);
    jw_obj_begin(&w);
    id_key(&w, "campaign", 'C', r->campaign);
    jw_kstr(&w, "model", c->spec.model);
    jw_kstr(&w, "state", campaign_state_name(c->state));
    jw_kstr(&w, "hash", plan_hash_shown(c));
    jw_key(&w, "hypotheses");
    jw_arr_begin(&w);
    for (uint32_t h = 0; h < c->n_hypotheses; h++) {
        if (c->hypothesis[h].dropped)
            continue;
        jw_obj_begin(&w);
        hypothesis_head(&w, r, h);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_key(&w, "phases");
    jw_arr_begin(&w);
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++) {
        if ((c->spec.phases >> p & 1) == 0)
            continue;
        jw_obj_begin(&w);
        jw_kstr(&w, "name", phase_name(p));
        jw_ki64(&w, "trials", est.trials[p]);
        jw_kf64(&w, "cost", (double)est.cost_u[p] / MICRO);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_key(&w, "estimate");
    jw_obj_begin(&w);
    jw_kf64(&w, "cost", (double)est.total_u / MICRO);
    jw_kstr(&w, "unit", unit_name(c->spec.unit));
    jw_kf64(&w, "budget", (double)c->spec.total_u / MICRO);
    jw_obj_end(&w);
    jw_kf64(&w, "expected_gain", est.expected_gain);
    jw_kf64(&w, "detectable_gain", est.detectable_gain);
    num_key(&w, "noise_sd", est.noise_sd);
    curve_key(&w, &est);
    jw_obj_end(&w);
    buf_putc(out, '\n');
}

/* ---- report ---- */

static void
phases_key(struct jw *w, const struct report *r)
{
    const struct core *c = r->core;
    jw_key(w, "phases");
    jw_arr_begin(w);
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++) {
        if ((c->spec.phases >> p & 1) == 0)
            continue;
        jw_obj_begin(w);
        jw_kstr(w, "name", phase_name(p));
        jw_kstr(w, "state", phase_state_name(c->phase_state[p]));
        jw_kstr(w, "reason", r->phase_why[p]);
        jw_ki64(w, "trials", phase_trials(c, p));
        jw_kf64(w, "cost", (double)c->phase_spent_u[p] / MICRO);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
baseline_key(struct jw *w, const struct core *c)
{
    struct baseline_stat b;
    struct base_values v;
    analysis_baseline(c, &b);
    baseline_values(c, &v);
    jw_key(w, "baseline");
    jw_obj_begin(w);
    jw_kf64(w, "mean", b.n > 0 && isfinite(b.mean) ? b.mean : 0);
    jw_kf64(w, "sd", b.n > 0 && isfinite(b.sd) ? b.sd : 0);
    jw_ki64(w, "seeds", b.n);
    jw_kstr(w, "metric", c->spec.metric[c->spec.primary].name);
    jw_key(w, "values");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < v.n; i++)
        jw_f64(w, v.v[i]);
    jw_arr_end(w);
    jw_obj_end(w);
}

static void
hypothesis_value(struct jw *w, const struct report *r, uint32_t h)
{
    const struct hypothesis *x = &r->core->hypothesis[h];
    double mean, lo, hi;
    jw_obj_begin(w);
    hypothesis_head(w, r, h);
    jw_kstr(w, "verdict", verdict_name(hypothesis_verdict(r, h)));
    jw_kstr(w, "why", r->hypothesis[h].verdict_why);
    jw_kbool(w, "proved", x->proved);
    if (hypothesis_effect(r, h, &mean, &lo, &hi)) {
        interval_key(w, "effect", mean, lo, hi);
        num_key(w, "probability", x->prob);
        num_key(w, "log_e", x->log_e);
    } else {
        jw_key(w, "effect");
        jw_null(w);
    }
    if (x->experiment != 0)
        id_key(w, "experiment", 'E', x->experiment);
    jw_ki64(w, "trials", hypothesis_trials(r, h));
    jw_obj_end(w);
}

static void
hypotheses_key(struct jw *w, const struct report *r)
{
    jw_key(w, "hypotheses");
    jw_arr_begin(w);
    for (uint32_t h = 0; h < r->core->n_hypotheses; h++)
        hypothesis_value(w, r, h);
    jw_arr_end(w);
}

static void
combinations_key(struct jw *w, const struct core *c)
{
    jw_key(w, "combinations");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < c->n_pairs; i++) {
        const struct pair *p = &c->pair[i];
        if (p->verdict == PAIR_NONE)
            continue;
        jw_obj_begin(w);
        jw_key(w, "experiments");
        jw_arr_begin(w);
        id_value(w, 'E', c->hypothesis[p->a].experiment);
        id_value(w, 'E', c->hypothesis[p->b].experiment);
        jw_arr_end(w);
        jw_key(w, "hypotheses");
        jw_arr_begin(w);
        id_value(w, 'H', p->a + 1u);
        id_value(w, 'H', p->b + 1u);
        jw_arr_end(w);
        jw_kstr(w, "verdict", pair_name(p->verdict));
        interval_key(w, "interaction", p->mean, p->lo, p->hi);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
sealed_key(struct jw *w, const struct core *c, const struct finalist *f)
{
    jw_key(w, "sealed");
    jw_obj_begin(w);
    if (report_has_sealed(c))
        jw_kstr(w, "metric", c->spec.metric[c->spec.sealed].name);
    jw_kf64(w, "baseline", f->base);
    jw_kf64(w, "candidate", f->candidate);
    jw_kf64(w, "gain", f->gain);
    jw_kf64(w, "lo", f->lo);
    jw_kf64(w, "hi", f->hi);
    jw_ki64(w, "seeds", f->n < f->n_base ? f->n : f->n_base);
    jw_ki64(w, "looks", c->looks);
    jw_kstr(w, "includes",
        f->sampling_var > 0 ? "seeds and test rows" : "seeds only");
    jw_obj_end(w);
}

static void
guardrails_key(struct jw *w, const struct core *c, uint32_t experiment)
{
    struct guard_result g[METRICS_MAX];
    uint32_t n = analysis_guards(c, experiment, 0, g);
    jw_key(w, "guardrails");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < n; i++) {
        jw_obj_begin(w);
        jw_kstr(w, "metric", c->spec.metric[g[i].metric].name);
        num_key(w, "baseline", g[i].baseline);
        num_key(w, "candidate", g[i].candidate);
        num_key(w, "limit", g[i].limit);
        num_key(w, "lo", g[i].lo);
        num_key(w, "hi", g[i].hi);
        jw_kbool(w, "ok", g[i].ok);
        jw_kbool(w, "violated", g[i].violated);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
changes_key(struct jw *w, const struct core *c, uint32_t experiment)
{
    const struct spec *s = &c->spec;
    const struct config *from = &c->experiment[0].config;
    const struct config *to = &c->experiment[experiment].config;
    jw_key(w, "changes");
    jw_obj_begin(w);
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        bool was = knob_is_active(s, from, k), is = knob_is_active(s, to, k);
        if ((!was && !is) || (was && is && from->v[k] == to->v[k]))
            continue;
        jw_key(w, s->knob[k].name);
        jw_obj_begin(w);
        jw_key(w, "from");
        if (was)
            json_knob(w, &s->knob[k], from->v[k]);
        else
            jw_null(w);
        jw_key(w, "to");
        if (is)
            json_knob(w, &s->knob[k], to->v[k]);
        else
            jw_null(w);
        jw_obj_end(w);
    }
    jw_obj_end(w);
}

/* The path of the diff, several in the order of their application. */
static void
proposal_patch(struct jw *w, const struct core *c, uint32_t patches)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (patches >> i & 1)
            buf_printf(&b, "%s.rea/patches/%s.diff", b.len > 0 ? " " : "",
                c->patch[i].sha256);
    jw_kstr(w, "patch", b.len > 0 ? buf_str(&b) : NULL);
    if (b.len > 0)
        jw_kstr(w, "base_rev", c->base_rev);
    buf_fini(&b);
    patches_key(w, c, patches);
}

static void
proposal_key(struct jw *w, const struct report *r)
{
    const struct core *c = r->core;
    uint32_t e = c->proposal, i = finalist_of(c, e);
    struct baseline_stat b;
    struct effect f;
    jw_key(w, "proposal");
    if (e == 0 || i == c->n_finalists || !c->finalist[i].judged ||
        !analysis_effect(c, e, &f)) {
        jw_null(w);
        return;
    }
    analysis_baseline(c, &b);
    jw_obj_begin(w);
    id_key(w, "experiment", 'E', e);
    jw_key(w, "knobs");
    json_config(w, &c->spec, &c->experiment[e].config);
    changes_key(w, c, e);
    proposal_patch(w, c, c->experiment[e].config.patches);
    jw_key(w, "search");
    jw_obj_begin(w);
    jw_kstr(w, "metric", c->spec.metric[c->spec.primary].name);
    jw_kf64(w, "baseline", b.mean);
    jw_kf64(w, "candidate", f.metric_mean);
    jw_kf64(w, "gain", f.mean);
    jw_kf64(w, "lo", f.lo);
    jw_kf64(w, "hi", f.hi);
    num_key(w, "unshrunken", f.raw);
    jw_ki64(w, "trials", f.n);
    jw_obj_end(w);
    sealed_key(w, c, &c->finalist[i]);
    guardrails_key(w, c, e);
    if (r->repro.command != NULL)
        jw_kstr(w, "command", r->repro.command);
    jw_obj_end(w);
}

static void
finalists_key(struct jw *w, const struct core *c)
{
    jw_key(w, "finalists");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        if (!c->finalist[i].judged) /* sealed until opened */
            continue;
        jw_obj_begin(w);
        id_key(w, "experiment", 'E', c->finalist[i].experiment);
        jw_kbool(w, "proposed", c->finalist[i].experiment == c->proposal);
        sealed_key(w, c, &c->finalist[i]);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
trial_value(struct jw *w, const struct core *c, uint32_t i)
{
    const struct trial *t = &c->trial[i];
    const struct spec *s = &c->spec;
    jw_obj_begin(w);
    id_key(w, "id", 'T', i + 1);
    id_key(w, "experiment", 'E', t->experiment);
    jw_kstr(w, "phase", phase_name(t->phase));
    jw_ki64(w, "seed", t->seed);
    jw_key(w, "knobs");
    json_config(w, s, &c->experiment[t->experiment].config);
    patches_key(w, c, c->experiment[t->experiment].config.patches);
    jw_kstr(w, "state", trial_state_name(t->state));
    jw_ki64(w, "attempts", t->attempts);
    jw_kf64(w, "cost", (double)t->cost_u / MICRO);
    jw_key(w, "metrics");
    jw_obj_begin(w);
    for (uint32_t m = 0; m < s->n_metrics; m++)
        if (metric_is_shown(s, m))
            num_key(w, s->metric[m].name, t->metric[m]);
    if (report_has_sealed(c) && t->sealed_known)
        num_key(w, s->metric[s->sealed].name, t->sealed);
    jw_obj_end(w);
    jw_key(w, "labels");
    jw_arr_begin(w);
    if ((t->labels & LABEL_SHRUNK) != 0)
        jw_str(w, "shrunk");
    if ((t->labels & LABEL_STABILISED) != 0)
        jw_str(w, "stabilised");
    jw_arr_end(w);
    jw_obj_end(w);
}

static void
experiment_value(struct jw *w, const struct core *c, uint32_t e)
{
    struct buf label = {0};
    struct effect f;
    uint32_t i = finalist_of(c, e);
    experiment_label(c, e, &label);
    jw_obj_begin(w);
    id_key(w, "id", 'E', e);
    jw_kstr(w, "label", buf_str(&label));
    jw_key(w, "knobs");
    json_config(w, &c->spec, &c->experiment[e].config);
    changes_key(w, c, e);
    if (e != 0 && analysis_effect(c, e, &f))
        interval_key(w, "effect", f.mean, f.lo, f.hi);
    if (i < c->n_finalists && c->finalist[i].judged)
        sealed_key(w, c, &c->finalist[i]);
    guardrails_key(w, c, e);
    jw_ki64(w, "trials", experiment_trials(c, e));
    jw_obj_end(w);
    buf_fini(&label);
}

void
show_object(struct jw *w, const struct report *r, struct report_id id)
{
    switch (id.kind) {
    case 'H':
        jw_key(w, "hypothesis");
        hypothesis_value(w, r, id.number - 1);
        break;
    case 'E':
        jw_key(w, "experiment");
        experiment_value(w, r->core, id.number);
        break;
    default:
        jw_key(w, "trial");
        trial_value(w, r->core, id.number - 1);
    }
}

static void
failures_key(struct jw *w, const struct report *r)
{
    jw_key(w, "failures");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->failures.n; i++) {
        const struct report_failure *f = &r->failures.v[i];
        jw_obj_begin(w);
        id_key(w, "trial", 'T', f->trial);
        jw_ki64(w, "attempt", f->attempt);
        jw_kstr(w, "signature", f->signature);
        jw_kstr(w, "reason", reason_name(f->reason));
        jw_kstr(w, "remedy", remedy_name(f->remedy));
        jw_kstr(w, "outcome", f->outcome);
        jw_kstr(w, "why", f->why);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
engineer_key(struct jw *w, const struct report *r)
{
    jw_key(w, "engineer");
    jw_obj_begin(w);
    jw_kstr(w, "approved_by", r->approved_by);
    jw_ki64(w, "interrupts", r->interrupts);
    jw_key(w, "minutes_to_proposal");
    jw_f64(w, r->proposed_ms != 0 ? report_minutes(r) : NAN);
    jw_key(w, "gates");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->gates.n; i++) {
        const struct report_gate *g = &r->gates.v[i];
        jw_obj_begin(w);
        jw_ki64(w, "at_ms", g->at_ms);
        jw_kstr(w, "event", event_name(g->kind));
        jw_kstr(w, "by", g->by);
        jw_kstr(w, "why", g->why);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_obj_end(w);
}

/* What the plan promised for this budget, beside what came of it. */
static void
expected_key(struct jw *w, const struct core *c)
{
    struct plan_estimate est;
    plan_estimate(c, &est);
    jw_key(w, "expected");
    jw_obj_begin(w);
    jw_kf64(w, "gain", est.expected_gain);
    jw_kf64(w, "realised_gain", realised_gain(c));
    jw_kf64(w, "realised_cost", (double)c->spent_u / MICRO);
    curve_key(w, &est);
    jw_obj_end(w);
}

/* What models were asked and what it cost; the paragraph that one wrote. */
static void
models_key(struct jw *w, const struct report *r)
{
    const struct report_answer *s = report_summary(r);
    if (r->answers.n == 0)
        return;
    jw_key(w, "models");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->answers.n; i++) {
        const struct report_answer *a = &r->answers.v[i];
        jw_obj_begin(w);
        jw_kstr(w, "model", a->model);
        jw_kstr(w, "purpose", a->purpose);
        jw_kstr(w, "conversation", a->hash);
        jw_ki64(w, "tokens_in", a->tokens_in);
        jw_ki64(w, "tokens_out", a->tokens_out);
        jw_kf64(w, "cost", (double)a->cost_u / MICRO);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    if (s == NULL)
        return;
    jw_key(w, "summary");
    jw_obj_begin(w);
    jw_kstr(w, "text", s->text);
    jw_kstr(w, "written_by", s->model);
    jw_kstr(w, "note", s->why);
    jw_obj_end(w);
}

void
report_json(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct status_entry entry;
    struct buf verdict = {0};
    struct jw w;
    status_entry(r->campaign, c, r->halt_why, &entry);
    report_verdict(r, &verdict);
    jw_init(&w, out, 1);
    jw_obj_begin(&w);
    jw_key(&w, "campaign");
    status_entry_json(&w, &entry);
    jw_kstr(&w, "verdict", buf_str(&verdict));
    jw_kstr(&w, "plan_hash", c->plan_hash);
    jw_kstr(&w, "fingerprint", c->fingerprint);
    phases_key(&w, r);
    baseline_key(&w, c);
    hypotheses_key(&w, r);
    sources_json(&w, r);
    combinations_key(&w, c);
    proposal_key(&w, r);
    finalists_key(&w, c);
    expected_key(&w, c);
    jw_key(&w, "trials");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < c->n_trials; i++)
        trial_value(&w, c, i);
    jw_arr_end(&w);
    failures_key(&w, r);
    engineer_key(&w, r);
    models_key(&w, r);
    jw_ki64(&w, "wakes", (int64_t)r->n_wakes);
    jw_kf64(&w, "resident_agent_seconds", r->agent_s);
    jw_kf64(&w, "resident_wait_seconds", r->wait_s);
    jw_obj_end(&w);
    buf_putc(out, '\n');
    buf_fini(&verdict);
}
