/* Events, specs and snapshots survive the way to bytes and back; broken bytes
 * are refused, never believed. */
#include "base/err.h"
#include "base/rng.h"
#include "core/core.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
event_full(struct event *e)
{
    memset(e, 0, sizeof *e);
    e->kind = EVENT_job_ended;
    e->seq = 1234567;
    e->at_ms = -5;
    e->trial = 7;
    e->exit_code = -1;
    e->signal = 9;
    e->mask = UINT64_MAX;
    e->cost_u = INT64_MIN;
    e->mean = -0.0;
    e->sd = 1e-300;
    e->n_over = 2;
    e->over[1] = (struct override){63, 0.1};
    e->n_measures = 1;
    e->measure[0] = (struct measure){3, __builtin_nan("")};
    e->n_curve = 2;
    e->curve[0] = (struct rung_value){0, .71};
    e->curve[1] = (struct rung_value){RUNGS_MAX - 1, -0.0};
    e->why = "because";
    e->statement = "";
    e->resume = true;
}

static void
event_round_trip(void **state)
{
    unsigned char a[4096], b[4096];
    struct event e, back;
    (void)state;
    event_full(&e);
    size_t n = event_encode(&e, a, sizeof a);
    assert_true(n < 200);
    assert_int_equal(event_decode(&back, a, n), 0);
    assert_int_equal(back.seq, 1234567);
    assert_int_equal(back.at_ms, -5);
    assert_int_equal(back.cost_u, INT64_MIN);
    assert_true(back.measure[0].value != back.measure[0].value);
    assert_int_equal(back.curve[1].rung, RUNGS_MAX - 1);
    assert_true(signbit(back.curve[1].value));
    assert_string_equal(back.why, "because");
    assert_string_equal(back.statement, "");
    assert_null(back.hash);
    assert_int_equal(event_encode(&back, b, sizeof b), n);
    assert_memory_equal(a, b, n);
}

static void
event_cut_or_changed(void **state)
{
    unsigned char a[4096], b[4096];
    struct event e, back;
    struct rng r;
    (void)state;
    event_full(&e);
    size_t n = event_encode(&e, a, sizeof a);
    /* a cut record is either refused or a shorter record on a field border */
    for (size_t i = 0; i < n; i++)
        if (event_decode(&back, a, i) == 0)
            assert_true(event_encode(&back, b, sizeof b) == i);
    rng_seed(&r, 1);
    for (int i = 0; i < 20000; i++) {
        memcpy(b, a, n);
        b[rng_below(&r, n)] ^= (unsigned char)(1 + rng_below(&r, 255));
        int rc = event_decode(&back, b, n);
        assert_true(rc == 0 || rc == -ERR_CORRUPT || rc == -ERR_VERSION);
    }
    a[n] = 250; /* a field that a newer version wrote */
    a[n + 1] = 0;
    assert_int_equal(event_decode(&back, a, n + 2), -ERR_VERSION);
}

static void
spec_fill(struct spec *s)
{
    memset(s, 0, sizeof *s);
    strncpy(s->model, "m", sizeof s->model - 1);
    s->n_knobs = 2;
    strncpy(s->knob[0].name, "lr", NAME_LEN - 1);
    s->knob[0].kind = KNOB_FLOAT;
    s->knob[0].lo = .1;
    s->knob[0].hi = 1;
    s->knob[0].deflt = .5;
    strncpy(s->knob[1].name, "model", NAME_LEN - 1);
    s->knob[1].kind = KNOB_CHOICE;
    s->knob[1].n_values = 2;
    strncpy(s->knob[1].values[0], "a", VALUE_LEN - 1);
    strncpy(s->knob[1].values[1], "b", VALUE_LEN - 1);
    s->n_metrics = 1;
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-3;
    s->sealed = 1;
    s->phases = 0x1e;
    s->unit = UNIT_TRIALS;
    s->total_u = 5 * MICRO;
    s->max_parallel = 2;
    s->fidelity_knob = -1;
    s->n_candidates = 1;
    s->candidate[0][0] = .7;
}

static void
spec_round_trip(void **state)
{
    static unsigned char a[8192];
    static struct spec s, back;
    (void)state;
    spec_fill(&s);
    size_t n = spec_encode(&s, a, sizeof a);
    assert_true(n < sizeof a);
    assert_int_equal(spec_decode(&back, a, n), 0);
    assert_memory_equal(&s, &back, sizeof s);
    unsigned char version = a[0];
    a[0] = 99;
    assert_int_equal(spec_decode(&back, a, n), -ERR_VERSION);
    a[0] = version;
    for (size_t i = 1; i < n; i++)
        assert_int_equal(spec_decode(&back, a, i), -ERR_CORRUPT);
    assert_int_equal(version, 3); /* plans keep their hash */
    s.by_phase = true;
    for (uint32_t p = PHASE_VALIDATION; p < PHASE_COUNT; p++)
        s.phase_cost[p] = (struct phase_cost){p * MICRO, p, .5 * p};
    n = spec_encode(&s, a, sizeof a);
    assert_int_equal(spec_decode(&back, a, n), 0);
    assert_memory_equal(&s, &back, sizeof s);
    s.phase_cost[PHASE_COMBINATION].rate = 0; /* nothing divides by it */
    n = spec_encode(&s, a, sizeof a);
    assert_int_equal(spec_decode(&back, a, n), -ERR_CORRUPT);
}

static void
snapshot_refuses_garbage(void **state)
{
    static unsigned char a[8192];
    struct core *c = calloc(1, sizeof *c);
    struct core *back = calloc(1, sizeof *back);
    struct rng r;
    (void)state;
    spec_fill(&c->spec);
    spec_fill(&back->spec);
    c->state = CAMPAIGN_DRAFT;
    c->n_experiments = 1;
    config_default(&c->spec, &c->experiment[0].config);
    c->n_trials = 1;
    c->n_jobs = 1;
    c->job[0].trial = 1;
    size_t n = core_encode(c, a, sizeof a);
    assert_int_equal(core_decode(back, a, n), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(core_decode(back, a, i), -ERR_CORRUPT);
    rng_seed(&r, 2);
    for (int i = 0; i < 20000; i++) {
        size_t at = rng_below(&r, n);
        unsigned char old = a[at];
        a[at] = (unsigned char)rng_below(&r, 256);
        int rc = core_decode(back, a, n);
        assert_true(rc == 0 || rc == -ERR_CORRUPT || rc == -ERR_VERSION);
        a[at] = old;
    }
    free(c);
    free(back);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_round_trip),
        cmocka_unit_test(event_cut_or_changed),
        cmocka_unit_test(spec_round_trip),
        cmocka_unit_test(snapshot_refuses_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
