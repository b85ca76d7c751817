/* Drives core_advance through simulated jobs, as the program drives it.
 * Invariant: the engine sees measured values only. */
#include "live.h"

#include "base/arena.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double PRIOR_SD = 2.5; /* of an idea's gain, seed sds */

struct flying {
    uint32_t job, trial;
    double end;
};

struct live {
    const struct problem *p;
    struct core *c;
    struct update u;
    struct outcome *o;
    struct rng r;
    struct flying flying[JOBS_MAX];
    uint32_t n_flying;
    double now;
    bool print;
};

static void
sink(void *ctx, const struct event *e)
{
    const struct live *x = ctx;
    char s[1024];
    if (!x->print)
        return;
    trace_line(x->c, e, s, sizeof s);
    puts(s);
}

static void
tell(struct live *x, struct event *e)
{
    if (core_advance(x->c, e, &x->u, sink, x) != 0) {
        fprintf(stderr, "seed %llu: %s refused: %s\n",
            (unsigned long long)x->p->seed, event_name(e->kind), x->u.why);
        exit(1);
    }
}

static void
campaign_start(struct live *x, uint32_t trials)
{
    const struct problem *p = x->p;
    struct spec *s = mem_calloc(1, sizeof *s);
    problem_spec(p, trials, s);
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .number = p->seed};
    tell(x, &e);
    for (uint32_t i = 0; i < p->k; i++) {
        double known = p->shape->known;
        struct event h = {.kind = EVENT_hypothesis_added,
            .source = SOURCE_INSIGHT,
            .statement = "an idea",
            .mean = SEED_SD * p->prior[i],
            .sd = SEED_SD * PRIOR_SD * sqrt(1 - known * known),
            .n_over = 1};
        h.over[0] = problem_idea(p, i);
        tell(x, &h);
    }
    e = (struct event){
        .kind = EVENT_plan_drafted, .hash = "truth", .budget_u = s->total_u};
    tell(x, &e);
    e.kind = EVENT_plan_approved;
    e.by = "engineer";
    tell(x, &e);
    e = (struct event){.kind = EVENT_campaign_started};
    tell(x, &e);
    free(bytes);
    free(s);
}

static const struct config *
trial_config(const struct live *x, uint32_t trial)
{
    return &x->c->experiment[x->c->trial[trial - 1].experiment].config;
}

static void
e_values_watch(struct live *x)
{
    for (uint32_t i = 0; i < x->c->n_hypotheses; i++) {
        struct effect f;
        uint64_t bit = UINT64_C(1) << i;
        uint32_t e = x->c->hypothesis[i].experiment;
        if (e == 0 || x->p->gain[i] > 0 || !analysis_effect(x->c, e, &f))
            continue;
        x->o->idle |= bit;
        x->o->crossed |= f.log_e >= log(20) ? bit : 0;
    }
}

static void
job_start(struct live *x, const struct action *a)
{
    struct event e = {
        .kind = EVENT_job_submitted, .job = a->job, .handle = "t"};
    x->flying[x->n_flying++] =
        (struct flying){a->job, a->trial, x->now + .5 + rng_f64(&x->r)};
    tell(x, &e);
}

static void
job_end(struct live *x)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < x->n_flying; i++)
        if (x->flying[i].end < x->flying[first].end)
            first = i;
    struct flying f = x->flying[first];
    x->flying[first] = x->flying[--x->n_flying];
    x->now = f.end;
    struct reading m;
    problem_run(
        x->p, trial_config(x, f.trial), x->c->trial[f.trial - 1].seed, &m);
    struct event e = {.kind = EVENT_job_ended,
        .job = f.job,
        .trial = f.trial,
        .reason = REASON_OK,
        .cost_u = MICRO,
        .n_measures = x->p->shape->guard ? 2 : 1};
    e.measure[0] = (struct measure){0, m.search};
    e.measure[1] = (struct measure){2, m.guard};
    tell(x, &e);
    e_values_watch(x);
}

static void
sealed_read(struct live *x, uint32_t trial)
{
    struct reading m;
    problem_run(x->p, trial_config(x, trial), x->c->trial[trial - 1].seed, &m);
    struct event e = {
        .kind = EVENT_sealed_read, .trial = trial, .value = m.sealed};
    tell(x, &e);
}

static bool
act(struct live *x)
{
    struct action a[JOBS_MAX];
    if (core_actions(x->c, a, JOBS_MAX) == 0) {
        if (x->n_flying == 0)
            return false;
        job_end(x);
        return true;
    }
    struct event kept = {.kind = EVENT_insights_kept};
    if (a[0].kind == ACTION_SUBMIT)
        job_start(x, &a[0]);
    else if (a[0].kind == ACTION_OPEN_SEALED)
        sealed_read(x, a[0].trial);
    else
        tell(x, &kept);
    return true;
}

static double
pair_truth(const struct problem *p, uint32_t a, uint32_t b)
{
    struct config x, y, z;
    struct override oa = problem_idea(p, a), ob = problem_idea(p, b);
    struct spec *s = mem_calloc(1, sizeof *s);
    problem_spec(p, 1, s);
    config_default(s, &x);
    free(s);
    y = x;
    x.v[oa.knob] = oa.value;
    y.v[ob.knob] = ob.value;
    z = x;
    z.v[ob.knob] = ob.value;
    return problem_gain(p, &z) - problem_gain(p, &x) - problem_gain(p, &y);
}

/* Ideas without which the proposal would gain less. */
static uint64_t
useful_ideas(const struct live *x)
{
    const struct problem *p = x->p;
    const struct config *full = &x->c->experiment[x->c->proposal].config;
    uint64_t mask = problem_mask(p, full), useful = 0;
    for (uint32_t i = 0; i < p->k; i++) {
        struct config less = *full;
        uint32_t knob = problem_idea(p, i).knob;
        if ((mask >> i & 1) == 0)
            continue;
        less.v[knob] = x->c->spec.knob[knob].deflt;
        if (problem_gain(p, &less) < problem_gain(p, full))
            useful |= UINT64_C(1) << i;
    }
    return useful;
}

static void
outcome_read(struct live *x)
{
    const struct core *c = x->c;
    struct outcome *o = x->o;
    o->trials = c->n_trials;
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        uint64_t bit = UINT64_C(1) << i;
        o->proved |= h->proved ? bit : 0;
        o->promoted |= h->verdict == VERDICT_PROMOTE ? bit : 0;
        o->rejected |= h->verdict == VERDICT_REJECT ? bit : 0;
    }
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        const struct config *x1 = &c->experiment[f->experiment].config;
        if (!f->judged)
            continue;
        o->opened[o->n_opened++] = (struct opened){f->gain, f->lo, f->hi,
            problem_sealed(x->p, x1), confirmation_shrunken(c, i),
            problem_mask(x->p, x1), c->proposal == f->experiment};
    }
    o->claimed = c->proposal != 0;
    if (o->claimed) {
        const struct config *x1 = &c->experiment[c->proposal].config;
        o->delivered = problem_mask(x->p, x1);
        o->claim_truth = problem_sealed(x->p, x1);
        o->useful = useful_ideas(x);
    }
    for (uint32_t i = 0; i < c->n_pairs; i++)
        o->pair[o->n_pairs++] = (struct pair_seen){c->pair[i].mean,
            c->pair[i].lo, c->pair[i].hi,
            pair_truth(x->p, c->pair[i].a, c->pair[i].b), c->pair[i].verdict};
}

void
live_run(
    const struct problem *p, uint32_t trials, bool print, struct outcome *out)
{
    struct live x = {.p = p, .o = out, .print = print};
    memset(out, 0, sizeof *out);
    rng_seed2(&x.r, p->seed, 17);
    x.c = mem_calloc(1, sizeof *x.c);
    campaign_start(&x, trials);
    while (act(&x))
        ;
    outcome_read(&x);
    free(x.c);
}
