/* Predictions of earlier campaigns in a search over explicit candidates: the
 * picks they give, their end when they lose, and their place in the spec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "unit/core_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40, TRIALS = 12 };

static struct spec *
spec_make(bool predicted)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    s->n_knobs = 2;
    for (uint32_t k = 0; k < 2; k++) {
        snprintf(s->knob[k].name, NAME_LEN, "k%u", k);
        s->knob[k].kind = KNOB_FLOAT;
        s->knob[k].hi = 1;
    }
    s->n_metrics = 1;
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-3;
    s->sealed = 1;
    s->phases = 1u << PHASE_EXPLOITATION;
    s->baseline_seeds = 1;
    s->unit = UNIT_TRIALS;
    s->total_u = TRIALS * (int64_t)MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 1;
    s->fidelity_knob = -1;
    s->n_candidates = N;
    s->n_prior = predicted ? N : 0;
    for (uint32_t i = 0; i < N; i++) {
        s->candidate[i][0] = (double)i / (N - 1);
        s->candidate[i][1] = (double)(i * 7 % N) / N;
        s->candidate_prior[i] = predicted ? (double)i : 0;
    }
    return s;
}

/* Plays the campaign: the value is sign x the candidate's first knob. Writes
 * the candidate of each trial. */
static uint32_t
play(const struct spec *s, double sign, double *first_knob)
{
    struct core *c = world_start(s, 1);
    uint32_t done = 0;
    while (c->n_jobs == 1 && done < TRIALS) {
        const struct trial *t = &c->trial[c->job[0].trial - 1];
        double v = c->experiment[t->experiment].config.v[0];
        first_knob[done++] = v;
        world_end(c, .7 + .1 * sign * v, MICRO);
    }
    free(c);
    return done;
}

static void
picks_come_first(void **state)
{
    (void)state;
    struct spec *s = spec_make(true);
    double v[TRIALS];
    assert_true(play(s, 1, v) >= 6);
    assert_float_equal(v[0], 0, 0); /* the baseline */
    for (int i = 1; i <= 3; i++)
        assert_true(v[i] > .7); /* of the best predicted quarter */
    free(s);
}

static void
losing_picks_end(void **state)
{
    (void)state;
    struct spec *s = spec_make(true);
    double v[TRIALS];
    uint32_t n = play(s, -1, v), high = 0;
    assert_true(n >= 3);
    assert_true(v[1] > .7);
    for (uint32_t i = 2; i < n; i++)
        high += v[i] > .7;
    assert_true(high <= 2);
    free(s);
}

static void
nothing_predicted_nothing_picked(void **state)
{
    (void)state;
    struct spec *s = spec_make(false);
    double v[TRIALS], high = 0;
    uint32_t n = play(s, -1, v);
    for (uint32_t i = 1; i < n; i++)
        high += v[i] > .7;
    assert_true(high < 4);
    free(s);
}

static void
spec_keeps_predictions(void **state)
{
    (void)state;
    struct spec *s = spec_make(true), *back = mem_calloc(1, sizeof *back);
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    assert_int_equal(spec_decode(back, bytes, n), 0);
    assert_memory_equal(s, back, sizeof *s);
    /* a prediction that is no number is refused */
    s->candidate_prior[3] = __builtin_nan("");
    spec_encode(s, bytes, n);
    assert_int_not_equal(spec_decode(back, bytes, n), 0);
    free(bytes);
    free(back);
    free(s);
}

/* Version 2 had no switch of stopping, which is found by setting it; version 1
 * neither that nor, at the end, a count of predictions. */
static void
spec_of_older_versions(void **state)
{
    (void)state;
    struct spec *s = spec_make(false), *back = mem_calloc(1, sizeof *back);
    size_t n = spec_encode(s, NULL, 0), at = 1;
    unsigned char *bytes = mem_calloc(1, n), *other = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    s->stops = !s->stops;
    spec_encode(s, other, n);
    s->stops = false;
    while (at < n && bytes[at] == other[at])
        at++;
    assert_true(at < n);
    memmove(bytes + at, bytes + at + 1, n - at - 1);
    bytes[0] = 2;
    assert_int_equal(spec_decode(back, bytes, n - 1), 0);
    assert_memory_equal(s, back, sizeof *s);
    bytes[0] = 1;
    assert_int_equal(spec_decode(back, bytes, n - 2), 0);
    assert_memory_equal(s, back, sizeof *s);
    assert_int_not_equal(spec_decode(back, bytes, n - 1), 0);
    bytes[0] = 4;
    assert_int_not_equal(spec_decode(back, bytes, n - 1), 0);
    free(bytes);
    free(other);
    free(back);
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picks_come_first),
        cmocka_unit_test(losing_picks_end),
        cmocka_unit_test(nothing_predicted_nothing_picked),
        cmocka_unit_test(spec_keeps_predictions),
        cmocka_unit_test(spec_of_older_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
