/* How long a decision takes: one campaign of the real engine, driven to 2,000
 * trials over 12 knobs; prints the time from "a job ended" to "the next job is
 * intended" by the size of the history. No I/O is in it. */
#include "base/arena.h"
#include "base/rng.h"
#include "core/core.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KNOBS = 12, TRIALS = 2000, BUCKET = 250 };

static struct core *c;
static struct update u;

static void
ignore(void *ctx, const struct event *e)
{
    (void)ctx;
    (void)e;
}

static void
tell(struct event *e)
{
    if (core_advance(c, e, &u, ignore, NULL) != 0) {
        fprintf(stderr, "refused: %s\n", u.why);
        exit(1);
    }
}

static void
draft(void)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    s->n_knobs = KNOBS;
    for (uint32_t k = 0; k < KNOBS; k++) {
        snprintf(s->knob[k].name, NAME_LEN, "knob%" PRIu32, k);
        s->knob[k].kind = k % 4 == 3 ? KNOB_BOOL : KNOB_FLOAT;
        s->knob[k].hi = 1;
        s->knob[k].deflt = k % 4 == 3 ? 0 : .3;
    }
    s->n_metrics = 1;
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-6; /* so that it never stops early */
    s->sealed = 1;
    s->phases = 1u << PHASE_EXPLOITATION;
    s->baseline_seeds = 4;
    s->unit = UNIT_TRIALS;
    s->total_u = (TRIALS + 8) * (int64_t)MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 1;
    s->fidelity_knob = -1;
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .number = 1};
    tell(&e);
    e = (struct event){
        .kind = EVENT_plan_drafted, .hash = "h", .budget_u = s->total_u};
    tell(&e);
    e.kind = EVENT_plan_approved;
    tell(&e);
    e = (struct event){.kind = EVENT_campaign_started};
    tell(&e);
    free(bytes);
    free(s);
}

static double
truth(const struct config *x)
{
    double y = 0;
    for (int k = 0; k < KNOBS; k++)
        y -= 1e-3 * (x->v[k] - .6) * (x->v[k] - .6);
    return .74 + y;
}

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int
main(void)
{
    static double ms[TRIALS + 8];
    struct rng r;
    rng_seed(&r, 3);
    c = mem_calloc(1, sizeof *c);
    draft();
    uint32_t n = 0;
    while (c->n_jobs == 1 && n < TRIALS) {
        const struct job *j = &c->job[0];
        struct event e = {.kind = EVENT_job_submitted, .job = j->id};
        tell(&e);
        double value =
            truth(&c->experiment[c->trial[j->trial - 1].experiment].config);
        e = (struct event){.kind = EVENT_job_ended,
            .job = j->id,
            .trial = j->trial,
            .reason = REASON_OK,
            .cost_u = MICRO,
            .n_measures = 1};
        e.measure[0] = (struct measure){0, value + 2e-4 * rng_normal(&r)};
        double begin = now_ms();
        tell(&e);
        ms[n++] = now_ms() - begin;
    }
    printf("%12s %8s %8s %8s\n", "trials", "p50 ms", "p90 ms", "max ms");
    for (uint32_t at = 0; at + BUCKET <= n; at += BUCKET) {
        qsort(ms + at, BUCKET, sizeof ms[0], by_value);
        printf("%5" PRIu32 "-%-6" PRIu32 " %8.2f %8.2f %8.2f\n", at,
            at + BUCKET, ms[at + BUCKET / 2], ms[at + BUCKET * 9 / 10],
            ms[at + BUCKET - 1]);
    }
    printf("%" PRIu32 " trials, %" PRIu32 " experiments\n", c->n_trials,
        c->n_experiments);
    free(c);
    return 0;
}
