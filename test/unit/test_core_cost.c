/* What a configuration will cost: like what was measured of its kind, by the
 * laws of size, by the idea's own factor where nothing like it ran yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "core/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL, EPOCHS, DROPOUT };

static struct core *
core_make(enum unit unit)
{
    struct core *c = mem_calloc(1, sizeof *c);
    struct spec *s = &c->spec;
    s->n_knobs = 3;
    s->knob[MODEL] = (struct knob){.name = "model",
        .kind = KNOB_CHOICE,
        .concept = CONCEPT_MODEL,
        .n_values = 3,
        .values = {"fm", "deepfm", "dcnv2"}};
    s->knob[EPOCHS] = (struct knob){.name = "epochs",
        .kind = KNOB_INT,
        .concept = CONCEPT_EPOCHS,
        .lo = 1,
        .hi = 16,
        .deflt = 4};
    s->knob[DROPOUT] = (struct knob){.name = "dropout",
        .kind = KNOB_FLOAT,
        .concept = CONCEPT_DROPOUT,
        .hi = 1};
    s->n_metrics = 1;
    s->unit = (uint8_t)unit;
    s->reserve_train_u = 9000;
    s->fidelity_knob = -1;
    c->approved_u = 100000;
    c->cost_hint_u = 50;
    c->n_experiments = 1;
    return c;
}

static void
ran(struct core *c, double model, double epochs, double dropout, int64_t cost_u)
{
    struct config x = {.v = {model, epochs, dropout}};
    int e = c->n_trials == 0 ? 0 : experiment_find(c, &x);
    if (c->n_trials == 0)
        c->experiment[0].config = x;
    if (e < 0) {
        e = (int)c->n_experiments++;
        c->experiment[e].config = x;
    }
    c->trial[c->n_trials++] = (struct trial){
        .experiment = (uint32_t)e, .state = TRIAL_OK, .cost_u = cost_u};
}

static double
predicted(const struct core *c, double model, double epochs, double dropout,
    double factor)
{
    struct config x = {.v = {model, epochs, dropout}};
    struct cost_model m;
    cost_model_fit(c, &m);
    return cost_of(c, &m, &x, factor);
}

static void
between(double x, double lo, double hi)
{
    if (!(x > lo && x < hi))
        fail_msg("%g is not between %g and %g", x, lo, hi);
}

static void
nothing_measured(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    config_default(&c->spec, &c->experiment[0].config);
    between(predicted(c, 0, 4, 0, 1), 49, 51);
    between(predicted(c, 1, 4, 0, 3), 149, 151);
    between(predicted(c, 0, 8, 0, 0), 99, 101);
    free(c);
}

static void
a_kind_is_learnt_by_one_run(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    for (int i = 0; i < 5; i++)
        ran(c, 0, 4, 0, 100 + i);
    ran(c, 0, 4, .2, 104);
    between(predicted(c, 1, 4, .1, 1.5), 120, 300); /* the idea's word */
    between(predicted(c, 1, 4, .1, 0), 150, 200);   /* unknown: may be dear, */
    between(predicted(c, 1, 4, .1, 4), 400, 480);   /* less so where one says */
    ran(c, 1, 4, 0, 700);
    between(predicted(c, 1, 4, .1, 1.5), 550, 850);
    between(predicted(c, 1, 8, .1, 1.5), 900, 1700);
    between(predicted(c, 2, 4, 0, 1.5), 100, 400);
    for (int i = 0; i < 60; i++) /* many cheap ones do not wash it out */
        ran(c, 0, 4, .01 * i, 101);
    between(predicted(c, 1, 4, .1, 1.5), 550, 850);
    between(predicted(c, 0, 4, .33, 0), 90, 115);
    between(predicted(c, 0, 2, 0, 0), 40, 65);
    free(c);
}

static void
trials_cost_one(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_TRIALS);
    ran(c, 0, 4, 0, MICRO);
    ran(c, 1, 4, 0, MICRO);
    between(predicted(c, 2, 16, 0, 7), MICRO - 1, MICRO + 1);
    free(c);
}

/* The worst case is 9000; with 200 left and trainings of 100 there is room for
 * one more, which then has to get along with it. */
static void
the_last_money_is_used(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    for (int i = 0; i < 5; i++)
        ran(c, 0, 4, 0, 100);
    assert_int_equal(budget_least_u(c, PHASE_VALIDATION, JOB_TRAIN), 200);
    c->spent_u = 99800;
    assert_true(budget_phase_open(c, PHASE_CONFIRMATION));
    c->spent_u = 99801;
    assert_false(budget_phase_open(c, PHASE_CONFIRMATION));
    c->spec.reserve_train_u = 150;
    assert_int_equal(budget_least_u(c, PHASE_VALIDATION, JOB_TRAIN), 150);
    free(c);
}

/* Two dear ideas were tried and lost. What is left holds many runs like the
 * baseline's, and those go on; what is too dear is left out. */
static void
dear_losers_end_nothing(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    struct purse p;
    struct config cheap = {.v = {0, 4, .3}}, dear = {.v = {1, 4, .3}};
    for (int i = 0; i < 5; i++)
        ran(c, 0, 4, 0, 100);
    ran(c, 1, 4, 0, 1000);
    ran(c, 2, 4, 0, 1300);
    between((double)budget_trial_u(c), 150, 250); /* the mean is 400 */
    c->spec.phases = 1u << PHASE_VALIDATION;
    c->approved_u = 10000;
    c->spent_u = 9400;
    assert_true(budget_phase_open(c, PHASE_VALIDATION));
    purse_open(c, PHASE_VALIDATION, &p);
    assert_true(p.tight && purse_holds(c, &p, &cheap, 1));
    assert_false(purse_holds(c, &p, &dear, 1));
    c->spent_u = 0;
    purse_open(c, PHASE_VALIDATION, &p);
    assert_true(!p.tight && purse_holds(c, &p, &dear, 1));
    free(c);
}

/* Backbones that bring the same knobs in are programs of one kind. */
static void
kinds_are_told_by_their_knobs(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    for (int i = 0; i < 5; i++)
        ran(c, 0, 4, 0, 100);
    ran(c, 1, 4, 0, 1000);
    double apart = predicted(c, 2, 4, 0, 1.5);
    struct knob *k = &c->spec.knob[DROPOUT]; /* when model != "fm" */
    k->n_when = 1;
    k->when[0] = (struct cond){.op = COND_NE, .knob = MODEL, .value = 0};
    between(apart, 100, 400);
    between(predicted(c, 2, 4, 0, 1.5), 1.5 * apart, 1000);
    free(c);
}

/* Runs of 100 that may cost 9000: what Confirmation keeps must pay for fresh
 * seeds, their evaluations, and let the last of both begin. */
static void
confirmation_can_end(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    for (int i = 0; i < 5; i++)
        ran(c, 0, 4, 0, 100);
    c->spec.metric[0].min_gain = 1e-3;
    c->spec.baseline_seeds = 5;
    c->spec.phases = 1u << PHASE_CONFIRMATION;
    c->approved_u = 1000000;
    int64_t plain = budget_confirm_u(c);
    assert_true(plain >= 3 * 2 * 100 + 200);
    c->spec.has_evaluate = true;
    c->spec.reserve_eval_u = 9000;
    assert_int_equal(budget_least_u(c, PHASE_VALIDATION, JOB_EVALUATE), 300);
    assert_int_equal(budget_confirm_u(c) - plain, (plain - 200) + 300);
    c->spec.reserve_eval_u = 10; /* cheap ones are taken at their worst */
    assert_int_equal(budget_least_u(c, PHASE_VALIDATION, JOB_EVALUATE), 10);
    assert_int_equal(budget_confirm_u(c) - plain, (plain - 200) / 10 + 10);
    free(c);
}

/* An attempt whose cost is not held waits while jobs in flight may leave
 * something of their reservations; it is given up when none does. */
static void
a_retry_waits_for_reservations(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    struct update u = {0};
    c->state = CAMPAIGN_RUNNING;
    c->spec.max_parallel = 2;
    for (int i = 0; i < 2; i++) {
        ran(c, 0, 4, 0, 100);
        c->trial[i].state = TRIAL_RUNNING;
    }
    c->trial[1].job = 1;
    c->approved_u = 9100; /* 100 are left, the least of a job is 150 */
    c->n_jobs = 1;
    c->job[0] = (struct job){.id = 1, .trial = 2, .reserve_u = 9000};
    c->reserved_u = 9000;
    assert_false(job_decide(c, &u));
    job_remove(c, &c->job[0]);
    c->trial[1].state = TRIAL_OK;
    c->reserved_u = 0;
    c->spent_u = 9000;
    assert_true(job_decide(c, &u));
    assert_int_equal(u.next.kind, EVENT_trial_closed);
    free(c);
}

/* Trainings of 100 in Validation; a phase whose hour costs 4 times as much is
 * expected to cost 400, until its own say 150. */
static void
a_phase_has_its_own_cost(void **state)
{
    (void)state;
    struct core *c = core_make(UNIT_CORE_HOURS);
    c->spec.by_phase = true;
    for (uint32_t p = PHASE_VALIDATION; p < PHASE_COUNT; p++)
        c->spec.phase_cost[p] = (struct phase_cost){9000, 900, 1};
    c->spec.phase_cost[PHASE_CONFIRMATION] = (struct phase_cost){800, 80, 4};
    assert_int_equal(budget_phase_trial_u(c, PHASE_CONFIRMATION), 4 * 50);
    for (int i = 0; i < 5; i++) {
        ran(c, 0, 4, 0, 100);
        c->trial[i].phase = PHASE_VALIDATION;
    }
    assert_int_equal(budget_phase_trial_u(c, PHASE_VALIDATION), 100);
    assert_int_equal(budget_phase_trial_u(c, PHASE_CONFIRMATION), 400);
    assert_int_equal(budget_least_u(c, PHASE_VALIDATION, JOB_TRAIN), 200);
    assert_int_equal(budget_least_u(c, PHASE_CONFIRMATION, JOB_TRAIN), 800);
    c->trial[5] = (struct trial){.phase = PHASE_CONFIRMATION};
    assert_int_equal(job_next_u(c, &c->trial[5]), 800);
    c->trial[5].phase = PHASE_VALIDATION;
    assert_int_equal(job_next_u(c, &c->trial[5]), 9000);
    ran(c, 0, 4, 0, 150);
    c->trial[5].phase = PHASE_CONFIRMATION;
    assert_int_equal(budget_phase_trial_u(c, PHASE_CONFIRMATION), 150);
    assert_int_equal(budget_phase_trial_u(c, PHASE_VALIDATION), 100);
    between(predicted(c, 0, 4, 0, 0), 80, 100); /* by the common resources */
    free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_measured),
        cmocka_unit_test(confirmation_can_end),
        cmocka_unit_test(a_kind_is_learnt_by_one_run),
        cmocka_unit_test(trials_cost_one),
        cmocka_unit_test(the_last_money_is_used),
        cmocka_unit_test(dear_losers_end_nothing),
        cmocka_unit_test(kinds_are_told_by_their_knobs),
        cmocka_unit_test(a_retry_waits_for_reservations),
        cmocka_unit_test(a_phase_has_its_own_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
