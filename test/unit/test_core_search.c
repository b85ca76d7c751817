/* The search as a campaign meets it: the same seed plans the same, jobs in
 * flight differ, dear configurations must be worth their cost, and ten
 * thousand experiments are no trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "unit/core_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOBS = 3, TRIALS = 30 };

struct world {
    struct spec *spec;
    uint64_t seed;
    struct config ran[TRIALS];
    uint32_t n;
    int64_t (*cost_u)(const struct config *x);
};

/* Two floats and a set of 5, free. */
static struct spec *
spec_make(void)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    s->n_knobs = KNOBS;
    for (uint32_t k = 0; k < KNOBS; k++) {
        snprintf(s->knob[k].name, NAME_LEN, "k%u", k);
        s->knob[k].kind = k == 2 ? KNOB_SET : KNOB_FLOAT;
        s->knob[k].hi = 1;
        s->knob[k].n_values = k == 2 ? 5 : 0;
        s->knob[k].deflt = k == 2 ? 31 : .25;
    }
    s->n_metrics = 1;
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-3;
    s->sealed = 1;
    s->phases = 1u << PHASE_EXPLOITATION;
    s->baseline_seeds = 1;
    s->unit = UNIT_CORE_HOURS;
    s->total_u = 1000 * (int64_t)MICRO;
    s->reserve_train_u = 8 * (int64_t)MICRO;
    s->max_parallel = 1;
    s->fidelity_knob = -1;
    return s;
}

static int64_t
same_cost(const struct config *x)
{
    (void)x;
    return MICRO;
}

static uint32_t
next_experiment(const struct core *c)
{
    assert_true(c->n_jobs > 0);
    return c->trial[c->job[0].trial - 1].experiment;
}

/* Runs jobs one by one until TRIALS have ended. */
static void
play(struct world *w)
{
    struct core *c = world_start(w->spec, w->seed);
    w->n = 0;
    while (c->n_jobs > 0 && w->n < TRIALS) {
        uint32_t experiment = next_experiment(c);
        const struct config x = c->experiment[experiment].config;
        w->ran[w->n++] = x;
        world_end(c,
            .7 - .02 * fabs(x.v[0] - .6) +
                .001 * __builtin_popcountll((uint64_t)x.v[2]),
            w->cost_u(&x));
    }
    free(c);
}

static void
same_seed_plans_the_same(void **state)
{
    (void)state;
    struct world *w = mem_calloc(3, sizeof *w);
    struct spec *s = spec_make();
    for (uint64_t i = 0; i < 3; i++) {
        w[i] = (struct world){.spec = s, .seed = i / 2, .cost_u = same_cost};
        play(&w[i]);
    }
    assert_int_equal(w[0].n, TRIALS);
    assert_memory_equal(w[0].ran, w[1].ran, sizeof w[0].ran);
    assert_memory_not_equal(w[0].ran, w[2].ran, sizeof w[0].ran);
    free(s);
    free(w);
}

/* Eight at once: no two the same, and they are spread. */
static void
jobs_in_flight_differ(void **state)
{
    (void)state;
    enum { AT_ONCE = 8 };
    struct spec *s = spec_make();
    s->max_parallel = AT_ONCE;
    struct core *c = world_start(s, 5);
    world_end(c, .7, MICRO);
    assert_int_equal(c->n_jobs, AT_ONCE);
    double low = 1, high = 0;
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        uint32_t a = c->trial[c->job[i].trial - 1].experiment;
        low = fmin(low, c->experiment[a].config.v[0]);
        high = fmax(high, c->experiment[a].config.v[0]);
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(a, c->trial[c->job[j].trial - 1].experiment);
    }
    assert_true(high - low > .3);
    free(c);
    free(s);
}

static int64_t
dear_below(const struct config *x)
{
    return x->v[1] < .5 ? 8 * MICRO : MICRO;
}

/* A knob that only costs: runs go to its cheap half. */
static void
dear_runs_are_rare(void **state)
{
    (void)state;
    struct spec *s = spec_make();
    uint32_t dear[2] = {0, 0};
    for (uint64_t seed = 1; seed <= 4; seed++)
        for (int costs = 0; costs < 2; costs++) {
            struct world w = {.spec = s,
                .seed = seed,
                .cost_u = costs ? dear_below : same_cost};
            play(&w);
            for (uint32_t i = 1; i < w.n; i++)
                dear[costs] += w.ran[i].v[1] < .5;
        }
    print_message("runs in the dear half: %u of %u, %u where it costs\n",
        dear[0], 4 * (TRIALS - 1), dear[1]);
    assert_true(2 * dear[1] < dear[0]);
    free(s);
}

static void
ten_thousand_experiments(void **state)
{
    (void)state;
    struct spec *s = spec_make();
    struct core *c = world_start(s, 1), *back = mem_calloc(1, sizeof *back);
    struct update u = {0};
    while (c->n_trials < TRIALS_MAX) {
        struct event e = {.kind = EVENT_trial_planned,
            .trial = c->n_trials + 1,
            .experiment = c->n_experiments,
            .phase = PHASE_EXPLOITATION,
            .seed = c->n_trials + 1,
            .state = EXPERIMENT_SEARCH,
            .n_over = 1};
        e.over[0] =
            (struct override){0, c->n_trials / (double)(TRIALS_MAX + 1)};
        assert_int_equal(core_apply(c, &e, &u), 0);
    }
    assert_true(c->n_experiments > 10000 && c->n_trials > 10000);
    struct event more = {.kind = EVENT_trial_planned,
        .trial = TRIALS_MAX + 1,
        .phase = PHASE_EXPLOITATION,
        .seed = 1};
    assert_int_not_equal(core_apply(c, &more, &u), 0);
    size_t n = core_encode(c, NULL, 0);
    unsigned char *bytes = mem_calloc(2, n);
    core_encode(c, bytes, n);
    memcpy(&back->spec, &c->spec, sizeof back->spec);
    assert_int_equal(core_decode(back, bytes, n), 0);
    assert_int_equal(core_encode(back, bytes + n, n), n);
    assert_memory_equal(bytes, bytes + n, n);
    /* empty again, as calloc gives it */
    core_clear(back);
    struct core *zero = mem_calloc(1, sizeof *zero);
    assert_memory_equal(back, zero, sizeof *zero);
    free(zero);
    free(bytes);
    free(back);
    free(c);
    free(s);
}

/* A leader by one run is run again at once, and until then the name stays with
 * the best one that was measured twice. */
static void
a_leader_is_proven(void **state)
{
    (void)state;
    struct spec *s = spec_make();
    s->n_candidates = s->n_prior = 12;
    for (uint32_t i = 0; i < s->n_candidates; i++) {
        s->candidate[i][0] = i / 11.0;
        s->candidate[i][1] = i * i % 12 / 11.0;
        s->candidate[i][2] = i % 5 + 1;
        s->candidate_prior[i] = 1e-4 * i;
    }
    struct core *c = world_start(s, 1);
    assert_int_equal(world_end(c, .7, MICRO), 0);
    uint32_t first = world_end(c, .705, MICRO),
             second = world_end(c, .7052, MICRO);
    world_end(c, .7049, MICRO);
    assert_int_equal(analysis_incumbent(c), second);
    assert_int_equal(next_experiment(c), second);
    world_end(c, .7, MICRO);
    assert_int_equal(next_experiment(c), first);
    world_end(c, .705, MICRO);
    assert_int_equal(analysis_incumbent(c), first);
    uint32_t again = first; /* until something new is tried */
    while (again <= 3)
        again = world_end(c, next_experiment(c) > 3 ? .7054 : .705, MICRO);
    assert_int_equal(analysis_incumbent(c), first);
    assert_int_equal(next_experiment(c), again);
    world_end(c, .7054, MICRO);
    assert_int_equal(analysis_incumbent(c), again);
    free(c);
    free(s);
}

/* What the source of an idea says, unsure as it is, counts for a value that
 * never ran: the idea is tried on top of the best, but not when it is sure to
 * add nothing. */
static void
a_fresh_idea_is_tried_on_the_best(void **state)
{
    (void)state;
    for (int unsure = 0; unsure < 2; unsure++) {
        struct spec *s = spec_make();
        struct event idea = {.kind = EVENT_hypothesis_added,
            .hypothesis = 1,
            .source = SOURCE_RESEARCH,
            .statement = "another value",
            .mean = -1e-4,
            .sd = unsure ? 3e-2 : 1e-4,
            .n_over = 1,
            .over = {{0, .3125}}};
        struct core *c = world_start(s, 3);
        world_end(c, .7, MICRO);
        uint32_t best = world_end(c, .71, MICRO);
        world_tell(c, &idea);
        world_end(c, .705, MICRO);
        struct config want = c->experiment[best].config;
        want.v[0] = .3125;
        assert_int_equal(
            config_equal(s, &c->experiment[next_experiment(c)].config, &want),
            unsure);
        free(c);
        free(s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_idea_is_tried_on_the_best),
        cmocka_unit_test(a_leader_is_proven),
        cmocka_unit_test(same_seed_plans_the_same),
        cmocka_unit_test(jobs_in_flight_differ),
        cmocka_unit_test(dear_runs_are_rare),
        cmocka_unit_test(ten_thousand_experiments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
