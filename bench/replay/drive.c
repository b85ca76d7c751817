/* Plays campaigns against a problem: the engine as the program drives it, and
 * the baselines of the bench. Invariant: the engine sees measured values only;
 * recorded truth is used for scoring alone. */
#include "drive.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/rng.h"
#include "steps.h"

enum { SEALED_STREAM = 1 << 20 };

static double
noise_draw(const struct problem *p, uint64_t seed, uint32_t i, uint32_t k)
{
    struct rng r;
    rng_seed2(&r, rng_mix(seed, i), k);
    return p->noise * rng_normal(&r);
}

double
replay_value(
    const struct problem *p, uint64_t seed, uint32_t candidate, uint32_t k)
{
    return p->val[candidate] + noise_draw(p, seed, candidate, k);
}

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- the engine ---- */

struct replay {
    const struct problem *p;
    struct run *r;
    struct core *c;
    struct update u;
    uint32_t *runs; /* of each candidate */
    struct err *err;
};

static void
ignore(void *ctx, const struct event *e)
{
    (void)ctx;
    if (getenv("REPLAY_TRACE") != NULL && e->why != NULL)
        fprintf(stderr, "%s: %s\n", event_name(e->kind), e->why);
}

static int
tell(void *ctx, struct event *e)
{
    struct replay *x = ctx;
    if (core_advance(x->c, e, &x->u, ignore, NULL) != 0)
        return err_set(x->err, -ERR_REFUSED, "%s, seed %" PRIu64 ": %s: %s",
            x->p->dataset, x->r->seed, event_name(e->kind), x->u.why);
    return 0;
}

/* Candidate of an experiment's configuration; what is not recorded cannot be
 * run, and the engine must know that from the spec. */
static uint32_t
candidate_of(const struct replay *x, uint32_t experiment)
{
    uint32_t i = steps_candidate(x->c, experiment);
    if (i < x->c->spec.n_candidates)
        return i;
    fprintf(stderr, "E%" PRIu32 " is no recorded configuration\n", experiment);
    abort();
}

static void
spec_fill(const struct problem *p, uint32_t budget, bool full, struct spec *s)
{
    memcpy(s, p->spec, sizeof *s);
    s->n_metrics = full ? 2 : 1;
    snprintf(s->metric[0].name, NAME_LEN, "search");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain =
        p->noise > 0 ? p->noise : 1e-3 * (p->best - p->median);
    snprintf(s->metric[1].name, NAME_LEN, "sealed");
    s->metric[1].role = METRIC_SEALED;
    s->sealed = 1;
    s->phases = full ? 0x1eu : 1u << PHASE_EXPLOITATION;
    s->max_hypotheses = 24;
    s->baseline_seeds = full ? 4 : 1;
    s->unit = UNIT_TRIALS;
    s->total_u = budget * (int64_t)MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 1;
    s->fidelity_knob = -1;
    s->n_prior = 0;
    if (p->has_prior) {
        s->n_prior = p->n;
        memcpy(s->candidate_prior, p->prior, p->n * sizeof *p->prior);
    }
}

/* Ideas of a full campaign: recorded changes of one knob, best predicted
 * first, the prediction as their prior. */
static int
ideas_add(void *ctx)
{
    struct replay *x = ctx;
    const struct problem *p = x->p;
    const struct spec *s = &x->c->spec;
    uint32_t most = s->max_hypotheses;
    double range = p->best - p->median;
    bool *used = mem_calloc(p->n, sizeof *used);
    uint32_t start = x->r->start;
    int rc = 0;
    for (uint32_t n = 0; n < most && rc == 0; n++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < p->n; i++)
            if (!used[i] && i != start &&
                problem_distance(p, start, i, 1) == 1 &&
                (best == UINT32_MAX || p->prior[i] > p->prior[best]))
                best = i;
        if (best == UINT32_MAX)
            break;
        used[best] = true;
        struct event h = {.kind = EVENT_hypothesis_added,
            .source = SOURCE_INSIGHT,
            .statement = p->row[best]->id,
            .mean = .3 * range * (p->prior[best] - p->prior[start]),
            .sd = .3 * range};
        for (uint32_t k = 0; k < s->n_knobs; k++)
            if (s->candidate[best][k] != s->candidate[start][k])
                h.over[h.n_over++] =
                    (struct override){k, s->candidate[best][k]};
        rc = tell(x, &h);
    }
    free(used);
    return rc;
}

static int
campaign_start(struct replay *x, bool full)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    const struct steps steps = {
        .tell = tell, .ideas = full ? ideas_add : NULL, .ctx = x};
    spec_fill(x->p, x->r->budget, full, s);
    int rc = steps_start(&steps, s, x->r->seed);
    free(s);
    return rc;
}

/* A submitted job looks its configuration up. */
static int
job_run(struct replay *x, uint32_t id)
{
    const struct job *j = core_job(x->c, id);
    struct run *r = x->r;
    struct event e = {.kind = EVENT_job_submitted, .job = id, .handle = "r"};
    uint32_t trial = j->trial;
    uint32_t who = candidate_of(x, x->c->trial[trial - 1].experiment);
    int rc = tell(x, &e);
    if (rc != 0)
        return rc;
    e = (struct event){.kind = EVENT_job_ended,
        .job = id,
        .trial = trial,
        .reason = REASON_OK,
        .cost_u = MICRO,
        .n_measures = 1};
    e.measure[0].value = replay_value(x->p, r->seed, who, x->runs[who]++);
    double begin = now_ms();
    rc = tell(x, &e);
    r->decide_ms[r->n] = now_ms() - begin;
    r->evaluated[r->n] = who;
    r->incumbent[r->n++] = candidate_of(x, analysis_incumbent(x->c));
    return rc;
}

static int
act(struct replay *x, const struct action *a)
{
    if (a->kind == ACTION_SUBMIT)
        return job_run(x, a->job);
    if (a->kind == ACTION_OPEN_SEALED) {
        const struct trial *t = &x->c->trial[a->trial - 1];
        uint32_t who = candidate_of(x, t->experiment);
        struct event e = {.kind = EVENT_sealed_read, .trial = a->trial};
        e.value = x->p->test[who] +
                  noise_draw(x->p, x->r->seed, who, SEALED_STREAM + a->trial);
        return tell(x, &e);
    }
    struct event e = {.kind = EVENT_insights_kept};
    return tell(x, &e);
}

static void
claims_read(struct replay *x)
{
    const struct problem *p = x->p;
    struct run *r = x->r;
    for (uint32_t i = 0; i < x->c->n_finalists; i++) {
        const struct finalist *f = &x->c->finalist[i];
        if (!f->judged)
            continue;
        uint32_t who = candidate_of(x, f->experiment);
        r->claim[r->n_claims++] = (struct claim){.candidate = who,
            .gain = f->gain,
            .lo = f->lo,
            .hi = f->hi,
            .true_gain = p->test[who] - p->test[r->start],
            .claimed = x->c->proposal == f->experiment};
    }
}

static void
phases_read(const struct core *c, struct run *r)
{
    for (uint32_t i = 0; i < c->n_trials; i++)
        r->phase_trials[c->trial[i].phase]++;
    for (int i = 0; i < PHASE_COUNT; i++)
        r->phase_skipped[i] =
            (c->spec.phases >> i & 1) != 0 && r->phase_trials[i] == 0;
}

int
drive_engine(const struct problem *p, struct run *r, bool full, struct err *err)
{
    struct replay x = {.p = p, .r = r, .err = err};
    struct action a[JOBS_MAX];
    x.c = mem_calloc(1, sizeof *x.c);
    x.runs = mem_calloc(p->n, sizeof *x.runs);
    int rc = campaign_start(&x, full);
    while (rc == 0 && core_actions(x.c, a, JOBS_MAX) > 0) {
        if (a[0].kind == ACTION_KEEP_INSIGHTS && x.c->learnt)
            break;
        rc = act(&x, &a[0]);
    }
    if (rc == 0) {
        claims_read(&x);
        phases_read(x.c, r);
    }
    for (uint32_t i = r->n; i < r->budget; i++)
        r->incumbent[i] = i > 0 ? r->incumbent[i - 1] : r->start;
    free(x.runs);
    free(x.c);
    return rc;
}

/* ---- baselines ---- */

struct record { /* measured so far */
    uint32_t *runs;
    double *mean;
};

static double
run_one(const struct problem *p, struct run *r, struct record *m, uint32_t who)
{
    double v = replay_value(p, r->seed, who, m->runs[who]++);
    m->mean[who] += (v - m->mean[who]) / m->runs[who];
    r->evaluated[r->n] = who;
    uint32_t best = r->n > 0 ? r->incumbent[r->n - 1] : who;
    if (m->mean[who] > m->mean[best])
        best = who;
    r->incumbent[r->n++] = best;
    return v;
}

static void
record_open(const struct problem *p, struct record *m)
{
    m->runs = mem_calloc(p->n, sizeof *m->runs);
    m->mean = mem_calloc(p->n, sizeof *m->mean);
}

static void
record_close(struct run *r, struct record *m)
{
    for (uint32_t i = r->n; i < r->budget; i++)
        r->incumbent[i] = r->incumbent[i - 1];
    free(m->runs);
    free(m->mean);
}

int
drive_random(const struct problem *p, struct run *r)
{
    struct record m;
    struct rng g;
    uint32_t *order = mem_calloc(p->n, sizeof *order);
    record_open(p, &m);
    rng_seed2(&g, r->seed, 0x72616e64);
    for (uint32_t i = 0; i < p->n; i++)
        order[i] = i;
    order[0] = r->start;
    order[r->start] = 0;
    for (uint32_t i = 0; i < p->n && r->n < r->budget; i++) {
        uint32_t at = i + (i > 0 ? (uint32_t)rng_below(&g, p->n - i) : 0);
        uint32_t who = order[at];
        order[at] = order[i];
        order[i] = who;
        run_one(p, r, &m, who);
    }
    record_close(r, &m);
    free(order);
    return 0;
}

int
drive_greedy(const struct problem *p, struct run *r)
{
    struct record m;
    struct rng g;
    record_open(p, &m);
    rng_seed2(&g, r->seed, 0x67726479);
    run_one(p, r, &m, r->start);
    while (r->n < r->budget && r->n < p->n) {
        uint32_t at = r->incumbent[r->n - 1], who = UINT32_MAX, seen = 0;
        for (uint32_t most = 1; who == UINT32_MAX; most = 2 * most + 1)
            for (uint32_t i = 0; i < p->n; i++)
                if (m.runs[i] == 0 &&
                    problem_distance(p, at, i, most) <= most &&
                    rng_below(&g, ++seen) == 0)
                    who = i;
        run_one(p, r, &m, who);
    }
    record_close(r, &m);
    return 0;
}

int
drive_prior(const struct problem *p, struct run *r)
{
    struct record m;
    record_open(p, &m);
    run_one(p, r, &m, r->start);
    while (r->n < r->budget && r->n < p->n) {
        uint32_t who = UINT32_MAX;
        for (uint32_t i = 0; i < p->n; i++)
            if (m.runs[i] == 0 &&
                (who == UINT32_MAX || p->prior[i] > p->prior[who]))
                who = i;
        run_one(p, r, &m, who);
    }
    record_close(r, &m);
    return 0;
}

/* ---- peers ---- */

static void
knobs_write(struct jw *w, const struct problem *p)
{
    jw_key(w, "knobs");
    jw_arr_begin(w);
    for (uint32_t k = 0; k < p->spec->n_knobs; k++) {
        const struct knob *knob = &p->spec->knob[k];
        jw_obj_begin(w);
        jw_ki64(w, "kind", knob->kind);
        jw_ki64(w, "log", knob->log);
        jw_kf64(w, "lo", knob->lo);
        jw_kf64(w, "hi", knob->hi);
        jw_ki64(w, "n", knob->n_values);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
serve_problem(const struct problem *p, const struct run *r)
{
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "dataset", p->dataset);
    jw_ki64(&w, "seed", (int64_t)r->seed);
    jw_ki64(&w, "budget", r->budget);
    jw_ki64(&w, "start", r->start);
    knobs_write(&w, p);
    jw_key(&w, "prior");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < p->n && p->has_prior; i++)
        jw_f64(&w, p->prior[i]);
    jw_arr_end(&w);
    jw_key(&w, "candidates");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < p->n; i++) {
        jw_arr_begin(&w);
        for (uint32_t k = 0; k < p->spec->n_knobs; k++)
            jw_f64(&w, p->code[i][k]); /* not active: null */
        jw_arr_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    fwrite(text.data, 1, text.len, stdout);
    printf("\n");
    fflush(stdout);
    buf_fini(&text);
}

int
drive_serve(const struct problem *p, struct run *r, struct err *err)
{
    struct record m;
    char line[128];
    int rc = 0;
    record_open(p, &m);
    serve_problem(p, r);
    while (r->n < r->budget && rc == 0) {
        char *end;
        if (fgets(line, sizeof line, stdin) == NULL) {
            rc = err_set(err, -ERR_INPUT, "the peer ended early");
            break;
        }
        unsigned long who = strtoul(line, &end, 10);
        if (end == line || who >= p->n) {
            rc = err_set(err, -ERR_INPUT, "no candidate %s", line);
            break;
        }
        printf("%.17g\n", run_one(p, r, &m, (uint32_t)who));
        fflush(stdout);
    }
    if (rc == 0)
        record_close(r, &m);
    return rc;
}
