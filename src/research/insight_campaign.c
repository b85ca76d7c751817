/* From a finished campaign to insights: one row for each judged idea, one for
 * each judged pair, failures too, and the configurations of several changes
 * that it ended with: another campaign may start where this one stopped. Called
 * when the engine asks for insights to be kept. Invariant: the rows are a
 * function of the state and the texts, so keeping them twice keeps them once.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "research/calibrate.h"
#include "research/draft.h"
#include "research/insight.h"
#include "research/move.h"

struct keeper {
    const struct core *core;
    const struct insight_texts *texts;
    struct arena *arena;
    struct baseline_stat base;
    const struct metric *metric;
};

static bool
verdict_is_learnt(uint32_t verdict)
{
    return verdict == VERDICT_PROMOTE || verdict == VERDICT_REJECT ||
           verdict == VERDICT_INCONCLUSIVE || verdict == VERDICT_FAILED ||
           verdict == VERDICT_UNSTABLE;
}

static uint32_t
verdict_learnt(uint32_t verdict, double lo, double hi)
{
    if (verdict == VERDICT_FAILED)
        return INSIGHT_FAILED;
    if (verdict == VERDICT_UNSTABLE)
        return INSIGHT_UNSTABLE;
    if (verdict == VERDICT_PROMOTE || lo > 0)
        return INSIGHT_POSITIVE;
    return hi < 0 ? INSIGHT_NEGATIVE : INSIGHT_NULL;
}

/* Cost of a training of this experiment against the baseline's; 0: unknown. */
static double
cost_ratio(const struct core *c, uint32_t experiment)
{
    double sum[2] = {0, 0}, n[2] = {0, 0};
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        bool own = t->experiment == experiment;
        if (t->state != TRIAL_OK || t->labels != 0 || t->cost_u <= 0 ||
            (!own && t->experiment != 0))
            continue;
        sum[own] += (double)t->cost_u;
        n[own]++;
    }
    bool known = n[0] > 0 && n[1] > 0 && c->spec.unit != UNIT_TRIALS;
    return known ? sum[1] / n[1] / (sum[0] / n[0]) : 0;
}

static const char *
context_in(const struct keeper *k, uint32_t experiment, const struct effect *e,
    const struct hypothesis *h)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "model", k->core->spec.model);
    jw_kstr(&w, "metric", k->metric->name);
    if (k->base.n > 0) {
        jw_kf64(&w, "baseline", k->base.mean);
        jw_kf64(&w, "noise_sd", k->base.sd);
        jw_ki64(&w, "baseline_runs", k->base.n);
    }
    if (e != NULL) {
        double cost = cost_ratio(k->core, experiment);
        jw_kf64(&w, "raw", e->raw);
        jw_kf64(&w, "raw_sd", e->raw_sd);
        if (cost > 0)
            jw_kf64(&w, "cost", cost);
        if (h != NULL)
            foretold_write(&w, h->source, h->prior_mean, h->prior_sd);
    }
    insight_place_write(&w, &k->texts->place);
    if (k->texts->tags != NULL && k->texts->tags[0] != '\0')
        jw_kstr(&w, "tags", k->texts->tags);
    jw_obj_end(&w);
    const char *text = arena_strdup(k->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void
row_start(const struct keeper *k, struct insight *r)
{
    const struct insight_texts *t = k->texts;
    struct arena *a = k->arena;
    const char *name = t->campaign != NULL ? t->campaign : "";
    memset(r, 0, sizeof *r);
    r->campaign = t->uuid;
    r->family = t->family != NULL ? t->family : family_of(&k->core->spec);
    const char *kind = metric_kind(k->metric->name);
    r->metric = kind[0] != '\0' ? kind : k->metric->name;
    r->scale = strcmp(kind, "auc") == 0 ? 0 : k->metric->min_gain;
    r->source =
        arena_printf(a, "campaign %s on %s%s%s", name, k->core->spec.model,
            t->by != NULL ? ", run by " : "", t->by != NULL ? t->by : "");
    r->date = t->date;
    r->created_ms = t->created_ms;
    r->places = 1;
    r->status = INSIGHT_DRAFT;
}

/* Fills from, to, direction, concept of a change of one knob. A change of
 * several is known by its key alone: what one of its knobs did can't be
 * told. */
static void
change_fill(
    const struct keeper *k, const struct hypothesis *h, struct insight *r)
{
    const struct spec *s = &k->core->spec;
    r->key = change_key_in(k->arena, s, h->over, h->n_over);
    r->change = change_json_in(k->arena, s, h->over, h->n_over);
    r->concept = concept_name(CONCEPT_NONE);
    if (h->patch != 0) { /* known by its code: no knob did it */
        const char *sha = k->core->patch[h->patch - 1].sha256;
        r->key = arena_printf(k->arena, "patch:%.12s%s%s", sha,
            h->n_over > 0 ? " " : "", h->n_over > 0 ? r->key : "");
        r->change = arena_printf(k->arena, "{\"patch\":\"%s\"%s%s", sha,
            h->n_over > 0 ? "," : "}",
            h->n_over > 0 ? strchr(r->change, '{') + 1 : "");
        return;
    }
    if (h->n_over != 1)
        return;
    const struct knob *knob = &s->knob[h->over[0].knob];
    char from[256], to[256], way[VALUE_LEN];
    struct move m;
    knob_format(knob, knob->deflt, from, sizeof from);
    knob_format(knob, h->over[0].value, to, sizeof to);
    move_of(&m, knob, h->over[0].value);
    move_direction(&m, way);
    r->concept = concept_name(knob->concept);
    r->knob = knob->name;
    r->from = arena_strdup(k->arena, from);
    r->to = arena_strdup(k->arena, to);
    r->direction = arena_strdup(k->arena, way);
}

static void
hypothesis_row(const struct keeper *k, uint32_t i, struct insight *r)
{
    const struct hypothesis *h = &k->core->hypothesis[i];
    struct arena *a = k->arena;
    struct effect e = {0};
    row_start(k, r);
    change_fill(k, h, r);
    bool judged =
        h->experiment > 0 && analysis_effect(k->core, h->experiment, &e);
    r->hypothesis = arena_printf(a, "H%u", i + 1);
    r->verdict = verdict_learnt(h->verdict, h->lo, h->hi);
    if (judged) {
        r->effect = h->mean;
        r->lo = h->lo;
        r->hi = h->hi;
        r->sd = (h->hi - h->lo) / (2 * 1.96);
        r->n = e.n;
    }
    r->context = context_in(k, h->experiment, judged ? &e : NULL, h);
    r->reference = arena_printf(a, "%s %s",
        k->texts->campaign != NULL ? k->texts->campaign : r->campaign,
        r->hypothesis);
    r->conditions = arena_printf(a,
        "one change on the baseline of %s, %lld "
        "comparable runs",
        k->core->spec.model, (long long)r->n);
    const char *said =
        k->texts->statement != NULL ? k->texts->statement[i] : NULL;
    r->statement = said != NULL && said[0] != '\0'
                       ? said
                       : change_text_in(a, &k->core->spec, h->over, h->n_over);
}

static void
pair_row(const struct keeper *k, const struct pair *p, struct insight *r)
{
    static const char *const word[] = {
        "none", "additive", "synergy", "conflict", "unclear"};
    const struct core *c = k->core;
    struct arena *a = k->arena;
    row_start(k, r);
    change_fill(k, &c->hypothesis[p->a], r);
    const struct hypothesis *b = &c->hypothesis[p->b];
    r->partner = b->patch != 0 ? arena_printf(a, "patch:%.12s",
                                     c->patch[b->patch - 1].sha256)
                               : change_key_in(a, &c->spec, b->over, b->n_over);
    r->hypothesis = arena_printf(a, "H%u+H%u", p->a + 1u, p->b + 1u);
    r->effect = p->mean;
    r->lo = p->lo;
    r->hi = p->hi;
    r->sd = (p->hi - p->lo) / (2 * 1.96);
    r->n = 1;
    r->verdict = p->verdict == PAIR_SYNERGY    ? INSIGHT_POSITIVE
                 : p->verdict == PAIR_CONFLICT ? INSIGHT_NEGATIVE
                                               : INSIGHT_NULL;
    r->context = context_in(k, 0, NULL, NULL);
    r->reference = arena_printf(a, "%s %s",
        k->texts->campaign != NULL ? k->texts->campaign : r->campaign,
        r->hypothesis);
    r->conditions = "interaction: what both give beyond their sum";
    r->statement = arena_printf(a, "%s: %s with %s",
        word[p->verdict <= PAIR_UNCLEAR ? p->verdict : 0], r->key, r->partner);
}

/* ---- configurations ---- */

enum { CONFIGURATIONS_MAX = FINALISTS_MAX + 1 };

/* Knobs in which an experiment differs from the baseline; 0: in more than an
 * idea can hold, or one only, which is an idea's own row. */
static uint32_t
config_changes(const struct core *c, uint32_t experiment, struct override *out)
{
    const struct config *x = &c->experiment[experiment].config;
    struct config base;
    uint32_t n = 0;
    if (x->patches != 0) /* not of knobs alone */
        return 0;
    config_default(&c->spec, &base);
    config_canon(&c->spec, &base);
    for (uint32_t k = 0; k < c->spec.n_knobs; k++) {
        if (x->v[k] == base.v[k])
            continue;
        if (n == OVERRIDES_MAX)
            return 0;
        out[n++] = (struct override){k, x->v[k]};
    }
    return n > 1 ? n : 0;
}

/* The overrides, and what each knob means: another trainer calls it otherwise.
 */
static const char *
configuration_json(
    const struct keeper *k, const struct override *over, uint32_t n)
{
    const struct spec *s = &k->core->spec;
    const char *plain = change_json_in(k->arena, s, over, n);
    struct buf b = {0};
    buf_printf(&b, "%.*s,\"concepts\":{", (int)strlen(plain) - 1, plain);
    for (uint32_t i = 0; i < n; i++) {
        const struct knob *knob = &s->knob[over[i].knob];
        buf_printf(&b, "%s\"%s\":\"%s\"", i > 0 ? "," : "", knob->name,
            concept_name(knob->concept));
    }
    buf_puts(&b, "}}");
    const char *text = arena_strdup(k->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

/* A configuration that gained surely on the search metric. Its fresh seeds
 * are among its runs, so that the best of many is not taken at its word. */
static bool
configuration_row(
    const struct keeper *k, uint32_t experiment, struct insight *r)
{
    const struct core *c = k->core;
    struct arena *a = k->arena;
    struct override over[OVERRIDES_MAX];
    struct effect e;
    uint32_t n = config_changes(c, experiment, over);
    if (n == 0 || !analysis_effect(c, experiment, &e) || e.lo <= 0)
        return false;
    row_start(k, r);
    r->key = change_key_in(a, &c->spec, over, n);
    r->change = configuration_json(k, over, n);
    r->concept = concept_name(CONCEPT_NONE);
    r->hypothesis = arena_printf(a, "E%u", experiment);
    r->verdict = INSIGHT_POSITIVE;
    r->effect = e.mean;
    r->lo = e.lo;
    r->hi = e.hi;
    r->sd = (e.hi - e.lo) / (2 * 1.96);
    r->n = e.n;
    r->context = context_in(k, experiment, &e, NULL);
    r->reference = arena_printf(a, "%s %s",
        k->texts->campaign != NULL ? k->texts->campaign : r->campaign,
        r->hypothesis);
    r->conditions = arena_printf(
        a, "%u changes together on the baseline of %s", n, c->spec.model);
    r->statement = change_text_in(a, &c->spec, over, n);
    return true;
}

/* The finalists, and what is thought best. */
static uint32_t
configurations_of(const struct core *c, uint32_t out[CONFIGURATIONS_MAX])
{
    uint32_t n = 0, best = analysis_incumbent(c);
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        out[n++] = c->finalist[i].experiment;
        if (best == c->finalist[i].experiment)
            best = 0;
    }
    if (best != 0)
        out[n++] = best;
    return n;
}

void
insight_from_campaign(const struct core *c, const struct insight_texts *t,
    struct arena *a, struct insight **out, size_t *n)
{
    struct keeper k = {.core = c,
        .texts = t,
        .arena = a,
        .metric = &c->spec.metric[c->spec.primary]};
    analysis_baseline(c, &k.base);
    *n = 0;
    *out = arena_alloc(
        a, ((size_t)c->n_hypotheses + c->n_pairs + CONFIGURATIONS_MAX) *
               sizeof **out);
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        if (verdict_is_learnt(c->hypothesis[i].verdict))
            hypothesis_row(&k, i, &(*out)[(*n)++]);
    for (uint32_t i = 0; i < c->n_pairs; i++)
        if (c->pair[i].verdict != PAIR_NONE)
            pair_row(&k, &c->pair[i], &(*out)[(*n)++]);
    uint32_t experiment[CONFIGURATIONS_MAX];
    uint32_t m = configurations_of(c, experiment);
    for (uint32_t i = 0; i < m; i++)
        *n += configuration_row(&k, experiment[i], &(*out)[*n]);
}
