/* Plays campaigns over learning curves: the engine as the program drives it,
 * random search, and a peer behind a pipe. Invariant: a method sees a value
 * only after its cost was charged. */
#include "laps.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "steps.h"

static double
cost_of(const struct task *t, uint32_t evaluations)
{
    return evaluations / t->mean_length;
}

static double
spent_of(const struct laps *r)
{
    return r->n > 0 ? r->lap[r->n - 1].spent : 0;
}

static void
lap_add(struct laps *r, const struct task *t, uint32_t who, uint32_t at,
    uint32_t incumbent)
{
    if (r->n == LAPS_MAX)
        return;
    double spent = spent_of(r) + cost_of(t, at);
    r->lap[r->n++] =
        (struct lap){who, at, spent, incumbent, at == task_length(t, who)};
}

uint32_t
laps_named(const struct laps *r, double units)
{
    uint32_t who = r->start;
    for (uint32_t i = 0; i < r->n && r->lap[i].spent <= units + 1e-9; i++)
        who = r->lap[i].incumbent;
    return who;
}

/* ---- the engine ---- */

struct play {
    const struct task *t;
    struct laps *r;
    struct core *c;
    struct update u;
    int64_t now_ms;
    struct err *err;
};

static void
say(void *ctx, const struct event *e)
{
    const struct play *x = ctx;
    char line[1024];
    if (getenv("LAPS_TRACE") == NULL)
        return;
    trace_line(x->c, e, line, sizeof line);
    fprintf(stderr, "%s\n", line);
}

static int
tell(void *ctx, struct event *e)
{
    struct play *x = ctx;
    e->at_ms = x->now_ms;
    if (core_advance(x->c, e, &x->u, say, x) != 0)
        return err_set(x->err, -ERR_REFUSED, "%s, seed %" PRIu64 ": %s: %s",
            x->t->p.dataset, x->r->seed, event_name(e->kind), x->u.why);
    return 0;
}

static uint32_t
candidate_of(const struct play *x, uint32_t experiment)
{
    uint32_t i = steps_candidate(x->c, experiment);
    return i < x->c->spec.n_candidates ? i : x->r->start;
}

static void
spec_fill(const struct task *t, double units, bool stops, struct spec *s)
{
    memcpy(s, t->p.spec, sizeof *s);
    s->n_metrics = 1;
    snprintf(s->metric[0].name, NAME_LEN, "search");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-3 * (t->p.best - t->p.median);
    s->sealed = 1;
    s->phases = 1u << PHASE_EXPLOITATION;
    s->baseline_seeds = 1;
    s->unit = UNIT_CORE_HOURS;
    s->total_u = (int64_t)(units * MICRO);
    s->reserve_train_u = (int64_t)ceil(cost_of(t, t->top) * MICRO);
    s->max_parallel = 1;
    s->fidelity_knob = -1;
    s->n_rungs = t->n_rungs;
    memcpy(s->rung, t->rung, sizeof s->rung);
    s->stops = stops;
    s->n_prior = 0;
    if (t->p.has_prior) {
        s->n_prior = t->p.n;
        memcpy(s->candidate_prior, t->p.prior, t->p.n * sizeof *t->p.prior);
    }
}

static int
campaign_start(struct play *x, bool stops)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    const struct steps steps = {.tell = tell, .ctx = x};
    spec_fill(x->t, x->r->units, stops, s);
    int rc = steps_start(&steps, s, x->r->seed);
    free(s);
    return rc;
}

static bool
is_cancelled(const struct play *x, uint32_t job)
{
    const struct job *j = core_job(x->c, job);
    return j == NULL || j->cancelled;
}

static int
job_end(struct play *x, uint32_t id, uint32_t trial, uint32_t who, uint32_t at)
{
    bool whole = at == task_length(x->t, who);
    struct event e = {.kind = EVENT_job_ended,
        .job = id,
        .trial = trial,
        .reason = whole ? REASON_OK : REASON_CANCELLED,
        .cost_u = (int64_t)(cost_of(x->t, at) * MICRO),
        .n_measures = whole};
    e.measure[0].value = x->t->p.val[who];
    int rc = tell(x, &e);
    if (rc == 0)
        lap_add(x->r, x->t, who, at, candidate_of(x, analysis_incumbent(x->c)));
    return rc;
}

/* A submitted job plays its curve, rung by rung. */
static int
job_play(struct play *x, uint32_t id)
{
    const struct job *j = core_job(x->c, id);
    uint32_t trial = j->trial;
    uint32_t who = candidate_of(x, x->c->trial[trial - 1].experiment);
    uint32_t length = task_length(x->t, who), at = length;
    struct event e = {.kind = EVENT_job_submitted, .job = id, .handle = "r"};
    int rc = tell(x, &e);
    int64_t from = x->now_ms;
    for (uint32_t r = 0; r + 1 < x->t->n_rungs && rc == 0; r++) {
        uint32_t rung = (uint32_t)x->t->rung[r];
        if (rung >= length)
            break;
        x->now_ms = from + 1000 * rung;
        e = (struct event){.kind = EVENT_job_reported,
            .job = id,
            .trial = trial,
            .n_curve = 1};
        e.curve[0] = (struct rung_value){r, task_value(x->t, who, rung)};
        rc = tell(x, &e);
        if (rc == 0 && is_cancelled(x, id)) {
            at = rung;
            break;
        }
    }
    x->now_ms = from + 1000 * at;
    return rc == 0 ? job_end(x, id, trial, who, at) : rc;
}

int
laps_engine(const struct task *t, struct laps *r, bool stops, struct err *err)
{
    struct play x = {.t = t, .r = r, .err = err, .now_ms = 1};
    struct action a[JOBS_MAX];
    struct timespec from, to;
    x.c = mem_calloc(1, sizeof *x.c);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    int rc = campaign_start(&x, stops);
    while (rc == 0 && core_actions(x.c, a, JOBS_MAX) > 0) {
        struct event e = {.kind = EVENT_insights_kept};
        rc = a[0].kind == ACTION_SUBMIT ? job_play(&x, a[0].job) : tell(&x, &e);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    r->decide_ms = 1e3 * (double)(to.tv_sec - from.tv_sec) +
                   1e-6 * (double)(to.tv_nsec - from.tv_nsec);
    free(x.c);
    return rc;
}

/* ---- others ---- */

struct held { /* best whole run so far */
    bool any;
    uint32_t who;
};

static uint32_t
hold(const struct task *t, const struct laps *r, struct held *h, uint32_t who,
    bool whole)
{
    if (whole && (!h->any || t->p.val[who] > t->p.val[h->who]))
        *h = (struct held){true, who};
    return h->any ? h->who : r->start;
}

int
laps_random(const struct task *t, struct laps *r)
{
    struct held h = {0};
    struct rng g;
    uint32_t *order = mem_calloc(t->p.n, sizeof *order);
    rng_seed2(&g, r->seed, 0x72616e64);
    for (uint32_t i = 0; i < t->p.n; i++)
        order[i] = i;
    order[0] = r->start;
    order[r->start] = 0;
    for (uint32_t i = 0; i < t->p.n; i++) {
        uint32_t pick = i + (i > 0 ? (uint32_t)rng_below(&g, t->p.n - i) : 0);
        uint32_t who = order[pick];
        order[pick] = order[i];
        if (spent_of(r) + cost_of(t, task_length(t, who)) > r->units + 1e-9)
            break;
        lap_add(r, t, who, task_length(t, who), hold(t, r, &h, who, true));
    }
    free(order);
    return 0;
}

static void
serve_problem(const struct task *t, const struct laps *r)
{
    const struct spec *s = t->p.spec;
    printf("{\"task\":\"%s\",\"seed\":%" PRIu64 ",\"units\":%.17g,\"start\":%u,"
           "\"length\":%.17g,\"knobs\":[",
        t->p.dataset, r->seed, r->units, r->start, t->mean_length);
    for (uint32_t k = 0; k < s->n_knobs; k++)
        printf("%s{\"kind\":%u,\"log\":%d,\"lo\":%.17g,\"hi\":%.17g,\"n\":%u}",
            k ? "," : "", s->knob[k].kind, s->knob[k].log, s->knob[k].lo,
            s->knob[k].hi, s->knob[k].n_values);
    printf("],\"rungs\":[");
    for (uint32_t i = 0; i < t->n_rungs; i++)
        printf("%s%.17g", i ? "," : "", t->rung[i]);
    printf("],\"candidates\":[");
    for (uint32_t i = 0; i < t->p.n; i++) {
        printf("%s[", i ? "," : "");
        for (uint32_t k = 0; k < s->n_knobs; k++)
            if (isnan(t->p.code[i][k]))
                printf("%snull", k ? "," : "");
            else
                printf("%s%.17g", k ? "," : "", t->p.code[i][k]);
        printf("]");
    }
    printf("]}\n");
    fflush(stdout);
}

/* One run of a peer: a value for each "go", up to the end of its curve or of
 * the money. Returns the evaluations that were played. */
static int
serve_run(const struct task *t, const struct laps *r, uint32_t who,
    uint32_t *at, struct err *err)
{
    uint32_t length = task_length(t, who);
    char line[64] = "go";
    for (*at = 0; *at < length && line[0] == 'g';) {
        if (spent_of(r) + cost_of(t, *at + 1) > r->units + 1e-9) {
            printf("out\n");
            fflush(stdout);
            break;
        }
        ++*at;
        printf("%.17g %d\n", task_value(t, who, *at), *at == length);
        fflush(stdout);
        if (*at < length && fgets(line, sizeof line, stdin) == NULL)
            return err_set(err, -ERR_INPUT, "the peer ended early");
    }
    return 0;
}

int
laps_serve(const struct task *t, struct laps *r, struct err *err)
{
    struct held h = {0};
    char line[64];
    serve_problem(t, r);
    for (;;) {
        uint32_t at = 0;
        if (r->n == LAPS_MAX || spent_of(r) + cost_of(t, 1) > r->units + 1e-9)
            break;
        printf("next\n");
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL)
            return err_set(err, -ERR_INPUT, "the peer ended early");
        uint32_t who = (uint32_t)strtoul(line, NULL, 10);
        if (who >= t->p.n)
            return err_set(err, -ERR_INPUT, "no candidate %s", line);
        int rc = serve_run(t, r, who, &at, err);
        if (rc != 0)
            return rc;
        bool whole = at == task_length(t, who);
        lap_add(r, t, who, at, hold(t, r, &h, who, whole));
    }
    printf("end\n");
    fflush(stdout);
    return 0;
}
