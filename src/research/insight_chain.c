/* The events behind the rows of a finished campaign: each idea as hypothesis,
 * the experiments with their raw trials, and what was decided. Called when the
 * campaign's insights are kept. Invariant: sealed values are no part of it, as
 * they are none of the state. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "research/draft.h"
#include "research/insight_row.h"

enum { TOLD_MAX = 24 }; /* experiments named by one row */

struct chain {
    const struct core *core;
    const struct insight_texts *texts;
    struct arena *arena;
    struct insight_event *event;
    size_t n;
    bool told[EXPERIMENTS_MAX];
};

static void
event_add(struct chain *c, uint32_t kind, const char *of, struct buf *payload)
{
    c->event[c->n++] = (struct insight_event){.kind = kind,
        .of = of,
        .by = c->texts->by,
        .at_ms = c->texts->created_ms,
        .payload = arena_strndup(c->arena, buf_str(payload), payload->len)};
    buf_fini(payload);
}

static const char *
experiment_name(const struct chain *c, uint32_t experiment)
{
    return arena_printf(c->arena, "%s/E%" PRIu32, c->texts->uuid, experiment);
}

static void
trial_write(const struct chain *c, struct jw *w, uint32_t i)
{
    const struct core *k = c->core;
    const struct trial *t = &k->trial[i];
    double value = t->metric[k->spec.primary];
    char id[16], seed[16];
    snprintf(id, sizeof id, "T%" PRIu32, i + 1);
    snprintf(seed, sizeof seed, "%" PRIu32, t->seed);
    jw_obj_begin(w);
    jw_kstr(w, "id", id);
    jw_kstr(w, "seed", seed);
    jw_kstr(w, "status", trial_state_name(t->state));
    if (t->state == TRIAL_FAILED)
        jw_kstr(w, "reason", reason_name(t->reason));
    if (isfinite(value))
        jw_kf64(w, "value", value);
    jw_kstr(w, "run",
        arena_printf(c->arena, "%s/%s",
            c->texts->campaign != NULL ? c->texts->campaign : c->texts->uuid,
            id));
    jw_obj_end(w);
}

static void
experiment_event(struct chain *c, uint32_t experiment)
{
    const struct core *k = c->core;
    const struct spec *s = &k->spec;
    struct buf b = {0};
    struct jw w;
    struct config base;
    if (experiment >= k->n_experiments || c->told[experiment])
        return;
    c->told[experiment] = true;
    config_default(s, &base);
    config_canon(s, &base);
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "model", s->model);
    jw_kstr(&w, "metric", s->metric[s->primary].name);
    jw_kstr(&w, "goal", s->metric[s->primary].goal == GOAL_MIN ? "min" : "max");
    jw_key(&w, "config"); /* where it differs from the baseline */
    jw_obj_begin(&w);
    for (uint32_t i = 0; i < s->n_knobs; i++) {
        double v = k->experiment[experiment].config.v[i];
        char text[256];
        if (v == base.v[i])
            continue;
        knob_format(&s->knob[i], v, text, sizeof text);
        jw_kstr(&w, s->knob[i].name, text);
    }
    jw_obj_end(&w);
    jw_key(&w, "trials");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < k->n_trials; i++)
        if (k->trial[i].experiment == experiment)
            trial_write(c, &w, i);
    jw_arr_end(&w);
    jw_obj_end(&w);
    event_add(c, INSIGHT_EXPERIMENT, experiment_name(c, experiment), &b);
}

/* Evidence is a JSON array of records; the first that names a technique. */
static const char *
technique_in(const struct chain *c, const char *evidence)
{
    struct json *j =
        evidence != NULL ? json_parse(evidence, strlen(evidence), NULL) : NULL;
    const char *found = "";
    for (size_t i = 0; i < json_len(j) && found[0] == '\0'; i++) {
        const char *id = json_get_str(json_at(j, i), "technique");
        if (id != NULL)
            found = arena_strdup(c->arena, id);
    }
    json_free(j);
    return found;
}

static void
hypothesis_event(struct chain *c, uint32_t i, struct insight *r, const char *of)
{
    const struct hypothesis *h = &c->core->hypothesis[i];
    const char *evidence =
        c->texts->evidence != NULL ? c->texts->evidence[i] : NULL;
    const char *why =
        c->texts->rationale != NULL ? c->texts->rationale[i] : NULL;
    struct json *j =
        evidence != NULL ? json_parse(evidence, strlen(evidence), NULL) : NULL;
    struct buf b = {0};
    struct jw w;
    r->technique = technique_in(c, evidence);
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "statement", r->statement);
    jw_kstr(&w, "source", source_name(h->source));
    if (r->change != NULL && r->change[0] != '\0') {
        jw_key(&w, "change");
        jw_raw(&w, r->change);
    }
    if (why != NULL && why[0] != '\0')
        jw_kstr(&w, "rationale", why);
    jw_key(&w, "expected");
    jw_obj_begin(&w);
    jw_kf64(&w, "mean", h->prior_mean);
    jw_kf64(&w, "sd", h->prior_sd);
    jw_kf64(&w, "cost", h->cost_factor);
    jw_obj_end(&w);
    if (json_kind(j) == J_ARR) {
        jw_key(&w, "evidence");
        jw_raw(&w, json_dump_in(c->arena, j));
    }
    jw_obj_end(&w);
    json_free(j);
    event_add(c, INSIGHT_HYPOTHESIS, of, &b);
}

static void
decision_event(struct chain *c, uint32_t i, const char *of)
{
    const struct hypothesis *h = &c->core->hypothesis[i];
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "what", verdict_name(h->verdict));
    jw_kstr(&w, "decided_by", "the engine");
    jw_obj_end(&w);
    event_add(c, INSIGHT_DECISION, of, &b);
}

/* The experiments that this row was read from, told once each. */
static void
row_evidence(
    struct chain *c, struct insight *r, const uint32_t *list, uint32_t n)
{
    struct buf b = {0};
    buf_puts(&b, ",\"experiments\":[");
    for (uint32_t i = 0; i < n; i++) {
        experiment_event(c, list[i]);
        buf_printf(
            &b, "%s\"%s\"", i > 0 ? "," : "", experiment_name(c, list[i]));
    }
    buf_putc(&b, ']');
    r->evidence = arena_strndup(c->arena, buf_str(&b), b.len);
    buf_fini(&b);
}

static void
row_chain(struct chain *c, struct insight *r)
{
    const struct core *k = c->core;
    const char *of =
        arena_printf(c->arena, "%s/%s", c->texts->uuid, r->hypothesis);
    uint32_t list[TOLD_MAX] = {0}, n = 1; /* the baseline is behind each */
    unsigned a = 0, b = 0;
    if (sscanf(r->hypothesis, "H%u+H%u", &a, &b) == 2) {
        uint64_t both = UINT64_C(1) << (a - 1) | UINT64_C(1) << (b - 1);
        for (uint32_t i = 1; i < k->n_experiments && n < TOLD_MAX; i++)
            if ((k->experiment[i].mask & both) != 0)
                list[n++] = i;
    } else if (sscanf(r->hypothesis, "H%u", &a) == 1 && a >= 1 &&
               a <= k->n_hypotheses) {
        hypothesis_event(c, a - 1, r, of);
        if (k->hypothesis[a - 1].experiment > 0)
            list[n++] = k->hypothesis[a - 1].experiment;
        decision_event(c, a - 1, of);
    } else if (sscanf(r->hypothesis, "E%u", &a) == 1 && a > 0) {
        list[n++] = a;
    }
    row_evidence(c, r, list, n);
}

void
insight_chain_of_campaign(const struct core *core,
    const struct insight_texts *t, struct arena *a, struct insight *row,
    size_t n, struct insight_event **out, size_t *n_out)
{
    struct chain *c = arena_alloc(a, sizeof *c);
    c->core = core;
    c->texts = t;
    c->arena = a;
    c->event =
        arena_alloc(a, (2 * n + core->n_experiments + 1) * sizeof *c->event);
    for (size_t i = 0; i < n; i++)
        row_chain(c, &row[i]);
    *out = c->event;
    *n_out = c->n;
}
