/* How long a decision takes: one campaign of the real engine, driven to 10,000
 * trials over 12 knobs; prints the time from "a job ended" to "the next job is
 * intended" by the size of the history (over the last quarter, at most 250),
 * and what a snapshot of it takes. No I/O is in it, so the time is that of the
 * processor, which other programs do not disturb. Optuna's on the same
 * problem: test/peers/decide_peers.py. */
#include "base/arena.h"
#include "base/rng.h"
#include "core/core.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KNOBS = 12, TRIALS = 10000, BUCKET = 250, MARKS = 6 };
static const uint32_t marks[MARKS] = {100, 300, 1000, 3000, 5000, TRIALS};

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
    s->metric[0].min_gain = 1e-12; /* so that it never stops early */
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
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Snapshot there and back: ms and bytes. */
static double
snapshot_time(size_t *bytes)
{
    double begin = now_ms();
    *bytes = core_encode(c, NULL, 0);
    unsigned char *out = mem_calloc(1, *bytes);
    struct core *back = mem_calloc(1, sizeof *back);
    core_encode(c, out, *bytes);
    memcpy(&back->spec, &c->spec, sizeof back->spec);
    if (core_decode(back, out, *bytes) != 0) {
        fprintf(stderr, "a snapshot does not come back\n");
        exit(1);
    }
    double ms = now_ms() - begin;
    free(back);
    free(out);
    return ms;
}

static double
one_trial(struct rng *r)
{
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
    e.measure[0] = (struct measure){0, value + 2e-4 * rng_normal(r)};
    double begin = now_ms();
    tell(&e);
    return now_ms() - begin;
}

int
main(void)
{
    static double ms[TRIALS + 8];
    struct rng r;
    rng_seed(&r, 3);
    c = mem_calloc(1, sizeof *c);
    draft();
    uint32_t n = 0, mark = 0;
    printf("%8s %11s %8s %8s %8s %12s %12s\n", "trials", "experiments",
        "p50 ms", "p90 ms", "max ms", "snapshot KiB", "snapshot ms");
    while (c->n_jobs == 1 && n < TRIALS) {
        ms[n++] = one_trial(&r);
        if (mark == MARKS || n != marks[mark])
            continue;
        size_t bytes;
        uint32_t count = n / 4 < BUCKET ? n / 4 : BUCKET;
        double *last = ms + n - count, snapshot = snapshot_time(&bytes);
        mark++;
        qsort(last, count, sizeof *last, by_value);
        printf("%8" PRIu32 " %11" PRIu32 " %8.2f %8.2f %8.2f %12.0f %12.2f\n",
            n, c->n_experiments, last[count / 2], last[count * 9 / 10],
            last[count - 1], (double)bytes / 1024, snapshot);
        fflush(stdout);
    }
    if (mark < MARKS) {
        fprintf(stderr, "the search ended after %" PRIu32 " trials\n", n);
        return 1;
    }
    free(c);
    return 0;
}
