/* The fake world. Laws checked here: (1) hibernating at every event changes
 * nothing, (2) a refused event changes nothing, (5) spent + reserved never
 * exceeds approved, one job per key, every job ends in a decision, nothing
 * runs before approval or after a stop. */
#include "sim/world.h"

#include "base/arena.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 60000, ENCODE_MAX = 1 << 21, PATCHES = 4 };

struct flying {
    uint32_t job, trial;
    int64_t start_ms, end_ms;
    uint32_t crossed; /* rungs that it has reported or kept to itself */
};

struct world {
    struct life_opts o;
    struct rng r;
    struct core *c, *twin;
    struct update u;
    struct life *life;
    unsigned char *a, *b;
    double slope[KNOBS_MAX], best[KNOBS_MAX], width[KNOBS_MAX];
    double cross[KNOBS_MAX]; /* interaction of knob k with k + 1 */
    double patch[PATCHES];   /* gains of code patches */
    double noise, honest;    /* how true rungs are */
    int64_t now_ms;
    struct flying flying[JOBS_MAX];
    uint32_t n_flying;
    uint32_t jobs_seen;
    bool dead; /* stopped or done: nothing may be submitted any more */
};

static void
law_broken(const struct world *w, const char *what)
{
    fprintf(stderr, "law broken: %s (seed %" PRIu64 ", event %" PRIu64 ")\n",
        what, w->o.seed, w->c->seq);
    abort();
}

#define LAW(w, cond)                                                           \
    do {                                                                       \
        if (!(cond))                                                           \
            law_broken(w, #cond);                                              \
    } while (0)

/* ---- truth ---- */

static void
knob_make(struct world *w, struct knob *k, uint32_t i)
{
    snprintf(k->name, sizeof k->name, "knob%" PRIu32, i);
    k->kind = i % 4 == 3 ? KNOB_BOOL : i % 4 == 2 ? KNOB_CHOICE : KNOB_FLOAT;
    if (i % 5 == 1)
        k->kind = KNOB_INT;
    if (i == 0) {
        k->concept = CONCEPT_LEARNING_RATE;
        k->kind = KNOB_FLOAT;
    } else if (i == 1) {
        k->concept = CONCEPT_BATCH_SIZE;
        k->kind = KNOB_INT;
    }
    if (k->kind == KNOB_FLOAT) {
        k->lo = 1e-4;
        k->hi = 1e-1;
        k->log = true;
        k->deflt = 1e-3;
    } else if (k->kind == KNOB_INT) {
        k->lo = 4;
        k->hi = 512;
        k->log = true;
        k->deflt = 64;
    } else if (k->kind == KNOB_CHOICE) {
        k->n_values = 4;
        for (uint32_t v = 0; v < 4; v++)
            snprintf(k->values[v], sizeof k->values[v], "v%" PRIu32, v);
    }
    w->slope[i] = 0;
    if (w->o.problem == WORLD_MIXED) {
        w->slope[i] = 6e-4 * rng_normal(&w->r);
        w->cross[i] = rng_f64(&w->r) < .3 ? 4e-4 * rng_normal(&w->r) : 0;
    }
    w->best[i] = rng_f64(&w->r);
    w->width[i] = .2 + .4 * rng_f64(&w->r);
}

static double
shape(const struct world *w, const struct spec *s, uint32_t k, double v)
{
    const struct knob *knob = &s->knob[k];
    double u = knob_to_unit(knob, v);
    if (knob->kind == KNOB_BOOL || knob->kind == KNOB_CHOICE)
        return v == knob->deflt ? 0 : sin(3 * v + (double)k);
    double d = (u - w->best[k]) / w->width[k];
    double at = knob_to_unit(knob, knob->deflt);
    double d0 = (at - w->best[k]) / w->width[k];
    return fmax(-4, 1 - d * d) - fmax(-4, 1 - d0 * d0);
}

static double
truth(const struct world *w, const struct config *x)
{
    const struct spec *s = &w->c->spec;
    double gain = 0, last = 0;
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        double f = knob_is_active(s, x, k) ? shape(w, s, k, x->v[k]) : 0;
        gain += w->slope[k] * f + w->cross[k] * f * last;
        last = f;
    }
    for (int p = 0; p < PATCHES; p++)
        gain += x->patches >> p & 1 ? w->patch[p] : 0;
    return gain;
}

/* Rungs that tell the truth, tell half of it, or lie. */
static void
curves_make(struct world *w, struct spec *s)
{
    static const double honest[] = {1, .5, 0};
    s->n_rungs = 2 + (uint32_t)rng_below(&w->r, 3);
    for (uint32_t i = 0; i < s->n_rungs; i++)
        s->rung[i] = 1u << i;
    s->stops = true;
    w->honest = honest[rng_below(&w->r, 3)];
}

static double
rung_value(const struct world *w, const struct trial *t, uint32_t rung)
{
    struct rng r;
    double far = .02 * (double)(w->c->spec.n_rungs - rung);
    rng_seed2(&r, w->o.seed ^ t->seed, rung);
    double gain = truth(w, &w->c->experiment[t->experiment].config);
    return .74 - far + w->honest * gain +
           (2 - w->honest) * w->noise * rng_normal(&r);
}

/* Jobs of some phases are dearer or cheaper than others. */
static void
phases_differ(struct world *w, struct spec *s)
{
    static const double rates[] = {.25, 1, 4};
    s->by_phase = true;
    for (uint32_t p = PHASE_VALIDATION; p < PHASE_COUNT; p++) {
        double rate = rates[rng_below(&w->r, 3)];
        s->phase_cost[p] =
            (struct phase_cost){(int64_t)(rate * (double)s->reserve_train_u),
                (int64_t)(rate * (double)s->reserve_eval_u), rate};
    }
}

static void
spec_make(struct world *w, struct spec *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->model, sizeof s->model, "world");
    s->n_knobs = 4 + (uint32_t)rng_below(&w->r, 5);
    for (uint32_t i = 0; i < s->n_knobs; i++)
        knob_make(w, &s->knob[i], i);
    if (s->n_knobs > 5) { /* one conditional knob */
        s->knob[5].n_when = 1;
        s->knob[5].when[0] = (struct cond){COND_EQ, 3, 1};
    }
    s->n_metrics = 3;
    snprintf(s->metric[0].name, NAME_LEN, "valid");
    snprintf(s->metric[1].name, NAME_LEN, "test");
    snprintf(s->metric[2].name, NAME_LEN, "loss");
    w->noise = 2e-4 * exp(.5 * rng_normal(&w->r));
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 2e-4;
    s->metric[1].role = METRIC_SEALED;
    s->metric[2].role = METRIC_GUARD;
    s->metric[2].goal = GOAL_MIN;
    s->metric[2].guard = GUARD_MAX_INCREASE;
    s->metric[2].relative = true;
    s->metric[2].limit = .02;
    s->sealed = 1;
    s->has_evaluate = rng_below(&w->r, 3) == 0;
    s->has_resume = true;
    s->phases = w->o.singles ? 1u << PHASE_VALIDATION : 0x1e;
    if (rng_below(&w->r, 8) == 0 && w->o.faults > 0)
        s->phases &= ~(1u << (1 + rng_below(&w->r, 4)));
    s->max_hypotheses = 24;
    s->baseline_seeds = 4 + (uint32_t)rng_below(&w->r, 3);
    s->unit = UNIT_TRIALS;
    uint64_t trials = w->o.budget ? w->o.budget : 20 + rng_below(&w->r, 70);
    s->total_u = (int64_t)trials * MICRO;
    s->reserve_train_u = MICRO;
    if (w->o.faults > 0 && rng_below(&w->r, 2)) {
        s->unit = trials % 2 ? UNIT_USD : UNIT_CORE_HOURS;
        s->reserve_train_u = 3 * MICRO;
        s->reserve_eval_u = MICRO / 4;
        s->total_u *= 2;
        if (rng_below(&w->r, 3) == 0)
            phases_differ(w, s);
    }
    if (w->o.faults > 0 && rng_below(&w->r, 6) == 0)
        s->wall_clock_ms = 40 * 60 * 1000;
    s->max_parallel = 1 + (uint32_t)rng_below(&w->r, 4);
    s->fidelity_knob = -1;
    if (w->o.faults > 0 && rng_below(&w->r, 2))
        curves_make(w, s);
}

/* ---- the laws, at every event ---- */

static void
hibernate(struct world *w)
{
    size_t n = core_encode(w->c, w->a, ENCODE_MAX);
    LAW(w, n <= ENCODE_MAX);
    memcpy(&w->twin->spec, &w->c->spec, sizeof w->c->spec);
    LAW(w, core_decode(w->twin, w->a, n) == 0);
    size_t m = core_encode(w->twin, w->b, ENCODE_MAX);
    LAW(w, n == m && memcmp(w->a, w->b, n) == 0);
    struct core *t = w->c;
    w->c = w->twin;
    w->twin = t;
    struct update u = {0};
    bool more = core_decide(w->c, &u);
    LAW(w, more == w->u.has_next);
    LAW(w, !more || u.next.kind == w->u.next.kind);
}

static void
applied(struct world *w, const struct event *e)
{
    struct event plain = *e;
    plain.at_ms = 0;
    size_t n = event_encode(&plain, w->b, ENCODE_MAX);
    for (size_t i = 0; i < n; i++)
        w->life->digest = (w->life->digest ^ w->b[i]) * 1099511628211u;
    struct event back;
    LAW(w, event_decode(&back, w->b, n) == 0);
    w->life->kinds[e->kind]++;
    w->life->events++;
    if (e->kind == EVENT_job_ended)
        w->life->reasons[e->reason]++;
    if (e->kind == EVENT_failure_classified)
        w->life->remedies[e->remedy]++;
    const struct core *c = w->c;
    LAW(w, c->spent_u + c->reserved_u <= c->approved_u);
    if (e->kind == EVENT_job_cancelled && e->n > 0) {
        const struct trial *t = &c->trial[e->trial - 1];
        LAW(w, t->experiment != 0 && t->phase == PHASE_EXPLOITATION);
        w->life->stops++;
    }
    if (e->kind == EVENT_job_intended) {
        LAW(w, c->approved_u > 0 && c->state == CAMPAIGN_RUNNING);
        LAW(w, e->job == ++w->jobs_seen);
        const struct trial *t = &c->trial[e->trial - 1];
        uint32_t patches = c->experiment[t->experiment].config.patches;
        LAW(w, patches_waiting(c, patches) == 0);
        LAW(w, patches_agree(c, patches));
    }
    if (w->o.print) {
        char s[1024];
        trace_line(c, e, s, sizeof s);
        puts(s);
    }
}

static int
step(struct world *w, const struct event *e)
{
    int rc = core_step(w->c, e, &w->u);
    if (rc != 0)
        return rc;
    applied(w, e);
    if (w->o.hibernate)
        hibernate(w);
    return 0;
}

static int
fact(struct world *w, struct event *e)
{
    e->at_ms = w->now_ms;
    int rc = step(w, e);
    for (int i = 0; rc == 0 && w->u.has_next; i++) {
        struct event next = w->u.next;
        char why[WHY_LEN];
        memcpy(why, w->u.next_why, sizeof why);
        next.why = why;
        next.at_ms = w->now_ms;
        LAW(w, i < 5000);
        LAW(w, step(w, &next) == 0);
    }
    return rc;
}

/* An event that should be refused most of the time: when it is, nothing may
 * have changed. */
static void
mischief(struct world *w)
{
    struct event e = {0};
    e.kind = 1 + (uint32_t)rng_below(&w->r, EVENT_COUNT - 1);
    if (event_who(e.kind) == FACT && e.kind != EVENT_job_ended)
        return; /* facts are the world's to make */
    e.at_ms = w->now_ms;
    e.job = (uint32_t)rng_below(&w->r, 5) + 100000;
    e.trial = (uint32_t)rng_below(&w->r, 8) + 100000;
    e.experiment = 5000;
    e.hypothesis = 99;
    e.phase = PHASE_COUNT;
    e.reason = REASON_OK;
    e.state = 77;
    size_t n = core_encode(w->c, w->a, ENCODE_MAX);
    struct update u = {0};
    bool harmless =
        e.kind == EVENT_nothing_held || e.kind == EVENT_campaign_halted ||
        e.kind == EVENT_sealed_opened || e.kind == EVENT_campaign_finished;
    if (harmless)
        return;
    int rc = core_step(w->c, &e, &u);
    LAW(w, rc != 0 && u.why[0] != '\0');
    size_t m = core_encode(w->c, w->b, ENCODE_MAX);
    LAW(w, n == m && memcmp(w->a, w->b, n) == 0);
    w->life->refused++;
}

/* ---- the campaign's outer life ---- */

/* A source tells the truth, its opposite or nothing; all ideas are of one, or
 * every other one of a second. */
static void
idea_predict(const struct world *w, uint32_t i, struct event *h)
{
    struct config x;
    bool second = w->o.second != 0 && i % 2;
    config_default(&w->c->spec, &x);
    x.v[h->over[0].knob] = h->over[0].value;
    h->source = second ? SOURCE_RESEARCH : SOURCE_INSIGHT;
    h->mean += (second ? w->o.second : w->o.source) * truth(w, &x);
}

static bool
is_pooled(const struct world *w)
{
    return w->o.faults > 0 && w->o.seed % 5 == 0;
}

/* What a pool would do: a little more, or no more at all. */
static bool
grant(struct world *w)
{
    struct pool_worth worth;
    if (!core_waits(w->c))
        return false;
    core_worth(w->c, &worth);
    LAW(w, worth.wants && worth.least_u > 0 && worth.tranche_u > 0);
    for (int i = 1; i < POOL_STEPS; i++)
        LAW(w, worth.slope[i] <= worth.slope[i - 1] && worth.slope[i] >= 0);
    int64_t most = w->c->signed_u - w->c->approved_u;
    struct event e = {.kind = EVENT_budget_granted,
        .budget_u = worth.tranche_u < most ? worth.tranche_u : most,
        .horizon_u = w->c->signed_u,
        .n = most < worth.least_u || rng_below(&w->r, 12) == 0};
    LAW(w, fact(w, &e) == 0);
    LAW(w, w->c->approved_u <= w->c->signed_u);
    return true;
}

static bool
is_patched(const struct world *w)
{
    return w->o.interfere && w->o.seed % 3 == 1;
}

static const char *
patch_name(uint32_t p)
{
    static const char *const names[PATCHES] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "1111111111111111111111111111111111111111111111111111111111111111",
        "2222222222222222222222222222222222222222222222222222222222222222",
        "3333333333333333333333333333333333333333333333333333333333333333"};
    return names[p];
}

/* Code changes, some behind a gate, some that clash; the last one comes with a
 * knob. */
static void
patches_draft(struct world *w)
{
    struct rng r;
    rng_seed2(&r, w->o.seed, 99);
    for (uint32_t p = 0; p < PATCHES; p++) {
        struct event h = {.kind = EVENT_hypothesis_added,
            .source = SOURCE_ENGINEER,
            .sd = 6e-4,
            .statement = "change the code",
            .patch = patch_name(p),
            .class = "model",
            .paths = "model.c",
            .gated = rng_below(&r, 2) == 0,
            .excludes = (uint32_t)rng_below(&r, UINT64_C(1) << p)};
        w->patch[p] = 6e-4 * rng_normal(&r);
        h.n_over = p == PATCHES - 1;
        h.over[0].value = w->c->spec.knob[0].hi;
        fact(w, &h); /* the knob's value may be its default */
        h.excludes = 1u << p;
        LAW(w, fact(w, &h) != 0);
    }
}

static void
draft(struct world *w)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    spec_make(w, s);
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .base_rev = is_patched(w) ? "base" : NULL,
        .number = w->o.seed};
    LAW(w, fact(w, &e) == 0);
    if (is_patched(w))
        patches_draft(w);
    for (uint32_t i = 0; i < 2 * s->n_knobs; i++) {
        struct event h = {.kind = EVENT_hypothesis_added,
            .source = 1 + i % 3,
            .sd = 6e-4,
            .statement = "change a knob"};
        const struct knob *k = &s->knob[i % s->n_knobs];
        h.n_over = 1;
        h.over[0].knob = i % s->n_knobs;
        double u = rng_f64(&w->r);
        h.over[0].value = k->kind == KNOB_CHOICE
                              ? (double)rng_below(&w->r, k->n_values)
                              : knob_from_unit(k, u);
        h.mean = 1e-4 * rng_normal(&w->r);
        if (w->o.source != 0)
            idea_predict(w, i, &h);
        fact(w, &h); /* duplicates and no-changes are refused: fine */
    }
    struct event hook = {.kind = EVENT_hypothesis_added,
        .state = 1,
        .source = SOURCE_RESEARCH,
        .sd = 1e-3,
        .statement = "needs a hook"};
    LAW(w, fact(w, &hook) == 0);
    struct event p = {.kind = EVENT_plan_drafted,
        .hash = "0123456789abcdef",
        .budget_u = s->total_u};
    LAW(w, fact(w, &p) == 0);
    struct event start = {.kind = EVENT_campaign_started};
    LAW(w, fact(w, &start) != 0); /* nothing before approval */
    struct event ok = {.kind = EVENT_plan_approved,
        .hash = "0123456789abcdef",
        .budget_u = s->total_u,
        .by = "engineer"};
    if (is_pooled(w)) { /* a fifth at first, the rest by grants */
        ok.signed_u = s->total_u;
        ok.horizon_u = s->total_u / 2;
        ok.budget_u = s->total_u / 5;
    }
    LAW(w, fact(w, &ok) == 0);
    struct event d = {.kind = EVENT_data_seen, .hash = "data-1"};
    LAW(w, fact(w, &d) == 0);
    LAW(w, fact(w, &start) == 0);
    free(bytes);
    free(s);
}

static void
interfere(struct world *w)
{
    struct event e = {0};
    struct core *c = w->c;
    double x = rng_f64(&w->r);
    if (x < .004) {
        e.kind = EVENT_campaign_paused;
    } else if (x < .005) {
        e.kind = EVENT_campaign_stopped;
    } else if (x < .010) {
        e.kind = EVENT_hypothesis_dropped;
        e.hypothesis = 1 + (uint32_t)rng_below(&w->r, c->n_hypotheses);
    } else if (x < .015) {
        e.kind = EVENT_hypothesis_pinned;
        e.hypothesis = 1 + (uint32_t)rng_below(&w->r, c->n_hypotheses);
    } else if (x < .018) {
        e.kind = EVENT_budget_lowered;
        e.budget_u = c->approved_u - MICRO;
    } else if (x < .020) {
        e.kind = EVENT_project_changed;
    } else if (x < .023) {
        static const char *const data[] = {"data-2", "data-3", "data-4"};
        e.kind = EVENT_data_seen;
        e.hash = data[rng_below(&w->r, 3)];
    } else if (x < .030) {
        e.kind = EVENT_hypothesis_added;
        e.source = SOURCE_ENGINEER;
        e.sd = 5e-4;
        e.n_over = 1;
        e.over[0].knob = 0;
        e.over[0].value = knob_from_unit(&c->spec.knob[0], rng_f64(&w->r));
    } else if (x < .033) {
        e.kind = EVENT_answer_arrived;
        e.hash = "a2f5";
        e.key = "diagnosis";
        e.tokens_in = 1200;
        e.tokens_out = 80;
        e.cost_u = c->spec.unit == UNIT_USD ? MICRO / 50 : 0;
    } else {
        return;
    }
    fact(w, &e);
}

/* The engineer signs the patch, or takes its idea out. */
static bool
patch_answer(struct world *w, uint32_t p)
{
    struct event e = {
        .kind = EVENT_patch_approved, .patch = patch_name(p), .by = "engineer"};
    if (rng_below(&w->r, 3) > 0) {
        LAW(w, fact(w, &e) == 0);
        return true;
    }
    for (uint32_t i = 0; i < w->c->n_hypotheses; i++) {
        struct event drop = {
            .kind = EVENT_hypothesis_dropped, .hypothesis = i + 1};
        if (w->c->hypothesis[i].patch == p + 1)
            fact(w, &drop);
    }
    return false; /* and it goes on, or is stopped */
}

static void
unblock(struct world *w)
{
    struct event e = {.kind = EVENT_campaign_resumed, .state = 1};
    bool gate =
        w->c->state == CAMPAIGN_HALTED || w->c->state == CAMPAIGN_PAUSED;
    if (!gate)
        return;
    uint32_t waits = w->c->state == CAMPAIGN_HALTED ? w->c->gate_patches : 0;
    if (waits != 0 && patch_answer(w, (uint32_t)__builtin_ctz(waits)))
        return;
    /* a gate that comes back at once is final: the engineer stops it */
    if (rng_below(&w->r, 4) == 0)
        e.kind = EVENT_campaign_stopped;
    fact(w, &e);
}

/* ---- jobs ---- */

static void
submit(struct world *w, uint32_t job, uint32_t trial)
{
    LAW(w, w->c->state != CAMPAIGN_STOPPED && w->c->state != CAMPAIGN_DONE);
    struct event e = {.job = job, .trial = trial};
    if (rng_f64(&w->r) < .02 * w->o.faults) {
        e.kind = EVENT_job_refused;
        e.reason = REASON_LAUNCH_FAIL;
    } else {
        e.kind = EVENT_job_submitted;
        e.handle = "h";
        int64_t takes = 20000 + (int64_t)rng_below(&w->r, 60000);
        w->flying[w->n_flying++] =
            (struct flying){job, trial, w->now_ms, w->now_ms + takes, 0};
    }
    LAW(w, fact(w, &e) == 0);
}

static void
ended_bad(struct world *w, struct event *e)
{
    static const uint8_t ways[] = {REASON_EXIT, REASON_SIGNAL, REASON_OOM,
        REASON_TIMEOUT, REASON_PREEMPTED, REASON_NODE_FAIL, REASON_LAUNCH_FAIL,
        REASON_HUNG, REASON_NAN, REASON_SPIKE, REASON_DIVERGED,
        REASON_NO_METRIC, REASON_DISK_FULL, REASON_BUDGET, REASON_UNKNOWN,
        REASON_CANCELLED};
    static const char classes[] = "\0ABCDEFGHU";
    e->reason = ways[rng_below(&w->r, sizeof ways)];
    e->has_checkpoint = rng_below(&w->r, 2) == 0;
    e->has_good = e->has_checkpoint && rng_below(&w->r, 2) == 0;
    if (e->reason == REASON_EXIT)
        e->n = (uint32_t)classes[rng_below(&w->r, sizeof classes - 1)];
}

/* All rungs up to this one, in a drawn order: reports overtake each other. */
static void
curve_put(
    struct world *w, const struct trial *t, uint32_t crossed, struct event *e)
{
    e->n_curve = 0;
    for (uint32_t r = 0; r < crossed; r++)
        e->curve[e->n_curve++] = (struct rung_value){r, rung_value(w, t, r)};
    for (uint32_t i = e->n_curve; i-- > 1;) {
        uint32_t k = (uint32_t)rng_below(&w->r, i + 1);
        struct rung_value v = e->curve[i];
        e->curve[i] = e->curve[k];
        e->curve[k] = v;
    }
}

/* When the next rung of a job is crossed; its end when there is none. */
static int64_t
next_ms(const struct world *w, const struct flying *f)
{
    const struct spec *s = &w->c->spec;
    const struct job *j = core_job(w->c, f->job);
    bool more = s->stops && f->crossed + 1 < s->n_rungs;
    if (!more || j == NULL || j->kind != JOB_TRAIN)
        return f->end_ms;
    double share = s->rung[f->crossed] / s->rung[s->n_rungs - 1];
    return f->start_ms + (int64_t)(share * (double)(f->end_ms - f->start_ms));
}

/* A report is lost, told at once, told twice, or told alone and late. */
static void
report_one(struct world *w, uint32_t i)
{
    struct flying *f = &w->flying[i];
    const struct trial *t = &w->c->trial[f->trial - 1];
    struct event e = {
        .kind = EVENT_job_reported, .job = f->job, .trial = f->trial};
    uint64_t how = rng_below(&w->r, 4);
    f->crossed++;
    if (how == 0)
        return;
    curve_put(w, t, f->crossed, &e);
    if (how == 1)
        e.n_curve = 1;
    bool news = false;
    for (uint32_t k = 0; k < e.n_curve; k++)
        news = news || isnan(t->rung[e.curve[k].rung]);
    LAW(w, (fact(w, &e) == 0) == news);
    LAW(w, fact(w, &e) != 0); /* a duplicate adds nothing */
}

static void
end_one(struct world *w, uint32_t i)
{
    struct flying f = w->flying[i];
    w->flying[i] = w->flying[--w->n_flying];
    const struct job *j = core_job(w->c, f.job);
    LAW(w, j != NULL);
    const struct trial *t = &w->c->trial[f.trial - 1];
    struct event e = {.kind = EVENT_job_ended,
        .job = f.job,
        .trial = f.trial,
        .reason = REASON_OK};
    e.cost_u = w->c->spec.unit == UNIT_TRIALS
                   ? MICRO
                   : (int64_t)(MICRO * (.5 + 4 * rng_f64(&w->r)));
    bool wanted = !j->cancelled || rng_below(&w->r, 4) == 0;
    if (j->kind == JOB_TRAIN && rng_below(&w->r, 2))
        curve_put(w, t, f.crossed, &e);
    if (w->c->state == CAMPAIGN_STOPPED || !wanted) {
        e.reason = REASON_CANCELLED;
    } else if (rng_f64(&w->r) < w->o.faults) {
        ended_bad(w, &e);
    } else if (j->kind == JOB_TRAIN) {
        double gain = truth(w, &w->c->experiment[t->experiment].config);
        struct rng r;
        rng_seed2(&r, w->o.seed, t->seed);
        e.n_measures = 2;
        e.measure[0] =
            (struct measure){0, .74 + gain + w->noise * rng_normal(&r)};
        e.measure[1] = (struct measure){2, .4 - gain + 1e-4 * rng_normal(&r)};
    }
    LAW(w, fact(w, &e) == 0);
    LAW(w, fact(w, &e) != 0); /* a duplicate callback adds nothing */
}

static void
sealed_read(struct world *w, uint32_t trial)
{
    const struct trial *t = &w->c->trial[trial - 1];
    double gain = truth(w, &w->c->experiment[t->experiment].config);
    struct rng r;
    rng_seed2(&r, w->o.seed, UINT64_C(1) << 40 | t->seed);
    struct event e = {.kind = EVENT_sealed_read,
        .trial = trial,
        .value = .73 + w->o.sealed_scale * gain + w->noise * rng_normal(&r)};
    LAW(w, fact(w, &e) == 0);
}

static bool
act(struct world *w)
{
    struct action a[JOBS_MAX];
    uint32_t n = core_actions(w->c, a, JOBS_MAX);
    struct event kept = {.kind = EVENT_insights_kept};
    struct event end = {.kind = EVENT_job_ended, .reason = REASON_CANCELLED};
    if (n == 0)
        return false;
    switch (a[0].kind) {
    case ACTION_SUBMIT:
        submit(w, a[0].job, a[0].trial);
        return true;
    case ACTION_OPEN_SEALED:
        sealed_read(w, a[0].trial);
        return true;
    case ACTION_KEEP_INSIGHTS:
        LAW(w, fact(w, &kept) == 0);
        return true;
    default:
        break;
    }
    for (uint32_t i = 0; i < w->n_flying; i++)
        if (w->flying[i].job == a[0].job) {
            end_one(w, i);
            return true;
        }
    end.job = a[0].job; /* intended, never submitted */
    end.trial = a[0].trial;
    LAW(w, fact(w, &end) == 0);
    return true;
}

static bool
wait_end(struct world *w)
{
    if (w->n_flying == 0)
        return false;
    uint32_t first = 0;
    for (uint32_t i = 1; i < w->n_flying; i++)
        if (next_ms(w, &w->flying[i]) < next_ms(w, &w->flying[first]))
            first = i;
    int64_t at = next_ms(w, &w->flying[first]);
    bool ends = at == w->flying[first].end_ms;
    if (at > w->now_ms)
        w->now_ms = at;
    if (w->o.faults > 0 && rng_below(&w->r, 50) == 0)
        w->now_ms -= 30000; /* a wall clock may jump back */
    struct event tick = {.kind = EVENT_clock_ticked};
    fact(w, &tick);
    if (ends)
        end_one(w, first);
    else
        report_one(w, first);
    return true;
}

/* Nothing that was only seen on a rung is ever claimed. */
static bool
was_whole(const struct core *c, uint32_t experiment)
{
    for (uint32_t i = 0; i < c->n_trials; i++)
        if (c->trial[i].experiment == experiment &&
            c->trial[i].state == TRIAL_OK &&
            c->trial[i].phase != PHASE_CONFIRMATION)
            return true;
    return false;
}

static void
pair_judge(struct world *w, const struct pair *p, struct life_pair *out)
{
    const struct core *c = w->c;
    const struct hypothesis *b = &c->hypothesis[p->b];
    struct config one, two, both;
    hypothesis_config(c, p->a + 1u, &one);
    hypothesis_config(c, p->b + 1u, &two);
    both = one;
    for (uint32_t i = 0; i < b->n_over; i++)
        both.v[b->over[i].knob] = b->over[i].value;
    both.patches |= two.patches;
    config_canon(&c->spec, &both);
    double truth_of_it = truth(w, &both) - truth(w, &one) - truth(w, &two);
    *out = (struct life_pair){p->lo, p->hi, truth_of_it, p->verdict};
}

static void
judge(struct world *w)
{
    struct core *c = w->c;
    struct life *l = w->life;
    l->state = c->state;
    l->trials = c->n_trials;
    l->proposed = c->proposal != 0;
    if (l->proposed)
        l->truth =
            w->o.sealed_scale * truth(w, &c->experiment[c->proposal].config);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        struct config x;
        hypothesis_config(c, i + 1, &x);
        l->best_truth = fmax(l->best_truth, truth(w, &x));
        l->starts[w->c->hypothesis[i].source] +=
            w->c->hypothesis[i].experiment != 0;
        l->gains += fmax(0, truth(w, &x));
        if (c->hypothesis[i].verdict == VERDICT_PROMOTE)
            l->promoted += truth(w, &x);
    }
    l->n_finalists = c->n_finalists;
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        l->finalist[i] = (struct life_finalist){f->gain, f->lo, f->hi,
            w->o.sealed_scale * truth(w, &c->experiment[f->experiment].config),
            f->judged ? confirmation_shrunken(c, i) : 0, f->judged};
    }
    l->n_pairs = c->n_pairs;
    for (uint32_t i = 0; i < c->n_pairs; i++)
        pair_judge(w, &c->pair[i], &l->pair[i]);
    for (uint32_t i = 0; i < c->n_finalists; i++)
        LAW(w, was_whole(c, c->finalist[i].experiment));
    LAW(w, c->reserved_u == 0);
    for (uint32_t i = 0; i < c->n_trials; i++)
        LAW(w, c->trial[i].state >= TRIAL_OK);
}

void
world_live(const struct life_opts *opts, struct life *out)
{
    struct world w = {.o = *opts, .life = out, .now_ms = 1000000};
    memset(out, 0, sizeof *out);
    out->digest = 14695981039346656037u;
    if (w.o.sealed_scale == 0)
        w.o.sealed_scale = 1;
    rng_seed2(&w.r, opts->seed, 7);
    w.c = mem_calloc(1, sizeof *w.c);
    w.twin = mem_calloc(1, sizeof *w.twin);
    w.a = mem_calloc(1, ENCODE_MAX);
    w.b = mem_calloc(1, ENCODE_MAX);
    draft(&w);
    while (out->events < EVENTS_MAX) {
        if (w.o.mischief && rng_below(&w.r, 4) == 0)
            mischief(&w);
        if (act(&w))
            continue;
        if (w.o.interfere)
            interfere(&w);
        if (wait_end(&w) || act(&w) || grant(&w))
            continue;
        if (w.c->state == CAMPAIGN_DONE || w.c->state == CAMPAIGN_STOPPED)
            break;
        uint64_t before = w.c->seq;
        unblock(&w);
        if (w.c->seq == before)
            law_broken(&w, "a running campaign has nothing to wait for");
    }
    LAW(&w, out->events < EVENTS_MAX);
    judge(&w);
    free(w.c);
    free(w.twin);
    free(w.a);
    free(w.b);
}

uint64_t
world_arg(int argc, char **argv, const char *name, uint64_t deflt)
{
    size_t n = strlen(name);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
            return strtoull(argv[i] + n + 1, NULL, 10);
    return deflt;
}
