/* The small world: see toy.h. */
#include "sim/toy.h"

#include "base/arena.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double MIN_GAIN = 2e-4;
enum { ANCHORS = 5, IDEAS_A_KNOB = 2 };

void
toy_fact(struct toy *t, struct event *e)
{
    e->at_ms = t->now_ms;
    int rc = core_step(t->c, e, t->u);
    for (int i = 0;; i++) {
        if (rc != 0 || i > 5000) {
            fprintf(stderr, "toy %" PRIu64 ": %s refused: %s\n", t->o.seed,
                event_name(e->kind), t->u->why);
            abort();
        }
        if (t->o.print) {
            char s[1024];
            trace_line(t->c, e, s, sizeof s);
            puts(s);
        }
        if (!t->u->has_next)
            break;
        struct event next = t->u->next;
        char why[WHY_LEN];
        memcpy(why, t->u->next_why, sizeof why);
        next.why = why;
        next.at_ms = t->now_ms;
        e = &next;
        rc = core_step(t->c, e, t->u);
    }
}

/* ---- truth ---- */

static double
knob_effect(const struct toy *t, uint32_t k, double v)
{
    const double *at = t->at[k], *f = t->f[k];
    int i = 0;
    while (i < ANCHORS - 2 && v > at[i + 1])
        i++;
    double w = (v - at[i]) / (at[i + 1] - at[i]);
    return f[i] + w * (f[i + 1] - f[i]);
}

double
toy_truth(const struct toy *t, const struct config *x)
{
    double good = 0, bad = 0, cross = 0, f[KNOBS_MAX];
    double p = t->o.overlap;
    for (uint32_t k = 0; k < t->knobs; k++) {
        f[k] = knob_effect(t, k, x->v[k]) / t->size;
        if (f[k] > 0)
            good += pow(f[k], p);
        else
            bad += f[k];
    }
    for (uint32_t k = 0; k < t->knobs; k++)
        for (uint32_t l = 0; l < k; l++)
            cross += t->cross[k][l] * fmin(1, fabs(f[k])) * fmin(1, fabs(f[l]));
    return t->size * (pow(good, 1 / p) + bad + cross);
}

double
toy_gain(const struct toy *t)
{
    return t->c->proposal == 0
               ? 0
               : toy_truth(t, &t->c->experiment[t->c->proposal].config);
}

/* Prior of idea i, and its true effect. */
static double
effect_draw(struct toy *t, double *mean, double *sd)
{
    double s = t->size;
    if (t->o.good < 0) {
        *mean = s * (-.3 + .5 * rng_normal(&t->r));
        *sd = s * (.6 + .8 * rng_f64(&t->r));
        return *mean + *sd * rng_normal(&t->r);
    }
    /* what a catalogue can know: the share of good ones and their size */
    double p = t->o.good;
    *mean = s * (p - .5 * (1 - p)) + .2 * s * rng_normal(&t->r);
    *sd = s * .9;
    bool good = rng_f64(&t->r) < p;
    return good ? s * (.5 + rng_f64(&t->r)) : -s * rng_f64(&t->r);
}

static void
knob_fill(struct toy *t, struct knob *k, uint32_t i, struct event *idea)
{
    snprintf(k->name, sizeof k->name, "knob%" PRIu32, i);
    k->kind = KNOB_FLOAT;
    k->hi = 1;
    k->deflt = .3;
    static const double at[ANCHORS] = {0, .3, .55, .8, 1};
    memcpy(t->at[i], at, sizeof at);
    t->f[i][1] = 0;
    for (int j = 0; j < IDEAS_A_KNOB; j++) {
        t->f[i][2 + j] = effect_draw(t, &idea[j].mean, &idea[j].sd);
        idea[j].n_over = 1;
        idea[j].over[0] = (struct override){i, at[2 + j]};
    }
    t->f[i][0] = -t->size * (.5 + rng_normal(&t->r));
    t->f[i][4] = t->f[i][3] + t->size * .7 * (rng_normal(&t->r) - .5);
}

static void
spec_fill(struct toy *t, struct spec *s, struct event *ideas)
{
    memset(s, 0, sizeof *s);
    snprintf(s->model, sizeof s->model, "toy");
    t->size = t->o.size * MIN_GAIN;
    t->knobs = (t->o.ideas + IDEAS_A_KNOB - 1) / IDEAS_A_KNOB;
    s->n_knobs = t->knobs;
    for (uint32_t i = 0; i < t->knobs; i++)
        knob_fill(t, &s->knob[i], i, &ideas[IDEAS_A_KNOB * i]);
    for (uint32_t k = 0; k < t->knobs; k++)
        for (uint32_t l = 0; l < k; l++)
            t->cross[k][l] = t->o.cross * rng_normal(&t->r);
    s->n_metrics = 2;
    snprintf(s->metric[0].name, NAME_LEN, "valid");
    snprintf(s->metric[1].name, NAME_LEN, "test");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = MIN_GAIN;
    s->metric[1].role = METRIC_SEALED;
    s->sealed = 1;
    s->phases = t->o.phases != 0 ? t->o.phases : 0x1e;
    s->max_hypotheses = 24;
    s->baseline_seeds = 4;
    s->unit = UNIT_TRIALS;
    s->total_u = (t->o.pooled ? t->o.ceiling : t->o.budget) * (int64_t)MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 1;
    s->fidelity_knob = -1;
}

static void
draft(struct toy *t)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    struct event *ideas = mem_calloc(HYPOTHESES_MAX, sizeof *ideas);
    spec_fill(t, s, ideas);
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .number = t->o.seed};
    toy_fact(t, &e);
    for (uint32_t i = 0; i < t->o.ideas; i++) {
        ideas[i].kind = EVENT_hypothesis_added;
        ideas[i].source = SOURCE_RESEARCH;
        ideas[i].statement = "change a knob";
        toy_fact(t, &ideas[i]);
    }
    e = (struct event){.kind = EVENT_plan_drafted,
        .hash = "0123456789abcdef",
        .budget_u = s->total_u};
    toy_fact(t, &e);
    free(bytes);
    free(ideas);
    free(s);
}

void
toy_begin(struct toy *t, const struct toy_opts *o)
{
    memset(t, 0, sizeof *t);
    t->o = *o;
    t->now_ms = 1000;
    t->c = mem_calloc(1, sizeof *t->c);
    t->u = mem_calloc(1, sizeof *t->u);
    rng_seed2(&t->r, o->seed, 11);
    draft(t);
    struct event e = {.kind = EVENT_plan_approved,
        .hash = "0123456789abcdef",
        .budget_u = o->budget * (int64_t)MICRO,
        .signed_u = o->pooled ? o->ceiling * (int64_t)MICRO : 0,
        .horizon_u = o->horizon * (int64_t)MICRO,
        .by = "engineer"};
    toy_fact(t, &e);
    e = (struct event){.kind = EVENT_campaign_started};
    toy_fact(t, &e);
}

/* ---- jobs ---- */

static void
job_end(struct toy *t, uint32_t job, uint32_t trial)
{
    const struct trial *x = &t->c->trial[trial - 1];
    struct rng r;
    rng_seed2(&r, t->o.seed, x->seed);
    struct event e = {.kind = EVENT_job_submitted, .job = job, .trial = trial};
    toy_fact(t, &e);
    e = (struct event){.kind = EVENT_job_ended,
        .job = job,
        .trial = trial,
        .reason = REASON_OK,
        .cost_u = MICRO,
        .n_measures = 1};
    double gain = toy_truth(t, &t->c->experiment[x->experiment].config);
    e.measure[0] = (struct measure){
        0, .74 + gain + t->o.noise * MIN_GAIN * rng_normal(&r)};
    t->now_ms += 60000;
    toy_fact(t, &e);
}

static void
sealed_tell(struct toy *t, uint32_t trial)
{
    const struct trial *x = &t->c->trial[trial - 1];
    struct rng r;
    rng_seed2(&r, t->o.seed, UINT64_C(1) << 40 | x->seed);
    double gain = toy_truth(t, &t->c->experiment[x->experiment].config);
    struct event e = {.kind = EVENT_sealed_read,
        .trial = trial,
        .value = .73 + gain + t->o.noise * MIN_GAIN * rng_normal(&r)};
    toy_fact(t, &e);
}

bool
toy_step(struct toy *t)
{
    struct action a[1];
    struct event kept = {.kind = EVENT_insights_kept};
    t->over = t->c->state == CAMPAIGN_DONE || t->c->state == CAMPAIGN_STOPPED;
    if (core_actions(t->c, a, 1) == 0)
        return false;
    if (a[0].kind == ACTION_SUBMIT)
        job_end(t, a[0].job, a[0].trial);
    else if (a[0].kind == ACTION_OPEN_SEALED)
        sealed_tell(t, a[0].trial);
    else
        toy_fact(t, &kept);
    return true;
}

void
toy_members(const struct toy *t, uint32_t n, uint32_t floor_trials,
    uint32_t asks, struct pool_member *out)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct core *c = t[i].c;
        bool ended = c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED;
        out[i].campaign = i + 1;
        out[i].live = c->state == CAMPAIGN_RUNNING && !c->granted_all;
        out[i].weight = 1;
        out[i].held_u = ended ? c->spent_u : c->approved_u;
        out[i].floor_u = ended ? 0 : floor_trials * (int64_t)MICRO;
        out[i].signed_u = c->signed_u;
        /* as in the ledger, the others' outlooks are those of their last word
         */
        if (i == asks || out[i].worth.tranche_u == 0)
            core_worth(c, &out[i].worth);
    }
}

void
toy_grant(struct toy *t, const struct pool_grant *g)
{
    struct event e = {.kind = EVENT_budget_granted,
        .budget_u = g->grant_u,
        .horizon_u = g->horizon_u,
        .n = g->last,
        .why = g->why};
    toy_fact(t, &e);
}

void
toy_end(struct toy *t)
{
    free(t->c);
    free(t->u);
}
